// The kernels for avx2.
#include <cmath>
#include <cstdint>
#include <limits>
#include <type_traits>
#include <utility>
#include <vector>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "plan.hpp"
#include "team.hpp"

namespace chainrule {
namespace {  // of this file alone: the same templates are compiled otherwise elsewhere
constexpr int kBytes = 32, kRegisters = 16;
#include "kernels.hpp"
namespace narrow {
constexpr int kBytes = 16;
#include "kernels.hpp"
}  // namespace narrow
}  // namespace
extern const Isa isa_avx2;
const Isa isa_avx2 = {"avx2", kBytes, kVectors<float>, {advance_<float>, evaluate_<float>, elementary<float>, encode_<float>},
                           {advance_<double>, evaluate_<double>, elementary<double>, encode_<double>},
                           {kBytes, kVectors<float>, online_<float>, online_<double>},
                           {16, narrow::kVectors<float>, narrow::online_<float>, narrow::online_<double>}};
}  // namespace chainrule
