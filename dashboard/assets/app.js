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
  }
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
  const here = links.findIndex((a) => a.closest("[data-row]").contains(document.activeElement));
  const next = links[Math.max(0, Math.min(links.length - 1, here < 0 ? 0 : here + by))];
  next?.focus();
}

/** In dev the server says how often a config became active. A browser has few lines to a server, so a page that nobody sees gives its own up. */
function listen() {
  const path = document.body.dataset.events;
  if (!path) return;
  let line, known;
  const tune = () => {
    line?.close();
    if (document.visibilityState !== "visible") return;
    line = new EventSource(path);
    line.addEventListener("active", (event) => {
      if (known !== undefined && known !== event.data) follow();
      known = event.data;
    });
  };
  document.addEventListener("visibilitychange", tune);
  tune();
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
  if (document.visibilityState !== "visible" || !document.body.dataset.version) return;
  const list = document.querySelector("[data-news]");
  try {
    if (list && (await announce(list.dataset.news))) return;
    const answer = await fetch(location.href, { method: "HEAD", cache: "no-store" });
    const newest = answer.headers.get("Page-Version");
    if (!answer.ok || !newest) return;
    if (newest !== document.body.dataset.version) await (document.querySelector("[data-live]") ? renew() : offer());
    else stamp();
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
async function renew() {
  const main = document.querySelector("#main");
  if (main.contains(document.activeElement) && document.activeElement !== main) return offer();
  const answer = await fetch(location.href, { cache: "no-store" });
  if (!answer.ok || answer.redirected) return offer();
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
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
if (location.hash === "#q") focusSearch();
setInterval(watch, watchEvery);
listen();
