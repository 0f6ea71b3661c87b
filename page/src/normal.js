// Standard normal numbers by a counter: the twin of latents.py, which says what and why.

// High word of the product of two words: JavaScript's numbers hold 53 bits.
function high(a, b) {
  const first = (a & 0xffff) * b
  const second = (a >>> 16) * b + Math.floor(first / 65536)
  return Math.floor(second / 65536) >>> 0
}

/** Four random words of a counter (four words) under a key (two words), written into `out`. */
export function philox(counter, key, out = new Uint32Array(4)) {
  let [a, b, c, d] = counter
  let [one, two] = key
  for (let turn = 0; turn < 10; turn++) {
    const left = high(0xd2511f53, a), right = high(0xcd9e8d57, c)
    const leftLow = Math.imul(0xd2511f53, a), rightLow = Math.imul(0xcd9e8d57, c)
    a = (right ^ b ^ one) >>> 0
    b = rightLow >>> 0
    c = (left ^ d ^ two) >>> 0
    d = leftLow >>> 0
    one = (one + 0x9e3779b9) >>> 0
    two = (two + 0xbb67ae85) >>> 0
  }
  out[0] = a
  out[1] = b
  out[2] = c
  out[3] = d
  return out
}

/** `n` standard normal numbers of one level of a sample's latents, as Float32Array. */
export function normal(n, seed, sample, level) {
  const drawn = new Float32Array(n), words = new Uint32Array(4)
  const counter = [0, level, 0, 0], key = [seed >>> 0, sample >>> 0]
  for (let at = 0; at < n; at += 4) {
    counter[0] = at / 4
    philox(counter, key, words)
    for (let half = 0; half < 4; half += 2) {
      const radius = Math.sqrt(-2 * Math.log((words[half] + 1) / 2 ** 32))
      const angle = (2 * Math.PI * words[half + 1]) / 2 ** 32
      // Writing past the end of a typed array does nothing.
      drawn[at + half] = radius * Math.cos(angle)
      drawn[at + half + 1] = radius * Math.sin(angle)
    }
  }
  return drawn
}
