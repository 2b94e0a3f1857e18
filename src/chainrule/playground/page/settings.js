// The data and the training: what can be set, by the library's own names.

import { byId, choice, field, h, toast, whole, words } from "./dom.js";
import { configure, look, on, page, upload } from "./page.js";

/** @typedef {import("./types.js").Setting} Setting */

const RATES = [0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10];
const dataBox = h("div");
const trainingBox = h("div");
let told = "";

/** @param {keyof Setting} name @param {string} label @param {number[]} range least, most, step @param {(value: number) => string} text */
function slider(name, label, range, text) {
  const [least, most, step] = range;
  const setting = /** @type {Setting} */ (page.setup?.setting);
  const shown = h("output", {}, text(Number(setting[name])));
  const input = h("input", { type: "range", min: least, max: most, step, value: Number(setting[name]), oninput: () => (shown.textContent = text(Number(input.value))), onchange: () => configure({ [name]: Number(input.value) }) });
  return field(label, input, shown);
}

/** @param {keyof Setting} name @param {string} label @param {Record<string, any>} limits */
function count(name, label, limits) {
  const setting = /** @type {Setting} */ (page.setup?.setting);
  const input = h("input", { type: "number", ...limits, value: Number(setting[name]), onchange: () => input.value !== "" && configure({ [name]: Number(input.value) }) });
  return field(label, input);
}

function buildData() {
  const { setup, welcome } = page;
  if (!setup || !welcome) return;
  const { setting } = setup;
  const tables = h("div", { class: "tables", role: "group", "aria-label": "Tables" });
  for (const source of welcome.sources) {
    tables.append(h("button", { title: source.about, "aria-pressed": String(source.name === setting.data), onclick: () => open(source.name) }, words(source.name)));
  }
  const share = (/** @type {number} */ value) => `${Math.round(value * 100)}%`;
  dataBox.replaceChildren(
    tables, uploadButton(),
    field("Predict", choice(setup.columns, setup.target, (target) => configure({ target, drop: [], loss: "auto", task: "auto" }), (name) => name)),
    slider("noise", "Noise", [0, 1, 0.05], (v) => v.toFixed(2)),
    slider("training_share", "Share for training", [0.1, 1, 0.05], share),
    h("p", { class: "field" }, h("span", { class: "about" }, `${whole(setup.training_rows)} rows to train on, ${whole(setup.held_rows)} held out`)),
    columnsToUse(setup));
}

/** @param {string} data */
function open(data) {
  look({ row: null, windows: {} });
  configure({ data });
}

/** @param {import("./types.js").Setup} setup */
function columnsToUse(setup) {
  const names = setup.columns.filter((name) => name !== setup.target);
  if (names.length < 2 || names.length > 60) return "";
  const boxes = names.map((name) => {
    const box = h("input", { type: "checkbox", checked: !setup.setting.drop.includes(name), onchange: () => {
      const dropped = names.filter((_, k) => !(/** @type {HTMLInputElement} */ (boxes[k].querySelector("input")).checked));
      if (dropped.length < names.length) configure({ drop: dropped });
      else box.checked = true;
    } });
    return h("label", { class: "row" }, box, name);
  });
  return h("details", { class: "more", open: setup.setting.drop.length > 0 }, h("summary", {}, `Columns to use (${names.length - setup.setting.drop.length} of ${names.length})`), h("div", { class: "field" }, ...boxes));
}

function uploadButton() {
  const input = h("input", { type: "file", accept: ".csv,.tsv,.txt,.parquet,.pq,.gz", hidden: true, onchange: () => input.files?.[0] && handIn(input.files[0]) });
  const button = h("button", { class: "drop", onclick: () => input.click() }, "Your own: CSV or Parquet");
  return h("div", {}, button, input);
}

/** @param {File} file */
async function handIn(file) {
  const { name, fault } = await upload(file);
  if (name) open(name);
  else toast(fault ?? "The file could not be sent.");
}

function acceptDrops() {
  addEventListener("dragover", (event) => {
    event.preventDefault();
    document.querySelector(".drop")?.classList.add("over");
  });
  addEventListener("dragleave", () => document.querySelector(".drop")?.classList.remove("over"));
  addEventListener("drop", (event) => {
    event.preventDefault();
    document.querySelector(".drop")?.classList.remove("over");
    const file = event.dataTransfer?.files[0];
    if (file) handIn(file);
  });
}

function buildTraining() {
  const { setup, welcome } = page;
  if (!setup || !welcome) return;
  const { setting } = setup;
  const { choices } = welcome;
  const forClasses = setup.classes.length > 0;
  const losses = ["auto", ...Object.entries(choices.losses).filter(([, classes]) => forClasses || !classes).map(([name]) => name)];
  const rates = [...new Set([...RATES, ...(setting.lr === null ? [] : [setting.lr])])].sort((a, b) => a - b);
  const power = (/** @type {"l1" | "l2" | "clip_norm"} */ name, /** @type {string} */ label, /** @type {number[]} */ values) =>
    field(label, choice([...new Set([...values, setting[name]])].sort((a, b) => a - b).map(String), String(setting[name]), (value) => configure({ [name]: Number(value) }), (value) => (value === "0" ? "none" : value)));
  trainingBox.replaceChildren(
    field("Learning rate", choice(rates.map(String), String(setting.lr), (lr) => configure({ lr: Number(lr) }), (name) => name)),
    field("Optimizer", choice(choices.optimizers, setting.optimizer, (optimizer) => configure({ optimizer }))),
    count("batch_size", "Rows in a batch (0: all)", { min: 0, max: 100000 }),
    field("Loss", choice(losses, setting.loss, (loss) => configure({ loss }), (name) => (name === "auto" ? `auto: ${words(setup.loss)}` : words(name)))),
    power("l2", "L2 penalty", [0, 0.0001, 0.001, 0.003, 0.01, 0.03, 0.1]),
    count("seed", "Seed", { min: 0 }),
    h("details", { class: "more", open: setting.schedule !== "constant" || setting.l1 > 0 || setting.clip_norm > 0 }, h("summary", {}, "More"),
      field("Schedule of the rate", choice(choices.schedules, setting.schedule, (schedule) => configure({ schedule }))),
      power("l1", "L1 penalty", [0, 0.0001, 0.001, 0.003, 0.01, 0.03]),
      power("clip_norm", "Largest gradient norm", [0, 0.1, 0.5, 1, 5]),
      field("Scaling of the inputs", choice(choices.scalings, setting.scaling, (scaling) => configure({ scaling }))),
      count("epochs", "Epochs at most", { min: 1, max: 50000 })));
}

function build() {
  const { setup, welcome } = page;
  if (!setup || !welcome) return;
  const now = JSON.stringify([setup.setting, setup.columns, welcome.sources]);
  if (now === told) return;
  told = now;
  const focused = document.activeElement?.id;
  const opened = [...document.querySelectorAll(".settings details")].map((d) => /** @type {HTMLDetailsElement} */ (d).open);
  buildData();
  buildTraining();
  [...document.querySelectorAll(".settings details")].forEach((d, k) => (/** @type {HTMLDetailsElement} */ (d).open ||= opened[k] ?? false));
  if (focused) document.getElementById(focused)?.focus();
}

export function mountSettings() {
  byId("data").append(dataBox);
  byId("training").append(trainingBox);
  acceptDrops();
  on("setup", build);
  on("welcome", build);
  on("fault", () => {
    told = "";
    build();
  });
}
