"""Mistakes of students in norms, dropout and residual connections, each entered in `PLANTED_LAYERS`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.studies.homework import planted, wrong
from benchmarks.studies.layered_homework import Layered

if TYPE_CHECKING:
    from collections.abc import Callable

PLANTED_LAYERS: list[type[Layered]] = []


def _wrong(method: str, *known_as: str, **others: Any) -> Any:
    return wrong(method, *known_as, base=Layered, among=PLANTED_LAYERS, **others)


def _of_norm(name: str, **methods: Callable[..., Any]) -> None:
    """Two students, one who does so in batch norm and one in layer norm; each method gets what is right after self."""
    for kind in ("batch_norm", "layer_norm"):
        made = {method: _only_in(kind, method, change) for method, change in methods.items()}
        known_as = f"{kind.replace('_', ' ')}: {name}"
        planted(known_as, among=PLANTED_LAYERS)(type("Norm", (Layered,), made))


def _only_in(kind: str, method: str, change: Any) -> Any:
    right = getattr(Layered, method)

    def made(self: Any, k: int, *args: Any) -> Any:
        fine = right(self, k, *args)
        return change(self, fine, k, *args) if self.behind[k][0] == kind and self.only in {None, k} else fine

    return made


def _count(s: Any, k: int) -> int:
    return int(s.summed[k].shape[s.axis(k)])


_of_norm("not through the mean", mean_part=lambda _, d, __, ___: 0 * d)
_of_norm("not through the variance", variance_part=lambda _, d, __, ___: 0 * d)
_of_norm("mean and variance as constants", mean_part=lambda _, d, *__: 0 * d, variance_part=lambda _, d, *__: 0 * d)
_of_norm("gamma not on the way back", d_normed=lambda _, __, ___, d: d)
_of_norm("not divided on the way back", unnorm=lambda s, d, k, _: d * s.std[k])
_of_norm("not on the way back", unnorm=lambda _, __, ___, d: d)
_of_norm("epsilon forgotten", divisor=lambda _, __, ___, variance: np.sqrt(variance))
_of_norm("epsilon outside the root", divisor=lambda s, _, k, v: np.sqrt(v) + s.behind[k][2].epsilon)
_of_norm("gamma left out", scaled=lambda s, _, k: s.H[k] + s.beta(k))
_of_norm("beta left out", scaled=lambda s, _, k: s.gamma(k) * s.H[k])
_of_norm("dgamma of X", d_gamma=lambda s, _, k: (s.d_on[k] * s.summed[k]).sum(0))
_of_norm("dgamma without H", d_gamma=lambda s, _, k: s.d_on[k].sum(0))
_of_norm("dgamma averaged", d_gamma=lambda s, v, _: v / s.B)
_of_norm("dbeta averaged", d_beta=lambda s, v, _: v / s.B)


def _formula(s: Any, k: int, d: Any, axis: int, n: int) -> Any:
    """The short form of the way back, which many copy whatever they did forward."""
    dH = d * s.gamma(k)
    return (dH - dH.sum(axis, keepdims=True) / s.H[k].shape[axis]
            - s.H[k] * (dH * s.H[k]).sum(axis, keepdims=True) / n) / s.std[k]  # fmt: skip


def _by_formula(s: Any, _: Any, k: int, d: Any) -> Any:
    return _formula(s, k, d, s.axis(k), _count(s, k))


def _unbiased(s: Any, found: Any, k: int, _: Any) -> Any:
    n = _count(s, k)
    return (found[0], found[1] * n / (n - 1)) if n > 1 else found


_of_norm("N - 1 in the variance", statistics=_unbiased, unnorm=_by_formula)
_of_norm(
    "N - 1 in the variance, and in its slope",
    statistics=_unbiased,
    unnorm=lambda s, _, k, d: _formula(s, k, d, s.axis(k), max(_count(s, k) - 1, 1)),
)
_of_norm("no root", divisor=lambda s, _, k, v: v + s.behind[k][2].epsilon, unnorm=_by_formula)
_of_norm("mean not subtracted", centred=lambda _, __, ___, X: X, unnorm=_by_formula)


def _other_axis(s: Any, _: Any, k: int, X: Any) -> Any:
    axis = 1 - s.axis(k)
    return X.mean(axis, keepdims=True), X.var(axis, keepdims=True)


_of_norm(
    "over the wrong axis",
    statistics=_other_axis,
    unnorm=lambda s, _, k, d: _formula(s, k, d, 1 - s.axis(k), s.H[k].shape[1 - s.axis(k)]),
)


def _running(s: Any, _: Any, k: int, __: Any) -> Any:
    name = s.behind[k][1]
    return s.own[f"{name}.mean"][None], s.own[f"{name}.variance"][None]


def _of_batch_norm(name: str, **methods: Callable[..., Any]) -> None:
    made = {method: _only_in("batch_norm", method, change) for method, change in methods.items()}
    planted(f"batch norm: {name}", among=PLANTED_LAYERS)(type("Norm", (Layered,), made))


_of_batch_norm("running averages in training", statistics=_running, unnorm=lambda s, _, k, d: d * s.gamma(k) / s.std[k])
_of_batch_norm("momentum of the wrong one", momentum=lambda _, m, __: 1 - m)
_of_batch_norm(
    "running averages not moved",
    averages_of=lambda s, _, k: {own: s.own[f"{s.behind[k][1]}.{own}"] for own in ("mean", "variance")},
)
_wrong("variance_share", "batch norm: running variance over N")(lambda s, _: s.B)


def _of_dropout(name: str, *, both: Any = None, back: Any = None) -> None:
    """A student with another mask, from the right one and p: on both ways, or on the way back."""
    known_as, methods = f"dropout: {name}", {}
    for method, mask in (("drop", both), ("undrop", both or back)):
        if mask is not None:
            methods[method] = _masked(mask)
    planted(known_as, among=PLANTED_LAYERS)(type("Dropping", (Layered,), methods))


def _masked(other: Any) -> Any:
    def made(self: Any, k: int, values: Any, mask: Any, p: float) -> Any:
        return values * (other(mask, p) if self.only in {None, k} else mask)

    return made


_of_dropout("not on the way back", back=lambda _, __: 1.0)
_of_dropout("not scaled", both=lambda mask, _: mask > 0)
_of_dropout("not scaled on the way back", back=lambda mask, _: mask > 0)
_of_dropout("divided by p", both=lambda mask, p: (mask > 0) / p)
_of_dropout("multiplied by 1 - p", both=lambda mask, p: (mask > 0) * (1 - p))
_of_dropout("scaled twice", both=lambda mask, p: mask / (1 - p))
_of_dropout("scaled twice on the way back", back=lambda mask, p: mask / (1 - p))
_of_dropout("the wrong ones dropped", both=lambda mask, p: (mask == 0) / (1 - p))
_of_dropout("left out", both=lambda _, __: 1.0)

_PAST, _SUM = "residual: skip's gradient forgotten", "residual: skip forgotten"

_wrong("branches", _PAST)(lambda _, __, ___, ____, through: through)
_wrong("branches", "residual: only the skip's gradient")(lambda _, __, ___, past, ____: past)
_wrong("branches", "residual: gradients multiplied")(lambda _, __, ___, past, through: past * through)
_wrong("sum", f"{_SUM} forward")(lambda s, _, k: s.Y[k])


def _both_ways(name: str, **methods: Callable[..., Any]) -> None:
    made = {method: _at_layer(method, change) for method, change in methods.items()}
    planted(name, among=PLANTED_LAYERS)(type("Residual", (Layered,), made))


def _at_layer(method: str, change: Any) -> Any:
    right = getattr(Layered, method)

    def made(self: Any, k: int, *args: Any) -> Any:
        fine = right(self, k, *args)
        return change(self, fine, k, *args) if self.only in {None, k} else fine

    return made


_both_ways(_SUM, sum=lambda s, _, k: s.Y[k], branches=lambda _, __, ___, ____, through: through)
_both_ways(
    "residual: gradient shared out",
    into=lambda _, d, *__: d / 2,
    branches=lambda _, __, ___, past, through: past / 2 + through,
)
_both_ways(
    "residual: averaged",
    sum=lambda _, Y, __: Y / 2,
    into=lambda _, d, *__: d / 2,
    branches=lambda _, __, ___, past, through: past / 2 + through,
)
