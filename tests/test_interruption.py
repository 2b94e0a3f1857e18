"""Ctrl-C in the middle of an epoch, as a process; no test waits for a clock."""

from __future__ import annotations

import json
import signal
import subprocess
import sys

import pytest

from chainrule.engines.choose import ENGINES

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")

EPOCH_OF_MANY_SECONDS = """
import json, sys
from time import perf_counter
import numpy as np
import chainrule as cr

rng = np.random.default_rng(0)
X, y = rng.standard_normal((400_000, 32), dtype=np.float32), rng.integers(0, 10, 400_000)
net = cr.Network([cr.Dense(256, "tanh"), cr.Dense(256, "tanh"), cr.Dense(10, "softmax")], n_inputs=32)
first, records = net.theta.copy(), []

def listen(record):
    records.append(record)
    if len(records) == 3:
        print("training", flush=True)

class Ear(cr.Callback):
    on_steps = on_epoch = lambda self, record: listen(record)

try:
    net.fit(X, y, epochs=3, batch_size=1, shuffle=False, optimizer=cr.SGD(0.001), callbacks=Ear(), engine=sys.argv[1])
    interrupted = False
except KeyboardInterrupt:
    interrupted = True
last = records[-1]
print(json.dumps({
    "interrupted": interrupted, "epochs": len(net.history.epochs), "stopped": net.history.stopped,
    "left": last.steps_per_epoch - last.step, "learned": bool((net.theta != first).any()),
}))
"""


@pytest.mark.slow
@pytest.mark.parametrize("engine", [name for name, engine in ENGINES.items() if not engine.refuses()])
def test_ctrl_c_ends_the_training_before_the_end_of_a_long_epoch(engine: str) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", EPOCH_OF_MANY_SECONDS, engine], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "training\n"
    process.send_signal(signal.SIGINT)
    out, err = process.communicate()
    assert process.returncode == 0, err
    found = json.loads(out)
    assert found.pop("left") > 0
    assert found == {"interrupted": True, "epochs": 0, "stopped": "interrupted", "learned": True}
