// Forms for records of the library, made from their fields: whatever the library gets, the page has.

import { choice, field, h, words } from "./dom.js";
import { page } from "./page.js";

/**
 * @typedef {import("./types.js").Chosen} Chosen
 * @typedef {import("./types.js").Field} Field
 */

const NAMES = /** @type {Record<string, () => readonly string[]>} */ ({
  schedule: () => (page.welcome?.choices.schedules ?? []).filter((name) => name !== "warm_up"),
});

/** @param {Chosen} chosen */
export const nameOf = (chosen) => (typeof chosen === "string" ? chosen : chosen.name);

/** @param {Chosen} chosen */
const optionsOf = (chosen) => (typeof chosen === "string" ? {} : Object.fromEntries(Object.entries(chosen).filter(([name]) => name !== "name")));

/** A choice in a few words: its name, and how many options are not as by themselves. @param {Chosen} chosen */
export function told(chosen) {
  const given = Object.entries(optionsOf(chosen)).map(([name, value]) => `${words(name)} ${value?.name ?? value}`);
  return [words(nameOf(chosen)), ...given].join(", ");
}

/**
 * A name among those that there are, and its options below it.
 * @param {string} label
 * @param {string} kind of record, as in `records.py`
 * @param {readonly string[]} names
 * @param {Chosen} chosen
 * @param {(chosen: Chosen) => void} changed
 * @param {(name: string) => string} [tell]
 * @param {string} [means] what the choice comes to, beside the label
 * @returns {HTMLElement}
 */
export function chooser(label, kind, names, chosen, changed, tell = words, means = "") {
  const name = nameOf(chosen);
  const fields = page.welcome?.choices.forms[kind]?.[name] ?? [];
  const given = optionsOf(chosen);
  const rest = fields.length ? h("details", { class: "options", "data-of": `${label} ${name}`, open: Object.keys(given).length > 0 },
    h("summary", {}, `Options of ${words(name)}`),
    ...controls(fields, given, (options) => changed(Object.keys(options).length ? { name, ...options } : name))) : "";
  return h("div", {}, field(label, choice(names, name, changed, tell), means ? h("output", {}, means) : null), rest);
}

/**
 * The controls of some fields.
 * @param {Field[]} fields
 * @param {Record<string, any>} given what is not as by itself
 * @param {(given: Record<string, any>) => void} changed
 * @returns {HTMLElement[]}
 */
export function controls(fields, given, changed) {
  return fields.map((each) => {
    const put = (/** @type {any} */ value) => {
      const { [each.name]: _, ...others } = given;
      given = value === undefined || JSON.stringify(value) === JSON.stringify(each.usual) ? others : { ...others, [each.name]: value };
      changed(given);
    };
    return control(each, given[each.name] ?? each.usual, put);
  });
}

/** @param {Field} each @param {any} value @param {(value: any) => void} put @returns {HTMLElement} */
function control(each, value, put) {
  const label = words(each.name);
  const label_ = label[0].toUpperCase() + label.slice(1);
  if (each.kind === "choice") return field(label_, choice(each.choices, value, put, (name) => words(name) || "what suits"));
  if (each.kind === "record") return chooser(`${label_} after it`, each.choices[0], NAMES[each.choices[0]](), value ?? "constant", (chosen) => put(chosen === "constant" ? undefined : chosen));
  if (each.kind === "flag") return tick(label_, value, put);
  if (each.kind === "some") return some(label_, each.choices, value, put);
  if (each.kind === "wholes") {
    const input = h("input", { type: "text", inputmode: "numeric", value: value.join(", "), onchange: () => put(input.value.split(/[\s,;]+/).filter(Boolean).map(Number)) });
    return field(label_, input);
  }
  const input = h("input", { type: "number", step: each.kind === "whole" ? 1 : "any", value: value ?? "", placeholder: each.optional ? "none" : "", onchange: () => {
    if (input.value !== "") put(Number(input.value));
    else if (each.optional) put(undefined);
    else input.value = value;
  } });
  return field(label_, input);
}

/** @param {string} label @param {boolean} value @param {(value: boolean) => void} put @param {boolean} [disabled] */
export function tick(label, value, put, disabled = false) {
  const box = h("input", { type: "checkbox", checked: value, disabled, "data-field": label, onchange: () => put(box.checked) });
  return h("label", { class: "row field tick" }, box, label);
}

/** Some of a few words. @param {string} label @param {string[]} names @param {string[]} value @param {(value: string[]) => void} put */
export function some(label, names, value, put) {
  const ticks = names.map((name) => tick(name, value.includes(name), (on) => put(names.filter((each) => (each === name ? on : value.includes(each))))));
  return h("fieldset", { class: "field some" }, h("legend", {}, label), ...ticks);
}
