// The lines between the nodes, the dots of the biases, and the numbers on both.

import { theme } from "./colours.js";
import { number } from "./dom.js";
import { asPicture, biasAt, gap, places } from "./places.js";

/** @typedef {import("./types.js").Frame} Frame */

const SEEN = 0.01; // of the widest line: a change of .04 pixels, and of 2 of 255 steps of its colour

/** @type {{prefix: string, shares: Map<string, Float32Array>}} what the lines and dots are that are drawn */
let drawn = { prefix: "", shares: new Map() };

/** Each weight and each bias as a share of the largest beside it. @param {Frame} frame @param {string} prefix */
function sharesOf(frame, prefix) {
  const shares = new Map();
  for (let k = 0; k + 1 < places.columns.length; k += 1) for (const name of [`${prefix}W${k}`, `${prefix}b${k}`]) {
    const values = /** @type {Float32Array | undefined} */ (frame.arrays[name]?.values);
    if (!values || (k === 0 && asPicture() && name.endsWith("W0"))) continue; // those of a picture are drawn alike
    const largest = largestOf(values);
    shares.set(name, values.map((value) => value / largest));
  }
  return shares;
}

/** @param {Float32Array} values */
function largestOf(values) {
  let largest = 1e-12;
  for (const value of values) if (Math.abs(value) > largest) largest = Math.abs(value);
  return largest;
}

/** @param {Float32Array} shares @param {Float32Array | undefined} before */
const alike = (shares, before) => shares.length === before?.length && shares.every((share, k) => Math.abs(share - before[k]) < SEEN);

/**
 * Whether the lines or dots of a frame look other than those that are drawn: drawing them is most of the work of a frame.
 * @param {Frame} frame @param {string} prefix
 */
export function haveMoved(frame, prefix) {
  if (prefix !== drawn.prefix) return true;
  const now = sharesOf(frame, prefix);
  if (now.size !== drawn.shares.size) return true;
  for (const [name, shares] of now) if (!alike(shares, drawn.shares.get(name))) return true;
  return false;
}

/** The lines of all gaps by their weights. @param {CanvasRenderingContext2D} context @param {Frame} frame @param {string} prefix `d`: by their gradients @param {import("./places.js").Edge | null} near */
export function drawLines(context, frame, prefix, near) {
  drawn = { prefix, shares: sharesOf(frame, prefix) };
  for (let k = 0; k + 1 < places.columns.length; k += 1) drawGap(context, k, frame, prefix, near?.layer === k ? near : null);
}

/** @param {CanvasRenderingContext2D} context @param {number} k @param {Frame} frame @param {string} prefix @param {import("./places.js").Edge | null} near */
function drawGap(context, k, frame, prefix, near) {
  const weights = frame.arrays[`${prefix}W${k}`];
  if (!weights) return;
  const { a, b, x0, x1 } = gap(k);
  const [count, units] = weights.shape;
  const largest = largestOf(/** @type {Float32Array} */ (weights.values));
  const summed = k === 0 && asPicture();
  for (let j = 0; j < b.ys.length; j += 1) {
    for (let i = 0; i < (summed ? 1 : a.ys.length); i += 1) {
      const w = i < count && j < units ? weights.values[i * units + j] : 0;
      const share = summed ? 0.25 : Math.abs(w) / largest;
      if (share < 0.03 && !summed) continue; // too faint to be seen
      const chosen = near && near.from === i && near.to === j;
      context.strokeStyle = chosen ? theme.accent : summed ? theme.quiet : w < 0 ? theme.negative : theme.positive;
      context.globalAlpha = chosen ? 1 : 0.14 + 0.72 * share;
      context.lineWidth = (chosen ? 2 : 0.5) + 4 * share;
      curve(context, x0, a.ys[i], x1, b.ys[j]);
    }
  }
  context.globalAlpha = 1;
}

/** @param {CanvasRenderingContext2D} context @param {number} x0 @param {number} y0 @param {number} x1 @param {number} y1 */
function curve(context, x0, y0, x1, y1) {
  const middle = (x0 + x1) / 2;
  context.beginPath();
  context.moveTo(x0, y0);
  context.bezierCurveTo(middle, y0, middle, y1, x1, y1);
  context.stroke();
}

/** A dot for each bias, larger with its size. @param {CanvasRenderingContext2D} context @param {Frame} frame @param {string} prefix */
export function drawBiases(context, frame, prefix) {
  places.columns.forEach((column, k) => {
    const biases = frame.arrays[`${prefix}b${k - 1}`]?.values;
    if (!biases) return;
    const largest = largestOf(/** @type {Float32Array} */ (biases));
    column.ys.forEach((_, i) => {
      const [x, y] = biasAt(column, i);
      context.beginPath();
      context.arc(x, y, 2.5 + 3 * (Math.abs(biases[i]) / largest), 0, 7);
      context.fillStyle = biases[i] < 0 ? theme.negative : theme.positive;
      context.strokeStyle = theme.panel;
      context.lineWidth = 1.5;
      context.fill();
      context.stroke();
    });
  });
}

/** The numbers themselves: on the lines, and below each node. @param {CanvasRenderingContext2D} context @param {Frame} frame @param {boolean} backward */
export function drawNumbers(context, frame, backward) {
  context.font = "10px ui-monospace, monospace";
  context.textAlign = "center";
  context.lineWidth = 3;
  context.strokeStyle = theme.panel;
  context.fillStyle = theme.ink;
  const write = (/** @type {number} */ value, /** @type {number} */ x, /** @type {number} */ y) => {
    context.strokeText(number(value, 3), x, y);
    context.fillText(number(value, 3), x, y);
  };
  places.columns.forEach((column, k) => {
    const pictured = k === 0 && asPicture();
    const values = frame.arrays[backward && k ? `delta${k}` : `value${k}`]?.values;
    if (values && !pictured) column.ys.forEach((y, i) => write(values[i], column.x, y + column.size / 2 + 9));
    const weights = frame.arrays[`${backward ? "d" : ""}W${k}`];
    if (weights && !pictured) places.numbers[k]?.forEach((place, line) => place && write(weights.values[line], place.x, place.y + 3));
  });
}
