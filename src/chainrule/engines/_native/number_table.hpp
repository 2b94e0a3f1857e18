// A table that another library hands over, and its memory until it is no longer needed.

#pragma once

#include <cstring>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "arrow.hpp"

namespace chainrule {

// A record, given back in the end.
template <class Record> struct Owned {
  Record it{};
  Owned() = default;
  Owned(const Owned&) = delete;
  Owned& operator=(const Owned&) = delete;
  ~Owned() { if (it.release) it.release(&it); }
};

// Columns of numbers without any copy of them.
class NumberTable {
 public:
  explicit NumberTable(ArrowArrayStream* stream) {
    Owned<ArrowSchema> schema;
    check(stream, stream->get_schema(stream, &schema.it));
    for (std::int64_t c = 0; c < schema.it.n_children; ++c) add_letter(schema.it.children[c]->format);
    for (auto next = read(stream); next->it.release; next = read(stream)) {
      if (std::size_t(next->it.n_children) != letters_.size()) throw std::invalid_argument("stretches of different columns");
      rows_ += next->it.length;
      pointers_.push_back(&next->it);
      stretches_.push_back(std::move(next));
    }
  }

  std::int64_t rows() const { return rows_; }
  Table table() const { return {int(letters_.size()), letters_.data(), pointers_.size(), pointers_.data()}; }

 private:
  using Stretch = std::unique_ptr<Owned<ArrowArray>>;
  std::string letters_;
  std::vector<Stretch> stretches_;
  std::vector<const ArrowArray*> pointers_;
  std::int64_t rows_ = 0;

  void add_letter(const char* format) {
    if (std::strlen(format) != 1 || std::strchr("cCsSiIlLfg", format[0]) == nullptr) throw std::invalid_argument("a column that holds no numbers");
    letters_ += format[0];
  }
  static void check(ArrowArrayStream* stream, int error) {
    if (error == 0) return;
    const char* why = stream->get_last_error(stream);
    throw std::runtime_error(why ? why : "the table cannot be read");
  }
  static Stretch read(ArrowArrayStream* stream) {
    auto next = std::make_unique<Owned<ArrowArray>>();
    check(stream, stream->get_next(stream, &next->it));
    return next;
  }
};

}  // namespace chainrule
