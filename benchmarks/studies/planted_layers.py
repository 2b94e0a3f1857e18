"""A student's networks with norms, dropout and residual connections between dense layers, and mistakes in those.

What stands behind a hidden layer is one of `Norm` and `Mask` here, written out entry by entry; a dense layer may have
a connection past it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.studies.homework import Student, planted, wrong

if TYPE_CHECKING:
    from collections.abc import Callable

    import chainrule as cr

PLANTED_LAYERS: list[type[Layered]] = []


class Layered(Student):
    """One step of a network in which something may stand behind each hidden layer, and go past each dense one."""

    wants_dX = True

    def take_layers(self, net: cr.Network) -> None:
        self.f, self.names = [None], [""]
        self.behind: list[tuple[str, str, Any]] = [("", "", None)]  # of each dense layer: kind, name, spec
        self.past = [""]  # the name of the residual connection around each dense layer; empty for none
        count: dict[str, int] = {}
        for layer in net.layers:
            count[layer.kind] = count.get(layer.kind, 0) + 1
            name = f"{layer.kind}_{count[layer.kind]}"
            if layer.kind in {"batch_norm", "layer_norm", "dropout"}:
                self.behind[-1] = (layer.kind, name, layer)
                continue
            dense = layer.layers[0] if layer.kind == "residual" else layer
            self.f.append(dense.f)
            self.names.append(f"{name}.dense_1" if layer.kind == "residual" else name)
            self.past.append(name if layer.kind == "residual" else "")
            self.behind.append(("", "", None))
        self.own = {
            name: np.array(net.parameters[name]) for name in net.parameters if name.split(".")[0] in self.norm_names()
        }
        self.masks = self.given_masks()

    def norm_names(self) -> set[str]:
        return {name for kind, name, _ in self.behind if kind.endswith("norm")}

    def given_masks(self) -> dict[str, Any]:
        """The masks, which the teacher hands out."""
        import chainrule as cr

        task = self.task
        names = [name for kind, name, _ in self.behind if kind == "dropout"]
        if not names:
            return {}
        step = cr.trace(task.net, task.X, task.y, task.optimizer)
        return {name: step[f"{name}.mask"] for name in names}

    # ---- forward ----

    def hand_on(self, k: int) -> Any:
        kind, name, spec = self.behind[k]
        self.summed[k] = self.sum(k) if self.past[k] else self.Y[k]
        if kind == "dropout":
            return self.drop(k, self.summed[k], self.masks[name], spec.rate)
        return self.norm(k, self.summed[k]) if kind else self.summed[k]

    def forward(self) -> None:
        empty = [None] * (self.L + 1)
        self.summed, self.H, self.std, self.mean_of, self.var_of = (list(empty) for _ in range(5))
        self.d_on, self.d_sum, self.d_in = (list(empty) for _ in range(3))
        super().forward()

    def sum(self, k: int) -> Any:
        return self.inputs[k] + self.Y[k]

    def drop(self, k: int, X: Any, mask: Any, p: float) -> Any:
        return X * mask

    def statistics(self, k: int, X: Any) -> tuple[Any, Any]:
        """Mean and variance, as columns or rows beside X."""
        axis = self.axis(k)
        n = X.shape[axis]
        mean = X.sum(axis, keepdims=True) / n
        return mean, ((X - mean) ** 2).sum(axis, keepdims=True) / n

    def axis(self, k: int) -> int:
        return 0 if self.behind[k][0] == "batch_norm" else 1

    def divisor(self, k: int, variance: Any) -> Any:
        return np.sqrt(variance + self.behind[k][2].epsilon)

    def centred(self, k: int, X: Any) -> Any:
        return X - self.mean_of[k]

    def norm(self, k: int, X: Any) -> Any:
        self.mean_of[k], self.var_of[k] = self.statistics(k, X)
        self.std[k] = self.divisor(k, self.var_of[k])
        self.H[k] = self.centred(k, X) / self.std[k]
        return self.scaled(k)

    def scaled(self, k: int) -> Any:
        return self.gamma(k) * self.H[k] + self.beta(k)

    def gamma(self, k: int) -> Any:
        return self.own[f"{self.behind[k][1]}.gamma"]

    def beta(self, k: int) -> Any:
        return self.own[f"{self.behind[k][1]}.beta"]

    # ---- backward ----

    def receive(self, k: int, d: Any) -> Any:
        kind, name, spec = self.behind[k]
        self.d_on[k] = d
        if kind == "dropout":
            d = self.undrop(k, d, self.masks[name], spec.rate)
        elif kind:
            d = self.unnorm(k, d)
        self.d_sum[k] = d
        return self.into(k, d) if self.past[k] else d

    def into(self, k: int, d: Any) -> Any:
        """What goes through the layer that has a connection past it."""
        return d

    def undrop(self, k: int, d: Any, mask: Any, p: float) -> Any:
        return d * mask

    def unnorm(self, k: int, d: Any) -> Any:
        """Through H, mean and variance, each in its turn (Ioffe and Szegedy 2015, section 3)."""
        X, n = self.summed[k], self.H[k].shape[self.axis(k)]
        dH = self.d_normed(k, d)
        centred = X - self.mean_of[k]
        d_var = self.variance_part(k, (dH * centred * -0.5 / self.std[k] ** 3).sum(self.axis(k), keepdims=True))
        d_mean = self.mean_part(k, (-dH / self.std[k]).sum(self.axis(k), keepdims=True))
        return dH / self.std[k] + d_var * 2 * centred / n + d_mean / n

    def d_normed(self, k: int, d: Any) -> Any:
        return d * self.gamma(k)

    def variance_part(self, k: int, d: Any) -> Any:
        return d

    def mean_part(self, k: int, d: Any) -> Any:
        return d

    def d_gamma(self, k: int) -> Any:
        return sum(self.d_on[k][i] * self.H[k][i] for i in range(self.B))

    def d_beta(self, k: int) -> Any:
        return sum(self.d_on[k][i] for i in range(self.B))

    def pass_on(self, k: int) -> Any:
        d = self.handed_back(k)
        self.d_in[k] = self.branches(k, self.d_sum[k], d) if self.past[k] else d
        return self.d_in[k]

    def branches(self, k: int, past: Any, through: Any) -> Any:
        return past + through

    # ---- what is handed in ----

    def step_numbers(self) -> dict[str, Any]:
        found = super().step_numbers()
        for k, (kind, name, _) in enumerate(self.behind):
            if kind:
                found |= {f"{name}.Y": self.inputs[k + 1], f"{name}.dX": self.d_sum[k]}
            if kind.endswith("norm"):
                found |= {f"{name}.H": self.H[k], f"{name}.dgamma": self.d_gamma(k), f"{name}.dbeta": self.d_beta(k)}
            if self.past[k]:
                found |= {f"{self.past[k]}.Y": self.summed[k], f"{self.past[k]}.dX": self.d_in[k]}
        return found

    def numbers(self) -> dict[str, Any]:
        found = super().numbers()
        return found | {f"{name}.new": values for name, values in self.own.items()}

    def updated(self) -> Any:
        new = {}
        for k, (kind, name, _) in enumerate(self.behind):
            if kind.endswith("norm"):
                for own, g in (("gamma", self.d_gamma(k)), ("beta", self.d_beta(k))):
                    full = f"{name}.{own}"
                    new[full] = self.new(self.own[full], g, weight=False, key=(k, own))
            if kind == "batch_norm":
                new |= {f"{name}.{own}": values for own, values in self.averages_of(k).items()}
        found = super().updated()
        self.own = new
        return found

    def averages_of(self, k: int) -> dict[str, Any]:
        """Running mean and variance after the step."""
        name, m, X = self.behind[k][1], self.momentum(k), self.summed[k]
        mean = X.sum(0) / self.B
        moved = {"mean": mean, "variance": ((X - mean) ** 2).sum(0) / self.variance_share()}
        return {own: m * self.own[f"{name}.{own}"] + (1 - m) * values for own, values in moved.items()}

    def momentum(self, k: int) -> float:
        return float(self.behind[k][2].momentum)

    def variance_share(self) -> int:
        return max(self.B - 1, 1)


# ---- mistakes -------------------------------------------------------------------------------------------------------


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
