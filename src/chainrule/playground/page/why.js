// Where a number comes from: the chain rule of a weight with the numbers in, its history, and its change by hand.

import uPlot from "./uplot/uPlot.js";
import { theme } from "./colours.js";
import { byId, choice, field, focusAgain, h, icon, labelOf, number, put } from "./dom.js";
import { ask, on, page } from "./page.js";
import { partOf } from "./parts.js";

const box = byId("why");
let name = "";
/** @type {Element | null} */
let opener = null;

/** @param {string} address such as `dense_1.W[0, 1]` */
export function askWhy(address) {
  if (box.hidden) opener = document.activeElement;
  name = address;
  ask("why", { name, row: page.view.row });
}

/** @param {string} title @param {...(Node | string)} parts */
function open(title, ...parts) {
  const inside = box.contains(document.activeElement);
  const focused = inside ? document.activeElement?.getAttribute("aria-label") || "Close" : "";
  const close = h("button", { class: "plain icon", "aria-label": "Close", onclick: shut }, icon("close"));
  box.replaceChildren(h("div", { class: "panel-head" }, h("h2", {}, title), close), ...parts);
  const first = box.hidden;
  box.hidden = false;
  const again = focused && box.querySelector(`[aria-label="${focused}"]`);
  if (again instanceof HTMLElement) again.focus();
  else if (first || focused) close.focus();
}

function shut() {
  box.hidden = true;
  name = "";
  if (opener instanceof HTMLElement && opener.isConnected) opener.focus();
  else if (opener) focusAgain(byId("network"), labelOf(opener)); // the drawing was made anew meanwhile
}

/** @param {import("./types.js").Explained} told */
function explain(told) {
  if (told.name !== name && !name.startsWith(told.name.slice(0, 6))) return;
  const term = (/** @type {string} */ label, /** @type {number} */ value) => h("div", {}, h("dt", {}, label), h("dd", {}, number(value, 6)));
  const plot = h("div", { class: "plot low" });
  const again = h("button", { onclick: () => askWhy(told.name) }, "Ask again");
  const scope = told.row === null ? "sum over some training rows" : `of row ${told.row}`;
  open(`Why ${told.name}?`,
    h("p", { class: "note" }, `The gradient of the loss by this number, ${scope}, with the weights of step ${page.frame?.head.taken ?? 0}. `, again),
    h("dl", { class: "numbers" }, term("its value", told.value), term("gradient", told.gradient), term("finite difference", told.difference)),
    changeByHand(told),
    h("h3", {}, "Its history"), plot,
    ...told.parts.map(partOf));
  history(plot, told);
}

/** @param {import("./types.js").Explained} told */
function changeByHand(told) {
  const width = Math.max(1, 2 * Math.abs(told.value));
  const exact = h("input", { type: "number", step: "any", value: Number(told.value.toPrecision(6)), "aria-label": "New value" });
  const slide = h("input", { type: "range", min: told.value - width, max: told.value + width, step: width / 200, value: told.value, "aria-label": "New value, by hand" });
  const put = (/** @type {string} */ value) => {
    if (!Number.isFinite(Number(value)) || value === "") return;
    ask("change", { name: told.name, value: Number(value) });
  };
  slide.addEventListener("input", () => {
    exact.value = String(Number(Number(slide.value).toPrecision(6)));
    put(slide.value);
  });
  slide.addEventListener("change", () => askWhy(told.name));
  exact.addEventListener("change", () => {
    put(exact.value);
    askWhy(told.name);
  });
  return h("div", { class: "field" }, h("span", { class: "label" }, "Change it by hand and see what moves"), h("div", { class: "row" }, slide, exact));
}

/** @param {HTMLElement} plot @param {import("./types.js").Explained} told */
function history(plot, told) {
  if (told.steps.length < 2) {
    plot.className = "empty";
    plot.textContent = "It has only one value so far: train, and ask again.";
    return;
  }
  const axis = { stroke: theme.quiet, grid: { stroke: theme.line, width: 1 }, ticks: { show: false }, font: "11px system-ui, sans-serif" };
  new uPlot({
    width: plot.clientWidth, height: 120, legend: { show: false }, scales: { x: { time: false } },
    axes: [{ ...axis, size: 24 }, { ...axis, size: 48 }],
    series: [{}, { stroke: theme.positive, width: 1.8, points: { show: false } }],
  }, [told.steps, told.values], plot);
}

/**
 * A unit: its bias and the weights that come in, each of which can be asked about.
 * @param {number} k the column; 0 for the inputs
 * @param {number} unit
 */
export function showNode(k, unit) {
  const { setup, frame } = page;
  if (!setup || !frame) return;
  if (box.hidden) opener = document.activeElement;
  if (k === 0) {
    const axis = setup.axes[unit];
    open(setup.picture_side ? "The inputs" : `Input ${axis.name}`, h("p", {}, setup.picture_side ? `A picture of ${setup.picture_side} × ${setup.picture_side} pixels. Choose a row of the data to send it through the network.` : `From ${number(axis.low_value)} to ${number(axis.high_value)} in the table, scaled to ${number(axis.low)} to ${number(axis.high)}.`));
    return;
  }
  const layer = setup.layers[k - 1];
  const [from] = frame.head.shown[k - 1];
  const weights = frame.arrays[`W${k - 1}`];
  const [count, units] = weights.shape;
  const j = unit - frame.head.shown[k][0];
  const button = (/** @type {string} */ address, /** @type {string} */ label, /** @type {number} */ value) => h("button", { onclick: () => askWhy(address), "data-array": label === "b" ? `b${k - 1}` : `W${k - 1}`, "data-place": label === "b" ? j : Number(label.slice(2, -1)) - from, "data-unit": j, "data-label": label }, `${label} ${number(value)}`);
  const rows = Array.from({ length: count }, (_, i) => button(`${layer.name}.W[${from + i}, ${unit}]`, `W[${from + i}]`, weights.values[i * units + j]));
  const bias = layer.bias ? [button(`${layer.name}.b[${unit}]`, "b", frame.arrays[`b${k - 1}`].values[j])] : [];
  const formula = page.welcome?.choices.formulas[layer.activation] ?? "";
  const more = layer.inputs > count ? anyWeight(k, unit, layer) : "";
  open(`${layer.name}, unit ${unit}`,
    h("pre", {}, `z = sum_i x_i W[i, ${unit}] + b[${unit}]\nf(z) = ${formula}`),
    h("h3", {}, "Bias and weights"), h("p", { class: "note" }, "Each can be asked where its gradient comes from."),
    h("div", { class: "weights" }, ...bias, ...rows), more);
}

/**
 * Ask any weight of a wide layer: by the name of its input, or by the number of the unit that it comes from.
 * @param {number} k @param {number} unit @param {{name: string, inputs: number}} layer
 */
function anyWeight(k, unit, layer) {
  const names = k === 1 ? (page.setup?.axes ?? []).map((axis) => axis.name) : Array.from({ length: layer.inputs }, (_, i) => `unit ${i}`);
  const pick = choice(names, "", (name) => askWhy(`${layer.name}.W[${names.indexOf(name)}, ${unit}]`), (name) => name);
  pick.prepend(h("option", { value: "", selected: true, disabled: true }, `one of ${layer.inputs}`));
  return field("Any other weight, by where it comes from", pick);
}

/** The weights of the unit that is looked at, as they are now. @param {import("./types.js").Frame} frame */
function follow(frame) {
  if (box.hidden) return;
  for (const each of /** @type {NodeListOf<HTMLElement>} */ (box.querySelectorAll(".weights button"))) {
    const { array = "", place = "", unit = "", label } = each.dataset;
    const found = frame.arrays[array];
    const value = found?.values[array[0] === "b" ? Number(place) : Number(place) * found.shape[1] + Number(unit)];
    put(each, `${label} ${number(value)}`);
  }
}

export function mountWhy() {
  on("reading", follow);
  on("explained", explain);
  on("view", () => name && askWhy(name));
  addEventListener("keydown", (event) => event.key === "Escape" && !box.hidden && shut());
}
