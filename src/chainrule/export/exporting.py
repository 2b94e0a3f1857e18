"""From a network and a path to files: make, check, and only then put in place."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from chainrule.errors import ArgumentError, unknown_name
from chainrule.export.formats import Format, chosen
from chainrule.export.subject import subject_of
from chainrule.exported import Exported
from chainrule.files import as_path, atomic_write, is_folder

if TYPE_CHECKING:
    import os
    from pathlib import Path

    from chainrule.model import Model
    from chainrule.network import Network


def export(
    what: Network | Model,
    path: str | os.PathLike[str],
    to: str | None = None,
    *,
    data: Any = None,
    network_only: bool = False,
    **options: Any,
) -> Exported:
    """Write a network or a model as a file that other programs run; compared with ours before it is put in place.

    Args:
        what: a `Network`, or a `Model`: its columns are part of the file where the format has words for them.
        path: of the main file; what stood there is replaced.
        to: the name of a format; unless given, as the path ends. ``chainrule export --help`` lists them.
        data: rows to compare on, besides random ones: ``X (N, I)`` for a network, a table for a model.
        network_only: leave out the columns of a model.
        options: of the format.

    Returns:
        What was written, how it was checked, and the largest difference; print it.

    Raises:
        ArgumentError: for an unknown format or option, or for what cannot be exported; names the layer or the column.
        NotFittedError: when the network has no weights yet.
        ExportError: when the check fails; nothing was written then.
        StorageError: when a file cannot be written.
        MissingExtraError: when the format needs a library that is not installed.

    >>> import chainrule as cr, tempfile
    >>> net = cr.Network([cr.Dense(3, "tanh"), cr.Dense(2, "softmax")], n_inputs=4)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     export(net, f"{folder}/net.json").max_difference
    0.0
    """
    form = chosen(path, to)
    target = _path(path)
    form.check_name(target.name)
    _check_options(form, options)
    subject = subject_of(what, data, network_only=network_only, name=target.stem)
    draft = form.make(subject, target, **options)
    _put_in_place(target.parent, draft.files)
    return Exported(
        format=form.name,
        files=tuple(str(target.with_name(name)) for name in draft.files),
        sizes=tuple(len(content) for content in draft.files.values()),
        check=draft.check,
        notes=draft.notes,
    )


def _path(path: str | os.PathLike[str]) -> Path:
    """The path of a file.

    Raises:
        ArgumentError: when it is none.
    """
    target = as_path(path, where="export")
    if not target.name or is_folder(target):
        raise ArgumentError("path", where="export", expected="the name of a file, not of a folder", got=str(path))
    if not is_folder(target.parent):
        raise ArgumentError("path", where="export", expected="a file in a folder that exists", got=str(path))
    return target


def _put_in_place(folder: Path, files: dict[str, bytes]) -> None:
    """Write all files, and only then give them their names; the main file last: where it stands, all stand."""
    with ExitStack() as stack:
        for name, content in files.items():
            file = stack.enter_context(atomic_write(folder / name))
            file.write(content)
            file.flush()


def _check_options(form: Format, options: dict[str, Any]) -> None:
    """Raise for an option that the format does not have."""
    known = form.options
    for name in options:
        if name not in known:
            if not known:
                raise ArgumentError(f"there is no option {name!r}: {form.name} has none", where="export", got=name)
            raise unknown_name(f"option of {form.name}", name, known, where="export")
