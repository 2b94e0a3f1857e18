"""The worked example: every figure to all the digits given, and the bug behind the article's odd one."""

from __future__ import annotations

import json

import numpy as np
import pytest

import chainrule as cr
from chainrule.examples import worked_example

FIGURES = {
    "net_h1": ".3775",
    "out_h1": ".593269992",
    "out_h2": ".596884378",
    "net_o1": "1.105905967",
    "out_o1": ".75136507",
    "out_o2": ".772928465",
    "E_o1": ".274811083",
    "E_o2": ".023560026",
    "E": ".298371109",
    "dE/dout_o1": ".74136507",
    "dout_o1/dnet_o1": ".186815602",
    "delta_o1": ".138498562",
    "dE/dw5": ".082167041",
    "dE_o1/dout_h1": ".055399425",
    "dE/dout_h1": ".036350306",
    "dout_h1/dnet_h1": ".241300709",
    "dE/dw1": ".000438568",
    "dE/db2, o1": ".13849856",
    "dE/db2, o2": "-.03809824",
    "dE/db1, h1": ".00877135",
    "dE/db1, h2": ".00995425",
    "w1 after the step": ".149780716",
    "w2 after the step": ".19956143",
    "w3 after the step": ".24975114",
    "w4 after the step": ".29950229",
    "w5 after the step": ".35891648",
    "w6 after the step": ".408666186",
    "w7 after the step": ".51130127",
    "w8 after the step": ".561370121",
}


@pytest.fixture(scope="module")
def result():
    return worked_example.run()


def agrees(value, text):
    """Whether the value, rounded to as many decimals as the text has, is the text."""
    decimals = len(text.partition(".")[2])
    return round(value, decimals) == round(float(text), decimals)


@pytest.mark.parametrize("name", FIGURES)
def test_every_figure_to_all_digits(result, name):
    values = {figure.name: figure.value for figure in result.step}
    assert agrees(values[name], FIGURES[name]), (values[name], FIGURES[name])


def test_the_one_figure_from_rounded_factors(result):
    """The article multiplies -.038098237 by .5; the product of the unrounded numbers ends in 18."""
    (figure,) = [figure for figure in result.step if figure.name == "dE_o2/dout_h1"]
    assert not agrees(figure.value, "-.019049119")
    assert agrees(figure.value, "-.019049118")
    assert figure.value == pytest.approx(-0.038098236516556 * 0.5, abs=1e-13)


def test_no_figure_is_left_out(result):
    assert [figure.name for figure in result.step if figure.name != "dE_o2/dout_h1"] == list(FIGURES)


def test_after_the_step_and_after_many(result):
    assert agrees(result.training[0].value, ".291027774")
    assert 0.0000350 < result.training[1].value < 0.0000352
    for figure, text in zip(result.with_bug, [".291027924", ".000035085", ".015912196", ".984065734"], strict=True):
        assert agrees(figure.value, text)
    for good, bad in zip(result.training, result.with_bug, strict=True):
        assert abs(good.value - bad.value) > 1e-8 * abs(good.value)


def test_no_other_well_known_bug_gives_the_articles_figure():
    """Transposed weights, a forgotten slope, dE/dout in place of delta, half of the error: none prints .291027924."""
    x, t = worked_example.X, worked_example.T
    outcomes = []
    for bug in ("transposed", "no slope", "no output slope", "first output only", "none"):
        net = worked_example.network()
        W1, W2 = net.parameters["dense_1.W"], net.parameters["dense_2.W"]
        h = 1 / (1 + np.exp(-(x @ W1 + 0.35)))
        o = 1 / (1 + np.exp(-(h @ W2 + 0.60)))
        delta = (o - t) * o * (1 - o)
        back = {
            "transposed": delta @ W2,
            "no output slope": (o - t) @ W2.T,
            "first output only": (delta * [1, 0]) @ W2.T,
        }.get(bug, delta @ W2.T)
        d_h = back if bug == "no slope" else back * h * (1 - h)
        net.parameters["dense_2.W"] = W2 - 0.5 * h.T @ delta
        net.parameters["dense_1.W"] = W1 - 0.5 * x.T @ d_h
        outcomes.append(round(net.evaluate_loss(x, t), 9))
    assert 0.291027924 not in outcomes
    assert outcomes[-1] == 0.291027774


def test_the_biases_are_never_updated():
    net = worked_example.network()
    net.fit(worked_example.X, worked_example.T, epochs=20, optimizer=cr.SGD(0.5))
    assert net.parameters["dense_1.b"].tolist() == [0.35, 0.35]
    assert net.parameters["dense_2.b"].tolist() == [0.60, 0.60]


def test_it_prints_itself(capsys, monkeypatch):
    monkeypatch.setattr(worked_example, "STEPS", 2)
    result = worked_example.run()
    out = capsys.readouterr().out
    assert out == result.to_text(digits=9) + "\n"
    for words in ("dL/dw = (o1 - t1) * o1 (1 - o1) * h1\n", "= 0.000438567734\n", "a well-known bug", ".291027924"):
        assert " ".join(words.split()) in " ".join(out.split())
    assert max(map(len, out.splitlines())) <= 80


def test_every_figure_of_the_step_is_in_the_trace(result):
    for figure in result.step:
        if " * " not in figure.address:
            assert result.trace[figure.address] == figure.value
    assert json.loads(result.to_json())["step"][0]["value"] == pytest.approx(0.3775)
