// Values to colours: in even steps between two limits, plain outside the field.

/** RGBA bytes of `map` [row 0 at the South] as a picture, row 0 at its top. */
export function paint(map, { width, height, area }, [low, high], palette, empty) {
  const colors = palette.map(word), plain = word(empty)
  const picture = new Uint32Array(width * height)
  const last = palette.length - 1
  for (let row = 0, at = 0; row < height; row++) {
    const from = (height - 1 - row) * width
    for (let pixel = from; pixel < from + width; pixel++) {
      const level = Math.round(((map[pixel] - low) / (high - low)) * last)
      const known = area[pixel] && !Number.isNaN(level)
      picture[at++] = known ? colors[level < 0 ? 0 : level > last ? last : level] : plain
    }
  }
  return new Uint8ClampedArray(picture.buffer)
}

/** A CSS gradient of a palette. */
export function gradient(palette) {
  const steps = Array.from({ length: 16 }, (_, i) => palette[Math.round((i / 15) * (palette.length - 1))])
  return `linear-gradient(to right, ${steps.join(", ")})`
}

/** A value as people write it: a true minus. */
export function number(value, digits = 3) {
  return value.toFixed(digits).replace("-", "−")
}

// The four bytes of a colour as one number, red first in memory (every browser is little-endian).
function word(code) {
  const [red, green, blue] = [1, 3, 5].map(at => parseInt(code.slice(at, at + 2), 16))
  return ((255 << 24) | (blue << 16) | (green << 8) | red) >>> 0
}
