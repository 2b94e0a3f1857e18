"""Who takes part in a race, each with the settings in which it may be at its best."""

from __future__ import annotations

import os

from benchmarks.racing import Peer

BY_HAND = Peer("NumPy by hand", "numpy_by_hand", "numpy")
OTHERS = [
    Peer("scikit-learn", "scikit_learn", "sklearn"),
    Peer("torch, eager", "torch_eager", "torch"),
    Peer("jax, jit + scan", "jax_scan", "jax"),
]

CHAINRULE, JAX, TORCH, NUMPY = "chainrule", "jax", "torch", "NumPy by hand"
"""The families: the part of a name before the comma."""
ONE_CORE, ALL_CORES = "1 core", "all cores"

_ONE_BLAS_THREAD = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
_ONE_XLA_THREAD = {"NPROC": "1", "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false"}


def engines() -> list[Peer]:
    """This library with each of its engines."""
    from chainrule.engines.choose import ENGINES

    return [Peer(f"chainrule, {name}", "ours", "chainrule", options={"engine": name}) for name in ENGINES]


def steppers() -> list[Peer]:
    """All who take steps: this library first, as a person gets it, then peers from the largest to the smallest.

    More threads than one are as many as there are cores; 1 besides, since small steps lose by a second one.
    """
    many = os.cpu_count() or 1
    native = [
        Peer(_threads("chainrule, native", n), "ours", "chainrule", options={"threads": n}, swift=True)
        for n in sorted({1, many})
    ]
    return [
        Peer("chainrule, auto", "ours", "chainrule", swift=True),
        *native,
        Peer("chainrule, reference", "ours", "chainrule", options={"engine": "reference"}),
        Peer("chainrule, Network.fit", "ours", "chainrule", "fit", {"engine": "auto"}),
        Peer("jax, steps gathered before", "jax_scan", "jax", options={"gather": True}, swift=True),
        Peer("jax", "jax_scan", "jax", swift=True),
        Peer("jax, unroll 8", "jax_scan", "jax", options={"unroll": 8}, swift=True),
        Peer("jax, 1 thread", "jax_scan", "jax", environment=_ONE_XLA_THREAD, swift=True),
        Peer("jax, 1 thread, unroll 8", "jax_scan", "jax", "", {"unroll": 8}, environment=_ONE_XLA_THREAD, swift=True),
        Peer("torch, eager", "torch_eager", "torch"),
        Peer("torch, eager, 1 thread", "torch_eager", "torch", options={"threads": 1}),
        Peer("torch, compiled", "torch_compiled", "torch"),
        Peer("torch, compiled, 1 thread", "torch_compiled", "torch", options={"threads": 1}),
        BY_HAND,
        Peer("NumPy by hand, 1 thread", "numpy_by_hand", "numpy", environment=_ONE_BLAS_THREAD),
        OTHERS[0],
    ]


def multipliers() -> list[Peer]:
    """The matrix product on one core and on all: the peak of the machine."""
    return [
        Peer(ONE_CORE, "matrix_product", "numpy", "multiply", environment=_ONE_BLAS_THREAD),
        Peer(ALL_CORES, "matrix_product", "numpy", "multiply"),
    ]


def _threads(name: str, count: int) -> str:
    return f"{name}, {count} thread{'s' * (count > 1)}"
