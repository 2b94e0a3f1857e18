# /// script
# dependencies = ["mpmath"]
# ///
"""The coefficients of `elementary.hpp`, made anew: polynomials close to the best, fitted in 60 digits.

Run it as ``python tools/polynomials.py`` where mpmath is installed, and put what it prints into the file.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from mpmath import atanh, chebyfit, hyp1f1, log, mp, mpf, nstr, sqrt, tanh

if TYPE_CHECKING:
    from collections.abc import Callable

mp.dps = 60
DIGITS = {"float": 24, "double": 53}  # of the binary fraction
SPARE = 3  # binary digits by which a polynomial is better than the type


class Fit(NamedTuple):
    """`f` on an interval; `weight` times its error is the relative error of what is computed with it."""

    name: str
    formula: str
    f: Callable[[mpf], mpf]
    ends: tuple[mpf, mpf]
    weight: mpf


def fits() -> list[Fit]:
    """The functions, each smooth; those that would divide by 0 begin a hair above it."""
    half, hair = log(2) / 2, mpf(10) ** -20
    return [
        Fit("exp", "(exp(r) - 1 - r) / r^2, |r| <= ln 2 / 2", _exp, (-half, half), half),
        Fit("tanh", "(tanh(a) / a - 1) / a^2 by a^2, a <= 0.55", _tanh, (hair, mpf("0.3025")), mpf("0.3025")),
        Fit("atanh", "(atanh(s) / s - 1) / s^2 by s^2, s <= 1/3", _log, (hair, mpf(1) / 9), mpf(1) / 9),
    ]


def _exp(r: mpf) -> mpf:
    return hyp1f1(1, 3, r) / 2


def _tanh(z: mpf) -> mpf:
    return (tanh(sqrt(z)) / sqrt(z) - 1) / z


def _log(z: mpf) -> mpf:
    return (atanh(sqrt(z)) / sqrt(z) - 1) / z


def main() -> None:
    """Print each with the fewest coefficients that are enough."""
    for kind, digits in DIGITS.items():
        for fit in fits():
            for n in range(2, 20):
                coefficients, error = chebyfit(fit.f, fit.ends, n, error=True)
                if error * fit.weight < mpf(2) ** -(digits + SPARE):
                    break
            values = ", ".join(nstr(c, 9 if kind == "float" else 17) for c in coefficients)
            print(f"static constexpr {kind} {fit.name}[] = {{{values}}};  // {fit.formula}")


if __name__ == "__main__":
    main()
