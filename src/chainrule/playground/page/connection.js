// The line to the server: it comes back by itself, and finds the session where it was.

/** @typedef {import("./types.js").Frame} Frame */
/** @typedef {import("./types.js").Sent} Sent */
/** @typedef {import("./types.js").Taken} Taken */

const RETRIES = [300, 700, 1500, 3000, 5000]; // milliseconds
const REFUSED = 4400;
const ELSEWHERE = 4409;

/** The name of this tab's session; a page that is loaded again is the same one. */
function sessionName() {
  const kept = sessionStorage.getItem("session");
  const name = kept ?? Array.from(crypto.getRandomValues(new Uint8Array(16)), (b) => b.toString(16).padStart(2, "0")).join("");
  sessionStorage.setItem("session", name);
  return name;
}

/**
 * @typedef {object} Listener
 * @property {(told: import("./types.js").Told) => void} told
 * @property {(frame: Frame) => void} frame
 * @property {(connected: boolean, words: string, again?: (() => void) | null) => void} connected where the page must
 *   not come back by itself, `again` does
 */

export class Connection {
  /** @param {Listener} listener */
  constructor(listener) {
    this.listener = listener;
    this.tries = 0;
    this.session = sessionName();
    /** @type {WebSocket | null} */
    this.socket = null;
    this.open();
  }

  open() {
    const socket = new WebSocket(`ws://${location.host}/talk?session=${this.session}`);
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
      const said = code === REFUSED || code === ELSEWHERE ? reason : "";
      this.listener.connected(false, said, code === ELSEWHERE ? () => this.open() : null);
      if (code === ELSEWHERE) return;
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

  /** @param {File} file @returns {Promise<Sent>} */
  async upload(file) {
    const answer = await fetch(`/upload?session=${this.session}&name=${encodeURIComponent(file.name)}`, { method: "POST", body: file }).catch(() => null);
    return (await answer?.json().catch(() => null)) ?? { fault: "The file could not be sent: the server does not answer." };
  }

  /** @param {string} kind @returns {Promise<Taken>} */
  async take(kind) {
    const answer = await fetch(`/take/${kind}?session=${this.session}`).catch(() => null);
    if (!answer?.ok) return (await answer?.json().catch(() => null)) ?? { fault: "The server does not answer." };
    const name = /filename="([^"]+)"/.exec(answer.headers.get("content-disposition") ?? "")?.[1] ?? kind;
    return { name, blob: await answer.blob() };
  }
}

/**
 * A frame: see `frames.py`.
 * @param {ArrayBuffer} buffer
 * @returns {Frame}
 */
export function decoded(buffer) {
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
