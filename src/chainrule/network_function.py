"""A network as a function: layers, a loss, and the weights in one vector, and what is computed with them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from chainrule import checks, losses
from chainrule.arrays import DType, check_dtype
from chainrule.engines.choose import EngineChoice, choose
from chainrule.errors import ArgumentError, NotFittedError, ShapeError
from chainrule.inputs import Rows, as_matrix, as_targets, sample_weights
from chainrule.layers import AnyLayer, Layer, Sequence, Shape
from chainrule.measuring import chosen_classes
from chainrule.objective import Objective
from chainrule.parameters import Named

if TYPE_CHECKING:
    from chainrule.arrays import Floats
    from chainrule.engines.interface import Data
    from chainrule.losses import Loss


class NetworkFunction:
    """Outputs, labels, loss and gradient as functions of inputs and of theta; see `chainrule.Network`, which trains."""

    def __init__(
        self,
        layers: Iterable[AnyLayer],
        loss: str | Loss = "cross_entropy",
        *,
        seed: int = 0,
        dtype: DType = "float32",
        n_inputs: int | None = None,
        l1: float = 0.0,
        l2: float = 0.0,
    ) -> None:
        if isinstance(layers, Layer) or not isinstance(layers, Iterable):
            raise ArgumentError("layers", where="Network", expected="a list such as [Dense(10, 'softmax')]", got=layers)
        self.layers = Sequence(tuple(layers)).layers
        self.loss = losses.get(loss, where="Network")
        self.dtype = check_dtype(dtype, where="Network")
        self.seed = checks.seed(seed, where="Network")
        self.l1, self.l2 = (checks.at_least_zero(l, name, where="Network") for l, name in ((l1, "l1"), (l2, "l2")))
        self.classes: np.ndarray[Any, Any] | None = None
        self._choice: EngineChoice | None = None
        self._objective: Objective | None = None
        self._theta: Floats | None = None
        if not self.layers:
            raise ArgumentError("layers", where="Network", expected="at least one layer", got=[])
        if n_inputs is not None:
            self.build(n_inputs)

    # ---- what it is --------------------------------------------------------------------------------------------------

    def build(self, n_inputs: int) -> Self:
        """Fix the number of inputs I and draw the initial weights; `fit` and `forward` do it by themselves.

        Raises:
            ArgumentError: when `n_inputs` is no whole number >= 1.
            ShapeError: when the layers do not fit together.
        """
        shape = (checks.whole(n_inputs, "n_inputs", where="Network"),)
        self._objective = Objective(Sequence(self.layers), self.loss, shape, self.l1, self.l2)
        return self.reset()

    def reset(self) -> Self:
        """Draw the initial weights again, the same ones as at first, and forget what was learned."""
        rng = np.random.Generator(np.random.PCG64(self.seed))
        self._theta = self.objective.layout.draw(rng, self.dtype)
        self.classes = None
        return self

    @property
    def objective(self) -> Objective:
        """What training minimises, as a function of theta.

        Raises:
            NotFittedError: before the number of inputs is known.
        """
        if self._objective is None:
            raise NotFittedError("this network has no weights yet: fit it, or give n_inputs= when you make it")
        return self._objective

    @property
    def input_shape(self) -> Shape:
        """The shape of one row of inputs, ``(I,)``."""
        return self.objective.input_shape

    @property
    def theta(self) -> Floats:
        """All parameters, ``(P,)``: the vector itself; what is written into it is what the network computes with."""
        if self._theta is None:
            raise NotFittedError("this network has no weights yet: fit it, or give n_inputs= when you make it")
        return self._theta

    @theta.setter
    def theta(self, values: Any) -> None:
        new = checks.numbers(values, "theta", where="Network")
        if new.shape != self.theta.shape:
            raise ShapeError("theta", where="Network", expected=f"shape {self.theta.shape}", got=new.shape)
        self.theta[...] = new

    @property
    def parameters(self) -> Named:
        """The parameters by name, in the order of theta: ``net.parameters["dense_1.W"]`` is a view."""
        return Named(self.objective.layout, self.theta)

    @property
    def engine_choice(self) -> EngineChoice:
        """The engine that runs this network and why: that of the last `fit`, or the fastest that takes it."""
        return self._choice or choose("auto", self._objective)

    def __repr__(self) -> str:
        sizes = f", {self.objective.layout.size} parameters" if self._objective else ", not built yet"
        inner = ", ".join(repr(layer) for layer in self.layers)
        return f"Network([{inner}], loss={self.loss.name!r}, seed={self.seed}, dtype={self.dtype!r}{sizes})"

    # ---- what it gives -----------------------------------------------------------------------------------------------

    def forward(self, X: Any) -> Floats:
        """The outputs ``Y (N, O)``, in prediction mode.

        Raises:
            ShapeError, DataError: when X does not fit.
        """
        matrix = self.read_inputs(X, where="forward")
        if self._objective is None:
            self.build(matrix.shape[1])
        return self.engine_choice.engine.predict(self.objective, self.theta, matrix)

    def predict(self, X: Any) -> np.ndarray[Any, Any]:
        """Labels ``(N,)`` of classes; values ``(N,)`` of one output, ``(N, O)`` of more.

        Labels are those of the training, or the places 0 to K - 1 where there was none. Where several classes hold at
        once (binary cross-entropy on a table of targets) each output is 0 or 1, ``(N, O)``.
        """
        Y = self.forward(X)
        if self.classes is None and not self.loss.for_classes:
            return Y[:, 0] if Y.shape[1] == 1 else Y
        if self.classes is None and self.loss.name == "binary_cross_entropy" and Y.shape[1] > 1:
            return (Y >= 0.5).astype(np.int64)
        places = chosen_classes(Y)
        return places if self.classes is None else np.asarray(self.classes[places])

    def predict_proba(self, X: Any) -> Floats:
        """Probabilities ``(N, K)``, a column for each class; ``(N, O)`` where several classes hold at once.

        Raises:
            ArgumentError: when the network does not give probabilities.
        """
        if not self.loss.for_classes:
            raise ArgumentError(
                f"a network with the loss {self.loss.name} gives no probabilities",
                where="predict_proba",
                mend="Use forward, or train with cross_entropy.",
            )
        Y = self.forward(X)
        return np.hstack([1 - Y, Y]) if Y.shape[1] == 1 else Y

    def loss_and_gradient(self, X: Any, y: Any, *, sample_weight: Any = None) -> tuple[float, Named]:
        """The objective, loss + penalty, over all these rows as one batch; its gradient by name; in prediction mode.

        ``gradient.theta`` is the whole vector ``(P,)``, ``gradient["dense_1.W"]`` a part of it.
        """
        rows = self._built(self.read(X, y, sample_weight, where="loss_and_gradient"))
        value, gradient = self.objective.value_and_gradient(self.theta, *rows)
        return float(value), Named(self.objective.layout, gradient)

    def evaluate_loss(self, X: Any, y: Any, *, sample_weight: Any = None) -> float:
        """The loss over all these rows, without penalties, in prediction mode."""
        rows = self._built(self.read(X, y, sample_weight, where="evaluate_loss"))
        return self.engine_choice.engine.evaluate(self.objective, self.theta, rows)[0]

    # ---- what it takes -----------------------------------------------------------------------------------------------

    def _check_width(self, X: Floats, where: str, width: int | None = None) -> None:
        """Raise unless X has as many columns as the network has inputs, or will have."""
        if self._objective is not None:
            width = self.input_shape[0]
        if width is not None and X.shape[1] != width:
            raise ShapeError("X", where=where, expected=f"{width} columns, as this network has inputs", got=X.shape)

    def read_inputs(self, X: Any, *, where: str) -> Floats:
        """Inputs ``(N, I)`` as they came, in this network's number type.

        Raises:
            ShapeError, DataError: when they do not fit it.
        """
        matrix = as_matrix(X, self.dtype, where=where)
        self._check_width(matrix, where)
        return matrix

    def read(
        self, X: Any, y: Any, weights: Any = None, *, where: str, classes: Any = None, width: int | None = None
    ) -> Rows:
        """Rows as they came, checked against this network; the network is left as it is.

        Raises:
            InputError: when they do not fit it.
        """
        matrix = as_matrix(X, self.dtype, where=where)
        self._check_width(matrix, where, width)
        (n_outputs,) = Sequence(self.layers).output_shape((matrix.shape[1],))
        known = self.classes if classes is None else classes
        targets = as_targets(y, self.loss, n_outputs, self.dtype, classes=known, where=where)
        if len(targets.T) != len(matrix):
            raise ShapeError("y", where=where, expected=f"{len(matrix)} rows, as X has", got=len(targets.T))
        return Rows(matrix, targets, sample_weights(weights, len(matrix), where=where))

    def _built(self, rows: Rows) -> Data:
        """The rows as an engine takes them, after the network has its weights."""
        if self._objective is None:
            self.build(rows.X.shape[1])
        return rows.data()
