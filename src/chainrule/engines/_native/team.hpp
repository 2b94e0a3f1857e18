// Threads that work on one step together.

#pragma once

#include <atomic>
#include <cstdint>
#include <functional>

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

// Threads that stay, since to start one takes as long as a short epoch: at most n with whoever calls run. They are made when
// they are first needed, and anew in a process that was forked. After some work they look out for more for a moment, then
// they sleep.
class Team {
 public:
  explicit Team(int n) : n_(n) {}
  ~Team();
  Team(const Team&) = delete;
  Team& operator=(const Team&) = delete;

  // work(0) on this thread, work(1), ..., work(n - 1) on the others, all at once; one call at a time. std::runtime_error, and
  // nothing done, where the system has not as many threads.
  void run(int n, const std::function<void(int)>& work);

 private:
  struct Members;
  static Members* made(int n);
  const int n_;
  Members* members_ = nullptr;
};

}  // namespace chainrule
