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
    editor.destroy();
    editors.delete(parentElement);
  };
}
