"""Networks as lists of operations."""

from __future__ import annotations

import pytest

import chainrule as cr
from chainrule.export import formulas
from chainrule.export.program import Drop, layers_of, program


def _ops(layers, *, training=True, loss="mean_squared_error"):
    written = program(cr.Network(layers, loss, n_inputs=3), training=training)
    return [(type(op).__name__, op.source, op.result) for op in written.ops]


def test_layers_in_a_residual_one_are_numbered_with_the_others():
    ops = _ops([cr.Dense(3, "relu"), cr.Residual([cr.LayerNorm(), cr.Dense(3)]), cr.Dense(1)])
    assert ops == [
        ("Linear", "X", "Z1"),
        ("Apply", "Z1", "Y1"),
        ("Fork", "Y1", "Y1"),
        ("Normalize", "Y1", "Y2"),
        ("Linear", "Y2", "Y3"),
        ("Add", "Y3", "Y4"),
        ("Linear", "Y4", "Y5"),
    ]


def test_prediction_is_without_dropout():
    layers = [cr.Dropout(0.5), cr.Dense(2), cr.Dropout(0.5)]
    assert _ops(layers, training=False) == [("Linear", "X", "Y2")]
    assert [op[0] for op in _ops(layers)] == ["Drop", "Linear", "Drop"]


def test_streams_of_dropout_are_those_of_the_layers():
    net = cr.Network([cr.Dropout(0.5), cr.Residual([cr.Dropout(0.5)]), cr.Dropout(0.5)], "huber", n_inputs=3)
    streams = [op.stream for op in program(net, training=True).ops if isinstance(op, Drop)]
    mode = cr.layers.Mode(training=True)
    assert streams == [mode.child(0).stream, mode.child(1).child(0).stream, mode.child(2).stream]


def test_a_derivative_is_wanted_where_a_layer_before_is_trained():
    layers = [cr.Dense(3, frozen=("W", "b")), cr.Activation("tanh"), cr.Dense(3), cr.Dense(2)]
    written = program(cr.Network(layers, "huber", n_inputs=3), training=True)
    assert [op.wanted for op in written.ops] == [False, False, False, True]


def test_what_has_no_formula_is_named_with_its_layer(monkeypatch):
    monkeypatch.delitem(formulas.ACTIVATIONS, "elu")
    with pytest.raises(cr.ArgumentError, match=r"activation elu of residual_1\.dense_1"):
        _ops([cr.Residual([cr.Dense(3, "elu")])])


def test_what_people_read_of_the_layers():
    net = cr.Network([cr.Dense(3, "relu"), cr.BatchNorm(), cr.Dropout(0.5), cr.Dense(2, "softmax")], n_inputs=4)
    told = [
        "dense_1: 4 -> 3, relu",
        "batch_norm_1: over the rows of a batch",
        "dropout_1: 0.5",
        "dense_2: 3 -> 2, softmax",
    ]
    assert layers_of(program(net, training=True)) == told
