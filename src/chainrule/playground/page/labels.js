// What stands beside the drawing of the network in letters: names that fit, and numbers that do not cover each other.

import { along } from "./places.js";

/** @typedef {import("./places.js").Column} Column */
/** @typedef {{x: number, y: number}} Place */

const WIDE = 42; // of a number with its sign, in pixels
const HIGH = 11;
const MOST = 48; // lines between two columns that get their numbers
const ALONG = Array.from({ length: 33 }, (_, n) => (n % 2 ? -1 : 1) * Math.ceil(n / 2) * 0.025); // where on its line a number looks for room

const context = /** @type {CanvasRenderingContext2D} */ (document.createElement("canvas").getContext("2d"));

/** @param {string} text */
function widthOf(text) {
  context.font = "12px system-ui, sans-serif";
  return context.measureText(text).width;
}

/** The widest of some names, as far as there is room. @param {string[]} names @param {number} most in pixels */
export const widest = (names, most) => Math.min(most, Math.ceil(Math.max(0, ...names.map(widthOf))));

/** A name cut in its middle, where those that begin alike still differ. @param {string} name @param {number} most in pixels */
export function fitted(name, most) {
  if (widthOf(name) <= most) return name;
  const letters = [...name];
  for (let kept = letters.length - 1; kept > 1; kept -= 1) {
    const text = `${letters.slice(0, Math.floor(kept / 2)).join("")}…${letters.slice(-Math.ceil(kept / 2)).join("")}`;
    if (widthOf(text) <= most) return text;
  }
  return `${letters[0]}…`;
}

/** A point of the line from one node to another. @param {Column} a @param {Column} b @param {number} i @param {number} j @param {number} t */
function onLine(a, b, i, j, t) {
  const [x0, x1] = [a.x + a.size / 2, b.x - b.size / 2];
  const [across, rise] = along(t);
  return { x: x0 + (x1 - x0) * across, y: a.ys[i] + (b.ys[j] - a.ys[i]) * rise };
}

/** Whether numbers at both would cover each other. @param {Place} p @param {Place} q */
const cover = (p, q) => Math.abs(p.x - q.x) < WIDE && Math.abs(p.y - q.y) < HIGH;

/**
 * Where the numbers of the lines stand, which depends on the drawing alone, so that none of them jumps while it trains.
 * What finds no room is left out: it is told where it is pointed at.
 * @param {Column[]} columns
 * @returns {(Place | null)[][]} for each gap of two columns, by the line: from node i to node j at i * count + j
 */
export function placesOfNumbers(columns) {
  return columns.slice(1).map((b, k) => {
    const a = columns[k];
    if (a.ys.length * b.ys.length > MOST) return [];
    const taken = [a, b].flatMap((column) => column.ys.map((y) => ({ x: column.x, y: y + column.size / 2 + HIGH / 2 })));
    return a.ys.flatMap((_, i) => b.ys.map((_, j) => {
      const first = 0.35 + (0.3 * (j + 0.5)) / b.ys.length;
      const free = ALONG.map((by) => onLine(a, b, i, j, first + by)).find((place) => within(place, a, b) && !taken.some((other) => cover(place, other)));
      if (free) taken.push(free);
      return free ?? null;
    }));
  });
}

/** Whether a number is clear of the nodes at both ends. @param {Place} place @param {Column} a @param {Column} b */
const within = ({ x }, a, b) => x - WIDE / 2 > a.x + a.size / 2 && x + WIDE / 2 < b.x - b.size / 2;
