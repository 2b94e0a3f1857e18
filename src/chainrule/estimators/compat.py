"""What differs between the versions of scikit-learn, from 1.5 on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

try:
    from sklearn.callback import CallbackSupportMixin, with_callbacks
except ImportError:  # before 1.9

    class CallbackSupportMixin:  # type: ignore[no-redef] # the place of the one above
        """Before scikit-learn 1.9 there are no callbacks."""

    _Method = TypeVar("_Method", bound="Callable[..., Any]")

    def with_callbacks(method: _Method) -> _Method:
        """The method itself."""
        return method


__all__ = ["CallbackSupportMixin", "validated", "with_callbacks"]


def validated(estimator: Any, X: Any, y: Any = None, **options: Any) -> Any:
    """X, or X and y where one is given, as arrays; `n_features_in_` and `feature_names_in_` are set or compared."""
    try:
        from sklearn.utils.validation import validate_data
    except ImportError:  # before 1.6 it was a method
        check = estimator._validate_data  # noqa: SLF001
    else:
        check = lambda *arrays, **given: validate_data(estimator, *arrays, **given)  # noqa: E731 -- either of two
    return check(X, **options) if y is None else check(X, y, **options)
