"""The pieces of `benchmarks/` at tiny sizes: that the peers do the same work is tested, how fast is not."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest

pytest.importorskip("sklearn")

from benchmarks import __main__ as command
from benchmarks import accuracy, csv, mixed_tables, predict, startup, steps, tables, tasks, worker
from benchmarks.peers import Unable, csv_readers, numpy_by_hand, ours, scikit_learn, trainers
from benchmarks.problems import RATES, Problem, flat, numbers
from benchmarks.racing import BY_HAND, Peer, engines, python_with, race

from chainrule.engines.choose import ENGINES

TINY = Problem((5, 4, 3), 4, 6)
LOSSES = {"cross_entropy": (5, 4, 3), "binary_cross_entropy": (5, 4, 1), "half_squared_error": (5, 4, 1)}


def apart(a, b):
    return float(np.linalg.norm(a - b) / np.linalg.norm(b))


def after_two_rounds(racer):
    racer.round()
    racer.round()
    return racer.answer()


# the peers do the same work ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("activation", ["sigmoid", "relu"])
@pytest.mark.parametrize("optimizer", RATES)
@pytest.mark.parametrize("loss", LOSSES)
def test_every_engine_steps_as_the_loop_by_hand(loss, optimizer, activation, engine):
    problem = Problem(LOSSES[loss], 4, 6, activation, loss, optimizer)
    by_hand = after_two_rounds(numpy_by_hand.steps(problem))
    given = numbers(problem)
    assert apart(by_hand, flat(given.weights, given.biases)) > 1e-3  # it moved
    assert apart(after_two_rounds(ours.steps(problem, engine=engine)), by_hand) < 1e-5


@pytest.mark.parametrize("optimizer", ["sgd", "momentum"])
@pytest.mark.parametrize("loss", ["cross_entropy", "binary_cross_entropy"])
def test_scikit_learn_steps_as_the_loop_by_hand(loss, optimizer):
    problem = Problem(LOSSES[loss], 4, 6, "relu", loss, optimizer)
    by_hand = after_two_rounds(numpy_by_hand.steps(problem))
    assert apart(after_two_rounds(scikit_learn.steps(problem)), by_hand) < 1e-5


def test_fit_takes_the_same_steps_as_its_engine():
    by_engine = after_two_rounds(ours.steps(TINY, engine="reference"))
    assert apart(after_two_rounds(ours.fit(TINY, engine="reference")), by_engine) == 0


def test_all_predict_the_same():
    expected = numpy_by_hand.predict(TINY).answer()
    assert np.allclose(ours.predict(TINY, engine="reference").answer(), expected, atol=1e-6)
    assert np.allclose(scikit_learn.predict(TINY).answer(), expected, atol=1e-6)


@pytest.mark.parametrize("peer", ["torch_eager", "jax_scan"])
@pytest.mark.parametrize("optimizer", RATES)
def test_other_libraries_step_as_the_loop_by_hand(peer, optimizer):
    pytest.importorskip("torch" if peer == "torch_eager" else "jax")
    module = __import__(f"benchmarks.peers.{peer}", fromlist=["steps"])
    problem = Problem((5, 4, 3), 4, 6, optimizer=optimizer)
    assert apart(after_two_rounds(module.steps(problem)), after_two_rounds(numpy_by_hand.steps(problem))) < 1e-5


def test_a_peer_says_what_it_cannot_do():
    with pytest.raises(Unable, match="squared error"):
        scikit_learn.steps(Problem((5, 4, 1), 4, 6, loss="half_squared_error"))
    with pytest.raises(Unable, match="optimizer"):
        ours.fit(Problem((5, 4, 3), 4, 6, optimizer="adam"), engine="reference")


# races ---------------------------------------------------------------------------------------------------------------


def test_a_race_gives_time_memory_and_answer_of_each():
    peers = [
        BY_HAND,
        engines()[0],
        Peer("absent", "numpy_by_hand", "no_such_library"),
        Peer("wordless", "numpy_by_hand", "numpy", function="juggle"),
        Peer("broken", "no_such_module", "numpy"),
    ]
    hand, engine, absent, wordless, broken = race(peers, "steps", TINY, rounds=1)
    assert np.array_equal(hand.answer, after_two_rounds(numpy_by_hand.steps(TINY)))
    assert not np.array_equal(race(peers[:1], "steps", TINY, rounds=1, answer_first=True)[0].answer, hand.answer)
    assert apart(engine.answer, hand.answer) < 1e-6
    for result in (hand, engine):
        assert 0 < result.seconds < np.inf
        assert 1e7 < result.memory < 1e9
        assert result.version
    assert [each.unable for each in (absent, wordless, broken)] == [
        "not installed",
        "has no such thing",
        "its process failed",
    ]


def test_which_python_has_a_library():
    assert python_with("numpy") == sys.executable
    assert python_with("no_such_library") is None


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the peak is the one that the system counts")
def test_peak_memory_sees_what_was_freed():
    """In a process of its own: this one may have had its peak before."""
    code = (
        "import numpy as np; from benchmarks import worker; before = worker.peak_memory();"
        "np.ones(30_000_000).sum(); print(worker.peak_memory() - before)"
    )
    root = Path(worker.__file__).parent.parent
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    assert float(done.stdout) > 1e8


# tables --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "rows", "best", "share"),
    [
        (mixed_tables.titanic_like, 891, (0.8, 0.86), (0.34, 0.42)),
        (mixed_tables.adult_like, 8000, (0.85, 0.89), (0.2, 0.28)),
    ],
)
def test_made_tables_resemble_their_models(make, rows, best, share):
    frame, accuracy_of_the_rule = make()
    assert frame.height == rows
    assert best[0] < accuracy_of_the_rule < best[1]
    target = frame.to_series(-1)
    positive = {"survived": "yes", "income": ">50K"}[target.name]
    assert share[0] < (target == positive).mean() < share[1]
    assert frame.equals(make().frame)
    assert not frame.equals(make(seed=1).frame)
    assert not target.has_nulls()
    assert any(column.has_nulls() for column in frame.get_columns())
    assert {pl.String, pl.Int64} <= set(frame.dtypes)


def test_splits_are_the_same_for_both_and_whole():
    task = tasks.TASKS["iris"]()
    train, test = tasks.split(task, 3)
    assert sorted([*train, *test]) == list(range(150))
    assert sorted(task.frame[test][task.target].value_counts()["count"]) == [12, 13, 13]
    assert not np.array_equal(test, tasks.split(task, 4)[1])


@pytest.mark.parametrize("name", ["iris", "sine"])
def test_both_learn_something(name):
    task = tasks.TASKS[name]()
    assert tasks.chainrule_score(task, 0) > 0.8
    assert tasks.sklearn_score(task, 0) > 0.5


def test_a_pipeline_takes_missing_values_and_categories():
    assert tasks.sklearn_score(tasks.TASKS["penguins"](), 0) > 0.9


def test_a_trainer_trains_a_seed_a_round():
    racer = trainers.chainrule("iris", 2)
    assert np.isnan(racer.answer()).all()
    racer.round()
    racer.round()
    racer.round()  # one too many changes nothing
    assert racer.answer()[1] == tasks.chainrule_score(tasks.TASKS["iris"](), 1)


def test_readers_agree_on_the_pixels(tmp_path):
    total = csv.write_pixels(tmp_path / "pixels.csv", 40)
    frame = pl.read_csv(tmp_path / "pixels.csv")
    assert frame.shape == (40, 785)
    zeros = (frame.drop("label").to_numpy() == 0).mean()
    assert 0.75 < zeros < 0.88
    for reader in (csv_readers.polars, csv_readers.pandas, csv_readers.chainrule_read, csv_readers.chainrule):
        racer = reader(str(tmp_path / "pixels.csv"))
        racer.round()
        assert racer.answer() == pytest.approx(total, rel=1e-6)


# what is printed -----------------------------------------------------------------------------------------------------


def test_the_machine_is_named():
    text = tables.machine()
    assert f"numpy {np.__version__}" in text
    assert "cores" in text


def test_times_and_memory_read_well():
    assert [tables.time_text(seconds) for seconds in (2.5e-7, 1e-3, 0.9999, 61.25)] == [
        "0.25 us",
        "1 ms",
        "1 s",
        "61.2 s",
    ]
    assert tables.memory_text(1.5e9) == "1500 MB"


@pytest.mark.slow
@pytest.mark.parametrize("name", command.NAMES)
def test_each_table_is_printed_within_its_width(name, capsys, monkeypatch):
    monkeypatch.setattr(steps, "PROBLEMS", (TINY, TINY, TINY, TINY, TINY))
    monkeypatch.setattr(predict, "PROBLEM", TINY)
    monkeypatch.setattr(csv, "ROWS", 300)
    command.main([name, "--quick", "--rounds", "1"])
    out = capsys.readouterr().out
    lines = out.splitlines()
    assert max(map(len, lines)) <= tables.WIDTH
    assert any(line.startswith("| ---") for line in lines)
    words = {"startup": "import chainrule", "steps": "NumPy by hand", "predict": "scikit-learn"}
    assert {**words, "csv": "polars.read_csv alone", "accuracy": "iris"}[name] in out


def test_an_unknown_table_is_told(capsys):
    with pytest.raises(SystemExit, match="2"):
        command.main(["stepz"])
    assert "there is no table stepz" in capsys.readouterr().err


def test_the_limits_are_those_that_were_asked_for():
    assert (steps.LIMIT, startup.IMPORT_LIMIT, startup.HELP_LIMIT) == (1.3, 1.3, 0.4)
    assert (csv.TIME_LIMIT, csv.MEMORY_LIMIT, accuracy.LIMIT) == (2.0, 4.0, -1.0)
