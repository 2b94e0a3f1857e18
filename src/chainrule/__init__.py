"""Neural networks trained by hand-written backpropagation, fast, and able to explain every number."""

from chainrule import activations, initializers, losses, metrics, optimizers, schedules
from chainrule._version import __version__
from chainrule.callbacks import Callback, StopTraining
from chainrule.checkpoints import Checkpoint
from chainrule.errors import (
    ArgumentError,
    ChainruleError,
    DataError,
    DivergenceError,
    FileFormatError,
    InputError,
    MissingExtraError,
    NotFittedError,
    ShapeError,
    StorageError,
)
from chainrule.layers import Activation, BatchNorm, Dense, Dropout, LayerNorm, Residual
from chainrule.network import Network
from chainrule.optimizers import LBFGS, SGD, Adagrad, Adam, AdamW, NAdam, RMSProp
from chainrule.training import EarlyStopping

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
    "DivergenceError",
    "Dropout",
    "EarlyStopping",
    "FileFormatError",
    "InputError",
    "LayerNorm",
    "MissingExtraError",
    "NAdam",
    "Network",
    "NotFittedError",
    "RMSProp",
    "Residual",
    "SGD",
    "ShapeError",
    "StopTraining",
    "StorageError",
    "__version__",
    "activations",
    "initializers",
    "losses",
    "metrics",
    "optimizers",
    "schedules",
]
