// What Streamlit calls: once when the component appears, and again whenever its data change.

import { GraphEditor } from "./editor.js";

const editors = new WeakMap();

export default function render({ data, key, parentElement, setStateValue }) {
  let editor = editors.get(parentElement);
  if (!editor) {
    editor = new GraphEditor(parentElement, key);
    editors.set(parentElement, editor);
  }
  editor.send = setStateValue; // every call brings fresh callbacks
  editor.show(data);
  return () => {
    // Of two messages in quick succession Streamlit takes the first one back after the second was
    // asked for: the editor that both share goes only when its place on the page has gone.
    if (parentElement.isConnected || !editors.has(parentElement)) return;
    editor.destroy();
    editors.delete(parentElement);
  };
}
