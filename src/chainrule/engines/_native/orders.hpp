// The order of the rows in an epoch: to the bit that of NumPy's `Generator(PCG64(SeedSequence(...))).permutation(N)`.

#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>

namespace chainrule {

// NumPy's SeedSequence (M. O'Neill's seed_seq): words of entropy hashed into a pool of four.
class SeedPool {
 public:
  SeedPool(const std::uint32_t* words, std::size_t count) {  // at least four of them
    for (std::size_t i = 0; i < 4; ++i) pool_[i] = hashed(words[i]);
    for (std::uint32_t& from : pool_)
      for (std::uint32_t& into : pool_)
        if (&into != &from) into = mixed(into, hashed(from));
    for (std::size_t i = 4; i < count; ++i) add(words[i]);
  }

  void add(std::uint32_t word) {
    for (std::uint32_t& into : pool_) into = mixed(into, hashed(word));
  }

  std::array<std::uint64_t, 4> state() const {
    std::array<std::uint64_t, 4> words{};
    std::uint32_t factor = 0x8b51f9dd;
    for (std::size_t i = 0; i < 8; ++i) {
      std::uint32_t word = pool_[i % 4] ^ factor;
      word *= factor *= 0x58f38ded;
      words[i / 2] |= std::uint64_t(word ^ word >> 16) << 32 * (i % 2);
    }
    return words;
  }

 private:
  std::array<std::uint32_t, 4> pool_{};
  std::uint32_t factor_ = 0x43b0d7e5;

  std::uint32_t hashed(std::uint32_t word) {
    word ^= factor_;
    word *= factor_ *= 0x931e8875;
    return word ^ word >> 16;
  }
  static std::uint32_t mixed(std::uint32_t a, std::uint32_t b) {
    const std::uint32_t word = 0xca01f9dd * a - 0x4973f715 * b;
    return word ^ word >> 16;
  }
};

__extension__ using Wide = unsigned __int128;
constexpr Wide wide(std::uint64_t high, std::uint64_t low) { return Wide(high) << 64 | low; }

// O'Neill's PCG XSL RR 128/64 (2014), handed out by halves, the lower first.
class PCG64 {
 public:
  explicit PCG64(const std::array<std::uint64_t, 4>& seed) : increment_(wide(seed[2], seed[3]) << 1 | 1) {
    state_ = (increment_ + wide(seed[0], seed[1])) * kMultiplier + increment_;
  }

  std::uint32_t next() {
    half_left_ = !half_left_;
    if (!half_left_) return std::uint32_t(drawn_ >> 32);
    state_ = state_ * kMultiplier + increment_;
    const std::uint64_t folded = std::uint64_t(state_ >> 64) ^ std::uint64_t(state_);
    const int turn = int(state_ >> 122);
    drawn_ = folded >> turn | folded << (-turn & 63);
    return std::uint32_t(drawn_);
  }

 private:
  static constexpr Wide kMultiplier = wide(0x2360ed051fc65da4, 0x4385df649fccf645);
  Wide increment_, state_;
  std::uint64_t drawn_ = 0;
  bool half_left_ = false;
};

// Fisher and Yates's shuffle, from the end (Knuth, volume 2, algorithm P). For the place of a row r as many bits are drawn as
// r has, again until they are no more than r. A draw that is too large swaps a row with itself: a branch there could not be
// foreseen, and would cost most of the time.
inline void draw_order(SeedPool pool, std::uint32_t epoch, std::int64_t* rows, std::size_t N) {
  pool.add(epoch);
  PCG64 random(pool.state());
  for (std::size_t r = 0; r < N; ++r) rows[r] = std::int64_t(r);
  for (std::uint32_t r = N ? std::uint32_t(N - 1) : 0; r > 0;) {
    const std::uint32_t drawn = random.next() & ~std::uint32_t(0) >> __builtin_clz(r);
    std::swap(rows[r], rows[std::min(drawn, r)]);
    r -= drawn <= r;
  }
}

}  // namespace chainrule
