"""Initial weights: moments and bounds against the papers, orthogonality, given arrays, records, messages."""

import copy
import math
import pickle

import msgspec
import numpy as np
import pytest
import sklearn.neural_network
from scipy import stats

from chainrule import initializers as ini
from chainrule.errors import ArgumentError, InputError, ShapeError

I, O = 300, 200  # fan-in and fan-out of the large draws

# What the papers say of the variance, written here independently: (variance, normal or uniform).
PAPERS = {
    "glorot_normal": (2 / (I + O), "normal"),
    "glorot_uniform": (2 / (I + O), "uniform"),
    "he_normal": (2 / I, "normal"),
    "he_uniform": (2 / I, "uniform"),
    "lecun_normal": (1 / I, "normal"),
    "lecun_uniform": (1 / I, "uniform"),
}


def rng(seed=0):
    return np.random.default_rng(seed)


@pytest.mark.parametrize("name", PAPERS)
def test_scaled_initializers_have_the_distribution_of_their_paper(name):
    variance, kind = PAPERS[name]
    W = ini.get(name).draw(rng(), (I, O), I, O)
    assert W.shape == (I, O)
    assert W.dtype == np.float64
    limit = math.sqrt(3 * variance)
    cdf = stats.norm(0, math.sqrt(variance)).cdf if kind == "normal" else stats.uniform(-limit, 2 * limit).cdf
    assert stats.kstest(W.ravel(), cdf).pvalue > 1e-3
    if kind == "uniform":
        assert np.abs(W).max() <= limit


def test_glorot_uniform_has_the_bound_of_scikit_learn():
    network = sklearn.neural_network.MLPRegressor(hidden_layer_sizes=(O,), activation="tanh", max_iter=1)
    network._random_state = np.random.RandomState(0)
    network.out_activation_ = "identity"
    theirs, _ = sklearn.neural_network.MLPRegressor._init_coef(network, I, O, np.float64)
    ours = ini.GlorotUniform().draw(rng(), (I, O), I, O)
    assert np.abs(ours).max() == pytest.approx(np.abs(theirs).max(), rel=1e-3)


def test_fans_not_the_shape_set_the_scale():
    narrow = ini.LeCunNormal().draw(rng(), (4, 5), 4, 5)
    wide = ini.LeCunNormal().draw(rng(), (4, 5), 400, 5)
    np.testing.assert_allclose(narrow, 10 * wide, rtol=1e-12)


def test_normal_and_uniform_take_their_numbers():
    normal = ini.Normal(0.5, mean=2.0).draw(rng(), (I, O), I, O)
    assert stats.kstest(normal.ravel(), stats.norm(2.0, 0.5).cdf).pvalue > 1e-3
    uniform = ini.Uniform(-1.0, 3.0).draw(rng(), (I, O), I, O)
    assert stats.kstest(uniform.ravel(), stats.uniform(-1.0, 4.0).cdf).pvalue > 1e-3


def test_constants():
    assert np.array_equal(ini.get("zeros").draw(rng(), (2, 3), 2, 3), [[0, 0, 0], [0, 0, 0]])
    assert np.array_equal(ini.get("ones").draw(rng(), (3,), 2, 3), [1, 1, 1])
    assert np.array_equal(ini.get(np.float32(0.5)).draw(rng(), (2,), 1, 2), [0.5, 0.5])


@pytest.mark.parametrize("shape", [(6, 4), (4, 6), (5, 5), (2, 3, 4), (1, 3), (3, 1)])
def test_orthogonal_has_orthonormal_columns_or_rows(shape):
    W = ini.Orthogonal(gain=2.0).draw(rng(), shape, 1, 1)
    assert W.shape == shape
    M = W.reshape(-1, shape[-1])
    gram = M.T @ M if M.shape[0] >= M.shape[1] else M @ M.T
    np.testing.assert_allclose(gram, 4.0 * np.eye(len(gram)), atol=1e-12)


def test_orthogonal_prefers_no_direction():
    # Without Mezzadri's signs the first entry of Q is never positive.
    signs = [np.sign(ini.Orthogonal().draw(rng(seed), (3, 3), 3, 3)[0, 0]) for seed in range(60)]
    assert 15 < signs.count(1.0) < 45


def test_orthogonal_refuses_a_bias():
    with pytest.raises(ShapeError, match="two axes"):
        ini.Orthogonal().draw(rng(), (3,), 2, 3)


@pytest.mark.parametrize("name", ini.NAMES)
def test_the_same_seed_draws_the_same_numbers(name):
    first, second = (ini.get(name).draw(rng(7), (3, 4), 3, 4) for _ in range(2))
    assert first.tobytes() == second.tobytes()
    assert first.flags.writeable


@pytest.mark.parametrize("fans", [(0, 3), (3, 0)])
def test_no_inputs_or_outputs_is_a_clear_error(fans):
    with pytest.raises(ShapeError, match="fan-in"):
        ini.HeNormal().draw(rng(), fans, *fans)


# Given values


def test_given_draws_a_copy_and_keeps_one():
    values = np.array([[1.0, 2.0], [3.0, 4.0]])
    given = ini.get(values)
    values[:] = 0
    drawn = given.draw(rng(), (2, 2), 2, 2)
    drawn[:] = 9
    assert np.array_equal(given.draw(rng(), (2, 2), 2, 2), [[1, 2], [3, 4]])
    assert not given.array.flags.writeable


def test_given_checks_the_shape_and_sees_a_transposed_one():
    given = ini.Given([[1, 2, 3], [4, 5, 6]])
    with pytest.raises(ShapeError, match=r"Given: values: expected shape \(3, 2\), got \(2, 3\).*transpose"):
        given.draw(rng(), (3, 2), 3, 2)
    with pytest.raises(ShapeError) as caught:
        given.draw(rng(), (6,), 2, 6)
    assert "transpose" not in str(caught.value)


@pytest.mark.parametrize(
    "values",
    [[[1, 2], [3]], ["a", "b"], [1, None], [1 + 2j], [1.0, float("nan")], np.array([np.inf]), object()],
    ids=["ragged", "text", "none", "complex", "nan", "inf", "object"],
)
def test_given_refuses_what_is_no_array_of_numbers(values):
    with pytest.raises(ArgumentError, match="numbers"):
        ini.Given(values)


def test_given_names_the_place_of_a_number_that_is_not_finite():
    with pytest.raises(ArgumentError, match=r"nan at \(1, 0\)"):
        ini.Given([[1.0, 2.0], [float("nan"), 4.0]])


def test_given_as_json_holds_the_shape_alone_and_says_so_when_it_is_to_draw():
    text = msgspec.json.encode(ini.Given(np.zeros((40, 30))))
    assert msgspec.json.decode(text) == {"type": "Given", "shape": [40, 30]}
    back = msgspec.json.decode(text, type=ini.AnyInitializer)
    assert isinstance(back, ini.Given)
    assert (back.shape, back.array) == ((40, 30), None)
    with pytest.raises(ArgumentError, match="not in the file"):
        back.draw(rng(), (40, 30), 40, 30)
    assert msgspec.json.encode(back) == text


def test_given_keeps_its_values_when_copied_and_pickled():
    given = ini.Given([[1.0, 2.0]])
    for twin in (copy.copy(given), copy.deepcopy(given), pickle.loads(pickle.dumps(given))):  # noqa: S301 - our own bytes
        assert twin == given
        assert hash(twin) == hash(given)
        assert np.array_equal(twin.draw(rng(), (1, 2), 1, 2), [[1.0, 2.0]])
    assert given != ini.Given([[1.0, 3.0]])
    assert given != msgspec.json.decode(msgspec.json.encode(given), type=ini.AnyInitializer)
    assert given != ini.Zeros()
    assert "(1, 2)" in repr(given)


@pytest.mark.parametrize("text", [b'{"type": "Given"}', b'{"type": "Given", "values": [1, 2], "shape": [3]}'])
def test_given_from_a_tampered_record_is_refused(text):
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(text, type=ini.AnyInitializer)


# Records and names


@pytest.mark.parametrize("name", ini.NAMES)
def test_records_survive_json(name):
    made = ini.get(name)
    assert msgspec.json.decode(msgspec.json.encode(made), type=ini.AnyInitializer) == made


def test_numpy_numbers_become_plain_ones():
    made = ini.Normal(np.float32(0.5), mean=np.int64(2))
    assert type(made.std) is float
    assert type(made.mean) is float
    msgspec.json.encode(made)


def test_get_takes_objects_names_in_any_spelling_numbers_and_lists():
    he = ini.HeNormal()
    assert ini.get(he) is he
    assert ini.get(" He-Normal ") == he
    assert ini.get(2) == ini.Constant(2.0)
    assert ini.get([[1, 2]]) == ini.Given([[1, 2]])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: ini.get("he_norml", where="Dense"),
            "Dense: there is no initializer 'he_norml'. Did you mean 'he_normal'?",
        ),
        (lambda: ini.get(None), "init: expected a name, a number, an array"),
        (lambda: ini.get(True), "init: expected a name, a number, an array"),
        (lambda: ini.get(float("nan")), "Constant: value: expected a finite number, got nan"),
        (lambda: ini.Constant("1"), "Constant: value: expected a finite number, got '1'"),
        (lambda: ini.Constant(10**400), "Constant: value: expected a finite number"),
        (lambda: ini.Normal(-1.0), "Normal: std: expected a number >= 0, got -1.0"),
        (lambda: ini.Uniform(1.0, 0.5), "Uniform: high: expected a number >= 1, got 0.5"),
        (lambda: ini.Orthogonal(float("inf")), "Orthogonal: gain: expected a finite number, got inf"),
    ],
)
def test_messages_say_what_was_wrong(call, message):
    with pytest.raises(InputError) as caught:
        call()
    assert message in str(caught.value)


def test_auto_follows_the_activation():
    rectifiers = ("relu", "leaky_relu", "elu", "gelu", "silu", "softplus")
    assert {ini.for_activation(name) for name in rectifiers} == {ini.HeNormal()}
    assert ini.for_activation("selu") == ini.LeCunNormal()
    others = ("identity", "sigmoid", "tanh", "scaled_tanh", "softmax")
    assert {ini.for_activation(name) for name in others} == {ini.GlorotUniform()}


def test_auto_keeps_the_signal_alive_through_ten_layers():
    # The reason for the choice: the mean square of the activations neither dies nor explodes.
    for name, f in (("relu", lambda Z: np.maximum(Z, 0)), ("tanh", np.tanh)):
        A, generator = rng(1).standard_normal((200, 128)), rng(2)
        for _ in range(10):
            A = f(A @ ini.for_activation(name).draw(generator, (128, 128), 128, 128))
        assert 0.02 < (A**2).mean() < 5.0
