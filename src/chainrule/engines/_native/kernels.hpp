// Everything that is compiled once for each instruction set; kBytes and kRegisters are set by the including file.
#include "simd.hpp"
#include "elementary.hpp"
#include "matrix.hpp"
#include "activations.hpp"
#include "losses.hpp"
#include "optimizers.hpp"
#include "dropout.hpp"
#include "step.hpp"
