// What the lessons say, and when a step of one is done.

import { plainLayer } from "./layers.js";
import { page } from "./page.js";

/**
 * A step: what is said; when it is done, or which number of an exercise is asked for, and how it is worked out; what
 * is said then; what is set, or which exercise is put into the network, before it.
 * @typedef {{say: string, done?: () => boolean, ask?: [string, string], after?: string, sheet?: string, set?: Partial<import("./types.js").Setting>, view?: Partial<import("./types.js").View>}} Step
 * @typedef {{name: string, about: string, steps: Step[]}} Lesson
 */

export const WORKED = "worked example";
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
/** What the last diagnosis found; the lessons forget it at each step. @type {{rules: string[]}} */
export const found = { rules: [] };

/** @type {Lesson[]} */
export const LESSONS = [
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
    name: "The worked example", about: "2-2-2, every number of one step, by hand.", steps: [
      { sheet: WORKED, view: { row: 0, side: "forward" }, say: "The network of Mazur's example, in float64: inputs x1 = .05, x2 = .10; targets .01, .99; w1 to w4 are .15, .20, .25, .30 (w1 and w2 lead into h1), b1 = .35; w5 to w8 are .40, .45, .50, .55, b2 = .60; sigmoid everywhere. What goes into h1? Six decimals.", ask: ["dense_1.Z[0, 0]", "net_h1 = w1 x1 + w2 x2 + b1"], after: "Click the unit: its bias and its weights are these, W[i, j] leads from input i to unit j." },
      { say: "What comes out of h1?", ask: ["dense_1.Y[0, 0]", "out_h1 = 1 / (1 + e^(-net_h1))"], after: "h2 in the same way: .596884." },
      { say: "What goes into o1?", ask: ["dense_2.Z[0, 0]", "net_o1 = w5 out_h1 + w6 out_h2 + b2"], after: "A layer like the one before: outputs of one are inputs of the next." },
      { say: "What comes out of o1? It should be .01.", ask: ["dense_2.Y[0, 0]", "out_o1 = 1 / (1 + e^(-net_o1))"], after: "And out_o2 is .772928, where .99 is wanted." },
      { say: "How wrong is that, both outputs together?", ask: ["loss", "E = 1/2 (out_o1 - .01)² + 1/2 (out_o2 - .99)²"], after: "That is the number to bring down." },
      { say: "Now the way back: choose Backward above the network.", done: () => page.view.side === "backward", after: "The nodes show deltas: the derivative of E by what goes into each unit. The lines show dE/dw." },
      { say: "The delta of o1 is two factors of the chain.", ask: ["dense_2.dZ[0, 0]", "delta_o1 = (out_o1 - .01) out_o1 (1 - out_o1)"], after: "All weights into o1 share it." },
      { say: "One factor more, and it is the derivative by w5.", ask: ["dense_2.dW[0, 0]", "dE/dw5 = delta_o1 out_h1"], after: "Click the line from h1 to o1: the same three factors, beside the finite difference." },
      { say: "h1 matters to E by both outputs; delta_o2 is -.038098.", ask: ["dense_1.dY[0, 0]", "dE/dout_h1 = delta_o1 w5 + delta_o2 w7"], after: "w5 and w7 as they are now: none of them has moved yet." },
      { say: "And on to w1: past the sigmoid of h1, then x1.", ask: ["dense_1.dW[0, 0]", "dE/dw1 = dE/dout_h1 out_h1 (1 - out_h1) x1"], after: "Small: x1 is, and each sigmoid on the way takes its part." },
      { say: "The step, with the rate .5: what becomes of w5?", ask: ["dense_2.W.new[0, 0]", "w5 - .5 dE/dw5"], after: "So with all eight. The biases stay, as in the article." },
      { say: "And of w1? Take care: its gradient was made with the old w5.", ask: ["dense_1.W.new[0, 0]", "w1 - .5 dE/dw1"], after: "Whoever takes w5 after its update here gets another number: a well-known bug." },
      { say: "Let the page do it: two steps with the button beside Play. The loss that is shown is that before each step.", done: () => (head()?.taken ?? 0) >= 2, after: "After one step E is .291027774. The article prints .291027924: what comes of that bug, though its text warns of it. All numbers of the step can be filled in and marked under Exercises." },
    ],
  },
  {
    name: "Vanishing gradients", about: "Why deep stacks of sigmoids learn slowly.", steps: [
      { set: { ...PLAIN, data: "spirals", layers: hidden(8, "sigmoid", 6) }, view: { side: "backward", row: null }, say: "Six layers of sigmoids. Take an epoch (+1 epoch), and look at the gradients from right to left.", done: () => epoch() >= 1, after: "The slope of a sigmoid is 1/4 at most: through six layers little is left." },
      { say: "Open Diagnosis below the network.", done: () => found.rules.some((rule) => rule.includes("vanish")), after: "It names the ratio of the gradients of the first and the last layer, and remedies." },
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

