// Steps of gradient descent, as one thread sees them; plan.hpp tells the way.

// Where a gradient goes. soon(place): a vector of it will be there; put(place, offset, g): a vector of it; finish(place, n): n
// entries from a place on are there. Of one row alone the gradient is x times a vector d: put(place, offset, x, way(d)).
template <class T> struct Descend {  // plain SGD: straight into theta
  T* theta;
  T minus_rate;
  const Descend& of(bool) const { return *this; }
  void soon(std::size_t) const {}
  void put(std::size_t place, int offset, V<T> g) const { T* to = theta + place + offset; store(to, load<T>(to) + g * minus_rate); }
  V<T> way(V<T> d) const { return d * minus_rate; }
  void put(std::size_t place, int offset, V<T> x, V<T> way) const { T* to = theta + place + offset; store(to, load<T>(to) + x * way); }
  void finish(std::size_t, int) const {}
};
template <class T> struct Update {  // into a panel that stays in the first-level cache, from there by the optimiser into theta
  const Job<T>& j;
  Updater<T> update;
  const Step<T>& numbers;
  T* panel;
  bool weight = false;
  Update of(bool is_weight) const { return {j, update, numbers, panel, is_weight}; }
  void soon(std::size_t place) const {
    __builtin_prefetch(j.theta + place, 1);
    if (j.slots[0]) __builtin_prefetch(j.slots[0] + place, 1);
    if (j.slots[1]) __builtin_prefetch(j.slots[1] + place, 1);
  }
  void put(std::size_t, int offset, V<T> g) const { store(panel + offset, g); }
  V<T> way(V<T> d) const { return d; }
  void put(std::size_t place, int offset, V<T> x, V<T> d) const { put(place, offset, x * d); }
  void finish(std::size_t place, int n) const {
    update(numbers, j.theta + place, j.slots[0] ? j.slots[0] + place : nullptr, j.slots[1] ? j.slots[1] + place : nullptr, panel, n, weight);
  }
};
template <class T> struct Keep {  // for later
  T* gradient;
  bool add;
  const Keep& of(bool) const { return *this; }
  void soon(std::size_t) const {}
  void put(std::size_t place, int offset, V<T> g) const { T* to = gradient + place + offset; store(to, add ? load<T>(to) + g : g); }
  V<T> way(V<T> d) const { return d; }
  void put(std::size_t place, int offset, V<T> x, V<T> d) const { put(place, offset, x * d); }
  void finish(std::size_t, int) const {}
};

// `Way`: who goes forward and back, Passes or Online.
template <class T, class Way> class Descent {
 public:
  Descent(const Job<T>& job, Workspace<T>& workspace, Board<T>& board, int thread, Barrier& barrier)
      : j(job), board(board), all_{thread, job.threads, &barrier}, way(job, workspace, sliced() ? Crew{0, 1, nullptr} : all_),
        update_(updater<T>(job.optimizer)), direct_(plain(job.optimizer)), mine_(share_of_pieces()), numbers_(of_all_steps<T>(job.optimizer)) {
    nesterov_.beta1 = j.optimizer.beta1;
    nesterov_.momentum_decay = j.optimizer.momentum_decay;
  }

  std::int64_t advance(const Range& range) {
    for (std::int64_t k = 0; k < range.count; ++k) {
      const std::int64_t from = (range.first + k) * j.batch, step = range.taken + k;
      B = int(j.N - from < j.batch ? j.N - from : j.batch);
      at_step<T>(numbers_, j.optimizer, range.rates[k], step + 1, nesterov_);
      if (!(sliced() ? slices(from, step, range.values + 2 * k) : whole(from, step, range.values + 2 * k))) return k + 1;
    }
    return range.count;
  }

 private:
  const Job<T>& j;
  Board<T>& board;
  const Crew all_;
  Way way;
  const Updater<T> update_;
  const bool direct_;
  const Part mine_;  // of the pieces
  Step<T> numbers_;
  NesterovMomentum nesterov_;
  int B = 0;

  // The pieces that begin in this thread's share of packed theta.
  Part share_of_pieces() const {
    const std::size_t P = j.n_pieces > 0 ? j.pieces[j.n_pieces - 1].at + j.pieces[j.n_pieces - 1].size : 0;
    const auto from = [&](int t) {
      int i = 0;
      while (i < j.n_pieces && j.pieces[i].at < P / std::size_t(all_.n) * std::size_t(t)) ++i;
      return t < all_.n ? i : j.n_pieces;
    };
    return {from(all_.t), from(all_.t + 1)};
  }

  bool sliced() const { return j.slice < j.batch; }
  static bool plain(const Optimizer& o) {
    return o.kind == OptimizerKind::sgd && o.momentum == 0 && o.l1 == 0 && o.l2 == 0 && o.weight_decay == 0 && o.clip_value == 0;
  }

  // One step, the crew together on the whole batch. Whether it was taken: not when a value is not finite.
  bool whole(std::int64_t from, std::int64_t step, double* values) {
    way.pass(from, B, 0, B, step, board.row_loss);
    if (!finish_values(values)) return false;
    if (j.optimizer.clip_norm > 0) {
      way.backward_pass(Keep<T>{board.gradients[0], false});
      update_all(1);
    } else if (direct_) {
      way.backward_pass(Descend<T>{j.theta, numbers_.minus_rate});
    } else {
      way.backward_pass(Update<T>{j, update_, numbers_, way.panel()});
    }
    return true;
  }

  // One step, each thread with slices of its own.
  bool slices(std::int64_t from, std::int64_t step, double* values) {
    const int n = (B + j.slice - 1) / j.slice, groups = n < kGroups ? n : kGroups;
    const Part mine = all_.share(groups, 1);
    for (int g = mine.first; g < mine.last; ++g)
      for (int s = n * g / groups; s < n * (g + 1) / groups; ++s) {
        const int row = s * j.slice;
        way.pass(from + row, B - row < j.slice ? B - row : j.slice, row, B, step, board.row_loss);
        way.backward_pass(Keep<T>{board.gradients[g], s > n * g / groups});
      }
    all_.wait();
    if (!finish_values(values)) return false;
    update_all(groups);
    return true;
  }

  // The loss and the penalty, the same on every thread; whether both are finite.
  bool finish_values(double* values) {
    double loss = 0, penalty = 0;
    for (int r = 0; r < B; ++r) loss += board.row_loss[r];
    loss = T(j.loss.mean ? loss / B : loss);
    if (j.optimizer.l1 > 0 || j.optimizer.l2 > 0) penalty = T(sum_pieces([&](const Piece& piece) { return piece.weight ? penalty_of(piece) : 0; }));
    if (all_.t == 0) { values[0] = loss; values[1] = penalty; }
    return loss - loss == 0 && penalty - penalty == 0;
  }
  // l1 sum |w| + l2/2 sum w^2
  double penalty_of(const Piece& piece) const {
    double absolute = 0, square = 0;
    for (std::size_t i = piece.at; i < piece.at + piece.size; ++i) {
      const double x = j.theta[i];
      absolute += x < 0 ? -x : x;
      square += x * x;
    }
    return j.optimizer.l1 * absolute + 0.5 * j.optimizer.l2 * square;
  }
  // The sum of f over all pieces, the same on every thread.
  template <class F> double sum_pieces(F f) {
    for (int i = mine_.first; i < mine_.last; ++i) board.sums[i] = f(j.pieces[i]);
    all_.wait();
    double total = 0;
    for (int i = 0; i < j.n_pieces; ++i) total += board.sums[i];
    all_.wait();
    return total;
  }

  // The update from the gradients of the groups: added, clipped by value and by norm, each entry by the thread that has its piece.
  void update_all(int groups) {
    Step<T> plain = numbers_;
    if (j.optimizer.clip_norm > 0) {
      const double norm = std::sqrt(sum_pieces([&](const Piece& piece) { return square_of_clipped(piece, groups); }));
      plain.scale = norm > j.optimizer.clip_norm ? T(j.optimizer.clip_norm / norm) : T(1);
      plain.l1 = plain.l2 = plain.clip_value = 0;  // they are in the gradient
      groups = 1;
    }
    for (int i = mine_.first; i < mine_.last; ++i) {
      const Piece& piece = j.pieces[i];
      if (!piece.trained) continue;
      add_groups(piece, groups);
      T* g = board.gradients[0] + piece.at;
      if (plain.scale != 1)
        for (std::size_t e = 0; e < piece.size; ++e) g[e] *= plain.scale;
      update_(plain, j.theta + piece.at, slot(0, piece.at), slot(1, piece.at), g, int(piece.size), piece.weight);
    }
    all_.wait();
  }
  T* slot(int which, std::size_t place) const { return j.slots[which] ? j.slots[which] + place : nullptr; }
  void add_groups(const Piece& piece, int groups) {
    T* sum = board.gradients[0] + piece.at;
    for (int g = 1; g < groups; ++g) {
      const T* next = board.gradients[g] + piece.at;
      for (std::size_t e = 0; e < piece.size; ++e) sum[e] += next[e];
    }
  }
  // Puts the whole gradient of a piece, penalty included and clipped by value, in the first group's; the sum of its squares.
  double square_of_clipped(const Piece& piece, int groups) {
    if (!piece.trained) return 0;
    add_groups(piece, groups);
    T *g = board.gradients[0] + piece.at;
    const T *x = j.theta + piece.at, limit = numbers_.clip_value;
    double square = 0;
    for (std::size_t e = 0; e < piece.size; ++e) {
      if (piece.weight) g[e] += numbers_.l2 * x[e] + (x[e] > 0 ? numbers_.l1 : x[e] < 0 ? -numbers_.l1 : T(0));
      if (limit > 0) g[e] = g[e] < -limit ? -limit : g[e] > limit ? limit : g[e];
      square += double(g[e]) * g[e];
    }
    return square;
  }
};

template <class T> std::int64_t advance_(const Job<T>& job, Workspace<T>& w, Board<T>& board, const Range& range, int t, Barrier& bar) {
  return Descent<T, Passes<T>>(job, w, board, t, bar).advance(range);
}
template <class T> std::int64_t online_(const Job<T>& job, Workspace<T>& w, Board<T>& board, const Range& range, int t, Barrier& bar) {
  return Descent<T, Online<T>>(job, w, board, t, bar).advance(range);
}

template <class T> void evaluate_(const Job<T>& job, Workspace<T>& w, T* Y, double* row_loss, int t) {
  Passes<T> passes(job, w, Crew{0, 1, nullptr});
  const std::int64_t slices = (job.N + job.slice - 1) / job.slice;
  const int O = job.layers[job.n_layers - 1].O;
  for (std::int64_t s = slices * t / job.threads; s < slices * (t + 1) / job.threads; ++s) {
    const std::int64_t from = s * job.slice;
    const int rows = int(job.N - from < job.slice ? job.N - from : job.slice);
    passes.take(from, rows, 0, rows);
    passes.forward_pass(false, 0);
    if (row_loss) passes.losses(row_loss + from);
    if (Y)
      for (int r = 0; r < rows; ++r) __builtin_memcpy(Y + (from + r) * O, passes.output(r), sizeof(T) * O);
  }
}
