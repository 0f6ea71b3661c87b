// Running mean and variance of maps, in float64 (Welford 1962).

export class Moments {
  /** Of maps with `size` pixels; `from`, of an earlier run, is `snapshot()`'s. */
  constructor(size, from = null) {
    this.n = from ? from.n : 0
    this.mean = from ? Float64Array.from(from.mean) : new Float64Array(size)
    this.squares = from ? Float64Array.from(from.squares) : new Float64Array(size)
  }

  /** See one more map. */
  update(map) {
    this.n += 1
    for (let i = 0; i < map.length; i++) {
      const delta = map[i] - this.mean[i]
      this.mean[i] += delta / this.n
      this.squares[i] += delta * (map[i] - this.mean[i])
    }
  }

  /** What a later run can go on from. */
  snapshot() {
    return { n: this.n, mean: this.mean.slice(), squares: this.squares.slice() }
  }
}

/** Standard deviation (ddof = 1) of each pixel; NaN for fewer than two maps. */
export function deviation({ n, squares }) {
  return Float32Array.from(squares, square => (n < 2 ? NaN : Math.sqrt(square / (n - 1))))
}
