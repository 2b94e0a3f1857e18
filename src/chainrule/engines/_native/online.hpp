// One row at a time through a network that is small. A step is then one chain of results that wait for each other, and
// numbers that are written and soon read again are the longest links of it: what a register can hold stays there, what goes
// through memory is read in the vectors in which it was written, and where everything lies is known before the first step.

template <class T> class Online {
 public:
  Online(const Job<T>& job, Workspace<T>& workspace, Crew) : j(job), w(workspace), I(job.layers[0].I), O(job.layers[job.n_layers - 1].O) {
    int first = 0;
    while (first < j.n_layers && !j.layers[first].train_w && !j.layers[first].train_b) ++first;
    for (int l = 0; l < j.n_layers; ++l)
      for (int c = 0; c < j.layers[l].blocks; ++c) blocks.push_back(block(l, c, l > first));
    for (std::size_t k = blocks.size(); k-- > 0 && first < j.n_layers;)
      if (blocks[k].layer >= first) back.push_back(blocks[k]);
  }

  // The row at this place of the epoch goes forward; its loss into row_loss.
  void pass(std::int64_t place, int, int, int, std::int64_t, double* row_loss) {
    const std::int64_t row = j.order ? j.order[place] : place;
    x_ = j.X + row * I;
    for (const Block& block : blocks) with_number<kVectors<T>>(block.vectors, [&](auto C) { forward_of<decltype(C)::value>(block); });
    const T weight = j.weights ? j.weights[row] : T(1);
    row_loss[0] = T(loss_row<T>(j.loss, w.Y[j.n_layers - 1], j.targets + row * O, w.D[j.n_layers], O, weight)) * weight;
  }

  // dW and db of every layer go into `sink`.
  template <class Sink> void backward_pass(const Sink& sink) {
    for (const Block& block : back) with_number<kVectors<T>>(block.vectors, [&](auto C) { backward_of<decltype(C)::value>(block, sink); });
  }
  T* panel() const { return w.panel[0]; }

 private:
  static constexpr int N = width<T>;
  using Activate = void (*)(V<T> z, T a, T* y, T* slope);
  struct Block {  // of columns of a layer, which are C vectors
    int layer, vectors, I;
    bool train_w, train_b, has_slope, lone;  // lone: of a layer with one unit
    const T *x, *b, *W;  // x (I,), unless the row itself; b or null; W (I, C)
    T *y, *slope;        // z, f(z) and f'(z), (C,)
    const T* dy;         // (C,)
    T* dx;               // (I,), or null: nobody asks
    bool adds;           // to what other blocks gave to dx
    std::size_t w_at, b_at;
    Activate activate;
    T a;
  };
  const Job<T>& j;
  Workspace<T>& w;
  const int I, O;
  std::vector<Block> blocks, back;  // in the order of the passes
  const T* x_ = nullptr;

  Block block(int l, int c, bool asked) const {
    const Layer& layer = j.layers[l];
    const int at = c * layer.block;
    Block k{};
    k.layer = l; k.vectors = layer.columns(c) / N; k.I = layer.I;
    k.train_w = layer.train_w; k.train_b = layer.bias && layer.train_b; k.has_slope = layer.act != Act::identity; k.lone = layer.O == 1;
    k.w_at = layer.place(c, 0); k.b_at = layer.packed_b + at;
    k.x = l > 0 ? w.Y[l - 1] : nullptr; k.b = layer.bias ? j.theta + k.b_at : nullptr; k.W = j.theta + k.w_at;
    k.y = w.Y[l] + at; k.slope = w.slope[l] + at;
    k.dy = w.D[l + 1] + at; k.dx = asked ? w.D[l] : nullptr; k.adds = c + 1 < layer.blocks;
    k.activate = with(layer.act, [](auto act) { return &Online::activate_one<decltype(act)::value>; });
    k.a = T(layer.a);
    return k;
  }

  // z = x W + b, y = f(z), and f'(z).
  template <int C> void forward_of(const Block& block) {
    V<T> z[C];
    unrolled<C>([&](auto c) { z[c] = block.b ? load<T>(block.b + c * N) : V<T>{}; });
    const T *x = block.x ? block.x : x_, *W = block.W;
    const int I = block.I;
    int i = 0;
    if (I >= 2 * kChains) i = by_chains<C>(x, I, W, z);
    for (; i < I; ++i) unrolled<C>([&](auto c) { z[c] += splat(x[i]) * load<T>(W + (i * C + c) * N); });
    unrolled<C>([&](auto c) { block.activate(z[c], block.a, block.y + c * N, block.slope + c * N); });
  }
  // As many inputs as go into equal chains of sums, which the multiplier works on side by side.
  static constexpr int kChains = 4;
  template <int C> static int by_chains(const T* x, int I, const T* W, V<T>* z) {
    V<T> s[kChains][C] = {};
    unrolled<C>([&](auto c) { s[0][c] = z[c]; });
    int i = 0;
    for (; i + kChains <= I; i += kChains)
      unrolled<kChains>([&](auto k) {
        const V<T> xi = splat(x[i + k]);
        unrolled<C>([&](auto c) { s[k][c] += xi * load<T>(W + ((i + k) * C + c) * N); });
      });
    unrolled<C>([&](auto c) { z[c] = (s[0][c] + s[1][c]) + (s[2][c] + s[3][c]); });
    return i;
  }
  template <Act act> static void activate_one(V<T> z, T a, T* y, T* slopes) {
    const V<T> v = value<T, act>(z, a);
    store(y, v);
    if (act != Act::identity) store(slopes, slope<T, act>(needs_z(act) ? z : v, v, a));
  }

  // dz W^T for a vector of inputs: sums of products; or, where dz is one number, a product with what does not wait for it.
  template <int C> static V<T> by_rows(const V<T>* d, const T* W, int rows) {
    V<T> products[N] = {};
    const auto product = [&](auto r) { unrolled<C>([&](auto c) { products[r] += d[c] * load<T>(W + (r * C + c) * N); }); };
    if (rows == N) unrolled<N>([&](auto r) { product(r); });
    else unrolled<N>([&](auto r) { if (r < rows) product(r); });
    return sums<T>(products);
  }
  template <int C> static V<T> first_column(const T* W, int rows) {
    V<T> column{};
    unrolled<N>([&](auto r) { if (r < rows) column[int(r)] = W[r * C * N]; });
    return column;
  }

  // dz = dy * f'(z); then, a vector of inputs at a time, dx = dz W^T with W as it was, and dW = x^T dz.
  template <int C, class Sink> void backward_of(const Block& block, const Sink& sink) {
    const T *x = block.x ? block.x : x_, *W = block.W;
    T* dx = block.dx;
    const int I = block.I;
    const std::size_t place = block.w_at;
    const bool trained = block.train_w, adds = block.adds;
    const auto weights = sink.of(true), biases = sink.of(false);
    V<T> d[C], way[C];
    unrolled<C>([&](auto c) {
      d[c] = load<T>(block.dy + c * N);
      if (block.has_slope) {
        const V<T> slope = load<T>(block.slope + c * N);
        way[c] = d[c] * weights.way(slope);  // sooner there than from dz
        d[c] *= slope;
      } else {
        way[c] = weights.way(d[c]);
      }
    });
    if (block.train_b) {
      unrolled<C>([&](auto c) { biases.put(block.b_at, c * N, splat(T(1)), way[c]); });
      biases.finish(block.b_at, C * N);
    }
    for (int i = 0; i < I; i += N) {
      const int rows = I - i < N ? I - i : N;
      const std::size_t here = place + std::size_t(i) * C * N;
      if (dx) {
        const V<T> dxi = block.lone ? splat(d[0][0]) * first_column<C>(W + i * C * N, rows) : by_rows<C>(d, W + i * C * N, rows);
        store(dx + i, adds ? dxi + load<T>(dx + i) : dxi);
      }
      if (!trained) continue;
      for (int r = 0; r < rows; ++r) unrolled<C>([&](auto c) { weights.put(here, (r * C + c) * N, splat(x[i + r]), way[c]); });
      weights.finish(here, rows * C * N);
    }
  }
};
