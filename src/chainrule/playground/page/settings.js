// The data and the training: what can be set, by the library's own names.

import { byId, choice, field, h, toast, whole, words } from "./dom.js";
import { chooser, nameOf } from "./form.js";
import { configure, look, on, page, upload } from "./page.js";

/** @typedef {import("./types.js").Setting} Setting */

const RATES = [0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10];
const MANY_COLUMNS = 12; // among which one is looked for
const dataBox = h("div");
const trainingBox = h("div");
let told = "";
let sought = ""; // among the columns

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
    tables.append(h("button", { "data-field": `table ${source.name}`, title: source.about, "aria-pressed": String(source.name === setting.data), onclick: () => open(source.name) }, words(source.name)));
  }
  dataBox.replaceChildren(
    tables, uploadButton(),
    ...(setup.sheet ? [h("p", { class: "field about" }, `An exercise: ${setup.targets.join(", ")} of ${setup.axes.map((axis) => axis.name).join(", ")}`)] : columnFields(setup)));
}

/** @param {import("./types.js").Setup} setup */
function columnFields(setup) {
  return [
    field("Predict", choice(setup.columns, setup.target, (target) => configure({ target, drop: [], loss: "auto", task: "auto" }), (name) => name)),
    slider("noise", "Noise", [0, 1, 0.05], (v) => v.toFixed(2)),
    slider("training_share", "Share for training", [0.1, 1, 0.05], (v) => `${Math.round(v * 100)}%`),
    h("p", { class: "field" }, h("span", { class: "about" }, `${whole(setup.training_rows)} rows to train on, ${whole(setup.held_rows)} held out`)),
    columnsToUse(setup),
  ];
}

/** @param {string} data */
function open(data) {
  look({ row: null, windows: {} });
  configure({ data });
}

/** @param {import("./types.js").Setup} setup */
function columnsToUse(setup) {
  const names = setup.columns.filter((name) => name !== setup.target);
  if (names.length < 2) return "";
  const used = names.filter((name) => !setup.setting.drop.includes(name) && !(name in setup.aside)).length;
  const boxes = names.map((name) => {
    const box = h("input", { type: "checkbox", "data-field": name, checked: !setup.setting.drop.includes(name), onchange: () => {
      const dropped = names.filter((_, k) => !(/** @type {HTMLInputElement} */ (boxes[k].querySelector("input")).checked));
      if (dropped.length < names.length) configure({ drop: dropped });
      else box.checked = true;
    } });
    const why = setup.aside[name];
    return h("label", { class: "row", title: why ? `${name} is not used: it ${why}` : name }, box, h("span", {}, name), why ? h("span", { class: "tag" }, "not used") : "");
  });
  const find = h("input", { type: "search", placeholder: "Find a column", "aria-label": "Find a column", value: names.length > MANY_COLUMNS ? sought : "", oninput: seek });
  function seek() {
    sought = find.value;
    for (const [k, box] of boxes.entries()) box.hidden = !names[k].toLowerCase().includes(sought.toLowerCase());
  }
  if (find.value) seek();
  return h("details", { class: "more", "data-of": "columns", open: setup.setting.drop.length > 0 }, h("summary", {}, `Columns to use (${used} of ${names.length})`),
    h("div", { class: "field" }, names.length > MANY_COLUMNS ? find : ""), h("div", { class: "field columns" }, ...boxes));
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
  const losses = ["auto", ...Object.entries(choices.losses).filter(([, classes]) => forClasses || !classes || setup.targets.length > 1).map(([name]) => name)];
  const power = (/** @type {"l1" | "l2"} */ name, /** @type {string} */ label, /** @type {number[]} */ values) =>
    field(label, choice([...new Set([...values, setting[name]])].sort((a, b) => a - b).map(String), String(setting[name]), (value) => configure({ [name]: Number(value) }), (value) => (value === "0" ? "none" : value)));
  const stepless = nameOf(setting.optimizer) === "lbfgs"; // it finds its own steps
  trainingBox.replaceChildren(
    stepless ? "" : rateField(setting),
    chooser("Optimizer", "optimizer", choices.optimizers, setting.optimizer, (optimizer) => configure(optimizerSetting(optimizer, setting))),
    stepless ? "" : count("batch_size", "Rows in a batch (0: all)", { min: 0, max: 100000 }),
    chooser("Loss", "loss", losses, setting.loss, (loss) => configure({ loss }), words, nameOf(setting.loss) === "auto" ? words(setup.loss) : ""),
    power("l2", "L2 penalty", [0, 0.0001, 0.001, 0.003, 0.01, 0.03, 0.1]),
    count("seed", "Seed", { min: 0 }),
    h("details", { class: "more", "data-of": "more", open: nameOf(setting.schedule) !== "constant" || setting.l1 > 0 || setting.dtype !== "float32" }, h("summary", {}, "More"),
      stepless ? "" : chooser("Schedule of the rate", "schedule", choices.schedules, setting.schedule, (schedule) => configure({ schedule })),
      power("l1", "L1 penalty", [0, 0.0001, 0.001, 0.003, 0.01, 0.03]),
      field("Scaling of the inputs", choice(choices.scalings, setting.scaling, (scaling) => configure({ scaling }))),
      field("Numbers", choice(["float32", "float64"], setting.dtype, (dtype) => configure({ dtype }))),
      count("epochs", "Epochs at most", { min: 1, max: 50000 })));
}

/** Any rate; some are suggested. @param {Setting} setting */
function rateField(setting) {
  const list = h("datalist", { id: "rates" }, ...RATES.map((rate) => h("option", { value: rate })));
  const input = h("input", { type: "number", min: 0, step: "any", list: "rates", value: setting.lr ?? "", placeholder: "its own", onchange: () => configure({ lr: input.value === "" ? null : Number(input.value) }) });
  return h("div", {}, field("Learning rate", input), list);
}

/** @param {import("./types.js").Chosen} optimizer @param {Setting} setting */
function optimizerSetting(optimizer, setting) {
  if (nameOf(optimizer) === "lbfgs") return { optimizer, lr: null, schedule: "constant" };
  return nameOf(setting.optimizer) === "lbfgs" ? { optimizer, lr: 0.01 } : { optimizer };
}

function build() {
  const { setup, welcome } = page;
  if (!setup || !welcome) return;
  const now = JSON.stringify([setup.setting, setup.columns, welcome.sources]);
  if (now === told) return;
  told = now;
  const focused = /** @type {HTMLElement | null} */ (document.activeElement?.closest(".settings [data-field]"))?.dataset.field;
  const details = () => /** @type {HTMLDetailsElement[]} */ ([...document.querySelectorAll(".settings details")]);
  const opened = new Set(details().filter((each) => each.open).map((each) => each.dataset.of));
  buildData();
  buildTraining();
  for (const each of details()) each.open ||= opened.has(each.dataset.of);
  if (focused) /** @type {HTMLElement | null} */ (document.querySelector(`.settings [data-field="${CSS.escape(focused)}"]`))?.focus();
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
