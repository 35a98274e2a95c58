// What a list of work needs and Streamlit does not do: keep what is being typed, bring the cursor into
// an editor that has just opened, and keep the chosen line in sight. Let in by its hash (lib/ui/wall.py).
(() => {
  if (window.encoreInbox) return;
  window.encoreInbox = true;
  const PAUSE = 700;
  let waiting = 0;
  let shown = null;
  let focused = null;

  // Streamlit takes over a text when its field is left; so the field says it is left, and at once entered again.
  const commit = (field) => {
    if (document.activeElement !== field || !field.isConnected) return;
    field.dispatchEvent(new FocusEvent("focusout", { bubbles: true }));
    field.dispatchEvent(new FocusEvent("focusin", { bubbles: true }));
  };
  document.addEventListener(
    "input",
    (event) => {
      const field = event.target;
      if (!(field instanceof HTMLTextAreaElement) || !field.closest("[class*='st-key-typed']")) return;
      clearTimeout(waiting);
      if (!event.isComposing) waiting = setTimeout(() => commit(field), PAUSE);
    },
    true,
  );

  const look = () => {
    const editor = document.querySelector("[class*='st-key-typed'] textarea");
    if (editor !== focused) {
      focused = editor;
      if (editor && !editor.disabled) {
        editor.focus({ preventScroll: window.innerWidth > 640 });
        editor.setSelectionRange(editor.value.length, editor.value.length);
      }
    }
    const list = document.querySelector(".st-key-inbox_lines");
    const line = list?.querySelector("input[type=radio]:checked")?.closest("label");
    if (line && line.textContent !== shown) {
      shown = line.textContent;
      const [outer, inner] = [list.getBoundingClientRect(), line.getBoundingClientRect()];
      if (inner.top < outer.top) list.scrollTop -= outer.top - inner.top + 8;
      if (inner.bottom > outer.bottom) list.scrollTop += inner.bottom - outer.bottom + 8;
    }
  };
  let planned = 0;
  new MutationObserver(() => {
    cancelAnimationFrame(planned);
    planned = requestAnimationFrame(look);
  }).observe(document.body, { childList: true, subtree: true });
  look();
})();
