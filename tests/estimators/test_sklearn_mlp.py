"""scikit-learn's own tests of its perceptrons, run on ours: the installed file, with our classes in place of theirs."""

from __future__ import annotations

from pathlib import Path

import pytest

neural_network = pytest.importorskip("sklearn.neural_network")
SOURCE = Path(neural_network.__file__).parent / "tests" / "test_mlp.py"
IMPORT = "from sklearn.neural_network import MLPClassifier, MLPRegressor"
OURS = "from chainrule.estimators import MLPClassifier, MLPRegressor"

EXCEPTIONS = {
    "test_fit": "sets fitted attributes of an unfitted estimator by hand; test_worked_example gives them to fit",
    "test_gradient": "calls a private method; test_gradient_of_the_reported_loss asks the network",
    "test_early_stopping_stratified": "expects an error for a class of one row; ours keeps it among the training rows",
}

if not SOURCE.is_file():
    pytest.skip("this scikit-learn was installed without its tests", allow_module_level=True)
TEXT = SOURCE.read_text(encoding="utf-8")
assert IMPORT in TEXT
exec(compile(TEXT.replace(IMPORT, OURS), str(SOURCE), "exec"), globals())  # noqa: S102 -- so that pytest finds its tests
for name, reason in EXCEPTIONS.items():
    globals()[name] = pytest.mark.skip(reason)(globals()[name])
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("default")]  # as scikit-learn runs them


@pytest.fixture
def global_random_seed():
    return 42
