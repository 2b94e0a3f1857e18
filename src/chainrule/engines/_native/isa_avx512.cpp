// The kernels for avx512.
#include <cmath>
#include <cstdint>
#include <limits>
#include <type_traits>
#include <utility>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "plan.hpp"
#include "team.hpp"

namespace chainrule {
namespace {  // of this file alone: the same templates are compiled otherwise elsewhere
constexpr int kBytes = 64, kRegisters = 32;
#include "kernels.hpp"
}  // namespace
extern const Isa isa_avx512;
const Isa isa_avx512 = {"avx512", kBytes, kVectors<float>, {advance_<float>, evaluate_<float>, elementary<float>},
                        {advance_<double>, evaluate_<double>, elementary<double>}};
}  // namespace chainrule
