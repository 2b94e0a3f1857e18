"""What is new beside scikit-learn's parameters, in two objects: what the network is, and how it trains."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sklearn.base import BaseEstimator

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chainrule.activations import ActivationFunction
    from chainrule.engines.interface import Engine
    from chainrule.layers import Layer


class Architecture(BaseEstimator):  # type: ignore[misc] # scikit-learn has no types
    """What the network has beside `hidden_layer_sizes` and `activation`.

    Args:
        dropout: share of each hidden layer's units dropped in training; or a list, one share for each layer.
        normalization: ``"batch"`` or ``"layer"`` after each hidden layer; None: none.
        init: initial weights, a name or an object of `chainrule.initializers`; ``"auto"``: as scikit-learn's, uniform
            within sqrt(6 / (fan-in + fan-out)), 2 in place of 6 for logistic units, biases too.
        output: activation of the output layer; None: what the loss asks for.
        layers: the hidden layers themselves, such as ``[Dense(64, "relu"), Residual([...])]``, in place of
            `hidden_layer_sizes`, `activation`, `dropout` and `normalization`.

    >>> from sklearn.model_selection import ParameterGrid
    >>> from chainrule.estimators import MLPClassifier
    >>> MLPClassifier().set_params(architecture__dropout=0.2).architecture
    Architecture(dropout=0.2)
    """

    def __init__(
        self,
        *,
        dropout: float | Sequence[float] = 0.0,
        normalization: str | None = None,
        init: Any = "auto",
        output: str | ActivationFunction | None = None,
        layers: Sequence[Layer] | None = None,
    ) -> None:
        self.dropout = dropout
        self.normalization = normalization
        self.init = init
        self.output = output
        self.layers = layers


class TrainingOptions(BaseEstimator):  # type: ignore[misc] # scikit-learn has no types
    """How to train beside `solver`, `learning_rate`, `alpha` and their like.

    Args:
        clip_norm: the largest norm that the gradient of a step may have.
        clip_value: the largest size of each entry of it.
        l1: penalty ``l1 * sum |W|`` beside that of `alpha`, and divided by the rows of a batch as that is.
        engine: ``"auto"``, a name, or an engine such as ``NativeEngine(threads=1)``.
        keep_rows: whether `network_` remembers the rows of the fit, for ``network_.history.report("fit.html")``.
    """

    def __init__(
        self,
        *,
        clip_norm: float | None = None,
        clip_value: float | None = None,
        l1: float = 0.0,
        engine: str | Engine = "auto",
        keep_rows: bool = False,
    ) -> None:
        self.clip_norm = clip_norm
        self.clip_value = clip_value
        self.l1 = l1
        self.engine = engine
        self.keep_rows = keep_rows
