// The line in a notebook: the page stands in a frame there, and its widget hands on what is said, both ways.

import { decoded } from "./connection.js";

/** @typedef {import("./types.js").Sent} Sent */
/** @typedef {import("./types.js").Taken} Taken */

export const inNotebook = document.documentElement.dataset.home === "notebook";

export class Port {
  /** @param {import("./connection.js").Listener} listener */
  constructor(listener) {
    this.listener = listener;
    /** @type {Map<string, (answer: any) => void>} */
    this.waiting = new Map();
    const { port1, port2 } = new MessageChannel();
    this.port = port1;
    port1.onmessage = ({ data }) => this.hear(data);
    parent.postMessage("chainrule", "*", [port2]);
  }

  /** @param {{text?: string | null, bytes?: ArrayBuffer, connected?: boolean, why?: string}} data */
  hear({ text, bytes, connected, why }) {
    if (connected !== undefined) {
      this.listener.connected(connected, why ?? "", connected ? null : () => this.port.postMessage({ text: '{"kind": "attend"}' }));
      return;
    }
    if (!text) return bytes && this.listener.frame(decoded(bytes));
    const told = JSON.parse(text);
    if (told.kind !== "answer") return this.listener.told(told);
    this.waiting.get(told.call)?.({ ...told, bytes });
    this.waiting.delete(told.call);
  }

  /** @param {string} kind @param {Record<string, any>} [fields] */
  ask(kind, fields = {}) {
    this.port.postMessage({ text: JSON.stringify({ kind, ...fields }) });
  }

  /** @param {string} kind @param {Record<string, any>} fields @param {ArrayBuffer} [bytes] @returns {Promise<any>} */
  call(kind, fields, bytes) {
    const call = `call-${Math.random().toString(36).slice(2)}`; // another frame of this view has calls of its own
    this.port.postMessage({ text: JSON.stringify({ kind, call, ...fields }), bytes });
    return new Promise((resolve) => this.waiting.set(call, resolve));
  }

  /** @param {File} file @returns {Promise<Sent>} */
  async upload(file) {
    return this.call("upload", { name: file.name }, await file.arrayBuffer());
  }

  /** @param {string} kind @returns {Promise<Taken>} */
  async take(kind) {
    const { name, fault, bytes } = await this.call("take", { what: kind });
    return fault ? { fault } : { name, blob: new Blob([bytes]) };
  }
}
