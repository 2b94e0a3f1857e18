// Optimisers: what is added to theta, entry by entry, from the gradient and the slots. In the order of the Python file, with
// the same meaning of every number; see there for formulas and sources.

// The few numbers of one step.
template <class T> struct Step {
  OptimizerKind kind;
  bool nesterov;
  T minus_rate, momentum, decay, beta1, beta2, epsilon;
  T of_mean, of_gradient;  // Adam, NAdam: what m and g are multiplied by
  T l1, l2, shrink;        // penalties; AdamW's rate * weight_decay
  T clip_value;            // 0: none
  T scale;                 // to clip by the norm
};

// mu_t and the product of all mu up to t, kept from step to step.
struct NesterovMomentum {
  double beta1, momentum_decay, product = 1;
  std::int64_t t = 0;
  double mu(std::int64_t step) const { return beta1 * (1 - 0.5 * std::pow(0.96, double(step) * momentum_decay)); }
  double upto(std::int64_t step) {
    for (; t < step; ++t) product *= mu(t + 1);
    return product;
  }
};

template <class T> T above_zero(T x) { return at_least(x, std::numeric_limits<T>::min()); }  // the padding must not become 0/0

template <class T> Step<T> of_all_steps(const Optimizer& o) {
  Step<T> s{};
  s.kind = o.kind;
  s.nesterov = o.nesterov;
  s.scale = 1;
  s.l1 = T(o.l1); s.l2 = T(o.l2); s.clip_value = T(o.clip_value);
  s.momentum = T(o.momentum); s.decay = T(o.decay); s.beta1 = T(o.beta1); s.beta2 = T(o.beta2); s.epsilon = above_zero(T(o.epsilon));
  return s;
}
// What depends on the rate and on t, the number of this step, from 1 on.
template <class T> void at_step(Step<T>& s, const Optimizer& o, double rate, std::int64_t t, NesterovMomentum& nesterov) {
  s.minus_rate = T(-rate);
  s.shrink = T(rate * o.weight_decay);
  if (o.kind != OptimizerKind::adam && o.kind != OptimizerKind::nadam) return;
  const double correction = std::sqrt(1 - std::pow(o.beta2, double(t)));
  s.epsilon = above_zero(T(o.epsilon * correction));
  if (o.kind == OptimizerKind::adam) {
    s.of_mean = T(-rate * correction / (1 - std::pow(o.beta1, double(t))));
  } else {
    const double past = nesterov.upto(t), now = nesterov.mu(t), then = nesterov.mu(t + 1);
    s.of_mean = T(-rate * correction * then / (1 - past * then));
    s.of_gradient = T(-rate * correction * (1 - now) / (1 - past));
  }
}

template <class T, OptimizerKind kind, bool momentum>
inline V<T> change(const Step<T>& s, V<T> g, V<T>& first, V<T>& second) {
  if constexpr (kind == OptimizerKind::sgd) {
    const V<T> step = g * s.minus_rate;
    if constexpr (!momentum) return step;
    first = first * s.momentum + step;
    return s.nesterov ? step + first * s.momentum : first;
  }
  if constexpr (kind == OptimizerKind::rmsprop) {
    first = first * s.decay + g * g * (1 - s.decay);
    const V<T> step = over_root<T>(g * s.minus_rate, first, s.epsilon);
    if constexpr (!momentum) return step;
    return second = second * s.momentum + step;
  }
  if constexpr (kind == OptimizerKind::adagrad) {
    first = first + g * g;
    return over_root<T>(g * s.minus_rate, first, s.epsilon);
  }
  first = first * s.beta1 + g * (1 - s.beta1);
  second = second * s.beta2 + g * g * (1 - s.beta2);
  V<T> mean = first * s.of_mean;
  if constexpr (kind == OptimizerKind::nadam) mean = mean + g * s.of_gradient;
  return over_root<T>(mean, second, s.epsilon);
}

// Update n entries of theta, whole vectors, from their gradient g; `weight`: penalties and decay concern them.
template <class T, OptimizerKind kind, bool momentum>
void update_run(const Step<T>& s, T* theta, T* first, T* second, const T* g, int n, bool weight) {
  constexpr bool one = kind != OptimizerKind::sgd || momentum;
  constexpr bool two = kind == OptimizerKind::adam || kind == OptimizerKind::nadam || (kind == OptimizerKind::rmsprop && momentum);
  const bool penalised = weight && (s.l1 != 0 || s.l2 != 0), decays = weight && s.shrink != 0;
  for (int i = 0; i < n; i += width<T>) {
    const V<T> w = load<T>(theta + i), none{};
    V<T> d = load<T>(g + i), a{}, b{};
    if (penalised) d += s.l2 * w + (w > 0 ? none + s.l1 : w < 0 ? none - s.l1 : none);
    if (s.clip_value > 0) d = at_most(at_least(d, none - s.clip_value), none + s.clip_value);
    if constexpr (one) a = load<T>(first + i);
    if constexpr (two) b = load<T>(second + i);
    V<T> c = change<T, kind, momentum>(s, d, a, b);
    if (decays) c -= s.shrink * w;
    if constexpr (one) store(first + i, a);
    if constexpr (two) store(second + i, b);
    store(theta + i, w + c);
  }
}

template <class T> using Updater = void (*)(const Step<T>&, T*, T*, T*, const T*, int, bool);

template <class T> Updater<T> updater(const Optimizer& o) {
  switch (o.kind) {
    case OptimizerKind::sgd: return o.momentum != 0 ? update_run<T, OptimizerKind::sgd, true> : update_run<T, OptimizerKind::sgd, false>;
    case OptimizerKind::rmsprop: return o.momentum != 0 ? update_run<T, OptimizerKind::rmsprop, true> : update_run<T, OptimizerKind::rmsprop, false>;
    case OptimizerKind::adagrad: return update_run<T, OptimizerKind::adagrad, false>;
    case OptimizerKind::nadam: return update_run<T, OptimizerKind::nadam, false>;
    default: return update_run<T, OptimizerKind::adam, false>;
  }
}
