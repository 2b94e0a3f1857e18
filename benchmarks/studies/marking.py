"""How often marking is right: ``python -m benchmarks.studies.marking [--cases N] [--seed N]``.

Students of `planted` and `planted_layers` with one mistake each, on random networks: at least 95 % of the mistakes
that show must be recognised, at most 1 % may be taken for another, and students without a mistake are never called
wrong. Then students with two mistakes, of whom the same is told.
"""

from __future__ import annotations

import argparse
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

import chainrule as cr
from benchmarks.studies.homework import Student, Task
from benchmarks.studies.layered_homework import Layered
from benchmarks.studies.planted import PLANTED
from benchmarks.studies.planted_layers import PLANTED_LAYERS
from chainrule.activations import names as activation_names
from chainrule.losses import get
from chainrule.losses import names as loss_names

if TYPE_CHECKING:
    from collections.abc import Iterator

OPTIMIZERS: tuple[Any, ...] = (
    cr.SGD(0.5),
    cr.SGD(0.1),
    cr.SGD(0.05, momentum=0.9, nesterov=True),
    cr.Adam(0.01),
    cr.RMSProp(0.01),
    cr.Adagrad(0.05),
    cr.AdamW(0.01),
)


class Case(NamedTuple):
    """A student's numbers and what marking said of them: which mistakes fit; None where it found none wrong."""

    known_as: tuple[str, ...]
    fits: list[str] | None
    about: str


def task(rng: np.random.Generator, *, layered: bool = False) -> Task:
    """A random network of dense layers, with something behind them where asked; rows, targets, an optimizer."""
    widths = [int(n) for n in rng.integers(1, 5, size=rng.integers(1, 4))]
    widths = [widths[0]] * len(widths) if rng.random() < 0.5 else widths  # square matrices, where shapes hide mistakes
    hidden = [name for name in activation_names() if name != "softmax"]
    loss, O, B = str(rng.choice(loss_names())), int(rng.integers(1, 5)), int(rng.integers(1, 9))
    O = max(O, 2) if loss == "cross_entropy" else O
    last = {
        "cross_entropy": str(rng.choice(["softmax", "softmax", "sigmoid"])),
        "binary_cross_entropy": str(rng.choice(["sigmoid", "sigmoid", "softmax" if O > 1 else "sigmoid"])),
        "poisson": str(rng.choice(["softplus", "sigmoid"])),
    }.get(loss, str(rng.choice(activation_names() if O > 1 else hidden)))
    layers: list[Any] = [cr.Dense(n, str(rng.choice(hidden))) for n in widths]
    reduction = "mean" if rng.random() < 0.8 else "sum"
    I = widths[0] if rng.random() < 0.5 else int(rng.integers(1, 5))
    chosen = type(get(loss))(reduction=reduction)
    if layered:
        same = [False, *(one == other for one, other in pairwise(widths))]
        layers = [part for layer, past in zip(layers, same, strict=True) for part in _around(rng, layer, past=past)]
    penalties = {"l1": 0.02, "l2": 0.1} if rng.random() < 0.25 else {}
    net = cr.Network([*layers, cr.Dense(O, last)], chosen, dtype="float64", n_inputs=I, **penalties)
    net.theta[...] = rng.normal(size=net.theta.size) * 0.8
    for name in (name for name in net.parameters if name.endswith(".variance")):
        net.parameters[name] = rng.uniform(0.5, 2, size=net.parameters[name].shape)
    optimizer = OPTIMIZERS[rng.integers(len(OPTIMIZERS))]
    w = np.round(rng.uniform(0.2, 3, size=B), 2) if rng.random() < 0.25 and not layered else None
    return Task(net, rng.normal(size=(B, I)), *_targets(rng, loss, (B, O)), optimizer, w)


def _around(rng: np.random.Generator, dense: cr.Dense, *, past: bool) -> list[Any]:
    """A dense layer, perhaps with a connection past it where shapes allow it, and what stands behind it."""
    past = past and rng.random() < 0.6
    behind = [[cr.BatchNorm()], [cr.LayerNorm()], [cr.Dropout(float(rng.choice([0.2, 0.4])))], []][rng.integers(4)]
    return [cr.Residual([dense]) if past else dense, *behind]


def _targets(rng: np.random.Generator, loss: str, shape: tuple[int, int]) -> tuple[Any, Any]:
    """As the loss takes them, and as a matrix."""
    B, O = shape
    if loss == "cross_entropy":
        y = rng.integers(O, size=B)
        return y, np.eye(O)[y]
    T = rng.normal(size=shape)
    if loss == "binary_cross_entropy":
        T = rng.integers(0, 2, size=shape).astype(float)
        return (T[:, 0].astype(int) if O == 1 else T), T
    if loss == "poisson":
        T = rng.integers(0, 6, size=shape).astype(float)
    return T, T


def written(numbers: dict[str, Any], rng: np.random.Generator) -> dict[str, Any]:
    """As the student hands it in: some decimals or all, everything or a part, one way round or the other."""
    digits = [None, None, 6, 5, 4][rng.integers(5)]
    names = [name for name in numbers if rng.random() < 0.8] if rng.random() < 0.3 else list(numbers)
    turn = rng.random() < 0.15
    found = {}
    for name in names:
        values = np.asarray(numbers[name])
        values = values if digits is None else np.round(values, digits)
        found[name] = values.T if turn and values.ndim == 2 else values
    return found


def _two(rng: np.random.Generator) -> type[Student]:
    """A student with two mistakes in different places."""
    one, other = (PLANTED[i] for i in rng.choice(len(PLANTED), size=2, replace=False))
    if set(vars(one)) & set(vars(other)) & set(vars(Student)) - {"known_as", "__module__", "__doc__"}:
        return _two(rng)
    return type("Two", (one, other), {"known_as": tuple(f"{a} + {b}" for a in one.known_as for b in other.known_as)})


def cases(count: int, seed: int, *, right: bool = False, two: bool = False, layered: bool = False) -> Iterator[Case]:
    """Students one after the other, each mistake in turn, or any two of them; or students without one."""
    made = tried = 0
    kinds, base = (PLANTED_LAYERS, Layered) if layered else (PLANTED, Student)
    order = np.random.default_rng(seed).permutation(len(kinds))
    while made < count:
        rng = np.random.default_rng([seed, tried])
        kind = base if right else _two(rng) if two else kinds[order[tried % len(kinds)]]
        tried += 1
        case = _case(rng, kind, base, right=right)
        if case is not None:
            made += 1
            yield case._replace(about=f"case {tried - 1}: {case.about}")


def _case(rng: np.random.Generator, kind: type[Student], base: type[Student], *, right: bool) -> Case | None:
    """A student of this kind, marked; None where the mistake does not show."""
    given = task(rng, layered=base is Layered)
    student = kind(given)
    student.only = int(rng.integers(1, student.L + 1)) if rng.random() < 0.3 else None
    with np.errstate(all="ignore"):
        numbers, exact = student.numbers(), base(given).numbers()
    if not all(np.isfinite(values).all() for values in (*numbers.values(), *exact.values())):
        return None
    shows = any(np.shape(v) != np.shape(exact[n]) or not np.allclose(v, exact[n], rtol=1e-6, atol=1e-9)
                for n, v in numbers.items())  # fmt: skip
    answers = written(numbers, rng)
    if not answers or shows == right:
        return None
    net, X, y, _, optimizer, w = given
    about = f"{_words(net)} {net.loss.name} B={len(X)}"
    try:
        marked = cr.mark(net, X, y, answers, optimizer=optimizer, sample_weight=w)
    except cr.ShapeError:  # of a shape that no mistake known makes
        return Case(kind.known_as, [], about)
    if marked.ok and not right and _same(answers, exact):
        return None  # it does not show in what was handed in
    fits = None if marked.ok else [" + ".join(m.mistake.name for m in fit.made) for fit in marked.fits]
    return Case(kind.known_as, fits, about)


def _words(net: cr.Network) -> str:
    return "-".join(layer.f.name if isinstance(layer, cr.Dense) else layer.kind for layer in net.layers)


def _same(answers: dict[str, Any], exact: dict[str, Any]) -> bool:
    """Whether right numbers, rounded as these are, look the same, either way round."""
    for name, values in answers.items():
        right = np.asarray(exact[name])
        right = right if right.shape == values.shape else right.T
        if not np.allclose(values, right, rtol=1e-6, atol=6e-5) and not np.allclose(values, right.T, atol=6e-5):
            return False
    return True


def recognised(case: Case) -> bool:
    """Whether the mistake is among those that fit; of two also one, where it alone gives the same numbers."""
    named = {frozenset(fit.split(" + ")) for fit in case.fits or ()}
    return any(fit <= frozenset(name.split(" + ")) for name in case.known_as for fit in named)


def mistaken(case: Case) -> bool:
    """Whether another mistake was named, and not the one that was made."""
    return bool(case.fits) and not recognised(case)


def tell(title: str, made: list[Case]) -> None:
    """The rates, and every case that was not recognised."""
    for case in made:
        if not recognised(case):
            print(f"  {case.about}: {case.known_as[0]}: {_taken_for(case)}")
    count = len(made)
    print(f"{title}: {count} students with {len({case.known_as for case in made})} mistakes")
    print(f"  recognised         {sum(map(recognised, made)) / count:7.2%}")
    print(f"    as the only one  {sum(recognised(c) and len(c.fits or ()) == 1 for c in made) / count:7.2%}")
    print(f"  taken for another  {sum(map(mistaken, made)) / count:7.2%}")
    print(f"  none known         {sum(c.fits == [] for c in made) / count:7.2%}")
    print(f"  called right       {sum(c.fits is None for c in made) / count:7.2%}", flush=True)


def _taken_for(case: Case) -> str:
    if case.fits is None:
        return "called right"
    return f"taken for {case.fits[:3]}" if case.fits else "none known"


def main() -> None:
    """Print the rates."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=600)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    count, seed = options.cases, options.seed
    tell("one mistake, dense layers", list(cases(count, seed)))
    tell("one mistake in a norm, dropout or residual connection", list(cases(count // 3, seed, layered=True)))
    tell("two mistakes, dense layers", list(cases(count // 6, seed, two=True)))
    for words, layered in (("dense layers", False), ("with norms, dropout, residual connections", True)):
        good = list(cases(count // 4, seed, right=True, layered=layered))
        print(f"right ones called wrong, {words}: {sum(case.fits is not None for case in good)} of {len(good)}")
        for case in good:
            if case.fits is not None:
                print(f"  {case.about}: {case.fits[:3]}")


if __name__ == "__main__":
    main()
