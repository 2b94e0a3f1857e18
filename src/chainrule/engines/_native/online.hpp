// One row at a time, one thread: the same numbers as Passes gives, without what sharing takes. A step of a small network is a
// chain of waits for the result before; so the slope is taken where the value is still in a register.

template <class T> class Online {
 public:
  static bool takes(const Job<T>& j) {
    bool all = j.batch == 1 && j.threads == 1;
    for (int l = 0; l < j.n_layers; ++l) all = all && j.layers[l].kind == LayerKind::dense && j.layers[l].act != Act::softmax;
    return all;
  }
  Online(const Job<T>& job, Workspace<T>& workspace) : j(job), w(workspace), L(job.layers), n(job.n_layers) {}

  // The loss of the row at this place of the epoch; what backward_pass needs is in the workspace.
  double forward_pass(std::int64_t place) {
    const std::int64_t row = j.order ? j.order[place] : place;
    w.rows[0][0] = j.X + row * L[0].I;
    for (int l = 0; l < n; ++l) dense_forward(l);
    const int O = L[n - 1].O;
    const T weight = j.weights ? j.weights[row] : T(1);
    return T(loss_row<T>(j.loss, w.Y[n - 1], j.targets + row * O, w.D[n], O, weight)) * weight;
  }

  template <class Sink> void backward_pass(const Sink& sink) {
    for (int l = n - 1; l >= 0; --l) {
      const Layer& layer = L[l];
      T* d = w.D[l + 1];
      if (layer.act != Act::identity)
        for (int c = 0; c < layer.padded; c += width<T>) store(d + c, load<T>(d + c) * load<T>(w.slope[l] + c));
      if (l > 0) backward_inputs_by_rows<T>(layer, j.theta, d, 0, 1, w.D[l], 0, 0, layer.I);
      for (int c = 0; c < layer.blocks; ++c) {
        const int at = c * layer.block;
        if (layer.train_w) backward_weights<T>(layer, c, w.rows[l], 1, 0, layer.I, d + at, 0, w.partial[0], sink.of(true));
        if (layer.bias && layer.train_b) bias_gradient(layer.packed_b + at, d + at, layer.columns(c), sink.of(false));
      }
    }
  }
  T* panel() const { return w.panel[0]; }

 private:
  const Job<T>& j;
  Workspace<T>& w;
  const Layer* L;
  const int n;

  void dense_forward(int l) {
    const Layer& layer = L[l];
    T *y = w.Y[l], *slopes = w.slope[l];
    for (int c = 0; c < layer.blocks; ++c) {
      const int at = c * layer.block;
      forward<T>(w.rows[l], 1, true, 0, layer.I, j.theta + layer.place(c, 0), layer.columns(c),
                 layer.bias ? j.theta + layer.packed_b + at : nullptr, y + at, 0);
    }
    if (layer.act == Act::identity) return;
    with(layer.act, [&](auto act) {
      for (int c = 0; c < layer.padded; c += width<T>) {
        const V<T> z = load<T>(y + c), v = value<T, decltype(act)::value>(z, T(layer.a));
        store(y + c, v);
        store(slopes + c, slope<T, decltype(act)::value>(needs_z(layer.act) ? z : v, v, T(layer.a)));
      }
    });
  }
  template <class Sink> static void bias_gradient(std::size_t place, const T* d, int columns, const Sink& sink) {
    for (int o = 0; o < columns; o += width<T>) sink.put(place, o, load<T>(d + o));
    sink.finish(place, columns);
  }
};
