// The parts of an explanation: words and cells as elements.

import { h } from "./dom.js";

/** @param {import("./types.js").Part} part */
export function partOf(part) {
  if (part.kind === "heading") return h("h3", {}, part.text);
  if (part.kind === "sentence") return h("p", { class: part.tone }, part.text);
  if (part.kind === "formula") return h("pre", {}, part.lines.join("\n"));
  const right = (/** @type {number} */ k) => (part.right.includes(k) || part.kind === "matrix" ? "right" : "");
  const head = part.head.length ? h("thead", {}, h("tr", {}, ...part.head.map((cell, k) => (cell ? h("th", { class: right(k), scope: "col" }, cell) : h("td"))))) : "";
  const body = h("tbody", {}, ...part.rows.map((row) => h("tr", {}, ...row.map((cell, k) => h("td", { class: right(k) }, cell)))));
  return h("div", {}, part.kind === "matrix" ? h("pre", {}, part.text) : "", h("div", { class: "wide", tabindex: 0 }, h("table", {}, head, body)));
}
