// exp, expm1, log, log(1 + exp), tanh and the logistic function, float and double alike: no branch, no table, no library. At most
// 2 ulp from the true value (exp, tanh), or 2.5, and right at the ends: infinities, NaN, -0, results too small or too large.
// tests/test_elementary.py measures it; tools/polynomials.py made the coefficients, of the highest power first.

template <class T> struct Fitted;
template <> struct Fitted<float> {
  static constexpr float exp[] = {  // (exp(r) - 1 - r) / r^2, |r| <= ln 2 / 2
      0.000198909809f, 0.0013933641f, 0.00833331093f, 0.041666465f, 0.166666667f, 0.500000001f};
  static constexpr float tanh[] = {  // (tanh(a) / a - 1) / a^2 by a^2, a <= 0.55
      -0.00661022783f, 0.0213093887f, -0.0539094288f, 0.133331137f, -0.33333332f};
  static constexpr float atanh[] = {  // (atanh(s) / s - 1) / s^2 by s^2, s <= 1/3
      0.116121646f, 0.108532879f, 0.14296179f, 0.199998532f, 0.333333337f};
  static constexpr float smallest = -104, largest = 89;  // where exp is 0, and infinite
  static constexpr float shift = 12582912;               // 1.5 * 2^23: adding it rounds to whole numbers
  static constexpr int bias = 127, fraction = 23;
};
template <> struct Fitted<double> {
  static constexpr double exp[] = {
      2.0914679376583935e-9, 2.5105206373957011e-8, 2.7557273661348636e-7, 2.7557255425746434e-6, 2.4801587325533364e-5,
      0.00019841269874800492, 0.0013888888888883752, 0.0083333333333261409, 0.04166666666666667, 0.16666666666666671, 0.5};
  static constexpr double tanh[] = {
      -2.0602765376366342e-5, 8.5113136855776715e-5, -0.00023463474108872371, 0.00058893605200740578,
      -0.001455661830100716, 0.0035921103786890239, -0.0088632343978143548, 0.021869488493666942, -0.053968253967434015,
      0.13333333333332715, -0.33333333333333333};
  static constexpr double atanh[] = {
      0.080820228059717661, 0.044003692430723369, 0.060005364047953563, 0.066570721048274681, 0.076927850324793116,
      0.090908947180664291, 0.11111111358713931, 0.14285714283554379, 0.20000000000007291, 0.33333333333333329};
  static constexpr double smallest = -746, largest = 710;
  static constexpr double shift = 6755399441055744;  // 1.5 * 2^52
  static constexpr int bias = 1023, fraction = 52;
};

// float: by pairs, pairs of pairs and so on, a chain of half the length; double: by Horner's rule, whose rounding is less.
template <int n> inline V<float> by_pairs(V<float> x, const V<float>* c) {
  if constexpr (n == 1) {
    return c[0];
  } else {
    constexpr int half = (n + 1) / 2;
    V<float> pairs[half];
    for (int k = 0; k < n / 2; ++k) pairs[half - 1 - k] = c[n - 2 - 2 * k] * x + c[n - 1 - 2 * k];
    if (n % 2) pairs[0] = c[0];
    return by_pairs<half>(x * x, pairs);
  }
}
template <std::size_t n> inline V<float> polynomial(V<float> x, const float (&coefficients)[n]) {
  V<float> c[n];
  for (std::size_t k = 0; k < n; ++k) c[k] = splat(coefficients[k]);
  return by_pairs<int(n)>(x, c);
}
template <std::size_t n> inline V<double> polynomial(V<double> x, const double (&coefficients)[n]) {
  V<double> p = splat(coefficients[0]);
  for (std::size_t k = 1; k < n; ++k) p = p * x + coefficients[k];
  return p;
}

// a / b, 1 <= b: where the machine has an estimate of 1 / b, a step of Newton's is quicker than the divider. Its rest a - q b is
// rounded once, whatever the compiler does with a product and a sum.
template <class T> inline V<T> quotient(V<T> a, V<T> b) {
#ifdef __AVX512F__
  if constexpr (kBytes == 64 && sizeof(T) == 4) {
    const __m512 r = _mm512_rcp14_ps(__m512(b)), q = _mm512_mul_ps(__m512(a), r);
    return V<T>(_mm512_fmadd_ps(r, _mm512_fnmadd_ps(q, __m512(b), __m512(a)), q));
  }
#endif
  return a / b;
}

// x = n ln 2 + r, n whole, |r| <= ln 2 / 2.
template <class T> struct Reduced { V<T> n, r; };
template <class T> inline Reduced<T> reduced(V<T> x) {
  using F = Fitted<T>;
  const V<T> n = (x * T(1.4426950408889634) + F::shift) - F::shift;
  return {n, (x - n * T(0.693145751953125)) - n * T(1.42860682030941723e-6)};  // ln 2 in two parts, the first product exact
}

// 2^n for whole n of the normal range; the bits of n + shift end in the whole number.
template <class T> inline V<T> power_of_two(V<T> n) {
  using F = Fitted<T>;
  const M<T> whole = M<T>(n + F::shift) - M<T>(splat(F::shift));
  return V<T>((whole + F::bias) << F::fraction);
}
// p 2^n, which may be subnormal or infinite: 2^n is applied in two halves.
template <class T> inline V<T> scaled(V<T> p, V<T> n) {
#ifdef __AVX512F__
  if constexpr (kBytes == 64 && sizeof(T) == 4) return V<T>(_mm512_scalef_ps(__m512(p), __m512(n)));
  if constexpr (kBytes == 64 && sizeof(T) == 8) return V<T>(_mm512_scalef_pd(__m512d(p), __m512d(n)));
  if constexpr (kBytes == 16 && sizeof(T) == 4) return V<T>(_mm_scalef_ps(__m128(p), __m128(n)));
  if constexpr (kBytes == 16 && sizeof(T) == 8) return V<T>(_mm_scalef_pd(__m128d(p), __m128d(n)));
#endif
  n = at_least(n, splat(2 * Fitted<T>::smallest));  // 0 from there on down, and whole numbers that fit
  const V<T> half = (n * T(0.5) + Fitted<T>::shift) - Fitted<T>::shift;
  return p * power_of_two<T>(half) * power_of_two<T>(n - half);
}

// exp(x) for x <= `largest`.
template <class T> inline V<T> exponential_below(V<T> x) {
  const auto [n, r] = reduced<T>(x);
  const V<T> e = scaled<T>(1 + (r + r * r * polynomial(r, Fitted<T>::exp)), n);
  return x < Fitted<T>::smallest ? V<T>{} : e;
}
template <class T> inline V<T> exponential(V<T> x) { return exponential_below<T>(at_most(x, splat(Fitted<T>::largest))); }

// exp(x) - 1 = 2^n (exp(r) - 1) + (2^n - 1), by halves of 2^n, which itself may be too large.
template <class T> inline V<T> expm1_of(V<T> x) {
  const T low = -(Fitted<T>::fraction + 3) * T(0.7);  // -1 from there on down
  const auto [n, r] = reduced<T>(at_most(at_least(x, splat(low)), splat(Fitted<T>::largest)));
  const V<T> p = r * (1 + r * polynomial(r, Fitted<T>::exp)), half = power_of_two<T>(n - 1);
  return n == 0 ? p : 2 * (half * p + (half - T(0.5)));
}

// log(1 + e) = 2 atanh(s), s = e / (2 + e), e = exp(x), for x <= 0.
template <class T> inline V<T> log1p_exp(V<T> x) {
  const V<T> e = exponential_below<T>(x), y = (e + e) / (2 + e), z = y * y * T(0.25);
  return y + y * (z * polynomial(z, Fitted<T>::atanh));
}

// log(x) = n ln 2 + 2 atanh(s), s = (m - 1) / (m + 1), x = m 2^n, sqrt(1/2) <= m < sqrt(2), for x > 0 of the normal range.
template <class T> inline V<T> logarithm(V<T> x) {
  constexpr auto unit = typename Simd<T>::Int(1) << Fitted<T>::fraction;
  const M<T> above = M<T>(x) - M<T>(splat(T(0.70710678118654752))), n = above >> Fitted<T>::fraction;
  const V<T> m = V<T>(M<T>(x) - (above & ~(unit - 1))), y = 2 * (m - 1) / (m + 1), z = y * y * T(0.25);
  const V<T> whole = __builtin_convertvector(n, V<T>);
  const V<T> log = whole * T(0.693145751953125) + (whole * T(1.42860682030941723e-6) + (y + y * (z * polynomial(z, Fitted<T>::atanh))));
  return x - x == 0 ? log : x;
}

// 1 / (1 + exp(-x)), or exp(x) / (1 + exp(x)): whichever has the exp of a number below 0.
template <class T> inline V<T> logistic(V<T> x) {
  const V<T> e = exponential_below<T>(below_zero<T>(x)), one = splat(T(1));
  return quotient<T>(x < 0 ? e : one, 1 + e);
}

template <class T> inline V<T> hyperbolic_tangent(V<T> x) {
  const V<T> a = magnitude<T>(x), z = x * x;
  const V<T> small = x * (1 + z * polynomial(z, Fitted<T>::tanh));
  const V<T> e = exponential_below<T>(2 * at_most(a, splat(T(40)))), t = 1 - quotient<T>(splat(T(2)), e + 1), large = x < 0 ? -t : t;
  return a < T(0.55) ? small : large;
}

inline V<float> exp_of(V<float> x) { return exponential<float>(x); }
inline V<double> exp_of(V<double> x) { return exponential<double>(x); }
inline V<float> tanh_of(V<float> x) { return hyperbolic_tangent<float>(x); }
inline V<double> tanh_of(V<double> x) { return hyperbolic_tangent<double>(x); }

// Each of them by its name, over n numbers; an unknown name: false.
template <class T> bool elementary(const char* name, const T* x, T* y, std::size_t n) {
  const auto each = [&](auto f) {
    constexpr std::size_t N = width<T>;
    for (std::size_t i = 0; i < n; i += N) {
      if (n - i >= N) store(y + i, f(load<T>(x + i)));
      else store_n<T>(y + i, f(load_n<T>(x + i, int(n - i))), int(n - i));
    }
    return true;
  };
  const auto is = [&](const char* other) { return __builtin_strcmp(name, other) == 0; };
  if (is("exp")) return each([](V<T> v) { return exponential<T>(v); });
  if (is("expm1")) return each([](V<T> v) { return expm1_of<T>(v); });
  if (is("log1p_exp")) return each([](V<T> v) { return log1p_exp<T>(v); });
  if (is("log")) return each([](V<T> v) { return logarithm<T>(v); });
  if (is("logistic")) return each([](V<T> v) { return logistic<T>(v); });
  if (is("tanh")) return each([](V<T> v) { return hyperbolic_tangent<T>(v); });
  return false;
}
