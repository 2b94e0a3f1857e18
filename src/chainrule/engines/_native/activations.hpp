// Activations, each beside its slope, in the order of the Python file. Y = f(Z); the slope is taken from Z and Y.

template <class T> constexpr T kSeluScale = T(1.0507009873554805);
template <class T> constexpr T kSeluAlpha = T(1.6732632423543772);

template <class T> inline V<T> gelu_tanh(V<T> z) { return tanh_of(T(0.7978845608028654) * (z + T(0.044715) * z * z * z)); }

template <class T, Act act> inline V<T> value(V<T> z, T a) {
  const V<T> below = at_most(z, V<T>{});
  if constexpr (act == Act::sigmoid) return logistic<T>(z);
  if constexpr (act == Act::tanh) return tanh_of(z);
  if constexpr (act == Act::scaled_tanh) return T(1.7159) * tanh_of(T(2.0 / 3.0) * z);
  if constexpr (act == Act::relu) return at_least(z, V<T>{});
  if constexpr (act == Act::leaky_relu) return z > 0 ? z : a * z;
  if constexpr (act == Act::elu) return z > 0 ? z : a * expm1_of<T>(below);
  if constexpr (act == Act::selu) return z > 0 ? kSeluScale<T> * z : kSeluScale<T> * kSeluAlpha<T> * expm1_of<T>(below);
  if constexpr (act == Act::gelu) return T(0.5) * z * (1 + gelu_tanh<T>(z));
  if constexpr (act == Act::silu) return z * logistic<T>(z);
  if constexpr (act == Act::softplus) return at_least(z, V<T>{}) + log1p_exp<T>(z < 0 ? z : -z);
  if constexpr (act == Act::exp) return exp_of(z);
  return z;
}

template <class T, Act act> inline V<T> slope(V<T> z, V<T> y, T a) {
  const V<T> one = splat(T(1)), none{};
  if constexpr (act == Act::sigmoid) return y * (1 - y);
  if constexpr (act == Act::tanh) return 1 - y * y;
  if constexpr (act == Act::scaled_tanh) return T(2.0 / 3.0) * (T(1.7159) - y * y * T(1 / 1.7159));
  if constexpr (act == Act::relu) return z > 0 ? one : none;
  if constexpr (act == Act::leaky_relu) return z > 0 ? one : splat(a);
  if constexpr (act == Act::elu) return z > 0 ? one : y + a;
  if constexpr (act == Act::selu) return z > 0 ? splat(kSeluScale<T>) : y + kSeluScale<T> * kSeluAlpha<T>;
  if constexpr (act == Act::gelu) {
    const V<T> t = gelu_tanh<T>(z), du = T(0.7978845608028654) * (1 + T(3 * 0.044715) * z * z);
    return T(0.5) * (1 + t) + T(0.5) * z * (1 - t * t) * du;
  }
  if constexpr (act == Act::silu) { const V<T> s = logistic<T>(z); return s + y * (1 - s); }
  if constexpr (act == Act::softplus) return logistic<T>(z);
  if constexpr (act == Act::exp) return y;
  return one;
}

// Calls f with the activation as a constant, and gives what it gives.
template <class F> inline auto with(Act act, const F& f) {
#define CASE(name) case Act::name: return f(std::integral_constant<Act, Act::name>{})
  switch (act) {
    CASE(sigmoid); CASE(tanh); CASE(scaled_tanh); CASE(relu); CASE(leaky_relu); CASE(elu); CASE(selu); CASE(gelu);
    CASE(silu); CASE(softplus); CASE(exp);
    default: return f(std::integral_constant<Act, Act::identity>{});
  }
#undef CASE
}

// Y = f(Z) for some columns of some rows. Z may be Y.
template <class T>
void activate(Act act, T a, const T* Z, T* Y, int ld, int r0, int r1, int c0, int c1) {
  if (act == Act::identity && Z == Y) return;
  with(act, [&](auto k) {
    for (int r = r0; r < r1; ++r) {
      const std::size_t row = std::size_t(r) * ld;
      for (int c = c0; c < c1; c += width<T>) store(Y + row + c, value<T, decltype(k)::value>(load<T>(Z + row + c), a));
    }
  });
}
// D = D * f'(Z), where D holds dY before and dZ after. The relu family reads Y in place of Z.
template <class T>
void through_slope(Act act, T a, const T* Z, const T* Y, T* D, int ld, int r0, int r1, int c0, int c1) {
  if (act == Act::identity) return;
  with(act, [&](auto k) {
    for (int r = r0; r < r1; ++r) {
      const std::size_t row = std::size_t(r) * ld;
      for (int c = c0; c < c1; c += width<T>)
        store(D + row + c, load<T>(D + row + c) * slope<T, decltype(k)::value>(load<T>(Z + row + c), load<T>(Y + row + c), a));
    }
  });
}

// Softmax of a row of K numbers in place; the padding behind them becomes 0.
template <class T> void softmax_row(T* y, int K) {
  constexpr int N = width<T>;
  T top = y[0];
  for (int k = 1; k < K; ++k) top = y[k] > top || y[k] != y[k] ? y[k] : top;
  V<T> total{};
  for (int k = 0; k < K; k += N) {
    V<T> e = exp_of(load<T>(y + k) - top);
    if (k + N > K) e = load_n<T>(reinterpret_cast<const T*>(&e), K - k);
    store(y + k, e);
    total += e;
  }
  T sum = 0;
  for (int i = 0; i < N; ++i) sum += total[i];
  for (int k = 0; k < K; k += N) store(y + k, load<T>(y + k) / sum);
}
// D = Y * (D - sum D Y): the softmax's whole Jacobian applied to dY.
template <class T> void through_softmax_row(const T* y, T* d, int K) {
  T dot = 0;
  for (int k = 0; k < K; ++k) dot += d[k] * y[k];
  for (int k = 0; k < K; ++k) d[k] = y[k] * (d[k] - dot);
}
