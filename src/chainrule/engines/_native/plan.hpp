// What is computed: plain records, the same for every instruction set.
//
// The layout. Outside, theta, its gradient and each optimiser slot are one vector of P numbers; a dense layer owns W (I, O),
// row by row, at `w`, and b (O,) at `b`. Inside, a run keeps them packed: W in blocks of a few vectors of columns, each
// block (I, columns) on its own, so that a product reads memory from front to back; O is padded to whole vectors with zeros,
// which every kernel keeps zero. `packing.hpp` goes from one to the other. Activations live in a workspace whose rows are
// padded alike; rows of X are read where they lie, through pointers.
//
// The way of one step, for a batch of B rows:
//   1. forward    Z = X W + b, Y = f(Z), layer by layer.
//   2. loss       its value, and dY of the last layer, the 1/B and the row weights included.
//   3. backward   from the last layer to the first: dZ = dY * f'(Z); dX = dZ W^T with the weights of before the update;
//                 then dW = X^T dZ a few rows at a time, each updated while it is still in the first-level cache, so
//                 that every weight is read and written once a step.
// A small network that sees one row at a time goes its own way, by online.hpp.
// A norm to clip by needs the whole gradient first: then 3 writes the gradient and a second pass updates.
//
// Who does what. The threads of a crew share each layer's columns, or its rows where columns are few. A batch too large for
// the cache goes through by slices of its rows instead: they belong to kGroups groups, each group to one thread, with a
// gradient of its own; the groups' gradients are added in order. Every number is so computed by one thread, in an order
// that does not depend on how many there are: the bits do not either.

#pragma once

#include <cstddef>
#include <cstdint>

#include "arrow.hpp"

namespace chainrule {

enum class LayerKind : int { dense, dropout, activation };
enum class Act : int { identity, sigmoid, tanh, scaled_tanh, relu, leaky_relu, elu, selu, gelu, silu, softplus, exp, softmax };
// Whether the slope needs Z beside Y. The relu family tells the sign of Z from Y.
constexpr bool needs_z(Act act) {
  return act == Act::leaky_relu || act == Act::gelu || act == Act::silu || act == Act::softplus;
}

enum class LossKind : int {
  half_squared_error, mean_squared_error, mean_absolute_error, huber, quantile, poisson,
  cross_entropy, binary_cross_entropy, softmax_cross_entropy, sigmoid_cross_entropy
};
enum class OptimizerKind : int { sgd, rmsprop, adagrad, adam, nadam };

struct Layer {
  LayerKind kind = LayerKind::dense;
  int I = 0, O = 0;
  Act act = Act::identity;
  double a = 0;              // the activation's parameter: leak, alpha
  bool bias = false, train_w = false, train_b = false;
  std::size_t w = 0, b = 0;  // places in theta
  double rate = 0;           // dropout: the share dropped
  std::uint32_t stream = 0;  // dropout: which random layer
  // Packed, see packing.hpp:
  int padded = 0;            // O in whole vectors
  int block = 0, last = 0;   // columns of a block, and of the last
  int blocks = 0;
  std::size_t packed_w = 0, packed_b = 0;

  int columns(int which) const { return which + 1 < blocks ? block : last; }
  std::size_t place(int which, int i) const {  // of row i of a block of W
    return packed_w + std::size_t(which) * block * I + std::size_t(i) * columns(which);
  }
};

struct Optimizer {
  OptimizerKind kind = OptimizerKind::sgd;
  double momentum = 0, decay = 0, beta1 = 0, beta2 = 0, epsilon = 0, momentum_decay = 0, weight_decay = 0;
  bool nesterov = false;
  double clip_norm = 0, clip_value = 0;  // 0: no limit
  double l1 = 0, l2 = 0;                 // the objective's penalties
};

struct Loss {
  LossKind kind = LossKind::half_squared_error;
  double delta = 0;  // Huber's; the level of a quantile
  bool mean = true;  // over the rows; else their sum
};

struct Piece { std::size_t at, size; bool weight, trained; };  // of packed theta, at most kPiece long, of one kind
constexpr std::size_t kPiece = 1024;
constexpr int kGroups = 8;
constexpr int kPanel = 1024;       // entries of a tile of any instruction set: 16 rows of 4 vectors of 16, ...
constexpr int kBlockVectors = 4;   // the widest block
constexpr int kRowsAtOnce = 128;   // of a gradient, see matrix.hpp

template <class T>
struct Job {
  const Layer* layers;
  int n_layers;
  Loss loss;
  Optimizer optimizer;
  T* theta;                // packed
  T* slots[2];             // packed
  const Piece* pieces;
  int n_pieces;
  const T* X;              // (N, I)
  const T* targets;        // (N, O)
  const T* weights;        // (N,) or null
  std::int64_t N;
  const std::int64_t* order;  // (N,) or null
  int batch;
  int slice;               // rows that go through at once: the whole batch, or fewer
  std::uint64_t seed;
  int threads;
};

struct Range { std::int64_t first, count, taken; const double* rates; double* values; };  // values (count, 2): loss, penalty; 0 at first

// Buffers for one slice: rows padded to whole vectors. ld[l] is the row length of what goes into layer l, ld[l + 1] of
// what comes out.
template <class T>
struct Workspace {
  int* ld;
  T **Z, **Y, **mask;     // (B, O) of each layer: net input where its slope needs it, output, dropout's factors
  T** slope;              // (O,) of each layer, when the rows come one by one
  T** D;                  // D[l] (B, I): dLoss/d(input of layer l); D[n]: of the last output; dY becomes dZ in place
  const T*** rows;        // rows[l][r]: row r of what goes into layer l
  const T*** deltas;      // deltas[l][r]: row r of D[l]
  T** panel;              // of each thread of the crew: a few rows of a gradient,
  T** partial;            // a block of one, from kRowsAtOnce on,
  T** transposed;         // a block of W^T
};

// What the threads of one training have in common.
template <class T>
struct Board {
  double* row_loss;       // (B,)
  double* sums;           // of pieces
  T* gradients[kGroups];  // packed; the first alone to clip by the norm of an unsliced batch
};

class Barrier;
// One thread's share of some steps; returns how many were taken. One workspace for all, or, sliced, one for each.
template <class T> using Advance = std::int64_t (*)(const Job<T>&, Workspace<T>&, Board<T>&, const Range&, int thread, Barrier&);
template <class T> struct Kernels {
  Advance<T> advance;
  // One thread's share of the rows, by slices: outputs into Y (N, O), unless null; the rows' losses, unless null.
  void (*evaluate)(const Job<T>&, Workspace<T>&, T* Y, double* row_loss, int thread);
  // One of elementary.hpp's functions, by its name, of n numbers; false when it has none of that name.
  bool (*elementary)(const char* name, const T* x, T* y, std::size_t n);
  // Rows `first` to `last` of a table into those of X (N, I), zeros before; whether all became finite numbers.
  bool (*encode)(const Table&, const Encoding&, T* X, std::size_t I, std::int64_t first, std::int64_t last);
};
// Steps of one row each, by one thread, in vectors of so many bytes and blocks of at most so many of them: see online.hpp.
struct RowByRow { int bytes, vectors; Advance<float> f; Advance<double> d; };
struct Isa { const char* name; int bytes, vectors; Kernels<float> f; Kernels<double> d; RowByRow wide, narrow; };

}  // namespace chainrule
