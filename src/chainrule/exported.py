"""What an export tells: the files, and how they were checked."""

from __future__ import annotations

import msgspec


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """How the exported network was compared with ours, before anything was put in place.

    Attributes:
        how: what ran it, or read it: ``"onnx.checker, then onnxruntime 1.23"``.
        quantity: what was compared: ``"outputs"``.
        rows: how many rows of the data given.
        random_rows: how many random rows.
        max_difference: the largest distance between two numbers, theirs and ours; 0.0 where they are the same bits.
        limit: how large it may be: what rounding explains.
    """

    how: str
    quantity: str = "outputs"
    rows: int = 0
    random_rows: int = 0
    max_difference: float
    limit: float

    def __str__(self) -> str:
        """One sentence."""
        parts = [f"{count:,} {kind}" for count, kind in ((self.rows, "given"), (self.random_rows, "random")) if count]
        rows = f" of {' and '.join(parts)} rows" if parts else ""
        if self.max_difference == 0:
            return f"{self.how}: the {self.quantity}{rows} are the same to the bit"
        return f"{self.how}: the {self.quantity}{rows} differ by at most {self.max_difference:.2g}"


class Unchecked(msgspec.Struct, frozen=True, kw_only=True):
    """Why the exported network was not compared with ours: what would run it is not on this machine.

    Attributes:
        why: a few words: ``"there is no C compiler here"``.
    """

    why: str


class Exported(msgspec.Struct, frozen=True, kw_only=True):
    """What was written, and how it was checked; print it.

    Attributes:
        format: its name: ``"onnx"``.
        files: the paths, the main one first.
        sizes: of the files, in bytes.
        check: how they were compared with ours; or why they were not.
        notes: what whoever uses the files has to know, a sentence each.
    """

    format: str
    files: tuple[str, ...]
    sizes: tuple[int, ...]
    check: Check | Unchecked
    notes: tuple[str, ...] = ()

    @property
    def rows(self) -> int:
        """How many rows were compared, given and random ones."""
        return 0 if isinstance(self.check, Unchecked) else self.check.rows + self.check.random_rows

    @property
    def max_difference(self) -> float | None:
        """The largest difference between a number of theirs and ours; None where they were not compared."""
        return None if isinstance(self.check, Unchecked) else self.check.max_difference

    def __str__(self) -> str:
        """Some lines: the files, the check, the notes."""
        files = [f"Wrote {file} ({size:,} bytes)" for file, size in zip(self.files, self.sizes, strict=True)]
        checked = f"Not checked: {self.check.why}" if isinstance(self.check, Unchecked) else f"Checked by {self.check}"
        return "\n".join([*files, f"{checked}.", *(f"Note: {note}" for note in self.notes)])
