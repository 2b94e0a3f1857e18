// Small things that every panel uses.

/**
 * An element with its properties and children.
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag
 * @param {Record<string, any>} [props] attributes; functions are listeners: `onclick`
 * @param {...(Node | string | number | null | undefined | false)} children
 * @returns {HTMLElementTagNameMap[K]}
 */
export function h(tag, props = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (typeof value === "function") element.addEventListener(name.slice(2), value);
    else if (name === "class") element.className = value;
    else if (name === "value" && "value" in element) /** @type {any} */ (element).value = value;
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, String(value));
  }
  for (const child of children) {
    if (child !== null && child !== undefined && child !== false) element.append(typeof child === "number" ? String(child) : child);
  }
  return element;
}

/** Write a text where it is another one: the browser lays out anew what is written again. @param {Element} element @param {string} text */
export function put(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/**
 * @param {string} id
 * @returns {HTMLElement}
 */
export function byId(id) {
  const found = document.getElementById(id);
  if (!found) throw new Error(`there is no #${id}`);
  return found;
}

/** By what a control is found again in what was made anew. @param {Element} control */
export const labelOf = (control) => /** @type {HTMLElement} */ (control).dataset.field ?? control.getAttribute("aria-label") ?? control.textContent;

/** Give the focus to the control of that name, or else to the first that can have it. @param {Element} box @param {string | null} name */
export function focusAgain(box, name) {
  const controls = /** @type {HTMLElement[]} */ ([...box.querySelectorAll("button:enabled, input:enabled, select:enabled")]);
  (controls.find((each) => labelOf(each) === name) ?? controls[0])?.focus();
}

/** Put other things into a box; what had the focus there has it again. @param {Element} box @param {...(Node | string)} children */
export function redraw(box, ...children) {
  const focused = document.activeElement;
  const name = focused && box.contains(focused) ? labelOf(focused) : null;
  box.replaceChildren(...children);
  if (name !== null) focusAgain(box, name);
}

const PATHS = {
  play: "M5 3.2v9.6c0 .6.7 1 1.2.6l7-4.8a.8.8 0 0 0 0-1.2l-7-4.8A.8.8 0 0 0 5 3.2Z",
  pause: "M4.5 3h2.6v10H4.5zM8.9 3h2.6v10H8.9z",
  step: "M3 3.4v9.2c0 .6.6.9 1 .6l6-4.6a.8.8 0 0 0 0-1.2L4 2.8c-.4-.3-1 0-1 .6ZM11.4 3H13v10h-1.6z",
  restart: "M8 2.5a5.5 5.5 0 1 1-5.3 4h1.6A4 4 0 1 0 8 4v2L4.6 3.2 8 .5z",
  close: "m4.2 3.2 3.8 3.7 3.8-3.7 1 1L9.1 8l3.7 3.8-1 1L8 9.1l-3.8 3.7-1-1L6.9 8 3.2 4.2z",
  theme: "M8 1.5a6.5 6.5 0 1 0 0 13 6.5 6.5 0 0 0 0-13Zm0 1.5v10A5 5 0 0 1 8 3Z",
  link: "M6.6 4.4 8.2 2.8a3.5 3.5 0 0 1 5 5l-1.6 1.6-1-1 1.5-1.7a2 2 0 0 0-2.9-2.9L7.6 5.4zm2.8 7.2-1.6 1.6a3.5 3.5 0 0 1-5-5l1.6-1.6 1 1-1.5 1.7a2 2 0 0 0 2.9 2.9l1.6-1.6zM5.6 9.4l3.8-3.8 1 1-3.8 3.8z",
  fork: "M4.5 2a2 2 0 0 1 .8 3.8V7h3.2c1 0 1.7-.6 1.7-1.2a2 2 0 1 1 1.5 0A3 3 0 0 1 8.600 8.500H5.300v1.700a2 2 0 1 1-1.600 0V5.800A2 2 0 0 1 4.500 2Z",
};

/**
 * A small picture for a button; the button itself says in words what it does.
 * @param {keyof typeof PATHS} name
 */
export function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 16 16");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  path.setAttribute("d", PATHS[name]);
  path.setAttribute("fill", "currentColor");
  svg.append(path);
  return svg;
}

/**
 * A number as people read it.
 * @param {number | null | undefined} value
 * @param {number} [digits]
 */
export function number(value, digits = 4) {
  if (value === null || value === undefined || !Number.isFinite(value)) return "–";
  if (value !== 0 && (Math.abs(value) < 1e-3 || Math.abs(value) >= 1e6)) return value.toExponential(Math.max(2, digits - 2)).replace("e+", "e");
  return String(Number(value.toPrecision(digits)));
}

const grouped = new Intl.NumberFormat("en");

/** @param {number} value */
export const whole = (value) => grouped.format(value);

/** @param {string} name snake_case, as the library writes it */
export const words = (name) => name.replaceAll("_", " ");

/**
 * A field: its label, its control, what it shows.
 * @param {string} label
 * @param {HTMLElement} control
 * @param {HTMLElement | null} [shown]
 */
export function field(label, control, shown = null) {
  control.id ||= `field-${label.toLowerCase().replace(/[^a-z]+/g, "-")}-${(count += 1)}`;
  control.dataset.field = label;
  return h("div", { class: "field" }, h("label", { for: control.id }, h("span", {}, label), shown), control);
}
let count = 0;

/**
 * A choice among names.
 * @param {readonly string[]} names
 * @param {string} chosen
 * @param {(name: string) => void} changed
 * @param {(name: string) => string} [told]
 */
export function choice(names, chosen, changed, told = words) {
  const select = h("select", { onchange: () => changed(select.value) });
  for (const name of names) select.append(h("option", { value: name, selected: name === chosen }, told(name)));
  return select;
}

/**
 * Tell something, for a while.
 * @param {string} text
 */
export function toast(text) {
  const toasts = byId("toasts");
  if ([...toasts.querySelectorAll("p")].some((p) => p.textContent === text)) return;
  const close = h("button", { "aria-label": "Dismiss", onclick: () => box.remove() }, icon("close"));
  const box = h("div", { class: "toast" }, h("p", {}, text), close);
  toasts.append(box);
  setTimeout(() => box.remove(), 9000);
}
