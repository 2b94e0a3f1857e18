// The head of each column: its units and activation, and the card that edits the rest.

import { byId, choice, field, focusAgain, h, icon, labelOf, words } from "./dom.js";
import { chooser, nameOf, some, tick, told } from "./form.js";
import { configure, page } from "./page.js";

/** @typedef {import("./types.js").HiddenLayer} HiddenLayer */

const MOST = 10_000;
/** @type {HTMLElement | null} */
let card = null;

/** @returns {HiddenLayer[]} */
const hidden = () => page.setup?.setting.layers ?? [];

/** @param {number} place @param {Partial<HiddenLayer>} change */
function edit(place, change) {
  configure({ layers: hidden().map((layer, k) => (k === place ? { ...layer, ...change } : layer)) });
}

/** @param {number} units @param {import("./types.js").Chosen} activation @returns {HiddenLayer} */
export const plainLayer = (units, activation) => ({ units, activation, bias: true, frozen: [], init: "auto", bias_init: "zeros", norm: "none", norm_first: false, dropout: 0, shortcut: 0 });

/** @param {number} place of the new layer among the hidden ones */
export function addLayer(place) {
  const like = hidden()[Math.max(place - 1, 0)];
  const layer = like ? { ...like, shortcut: 0 } : plainLayer(6, "tanh");
  configure({ layers: [...hidden().slice(0, place), layer, ...hidden().slice(place)] });
}

/**
 * The head of column k: 0 for the inputs, the last for the outputs.
 * @param {number} k
 * @returns {HTMLElement}
 */
export function layerCard(k) {
  const setup = /** @type {import("./types.js").Setup} */ (page.setup);
  if (k === 0) return h("div", { class: "column-head" }, h("div", { class: "name" }, `${setup.axes.length} input${setup.axes.length === 1 ? "" : "s"}`), h("div", { class: "kind" }, setup.picture_side ? `${setup.picture_side} × ${setup.picture_side} pixels` : setup.setting.scaling === "none" ? "as they are" : "scaled"));
  const shown = setup.layers[k - 1];
  const last = k === setup.layers.length;
  const layer = last ? setup.setting.output : hidden()[k - 1];
  const name = last ? `${shown.units} output${shown.units === 1 ? "" : "s"}` : `${shown.units} unit${shown.units === 1 ? "" : "s"}`;
  const kind = nameOf(layer.activation) === "auto" ? words(shown.activation) : told(layer.activation);
  const button = h("button", { class: "card", "data-field": `layer ${k}`, "aria-haspopup": "dialog", title: `Change this layer: ${kind}`, onclick: () => openCard(k, button) },
    h("span", { class: "name" }, name), h("span", { class: "kind" }, kind));
  return h("div", { class: "column-head" }, button, last ? "" : unitButtons(k, hidden()[k - 1]));
}

/** @param {number} k @param {HiddenLayer} layer */
function unitButtons(k, layer) {
  const past = layer.shortcut ? `+ past ${layer.shortcut}` : "";
  const extra = [past, nameOf(layer.norm) === "none" ? "" : `${nameOf(layer.norm)} norm`, layer.dropout ? `drop ${Math.round(layer.dropout * 100)}%` : ""].filter(Boolean);
  const step = layer.units < 16 ? 1 : layer.units < 64 ? 8 : 32;
  return h("div", { class: "units" },
    h("button", { "aria-label": `Fewer units in hidden layer ${k}`, disabled: layer.units <= 1, onclick: () => edit(k - 1, { units: Math.max(1, layer.units - step) }) }, "−"),
    h("span", { class: "kind", title: extra.join(", ") }, extra.join(", ")),
    h("button", { "aria-label": `More units in hidden layer ${k}`, onclick: () => edit(k - 1, { units: Math.min(MOST, layer.units + step) }) }, "+"));
}

export function closeCard() {
  card?.remove();
  card = null;
}

/**
 * Before the drawing is made anew: what is to be done after it, so that the card that is open stays, and so does the focus.
 * @param {HTMLElement} drawing
 */
export function keepPlace(drawing) {
  const focused = /** @type {HTMLElement | null} */ (document.activeElement);
  const label = focused && drawing.contains(focused) ? labelOf(focused) : null;
  const [layer, layers] = [card?.dataset.layer, card?.dataset.layers];
  const control = card?.contains(focused) ? focused?.dataset.field : undefined;
  const opened = [...(card?.querySelectorAll("details[open] > summary") ?? [])].map((each) => each.textContent);
  closeCard();
  return () => {
    if (label !== null) focusAgain(drawing, label);
    const opener = /** @type {HTMLElement | undefined} */ (drawing.querySelectorAll(".column-head")[Number(layer)]?.querySelector("button.card"));
    if (layer === undefined || layers !== cardKey() || !opener) return;
    openCard(Number(layer), opener);
    for (const summary of card?.querySelectorAll("summary") ?? []) if (opened.includes(summary.textContent)) /** @type {HTMLDetailsElement} */ (summary.parentElement).open = true;
    if (control) /** @type {HTMLElement | null | undefined} */ (card?.querySelector(`[data-field="${CSS.escape(control)}"]`))?.focus();
  };
}

/** What a card belongs to: data, and as many layers. */
const cardKey = () => `${page.setup?.setting.data} ${page.setup?.layers.length}`;

/** @param {number} k @param {HTMLElement} opener */
function openCard(k, opener) {
  const wasOpen = card?.dataset.layer === String(k);
  closeCard();
  const choices = page.welcome?.choices;
  if (wasOpen || !choices) return;
  const last = k === page.setup?.layers.length;
  const title = last ? "Output layer" : `Hidden layer ${k}`;
  const close = () => {
    closeCard();
    opener.focus();
  };
  card = h("div", { class: "popover", role: "dialog", "aria-label": title, "data-layer": k, "data-layers": cardKey(), onkeydown: (/** @type {KeyboardEvent} */ event) => event.key === "Escape" && close() },
    h("div", { class: "panel-head" }, h("h2", {}, title), h("button", { class: "plain icon", "aria-label": "Close", onclick: close }, icon("close"))),
    ...(last ? outputFields(choices) : hiddenFields(k - 1, choices)));
  const panel = byId("network"); // not the drawing, which scrolls and would cut it off
  const [box, at] = [panel.getBoundingClientRect(), opener.getBoundingClientRect()];
  const left = Math.max(8, Math.min(at.left + at.width / 2 - box.left - 120, box.width - 248));
  Object.assign(card.style, { left: `${left}px`, top: `${at.bottom - box.top + 6}px` });
  panel.append(card);
  /** @type {HTMLElement | null} */ (card.querySelector("input, select"))?.focus();
}

/** @param {import("./types.js").Choices} choices */
function outputFields(choices) {
  const output = /** @type {import("./types.js").DenseLayer} */ (page.setup?.setting.output);
  return denseFields(output, ["auto", ...choices.activations], choices, (change) => configure({ output: { ...output, ...change } }));
}

/** What every dense layer has. @param {import("./types.js").DenseLayer} layer @param {string[]} activations @param {import("./types.js").Choices} choices @param {(change: Record<string, any>) => void} put */
function denseFields(layer, activations, choices, put) {
  const shown = nameOf(layer.activation) === "auto" ? page.setup?.layers.at(-1)?.activation ?? "" : nameOf(layer.activation);
  return [
    chooser("Activation", "activation", activations, layer.activation, (activation) => put({ activation }), (name) => (name === "auto" ? `auto: ${words(shown)}` : words(name))),
    h("p", { class: "formula" }, `f(z) = ${choices.formulas[shown]}`),
    chooser("Initial weights", "initializer", choices.initializers, layer.init, (init) => put({ init })),
    h("details", { class: "options" }, h("summary", {}, "Bias, and what stays as it is"),
      tick("A bias", layer.bias, (bias) => put({ bias, frozen: bias ? layer.frozen : layer.frozen.filter((name) => name !== "b") })),
      layer.bias ? chooser("Initial biases", "initializer", choices.initializers.filter((name) => name !== "auto" && name !== "orthogonal"), layer.bias_init, (bias_init) => put({ bias_init })) : "",
      some("Training leaves as they are", layer.bias ? ["W", "b"] : ["W"], layer.frozen, (frozen) => put({ frozen }))),
  ];
}

/** @param {number} place @param {import("./types.js").Choices} choices */
function hiddenFields(place, choices) {
  const layer = hidden()[place];
  const put = (/** @type {Partial<HiddenLayer>} */ change) => edit(place, change);
  const units = h("input", { type: "number", min: 1, max: MOST, value: layer.units, onchange: () => put({ units: Math.round(Number(units.value)) || 1 }) });
  const dropout = h("input", { type: "range", min: 0, max: 0.9, step: 0.05, value: layer.dropout, oninput: () => (share.textContent = `${Math.round(Number(dropout.value) * 100)}%`), onchange: () => put({ dropout: Number(dropout.value) }) });
  const share = h("output", {}, `${Math.round(layer.dropout * 100)}%`);
  const passes = Array.from({ length: place + 2 }, (_, n) => n);
  return [
    field("Units", units),
    ...denseFields(layer, choices.activations, choices, put),
    chooser("Normalisation", "norm", choices.norms, layer.norm, (norm) => put({ norm })),
    nameOf(layer.norm) === "none" ? "" : tick("Before the activation", layer.norm_first, (norm_first) => put({ norm_first })),
    field("Dropout after it", dropout, share),
    field("Shortcut (residual connection)", choice(passes.map(String), String(layer.shortcut), (n) => put({ shortcut: Number(n) }), (n) => (n === "0" ? "none" : n === "1" ? "past this layer" : `past this and ${Number(n) - 1} before`))),
    h("div", { class: "field" }, h("button", { onclick: () => { closeCard(); configure({ layers: hidden().filter((_, j) => j !== place) }); } }, "Remove this layer")),
  ];
}
