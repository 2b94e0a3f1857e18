// The records of the protocol, as `messages.py` has them.

/**
 * @typedef {{name: string, about: string, handed: boolean}} Source
 * @typedef {string | ({name: string} & Record<string, any>)} Chosen
 * @typedef {{name: string, kind: string, usual: any, choices: string[], optional: boolean}} Field
 * @typedef {{activations: string[], formulas: Record<string, string>, initializers: string[], norms: string[], losses: Record<string, boolean>, optimizers: string[], schedules: string[], scalings: string[], forms: Record<string, Record<string, Field[]>>}} Choices
 * @typedef {{kind: string, title: string, about: string}} Away
 * @typedef {{kind: "welcome", session: string, version: string, choices: Choices, sources: Source[], away: Away[], exercise: Field[], idle_minutes: number, is_new: boolean}} Welcome
 * @typedef {{activation: Chosen, bias: boolean, frozen: string[], init: Chosen, bias_init: Chosen}} DenseLayer
 * @typedef {DenseLayer & {units: number, norm: Chosen, norm_first: boolean, dropout: number, shortcut: number}} HiddenLayer
 * @typedef {{data: string, target: string | null, task: string, drop: string[], scaling: string, noise: number, training_share: number, layers: HiddenLayer[], output: DenseLayer, start: Record<string, any>, loss: Chosen, optimizer: Chosen, lr: number | null, schedule: Chosen, l1: number, l2: number, epochs: number, batch_size: number, seed: number, dtype: string}} Setting
 * @typedef {{name: string, low: number, high: number, low_value: number, high_value: number}} Axis
 * @typedef {{name: string, inputs: number, units: number, activation: string, bias: boolean}} Layer
 * @typedef {{kind: "setup", number: number, setting: Setting, link: string, layers: Layer[], parameters: number, loss: string, axes: Axis[], first_axes: [number, number], classes: string[], columns: string[], aside: Record<string, string>, target: string, targets: string[], sheet: boolean, training_rows: number, held_rows: number, steps_per_epoch: number, picture_side: number, target_range: [number, number] | null, engine: string}} Setup
 * @typedef {{rows: number[], x: number[], y: number[], target: number[], held: boolean[]}} Points
 * @typedef {{kind: "plane", number: number, x: number, y: number, points: Points}} Plane
 * @typedef {{name: string, epochs: number[], series: Record<string, (number | null)[]>}} Curve
 * @typedef {{kind: "curves", runs: Curve[]}} Curves
 * @typedef {{kind: "results", part: string, rows: number, scores: [string, string][], classes: string[], confusion: number[][], actual: number[], predicted: number[], places: number[]}} Results
 * @typedef {{kind: "beside", title: string, state: string, taken: number, differs: [string, string, string][], scores: [string, string, string][], results: Results}} Beside
 * @typedef {{kind: "alone"}} Alone
 * @typedef {{kind: "page", first: number, total: number, columns: string[], rows: string[][], numbers: number[], held: boolean[]}} Page
 * @typedef {{kind: string, text: string, tone: string, level: number, lines: string[], head: string[], rows: string[][], right: number[]}} Part
 * @typedef {{kind: "explained", name: string, title: string, parts: Part[], value: number, gradient: number, difference: number, row: number | null, steps: number[], values: number[]}} Explained
 * @typedef {{words: string, argument: string, ready: boolean}} Cure
 * @typedef {{rule: string, severity: string, where: string, says: string, why: string, figures: string[], remedies: Cure[]}} Finding
 * @typedef {{kind: "diagnosed", taken: number, findings: Finding[]}} Diagnosed
 * @typedef {{kind: "tried", finding: number, remedy: number, title: string, helped: boolean, words: string, before: Curve, after: Curve}} Tried
 * @typedef {{name: string, shape: number[], formula: string, part: string}} Blank
 * @typedef {{kind: "sheet", name: string, title: string, given: Part[], blanks: Blank[], digits: number}} Sheet
 * @typedef {{name: string, right: boolean, wrong_at: number[][]}} Judged
 * @typedef {{kind: "marked", sheet: string, ok: boolean, title: string, answers: Judged[], parts: Part[]}} Marked
 * @typedef {{kind: "fault", words: string, about: string}} Fault
 * @typedef {Welcome | Setup | Plane | Curves | Results | Page | Explained | Diagnosed | Tried | Sheet | Marked | Beside | Alone | Fault} Told
 * @typedef {{x: number, y: number, windows: Record<string, number>, row: number | null, side: "forward" | "backward", results: boolean, held: boolean}} View
 * @typedef {{actual: string, answered: string, shares: number[] | null}} Answer
 * @typedef {{kind: "frame", version: number, setup: number, state: string, words: string, taken: number, epoch: number, step: number, furthest: number, shown: [number, number][], heat: [number, number][], row: number | null, batch_row: [number, number, number] | null, answer?: Answer, rows?: number, loss?: number | null, scores?: Record<string, number | null>, arrays: Record<string, any>}} Head
 * @typedef {{head: Head, arrays: Record<string, {values: Float32Array | Uint8Array, shape: number[]}>}} Frame
 */
/**
 * What came of a table that was handed in, and of a file that was asked for.
 * @typedef {{name?: string, fault?: string}} Sent
 * @typedef {{name?: string, blob?: Blob, fault?: string}} Taken
 */

export {};
