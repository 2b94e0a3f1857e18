// The buffers of one training or prediction: made once, before the first step.

#pragma once

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>
#include <vector>

#ifdef __linux__
#include <sys/mman.h>
#endif

#include "plan.hpp"

namespace chainrule {

// Blocks of zeros, each beginning at a multiple of 64 bytes; large ones of huge pages, so that the processor finds them.
class Arena {
 public:
  Arena() = default;
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;

  template <class U> U* cut(std::size_t count) {
    const std::size_t bytes = count * sizeof(U), unit = bytes < kHuge ? 64 : kHuge, size = (bytes + unit) / unit * unit;
    void* block = std::aligned_alloc(unit, size);
    if (block == nullptr) throw std::bad_alloc();
    blocks_.emplace_back(block);
#ifdef __linux__
    if (unit == kHuge) madvise(block, size, MADV_HUGEPAGE);
#endif
    std::memset(block, 0, size);
    return static_cast<U*>(block);
  }

 private:
  static constexpr std::size_t kHuge = std::size_t(1) << 21;
  struct Free { void operator()(void* block) const { std::free(block); } };
  std::vector<std::unique_ptr<void, Free>> blocks_;
};

// A row of so many entries, with its padding. Of long rows a block of columns is used at a time: an odd number of lines of
// the cache from row to row lets all of it hold them.
inline int row_length(int padded, int entry_size) {
  const int lines = (padded * entry_size + 63) / 64;
  return (lines > kBlockVectors ? lines | 1 : lines) * 64 / entry_size;
}

// Bytes that one row takes in a workspace; to choose the slice by.
inline std::size_t row_bytes(const std::vector<Layer>& layers, int entry_size) {
  std::size_t entries = 0;
  for (const Layer& layer : layers) entries += std::size_t(layer.padded) * (2 + needs_z(layer.act) + (layer.kind == LayerKind::dropout));
  return entries * entry_size;
}

// A workspace for slices of so many rows, shared by a crew of so many threads.
template <class T> class Buffers {
 public:
  Workspace<T> w{};

  Buffers(const std::vector<Layer>& layers, int rows, int crew, bool training) : layers_(layers), rows_(rows) {
    const int n = int(layers.size());
    w.ld = arena_.cut<int>(n + 1);
    w.rows = arena_.cut<const T**>(n + 1);
    w.deltas = arena_.cut<const T**>(n + 1);
    for (T*** list : {&w.Z, &w.Y, &w.mask, &w.slope, &w.D}) *list = arena_.cut<T*>(n + 1);
    w.ld[0] = row_length(layers[0].I, sizeof(T));
    for (int l = 0; l < n; ++l) w.ld[l + 1] = row_length(layers[l].padded, sizeof(T));
    w.rows[0] = arena_.cut<const T*>(rows);
    for (int l = 0; l < n; ++l) forward_of(l, training);
    w.D[n] = arena_.cut<T>(std::size_t(rows) * w.ld[n]);
    if (training) backward_of(crew);
  }

 private:
  const std::vector<Layer>& layers_;
  const int rows_;
  Arena arena_;

  const T** pointers(const T* to, int ld) {
    const T** rows = arena_.cut<const T*>(rows_);
    for (int r = 0; r < rows_; ++r) rows[r] = to + std::size_t(r) * ld;
    return rows;
  }
  void forward_of(int l, bool training) {
    const std::size_t size = std::size_t(rows_) * w.ld[l + 1];
    w.Y[l] = arena_.cut<T>(size);
    w.rows[l + 1] = pointers(w.Y[l], w.ld[l + 1]);
    if (needs_z(layers_[l].act)) w.Z[l] = arena_.cut<T>(size);
    if (training && rows_ == 1) w.slope[l] = arena_.cut<T>(w.ld[l + 1]);
    if (training && layers_[l].kind == LayerKind::dropout) w.mask[l] = arena_.cut<T>(size);
  }
  void backward_of(int crew) {
    const int n = int(layers_.size());
    int widest = 1;
    for (int l = 1; l <= n; ++l) {
      widest = std::max(widest, w.ld[l]);
      if (l < n) w.D[l] = arena_.cut<T>(std::size_t(rows_) * w.ld[l]);
      w.deltas[l] = pointers(w.D[l], w.ld[l]);
    }
    std::size_t block = 0;
    for (const Layer& layer : layers_) block = std::max(block, std::size_t(layer.I) * layer.block);
    for (T*** list : {&w.panel, &w.partial, &w.transposed}) *list = arena_.cut<T*>(crew);
    for (int t = 0; t < crew; ++t) {
      w.panel[t] = arena_.cut<T>(std::max(kPanel, widest));
      if (rows_ > kRowsAtOnce) w.partial[t] = arena_.cut<T>(block);
      w.transposed[t] = arena_.cut<T>(std::size_t(kBlockVectors) * (64 / sizeof(T)) * widest);
    }
  }
};

}  // namespace chainrule
