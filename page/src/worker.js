// Draws maps, one after another, and their running mean and deviation. Ended by `terminate()`.

import { deviation, Moments } from "./moments.js"
import { normal } from "./normal.js"
import { tensors } from "./safetensors.js"

const AGREE = 1e-2 // rms over the deviation up to which a sample is that of torch
const SLOW = 2 // seconds a sample from which a graphics card is none worth the name

class Told extends Error {} // in a sentence for people

onmessage = ({ data }) => {
  draw(data).catch(error => {
    console.warn(error)
    const sentence = error instanceof Told ? error.message : "This browser could not run the network."
    postMessage({ kind: "failed", sentence })
  })
}

async function draw({ kit, latents, check, spread, seed, total, from }) {
  const paint = await painter(kit, latents)
  await compare(paint, check, spread)
  postMessage({ kind: "ready", backend: kit.kind })
  let moments = from && new Moments(from.mean.length, from)
  for (let n = from ? from.n : 0; n < total; n++) {
    const begun = performance.now()
    const sample = await paint(seed, n)
    moments ??= new Moments(sample.length)
    moments.update(sample)
    const seconds = (performance.now() - begun) / 1000
    if (kit.kind === "webgpu" && seconds > SLOW) throw new Told("The graphics card is slow.")
    const mean = Float32Array.from(moments.mean), std = deviation(moments)
    const message = { kind: "sample", n: n + 1, seconds, sample, mean, std, moments: moments.snapshot() }
    postMessage(message, [mean, std, sample].map(map => map.buffer))
  }
  postMessage({ kind: "finished" })
}

/** A function (seed, number of the sample) → κ, by the exported networks. */
async function painter(kit, latents) {
  const ort = await import(kit.script)
  ort.env.wasm.wasmBinary = kit.binary
  ort.env.wasm.wasmPaths = { mjs: kit.glue }
  ort.env.logLevel = "error"
  // Without a server's headers there is one thread; ONNX Runtime sees that itself.
  const open = (graph, kind) => {
    return ort.InferenceSession.create(new Uint8Array(graph), { executionProviders: [kind] })
  }
  // The encoder runs once, and not every graphics card knows the float16 of its input.
  const [encoder, decoder] = [await open(kit.encoder, "wasm"), await open(kit.decoder, kit.kind)]
  const { condition, ...given } = tensors(kit.told, ort.Tensor)
  const shared = { ...given, ...(await encoder.run({ condition })) }
  await encoder.release()
  return async (seed, sample) => {
    const drawn = {}
    latents.forEach((shape, level) => {
      const n = shape.reduce((a, b) => a * b)
      drawn[`latent${level}`] = new ort.Tensor("float32", normal(n, seed, sample, level), [1, ...shape])
    })
    const { kappa } = await decoder.run({ ...shared, ...drawn })
    return kappa.getData(true)
  }
}

// A graphics driver may compute nonsense: hold the first sample to what torch said.
async function compare(paint, { at, kappa }, spread) {
  const sample = await paint(0, 0)
  const off = at.map((pixel, i) => (sample[pixel] - kappa[i]) / spread)
  const rms = Math.sqrt(off.reduce((sum, one) => sum + one * one, 0) / off.length)
  if (!(rms <= AGREE)) throw new Told("This browser computes other maps than it should.")
}
