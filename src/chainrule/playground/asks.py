"""What a page asks: the records of the protocol, each tagged with its name; JSON texts."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

import msgspec
from msgspec import Struct

from chainrule.errors import ArgumentError

Place: TypeAlias = Annotated[int, msgspec.Meta(ge=0, le=1 << 40)]


class Ask(Struct, frozen=True, tag=str.lower, tag_field="kind", forbid_unknown_fields=True):
    """What a page asks."""


class Configure(Ask, frozen=True):
    """Take this setting; the fields that are missing are as they were."""

    setting: dict[str, Any]


class Open(Ask, frozen=True):
    """Take the setting of this link."""

    link: str


class Play(Ask, frozen=True):
    """Train on, so many steps a second; without a speed as fast as it goes."""

    speed: float | None = None


class Pause(Ask, frozen=True):
    """Stand still."""


class Step(Ask, frozen=True):
    """Show the next row of the batch, take a step, or go to the end of the epoch."""

    unit: Literal["row", "batch", "epoch"] = "batch"


class Restart(Ask, frozen=True):
    """Begin anew."""


class Seek(Ask, frozen=True):
    """Go to this step, back or forward."""

    taken: int


class Keep(Ask, frozen=True):
    """Keep the curve of the run so far beside the next ones."""


class Drop(Ask, frozen=True):
    """Forget the curves that were kept."""


class Fork(Ask, frozen=True):
    """Put the run beside, as it is, and go on from here with a second one."""


class Swap(Ask, frozen=True):
    """Show the run that is beside."""


class Part(Ask, frozen=True):
    """End the run that is beside."""


class View(Ask, frozen=True):
    """What is looked at.

    Attributes:
        x: the input along the horizontal axis; `y`: along the vertical one.
        windows: the first unit drawn of each layer, by its number; 0 for the inputs.
        row: the row that goes through the network, if any.
        side: whether the drawing shows weights and activations, or gradients and deltas.
        results: whether scores over all rows are wanted.
        held: whether they are those of the rows held out.
    """

    x: Place = 0
    y: Place = 1
    windows: dict[str, int] = {}
    row: Place | None = None
    side: Literal["forward", "backward"] = "forward"
    results: bool = False
    held: bool = True


class Drawn(Ask, frozen=True):
    """The last frame is on the screen: the next may come."""


class Why(Ask, frozen=True):
    """Where the gradient of a parameter comes from: of the chosen row, or of some rows."""

    name: str
    row: int | None = None


class Change(Ask, frozen=True):
    """Put this number in place of a parameter: ``dense_1.W[0, 1]``."""

    name: str
    value: float


class Rows(Ask, frozen=True):
    """Some rows of the table."""

    first: int = 0


class Diagnose(Ask, frozen=True):
    """What is wrong with the network, its data and the training so far."""


class Remedy(Ask, frozen=True):
    """Try a remedy of a finding of the last diagnosis: train as it was and with it, and compare."""

    finding: int
    remedy: int


class Draw(Ask, frozen=True):
    """An exercise for a student: its options are those of `chainrule exercise`."""

    options: dict[str, Any] = {}
    seed: int = 0
    student: int = 1


class Load(Ask, frozen=True):
    """Make the network of an exercise that of the page, at the numbers of its sheet."""

    sheet: str


class Mark(Ask, frozen=True):
    """Which of these numbers of an exercise are right, and which mistake makes the wrong ones."""

    sheet: str
    answers: dict[str, Any]


AnyAsk: TypeAlias = (
    Configure | Open | Play | Pause | Step | Restart | Seek | Keep | Drop | View | Drawn | Why | Change | Rows
    | Diagnose | Remedy | Draw | Load | Mark
    | Fork | Swap | Part
)  # fmt: skip
_ASKS = msgspec.json.Decoder(AnyAsk)


def read_ask(text: str | bytes) -> AnyAsk:
    """What a page asks.

    Raises:
        ArgumentError: when it is nothing that can be asked.
    """
    try:
        ask: AnyAsk = _ASKS.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as fault:
        raise ArgumentError("message", where="playground", expected="one of the protocol", got=str(fault)) from None
    return ask
