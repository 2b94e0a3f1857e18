// The widget of a notebook: the page in a frame, and the line between it and Python, both ways.

/**
 * @typedef {object} Model of anywidget
 * @property {(name: string) => any} get
 * @property {(content: any, callbacks?: any, buffers?: ArrayBuffer[]) => void} send
 * @property {(event: string, listener: (...given: any[]) => void) => void} on
 * @property {(event: string, listener: (...given: any[]) => void) => void} off
 */

const LOST = "Python does not answer: the kernel has been restarted, or the view was closed. Run the cell again.";
const PATIENCE = 8000; // milliseconds until the page says that nobody answers

/** Dark or light, as JupyterLab, VS Code or the system has it. */
function scheme() {
  const { jpThemeLight, vscodeThemeKind } = document.body.dataset;
  if (jpThemeLight) return jpThemeLight === "true" ? "light" : "dark";
  if (vscodeThemeKind) return vscodeThemeKind.includes("dark") ? "dark" : "light";
  return matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
}

/** @param {DataView} view @returns {ArrayBuffer} of its own, since a frame's numbers begin at multiples of four */
const copied = (view) => new Uint8Array(view.buffer, view.byteOffset, view.byteLength).slice().buffer;

/** @param {{model: Model, el: HTMLElement}} given */
function render({ model, el }) {
  const frame = document.createElement("iframe");
  frame.title = "chainrule playground";
  Object.assign(frame.style, { display: "block", width: "100%", height: "100%", border: "0" });
  const box = document.createElement("div");
  Object.assign(box.style, { height: `${model.get("height")}px`, resize: "vertical", overflow: "hidden", border: "1px solid rgb(128 128 128 / 35%)", borderRadius: "8px" });
  const note = document.createElement("p");
  Object.assign(note.style, { margin: "0", padding: "16px", font: "14px system-ui, sans-serif" });
  note.textContent = "The view is on its way …";
  box.append(note);
  el.append(box);
  const waiting = setTimeout(() => (note.textContent = LOST), PATIENCE);
  /** @type {MessagePort | null} */
  let port = null;

  /** @param {any} content @param {DataView[]} buffers */
  function hear(content, buffers) {
    if (content.kind === "document") {
      clearTimeout(waiting);
      if (frame.isConnected) return;
      frame.srcdoc = content.text.replace("<html ", `<html data-theme="${scheme()}" `);
      box.replaceChildren(frame);
    } else if (content.kind === "told") {
      const bytes = buffers?.length ? copied(buffers[0]) : undefined;
      port?.postMessage({ text: content.text, bytes }, bytes ? [bytes] : []);
    } else if (content.kind === "closed") port?.postMessage({ connected: false, why: LOST });
  }

  /** @param {MessageEvent} event the page has loaded, and gives its end of the line */
  function take(event) {
    if (event.source !== frame.contentWindow || event.data !== "chainrule") return;
    port = event.ports[0];
    port.onmessage = ({ data }) => model.send({ kind: "asked", text: data.text }, undefined, data.bytes ? [data.bytes] : []);
    port.postMessage({ connected: true });
    model.send({ kind: "attend" });
  }

  addEventListener("message", take);
  model.on("msg:custom", hear);
  model.send({ kind: "open" });
  return () => {
    clearTimeout(waiting);
    removeEventListener("message", take);
    model.off("msg:custom", hear);
    model.send({ kind: "leave" });
  };
}

export default { render };
