// The drawing of the network: a column for each layer, edges by weight, nodes by activation, all on one canvas.

import { paint, onScheme } from "./colours.js";
import { byId, h, number, put } from "./dom.js";
import { drawBiases, drawLines, drawNumbers, haveMoved } from "./edges.js";
import { fitted, placesOfNumbers, widest } from "./labels.js";
import { layerCard, addLayer, keepPlace } from "./layers.js";
import { look, on, page } from "./page.js";
import { asPicture, biasUnder, edgeName, edgeUnder, places } from "./places.js";
import { drawTiles, takePictures } from "./tiles.js";
import { askWhy, showNode } from "./why.js";

/** @typedef {import("./places.js").Column} Column */

const HEAD = 96;
const UNITS = 10; // drawn of a layer at once, as in frames.py

const canvas = h("canvas", { "aria-hidden": "true" });
const drawing = h("div", { class: "drawing" }, canvas);
const hover = h("span", { class: "hover" });
const scaleCanvas = h("canvas", { width: 256, height: 1, "aria-hidden": "true" });
const scaleText = h("span", {}, "");
let built = "";
let motion = false;
let numbers = false;
/** @type {(() => string) | null} what is under the pointer, told anew as it changes */
let pointed = null;
/** @type {import("./places.js").Edge | null} */
let near = null;

/** How wide a name beside a node may be, in pixels. */
const mostLetters = () => (narrow() && !numbers ? 50 : 96);

const narrow = () => (drawing.parentElement?.clientWidth ?? 0) < 560;

/** Place the columns for the width there is, and make their nodes; whether anything had changed. */
function build() {
  const { setup, frame } = page;
  if (!setup || !frame) return false;
  const box = /** @type {HTMLElement} */ (drawing.parentElement);
  const key = JSON.stringify([setup.number, frame.head.shown, box.clientWidth, numbers]);
  if (key === built) return false;
  built = key;
  const goOn = keepPlace(drawing);
  const node = narrow() ? 32 : 42;
  const pitch = node + (numbers ? 20 : narrow() ? 8 : 11);
  const counts = frame.head.shown.map(([, count], k) => (k === 0 && asPicture() ? 1 : count));
  const sizeOf = (/** @type {number} */ k) => (k === 0 && asPicture() ? 104 : node);
  const margin = (/** @type {number} */ k) => Math.max(46, sizeOf(k) / 2 + 2, node / 2 + 7 + widest(labelsOf(k, frame), mostLetters()));
  const [left, right] = [margin(0), margin(counts.length - 1)];
  const gap = numbers ? 186 : narrow() ? 68 : 104;
  const width = Math.max(box.clientWidth - 8, left + right + (counts.length - 1) * gap);
  const rows = Math.max(...counts, 4);
  const height = HEAD + rows * pitch + 44;
  const columns = counts.map((count, k) => {
    const middle = HEAD + (rows * pitch) / 2;
    const ys = Array.from({ length: count }, (_, i) => middle + (i - (count - 1) / 2) * pitch);
    return { x: left + (k * (width - left - right)) / Math.max(counts.length - 1, 1), ys, first: frame.head.shown[k][0], size: sizeOf(k) };
  });
  Object.assign(places, { columns, height, numbers: numbers ? placesOfNumbers(columns) : [] });
  const ratio = devicePixelRatio || 1;
  Object.assign(canvas, { width: Math.round(width * ratio), height: Math.round(height * ratio) });
  Object.assign(canvas.style, { width: `${width}px`, height: `${height}px` });
  Object.assign(drawing.style, { width: `${width}px`, height: `${height}px` });
  drawing.replaceChildren(canvas);
  columns.forEach((column, k) => buildColumn(column, k, height));
  buildInserts();
  goOn();
  return true;
}

/** @param {Column} column @param {number} k @param {number} height */
function buildColumn(column, k, height) {
  const setup = /** @type {import("./types.js").Setup} */ (page.setup);
  const head = layerCard(k);
  head.style.left = `${column.x}px`;
  drawing.append(head);
  column.ys.forEach((y, i) => {
    const unit = column.first + i;
    const button = h("button", { class: "node", "aria-label": nodeName(k, unit), onmouseenter: () => tell(() => nodeTold(k, unit)), onfocus: () => tell(() => nodeTold(k, unit)), onclick: () => showNode(k, unit) });
    Object.assign(button.style, { left: `${column.x}px`, top: `${y}px`, width: `${column.size}px`, height: `${column.size}px` });
    drawing.append(button);
    const label = nodeLabel(k, unit);
    if (label) {
      const side = h("span", { class: k === 0 ? "node-label" : "node-label after", title: label }, fitted(label, mostLetters()));
      Object.assign(side.style, { left: `${column.x + (k === 0 ? -1 : 1) * (column.size / 2)}px`, top: `${y}px` });
      drawing.append(side);
    }
  });
  const total = k === 0 ? setup.axes.length : setup.layers[k - 1].units;
  if (total > UNITS && !(k === 0 && asPicture())) buildPager(column, k, total, height);
}

/** @param {Column} column @param {number} k @param {number} total @param {number} height */
function buildPager(column, k, total, height) {
  const turn = (/** @type {number} */ by) => look({ windows: { ...page.view.windows, [k]: column.first + by } });
  const last = Math.min(column.first + UNITS, total);
  const pager = h("div", { class: "pager" },
    h("button", { "aria-label": "Earlier units", disabled: column.first === 0, onclick: () => turn(-UNITS) }, "‹"),
    `${column.first + 1}–${last} of ${total}`,
    h("button", { "aria-label": "Later units", disabled: last >= total, onclick: () => turn(UNITS) }, "›"));
  Object.assign(pager.style, { left: `${column.x}px`, top: `${height - 40}px` });
  drawing.append(pager);
  if (k === 0) return;
  const strip = h("div", { class: "strip", title: "Every unit of the layer: its activation", "aria-hidden": "true" });
  Object.assign(strip.style, { left: `${column.x}px`, top: `${height - 12}px` });
  drawing.append(strip);
}

/** @param {(() => string) | null} what */
function tell(what) {
  pointed = what;
  put(hover, what ? what() : "Click a line, or the dot of a bias, to see where its gradient comes from");
}

/** A button between two columns, and one before the outputs: a layer more. */
function buildInserts() {
  const { columns } = places;
  for (let k = 0; k + 1 < columns.length; k += 1) {
    const button = h("button", { class: "insert", title: "Add a layer here", "aria-label": `Add a layer after ${k ? `hidden layer ${k}` : "the inputs"}`, onclick: () => addLayer(k) }, "+");
    Object.assign(button.style, { left: `${(columns[k].x + columns[k + 1].x) / 2}px`, top: narrow() ? "86px" : "20px" }); // on a phone there is no room between two heads
    drawing.append(button);
  }
}

/** @param {number} k @param {number} unit */
function nodeName(k, unit) {
  const setup = page.setup;
  if (!setup) return "";
  if (k === 0) return asPicture() ? "Inputs: a picture" : `Input ${setup.axes[unit].name}`;
  return `${setup.layers[k - 1].name}, unit ${unit}${k === setup.layers.length ? `: ${nodeLabel(k, unit)}` : ""}`;
}

/** What stands in a node now. @param {number} k @param {number} unit */
function nodeTold(k, unit) {
  const { frame } = page;
  const place = unit - places.columns[k].first;
  const delta = page.view.side === "backward" ? frame?.arrays[`delta${k}`]?.values[place] : undefined;
  const value = frame?.arrays[`value${k}`]?.values[place];
  return `${nodeName(k, unit)}: ${delta === undefined ? `${frame?.head.row === null ? "mean " : ""}${number(value)}` : `delta ${number(delta)}`}`;
}

/** @param {number} k @param {number} unit */
function nodeLabel(k, unit) {
  const setup = page.setup;
  if (!setup) return "";
  if (k === 0) return asPicture() ? "" : setup.axes[unit].name;
  if (k < setup.layers.length) return "";
  if (!setup.classes.length) return setup.targets[unit];
  return setup.layers[k - 1].units === 1 ? setup.classes[1] : setup.classes[unit];
}

/** The names beside the nodes of a column that are drawn. @param {number} k @param {import("./types.js").Frame} frame */
function labelsOf(k, frame) {
  const [first, count] = frame.head.shown[k];
  return Array.from({ length: count }, (_, i) => nodeLabel(k, first + i));
}

/** @param {import("./types.js").Frame} frame */
function drawFrame(frame) {
  const anew = build();
  takePictures(frame);
  if (!motion) draw(0, anew || numbers || haveMoved(frame, prefix()));
}

const prefix = () => (page.view.side === "backward" ? "d" : "");

/** What is written around the drawing. @param {import("./types.js").Frame} frame */
function tellFrame(frame) {
  if (pointed) put(hover, pointed());
  tellScale(frame);
}

/** @param {number} offset of the moving dashes @param {boolean} [lines] whether they are drawn too: the nodes cover what they were */
function draw(offset, lines = true) {
  const { frame } = page;
  const context = canvas.getContext("2d");
  if (!frame || !context || !places.columns.length) return;
  const ratio = devicePixelRatio || 1;
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  if (lines) drawEdges(context, frame, offset);
  drawTiles(context, frame);
  if (numbers && lines) drawNumbers(context, frame, page.view.side === "backward");
}

/** @param {CanvasRenderingContext2D} context @param {import("./types.js").Frame} frame @param {number} offset */
function drawEdges(context, frame, offset) {
  context.clearRect(0, 0, canvas.width, canvas.height);
  context.setLineDash(motion ? [7, 5] : []);
  context.lineDashOffset = page.view.side === "backward" ? offset : -offset;
  drawLines(context, frame, prefix(), near);
  context.setLineDash([]);
  drawBiases(context, frame, prefix());
}

/** Where the pointer is in the drawing. @param {MouseEvent} event */
function under(event) {
  const box = canvas.getBoundingClientRect();
  const [x, y] = [event.clientX - box.left, event.clientY - box.top];
  const bias = biasUnder(x, y);
  return { bias, edge: bias ? null : edgeUnder(x, y) };
}

/** @param {MouseEvent} event */
function point(event) {
  const { bias, edge } = under(event);
  const side = () => (page.view.side === "backward" ? "d" : "");
  const of = () => (side() ? "dL/d " : "");
  drawing.style.cursor = bias || edge ? "pointer" : "";
  if (bias) tell(() => `${of()}${bias.name} = ${number(page.frame?.arrays[`${side()}b${bias.k - 1}`]?.values[bias.i])}`);
  else if (edge) tell(() => {
    const weights = page.frame?.arrays[`${side()}W${edge.layer}`];
    return `${of()}${edgeName(edge)} = ${number(weights?.values[edge.from * weights.shape[1] + edge.to])}`;
  });
  else tell(null);
  if (JSON.stringify(edge) === JSON.stringify(near)) return;
  near = edge;
  draw(0);
}

/** @param {import("./types.js").Frame} frame */
function tellScale(frame) {
  if (page.view.side === "backward") {
    put(scaleText, `${frame.head.row === null ? `sum over ${frame.head.rows ?? 0} training rows` : "of the chosen row"}: lines dL/dW, nodes delta`);
  } else put(scaleText, asPicture() ? "lines and pictures: weights" : "lines: weights; nodes: activation over the plane");
}

function paintScale() {
  paint(scaleCanvas, Uint8Array.from({ length: 256 }, (_, k) => k), 256);
  built = "";
  if (page.frame) drawFrame(page.frame);
}

/** @param {number} time */
function move(time) {
  if (!motion) return;
  draw((time / 40) % 24);
  requestAnimationFrame(move);
}

export function mountNetwork() {
  const side = (/** @type {"forward" | "backward"} */ name, /** @type {string} */ label) =>
    h("button", { "aria-pressed": String(page.view.side === name), onclick: () => {
      look({ side: name });
    } }, label);
  const sides = h("div", { class: "switch", role: "group", "aria-label": "Direction" }, side("forward", "Forward"), side("backward", "Backward"));
  const moving = h("button", { "aria-pressed": "false", title: "Let the lines move in the direction of the pass", onclick: () => {
    motion = !motion;
    moving.setAttribute("aria-pressed", String(motion));
    if (motion) requestAnimationFrame(move);
    else draw(0);
  } }, "Motion");
  const written = h("button", { "aria-pressed": "false", title: "Write the numbers on the lines and below the nodes", onclick: () => {
    numbers = !numbers;
    written.setAttribute("aria-pressed", String(numbers));
    if (page.frame) drawFrame(page.frame);
  } }, "Numbers");
  const section = byId("network");
  const title = byId("network-title");
  const chosenRow = h("button", { class: "plain", hidden: true, onclick: () => look({ row: null }) });
  on("view", () => {
    for (const button of sides.querySelectorAll("button")) button.setAttribute("aria-pressed", String(button.textContent?.toLowerCase() === page.view.side));
    chosenRow.hidden = page.view.row === null;
    chosenRow.textContent = `Row ${page.view.row} goes through ✕`;
  });
  section.append(
    h("div", { class: "panel-head" }, title, chosenRow, sides, written, moving),
    h("div", { class: "scroll" }, drawing),
    h("div", { class: "legend" }, "−", scaleCanvas, "+", scaleText, h("span", { class: "spacer" }), hover));
  tell(null);
  canvas.addEventListener("mousemove", point);
  canvas.addEventListener("click", (event) => {
    const { bias, edge } = under(event);
    if (bias) askWhy(bias.name);
    if (edge) askWhy(edgeName(edge));
  });
  on("frame", drawFrame);
  on("reading", tellFrame);
  onScheme(paintScale);
  new ResizeObserver(() => page.frame && drawFrame(page.frame)).observe(section);
}
