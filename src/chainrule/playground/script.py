"""The Python that repeats a run of the page to the bit: its data, its network, each stretch as it was trained."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chainrule import losses
from chainrule.playground.records import name_of
from chainrule.report.setting import code_of
from chainrule.tables import dataset_names

if TYPE_CHECKING:
    from collections.abc import Iterator

    from chainrule.playground.experiment import Experiment
    from chainrule.playground.moment import Moment
    from chainrule.playground.setting import Setting
    from chainrule.playground.timeline import Entry


def script_of(moment: Moment) -> str:
    """The script: every change on the way is in it, numbers put in by hand too."""
    experiment, course = moment.experiment, moment.course
    sheet = experiment.rows.sheet is not None
    lines = [
        f'"""A run of the chainrule playground: {experiment.setting.data}, {moment.taken:,} steps."""',
        "",
        "import numpy as np",
        *_imports(experiment),
        *(_sheet(experiment) if sheet else _table(experiment)),
        *_network(experiment, course[0].experiment),
        _UNTIL,
        *_stretches(moment),
        _END.format(steps=moment.taken),
    ]
    return "\n".join(lines)


def _imports(experiment: Experiment) -> Iterator[str]:
    if _counts(experiment):
        yield "from msgspec.structs import replace"
    yield "\nimport chainrule as cr"
    if experiment.rows.sheet is None:
        yield "from chainrule.splitting import split_rows"
        yield f"from chainrule.tables import {'' if experiment.begun else 'fit_columns, '}read_table"
    yield ""


def _counts(experiment: Experiment) -> bool:
    """Whether the target is learned as it stands, though columns would scale it."""
    plain = experiment.begun is None and experiment.rows.sheet is None
    return plain and name_of(experiment.setting.loss) == "poisson"


# ---- the rows -------------------------------------------------------------------------------------------------------


def _sheet(experiment: Experiment) -> Iterator[str]:
    X, y = experiment.rows.training
    yield f"X = np.array({X.tolist()})"
    yield f"y = np.array({y.tolist()})"
    yield "validation = None"


def _table(experiment: Experiment) -> Iterator[str]:
    setting, rows = experiment.setting, experiment.rows
    hint = "" if setting.data in dataset_names() else "  # the file that was handed to the page"
    yield f"table, target = read_table({setting.data!r}), {rows.target!r}{hint}"
    if experiment.begun is not None:
        yield 'begun = cr.load("model.safetensors")  # the model that the page began with'
    yield from _split(experiment)
    if experiment.begun is None:
        yield f"columns = fit_columns(table, target, rows=kept{_fitted(setting)})"
    else:
        yield "columns = begun.columns"
    if _counts(experiment):
        yield "columns = replace(columns, target=replace(columns.target, mean=0.0, std=1.0))  # counts stay as they are"
    yield _ROWS.format(dtype=setting.dtype)
    if setting.noise:
        yield _NOISE.format(noise=setting.noise, seed=setting.seed)


_ROWS = """

def rows(places):
    part = table[places]
    return columns.encode(part, dtype={dtype!r}), columns.encode_target(part, dtype={dtype!r})


(X, y), validation = rows(kept), rows(held) if len(held) else None"""
_NOISE = """\
noise = np.random.default_rng([{seed}, 77])  # as the page adds it: to the training rows, then to the others
X += noise.normal(0, {noise!r}, X.shape).astype(X.dtype)
if validation is not None:
    validation[0][...] += noise.normal(0, {noise!r}, validation[0].shape).astype(X.dtype)"""


def _fitted(setting: Setting) -> str:
    """What was asked of the columns, as arguments."""
    asked = {"task": ("auto", setting.task), "scaling": ("standard", setting.scaling), "drop": ((), setting.drop)}
    return "".join(f", {name}={value!r}" for name, (usual, value) in asked.items() if value != usual)


def _split(experiment: Experiment) -> Iterator[str]:
    setting = experiment.setting
    if experiment.rows.held is None:
        yield "kept, held = np.arange(len(table)), np.arange(0)"
        return
    classes = ""
    if experiment.rows.columns.classes:
        columns = "begun.columns" if experiment.begun else f"fit_columns(table, target{_fitted(setting)})"
        yield f"classes = {columns}.encode_target(table)"
        classes = ", classes=classes"
    yield f"kept, held = split_rows(len(table), {1 - setting.training_share!r}, seed={setting.seed}{classes})"


# ---- the network ----------------------------------------------------------------------------------------------------


def _network(experiment: Experiment, first: Experiment) -> Iterator[str]:
    """The network at its first weights."""
    setting, network = first.setting, experiment.network
    loss = repr(network.loss.name) if network.loss == losses.get(network.loss.name) else code_of(network.loss)
    layers = "".join(f"\n        {code_of(layer)}," for layer in network.layers)
    options = f"seed={setting.seed}, dtype={setting.dtype!r}, n_inputs=X.shape[1]"
    yield f"\n\ndef make(l1, l2):\n    layers = [{layers}\n    ]"
    yield f"    return cr.Network(layers, {loss}, {options}, l1=l1, l2=l2)\n"
    yield f"\nnetwork = make(l1={setting.l1!r}, l2={setting.l2!r})"
    if experiment.begun is not None:
        yield "network.theta = begun.network.theta"
    for name, numbers in setting.start.items():
        yield f"network.parameters[{name!r}] = {numbers!r}"


_UNTIL = """

class Until(cr.Callback):
    \"\"\"Ends a training after so many steps.\"\"\"

    def __init__(self, steps):
        self.steps = steps

    def on_begin(self, training):
        self.training = training
        self.look()

    def look(self, _record=None):
        left = self.steps - self.training.standing.taken
        if left <= 0:
            raise cr.StopTraining
        self.training.pace.steps_at_once = left

    on_steps = on_epoch = look

"""
_END = """\
print(f"loss {{network.evaluate_loss(X, y):.6g}} on the training rows after {steps} steps")
network.save("network.safetensors")
"""


# ---- the training ---------------------------------------------------------------------------------------------------


def _stretches(moment: Moment) -> Iterator[str]:
    """Each change on the way, and what was trained after it."""
    course = moment.course
    ends = [entry.taken for entry in course[1:]] + [moment.taken]
    before: Entry | None = None
    for entry, end in zip(course, ends, strict=True):
        yield from _change(before, entry)
        if end > entry.taken:
            yield _fit(entry.experiment, end - entry.taken)
        before = entry


def _change(before: Entry | None, entry: Entry) -> Iterator[str]:
    changes = before.experiment.setting.differences(entry.experiment.setting) if before else ()
    if changes:
        yield f"\n# From step {entry.taken:,} on: {'; '.join(f'{name} {there}' for name, _, there in changes)}."
    if any(name in {"l1", "l2"} for name, _, _ in changes):
        setting = entry.experiment.setting
        yield f"before, network = network, make(l1={setting.l1!r}, l2={setting.l2!r})\nnetwork.theta = before.theta"
    if entry.hands:
        yield f"\n# Put in by hand at step {entry.taken:,}."
    latest = {(hand.name, hand.place): hand.value for hand in entry.hands}
    for (name, place), value in latest.items():
        yield f"network.parameters[{name!r}][{', '.join(map(str, place))}] = {value!r}"


def _fit(experiment: Experiment, steps: int) -> str:
    setting, settings = experiment.setting, experiment.training.settings
    metric = "accuracy" if experiment.rows.columns.classes else "r2"
    return (
        f"network.fit(\n    X, y, epochs={settings.epochs}, batch_size={setting.batch_size or None}, "
        f"metrics={metric!r}, validation=validation,\n    optimizer={code_of(settings.optimizer)},\n"
        f"    callbacks=Until({steps}),\n)"
    )
