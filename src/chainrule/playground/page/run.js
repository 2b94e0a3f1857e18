// The run bar: play, pause, step, the way back, and where the run stands.

import { byId, h, icon, number, put, whole } from "./dom.js";
import { ask, on, page } from "./page.js";

const SPEEDS = /** @type {[string, number | null][]} */ ([
  ["1 step / s", 1],
  ["5 steps / s", 5],
  ["25 steps / s", 25],
  ["100 steps / s", 100],
  ["1,000 steps / s", 1000],
  ["Full speed", null],
]);
const STATES = /** @type {Record<string, string>} */ ({ paused: "Paused", playing: "Playing", finished: "Finished", diverged: "Diverged", failed: "Failed" });

/** @type {number | null} */
let speed = 100;
let state = "paused";
let dragging = false;
const readings = {
  epoch: h("dd", {}, "0"),
  loss: h("dd", {}, "–"),
  held: h("dd", {}, "–"),
  score: h("dd", {}, "–"),
};
const heldName = h("dt", {}, "Held-out loss");
const scoreName = h("dt", {}, "Accuracy");

const play = h("button", { class: "main", onclick: toggle }, icon("play"), "Play");
const way = h("input", { type: "range", min: 0, max: 0, value: 0, "aria-label": "Step to go back to", oninput: drag, onchange: drop });
const wayText = h("span", {}, "step 0");

function toggle() {
  if (state === "playing") ask("pause");
  else ask("play", { speed });
}

function drag() {
  dragging = true;
  wayText.textContent = `step ${whole(Number(way.value))}`;
  seekSoon();
}

let soon = 0;
function seekSoon() {
  clearTimeout(soon);
  soon = window.setTimeout(() => ask("seek", { taken: Number(way.value) }), 60);
}

function drop() {
  dragging = false;
  clearTimeout(soon);
  ask("seek", { taken: Number(way.value) });
}

/** @param {KeyboardEvent} event */
function shortcut(event) {
  const target = /** @type {HTMLElement} */ (event.target);
  if (event.ctrlKey || event.metaKey || event.altKey || target.closest("input, select, textarea, button, summary, [role=tab]")) return;
  if (event.key === " ") toggle();
  else if (event.key === "ArrowRight") ask("step", { unit: event.shiftKey ? "epoch" : "batch" });
  else if (event.key === "ArrowLeft") ask("seek", { taken: Math.max(0, (page.frame?.head.taken ?? 1) - (event.shiftKey ? page.setup?.steps_per_epoch ?? 1 : 1)) });
  else return;
  event.preventDefault();
}

/** @param {import("./types.js").Frame} frame */
function show({ head }) {
  if (head.state !== state) {
    state = head.state;
    play.replaceChildren(icon(state === "playing" ? "pause" : "play"), state === "playing" ? "Pause" : state === "finished" ? "Train on" : "Play");
    document.body.dataset.state = state;
  }
  play.disabled = state === "diverged" || state === "failed";
  put(readings.epoch, whole(head.epoch));
  put(readings.loss, number(head.loss, page.setup?.setting.dtype === "float64" ? 9 : 4));
  const scores = Object.entries(head.scores ?? {});
  const held = scores.find(([name]) => name === "validation_loss");
  const score = scores.find(([name]) => name !== "validation_loss");
  put(readings.held, number(held?.[1]));
  /** @type {HTMLElement} */ (readings.held.parentElement).hidden = !page.setup?.held_rows;
  if (score) {
    const share = score[0].endsWith("accuracy");
    put(scoreName, `${page.setup?.held_rows ? "Held-out " : ""}${share ? "accuracy" : "R²"}`);
    put(readings.score, score[1] === null ? "–" : share ? `${(100 * score[1]).toFixed(1)}%` : number(score[1], 3));
  } else {
    put(scoreName, page.setup?.classes.length ? "Accuracy" : "R²");
    put(readings.score, "–");
  }
  if (dragging) return;
  way.max = String(Math.max(head.furthest, 1));
  way.value = String(head.taken);
  const per = page.setup?.steps_per_epoch ?? 1;
  const within = per > 1 && head.step ? `, batch ${whole(head.step)} of ${whole(per)}` : "";
  const row = head.batch_row ? `, row ${head.batch_row[1] + 1} of ${head.batch_row[2]}` : "";
  const note = STATES[state] && state !== "playing" && state !== "paused" ? ` · ${STATES[state]}` : "";
  put(wayText, `step ${whole(head.taken)}${within}${row}${note}`);
  wayText.title = head.words;
}

export function mountRun() {
  const select = h("select", { "aria-label": "Speed", onchange: () => {
    speed = SPEEDS[select.selectedIndex][1];
    if (state === "playing") ask("play", { speed });
  } }, ...SPEEDS.map(([name, value]) => h("option", { selected: value === speed }, name)));
  const reading = (/** @type {HTMLElement} */ name, /** @type {HTMLElement} */ value) => h("div", { class: "reading" }, name, value);
  byId("run").append(
    h("div", { class: "buttons" },
      play,
      h("button", { title: "The next row of the batch goes through; after the last one the weights change", onclick: () => ask("step", { unit: "row" }) }, "+1 row"),
      h("button", { class: "icon", title: "One batch (→)", "aria-label": "Step: one batch", onclick: () => ask("step", { unit: "batch" }) }, icon("step")),
      h("button", { title: "To the end of the epoch (Shift →)", onclick: () => ask("step", { unit: "epoch" }) }, "+1 epoch"),
      h("button", { class: "icon", title: "Begin anew, from the same first weights", "aria-label": "Restart", onclick: () => ask("restart") }, icon("restart")),
      select),
    h("div", { class: "way" }, way, wayText),
    h("dl", { class: "readings" },
      reading(h("dt", {}, "Epoch"), readings.epoch),
      reading(h("dt", {}, "Training loss"), readings.loss),
      reading(heldName, readings.held),
      reading(scoreName, readings.score)));
  addEventListener("keydown", shortcut);
  on("reading", show);
}
