// The kernels for baseline.
#include <cmath>
#include <cstdint>
#include <limits>
#include <type_traits>
#include <utility>
#include <vector>
#if defined(__x86_64__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

#include "plan.hpp"
#include "team.hpp"

namespace chainrule {
namespace {  // of this file alone: the same templates are compiled otherwise elsewhere
constexpr int kBytes = 16, kRegisters = 16;
#include "kernels.hpp"
}  // namespace
extern const Isa isa_baseline;
const Isa isa_baseline = {"baseline", kBytes, kVectors<float>, {advance_<float>, evaluate_<float>, elementary<float>, encode_<float>},
                               {advance_<double>, evaluate_<double>, elementary<double>, encode_<double>},
                               {kBytes, kVectors<float>, online_<float>, online_<double>},
                               {kBytes, kVectors<float>, online_<float>, online_<double>}};
}  // namespace chainrule
