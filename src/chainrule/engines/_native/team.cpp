#include "team.hpp"

#include <thread>

namespace chainrule {

namespace {
constexpr int kQuick = 100, kSpins = 400;  // looks without a pause, and in all: some ten microseconds

inline void relax() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#endif
}
}  // namespace

void Barrier::wait() {
  if (n_ == 1) return;
  const unsigned mine = round_.load(std::memory_order_relaxed);
  if (arrived_.fetch_add(1, std::memory_order_acq_rel) + 1 == n_) {
    arrived_.store(0, std::memory_order_relaxed);
    round_.store(mine + 1, std::memory_order_release);
    return;
  }
  for (int spins = 0; round_.load(std::memory_order_acquire) == mine; ++spins) {
    if (spins < kQuick) continue;
    if (spins < kSpins) relax();
    else std::this_thread::yield();  // on a busy machine, let the other one run
  }
}

}  // namespace chainrule
