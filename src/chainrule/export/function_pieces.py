"""The functions that generated C and JavaScript are written with; a source gets those that it calls."""

from __future__ import annotations

import re


def needed(pieces: str, text: str) -> list[str]:
    r"""Those functions of a text of pieces that another text calls, and those that they call, in their order.

    >>> needed("function one() {}\n\nfunction two() {}", "two()")
    ['function two() {}']
    """
    by_name = {_name(piece): piece for piece in pieces.strip().split("\n\n")}
    found: set[str] = set()
    waiting = [text]
    while waiting:
        words = set(re.findall(r"\w+", waiting.pop()))
        fresh = (words & set(by_name)) - found
        found |= fresh
        waiting.extend(by_name[name] for name in fresh)
    return [piece for name, piece in by_name.items() if name in found]


def _name(piece: str) -> str:
    """The word before the first bracket that does not stand in the comment above the function."""
    match = re.search(r"^(?:static|function) .*?(\w+)\(", piece, re.MULTILINE)
    assert match is not None  # noqa: S101 -- every piece below is one function
    return match.group(1)


C_PIECES = """
/* z = x W + b: x (I), W (I, O) row by row, b and z (O) */
static void linear(const float *x, int I, const float *W, const float *b, float *z, int O)
{
    for (int o = 0; o < O; o++) z[o] = b[o];
    for (int i = 0; i < I; i++)
        for (int o = 0; o < O; o++) z[o] += x[i] * W[i * O + o];
}

/* z = x W: x (I), W (I, O) row by row, z (O) */
static void linear_without_bias(const float *x, int I, const float *W, float *z, int O)
{
    for (int o = 0; o < O; o++) z[o] = 0.0f;
    for (int i = 0; i < I; i++)
        for (int o = 0; o < O; o++) z[o] += x[i] * W[i * O + o];
}

/* y_k = exp(z_k) / sum_j exp(z_j), less the largest z first, which changes nothing but overflow; y may be z */
static void softmax(const float *z, float *y, int K)
{
    float largest = z[0], sum = 0.0f;
    for (int k = 1; k < K; k++) largest = fmaxf(largest, z[k]);
    for (int k = 0; k < K; k++) {
        y[k] = expf(z[k] - largest);
        sum += y[k];
    }
    for (int k = 0; k < K; k++) y[k] /= sum;
}

/* h = (x - mean) / std, over the entries of x, std = sqrt(variance + epsilon); h may be x. Gives 1 / std. */
static float normalize(const float *x, float *h, int I, float epsilon)
{
    float mean = 0.0f, variance = 0.0f;
    for (int i = 0; i < I; i++) mean += x[i] / (float)I;
    for (int i = 0; i < I; i++) variance += (x[i] - mean) * (x[i] - mean) / (float)I;
    const float inverse = 1.0f / sqrtf(variance + epsilon);
    for (int i = 0; i < I; i++) h[i] = (x[i] - mean) * inverse;
    return inverse;
}

/* dx = dz W^T */
static void linear_backward(const float *W, const float *dz, int O, float *dx, int I)
{
    for (int i = 0; i < I; i++) {
        dx[i] = 0.0f;
        for (int o = 0; o < O; o++) dx[i] += W[i * O + o] * dz[o];
    }
}

/* dz_j = y_j (dy_j - sum_k dy_k y_k), the Jacobian of softmax applied to dy */
static void softmax_backward(const float *y, const float *dy, float *dz, int K)
{
    float mixed = 0.0f;
    for (int k = 0; k < K; k++) mixed += dy[k] * y[k];
    for (int k = 0; k < K; k++) dz[k] = y[k] * (dy[k] - mixed);
}

/* dx = (dh - mean dh - h * mean (dh * h)) / std, from dh and h = (x - mean) / std */
static void normalize_backward(const float *dh, const float *h, float inverse, float *dx, int I)
{
    float mean = 0.0f, mixed = 0.0f;
    for (int i = 0; i < I; i++) mean += dh[i] / (float)I;
    for (int i = 0; i < I; i++) mixed += dh[i] * h[i] / (float)I;
    for (int i = 0; i < I; i++) dx[i] = (dh[i] - mean - h[i] * mixed) * inverse;
}

/* -log of the probability of the true class: log sum_k exp(z_k) - sum_k t_k z_k */
static float softmax_cross_entropy(const float *z, const float *t, int K)
{
    float largest = z[0], sum = 0.0f, chosen = 0.0f;
    for (int k = 1; k < K; k++) largest = fmaxf(largest, z[k]);
    for (int k = 0; k < K; k++) sum += expf(z[k] - largest);
    for (int k = 0; k < K; k++) chosen += t[k] * (z[k] - largest);
    return logf(sum) - chosen;
}

/* a 32-bit word in which each bit depends on every bit of the one that came */
static uint32_t mix(uint32_t word)
{
    word = (word ^ (word >> 16)) * 0x7FEB352Du;
    word = (word ^ (word >> 15)) * 0x846CA68Bu;
    return word ^ (word >> 16);
}

/* one 32-bit word from several */
static uint32_t key(const uint32_t *words, int count)
{
    uint32_t state = 0;
    for (int i = 0; i < count; i++) state = mix(state * 0x9E3779B1u + words[i] + 0x7F4A7C15u);
    return state;
}

/* y = x * mask, mask 0 with probability rate, else 1 / (1 - rate): a hash of seed, layer, step and place */
static void dropout(
    const float *x, float *mask, float *y, int I, uint32_t kept, float factor, uint32_t layer, uint32_t step)
{
    const uint32_t first[] = {SEED_LOW, SEED_HIGH, layer, step, 1}, second[] = {SEED_LOW, SEED_HIGH, layer, step, 2};
    const uint32_t k1 = key(first, 5), k2 = key(second, 5);
    for (int i = 0; i < I; i++) {
        mask[i] = mix(mix((uint32_t)i + k1) ^ k2) < kept ? factor : 0.0f;
        y[i] = x[i] * mask[i];
    }
}
"""

JAVASCRIPT_PIECES = """
/** z = x W + b: x (I), W (I, O) row by row, b and z (O). */
function linear(x, W, b) {
  const z = b.slice();
  const O = z.length;
  for (let o = 0; o < O; o++) {
    let sum = z[o];
    for (let i = 0; i < x.length; i++) sum += x[i] * W[i * O + o];
    z[o] = sum;
  }
  return z;
}

/** y_k = exp(z_k) / sum_j exp(z_j); the largest z is taken off first, which changes nothing but overflow. */
function softmax(z) {
  const largest = z.reduce((a, b) => Math.max(a, b));
  const y = z.map((each) => Math.exp(each - largest));
  const sum = y.reduce((a, b) => a + b);
  return y.map((each) => each / sum);
}

/** (x - mean) / sqrt(variance + epsilon), mean and variance over the entries of x. */
function normalize(x, epsilon) {
  const mean = x.reduce((a, b) => a + b) / x.length;
  const variance = x.reduce((sum, each) => sum + (each - mean) ** 2, 0) / x.length;
  return x.map((each) => (each - mean) / Math.sqrt(variance + epsilon));
}
"""
