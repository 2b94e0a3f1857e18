"""Made tables that resemble two which everybody knows: numbers, categories, missing values and a noisy rule.

Nothing is downloaded: every column is drawn from a seed, with shares and ranges near those of the originals, and the
target from a logistic rule of the columns (with interactions, as in life), so that the best accuracy that any method
can reach is known: the mean of max(p, 1 - p).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt
    import polars as pl

    Numbers = npt.NDArray[np.float64]
    Texts = npt.NDArray[np.str_]


class Made(NamedTuple):
    """A table, and the accuracy of whoever knows the rule that made it."""

    frame: pl.DataFrame
    best_accuracy: float


def titanic_like(rows: int = 891, *, seed: int = 0) -> Made:
    """Passengers of a ship that sinks: class, sex, age (a fifth missing), relatives, fare, deck, port."""
    rng = np.random.default_rng([seed, 1912])
    pclass = rng.choice([1, 2, 3], rows, p=[0.24, 0.21, 0.55])
    male = rng.random(rows) < np.select([pclass == 1, pclass == 2], [0.56, 0.59], 0.71)
    age = np.clip(rng.normal(25 + 6.5 * (3 - pclass), 14, rows), 0.5, 80).round(1)
    sibsp = np.minimum(rng.poisson(0.25 + 0.6 * (age < 14)), 8)
    parch = np.minimum(rng.poisson(0.2 + 0.8 * (age < 14)), 6)
    fare = np.exp(rng.normal(np.select([pclass == 1, pclass == 2], [4.1, 2.9], 2.4), 0.5)) * (1 + 0.4 * (sibsp + parch))
    port = _choose(rng, rows, {"Southampton": 0.72, "Cherbourg": 0.19, "Queenstown": 0.09})
    deck = np.where(pclass == 1, rng.choice(list("ABCDE"), rows), rng.choice(list("DEFG"), rows))
    child = age < 14
    logit = (
        0.3 - 3.9 * male + np.select([pclass == 1, pclass == 2], [2.4, 1.9], 0.0) + 1.2 * (male & (pclass == 1))
        - 1.6 * (male & (pclass == 2)) + 3.0 * (child & male & (pclass < 3)) + 1.0 * child
        - 0.018 * (age - 30) - 1.1 * np.maximum(sibsp + parch - 2, 0) + 0.5 * (port == "Cherbourg")
    )  # fmt: skip
    columns = {
        "pclass": pclass,
        "name": [f"Passenger {i}" for i in range(1, rows + 1)],
        "sex": np.where(male, "male", "female"),
        "age": _missing(rng, age, 0.12 + 0.12 * (pclass == 3)),
        "sibsp": sibsp,
        "parch": parch,
        "fare": fare.round(2),
        "deck": _missing(rng, deck, np.select([pclass == 1, pclass == 2], [0.2, 0.92], 0.97)),
        "embarked": _missing(rng, port, 0.002),
    }
    return _made(rng, columns, 0.9 * logit, "survived", ("no", "yes"))


def adult_like(rows: int = 8_000, *, seed: int = 0) -> Made:
    """Answers to a census: does a person earn more than 50 thousand a year? Six numbers, eight categories."""
    rng = np.random.default_rng([seed, 1994])
    male = rng.random(rows) < 0.67
    age = np.clip(17 + rng.gamma(2.6, 8.4, rows), 17, 90).round()
    years = np.clip(rng.normal(10.1, 2.5, rows).round(), 1, 16).astype(int)
    education = np.array(_SCHOOLS)[years - 1]
    married = rng.random(rows) < _logistic(0.14 * (age - 33) - 0.0011 * (age - 33) ** 2 + 0.7 * male - 0.6)
    marital = np.where(married, "Married-civ-spouse", _choose(rng, rows, _UNMARRIED))
    spouse = np.where(male, "Husband", "Wife")
    relationship = np.where(married, spouse, _choose(rng, rows, _RELATIONS))
    trained, simple = _choose(rng, rows, _TRAINED), _choose(rng, rows, _SIMPLE)
    occupation = np.where(rng.random(rows) < _logistic(0.75 * (years - 10.3)), trained, simple)
    hours = np.clip(rng.normal(40 + 2.5 * male, 11, rows), 1, 99).round()
    hours = np.where(rng.random(rows) < 0.45, 40, hours)
    gain = np.where(rng.random(rows) < 0.083, np.exp(rng.normal(8.6, 0.9, rows)).round(), 0)
    loss = np.where(rng.random(rows) < 0.047, rng.normal(1870, 370, rows).round(), 0)
    country = np.where(rng.random(rows) < 0.9, "United-States", rng.choice([f"Country-{i}" for i in range(40)], rows))
    worth = np.array([_WORTH.get(str(name), 0.0) for name in occupation])
    logit = (
        -5.1 + 3.1 * married + 0.42 * (years - 10) + 1.3 * worth + 0.075 * np.minimum(age - 38, 14)
        - 0.06 * np.maximum(age - 58, 0) + 0.045 * (hours - 40) + 0.35 * married * worth
        + 6.5 * (gain > 5_000) - 2.0 * ((gain > 0) & (gain < 3_500)) + 2.6 * (np.abs(loss - 1_900) < 130)
    )  # fmt: skip
    workclass = _choose(rng, rows, _WORKCLASS)
    unknown = rng.random(rows) < 0.056
    columns = {
        "age": age.astype(int),
        "workclass": _missing(rng, workclass, unknown),
        "fnlwgt": np.exp(rng.normal(12.0, 0.5, rows)).astype(int),
        "education": education,
        "education_num": years,
        "marital_status": marital,
        "occupation": _missing(rng, occupation, unknown),
        "relationship": relationship,
        "race": _choose(rng, rows, _RACE),
        "sex": np.where(male, "Male", "Female"),
        "capital_gain": gain.astype(int),
        "capital_loss": loss.astype(int),
        "hours_per_week": hours.astype(int),
        "native_country": _missing(rng, country, 0.018),
    }
    return _made(rng, columns, 0.9 * logit, "income", ("<=50K", ">50K"))


_SCHOOLS = (
    "Preschool", "1st-4th", "5th-6th", "7th-8th", "9th", "10th", "11th", "12th", "HS-grad", "Some-college", "Assoc-voc",
    "Assoc-acdm", "Bachelors", "Masters", "Prof-school", "Doctorate",
)  # fmt: skip
_UNMARRIED = {"Never-married": 0.6, "Divorced": 0.26, "Separated": 0.06, "Widowed": 0.06, "Spouse-absent": 0.02}
_RELATIONS = {"Not-in-family": 0.48, "Own-child": 0.29, "Unmarried": 0.18, "Other-relative": 0.05}
_TRAINED = {"Prof-specialty": 0.4, "Exec-managerial": 0.37, "Tech-support": 0.09, "Sales": 0.14}
_SIMPLE = {
    "Craft-repair": 0.2, "Adm-clerical": 0.19, "Sales": 0.13, "Other-service": 0.17, "Machine-op-inspct": 0.1,
    "Transport-moving": 0.08, "Handlers-cleaners": 0.07, "Farming-fishing": 0.05, "Protective-serv": 0.01,
}  # fmt: skip
_WORTH = {
    "Exec-managerial": 1.0, "Prof-specialty": 0.8, "Tech-support": 0.6, "Sales": 0.4, "Protective-serv": 0.6,
    "Other-service": -1.0, "Handlers-cleaners": -0.8, "Farming-fishing": -1.1, "Machine-op-inspct": -0.4,
}  # fmt: skip
_WORKCLASS = {
    "Private": 0.74, "Self-emp-not-inc": 0.08, "Local-gov": 0.07, "State-gov": 0.04, "Self-emp-inc": 0.035,
    "Federal-gov": 0.03, "Without-pay": 0.005,
}  # fmt: skip
_RACE = {"White": 0.854, "Black": 0.096, "Asian-Pac-Islander": 0.032, "Amer-Indian-Eskimo": 0.01, "Other": 0.008}


def _made(
    rng: np.random.Generator, columns: dict[str, Any], logit: Numbers, name: str, labels: tuple[str, str]
) -> Made:
    """The table with its target, drawn with the probability that the rule gives."""
    import polars as pl

    p = _logistic(logit)
    target = np.where(rng.random(len(p)) < p, labels[1], labels[0])
    return Made(pl.DataFrame({**columns, name: target}), float(np.maximum(p, 1 - p).mean()))


def _logistic(z: Numbers) -> Numbers:
    return 1 / (1 + np.exp(-z))


def _choose(rng: np.random.Generator, rows: int, shares: dict[str, float]) -> Texts:
    weights = np.array(list(shares.values()))
    return rng.choice(list(shares), rows, p=weights / weights.sum())


def _missing(rng: np.random.Generator, values: Any, share: Any) -> list[Any]:
    """The values, None with that probability (a mask has probabilities 0 and 1)."""
    gone = rng.random(len(values)) < share
    return [None if away else value for value, away in zip(values.tolist(), gone, strict=True)]
