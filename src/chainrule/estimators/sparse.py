"""A sparse X stays sparse: the products of the first layer are SciPy's, all others those of the reference engine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from chainrule.layers import Dense

if TYPE_CHECKING:
    from chainrule.arrays import Floats
    from chainrule.layers import Layer

_FILLED = 0.1  # of the entries: with more of them the native engine on dense rows is faster than SciPy's products


class SparseRows:
    """Rows ``(N, I)`` of a sparse matrix as a dense layer reads them: ``X W`` and ``X^T dZ``, both dense.

    Args:
        matrix: in SciPy's CSR format; in CSC as its transpose.
    """

    def __init__(self, matrix: Any) -> None:
        self.matrix = matrix
        self.shape: tuple[int, int] = matrix.shape
        self.dtype: np.dtype[Any] = matrix.dtype

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows: Any) -> SparseRows:
        return SparseRows(self.matrix[rows])

    def __matmul__(self, W: Floats) -> Floats:
        product: Floats = self.matrix @ W
        return product

    @property
    def T(self) -> SparseRows:  # noqa: N802 -- as arrays call it
        """The transpose."""
        return SparseRows(self.matrix.T)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Floats:
        """All of it, dense; only where a fault is looked for, in the rows of one step."""
        dense: Floats = self.matrix.toarray()
        return dense.astype(dtype or dense.dtype, copy=bool(copy))


def is_sparse(X: Any) -> bool:
    """Whether it is one of SciPy's sparse matrices or arrays."""
    return hasattr(X, "toarray")


def takes_sparse(first: Layer) -> bool:
    """Whether a network that begins with this layer can read `SparseRows`."""
    return isinstance(first, Dense)


def rows_of(X: Any, dtype: Any, *, may_stay: bool) -> Any:
    """A sparse X as `SparseRows`, where that may be and a tenth of it at most is filled, else as a dense array."""
    if may_stay and X.nnz <= _FILLED * X.shape[0] * X.shape[1]:
        return SparseRows(X.tocsr().astype(dtype, copy=False))
    return np.ascontiguousarray(X.toarray(), dtype=dtype)
