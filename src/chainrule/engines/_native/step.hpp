// One step, and many of them, as one thread sees it; plan.hpp tells the way.

struct Part { int first, last; };

template <class T> class Worker {
 public:
  Worker(const Job<T>& job, Workspace<T>& workspace, int thread, Barrier& barrier)
      : j(job), w(workspace), L(job.layers), n(job.n_layers), t(thread), bar(barrier), update_(updater<T>(job.optimizer)) {
    while (first_trained < n && !(L[first_trained].kind == LayerKind::dense)) ++first_trained;
    nesterov.beta1 = j.optimizer.beta1;
    nesterov.momentum_decay = j.optimizer.momentum_decay;
  }

  std::int64_t advance(const Range& range) {
    const std::int64_t N = j.N;
    for (std::int64_t k = 0; k < range.count; ++k) {
      const std::int64_t from = (range.first + k) * j.batch;
      B = int(N - from < j.batch ? N - from : j.batch);
      if (t == 0) point_rows(from);
      numbers = step_numbers<T>(j.optimizer, range.rates[k], range.taken + k + 1, nesterov);
      bar.wait();
      forward_pass(true, range.taken + k);
      loss_rows(from);
      bar.wait();
      if (t == 0) finish_loss(range.values + 2 * k);
      if (penalised()) penalty(range.values + 2 * k + 1);
      bar.wait();
      if (w.stop != 0) return k + 1;
      backward_pass();
      if (j.optimizer.clip_norm > 0) clipped_update();
      bar.wait();
    }
    return range.count;
  }

  void predict(T* out) {
    const int O = L[n - 1].O;
    for (std::int64_t from = 0; from < j.N; from += j.batch) {
      B = int(j.N - from < j.batch ? j.N - from : j.batch);
      if (t == 0) point_rows(from);
      bar.wait();
      forward_pass(false, 0);
      const Part rows = share(B, 1);
      for (int r = rows.first; r < rows.last; ++r) __builtin_memcpy(out + (from + r) * O, output(n - 1, r), sizeof(T) * O);
      bar.wait();
    }
  }

 private:
  const Job<T>& j;
  Workspace<T>& w;
  const Layer* L;
  const int n, t;
  Barrier& bar;
  Updater<T> update_;
  Step<T> numbers{};
  NesterovMomentum nesterov;
  int B = 0, first_trained = 0;

  Part share(int size, int unit) const {
    const std::int64_t units = (size + unit - 1) / unit, a = units * t / j.threads * unit, b = units * (t + 1) / j.threads * unit;
    return {int(a < size ? a : size), int(b < size ? b : size)};
  }
  Part columns(int O) const {
    constexpr int block = Tile<T>::vectors * width<T>;
    return share(O, O >= block * j.threads ? block : width<T>);
  }
  T* output(int l, int r) const { return w.Y[l] + std::size_t(r) * w.ld[l + 1]; }

  void point_rows(std::int64_t from) {
    const int I = L[0].I;
    for (int r = 0; r < B; ++r) w.rows[0][r] = j.X + (j.order ? j.order[from + r] : from + r) * I;
  }

  // ---- forward ----

  void forward_pass(bool training, std::int64_t step) {
    for (int l = 0; l < n; ++l) {
      const Layer& layer = L[l];
      switch (layer.kind) {
        case LayerKind::dense: dense_forward(l); break;
        case LayerKind::dropout: dropout_forward(l, training, step); break;
        case LayerKind::activation: copy_rows(l); activate_own(l, share(layer.O, width<T>)); break;
      }
      bar.wait();
      if (layer.act == Act::softmax && layer.kind != LayerKind::dropout) {
        const Part rows = share(B, 1);
        for (int r = rows.first; r < rows.last; ++r) softmax_row(output(l, r), layer.O);
        bar.wait();
      }
    }
  }
  void dense_forward(int l) {
    const Layer& layer = L[l];
    const Part c = columns(layer.O);
    const T* b = layer.bias ? j.theta + layer.b : nullptr;
    forward<T>(w.rows[l], B, layer.I, j.theta + layer.w, layer.O, b, w.Y[l], w.ld[l + 1], c.first, c.last,
               [&](int from, int size) { activate_own(l, {from, from + size}); });
  }
  void activate_own(int l, Part c) {
    const Layer& layer = L[l];
    if (layer.act == Act::softmax) return;
    if (needs_z(layer.act))
      for (int r = 0; r < B; ++r)
        for (int i = c.first; i < c.last; i += width<T>) store(w.Z[l] + std::size_t(r) * w.ld[l + 1] + i, load<T>(output(l, r) + i));
    activate<T>(layer.act, T(layer.a), w.Y[l], w.Y[l], w.ld[l + 1], 0, B, c.first, c.last);
  }
  void copy_rows(int l) {
    const Part c = share(L[l].O, width<T>);
    for (int r = 0; r < B; ++r)
      for (int i = c.first; i < c.last; ++i) output(l, r)[i] = w.rows[l][r][i];
  }
  void dropout_forward(int l, bool training, std::int64_t step) {
    const Layer& layer = L[l];
    const Part rows = share(B, 1);
    const int ld = w.ld[l + 1];
    const bool drops = training && layer.rate > 0;
    if (drops) dropout_mask(w.mask[l], ld, layer.I, rows.first, rows.last, layer.rate, j.seed, layer.stream, step);
    for (int r = rows.first; r < rows.last; ++r)
      for (int i = 0; i < layer.I; ++i) output(l, r)[i] = w.rows[l][r][i] * (drops ? w.mask[l][std::size_t(r) * ld + i] : T(1));
  }

  // ---- loss ----

  void loss_rows(std::int64_t from) {
    const int O = L[n - 1].O;
    const Part rows = share(B, 1);
    const T scale = j.loss.mean ? T(1) / T(B) : T(1);
    for (int r = rows.first; r < rows.last; ++r) {
      const std::int64_t row = j.order ? j.order[from + r] : from + r;
      T* d = w.D[n] + std::size_t(r) * w.ld[n];
      const T weight = j.weights ? j.weights[row] : T(1);
      w.row_loss[r] = T(loss_row<T>(j.loss, output(n - 1, r), j.targets + row * O, d, O)) * weight;  // too large for T: infinite
      for (int o = 0; o < O; ++o) d[o] *= scale * weight;
    }
  }
  void finish_loss(double* loss) {
    double total = 0;
    for (int r = 0; r < B; ++r) total += w.row_loss[r];
    *loss = T(j.loss.mean ? total / B : total);
    w.stop = *loss - *loss != 0;  // NaN or infinite
  }
  bool penalised() const { return j.optimizer.l1 > 0 || j.optimizer.l2 > 0; }
  Part chunks() const { return share(int((j.P + kChunk - 1) / kChunk), 1); }

  // l1 sum |w| + l2/2 sum w^2, by chunks whose sums are added in order.
  void penalty(double* value) {
    const Part mine = chunks();
    for (int c = mine.first; c < mine.last; ++c) {
      double absolute = 0, square = 0;
      const std::size_t end = (c + 1) * kChunk < j.P ? (c + 1) * kChunk : j.P;
      for (std::size_t i = c * kChunk; i < end; ++i)
        if (w.is_weight[i]) { const double x = j.theta[i]; absolute += x < 0 ? -x : x; square += x * x; }
      w.sums[c] = j.optimizer.l1 * absolute + 0.5 * j.optimizer.l2 * square;
    }
    bar.wait();
    if (t == 0) {
      for (std::size_t c = 0; c * kChunk < j.P; ++c) *value += w.sums[c];
      *value = T(*value);
      if (*value - *value != 0) w.stop = 1;
    }
  }

  // ---- backward ----

  void backward_pass() {
    for (int l = n - 1; l >= first_trained; --l) {
      const Layer& layer = L[l];
      if (layer.kind == LayerKind::dense) dense_backward(l);
      else if (layer.kind == LayerKind::dropout) dropout_backward(l);
      else { slope_own(l, share(layer.O, width<T>)); bar.wait(); copy_delta(l); }
      if (l > first_trained) bar.wait();
    }
  }
  void slope_own(int l, Part c) {
    const Layer& layer = L[l];
    T* d = w.D[l + 1];
    const int ld = w.ld[l + 1];
    if (layer.act == Act::softmax) {
      const Part rows = share(B, 1);
      for (int r = rows.first; r < rows.last; ++r) through_softmax_row(output(l, r), d + std::size_t(r) * ld, layer.O);
      bar.wait();
      return;
    }
    through_slope<T>(layer.act, T(layer.a), needs_z(layer.act) ? w.Z[l] : w.Y[l], w.Y[l], d, ld, 0, B, c.first, c.last);
  }
  void dense_backward(int l) {
    const Layer& layer = L[l];
    const Part c = columns(layer.O);
    const int ld = w.ld[l + 1];
    slope_own(l, c);
    if (l > first_trained) {
      bar.wait();
      const Part i = share(layer.I, width<T>);
      backward_inputs<T>(w.deltas[l + 1], w.D[l + 1], ld, B, j.theta + layer.w, layer.O, w.D[l], w.ld[l], i.first, i.last, w.transposed[t]);
      bar.wait();
    }
    T* panel = w.panel[t];
    if (layer.train_w)
      backward_weights<T>(w.rows[l], B, layer.I, w.D[l + 1], ld, c.first, c.last, panel, [&](int i, int rows, const T* g) {
        const std::size_t place = layer.w + std::size_t(i) * layer.O + c.first;
        const int size = c.last - c.first;
        if (size == layer.O) return take(place, g, rows * size, true);
        for (int r = 0; r < rows; ++r) take(place + std::size_t(r) * layer.O, g + std::size_t(r) * size, size, true);
      });
    if (layer.bias && layer.train_b && c.last > c.first) {
      for (int o = c.first; o < c.last; o += width<T>) {
        V<T> s{};
        for (int r = 0; r < B; ++r) s += load<T>(w.D[l + 1] + std::size_t(r) * ld + o);
        store(panel + (o - c.first), s);
      }
      take(layer.b + c.first, panel, c.last - c.first, false);
    }
  }
  // n entries of the gradient, from this place in theta on: update them, or keep them until the norm is known.
  void take(std::size_t place, const T* g, int size, bool weight) {
    if (j.optimizer.clip_norm > 0) __builtin_memcpy(w.gradient + place, g, sizeof(T) * size);
    else update_(numbers, j.theta + place, slot(0, place), slot(1, place), g, size, weight);
  }
  T* slot(int which, std::size_t place) const { return j.slots[which] ? j.slots[which] + place : nullptr; }
  void dropout_backward(int l) {
    const Layer& layer = L[l];
    const Part rows = share(B, 1);
    for (int r = rows.first; r < rows.last; ++r)
      for (int i = 0; i < layer.I; ++i) {
        const std::size_t at = std::size_t(r) * w.ld[l + 1] + i;
        w.D[l][at] = w.D[l + 1][at] * (layer.rate > 0 ? w.mask[l][at] : T(1));
      }
  }
  void copy_delta(int l) {
    const Part rows = share(B, 1);
    for (int r = rows.first; r < rows.last; ++r)
      for (int i = 0; i < L[l].I; ++i) w.D[l][std::size_t(r) * w.ld[l] + i] = w.D[l + 1][std::size_t(r) * w.ld[l + 1] + i];
  }

  // Penalties, clipping by value, then by norm, then the update, over the whole gradient.
  void clipped_update() {
    bar.wait();
    const Part mine = chunks();
    const T limit = numbers.clip_value;
    for (int c = mine.first; c < mine.last; ++c) {
      double square = 0;
      const std::size_t end = (c + 1) * kChunk < j.P ? (c + 1) * kChunk : j.P;
      for (std::size_t i = c * kChunk; i < end; ++i) {
        T& g = w.gradient[i];
        if (!w.is_trained[i]) { g = 0; continue; }
        const T x = j.theta[i];
        if (w.is_weight[i]) g += numbers.l2 * x + (x > 0 ? numbers.l1 : x < 0 ? -numbers.l1 : T(0));
        if (limit > 0) g = g < -limit ? -limit : g > limit ? limit : g;
        square += double(g) * g;
      }
      w.sums[c] = square;
    }
    bar.wait();
    double square = 0;
    for (std::size_t c = 0; c * kChunk < j.P; ++c) square += w.sums[c];
    const double norm = std::sqrt(square);
    const T factor = norm > j.optimizer.clip_norm ? T(j.optimizer.clip_norm / norm) : T(1);
    Step<T> plain = numbers;
    plain.l1 = plain.l2 = plain.clip_value = 0;
    for (int c = mine.first; c < mine.last; ++c) {
      const std::size_t end = (c + 1) * kChunk < j.P ? (c + 1) * kChunk : j.P;
      for (std::size_t i = c * kChunk; i < end;) {  // runs of one kind
        std::size_t stop = i;
        while (stop < end && w.is_weight[stop] == w.is_weight[i] && w.is_trained[stop] == w.is_trained[i]) { w.gradient[stop] *= factor; ++stop; }
        if (w.is_trained[i]) update_(plain, j.theta + i, slot(0, i), slot(1, i), w.gradient + i, int(stop - i), w.is_weight[i]);
        i = stop;
      }
    }
  }
};

template <class T> std::int64_t advance_(const Job<T>& job, Workspace<T>& w, const Range& range, int t, Barrier& bar) {
  return Worker<T>(job, w, t, bar).advance(range);
}
template <class T> void predict_(const Job<T>& job, Workspace<T>& w, T* Y, int t, Barrier& bar) {
  Worker<T>(job, w, t, bar).predict(Y);
}
