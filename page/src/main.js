// The page: choices, maps, what is drawn here and what was drawn beforehand.

import { Card } from "./card.js"
import { load } from "./field.js"
import { obstacle } from "./kit.js"
import { Player } from "./player.js"
import { Run } from "./run.js"
import { follow } from "./pointer.js"
import { progress } from "./progress.js"

const { about } = globalThis.massgan
const SEED = 1 // of the samples drawn here; Start again takes the next
const get = id => document.getElementById(id)
const page = { field: null, theme: "light", source: "before", seed: SEED, index: 0, follows: true }

const cards = Object.fromEntries(Object.keys(about.titles).map(name => [name, new Card(name, about)]))
const player = new Player(index => {
  page.index = index
  page.follows = page.source === "here" && index === run.samples.length - 1
  showSample()
})
const run = new Run(about, update)
Object.assign(globalThis.massgan, { run, cards }) // for tests and the curious

function showAll() {
  const { field } = page
  const here = page.source === "here"
  page.drawn = run.n
  const { mean, std } = here ? run : field.maps
  const n = here ? run.n : field.n
  const of = `of ${n} sample${n === 1 ? "" : "s"}`
  const enough = n > 1
  cards.truth.show(field.maps.truth ?? null)
  cards.ks.show(field.maps.ks)
  cards.mean.show(mean, mean ? of : "")
  cards.std.show(enough ? std : null, enough ? of : "")
  cards.snr.show(enough ? mean.map((value, i) => value / std[i]) : null, enough ? of : "")
  const samples = here ? run.samples : field.samples
  if (here && page.follows) page.index = Math.max(0, samples.length - 1)
  player.offer(samples.length, page.index)
  showSample()
}

function showSample() {
  const here = page.source === "here"
  const samples = here ? run.samples : page.field.samples
  const number = page.index + 1 + (here ? run.first : 0)
  const of = here ? run.n : page.field.shown
  cards.sample.show(samples[page.index] ?? null, samples.length ? `${number} of ${of}` : "")
}

function update() {
  if (!page.field) return
  progress(get("massgan-status"), run, page.field.n)
  get("alert").hidden = !run.error
  get("alert").textContent = run.error
  const half = run.n > 0 && run.n < total()
  get("start").textContent = run.active ? "Stop" : half ? "Go on" : run.n ? "Start again" : "Start"
  get("again").hidden = run.active || !half
  const [before, here] = get("source").children
  before.textContent = `Drawn beforehand (${page.field.n})`
  here.textContent = run.n ? `Drawn here (${run.n})` : "Drawn here"
  here.disabled = !run.n
  get("total").disabled = run.active
  // What was shown stays until there is something new; Stop waits for no picture.
  if (page.pending && run.n) show("here")
  else if (page.source === "here" && run.n && run.n !== page.drawn) showAll()
}

function total() {
  return Number(get("total").value)
}

function show(source) {
  Object.assign(page, { source, index: 0, follows: true, pending: false })
  for (const button of get("source").children) {
    button.setAttribute("aria-pressed", button.dataset.source === source)
  }
  showAll()
}

function start() {
  if (run.active) return run.stop()
  if (get("start").disabled || !page.field) return
  if (run.n >= total()) return again()
  player.pause()
  page.pending = true
  run.start(page.field, total(), page.seed)
}

function again() {
  page.seed += 1
  run.clear()
  start()
}

async function choose(name) {
  run.clear()
  player.pause()
  for (const button of get("choices").children) {
    button.setAttribute("aria-pressed", button.dataset.field === name)
  }
  try {
    const field = await load(name)
    if (page.wanted !== name) return
    page.field = field
  } catch (error) {
    run.fail(error.message)
    get("alert").hidden = false
    return (get("alert").textContent = error.message)
  }
  const { field } = page
  page.seed = SEED
  get("words").textContent = field.words
  for (const card of Object.values(cards)) card.frameField(field)
  cards.truth.node.hidden = !field.maps.truth
  get("maps").dataset.truth = Boolean(field.maps.truth)
  show("before")
  update()
  document.body.dataset.field = name
}

function paint(theme) {
  page.theme = theme
  document.documentElement.dataset.theme = theme
  for (const [name, value] of Object.entries(about.tokens[theme])) {
    document.documentElement.style.setProperty(`--mg-${name}`, value)
  }
  const ink = about.ink[theme]
  for (const name of ["ink", "empty"]) document.documentElement.style.setProperty(`--map-${name}`, ink[name])
  get("theme").textContent = theme === "dark" ? "Light" : "Dark"
  for (const card of Object.values(cards)) card.color(theme, about)
}

// The choices live in the address, so that a link keeps them.
function remember() {
  history.replaceState(null, "", `#field=${page.wanted}&theme=${page.theme}`)
}

function want(name) {
  page.wanted = name
  choose(name)
}

function begin() {
  const asked = new URLSearchParams(location.hash.slice(1))
  const dark = matchMedia("(prefers-color-scheme: dark)").matches
  for (const [name, title] of Object.entries(about.choices)) {
    const button = document.createElement("button")
    Object.assign(button, { type: "button", textContent: title })
    button.dataset.field = name
    button.onclick = () => {
      want(name)
      remember()
    }
    get("choices").append(button)
  }
  const order = ["ks", "truth", "sample", "mean", "std", "snr"]
  get("maps").prepend(...order.map(name => cards[name].node))
  cards.sample.node.append(player.node)
  follow(Object.values(cards), () => page.field, get("tip"))
  get("told").textContent = `The network was trained on ${about.trained}.`
  get("start").onclick = start
  get("again").onclick = again
  get("total").onchange = update
  for (const button of get("source").children) button.onclick = () => show(button.dataset.source)
  get("theme").onclick = () => {
    paint(page.theme === "dark" ? "light" : "dark")
    remember()
  }
  document.onkeydown = event => {
    if (event.target.closest("button, input, select") || event.ctrlKey || event.metaKey) return
    const act = { " ": start, n: () => player.move(1), p: () => player.move(-1) }[event.key]
    if (act) event.preventDefault()
    act?.()
  }
  const why = obstacle()
  get("start").disabled = Boolean(why)
  get("served").hidden = !why
  get("served").textContent = why
  paint(asked.get("theme") ?? (dark ? "dark" : "light"))
  want(asked.get("field") in about.choices ? asked.get("field") : Object.keys(about.choices)[0])
}

begin()
