// Lessons: the page leads, waits until it has been done, and says what it shows.

import { byId, h, icon } from "./dom.js";
import { found, LESSONS, WORKED } from "./lesson-list.js";
import { ask, configure, look, on, page } from "./page.js";
import { partOf } from "./parts.js";

/** @typedef {import("./lesson-list.js").Lesson} Lesson */

const box = h("div", { class: "lesson", hidden: true, tabindex: -1, role: "region", "aria-label": "Lesson" });
const list = h("div", { class: "popover lessons", hidden: true, role: "dialog", "aria-label": "Lessons" });
const opener = h("button", { class: "plain", "aria-haspopup": "dialog", "aria-expanded": "false", onclick: () => open(list.hidden) }, "Lessons");
/** @type {Lesson | null} */
let lesson = null;
let place = 0;
let done = false;

/** Show the list, or hide it. @param {boolean} shown */
function open(shown) {
  list.hidden = !shown;
  opener.setAttribute("aria-expanded", String(shown));
}

/** @param {Lesson} chosen */
function begin(chosen) {
  open(false);
  lesson = chosen;
  show(0);
}

/** @param {number} step */
function show(step) {
  if (!lesson) return;
  [place, done, found.rules] = [step, false, []];
  const { set, sheet, view, say, ask: wanted } = lesson.steps[step];
  if (view) look(view);
  if (set) configure(set);
  if (sheet) ask("load", { sheet });
  const last = step === lesson.steps.length - 1;
  box.hidden = false;
  box.replaceChildren(
    h("div", { class: "panel-head" }, h("h3", {}, lesson.name), h("span", { class: "tag" }, `${step + 1} of ${lesson.steps.length}`), h("button", { class: "plain icon", "aria-label": "End the lesson", onclick: end }, icon("close"))),
    h("p", {}, say), wanted ? question(wanted) : "", h("div", { class: "after", role: "status" }),
    h("div", { class: "row" }, h("button", { disabled: step === 0, onclick: () => show(step - 1) }, "Back"), h("button", { class: "next", onclick: () => (last ? end() : show(step + 1)) }, last ? "End" : "Skip")));
  box.focus(); // where a question does not take it
}

/** A number to be worked out: it is marked as an exercise is. @param {[string, string]} wanted */
function question([name, how]) {
  const input = h("input", { type: "text", inputmode: "decimal", autocomplete: "off", "aria-label": how });
  const send = () => {
    const number = Number(input.value.trim().replace(",", "."));
    if (input.value.trim()) ask("mark", { sheet: WORKED, answers: { [name]: Number.isNaN(number) ? input.value : number } });
  };
  input.addEventListener("keydown", (event) => event.key === "Enter" && send());
  setTimeout(() => input.focus());
  return h("div", { class: "ask" }, h("code", {}, `${how} =`), input, h("button", { onclick: send }, "Check"));
}

/** @param {import("./types.js").Marked} told */
function hear(told) {
  const wanted = lesson?.steps[place].ask;
  if (!wanted || told.sheet !== WORKED || told.answers[0]?.name !== wanted[0] || done) return;
  if (told.ok) finish();
  else box.querySelector(".after")?.replaceChildren(h("b", { class: "alarm" }, "✗ Not yet. "), ...told.parts.filter(({ kind, head }) => kind === "sentence" || (kind === "table" && !head.length)).slice(1).map(partOf));
}

/** Whether the step has been done; once it has, it stays so. */
function check() {
  if (!lesson || done || page.frame?.head.setup !== page.setup?.number) return;
  const step = lesson.steps[place];
  if (step.done?.()) finish();
}

function finish() {
  if (!lesson) return;
  done = true;
  box.querySelector(".after")?.replaceChildren(h("b", { class: "good" }, "✓ "), lesson.steps[place].after ?? "");
  const next = box.querySelector("button.next");
  next?.classList.add("main");
  if (next && place < lesson.steps.length - 1) next.textContent = "Next";
}

function end() {
  lesson = null;
  const inside = box.contains(document.activeElement);
  box.hidden = true;
  if (inside) opener.focus();
}

export function mountLessons() {
  list.append(...LESSONS.map((each) => h("button", { class: "plain", onclick: () => begin(each) }, h("b", {}, each.name), h("span", {}, each.about))));
  list.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    open(false);
    opener.focus();
  });
  addEventListener("pointerdown", ({ target }) => !list.hidden && !list.parentElement?.contains(/** @type {Node} */ (target)) && open(false));
  byId("tools").prepend(h("div", { class: "anchor" }, opener, list));
  byId("network").before(box);
  on("frame", check);
  on("curves", check);
  on("view", check);
  on("marked", hear);
  on("diagnosed", (/** @type {import("./types.js").Diagnosed} */ told) => {
    found.rules = told.findings.map((finding) => finding.rule);
    check();
  });
}

