"""Rules about what the network is, whatever its numbers are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import msgspec

from chainrule.insight.diagnosis.finding import Finding, Measured, Rule
from chainrule.insight.diagnosis.remedies import each_layer, lower_rate, other_activation
from chainrule.insight.diagnosis.remedy import Remedy
from chainrule.layers import Activation, BatchNorm, Dense, Dropout, LayerNorm, Residual

if TYPE_CHECKING:
    from collections.abc import Iterator

    from chainrule.insight.diagnosis.evidence import Evidence
    from chainrule.insight.diagnosis.setup import Setup


class LinearNetwork(Rule):
    """Two dense layers with no nonlinearity between them: ``(X W1 + b1) W2 + b2 = X (W1 W2) + (b1 W2 + b2)``.

    Not where the first has fewer units than its neighbours: that is a product of two thin matrices, on purpose.
    """

    name = "linear_network"
    family = "architecture"
    source = "two linear maps, one after the other, are one; Minsky, Papert, Perceptrons (1969)"
    why = "The two layers can do no more than one: curved boundaries stay out of reach."

    def check(self, evidence: Evidence) -> Finding | None:
        setup = evidence.setup
        pair = next(_linear_pairs(setup.objective.network, setup.objective.input_shape), None)
        if pair is None:
            return None
        first, second = pair
        return self.finding(
            evidence,
            "warning",
            f"there is no nonlinearity between {first} and {second}: they equal one linear layer",
            [Measured("nonlinearities between them", 0, "1")],
            [
                Remedy(
                    "relu in the hidden layers",
                    'cr.Dense(..., "relu")',
                    "--activation relu",
                    lambda setup: setup.with_objective(layers=_rectified(setup.layers)),
                )
            ],
            where=first,
        )


class BatchNormOfOneRow(Rule):
    """Batch norm with batches of one row: the row minus itself is 0, whatever it was."""

    name = "batch_norm_of_one_row"
    family = "architecture"
    source = "Ioffe, Szegedy (2015), algorithm 1: with one row the normalised value is 0"
    why = "With one row batch norm gives its shift alone: nothing of the input comes through."

    def check(self, evidence: Evidence) -> Finding | None:
        setup, N = evidence.setup, len(evidence.setup.data.X)
        B, last = setup.batch_size, N % setup.batch_size
        if not any(isinstance(layer, BatchNorm) for layer in setup.every_layer) or (B > 1 and last != 1):
            return None
        says = "each batch is one row" if B == 1 else f"the last of each epoch's batches is one row ({N} rows by {B})"
        better = 32 if B == 1 else B + 1
        norms = {"batch_norm": LayerNorm()}
        return self.finding(
            evidence,
            "alarm" if B == 1 else "warning",
            f"batch norm, but {says}",
            [Measured("rows in a batch", 1, "at least 16")],
            [
                Remedy(
                    "other batches",
                    f"batch_size={better}",
                    f"--batch-size {better}",
                    lambda setup: setup.with_settings(batch_size=better),
                ),
                Remedy(
                    "layer norm, which looks along a row",
                    "cr.LayerNorm()",
                    "--norm layer",
                    lambda setup: setup.with_objective(
                        layers=each_layer(setup.layers, lambda layer: norms.get(layer.kind, layer))
                    ),
                ),
            ],
        )


class MisplacedDropout(Rule):
    """Dropout after the last layer, or at a rate of 0.8 and more."""

    name = "misplaced_dropout"
    family = "architecture"
    source = "Srivastava et al., Dropout (2014), 7.3 and A.4: of hidden units, at rates of 0.2 to 0.5"
    why = "What is dropped at the output is the answer itself; of few units left, none can rely on another."
    RATE: ClassVar[float] = 0.8

    def check(self, evidence: Evidence) -> Finding | None:
        layers = evidence.setup.layers
        at_the_end = isinstance(layers[-1], Dropout) and layers[-1].rate > 0
        rates = [layer.rate for layer in evidence.setup.every_layer if isinstance(layer, Dropout)]
        if not at_the_end and not any(rate >= self.RATE for rate in rates):
            return None
        says = "dropout stands after the last layer" if at_the_end else f"dropout at a rate of {max(rates):g}"
        return self.finding(
            evidence,
            "alarm" if at_the_end else "warning",
            says,
            [Measured("rate", max(rates), "0 at the output, at most 0.5 inside")],
            [
                Remedy(
                    "less of it, and none at the end",
                    "cr.Dropout(0.2) between the layers",
                    "--dropout 0.2",
                    _less_dropout,
                )
            ],
        )


class NothingTrained(Rule):
    """Every parameter is frozen, or there are none."""

    name = "nothing_trained"
    family = "architecture"
    source = "the gradient of what is frozen is not used"
    why = "Whatever the loss is, no number of the network will change."

    def check(self, evidence: Evidence) -> Finding | None:
        parameters = evidence.setup.objective.layout.parameters
        if any(parameter.trainable for parameter in parameters):
            return None
        return self.finding(
            evidence,
            "alarm",
            "no parameter is trained",
            [Measured("parameters that are trained", 0, f"up to {len(parameters)}")],
            [
                Remedy(
                    "train the dense layers",
                    "frozen=()",
                    "",
                    lambda setup: setup.with_objective(layers=each_layer(setup.layers, _thawed)),
                )
            ],
        )


class SoftmaxInside(Rule):
    """A hidden layer with softmax: its outputs sum to 1, about ``1 / O`` each."""

    name = "softmax_inside"
    family = "architecture"
    source = "UMLAUT (2021); the Jacobian of softmax, diag(y) - y y^T, is of the size 1 / O"
    why = "The units compete for one unit of signal between them, and the gradient shrinks by as much."

    def check(self, evidence: Evidence) -> Finding | None:
        inside = [units for units in evidence.now.hidden if units.f.name == "softmax"]
        if not inside:
            return None
        O = inside[0].Y.shape[1]
        return self.finding(
            evidence,
            "warning",
            f"{inside[0].layer} is a hidden layer with softmax: its {O} outputs are {1 / O:.2g} on average",
            [Measured("mean output", 1 / O, "about 1")],
            [other_activation("relu")],
            where=inside[0].layer,
        )


class NarrowLayer(Rule):
    """A hidden layer of fewer units than ``log2 O`` before O > 2 outputs."""

    name = "narrow_layer"
    family = "architecture"
    source = "b bits tell 2^b classes apart; Shannon (1948)"
    why = "All that the network knows must pass through these few numbers."

    def check(self, evidence: Evidence) -> Finding | None:
        (outputs,) = evidence.setup.objective.output_shape
        dense = [layer for layer in evidence.setup.layers[:-1] if isinstance(layer, Dense)]
        narrow = [layer.units for layer in dense if outputs > 2 and 2**layer.units < outputs]
        if not narrow:
            return None
        return self.finding(
            evidence,
            "warning",
            f"a hidden layer of {narrow[0]} before {outputs} outputs",
            [Measured("units", narrow[0], f"at least {outputs}")],
            [
                Remedy(
                    "more units",
                    'cr.Dense(32, "relu")',
                    "--layers 64,32",
                    lambda setup: setup.with_objective(layers=_widened(setup, 4 * outputs)),
                )
            ],
        )


class SummedLoss(Rule):
    """``reduction="sum"``: the gradient, and so the step, is B times that of the mean, the last batch's smaller.

    With gradient descent a rate r is a rate r B of the mean loss.
    """

    name = "summed_loss"
    family = "architecture"
    source = "losses.py: 1/B; Goyal et al., Accurate, Large Minibatch SGD (2017), 2.1: the rate grows with the batch"
    why = "The step grows with the batch: a rate that suits 32 rows may diverge with 256."
    USUAL: ClassVar[float] = 1.0

    def check(self, evidence: Evidence) -> Finding | None:
        setup = evidence.setup
        B, rate = setup.batch_size, setup.rate
        if setup.objective.loss.reduction != "sum" or B == 1 or rate is None or not setup.plain_descent:
            return None
        return self.finding(
            evidence,
            "warning" if rate * B > self.USUAL else "note",
            f"the loss is summed over {B} rows: the rate {rate:g} is one of {rate * B:g} for the mean",
            [Measured("rate times rows in a batch", rate * B, f"at most {self.USUAL:g}")],
            [
                Remedy(
                    "the mean over the rows",
                    f'loss=cr.losses.get("{setup.objective.loss.name}")',
                    "",
                    lambda setup: setup.with_objective(
                        loss=msgspec.structs.replace(setup.objective.loss, reduction="mean")
                    ),
                ),
                *lower_rate(setup),
            ],
        )


def _linear_pairs(layers: Any, shape: tuple[int, ...]) -> Iterator[tuple[str, str]]:
    """Dense layers that follow each other with nothing but dropout between them, the first not a bottleneck."""
    before: tuple[str, Dense, int] | None = None
    for name, layer, inside in layers.named(shape):
        if isinstance(layer, Dense):
            if before is not None and before[1].units >= min(before[2], layer.units):
                yield before[0], name
            before = (name, layer, inside[0]) if layer.f.name == "identity" else None
        elif isinstance(layer, Residual):
            yield from _linear_pairs(layer, inside)
            before = None
        elif not isinstance(layer, Dropout) and not (isinstance(layer, Activation) and layer.f.name == "identity"):
            before = None


def _rectified(layers: tuple[Any, ...]) -> tuple[Any, ...]:
    *inside, last = layers

    def bent(layer: Any) -> Any:
        plain = isinstance(layer, Dense) and layer.f.name == "identity"
        return msgspec.structs.replace(layer, activation="relu") if plain else layer

    return (*each_layer(tuple(inside), bent), last)


def _less_dropout(setup: Setup) -> Setup:
    layers = setup.layers[:-1] if isinstance(setup.layers[-1], Dropout) else setup.layers
    return setup.with_objective(
        layers=each_layer(layers, lambda layer: Dropout(0.2) if isinstance(layer, Dropout) else layer)
    )


def _thawed(layer: Any) -> Any:
    return msgspec.structs.replace(layer, frozen=()) if isinstance(layer, Dense) else layer


def _widened(setup: Setup, units: int) -> tuple[Any, ...]:
    *inside, last = setup.layers
    wide = [
        msgspec.structs.replace(layer, units=max(units, layer.units)) if isinstance(layer, Dense) else layer
        for layer in inside
    ]
    return (*wide, last)
