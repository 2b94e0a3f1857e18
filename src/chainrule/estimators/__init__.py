"""scikit-learn's `MLPClassifier` and `MLPRegressor`, run by this library: a change of import.

>>> from sklearn.datasets import load_iris
>>> from sklearn.pipeline import make_pipeline
>>> from sklearn.preprocessing import StandardScaler
>>> from chainrule.estimators import MLPClassifier
>>> X, y = load_iris(return_X_y=True)
>>> model = make_pipeline(StandardScaler(), MLPClassifier(solver="lbfgs", alpha=1.0, random_state=0))
>>> model.fit(X, y).score(X, y) > 0.95
True
"""

from chainrule.errors import MissingExtraError

try:
    import sklearn as _sklearn  # noqa: F401 -- asked for here, so that the error is one sentence
except ImportError:
    raise MissingExtraError("chainrule.estimators", library="scikit-learn", extra="sklearn") from None

from chainrule.estimators.classifier import MLPClassifier
from chainrule.estimators.options import Architecture, TrainingOptions
from chainrule.estimators.regressor import MLPRegressor

__all__ = ["Architecture", "MLPClassifier", "MLPRegressor", "TrainingOptions"]
