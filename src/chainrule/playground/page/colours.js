// Colours for numbers: looked up, never computed per pixel.

export const CLASSES = ["#d9691a", "#1c77b8", "#2f9d61", "#b3469c", "#8568d0", "#b8960f", "#2fa6b8", "#cf4a5c", "#77893a", "#697787"];

/** @type {Uint32Array} the colour of each byte: 0 the most negative, 128 neutral, 255 the most positive */
export let diverging = new Uint32Array(256);
/** @type {Uint32Array} greys, for pictures */
export let greys = new Uint32Array(256);
/** @type {Uint32Array[]} for each class, from neutral to its colour */
export let ofClass = [];
export let theme = { positive: "", negative: "", neutral: "", ink: "", quiet: "", line: "", panel: "", accent: "" };
let scheme = 0; // how often it has changed
/** @type {((() => void))[]} */
const listeners = [];

/** @param {() => void} listener called after the scheme has changed */
export function onScheme(listener) {
  listeners.push(listener);
}

/** @param {string} colour `#rrggbb` @returns {[number, number, number]} */
function rgb(colour) {
  const value = parseInt(colour.slice(1), 16);
  return [value >> 16, (value >> 8) & 255, value & 255];
}

/**
 * @param {number[]} a
 * @param {number[]} b
 * @param {number} share
 */
function mixed(a, b, share) {
  const [red, green, blue] = a.map((from, k) => Math.round(from + (b[k] - from) * share));
  return (255 << 24) | (blue << 16) | (green << 8) | red;
}

/** Read the colours of the scheme. */
export function refresh() {
  scheme += 1;
  const style = getComputedStyle(document.documentElement);
  const read = (/** @type {string} */ name) => style.getPropertyValue(`--${name}`).trim();
  theme = { positive: read("positive"), negative: read("negative"), neutral: read("neutral"), ink: read("ink"), quiet: read("quiet"), line: read("line"), panel: read("panel"), accent: read("accent") };
  const [plus, minus, zero] = [theme.positive, theme.negative, theme.neutral].map(rgb);
  for (let k = 0; k < 256; k += 1) {
    const away = (k - 128) / 127;
    diverging[k] = mixed(zero, away < 0 ? minus : plus, Math.min(1, Math.abs(away)) * 0.92);
    greys[k] = mixed(rgb(theme.panel), rgb(theme.ink), (k / 255) * 0.92);
  }
  ofClass = CLASSES.map((colour) => Uint32Array.from({ length: 256 }, (_, k) => mixed(zero, rgb(colour), (k / 255) ** 1.5 * 0.8)));
  for (const listener of listeners) listener();
}

/**
 * What a canvas shows.
 * @typedef {{image: ImageData, bytes: Uint8Array, colours: unknown, scheme: number}} Painted
 */
/** @type {WeakMap<HTMLCanvasElement, Painted>} */
const painted = new WeakMap();

/**
 * Bytes as a picture on a canvas of as many pixels; nothing where it shows them already.
 * @param {HTMLCanvasElement} canvas
 * @param {Uint8Array} bytes
 * @param {number} width
 * @param {Uint32Array | ((k: number) => number)} [colours]
 */
export function paint(canvas, bytes, width, colours = diverging) {
  const height = bytes.length / width;
  if (canvas.width !== width || canvas.height !== height) {
    Object.assign(canvas, { width, height });
    painted.delete(canvas);
  }
  const before = painted.get(canvas);
  if (before && before.colours === colours && before.scheme === scheme && bytes.every((byte, k) => byte === before.bytes[k])) return;
  const context = canvas.getContext("2d");
  if (!context) return;
  const image = before?.image ?? context.createImageData(width, height);
  const pixels = new Uint32Array(image.data.buffer);
  if (typeof colours === "function") for (let k = 0; k < bytes.length; k += 1) pixels[k] = colours(k);
  else for (let k = 0; k < bytes.length; k += 1) pixels[k] = colours[bytes[k]];
  context.putImageData(image, 0, 0);
  painted.set(canvas, { image, bytes, colours, scheme });
}

/** A colour of these tables as CSS has it. @param {number} colour */
export const css = (colour) => `rgb(${colour & 255} ${(colour >> 8) & 255} ${(colour >> 16) & 255})`;

/**
 * The colour of a target: of a class, or of a value from 0 to 1.
 * @param {number} target
 * @param {number} classes how many there are; 0 for values
 */
export function targetColour(target, classes) {
  if (classes > 2) return CLASSES[target % CLASSES.length];
  if (classes) return target ? theme.positive : theme.negative;
  return css(diverging[Math.round(1 + 254 * Math.min(1, Math.max(0, target)))]);
}
