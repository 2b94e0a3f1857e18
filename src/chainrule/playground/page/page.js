// What the page knows: one object, which every panel reads, and the ways to ask for something else.

import { Connection } from "./connection.js";
import { toast } from "./dom.js";

/** @typedef {import("./types.js").Told} Told */

/**
 * @type {{
 *   welcome: import("./types.js").Welcome | null, setup: import("./types.js").Setup | null,
 *   plane: import("./types.js").Plane | null, frame: import("./types.js").Frame | null,
 *   curves: import("./types.js").Curves | null, view: import("./types.js").View,
 * }}
 */
export const page = {
  welcome: null,
  setup: null,
  plane: null,
  frame: null,
  curves: null,
  view: { x: 0, y: 1, windows: {}, row: null, side: "forward", results: true, held: true },
};

/** @type {Record<string, ((told: any) => void)[]>} */
const listeners = {};

/**
 * Listen to what is told: its kind, or `frame`, `view`, `connected`.
 * @param {string} kind
 * @param {(told: any) => void} listener
 */
export function on(kind, listener) {
  (listeners[kind] ??= []).push(listener);
}

/** @param {string} kind @param {any} told */
function tell(kind, told) {
  for (const listener of listeners[kind] ?? []) listener(told);
}

/** @type {import("./types.js").Frame | null} */
let waiting = null;
/** @type {Connection | null} */
let connection = null;

/** Begin to talk with the server. */
export function connect() {
  connection = new Connection({
    connected: (connected, why) => {
      if (connected) sendView();
      tell("connected", { connected, why });
    },
    told: (told) => {
      if (told.kind === "fault") toast(told.words);
      if (told.kind === "welcome" || told.kind === "setup" || told.kind === "plane" || told.kind === "curves") /** @type {any} */ (page)[told.kind] = told;
      tell(told.kind, told);
    },
    frame: (frame) => {
      if (!waiting) requestAnimationFrame(drawWaiting);
      waiting = frame;
    },
  });
}

/** Draw the newest frame, then let the next one come: a page that is slow, or hidden, holds up nobody. */
function drawWaiting() {
  const frame = waiting;
  waiting = null;
  if (!frame) return;
  if (frame.head.setup === page.setup?.number) {
    page.frame = frame;
    tell("frame", frame);
  }
  ask("drawn");
}

/**
 * @param {string} kind
 * @param {Record<string, any>} [fields]
 */
export function ask(kind, fields = {}) {
  connection?.ask(kind, fields);
}

/** @param {Partial<import("./types.js").Setting>} setting what changes */
export function configure(setting) {
  ask("configure", { setting });
}

/** @param {Partial<import("./types.js").View>} view what changes */
export function look(view) {
  Object.assign(page.view, view);
  sendView();
  tell("view", page.view);
}

function sendView() {
  ask("view", page.view);
}
