#include "team.hpp"

#include <thread>

#ifdef __linux__
#include <sched.h>
#include <unistd.h>
#endif

namespace chainrule {

#ifdef __linux__
int processor() { return sched_getcpu(); }

void leave(int processor) {
  cpu_set_t allowed, others;
  if (processor < 0 || processor >= CPU_SETSIZE || sched_getcpu() != processor || sched_getaffinity(0, sizeof allowed, &allowed) != 0) return;
  others = allowed;
  CPU_CLR(std::size_t(processor), &others);
  if (CPU_COUNT(&others) > 0 && sched_setaffinity(0, sizeof others, &others) == 0)  // it is moved at once
    sched_setaffinity(0, sizeof allowed, &allowed);
}
#else
int processor() { return -1; }
void leave(int) {}
#endif

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
    if (spins < kSpins) {
      relax();
      continue;
    }
    if (spins == kSpins) apart();
    std::this_thread::yield();  // on a busy machine, let the other one run
  }
}

// Two that wait for long on the same processor wait because of each other: the second leaves.
void Barrier::apart() {
  thread_local const char me = 0;  // its address is this thread's name
  const int here = processor();
  const std::uint64_t mine = reinterpret_cast<std::uintptr_t>(&me) << 16 | std::uint16_t(here);
  const std::uint64_t before = tired_.exchange(mine, std::memory_order_relaxed);
  if (before != mine && std::uint16_t(before) == std::uint16_t(here) && before != 0) leave(here);
}

}  // namespace chainrule
