// Threads that work on one step together.

#pragma once

#include <atomic>
#include <cstdint>

namespace chainrule {

// The processor that this thread runs on, or -1 where the system does not say.
int processor();
// If this thread runs on it, goes to another one that it may use. Linux starts a thread where its maker runs, and may leave
// both there for long while another processor has nothing to do.
void leave(int processor);

// A barrier by spinning, since a step takes microseconds; on a busy machine it lets others run after a while.
class Barrier {
 public:
  explicit Barrier(int n) : n_(n) {}
  Barrier(const Barrier&) = delete;
  Barrier& operator=(const Barrier&) = delete;
  void wait();

 private:
  void apart();

  const int n_;
  alignas(64) std::atomic<int> arrived_{0};  // a line of the cache each
  alignas(64) std::atomic<unsigned> round_{0};
  alignas(64) std::atomic<std::uint64_t> tired_{0};  // the thread that last waited for long, and where
};

}  // namespace chainrule
