// Loss and scores over the epochs, of this run and of those that were kept.

import uPlot from "./uplot/uPlot.js";
import { CLASSES, onScheme, theme } from "./colours.js";
import { byId, h, number, words } from "./dom.js";
import { ask, on, page } from "./page.js";
import { beside, besideBox, forkButton } from "./beside.js";

/** @typedef {import("./types.js").Curve} Curve */

const empty = h("p", { class: "empty" }, "Play, or take an epoch: the loss and the scores appear here.");
const lossBox = h("div", { class: "plot", role: "group", "aria-label": "Loss by epoch, a drawing; below it the last values" });
const scoreBox = h("div", { class: "plot low", role: "group", "aria-label": "Score by epoch, a drawing; below it the last values" });
const drop = h("button", { hidden: true, onclick: () => ask("drop") }, "Forget kept");
let logarithmic = false;
/** @type {{loss: any, score: any}} */
const plots = { loss: null, score: null };
/** @type {Record<string, string>} */
const shape = { loss: "", score: "" };

/**
 * Several runs in one table: uPlot wants one axis for all.
 * @param {Curve[]} runs
 * @param {(name: string) => boolean} wanted
 */
function together(runs, wanted) {
  const epochs = [...new Set(runs.flatMap((run) => run.epochs))].sort((a, b) => a - b);
  const place = new Map(epochs.map((epoch, k) => [epoch, k]));
  const names = [];
  const columns = [];
  for (const [r, run] of runs.entries()) {
    for (const [name, values] of Object.entries(run.series)) {
      if (!wanted(name)) continue;
      /** @type {(number | null | undefined)[]} */
      const column = new Array(epochs.length).fill(undefined);
      run.epochs.forEach((epoch, k) => (column[/** @type {number} */ (place.get(epoch))] = values[k]));
      columns.push(column);
      names.push({ run: r, name });
    }
  }
  return { names, data: /** @type {import("./uplot/uPlot.js").AlignedData} */ ([epochs, ...columns]) };
}

/** @param {string} name */
function label(name) {
  if (name === "loss") return "training";
  return words(name.replace("validation_", "held-out ")).replace("held-out loss", "held-out").replace("r2", "R²");
}

/** @param {"loss" | "score"} which @param {HTMLElement} box @param {ReturnType<typeof together>} table @param {Curve[]} runs */
function draw(which, box, { names, data }, runs) {
  const key = JSON.stringify([names, runs[0].epochs.length < 3, theme.ink, logarithmic, box.clientWidth, runs.map((run) => run.name), Boolean(beside)]);
  if (shape[which] !== key) {
    plots[which]?.destroy();
    shape[which] = key;
    plots[which] = new uPlot(options(which, box, names, runs), data, box);
  } else plots[which].setData(data);
  if (plots[which].cursor.left < 0) plots[which].setLegend({ idx: null });
}

/** @param {"loss" | "score"} which @param {HTMLElement} box @param {{run: number, name: string}[]} names @param {Curve[]} runs */
function options(which, box, names, runs) {
  const axis = { stroke: theme.quiet, grid: { stroke: theme.line, width: 1 }, ticks: { stroke: theme.line, width: 1, size: 4 }, font: "11px system-ui, sans-serif" };
  const series = names.map(({ run, name }) => ({
    label: run ? `${run === 1 && beside ? "beside" : runs[run].name}: ${label(name)}` : label(name),
    stroke: run ? CLASSES[1 + run] : name === "loss" ? theme.positive : theme.negative,
    width: run ? 1.3 : 1.8,
    dash: run && name !== "loss" ? [4, 3] : undefined,
    spanGaps: true,
    points: { show: run === 0 && runs[0].epochs.length < 3, size: 6 },
    value: (/** @type {any} */ plot, /** @type {number | null} */ v, /** @type {number} */ of, /** @type {number | null} */ at) => number(at === null ? newest(plot.data[of]) : v, 3),
  }));
  return {
    width: box.clientWidth, height: which === "loss" ? 170 : 120,
    scales: { x: { time: false }, y: which === "loss" ? { distr: logarithmic ? 3 : 1 } : {} },
    axes: [{ ...axis, size: 26, label: undefined }, { ...axis, size: wide, values: ticked }],
    series: [{ label: "epoch", value: (/** @type {any} */ plot, /** @type {number | null} */ v) => String(v ?? newest(plot.data[0]) ?? "–") }, ...series],
    cursor: { points: { size: 6 } },
    legend: { live: true },
  };
}

/** The last value that there is: what is told where nothing is pointed at. @param {(number | null | undefined)[]} values */
const newest = (values) => [...values].reverse().find((value) => value !== null && value !== undefined) ?? null;

/** Ticks with as many digits as tell them apart. @param {any} _ @param {(number | null)[]} ticks */
function ticked(_, ticks) {
  const some = /** @type {number[]} */ (ticks.filter((tick) => tick !== null));
  const digits = [2, 3, 4, 5].find((d) => new Set(some.map((tick) => number(tick, d))).size === some.length) ?? 6;
  return ticks.map((tick) => (tick === null ? "" : number(tick, digits)));
}

/** As wide as the longest tick. @param {any} _ @param {string[] | null} ticks */
const wide = (_, ticks) => Math.max(40, 14 + 6.6 * Math.max(0, ...(ticks ?? []).map((tick) => tick.length)));

function show() {
  const { curves } = page;
  empty.hidden = !curves || curves.runs.some((run) => run.epochs.length > 0);
  lossBox.hidden = !empty.hidden;
  if (!empty.hidden) scoreBox.hidden = true;
  if (!curves || !empty.hidden || !lossBox.clientWidth) return;
  drop.hidden = curves.runs.length < (beside ? 3 : 2);
  const isLoss = (/** @type {string} */ name) => name.endsWith("loss");
  draw("loss", lossBox, together(curves.runs, isLoss), curves.runs);
  const scores = together(curves.runs, (name) => !isLoss(name));
  scoreBox.hidden = scores.names.length === 0;
  if (scores.names.length) draw("score", scoreBox, scores, curves.runs);
}

export function mountCurves() {
  const log = h("button", { "aria-pressed": "false", title: "Logarithmic axis", onclick: () => {
    logarithmic = !logarithmic;
    log.setAttribute("aria-pressed", String(logarithmic));
    show();
  } }, "log");
  const keep = h("button", { title: "Keep this curve, to compare the next run with it", onclick: () => ask("keep") }, "Keep");
  byId("curves").append(h("div", { class: "panel-head" }, byId("curves-title"), log, keep, drop, forkButton), empty, lossBox, scoreBox, besideBox);
  on("curves", show);
  onScheme(show);
  new ResizeObserver(show).observe(byId("curves"));
}
