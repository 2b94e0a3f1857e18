"""Adam and its family: running means of the gradient and of its square."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING

from chainrule.checks import settle
from chainrule.optimizers.interface import Optimizer, check_epsilon, check_shares
from chainrule.optimizers.vectors import root, running_square, times
from chainrule.schedules import AnySchedule

if TYPE_CHECKING:
    from chainrule.arrays import Array
    from chainrule.optimizers.interface import Slots


class _Moments(Optimizer, frozen=True):
    """What the Adam family shares; siblings, so that none is taken for another. The formulas stand at `Adam`."""

    rate: float | AnySchedule = 1e-3
    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-8

    def __post_init__(self) -> None:
        Optimizer.__post_init__(self)
        check_shares(self, "beta1", "beta2")
        check_epsilon(self)

    @property
    def slot_names(self) -> tuple[str, ...]:
        """The running means m and v."""
        return ("m", "v")

    def _moments(self, gradient: Array, slots: Slots, *, reuse: bool) -> Slots:
        m = times(slots["m"], self.beta1, reuse)
        m += gradient * (1.0 - self.beta1)
        return {"m": m, "v": running_square(slots["v"], gradient, self.beta2, reuse)}

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
        step /= root(theta, new["v"], epsilon)
        return step, new


class Adam(_Moments, frozen=True):
    """Running means of the gradient and of its square, freed of their bias towards the zeros they begin with.

    ::

        m = beta1 * m + (1 - beta1) g              v = beta2 * v + (1 - beta2) g²
        change = - r m̂ / (√v̂ + epsilon),          m̂ = m / (1 - beta1^t),  v̂ = v / (1 - beta2^t)

    Source: Kingma & Ba 2015, algorithm 1, as in torch and optax. The paper's faster form (end of section 2), in
    scikit-learn and Keras, adds epsilon to √v instead, which makes it larger by 1 / √(1 - beta2^t) in early steps. Here
    both corrections are folded into scalars with the meaning of algorithm 1.

    >>> import numpy as np
    >>> theta, g, optimizer = np.array([1.0]), np.array([2.0]), Adam(0.1)
    >>> change, slots = optimizer.change(theta, g, optimizer.slots(theta), rate=0.1, t=1, weights=1.0)
    >>> change.round(6)  # the first m̂ is g, the first v̂ g²
    array([-0.1])
    """


class AdamW(_Moments, frozen=True):
    """Adam with weight decay beside the gradient instead of inside it.

    ::

        change = (change of Adam) - r * weight_decay * theta          over weights, not over biases

    Source: Loshchilov & Hutter 2019, algorithm 2. Sources disagree on the factor: the paper multiplies the decay by the
    schedule's multiplier alone, torch, Keras and optax by the whole rate r, as here.

    >>> import numpy as np
    >>> theta, g, optimizer = np.array([1.0]), np.array([2.0]), AdamW(0.1, weight_decay=0.5)
    >>> change, slots = optimizer.change(theta, g, optimizer.slots(theta), rate=0.1, t=1, weights=1.0)
    >>> change.round(6)  # -0.1 - 0.1 * 0.5
    array([-0.15])
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

    >>> import numpy as np
    >>> theta, g, optimizer = np.array([1.0]), np.array([2.0]), NAdam(0.1)
    >>> change, slots = optimizer.change(theta, g, optimizer.slots(theta), rate=0.1, t=1, weights=1.0)
    >>> change.round(6)  # m̂ = 2.1129, v̂ = 4
    array([-0.105645])
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
        step /= root(theta, new["v"], epsilon)
        return step, new


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
