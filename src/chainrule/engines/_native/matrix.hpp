// The three products of a dense layer. A tile of the result is kept in registers while its sum is made; the sum over k
// runs in one order whatever the tile, so the bits do not depend on how work is shared out.

template <class T> constexpr int kVectors = kRegisters >= 32 ? 4 : 2;  // of a block's columns
// Rows of a tile with C vectors of columns: forward keeps a pointer for each row, the gradient does not.
template <class T, int C> constexpr int kForwardRows = kRegisters >= 32 ? (C == 1 ? 10 : C == 2 ? 10 : C == 3 ? 8 : 6) : C == 1 ? 8 : 6;
template <class T, int C> constexpr int kGradientRows = kRegisters >= 32 ? (C == 1 ? 14 : C == 2 ? 12 : C == 3 ? 8 : 6) : C == 1 ? 8 : 6;
constexpr int kDepth = 512;  // inputs that a block of W is read for at once: it then stays in the cache for all rows

// Calls f with a number from 1 to most as a constant.
template <int most, class F> inline void with_number(int n, F f) {
  if constexpr (most == 1) f(std::integral_constant<int, 1>{});
  else if (n == most) f(std::integral_constant<int, most>{});
  else with_number<most - 1>(n, f);
}

// z[r][c] = start + sum over k0 <= k < k1 of x[r][k] W[k][c], for R rows and C vectors of columns; W (K, C vectors). The
// start is b, or 0, or at k0 > 0 what stands in z. One row alone is summed in four parts, to fill the multiplier's pipeline.
template <class T, int R, int C, int U>
void forward_tile(const T* const* x, int k0, int k1, const T* W, const T* b, T* z, int ldz) {
  constexpr int N = width<T>;
  V<T> s[U][R][C] = {};
  const T* row[R];
  unrolled<R>([&](auto r) {
    row[r] = x[r];
    unrolled<C>([&](auto c) {
      if (k0 > 0) s[0][r][c] = load<T>(z + std::size_t(r) * ldz + c * N);
      else if (b) s[0][r][c] = load<T>(b + c * N);
    });
  });
  const auto add = [&](auto u, int k) {
    V<T> w[C];
    unrolled<C>([&](auto c) { w[c] = load<T>(W + (std::size_t(k) * C + c) * N); });
    unrolled<R>([&](auto r) {
      const V<T> xk = splat(row[r][k]);
      unrolled<C>([&](auto c) { s[u][r][c] += xk * w[c]; });
    });
  };
  int k = k0;
  for (; k + U <= k1; k += U) unrolled<U>([&](auto u) { add(u, k + u); });
  for (; k < k1; ++k) add(std::integral_constant<int, 0>{}, k);
  unrolled<R>([&](auto r) {
    unrolled<C>([&](auto c) {
      V<T> total = s[0][r][c];
      unrolled<U - 1>([&](auto u) { total += s[u + 1][r][c]; });
      store(z + std::size_t(r) * ldz + c * N, total);
    });
  });
}

// The same for all rows, in tiles of about the same height.
template <class T, int C>
void forward_block(const T* const* x, int B, bool lone, int k0, int k1, const T* W, const T* b, T* z, int ldz) {
  if (lone) return forward_tile<T, 1, C, 4>(x, k0, k1, W, b, z, ldz);
  constexpr int most = kForwardRows<T, C>;
  int r = 0;
  for (int tiles = (B + most - 1) / most; tiles > 0; --tiles) {
    const int R = (B - r + tiles - 1) / tiles;
    with_number<most>(R, [&](auto R_) { forward_tile<T, decltype(R_)::value, C, 1>(x + r, k0, k1, W, b, z + std::size_t(r) * ldz, ldz); });
    r += R;
  }
}

// Z = X W + b for B rows, one block of columns (K, columns) of W, for the inputs k0 to k1; `lone`: the batch is one row.
template <class T>
void forward(const T* const* x, int B, bool lone, int k0, int k1, const T* W, int columns, const T* b, T* Z, int ldz) {
  with_number<kVectors<T>>(columns / width<T>, [&](auto C) { forward_block<T, decltype(C)::value>(x, B, lone, k0, k1, W, b, Z, ldz); });
}

// W^T (O, columns) of the inputs i0 to i0 + columns of a layer; 0 beyond the last.
template <class T> void transpose_block(const Layer& layer, const T* theta, int i0, int columns, T* WT) {
  constexpr int N = width<T>;
  for (int c = 0; c < layer.blocks; ++c)
    for (int o = 0; o < layer.columns(c); o += N)
      for (int i = 0; i < columns; i += N) {
        V<T> v[N];
        unrolled<N>([&](auto j) { v[j] = i0 + i + j < layer.I ? load<T>(theta + layer.place(c, i0 + i + j) + o) : V<T>{}; });
        transpose<T>(v);
        unrolled<N>([&](auto j) { store(WT + std::size_t(c * layer.block + o + j) * columns + i, v[j]); });
      }
}

// dX = dZ W^T for the inputs i0 to i1 of B rows, few of them: a scalar product for each, N at a time.
template <class T>
void backward_inputs_by_rows(const Layer& layer, const T* theta, const T* dZ, int lddz, int B, T* dX, int lddx, int i0, int i1) {
  constexpr int N = width<T>, few = 8;
  if (layer.I * layer.O <= few) {
    for (int r = 0; r < B; ++r)
      for (int i = i0; i < i1; ++i) {
        T s = 0;
        for (int o = 0; o < layer.O; ++o) s += dZ[std::size_t(r) * lddz + o] * theta[layer.place(0, i) + o];
        dX[std::size_t(r) * lddx + i] = s;
      }
    return;
  }
  for (int i = i0; i < i1; i += N)
    for (int r = 0; r < B; ++r) {
      V<T> s[N] = {};
      for (int c = 0; c < layer.blocks; ++c) {
        const int columns = layer.columns(c);
        const T *W = theta + layer.place(c, i), *d = dZ + std::size_t(r) * lddz + c * layer.block;
        const int n = layer.I - i < N ? layer.I - i : N;
        for (int o = 0; o < columns; o += N) {
          const V<T> dv = load<T>(d + o);
          unrolled<N>([&](auto j) { if (j < n) s[j] += dv * load<T>(W + std::size_t(j) * columns + o); });
        }
      }
      store(dX + std::size_t(r) * lddx + i, sums<T>(s));
    }
}

// The same for many rows: W^T is laid out first, a block of inputs at a time, then it is a product like forward's.
template <class T>
void backward_inputs(const Layer& layer, const T* theta, const T* const* d, const T* dZ, int lddz, int B, T* dX, int lddx, int i0, int i1, T* WT) {
  if (B < 4) return backward_inputs_by_rows(layer, theta, dZ, lddz, B, dX, lddx, i0, i1);
  constexpr int block = kVectors<T> * width<T>;
  for (int i = i0; i < i1; i += block) {
    const int columns = i1 - i < block ? (i1 - i + width<T> - 1) / width<T> * width<T> : block;
    transpose_block(layer, theta, i, columns, WT);
    for (int k = 0; k < layer.O; k += kDepth)
      forward<T>(d, B, false, k, layer.O - k < kDepth ? layer.O : k + kDepth, WT, columns, nullptr, dX + i, lddx);
  }
}

// g[i][c] = sum over the B rows of x[r][i] dZ[r][c], for R inputs and C vectors of columns. It begins with what stands in
// `partial`, if it is `continued`, and ends there, if more rows are to come; else in the sink.
struct Share { bool continued, more; };
template <class T, int R, int C, class Sink>
void gradient_tile(const T* const* x, int B, int i, const T* dZ, int lddz, Share share, T* partial, std::size_t place, const Sink& sink) {
  constexpr int N = width<T>;
  V<T> s[R][C] = {};
  if (share.continued) unrolled<R>([&](auto r) { unrolled<C>([&](auto c) { s[r][c] = load<T>(partial + (r * C + c) * N); }); });
  for (int b = 0; b < B; ++b) {
    if (b < R * C && !share.more) sink.soon(place + b * N);
    V<T> d[C];
    unrolled<C>([&](auto c) { d[c] = load<T>(dZ + std::size_t(b) * lddz + c * N); });
    const T* row = x[b] + i;
    unrolled<R>([&](auto r) {
      const V<T> xi = splat(row[r]);
      unrolled<C>([&](auto c) { s[r][c] += xi * d[c]; });
    });
  }
  if (share.more) return unrolled<R>([&](auto r) { unrolled<C>([&](auto c) { store(partial + (r * C + c) * N, s[r][c]); }); });
  unrolled<R>([&](auto r) { unrolled<C>([&](auto c) { sink.put(place, (r * C + c) * N, s[r][c]); }); });
  sink.finish(place, R * C * N);
}

// dW = X^T dZ for the inputs i0 to i1 and one block of columns, a few inputs at a time. Of many rows kRowsAtOnce are taken for
// all inputs, then the next: that much of dZ stays in the first-level cache. `partial` (I, columns) is for them.
template <class T, class Sink>
void backward_weights(const Layer& layer, int block, const T* const* x, int B, int i0, int i1, const T* dZ, int lddz, T* partial, const Sink& sink) {
  with_number<kVectors<T>>(layer.columns(block) / width<T>, [&](auto C_) {
    constexpr int C = decltype(C_)::value, most = kGradientRows<T, C>;
    for (int b = 0; b < B; b += kRowsAtOnce) {
      const int rows = B - b < kRowsAtOnce ? B - b : kRowsAtOnce;
      const Share share{b > 0, b + rows < B};
      int i = i0;
      const auto tile = [&](auto R) {
        for (; i + decltype(R)::value <= i1; i += decltype(R)::value)
          gradient_tile<T, decltype(R)::value, C>(x + b, rows, i, dZ + std::size_t(b) * lddz, lddz, share,
                                                  partial + std::size_t(i) * C * width<T>, layer.place(block, i), sink);
      };
      tile(std::integral_constant<int, most>{});
      if constexpr (most > 8) tile(std::integral_constant<int, 8>{});
      tile(std::integral_constant<int, 4>{});
      tile(std::integral_constant<int, 1>{});
    }
  });
}
