// The kernels for neon, which every 64-bit ARM has.
#include <cmath>
#include <cstdint>
#include <limits>
#include <type_traits>
#include <utility>
#include <vector>
#include <arm_neon.h>

#include "plan.hpp"
#include "team.hpp"

namespace chainrule {
namespace {  // of this file alone: the same templates are compiled otherwise elsewhere
constexpr int kBytes = 16, kRegisters = 32;
#include "kernels.hpp"
}  // namespace
extern const Isa isa_neon;
const Isa isa_neon = {"neon", kBytes, kVectors<float>, {advance_<float>, evaluate_<float>, elementary<float>, encode_<float>},
                           {advance_<double>, evaluate_<double>, elementary<double>, encode_<double>},
                           {kBytes, kVectors<float>, online_<float>, online_<double>},
                           {kBytes, kVectors<float>, online_<float>, online_<double>}};
}  // namespace chainrule
