// The drawing of the network: a column for each layer, edges by weight, nodes by activation.

import { paint, diverging, greys, onScheme, theme } from "./colours.js";
import { byId, h, number } from "./dom.js";
import { fitted, placesOfNumbers, widest } from "./labels.js";
import { layerCard, addLayer, closeCard } from "./layers.js";
import { look, on, page } from "./page.js";
import { askWhy, showNode } from "./why.js";

/**
 * @typedef {{x: number, ys: number[], first: number, size: number}} Column where the nodes of a layer stand
 */

const HEAD = 96;
const UNITS = 10; // drawn of a layer at once, as in frames.py

const canvas = h("canvas", { "aria-hidden": "true" });
const drawing = h("div", { class: "drawing" }, canvas);
const hover = h("span", { class: "hover" });
const scaleCanvas = h("canvas", { width: 256, height: 1, "aria-hidden": "true" });
const scaleText = h("span", {}, "");
/** @type {Column[]} */
let columns = [];
/** @type {{canvas: HTMLCanvasElement, layer: number, unit: number, button: HTMLElement}[]} */
let nodes = [];
/** @type {HTMLCanvasElement[]} */
let strips = [];
let built = "";
let motion = false;
let numbers = false;
/** @type {ReturnType<typeof placesOfNumbers>} */
let numbersAt = [];
/** @type {(() => string) | null} what is under the pointer, told anew with each frame */
let pointed = null;
/** @type {{layer: number, from: number, to: number} | null} */
let near = null;

const asPicture = () => (page.setup?.picture_side ?? 0) > 0;

/** How wide a name beside a node may be, in pixels. */
const mostLetters = () => (narrow() && !numbers ? 50 : 96);

const narrow = () => (drawing.parentElement?.clientWidth ?? 0) < 560;

/** Place the columns for the width there is, and make their nodes. */
function build() {
  const { setup, frame } = page;
  if (!setup || !frame) return;
  const box = /** @type {HTMLElement} */ (drawing.parentElement);
  const key = JSON.stringify([setup.number, frame.head.shown, box.clientWidth, numbers]);
  if (key === built) return;
  built = key;
  closeCard();
  const node = narrow() ? 32 : 42;
  const pitch = node + (numbers ? 20 : narrow() ? 8 : 11);
  const counts = frame.head.shown.map(([, count], k) => (k === 0 && asPicture() ? 1 : count));
  const margin = (/** @type {number} */ k) => Math.max(46, node / 2 + 7 + widest(labelsOf(k, frame), mostLetters()));
  const [left, right] = [margin(0), margin(counts.length - 1)];
  const gap = numbers ? 186 : narrow() ? 68 : 104;
  const width = Math.max(box.clientWidth - 8, left + right + (counts.length - 1) * gap);
  const rows = Math.max(...counts, 4);
  const height = HEAD + rows * pitch + 44;
  columns = counts.map((count, k) => {
    const size = k === 0 && asPicture() ? 104 : node;
    const middle = HEAD + (rows * pitch) / 2;
    const ys = Array.from({ length: count }, (_, i) => middle + (i - (count - 1) / 2) * pitch);
    return { x: left + (k * (width - left - right)) / Math.max(counts.length - 1, 1), ys, first: frame.head.shown[k][0], size };
  });
  const ratio = devicePixelRatio || 1;
  Object.assign(canvas, { width: Math.round(width * ratio), height: Math.round(height * ratio) });
  Object.assign(canvas.style, { width: `${width}px`, height: `${height}px` });
  Object.assign(drawing.style, { width: `${width}px`, height: `${height}px` });
  numbersAt = numbers ? placesOfNumbers(columns) : [];
  nodes = [];
  strips = [];
  drawing.replaceChildren(canvas);
  columns.forEach((column, k) => buildColumn(column, k, height));
  buildInserts();
}

/** @param {Column} column @param {number} k @param {number} height */
function buildColumn(column, k, height) {
  const setup = /** @type {import("./types.js").Setup} */ (page.setup);
  const head = layerCard(k);
  head.style.left = `${column.x}px`;
  drawing.append(head);
  column.ys.forEach((y, i) => {
    const unit = column.first + i;
    const picture = h("canvas");
    const button = h("button", { class: "node", "aria-label": nodeName(k, unit), onmouseenter: () => tell(() => nodeTold(k, unit)), onfocus: () => tell(() => nodeTold(k, unit)), onclick: () => showNode(k, unit) }, picture);
    Object.assign(button.style, { left: `${column.x}px`, top: `${y}px`, width: `${column.size}px`, height: `${column.size}px` });
    drawing.append(button);
    nodes.push({ canvas: picture, layer: k, unit, button });
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
  const strip = h("canvas", { class: "strip", title: "Every unit of the layer: its activation", "aria-hidden": "true" });
  Object.assign(strip.style, { left: `${column.x}px`, top: `${height - 12}px` });
  strips[k] = strip;
  drawing.append(strip);
}

/** @param {(() => string) | null} what */
function tell(what) {
  pointed = what;
  hover.textContent = what ? what() : "Click a line, or the dot of a bias, to see where its gradient comes from";
}

/** A button between two columns, and one before the outputs: a layer more. */
function buildInserts() {
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
  const place = unit - columns[k].first;
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
  build();
  for (const node of nodes) paintNode(node, frame);
  strips.forEach((strip, k) => {
    const bytes = frame.arrays[`strip${k}`]?.values;
    if (bytes instanceof Uint8Array) paint(strip, bytes, bytes.length);
  });
  if (!motion) drawEdges(0);
  if (pointed) hover.textContent = pointed();
  tellScale(frame);
}

/** @param {(typeof nodes)[number]} node @param {import("./types.js").Frame} frame */
function paintNode({ canvas: picture, layer, unit }, frame) {
  const place = unit - columns[layer].first;
  const backward = page.view.side === "backward";
  const deltas = frame.arrays[`delta${layer}`];
  if (backward && deltas) {
    const largest = Math.max(...deltas.values.map(Math.abs), 1e-12);
    paintFlat(picture, deltas.values[place] / largest);
    return;
  }
  const value = frame.arrays[`value${layer}`]?.values[place];
  const own = frame.arrays[asPicture() ? `picture${layer}` : `heat${layer}`];
  if (!own) return paintFlat(picture, value);
  const [side, width] = [own.shape.at(-2) ?? 1, own.shape.at(-1) ?? 1];
  const from = layer === 0 && asPicture() ? 0 : place * side * width;
  const bytes = /** @type {Uint8Array} */ (own.values.subarray(from, from + side * width));
  paint(picture, bytes, width, layer === 0 && asPicture() ? greys : diverging);
}

/** @param {HTMLCanvasElement} picture @param {number} share from -1 to 1 */
function paintFlat(picture, share) {
  paint(picture, Uint8Array.of(Math.round(128 + 127 * Math.max(-1, Math.min(1, share || 0)))), 1);
}

/** @param {number} offset of the moving dashes */
function drawEdges(offset) {
  const { frame } = page;
  const context = canvas.getContext("2d");
  if (!frame || !context || !columns.length) return;
  const ratio = devicePixelRatio || 1;
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, canvas.width, canvas.height);
  const backward = page.view.side === "backward";
  context.setLineDash(motion ? [7, 5] : []);
  context.lineDashOffset = backward ? offset : -offset;
  for (let k = 0; k + 1 < columns.length; k += 1) drawGap(context, k, frame, backward ? "d" : "");
  context.setLineDash([]);
  for (let k = 1; k < columns.length; k += 1) drawBiases(context, k, frame, backward ? "d" : "");
  if (numbers) drawNumbers(context, frame, backward);
}

/** Where the bias of a unit stands: at the lower left corner of its node. @param {Column} column @param {number} i */
const biasAt = (column, i) => [column.x - column.size / 2 - 1, column.ys[i] + column.size / 2 - 1];

/** A dot for each bias, larger with its size. @param {CanvasRenderingContext2D} context @param {number} k @param {import("./types.js").Frame} frame @param {string} prefix */
function drawBiases(context, k, frame, prefix) {
  const biases = frame.arrays[`${prefix}b${k - 1}`]?.values;
  if (!biases) return;
  const largest = Math.max(...biases.map(Math.abs), 1e-12);
  columns[k].ys.forEach((_, i) => {
    const [x, y] = biasAt(columns[k], i);
    context.beginPath();
    context.arc(x, y, 2.5 + 3 * (Math.abs(biases[i]) / largest), 0, 7);
    context.fillStyle = biases[i] < 0 ? theme.negative : theme.positive;
    context.strokeStyle = theme.panel;
    context.lineWidth = 1.5;
    context.fill();
    context.stroke();
  });
}

/** The numbers themselves: on the lines, and below each node. @param {CanvasRenderingContext2D} context @param {import("./types.js").Frame} frame @param {boolean} backward */
function drawNumbers(context, frame, backward) {
  context.font = "10px ui-monospace, monospace";
  context.textAlign = "center";
  context.lineWidth = 3;
  context.strokeStyle = theme.panel;
  context.fillStyle = theme.ink;
  const write = (/** @type {number} */ value, /** @type {number} */ x, /** @type {number} */ y) => {
    context.strokeText(number(value, 3), x, y);
    context.fillText(number(value, 3), x, y);
  };
  columns.forEach((column, k) => {
    const values = frame.arrays[backward && k ? `delta${k}` : `value${k}`]?.values;
    if (values && !(k === 0 && asPicture())) column.ys.forEach((y, i) => write(values[i], column.x, y + column.size / 2 + 9));
    const weights = frame.arrays[`${backward ? "d" : ""}W${k}`];
    if (!weights || (k === 0 && asPicture())) return;
    numbersAt[k]?.forEach((place, line) => place && write(weights.values[line], place.x, place.y + 3));
  });
}

/** @param {CanvasRenderingContext2D} context @param {number} k @param {import("./types.js").Frame} frame @param {string} prefix */
function drawGap(context, k, frame, prefix) {
  const weights = frame.arrays[`${prefix}W${k}`];
  if (!weights) return;
  const [count, units] = weights.shape;
  let largest = 1e-12;
  for (const w of weights.values) if (Math.abs(w) > largest) largest = Math.abs(w);
  const summed = k === 0 && asPicture();
  for (let j = 0; j < columns[k + 1].ys.length; j += 1) {
    for (let i = 0; i < (summed ? 1 : columns[k].ys.length); i += 1) {
      const w = i < count && j < units ? weights.values[i * units + j] : 0;
      const share = summed ? 0.25 : Math.abs(w) / largest;
      if (share < 0.03 && !summed) continue; // too faint to be seen
      const chosen = near && near.layer === k && near.from === i && near.to === j;
      context.strokeStyle = chosen ? theme.accent : summed ? theme.quiet : w < 0 ? theme.negative : theme.positive;
      context.globalAlpha = chosen ? 1 : 0.14 + 0.72 * share;
      context.lineWidth = (chosen ? 2 : 0.5) + 4 * share;
      curve(context, k, i, j);
    }
  }
  context.globalAlpha = 1;
}

/** @param {CanvasRenderingContext2D} context @param {number} k @param {number} i @param {number} j */
function curve(context, k, i, j) {
  const [a, b] = [columns[k], columns[k + 1]];
  const [x0, x1] = [a.x + a.size / 2, b.x - b.size / 2];
  const middle = (x0 + x1) / 2;
  context.beginPath();
  context.moveTo(x0, a.ys[i]);
  context.bezierCurveTo(middle, a.ys[i], middle, b.ys[j], x1, b.ys[j]);
  context.stroke();
}

/** The bias under the pointer: its name and its number. @param {MouseEvent} event */
function biasUnder(event) {
  const box = canvas.getBoundingClientRect();
  for (let k = 1; k < columns.length; k += 1) {
    const layer = page.setup?.layers[k - 1];
    const i = layer?.bias ? columns[k].ys.findIndex((_, n) => {
      const [x, y] = biasAt(columns[k], n);
      return Math.hypot(event.clientX - box.left - x, event.clientY - box.top - y) < 9;
    }) : -1;
    if (layer && i >= 0) return { name: `${layer.name}.b[${columns[k].first + i}]`, k, i };
  }
  return null;
}

/** The edge under the pointer, if one is near. @param {MouseEvent} event */
function edgeAt(event) {
  const box = canvas.getBoundingClientRect();
  const [x, y] = [event.clientX - box.left, event.clientY - box.top];
  for (let k = 0; k + 1 < columns.length; k += 1) {
    const [a, b] = [columns[k], columns[k + 1]];
    const [x0, x1] = [a.x + a.size / 2, b.x - b.size / 2];
    if (x < x0 || x > x1 || (k === 0 && asPicture())) continue;
    let [low, high] = [0, 1];
    for (let n = 0; n < 20; n += 1) {
      const t = (low + high) / 2;
      if (x0 + (x1 - x0) * (1.5 * t * (1 - t) + t ** 3) < x) low = t;
      else high = t;
    }
    const rise = 3 * (1 - low) * low * low + low ** 3;
    let best = { distance: 7, from: -1, to: -1 };
    a.ys.forEach((from, i) => b.ys.forEach((to, j) => {
      const distance = Math.abs(from + (to - from) * rise - y);
      if (distance < best.distance) best = { distance, from: i, to: j };
    }));
    if (best.from >= 0) return { layer: k, from: best.from, to: best.to };
  }
  return null;
}

/** @param {{layer: number, from: number, to: number}} edge */
function edgeName({ layer, from, to }) {
  return `${page.setup?.layers[layer].name}.W[${columns[layer].first + from}, ${columns[layer + 1].first + to}]`;
}

/** @param {MouseEvent} event */
function point(event) {
  const bias = biasUnder(event);
  const found = bias ? null : edgeAt(event);
  const side = () => (page.view.side === "backward" ? "d" : "");
  const of = () => (side() ? "dL/d " : "");
  drawing.style.cursor = bias || found ? "pointer" : "";
  if (bias) tell(() => `${of()}${bias.name} = ${number(page.frame?.arrays[`${side()}b${bias.k - 1}`]?.values[bias.i])}`);
  else if (found) tell(() => {
    const weights = page.frame?.arrays[`${side()}W${found.layer}`];
    return `${of()}${edgeName(found)} = ${number(weights?.values[found.from * weights.shape[1] + found.to])}`;
  });
  else tell(null);
  if (JSON.stringify(found) === JSON.stringify(near)) return;
  near = found;
  drawEdges(0);
}

/** @param {import("./types.js").Frame} frame */
function tellScale(frame) {
  if (page.view.side === "backward") {
    scaleText.textContent = `${frame.head.row === null ? `sum over ${frame.head.rows ?? 0} training rows` : "of the chosen row"}: lines dL/dW, nodes delta`;
  } else scaleText.textContent = asPicture() ? "lines and pictures: weights" : "lines: weights; nodes: activation over the plane";
}

function paintScale() {
  paint(scaleCanvas, Uint8Array.from({ length: 256 }, (_, k) => k), 256);
  built = "";
  if (page.frame) drawFrame(page.frame);
}

/** @param {number} time */
function move(time) {
  if (!motion) return;
  drawEdges((time / 40) % 24);
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
    else drawEdges(0);
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
    const bias = biasUnder(event);
    const edge = bias ? null : edgeAt(event);
    if (bias) askWhy(bias.name);
    if (edge) askWhy(edgeName(edge));
  });
  on("frame", drawFrame);
  onScheme(paintScale);
  new ResizeObserver(() => page.frame && drawFrame(page.frame)).observe(section);
}
