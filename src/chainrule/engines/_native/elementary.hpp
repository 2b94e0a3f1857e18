// exp, tanh and the logistic function. float: vectors, at most 2 ulp from the true value; double: the C library, entry by
// entry. Constants are those of Moshier's Cephes library (public domain).

template <class T, class F> inline V<T> each(V<T> x, F f) {
  for (int i = 0; i < width<T>; ++i) x[i] = f(x[i]);
  return x;
}

// exp(x) = 2^n exp(r), n = round(x / ln 2), |r| <= ln 2 / 2. 2^n is applied in two halves: the result may be subnormal.
inline V<float> exp_of(V<float> x) {
  x = at_most(at_least(x, splat(-104.0f)), splat(89.0f));
  const V<float> shift = splat(12582912.0f);  // 1.5 * 2^23: adding it rounds to whole numbers
  V<float> n = x * 1.44269504088896341f + shift;
  n = n - shift;
  const V<float> r = (x - n * 0.693359375f) + n * 2.12194440e-4f;
  V<float> p = splat(1.9875691500e-4f);
  p = p * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  p = p * (r * r) + r + 1.0f;
  const M<float> whole = __builtin_convertvector(n == n ? n : V<float>{}, M<float>), half = whole >> 1;
  return p * V<float>((half + 127) << 23) * V<float>((whole - half + 127) << 23);
}
inline V<double> exp_of(V<double> x) { return each<double>(x, [](double t) { return std::exp(t); }); }

template <class T> inline V<T> logistic(V<T> x) { return 1 / (1 + exp_of(-x)); }

inline V<float> tanh_of(V<float> x) {
  const V<float> a = x < 0 ? -x : x, z = x * x;
  V<float> p = splat(-5.70498872745e-3f);
  p = p * z + 2.06390887954e-2f;
  p = p * z - 5.37397155531e-2f;
  p = p * z + 1.33314422036e-1f;
  p = p * z - 3.33332819422e-1f;
  const V<float> small = p * z * x + x;
  const V<float> t = 1 - 2 / (exp_of(a + a) + 1), large = x < 0 ? -t : t;
  return a < 0.625f ? small : large;
}
inline V<double> tanh_of(V<double> x) { return each<double>(x, [](double t) { return std::tanh(t); }); }

template <class T> inline V<T> log1p_exp(V<T> x) {  // log(1 + exp(x)), x <= 0
  return each<T>(x, [](T t) { return T(std::log1p(std::exp(t))); });
}
template <class T> inline V<T> expm1_of(V<T> x) { return each<T>(x, [](T t) { return T(std::expm1(t)); }); }
