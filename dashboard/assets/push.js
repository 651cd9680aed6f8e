// Asks the browser to show team alerts while no page is open. Only a script can ask; what it is told is posted as a form.

const place = document.querySelector("#push[data-key]");
const form = place.querySelector("form[data-on]");
const why = place.querySelector("[data-why]");

function say(text) {
  why.textContent = text;
  why.hidden = false;
}

function encoded(buffer) {
  return btoa(String.fromCharCode(...new Uint8Array(buffer))).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

async function offer() {
  if (!window.isSecureContext) return say("Browsers show alerts of pages that are reached by https only.");
  if (!("serviceWorker" in navigator && "PushManager" in window)) return say("This browser shows no alerts of pages that are not open.");
  const worker = await navigator.serviceWorker.register(place.dataset.worker);
  const known = await worker.pushManager.getSubscription();
  const same = known && encoded(known.options.applicationServerKey) === place.dataset.key;
  if (known && !same) say("This browser was asked under another key, and has to be asked again.");
  else why.hidden = true;
  form.hidden = false;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    subscribe(worker, same ? null : known).catch(() => say("The browser could not be asked: its push service may be out of reach. Try again later."));
  });
}

async function subscribe(worker, stale) {
  if ((await Notification.requestPermission()) !== "granted") return say("This browser was told not to show any. Allow notifications for this page in its settings, then try again.");
  await stale?.unsubscribe();
  const made = await worker.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: place.dataset.key });
  const { endpoint, keys } = made.toJSON();
  Object.assign(form.elements.endpoint, { value: endpoint });
  Object.assign(form.elements.p256dh, { value: keys.p256dh });
  Object.assign(form.elements.auth, { value: keys.auth });
  form.submit();
}

offer().catch(() => say("This browser could not be asked."));
