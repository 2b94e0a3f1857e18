// Vectors of T as wide as the instruction set: arithmetic by the compiler's vector extension, loads of part of a vector by
// hand where the machine has them. Included inside an unnamed namespace by each isa_*.cpp, which says kBytes.

template <class T> struct Simd {
  static constexpr int N = kBytes / int(sizeof(T));
  using Int = std::conditional_t<sizeof(T) == 4, std::int32_t, std::int64_t>;
  typedef T V __attribute__((vector_size(kBytes)));
  typedef Int M __attribute__((vector_size(kBytes)));
  typedef T Anywhere __attribute__((vector_size(kBytes), aligned(alignof(T)), may_alias));
};
template <class T> using V = typename Simd<T>::V;
template <class T> using M = typename Simd<T>::M;
template <class T> constexpr int width = Simd<T>::N;

template <class T> inline V<T> load(const T* p) { return *reinterpret_cast<const typename Simd<T>::Anywhere*>(p); }
template <class T> inline void store(T* p, V<T> v) { *reinterpret_cast<typename Simd<T>::Anywhere*>(p) = v; }
template <class T> inline V<T> splat(T x) { return x - V<T>{}; }  // 0 + x would be an addition: of -0

// The first n < N entries; the rest is 0, and their memory is not touched.
template <class T> inline V<T> load_n(const T* p, int n) {
#ifdef __AVX512F__
  if constexpr (kBytes == 64 && sizeof(T) == 4) return V<T>(_mm512_maskz_loadu_ps(__mmask16((1u << n) - 1), p));
  if constexpr (kBytes == 64 && sizeof(T) == 8) return V<T>(_mm512_maskz_loadu_pd(__mmask8((1u << n) - 1), p));
  if constexpr (kBytes == 16 && sizeof(T) == 4) return V<T>(_mm_maskz_loadu_ps(__mmask8((1u << n) - 1), p));
  if constexpr (kBytes == 16 && sizeof(T) == 8) return V<T>(_mm_maskz_loadu_pd(__mmask8((1u << n) - 1), p));
#endif
  V<T> v{};
  for (int i = 0; i < n; ++i) v[i] = p[i];
  return v;
}
template <class T> inline void store_n(T* p, V<T> v, int n) {
#ifdef __AVX512F__
  if constexpr (kBytes == 64 && sizeof(T) == 4) return _mm512_mask_storeu_ps(p, __mmask16((1u << n) - 1), __m512(v));
  if constexpr (kBytes == 64 && sizeof(T) == 8) return _mm512_mask_storeu_pd(p, __mmask8((1u << n) - 1), __m512d(v));
#endif
  for (int i = 0; i < n; ++i) p[i] = v[i];
}

// Calls f(0), ..., f(n - 1) with constants: an array that is only taken so lives in registers.
template <class F, int... i> inline void unrolled(F& f, std::integer_sequence<int, i...>) { (f(std::integral_constant<int, i>{}), ...); }
template <int n, class F> inline void unrolled(F f) { unrolled(f, std::make_integer_sequence<int, n>{}); }

// NaN goes through the first argument of both.
template <class W> inline W at_least(W x, W low) { return x < low ? low : x; }
template <class W> inline W at_most(W x, W high) { return x > high ? high : x; }

// |x| and -|x|, by the sign's bit alone.
template <class T> inline M<T> sign_bit() { return M<T>(splat(T(-0.0))); }
template <class T> inline V<T> magnitude(V<T> x) { return V<T>(M<T>(x) & ~sign_bit<T>()); }
template <class T> inline V<T> below_zero(V<T> x) { return V<T>(M<T>(x) | sign_bit<T>()); }

template <class T> inline V<T> square_root(V<T> x) {
#ifdef __AVX512F__
  if constexpr (kBytes == 64 && sizeof(T) == 4) return V<T>(_mm512_sqrt_ps(__m512(x)));
  if constexpr (kBytes == 64 && sizeof(T) == 8) return V<T>(_mm512_sqrt_pd(__m512d(x)));
#endif
#ifdef __AVX__
  if constexpr (kBytes == 32 && sizeof(T) == 4) return V<T>(_mm256_sqrt_ps(__m256(x)));
  if constexpr (kBytes == 32 && sizeof(T) == 8) return V<T>(_mm256_sqrt_pd(__m256d(x)));
#endif
#ifdef __aarch64__
  if constexpr (sizeof(T) == 4) return V<T>(vsqrtq_f32(float32x4_t(x)));
  if constexpr (sizeof(T) == 8) return V<T>(vsqrtq_f64(float64x2_t(x)));
#endif
  for (int i = 0; i < width<T>; ++i) x[i] = std::sqrt(x[i]);
  return x;
}

// Entry p is entry place(p) of a, or, from N on, of b. GCC learned Clang's word for it in version 12 only.
template <class T, class Place, std::size_t... p>
inline V<T> shuffled(V<T> a, V<T> b, Place place, std::index_sequence<p...>) {
#ifdef __clang__
  return __builtin_shufflevector(a, b, place(int(p))...);
#else
  return __builtin_shuffle(a, b, M<T>{place(int(p))...});
#endif
}
template <class T, class Place> inline V<T> shuffled(V<T> a, V<T> b, Place place) {
  return shuffled<T>(a, b, place, std::make_index_sequence<std::size_t(width<T>)>{});
}

// m / (sqrt(v) + epsilon), v >= 0. Where the machine has estimates, steps of Newton's make them exact to an ulp or two,
// without waiting for the divider.
template <class T> inline V<T> over_root(V<T> m, V<T> v, T epsilon) {
#ifdef __AVX512F__
  if constexpr (kBytes == 64 && sizeof(T) == 4) {
    v = at_most(at_least(v, splat(std::numeric_limits<T>::min())), splat(std::numeric_limits<T>::max()));
    const V<T> y = V<T>(_mm512_rsqrt14_ps(__m512(v))), h = v * y, d = h * (T(1.5) - T(0.5) * h * y) + epsilon;
    const V<T> r = V<T>(_mm512_rcp14_ps(__m512(d)));
    return m * (r * (2 - d * r));
  }
  if constexpr (kBytes == 64 && sizeof(T) == 8) {  // two steps each
    v = at_most(at_least(v, splat(std::numeric_limits<T>::min())), splat(std::numeric_limits<T>::max()));
    V<T> y = V<T>(_mm512_rsqrt14_pd(__m512d(v)));
    y = y * (T(1.5) - T(0.5) * (v * y) * y);
    y = y * (T(1.5) - T(0.5) * (v * y) * y);
    const V<T> d = v * y + epsilon;
    V<T> r = V<T>(_mm512_rcp14_pd(__m512d(d)));
    r = r * (2 - d * r);
    return m * (r * (2 - d * r));
  }
#endif
  return m / (square_root<T>(v) + epsilon);
}

// One pair of vectors into one whose first half has the sums of neighbouring segments of a, the second those of b.
template <class T, int L> inline V<T> fold(V<T> a, V<T> b) {
  constexpr int N = width<T>, H = L / 2;
  const auto low = [](int p) { return p < N / 2 ? p / H * L + p % H : N + (p - N / 2) / H * L + p % H; };
  const auto high = [low](int p) { return low(p) + H; };
  return shuffled<T>(a, b, low) + shuffled<T>(a, b, high);
}
// N vectors into one: entry j is the sum of vector j. The order of the additions is fixed.
template <class T, int n = width<T>> inline V<T> sums(const V<T>* v) {
  if constexpr (n == 1) {
    return v[0];
  } else {
    constexpr int L = n;  // segments have this length while n vectors are left
    V<T> half[n / 2];
    unrolled<n / 2>([&](auto j) { half[j] = fold<T, L>(v[2 * j], v[2 * j + 1]); });
    return sums<T, n / 2>(half);
  }
}

// The N vectors of a square, rows into columns: halves are exchanged, then quarters, and so on.
template <class T, int half = width<T> / 2> inline void transpose(V<T>* v) {
  constexpr int N = width<T>;
  unrolled<N / 2>([&](auto pair) {
    constexpr int j = pair / half * 2 * half + pair % half;
    const V<T> a = v[j], b = v[j + half];
    v[j] = shuffled<T>(a, b, [](int p) { return p & half ? N + p - half : p; });
    v[j + half] = shuffled<T>(a, b, [](int p) { return p & half ? N + p : p + half; });
  });
  if constexpr (half > 1) transpose<T, half / 2>(v);
}

// The entries before n; the rest becomes that of `other`.
template <class T> inline V<T> first_n(V<T> v, int n, V<T> other = V<T>{}) {
  M<T> place{};
  for (int p = 0; p < width<T>; ++p) place[p] = p;
  return place < n ? v : other;
}

// The sum, in every entry or alone, and the largest, of the entries of a vector; the order is fixed.
template <class T, int half = width<T> / 2> inline V<T> sum_everywhere(V<T> v) {
  v += shuffled<T>(v, v, [](int p) { return p ^ half; });
  if constexpr (half > 1) return sum_everywhere<T, half / 2>(v);
  else return v;
}
template <class T> inline T sum_of(V<T> v) { return sum_everywhere<T>(v)[0]; }
template <class T, int half = width<T> / 2> inline T largest_of(V<T> v) {
  v = at_least(v, shuffled<T>(v, v, [](int p) { return p ^ half; }));
  if constexpr (half > 1) return largest_of<T, half / 2>(v);
  else return v[0];
}
