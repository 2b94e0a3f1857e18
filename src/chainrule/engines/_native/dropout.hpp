// Dropout's masks: the counter-based hash of arrays.py, the same words for the same place.

inline std::uint32_t hash_word(std::uint32_t w) {
  w ^= w >> 16; w *= 0x7FEB352Du; w ^= w >> 15; w *= 0x846CA68Bu; return w ^ (w >> 16);
}
template <class... Words> std::uint32_t hash_words(Words... words) {
  std::uint32_t state = 0;
  const std::uint32_t all[] = {std::uint32_t(words)...};
  for (std::uint32_t word : all) {
    state = state * 0x9E3779B1u + word + 0x7F4A7C15u;
    state ^= state >> 16; state *= 0x7FEB352Du; state ^= state >> 15; state *= 0x846CA68Bu; state ^= state >> 16;
  }
  return state;
}

// Rows r0 to r1 of the mask of a slice of a (B, I) input that begins at a row of it: 0, or 1/(1 - rate).
template <class T>
void dropout_mask(T* mask, int ld, int I, int r0, int r1, int row, double rate, std::uint64_t seed, std::uint32_t stream, std::int64_t step) {
  const std::uint32_t low = std::uint32_t(seed), high = std::uint32_t(seed >> 32), now = std::uint32_t(step);
  const std::uint32_t k1 = hash_words(low, high, stream, now, 1u), k2 = hash_words(low, high, stream, now, 2u);
  const double whole = std::nearbyint((1 - rate) * 4294967296.0);
  const std::uint32_t threshold = whole >= 4294967295.0 ? 0xFFFFFFFFu : std::uint32_t(whole);
  const T kept = T(1 / (1 - rate));
  for (int r = r0; r < r1; ++r) {
    const std::uint32_t from = std::uint32_t(row + r) * std::uint32_t(I) + k1;
    T* out = mask + std::size_t(r) * ld;
    for (int i = 0; i < I; ++i) out[i] = hash_word(hash_word(from + std::uint32_t(i)) ^ k2) < threshold ? kept : T(0);
  }
}
