// How often each value stands in a column of bytes, and what follows: to count takes less than to look for a rank.

#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "arrow.hpp"

namespace chainrule {

class ByteCounts {
 public:
  ByteCounts(const Table& table, int column) {
    for (std::size_t s = 0; s < table.stretches; ++s) add(*table.stretch[s], *table.stretch[s]->children[column]);
  }

  // The mean of the two in the middle; none where no byte is there.
  std::optional<double> median() const {
    std::int64_t n = 0;
    for (const auto& counts : counts_)
      for (const std::int64_t count : counts) n += count;
    if (n == 0) return {};
    return (ranked((n - 1) / 2) + ranked(n / 2)) / 2.0;
  }

 private:
  static constexpr int kTurns = 4;  // tables in turn: where one value follows another like it, none waits for the other's count
  std::array<std::int64_t, 256> counts_[kTurns] = {};

  void add(const ArrowArray& stretch, const ArrowArray& array) {
    const std::int64_t first = stretch.offset + array.offset, n = stretch.length;
    const auto* x = static_cast<const std::uint8_t*>(array.buffers[1]) + first;
    const auto* valid = array.null_count == 0 ? nullptr : static_cast<const std::uint8_t*>(array.buffers[0]);
    for (std::int64_t i = 0; i < n; ++i)
      counts_[i % kTurns][x[i]] += valid == nullptr || (valid[(first + i) / 8] >> (first + i) % 8 & 1);
  }
  // The value with so many before it.
  int ranked(std::int64_t before) const {
    int value = -1;
    while (before >= 0) {
      ++value;
      for (const auto& counts : counts_) before -= counts[std::size_t(value)];
    }
    return value;
  }
};

}  // namespace chainrule
