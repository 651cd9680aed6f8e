// The parts of CodeMirror that the workbench uses, and nothing of ours: `make editor` bundles them into one file, which is
// kept in the repository, so that neither a build nor a test needs npm. What is done with them is in assets/workbench.js.
export { EditorView, basicSetup } from "codemirror";
export { EditorState } from "@codemirror/state";
export { HighlightStyle, syntaxHighlighting } from "@codemirror/language";
export { forEachDiagnostic, lintGutter, setDiagnostics } from "@codemirror/lint";
export { yaml } from "@codemirror/lang-yaml";
export { tags } from "@lezer/highlight";
