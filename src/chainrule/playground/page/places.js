// Where the parts of the drawing of the network stand, and what stands under a point.

import { page } from "./page.js";

/**
 * @typedef {{x: number, ys: number[], first: number, size: number}} Column where the nodes of a layer stand
 * @typedef {{layer: number, from: number, to: number}} Edge
 */

/** @type {{columns: Column[], height: number, numbers: (import("./labels.js").Place | null)[][]}} */
export const places = { columns: [], height: 0, numbers: [] };

export const asPicture = () => (page.setup?.picture_side ?? 0) > 0;

/** Where a line between two columns begins and ends. @param {number} k of the column before it */
export function gap(k) {
  const [a, b] = [places.columns[k], places.columns[k + 1]];
  return { a, b, x0: a.x + a.size / 2, x1: b.x - b.size / 2 };
}

/** Where the bias of a unit stands: at the lower left corner of its node. @param {Column} column @param {number} i */
export const biasAt = (column, i) => [column.x - column.size / 2 - 1, column.ys[i] + column.size / 2 - 1];

/** How far along and how far up a line is at its parameter `t`, each from 0 to 1: its Bézier curve. @param {number} t */
export const along = (t) => [1.5 * t * (1 - t) + t ** 3, 3 * (1 - t) * t * t + t ** 3];

/** The bias at a point: its name, and whose it is. @param {number} x @param {number} y */
export function biasUnder(x, y) {
  for (let k = 1; k < places.columns.length; k += 1) {
    const column = places.columns[k];
    const layer = page.setup?.layers[k - 1];
    const i = layer?.bias ? column.ys.findIndex((_, n) => {
      const [left, top] = biasAt(column, n);
      return Math.hypot(x - left, y - top) < 9;
    }) : -1;
    if (layer && i >= 0) return { name: `${layer.name}.b[${column.first + i}]`, k, i };
  }
  return null;
}

/** The edge at a point, if one is near. @param {number} x @param {number} y @returns {Edge | null} */
export function edgeUnder(x, y) {
  for (let k = 0; k + 1 < places.columns.length; k += 1) {
    const { a, b, x0, x1 } = gap(k);
    if (x < x0 || x > x1 || (k === 0 && asPicture())) continue;
    let [low, high] = [0, 1];
    for (let n = 0; n < 20; n += 1) {
      const t = (low + high) / 2;
      if (x0 + (x1 - x0) * along(t)[0] < x) low = t;
      else high = t;
    }
    const rise = along(low)[1];
    let best = { distance: 7, from: -1, to: -1 };
    a.ys.forEach((from, i) => b.ys.forEach((to, j) => {
      const distance = Math.abs(from + (to - from) * rise - y);
      if (distance < best.distance) best = { distance, from: i, to: j };
    }));
    if (best.from >= 0) return { layer: k, from: best.from, to: best.to };
  }
  return null;
}

/** @param {Edge} edge */
export function edgeName({ layer, from, to }) {
  return `${page.setup?.layers[layer].name}.W[${places.columns[layer].first + from}, ${places.columns[layer + 1].first + to}]`;
}
