// Flips through samples below their map: earlier, later, play.

import { element } from "./card.js"

const STEP = 500 // between two samples [ms]

export class Player {
  /** `shown(index)` is called when another sample is to be seen. */
  constructor(shown) {
    this.shown = shown
    this.count = 0
    const button = (text, label, act) => {
      const node = element("button", { type: "button", "aria-label": label, title: label }, text)
      node.onclick = act
      return node
    }
    this.slider = element("input", { type: "range", min: 0, max: 0, value: 0, "aria-label": "Sample" })
    this.slider.oninput = () => this.go(Number(this.slider.value))
    this.play = button("▶", "Play", () => this.toggle())
    this.node = element(
      "div",
      { class: "player" },
      button("‹", "Earlier sample", () => this.move(-1)),
      this.play,
      button("›", "Later sample", () => this.move(1)),
      this.slider,
    )
  }

  /** There are `count` samples now; show number `index`. */
  offer(count, index) {
    this.count = count
    this.slider.max = Math.max(0, count - 1)
    this.slider.value = index
    for (const part of this.node.children) part.disabled = count < 2
  }

  move(by) {
    this.go((Number(this.slider.value) + by + this.count) % this.count)
  }

  go(index) {
    if (!this.count) return
    this.slider.value = index
    this.shown(index)
  }

  toggle() {
    this.timer ? this.pause() : this.begin()
  }

  begin() {
    this.timer = setInterval(() => this.move(1), STEP)
    this.play.textContent = "❚❚"
    this.play.setAttribute("aria-label", "Pause")
  }

  pause() {
    clearInterval(this.timer)
    this.timer = null
    this.play.textContent = "▶"
    this.play.setAttribute("aria-label", "Play")
  }
}
