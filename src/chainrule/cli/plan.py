"""What a run is to be: options over those of a TOML file; and its files, checked before it begins."""

from __future__ import annotations

import dataclasses
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from chainrule import checks
from chainrule.cli.options import given, names_in, number_or_numbers_in, numbers_in
from chainrule.errors import ArgumentError, FileFormatError, unknown_name
from chainrule.files import check_writable
from chainrule.plotting import check_picture_path
from chainrule.settings import Settings, convert, read_options, settings_from, write_options
from chainrule.storage import open_file

if TYPE_CHECKING:
    from collections.abc import Callable

ENDING = ".safetensors"
_MADE_HERE = "A run of chainrule"  # how the comment begins of a TOML file that may be written over
_TABLE_ENDINGS = (".gz", ".zst", ".csv", ".tsv", ".txt", ".parquet", ".pq")


@dataclass(frozen=True, kw_only=True)
class Files:
    """What a run reads and writes, and how it talks.

    Attributes:
        data: The table.
        out: The model file to write; unless given, named after DATA, here.
        plot: A picture of the curves to write: .png, .svg or .pdf.
        report: A page to write about the training, one HTML file that needs nothing else.
        tensorboard: A folder for TensorBoard to read: the losses and scores of each epoch.
        checkpoint: A file to write as the run goes on, so that it can be resumed.
        checkpoint_every: Seconds between two checkpoints; unless given, one after each epoch.
        resume: A checkpoint to go on from; give the same data and settings.
        json: Records for machines on standard output, one JSON object a line.
        quiet: Say nothing unless something goes wrong.
        diagnosis: Whether to say what is wrong with the training, if anything is.
    """

    data: str = ""
    out: str | None = None
    plot: str | None = None
    report: str | None = None
    tensorboard: str | None = None
    checkpoint: str | None = None
    checkpoint_every: float | None = None
    resume: str | None = None
    json: bool = False
    quiet: bool = False
    diagnosis: bool = True


class RunPlan:
    """A run before it begins: its settings, and its files, of which it is sure that they can be written.

    Attributes:
        settings: how to train.
        files: as given, with `out` filled in.
        replaces: whether a model file of that name is there already.
    """

    def __init__(self, settings: Settings, files: Files) -> None:
        if not files.data:
            mend = "For instance: chainrule train digits, or chainrule train table.csv --target COLUMN"
            raise ArgumentError("which table? DATA is missing", mend=mend)
        self.settings = settings
        self.files = dataclasses.replace(files, out=files.out or default_out(files.data))
        self.replaces = Path(self.out).exists()
        check_model_path(self.out)
        self._check_other_paths()

    @property
    def out(self) -> str:
        """The model file."""
        return str(self.files.out)

    @property
    def toml(self) -> Path:
        """The file that repeats the run: beside the model; a file of that name that no run has made is left alone."""
        path = Path(self.out).with_suffix(".toml")
        return path if _may_write_over(path) else path.with_suffix(".run.toml")

    def write_toml(self, settings: Settings) -> Path:
        """Write the file that repeats the run; paths in it are relative to it.

        Raises:
            StorageError: when it cannot be written.
        """
        path = self.toml
        files = {name: getattr(self.files, name) for name in ("plot", "report", "tensorboard")}
        values = {"data": self.files.data, "out": self.out, **files, **dataclasses.asdict(settings)}
        options = _each_path(values, lambda other: _relative(other, path.parent))
        comment = f"{_MADE_HERE}: chainrule train --config {path.name}\nPaths are relative to this file."
        write_options(path, options, comment=comment)
        return path

    def _check_other_paths(self) -> None:
        files = self.files
        for name in ("checkpoint", "resume"):
            if self.settings.seeds is not None and getattr(files, name) is not None:
                mend = "A checkpoint is of one training: give --seed, without --seeds"
                raise ArgumentError(f"--{name}", expected="nothing beside --seeds", got=getattr(files, name), mend=mend)
        if files.plot is not None:
            _check_plot_path(files.plot)
        if files.report is not None:
            check_report_path(files.report)
        self._check_tensorboard()
        if files.checkpoint_every is not None:
            checks.positive(files.checkpoint_every, "checkpoint_every", where="train")
            if files.checkpoint is None:
                raise ArgumentError("--checkpoint-every", expected="--checkpoint FILE beside it")
        if files.resume is not None:
            open_file(files.resume, kind="checkpoint")
        if files.checkpoint is not None:
            _check_checkpoint_path(files.checkpoint, self)

    def _check_tensorboard(self) -> None:
        folder = self.files.tensorboard
        if folder is None:
            return
        if self.settings.seeds is not None:
            raise ArgumentError("--tensorboard", expected="nothing beside --seeds", got=folder)
        if Path(folder).exists() and not Path(folder).is_dir():
            raise ArgumentError("--tensorboard", expected="the name of a folder, not of a file", got=folder)
        from chainrule.trackers import TensorBoard

        TensorBoard.check_installed()


def make_plan(data: str | None, options: Any) -> RunPlan:
    """The run that the command line and, under it, a TOML file ask for.

    Raises:
        InputError: when an option is wrong, or a file cannot be written.
    """
    asked = given(options)
    config = asked.pop("config", None)
    if "layers" in asked:
        asked["layers"] = numbers_in(asked["layers"], option="--layers")
    if "seeds" in asked:
        asked["seeds"] = number_or_numbers_in(asked["seeds"], option="--seeds", example="20 or 3,7,9")
    asked |= {name: names_in(asked[name]) for name in ("categories", "drop", "missing") if name in asked}
    if data is not None:
        asked["data"] = data
    where, values = "train", asked
    if config is not None:
        where, values = config, _from_file(config) | asked
    about_files = {field.name for field in dataclasses.fields(Files)}
    files = convert({name: values[name] for name in values if name in about_files}, Files, where=where)
    settings = settings_from({name: values[name] for name in values if name not in about_files}, where=where)
    return RunPlan(settings, files)


def _from_file(config: str) -> dict[str, Any]:
    """The options in a TOML file, its paths as seen from the current folder."""
    values = read_options(config)
    known = [field.name for record in (Files, Settings) for field in dataclasses.fields(record)]
    for name in values:
        if name not in known:
            raise unknown_name("option", name, known, where=config)
    folder = Path(config).parent
    return _each_path(values, lambda path: os.path.normpath(folder / path))


def _each_path(values: dict[str, Any], change: Callable[[str], str]) -> dict[str, Any]:
    """The same options, with each path that is relative changed."""
    names = ("data", "validation", "test", "out", "plot", "report", "tensorboard", "checkpoint", "resume")
    paths = {name: values[name] for name in names if isinstance(values.get(name), str)}
    return values | {name: _changed(path, change) for name, path in paths.items()}


def _changed(path: str, change: Callable[[str], str]) -> str:
    from chainrule.tables import collection_of, dataset_names

    collection = collection_of(path)
    if collection is not None and collection.folder:
        return f"{path.partition(':')[0]}:{_changed(collection.folder, change)}"
    if path in ("", "-", *dataset_names()) or Path(path).expanduser().is_absolute():
        return path
    return change(path)


def _relative(path: str, folder: Path) -> str:
    try:
        return Path(os.path.relpath(path, folder)).as_posix()
    except ValueError:  # another drive of Windows
        return str(Path(path).resolve())


def default_out(data: str) -> str:
    """The model file of a table: ``data/iris.csv.gz`` gives ``iris.safetensors``, here.

    >>> default_out("data/iris.csv.gz"), default_out("-"), default_out("mnist:folder")
    ('iris.safetensors', 'model.safetensors', 'mnist.safetensors')
    """
    from chainrule.tables import collection_of

    name = data.partition(":")[0] if collection_of(data) else Path(data).name
    while name.lower().endswith(_TABLE_ENDINGS):
        name = Path(name).stem
    return f"{name if name not in ('', '-') else 'model'}{ENDING}"


def _check_plot_path(path: str) -> None:
    try:
        check_picture_path(path)
    except ArgumentError as fault:
        raise ArgumentError("--plot", expected=fault.expected, got=path) from None
    check_writable(path, "--plot")


def check_report_path(path: str, option: str = "--report") -> None:
    """Raise unless a report can be written there.

    Raises:
        ArgumentError: when it has another ending, or its folder is not there.
    """
    if Path(path).suffix.lower() not in {".html", ".htm"}:
        raise ArgumentError(option, expected="a name that ends in .html", got=path)
    check_writable(path, option)


def check_model_path(path: str) -> None:
    """Raise unless a model file can be written there, over nothing but another one.

    Raises:
        ArgumentError: when it has another ending, or a file of somebody's stands there.
        StorageError: when the folder may not be written to.
    """
    if Path(path).suffix.lower() != ENDING:
        raise ArgumentError("--out", expected=f"a name that ends in {ENDING}", got=path)
    check_writable(path, "--out")
    if Path(path).exists():
        _refuse_other_file(path, "model")


def _refuse_other_file(path: str, kind: Any) -> None:
    """Raise when a file stands there that is none of ours: it is somebody's, and stays."""
    try:
        open_file(path, kind=kind)
    except FileFormatError as fault:
        mend = f"It is left as it is: choose another name with --{'out' if kind == 'model' else kind}"
        raise ArgumentError(f"{fault.what}: it will not be written over", where=path, mend=mend) from None


def _check_checkpoint_path(path: str, plan: RunPlan) -> None:
    """Raise when the checkpoint would write over another file, or over an earlier run that is not finished."""
    from chainrule.records import Standing

    check_writable(path, "--checkpoint")
    if not Path(path).exists():
        if os.path.realpath(path) == os.path.realpath(plan.out):
            raise ArgumentError("--checkpoint", expected="another file than --out", got=path)
        return
    _refuse_other_file(path, "checkpoint")
    if plan.files.resume is not None:
        return
    standing = open_file(path, kind="checkpoint").part("standing", Standing)
    if 0 < standing.epoch < plan.settings.epochs and not standing.stopped:
        raise ArgumentError(
            f"this is the checkpoint of a run that is not finished (epoch {standing.epoch})",
            where=path,
            mend=f"Go on with it: --resume {path}; or remove it, or name another --checkpoint",
        )


def _may_write_over(path: Path) -> bool:
    """Whether the TOML file is not there, or was made by a run."""
    try:
        with path.open("rb") as file:
            return file.readline().startswith(f"# {_MADE_HERE}".encode())
    except OSError:
        return True
