// The buffers of one training or prediction: made once, before the first step.

#pragma once

#include <algorithm>
#include <memory>
#include <vector>

#include "plan.hpp"

namespace chainrule {

// Blocks of zeros, each beginning at a multiple of 64 bytes.
class Arena {
 public:
  template <class U> U* cut(std::size_t count) {
    blocks_.emplace_back(new char[count * sizeof(U) + 64]());
    const auto at = reinterpret_cast<std::uintptr_t>(blocks_.back().get());
    return reinterpret_cast<U*>((at + 63) / 64 * 64);
  }

 private:
  std::vector<std::unique_ptr<char[]>> blocks_;
};

template <class T> class Buffers {
 public:
  Workspace<T> w{};

  Buffers(const Job<T>& job, bool training) {
    const int n = job.n_layers;
    w.ld = arena_.cut<int>(n + 1);
    w.rows = arena_.cut<const T**>(n + 1);
    w.deltas = arena_.cut<const T**>(n + 1);
    for (T*** list : {&w.Z, &w.Y, &w.mask, &w.D}) *list = arena_.cut<T*>(n + 1);
    for (int l = 0; l <= n; ++l) w.ld[l] = padded(l < n ? job.layers[l].I : job.layers[n - 1].O);
    for (int l = 0; l < n; ++l) forward_of(job, l, training);
    w.rows[0] = arena_.cut<const T*>(job.batch);
    if (training) backward_of(job);
  }

 private:
  static int padded(int size) {
    constexpr int unit = 64 / sizeof(T);
    return (size + unit - 1) / unit * unit;
  }
  void forward_of(const Job<T>& job, int l, bool training) {
    const std::size_t size = std::size_t(job.batch) * w.ld[l + 1];
    w.Y[l] = arena_.cut<T>(size);
    w.rows[l + 1] = arena_.cut<const T*>(job.batch);
    for (int r = 0; r < job.batch; ++r) w.rows[l + 1][r] = w.Y[l] + std::size_t(r) * w.ld[l + 1];
    if (needs_z(job.layers[l].act)) w.Z[l] = arena_.cut<T>(size);
    if (training && job.layers[l].kind == LayerKind::dropout) w.mask[l] = arena_.cut<T>(size);
  }
  void backward_of(const Job<T>& job) {
    int widest = 1;
    for (int l = 0; l <= job.n_layers; ++l) {
      widest = std::max(widest, w.ld[l]);
      if (l == 0) continue;
      w.D[l] = arena_.cut<T>(std::size_t(job.batch) * w.ld[l]);
      w.deltas[l] = arena_.cut<const T*>(job.batch);
      for (int r = 0; r < job.batch; ++r) w.deltas[l][r] = w.D[l] + std::size_t(r) * w.ld[l];
    }
    w.row_loss = arena_.cut<double>(job.batch);
    w.panel = arena_.cut<T*>(job.threads);
    w.transposed = arena_.cut<T*>(job.threads);
    for (int t = 0; t < job.threads; ++t) {
      w.panel[t] = arena_.cut<T>(std::size_t(kPanelRows) * widest + 64 / sizeof(T));
      w.transposed[t] = arena_.cut<T>(std::size_t(kBlockColumns) * widest);
    }
    w.sums = arena_.cut<double>(job.P / kChunk + 1);
    if (job.optimizer.clip_norm > 0) w.gradient = arena_.cut<T>(job.P + 64 / sizeof(T));
    mark_parameters(job);
  }
  void mark_parameters(const Job<T>& job) {
    char *weight = arena_.cut<char>(job.P), *trained = arena_.cut<char>(job.P);
    for (int l = 0; l < job.n_layers; ++l) {
      const Layer& layer = job.layers[l];
      if (layer.kind != LayerKind::dense) continue;
      const std::size_t size = std::size_t(layer.I) * layer.O;
      std::fill_n(weight + layer.w, size, char(1));
      std::fill_n(trained + layer.w, size, char(layer.train_w));
      if (layer.bias) std::fill_n(trained + layer.b, layer.O, char(layer.train_b));
    }
    w.is_weight = weight;
    w.is_trained = trained;
  }

  Arena arena_;
};

}  // namespace chainrule
