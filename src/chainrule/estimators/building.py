"""From the parameters of an estimator to a network, its loss and its optimiser."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from math import inf, sqrt
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.utils import check_random_state

from chainrule import activations, checks, initializers, losses, optimizers, schedules
from chainrule.errors import ArgumentError, ShapeError, unknown_name
from chainrule.estimators.options import Architecture, TrainingOptions
from chainrule.estimators.sparse import takes_sparse
from chainrule.layers import BatchNorm, Dense, Dropout, LayerNorm, Sequence
from chainrule.network import Network

if TYPE_CHECKING:
    from chainrule.activations import ActivationFunction
    from chainrule.arrays import DType
    from chainrule.layers import Layer
    from chainrule.losses import Loss

OUR_NAME = {"logistic": "sigmoid"}  # of activations
THEIR_NAME = {"sigmoid": "logistic"}
_OF_LOSS = {  # scikit-learn's names
    "squared_error": losses.HalfSquaredError(),
    "absolute_error": losses.MeanAbsoluteError(),
    "log_loss": losses.CrossEntropy(),
}
_NORMS = {"batch": BatchNorm, "layer": LayerNorm}
_OPTIONS = {"architecture": Architecture, "training": TrainingOptions}
_RATES = ("constant", "invscaling", "adaptive")  # of sgd alone
_SEEDS = 2**31 - 1
_SCIPYS_DECREASE = 2.220446049250313e-09  # its ftol, which scikit-learn leaves as it is


def options_of(estimator: Any, name: str) -> Any:
    """The `architecture` or `training` of an estimator, the default one where there is none.

    Raises:
        ArgumentError: when it is anything else.
    """
    given, kind = getattr(estimator, name), _OPTIONS[name]
    if given is not None and not isinstance(given, kind):
        expected = f"{kind.__name__}(...), or None"
        raise ArgumentError(name, where=type(estimator).__name__, expected=expected, got=given)
    return kind() if given is None else given


def loss_named(loss: str | Loss, where: str) -> Loss:
    """The loss of scikit-learn's or of our name, or the object itself.

    Raises:
        ArgumentError: for an unknown name.
    """
    if isinstance(loss, str) and loss in _OF_LOSS:
        return _OF_LOSS[loss]
    if isinstance(loss, str) and loss not in losses.names():
        raise unknown_name("loss", loss, [*_OF_LOSS, *losses.names()], where=where)
    found: Loss = losses.get(loss, where=where)
    return found


def activation_named(f: Any, where: str) -> ActivationFunction:
    """The activation of scikit-learn's or of our name, or the object itself.

    Raises:
        ArgumentError: for an unknown name.
    """
    if isinstance(f, str) and f not in {*OUR_NAME, *activations.names()}:
        raise unknown_name("activation", f, [*OUR_NAME, *activations.names()], where=where)
    found: ActivationFunction = activations.get(OUR_NAME.get(f, f) if isinstance(f, str) else f, where=where)
    return found


def sizes_of(hidden_layer_sizes: Any, where: str) -> list[int]:
    """The units of each hidden layer.

    Raises:
        ArgumentError: unless they are whole numbers above 0.
    """
    given = hidden_layer_sizes if isinstance(hidden_layer_sizes, Iterable) else [hidden_layer_sizes]
    sizes = list(given) if not isinstance(given, str) else [given]
    try:
        return [checks.whole(size, "hidden_layer_sizes", where=where) for size in sizes]
    except ArgumentError:
        raise ArgumentError(
            f"hidden_layer_sizes must be > 0, got {sizes}",
            where=where,
            mend="Give the units of each hidden layer as whole numbers, such as (64, 32)",
        ) from None


def build(estimator: Any, layers: Sequence, loss: Loss, n_inputs: int, dtype: DType) -> Network:
    """A network of these layers with its initial weights.

    Layers that begin as scikit-learn's do are drawn by the same generator in the same order: the same `random_state`
    gives them the same weights.
    """
    rng, drawn = check_random_state(estimator.random_state), {}
    for name, layer, (fan_in,) in _begun_as_theirs(estimator, layers, n_inputs):
        low, high = layer.init.low, layer.init.high
        drawn[f"{name}.W"] = rng.uniform(low, high, (fan_in, layer.units))
        drawn[f"{name}.b"] = rng.uniform(low, high, layer.units)
    network = Network(layers.layers, loss, seed=int(rng.randint(_SEEDS)), dtype=dtype, n_inputs=n_inputs)
    network.parameters.update(drawn)
    return network


def _begun_as_theirs(estimator: Any, layers: Sequence, n_inputs: int) -> Iterator[tuple[str, Any, tuple[int, ...]]]:
    """The dense layers that `_dense` gave an interval."""
    architecture = options_of(estimator, "architecture")
    if not is_auto(architecture.init):
        return
    given = len(architecture.layers or ())
    for place, (name, layer, shape) in enumerate(layers.named((n_inputs,))):
        if place >= given and isinstance(layer, Dense):
            yield name, layer, shape


def layers_of(estimator: Any, n_inputs: int, n_outputs: int, output: str | ActivationFunction) -> Sequence:
    """The layers that the parameters of an estimator describe.

    Raises:
        InputError: when a parameter is out of range, or a name unknown.
    """
    where, architecture = type(estimator).__name__, options_of(estimator, "architecture")
    hidden: list[Any] = (
        _hidden(estimator, n_inputs, where) if architecture.layers is None else _given(architecture.layers, where)
    )
    chosen = output if architecture.output is None else architecture.output
    last = activation_named(chosen, where)
    fan_in = next((layer.units for layer in reversed(hidden) if isinstance(layer, Dense)), n_inputs)
    before = next((layer.f.name for layer in reversed(hidden) if isinstance(layer, Dense)), "")
    return Sequence((*hidden, _dense(n_outputs, last, fan_in, architecture.init, before)))


def stays_sparse(estimator: Any) -> bool:
    """Whether the network to be built can read rows that are sparse; an engine that was asked for wants dense ones."""
    layers = options_of(estimator, "architecture").layers
    first = layers[0] if isinstance(layers, list | tuple) and layers else None
    return options_of(estimator, "training").engine == "auto" and (first is None or takes_sparse(first))


def _given(layers: Any, where: str) -> list[Layer]:
    if isinstance(layers, list | tuple):
        return list(layers)
    raise ArgumentError("architecture: layers", where=where, expected="a list such as [Dense(64, 'relu')]", got=layers)


def _hidden(estimator: Any, n_inputs: int, where: str) -> list[Layer]:
    architecture = options_of(estimator, "architecture")
    sizes = sizes_of(estimator.hidden_layer_sizes, where)
    functions = _each(estimator.activation, len(sizes), "activation", where)
    shares = _each(architecture.dropout, len(sizes), "dropout", where)
    norm = architecture.normalization
    if norm is not None and norm not in _NORMS:
        raise unknown_name("normalization", norm, _NORMS, where=where)
    layers: list[Layer] = []
    for fan_in, units, f, share in zip([n_inputs, *sizes], sizes, functions, shares, strict=False):
        function = activation_named(f, where)
        layers.append(_dense(units, function, fan_in, architecture.init, function.name))
        if norm is not None:
            layers.append(_NORMS[norm]())
        if share:
            layers.append(Dropout(share))
    return layers


def _each(given: Any, count: int, name: str, where: str) -> list[Any]:
    """One for each hidden layer: the same for all, unless a list was given."""
    if not isinstance(given, list | tuple | np.ndarray):
        return [given] * count
    if len(given) != count:
        raise ArgumentError(name, where=where, expected=f"one for each of the {count} hidden layers", got=given)
    return list(given)


def is_auto(init: Any) -> bool:
    """Whether weights are to begin as scikit-learn's."""
    return isinstance(init, str) and init == "auto"


def _dense(units: int, function: Any, fan_in: int, init: Any, kind: str) -> Dense:
    """A layer with scikit-learn's initial weights, or those asked for; `kind`: the activation that decides their size.

    Source: Glorot & Bengio 2010, eq. 16, where scikit-learn draws the biases from the same interval, and takes 2 in
    place of 6 for networks of logistic units, their output layer too.
    """
    if not is_auto(init):
        return Dense(units, function, init=initializers.get(init, where="Architecture: init"))
    bound = sqrt((2.0 if kind == "sigmoid" else 6.0) / (fan_in + units))
    interval = initializers.Uniform(-bound, bound)
    return Dense(units, function, init=interval, bias_init=interval)


def set_weights(network: Network, coefs: Any, intercepts: Any, where: str) -> None:
    """Put these matrices and vectors, one for each layer, in place of the initial weights.

    Raises:
        ShapeError: when there are too few or too many, or one does not fit.
        ArgumentError: when one holds anything but finite numbers.
    """
    for values, kind, name in ((coefs, "W", "coef_init"), (intercepts, "b", "intercept_init")):
        if values is None:
            continue
        names = names_of(network, kind)
        several = isinstance(values, list | tuple)
        if not several or len(values) != len(names):
            got = len(values) if several else values
            raise ShapeError(name, where=where, expected=f"{len(names)} arrays, one for each layer", got=got)
        for layer, (place, array) in enumerate(zip(names, values, strict=True)):
            _set(network, place, array, f"{where}: {name}[{layer}]")


def _set(network: Network, name: str, values: Any, where: str) -> None:
    array, shape = np.asarray(values), network.parameters[name].shape
    if array.shape != shape:
        raise ShapeError("the array", where=where, expected=f"shape {shape}", got=array.shape)
    if array.dtype.kind not in "biuf" or not np.isfinite(array).all():
        raise ArgumentError("the array", where=where, expected="finite numbers", got=array)
    network.parameters[name] = array


def names_of(network: Network, kind: str) -> list[str]:
    """The names of the weights (``"W"``) or the biases (``"b"``) of all layers in order."""
    return [name for name in network.parameters if name.endswith(f".{kind}")]


def solver_of(estimator: Any, *, incremental: bool = False) -> optimizers.AnyOptimizer:
    """The optimiser with its rate and limits.

    Raises:
        ArgumentError: when a parameter is out of range, or a name unknown.
    """
    where, training, solver = type(estimator).__name__, options_of(estimator, "training"), estimator.solver
    limits = {name: getattr(training, name) for name in ("clip_norm", "clip_value")}
    if isinstance(solver, optimizers.LBFGS) or solver == "lbfgs":
        if isinstance(solver, optimizers.LBFGS):
            return solver
        return optimizers.LBFGS(tolerance=estimator.tol, min_decrease=_SCIPYS_DECREASE, evaluations=estimator.max_fun)
    if not isinstance(solver, str):
        return optimizers.get(solver, where=where, **{name: limit for name, limit in limits.items() if limit})
    options: dict[str, Any] = {}
    if solver == "sgd":
        options = {"momentum": estimator.momentum, "nesterov": estimator.nesterovs_momentum and estimator.momentum > 0}
    elif solver == "adam":
        options = {"beta1": estimator.beta_1, "beta2": estimator.beta_2, "epsilon": estimator.epsilon}
    return optimizers.get(solver, rate=_rate(estimator, incremental), where=where, **options, **limits)


def _rate(estimator: Any, incremental: bool) -> schedules.AnySchedule:
    """The learning rate: a schedule that was given, or scikit-learn's three, which it keeps for sgd."""
    given, rate = estimator.learning_rate, estimator.learning_rate_init
    if not isinstance(given, str):
        return schedules.get(given, where=f"{type(estimator).__name__}: learning_rate")
    if estimator.solver != "sgd" and given in _RATES:
        return schedules.Constant(rate)
    if given == "invscaling":
        if incremental:  # the rows of earlier calls may have been more, or fewer
            return schedules.Constant(rate / (estimator.t_ + 1) ** estimator.power_t)
        return schedules.InverseScaling(rate, power=estimator.power_t)
    if given == "adaptive":
        patience = estimator.n_iter_no_change if estimator.n_iter_no_change < inf else 2**31
        return schedules.ReduceOnPlateau(rate, factor=0.2, patience=patience, min_delta=estimator.tol, cumulative=False)
    if given not in schedules.NAMES:
        known = sorted({*_RATES, *schedules.NAMES})
        raise unknown_name("learning_rate", given, known, where=type(estimator).__name__)
    return schedules.named(given, rate=rate)
