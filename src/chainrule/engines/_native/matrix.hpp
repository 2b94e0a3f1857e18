// The three products of a dense layer. A tile of the result is kept in registers while its sum is made; the sum over k
// runs in one order whatever the tile, so the bits do not depend on how work is shared out.

template <class T> struct Tile {  // rows and vectors of a tile: what the registers hold
  static constexpr int rows = 6, vectors = kRegisters >= 32 ? 4 : 2;
};

// z[r][c] = b[c] + sum_k x[r][k] W[k][c] for R rows and C vectors of columns; `tail` > 0: only so many entries of the last.
// With few rows, U sums are made of each, to fill the pipeline of the multiplier.
template <class T, int R, int C, bool tail, int U>
void forward_tile(const T* const* x, int K, const T* W, int ldw, const T* b, T* z, int ldz, int n) {
  constexpr int N = width<T>;
  V<T> s[U][R][C] = {};
  const auto column = [&](const T* p, int c) { return tail && c == C - 1 ? load_n<T>(p + c * N, n) : load<T>(p + c * N); };
  if (b)
    for (int c = 0; c < C; ++c)
      for (int r = 0; r < R; ++r) s[0][r][c] = column(b, c);
  int k = 0;
  for (; k + U <= K; k += U)
    for (int u = 0; u < U; ++u) {
      V<T> w[C];
      for (int c = 0; c < C; ++c) w[c] = column(W + std::size_t(k + u) * ldw, c);
      for (int r = 0; r < R; ++r) {
        const V<T> xk = splat(x[r][k + u]);
        for (int c = 0; c < C; ++c) s[u][r][c] += xk * w[c];
      }
    }
  for (; k < K; ++k)
    for (int c = 0; c < C; ++c) {
      const V<T> w = column(W + std::size_t(k) * ldw, c);
      for (int r = 0; r < R; ++r) s[0][r][c] += x[r][k] * w;
    }
  for (int r = 0; r < R; ++r)
    for (int c = 0; c < C; ++c) {
      V<T> total = s[0][r][c];
      for (int u = 1; u < U; ++u) total += s[u][r][c];
      store(z + std::size_t(r) * ldz + c * N, total);  // z has padded rows: the rest of a tail becomes 0
    }
}

template <class T, int R, int C>
void forward_rows(const T* const* x, int K, const T* W, int ldw, const T* b, T* z, int ldz, int n) {
  constexpr int U = R == 1 ? 4 : R <= 3 ? 2 : 1;  // of R alone: how columns are shared out must not matter
  n ? forward_tile<T, R, C, true, U>(x, K, W, ldw, b, z, ldz, n) : forward_tile<T, R, C, false, U>(x, K, W, ldw, b, z, ldz, n);
}

template <class T, int C>
void forward_columns(const T* const* x, int B, int K, const T* W, int ldw, const T* b, T* z, int ldz, int n) {
  constexpr int R = Tile<T>::rows;
  int r = 0;
  for (; r + R <= B; r += R) forward_rows<T, R, C>(x + r, K, W, ldw, b, z + std::size_t(r) * ldz, ldz, n);
  const auto rest = [&](auto R_) { forward_rows<T, decltype(R_)::value, C>(x + r, K, W, ldw, b, z + std::size_t(r) * ldz, ldz, n); };
  switch (B - r) {
    case 1: rest(std::integral_constant<int, 1>{}); break;
    case 2: rest(std::integral_constant<int, 2>{}); break;
    case 3: rest(std::integral_constant<int, 3>{}); break;
    case 4: rest(std::integral_constant<int, 4>{}); break;
    case 5: rest(std::integral_constant<int, 5>{}); break;
    default: break;
  }
}

// Z = X W + b for the columns c0 to c1; `done(c, n)` is called for each block of columns when it stands in Z.
template <class T, class Done>
void forward(const T* const* x, int B, int K, const T* W, int O, const T* b, T* Z, int ldz, int c0, int c1, Done done) {
  constexpr int N = width<T>, block = Tile<T>::vectors * N;
  for (int c = c0; c < c1; c += block) {
    const int n = (c1 - c < block ? c1 - c : block), vectors = (n + N - 1) / N, part = n % N;
    const T* bc = b ? b + c : nullptr;
    switch (vectors) {
      case 1: forward_columns<T, 1>(x, B, K, W + c, O, bc, Z + c, ldz, part); break;
      case 2: forward_columns<T, 2>(x, B, K, W + c, O, bc, Z + c, ldz, part); break;
      case 3: if constexpr (Tile<T>::vectors >= 3) forward_columns<T, 3>(x, B, K, W + c, O, bc, Z + c, ldz, part); break;
      default: if constexpr (Tile<T>::vectors >= 4) forward_columns<T, 4>(x, B, K, W + c, O, bc, Z + c, ldz, part); break;
    }
    done(c, n);
  }
}

// dX = dZ W^T for the inputs i0 to i1, few rows: a scalar product for each, N at a time. Rows of dZ are padded with 0.
template <class T>
void backward_inputs_by_rows(const T* dZ, int lddz, int B, const T* W, int O, T* dX, int lddx, int i0, int i1) {
  constexpr int N = width<T>;
  const int whole = O / N * N, part = O - whole;
  for (int i = i0; i < i1; i += N) {
    const int n = i1 - i < N ? i1 - i : N;
    const T* rows[N];
    for (int j = 0; j < N; ++j) rows[j] = W + std::size_t(i + (j < n ? j : n - 1)) * O;
    for (int r = 0; r < B; ++r) {
      const T* d = dZ + std::size_t(r) * lddz;
      V<T> s[N] = {};
      for (int o = 0; o < whole; o += N) {
        const V<T> dv = load<T>(d + o);
        for (int j = 0; j < N; ++j) s[j] += dv * load<T>(rows[j] + o);
      }
      if (part) {
        const V<T> dv = load<T>(d + whole);
        for (int j = 0; j < N; ++j) s[j] += dv * load_n<T>(rows[j] + whole, part);
      }
      for (int j = n; j < N; ++j) s[j] = V<T>{};  // the padding stays 0
      store(dX + std::size_t(r) * lddx + i, sums<T>(s));
    }
  }
}

// The same for many rows: W^T is laid out first, a block of inputs at a time, then it is a product like forward's.
template <class T>
void backward_inputs(const T* const* d, const T* dZ, int lddz, int B, const T* W, int O, T* dX, int lddx, int i0, int i1, T* WT) {
  if (B < 4) return backward_inputs_by_rows(dZ, lddz, B, W, O, dX, lddx, i0, i1);
  constexpr int block = Tile<T>::vectors * width<T>;
  for (int i = i0; i < i1; i += block) {
    const int n = i1 - i < block ? i1 - i : block;
    for (int k = 0; k < n; ++k)
      for (int o = 0; o < O; ++o) WT[std::size_t(o) * block + k] = W[std::size_t(i + k) * O + o];
    forward<T>(d, B, O, WT, block, nullptr, dX + i, lddx, 0, n, [](int, int) {});
  }
}

// g[i][c] = sum over the B rows of x[r][i] dZ[r][c], for R inputs and C vectors of columns; tails as in forward_tile.
template <class T, int R, int C, bool tail>
void gradient_tile(const T* const* x, int B, int i, const T* dZ, int lddz, T* g, int ldg, int n) {
  constexpr int N = width<T>;
  V<T> s[R][C] = {};
  for (int b = 0; b < B; ++b) {
    V<T> d[C];
    for (int c = 0; c < C; ++c) d[c] = load<T>(dZ + std::size_t(b) * lddz + c * N);
    for (int r = 0; r < R; ++r) {
      const V<T> xi = splat(x[b][i + r]);
      for (int c = 0; c < C; ++c) s[r][c] += xi * d[c];
    }
  }
  for (int r = 0; r < R; ++r)
    for (int c = 0; c < C; ++c) {
      T* to = g + std::size_t(r) * ldg + c * N;
      tail && c == C - 1 ? store_n<T>(to, s[r][c], n) : store(to, s[r][c]);
    }
}

// R rows of the gradient from input i on, columns c0 to c1, into g (R, c1 - c0), without gaps.
template <class T, int R>
void gradient_rows(const T* const* x, int B, int i, const T* dZ, int lddz, int c0, int c1, T* g) {
  constexpr int N = width<T>, block = Tile<T>::vectors * N;
  const int ldg = c1 - c0;
  for (int c = c0; c < c1; c += block) {
    const int size = c1 - c < block ? c1 - c : block, n = size % N;
    const auto tile = [&](auto C_) {
      constexpr int C = decltype(C_)::value;
      if constexpr (C <= Tile<T>::vectors) {
        n ? gradient_tile<T, R, C, true>(x, B, i, dZ + c, lddz, g + (c - c0), ldg, n)
          : gradient_tile<T, R, C, false>(x, B, i, dZ + c, lddz, g + (c - c0), ldg, n);
      }
    };
    switch ((size + N - 1) / N) {
      case 1: tile(std::integral_constant<int, 1>{}); break;
      case 2: tile(std::integral_constant<int, 2>{}); break;
      case 3: tile(std::integral_constant<int, 3>{}); break;
      default: tile(std::integral_constant<int, 4>{}); break;
    }
  }
}

// dW = X^T dZ for the columns c0 to c1, a few rows at a time; `done(i, rows, g)` takes each panel while it is warm.
template <class T, class Done>
void backward_weights(const T* const* x, int B, int I, const T* dZ, int lddz, int c0, int c1, T* g, Done done) {
  constexpr int R = Tile<T>::rows;
  if (c0 >= c1) return;
  int i = 0;
  for (; i + R <= I; i += R) {
    gradient_rows<T, R>(x, B, i, dZ, lddz, c0, c1, g);
    done(i, R, g);
  }
  for (; i < I; ++i) {
    gradient_rows<T, 1>(x, B, i, dZ, lddz, c0, c1, g);
    done(i, 1, g);
  }
}
