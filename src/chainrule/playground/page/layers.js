// The head of each column: its units and activation, and the card that edits the rest.

import { choice, field, h, icon, words } from "./dom.js";
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

/** @param {number} place of the new layer among the hidden ones */
export function addLayer(place) {
  const like = hidden()[Math.max(place - 1, 0)];
  const layer = like ? { ...like } : { units: 6, activation: "tanh", init: "auto", norm: "none", dropout: 0 };
  configure({ layers: [...hidden().slice(0, place), layer, ...hidden().slice(place)] });
}

/**
 * The head of column k: 0 for the inputs, the last for the outputs.
 * @param {number} k
 * @returns {HTMLElement}
 */
export function layerCard(k) {
  const setup = /** @type {import("./types.js").Setup} */ (page.setup);
  if (k === 0) return h("div", { class: "column-head" }, h("div", { class: "name" }, `${setup.axes.length} input${setup.axes.length === 1 ? "" : "s"}`), h("div", { class: "kind" }, setup.picture_side ? `${setup.picture_side} × ${setup.picture_side} pixels` : "scaled"));
  const shown = setup.layers[k - 1];
  if (k === setup.layers.length) return h("div", { class: "column-head" }, h("div", { class: "name" }, `${shown.units} output${shown.units === 1 ? "" : "s"}`), h("div", { class: "kind" }, words(shown.activation)));
  const layer = hidden()[k - 1];
  const extra = [layer.norm === "none" ? "" : `${layer.norm} norm`, layer.dropout ? `drop ${Math.round(layer.dropout * 100)}%` : ""].filter(Boolean);
  const step = layer.units < 16 ? 1 : layer.units < 64 ? 8 : 32;
  const button = h("button", { class: "card", "aria-haspopup": "dialog", title: "Change this layer", onclick: () => openCard(k, button) },
    h("span", { class: "name" }, `${layer.units} units`), h("span", { class: "kind" }, words(layer.activation)));
  return h("div", { class: "column-head" },
    button,
    h("div", { class: "units" },
      h("button", { "aria-label": `Fewer units in hidden layer ${k}`, disabled: layer.units <= 1, onclick: () => edit(k - 1, { units: Math.max(1, layer.units - step) }) }, "−"),
      h("span", { class: "kind" }, extra.join(", ")),
      h("button", { "aria-label": `More units in hidden layer ${k}`, onclick: () => edit(k - 1, { units: Math.min(MOST, layer.units + step) }) }, "+")));
}

export function closeCard() {
  card?.remove();
  card = null;
}

/** @param {number} k @param {HTMLElement} opener */
function openCard(k, opener) {
  const wasOpen = card?.dataset.layer === String(k);
  closeCard();
  const choices = page.welcome?.choices;
  if (wasOpen || !choices) return;
  const place = k - 1;
  const layer = hidden()[place];
  const units = h("input", { type: "number", min: 1, max: MOST, value: layer.units, onchange: () => edit(place, { units: Math.round(Number(units.value)) || 1 }) });
  const dropout = h("input", { type: "range", min: 0, max: 0.9, step: 0.05, value: layer.dropout, oninput: () => (share.textContent = `${Math.round(Number(dropout.value) * 100)}%`), onchange: () => edit(place, { dropout: Number(dropout.value) }) });
  const share = h("output", {}, `${Math.round(layer.dropout * 100)}%`);
  const formula = h("p", { class: "formula" }, `f(z) = ${choices.formulas[layer.activation]}`);
  const close = () => {
    closeCard();
    opener.focus();
  };
  card = h("div", { class: "popover", role: "dialog", "aria-label": `Hidden layer ${k}`, "data-layer": k, onkeydown: (/** @type {KeyboardEvent} */ event) => event.key === "Escape" && close() },
    h("div", { class: "panel-head" }, h("h2", {}, `Hidden layer ${k}`), h("button", { class: "plain icon", "aria-label": "Close", onclick: close }, icon("close"))),
    field("Units", units),
    field("Activation", choice(choices.activations, layer.activation, (activation) => edit(place, { activation }))),
    formula,
    field("Normalisation after it", choice(["none", "batch", "layer"], layer.norm, (norm) => edit(place, { norm }))),
    field("Dropout after it", dropout, share),
    field("Initial weights", choice(choices.initializers, layer.init, (init) => edit(place, { init }))),
    h("div", { class: "field" }, h("button", { onclick: () => { closeCard(); configure({ layers: hidden().filter((_, j) => j !== place) }); } }, "Remove this layer")));
  const drawing = /** @type {HTMLElement} */ (opener.closest(".drawing"));
  const head = /** @type {HTMLElement} */ (opener.parentElement);
  const left = Math.max(0, Math.min(head.offsetLeft - 118, drawing.clientWidth - 240));
  Object.assign(card.style, { left: `${left}px`, top: "46px" });
  drawing.append(card);
  units.focus();
}
