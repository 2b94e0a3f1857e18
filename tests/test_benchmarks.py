"""The pieces of `benchmarks/` at tiny sizes: that the peers do the same work is tested, how fast is not."""

import dataclasses
import gzip
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest

pytest.importorskip("sklearn")

from benchmarks import __main__ as command
from benchmarks import (
    accuracy,
    csv,
    estimators,
    floors,
    latency,
    mixed_tables,
    predict,
    startup,
    steps,
    tables,
    tasks,
    whole,
    worker,
)
from benchmarks.entrants import BY_HAND, engines, steppers
from benchmarks.peers import Race, Unable, csv_readers, matrix_product, numpy_by_hand, ours, scikit_learn, trainers
from benchmarks.problems import RATES, Problem, flat, numbers
from benchmarks.processes import run_process
from benchmarks.racing import Peer, Result, python_with, race
from benchmarks.scripts import pictures

import chainrule as cr
from chainrule.engines.choose import ENGINES

TINY = Problem((5, 4, 3), 4, 6)
FULL = Problem((5, 4, 3), 8, 3, "tanh", "least_squares", "adam", full=True)
LOSSES = {
    "cross_entropy": (5, 4, 3),
    "binary_cross_entropy": (5, 4, 1),
    "half_squared_error": (5, 4, 1),
    "least_squares": (5, 4, 3),
}


def apart(a, b):
    return float(np.linalg.norm(a - b) / np.linalg.norm(b))


def after_two_rounds(racer):
    racer.round()
    racer.round()
    return racer.answer()


# the peers do the same work ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("activation", ["sigmoid", "tanh", "relu"])
@pytest.mark.parametrize("optimizer", RATES)
@pytest.mark.parametrize("loss", LOSSES)
def test_every_engine_steps_as_the_loop_by_hand(loss, optimizer, activation, engine):
    problem = Problem(LOSSES[loss], 4, 6, activation, loss, optimizer)
    by_hand = after_two_rounds(numpy_by_hand.steps(problem))
    given = numbers(problem)
    assert apart(by_hand, flat(given.weights, given.biases)) > 1e-3  # it moved
    assert apart(after_two_rounds(ours.steps(problem, engine=engine)), by_hand) < 1e-5


@pytest.mark.parametrize("engine", ENGINES)
def test_a_full_batch_takes_all_rows_at_each_step(engine):
    assert numbers(FULL).X.shape == (8, 5)
    by_hand = after_two_rounds(numpy_by_hand.steps(FULL))
    assert apart(after_two_rounds(ours.steps(FULL, engine=engine)), by_hand) < 1e-5
    once = numpy_by_hand.steps(FULL.with_steps(1))
    for _ in range(6):
        once.round()
    assert np.array_equal(once.answer(), by_hand)


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


@pytest.mark.slow
@pytest.mark.parametrize("problem", [Problem((5, 4, 3), 4, 6, optimizer="momentum"), FULL])
def test_other_libraries_step_as_the_loop_by_hand(problem):
    """In their own Python, where `make bench-peers` put them."""
    names = ["torch, eager", "jax", "jax, steps gathered before"]
    names += ["torch, compiled", "jax, unroll 8"] if problem == FULL else []  # these take seconds to compile
    others = [peer for peer in steppers() if peer.name in names]
    if not any(python_with(peer.library) for peer in others):
        pytest.skip("neither jax nor torch is installed")
    hand, *results = race([BY_HAND, *others], "steps", problem, rounds=0, long=1)
    for result in results:
        if result.unable != "not installed":
            assert not result.unable
            assert apart(result.answer, hand.answer) < 1e-5


def test_a_peer_says_what_it_cannot_do():
    with pytest.raises(Unable, match="squared error"):
        scikit_learn.steps(Problem((5, 4, 1), 4, 6, loss="half_squared_error"))
    with pytest.raises(Unable, match="several linear outputs"):
        scikit_learn.steps(FULL)
    with pytest.raises(Unable, match="optimizer"):
        ours.fit(Problem((5, 4, 3), 4, 6, optimizer="adam"), engine="reference")


# races ---------------------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_race_gives_time_memory_and_answer_of_each():
    peers = [
        BY_HAND,
        engines()[0],
        Peer("absent", "numpy_by_hand", "no_such_library"),
        Peer("wordless", "numpy_by_hand", "numpy", function="juggle"),
        Peer("broken", "no_such_module", "numpy"),
    ]
    hand, engine, absent, wordless, broken = race(peers, "steps", TINY, rounds=1, long=1)
    first = numpy_by_hand.steps(TINY)
    first.round()
    assert np.array_equal(hand.answer, first.answer())
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


@pytest.mark.slow
def test_answers_are_those_of_the_last_round_unless_all_are_compared_before(tmp_path):
    path = tmp_path / "pixels.csv"
    csv.write_pixels(path, 20)
    (result,) = race([csv.PEERS[0]], "", rounds=0, path=str(path))
    assert result.answer == pl.read_csv(path).drop("label").to_numpy().sum()


def test_compiled_epochs_are_timed_on_more_steps_and_compared_on_as_many():
    request = {"module": "ours", "function": "steps", "options": {}, "answer": None}
    request |= {"problem": dataclasses.asdict(TINY)}
    answers = []
    for long in (1, 5):
        racer = worker.start({**request, "long": long}, save=lambda racer: answers.append(racer.answer().copy()))
        before = racer.answer().copy()
        racer.round()
        assert not np.array_equal(racer.answer(), before)
    assert np.array_equal(*answers)
    longer = numbers(TINY.with_steps(5 * TINY.steps))
    assert np.array_equal(before, flat(longer.weights, longer.biases))  # begun anew


def test_a_short_round_is_repeated_and_a_long_one_is_not():
    done = []
    racer = Race(lambda: done.append(1), lambda: None, "")
    worker.seconds(racer, 0.0)
    assert len(done) == 1
    worker.seconds(racer, 0.01)
    assert len(done) > 2


def test_which_python_has_a_library():
    assert python_with("numpy") == sys.executable
    assert python_with("no_such_library") is None


@pytest.mark.slow
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


# floors --------------------------------------------------------------------------------------------------------------


def test_operations_are_those_of_the_matrix_products():
    B, I, H, O = 7, 5, 4, 3
    forward, dW, dX = B * (I * H + H * O), B * (I * H + H * O), B * H * O
    assert Problem((I, H, O), B, 2).operations == 2 * (forward + dW + dX)


def results_of(seconds):
    return [Result(Peer(name, "", ""), time, 1) for name, time in seconds.items()]


def test_the_best_setting_of_each_peer_counts_against_that_which_a_person_gets():
    times = {
        "chainrule, auto": 2.0,
        "chainrule, native, 1 thread": 1.0,
        "jax": 9.0,
        "jax, 1 thread": 3.0,
        "torch, eager": 8.0,
        "torch, compiled": 10.0,
    }
    problem = Problem((5, 4, 3), 7, 10)
    results = [*results_of(times), Result(Peer("NumPy by hand", "", ""), unable="not installed")]
    peaks = {"1 core": 10 * problem.operations, "all cores": 20 * problem.operations}
    bout = floors.Bout(problem, (1.5, 5, 3), floors.Share(0.9, "1 core"))
    judged = floors.judge(bout, results, peaks)
    jax, torch, numpy, share = judged.reached
    assert (jax.value, torch.value) == (1.5, 4.0)
    assert np.isnan(numpy.value)
    assert share.value == pytest.approx(1.0)  # one thread's time against one core's peak
    assert judged.cells[1:] == ["1.5 >= 1.5", "4 < 5", "-", "100% >= 90%", "NO"]
    assert judged.missed == ["5-4-3 sigmoid 7 sgd against torch (4 < 5)"]
    all_cores = floors.judge(bout._replace(share=floors.Share(0.2, "all cores")), results, peaks)
    assert all_cores.reached[-1].value == pytest.approx(0.25)


def test_the_peak_is_that_of_a_matrix_product():
    assert matrix_product.OPERATIONS == 2 * 2048**3
    slow, fast = results_of({"1 core": 2.0, "all cores": 1.0}), results_of({"1 core": 1.0, "all cores": 4.0})
    assert floors.peak([*slow, *fast]) == {"1 core": 2 * 2048**3, "all cores": 2 * 2048**3}


def test_the_floors_are_those_that_were_asked_for():
    asked = {
        "2-2-1 sigmoid 1 sgd": (1, 1000, 300, None),
        "64-32-16-10 sigmoid 1 sgd": (3, 300, 100, None),
        "64-32-16-10 sigmoid 32 sgd": (2.5, 20, 6, (0.4, "1 core")),
        "64-32-16-10 sigmoid 32 adam": (2.5, 20, 6, (0.4, "1 core")),
        "784-30-10 sigmoid 10 sgd": (2, 10, 3, (0.5, "1 core")),
        "784-256-64-10 relu 32 sgd": (1.3, 2, 2, (0.6, "all cores")),
        "784-256-64-10 relu 32 adam": (1.3, 2, 2, (0.6, "all cores")),
        "784-256-64-10 relu 128 adam": (1.15, 1.3, 1.5, (0.75, "all cores")),
        "4-32-16-4 tanh 10,000 adam": (1.5, 5, 5, None),
        "784-2048-2048-10 relu 256 adam": (1, 1.2, 1.2, (0.85, "all cores")),
    }
    assert {bout.problem.name: (*bout.floors, bout.share) for bout in floors.BOUTS} == asked
    assert whole.FLOORS == {"sklearn_digits": 5, "torch_digits": 50, "arrays": 4, "table": 3}


# whole processes -----------------------------------------------------------------------------------------------------


def test_a_process_is_measured_from_outside():
    code = "b = bytearray(100_000_000); print('done')"
    done = run_process([sys.executable, "-c", code])
    assert done.output == "done\n"
    assert done.seconds > 0
    assert 1e8 < done.memory < 2e8
    with pytest.raises(RuntimeError, match="ended with 3: it broke"):
        run_process([sys.executable, "-c", "import sys; sys.stderr.write('it broke'); sys.exit(3)"])


def write_mnist(folder, rng):
    """Four files as MNIST's are, with 6 and 3 pictures."""
    for part, rows in (("train", 6), ("t10k", 3)):
        pixels, labels = rng.integers(0, 256, (rows, 784), np.uint8), np.arange(rows, dtype=np.uint8)
        images, names = folder / f"{part}-images-idx3-ubyte.gz", folder / f"{part}-labels-idx1-ubyte.gz"
        images.write_bytes(gzip.compress(b"\0" * 16 + pixels.tobytes()))
        names.write_bytes(gzip.compress(b"\0" * 8 + labels.tobytes()))


def test_pictures_are_the_same_from_a_folder_and_from_tables(tmp_path):
    pytest.importorskip("pandas")
    write_mnist(tmp_path, np.random.default_rng(0))
    given = pictures.read_folder(tmp_path)
    assert given.X.shape == (6, 784)
    assert given.X.max() == 1
    assert given.y_test.tolist() == [0, 1, 2]
    paths = [Path(whole.write_table(tmp_path, part, tmp_path)) for part in ("train", "t10k")]
    for read, expected in zip(pictures.read_tables(*paths), given, strict=True):
        assert np.array_equal(read, expected)
        assert read.dtype == expected.dtype


def test_a_training_ends_at_the_accuracy_or_after_the_epochs(tmp_path, monkeypatch, capsys):
    write_mnist(tmp_path, np.random.default_rng(0))
    for arguments, expected in ((["--until", "0.6"], (3, 0.7)), (["--epochs", "2"], (2, 0.5))):
        monkeypatch.setattr(sys, "argv", ["script", str(tmp_path), *arguments])
        pictures.main(lambda *_: iter([0.2, 0.5, 0.7, 0.9]))
        answer = json.loads(capsys.readouterr().out)
        assert (answer["epochs"], answer["accuracy"]) == expected


def test_the_middle_of_some_trainings():
    trainings = [whole.Training(1, 10, 7, 0.97), whole.Training(9, 30, 9, 0.99), whole.Training(2, 20, 8, 0.98)]
    assert whole.middle(trainings) == whole.Training(2, 30, 8, 0.98)


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
def test_everybody_answers_one_row_alike(tmp_path):
    pytest.importorskip("onnxruntime")
    model = cr.train("digits", epochs=1)
    first, *others = latency.entrants_of(model, tmp_path)
    assert len(others) >= 4
    for each in others:
        np.testing.assert_allclose(each.answer(), first.answer(), atol=1e-6, err_msg=each.name)


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in command.NAMES if name != "playground"])  # it waits for a browser
def test_each_table_is_printed_within_its_width(name, capsys, monkeypatch):
    monkeypatch.setattr(steps, "BOUTS", floors.BOUTS[2:4])
    monkeypatch.setattr(
        steps, "steppers", lambda: [peer for peer in steppers() if peer.library not in {"jax", "torch"}]
    )
    absent = Peer("skorch", "perceptrons", "no_such_library")
    monkeypatch.setattr(estimators, "PEERS", [*estimators.PEERS[:2], absent])
    monkeypatch.setattr(predict, "PROBLEM", TINY)
    monkeypatch.setattr(whole, "python_with", lambda library: sys.executable if library == "sklearn" else None)
    monkeypatch.setattr(csv, "ROWS", 300)
    command.main([name, "--quick", "--rounds", "1", "--mnist", "nowhere"])
    out = capsys.readouterr().out
    lines = out.splitlines()
    assert max(map(len, lines)) <= tables.WIDTH
    assert any(line.startswith("| ---") for line in lines)
    words = {"startup": "import chainrule", "steps": "NumPy by hand", "predict": "scikit-learn"}
    words |= {"csv": "polars.read_csv alone", "accuracy": "iris", "whole": "chainrule train"}
    words |= {"many": "784-128-10", "diagnosis": "iris", "latency": "scikit-learn", "estimators": "skorch"}
    assert words[name] in out


def test_a_race_of_nobody_keeps_no_floor(capsys):
    command.main(["steps", "--match", "nothing"])
    out = capsys.readouterr().out
    assert "no network has 'nothing' in its name" in out
    assert "kept" not in out


def test_an_unknown_table_is_told(capsys):
    with pytest.raises(SystemExit, match="2"):
        command.main(["stepz"])
    assert "there is no table stepz" in capsys.readouterr().err


def test_the_limits_are_those_that_were_asked_for():
    assert (steps.LIMIT, startup.IMPORT_LIMIT, startup.HELP_LIMIT) == (1.3, 1.3, 0.4)
    assert (csv.TIME_LIMIT, csv.MEMORY_LIMIT, accuracy.LIMIT) == (2.0, 4.0, -1.0)
