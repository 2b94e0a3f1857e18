"""The native engine: whole epochs in compiled code, without the GIL; to rounding the training of the reference engine.

This file translates an objective into the plain records that the C++ core reads (`_native/plan.hpp` tells the rest).
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from time import perf_counter
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import numpy as np

from chainrule import checks
from chainrule.activations import ELU, LeakyReLU
from chainrule.engines.threads import Fastest, for_pass, for_steps
from chainrule.errors import ArgumentError, ShapeError, unknown_name
from chainrule.layers import Activation, Dense, Dropout, Mode
from chainrule.losses import Huber, Quantile
from chainrule.optimizers import SGD, Adagrad, Adam, AdamW, NAdam, RMSProp

if TYPE_CHECKING:
    from collections.abc import Mapping

    from chainrule.activations import ActivationFunction
    from chainrule.arrays import Floats, Ints
    from chainrule.engines.interface import Data
    from chainrule.layers import Layer
    from chainrule.losses import Loss
    from chainrule.objective import Objective
    from chainrule.optimizers import AnyOptimizer, AnyStepper


@cache
def kernels() -> Any:
    """The compiled module, loaded when first used; None where it was not built."""
    try:
        return import_module("chainrule.engines._kernels")
    except ImportError:
        return None


class NativeEngine:
    """Dense layers, dropout and activations under every loss and every optimiser that steps.

    Args:
        threads: how many work on a step; None: one or all cores, whichever is faster as the training goes. The bits are
            the same.
        instruction_set: one of `instruction_sets()`; None: the widest that the processor has.

    Raises:
        ArgumentError: when the instruction set is not to be had here.
    """

    name = "native"

    def __init__(self, threads: int | None = None, instruction_set: str | None = None) -> None:
        self.threads = None if threads is None else checks.whole(threads, "threads", where="NativeEngine")
        if instruction_set is not None and instruction_set not in instruction_sets():
            raise unknown_name("instruction set", instruction_set, instruction_sets(), where="NativeEngine")
        self.instruction_set = instruction_set or ""

    def refuses(self, objective: Objective | None = None, optimizer: AnyOptimizer | None = None) -> str:
        """Why it cannot run this, in a sentence; empty when it can."""
        if kernels() is None:
            return "the native engine is not there: no C++ compiler worked when chainrule was installed"
        if objective is None:
            return ""
        if type(objective.loss).__name__ not in _LOSSES:
            return f"the native engine has no loss {objective.loss.name}"
        for layer in objective.network.layers:
            if type(layer) not in (Dense, Dropout, Activation):
                return f"the native engine has no layer {layer.kind}"
        if optimizer is not None and type(optimizer) not in _OPTIMIZERS:
            return f"the native engine has no optimizer {type(optimizer).__name__}"
        return ""

    def start(
        self, objective: Objective, theta: Floats, data: Data, *, optimizer: AnyStepper, batch_size: int, seed: int
    ) -> NativeRun:
        """A run on these data; `theta` is changed in place by it.

        Raises:
            ArgumentError: when it refuses the objective or the optimiser, or could not write into `theta`.
            ShapeError: when the data do not fit the objective.
        """
        refused = self.refuses(objective, optimizer)
        if refused:
            raise ArgumentError(refused, where="NativeEngine")
        _check_theta(objective, theta)
        if len(data.X) == 0:
            raise ShapeError("X", where="NativeEngine", expected="at least one row", got=data.X.shape)
        batch = min(batch_size, len(data.X))
        return NativeRun(objective, theta, data, optimizer, batch, seed, self.threads, self.instruction_set)

    def predict(self, objective: Objective, theta: Floats, X: Floats) -> Floats:
        """The outputs ``Y (N, O)``."""
        _, Y = self._pass(objective, _layers_to_predict(objective), theta, X)
        return Y

    def evaluate(self, objective: Objective, theta: Floats, data: Data) -> tuple[float, Floats]:
        """The loss over all rows, without penalties, and the outputs ``Y (N, O)``, in prediction mode."""
        layers, loss = objective.trained
        records = _layers(objective, layers.layers, seed=0)
        total, Z = self._pass(objective, records, theta, data.X, data.T, data.weights, loss)
        with np.errstate(all="ignore"):  # of weights that are not finite
            Y = objective.outputs(Z)
        return total / len(data.X) if loss.reduction == "mean" else total, Y

    def _pass(
        self,
        objective: Objective,
        layers: list[Any],
        theta: Floats,
        X: Floats,
        T: Floats | None = None,
        weights: Floats | None = None,
        loss: Loss | None = None,
    ) -> tuple[float, Floats]:
        """The sum of the rows' losses, 0 without targets, and what the layers give."""
        theta = np.require(theta, requirements=["C", "A"])
        Y = np.empty((len(X), *objective.output_shape), dtype=theta.dtype)
        X, T, weights = _readable(objective, theta.dtype, X, T, weights)
        total: float = kernels().evaluate(
            theta,
            X,
            T,
            weights,
            layers,
            kernels().Loss() if loss is None else _loss(loss),
            for_pass(self.threads, len(X) * objective.layout.size),
            self.instruction_set,
            Y,
        )
        return total, Y


class NativeRun:
    """See `chainrule.engines.interface.Run`."""

    finished = ""

    def __init__(
        self,
        objective: Objective,
        theta: Floats,
        data: Data,
        optimizer: AnyStepper,
        batch_size: int,
        seed: int,
        threads: int | None,
        instruction_set: str,
    ) -> None:
        layers, loss = objective.trained
        self.theta = theta
        counts = for_steps(threads, batch_size * objective.layout.size)
        self._threads = Fastest(counts)
        self._slots: dict[str, Floats] = optimizer.slots(theta)
        run = kernels().Run32 if theta.dtype == np.float32 else kernels().Run64
        self._run = run(
            theta,
            list(self._slots.values()),
            *_readable(objective, theta.dtype, *data),
            _layers(objective, layers.layers, seed),
            _loss(loss),
            _optimizer(optimizer, objective),
            batch_size,
            seed,
            max(counts),
            instruction_set,
        )

    @property
    def slots(self) -> dict[str, Floats]:
        """The optimiser's vectors, brought up to now; the engine keeps them in an order of its own."""
        self._run.read_slots()
        return self._slots

    def advance(self, order: Ints | None, first: int, rates: Floats, taken: int) -> Floats:
        """Take ``len(rates)`` steps; see the contract."""
        values = np.zeros((len(rates), 2))
        rows = None if order is None else np.ascontiguousarray(order, dtype=np.int64)
        rates = np.ascontiguousarray(rates, dtype=np.float64)
        done = 0
        for threads, steps in self._threads.shares(len(rates)):
            part, start = slice(done, done + steps), perf_counter()
            taken_now = self._run.advance(rows, first + done, rates[part], taken + done, threads, values[part])
            self._threads.note(threads, steps, perf_counter() - start)
            done += taken_now
            if taken_now < steps:
                break
        return values[:done]

    def advance_epochs(self, orders: Ints | None, rates: Floats, taken: int, thetas: Floats) -> Floats:
        """Take whole epochs; see the contract."""
        values = np.zeros((len(rates), 2))
        rows = None if orders is None else np.ascontiguousarray(orders, dtype=np.int64)
        rates = np.ascontiguousarray(rates, dtype=np.float64)
        an_epoch, done = len(rates) // len(thetas), 0
        for threads, steps in self._threads.shares(len(rates), unit=an_epoch):
            part, epochs = slice(done, done + steps), slice(done // an_epoch, (done + steps) // an_epoch)
            orders_now, start = None if rows is None else rows[epochs], perf_counter()
            arguments = (orders_now, rates[part], taken + done, threads, values[part], thetas[epochs])
            taken_now = self._run.advance_epochs(*arguments)
            self._threads.note(threads, steps, perf_counter() - start)
            done += taken_now
            if taken_now < steps:
                break
        return values[:done]

    def restore(self, theta: Floats, slots: Mapping[str, Floats]) -> None:
        """Go back, or on, to these numbers; they are copied."""
        self.theta[...] = theta
        for name, slot in slots.items():
            self._slots[name][...] = slot
        self._run.write_slots()


def _check_theta(objective: Objective, theta: Floats) -> None:
    """Raise unless the kernels can read and write this vector where it lies."""
    P = objective.layout.size
    native = theta.dtype in {np.dtype(np.float32), np.dtype(np.float64)}
    if theta.shape != (P,) or not native or not theta.flags.carray:
        expected = f"a writeable, aligned, contiguous float32 or float64 vector of {P} numbers, to train in place"
        how = f"strides {theta.strides}, aligned {theta.flags.aligned}, writeable {theta.flags.writeable}"
        got = f"{theta.dtype} {theta.shape}, {how}"
        raise ArgumentError("theta", where="NativeEngine", expected=expected, got=got)


def _readable(
    objective: Objective, dtype: np.dtype[Any], X: Floats, T: Floats | None, weights: Floats | None
) -> tuple[Floats, Floats | None, Floats | None]:
    """The arrays as the kernels read them, contiguous, aligned, of theta's type: themselves where they are so."""

    def fitting(array: Floats, name: str, *shape: int) -> Floats:
        if array.shape != (len(X), *shape):
            raise ShapeError(name, where="NativeEngine", expected=str((len(X), *shape)), got=array.shape)
        return np.require(array, dtype, ["C", "A"])

    return (
        fitting(X, "X", *objective.input_shape),
        None if T is None else fitting(T, "T", *objective.output_shape),
        None if weights is None else fitting(weights, "weights"),
    )


def instruction_sets() -> tuple[str, ...]:
    """Those that were built and that this processor has, the widest first."""
    return () if kernels() is None else tuple(kernels().instruction_sets())


_OPTIMIZERS = {SGD: "SGD", RMSProp: "RMSProp", Adagrad: "Adagrad", Adam: "Adam", AdamW: "Adam", NAdam: "NAdam"}
_LOSSES = {
    "HalfSquaredError",
    "MeanSquaredError",
    "MeanAbsoluteError",
    "Huber",
    "Quantile",
    "Poisson",
    "CrossEntropy",
    "BinaryCrossEntropy",
}


_TO_PREDICT: WeakKeyDictionary[Objective, list[Any]] = WeakKeyDictionary()


def _layers_to_predict(objective: Objective) -> list[Any]:
    """The network's layers as records, made once: they take as long as the pass of one row."""
    records = _TO_PREDICT.get(objective)
    if records is None:
        records = _TO_PREDICT[objective] = _layers(objective, objective.network.layers, seed=0)
    return records


def _layers(objective: Objective, layers: tuple[Layer, ...], seed: int) -> list[Any]:
    """The layers as records, each with its place in theta."""
    places = dict(zip((p.name for p in objective.layout.parameters), objective.layout.offsets, strict=True))
    mode = Mode(training=True, seed=seed)
    records = []
    for index, (name, _, shape) in enumerate(objective.network.named(objective.input_shape)):
        layer, record = layers[index], kernels().Layer()
        record.inputs, record.units = shape[0], layer.output_shape(shape)[0]
        if isinstance(layer, Dense):
            record.kind = kernels().LayerKind.dense
            record.bias, record.train_w, record.train_b = layer.bias, "W" not in layer.frozen, "b" not in layer.frozen
            record.w, record.b = places[f"{name}.W"], places.get(f"{name}.b", 0)
        if isinstance(layer, Dropout):
            record.kind = kernels().LayerKind.dropout
            record.rate, record.stream = layer.rate, mode.child(index).stream
        if isinstance(layer, Activation):
            record.kind = kernels().LayerKind.activation
        if isinstance(layer, Dense | Activation):
            record.act, record.a = getattr(kernels().Act, layer.f.name), _parameter(layer.f)
        records.append(record)
    return records


def _parameter(f: ActivationFunction) -> float:
    return f.leak if isinstance(f, LeakyReLU) else f.alpha if isinstance(f, ELU) else 0.0


def _loss(loss: Loss) -> Any:
    record = kernels().Loss()
    record.kind = getattr(kernels().LossKind, loss.name)
    record.mean = loss.reduction == "mean"
    record.delta = loss.delta if isinstance(loss, Huber) else loss.level if isinstance(loss, Quantile) else 0.0
    return record


def _optimizer(optimizer: AnyStepper, objective: Objective) -> Any:
    """The optimiser as a record, by the names of its fields, and the objective's penalties."""
    record = kernels().Optimizer()
    record.kind = getattr(kernels().OptimizerKind, _OPTIMIZERS[type(optimizer)])
    for field in ("momentum", "decay", "beta1", "beta2", "epsilon", "momentum_decay", "weight_decay", "nesterov"):
        if hasattr(optimizer, field):
            setattr(record, field, getattr(optimizer, field))
    record.clip_norm, record.clip_value = optimizer.clip_norm or 0.0, optimizer.clip_value or 0.0
    record.l1, record.l2 = objective.l1, objective.l2
    return record
