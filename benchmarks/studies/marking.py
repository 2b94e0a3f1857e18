"""How often marking is right: ``python -m benchmarks.studies.marking [--cases N] [--seed N]``.

Students of `homework` with one mistake each, on random networks: at least 95 % of the mistakes that show must be
recognised, at most 1 % may be taken for another, and students without a mistake are never called wrong.
"""

from __future__ import annotations

import argparse
from collections import Counter
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

import chainrule as cr
from benchmarks.studies.homework import PLANTED, Student
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


def network(rng: np.random.Generator) -> tuple[cr.Network, Any, Any, Any]:
    """A random network of dense layers; inputs, targets as its loss takes them, and as a matrix."""
    widths = [int(n) for n in rng.integers(1, 5, size=rng.integers(1, 4))]
    widths = [widths[0]] * len(widths) if rng.random() < 0.5 else widths  # square matrices, where shapes hide mistakes
    hidden = [name for name in activation_names() if name != "softmax"]
    loss, O, B = str(rng.choice(loss_names())), int(rng.integers(1, 5)), int(rng.integers(1, 9))
    O = max(O, 2) if loss == "cross_entropy" else O
    last = {
        "cross_entropy": "softmax",
        "binary_cross_entropy": "sigmoid",
        "poisson": str(rng.choice(["softplus", "sigmoid"])),
    }.get(loss, str(rng.choice(activation_names() if O > 1 else hidden)))
    layers = [cr.Dense(n, str(rng.choice(hidden))) for n in widths]
    reduction = "mean" if rng.random() < 0.8 else "sum"
    I = widths[0] if rng.random() < 0.5 else int(rng.integers(1, 5))
    chosen = type(get(loss))(reduction=reduction)
    net = cr.Network([*layers, cr.Dense(O, last)], chosen, dtype="float64", n_inputs=I)
    net.theta[...] = rng.normal(size=net.theta.size) * 0.8
    X = rng.normal(size=(B, I))
    if loss == "cross_entropy":
        y = rng.integers(O, size=B)
        return net, X, y, np.eye(O)[y]
    T = rng.normal(size=(B, O))
    if loss == "binary_cross_entropy":
        T = rng.integers(0, 2, size=(B, O)).astype(float)
    elif loss == "poisson":
        T = rng.integers(0, 6, size=(B, O)).astype(float)
    return net, X, (T[:, 0].astype(int) if loss == "binary_cross_entropy" and O == 1 else T), T


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


def cases(count: int, seed: int, *, right: bool = False, two: bool = False) -> Iterator[Case]:
    """Students one after the other, each mistake in turn, or any two of them; or students without one."""
    made = tried = 0
    while made < count:
        rng = np.random.default_rng([seed, tried])
        kind = Student if right else _two(rng) if two else PLANTED[tried % len(PLANTED)]
        tried += 1
        net, X, y, T = network(rng)
        optimizer = OPTIMIZERS[rng.integers(len(OPTIMIZERS))]
        student = kind(net, X, T, optimizer)
        student.only = int(rng.integers(1, student.L + 1)) if rng.random() < 0.3 else None
        with np.errstate(all="ignore"):
            numbers, exact = student.numbers(), Student(net, X, T, optimizer).numbers()
        if not all(np.isfinite(values).all() for values in numbers.values()):
            continue
        shows = any(not np.allclose(numbers[n], exact[n], rtol=1e-6, atol=1e-9) for n in exact)
        answers = written(numbers, rng)
        if not answers or shows == right:
            continue
        marked = cr.mark(net, X, y, answers, optimizer=optimizer)
        if marked.ok and not right and _same(answers, exact):
            continue  # it does not show in what was handed in
        made += 1
        fits = None if marked.ok else [" + ".join(m.mistake.name for m in fit.made) for fit in marked.fits]
        about = f"case {tried - 1}: {'-'.join(layer.f.name for layer in net.layers)} {net.loss.name} B={len(X)}"
        yield Case(kind.known_as, fits, about)


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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=600)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    made = list(cases(options.cases, options.seed))
    missed: Counter[str] = Counter(case.known_as[0] for case in made if not recognised(case))
    for case in made:
        if not recognised(case):
            print(f"  {case.about}: {case.known_as[0]} was taken for {case.fits[:3] if case.fits else case.fits}")
    alone = sum(recognised(case) and len(case.fits or ()) == 1 for case in made)
    print(f"{len(PLANTED)} mistakes, {len(made)} students; missed: {dict(missed)}")
    print(f"recognised        {sum(map(recognised, made)) / len(made):7.2%}   (at least 95 %)")
    print(f"  as the only one {alone / len(made):7.2%}")
    print(f"taken for another {sum(map(mistaken, made)) / len(made):7.2%}   (at most 1 %)")
    pairs = list(cases(options.cases // 6, options.seed, two=True))
    print(f"two mistakes recognised {sum(map(recognised, pairs)) / len(pairs):.1%} of {len(pairs)};", end=" ")
    print(f"taken for others {sum(map(mistaken, pairs)) / len(pairs):.1%}")
    good = list(cases(options.cases // 2, options.seed, right=True))
    print(f"right ones called wrong: {sum(case.fits is not None for case in good)} of {len(good)}")
    for case in good:
        if case.fits is not None:
            print(f"  {case.about}: {case.fits[:3]}")


if __name__ == "__main__":
    main()
