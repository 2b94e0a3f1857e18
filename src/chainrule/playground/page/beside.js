// Two runs from one point: the one that is shown, and the one beside it, which stays as it is set.

import { h, icon, whole, words } from "./dom.js";
import { ask, on } from "./page.js";

export const forkButton = h("button", { title: "Put this run beside, as it is, and go on from here with a second one; both take every step", onclick: () => ask("fork") }, icon("fork"), "Fork");
export const besideBox = h("section", { class: "beside", hidden: true, "aria-label": "The run beside" });
const title = h("h3");
const where = h("p", { class: "note", role: "status" });
const tables = h("div");
/** @type {import("./types.js").Beside | null} */
export let beside = null;

/** @param {string} caption @param {[string, string, string][]} lines */
function table(caption, lines) {
  const head = h("tr", {}, h("th", { scope: "col" }, caption), h("th", { scope: "col" }, "here"), h("th", { scope: "col" }, "beside"));
  return h("table", {}, h("thead", {}, head), h("tbody", {}, ...lines.map(([name, here, there]) => h("tr", {}, h("th", { scope: "row" }, words(name)), h("td", {}, here), h("td", {}, there)))));
}

/** @param {import("./types.js").Beside} told */
function show(told) {
  beside = told;
  const asked = document.activeElement === forkButton;
  besideBox.hidden = false;
  forkButton.disabled = true;
  if (asked) besideBox.querySelector("button")?.focus();
  title.textContent = `Beside it: ${told.title}`;
  where.textContent = `step ${whole(told.taken)}${told.state === "paused" ? "" : `, ${told.state}`}`;
  const same = h("p", { class: "note" }, "Set alike so far: change something, and it is changed in this run alone.");
  tables.replaceChildren(table("Result", told.scores), told.differs.length ? table("Setting", told.differs) : same);
}

export function mountBeside() {
  besideBox.append(
    h("div", { class: "panel-head" }, title, where),
    h("div", { class: "wide", tabindex: 0, role: "region", "aria-label": "Both runs compared" }, tables),
    h("div", { class: "row field" },
      h("button", { title: "Show the run beside, and put this one there", onclick: () => ask("swap") }, "Change places"),
      h("button", { title: "End the run beside", onclick: () => ask("part") }, "End it")));
  on("beside", show);
  on("alone", () => {
    beside = null;
    const asked = besideBox.contains(document.activeElement);
    besideBox.hidden = true;
    forkButton.disabled = false;
    if (asked) forkButton.focus();
  });
}
