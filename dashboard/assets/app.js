// What the pages do beyond reading: keys, and a word when an open page is no longer the newest. Everything works without.

const watchEvery = 10_000; // milliseconds
const goWithin = 1500; // milliseconds between "g" and where to

let goes = 0; // until when a letter says where to go

/** Keys are for reading: none while somebody types, none with a modifier. */
function onKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target) || document.querySelector("dialog[open]")) return;
  if (Date.now() < goes) {
    goes = 0;
    return document.querySelector(`[data-go="${CSS.escape(event.key)}"]`)?.click();
  }
  switch (event.key) {
    case "g":
      goes = Date.now() + goWithin;
      return;
    case "?":
      return document.querySelector("#keys")?.showModal();
    case "/":
      if (focusSearch()) event.preventDefault();
      return;
    case "j":
      return step(+1);
    case "k":
      return step(-1);
    default:
      if (!event.repeat) press(event.key);
  }
}

/** What can be done about the row that has the focus has a key each; what sends is confirmed on the page it leads to. */
function press(key) {
  document.activeElement.closest("[data-row]")?.querySelector(`[data-key="${CSS.escape(key)}"]`)?.click();
}

function typing(element) {
  return element instanceof HTMLElement && (element.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(element.tagName));
}

function focusSearch() {
  const box = document.querySelector("input[type=search]");
  if (!box) {
    location.assign("/conversations#q");
    return true;
  }
  box.focus();
  box.select();
  return true;
}

/** Moves the focus to the next or previous row; Enter then follows its link, as on any link. */
function step(by) {
  const links = [...document.querySelectorAll("[data-row] .rowlink")];
  const rows = links.map((a) => a.closest("[data-row]"));
  const here = rows.findIndex((row) => row.contains(document.activeElement));
  const from = here < 0 ? Math.max(0, rows.findIndex((row) => row.id && "#" + row.id === location.hash)) : here + by;
  const next = links[Math.max(0, Math.min(links.length - 1, from))];
  next?.focus();
}

/**
 * Open pages hear that something changed, and of what kind. They ask for it again as themselves, so what somebody may see is
 * decided where it always is. A browser has few lines to a server, so a page that nobody sees gives its own up.
 */
function listen() {
  const path = document.body.dataset.live;
  if (!path) return;
  const topics = [...new Set(["alerts", ...regionTopics()])];
  let line, known, later;
  const tune = () => {
    line?.close();
    clearTimeout(later);
    if (document.visibilityState !== "visible") return;
    line = new EventSource(`${path}?topics=${topics}`);
    line.addEventListener("open", () => {
      listening = true;
      look(topics); // whatever was missed before
    });
    line.addEventListener("error", () => {
      listening = false;
      if (line.readyState === EventSource.CLOSED) later = setTimeout(tune, 60_000); // refused: until then the page looks by itself
    });
    for (const topic of topics) line.addEventListener(topic, () => look([topic]));
    line.addEventListener("active", (event) => {
      if (known !== undefined && known !== event.data) follow();
      known = event.data;
    });
  };
  document.addEventListener("visibilitychange", tune);
  setInterval(() => document.visibilityState === "visible" && listening && look(topics), 60_000); // a word may be lost on its way
  tune();
}

const region = () => document.querySelector("[data-topics]");
const regionTopics = () => region()?.dataset.topics.split(" ") ?? [];

let listening = false;
let since = document.body.dataset.since;
const changed = new Set();
let due, looked = 0;

/** Looks again soon for what changed, and at most every two seconds, however much does. */
function look(topics) {
  for (const topic of topics) changed.add(topic);
  due ??= setTimeout(async () => {
    const mine = regionTopics().some((topic) => changed.has(topic));
    const alerts = changed.has("alerts") && !regionTopics().includes("alerts");
    changed.clear();
    try {
      if (alerts) await lookForAlerts();
      if (mine) await renew();
      await tellSeen();
    } catch {
      // The server is away; the line says when it is back.
    }
    looked = Date.now();
    due = undefined;
    if (changed.size) look([]);
  }, Math.max(100, looked + 2000 - Date.now()));
}

async function ask(path) {
  const answer = await fetch(path, { cache: "no-store" });
  if (!answer.ok) throw new Error(`${answer.status}`);
  return new DOMParser().parseFromString(await answer.text(), "text/html");
}

/** Shows the page's live part as it is now. Where somebody is at work in it, it is offered instead. */
async function renew() {
  const fresh = await ask(location.href);
  recount(fresh);
  const [part, now] = [region(), fresh.querySelector("[data-topics]")];
  if (!now || fresh.body.dataset.version === document.body.dataset.version) return;
  if (part.contains(document.activeElement) || part.querySelector("details[open]")) return offer();
  document.body.dataset.version = fresh.body.dataset.version;
  part.replaceChildren(...now.childNodes);
  const all = fresh.querySelector("#all-read");
  if (all) document.querySelector("#all-read")?.replaceWith(all);
  document.querySelector("#said").textContent = `Renewed at ${new Date().toLocaleTimeString()}`;
}

let telling = false;

/**
 * What a page shows to somebody has been seen. Its form says so, which without scripts they do; a page that was loaded ahead, or that
 * nobody looks at, does not.
 */
async function tellSeen() {
  const form = document.querySelector("form[data-seen]");
  if (!form || telling || document.visibilityState !== "visible") return;
  telling = true;
  try {
    const answer = await fetch(form.action, { method: "POST", body: new FormData(form) });
    if (answer.ok) form.remove();
  } catch {
    // The server is away; the next look tells it.
  }
  telling = false;
}

function recount(fresh) {
  for (const id of ["#unread", "#to-review"]) {
    const count = fresh.querySelector(id);
    if (count) document.querySelector(id)?.replaceWith(count);
  }
}

/** Pops up what was posted since. The focus stays where it is. */
async function lookForAlerts() {
  const fresh = await ask(`/alerts/latest?since=${since}`);
  recount(fresh);
  since = fresh.querySelector("[data-newest]").dataset.newest || since;
  const place = document.querySelector(".pops");
  place.append(...[...fresh.querySelectorAll("[data-alert]")].reverse());
  while (place.children.length > 4) place.firstElementChild.remove();
}

/** What is done about an alert that popped up is done in place. */
async function onPop(event) {
  const card = event.target.closest(".pops [data-alert]");
  if (!card) return;
  if (event.type === "submit") {
    event.preventDefault();
    const answer = await fetch(event.target.action, { method: "POST", body: new FormData(event.target) });
    if (!answer.ok) return location.assign("/alerts");
    look(["alerts"]);
  } else if (!event.target.closest("[data-away]")) return;
  card.remove();
}

/** Shows what became active. A draft that was changed is not thrown away for it. */
function follow() {
  const bench = document.querySelector("#bench");
  if (!bench) return location.reload();
  const { from, call } = bench.elements;
  const active = from.value.startsWith("active:");
  const path = "/workbench?" + new URLSearchParams({ from: active ? from.value : "", call: call.value });
  if ("changed" in bench.dataset) offer("The files on disk became active. Start from them", path);
  else if (active) location.assign(path);
}

/** Asks, while the page is looked at, whether its content has changed, and offers the new one instead of moving things. */
async function watch() {
  if (document.visibilityState !== "visible" || !document.body.dataset.version || (region() && listening)) return;
  const list = document.querySelector("[data-news]");
  try {
    if (list && (await announce(list.dataset.news))) return;
    const answer = await fetch(location.href, { method: "HEAD", cache: "no-store" });
    const newest = answer.headers.get("Page-Version");
    if (!answer.ok || !newest) return;
    if (newest === document.body.dataset.version) stamp();
    else if (region()) look(regionTopics());
    else if (document.querySelector("[data-figures]")) await refigure();
    else offer();
  } catch {
    // The server is away; the page stays as it is, with the time it was true, and asks again.
  }
}

/** Says how many rows a list has above its first by now. They are shown when they are asked for. */
async function announce(path) {
  const answer = await fetch(path, { cache: "no-store" });
  if (!answer.ok) return false;
  const news = await answer.json();
  if (news.new > 0) offer(`${news.new}${news.more ? "+" : ""} new, show`);
  return news.new > 0;
}

/** Puts a page of figures in the place of itself, unless somebody is at something in it. */
async function refigure() {
  const main = document.querySelector("#main");
  if (main.contains(document.activeElement) && document.activeElement !== main) return offer();
  const page = await ask(location.href);
  if (!page.querySelector("[data-figures]")) return offer(); // another page by now: somebody has to sign in again
  const open = [...main.querySelectorAll("details")].map((d) => d.open);
  main.replaceChildren(...page.querySelector("#main").childNodes);
  main.querySelectorAll("details").forEach((d, n) => (d.open = open[n] ?? false));
  document.body.dataset.version = page.body.dataset.version;
  stamp();
}

/** Notes until when the page is known to be the newest. */
function stamp() {
  const as = document.querySelector(".as-of time");
  if (!as) return;
  const now = new Date();
  as.dateTime = now.toISOString();
  as.textContent = now.toISOString().slice(11, 19) + " UTC";
}

function offer(what = "There is something new. Show it", path = "") {
  const place = document.querySelector(".news");
  const offered = place.querySelector("button");
  if (offered) {
    if (what.includes(" new, ")) offered.textContent = what;
    return;
  }
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = what;
  button.addEventListener("click", () => (path ? location.assign(path) : location.reload()));
  place.append(button);
}

document.addEventListener("keydown", onKey);
document.addEventListener("submit", onPop);
document.addEventListener("click", onPop);
if (location.hash === "#q") focusSearch();
document.querySelector("[data-confirm]")?.focus({ preventScroll: true });
document.addEventListener("visibilitychange", tellSeen);
setInterval(watch, watchEvery);
listen();
tellSeen();
