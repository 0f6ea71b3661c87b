// One map: title, picture, what lies over it, colour bar.

import { gradient, number, paint } from "./colors.js"
import { place } from "./sky.js"

const SVG = "http://www.w3.org/2000/svg"

export class Card {
  /** A map called `name` on the page; `told` has its words. */
  constructor(name, told) {
    this.name = name
    this.kind = name === "std" ? "spread" : "kappa"
    this.limited = { std: "std", snr: "snr" }[name] ?? "kappa"
    const [title, sentence] = told.titles[name]
    this.note = told.empty[name] ?? ""
    this.node = element("article", { class: "card map", "data-map": name })
    const small = element("small")
    const head = element("div", { class: "title" }, element("h2", {}, title), small)
    const large = element("button", { type: "button", class: "enlarge", "aria-label": `Enlarge: ${title}`, title: "Larger or smaller" }, "⤢")
    large.onclick = () => this.node.classList.toggle("large")
    this.canvas = element("canvas", { role: "img", "aria-label": title })
    this.over = document.createElementNS(SVG, "svg")
    this.empty = element("p", { class: "note" }, this.note)
    this.frame = element("div", { class: "frame" }, this.canvas, this.over, this.empty, large)
    this.bar = element("i")
    this.ends = element("div", {}, element("span"), element("span", {}, told.units[name]), element("span"))
    this.small = small
    this.below = element("div", { class: "bar" }, this.bar, this.ends)
    this.node.append(head, element("p", { class: "caption" }, sentence), this.frame, this.below)
    this.map = null
  }

  /** Frame another field. */
  frameField(field) {
    this.field = field
    this.canvas.width = field.width
    this.canvas.height = field.height
    this.over.setAttribute("viewBox", `0 0 ${field.width} ${field.height}`)
    this.over.replaceChildren(...field.clusters.map(c => ring(field, c)), ...furniture(field))
    this.cross = shape("circle", { class: "cross", r: 5, visibility: "hidden" })
    this.over.append(this.cross)
    this.show(null)
  }

  /** Show a map [row 0 at the South] in the colours of a theme; null for none. */
  show(map, small = "") {
    this.map = map
    this.words = small
    this.small.textContent = small
    this.empty.hidden = map !== null
    this.over.classList.toggle("bare", map === null)
    this.node.dataset.shown = map !== null
    this.draw()
  }

  /** Take the colours of the page. */
  color(theme, { palettes, ink }) {
    this.colors = palettes[this.kind][theme]
    this.plain = ink[theme].empty
    this.bar.style.background = gradient(this.colors)
    this.draw()
  }

  draw() {
    if (!this.field || !this.colors) return
    const { width, height, limits } = this.field
    const [low, high] = limits[this.limited]
    const digits = this.name === "snr" ? 1 : this.name === "std" ? 3 : 2
    this.ends.firstChild.textContent = number(low, digits)
    this.ends.lastChild.textContent = number(high, digits)
    const pen = this.canvas.getContext("2d")
    if (this.map === null) return pen.clearRect(0, 0, width, height)
    const picture = paint(this.map, this.field, [low, high], this.colors, this.plain)
    pen.putImageData(new ImageData(picture, width, height), 0, 0)
  }

  /** Mark the place under the pointer, and say the value there; nothing for null. */
  point(at) {
    this.cross.setAttribute("visibility", at ? "visible" : "hidden")
    if (!at || this.map === null) return (this.small.textContent = this.words)
    this.cross.setAttribute("cx", at.column)
    this.cross.setAttribute("cy", at.row)
    const row = this.field.height - 1 - Math.floor(at.row)
    const value = this.map[row * this.field.width + Math.floor(at.column)]
    const seen = this.field.area[row * this.field.width + Math.floor(at.column)]
    const said = number(value, this.name === "snr" ? 1 : 3)
    this.small.textContent = seen && !Number.isNaN(value) ? said : "not observed"
  }
}

/** An HTML element with attributes and children. */
export function element(tag, attributes = {}, ...children) {
  const node = document.createElement(tag)
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value)
  node.append(...children)
  return node
}

function shape(tag, attributes, text = "") {
  const node = document.createElementNS(SVG, tag)
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value)
  node.textContent = text
  return node
}

function ring(field, { x, y, radius }) {
  const [cx, cy] = place(field, x, y)
  return shape("circle", { class: "cluster", cx, cy, r: radius / field.scale })
}

// Compass and scale bar.
function furniture(field) {
  const { width, height } = field
  const end = 0.95 * width, length = field.bar / field.scale, y = 0.95 * height
  return [
    shape("path", { class: "ink", d: `M${end - length} ${y}H${end}` }),
    shape("text", { x: end - length / 2, y: y - 5, "text-anchor": "middle" }, `${field.bar}′`),
    shape("path", { class: "ink", d: `M26 ${height - 12}v-16m-4 5l4 -5l4 5M26 ${height - 12}h-16m5 -4l-5 4l5 4` }),
    shape("text", { x: 26, y: height - 32, "text-anchor": "middle" }, "N"),
    shape("text", { x: 10, y: height - 20, "text-anchor": "middle" }, "E"),
  ]
}
