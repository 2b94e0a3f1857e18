// What has broken a training off, and the ways to go on.

import { byId, h, number } from "./dom.js";
import { ask, on, page } from "./page.js";

const TITLES = /** @type {Record<string, string>} */ ({ diverged: "The training has diverged", failed: "The training has broken off" });
const WAYS = /** @type {Record<string, string>} */ ({
  diverged: "Go back and take a smaller learning rate, or begin anew.",
  failed: "This is a fault of the program, not yours; other pages are not touched by it. Go back, begin anew, or change the setting.",
});
const box = h("div", { class: "notice", role: "alert", hidden: true });
let shown = "";

/** @param {import("./types.js").Frame} frame */
function show({ head }) {
  const now = head.state in TITLES ? `${head.state} ${head.words} ${head.taken}` : "";
  if (now === shown) return;
  shown = now;
  box.hidden = !now;
  if (!now) return box.replaceChildren();
  const back = Math.max(0, head.taken - (page.setup?.steps_per_epoch ?? 1));
  const rate = page.setup?.setting.lr;
  const slower = () => {
    ask("seek", { taken: back });
    ask("configure", { setting: { lr: Number(((rate ?? 0) / 10).toPrecision(3)) } });
  };
  box.replaceChildren(
    h("h3", {}, TITLES[head.state]), h("p", {}, head.words), h("p", { class: "note" }, WAYS[head.state]),
    h("div", { class: "row" },
      head.state === "diverged" && rate ? h("button", { onclick: slower }, `Back one epoch, at a rate of ${number(rate / 10)}`) : "",
      h("button", { onclick: () => ask("seek", { taken: back }) }, "Back one epoch"),
      h("button", { onclick: () => ask("restart") }, "Restart")));
}

export function mountNotice() {
  byId("network").before(box);
  on("frame", show);
}
