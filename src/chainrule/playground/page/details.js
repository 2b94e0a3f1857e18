// Below the network: results, rows, diagnosis, and what can be taken away.

import { CLASSES, theme, onScheme } from "./colours.js";
import { beside } from "./beside.js";
import { exercises, mountExercises, showExercises } from "./exercises.js";
import { byId, h, number, redraw, toast, whole } from "./dom.js";
import { ask, look, on, page, take } from "./page.js";
import { inNotebook } from "./port.js";

const body = h("div", { role: "tabpanel", id: "details-body", tabindex: 0 });
const results = h("div");
const rows = h("div");
const findings = h("div");
const away = h("div");
/** @type {[string, HTMLElement, () => void][]} */
const TABS = [
  ["Results", results, () => {}],
  ["Rows", rows, () => ask("rows", { first: firstRow })],
  ["Diagnosis", findings, diagnose],
  ["Exercises", exercises, showExercises],
  ["Take away", away, showAway],
];
/** @type {import("./types.js").Results | null} */
let latest = null;
let drawnResults = "";
let tab = "Results";
let firstRow = 0;
let shown = "";
/** @type {import("./types.js").Page | null} */
let told = null;

/** @param {string} name */
function open(name) {
  tab = name;
  for (const [title, panel, opened] of TABS) {
    const chosen = title === name;
    const button = byId(`tab-${title.replace(" ", "-")}`);
    button.setAttribute("aria-selected", String(chosen));
    button.tabIndex = chosen ? 0 : -1;
    if (!chosen) continue;
    body.replaceChildren(panel);
    body.setAttribute("aria-labelledby", button.id);
    opened();
  }
  look({ results: name === "Results" });
}

/** @param {import("./types.js").Results} told */
function showResults(told) {
  const key = JSON.stringify([told, page.setup?.number, beside, theme]);
  if (key === drawnResults) return;
  drawnResults = key;
  const part = (/** @type {string} */ label, /** @type {boolean} */ held) => h("button", { "aria-pressed": String((told.part === "held-out") === held), onclick: () => look({ held }) }, label);
  const scores = h("dl", { class: "scores" }, ...told.scores.map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value))));
  const which = page.setup?.held_rows ? h("div", { class: "switch", role: "group", "aria-label": "Rows" }, part("Held out", true), part("Training", false)) : "";
  redraw(results, h("div", { class: "panel-head" }, scores, which), h("div", { class: "both" }, ...drawn(told, beside ? "this run" : ""), ...(beside ? drawn(beside.results, `beside: ${beside.title}`) : [])));
}

/** The picture of some results, of one run or of each of two. @param {import("./types.js").Results} told @param {string} caption */
function drawn(told, caption) {
  const picture = told.confusion.length ? confusion(told) : told.actual.length ? scatter(told) : "";
  return picture ? [h("div", {}, caption ? h("h3", {}, caption) : "", picture)] : [];
}

/** @param {import("./types.js").Results} told */
function confusion(told) {
  const most = Math.max(1, ...told.confusion.flat());
  const head = h("tr", {}, h("th", { scope: "col" }, "is \\ predicted"), ...told.classes.map((name) => h("th", { scope: "col", class: "right", title: name }, name)));
  const lines = told.confusion.map((counts, i) => h("tr", {}, h("th", { scope: "row", title: told.classes[i] }, told.classes[i]), ...counts.map((count, j) => {
    const cell = h("td", {}, count ? whole(count) : "·");
    const colour = i === j ? theme.positive : theme.negative;
    if (count) cell.style.background = `color-mix(in srgb, ${colour} ${Math.round(8 + 42 * Math.sqrt(count / most))}%, var(--panel))`;
    return cell;
  })));
  return h("div", { class: "wide", tabindex: 0, role: "region", "aria-label": "Confusion matrix" }, h("table", { class: "grid" }, h("thead", {}, head), h("tbody", {}, ...lines)));
}

/** @param {import("./types.js").Results} told */
function scatter(told) {
  const side = 300;
  const canvas = h("canvas", { width: 2 * side, height: 2 * side, role: "img", "aria-label": "Predicted against actual values; a click chooses a row" });
  Object.assign(canvas.style, { width: `${side}px`, height: `${side}px`, border: `1px solid ${theme.line}`, borderRadius: "6px" });
  const all = [...told.actual, ...told.predicted];
  const [low, high] = [Math.min(...all), Math.max(...all)];
  const place = (/** @type {number} */ value) => ((value - low) / (high - low || 1)) * (side - 20) + 10;
  const context = canvas.getContext("2d");
  if (context) {
    context.scale(2, 2);
    context.strokeStyle = theme.quiet;
    context.beginPath();
    context.moveTo(10, side - 10);
    context.lineTo(side - 10, 10);
    context.stroke();
    context.fillStyle = theme.positive;
    context.globalAlpha = 0.65;
    told.actual.forEach((value, k) => {
      context.beginPath();
      context.arc(place(value), side - place(told.predicted[k]), 2.8, 0, 7);
      context.fill();
    });
  }
  canvas.addEventListener("click", (event) => {
    const distance = (/** @type {number} */ k) => Math.hypot(place(told.actual[k]) - event.offsetX, side - place(told.predicted[k]) - event.offsetY);
    const best = told.places.map((_, k) => k).sort((a, b) => distance(a) - distance(b))[0];
    if (distance(best) < 14) look({ row: told.places[best] });
  });
  return h("figure", { class: "field" }, canvas, h("figcaption", { class: "axis" }, `Across: actual ${page.setup?.target}, up: predicted; ${number(low, 3)} to ${number(high, 3)} both ways. On the line they agree.`));
}

/** @param {import("./types.js").Page} page_ */
function showRows(page_) {
  told = page_;
  firstRow = page_.first;
  const last = page_.first + page_.rows.length;
  const turn = (/** @type {string} */ label, /** @type {number} */ first, /** @type {boolean} */ disabled) => h("button", { disabled, onclick: () => ask("rows", { first }) }, label);
  const head = h("tr", {}, h("th", { scope: "col" }, "row"), ...page_.columns.map((name) => h("th", { scope: "col", class: "right" }, name)));
  const lines = page_.rows.map((cells, k) => {
    const number_ = page_.numbers[k];
    const choose = h("button", { class: "plain", "aria-pressed": String(number_ === page.view.row), "aria-label": `Send row ${page_.first + k} through the network` }, String(page_.first + k));
    const line = h("tr", { class: number_ === page.view.row ? "chosen" : "", onclick: () => look({ row: number_ === page.view.row ? null : number_ }) },
      h("th", { scope: "row" }, choose, page_.held[k] ? h("span", { class: "tag" }, "held out") : ""), ...cells.map((cell) => h("td", { class: "right" }, cell || "–")));
    return line;
  });
  redraw(rows,
    h("div", { class: "panel-head" }, h("h3", {}, `Rows ${whole(page_.first)} to ${whole(last - 1)} of ${whole(page_.total)}`), turn("Earlier", Math.max(0, page_.first - 50), page_.first === 0), turn("Later", last, last >= page_.total)),
    h("p", { class: "empty" }, "Choose a row: it goes through the network above."),
    h("div", { class: "wide", tabindex: 0, role: "region", "aria-label": "Table" }, h("table", { class: "rows" }, h("thead", {}, head), h("tbody", {}, ...lines))));
}

function diagnose() {
  findings.replaceChildren(h("p", { class: "empty" }, "Looking …"));
  shown = "";
  ask("diagnose");
}

/** While it plays, look again now and then; what somebody has tried stays until something else is found. */
function keepLooking() {
  const head = page.frame?.head;
  if (tab === "Diagnosis" && head?.state === "playing" && !document.hidden) ask("diagnose");
}

/** @param {import("./types.js").Diagnosed} told_ */
function showFindings(told_) {
  const now = JSON.stringify(told_.findings.map((finding) => [finding.rule, finding.where]));
  const title = `At step ${whole(told_.taken)}: ${told_.findings.length ? `${told_.findings.length} finding${told_.findings.length === 1 ? "" : "s"}` : "nothing is wrong"}`;
  if (now === shown && findings.querySelector(".tried")) {
    findings.querySelector("h3")?.replaceChildren(title);
    return;
  }
  shown = now;
  const again = h("button", { onclick: diagnose }, "Look again");
  const head = h("div", { class: "panel-head" }, h("h3", {}, title), again);
  redraw(findings, head, ...told_.findings.map((finding, k) => h("div", { class: "finding", "data-finding": k },
    h("p", { class: "says" }, h("span", { class: `severity ${finding.severity}` }, finding.severity), finding.says),
    h("p", { class: "note" }, finding.why),
    h("p", { class: "note" }, finding.figures.join(" · ")),
    h("div", { class: "remedies" }, ...finding.remedies.map((cure, r) => (cure.ready ? h("button", { title: cure.argument, onclick: (/** @type {Event} */ event) => attempt(event, k, r) }, `Try: ${cure.words}`) : h("span", { class: "tag" }, cure.words)))))));
}

/** @param {Event} event @param {number} finding @param {number} remedy */
function attempt(event, finding, remedy) {
  const button = /** @type {HTMLButtonElement} */ (event.currentTarget);
  if (button.getAttribute("aria-disabled")) return;
  button.setAttribute("aria-disabled", "true"); // not disabled, which would take the focus away
  setTimeout(() => button.removeAttribute("aria-disabled"), 8000);
  ask("remedy", { finding, remedy });
}

/** @param {import("./types.js").Tried} tried */
function showTried(tried) {
  const box = findings.querySelector(`[data-finding="${tried.finding}"]`);
  box?.querySelector(".tried")?.remove();
  box?.append(h("div", { class: "tried", role: "status" }, h("p", {}, tried.title), h("p", { class: tried.helped ? "good" : "warning" }, `${tried.helped ? "It helps. " : "It does not help. "}${tried.words}`)));
  for (const button of box?.querySelectorAll("button") ?? []) button.removeAttribute("aria-disabled");
}

function showAway() {
  const file = (/** @type {string} */ kind, /** @type {string} */ title, /** @type {string} */ about) => h("div", {}, h("h3", {}, title), h("p", {}, about), h("button", { "aria-label": `Download: ${title}`, onclick: () => download(kind) }, "Download"));
  const link = inNotebook ? "" : h("div", {}, h("h3", {}, "A link"), h("p", {}, "The whole setting in an address: it opens the same network on the same data, at its first step."), h("button", { onclick: copyLink }, "Copy the link"));
  const ways = page.welcome?.away ?? [];
  away.replaceChildren(h("div", { class: "away" }, ...ways.map(({ kind, title, about }) => file(kind, title, about)), link));
}

/** A file, or why it cannot be had. @param {string} kind */
async function download(kind) {
  const { name, blob, fault } = await take(kind);
  if (!blob) return toast(fault ?? "It cannot be had.");
  const link = h("a", { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}

export async function copyLink() {
  const address = `${location.origin}/#${page.setup?.link ?? ""}`;
  try {
    await navigator.clipboard.writeText(address);
    toast("The link is on the clipboard.");
  } catch {
    history.replaceState(null, "", address);
    toast("The link stands in the address of this page.");
  }
}

export function mountDetails() {
  const buttons = TABS.map(([title]) => h("button", { role: "tab", id: `tab-${title.replace(" ", "-")}`, "aria-controls": "details-body", onclick: () => open(title) }, title));
  const tabs = h("div", { class: "tabs", role: "tablist", "aria-label": "Details", onkeydown: (/** @type {KeyboardEvent} */ event) => {
    const by = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
    if (!by) return;
    const next = (TABS.findIndex(([title]) => title === tab) + by + TABS.length) % TABS.length;
    open(TABS[next][0]);
    buttons[next].focus();
  } }, ...buttons);
  byId("details").append(tabs, body);
  mountExercises();
  open("Results");
  setInterval(keepLooking, 3000);
  on("results", (/** @type {import("./types.js").Results} */ told) => showResults((latest = told)));
  for (const kind of ["beside", "alone"]) on(kind, () => latest && showResults(latest));
  on("page", showRows);
  on("diagnosed", showFindings);
  on("tried", showTried);
  on("view", () => tab === "Rows" && told && showRows(told));
  on("setup", () => {
    firstRow = 0;
    if (tab === "Rows") ask("rows", { first: 0 });
  });
  onScheme(() => look({}));
}

export { CLASSES };
