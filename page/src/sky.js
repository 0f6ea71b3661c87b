// Places on the map: pixels, offsets from the centre [arcmin], right ascension and declination.

/** Offsets (x to the right, y up) of a place on the picture, row 0 at its top. */
export function offsets(field, column, row) {
  const [left, , , top] = field.bounds
  return [left + column * field.scale, top - row * field.scale]
}

/** Column and row (from the top) of offsets. */
export function place(field, x, y) {
  const [left, , , top] = field.bounds
  return [(x - left) / field.scale, (top - y) / field.scale]
}

/** Right ascension and declination [deg] of offsets: the tangent plane, inverted. */
export function radec({ ra0, dec0, x0, y0, xx, xy, yx, yy }, x, y) {
  const dx = x - x0, dy = y - y0
  const xi = xx * dx + xy * dy, eta = yx * dx + yy * dy
  const down = Math.cos(dec0) - eta * Math.sin(dec0)
  const degree = 180 / Math.PI
  const ra = (ra0 + Math.atan2(xi, down)) * degree
  const up = Math.sin(dec0) + eta * Math.cos(dec0)
  return [((ra % 360) + 360) % 360, Math.atan2(up, Math.hypot(xi, down)) * degree]
}

/** The cluster whose circle holds the offsets, the smallest of several. */
export function clusterAt(clusters, x, y) {
  const inside = clusters.filter(c => Math.hypot(c.x - x, c.y - y) <= c.radius)
  return inside.sort((a, b) => a.radius - b.radius)[0]
}
