"""How long one row takes: the network, the whole model, scikit-learn, onnxruntime and the generated C, in one run."""

from __future__ import annotations

import ctypes
import shutil
import statistics
import subprocess
import tempfile
import time
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

import chainrule as cr
from benchmarks.tables import show, time_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from benchmarks.__main__ import Options

CALLS, TURNS = 200, 15  # of each turn the median counts, and of the medians the least


class Entrant(NamedTuple):
    """Who answers.

    Attributes:
        name: in the table.
        answer: the probabilities ``(K,)`` of the row.
        seconds: how long an answer takes, of so many calls; unless it says so itself, its calls are timed.
    """

    name: str
    answer: Callable[[], Any]
    seconds: Callable[[int], float] | None = None


def run(options: Options) -> None:
    model = cr.train("digits", epochs=2 if options.quick else 20)
    calls, turns = (10, 2) if options.quick else (CALLS, TURNS)
    with tempfile.TemporaryDirectory() as folder:
        entrants = list(entrants_of(model, Path(folder)))
        medians: dict[str, list[float]] = {each.name: [] for each in entrants}
        for _ in range(turns):
            for each in entrants:
                medians[each.name].append((each.seconds or (lambda n, f=each.answer: _timed(f, n)))(calls))
        expected = entrants[0].answer()
        least = {name: min(times) for name, times in medians.items()}
        ours = least[entrants[0].name]
        rows = [
            [
                each.name,
                time_text(least[each.name]),
                f"{least[each.name] / ours:.3g}",
                f"{np.abs(np.asarray(each.answer()) - expected).max():.0e}",
            ]
            for each in entrants
        ]
    show(
        "One row of digits through 64-64-32-10",
        ["who", "a row", "/ network", "differs by at most"],
        rows,
        remark=f"Least of {turns} medians of {calls} calls in turns, one thread; C: means. A model takes raw columns.",
    )


def _timed(call: Callable[[], Any], calls: int) -> float:
    """The median of so many calls."""
    seconds = []
    for _ in range(calls):
        start = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - start)
    return statistics.median(seconds)


def entrants_of(model: cr.Model, folder: Path) -> Iterator[Entrant]:
    """All that are there, the network first."""
    table = model.read("digits")[:1]
    x = model.columns.encode(table, dtype="float32")
    network = model.network
    yield Entrant("chainrule, network", lambda: network.predict_proba(x)[0])
    yield Entrant("chainrule, model", lambda: model.predict(table).row(0)[1:])
    yield from _perceptrons(network, x)
    yield from _onnxruntime(model, table, x, folder)
    if compiler := shutil.which("cc"):
        yield _c(network, x, folder, compiler)


def _perceptrons(network: cr.Network, x: Any) -> Iterator[Entrant]:
    """Our classifier in scikit-learn's clothes and its own, with these weights."""
    from sklearn import neural_network
    from sklearn.exceptions import ConvergenceWarning

    from chainrule import estimators

    sizes = [layer.units for layer in network.layers[:-1]]
    for name, module in (("chainrule, MLPClassifier", estimators), ("scikit-learn", neural_network)):
        classifier = module.MLPClassifier(sizes, max_iter=1)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            classifier.fit(np.tile(x, (10, 1)), np.arange(10))
        for place, layer in enumerate(classifier.coefs_):
            layer[...] = network.parameters[f"dense_{place + 1}.W"]
            classifier.intercepts_[place][...] = network.parameters[f"dense_{place + 1}.b"]
        yield Entrant(name, lambda classifier=classifier: classifier.predict_proba(x)[0])


def _onnxruntime(model: cr.Model, table: Any, x: Any, folder: Path) -> Iterator[Entrant]:
    """The files that we export."""
    try:
        import onnxruntime
    except ImportError:
        return
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    model.network.export(folder / "network.onnx")
    alone = onnxruntime.InferenceSession(folder / "network.onnx", options, providers=["CPUExecutionProvider"])
    yield Entrant("onnxruntime, network", lambda: alone.run(None, {"X": x})[0][0])
    model.export(folder / "model.onnx")
    whole = onnxruntime.InferenceSession(folder / "model.onnx", options, providers=["CPUExecutionProvider"])
    fed = {each.name: table[each.name].to_numpy().astype(np.float64)[:, None] for each in model.columns.features}
    yield Entrant("onnxruntime, model", lambda: whole.run(None, fed)[1][0])


_LOOP = """
#include "digits.h"
#include <time.h>
double seconds_of(const float *x, float *y, int times)
{
    struct timespec start, end;
    clock_gettime(CLOCK_MONOTONIC, &start);
    for (int i = 0; i < times; i++) digits_predict(x, y);
    clock_gettime(CLOCK_MONOTONIC, &end);
    return ((end.tv_sec - start.tv_sec) + 1e-9 * (end.tv_nsec - start.tv_nsec)) / times;
}
"""


def _c(network: cr.Network, x: Any, folder: Path, compiler: str) -> Entrant:
    """The source that we generate, called by C."""
    network.export(folder / "digits.c")
    (folder / "loop.c").write_text(_LOOP)
    library = folder / "digits.so"
    sources = [folder / "digits.c", folder / "loop.c"]
    subprocess.run([compiler, "-O2", "-shared", "-fPIC", "-o", library, *sources, "-lm"], check=True)
    loop = ctypes.CDLL(str(library)).seconds_of
    loop.restype = ctypes.c_double
    y = np.empty(10, np.float32)
    row, out = (array.ctypes.data_as(ctypes.POINTER(ctypes.c_float)) for array in (x, y))

    def answer() -> Any:
        loop(row, out, 1)
        return y.copy()

    return Entrant("generated C, cc -O2", answer, lambda calls: loop(row, out, calls))
