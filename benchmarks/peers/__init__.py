"""Who takes part, one file each.

All offer the same functions, as far as they can: ``steps(problem)`` gives a `Race` over `problem.steps` steps of
gradient descent a round, ``predict(problem)`` one over the outputs for all rows. A peer that cannot do what a problem
asks raises `Unable` with the reason.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable


class Unable(Exception):  # noqa: N818 - no error: an answer
    """This peer has no such thing; why."""


class Race(NamedTuple):
    """What is timed, and what came out.

    Attributes:
        round: the work of one round.
        answer: an array to compare with the other peers' answers.
        version: of the peer.
    """

    round: Callable[[], object]
    answer: Callable[[], Any]
    version: str
