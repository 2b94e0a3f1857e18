// The passes over one slice of rows, as one thread of a crew sees them; plan.hpp tells the way.

struct Part { int first, last; };

// Thread t of n that share the work on a slice; between the parts of it they wait for each other.
struct Crew {
  int t, n;
  Barrier* barrier;
  void wait() const { if (n > 1) barrier->wait(); }
  Part share(int size, int unit) const {
    if (n == 1) return {0, size};
    const std::int64_t units = (size + unit - 1) / unit, a = units * t / n * unit, b = units * (t + 1) / n * unit;
    return {int(a < size ? a : size), int(b < size ? b : size)};
  }
};

template <class T> class Passes {
 public:
  Passes(const Job<T>& job, Workspace<T>& workspace, Crew crew) : j(job), w(workspace), L(job.layers), n(job.n_layers), crew_(crew) {
    while (first_trained < n && L[first_trained].kind != LayerKind::dense) ++first_trained;
  }

  // The rows to pass: B of them from place `from` of the epoch on, which are rows `row` and following of a batch of `total`.
  void take(std::int64_t from, int rows, int row, int total) {
    B = rows; from_ = from; row_ = row; total_ = total;
    const int I = L[0].I;
    if (crew_.t == 0)
      for (int r = 0; r < B; ++r) w.rows[0][r] = j.X + index(r) * I;
    crew_.wait();
  }

  // They go forward, in training; the loss of each into its place of row_loss.
  void pass(std::int64_t from, int rows, int row, int total, std::int64_t step, double* row_loss) {
    take(from, rows, row, total);
    forward_pass(true, step);
    losses(row_loss);
  }

  // ---- forward ----

  void forward_pass(bool training, std::int64_t step) {
    for (int l = 0; l < n; ++l) {
      const Layer& layer = L[l];
      switch (layer.kind) {
        case LayerKind::dense: dense_forward(l); break;
        case LayerKind::dropout: dropout_forward(l, training, step); break;
        case LayerKind::activation: activation_forward(l); break;
      }
      crew_.wait();
    }
  }
  const T* output(int r) const { return Y(n - 1, r); }

  // ---- loss ----

  // Of each row, into row_loss of the batch; and dY of the last layer.
  void losses(double* row_loss) {
    const int O = L[n - 1].O;
    const T scale = j.loss.mean ? T(1) / T(total_) : T(1);
    const Part rows = crew_.share(B, 1);
    for (int r = rows.first; r < rows.last; ++r) {
      const std::int64_t row = index(r);
      const T weight = j.weights ? j.weights[row] : T(1);
      T* d = w.D[n] + std::size_t(r) * w.ld[n];
      row_loss[row_ + r] = T(loss_row<T>(j.loss, output(r), j.targets + row * O, d, O, scale * weight)) * weight;  // too large for T: infinite
    }
    crew_.wait();
  }

  // ---- backward ----

  // dW and db of every layer go into `sink`, each thread's share by itself.
  template <class Sink> void backward_pass(const Sink& sink) {
    for (int l = n - 1; l >= first_trained; --l) {
      const Layer& layer = L[l];
      if (layer.kind == LayerKind::dense) dense_backward(l, sink);
      else if (layer.kind == LayerKind::dropout) dropout_backward(l);
      else activation_backward(l);
    }
    crew_.wait();
  }
  T* panel() const { return w.panel[crew_.t]; }

 private:
  const Job<T>& j;
  Workspace<T>& w;
  const Layer* L;
  const int n;
  const Crew crew_;
  int first_trained = 0, B = 0, row_ = 0, total_ = 0;
  std::int64_t from_ = 0;

  std::int64_t index(int r) const { return j.order ? j.order[from_ + r] : from_ + r; }
  T* Y(int l, int r) const { return w.Y[l] + std::size_t(r) * w.ld[l + 1]; }
  // Whether the crew shares a layer's columns; else its rows.
  bool by_columns(const Layer& layer) const { return layer.blocks >= crew_.n; }

  // ---- dense ----

  void dense_forward(int l) {
    const Layer& layer = L[l];
    if (layer.act == Act::softmax || !by_columns(layer)) return product(l, {0, layer.blocks}, crew_.share(B, 1));
    product(l, crew_.share(layer.blocks, 1), {0, B});
  }
  void product(int l, Part blocks, Part rows) {
    const Layer& layer = L[l];
    const int depth = B > 2 * kForwardRows<T, 1> ? (layer.I + (layer.I + kDepth - 1) / kDepth - 1) / ((layer.I + kDepth - 1) / kDepth) : layer.I;
    const int R = rows.last - rows.first;
    if (R <= 0) return;
    for (int k = 0; k < layer.I; k += depth)
      for (int c = blocks.first; c < blocks.last; ++c) {
        const int at = c * layer.block, columns = layer.columns(c), end = layer.I - k < depth ? layer.I : k + depth;
        forward<T>(w.rows[l] + rows.first, R, total_ == 1, k, end, j.theta + layer.place(c, 0), columns,
                   layer.bias ? j.theta + layer.packed_b + at : nullptr, Y(l, rows.first) + at, w.ld[l + 1]);
        if (end == layer.I) activate_part(l, rows, {at, at + columns});
      }
    if (layer.act == Act::softmax)
      for (int r = rows.first; r < rows.last; ++r) softmax_row(Y(l, r), layer.O);
  }
  void activate_part(int l, Part rows, Part c) {
    const Layer& layer = L[l];
    const int ld = w.ld[l + 1];
    if (layer.act == Act::softmax) return;
    if (needs_z(layer.act)) activate<T>(Act::identity, T(0), w.Y[l], w.Z[l], ld, rows.first, rows.last, c.first, c.last);
    activate<T>(layer.act, T(layer.a), w.Y[l], w.Y[l], ld, rows.first, rows.last, c.first, c.last);
  }

  template <class Sink> void dense_backward(int l, const Sink& sink) {
    const Layer& layer = L[l];
    const Part blocks = by_columns(layer) ? crew_.share(layer.blocks, 1) : Part{0, layer.blocks};
    const Part inputs = by_columns(layer) ? Part{0, layer.I} : crew_.share(layer.I, width<T>);
    slope(l);
    if (l > first_trained) {
      const Part i = crew_.share(layer.I, width<T>);
      backward_inputs<T>(layer, j.theta, w.deltas[l + 1], w.D[l + 1], w.ld[l + 1], B, w.D[l], w.ld[l], i.first, i.last, w.transposed[crew_.t]);
      crew_.wait();
    }
    for (int c = blocks.first; c < blocks.last; ++c) {
      const int at = c * layer.block;
      if (layer.train_w) backward_weights<T>(layer, c, w.rows[l], B, inputs.first, inputs.last, w.D[l + 1] + at, w.ld[l + 1], w.partial[crew_.t], sink.of(true));
      if (layer.bias && layer.train_b && inputs.first == 0 && inputs.last > 0) bias_gradient(l, at, layer.columns(c), sink.of(false));
    }
  }
  // dZ in place of dY. Where columns are shared and none of dX is asked for, each thread needs its own columns alone.
  void slope(int l) {
    const Layer& layer = L[l];
    const int ld = w.ld[l + 1];
    if (layer.act == Act::identity) return;
    const bool rows_only = layer.act == Act::softmax || layer.kind != LayerKind::dense || !by_columns(layer);
    const Part rows = rows_only ? crew_.share(B, 1) : Part{0, B};
    Part c{0, layer.padded};
    if (!rows_only) {
      const Part blocks = crew_.share(layer.blocks, 1);
      c = {blocks.first * layer.block, blocks.last * layer.block < layer.padded ? blocks.last * layer.block : layer.padded};
    }
    if (layer.act == Act::softmax)
      for (int r = rows.first; r < rows.last; ++r) through_softmax_row(Y(l, r), w.D[l + 1] + std::size_t(r) * ld, layer.O);
    else
      through_slope<T>(layer.act, T(layer.a), needs_z(layer.act) ? w.Z[l] : w.Y[l], w.Y[l], w.D[l + 1], ld, rows.first, rows.last, c.first, c.last);
    if (rows_only || l > first_trained) crew_.wait();
  }
  template <class Sink> void bias_gradient(int l, int at, int columns, const Sink& sink) {
    const T* d = w.D[l + 1] + at;
    const std::size_t place = L[l].packed_b + at;
    for (int o = 0; o < columns; o += width<T>) {
      V<T> s{};
      for (int r = 0; r < B; ++r) s += load<T>(d + std::size_t(r) * w.ld[l + 1] + o);
      sink.put(place, o, s);
    }
    sink.finish(place, columns);
  }

  // ---- layers without weights: by rows ----

  void activation_forward(int l) {
    const Part rows = crew_.share(B, 1);
    for (int r = rows.first; r < rows.last; ++r) __builtin_memcpy(Y(l, r), w.rows[l][r], sizeof(T) * L[l].I);
    activate_part(l, rows, {0, L[l].padded});
    if (L[l].act == Act::softmax)
      for (int r = rows.first; r < rows.last; ++r) softmax_row(Y(l, r), L[l].O);
  }
  void activation_backward(int l) {
    slope(l);
    const Part rows = crew_.share(B, 1);
    for (int r = rows.first; r < rows.last; ++r)
      __builtin_memcpy(w.D[l] + std::size_t(r) * w.ld[l], w.D[l + 1] + std::size_t(r) * w.ld[l + 1], sizeof(T) * L[l].I);
    crew_.wait();
  }
  void dropout_forward(int l, bool training, std::int64_t step) {
    const Layer& layer = L[l];
    const Part rows = crew_.share(B, 1);
    const int ld = w.ld[l + 1];
    const bool drops = training && layer.rate > 0;
    if (drops) dropout_mask(w.mask[l], ld, layer.I, rows.first, rows.last, row_, layer.rate, j.seed, layer.stream, step);
    for (int r = rows.first; r < rows.last; ++r)
      for (int i = 0; i < layer.I; ++i) Y(l, r)[i] = w.rows[l][r][i] * (drops ? w.mask[l][std::size_t(r) * ld + i] : T(1));
  }
  void dropout_backward(int l) {
    const Layer& layer = L[l];
    const Part rows = crew_.share(B, 1);
    for (int r = rows.first; r < rows.last; ++r)
      for (int i = 0; i < layer.I; ++i) {
        const std::size_t at = std::size_t(r) * w.ld[l + 1] + i;
        w.D[l][std::size_t(r) * w.ld[l] + i] = w.D[l + 1][at] * (layer.rate > 0 ? w.mask[l][at] : T(1));
      }
    crew_.wait();
  }
};
