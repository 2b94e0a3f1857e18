// What the network says of the row that was chosen.

import { greys, paint, targetColour } from "./colours.js";
import { h, put } from "./dom.js";
import { look, page } from "./page.js";

const picture = h("canvas", { role: "img", "aria-label": "The chosen row as a picture" });
const says = h("p");
const bars = h("div", { class: "bars" });
const any = h("button", { onclick: () => look({ row: Math.floor(Math.random() * rows()) }) }, "Another row");
export const answerBox = h("div", { class: "answer", hidden: true }, h("div", { class: "head" }, picture, h("div", {}, says, any)), bars);
let built = "";
let said = "";

const rows = () => (page.setup ? page.setup.training_rows + page.setup.held_rows : 1);

/** @param {import("./types.js").Frame} frame */
export function showAnswer({ head, arrays }) {
  const { setup } = page;
  answerBox.hidden = !head.answer;
  if (!head.answer || !setup) return;
  const { actual, answered, shares } = head.answer;
  const held = (head.row ?? 0) >= setup.training_rows ? "held out" : "trained on";
  const right = actual === answered;
  const key = JSON.stringify([setup.number, head.row, held, actual, answered]);
  if (key !== said) says.replaceChildren(`Row ${head.row}, ${held}. ${setup.targets.join(", ")} is `, h("b", {}, actual), shares ? (right ? ", and so it says" : ", it says ") : ", it says ", right && shares ? "" : h("b", { class: shares ? "alarm" : "" }, answered));
  said = key;
  const pixels = arrays.picture0;
  picture.hidden = !pixels;
  if (pixels) paint(picture, /** @type {Uint8Array} */ (pixels.values), pixels.shape[1], greys);
  if (shares && shares.length <= 30) showShares(shares, setup.classes);
  else bars.replaceChildren();
}

/** @param {number[]} shares @param {string[]} classes */
function showShares(shares, classes) {
  const key = classes.join("|");
  if (key !== built || !bars.children.length) {
    built = key;
    bars.replaceChildren(...classes.flatMap((name, k) => {
      const bar = h("b");
      bar.style.background = targetColour(k, classes.length);
      return [h("span", {}, name), h("i", {}, bar), h("span")];
    }));
  }
  shares.forEach((share, k) => {
    const bar = /** @type {HTMLElement} */ (bars.children[3 * k + 1].firstChild);
    bar.style.transform = `scaleX(${share})`;
    put(bars.children[3 * k + 2], `${(100 * share).toFixed(1)}%`);
  });
}
