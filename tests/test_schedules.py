"""Schedules: closed forms, limits, scikit-learn's schedules, the plateau, records, messages."""

import math

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.neural_network import MLPRegressor
from sklearn.neural_network._stochastic_optimizers import SGDOptimizer

from chainrule import schedules as sch
from chainrule.errors import ArgumentError, InputError

PLAN = sch.Plan(steps_per_epoch=4, epochs=5, batch_size=8)
ALL = np.arange(20)

EVERY = [
    sch.Constant(0.1),
    sch.Step(0.1, drop=0.5, every=2),
    sch.Exponential(0.1, decay=0.9),
    sch.Exponential(0.1, decay=0.9, staircase=True),
    sch.Cosine(0.1, final=0.01),
    sch.WarmUp(0.1, epochs=2),
    sch.WarmUp(sch.Cosine(0.1), epochs=1.5),
    sch.OneCycle(0.1),
    sch.InverseScaling(0.1),
    sch.ReduceOnPlateau(0.1),
    sch.WarmUp(sch.ReduceOnPlateau(0.1)),
]


@pytest.mark.parametrize("schedule", EVERY, ids=repr)
def test_every_schedule_is_a_function_of_the_step_alone(schedule):
    rates = schedule.rates(ALL, PLAN)
    assert rates.dtype == np.float64
    assert rates.shape == ALL.shape
    assert (rates > 0).all()
    assert rates.max() <= 0.1 * (1 + 1e-12)
    backwards = schedule.rates(ALL[::-1].astype(float), PLAN)
    assert np.array_equal(backwards[::-1], rates)
    assert [float(schedule.rates(np.array([t]), PLAN)[0]) for t in ALL] == rates.tolist()


@pytest.mark.parametrize("schedule", EVERY, ids=repr)
def test_records_survive_json(schedule):
    assert msgspec.json.decode(msgspec.json.encode(schedule), type=sch.AnySchedule) == schedule


def test_step_drops_every_so_many_epochs():
    by_epoch = sch.Step(0.8, drop=0.25, every=2).rates(ALL, PLAN)[::4]
    np.testing.assert_allclose(by_epoch, [0.8, 0.8, 0.2, 0.2, 0.05])
    assert len(set(sch.Step(1.0, every=1).rates(np.arange(4), PLAN))) == 1  # none within an epoch


def test_step_drops_at_the_exact_step_far_into_a_run():
    plan = sch.Plan(7, 10_000, 1)
    rates = sch.Step(1.0, drop=0.5, every=3).rates(np.array([3 * 7 * 9 - 1, 3 * 7 * 9]), plan)
    np.testing.assert_allclose(rates, [2.0**-8, 2.0**-9], rtol=1e-12)


def test_exponential_agrees_with_its_staircase_at_the_beginning_of_an_epoch():
    smooth, stairs = (sch.Exponential(2.0, decay=0.5, staircase=s).rates(ALL, PLAN) for s in (False, True))
    np.testing.assert_allclose(smooth[::4], [2.0, 1.0, 0.5, 0.25, 0.125], rtol=1e-12)
    np.testing.assert_allclose(stairs, np.repeat(smooth[::4], 4), rtol=1e-12)
    np.testing.assert_allclose(smooth[1:] / smooth[:-1], 0.5**0.25, rtol=1e-12)


def test_cosine_begins_at_rate_halves_in_the_middle_and_stays_at_final():
    rates = sch.Cosine(1.0, final=0.2).rates(np.array([0, 5, 10, 15, 20, 1000]), PLAN)
    quarter = 0.4 * math.sqrt(0.5)
    np.testing.assert_allclose(rates, [1.0, 0.6 + quarter, 0.6, 0.6 - quarter, 0.2, 0.2], rtol=1e-12)


def test_warm_up_climbs_in_equal_parts_then_hands_over():
    rates = sch.WarmUp(0.8, epochs=2).rates(ALL, PLAN)
    np.testing.assert_allclose(rates[:8], [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8])
    np.testing.assert_allclose(rates[8:], 0.8)


def test_the_inner_schedule_has_the_rest_of_the_run_for_itself():
    rates = sch.WarmUp(sch.Cosine(1.0), epochs=1).rates(np.array([3, 4, 12, 20]), PLAN)
    np.testing.assert_allclose(rates, [1.0, 1.0, 0.5, 0.0], atol=1e-12)
    steps = sch.WarmUp(sch.Step(1.0, drop=0.1, every=2), epochs=1).rates(ALL, PLAN)
    np.testing.assert_allclose(steps[[4, 11, 12, 19]], [1.0, 1.0, 0.1, 0.1])


def test_a_warm_up_of_part_of_an_epoch_or_longer_than_the_run_works():
    np.testing.assert_allclose(sch.WarmUp(0.3, epochs=0.6).rates(np.arange(4), PLAN), [0.1, 0.2, 0.3, 0.3])
    long = sch.WarmUp(sch.Cosine(1.0), epochs=40).rates(ALL, PLAN)
    np.testing.assert_allclose(long, (ALL + 1) / 160)


def torch_one_cycle(peak, total, start_div, final_div, warm):
    """The phases of torch's documentation of OneCycleLR (anneal_strategy="cos"), one step at a time."""
    start, first_end = peak / start_div, warm * total - 1
    rates = []
    for step in range(total):
        if step <= first_end:
            low, high, share = start, peak, step / first_end
        else:
            low, high, share = peak, start / final_div, (step - first_end) / (total - 1 - first_end)
        rates.append(high + (low - high) / 2.0 * (1 + math.cos(math.pi * share)))
    return rates


@pytest.mark.parametrize(("total", "warm"), [(20, 0.3), (100, 0.25), (7, 0.5), (10, 0.95)])
def test_one_cycle_is_torchs(total, warm):
    ours = sch.OneCycle(0.5, start_div=10, final_div=100, warm=warm).rates(np.arange(total), sch.Plan(total, 1, 1))
    np.testing.assert_allclose(ours, torch_one_cycle(0.5, total, 10, 100, warm), rtol=1e-12)


@pytest.mark.parametrize("total", [1, 2, 3, 4])
@pytest.mark.parametrize("warm", [0.25, 0.5])
def test_one_cycle_survives_runs_of_very_few_steps(total, warm):
    rates = sch.OneCycle(1.0, warm=warm).rates(np.arange(total), sch.Plan(total, 1, 1))
    assert np.isfinite(rates).all()
    assert (rates > 0).all()
    assert rates[-1] == pytest.approx(1.0 / 25 / 1e4)


def test_inverse_scaling_is_scikit_learns():
    # 30 rows in batches of 8: the last one has 6, scikit-learn counts rows.
    plan = sch.Plan(4, 5, 8, rows=30)
    theirs, rates = SGDOptimizer([], learning_rate_init=0.3, lr_schedule="invscaling", power_t=0.4), []
    for epoch in range(5):
        rates += [theirs.learning_rate] * 4
        theirs.iteration_ends(30 * (epoch + 1))
    np.testing.assert_allclose(sch.InverseScaling(0.3, power=0.4).rates(ALL, plan), rates, rtol=1e-12)


def test_without_rows_a_plan_counts_full_batches():
    assert PLAN.rows_per_epoch == 32
    assert PLAN.total_steps == 20
    np.testing.assert_allclose(sch.InverseScaling(1.0).rates(np.array([4]), PLAN), 33**-0.5)


# The plateau


def factors(schedule, losses):
    state, heard = None, []
    for loss in losses:
        state = schedule.observe(state, loss)
        heard.append(round(schedule.scale(state), 10))
    return heard


def test_only_the_plateau_remembers_anything():
    listening = [s for s in EVERY if s.observe(None, 1.0) is not None]
    assert listening == [sch.ReduceOnPlateau(0.1), sch.WarmUp(sch.ReduceOnPlateau(0.1))]
    assert all(s.scale(None) == 1.0 for s in EVERY)


def test_the_rate_falls_after_more_than_patience_bad_epochs():
    schedule = sch.ReduceOnPlateau(1.0, factor=0.5, patience=2)
    assert factors(schedule, [3, 2, 2, 2, 2, 2, 2, 2]) == [1, 1, 1, 1, 0.5, 0.5, 0.5, 0.25]


def test_an_improvement_begins_the_count_anew():
    schedule = sch.ReduceOnPlateau(1.0, factor=0.5, patience=1)
    assert factors(schedule, [2, 2, 1, 1, 0.5, 0.5, 0.5]) == [1, 1, 1, 1, 1, 1, 0.5]


def test_in_the_cooldown_no_epoch_is_bad():
    schedule = sch.ReduceOnPlateau(1.0, factor=0.5, patience=0, cooldown=2)
    assert factors(schedule, [1, 1, 1, 1, 1, 1, 1]) == [1, 0.5, 0.5, 0.5, 0.25, 0.25, 0.25]


def test_the_rate_never_falls_below_min_rate():
    schedule = sch.ReduceOnPlateau(0.1, factor=0.1, patience=0, min_rate=0.004)
    assert factors(schedule, [1, 1, 1, 1]) == [1, 0.1, 0.04, 0.04]


def test_losses_that_are_not_finite_are_bad_epochs():
    schedule = sch.ReduceOnPlateau(1.0, factor=0.5, patience=1)
    assert factors(schedule, [math.nan, math.inf, 1.0, math.nan, 0.5]) == [1, 0.5, 0.5, 0.5, 0.5]
    assert schedule.observe(None, math.nan).best is None


def test_small_gains_add_up_or_do_not():
    slow = [1.0 - 0.04 * i for i in range(12)]  # each is less than min_delta better than the one before
    options = {"factor": 0.5, "patience": 2, "min_delta": 0.1}
    assert factors(sch.ReduceOnPlateau(1.0, **options), slow)[-1] == 1.0
    assert factors(sch.ReduceOnPlateau(1.0, **options, cumulative=False), slow)[-1] == 0.125


class Listener(MLPRegressor):
    """scikit-learn's own bookkeeping of its "adaptive" rate, fed with losses of our choice."""

    def follow(self, losses):
        self.loss_curve_, self.best_loss_, self._no_improvement_count = [], np.inf, 0
        optimizer = SGDOptimizer([], learning_rate_init=self.learning_rate_init, lr_schedule="adaptive")
        for loss in losses:
            self.loss_curve_.append(loss)
            self._update_no_improvement_count(early_stopping=False, X=None, y=None, sample_weight=None)
            if self._no_improvement_count > self.n_iter_no_change:
                optimizer.trigger_stopping("", verbose=False)
                self._no_improvement_count = 0
            yield optimizer.learning_rate


@given(st.lists(st.floats(0.0, 1.0, width=32), max_size=60), st.integers(0, 4), st.sampled_from([1e-4, 0.03, 0.3]))
def test_adaptive_is_scikit_learns(losses, patience, tol):
    theirs = Listener(learning_rate_init=1.0, n_iter_no_change=patience, tol=tol).follow(losses)
    ours = sch.named("adaptive", 1.0, patience=patience, min_delta=tol)
    expected = [max(rate, 0.2**8) for rate in theirs]  # scikit-learn stops at 1e-6, where we go on
    np.testing.assert_allclose([max(f, 0.2**8) for f in factors(ours, losses)], expected, rtol=1e-4)


@given(st.lists(st.floats(allow_nan=True), max_size=40))
def test_plateau_states_survive_json_and_factors_never_rise(losses):
    schedule, state, before = sch.ReduceOnPlateau(0.1, patience=1, cooldown=1, min_rate=1e-3), None, 1.0
    for loss in losses:
        state = schedule.observe(state, loss)
        state = msgspec.json.decode(msgspec.json.encode(state), type=sch.PlateauState)
        assert 0.01 <= schedule.scale(state) <= before
        before = schedule.scale(state)


# Names and messages


def test_named_takes_the_rate_whatever_the_field_is_called():
    assert sch.named("cosine", rate=0.1) == sch.Cosine(0.1)
    assert sch.named("one-cycle", 0.1, warm=0.2) == sch.OneCycle(0.1, warm=0.2)
    assert sch.named("WarmUp", 0.1) == sch.WarmUp(0.1)
    assert sch.named("invscaling", 0.1) == sch.InverseScaling(0.1)
    assert {type(sch.named(name, 0.1)) for name in sch.NAMES} == {type(s) for s in EVERY}


def test_get_takes_rates_and_schedules():
    assert sch.get(np.float32(0.5)) == sch.Constant(0.5)
    assert type(sch.get(np.float32(0.5)).rate) is float
    assert sch.get(EVERY[4]) is EVERY[4]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: sch.named("cosin", 0.1), "there is no schedule 'cosin'. Did you mean 'cosine'?"),
        (lambda: sch.named("step", 0.1, evry=3), "schedule step: there is no option 'evry'. Did you mean 'every'?"),
        (lambda: sch.named("step", -1), "Step: rate: expected a number above 0, got -1"),
        (lambda: sch.get("cosine", where="SGD"), "SGD: rate: expected a number above 0 or a schedule, got 'cosine'."),
        (lambda: sch.get("cosine"), "schedules.named('cosine', rate=0.1)"),
        (lambda: sch.get("cosin"), "Did you mean 'cosine'?"),
        (lambda: sch.get(True), "learning rate: rate: expected a number above 0 or a schedule, got True"),
        (lambda: sch.WarmUp("cosine"), "WarmUp: rate: expected"),
        (lambda: sch.WarmUp(0.1, epochs=0), "WarmUp: epochs: expected a number of epochs above 0, got 0"),
        (lambda: sch.Constant(math.nan), "Constant: rate: expected a number above 0, got nan"),
        (lambda: sch.Constant(10**400), "Constant: rate: expected a number above 0"),
        (lambda: sch.Step(0.1, drop=1.5), "Step: drop: expected a number above 0 and at most 1, got 1.5"),
        (lambda: sch.Exponential(0.1, staircase="no"), "Exponential: staircase: expected True or False, got 'no'"),
        (lambda: sch.Cosine(0.1, final=0.2), "Cosine: final: expected a number from 0 to rate, got 0.2"),
        (lambda: sch.OneCycle(0.1, warm=1), "OneCycle: warm: expected a share of the run"),
        (lambda: sch.ReduceOnPlateau(0.1, factor=1), "ReduceOnPlateau: factor: expected a number above 0 and below 1"),
        (lambda: sch.ReduceOnPlateau(0.1, patience=1.5), "patience: expected a whole number >= 0, got 1.5"),
        (lambda: sch.ReduceOnPlateau(0.1, min_rate=1), "ReduceOnPlateau: min_rate: expected a number from 0 to rate"),
        (lambda: sch.Plan(0, 1, 1), "Plan: steps_per_epoch: expected a whole number >= 1, got 0"),
    ],
)
def test_messages_say_what_was_wrong(call, message):
    with pytest.raises(InputError) as caught:
        call()
    assert isinstance(caught.value, ArgumentError)
    assert message in str(caught.value)


def test_a_tampered_record_is_refused():
    with pytest.raises(msgspec.ValidationError, match="number above 0"):
        msgspec.json.decode(b'{"type": "Cosine", "rate": -1}', type=sch.AnySchedule)
