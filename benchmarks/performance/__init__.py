"""The benchmark suite (`make bench`), and what other benchmarks share: a clock, limits, a step."""
