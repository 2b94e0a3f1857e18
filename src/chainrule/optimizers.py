"""Optimisers: pure updates of flat vectors.

An optimiser is a frozen record of settings. Its memory, the *slots*, are vectors like ``theta (P,)``::

    slots = optimizer.slots(theta)
    change, slots = optimizer.change(theta, gradient, slots, rate=rate, t=t, weights=weights)   # t = 1, 2, ...
    theta += change

Nothing that came from outside is changed in place, unless the caller has no more use for the old slots and says so by
``reuse=True``: then their memory is used again, which on NumPy saves up to half of the time with large networks and
changes no bit of the result. `change` may be the same array as one of the new slots: add it, do not write into it. Only
the array-API standard is used, and all scalars are Python's own, so float32 stays float32.

Each `change` is two parts. `scalars` makes the few numbers of a step (bias corrections and the like) in Python floats;
`apply` is the arithmetic on vectors. An engine that compiles its loop computes the scalars of all its steps beforehand
and hands them in, so that every engine steps with the same numbers.

In the formulas: g gradient, r rate, t the step from 1, operations by element; all vectors ``(P,)``.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeAlias

from msgspec import Struct

from chainrule.arrays import namespace
from chainrule.checks import settle, settle_flag, settle_whole
from chainrule.errors import ArgumentError, unknown_name
from chainrule.schedules import AnySchedule, settle_schedule
from chainrule.schedules import get as get_schedule

if TYPE_CHECKING:
    from chainrule.arrays import Array

    Slots: TypeAlias = dict[str, Array]


class Optimizer(Struct, frozen=True, kw_only=True, tag=True):
    """What the optimisers that take steps have in common.

    Attributes:
        rate: the learning rate, or a schedule of it.
        clip_norm: the largest norm that the whole gradient may have; see `clip`.
        clip_value: the largest absolute value that an entry of the gradient may have; see `clip`.
    """

    rate: float | AnySchedule
    clip_norm: float | None = None
    clip_value: float | None = None

    def __post_init__(self) -> None:
        settle_schedule(self, "rate")
        for field in ("clip_norm", "clip_value"):
            if getattr(self, field) is not None:
                settle(self, field, "a number above 0, or None", lambda limit: limit > 0)

    @property
    def schedule(self) -> AnySchedule:
        """The schedule of the learning rate."""
        return get_schedule(self.rate)

    @property
    def slot_names(self) -> tuple[str, ...]:
        """The names of the vectors that it remembers from step to step."""
        raise NotImplementedError

    @property
    def formulas(self) -> dict[str, str]:
        """How each slot and the change are made, by name, from the letters above; for explanations."""
        raise NotImplementedError

    def slots(self, theta: Array) -> Slots:
        """The slots before the first step."""
        xp = namespace(theta)
        return {name: xp.zeros_like(theta) for name in self.slot_names}

    def scalars(self, rate: float, t: int, /) -> tuple[float, ...]:
        """The numbers that `apply` needs in step t; the rate enters nowhere else."""
        raise NotImplementedError

    def apply(
        self,
        theta: Array,
        gradient: Array,
        slots: Slots,
        scalars: tuple[float, ...],
        weights: Array | float,
        /,
        *,
        reuse: bool,
    ) -> tuple[Array, Slots]:
        """The arithmetic on vectors; see `change`."""
        raise NotImplementedError

    def change(
        self,
        theta: Array,
        gradient: Array,
        slots: Slots,
        *,
        rate: float,
        t: int,
        weights: Array | float,
        reuse: bool = False,
    ) -> tuple[Array, Slots]:
        """What to add to theta in step t (1 for the first), and the new slots.

        Args:
            theta: the parameters.
            gradient: dLoss/dtheta, clipped where that is asked for.
            slots: as `slots` or the step before returned them.
            rate: the learning rate of this step.
            t: the number of this step, 1 for the first.
            weights: 1 where theta holds a weight, 0 where it holds anything else; only `AdamW` looks at it.
            reuse: whether the old slots may be overwritten.
        """
        # Plain numbers: a NumPy float64 scalar would make float64 vectors of float32 ones.
        return self.apply(theta, gradient, slots, self.scalars(float(rate), int(t)), weights, reuse=reuse)


def _share(record: Struct, *fields: str) -> None:
    for field in fields:
        settle(record, field, "a number from 0 up to, not including, 1", lambda share: 0 <= share < 1)


def _epsilon(record: Struct) -> None:
    settle(record, "epsilon", "a number above 0", lambda epsilon: epsilon > 0)


class SGD(Optimizer, frozen=True):
    """Stochastic gradient descent, with momentum and Nesterov's look ahead.

    ::

        v = momentum * v - r g
        change = v                         plain:    change = - r g
        change = momentum * v - r g        nesterov

    Sources: Polyak 1964; Sutskever et al. 2013, eq. 1-2 and, for Nesterov, eq. 3-4 in the variables of Bengio,
    Boulanger-Lewandowski & Pascanu 2012 (arXiv:1212.0901), as in scikit-learn and Keras. Sources disagree on the place
    of the rate: torch has v = momentum * v + g and change = - r v. With a constant rate that is the same; when the rate
    falls, torch's velocity falls with it at once, the one here keeps the pace that it has.

    >>> import numpy as np
    >>> theta, g = np.array([1.0]), np.array([2.0])
    >>> optimizer = SGD(0.1, momentum=0.5)
    >>> change, slots = optimizer.change(theta, g, optimizer.slots(theta), rate=0.1, t=1, weights=1.0)
    >>> change, slots = optimizer.change(theta, g, slots, rate=0.1, t=2, weights=1.0)
    >>> change  # 0.5 * -0.2 - 0.2
    array([-0.3])
    """

    rate: float | AnySchedule = 0.01
    momentum: float = 0.0
    nesterov: bool = False

    def __post_init__(self) -> None:
        Optimizer.__post_init__(self)
        _share(self, "momentum")
        settle_flag(self, "nesterov")
        if self.nesterov and self.momentum == 0.0:
            raise ArgumentError(
                "nesterov", where="SGD", expected="momentum above 0 beside nesterov=True", got=self.momentum
            )

    @property
    def slot_names(self) -> tuple[str, ...]:
        """The velocity, when there is momentum."""
        return ("velocity",) if self.momentum else ()

    @property
    def formulas(self) -> dict[str, str]:
        if not self.momentum:
            return {"change": "-r g"}
        change = "momentum * velocity - r g" if self.nesterov else "velocity"
        return {"velocity": "momentum * velocity - r g", "change": change}

    def scalars(self, rate: float, _t: int, /) -> tuple[float, ...]:
        """-r."""
        return (-rate,)

    def apply(
        self,
        _theta: Array,
        gradient: Array,
        slots: Slots,
        scalars: tuple[float, ...],
        _weights: Array | float,
        /,
        *,
        reuse: bool,
    ) -> tuple[Array, Slots]:
        """The formulas above."""
        step = gradient * scalars[0]
        if not self.momentum:
            return step, slots
        velocity = _times(slots["velocity"], self.momentum, reuse)
        velocity += step
        if not self.nesterov:
            return velocity, {"velocity": velocity}
        step += velocity * self.momentum
        return step, {"velocity": velocity}


class RMSProp(Optimizer, frozen=True):
    """The gradient over the root of its running mean square.

    ::

        s = decay * s + (1 - decay) g²
        change = - r g / (√s + epsilon)
        v = momentum * v - r g / (√s + epsilon),  change = v          with momentum

    Source: Tieleman & Hinton 2012, Neural Networks for Machine Learning, lecture 6e. Sources disagree on epsilon:
    outside of the root in torch, as here; inside, √(s + epsilon), in TensorFlow and in Graves 2013 (arXiv:1308.0850),
    whose form also subtracts the squared mean. The rate stands inside the velocity, as for `SGD`; torch's stands
    outside.
    """

    rate: float | AnySchedule = 1e-3
    decay: float = 0.9
    epsilon: float = 1e-8
    momentum: float = 0.0

    def __post_init__(self) -> None:
        Optimizer.__post_init__(self)
        _share(self, "decay", "momentum")
        _epsilon(self)

    @property
    def slot_names(self) -> tuple[str, ...]:
        """The running mean square s, and the velocity when there is momentum."""
        return ("square", "velocity") if self.momentum else ("square",)

    @property
    def formulas(self) -> dict[str, str]:
        square, step = "decay * square + (1 - decay) g^2", "r g / (sqrt(square) + epsilon)"
        if not self.momentum:
            return {"square": square, "change": f"-{step}"}
        return {"square": square, "velocity": f"momentum * velocity - {step}", "change": "velocity"}

    def scalars(self, rate: float, _t: int, /) -> tuple[float, ...]:
        """-r."""
        return (-rate,)

    def apply(
        self,
        theta: Array,
        gradient: Array,
        slots: Slots,
        scalars: tuple[float, ...],
        _weights: Array | float,
        /,
        *,
        reuse: bool,
    ) -> tuple[Array, Slots]:
        """The formulas above."""
        square = _running_square(slots["square"], gradient, self.decay, reuse)
        step = gradient * scalars[0]
        step /= _root(theta, square, self.epsilon)
        if not self.momentum:
            return step, {"square": square}
        velocity = _times(slots["velocity"], self.momentum, reuse)
        velocity += step
        return velocity, {"square": square, "velocity": velocity}


class Adagrad(Optimizer, frozen=True):
    """The gradient over the root of the sum of all its squares.

    ::

        s = s + g²                        s = initial before the first step
        change = - r g / (√s + epsilon)

    Source: Duchi, Hazan & Singer 2011, figure 1, diagonal form, whose delta is epsilon. Sources disagree on how to
    begin: `initial` is 0 in the paper and in torch, 0.1 in TensorFlow and optax.
    """

    rate: float | AnySchedule = 0.01
    epsilon: float = 1e-10
    initial: float = 0.0

    def __post_init__(self) -> None:
        Optimizer.__post_init__(self)
        _epsilon(self)
        settle(self, "initial", "a number >= 0", lambda initial: initial >= 0)

    @property
    def slot_names(self) -> tuple[str, ...]:
        """The sum of squares s."""
        return ("square",)

    @property
    def formulas(self) -> dict[str, str]:
        return {"square": "square + g^2", "change": "-r g / (sqrt(square) + epsilon)"}

    def slots(self, theta: Array) -> Slots:
        """The sum of squares before the first step."""
        return {"square": namespace(theta).full_like(theta, self.initial)}

    def scalars(self, rate: float, _t: int, /) -> tuple[float, ...]:
        """-r."""
        return (-rate,)

    def apply(
        self,
        theta: Array,
        gradient: Array,
        slots: Slots,
        scalars: tuple[float, ...],
        _weights: Array | float,
        /,
        *,
        reuse: bool,  # noqa: ARG002 - nothing is gained by it here
    ) -> tuple[Array, Slots]:
        """The formulas above."""
        square = gradient * gradient
        square += slots["square"]
        step = gradient * scalars[0]
        step /= _root(theta, square, self.epsilon)
        return step, {"square": square}


class _Moments(Optimizer, frozen=True):
    """What the Adam family shares; siblings, so that none is taken for another. The formulas stand at `Adam`."""

    rate: float | AnySchedule = 1e-3
    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-8

    def __post_init__(self) -> None:
        Optimizer.__post_init__(self)
        _share(self, "beta1", "beta2")
        _epsilon(self)

    @property
    def slot_names(self) -> tuple[str, ...]:
        """The running means m and v."""
        return ("m", "v")

    def _moments(self, gradient: Array, slots: Slots, *, reuse: bool) -> Slots:
        m = _times(slots["m"], self.beta1, reuse)
        m += gradient * (1.0 - self.beta1)
        return {"m": m, "v": _running_square(slots["v"], gradient, self.beta2, reuse)}

    @property
    def formulas(self) -> dict[str, str]:
        moments = {"m": "beta1 * m + (1 - beta1) g", "v": "beta2 * v + (1 - beta2) g^2"}
        return moments | {"change": "-r m / (1 - beta1^t) / (sqrt(v / (1 - beta2^t)) + epsilon)"}

    def scalars(self, rate: float, t: int, /) -> tuple[float, ...]:
        """-r √(1 - beta2^t) / (1 - beta1^t), and epsilon √(1 - beta2^t)."""
        correction = (1.0 - self.beta2**t) ** 0.5
        return (-rate * correction / (1.0 - self.beta1**t), self.epsilon * correction)

    def apply(
        self,
        theta: Array,
        gradient: Array,
        slots: Slots,
        scalars: tuple[float, ...],
        _weights: Array | float,
        /,
        *,
        reuse: bool,
    ) -> tuple[Array, Slots]:
        """The formulas of `Adam`."""
        rate, epsilon, *_ = scalars
        new = self._moments(gradient, slots, reuse=reuse)
        step = new["m"] * rate
        step /= _root(theta, new["v"], epsilon)
        return step, new


class Adam(_Moments, frozen=True):
    """Running means of the gradient and of its square, freed of their bias towards the zeros they begin with.

    ::

        m = beta1 * m + (1 - beta1) g              v = beta2 * v + (1 - beta2) g²
        change = - r m̂ / (√v̂ + epsilon),          m̂ = m / (1 - beta1^t),  v̂ = v / (1 - beta2^t)

    Source: Kingma & Ba 2015, algorithm 1, as in torch and optax. The paper's faster form (end of section 2), in
    scikit-learn and Keras, adds epsilon to √v instead, which makes it larger by 1 / √(1 - beta2^t) in early steps. Here
    both corrections are folded into scalars with the meaning of algorithm 1.
    """


class AdamW(_Moments, frozen=True):
    """Adam with weight decay beside the gradient instead of inside it.

    ::

        change = (change of Adam) - r * weight_decay * theta          over weights, not over biases

    Source: Loshchilov & Hutter 2019, algorithm 2. Sources disagree on the factor: the paper multiplies the decay by the
    schedule's multiplier alone, torch, Keras and optax by the whole rate r, as here.
    """

    weight_decay: float = 0.01

    def __post_init__(self) -> None:
        _Moments.__post_init__(self)
        settle(self, "weight_decay", "a number >= 0", lambda decay: decay >= 0)

    @property
    def formulas(self) -> dict[str, str]:
        adam = super().formulas
        return adam | {"change": f"{adam['change']} - r * weight_decay * theta"}

    def scalars(self, rate: float, t: int, /) -> tuple[float, ...]:
        """Those of Adam, and r * weight_decay."""
        return (*_Moments.scalars(self, rate, t), rate * self.weight_decay)

    def apply(
        self,
        theta: Array,
        gradient: Array,
        slots: Slots,
        scalars: tuple[float, ...],
        weights: Array | float,
        /,
        *,
        reuse: bool,
    ) -> tuple[Array, Slots]:
        """The formulas above."""
        step, new = _Moments.apply(self, theta, gradient, slots, scalars, weights, reuse=reuse)
        decay = theta * weights
        decay *= scalars[2]
        step -= decay
        return step, new


class NAdam(_Moments, frozen=True):
    """Adam with Nesterov's look ahead: the mean as it will be used in the next step.

    ::

        m, v, v̂ as in Adam;  μ_t = beta1 (1 - ½ 0.96^(t momentum_decay))
        m̂ = μ_{t+1} m / (1 - μ_1 ... μ_{t+1}) + (1 - μ_t) g / (1 - μ_1 ... μ_t)
        change = - r m̂ / (√v̂ + epsilon)

    Source: Dozat 2016, "Incorporating Nesterov Momentum into Adam", algorithm 2, in torch's form: the momentum
    schedule μ only weighs m and g, m itself is made with beta1. Dozat's report makes m with μ_t as well; optax has
    no schedule (μ = beta1). momentum_decay = 4e-3 is Dozat's.
    """

    momentum_decay: float = 4e-3

    def __post_init__(self) -> None:
        _Moments.__post_init__(self)
        settle(self, "momentum_decay", "a number >= 0", lambda decay: decay >= 0)

    @property
    def formulas(self) -> dict[str, str]:
        mean = "mu_{t+1} m / (1 - mu_1 ... mu_{t+1}) + (1 - mu_t) g / (1 - mu_1 ... mu_t)"
        return super().formulas | {"change": f"-r ({mean}) / (sqrt(v / (1 - beta2^t)) + epsilon)"}

    def scalars(self, rate: float, t: int, /) -> tuple[float, ...]:
        """The factors of m and of g, and epsilon, all times √(1 - beta2^t)."""
        correction = (1.0 - self.beta2**t) ** 0.5
        now, then = (_mu(self.beta1, self.momentum_decay, step) for step in (t, t + 1))
        past, ahead = (_mu_product(self.beta1, self.momentum_decay, step) for step in (t, t + 1))
        factor = -rate * correction
        return (factor * then / (1.0 - ahead), factor * (1.0 - now) / (1.0 - past), self.epsilon * correction)

    def apply(
        self,
        theta: Array,
        gradient: Array,
        slots: Slots,
        scalars: tuple[float, ...],
        _weights: Array | float,
        /,
        *,
        reuse: bool,
    ) -> tuple[Array, Slots]:
        """The formulas above."""
        of_mean, of_gradient, epsilon = scalars
        new = self._moments(gradient, slots, reuse=reuse)
        step = new["m"] * of_mean
        step += gradient * of_gradient
        step /= _root(theta, new["v"], epsilon)
        return step, new


class LBFGS(Struct, frozen=True, tag=True):
    """Settings of SciPy's L-BFGS-B: full batch, one epoch an iteration, the step found by line search, no rate.

    Source: Liu & Nocedal 1989; Zhu, Byrd, Lu & Nocedal 1997, algorithm 778.

    Attributes:
        memory: pairs of steps and changes of the gradient that stand for the curvature (m of the paper).
        tolerance: it has converged when no entry of the gradient is larger.
        min_decrease: ... or when an iteration lowers the loss by less than this share of it.
        line_search: the most evaluations of the loss in one iteration.
        evaluations: the most in all; None: as many as the iterations need.
    """

    memory: int = 10
    tolerance: float = 1e-7
    min_decrease: float = 0.0
    line_search: int = 20
    evaluations: int | None = None

    def __post_init__(self) -> None:
        settle_whole(self, "memory", 1)
        settle_whole(self, "line_search", 1)
        if self.evaluations is not None:
            settle_whole(self, "evaluations", 1)
        for field in ("tolerance", "min_decrease"):
            settle(self, field, "a number >= 0", lambda least: least >= 0)

    @property
    def schedule(self) -> AnySchedule:
        """The rate is 1 in every step: how far to go is what the line search finds out."""
        return get_schedule(1.0)

    def options(self, iterations: int) -> dict[str, Any]:
        """The `options` of `scipy.optimize.minimize(method="L-BFGS-B")` for so many iterations at most."""
        enough = iterations * (self.line_search + 1) + 1
        return {
            "maxcor": self.memory,
            "gtol": self.tolerance,
            "ftol": self.min_decrease,
            "maxls": self.line_search,
            "maxiter": iterations,
            "maxfun": enough if self.evaluations is None else self.evaluations,
        }


def _times(slot: Array, factor: float, reuse: bool) -> Array:
    """The slot times the factor, in the slot's own memory where that may be."""
    if reuse:
        slot *= factor  # for an array that cannot be written, Python makes a new one here
        return slot
    return slot * factor


def _running_square(square: Array, gradient: Array, decay: float, reuse: bool) -> Array:
    new = gradient * gradient
    new *= 1.0 - decay
    square = _times(square, decay, reuse)
    square += new
    return square


def _root(theta: Array, square: Array, epsilon: float) -> Array:
    root = namespace(theta).sqrt(square)
    root += epsilon
    return root


def _mu(beta1: float, momentum_decay: float, t: int) -> float:
    return beta1 * (1.0 - 0.5 * math.pow(0.96, t * momentum_decay))


_NEGLIGIBLE = 2.0**-60  # beside 1 in float64


@lru_cache(maxsize=32)
def _mu_products(beta1: float, momentum_decay: float) -> tuple[float, ...]:
    """μ_1, μ_1 μ_2, ... as far as it matters: then the product is nothing, or μ has become beta1.

    It ends soon: as long as μ is not beta1 it is near beta1 / 2, so that the product halves.
    """
    products = [_mu(beta1, momentum_decay, 1)]
    while products[-1] > _NEGLIGIBLE and 0.96 ** (len(products) * momentum_decay) > _NEGLIGIBLE:
        products.append(products[-1] * _mu(beta1, momentum_decay, len(products) + 1))
    return tuple(products)


def _mu_product(beta1: float, momentum_decay: float, t: int) -> float:
    """μ_1 ... μ_t from the step number alone, so that the product need not be carried along and stored."""
    products = _mu_products(beta1, momentum_decay)
    beyond = t - len(products)
    return products[t - 1] if beyond <= 0 else products[-1] * math.pow(beta1, beyond)


def clip(gradient: Array, optimizer: Optimizer) -> Array:
    """The gradient within the limits of the optimiser: first each entry, then the norm.

    ::

        g = min(max(g, -clip_value), clip_value)
        g = g * clip_norm / max(|g|, clip_norm),   |g| the Euclidean norm of the whole vector

    In this order one wild entry does not shrink all the others, and both limits hold in the end. Source of the second
    line: Pascanu, Mikolov & Bengio 2013, algorithm 1. A gradient within the limits keeps its bits.

    >>> import numpy as np
    >>> clip(np.array([3.0, 4.0]), SGD(0.1, clip_norm=1.0))
    array([0.6, 0.8])
    """
    xp = namespace(gradient)
    if optimizer.clip_value is not None:
        gradient = xp.clip(gradient, -optimizer.clip_value, optimizer.clip_value)
    if optimizer.clip_norm is not None:
        # In units of the largest entry, so that no square overflows: exploding gradients are what this is for.
        largest = xp.maximum(xp.maximum(xp.max(gradient), -xp.min(gradient)), optimizer.clip_norm * 2.0**-60)
        squares = gradient * (1.0 / largest)
        squares *= squares
        norm = largest * xp.sqrt(xp.sum(squares))
        gradient = gradient * (optimizer.clip_norm / xp.maximum(norm, optimizer.clip_norm))
    return gradient


AnyStepper: TypeAlias = SGD | RMSProp | Adagrad | Adam | AdamW | NAdam
"""Every optimiser that takes steps along the gradients of batches."""

AnyOptimizer: TypeAlias = SGD | RMSProp | Adagrad | Adam | AdamW | NAdam | LBFGS
"""Every optimiser; msgspec reads the right one from its tag."""

_NAMES: dict[str, tuple[type[AnyOptimizer], dict[str, Any]]] = {
    "sgd": (SGD, {}),
    "momentum": (SGD, {"momentum": 0.9}),
    "nesterov": (SGD, {"momentum": 0.9, "nesterov": True}),
    "rmsprop": (RMSProp, {}),
    "adagrad": (Adagrad, {}),
    "adam": (Adam, {}),
    "adamw": (AdamW, {}),
    "nadam": (NAdam, {}),
    "lbfgs": (LBFGS, {}),
}

NAMES: tuple[str, ...] = tuple(_NAMES)
"""The names that `get` knows."""


def get(
    optimizer: str | AnyOptimizer, rate: float | AnySchedule | None = None, *, where: str = "", **options: Any
) -> AnyOptimizer:
    """An optimiser from its name, or the object itself; with the rate and the options when they are given.

    Raises:
        ArgumentError: for an unknown name or option, a value out of range, or a rate for L-BFGS.

    >>> get("adam", rate=0.01).rate
    0.01
    """
    given: object = optimizer
    if isinstance(given, AnyOptimizer):
        if rate is None and not options:
            return given
        make: type[AnyOptimizer] = type(given)
        settings = {field: getattr(given, field) for field in given.__struct_fields__}
    elif isinstance(given, str):
        plain = given.strip().lower().replace("-", "").replace("_", "")
        if plain not in _NAMES:
            raise unknown_name("optimizer", given, NAMES, where=where)
        make, settings = _NAMES[plain]
    else:
        raise ArgumentError("optimizer", where=where, expected="a name or an optimizer such as SGD(0.1)", got=given)
    if rate is not None:
        options["rate"] = rate
    _check_options(make, options)
    return make(**(settings | options))


def _check_options(make: type[AnyOptimizer], options: dict[str, Any]) -> None:
    for option in options:
        if option not in make.__struct_fields__:
            if make is LBFGS and option == "rate":
                mend = "Leave the learning rate (lr) out"
                raise ArgumentError("L-BFGS finds the length of its steps itself", where="LBFGS", mend=mend)
            raise unknown_name("option", option, make.__struct_fields__, where=make.__name__)
