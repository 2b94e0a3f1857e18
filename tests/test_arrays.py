"""The counter-based hash as a source of randomness, and the number types. Seeds are fixed: no test can flicker."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.stats

from chainrule.arrays import bernoulli, check_dtype, hash_int, hash_words, namespace, random_words, total
from chainrule.errors import ArgumentError
from chainrule.layers import Mode

N = 1 << 18
SURE = 1e-4  # of a p-value: what is random falls below it once in 10,000 such tests


def words(n=N, *, seed=7, stream=2, step=11):
    return random_words(np, (n,), seed=seed, stream=stream, step=step)


def bits(numbers):
    """The 32 bits of each word, ``(n, 32)``."""
    return (numbers[:, None] >> np.arange(32, dtype=np.uint32)) & 1


# ---- the words are random -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", [0, 1, 2**32 - 1, 2**40])
def test_every_bit_is_balanced(seed):
    ones = bits(words(seed=seed)).sum(axis=0)
    p = 2 * scipy.stats.norm.sf(np.abs(ones - N / 2) / np.sqrt(N / 4))
    assert p.min() > SURE / 32


@pytest.mark.parametrize("shift", [24, 12, 0], ids=["high bits", "middle bits", "low bits"])
def test_all_values_are_as_frequent(shift):
    counts = np.bincount((words() >> shift) & 0xFF, minlength=256)
    assert SURE < scipy.stats.chisquare(counts).pvalue < 1 - SURE


def test_the_words_are_uniform():
    assert scipy.stats.kstest(words() / 2**32, "uniform").pvalue > SURE


def test_pairs_of_neighbours_fill_the_square():
    high = words() >> 27
    pairs = np.bincount(high[:-1] * 32 + high[1:], minlength=1024)
    assert scipy.stats.chisquare(pairs).pvalue > SURE


def test_runs_are_as_long_as_they_should_be():
    """Wald and Wolfowitz: the number of runs above and below the middle."""
    above = words() >= 1 << 31
    n1, n2 = above.sum(), (~above).sum()
    runs = 1 + np.sum(above[1:] != above[:-1])
    mean = 1 + 2 * n1 * n2 / N
    z = (runs - mean) / np.sqrt((mean - 1) * (mean - 2) / (N - 1))
    assert 2 * scipy.stats.norm.sf(abs(z)) > SURE


@pytest.mark.parametrize("lag", [1, 2, 3, 8, 64, 256])
def test_no_correlation_with_later_words(lag):
    numbers = words() / 2**32
    assert scipy.stats.pearsonr(numbers[:-lag], numbers[lag:]).pvalue > SURE


@pytest.mark.parametrize(
    "other",
    [
        {"step": 12},
        {"step": 10},
        {"stream": 3},
        {"seed": 8},
        {"seed": 7 + 2**32},
        {"seed": 2, "stream": 7},
        {"step": 2, "stream": 11},
    ],
    ids=str,
)
def test_no_correlation_between(other):
    ours, theirs = words(), words(**other)
    assert scipy.stats.pearsonr(ours / 2**32, theirs / 2**32).pvalue > SURE
    differing = np.sum(bits(ours ^ theirs), axis=0)
    assert (2 * scipy.stats.norm.sf(np.abs(differing - N / 2) / np.sqrt(N / 4))).min() > SURE / 32
    assert abs(np.sum(ours == theirs)) <= 2  # by chance, one in 2^32 each


def test_a_place_over_many_steps_is_random_too():
    """What a unit sees: its own word in step after step, row 0."""
    series = np.array([random_words(np, (3,), seed=0, stream=5, step=step)[1] for step in range(20_000)])
    counts = np.bincount(series >> 26, minlength=64)
    assert scipy.stats.chisquare(counts).pvalue > SURE
    assert scipy.stats.pearsonr(series[:-1] / 2**32, series[1:] / 2**32).pvalue > SURE


def test_the_streams_of_a_network_are_random_among_each_other():
    streams = [Mode().child(i).stream for i in range(200)] + [
        Mode().child(i).child(j).stream for i in range(40) for j in range(40)
    ]
    assert len(set(streams)) == len(streams)
    first = np.array([random_words(np, (1,), seed=0, stream=stream, step=0)[0] for stream in streams])
    assert scipy.stats.chisquare(np.bincount(first >> 28, minlength=16)).pvalue > SURE


def test_hashing_is_a_bijection_in_which_every_bit_moves_half_of_the_others():
    inputs = np.arange(N, dtype=np.uint32)
    outputs = hash_words(np, inputs)
    assert len(np.unique(outputs)) == N
    for bit in range(32):
        flipped = hash_words(np, inputs ^ np.uint32(1 << bit)) ^ outputs
        assert bits(flipped[: N // 16]).mean(axis=0) == pytest.approx(np.full(32, 0.5), abs=0.1)


# ---- and depend on nothing but what they are given ------------------------------------------------------------------


def test_shape_and_length_do_not_matter():
    np.testing.assert_array_equal(words(12), words(12))
    np.testing.assert_array_equal(random_words(np, (3, 4), seed=7, stream=2, step=11).reshape(-1), words(12))
    np.testing.assert_array_equal(words(100)[:12], words(12))
    assert random_words(np, (0, 4), seed=0, stream=0, step=0).shape == (0, 4)


def test_the_words_are_the_same_for_ever():
    """Engines in other languages make the same ones, and old runs must stay repeatable: never change these."""
    assert words(4).tolist() == [3770099983, 3894758436, 3768635048, 1528978462]
    assert hash_int(1, 2, 3) == 1308084459


def test_the_words_by_plain_whole_numbers():
    """The formula once more without arrays, as an engine in another language has it."""

    def mix(word):
        word ^= word >> 16
        word = word * 0x7FEB352D & 0xFFFFFFFF
        word ^= word >> 15
        word = word * 0x846CA68B & 0xFFFFFFFF
        return word ^ (word >> 16)

    k1, k2 = (hash_int(7, 7 >> 32, 2, 11, which) for which in (1, 2))
    assert words(50).tolist() == [mix(mix((i + k1) & 0xFFFFFFFF) ^ k2) for i in range(50)]


def test_hash_int_knows_order_and_number():
    values = {hash_int(*numbers) for numbers in [(), (0,), (0, 0), (1,), (1, 0), (0, 1), (2**32,), (-1,)]}
    assert len(values) == 7  # 2^32 is 0 in 32 bits; `random_words` hands on the upper half of a seed by itself
    assert all(0 <= value < 2**32 for value in values)


@pytest.mark.parametrize("probability", [0.0, 1e-3, 0.3, 0.999, 1.0])
def test_bernoulli(probability):
    share = bernoulli(np, (N,), probability, seed=1, stream=1, step=1).mean()
    assert share == pytest.approx(probability, abs=4 * np.sqrt(probability * (1 - probability) / N) + 1e-9)


# ---- number types and namespaces ------------------------------------------------------------------------------------


@pytest.mark.parametrize("given", ["float32", np.float32, np.dtype("float32"), "f4"])
def test_dtypes(given):
    assert check_dtype(given, where="x") == "float32"


@pytest.mark.parametrize("wrong", ["float16", "int64", int, "double precision", None, 3, object()])
def test_other_dtypes_are_refused(wrong):
    with pytest.raises(ArgumentError, match=r"^Network: dtype: expected float32 or float64"):
        check_dtype(wrong, where="Network")


def test_namespace_and_total():
    X = np.arange(6.0).reshape(2, 3)
    assert namespace(X) is np
    assert total(X) == 15
    np.testing.assert_array_equal(total(X, axis=0), [3, 5, 7])
    np.testing.assert_array_equal(total(X, axis=1, keepdims=True), [[3], [12]])
