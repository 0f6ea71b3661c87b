// A field as the page's scripts bring it: bytes in base64 to maps of floats.

/** Load the script of a field; without a server, too. */
export function load(name) {
  const { fields } = globalThis.massgan
  if (fields[name]) return Promise.resolve(decode(name, fields[name]))
  return new Promise((resolve, reject) => {
    const script = document.createElement("script")
    script.src = `fields/${name}.js`
    script.onload = () => resolve(decode(name, fields[name]))
    script.onerror = () => reject(new Error(`The file fields/${name}.js is missing.`))
    document.head.append(script)
  })
}

/** Maps [height × width, row 0 at the South] of what `massgan.fields` holds; NaN outside. */
export function decode(name, told) {
  const [height, width] = told.shape
  const area = bits(bytes(told.area), height * width)
  const maps = {}
  for (const [kind, packed] of Object.entries(told.maps)) maps[kind] = unpack(packed, area)[0]
  return { ...told, name, height, width, area, maps, samples: unpack(told.samples, area) }
}

/** The maps in `packed`, each spread over the pixels of `area`. */
export function unpack({ low, high, bits, data }, area) {
  const raw = bytes(data)
  const levels = bits === 16 ? new Uint16Array(raw.buffer) : raw
  const step = (high - low) / (2 ** bits - 1)
  const maps = []
  for (let at = 0; at < levels.length; ) {
    const map = new Float32Array(area.length).fill(NaN)
    for (let i = 0; i < area.length; i++) if (area[i]) map[i] = low + step * levels[at++]
    maps.push(map)
  }
  return maps
}

function bytes(text) {
  return Uint8Array.from(atob(text), letter => letter.charCodeAt(0))
}

function bits(packed, n) {
  return Uint8Array.from({ length: n }, (_, i) => (packed[i >> 3] >> (7 - (i & 7))) & 1)
}
