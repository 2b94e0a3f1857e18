// Columns of numbers into the rows of a matrix: X[r][place] = (x - center) / scale, in float64 whatever X is, the median
// where x is missing. A column is read along its rows and a row is written along its columns: both for a few rows at a time,
// which stay in the cache.

constexpr int kRowsEncoded = 64;     // of X: they stay in the second-level cache while their columns come
constexpr int kColumnsEncoded = 16;  // at a time: a line of the cache in each row of X

template <class T> class Encoder {
 public:
  Encoder(const Table& table, const Encoding& encoding, T* X, std::size_t I) : table_(table), e_(encoding), X_(X), I_(I) {}

  // These rows of the table into those of X; whether all became finite numbers.
  bool rows(std::int64_t first, std::int64_t last) {
    bool finite = true;
    std::int64_t begin = 0;
    for (std::size_t s = 0; s < table_.stretches && begin < last; begin += table_.stretch[s++]->length) {
      const std::int64_t end = begin + table_.stretch[s]->length, from = first > begin ? first : begin, to = last < end ? last : end;
      for (std::int64_t row = from; row < to; row += kRowsEncoded)
        finite &= block(*table_.stretch[s], row - begin, int(to - row < kRowsEncoded ? to - row : kRowsEncoded), X_ + std::size_t(row) * I_);
    }
    return finite;
  }

 private:
  static constexpr int N = width<T>;
  const Table& table_;
  const Encoding& e_;
  T* const X_;
  const std::size_t I_;
  alignas(64) T tile_[kColumnsEncoded][kRowsEncoded] = {};

  bool block(const ArrowArray& stretch, std::int64_t row, int rows, T* X) {
    bool finite = true;
    for (int c = 0; c < table_.columns; c += kColumnsEncoded) {
      const int n = table_.columns - c < kColumnsEncoded ? table_.columns - c : kColumnsEncoded;
      for (int i = 0; i < n; ++i) finite &= column(stretch, row, c + i, rows, tile_[i], X);
      const bool neighbours = n == kColumnsEncoded && e_.places[c + n - 1] - e_.places[c] == n - 1;  // places ascend
      if (neighbours) write_neighbours(rows, X + e_.places[c]);
      else write(n, e_.places + c, rows, X);
    }
    return finite;
  }
  void write(int n, const std::int64_t* places, int rows, T* X) const {
    for (int r = 0; r < rows; ++r)
      for (int i = 0; i < n; ++i) X[std::size_t(r) * I_ + std::size_t(places[i])] = tile_[i][r];
  }
  void write_neighbours(int rows, T* X) const {
    for (int r = 0; r < rows; r += N)
      for (int i = 0; i < kColumnsEncoded; i += N) {
        V<T> v[N];
        unrolled<N>([&](auto j) { v[j] = load<T>(&tile_[i + j][r]); });
        transpose<T>(v);
        unrolled<N>([&](auto j) { if (r + j < rows) store(X + std::size_t(r + j) * I_ + i, v[j]); });
      }
  }

  // A column's numbers, by the letter that the Arrow C data interface has for their type.
  bool column(const ArrowArray& stretch, std::int64_t row, int c, int rows, T* to, T* X) const {
    const ArrowArray& array = *stretch.children[c];
    row += stretch.offset + array.offset;
    switch (table_.letters[c]) {
      case 'c': return numbers<std::int8_t>(array, row, c, rows, to, X);
      case 'C': return numbers<std::uint8_t>(array, row, c, rows, to, X);
      case 's': return numbers<std::int16_t>(array, row, c, rows, to, X);
      case 'S': return numbers<std::uint16_t>(array, row, c, rows, to, X);
      case 'i': return numbers<std::int32_t>(array, row, c, rows, to, X);
      case 'I': return numbers<std::uint32_t>(array, row, c, rows, to, X);
      case 'l': return numbers<std::int64_t>(array, row, c, rows, to, X);
      case 'L': return numbers<std::uint64_t>(array, row, c, rows, to, X);
      case 'f': return numbers<float>(array, row, c, rows, to, X);
      default: return numbers<double>(array, row, c, rows, to, X);  // 'g'
    }
  }
  template <class Number> bool numbers(const ArrowArray& array, std::int64_t row, int c, int rows, T* __restrict to, T* X) const {
    const Number* x = static_cast<const Number*>(array.buffers[1]) + row;
    const double center = e_.centers[c], scale = e_.scales[c];
    for (int r = 0; r < rows; ++r) to[r] = T((double(x[r]) - center) / scale);
    if (array.buffers[0] && array.null_count != 0) fill_missing(static_cast<const std::uint8_t*>(array.buffers[0]), row, c, rows, to, X);
    V<T> zero{};  // stays so, unless a number is infinite or none
    for (int r = 0; r < rows; r += N) zero += load<T>(to + r) - load<T>(to + r);
    return sum_of<T>(zero) == 0;
  }
  void fill_missing(const std::uint8_t* valid, std::int64_t row, int c, int rows, T* to, T* X) const {
    const T median = T((e_.medians[c] - e_.centers[c]) / e_.scales[c]);
    for (int r = 0; r < rows; ++r) {
      if (valid[(row + r) / 8] >> (row + r) % 8 & 1) continue;
      to[r] = median;
      if (e_.flags[c] >= 0) X[std::size_t(r) * I_ + std::size_t(e_.flags[c])] = 1;
    }
  }
};

template <class T> bool encode_(const Table& table, const Encoding& encoding, T* X, std::size_t I, std::int64_t first, std::int64_t last) {
  return Encoder<T>(table, encoding, X, I).rows(first, last);
}
