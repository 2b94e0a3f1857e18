// Losses: the loss of one row and dl/dy from one function, in the order of the Python file. K outputs; `d` gets dl/dy.
// Sums are made in double.

template <class T> double loss_row(const Loss& loss, const T* y, const T* t, T* d, int K) {
  const T tiny = std::numeric_limits<T>::min() / std::numeric_limits<T>::epsilon(), eps = std::numeric_limits<T>::epsilon(), share = T(1) / T(K);
  double l = 0;
  switch (loss.kind) {
    case LossKind::half_squared_error:
      for (int k = 0; k < K; ++k) { d[k] = y[k] - t[k]; l += 0.5 * double(d[k]) * d[k]; }
      return l;
    case LossKind::mean_squared_error:
      for (int k = 0; k < K; ++k) { const T e = y[k] - t[k]; d[k] = 2 * share * e; l += double(e) * e; }
      return l / K;
    case LossKind::mean_absolute_error:
      for (int k = 0; k < K; ++k) { const T e = y[k] - t[k]; d[k] = e > 0 ? share : e < 0 ? -share : e * 0; l += __builtin_fabs(double(e)); }
      return l / K;
    case LossKind::huber:
      for (int k = 0; k < K; ++k) {
        const double e = double(y[k] - t[k]), c = e < -loss.delta ? -loss.delta : e > loss.delta ? loss.delta : e;
        d[k] = e == e ? T(share * c) : T(e);
        l += e == e ? c * (e - 0.5 * c) : e;
      }
      return l / K;
    case LossKind::poisson:
      for (int k = 0; k < K; ++k) {
        const T p = y[k] < tiny ? tiny : y[k];
        d[k] = share * (1 - (y[k] > tiny ? t[k] / p : T(0)));
        l += double(y[k]) - double(t[k]) * std::log(double(p));
      }
      return l / K;
    case LossKind::cross_entropy:
      for (int k = 0; k < K; ++k) {
        const T p = y[k] < tiny ? tiny : y[k];
        d[k] = y[k] > tiny ? -t[k] / p : y[k] != y[k] ? y[k] : T(0);
        if (t[k] != 0 || p != p) l -= double(t[k]) * std::log(double(p));
      }
      return l;
    case LossKind::binary_cross_entropy:
      for (int k = 0; k < K; ++k) {
        const T p = y[k] < eps ? eps : y[k] > 1 - eps ? 1 - eps : y[k];
        d[k] = p == y[k] ? (p - t[k]) / (p * (1 - p)) : y[k] != y[k] ? y[k] : T(0);
        l -= double(t[k]) * std::log(double(p)) + double(1 - t[k]) * std::log1p(-double(p));
      }
      return l;
    case LossKind::softmax_cross_entropy: {
      T top = y[0];
      for (int k = 1; k < K; ++k) top = y[k] > top || y[k] != y[k] ? y[k] : top;
      double sum = 0, right = 0;
      for (int k = 0; k < K; k += width<T>) {
        const int n = K - k < width<T> ? K - k : width<T>;
        const V<T> e = exp_of(load_n<T>(y + k, n) - top);
        for (int j = 0; j < n; ++j) { d[k + j] = e[j]; sum += e[j]; right += double(t[k + j]) * double(y[k + j] - top); }
      }
      const T scale = T(1 / sum);
      for (int k = 0; k < K; ++k) d[k] = d[k] * scale - t[k];
      return std::log(sum) - right;
    }
    case LossKind::sigmoid_cross_entropy:
      for (int k = 0; k < K; ++k) {
        const double z = y[k], e = std::exp(-__builtin_fabs(z));
        d[k] = T((z >= 0 ? 1.0 : e) / (1 + e) - t[k]);
        l += (z < 0 ? 0.0 : z) + std::log1p(e) - double(t[k]) * z;
      }
      return l;
  }
  return l;
}
