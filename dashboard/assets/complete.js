// What can stand where the cursor is: a name, a helper or a block between {{ and }}, a key of the format, or one of the words
// that a key takes. Keys and helpers come from the server, names from the last check; nothing is listed here.

/** A source of completions for CodeMirror. words, the schema and the helpers, may not have come yet. */
export function completionsAt(context, words, names, fileName) {
  const open = context.matchBefore(/\{\{[^{}\n]*/);
  if (open) return inBraces(context, open, names, words?.helpers ?? []);
  return words && !fileName.endsWith(".hbs") ? keyOrWordAt(context, words.schema) : null;
}

// ---- between {{ and }} ----

function inBraces(context, open, names, helpers) {
  const [, sign, inside] = /^\{\{~?\s*([#/^&]?)\s*(.*)$/.exec(open.text);
  const word = context.matchBefore(/[\w.]*/);
  const begins = inside === "" || (sign === "#" && /^\w+\s$/.test(inside)); // of a tag, or of a block's condition
  if (word.from === word.to && !begins && !context.explicit) return null;
  const answer = (options) => ({ from: word.from, options, validFor: /^[\w.]*$/ });
  const values = names.map((n) => ({ label: n.name, type: n.dyn ? "variable" : "constant", detail: n.kind, info: n.says, boost: n.dyn ? 1 : 0 }));
  if (/\s/.test(inside)) return answer(values); // what a helper or a block takes
  const blocks = helpers.filter((h) => h.block);
  const around = blocksAround(context.state.sliceDoc(0, open.from));
  if (sign === "#") return answer(blocks.map((h) => blockOption(h, "")));
  if (sign === "/") return answer(around.slice(-1).map((label) => ({ label, type: "keyword", apply: closed(label) })));
  return answer([
    ...values,
    ...helpers.filter((h) => !h.block).map((h) => ({ label: h.name, type: "function", detail: h.usage, apply: h.name + " " })),
    ...blocks.map((h) => blockOption(h, "#")),
    ...(around.length > 0 ? [{ label: "else", type: "keyword", apply: closed("else") }, { label: "/" + around.at(-1), type: "keyword", apply: closed("/" + around.at(-1)) }] : []),
  ]);
}

/** The blocks that are open at the end of a text, the innermost last. */
function blocksAround(text) {
  const open = [];
  for (const [, sign, word] of text.matchAll(/\{\{~?([#/])\s*(\w+)/g))
    if (sign === "#") open.push(word);
    else if (open.at(-1) === word) open.pop();
  return open;
}

/** Writes a block with its end, if that is not there yet, and leaves the cursor where its condition goes. */
function blockOption(helper, sign) {
  const word = helper.name;
  const apply = (view, completion, from, to) => {
    const text = view.state.doc.toString();
    const times = (mark) => [...text.matchAll(new RegExp(`\\{\\{~?${mark}\\s*${word}\\b`, "g"))].length;
    const end = times("/") > times("#") ? "" : `{{/${word}}}`;
    const begin = `${sign}${word} `;
    const braced = text.slice(to, to + 2) === "}}"; // the editor closes braces by itself
    view.dispatch({
      changes: braced ? [{ from, to, insert: begin }, { from: to + 2, insert: end }] : { from, to, insert: begin + "}}" + end },
      selection: { anchor: from + begin.length }, userEvent: "input.complete",
    });
  };
  return { label: sign + word, type: "keyword", detail: helper.usage, apply };
}

/** Writes a word with the braces behind it, and goes on behind them. */
function closed(word) {
  return (view, completion, from, to) => {
    const end = view.state.sliceDoc(to, to + 2) === "}}" ? to + 2 : to;
    view.dispatch({ changes: { from, to: end, insert: word + "}}" }, selection: { anchor: from + word.length + 2 }, userEvent: "input.complete" });
  };
}

// ---- keys and words ----

function keyOrWordAt(context, schema) {
  const line = context.state.doc.lineAt(context.pos);
  const before = line.text.slice(0, context.pos - line.from);
  const lines = (n) => context.state.doc.line(n).text;
  const flow = flowAt(lines, line.number, before);
  if (flow) return inFlow(context, schema, lines, flow, line.text.slice(before.length));
  const value = /^(\s*(?:- +)*)([\w*.-]+):\s+(["']?)([\w./-]*)$/.exec(before);
  if (value) {
    const path = pathTo(lines, line.number, value[1].length, dashesIn(value[1]));
    return path && wordsAt(context, walk(schema, [...path, value[2]]), value[4]);
  }
  const key = /^(\s*(?:- +)*)([\w.-]*)$/.exec(before);
  if (!key || (key[2] === "" && !context.explicit)) return null;
  const path = pathTo(lines, line.number, key[1].length, dashesIn(key[1]));
  if (!path) return null;
  const at = walk(schema, path);
  return keysAt(context, at, key[2], siblings(lines, line.number, context.state.doc.lines, key[1].length), after) ?? wordsAt(context, at, key[2]);
}

function keysAt(context, schemas, typed, taken, follows) {
  const options = [];
  for (const s of schemas)
    for (const [label, of] of Object.entries(s.properties ?? {}))
      if (!taken.has(label) && !options.some((o) => o.label === label))
        options.push({ label, type: "property", apply: label + follows(of), info: of.description });
  return options.length === 0 ? null : { from: context.pos - typed.length, options, validFor: /^[\w.-]*$/ };
}

function wordsAt(context, schemas, typed) {
  const words = unique(schemas.flatMap(wordsOf));
  if (words.length === 0) return null;
  return { from: context.pos - typed.length, options: words.map((label) => ({ label: String(label), type: "enum" })), validFor: /^[\w./-]*$/ };
}

/** What follows a key: a mapping or a list begins on a line of its own. */
function after(of) {
  const simple = (of.anyOf ?? [of]).some((a) => a.type && a.type !== "object" && a.type !== "array");
  return simple ? ": " : ":";
}

/** The columns of the dashes that a line begins with. */
function dashesIn(lead) {
  return [...lead.matchAll(/-/g)].map((m) => m.index);
}

/** Takes a line apart: the column of its key, its dashes, the key, and what follows. null if it has no key. */
function parts(text) {
  const m = /^(\s*(?:- +)*)(["']?)([\w*@.+-]+)\2\s*:(?:\s+(.*))?$/.exec(text);
  return m && { column: m[1].length, dashes: dashesIn(m[1]), key: m[3], rest: (m[4] ?? "").trim() };
}

/**
 * The keys, and "[]" for each list, that lead from the top of the file to the mapping at a column of a line; null inside a
 * block of text. YAML says by indentation where things belong, so going up through smaller columns is enough.
 */
function pathTo(lines, number, column, dashes) {
  const steps = [];
  // A column that must be reached by a key: below `limit`, or at it where a list stands directly under its key.
  let limit = column;
  let inList = false;
  const enter = (ds) => {
    for (const d of [...ds].reverse()) {
      steps.push("[]");
      limit = d;
      inList = true;
    }
  };
  enter(dashes);
  for (let n = number - 1; n >= 1 && (limit > 0 || inList); n--) {
    const text = lines(n);
    if (/^\s*(#|$)/.test(text)) continue;
    const p = parts(text);
    if (!p) continue;
    if (!inList && p.column === limit && p.dashes.length > 0) {
      enter(p.dashes); // our mapping is a member of a list, and began here
      continue;
    }
    const ours = inList ? p.column <= limit && p.dashes[0] !== limit : p.column < limit;
    if (!ours) continue;
    if (/^[|>][-+0-9]*$/.test(p.rest)) return null; // a text, however much of it looks like keys
    steps.push(p.key);
    limit = p.column;
    inList = false;
    enter(p.dashes);
  }
  return steps.reverse();
}

/** The keys that stand already in the mapping at a column. */
function siblings(lines, number, last, column) {
  const taken = new Set();
  for (const [step, end] of [[-1, 0], [1, last + 1]]) {
    // Our own line may begin the member of a list: what stands above then belongs to another.
    if (step < 0 && /^\s*- /.test(lines(number)) && dashesIn(/^(\s*(?:- +)*)/.exec(lines(number))[1]).length > 0) continue;
    for (let n = number + step; n !== end; n += step) {
      const p = parts(lines(n));
      if (!p) continue;
      if (p.column < column) break;
      const begins = p.dashes.length > 0;
      if (p.column === column && !(begins && step > 0)) taken.add(p.key);
      if (p.column === column && begins) break;
    }
  }
  return taken;
}

// ---- flows: { to: [support], subject: "…" } ----

const longestFlow = 40; // lines

/**
 * The braces and brackets that are open at the cursor, with the line on which the outermost begins; null if none is. A flow
 * is the value of a key or of a dash, so a brace within a text begins none.
 */
function flowAt(lines, number, before) {
  let text = before;
  for (let n = number; n >= 1 && number - n < longestFlow; n--) {
    if (n < number) text = lines(n) + "\n" + text;
    const lead = /^(\s*(?:- +)*)(?:(["']?)([\w*@.+-]+)\2\s*:\s+)?(?=[{[])/.exec(text);
    const open = lead && openIn(text.slice(lead[0].length));
    if (open) return { ...open, number: n, lead: lead[1], key: lead[3] };
    if (/^\S/.test(text)) return null; // nothing above reaches into this line
  }
  return null;
}

/** The frames of a flow that are open at the end of a text, and the word that is being typed; null in quotes or a comment. */
function openIn(text) {
  const frames = [];
  let token = "";
  for (let i = 0; i < text.length; i++) {
    const c = text[i];
    const top = frames.at(-1);
    const fresh = token.trim() === "";
    if (fresh && (c === '"' || c === "'")) {
      const end = endOfQuote(text, i);
      if (end < 0) return null;
      token = text.slice(i + 1, end);
      i = end;
    } else if (c === "#" && /\s/.test(text[i - 1])) {
      const end = text.indexOf("\n", i);
      if (end < 0) return null;
      i = end;
    } else if (fresh && (c === "{" || c === "[")) {
      frames.push({ list: c === "[", key: null, taken: new Set() });
      token = "";
    } else if (c === "}" || c === "]") {
      frames.pop();
      if (frames.length === 0) return null;
      token = "";
    } else if (c === ",") {
      top.key = null;
      token = "";
    } else if (c === ":" && !top.list && top.key === null && /^(\s|$)/.test(text.slice(i + 1))) {
      top.key = token.trim();
      top.taken.add(top.key);
      token = "";
    } else token += c;
  }
  return frames.length === 0 ? null : { frames, token: token.trimStart() };
}

/** Where the text in quotes that begins at a place ends; -1 if it does not. */
function endOfQuote(text, from) {
  for (let i = from + 1; i < text.length; i++) {
    if (text[from] === '"' && text[i] === "\\") i++;
    else if (text[i] === text[from]) {
      if (text[from] === '"' || text[i + 1] !== "'") return i;
      i++; // '' is one ' in single quotes
    }
  }
  return -1;
}

function inFlow(context, schema, lines, flow, rest) {
  if (!/^[\w*./-]*$/.test(flow.token) || (flow.token === "" && !context.explicit)) return null;
  const path = pathTo(lines, flow.number, flow.lead.length, dashesIn(flow.lead));
  if (!path) return null;
  if (flow.key !== undefined) path.push(flow.key);
  const top = flow.frames.at(-1);
  for (const f of flow.frames)
    if (f.list) path.push("[]");
    else if (f !== top || f.key !== null) path.push(f.key);
  const at = walk(schema, path);
  if (top.list || top.key !== null) return wordsAt(context, at, flow.token);
  const later = rest.split("}")[0].matchAll(/([\w.-]+)\s*:\s/g);
  return keysAt(context, at, flow.token, new Set([...top.taken, ...[...later].map((m) => m[1])]), () => ": ");
}

// ---- the schema ----

/** The schemas that a path leads to. */
function walk(schema, path) {
  let at = options(schema);
  for (const step of path)
    at = at.flatMap((s) => {
      const next = step === "[]" ? s.items : (s.properties?.[step] ?? (typeof s.additionalProperties === "object" ? s.additionalProperties : null));
      return next ? options(next) : [];
    });
  return at;
}

/** A schema, or those that it leaves the choice of. */
function options(schema) {
  return schema.anyOf ? schema.anyOf.flatMap(options) : [schema];
}

function wordsOf(s) {
  if (s.enum) return s.enum;
  return s.type === "boolean" ? ["true", "false"] : [];
}

function unique(list) {
  return [...new Set(list)];
}
