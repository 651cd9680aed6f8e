// The workbench in a browser: an editor in place of the text fields, checked and tried while one types. The page works
// without; what stands here only spares the buttons. Nothing is judged here: the server does it, by the code of the
// command line, and sends the list of problems and the outcome of a try as they stand on the page.

const form = document.querySelector("#bench");
const place = document.querySelector("#editor");
const outcome = document.querySelector("#try");
const editor = await import(form.dataset.editor); // the vendored CodeMirror; its name holds its hash
const { completionsAt } = await import(form.dataset.complete);
const { EditorView, EditorState, basicSetup, lintGutter, setDiagnostics, forEachDiagnostic, yaml, tags } = editor;

const checkAfter = 300; // milliseconds without a letter
const tryAfter = 700;

let files = []; // { name, state, problems }
let shown = 0; // the one in the editor
let names = []; // for templates
let words; // the schema of the YAML files, and the helpers of templates
let last = ""; // the outcome of a try, as it came
let checkTimer, tryTimer;
let atOnce = false; // the next check that finds no error is followed by a try without waiting

// ---- looks: the page's own colours, in light and dark ----

const colours = editor.HighlightStyle.define([
  { tag: [tags.propertyName, tags.definition(tags.propertyName)], color: "var(--accent)" },
  { tag: [tags.bool, tags.number, tags.keyword], color: "var(--sim)" },
  { tag: tags.comment, color: "var(--muted)", fontStyle: "italic" },
  { tag: tags.invalid, color: "var(--bad)" },
]);

const look = EditorView.theme({
  "&": { color: "var(--ink)", backgroundColor: "var(--surface)", fontSize: "0.86rem", maxHeight: "70vh" },
  "&.cm-focused": { outline: "2px solid var(--accent)", outlineOffset: "-2px" },
  ".cm-scroller": { fontFamily: "var(--mono)", lineHeight: "1.55", minHeight: "12rem" },
  ".cm-content": { caretColor: "var(--ink)" },
  ".cm-cursor, .cm-dropCursor": { borderLeftColor: "var(--ink)" },
  "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground": { backgroundColor: "var(--info-bg)" },
  ".cm-gutters": { backgroundColor: "var(--raised)", color: "var(--muted)", borderRight: "1px solid var(--line)" },
  ".cm-activeLine, .cm-activeLineGutter": { backgroundColor: "color-mix(in srgb, var(--info-bg) 45%, transparent)" },
  ".cm-tooltip, .cm-panels": { backgroundColor: "var(--surface)", color: "var(--ink)", border: "1px solid var(--line)" },
  ".cm-tooltip-autocomplete ul li[aria-selected]": { backgroundColor: "var(--accent)", color: "var(--surface)" },
  ".cm-completionInfo": { maxWidth: "22rem", whiteSpace: "pre-wrap" },
  // The editor draws these two as images in data: addresses, which no page of ours may load.
  ".cm-lintRange-error, .cm-lintRange-warning": { backgroundImage: "none", textDecoration: "underline wavy var(--bad) 1px", textUnderlineOffset: "0.2em" },
  ".cm-lintRange-warning": { textDecorationColor: "var(--warn)" },
  ".cm-lint-marker": { content: "normal", transform: "scale(0.6)", backgroundColor: "var(--bad)", borderRadius: "50%" },
  ".cm-lint-marker-error, .cm-lint-marker-warning": { content: "normal" },
  ".cm-lint-marker-warning": { backgroundColor: "var(--warn)", borderRadius: "0" },
  ".cm-diagnostic": { whiteSpace: "pre-wrap", borderLeftColor: "var(--bad)" },
  ".cm-diagnostic-warning": { borderLeftColor: "var(--warn)" },
  ".cm-diagnosticAction": { backgroundColor: "var(--accent)", color: "var(--surface)" },
});

// ---- files ----

/** The files as the server wrote them into the page. */
function readFields() {
  return [...form.querySelectorAll("[data-file]")].map((f) => begin(f.querySelector("[name=name]").value, f.querySelector("[name=text]").value));
}

function begin(name, text) {
  return { name, state: EditorState.create({ doc: text, extensions: extensions(name) }) };
}

function extensions(name) {
  // One function for good: the editor tells the answers it waits for by the function that gives them.
  const completes = [{ autocomplete: (context) => completionsAt(context, words, names, name) }];
  return [
    basicSetup,
    EditorView.cspNonce.of(form.dataset.nonce),
    EditorView.lineWrapping,
    EditorView.contentAttributes.of({ "aria-label": "Content of " + name, autocapitalize: "off", tabindex: "0" }),
    lintGutter(),
    name.endsWith(".hbs") ? [] : yaml(),
    EditorState.languageData.of(() => completes),
    EditorState.changeFilter.of((change) => {
      const fits = change.newDoc.length <= Number(form.dataset.largest);
      if (!fits) say("The file would be larger than a config file may be, so nothing was changed.");
      return fits;
    }),
    editor.syntaxHighlighting(colours),
    look,
    EditorView.updateListener.of((update) => {
      files[shown].state = update.state;
      if (update.docChanged) touched();
    }),
  ];
}

/** The draft is no longer what it began as: it is not thrown away unasked, by this module or by app.js. */
function touched() {
  form.dataset.changed = "";
  soon();
}

function show(n, focus) {
  shown = Math.max(0, Math.min(n, files.length - 1));
  view.setState(files[shown].state);
  drawTabs();
  if (focus) view.focus();
}

function add(name) {
  if (!name || files.some((f) => f.name === name)) return say("A new file needs a name that no other file has.");
  files.push(begin(name, ""));
  show(files.length - 1, true);
  touched();
}

function rename(name) {
  if (!name || files.some((f, i) => f.name === name && i !== shown)) return say("A file needs a name that no other file has.");
  files[shown] = begin(name, view.state.doc.toString());
  show(shown, true);
  touched();
}

function remove() {
  if (files.length === 1) return say("The last file stays; a config without files is none.");
  files.splice(shown, 1);
  show(shown, true);
  touched();
}

/** What every request posts: the fields that the page without this module posts. */
function posted(more = {}) {
  const data = new FormData();
  for (const f of files) {
    data.append("name", f.name);
    data.append("text", f.state.doc.toString());
  }
  for (const name of ["session", "from", "call"]) data.append(name, form.elements[name].value);
  for (const [name, value] of Object.entries(more)) data.append(name, value);
  return data;
}

// ---- tabs ----

const tabs = element("div", { className: "tabs", role: "tablist", ariaLabel: "Files" });
const nameBox = element("input", { id: "file-name", spellcheck: false });

function drawTabs(problems = files.map((f) => f.problems ?? 0)) {
  const focused = tabs.contains(document.activeElement);
  tabs.replaceChildren(
    ...files.map((f, i) => {
      const tab = element("button", { type: "button", role: "tab", textContent: f.name, ariaSelected: String(i === shown), tabIndex: i === shown ? 0 : -1 });
      if (problems[i]) {
        tab.className = "faulty";
        tab.dataset.faults = String(problems[i]);
        tab.ariaLabel = `${f.name}, ${problems[i]} ${problems[i] === 1 ? "problem" : "problems"}`;
      }
      tab.addEventListener("click", () => show(i, true));
      return tab;
    }),
  );
  nameBox.value = files[shown].name;
  if (focused) tabs.children[shown].focus();
}

function onTabKey(event) {
  const to = { ArrowLeft: shown - 1, ArrowRight: shown + 1, Home: 0, End: files.length - 1 }[event.key];
  if (to === undefined || to < 0 || to >= files.length) return;
  event.preventDefault();
  show(to, false);
  tabs.children[shown].focus();
}

function build() {
  tabs.addEventListener("keydown", onTabKey);
  const act = (label, does) => {
    const b = element("button", { type: "button", textContent: label });
    b.addEventListener("click", does);
    return b;
  };
  const label = element("label", { htmlFor: "file-name", textContent: "File" });
  const acts = element("p", { className: "acts" });
  acts.append(label, nameBox, act("Rename", () => rename(nameBox.value.trim())), act("Add as new", () => add(nameBox.value.trim())), act("Remove", remove),
    act("Copy", copy), act("Download", () => download(shown)), act("Download all", () => download("")));
  nameBox.addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return;
    event.preventDefault();
    rename(nameBox.value.trim());
  });
  place.prepend(tabs);
  place.append(acts);
  place.hidden = false;
  form.classList.add("live");
}

async function copy() {
  try {
    await navigator.clipboard.writeText(view.state.doc.toString());
    say(files[shown].name + " is copied.");
  } catch {
    say("The browser does not let a page copy; download the file instead.");
  }
}

/** Lets the browser keep one file, by its number, or all, for "". */
async function download(one) {
  const answer = await post("/workbench/files", { one: String(one) });
  if (!answer) return;
  const address = URL.createObjectURL(await answer.blob());
  element("a", { href: address, download: one === "" ? "aftercall-config.zip" : files[one].name.split("/").pop() }).click();
  setTimeout(() => URL.revokeObjectURL(address), 60_000); // some browsers read it after the click
  if (one === "") delete form.dataset.changed;
}

// ---- check ----

/** One request of a kind at a time; what was typed meanwhile is asked next. */
function oneAtATime(ask) {
  let busy = false, again = false;
  return async function next() {
    if (busy) {
      again = true;
      return;
    }
    busy = true;
    try {
      do {
        again = false;
        await ask();
      } while (again);
    } finally {
      busy = false;
    }
  };
}

function soon() {
  clearTimeout(checkTimer);
  checkTimer = setTimeout(check, checkAfter);
}

const check = oneAtATime(async () => {
  const asked = files.map((f) => f.state.doc);
  const answer = await post("/workbench/check");
  if (!answer) return;
  const found = await answer.json();
  names = found.names;
  if (files.length !== asked.length || files.some((f, i) => f.state.doc !== asked[i])) return soon(); // typed meanwhile
  if (!atOnce) say("");
  underline(found.problems);
  document.querySelector("#problems").innerHTML = found.list;
  document.querySelector("#names").innerHTML = found.aside;
  enliven();
  document.querySelector("#bench-summary").textContent = document.querySelector("#problems [data-summary]").textContent;
  document.querySelector("#try-old").hidden = found.ok || last === "";
  outcome.classList.toggle("old", !found.ok);
  clearTimeout(tryTimer);
  if (found.ok) tryTimer = setTimeout(attempt, atOnce ? 0 : tryAfter);
  atOnce = false;
});

function tryNow() {
  clearTimeout(checkTimer);
  atOnce = true;
  if (!form.elements.call.value) say("Choose a call to try.");
  check();
}

function underline(problems) {
  files.forEach((f, i) => {
    const mine = problems.filter((p) => p.file === f.name);
    f.problems = mine.length;
    const transaction = f.state.update(setDiagnostics(f.state, mine.map((p) => diagnostic(f.state.doc, p))));
    if (i === shown) view.dispatch(transaction);
    else f.state = transaction.state;
  });
  drawTabs();
}

function diagnostic(doc, p) {
  const from = offset(doc, p.line, p.column);
  const d = {
    from, to: Math.max(from, offset(doc, p.line, p.column + p.length)), severity: p.severity, source: p.code,
    message: p.help ? `${p.message}\n${p.help}` : p.message,
  };
  if (p.fix) d.actions = [{ name: "Write " + p.fix, apply: (v, a, b) => write(v, a, b, p) }];
  return d;
}

/** Where a column stands: the server counts characters, the editor counts UTF-16 units. */
function offset(doc, line, column) {
  const l = doc.line(Math.max(1, Math.min(line, doc.lines)));
  return l.from + [...l.text].slice(0, column - 1).join("").length;
}

function write(target, from, to, p) {
  if (target.state.sliceDoc(from, to) !== p.was) return say("What was to be mended has changed meanwhile.");
  target.dispatch({ changes: { from, to, insert: p.fix }, selection: { anchor: from + p.fix.length }, userEvent: "input" });
  target.focus();
}

/** Takes the n-th problem's fix from the list. The editor knows where its place has moved to since. */
function mend(button) {
  const link = button.closest("li").querySelector("[data-jump]");
  show(Number(link.dataset.jump), false);
  const at = offset(view.state.doc, Number(link.dataset.line), Number(link.dataset.column));
  let done = false;
  forEachDiagnostic(view.state, (d, from, to) => {
    if (done || from !== at || !d.actions) return;
    done = true;
    d.actions[0].apply(view, from, to);
  });
  if (!done) say("What was to be mended has changed meanwhile.");
}

function jump(link) {
  show(Number(link.dataset.jump), true);
  const at = offset(view.state.doc, Number(link.dataset.line), Number(link.dataset.column));
  view.dispatch({ selection: { anchor: at }, scrollIntoView: true });
}

/** Makes of each name in the side list a button that writes it. */
function enliven() {
  for (const code of document.querySelectorAll("#names [data-name]")) {
    const b = element("button", { type: "button", title: "Write it at the cursor" });
    b.addEventListener("click", () => {
      const { from, to } = view.state.selection.main;
      const before = view.state.sliceDoc(Math.max(0, from - 120), from);
      const insert = /\{\{[^{}]*$/.test(before) ? code.dataset.name : `{{${code.dataset.name}}}`;
      view.dispatch({ changes: { from, to, insert }, selection: { anchor: from + insert.length } });
      view.focus();
    });
    code.replaceWith(b);
    b.append(code);
  }
}

// ---- try ----

const attempt = oneAtATime(async () => {
  if (!form.elements.call.value && last === "") return; // nothing is asked for
  outcome.classList.add("waits");
  const answer = await post("/workbench/try");
  outcome.classList.remove("waits");
  if (!answer) return;
  const html = await answer.text();
  if (html === last) return; // frames that show the same are left alone
  last = html;
  const unfolded = [...outcome.querySelectorAll("details[open]")].map((d) => d.id);
  outcome.innerHTML = html;
  for (const d of outcome.querySelectorAll("details")) d.open = unfolded.includes(d.id);
  document.querySelector("#bench-summary").textContent = outcome.querySelector("[data-told]")?.textContent ?? "";
});

/** Posts the draft. A refusal is said; one for asking too often is waited for. */
async function post(path, more) {
  for (let again = 0; again < 5; again++) {
    try {
      const answer = await fetch(path, { method: "POST", body: posted(more) });
      if (answer.ok) return answer;
      if (answer.status !== 429) {
        say(refusal(await answer.text()));
        return;
      }
    } catch {
      say("The server is away; what you typed is still here.");
      return;
    }
    await new Promise((done) => setTimeout(done, 1000));
  }
  say("The workbench is asked too often; it asks again when you go on.");
}

/** What a page that refuses says, in its own words. */
function refusal(page) {
  const said = new DOMParser().parseFromString(page, "text/html").querySelectorAll("#main .lone > p");
  return [...said].map((p) => p.textContent).join(" ") + " What you typed is still here.";
}

// ---- bits ----

function element(name, properties) {
  return Object.assign(document.createElement(name), properties);
}

/** Says something to everybody, until the next thing. */
function say(what) {
  document.querySelector("#bench-says").textContent = what;
}

// ---- begin ----

const sheet = element("div", { className: "sheet", role: "tabpanel", ariaLabel: "The file" });
place.append(sheet);
files = readFields();
if (files.length === 0) files = [begin("account.yaml", "")];
const view = new EditorView({ parent: sheet, state: files[0].state });
build();
show(0, false);

document.querySelector("#problems").addEventListener("click", (event) => {
  const fix = event.target.closest("[data-fix]");
  const link = event.target.closest("[data-jump]");
  if (!fix && !link) return;
  event.preventDefault();
  if (fix) mend(fix);
  else jump(link);
});
form.elements.call.addEventListener("change", attempt);
// Before the editor hears it, which has another use for the key.
form.addEventListener("keydown", (event) => {
  const does = (event.ctrlKey || event.metaKey) && { Enter: tryNow, s: () => say("Nothing is saved here: download the files and put them into git.") }[event.key];
  if (!does) return;
  event.preventDefault();
  event.stopPropagation();
  does();
}, true);
addEventListener("beforeunload", (event) => {
  if ("changed" in form.dataset) event.preventDefault();
});
fetch(form.dataset.words).then(async (answer) => {
  if (answer.ok) words = await answer.json();
});
check();
