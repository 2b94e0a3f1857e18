// The door to Python: arrays in, losses out, the GIL released in between. Shapes and types have been checked in native.py;
// what a wrong call could still break is checked here again.

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <algorithm>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

#include "byte_counts.hpp"
#include "number_table.hpp"
#include "orders.hpp"
#include "packing.hpp"
#include "plan.hpp"
#include "team.hpp"
#include "workspace.hpp"

namespace nb = nanobind;
using namespace nb::literals;

namespace chainrule {

extern const Isa isa_baseline;
#if defined(__x86_64__)
extern const Isa isa_avx2, isa_avx512;
#elif defined(__aarch64__)
extern const Isa isa_neon;
#endif

namespace {

std::vector<const Isa*> available() {  // the widest first
  std::vector<const Isa*> all;
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq") &&
      __builtin_cpu_supports("avx512bw"))
    all.push_back(&isa_avx512);
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) all.push_back(&isa_avx2);
#elif defined(__aarch64__)
  all.push_back(&isa_neon);
#endif
  all.push_back(&isa_baseline);
  return all;
}

const Isa& find_isa(const std::string& name) {
  for (const Isa* isa : available())
    if (name.empty() || name == isa->name) return *isa;
  throw std::invalid_argument("this machine does not have the instruction set " + name);
}

template <class T> const Kernels<T>& kernels(const Isa& isa) {
  if constexpr (sizeof(T) == 4) return isa.f;
  else return isa.d;
}

// Numbers below the normal range count as 0 while this lives: what weight decay and momentum leave of a dead unit would
// make every step many times slower, and no digit that anyone sees depends on it.
class FlushSubnormals {
#if defined(__x86_64__)
 public:
  FlushSubnormals() { _mm_setcsr(before_ | 0x8040); }
  ~FlushSubnormals() { _mm_setcsr(before_); }
  FlushSubnormals(const FlushSubnormals&) = delete;
  FlushSubnormals& operator=(const FlushSubnormals&) = delete;

 private:
  const unsigned before_ = _mm_getcsr();
#endif
};

// Runs work(t) for t = 0 ... threads - 1, the first on this thread.
template <class Work> void together(int threads, const Work& work) { Team(threads).run(threads, work); }

template <class T, class... Shape> using Array = nb::ndarray<T, nb::numpy, Shape..., nb::c_contig, nb::device::cpu>;
template <class T> using Vector = Array<T, nb::ndim<1>>;
template <class T> using Matrix = Array<T, nb::ndim<2>>;

void require(bool holds, const char* what) {
  if (!holds) throw std::invalid_argument(what);
}

constexpr int kMostUnits = 1 << 28;  // so that a padded row is an int

// Layers must fit each other and theta: kernels trust these numbers.
void check_layers(const std::vector<Layer>& layers, std::size_t P) {
  require(!layers.empty(), "no layers");
  for (std::size_t l = 0; l < layers.size(); ++l) {
    const Layer& layer = layers[l];
    require(layer.I > 0 && layer.O > 0 && layer.I <= kMostUnits && layer.O <= kMostUnits, "a layer without units, or with too many");
    require(l == 0 || layers[l - 1].O == layer.I, "layers that do not fit together");
    if (layer.kind != LayerKind::dense) {
      require(layer.I == layer.O, "a layer without weights that changes the number of units");
      continue;
    }
    const std::size_t weights = std::size_t(layer.I) * layer.O, biases = std::size_t(layer.O);
    require(weights <= P && layer.w <= P - weights, "weights outside theta");
    require(!layer.bias || (biases <= P && layer.b <= P - biases), "a bias outside theta");
  }
}

// The vectors that an optimiser keeps: the kernels use them without asking.
std::size_t slots_of(const Optimizer& o) {
  switch (o.kind) {
    case OptimizerKind::sgd: return o.momentum != 0;
    case OptimizerKind::rmsprop: return o.momentum != 0 ? 2 : 1;
    case OptimizerKind::adagrad: return 1;
    default: return 2;
  }
}

constexpr std::size_t kSliceBytes = std::size_t(1) << 18;  // of a slice's workspace: a share of the second-level cache

int slice_rows(const std::vector<Layer>& layers, int entry_size) {
  return int(std::clamp<std::size_t>(kSliceBytes / row_bytes(layers, entry_size), 16, 512));
}

// The rows that go through at once in training: slices where the threads would otherwise exchange more activations than
// there are gradients, and these take little memory. How many threads there are does not count.
int training_slice(const std::vector<Layer>& layers, int batch, std::size_t P, int entry_size) {
  constexpr int least = 64;
  constexpr std::size_t few = std::size_t(1) << 20;
  std::size_t outputs = 0;
  for (const Layer& layer : layers) outputs += std::size_t(layer.padded);
  if (batch < 2 * least || P > few || outputs * std::size_t(batch) < P) return batch;
  const int even = (batch / least + 1) / 2 * 2;  // for two threads to share
  const int slices = std::min(even, kGroups), rows = (batch + slices - 1) / slices;
  return std::min(rows, slice_rows(layers, entry_size));
}

// Whether the rows go one by one, by online.hpp: so few weights that threads would wait for each other more than work.
// How many threads there are does not count.
bool one_by_one(const std::vector<Layer>& layers, int batch) {
  constexpr std::size_t few = std::size_t(1) << 17;
  std::size_t weights = 0;
  for (const Layer& layer : layers) {
    if (layer.kind != LayerKind::dense || layer.act == Act::softmax) return false;
    weights += std::size_t(layer.I) * layer.O;
  }
  return batch == 1 && weights <= few;
}
// The vectors for them. Where a layer has few units, narrow ones are enough, and what a step waits for comes sooner: division,
// sums over a vector, the processor's clock.
const RowByRow& vectors_for(std::vector<Layer> layers, const Isa& isa, int entry_size) {
  constexpr std::size_t few = 16;  // wide vectors that would hold all weights
  const std::size_t P = lay_out(layers, isa.narrow.bytes / entry_size, isa.narrow.vectors);
  return P * std::size_t(entry_size) <= few * std::size_t(isa.wide.bytes) ? isa.narrow : isa.wide;
}

template <class T> class NativeRun {
 public:
  NativeRun(Vector<T> theta, std::vector<Vector<T>> slots, Matrix<const T> X, Matrix<const T> targets,
            std::optional<Vector<const T>> weights, std::vector<Layer> layers, Loss loss, Optimizer optimizer, int batch,
            std::uint64_t seed, int threads, const std::string& isa)
      : theta_(theta), slots_(slots), X_(X), targets_(targets), weights_(weights), layers_(layers), isa_(find_isa(isa)), team_(threads) {
    check_layers(layers_, theta.size());
    require(X.shape(1) == std::size_t(layers_.front().I) && targets.shape(1) == std::size_t(layers_.back().O), "data that do not fit");
    require(X.shape(0) == targets.shape(0) && X.shape(0) > 0 && batch > 0 && threads > 0, "no rows, or not as many targets");
    require(!weights || weights->size() == X.shape(0), "not a weight for each row");
    require(slots.size() <= 2 && slots.size() >= slots_of(optimizer), "slots of another optimiser");
    for (const Vector<T>& slot : slots_) require(slot.size() == theta.size(), "a slot of another size than theta");
    const std::size_t P = choose_way(int(std::min<std::size_t>(std::size_t(batch), X.shape(0))));
    pieces_ = pieces_of(layers_);
    job_.layers = layers_.data(); job_.n_layers = int(layers_.size());
    job_.loss = loss; job_.optimizer = optimizer;
    job_.pieces = pieces_.data(); job_.n_pieces = int(pieces_.size());
    job_.X = X_.data(); job_.targets = targets_.data(); job_.weights = weights_ ? weights_->data() : nullptr;
    job_.N = std::int64_t(X.shape(0)); job_.batch = int(std::min<std::int64_t>(batch, job_.N));
    job_.seed = seed; job_.threads = threads;
    job_.slice = training_slice(layers_, job_.batch, P, sizeof(T));
    make_buffers(P);
    write_slots();
  }
  NativeRun(const NativeRun&) = delete;  // job_ points into it
  NativeRun& operator=(const NativeRun&) = delete;

  std::int64_t advance(std::optional<Vector<const std::int64_t>> order, std::int64_t first, Vector<const double> rates,
                       std::int64_t taken, int threads, Matrix<double> values) {
    const std::int64_t steps = std::int64_t(rates.size());
    require(values.shape(0) == rates.size() && values.shape(1) == 2, "not a loss and a penalty for each rate");
    const std::int64_t all = (job_.N + job_.batch - 1) / job_.batch;
    require(first >= 0 && first <= all && steps <= all - first, "more steps than the epoch has");
    require(threads > 0 && threads <= job_.threads, "more threads than the run was made for");
    require(taken >= 0, "a number of steps below 0");
    if (order) check_order(order->data(), order->size(), 1);
    nb::gil_scoped_release others_may_run;
    return take(order ? order->data() : nullptr, {first, steps, taken, rates.data(), values.data()}, threads);
  }

  // Whole epochs, each with its own order; theta as it is after each is a row of `thetas`.
  std::int64_t advance_epochs(std::optional<Matrix<const std::int64_t>> orders, Vector<const double> rates, std::int64_t taken, int threads,
                              Matrix<double> values, Matrix<T> thetas) {
    const std::int64_t epochs = std::int64_t(thetas.shape(0)), steps = (job_.N + job_.batch - 1) / job_.batch;
    require(std::int64_t(rates.size()) == epochs * steps, "not a rate for each step");
    require(values.shape(0) == rates.size() && values.shape(1) == 2, "not a loss and a penalty for each rate");
    require(thetas.shape(1) == theta_.size(), "thetas of another size");
    require(threads > 0 && threads <= job_.threads, "more threads than the run was made for");
    require(taken >= 0, "a number of steps below 0");
    if (orders) check_order(orders->data(), orders->size(), epochs);
    nb::gil_scoped_release others_may_run;
    std::int64_t done = 0;
    for (std::int64_t e = 0; e < epochs && done == e * steps; ++e) {
      const std::int64_t* order = orders ? orders->data() + e * job_.N : nullptr;
      done += take(order, {0, steps, taken + done, rates.data() + done, values.data() + 2 * done}, threads);
      std::copy_n(theta_.data(), theta_.size(), thetas.data() + std::size_t(e) * theta_.size());
    }
    return done;
  }
  // Slots stay packed from call to call; these bring them to where NumPy sees them, and back.
  void read_slots() {
    for (std::size_t i = 0; i < slots_.size(); ++i) unpack(layers_, job_.slots[i], slots_[i].data());
  }
  // The padding begins anew: a step at a rate that is infinite in this type leaves NaN in it, of theta's too.
  void write_slots() {
    std::fill_n(job_.theta, packed_size_, T(0));
    for (std::size_t i = 0; i < slots_.size(); ++i) {
      std::fill_n(job_.slots[i], packed_size_, T(0));
      pack(layers_, slots_[i].data(), job_.slots[i]);
    }
  }

 private:
  Vector<T> theta_;  // these keep NumPy's memory alive
  std::vector<Vector<T>> slots_;
  Matrix<const T> X_, targets_;
  std::optional<Vector<const T>> weights_;
  std::vector<Layer> layers_;
  std::vector<Piece> pieces_;
  std::size_t packed_size_ = 0;  // of theta and of each slot
  const Isa& isa_;
  Advance<T> advance_ = nullptr;
  bool one_by_one_ = false;
  Job<T> job_{};
  Board<T> board_{};
  Arena arena_;
  std::vector<std::unique_ptr<Buffers<T>>> buffers_;
  std::vector<std::int64_t> order_;
  std::mutex busy_;
  Team team_;

  // How a step is taken, and packed theta for it; returns the size of that.
  std::size_t choose_way(int batch) {
    one_by_one_ = one_by_one(layers_, batch);
    if (!one_by_one_) {
      advance_ = kernels<T>(isa_).advance;
      return lay_out(layers_, isa_.bytes / int(sizeof(T)), isa_.vectors);
    }
    const RowByRow& with = vectors_for(layers_, isa_, sizeof(T));
    if constexpr (sizeof(T) == 4) advance_ = with.f;
    else advance_ = with.d;
    return lay_out(layers_, with.bytes / int(sizeof(T)), with.vectors);
  }

  void make_buffers(std::size_t P) {
    const bool sliced = job_.slice < job_.batch;
    packed_size_ = P;
    job_.theta = arena_.cut<T>(P);
    for (std::size_t i = 0; i < slots_.size(); ++i) job_.slots[i] = arena_.cut<T>(P);
    board_.row_loss = arena_.cut<double>(job_.batch);
    board_.sums = arena_.cut<double>(pieces_.size());
    for (int g = 0; g < (sliced ? kGroups : job_.optimizer.clip_norm > 0 ? 1 : 0); ++g) board_.gradients[g] = arena_.cut<T>(P);
    for (int t = 0; t < (sliced ? job_.threads : 1); ++t)
      buffers_.push_back(std::make_unique<Buffers<T>>(layers_, job_.slice, sliced ? 1 : job_.threads, true));
  }

  void check_order(const std::int64_t* order, std::size_t size, std::int64_t epochs) const {
    require(size == std::size_t(job_.N * epochs), "an order of other rows");
    require(std::all_of(order, order + size, [&](std::int64_t row) { return row >= 0 && row < job_.N; }), "a row that is not there");
  }

  // A copy, which nobody changes after it was looked at: kernels read rows where it points.
  const std::int64_t* copied(const std::int64_t* order) {
    order_.assign(order, order + job_.N);
    check_order(order_.data(), order_.size(), 1);
    return order_.data();
  }

  std::int64_t take(const std::int64_t* order, const Range& range, int threads) {  // without the GIL
    const std::lock_guard<std::mutex> alone(busy_);  // one call at a time: there is one workspace
    if (one_by_one_) threads = 1;
    Job<T> job = job_;
    job.threads = threads;
    job.order = order ? copied(order) : nullptr;
    std::int64_t done = 0;
    Barrier barrier(threads);
    team_.run(threads, [&](int t) {
      [[maybe_unused]] const FlushSubnormals fast;
      pack(layers_, theta_.data(), job_.theta, t, threads);
      barrier.wait();
      Workspace<T>& workspace = buffers_[buffers_.size() == 1 ? 0 : std::size_t(t)]->w;
      const std::int64_t mine = advance_(job, workspace, board_, range, t, barrier);
      if (t == 0) done = mine;
      barrier.wait();
      unpack(layers_, job_.theta, theta_.data(), t, threads);
    });
    return done;
  }
};

// Outputs into Y (N, O), unless it is None; the sum of the rows' losses when targets are given.
template <class T>
double evaluate(Vector<const T> theta, Matrix<const T> X, std::optional<Matrix<const T>> targets, std::optional<Vector<const T>> weights,
                std::vector<Layer> layers, Loss loss, int threads, const std::string& isa, std::optional<Matrix<T>> Y) {
  check_layers(layers, theta.size());
  const std::size_t N = X.shape(0), O = std::size_t(layers.back().O);
  require(X.shape(1) == std::size_t(layers.front().I), "data that do not fit");
  require(!targets || (targets->shape(0) == N && targets->shape(1) == O), "targets that do not fit");
  require(!weights || weights->size() == N, "not a weight for each row");
  require(!Y || (Y->shape(0) == N && Y->shape(1) == O), "outputs that do not fit");
  require(threads > 0, "no threads");
  if (N == 0) return 0;
  const Isa& with = find_isa(isa);
  Arena arena;
  Job<T> job{};
  const std::size_t P = lay_out(layers, with.bytes / int(sizeof(T)), with.vectors);
  job.layers = layers.data(); job.n_layers = int(layers.size()); job.loss = loss;
  job.X = X.data(); job.N = std::int64_t(N);
  job.targets = targets ? targets->data() : nullptr;
  job.weights = weights ? weights->data() : nullptr;
  job.slice = int(std::min<std::size_t>(N, std::size_t(slice_rows(layers, sizeof(T)))));
  job.threads = int(std::min<std::size_t>(std::size_t(threads), (N + job.slice - 1) / job.slice));
  T* out = Y ? Y->data() : nullptr;
  const T* from = theta.data();
  nb::gil_scoped_release others_may_run;
  job.theta = arena.cut<T>(P);
  pack(layers, from, job.theta);
  double* row_loss = targets ? arena.cut<double>(N) : nullptr;
  std::vector<std::unique_ptr<Buffers<T>>> buffers;
  for (int t = 0; t < job.threads; ++t) buffers.push_back(std::make_unique<Buffers<T>>(layers, job.slice, 1, false));
  together(job.threads, [&](int t) { kernels<T>(with).evaluate(job, buffers[std::size_t(t)]->w, out, row_loss, t); });
  double total = 0;
  for (std::size_t r = 0; targets && r < N; ++r) total += row_loss[r];
  return total;
}

// The orders of epochs that follow each other, a row for each, drawn from these words of entropy and the number of the epoch.
void draw_orders(Vector<const std::uint32_t> words, std::int64_t first, Matrix<std::int64_t> orders) {
  const std::size_t epochs = orders.shape(0), N = orders.shape(1);
  constexpr std::uint64_t words_end = std::uint64_t(1) << 32;
  require(words.size() >= 4, "fewer than four words of entropy");
  require(first >= 0 && std::uint64_t(first) < words_end && epochs <= words_end - std::uint64_t(first), "an epoch that is no 32-bit number");
  require(N < words_end, "more rows than 32 bits can number");
  const nb::gil_scoped_release others_may_run;
  const SeedPool pool(words.data(), words.size());
  for (std::size_t e = 0; e < epochs; ++e) draw_order(pool, std::uint32_t(std::size_t(first) + e), orders.data() + e * N, N);
}

// The table behind a stream of Arrow's, which is then used up.
NumberTable taken(const nb::capsule& stream) {
  require(std::string(stream.name()) == "arrow_array_stream", "no stream of Arrow's");
  auto* source = static_cast<ArrowArrayStream*>(stream.data());
  require(source->release != nullptr, "a stream that somebody has taken");
  return NumberTable(source);
}

std::vector<std::optional<double>> byte_medians(const nb::capsule& stream) {
  const NumberTable numbers = taken(stream);
  const Table table = numbers.table();
  require(std::all_of(table.letters, table.letters + table.columns, [](char letter) { return letter == 'C'; }), "other columns than of bytes");
  std::vector<std::optional<double>> medians;
  const nb::gil_scoped_release others_may_run;
  for (int c = 0; c < table.columns; ++c) medians.push_back(ByteCounts(table, c).median());
  return medians;
}

// A table's columns of numbers into X (N, I), zeros before; whether all became finite numbers.
template <class T>
bool encode_numbers(const nb::capsule& stream, Vector<const double> medians, Vector<const double> centers, Vector<const double> scales,
                    Vector<const std::int64_t> places, Vector<const std::int64_t> flags, int threads, const std::string& isa, Matrix<T> X) {
  const NumberTable numbers = taken(stream);
  const Table table = numbers.table();
  const std::int64_t N = numbers.rows(), I = std::int64_t(X.shape(1));
  require(N == std::int64_t(X.shape(0)), "other rows than X has");
  require(threads > 0, "no threads");
  for (std::size_t size : {medians.size(), centers.size(), scales.size(), places.size(), flags.size()})
    require(size == std::size_t(table.columns), "not one of each for every column");
  const auto all = [](const Vector<const std::int64_t>& numbers, auto holds) { return std::all_of(numbers.data(), numbers.data() + numbers.size(), holds); };
  require(all(places, [I](std::int64_t place) { return place >= 0 && place < I; }), "a place that is not there");
  require(all(flags, [I](std::int64_t flag) { return flag < I; }), "a flag that is not there");
  require(std::is_sorted(places.data(), places.data() + places.size()), "places in another order than their columns");
  const Encoding encoding{medians.data(), centers.data(), scales.data(), places.data(), flags.data()};
  const auto encode = kernels<T>(find_isa(isa)).encode;
  std::vector<char> finite(std::size_t(threads), 1);
  const nb::gil_scoped_release others_may_run;
  together(threads, [&](int t) { finite[std::size_t(t)] = encode(table, encoding, X.data(), X.shape(1), N * t / threads, N * (t + 1) / threads); });
  return std::all_of(finite.begin(), finite.end(), [](char all) { return all; });
}

template <class T> void elementary(const std::string& name, Vector<const T> x, const std::string& isa, Vector<T> y) {
  require(x.size() == y.size(), "not as many results as numbers");
  require(kernels<T>(find_isa(isa)).elementary(name.c_str(), x.data(), y.data(), x.size()), "no such function");
}

// Arrays come as they are: of one that had to be converted, the results would be written into a copy that nobody sees.
template <class T> void bind_type(nb::module_& m, const char* run) {
  nb::class_<NativeRun<T>>(m, run)
      .def(nb::init<Vector<T>, std::vector<Vector<T>>, Matrix<const T>, Matrix<const T>, std::optional<Vector<const T>>, std::vector<Layer>,
                    Loss, Optimizer, int, std::uint64_t, int, const std::string&>(),
           "theta"_a.noconvert(), "slots"_a.noconvert(), "X"_a.noconvert(), "T"_a.noconvert(), "weights"_a.none().noconvert(),
           "layers"_a, "loss"_a, "optimizer"_a, "batch_size"_a, "seed"_a, "threads"_a, "instruction_set"_a)
      .def("advance", &NativeRun<T>::advance, "order"_a.none().noconvert(), "first"_a, "rates"_a.noconvert(), "taken"_a, "threads"_a,
           "values"_a.noconvert())
      .def("advance_epochs", &NativeRun<T>::advance_epochs, "orders"_a.none().noconvert(), "rates"_a.noconvert(), "taken"_a, "threads"_a,
           "values"_a.noconvert(), "thetas"_a.noconvert())
      .def("read_slots", &NativeRun<T>::read_slots)
      .def("write_slots", &NativeRun<T>::write_slots);
  m.def("evaluate", &evaluate<T>, "theta"_a.noconvert(), "X"_a.noconvert(), "T"_a.none().noconvert(), "weights"_a.none().noconvert(), "layers"_a,
        "loss"_a, "threads"_a, "instruction_set"_a, "Y"_a.none().noconvert());
  m.def("encode_numbers", &encode_numbers<T>, "stream"_a, "medians"_a.noconvert(), "centers"_a.noconvert(), "scales"_a.noconvert(),
        "places"_a.noconvert(), "flags"_a.noconvert(), "threads"_a, "instruction_set"_a, "X"_a.noconvert());
  m.def("elementary", &elementary<T>, "name"_a, "x"_a.noconvert(), "instruction_set"_a, "y"_a.noconvert());  // for the tests
}

}  // namespace
}  // namespace chainrule

NB_MODULE(_kernels, m) {
  using namespace chainrule;
  nb::set_leak_warnings(false);  // a person's program may end with a run in its hands
  nb::enum_<LayerKind>(m, "LayerKind").value("dense", LayerKind::dense).value("dropout", LayerKind::dropout).value("activation", LayerKind::activation);
  nb::enum_<Act>(m, "Act")
      .value("identity", Act::identity).value("sigmoid", Act::sigmoid).value("tanh", Act::tanh).value("scaled_tanh", Act::scaled_tanh)
      .value("relu", Act::relu).value("leaky_relu", Act::leaky_relu).value("elu", Act::elu).value("selu", Act::selu).value("gelu", Act::gelu)
      .value("silu", Act::silu).value("softplus", Act::softplus).value("exp", Act::exp).value("softmax", Act::softmax);
  nb::enum_<LossKind>(m, "LossKind")
      .value("half_squared_error", LossKind::half_squared_error).value("mean_squared_error", LossKind::mean_squared_error)
      .value("mean_absolute_error", LossKind::mean_absolute_error).value("huber", LossKind::huber).value("quantile", LossKind::quantile).value("poisson", LossKind::poisson)
      .value("cross_entropy", LossKind::cross_entropy).value("binary_cross_entropy", LossKind::binary_cross_entropy)
      .value("softmax_cross_entropy", LossKind::softmax_cross_entropy).value("sigmoid_cross_entropy", LossKind::sigmoid_cross_entropy);
  nb::enum_<OptimizerKind>(m, "OptimizerKind")
      .value("SGD", OptimizerKind::sgd).value("RMSProp", OptimizerKind::rmsprop).value("Adagrad", OptimizerKind::adagrad)
      .value("Adam", OptimizerKind::adam).value("NAdam", OptimizerKind::nadam);
  nb::class_<Layer>(m, "Layer")
      .def(nb::init<>())
      .def_rw("kind", &Layer::kind).def_rw("inputs", &Layer::I).def_rw("units", &Layer::O).def_rw("act", &Layer::act).def_rw("a", &Layer::a)
      .def_rw("bias", &Layer::bias).def_rw("train_w", &Layer::train_w).def_rw("train_b", &Layer::train_b).def_rw("w", &Layer::w)
      .def_rw("b", &Layer::b).def_rw("rate", &Layer::rate).def_rw("stream", &Layer::stream);
  nb::class_<Loss>(m, "Loss").def(nb::init<>()).def_rw("kind", &Loss::kind).def_rw("delta", &Loss::delta).def_rw("mean", &Loss::mean);
  nb::class_<Optimizer>(m, "Optimizer")
      .def(nb::init<>())
      .def_rw("kind", &Optimizer::kind).def_rw("momentum", &Optimizer::momentum).def_rw("decay", &Optimizer::decay)
      .def_rw("beta1", &Optimizer::beta1).def_rw("beta2", &Optimizer::beta2).def_rw("epsilon", &Optimizer::epsilon)
      .def_rw("momentum_decay", &Optimizer::momentum_decay).def_rw("weight_decay", &Optimizer::weight_decay)
      .def_rw("nesterov", &Optimizer::nesterov).def_rw("clip_norm", &Optimizer::clip_norm).def_rw("clip_value", &Optimizer::clip_value)
      .def_rw("l1", &Optimizer::l1).def_rw("l2", &Optimizer::l2);
  m.def("byte_medians", &byte_medians, "stream"_a);
  bind_type<float>(m, "Run32");
  bind_type<double>(m, "Run64");
  m.def("draw_orders", &draw_orders, "words"_a.noconvert(), "first"_a, "orders"_a.noconvert());
  m.def("instruction_sets", [] {
    std::vector<std::string> names;
    for (const Isa* isa : available()) names.emplace_back(isa->name);
    return names;
  });
}
