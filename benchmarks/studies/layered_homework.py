"""A student's networks with norms, dropout and residual connections between dense layers, right throughout.

`planted_layers` makes mistakes of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.studies.homework import Student

if TYPE_CHECKING:
    import chainrule as cr


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
