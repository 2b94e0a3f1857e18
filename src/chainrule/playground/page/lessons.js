// Lessons: the page leads, waits until it has been done, and says what it shows.

import { byId, h, icon } from "./dom.js";
import { plainLayer } from "./layers.js";
import { configure, look, on, page } from "./page.js";

/**
 * @typedef {{say: string, done?: () => boolean, after?: string, set?: Partial<import("./types.js").Setting>, view?: Partial<import("./types.js").View>}} Step
 * @typedef {{name: string, about: string, steps: Step[]}} Lesson
 */

/** @param {number} units @param {string} activation @param {number} [count] @param {string} [init] */
const hidden = (units, activation, count = 1, init = "auto") => Array.from({ length: count }, () => ({ ...plainLayer(units, activation), init }));
const PLAIN = { target: null, task: "auto", drop: [], scaling: "standard", noise: 0, training_share: 0.7, loss: "auto", optimizer: "sgd", lr: 0.1, schedule: "constant", l1: 0, l2: 0, output: { activation: "auto", bias: true, frozen: [], init: "auto", bias_init: "zeros" }, start: {}, dtype: "float32", epochs: 5000, batch_size: 32, seed: 0 };

const head = () => page.frame?.head;
const epoch = () => head()?.epoch ?? 0;
/** @param {string} ending */
const score = (ending) => Object.entries(head()?.scores ?? {}).find(([name]) => name.endsWith(ending))?.[1] ?? null;
const series = (/** @type {string} */ name) => (page.curves?.runs[0]?.series[name] ?? []).filter((value) => value !== null);
const layers = () => page.setup?.setting.layers ?? [];
const rate = () => page.setup?.setting.lr ?? 0;
let found = /** @type {string[]} */ ([]);

/** @type {Lesson[]} */
const LESSONS = [
  {
    name: "Three flowers", about: "One step of gradient descent, and the next ones.", steps: [
      { set: { ...PLAIN, data: "iris", layers: hidden(3, "sigmoid"), loss: "half_squared_error", lr: 0.5, batch_size: 0 }, say: "Four measures of a flower, three species, one hidden layer of three sigmoids. Take one step with the button beside Play.", done: () => (head()?.taken ?? 0) >= 1, after: "All training rows made one batch: forward, loss, backward, one change of every weight." },
      { say: "Click a row in the plane on the right: it goes through the network.", done: () => head()?.row !== null && head()?.row !== undefined, after: "Below the plane stands what the network says of it, and what is true." },
      { say: "Now the way back: choose Backward.", done: () => page.view.side === "backward", after: "Lines are now gradients, nodes deltas: how the loss would change with each." },
      { view: { side: "forward", row: null }, say: "Play until nine flowers in ten are right on the rows held out.", done: () => (score("accuracy") ?? 0) >= 0.9, after: "The same step, again and again: nothing else is learning." },
    ],
  },
  {
    name: "XOR and why it needs a hidden layer", about: "What a line cannot part.", steps: [
      { set: { ...PLAIN, data: "xor", layers: [], lr: 0.3 }, say: "Four corners, two classes, no hidden layer. Play for 30 epochs.", done: () => epoch() >= 30 && layers().length === 0, after: "One output of a weighted sum parts the plane by a straight line; no line parts these corners." },
      { say: "Add a hidden layer with the + between inputs and output.", done: () => layers().length >= 1, after: "Each unit draws a line of its own; the output weighs them." },
      { say: "Play until nearly all are right. If it stands still, another seed may help.", done: () => (score("accuracy") ?? 0) >= 0.95, after: "Look at the hidden units: each one is a line, and the surface is put together from them." },
    ],
  },
  {
    name: "Vanishing gradients", about: "Why deep stacks of sigmoids learn slowly.", steps: [
      { set: { ...PLAIN, data: "spirals", layers: hidden(8, "sigmoid", 6) }, view: { side: "backward", row: null }, say: "Six layers of sigmoids. Take an epoch (+1 epoch), and look at the gradients from right to left.", done: () => epoch() >= 1, after: "The slope of a sigmoid is 1/4 at most: through six layers little is left." },
      { say: "Open Diagnosis below the network.", done: () => found.some((rule) => rule.includes("vanish")), after: "It names the ratio of the gradients of the first and the last layer, and remedies." },
      { say: "Open the card of a layer and choose another activation, such as tanh or relu.", done: () => layers().some((layer) => layer.activation !== "sigmoid"), after: "A slope near 1 lets the gradient pass; change the other layers too, and play." },
    ],
  },
  {
    name: "Learning rate", about: "Too small, too large, right.", steps: [
      { set: { ...PLAIN, data: "sine", layers: hidden(12, "tanh"), lr: 0.001 }, say: "A small rate, 0.001. Play for 20 epochs.", done: () => epoch() >= 20 && rate() <= 0.001, after: "The loss goes down, slowly. Press Keep beside the curves, so that its curve stays." },
      { say: "Set the rate to 0.1 and restart; play for 20 epochs.", done: () => epoch() >= 20 && rate() === 0.1, after: "The same steps, a hundred times as long." },
      { say: "Now 10, and play.", done: () => rate() >= 10 && ((head()?.state ?? "") === "diverged" || (head()?.loss ?? 0) > 1 || epoch() >= 20), after: "Each step jumps over the valley. Drag the slider back to before, and go on with a smaller rate." },
    ],
  },
  {
    name: "Overfitting", about: "When the training loss lies.", steps: [
      { set: { ...PLAIN, data: "moons", noise: 0.5, training_share: 0.15, layers: hidden(24, "relu", 2), optimizer: "adam", lr: 0.01 }, say: "Few rows, much noise, many weights. Play until the held-out loss has risen a tenth above its lowest.", done: () => { const held = /** @type {number[]} */ (series("validation_loss")); return held.length > 10 && held[held.length - 1] > 1.1 * Math.min(...held); }, after: "The training loss still falls: the network learns the noise by heart. See the surface." },
      { say: "Drag the slider back to where the held-out loss was lowest.", done: () => { const held = /** @type {number[]} */ (series("validation_loss")); return held.length > 0 && (head()?.furthest ?? 0) > (head()?.taken ?? 0) && held[held.length - 1] <= 1.03 * Math.min(...held); }, after: "That is what early stopping does: patience, in chainrule train." },
      { say: "Choose an L2 penalty of 0.01 or more, restart and play for 100 epochs.", done: () => (page.setup?.setting.l2 ?? 0) >= 0.01 && epoch() >= 100, after: "Smaller weights make a smoother surface." },
    ],
  },
];

const box = h("div", { class: "lesson", hidden: true, role: "region", "aria-label": "Lesson" });
const list = h("div", { class: "popover lessons", hidden: true, role: "dialog", "aria-label": "Lessons" });
/** @type {Lesson | null} */
let lesson = null;
let place = 0;
let done = false;

/** @param {Lesson} chosen */
function begin(chosen) {
  list.hidden = true;
  lesson = chosen;
  show(0);
}

/** @param {number} step */
function show(step) {
  if (!lesson) return;
  [place, done, found] = [step, false, []];
  const { set, view, say } = lesson.steps[step];
  if (view) look(view);
  if (set) configure(set);
  const last = step === lesson.steps.length - 1;
  box.hidden = false;
  box.replaceChildren(
    h("div", { class: "panel-head" }, h("h3", {}, lesson.name), h("span", { class: "tag" }, `${step + 1} of ${lesson.steps.length}`), h("button", { class: "plain icon", "aria-label": "End the lesson", onclick: end }, icon("close"))),
    h("p", {}, say), h("p", { class: "after", role: "status" }),
    h("div", { class: "row" }, h("button", { disabled: step === 0, onclick: () => show(step - 1) }, "Back"), h("button", { class: "next", onclick: () => (last ? end() : show(step + 1)) }, last ? "End" : "Skip")));
}

/** Whether the step has been done; once it has, it stays so. */
function check() {
  if (!lesson || done || page.frame?.head.setup !== page.setup?.number) return;
  const step = lesson.steps[place];
  if (!step.done?.()) return;
  done = true;
  box.querySelector(".after")?.replaceChildren(h("b", { class: "good" }, "✓ "), step.after ?? "");
  const next = box.querySelector("button.next");
  next?.classList.add("main");
  if (next && place < lesson.steps.length - 1) next.textContent = "Next";
}

function end() {
  lesson = null;
  box.hidden = true;
}

export function mountLessons() {
  const opener = h("button", { class: "plain", "aria-haspopup": "dialog", onclick: () => (list.hidden = !list.hidden) }, "Lessons");
  list.append(...LESSONS.map((each) => h("button", { class: "plain", onclick: () => begin(each) }, h("b", {}, each.name), h("span", {}, each.about))));
  list.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    list.hidden = true;
    opener.focus();
  });
  byId("tools").prepend(h("div", { class: "anchor" }, opener, list));
  byId("network").before(box);
  on("frame", check);
  on("curves", check);
  on("view", check);
  on("diagnosed", (/** @type {import("./types.js").Diagnosed} */ told) => {
    found = told.findings.map((finding) => finding.rule);
    check();
  });
}

