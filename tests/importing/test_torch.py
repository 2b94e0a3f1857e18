"""Networks of torch, where it is installed: outputs and gradients are compared with its own."""

from __future__ import annotations

import numpy as np
import pytest
from tests.importing.checking import became, check_every_insight

import chainrule as cr

torch = pytest.importorskip("torch")
nn = torch.nn

X = np.random.default_rng(2).normal(size=(12, 4)).astype("f4")


def module(*layers, rows=X, seed=0):
    """A Sequential whose norms have seen some rows."""
    torch.manual_seed(seed)
    made = nn.Sequential(*layers)
    made.train()
    with torch.no_grad():
        made(torch.from_numpy(3 * rows + 1).to(next(made.parameters()).dtype))
    return made.eval()


def outputs(made, rows=X):
    with torch.no_grad():
        return made(torch.from_numpy(rows)).numpy()


LAYERS = {
    "sigmoid": nn.Sigmoid(),
    "tanh": nn.Tanh(),
    "relu": nn.ReLU(inplace=True),
    "leaky relu": nn.LeakyReLU(0.3),
    "elu": nn.ELU(0.7),
    "selu": nn.SELU(),
    "gelu": nn.GELU(approximate="tanh"),
    "silu": nn.SiLU(),
    "softplus": nn.Softplus(),
    "softmax": nn.Softmax(dim=1),
    "identity": nn.Identity(),
    "dropout": nn.Dropout(0.4),
    "batch norm": nn.BatchNorm1d(6, eps=0.01, momentum=0.3),
    "batch norm without a scale": nn.BatchNorm1d(6, affine=False),
    "layer norm": nn.LayerNorm(6, eps=0.01),
    "layer norm without a shift": nn.LayerNorm(6, bias=False),
    "flatten": nn.Flatten(),
    "linear without bias": nn.Linear(6, 6, bias=False),
}


@pytest.mark.parametrize("name", LAYERS)
def test_each_layer_computes_the_same(name):
    made = module(nn.Linear(4, 6), LAYERS[name], nn.Linear(6, 6))
    net = cr.from_torch(made)
    assert np.allclose(net.forward(X), outputs(made), rtol=1e-5, atol=1e-6)
    assert net.report.difference < 1e-5


def test_nested_ones_and_the_names_of_layers():
    inner = nn.Sequential(nn.Linear(4, 4), nn.Sequential(nn.ReLU()))
    made = module(inner, nn.Linear(4, 2))
    assert became(cr.from_torch(made)) == {
        "0.0 Linear(4, 4)": "dense_1",
        "0.1.0 ReLU": "dense_1: relu",
        "1 Linear(4, 2)": "dense_2",
    }
    assert cr.from_torch(nn.Linear(4, 2)).layers == (cr.Dense(2),)


def losses():
    classes = torch.tensor([0, 1, 2] * 4)
    several = torch.rand(12, 3, generator=torch.manual_seed(1)).round()
    values = torch.rand(12, 3, generator=torch.manual_seed(1))
    return {
        "cross_entropy": (nn.CrossEntropyLoss(), classes),
        "binary_cross_entropy": (lambda Z, T: 3 * nn.BCEWithLogitsLoss()(Z, T), several),  # a sum over outputs here
        "mean_squared_error": (nn.MSELoss(), values),
        "mean_absolute_error": (nn.L1Loss(), values),
        "huber": (nn.HuberLoss(), values),
    }


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("loss", list(losses()))
def test_loss_and_gradients_are_those_of_autograd(loss, dtype):
    made = module(
        nn.BatchNorm1d(4),
        nn.Linear(4, 5),
        nn.Tanh(),
        nn.LayerNorm(5),
        nn.Linear(5, 5, bias=False),
        nn.ELU(),
        nn.Linear(5, 3),
    ).to(getattr(torch, dtype))
    net = cr.from_torch(made, loss=loss)
    theirs, T = losses()[loss]
    T = T.to(getattr(torch, dtype)) if T.is_floating_point() else T
    value = theirs(made(torch.from_numpy(X).to(getattr(torch, dtype))), T)
    value.backward()
    ours, gradient = net.loss_and_gradient(X, T.numpy())
    close = dict(rtol=2e-4, atol=1e-6) if dtype == "float32" else dict(rtol=1e-10, atol=1e-13)
    assert net.dtype == dtype
    assert np.isclose(ours, value.item(), **close)
    for here, there in {"dense_1": made[1], "dense_2": made[4], "dense_3": made[6]}.items():
        assert np.allclose(gradient[f"{here}.W"], there.weight.grad.T, **close)
        if there.bias is not None:
            assert np.allclose(gradient[f"{here}.b"], there.bias.grad, **close)
    for here, there in {"batch_norm_1": made[0], "layer_norm_1": made[3]}.items():
        assert np.allclose(gradient[f"{here}.gamma"], there.weight.grad, **close)
        assert np.allclose(gradient[f"{here}.beta"], there.bias.grad, **close)


def test_one_step_of_training_is_torchs():
    """In training mode: batch norm takes the batch, and its averages move as torch's do."""
    made = module(nn.Linear(4, 5), nn.BatchNorm1d(5, momentum=0.2), nn.ReLU(), nn.Linear(5, 3)).double()
    net = cr.from_torch(made, loss="cross_entropy")
    y = np.arange(12) % 3
    net.fit(X, y, epochs=1, batch_size=12, optimizer=cr.SGD(0.1), shuffle=False)
    made.train()
    optimizer = torch.optim.SGD(made.parameters(), 0.1)
    nn.CrossEntropyLoss()(made(torch.from_numpy(X).double()), torch.from_numpy(y)).backward()
    optimizer.step()
    assert np.allclose(net.theta, cr.from_torch(made.eval()).theta, rtol=1e-9, atol=1e-12)


def test_every_insight_works_on_it():
    rows = np.random.default_rng(0).normal(size=(60, 4)).astype("f4")
    net = cr.from_torch(module(nn.Linear(4, 6), nn.Tanh(), nn.Linear(6, 3)), loss="cross_entropy")
    check_every_insight(net, rows, net.predict(rows))


def test_a_logarithm_of_softmax_is_left_to_the_loss():
    made = module(nn.Linear(4, 3), nn.LogSoftmax(dim=-1))
    net = cr.from_torch(made)
    assert net.loss.name == "cross_entropy"
    assert np.allclose(np.log(net.forward(X)), outputs(made), atol=1e-5)


def test_the_module_is_left_as_it_was():
    made = module(nn.Linear(4, 3), nn.BatchNorm1d(3), nn.Dropout(0.5), nn.Linear(3, 2)).train()
    before, state = {name: value.clone() for name, value in made.state_dict().items()}, torch.get_rng_state()
    net = cr.from_torch(made)
    net.parameters["dense_1.W"][:] = 0
    assert all(torch.equal(value, before[name]) for name, value in made.state_dict().items())
    assert all(part.training for part in made.modules())
    assert torch.equal(torch.get_rng_state(), state)


def test_what_torch_does_not_train_is_not_trained_here():
    made = module(nn.Linear(4, 3), nn.Tanh(), nn.Linear(3, 2))
    made[0].weight.requires_grad_(requires_grad=False)
    net = cr.from_torch(made)
    before = net.parameters["dense_1.W"].copy()
    net.fit(X, X[:, :2], epochs=1)
    assert np.array_equal(net.parameters["dense_1.W"], before)
    assert net.layers[0].frozen == ("W",)


def test_a_gelu_of_the_other_form_is_taken_only_when_asked_for():
    made = module(nn.Linear(4, 6), nn.GELU(), nn.Linear(6, 2))
    with pytest.raises(cr.ArgumentError, match=r"layer 1 GELU: .*approximate_gelu=True"):
        cr.from_torch(made)
    net = cr.from_torch(made, approximate_gelu=True)
    assert 1e-6 < net.report.difference < 1e-3
    assert not net.report.exact


class Doubled(nn.Linear):
    def forward(self, rows):
        return 2 * super().forward(rows)


class Crossing(nn.Sequential):
    def forward(self, rows):
        return rows + super().forward(rows)


REFUSED = {
    "a convolution": (nn.Sequential(nn.Linear(4, 4), nn.Conv1d(1, 2, 3)), r"layer 1, Conv1d.* is not supported"),
    "a class of their own": (nn.Sequential(Doubled(4, 4)), "layer 0, Doubled.* is not supported"),
    "a forward of their own": (nn.Sequential(Crossing(nn.Linear(4, 4))), "layer 0, Crossing, is not supported"),
    "a list": (nn.ModuleList([nn.Linear(4, 4)]), "ModuleList, is not supported"),
    "a lazy layer": (nn.Sequential(nn.LazyLinear(3)), "Give the module a row first"),
    "a parametrised one": (
        nn.Sequential(nn.utils.parametrizations.weight_norm(nn.Linear(4, 4))),
        "remove_parametrizations",
    ),
    "half numbers": (nn.Sequential(nn.Linear(4, 4)).half(), r"layer 0 Linear\(4, 4\): W: expected float32 or float64"),
    "no numbers": (nn.Sequential(nn.Linear(4, 4, device="meta")), "on the device meta"),
    "two types": (nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 4).double()), "float32 and float64"),
    "no layer": (nn.Sequential(), "no layer with weights"),
    "no weights": (nn.Sequential(nn.Tanh()), "no layer with weights"),
    "other widths": (nn.Sequential(nn.Linear(4, 4), nn.Linear(3, 2)), r"1 Linear\(3, 2\): W: expected shape \(4, 2\)"),
    "all dropped": (nn.Sequential(nn.Linear(4, 4), nn.Dropout(1.0)), "layer 1 Dropout.*rate"),
    "rows": (nn.Sequential(nn.Linear(4, 4), nn.Softmax(dim=0)), "dim: expected 1 or -1"),
    "no averages": (nn.Sequential(nn.BatchNorm1d(4, track_running_stats=False)), "track_running_stats"),
    "a plain average": (nn.Sequential(nn.BatchNorm1d(4, momentum=None)), "momentum=None"),
    "two axes": (nn.Sequential(nn.Linear(4, 4), nn.LayerNorm((2, 2))), "normalized_shape"),
    "a steep softplus": (nn.Sequential(nn.Linear(4, 4), nn.Softplus(beta=2)), "beta: expected 1, got 2"),
    "a leak upwards": (nn.Sequential(nn.Linear(4, 4), nn.LeakyReLU(-0.1)), r"layer 1 LeakyReLU\(-0.1\): .*leak"),
    "a flat part": (nn.Sequential(nn.Linear(4, 4), nn.Flatten(0)), "start_dim"),
    "a file": ("weights.pt", "tells no architecture"),
    "a state": (nn.Linear(4, 4).state_dict(), "A state_dict tells no architecture"),
    "a number": (3, "expected a torch.nn.Sequential, got 3"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_has_no_counterpart_is_named(name):
    given, words = REFUSED[name]
    with pytest.raises(cr.InputError, match=words):
        cr.from_torch(given)


def test_numbers_that_are_not_finite_are_refused_by_place():
    made = nn.Sequential(nn.Linear(4, 3))
    with torch.no_grad():
        made[0].weight[1, 2] = torch.inf
    with pytest.raises(cr.DataError, match=r"layer 0 Linear\(4, 3\): W holds inf at \[2, 1\]"):
        cr.from_torch(made)


def test_a_hook_that_changes_the_values_is_noticed():
    made = module(nn.Linear(4, 3), nn.Tanh(), nn.Linear(3, 2))
    made[0].register_forward_hook(lambda _module, _rows, values: values + 0.01)
    with pytest.raises(cr.ArgumentError, match=r"0 Linear\(4, 3\) computes something else than its parameters say"):
        cr.from_torch(made)
    whole = module(nn.Linear(4, 3), nn.Tanh(), nn.Linear(3, 2))
    whole.register_forward_hook(lambda _module, _rows, values: 1.01 * values)
    with pytest.raises(cr.ArgumentError, match=r"2 Linear\(3, 2\) computes something else"):
        cr.from_torch(whole)


def test_large_weights_differ_by_rounding_alone():
    """Rounding grows with the numbers: what is compared with it is not refused."""
    made = module(nn.Linear(4, 64), nn.Tanh(), nn.Linear(64, 64), nn.Sigmoid(), nn.Linear(64, 3))
    with torch.no_grad():
        made[2].weight *= 1e4
        made[4].weight *= 1e20
    net = cr.from_torch(made)
    assert net.report.largest > 1e18
    assert net.report.difference <= 100 * net.report.rounding
