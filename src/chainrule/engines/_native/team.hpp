// Threads that work on one step together.

#pragma once

#include <atomic>
#include <cstdint>

namespace chainrule {

// A barrier by spinning, since a step takes microseconds; on a busy machine it lets others run after a while.
class Barrier {
 public:
  explicit Barrier(int n) : n_(n) {}
  Barrier(const Barrier&) = delete;
  Barrier& operator=(const Barrier&) = delete;
  void wait();

 private:
  const int n_;
  alignas(64) std::atomic<int> arrived_{0};  // a line of the cache each
  alignas(64) std::atomic<unsigned> round_{0};
};

}  // namespace chainrule
