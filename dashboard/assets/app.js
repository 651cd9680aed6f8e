// What the pages do beyond reading: keys, and a word when an open page is no longer the newest. Everything works without.

const watchEvery = 10_000; // milliseconds

/** Keys are for reading: none while somebody types, none with a modifier. */
function onKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
  switch (event.key) {
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

/** In dev the server says when a config became active. A draft is not thrown away for it. */
function listen() {
  if (!document.body.dataset.events) return;
  new EventSource(document.body.dataset.events).addEventListener("changed", () => {
    if (document.querySelector("#bench")) offer("The files on disk became active. Start from them");
    else location.reload();
  });
}

/** Asks, while the page is looked at, whether its content has changed, and offers the new one instead of moving things. */
async function watch() {
  if (document.visibilityState !== "visible" || !document.body.dataset.version) return;
  try {
    const answer = await fetch(location.href, { method: "HEAD", cache: "no-store" });
    const newest = answer.headers.get("Page-Version");
    if (answer.ok && newest && newest !== document.body.dataset.version) offer();
  } catch {
    // The server is away; the page stays as it is and asks again.
  }
}

function offer(what = "There is something new. Show it") {
  const place = document.querySelector(".news");
  if (place.hasChildNodes()) return;
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = what;
  button.addEventListener("click", () => location.reload());
  place.append(button);
}

document.addEventListener("keydown", onKey);
if (location.hash === "#q") focusSearch();
setInterval(watch, watchEvery);
listen();
