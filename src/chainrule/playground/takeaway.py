"""What a person takes away from the page: files that work without it."""

from __future__ import annotations

import io
import tempfile
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from chainrule import losses
from chainrule.errors import unknown_name
from chainrule.export import FORMATS, export
from chainrule.playground.messages import Away
from chainrule.report.setting import code_of
from chainrule.tables import dataset_names

if TYPE_CHECKING:
    from collections.abc import Callable

    from chainrule.playground.experiment import Experiment
    from chainrule.playground.setting import Setting
    from chainrule.playground.worker import Moment


_COMPARED = 200  # rows of the table that an export is compared on, besides random ones


class Taken(NamedTuple):
    """A file: its name, its media type, its bytes."""

    name: str
    kind: str
    content: bytes


def take(kind: str, moment: Moment) -> Taken:
    """The file of this kind.

    Raises:
        ArgumentError: when there is no such kind.
    """
    if kind in _KINDS:
        return _KINDS[kind](moment)
    if kind not in FORMATS:
        raise unknown_name("kind", kind, [*_KINDS, *FORMATS], where="take away")
    return _export(kind, moment)


def _export(kind: str, moment: Moment) -> Taken:
    """What `chainrule.export` writes; of several files an archive."""
    rows = moment.experiment.rows
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{_name(moment)}{FORMATS[kind].endings[-1]}"
        written = export(moment.experiment.model(moment.theta), path, to=kind, data=rows.frame.head(_COMPARED))
        files = {Path(name).name: Path(name).read_bytes() for name in written.files}
    if len(files) == 1:
        ((name, content),) = files.items()
        return Taken(name, "application/octet-stream", content)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return Taken(f"{_name(moment)}_{kind}.zip", "application/zip", packed.getvalue())


def ways() -> tuple[Away, ...]:
    """All that can be taken away: what is made here, and what the registry of exports has."""
    return (
        Away("model", "The model", "Network, weights and columns; for chainrule predict and chainrule.load."),
        Away("python", "The run in Python", "A script of this setting: whole epochs from the first step, to the bit."),
        *(Away(name, name, each.about) for name, each in FORMATS.items()),
    )


def _model(moment: Moment) -> Taken:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.safetensors"
        moment.experiment.model(moment.theta).save(path)
        return Taken(f"{_name(moment)}.safetensors", "application/octet-stream", path.read_bytes())


def _python(moment: Moment) -> Taken:
    return Taken(f"{_name(moment)}.py", "text/x-python; charset=utf-8", python_of(moment).encode())


def _name(moment: Moment) -> str:
    return "".join(c if c.isascii() and (c.isalnum() or c in "-_") else "_" for c in moment.experiment.setting.data)


def python_of(moment: Moment) -> str:
    """The Python that repeats the run from its first step, with the setting of this one throughout."""
    experiment = moment.experiment
    setting, classes = experiment.setting, experiment.rows.columns.classes
    built_in = setting.data in dataset_names()
    fitted = "".join(f", {name}={value!r}" for name, value in _asked_of_columns(setting).items())
    layers = "".join(f"\n        {code_of(layer)}," for layer in experiment.network.layers)
    penalties = "".join(f", {name}={getattr(setting, name)!r}" for name in ("l1", "l2") if getattr(setting, name))
    noise = _NOISE.format(noise=setting.noise, seed=setting.seed) if setting.noise else ""
    return _SCRIPT.format(
        about=f"{setting.data}, {moment.epoch:,} epochs",
        data=setting.data,
        hint="" if built_in else "  # the file that was handed to the page",
        target=experiment.rows.target,
        fitted=fitted,
        split=_split(experiment),
        noise=noise,
        layers=layers,
        loss=_loss(experiment),
        seed=setting.seed,
        dtype=setting.dtype,
        penalties=penalties,
        epochs=max(moment.epoch, 1),
        batch_size=setting.batch_size or None,
        optimizer=code_of(experiment.training.settings.optimizer),
        validation=", validation=validation" if experiment.rows.held is not None else "",
        metric="accuracy" if classes else "r2",
    )


_SCRIPT = """\
\"\"\"A run of the chainrule playground: {about}.\"\"\"

import numpy as np

import chainrule as cr
from chainrule.splitting import split_rows
from chainrule.tables import fit_columns, read_table

table, target = read_table({data!r}), {target!r}{hint}
{split}
columns = fit_columns(table, target, rows=kept{fitted})


def rows(places):
    part = table[places]
    return columns.encode(part, dtype={dtype!r}), columns.encode_target(part, dtype={dtype!r})


(X, y), validation = rows(kept), rows(held) if len(held) else None
{noise}network = cr.Network(
    [{layers}
    ],
    {loss}, seed={seed}, dtype={dtype!r}{penalties},
)
history = network.fit(
    X, y, epochs={epochs}, batch_size={batch_size}, metrics={metric!r}{validation},
    optimizer={optimizer},
)
print(f"loss {{history['loss'][-1]:.6g}} after {{len(history)}} epochs")
network.save("network.safetensors")
"""
_NOISE = """\
noise = np.random.default_rng([{seed}, 77])  # as the page adds it: to the training rows, then to the others
X += noise.normal(0, {noise!r}, X.shape).astype(X.dtype)
if validation is not None:
    validation[0][...] += noise.normal(0, {noise!r}, validation[0].shape).astype(X.dtype)
"""


def _loss(experiment: Experiment) -> str:
    """A name alone where that says it all."""
    loss = experiment.network.loss
    return repr(loss.name) if loss == losses.get(loss.name) else code_of(loss)


def _asked_of_columns(setting: Setting) -> dict[str, object]:
    asked = {"task": ("auto", setting.task), "scaling": ("standard", setting.scaling), "drop": ((), setting.drop)}
    return {name: value for name, (usual, value) in asked.items() if value != usual}


def _split(experiment: Experiment) -> str:
    setting = experiment.setting
    if experiment.rows.held is None:
        return "kept, held = np.arange(len(table)), np.arange(0)"
    share = f"{1 - setting.training_share!r}, seed={setting.seed}"
    if not experiment.rows.columns.classes:
        return f"kept, held = split_rows(len(table), {share})"
    fitted = "".join(f", {name}={value!r}" for name, value in _asked_of_columns(setting).items())
    classes = f"fit_columns(table, target{fitted}).encode_target(table)"
    return f"classes = {classes}\nkept, held = split_rows(len(table), {share}, classes=classes)"


_KINDS: dict[str, Callable[[Moment], Taken]] = {"model": _model, "python": _python}
