// The page: its panels, and the line to the server.

import { refresh } from "./colours.js";
import { mountBeside } from "./beside.js";
import { mountCurves } from "./curves.js";
import { copyLink, mountDetails } from "./details.js";
import { byId, h, icon, whole } from "./dom.js";
import { mountLessons } from "./lessons.js";
import { mountNetwork } from "./network.js";
import { mountNotice } from "./notice.js";
import { ask, connect, on, page } from "./page.js";
import { inNotebook } from "./port.js";
import { mountRun } from "./run.js";
import { mountSettings } from "./settings.js";
import { mountSurface } from "./surface.js";
import { mountWhy } from "./why.js";

/** Light, dark, or as the system is. */
function changeScheme() {
  const dark = matchMedia("(prefers-color-scheme: dark)").matches;
  const now = document.documentElement.dataset.theme ?? (dark ? "dark" : "light");
  document.documentElement.dataset.theme = now === "dark" ? "light" : "dark";
  if (!inNotebook) localStorage.setItem("theme", document.documentElement.dataset.theme);
  refresh();
}

const lost = h("div", { class: "toast lost", role: "alert", hidden: true });

function mountTop() {
  const kept = inNotebook ? null : localStorage.getItem("theme"); // a notebook has a scheme of its own
  if (kept === "light" || kept === "dark") document.documentElement.dataset.theme = kept;
  byId("tools").append(
    inNotebook ? "" : h("button", { class: "plain", onclick: copyLink }, icon("link"), "Copy link"),
    h("button", { class: "plain icon", "aria-label": "Light or dark", title: "Light or dark", onclick: changeScheme }, icon("theme")));
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", refresh);
  on("setup", (/** @type {import("./types.js").Setup} */ setup) => {
    byId("summary").textContent = `${setup.setting.data}: ${setup.classes.length ? `${setup.classes.length} classes of` : "values of"} ${setup.target} from ${setup.axes.length} inputs · ${whole(setup.parameters)} parameters · ${setup.engine} engine`;
  });
  on("connected", ({ connected, why, again }) => {
    document.body.classList.toggle("lost", !connected);
    lost.hidden = connected;
    lost.replaceChildren(
      h("p", {}, why || "The server does not answer. The page goes on where it was as soon as it does."),
      again ? h("button", { onclick: again }, "Go on here") : "");
  });
  byId("toasts").before(lost);
}

/** A link in the address is taken once, for a session that is new. */
function openLink() {
  const link = location.hash.slice(1);
  if (!link) return;
  history.replaceState(null, "", "/");
  const once = () => {
    if (linked) return;
    linked = true;
    ask("open", { link });
  };
  let linked = false;
  on("welcome", once);
}

mountTop();
mountRun();
mountSettings();
mountNetwork();
mountNotice();
mountSurface();
mountBeside();
mountCurves();
mountDetails();
mountWhy();
mountLessons();
refresh();
openLink();
connect();
Object.assign(window, { playground: page });
