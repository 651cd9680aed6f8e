// What can stand where the cursor is: a variable between {{ and }}, a key of the format, or one of the words that a key
// takes. The keys come from the format's schema, the variables from the last check; nothing is listed here.

/** A source of completions for CodeMirror. schema may not have come yet. */
export function completionsAt(context, schema, names, fileName) {
  return nameAt(context, names) ?? (schema && !fileName.endsWith(".hbs") ? keyOrWordAt(context, schema) : null);
}

function nameAt(context, names) {
  const open = context.matchBefore(/\{\{[^{}\n]*/);
  if (!open) return null;
  const word = context.matchBefore(/[\w.]*/);
  if (/\{\{[~#/^&]?\s*$/.test(open.text) || word.from < word.to || context.explicit)
    return {
      from: word.from,
      options: names.map((n) => ({ label: n.name, type: n.dyn ? "variable" : "constant", detail: n.kind, info: n.says, boost: n.dyn ? 1 : 0 })),
      validFor: /^[\w.]*$/,
    };
  return null;
}

function keyOrWordAt(context, schema) {
  const line = context.state.doc.lineAt(context.pos);
  const before = line.text.slice(0, context.pos - line.from);
  const lines = (n) => context.state.doc.line(n).text;
  const value = /^(\s*(?:- +)*)([\w*.-]+):\s+(["']?)([\w./-]*)$/.exec(before);
  if (value) {
    const path = pathTo(lines, line.number, value[1].length, dashesIn(value[1]));
    const words = path && unique(walk(schema, [...path, value[2]]).flatMap(wordsOf));
    if (!words || words.length === 0) return null;
    return { from: context.pos - value[4].length, options: words.map((label) => ({ label: String(label), type: "enum" })), validFor: /^[\w./-]*$/ };
  }
  const key = /^(\s*(?:- +)*)([\w.-]*)$/.exec(before);
  if (!key || (key[2] === "" && !context.explicit)) return null;
  const path = pathTo(lines, line.number, key[1].length, dashesIn(key[1]));
  if (!path) return null;
  const taken = siblings(lines, line.number, context.state.doc.lines, key[1].length);
  const options = [];
  for (const s of walk(schema, path))
    for (const [label, of] of Object.entries(s.properties ?? {}))
      if (!taken.has(label) && !options.some((o) => o.label === label))
        options.push({ label, type: "property", apply: label + after(of), info: of.description });
  return options.length === 0 ? null : { from: context.pos - key[2].length, options, validFor: /^[\w.-]*$/ };
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
