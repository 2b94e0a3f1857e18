// Exercise sheets: drawn, filled in and marked on the page; the network of each can be put above.

import { field, h } from "./dom.js";
import { controls } from "./form.js";
import { ask, on, page } from "./page.js";
import { partOf } from "./parts.js";

/** @typedef {import("./types.js").Sheet} Sheet */

export const exercises = h("div");
const form = h("div", { class: "fields" });
const paper = h("div", { class: "paper" });
const verdict = h("div", { role: "status", class: "verdict" });
/** @type {Record<string, any>} */
let options = {};
let [seed, student] = [0, 1];
/** @type {Sheet | null} */
let sheet = null;
/** @type {Map<string, HTMLInputElement[]>} the places of each number, row by row */
const places = new Map();

/** What the form was made of is what the server offers; it is made once. */
export function showExercises() {
  if (form.children.length || !page.welcome) return;
  const whole = (/** @type {string} */ label, /** @type {number} */ value, /** @type {(value: number) => void} */ put) => {
    const input = h("input", { type: "number", min: 0, value, onchange: () => put(Number(input.value)) });
    return field(label, input);
  };
  form.append(
    whole("Seed of all numbers", seed, (value) => (seed = value)),
    whole("Sheet", student, (value) => (student = value)),
    ...controls(page.welcome.exercise, options, (given) => (options = given)));
  const draw = h("button", { class: "main", onclick: () => ask("draw", { options, seed, student }) }, "Draw the sheet");
  const details = h("details", { class: "more", open: true }, h("summary", {}, "Which exercise"), form);
  exercises.replaceChildren(
    h("p", {}, "A small network with numbers, and one step of gradient descent to be done by hand; the same sheets as those of chainrule exercise."),
    details, h("div", { class: "row field" }, draw), paper);
}

/** @param {Sheet} told */
function show(told) {
  sheet = told;
  places.clear();
  verdict.replaceChildren();
  /** @type {HTMLElement[]} */
  const asked = [];
  let part = "";
  for (const blank of told.blanks) {
    if (blank.part !== part) asked.push(h("h3", {}, blank.part), h("div", { class: "asked" }));
    part = blank.part;
    asked.at(-1)?.append(blankOf(blank));
  }
  paper.replaceChildren(
    h("div", { class: "panel-head" }, h("h3", {}, told.title), h("button", { onclick: () => ask("load", { sheet: told.name }) }, "Put its network above")),
    h("div", { class: "given" }, ...told.given.map(partOf)), ...asked,
    h("div", { class: "row field" }, h("button", { class: "main", onclick: mark }, "Mark it"), h("span", { class: "note" }, "Any part of it; what is left empty is not marked.")),
    verdict);
  paper.querySelector("input")?.focus();
}

/** @param {import("./types.js").Blank} blank */
function blankOf({ name, shape, formula }) {
  const [rows, columns] = shape.length > 1 ? shape : [1, shape[0] ?? 1];
  const inputs = Array.from({ length: rows * columns }, (_, k) => {
    const at = shape.length > 1 ? `[${Math.floor(k / columns)}, ${k % columns}]` : shape.length ? `[${k}]` : "";
    return h("input", { type: "text", inputmode: "decimal", autocomplete: "off", "aria-label": `${name}${at}`, oninput: (/** @type {Event} */ event) => judge(/** @type {HTMLInputElement} */ (event.target), null) });
  });
  places.set(name, inputs);
  const grid = h("div", { class: "blanks" }, ...inputs);
  grid.style.gridTemplateColumns = `repeat(${columns}, minmax(64px, 104px))`;
  const own = /^dense_\d+\.(Z|Y|d.*)$/.test(name) ? name.slice(name.indexOf(".") + 1) : name; // its layer stands above
  const size = shape.length ? ` (${shape.join(", ")})` : "";
  return h("div", { class: "blank" }, h("code", {}, `${own.replace(".new", " new")}${size}${formula ? ` = ${formula}` : ""}`), grid);
}

/** As typed, a decimal comma too; null where nothing stands. @param {HTMLInputElement} input */
function numberIn(input) {
  const text = input.value.trim().replace(",", ".").replace("−", "-");
  return text === "" ? null : Number.isNaN(Number(text)) ? text : Number(text);
}

function mark() {
  if (!sheet) return;
  /** @type {Record<string, any>} */
  const answers = {};
  for (const { name, shape } of sheet.blanks) {
    const numbers = (places.get(name) ?? []).map(numberIn);
    if (numbers.every((each) => each === null)) continue;
    const [, columns] = shape;
    answers[name] = shape.length === 0 ? numbers[0] : columns ? Array.from({ length: shape[0] }, (_, i) => numbers.slice(i * columns, (i + 1) * columns)) : numbers;
  }
  ask("mark", { sheet: sheet.name, answers });
}

/** @param {HTMLInputElement} input @param {boolean | null} right */
function judge(input, right) {
  input.classList.toggle("right", right === true);
  input.classList.toggle("wrong", right === false);
  if (right === false) input.setAttribute("aria-invalid", "true");
  else input.removeAttribute("aria-invalid");
}

/** @param {import("./types.js").Marked} told */
function showMarked(told) {
  if (told.sheet !== sheet?.name) return;
  for (const { name, right, wrong_at } of told.answers) {
    const shape = sheet.blanks.find((blank) => blank.name === name)?.shape ?? [];
    const wrong = new Set(wrong_at.map((at) => (at.length > 1 ? at[0] * shape[1] + at[1] : at[0] ?? 0)));
    places.get(name)?.forEach((input, k) => input.value.trim() && judge(input, right || (wrong_at.length > 0 && !wrong.has(k))));
  }
  verdict.replaceChildren(h("p", { class: told.ok ? "good says" : "alarm says" }, `${told.ok ? "✓" : "✗"} ${told.title}`), ...told.parts.map(partOf));
}

export function mountExercises() {
  on("sheet", show);
  on("marked", showMarked);
}
