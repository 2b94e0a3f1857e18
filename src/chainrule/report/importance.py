"""Which inputs matter: what is lost when one of them says nothing any more."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from chainrule.arrays import Floats, Ints

REPEATS = 5
_ROWS = (100, 2000)  # of a measurement, at least and at most
_WORK = 2e10  # multiplications that all of them may take


class Importance(msgspec.Struct, frozen=True):
    """How much the score falls when the values of an input are dealt out anew among the rows.

    Attributes:
        name: of the column.
        mean: of the falls; `deviation` their standard deviation, of a sample.
    """

    name: str
    mean: float
    deviation: float


class Importances(msgspec.Struct, frozen=True):
    """Of all columns, the largest first.

    Attributes:
        each: the columns.
        rows: that it was measured on, a sample where there are more.
        repeats: how often each column was dealt out.
    """

    each: tuple[Importance, ...]
    rows: int
    repeats: int


def importances(
    X: Floats,
    score: Callable[[Floats, Ints], float],
    groups: Sequence[tuple[str, slice]],
    *,
    parameters: int,
    seed: int = 0,
) -> Importances:
    """Permutation importance: Breiman, "Random forests" (2001), section 10, on rows of any network.

    Args:
        X: inputs ``(N, I)``, of which a sample is taken where all would take too long.
        score: of inputs, given in place of those of these rows; higher is better.
        groups: the places in a row that belong together, by name.
        parameters: P, by which the work of a row is reckoned.
        seed: of the permutations.
    """
    affordable = _WORK / (REPEATS * len(groups) * max(parameters, 1))
    rows = min(len(X), int(np.clip(affordable, *_ROWS)))
    rng = np.random.default_rng(seed)
    chosen = np.sort(rng.choice(len(X), rows, replace=False))
    whole = X[chosen]
    best, changed, found = score(whole, chosen), whole.copy(), []
    for name, places in groups:
        falls = []
        for _ in range(REPEATS):
            changed[:, places] = whole[:, places][rng.permutation(rows)]
            falls.append(best - score(changed, chosen))
        changed[:, places] = whole[:, places]
        found.append(Importance(name, float(np.mean(falls)), float(np.std(falls, ddof=1))))
    return Importances(tuple(sorted(found, key=lambda each: -each.mean)), rows, REPEATS)
