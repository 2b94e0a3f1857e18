"""Optimisers: scikit-learn's step by step, the published algorithms in plain Python, closed forms, clipping."""

import math

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.optimize import minimize
from sklearn.neural_network._stochastic_optimizers import AdamOptimizer, SGDOptimizer

from chainrule import optimizers as opt
from chainrule import schedules
from chainrule.errors import ArgumentError
from chainrule.optimizers import adam

P, STEPS = 6, 150
WEIGHTS = np.array([1.0, 1.0, 0.0, 1.0, 0.0, 1.0])

EVERY = [
    opt.SGD(0.1),
    opt.SGD(0.1, momentum=0.9),
    opt.SGD(0.1, momentum=0.9, nesterov=True),
    opt.RMSProp(0.01),
    opt.RMSProp(0.01, momentum=0.8),
    opt.Adagrad(0.1),
    opt.Adagrad(0.1, initial=0.1),
    opt.Adam(0.01),
    opt.AdamW(0.01, weight_decay=0.1),
    opt.NAdam(0.01),
]
steppers = pytest.mark.parametrize("optimizer", EVERY, ids=repr)


def gradients(seed=0, dtype=np.float64):
    """Gradients of very different sizes, some exactly 0."""
    G = np.random.default_rng(seed).standard_normal((STEPS, P)) * 10.0 ** np.array([-4, -1, 0, 0, 1, 3])
    G[::7, 2] = 0.0
    return G.astype(dtype)


def run(optimizer, G, *, rates=None, reuse=False, theta=None):
    """Every theta on the way."""
    theta = np.linspace(-1, 1, P).astype(G.dtype) if theta is None else theta
    weights = WEIGHTS.astype(G.dtype)
    slots, way = optimizer.slots(theta), []
    for t, g in enumerate(G, start=1):
        rate = optimizer.rate if rates is None else rates[t - 1]
        change, slots = optimizer.change(theta, g, slots, rate=rate, t=t, weights=weights, reuse=reuse)
        theta = theta + change
        way.append(theta)
    return np.array(way)


# scikit-learn, step by step


@pytest.mark.parametrize(("momentum", "nesterov"), [(0.0, False), (0.9, False), (0.9, True), (0.5, True)])
def test_sgd_is_scikit_learns_also_while_the_rate_changes(momentum, nesterov):
    G, rates = gradients(), np.linspace(0.1, 0.001, STEPS)
    theirs = [np.linspace(-1, 1, P)]
    oracle, expected = SGDOptimizer(theirs, momentum=momentum, nesterov=nesterov), []
    for g, rate in zip(G, rates, strict=True):
        oracle.learning_rate = rate
        oracle.update_params(theirs, [g])
        expected.append(theirs[0].copy())
    ours = run(opt.SGD(0.1, momentum=momentum, nesterov=nesterov), G, rates=rates)
    np.testing.assert_allclose(ours, expected, rtol=1e-12, atol=1e-14)


def test_adam_is_scikit_learns_apart_from_where_epsilon_stands():
    G, theirs, epsilon = gradients(), [np.linspace(-1, 1, P)], 1e-3
    oracle, expected = AdamOptimizer(theirs, learning_rate_init=0.01, beta_1=0.8, beta_2=0.99), []
    for t, g in enumerate(G, start=1):
        oracle.epsilon = epsilon * math.sqrt(1 - 0.99**t)  # scikit-learn's epsilon is the paper's epsilon hat
        oracle.update_params(theirs, [g])
        expected.append(theirs[0].copy())
    ours = run(opt.Adam(0.01, beta1=0.8, beta2=0.99, epsilon=epsilon), G)
    np.testing.assert_allclose(ours, expected, rtol=1e-12, atol=1e-14)


# The algorithm boxes of torch's documentation, one parameter at a time, in plain Python floats


def torch_rmsprop(theta, G, _decays, lr=0.01, alpha=0.9, eps=1e-8, mu=0.0):
    v = b = 0.0
    for g in G:
        v = alpha * v + (1 - alpha) * g * g
        b = mu * b + g / (math.sqrt(v) + eps)
        theta = theta - lr * b
        yield theta


def torch_adagrad(theta, G, _decays, lr=0.1, eps=1e-10, tau=0.0):
    total = tau
    for g in G:
        total += g * g
        theta = theta - lr * g / (math.sqrt(total) + eps)
        yield theta


def torch_adam(theta, G, decays, lr=0.01, b1=0.9, b2=0.999, eps=1e-8, wd=0.0):
    m = v = 0.0
    for t, g in enumerate(G, start=1):
        if decays:
            theta = theta - lr * wd * theta
        m = b1 * m + (1 - b1) * g
        v = b2 * v + (1 - b2) * g * g
        theta = theta - lr * (m / (1 - b1**t)) / (math.sqrt(v / (1 - b2**t)) + eps)
        yield theta


def torch_nadam(theta, G, _decays, lr=0.01, b1=0.9, b2=0.999, eps=1e-8, psi=4e-3):
    m = v = 0.0
    product = 1.0
    for t, g in enumerate(G, start=1):
        mu, mu_next = (b1 * (1 - 0.5 * 0.96 ** (i * psi)) for i in (t, t + 1))
        product *= mu
        m = b1 * m + (1 - b1) * g
        v = b2 * v + (1 - b2) * g * g
        m_hat = mu_next * m / (1 - product * mu_next) + (1 - mu) * g / (1 - product)
        theta = theta - lr * m_hat / (math.sqrt(v / (1 - b2**t)) + eps)
        yield theta


@pytest.mark.parametrize(
    ("optimizer", "oracle", "options"),
    [
        (opt.RMSProp(0.01), torch_rmsprop, {}),
        (opt.RMSProp(0.01, 0.5, 1e-2, 0.8), torch_rmsprop, {"alpha": 0.5, "eps": 1e-2, "mu": 0.8}),
        (opt.Adagrad(0.1), torch_adagrad, {}),
        (opt.Adagrad(0.1, epsilon=1e-2, initial=0.1), torch_adagrad, {"eps": 1e-2, "tau": 0.1}),
        (opt.Adam(0.01), torch_adam, {}),
        (opt.Adam(0.01, 0.5, 0.9, 1e-2), torch_adam, {"b1": 0.5, "b2": 0.9, "eps": 1e-2}),
        (opt.Adam(0.01, beta1=0.0, beta2=0.0), torch_adam, {"b1": 0.0, "b2": 0.0}),
        (opt.AdamW(0.01, weight_decay=0.3), torch_adam, {"wd": 0.3}),
        (opt.NAdam(0.01), torch_nadam, {}),
        (opt.NAdam(0.01, 0.5, 0.9, 1e-2, 0.7), torch_nadam, {"b1": 0.5, "b2": 0.9, "eps": 1e-2, "psi": 0.7}),
        (opt.NAdam(0.01, beta1=0.999, momentum_decay=3.0), torch_nadam, {"b1": 0.999, "psi": 3.0}),
        (opt.NAdam(0.01, momentum_decay=0.0), torch_nadam, {"psi": 0.0}),
        (opt.NAdam(0.01, beta1=0.0), torch_nadam, {"b1": 0.0}),
    ],
    ids=lambda value: getattr(value, "__name__", None) or repr(value),
)
def test_the_published_algorithm_over_many_steps(optimizer, oracle, options):
    G, start = gradients(), np.linspace(-1, 1, P)
    columns = [oracle(float(start[p]), G[:, p].tolist(), WEIGHTS[p] == 1, **options) for p in range(P)]
    expected = np.array([list(column) for column in columns]).T
    np.testing.assert_allclose(run(optimizer, G), expected, rtol=1e-11, atol=1e-13)


def test_the_momentum_product_of_nadam_is_right_far_into_a_run():
    for beta1, decay in ((0.9, 4e-3), (0.9999, 1.0), (0.9999, 50.0), (0.5, 0.0)):
        product = 1.0
        for t in range(1, 5001):
            product *= beta1 * (1 - 0.5 * 0.96 ** (t * decay))
            if t in {1, 2, 60, 1000, 5000}:
                assert adam._mu_product(beta1, decay, t) == pytest.approx(product, rel=1e-9, abs=1e-17)


# Numbers by hand, and closed forms


def test_nesterov_is_momentum_at_the_point_looked_ahead_to():
    # Sutskever et al. 2013, eq. 3-4 on f(x) = x²/2, with our x the point looked ahead to: x = theta + momentum v.
    theta, v, mu, rate = 1.0, 0.0, 0.9, 0.1
    slots, x = {"velocity": np.zeros(1)}, np.array([1.0])
    optimizer = opt.SGD(rate, momentum=mu, nesterov=True)
    for t in range(1, 30):
        v = mu * v - rate * (theta + mu * v)
        theta += v
        change, slots = optimizer.change(x, x, slots, rate=rate, t=t, weights=1.0)
        x = x + change
        assert x[0] == pytest.approx(theta + mu * v, rel=1e-10)


def test_the_first_step_of_adam_is_the_rate_against_the_sign():
    optimizer, theta, g = opt.Adam(0.5), np.zeros(3), np.array([1e-3, -20.0, 5.0])
    change, slots = optimizer.change(theta, g, optimizer.slots(theta), rate=0.5, t=1, weights=1.0)
    np.testing.assert_allclose(change, [-0.5, 0.5, -0.5], rtol=1.1e-5)
    np.testing.assert_allclose(slots["m"], g / 10, rtol=1e-12)
    np.testing.assert_allclose(slots["v"], g**2 / 1000, rtol=1e-12)


@pytest.mark.parametrize(("rate", "momentum"), [(0.1, 0.0), (1.9, 0.0), (0.3, 0.5), (2.1, 0.0), (2.9, 0.5), (3.1, 0.5)])
def test_a_quadratic_bowl_converges_where_theory_says(rate, momentum):
    # On x²/2, x' = (1 + momentum - rate) x - momentum x_before: stable for 0 < rate < 2 (1 + momentum).
    optimizer, x, way = opt.SGD(rate, momentum=momentum), np.array([1.0]), [1.0, 1.0]
    slots = optimizer.slots(x)
    for t in range(1, 120):
        change, slots = optimizer.change(x, x, slots, rate=rate, t=t, weights=1.0)
        x = x + change
        way.append((1 + momentum - rate) * way[-1] - momentum * way[-2])
        assert x[0] == pytest.approx(way[-1], rel=1e-9, abs=1e-12)
    assert (abs(x[0]) < 0.01) == (rate < 2 * (1 + momentum))


@steppers
def test_every_optimizer_comes_down_into_a_bowl(optimizer):
    scales, theta = np.array([0.5, 1.0, 2.0, 1.0, 1.0, 1.5]), np.linspace(-1, 1, P)
    start, slots = float((scales * theta**2).sum()), optimizer.slots(theta)
    for t in range(1, 2001):
        gradient = 2 * scales * theta
        change, slots = optimizer.change(theta, gradient, slots, rate=optimizer.rate, t=t, weights=0.0)
        theta = theta + change
    assert float((scales * theta**2).sum()) < 1e-3 * start


def test_weight_decay_touches_weights_only():
    zero, theta = np.zeros((3, P)), np.linspace(-1, 1, P)
    end = run(opt.AdamW(0.1, weight_decay=0.5), zero, theta=theta)[-1]
    np.testing.assert_allclose(end, np.where(WEIGHTS == 1, theta * 0.95**3, theta), rtol=1e-12)
    assert np.array_equal(run(opt.Adam(0.1), zero, theta=theta)[-1], theta)


# The contract


@steppers
def test_float32_stays_float32_also_with_numpy_scalars(optimizer):
    theta, g = np.ones(P, np.float32), gradients(dtype=np.float32)[3]
    slots = optimizer.slots(theta)
    for t in (1, 2):
        change, slots = optimizer.change(
            theta, g, slots, rate=np.float64(0.1), t=np.int64(t), weights=WEIGHTS.astype(np.float32)
        )
        assert change.dtype == np.float32
        assert {slot.dtype for slot in slots.values()} <= {np.dtype(np.float32)}


@steppers
def test_float32_follows_float64(optimizer):
    wide = run(optimizer, gradients())
    np.testing.assert_allclose(run(optimizer, gradients(dtype=np.float32)), wide, rtol=2e-3, atol=2e-4)


@steppers
def test_nothing_given_is_changed(optimizer):
    theta, G = np.linspace(-1, 1, P), gradients()
    _, slots = optimizer.change(theta, G[0], optimizer.slots(theta), rate=0.1, t=1, weights=WEIGHTS)
    given_ = {"theta": theta, "g": G[1], "weights": WEIGHTS, **slots}
    before = {name: array.tobytes() for name, array in given_.items()}
    first, new = optimizer.change(theta, G[1], slots, rate=0.1, t=2, weights=WEIGHTS)
    assert {name: array.tobytes() for name, array in given_.items()} == before
    second, again = optimizer.change(theta, G[1], slots, rate=0.1, t=2, weights=WEIGHTS)
    assert first.tobytes() == second.tobytes()
    assert {k: v.tobytes() for k, v in new.items()} == {k: v.tobytes() for k, v in again.items()}


@steppers
def test_reusing_memory_changes_no_bit(optimizer):
    assert run(optimizer, gradients(), reuse=True).tobytes() == run(optimizer, gradients()).tobytes()


@steppers
def test_slots_are_vectors_like_theta_and_keep_their_names(optimizer):
    theta = np.ones(P, np.float32)
    slots = optimizer.slots(theta)
    assert tuple(slots) == optimizer.slot_names
    start = getattr(optimizer, "initial", 0.0)
    for slot in slots.values():
        np.testing.assert_allclose(slot, np.full(P, start), rtol=1e-6)
    _, new = optimizer.change(theta, theta, slots, rate=0.1, t=1, weights=1.0)
    assert set(new) == set(slots)


@steppers
def test_a_zero_gradient_moves_nothing_and_divides_by_nothing(optimizer):
    theta, zero = np.zeros(P, np.float32), np.zeros(P, np.float32)
    change, _ = optimizer.change(theta, zero, optimizer.slots(theta), rate=0.1, t=1, weights=1.0)
    assert np.array_equal(change, zero)


@steppers
def test_the_scalars_of_a_step_are_plain_floats(optimizer):
    for t in (1, 10_000_000):
        scalars = optimizer.scalars(0.1, t)
        assert {type(scalar) for scalar in scalars} == {float}
        assert all(math.isfinite(scalar) for scalar in scalars)


def test_none_of_the_family_is_taken_for_another():
    for optimizer in EVERY:
        assert [kind for kind in opt.AnyOptimizer.__args__ if isinstance(optimizer, kind)] == [type(optimizer)]


# Clipping

vectors = arrays(
    np.float32, st.integers(1, 30), elements=st.floats(-(2.0**100), 2.0**100, width=32, allow_subnormal=False)
)


@given(vectors, st.sampled_from([1e-3, 1.0, 50.0]))
def test_the_norm_is_bounded_and_the_direction_kept(g, limit):
    clipped = opt.clip(g, opt.SGD(0.1, clip_norm=limit))
    assert clipped.dtype == np.float32
    wide, norm = g.astype(np.float64), float(np.linalg.norm(g.astype(np.float64)))
    np.testing.assert_allclose(clipped, wide * min(1.0, limit / max(norm, 1e-300)), rtol=1e-4, atol=1e-30)
    if norm < limit * 0.999:
        assert clipped.tobytes() == g.tobytes()


def test_clipping_by_value_comes_first_and_both_limits_hold():
    g = np.array([1000.0, 3.0, -4.0, 0.0])
    by_value = opt.clip(g, opt.SGD(0.1, clip_value=4.0))
    assert np.array_equal(by_value, [4.0, 3.0, -4.0, 0.0])
    both = opt.clip(g, opt.SGD(0.1, clip_value=4.0, clip_norm=1.0))
    np.testing.assert_allclose(both, by_value / math.sqrt(41), rtol=1e-12)


def test_without_limits_the_gradient_is_handed_through():
    g = np.array([1e6, -1e6])
    assert opt.clip(g, opt.Adam()) is g


def test_an_exploding_float32_gradient_keeps_its_direction():
    g = np.array([3e30, -4e30], np.float32)  # its squares are beyond float32
    np.testing.assert_allclose(opt.clip(g, opt.SGD(0.1, clip_norm=10.0)), [6.0, -8.0], rtol=1e-6)


# L-BFGS


def test_scipy_takes_the_options_of_lbfgs():
    calls = []
    bowl = np.array([1.0, 10.0, 100.0])
    answer = minimize(
        lambda x: (calls.append(1), (float(bowl @ x**2), 2 * bowl * x))[1],
        np.ones(3),
        jac=True,
        method="L-BFGS-B",
        options=opt.LBFGS(memory=5, tolerance=1e-5).options(iterations=100),
    )
    assert answer.success
    assert np.abs(answer.jac).max() <= 1e-5
    one = minimize(
        lambda x: (float(bowl @ x**2), 2 * bowl * x), np.ones(3), jac=True, method="L-BFGS-B",
        options=opt.LBFGS().options(iterations=1),
    )  # fmt: skip
    assert one.nit == 1


# Records, names, messages


@pytest.mark.parametrize("optimizer", [*EVERY, opt.LBFGS(), opt.SGD(schedules.WarmUp(schedules.Cosine(0.1)))], ids=repr)
def test_records_survive_json(optimizer):
    assert msgspec.json.decode(msgspec.json.encode(optimizer), type=opt.AnyOptimizer) == optimizer


def test_the_rate_may_be_a_schedule():
    assert opt.SGD(0.1).schedule == schedules.Constant(0.1)
    cosine = schedules.Cosine(0.1)
    assert opt.Adam(cosine).schedule is cosine


def test_numpy_numbers_become_plain_ones():
    made = opt.Adam(np.float64(0.1), np.float32(0.5), clip_norm=np.int64(3))
    assert {type(value) for value in (made.rate, made.beta1, made.clip_norm)} == {float}
    msgspec.json.encode(made)


def test_get_takes_names_in_any_spelling_and_objects():
    assert {name: type(opt.get(name)).__name__ for name in opt.NAMES} == {
        "sgd": "SGD",
        "momentum": "SGD",
        "nesterov": "SGD",
        "rmsprop": "RMSProp",
        "adagrad": "Adagrad",
        "adam": "Adam",
        "adamw": "AdamW",
        "nadam": "NAdam",
        "lbfgs": "LBFGS",
    }
    assert opt.get("L-BFGS") == opt.LBFGS()
    assert opt.get("nesterov", 0.5) == opt.SGD(0.5, momentum=0.9, nesterov=True)
    assert opt.get("Adam", rate=0.5, beta1=0.8, clip_norm=1.0) == opt.Adam(0.5, 0.8, clip_norm=1.0)
    made = opt.RMSProp(0.3, momentum=0.5, clip_value=2.0)
    assert opt.get(made) is made
    assert opt.get(made, rate=0.1) == opt.RMSProp(0.1, momentum=0.5, clip_value=2.0)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: opt.get("adm", where="fit"), "fit: there is no optimizer 'adm'. Did you mean 'adam'?"),
        (lambda: opt.get(3), "optimizer: expected a name or an optimizer such as SGD(0.1), got 3"),
        (lambda: opt.get("adam", momntum=1), "Adam: there is no option 'momntum'."),
        (lambda: opt.get("lbfgs", rate=0.1), "LBFGS: L-BFGS finds the length of its steps itself."),
        (lambda: opt.SGD(0), "SGD: rate: expected a number above 0 or a schedule, got 0"),
        (lambda: opt.SGD("0.1"), "SGD: there is no schedule '0.1'."),
        (lambda: opt.SGD("cosine"), "schedules.named('cosine', rate=0.1)"),
        (lambda: opt.SGD(0.1, momentum=1), "SGD: momentum: expected a number from 0 up to, not including, 1, got 1"),
        (lambda: opt.SGD(0.1, nesterov=True), "SGD: nesterov: expected momentum above 0"),
        (lambda: opt.SGD(0.1, 0.9, "yes"), "SGD: nesterov: expected True or False, got 'yes'"),
        (lambda: opt.SGD(0.1, clip_norm=0), "SGD: clip_norm: expected a number above 0, or None, got 0"),
        (lambda: opt.Adam(clip_value=math.nan), "Adam: clip_value: expected a number above 0, or None, got nan"),
        (lambda: opt.Adam(epsilon=0), "Adam: epsilon: expected a number above 0, got 0"),
        (lambda: opt.NAdam(beta2=-0.1), "NAdam: beta2: expected a number from 0 up to, not including, 1, got -0.1"),
        (lambda: opt.AdamW(weight_decay=-1), "AdamW: weight_decay: expected a number >= 0, got -1"),
        (lambda: opt.Adagrad(initial=-1), "Adagrad: initial: expected a number >= 0, got -1"),
        (lambda: opt.RMSProp(decay=None), "RMSProp: decay: expected a number from 0"),
        (lambda: opt.LBFGS(memory=0), "LBFGS: memory: expected a whole number >= 1, got 0"),
        (lambda: opt.LBFGS(tolerance=-1), "LBFGS: tolerance: expected a number >= 0, got -1"),
    ],
)
def test_messages_say_what_was_wrong(call, message):
    with pytest.raises(ArgumentError) as caught:
        call()
    assert message in str(caught.value)
