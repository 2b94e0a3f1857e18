// From theta as people see it to theta as kernels read it, and back; plan.hpp tells why.

#pragma once

#include <algorithm>
#include <vector>

#include "plan.hpp"

namespace chainrule {

// Gives every layer its place in packed theta; returns the size of it. Blocks are of equal width as far as that goes, and an
// even number of them where columns are many, for two threads to share. How many threads there are does not count: sums over
// theta run in this order.
inline std::size_t lay_out(std::vector<Layer>& layers, int lanes, int vectors) {
  std::size_t at = 0;
  for (Layer& layer : layers) {
    const int n = (layer.O + lanes - 1) / lanes;
    layer.padded = n * lanes;
    if (layer.kind != LayerKind::dense) continue;
    int blocks = (n + vectors - 1) / vectors;
    if (n >= 4) blocks = (blocks + 1) / 2 * 2;
    layer.block = (n + blocks - 1) / blocks * lanes;
    layer.blocks = (layer.padded + layer.block - 1) / layer.block;
    layer.last = layer.padded - (layer.blocks - 1) * layer.block;
    layer.packed_w = at;
    at += std::size_t(layer.I) * layer.padded;
    layer.packed_b = at;
    if (layer.bias) at += layer.padded;
  }
  return at;
}

// Calls f(place in theta, place in packed theta, how many) for each stretch that is contiguous in both; of n threads, each
// for its share of the inputs.
template <class F> void each_stretch(const std::vector<Layer>& layers, int thread, int n, F f) {
  for (const Layer& layer : layers) {
    if (layer.kind != LayerKind::dense) continue;
    const int begin = int(std::int64_t(layer.I) * thread / n), end = int(std::int64_t(layer.I) * (thread + 1) / n);
    for (int c = 0; c < layer.blocks; ++c) {
      const int first = c * layer.block, columns = std::min(layer.columns(c), layer.O - first);
      if (columns <= 0) continue;
      for (int i = begin; i < end; ++i) f(layer.w + std::size_t(i) * layer.O + first, layer.place(c, i), columns);
    }
    if (layer.bias && thread == 0) f(layer.b, layer.packed_b, layer.O);
  }
}

template <class T> void pack(const std::vector<Layer>& layers, const T* theta, T* packed, int thread = 0, int n = 1) {
  each_stretch(layers, thread, n, [&](std::size_t from, std::size_t to, int count) { std::copy_n(theta + from, count, packed + to); });
}
template <class T> void unpack(const std::vector<Layer>& layers, const T* packed, T* theta, int thread = 0, int n = 1) {
  each_stretch(layers, thread, n, [&](std::size_t to, std::size_t from, int count) { std::copy_n(packed + from, count, theta + to); });
}

inline std::vector<Piece> pieces_of(const std::vector<Layer>& layers) {
  std::vector<Piece> pieces;
  const auto cut = [&](std::size_t at, std::size_t size, bool weight, bool trained) {
    for (std::size_t done = 0; done < size; done += kPiece) pieces.push_back({at + done, std::min(kPiece, size - done), weight, trained});
  };
  for (const Layer& layer : layers) {
    if (layer.kind != LayerKind::dense) continue;
    cut(layer.packed_w, std::size_t(layer.I) * layer.padded, true, layer.train_w);
    if (layer.bias) cut(layer.packed_b, std::size_t(layer.padded), false, layer.train_b);
  }
  return pieces;
}

}  // namespace chainrule
