// Arrays from a .safetensors file: eight bytes of length, JSON of that length, data.

const KINDS = { F32: ["float32", Float32Array], F16: ["float16", Uint16Array] }

/** All arrays of a file as tensors, by name; `Tensor` is ONNX Runtime's. */
export function tensors(file, Tensor) {
  const length = Number(new DataView(file).getBigUint64(0, true))
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(file, 8, length)))
  delete header.__metadata__
  return Object.fromEntries(
    Object.entries(header).map(([name, { dtype, shape, data_offsets: [begin, end] }]) => {
      const [type, Kind] = KINDS[dtype]
      return [name, new Tensor(type, new Kind(file.slice(8 + length + begin, 8 + length + end)), shape)]
    }),
  )
}
