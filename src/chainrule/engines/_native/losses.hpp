// Losses: the loss of one row and dl/dy from one function, in the order of the Python file. K outputs; `d` gets dl/dy times
// `factor`, and 0 in its padding.

// f(y, t, l) gives dl/dy and sets l, a vector of outputs at a time; the sum of all l is the row's.
template <class T, class F> double over_outputs(const T* y, const T* t, T* d, int K, T factor, F f) {
  constexpr int N = width<T>;
  V<T> total{};
  for (int k = 0; k < K; k += N) {
    const int n = K - k;
    V<T> l{}, g = f(load<T>(y + k), n < N ? load_n<T>(t + k, n) : load<T>(t + k), l) * factor;
    total += n < N ? first_n<T>(l, n) : l;
    store(d + k, n < N ? first_n<T>(g, n) : g);
  }
  return sum_of<T>(total);
}
// The C library's, entry by entry: this loss is rarely asked for.
template <class T> inline V<T> log1m_of(V<T> x) {
  for (int i = 0; i < width<T>; ++i) x[i] = T(std::log1p(-double(x[i])));
  return x;
}

// -log softmax(y)[true] and softmax(y) - t, for as many outputs as a vector has: nothing leaves the registers.
template <class T> double softmax_cross_entropy_vector(const T* y, const T* t, T* d, int K, T factor) {
  const V<T> outputs = load<T>(y), targets = load_n<T>(t, K), lowest = splat(-std::numeric_limits<T>::infinity());
  const V<T> z = outputs - largest_of<T>(first_n<T>(outputs, K, lowest)), e = first_n<T>(exponential_below<T>(z), K);
  const V<T> sum = sum_everywhere<T>(e);
  store(d, e * (factor / sum) - targets * factor);
  return logarithm<T>(sum)[0] - sum_of<T>(targets * first_n<T>(z, K));
}
template <class T> double softmax_cross_entropy_row(const T* y, const T* t, T* d, int K, T factor) {
  constexpr int N = width<T>;
  if (K <= N) return softmax_cross_entropy_vector<T>(y, t, d, K, factor);
  const V<T> lowest = splat(-std::numeric_limits<T>::infinity());
  const auto logits = [&](int k) { return K - k < N ? load_n<T>(y + k, K - k) : load<T>(y + k); };
  const auto targets = [&](int k) { return K - k < N ? load_n<T>(t + k, K - k) : load<T>(t + k); };
  V<T> tops = lowest;
  for (int k = 0; k < K; k += N) tops = at_least(K - k < N ? first_n<T>(load<T>(y + k), K - k, lowest) : load<T>(y + k), tops);
  const T top = largest_of<T>(tops);
  V<T> sums{}, rights{};
  for (int k = 0; k < K; k += N) {
    const V<T> z = logits(k) - top;
    V<T> e = exp_of(z);
    if (K - k < N) e = first_n<T>(e, K - k);
    store(d + k, e);
    sums += e;
    rights += targets(k) * z;
  }
  const T sum = sum_of<T>(sums), scale = factor / sum;
  for (int k = 0; k < K; k += N) store(d + k, load<T>(d + k) * scale - targets(k) * factor);
  return logarithm<T>(splat(sum))[0] - sum_of<T>(rights);
}

template <class T> double loss_row(const Loss& loss, const T* y, const T* t, T* d, int K, T factor) {
  const T tiny = std::numeric_limits<T>::min() / std::numeric_limits<T>::epsilon(), eps = std::numeric_limits<T>::epsilon(), share = T(1) / T(K);
  const V<T> none{};
  const auto over = [&](T times, auto f) { return over_outputs<T>(y, t, d, K, factor * times, f); };
  switch (loss.kind) {
    case LossKind::half_squared_error:
      return over(1, [](V<T> y, V<T> t, V<T>& l) { const V<T> e = y - t; l = T(0.5) * e * e; return e; });
    case LossKind::mean_squared_error:
      return over(share, [](V<T> y, V<T> t, V<T>& l) { const V<T> e = y - t; l = e * e; return 2 * e; }) / K;
    case LossKind::mean_absolute_error:
      return over(share, [](V<T> y, V<T> t, V<T>& l) {
        const V<T> e = y - t, one = splat(T(1));
        l = e < 0 ? -e : e;
        return e > 0 ? one : e < 0 ? -one : e * 0;
      }) / K;
    case LossKind::huber:
      return over(share, [&](V<T> y, V<T> t, V<T>& l) {
        const V<T> e = y - t, c = at_most(at_least(e, splat(T(-loss.delta))), splat(T(loss.delta)));
        l = c * (e - T(0.5) * c);
        return c;
      }) / K;
    case LossKind::quantile:
      return over(share, [&](V<T> y, V<T> t, V<T>& l) {
        const V<T> e = y - t, g = e > 0 ? splat(T(1 - loss.delta)) : e < 0 ? splat(T(-loss.delta)) : e * 0;
        l = g * e;
        return g;
      }) / K;
    case LossKind::poisson:
      return over(share, [&](V<T> y, V<T> t, V<T>& l) {
        const V<T> p = at_least(y, splat(tiny));
        l = y - t * logarithm<T>(p);
        return 1 - (y > tiny ? t / p : none);
      }) / K;
    case LossKind::cross_entropy:
      return over(1, [&](V<T> y, V<T> t, V<T>& l) {
        const V<T> p = at_least(y, splat(tiny)), of_true = -t * logarithm<T>(p);
        l = t == 0 ? (p == p ? none : p) : of_true;
        return y > tiny ? -t / p : y == y ? none : y;
      });
    case LossKind::binary_cross_entropy:
      return over(1, [&](V<T> y, V<T> t, V<T>& l) {
        const V<T> p = at_most(at_least(y, splat(eps)), splat(1 - eps)), slope = (p - t) / (p * (1 - p));
        l = -t * logarithm<T>(p) - (1 - t) * log1m_of<T>(p);
        return p == y ? slope : y == y ? none : y;
      });
    case LossKind::softmax_cross_entropy: return softmax_cross_entropy_row<T>(y, t, d, K, factor);
    case LossKind::sigmoid_cross_entropy:
      return over(1, [&](V<T> z, V<T> t, V<T>& l) {
        const V<T> below = z < 0 ? z : -z, e = exp_of(below);
        l = at_least(z, none) + log1p_exp<T>(below) - t * z;
        return (z < 0 ? e : splat(T(1))) / (1 + e) - t;
      });
  }
  return 0;
}
