// Values to colours: in even steps between two limits, plain outside the field.

/** RGBA bytes of `map` [row 0 at the South] as a picture, row 0 at its top. */
export function paint(map, { width, height, area }, [low, high], palette, empty) {
  const colors = palette.map(rgb), plain = rgb(empty)
  const picture = new Uint8ClampedArray(4 * width * height)
  const last = palette.length - 1
  for (let row = 0; row < height; row++) {
    const from = (height - 1 - row) * width
    for (let column = 0; column < width; column++) {
      const value = map[from + column]
      const known = area[from + column] && !Number.isNaN(value)
      const level = Math.round(((value - low) / (high - low)) * last)
      const color = known ? colors[Math.min(last, Math.max(0, level))] : plain
      picture.set(color, 4 * (row * width + column))
      picture[4 * (row * width + column) + 3] = 255
    }
  }
  return picture
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

function rgb(code) {
  return [1, 3, 5].map(at => parseInt(code.slice(at, at + 2), 16))
}
