// What a worker needs to draw: the runtime, the networks, what they are told of a field.

const kept = new Map() // path → ArrayBuffer: Stop ends a worker, and the next one needs the same

/** Why this browser cannot draw maps of its own; empty if it can. */
export function obstacle() {
  if (location.protocol === "file:") {
    return (
      "These samples were drawn beforehand. A browser draws new ones only if the page comes from a web " +
      "server. To be one: open a terminal in the folder of this page, run python3 -m http.server, and " +
      "open http://localhost:8000 in this browser."
    )
  }
  const able = globalThis.WebAssembly && globalThis.Worker
  return able ? "" : "This browser cannot draw samples (it has no WebAssembly); those drawn beforehand are here."
}

/** "webgpu" where there is a graphics card to draw with, else "wasm". */
export async function backend() {
  try {
    if (!navigator.gpu || !WebAssembly.Suspending) return "wasm"
    const adapter = await navigator.gpu.requestAdapter()
    const real = adapter && !(adapter.info?.isFallbackAdapter ?? adapter.isFallbackAdapter)
    return real ? "webgpu" : "wasm"
  } catch {
    return "wasm"
  }
}

/** Fetch all that is needed, saying how much has come. */
export async function fetchKit(about, field, kind, signal, say) {
  const paths = {
    binary: `ort/${kind}.wasm`,
    encoder: "networks/encoder.onnx",
    decoder: "networks/decoder.onnx",
    told: `fields/${field}.safetensors`,
  }
  const missing = Object.values(paths).filter(path => !kept.has(path))
  const all = missing.reduce((sum, path) => sum + about.bytes[path], 0)
  const lost = error => {
    throw signal.aborted ? error : new Error("The server of this page cannot be reached.")
  }
  let come = 0
  for (const path of missing) {
    const answer = await fetch(path, { signal }).catch(lost)
    if (!answer.ok) throw new Error(`The file ${path} is missing.`)
    const parts = []
    for (const reader = answer.body.getReader(); ; ) {
      const { done, value } = await reader.read().catch(lost)
      if (done) break
      parts.push(value)
      come += value.length
      say(come, all)
    }
    kept.set(path, await new Blob(parts).arrayBuffer())
  }
  const files = Object.fromEntries(Object.entries(paths).map(([name, path]) => [name, kept.get(path)]))
  const url = name => new URL(`ort/${kind}${name}.js`, location.href).href
  return { kind, script: url(""), glue: url("-glue"), ...files }
}
