"""From the options of a fit to its end."""

from __future__ import annotations

import numpy as np
import pytest

import chainrule as cr
from chainrule.callbacks import Listeners
from chainrule.fitting import FitOptions, drive, history_of
from chainrule.stopping import EarlyStopping

X, Y = np.linspace(0, 1, 20).reshape(10, 2), np.linspace(1, 2, 10)


@pytest.mark.parametrize("options", [{"batch_size": None}, {"batch_size": 3, "optimizer": "lbfgs"}])
def test_a_full_batch_is_all_rows(options):
    assert FitOptions(**options).settings(seed=0, n_rows=10).batch_size == 10


def test_a_number_is_the_patience_of_early_stopping():
    assert FitOptions(early_stopping=7).settings(0, 10).early_stopping == EarlyStopping(7)
    with pytest.raises(cr.ArgumentError, match="early_stopping"):
        FitOptions(early_stopping=True).settings(0, 10)


def stop_after_two(epoch):
    if epoch.epoch == 2:
        raise cr.StopTraining("two are enough")


def press_control_c(epoch):
    if epoch.epoch == 2:
        raise KeyboardInterrupt


@pytest.mark.parametrize(
    ("callback", "stopped"), [(stop_after_two, "two are enough"), (press_control_c, "interrupted")]
)
def test_what_ends_a_training_early_stands_in_its_history(callback, stopped):
    network = cr.Network([cr.Dense(1)], loss="mean_squared_error")
    training = network.prepare(network.read(X, Y, where="test"), FitOptions(epochs=5))
    if callback is press_control_c:
        with pytest.raises(KeyboardInterrupt):
            drive(training, Listeners(callback))
    else:
        drive(training, Listeners(callback))
    history = history_of(training, trained=None)
    assert (len(history), history.stopped) == (2, stopped)
