"""Dropout."""

from __future__ import annotations

from typing import Any, ClassVar, NamedTuple

from msgspec.structs import force_setattr

from chainrule import checks
from chainrule.arrays import Array, bernoulli, namespace
from chainrule.layers.interface import Layer, Mode, Params


class DropoutSaved(NamedTuple):
    """The factor of each entry ``(B, I)``: 0 where it was dropped, 1/(1 - rate) elsewhere; None when nothing is."""

    mask: Array | None


class Dropout(Layer, frozen=True, tag="dropout"):
    """In training each entry becomes 0 with probability `rate`, and ``x / (1 - rate)`` otherwise; ``dX = dY * mask``.

    So the expected value stays and prediction changes nothing ("inverted" dropout; Srivastava et al. 2014, section 10,
    scales at prediction instead). The mask depends on the seed, the layer, the step and the place alone: every engine
    makes the same one.

    Args:
        rate: the share of entries dropped, 0 <= rate < 1.

    Raises:
        ArgumentError: when the rate is none of these.

    >>> import chainrule as cr
    >>> cr.Network([cr.Dropout(0.5)], "mean_squared_error", n_inputs=2).forward([[1.0, 3.0]]).tolist()
    [[1.0, 3.0]]
    """

    rate: float
    random: ClassVar[bool] = True

    def __post_init__(self) -> None:
        force_setattr(self, "rate", checks.share(self.rate, "rate", where="Dropout"))

    @property
    def has_modes(self) -> bool:
        return self.rate > 0

    @property
    def formulas(self) -> dict[str, str]:
        return {
            "mask": f"0 with probability {self.rate:g}, else 1/{1 - self.rate:g}",
            "Y": "X * mask",
            "dX": "dY * mask",
        }

    def forward(self, params: Params, X: Array, mode: Mode) -> tuple[Array, DropoutSaved]:  # noqa: ARG002 -- no weights
        if not mode.training or self.rate == 0:
            return X, DropoutSaved(None)
        xp = namespace(X)
        keep = bernoulli(xp, X.shape, 1 - self.rate, seed=mode.seed, stream=mode.stream, step=mode.step)
        mask = xp.astype(keep, X.dtype) * (1 / (1 - self.rate))
        return X * mask, DropoutSaved(mask)

    def backward(
        self,
        params: Params,  # noqa: ARG002 -- no weights
        saved: DropoutSaved,
        dY: Array,
        *,
        want_dX: bool = True,
    ) -> tuple[Array | None, dict[Any, Any]]:
        if not want_dX:
            return None, {}
        return dY if saved.mask is None else dY * saved.mask, {}
