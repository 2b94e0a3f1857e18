// The line to the server: it comes back by itself, and finds the session where it was.

/** @typedef {import("./types.js").Frame} Frame */

const RETRIES = [300, 700, 1500, 3000, 5000]; // milliseconds

/** The name of this tab's session; a page that is loaded again is the same one. */
export const session = (() => {
  const kept = sessionStorage.getItem("session");
  const name = kept ?? Array.from(crypto.getRandomValues(new Uint8Array(16)), (b) => b.toString(16).padStart(2, "0")).join("");
  sessionStorage.setItem("session", name);
  return name;
})();

/**
 * @typedef {object} Listener
 * @property {(told: import("./types.js").Told) => void} told
 * @property {(frame: Frame) => void} frame
 * @property {(connected: boolean, words: string) => void} connected
 */

export class Connection {
  /** @param {Listener} listener */
  constructor(listener) {
    this.listener = listener;
    this.tries = 0;
    /** @type {WebSocket | null} */
    this.socket = null;
    this.open();
  }

  open() {
    const socket = new WebSocket(`ws://${location.host}/talk?session=${session}`);
    socket.binaryType = "arraybuffer";
    socket.onopen = () => {
      this.tries = 0;
      this.listener.connected(true, "");
    };
    socket.onmessage = ({ data }) => {
      if (typeof data === "string") this.listener.told(JSON.parse(data));
      else this.listener.frame(decoded(data));
    };
    socket.onclose = ({ code, reason }) => {
      if (this.socket !== socket) return;
      this.listener.connected(false, code === 4400 ? reason : "");
      setTimeout(() => this.open(), RETRIES[Math.min(this.tries, RETRIES.length - 1)]);
      this.tries += 1;
    };
    this.socket = socket;
  }

  /**
   * Ask something; where there is no line it is dropped, and the page says so.
   * @param {string} kind
   * @param {Record<string, any>} [fields]
   */
  ask(kind, fields = {}) {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify({ kind, ...fields }));
  }
}

/**
 * A frame: see `frames.py`.
 * @param {ArrayBuffer} buffer
 * @returns {Frame}
 */
function decoded(buffer) {
  const length = new DataView(buffer).getUint32(0, true);
  const head = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, length)));
  /** @type {Frame["arrays"]} */
  const arrays = {};
  for (const [name, [dtype, shape, offset]] of Object.entries(head.arrays)) {
    const size = shape.reduce((/** @type {number} */ a, /** @type {number} */ b) => a * b, 1);
    const place = 4 + length + offset;
    const values = dtype === "float32" ? new Float32Array(buffer, place, size) : new Uint8Array(buffer, place, size);
    arrays[name] = { values, shape };
  }
  return { head, arrays };
}
