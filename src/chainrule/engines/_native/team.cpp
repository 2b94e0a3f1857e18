#include "team.hpp"

#include <condition_variable>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

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

namespace {
constexpr int kLookouts = 1000;  // some fifty microseconds
constexpr int kWanted = 20;

std::int64_t process() {  // fork copies memory, but of the threads only the one that forks
#ifdef __linux__
  return getpid();
#else
  return 0;
#endif
}
}  // namespace

struct Team::Members {
  const std::int64_t home = process();
  std::mutex mutex;
  std::condition_variable call;
  // The number of the call, and in its last kWanted bits how many it wants: one number, for who is not wanted reads it late.
  std::atomic<std::uint64_t> round{0};
  std::atomic<int> working{0};
  int maker = -1;
  const std::function<void(int)>* work = nullptr;
  std::vector<std::thread> threads;

  static constexpr std::uint64_t kEnd = ~std::uint64_t(0);  // a number of threads that nobody gets

  void announce(std::uint64_t next) {
    {
      const std::lock_guard<std::mutex> lock(mutex);
      round.store(next, std::memory_order_release);
    }
    call.notify_all();
  }
  std::uint64_t next_after(std::uint64_t seen) {
    for (int looks = 0; looks < kLookouts; ++looks) {
      if (round.load(std::memory_order_acquire) != seen) break;
      relax();
    }
    if (round.load(std::memory_order_acquire) == seen) {
      std::unique_lock<std::mutex> lock(mutex);
      call.wait(lock, [&] { return round.load(std::memory_order_relaxed) != seen; });
    }
    return round.load(std::memory_order_acquire);
  }
  void live(int t) {
    for (std::uint64_t seen = next_after(0); seen != kEnd; seen = next_after(seen)) {
      if (t >= int(seen & ((1 << kWanted) - 1))) continue;
      leave(maker);
      (*work)(t);
      working.fetch_sub(1, std::memory_order_release);
    }
  }
  void end() {
    announce(kEnd);
    for (std::thread& thread : threads) thread.join();
  }
};

Team::Members* Team::made(int n) {
  Members* members = new Members;
  try {
    members->threads.reserve(std::size_t(n) - 1);
    for (int t = 1; t < n; ++t) members->threads.emplace_back([members, t] { members->live(t); });
  } catch (const std::exception&) {
    members->end();
    delete members;
    throw std::runtime_error("the system has no " + std::to_string(n) + " threads for this");
  }
  return members;
}

Team::~Team() {
  if (members_ == nullptr || members_->home != process()) return;  // its threads are not here, nor is who held its mutex
  members_->end();
  delete members_;
}

void Team::run(int n, const std::function<void(int)>& work) {
  if (n == 1) return work(0);
  if (members_ == nullptr || members_->home != process()) members_ = made(n_);
  members_->maker = processor();
  members_->work = &work;
  members_->working.store(n - 1, std::memory_order_relaxed);
  const std::uint64_t call = (members_->round.load(std::memory_order_relaxed) >> kWanted) + 1;
  members_->announce(call << kWanted | std::uint64_t(n));
  work(0);
  for (int looks = 0; members_->working.load(std::memory_order_acquire) > 0; ++looks) {
    if (looks < kSpins) relax();
    else std::this_thread::yield();
  }
}

}  // namespace chainrule
