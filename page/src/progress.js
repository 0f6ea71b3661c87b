// The progress line; its data attributes tell tests and scripts where the page stands.

/** Say where `run` stands; before the first, that `n` were drawn beforehand. */
export function progress(node, run, n) {
  const { state, total } = run
  const of = `${run.n} of ${total} samples`
  const speed = run.seconds ? `${run.seconds.toFixed(2)} s a sample${where(run.backend)}` : ""
  const [left, right] = {
    idle: [`Ready: ${n} samples were drawn beforehand`, "Start draws new ones, here"],
    loading: [run.said || "Getting ready …", ""],
    running: [run.n ? `Drawing: ${of}` : "Drawing the first sample …", speed],
    stopped: [`Stopped at ${of}`, speed],
    finished: [`Finished: ${run.n} samples`, speed],
    failed: [run.n ? `Failed at ${of}` : "It did not work", ""],
  }[state]
  Object.assign(node.dataset, { state, n: run.n, total, seconds: run.seconds.toFixed(3), backend: run.backend })
  node.setAttribute("aria-valuenow", run.n)
  node.setAttribute("aria-valuemax", total || 64)
  node.querySelector("strong").textContent = left
  node.querySelector(".quiet").textContent = right
  node.querySelector("i").style.width = `${total ? (100 * run.n) / total : 0}%`
}

function where(backend) {
  return { webgpu: ", on the graphics card", wasm: ", on the processor" }[backend] ?? ""
}
