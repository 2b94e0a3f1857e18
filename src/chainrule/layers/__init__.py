"""The layers, one file a family; `composite` puts them together, `interface` says what a layer is."""

from chainrule.layers.activation import Activation
from chainrule.layers.composite import AnyLayer, Residual, Sequence
from chainrule.layers.dense import Dense
from chainrule.layers.dropout import Dropout
from chainrule.layers.interface import PREDICTION, Layer, Mode, Parameter, Params, Shape
from chainrule.layers.normalization import BatchNorm, LayerNorm

__all__ = [
    "PREDICTION",
    "Activation",
    "AnyLayer",
    "BatchNorm",
    "Dense",
    "Dropout",
    "Layer",
    "LayerNorm",
    "Mode",
    "Parameter",
    "Params",
    "Residual",
    "Sequence",
    "Shape",
]
