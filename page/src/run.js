// The one thing that draws: can start, go on and stop. It tells its listener of each change.

import { backend, fetchKit } from "./kit.js"

const KEPT = 64 // of the latest samples, for the player

export class Run {
  /** `changed(run)` is called whenever something is new. */
  constructor(about, changed) {
    this.about = about
    this.changed = changed
    this.kind = "" // of the runtime, once it is known
    this.clear()
  }

  /** Forget all that was drawn. */
  clear() {
    this.stop()
    Object.assign(this, { state: "idle", n: 0, total: 0, samples: [], first: 0, mean: null, std: null })
    Object.assign(this, { moments: null, said: "", seconds: 0, backend: "", error: "" })
  }

  get active() {
    return this.state === "loading" || this.state === "running"
  }

  /** Draw maps of `field` until there are `total`; goes on from those that are there. */
  async start(field, total, seed) {
    this.stop()
    const turn = (this.turn = new AbortController())
    Object.assign(this, { state: "loading", total, error: "", said: "" })
    this.changed(this)
    try {
      this.kind ||= await backend()
      await this.begin(field, seed, turn)
    } catch (error) {
      if (this.turn === turn) this.fail(error.message)
    }
  }

  async begin(field, seed, turn) {
    const say = (come, all) => {
      this.said = `Fetching the network: ${mega(come)} of ${mega(all)} MB`
      if (this.turn === turn) this.changed(this)
    }
    const kit = await fetchKit(this.about, field.name, this.kind, turn.signal, say)
    if (this.turn !== turn) return
    this.said = "Reading the galaxies …"
    this.changed(this)
    this.worker = new Worker("worker.js", { type: "module" })
    const failed = sentence => this.retry(field, seed, turn, sentence)
    this.worker.onerror = () => failed("This browser could not start what draws the samples.")
    this.worker.onmessage = ({ data }) => (data.kind === "failed" ? failed(data.sentence) : this.take(data))
    const { latents } = this.about
    const spread = median(field)
    const from = this.moments
    this.worker.postMessage({ kit, latents, check: field.check, spread, seed, total: this.total, from })
  }

  /** Without the graphics card, where it was tried. */
  retry(field, seed, turn, sentence) {
    if (this.kind === "wasm") return this.fail(sentence)
    this.end()
    this.kind = "wasm"
    this.begin(field, seed, turn).catch(error => this.turn === turn && this.fail(error.message))
  }

  take(data) {
    if (data.kind === "ready") {
      this.state = "running"
      this.backend = data.backend
    } else if (data.kind === "sample") {
      const { n, seconds, sample, mean, std, moments } = data
      this.samples.push(sample)
      if (this.samples.length > KEPT) this.samples.shift()
      Object.assign(this, { n, seconds, mean, std, moments, first: n - this.samples.length })
    } else {
      this.state = "finished"
      this.end()
    }
    this.changed(this)
  }

  /** Stop at once, in the middle of a map; what was drawn stays. */
  stop() {
    this.turn?.abort()
    this.turn = null
    this.end()
    if (this.active) {
      this.state = this.n ? "stopped" : "idle"
      this.changed(this)
    }
  }

  fail(sentence) {
    this.end()
    this.state = "failed"
    this.error = sentence
    this.changed(this)
  }

  end() {
    this.worker?.terminate()
    this.worker = null
  }
}

function mega(bytes) {
  return (bytes / 1e6).toFixed(0)
}

// A typical deviation: what counts as close.
function median({ maps, area }) {
  const known = maps.std.filter((_, i) => area[i]).sort()
  return known[known.length >> 1]
}
