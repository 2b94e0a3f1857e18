"""What is taken away works without the page."""

from __future__ import annotations

import numpy as np
import pytest
from msgspec.structs import replace

import chainrule as cr
from chainrule.export import FORMATS
from chainrule.playground import experiment as experiments
from chainrule.playground.setting import HiddenLayer, Setting
from chainrule.playground.tables import Sources
from chainrule.playground.takeaway import python_of, take, ways
from chainrule.playground.worker import Moment

PLAIN = Setting(data="iris", layers=(HiddenLayer(units=3),), epochs=3)
FIRST = HiddenLayer(units=5, activation="relu", norm="layer", dropout=0.25)
RICH = Setting(
    data="penguins",
    drop=("island",),
    scaling="minmax",
    noise=0.25,
    training_share=0.6,
    layers=(
        HiddenLayer(units=5, activation="relu", norm="layer", dropout=0.25),
        HiddenLayer(units=3, init="he_normal", activation={"name": "leaky_relu", "leak": 0.2}),
        HiddenLayer(units=3, shortcut=1, bias=False),
    ),
    optimizer={"name": "momentum", "momentum": 0.8, "clip_norm": 1.0},
    schedule={"name": "cosine", "final": 0.001},
    loss={"name": "cross_entropy", "reduction": "sum"},
    dtype="float64",
    l2=0.01,
    batch_size=0,
    seed=7,
    epochs=3,
)


def trained(setting: Setting) -> Moment:
    """The moment after the last epoch."""
    made = experiments.make(setting, Sources())
    for _ in made.training:
        pass
    now = made.training.standing
    return Moment(1, 1, "finished", "", now.taken, now.epoch, 0, 0, made.network.theta.copy(), made, now.epochs, 3)


@pytest.mark.parametrize("setting", [PLAIN, RICH, Setting(data="sine", training_share=1.0, epochs=3)])
def test_the_python_repeats_the_run_to_the_bit(setting: Setting, tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    moment = trained(setting)
    names: dict[str, object] = {}
    exec(compile(python_of(moment), "run.py", "exec"), names)  # noqa: S102 -- that is what a person does with it
    assert np.array_equal(names["network"].theta, moment.theta)
    assert f"{moment.records[-1].loss:.6g}" in capsys.readouterr().out


def test_a_table_of_ones_own_is_named_and_no_path_of_the_server(tmp_path) -> None:
    sources = Sources({"own.csv": Sources().table("iris")})
    made = experiments.make(replace(PLAIN, data="own.csv"), sources)
    moment = Moment(1, 1, "paused", "", 0, 0, 0, 0, made.network.theta, made, [], 0)
    assert "read_table('own.csv')" in python_of(moment)
    assert str(tmp_path.parent) not in python_of(moment)


def test_the_model_answers_as_the_page_does(tmp_path) -> None:
    moment = trained(PLAIN)
    taken = take("model", moment)
    path = tmp_path / taken.name
    path.write_bytes(taken.content)
    X, _ = moment.experiment.rows.every()
    model = cr.load(path)
    places = np.concatenate(moment.experiment.rows.places).astype(int)
    answers = model.predict(moment.experiment.rows.frame[places])["prediction"].to_list()
    classes = moment.experiment.rows.columns.classes
    assert answers == [classes[k] for k in moment.experiment.network.forward(X).argmax(axis=1)]


@pytest.mark.parametrize("kind", ["json", "numpy", "javascript"])
def test_what_the_registry_of_exports_has_can_be_taken(kind: str) -> None:
    taken = take(kind, trained(PLAIN))
    assert taken.content
    assert taken.name.startswith("iris")


def test_all_formats_are_offered() -> None:
    assert {way.kind for way in ways()} == {"model", "python", *FORMATS}
