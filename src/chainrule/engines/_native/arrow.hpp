// Tables of numbers as other libraries hold them, through the Arrow C data and stream interfaces: nothing is copied.
// arrow.apache.org/docs/format/CDataInterface.html and CStreamInterface.html: each library states these records for itself.

#pragma once

#include <cstddef>
#include <cstdint>

namespace chainrule {

struct ArrowSchema {
  const char *format, *name, *metadata;
  std::int64_t flags, n_children;
  ArrowSchema **children, *dictionary;
  void (*release)(ArrowSchema*);
  void* private_data;
};
struct ArrowArray {
  std::int64_t length, null_count, offset, n_buffers, n_children;
  const void** buffers;
  ArrowArray **children, *dictionary;
  void (*release)(ArrowArray*);
  void* private_data;
};
struct ArrowArrayStream {
  int (*get_schema)(ArrowArrayStream*, ArrowSchema*);
  int (*get_next)(ArrowArrayStream*, ArrowArray*);
  const char* (*get_last_error)(ArrowArrayStream*);
  void (*release)(ArrowArrayStream*);
  void* private_data;
};

// The columns of a table of numbers, as they lie in memory: in stretches of rows, a letter for the type of each column.
struct Table {
  int columns;
  const char* letters;
  std::size_t stretches;
  const ArrowArray* const* stretch;
};
// What the columns learned from the training rows, and where they go: a number's place, ascending, and, unless it is
// negative, that of the 1 which says that the number is missing.
struct Encoding {
  const double *medians, *centers, *scales;
  const std::int64_t *places, *flags;
};

}  // namespace chainrule
