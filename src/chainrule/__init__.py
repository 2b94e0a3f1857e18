"""Neural networks trained by hand-written backpropagation, fast, and able to explain every number."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from chainrule import activations, initializers, losses, metrics, optimizers, schedules
from chainrule._version import __version__
from chainrule.callbacks import Callback, StopTraining
from chainrule.checkpoints import Checkpoint
from chainrule.errors import (
    ArgumentError,
    ChainruleError,
    DataError,
    DivergenceError,
    ExportError,
    FileFormatError,
    InputError,
    MissingExtraError,
    NotFittedError,
    ShapeError,
    StorageError,
)
from chainrule.extensions import offer as _offer
from chainrule.layers import Activation, BatchNorm, Dense, Dropout, LayerNorm, Residual
from chainrule.network import Network
from chainrule.optimizers import LBFGS, SGD, Adagrad, Adam, AdamW, NAdam, RMSProp
from chainrule.stopping import EarlyStopping

if TYPE_CHECKING:
    from chainrule.importing.keras import from_keras
    from chainrule.importing.onnx import from_onnx
    from chainrule.importing.sklearn import from_sklearn
    from chainrule.importing.torch import from_torch
    from chainrule.insight.circuits.circuit import circuit
    from chainrule.insight.diagnosis import Diagnosis, diagnose
    from chainrule.insight.gradcheck.check import check_gradients
    from chainrule.insight.marking.marking import mark
    from chainrule.insight.trace import trace
    from chainrule.many import fit_many
    from chainrule.model import Model, load
    from chainrule.progress import ProgressBar
    from chainrule.report import LayerStatistics
    from chainrule.settings import Settings
    from chainrule.table_training import train

__all__ = [
    "LBFGS",
    "SGD",
    "Activation",
    "Adagrad",
    "Adam",
    "AdamW",
    "ArgumentError",
    "BatchNorm",
    "Callback",
    "ChainruleError",
    "Checkpoint",
    "DataError",
    "Dense",
    "Diagnosis",
    "DivergenceError",
    "Dropout",
    "EarlyStopping",
    "ExportError",
    "FileFormatError",
    "InputError",
    "LayerNorm",
    "LayerStatistics",
    "MissingExtraError",
    "Model",
    "NAdam",
    "Network",
    "NotFittedError",
    "ProgressBar",
    "RMSProp",
    "Residual",
    "Settings",
    "ShapeError",
    "StopTraining",
    "StorageError",
    "__version__",
    "activations",
    "check_gradients",
    "circuit",
    "diagnose",
    "fit_many",
    "from_keras",
    "from_onnx",
    "from_sklearn",
    "from_torch",
    "initializers",
    "load",
    "losses",
    "mark",
    "metrics",
    "optimizers",
    "schedules",
    "trace",
    "train",
]

_LATER = {  # what loads polars or rich, only when it is asked for
    "Diagnosis": "chainrule.insight.diagnosis",
    "LayerStatistics": "chainrule.report",
    "Model": "chainrule.model",
    "ProgressBar": "chainrule.progress",
    "Settings": "chainrule.settings",
    "check_gradients": "chainrule.insight.gradcheck.check",
    "circuit": "chainrule.insight.circuits.circuit",
    "diagnose": "chainrule.insight.diagnosis",
    "fit_many": "chainrule.many",
    "from_keras": "chainrule.importing.keras",
    "from_onnx": "chainrule.importing.onnx",
    "from_sklearn": "chainrule.importing.sklearn",
    "from_torch": "chainrule.importing.torch",
    "load": "chainrule.model",
    "mark": "chainrule.insight.marking.marking",
    "trace": "chainrule.insight.trace",
    "train": "chainrule.table_training",
}

_offer("export", "chainrule.export")  # `net.export` and `model.export`
_offer("report", "chainrule.report")  # `history.report`
_offer("view", "chainrule.playground.notebook")  # `net.view` and `model.view`
_offer("run_and_report", "chainrule.report")  # `train(report=...)`


def __getattr__(name: str) -> Any:
    if name in _LATER:
        return getattr(import_module(_LATER[name]), name)
    raise AttributeError(f"module 'chainrule' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
