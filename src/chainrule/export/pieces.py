"""The functions of matrices that scripts are written with, in NumPy and in plain Python, under the same names.

A script gets those that it calls, and those that they call in turn.
"""

from __future__ import annotations

import ast
from functools import cache


@cache
def functions_of(source: str) -> dict[str, str]:
    """The text of each function of a source, by name, in its order.

    >>> functions_of("def one(): return 1")
    {'one': 'def one(): return 1'}
    """
    tree = ast.parse(source)
    return {each.name: ast.get_source_segment(source, each) or "" for each in tree.body if hasattr(each, "name")}


def needed(source: str, text: str) -> list[str]:
    """Those functions of a source that a text names, and those that they name, in the order of the source."""
    pieces = functions_of(source)
    found: set[str] = set()
    waiting = [text]
    while waiting:
        named = {node.id for node in ast.walk(ast.parse(waiting.pop())) if isinstance(node, ast.Name)}
        fresh = (named & set(pieces)) - found
        found |= fresh
        waiting.extend(pieces[name] for name in fresh)
    return [piece for name, piece in pieces.items() if name in found]


_HASH = '''def mix(word):
    """A 32-bit word in which each bit depends on every bit of the one that came."""
    word = (word ^ (word >> 16)) * 0x7FEB352D & 0xFFFFFFFF
    word = (word ^ (word >> 15)) * 0x846CA68B & 0xFFFFFFFF
    return word ^ (word >> 16)

def key(*numbers):
    """One 32-bit word from several numbers."""
    word = 0
    for number in numbers:
        word = mix(word * 0x9E3779B1 + (number & 0xFFFFFFFF) + 0x7F4A7C15 & 0xFFFFFFFF)
    return word

'''
"""The hash behind dropout masks: numbers alone, the same lines in both."""

NUMPY_PIECES = (
    '''
def softmax(Z):
    """y_k = exp(z_k) / sum_j exp(z_j) in each row. The maximum is taken off first: it changes nothing but overflow."""
    E = np.exp(Z - Z.max(axis=1, keepdims=True))
    return E / E.sum(axis=1, keepdims=True)

def softmax_backward(Y, dY):
    """dz_j = y_j (dy_j - sum_k dy_k y_k): the whole Jacobian, dy_k/dz_j = y_k (1[k = j] - y_j), applied to dY."""
    return Y * (dY - (dY * Y).sum(axis=1, keepdims=True))

def normalize(X, mean, variance, epsilon):
    """(x - mean) / sqrt(variance + epsilon), each column by its own."""
    return (X - mean) / np.sqrt(variance + epsilon)

def column_means(X):
    """Mean and variance of each column, over the rows of the batch."""
    return X.mean(axis=0), X.var(axis=0)

def batch_norm_backward(dH, H, variance, epsilon):
    """dX = (dH - mean dH - H * mean (dH * H)) / std, means over the rows: mean and variance depend on X too."""
    return (dH - dH.mean(axis=0) - H * (dH * H).mean(axis=0)) / np.sqrt(variance + epsilon)

def running(average, new, momentum):
    """momentum * average + (1 - momentum) * new."""
    return momentum * average + (1 - momentum) * new

def unbiased(variance, B):
    """The variance of a sample of B rows: 1/(B - 1) in place of 1/B."""
    return variance * (B / (B - 1)) if B > 1 else variance

def layer_norm(X, epsilon):
    """(x - mean) / sqrt(variance + epsilon), each row by its own mean and variance."""
    return (X - X.mean(axis=1, keepdims=True)) / np.sqrt(X.var(axis=1, keepdims=True) + epsilon)

def layer_norm_backward(dH, H, X, epsilon):
    """dX = (dH - mean dH - H * mean (dH * H)) / std, means over each row."""
    inner = dH - dH.mean(axis=1, keepdims=True) - H * (dH * H).mean(axis=1, keepdims=True)
    return inner / np.sqrt(X.var(axis=1, keepdims=True) + epsilon)

def softmax_cross_entropy(Z, T):
    """-log of the probability of the true class in each row: log sum_k exp(z_k) - sum_k t_k z_k."""
    Z = Z - Z.max(axis=1, keepdims=True)
    return np.log(np.exp(Z).sum(axis=1)) - (T * Z).sum(axis=1)

'''
    + _HASH
    + '''def dropout_mask(X, rate, layer, step):
    """0 with probability `rate`, else 1 / (1 - rate); a hash of seed, layer, step and place, as chainrule draws it."""
    first, second = (key(SEED, SEED >> 32, layer, step, which) for which in (1, 2))
    places = np.arange(X.size, dtype=np.uint64).reshape(X.shape)
    words = mix(mix(places + first & 0xFFFFFFFF) ^ second)
    return (words < min(round((1 - rate) * 2**32), 2**32 - 1)) / (1 - rate)

def clip_entries(gradient, limit):
    """Every entry of the gradient within -limit and limit."""
    return {name: np.clip(g, -limit, limit) for name, g in gradient.items()}

def clip_norm(gradient, limit):
    """The gradient, shortened to the length `limit` where it is longer."""
    norm = math.sqrt(sum(float((g * g).sum()) for g in gradient.values()))
    return {name: g * (limit / max(norm, limit)) for name, g in gradient.items()}

def shuffled(N, epoch):
    """The rows in the order of this epoch: drawn from the seed and the epoch alone, as chainrule draws it."""
    sequence = np.random.SeedSequence(SEED, spawn_key=(1, epoch))
    return np.random.Generator(np.random.PCG64(sequence)).permutation(N)
'''
)

PYTHON_PIECES = (
    '''
def each(f, *arrays):
    """f of the entries that stand at the same place of these lists, however deep."""
    if isinstance(arrays[0], list):
        return [each(f, *parts) for parts in zip(*arrays)]
    return f(*arrays)

def matmul(A, B):
    """The product of two matrices: row i of A times column k of B, summed."""
    columns = list(zip(*B))
    return [[sum(a * b for a, b in zip(row, column)) for column in columns] for row in A]

def transpose(A):
    """Rows become columns."""
    return [list(column) for column in zip(*A)]

def add_row(A, b):
    """b added to every row of A."""
    return [[a + c for a, c in zip(row, b)] for row in A]

def times_row(A, b):
    """Every row of A times b, entry by entry."""
    return [[a * c for a, c in zip(row, b)] for row in A]

def times_column(A, c):
    """Row i of A times c_i."""
    return [[a * c_i for a in row] for row, c_i in zip(A, c)]

def add(A, B):
    """A + B, entry by entry."""
    return each(lambda a, b: a + b, A, B)

def times(A, B):
    """A * B, entry by entry."""
    return each(lambda a, b: a * b, A, B)

def sum_rows(A):
    """The sum of all rows."""
    return [sum(column) for column in zip(*A)]

def mean_of(numbers):
    """The sum over the count."""
    return sum(numbers) / len(numbers)

def variance_of(numbers):
    """The mean squared distance from the mean."""
    center = mean_of(numbers)
    return mean_of([(number - center) ** 2 for number in numbers])

def softmax(Z):
    """y_k = exp(z_k) / sum_j exp(z_j) in each row. The maximum is taken off first: it changes nothing but overflow."""
    Y = []
    for z in Z:
        highest = max(z)
        e = [math.exp(z_k - highest) for z_k in z]
        total = sum(e)
        Y.append([e_k / total for e_k in e])
    return Y

def softmax_backward(Y, dY):
    """dz_j = y_j (dy_j - sum_k dy_k y_k): the whole Jacobian, dy_k/dz_j = y_k (1[k = j] - y_j), applied to dY."""
    dZ = []
    for y, dy in zip(Y, dY):
        mixed = sum(dy_k * y_k for dy_k, y_k in zip(dy, y))
        dZ.append([y_j * (dy_j - mixed) for y_j, dy_j in zip(y, dy)])
    return dZ

def normalize(X, mean, variance, epsilon):
    """(x - mean) / sqrt(variance + epsilon), each column by its own."""
    return [[(x - m) / math.sqrt(v + epsilon) for x, m, v in zip(row, mean, variance)] for row in X]

def column_means(X):
    """Mean and variance of each column, over the rows of the batch."""
    columns = transpose(X)
    return [mean_of(column) for column in columns], [variance_of(column) for column in columns]

def batch_norm_backward(dH, H, variance, epsilon):
    """dX = (dH - mean dH - H * mean (dH * H)) / std, means over the rows: mean and variance depend on X too."""
    columns = []
    for d, h, v in zip(transpose(dH), transpose(H), variance):
        of_d, of_dh = mean_of(d), mean_of([a * b for a, b in zip(d, h)])
        columns.append([(a - of_d - b * of_dh) / math.sqrt(v + epsilon) for a, b in zip(d, h)])
    return transpose(columns)

def running(average, new, momentum):
    """momentum * average + (1 - momentum) * new."""
    return [momentum * a + (1 - momentum) * b for a, b in zip(average, new)]

def unbiased(variance, B):
    """The variance of a sample of B rows: 1/(B - 1) in place of 1/B."""
    return [v * B / (B - 1) for v in variance] if B > 1 else variance

def layer_norm(X, epsilon):
    """(x - mean) / sqrt(variance + epsilon), each row by its own mean and variance."""
    H = []
    for x in X:
        center, std = mean_of(x), math.sqrt(variance_of(x) + epsilon)
        H.append([(each_x - center) / std for each_x in x])
    return H

def layer_norm_backward(dH, H, X, epsilon):
    """dX = (dH - mean dH - H * mean (dH * H)) / std, means over each row."""
    dX = []
    for d, h, x in zip(dH, H, X):
        of_d, of_dh = mean_of(d), mean_of([a * b for a, b in zip(d, h)])
        dX.append([(a - of_d - b * of_dh) / math.sqrt(variance_of(x) + epsilon) for a, b in zip(d, h)])
    return dX

def softmax_cross_entropy(Z, T):
    """-log of the probability of the true class in each row: log sum_k exp(z_k) - sum_k t_k z_k."""
    losses = []
    for z, t in zip(Z, T):
        highest = max(z)
        total = sum(math.exp(z_k - highest) for z_k in z)
        losses.append(math.log(total) - sum(t_k * (z_k - highest) for z_k, t_k in zip(z, t)))
    return losses

'''
    + _HASH
    + '''def dropout_mask(X, rate, layer, step):
    """0 with probability `rate`, else 1 / (1 - rate); a hash of seed, layer, step and place, as chainrule draws it."""
    first, second = (key(SEED, SEED >> 32, layer, step, which) for which in (1, 2))
    limit, width = min(round((1 - rate) * 2**32), 2**32 - 1), len(X[0])
    words = [[mix(mix(i * width + j + first & 0xFFFFFFFF) ^ second) for j in range(width)] for i in range(len(X))]
    return each(lambda word: 1 / (1 - rate) if word < limit else 0.0, words)

def clip_entries(gradient, limit):
    """Every entry of the gradient within -limit and limit."""
    return {name: each(lambda entry: min(max(entry, -limit), limit), g) for name, g in gradient.items()}

def squares(array):
    """The sum of the squares of all entries."""
    return sum(map(squares, array)) if isinstance(array, list) else array * array

def clip_norm(gradient, limit):
    """The gradient, shortened to the length `limit` where it is longer."""
    factor = limit / max(math.sqrt(sum(map(squares, gradient.values()))), limit)
    return {name: each(lambda entry: entry * factor, g) for name, g in gradient.items()}

def shuffled(N, epoch):
    """The rows in the order of this epoch: for the first epochs the orders that chainrule draws."""
    return ORDERS[epoch] if epoch < len(ORDERS) else random.sample(range(N), N)
'''
)
