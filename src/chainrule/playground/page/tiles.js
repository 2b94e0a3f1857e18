// The pictures of the nodes, and the strips of wide layers: all on the canvas of the drawing.
// A canvas for each would be a layer of the browser's own for each, which cost more than all that is drawn.

import { css, diverging, greys, paint } from "./colours.js";
import { h } from "./dom.js";
import { page } from "./page.js";
import { asPicture, places } from "./places.js";

/** @typedef {import("./types.js").Frame} Frame */

const RADIUS = 8; // of a node's corners, as in panels.css
const UNDER = 0.75; // pixels that a picture ends within the border of its node, which covers its edge
const STRIP = { width: 84, height: 8, above: 12 };

/** @type {HTMLCanvasElement[]} never shown: the pictures of a layer, one below the other */
const pictures = [];
/** @type {(number[] | null)[]} how many and how large they are; null where the layer has none now */
let shapes = [];
/** @type {HTMLCanvasElement[]} never shown: a pixel for each unit */
const strips = [];

/** Take the pictures of a frame. @param {Frame} frame */
export function takePictures(frame) {
  shapes = places.columns.map((_, k) => pictured(frame, k)?.shape ?? null);
  places.columns.forEach((_, k) => {
    const own = pictured(frame, k);
    if (own) paint((pictures[k] ??= h("canvas")), /** @type {Uint8Array} */ (own.values), own.shape.at(-1) ?? 1, k === 0 && asPicture() ? greys : diverging);
    const bytes = frame.arrays[`strip${k}`]?.values;
    if (bytes instanceof Uint8Array) paint((strips[k] ??= h("canvas")), bytes, bytes.length);
  });
}

/** The pictures of a layer, if it has some to show. @param {Frame} frame @param {number} k */
function pictured(frame, k) {
  if (page.view.side === "backward" && frame.arrays[`delta${k}`]) return undefined;
  return frame.arrays[asPicture() ? `picture${k}` : `heat${k}`];
}

/** Draw the nodes, each with its picture or the colour of its value, and the strips. @param {CanvasRenderingContext2D} context @param {Frame} frame */
export function drawTiles(context, frame) {
  context.save();
  context.beginPath();
  places.columns.forEach(({ x, ys, size }, k) => {
    for (const y of ys) context.roundRect(x - size / 2 + UNDER, y - size / 2 + UNDER, size - 2 * UNDER, size - 2 * UNDER, RADIUS - UNDER);
    if (frame.arrays[`strip${k}`]) context.roundRect(...stripAt(x), STRIP.height / 2);
  });
  context.clip();
  places.columns.forEach((column, k) => {
    const shape = shapes[k];
    if (shape) drawPictures(context, column, k, shape);
    else drawValues(context, column, k, frame);
  });
  drawStrips(context, frame);
  context.restore();
}

/** @param {CanvasRenderingContext2D} context @param {import("./places.js").Column} column @param {number} k @param {number[]} shape */
function drawPictures(context, { x, ys, size }, k, shape) {
  const [side, width] = [shape.at(-2) ?? 1, shape.at(-1) ?? 1];
  ys.forEach((y, i) => context.drawImage(pictures[k], 0, i * side, width, side, x - size / 2, y - size / 2, size, size));
}

/** @param {CanvasRenderingContext2D} context @param {import("./places.js").Column} column @param {number} k @param {Frame} frame */
function drawValues(context, { x, ys, size }, k, frame) {
  const deltas = page.view.side === "backward" ? frame.arrays[`delta${k}`]?.values : undefined;
  const values = deltas ?? frame.arrays[`value${k}`]?.values;
  const largest = deltas ? Math.max(...deltas.map(Math.abs), 1e-12) : 1;
  ys.forEach((y, i) => {
    const share = Math.max(-1, Math.min(1, (values?.[i] ?? 0) / largest || 0));
    context.fillStyle = css(diverging[Math.round(128 + 127 * share)]);
    context.fillRect(x - size / 2, y - size / 2, size, size);
  });
}

/** The strips below the columns: every unit of a layer. @param {CanvasRenderingContext2D} context @param {Frame} frame */
function drawStrips(context, frame) {
  context.imageSmoothingEnabled = false;
  places.columns.forEach(({ x }, k) => {
    if (frame.arrays[`strip${k}`]) context.drawImage(strips[k], ...stripAt(x));
  });
}

/** Within its border. @param {number} x of its column @returns {[number, number, number, number]} */
const stripAt = (x) => [x - STRIP.width / 2 + 0.5, places.height - STRIP.above + 0.5, STRIP.width - 1, STRIP.height - 1];
