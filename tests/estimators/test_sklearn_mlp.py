"""scikit-learn's own tests of its perceptrons, run on ours: the installed file, with our classes in place of theirs."""

from __future__ import annotations

from pathlib import Path

import pytest

neural_network = pytest.importorskip("sklearn.neural_network")
SOURCE = Path(neural_network.__file__).parent / "tests" / "test_mlp.py"
IMPORT = "from sklearn.neural_network import MLPClassifier, MLPRegressor"
OURS = "from chainrule.estimators import MLPClassifier, MLPRegressor"

EXCEPTIONS = {
}

if not SOURCE.is_file():
    pytest.skip("this scikit-learn was installed without its tests", allow_module_level=True)
TEXT = SOURCE.read_text(encoding="utf-8")
assert IMPORT in TEXT
exec(compile(TEXT.replace(IMPORT, OURS), str(SOURCE), "exec"), globals())  # noqa: S102 -- so that pytest finds its tests


@pytest.fixture
def global_random_seed():
    return 42
