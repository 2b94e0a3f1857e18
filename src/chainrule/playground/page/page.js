// What the page knows: one object, which every panel reads, and the ways to ask for something else.

import { Connection } from "./connection.js";
import { toast } from "./dom.js";
import { inNotebook, Port } from "./port.js";

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
 * Listen to what is told: its kind, or `view`, `connected`, `frame` (each that is drawn), `reading` (of those that come
 * while it plays some, for what is read rather than seen).
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

const READINGS_EVERY = 95; // milliseconds, while it plays: nobody reads faster
/** @type {import("./types.js").Frame | null} */
let waiting = null;
let read = { at: 0, state: "" };
/** @type {Connection | Port | null} */
let line = null;

/** Begin to talk with the server. */
export function connect() {
  line = new (inNotebook ? Port : Connection)({
    connected: (connected, why, again = null) => {
      if (connected) sendView();
      tell("connected", { connected, why, again });
    },
    told: (told) => {
      if (told.kind === "fault") toast(told.words);
      if (told.kind === "welcome") goOn(told);
      if (told.kind === "welcome" || told.kind === "setup" || told.kind === "plane" || told.kind === "curves") /** @type {any} */ (page)[told.kind] = told;
      tell(told.kind, told);
    },
    frame: (frame) => {
      if (!waiting) requestAnimationFrame(drawWaiting);
      waiting = frame;
    },
  });
}

/** The session that this page knew is gone, its server ended or closed it: the new one gets its setting. @param {import("./types.js").Welcome} told */
function goOn(told) {
  if (!told.is_new || !page.setup) return;
  ask("open", { link: page.setup.link });
  toast("The run has ended on the server meanwhile. The setting is as it was; the training begins anew.");
}

/** Draw the newest frame, then let the next one come: a page that is slow, or hidden, holds up nobody. */
function drawWaiting() {
  const frame = waiting;
  waiting = null;
  if (!frame) return;
  if (frame.head.setup === page.setup?.number) {
    page.frame = frame;
    tell("frame", frame);
    tellReading(frame);
  }
  ask("drawn");
}

/** @param {import("./types.js").Frame} frame */
function tellReading(frame) {
  const { state } = frame.head;
  const at = performance.now();
  if (state === "playing" && state === read.state && at - read.at < READINGS_EVERY) return;
  read = { at, state };
  tell("reading", frame);
}

/**
 * @param {string} kind
 * @param {Record<string, any>} [fields]
 */
export function ask(kind, fields = {}) {
  line?.ask(kind, fields);
}

/** Hand in a table. @param {File} file @returns {Promise<import("./types.js").Sent>} */
export const upload = async (file) => line?.upload(file) ?? {};

/** A file of the run. @param {string} kind @returns {Promise<import("./types.js").Taken>} */
export const take = async (kind) => line?.take(kind) ?? {};

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
