// What the network answers over the plane of two inputs, and the rows in it.

import { diverging, ofClass, onScheme, paint, targetColour, CLASSES, theme } from "./colours.js";
import { byId, choice, h, number } from "./dom.js";
import { answerBox, showAnswer } from "./answer.js";
import { look, on, page } from "./page.js";

const ground = h("canvas");
const dots = h("canvas", { role: "img", "aria-label": "The rows in the plane of two inputs; a click sends one through the network" });
const keys = h("div", { class: "keys" });
const [xLow, xName, xHigh] = [h("span"), h("span"), h("span")];
const [yLow, yName, yHigh] = [h("span"), h("span"), h("span")];
const plane = h("div");
const KEYS = 12; // classes that are named below the plane
let known = "";
/** @type {number | null} the row that is marked */
let shownRow = null;
const picks = h("div", { class: "axis-pick" });

/** @param {import("./types.js").Frame} frame */
function drawGround({ arrays }) {
  if (arrays.line) return drawLine(arrays.line);
  const own = arrays.surface;
  if (!own) return;
  const bytes = /** @type {Uint8Array} */ (own.values);
  const winner = arrays.winner?.values;
  paint(ground, bytes, own.shape[1], winner ? (k) => ofClass[winner[k] % CLASSES.length][bytes[k]] : diverging);
}

/** Of one input: the answer is a curve, of classes one for each. @param {{values: Float32Array | Uint8Array, shape: number[]}} line */
function drawLine({ values, shape: [count, points] }) {
  const side = dots.clientWidth;
  const ratio = devicePixelRatio || 1;
  Object.assign(ground, { width: side * ratio, height: side * ratio });
  const context = ground.getContext("2d");
  if (!context) return;
  context.scale(ratio, ratio);
  context.lineWidth = 2.5;
  for (let c = 0; c < count; c += 1) {
    context.strokeStyle = count > 1 ? targetColour(c, count) : theme.ink;
    context.beginPath();
    for (let k = 0; k < points; k += 1) context.lineTo((k / (points - 1)) * side, height(values[c * points + k], side));
    context.stroke();
  }
}

/** Where a share of the range of the targets stands, where there is one input. @param {number} share @param {number} side */
const height = (share, side) => side * (0.92 - 0.84 * Math.max(-1, Math.min(2, share)));

function drawDots() {
  const { plane, setup } = page;
  const side = dots.clientWidth;
  if (!plane || plane.number !== setup?.number || !side) return;
  const ratio = devicePixelRatio || 1;
  Object.assign(dots, { width: side * ratio, height: side * ratio });
  const context = dots.getContext("2d");
  if (!context) return;
  context.scale(ratio, ratio);
  const { points } = plane;
  const radius = points.rows.length > 300 ? 2.7 : 3.6;
  points.rows.forEach((row, k) => {
    const [x, y] = placeOf(k, side);
    const chosen = row === shownRow;
    context.beginPath();
    context.arc(x, y, chosen ? radius + 3 : radius, 0, 7);
    const own = setup.axes.length > 1 || setup.classes.length ? targetColour(points.target[k], setup.classes.length) : theme.positive;
    context.fillStyle = own;
    context.strokeStyle = chosen ? theme.ink : theme.panel;
    context.lineWidth = chosen ? 2 : 1;
    if (points.held[k]) {  // held out: a ring
      context.fillStyle = theme.panel;
      context.strokeStyle = own;
      context.lineWidth = chosen ? 2.6 : 1.6;
    }
    context.fill();
    context.stroke();
  });
}

/** @param {number} k @param {number} side */
function placeOf(k, side) {
  const { plane, setup } = page;
  if (!plane || !setup) return [0, 0];
  const [a, b] = [setup.axes[plane.x], setup.axes[plane.y]];
  const across = ((plane.points.x[k] - a.low) / (a.high - a.low)) * side;
  if (setup.axes.length === 1) return [across, height(plane.points.target[k] / Math.max(1, setup.classes.length - 1), side)];
  return [across, (1 - (plane.points.y[k] - b.low) / (b.high - b.low)) * side];
}

/** @param {MouseEvent} event */
function choose(event) {
  const { plane, setup } = page;
  if (!plane || plane.number !== setup?.number) return;
  const box = dots.getBoundingClientRect();
  let best = { distance: 14, row: -1 };
  plane.points.rows.forEach((row, k) => {
    const [x, y] = placeOf(k, dots.clientWidth);
    const distance = Math.hypot(x - (event.clientX - box.left), y - (event.clientY - box.top));
    if (distance < best.distance) best = { distance, row };
  });
  look({ row: best.row < 0 || best.row === page.view.row ? null : best.row });
}

/** @param {import("./types.js").Setup} setup */
function build(setup) {
  plane.hidden = setup.picture_side > 0;  // a plane of two pixels tells little
  if (plane.hidden && page.view.row === null) look({ row: 0 });
  const last = setup.axes.length - 1;
  const { view } = page;
  const data = `${setup.setting.data}: ${setup.axes.map((axis) => axis.name).join()}`;
  if (data !== known) {
    known = data;
    look({ x: setup.first_axes[0], y: setup.first_axes[1] });
  }
  const names = setup.axes.map((axis) => axis.name);
  const pick = (/** @type {"x" | "y"} */ axis, /** @type {string} */ label) => h("label", {}, label, choice(names, names[view[axis]], (name) => look({ [axis]: names.indexOf(name) }), (name) => name));
  picks.replaceChildren();
  if (last > 1) picks.append(pick("x", "Across"), pick("y", "Up"));
  picks.hidden = last <= 1;
  const classes = setup.classes.slice(0, KEYS).map((name, k) => key(name, targetColour(k, setup.classes.length)));
  if (setup.classes.length > KEYS) classes.push(h("span", {}, `and ${setup.classes.length - KEYS} more`));
  const values = setup.target_range && setup.axes.length > 1 ? [key(`≤ ${number(setup.target_range[0])}`, targetColour(0, 0)), key(`≥ ${number(setup.target_range[1])}`, targetColour(1, 0))] : [];
  keys.replaceChildren(...(classes.length ? classes : values));
  if (setup.held_rows) {
    const ring = key("ring: held out", "transparent");
    ring.classList.add("quiet");
    /** @type {HTMLElement} */ (ring.firstChild).style.border = `2px solid ${theme.quiet}`;
    keys.append(ring);
  }
  showAxes();
}

/** @param {string} name @param {string} colour */
function key(name, colour) {
  const dot = h("i");
  dot.style.background = colour;
  return h("span", {}, dot, name);
}

function showAxes() {
  const { setup, view } = page;
  if (!setup) return;
  const last = setup.axes.length - 1;
  const [a, b] = [setup.axes[Math.min(view.x, last)], setup.axes[Math.min(view.y, last)]];
  [xLow.textContent, xName.textContent, xHigh.textContent] = [number(a.low_value, 3), a.name, number(a.high_value, 3)];
  if (last === 0) {
    const ends = setup.target_range ?? [0, 1];
    [yLow.textContent, yName.textContent, yHigh.textContent] = setup.classes.length > 2 ? ["", "share of each class", ""] : [number(ends[0], 3), setup.target, number(ends[1], 3)];
  } else [yLow.textContent, yName.textContent, yHigh.textContent] = [number(b.low_value, 3), b.name, number(b.high_value, 3)];
}

export function mountSurface() {
  byId("surface").append(
    plane,
    answerBox);
  plane.append(
    h("div", { class: "surface-box" }, ground, dots, h("div", { class: "axis axis-y", "aria-hidden": "true" }, yLow, yName, yHigh)),
    h("div", { class: "axis axis-x", "aria-hidden": "true" }, xLow, xName, xHigh),
    keys, picks);
  dots.addEventListener("click", choose);
  on("setup", build);
  on("frame", (/** @type {import("./types.js").Frame} */ frame) => {
    if (!plane.hidden) drawGround(frame);
    if (frame.head.row === shownRow) return;
    shownRow = frame.head.row;
    drawDots();
  });
  on("reading", showAnswer);
  on("plane", drawDots);
  on("view", () => {
    showAxes();
    drawDots();
  });
  onScheme(() => {
    if (page.setup) build(page.setup);
    if (page.frame) drawGround(page.frame);
    drawDots();
  });
  new ResizeObserver(drawDots).observe(dots);
}
