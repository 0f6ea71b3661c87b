// Pointing at one map marks the place on all of them and says what is there.

import { clusterAt, offsets, radec } from "./sky.js"

/** Let `cards` follow the pointer over any of them; words go into `tip`. */
export function follow(cards, field, tip) {
  const leave = () => {
    for (const card of cards) if (card.cross) card.point(null)
    tip.hidden = true
  }
  for (const { frame } of cards) {
    frame.onpointerleave = leave
    frame.onpointermove = frame.onpointerdown = event => {
      const here = field()
      const box = frame.getBoundingClientRect()
      const column = ((event.clientX - box.left) / box.width) * here.width
      const row = ((event.clientY - box.top) / box.height) * here.height
      if (column < 0 || row < 0 || column >= here.width || row >= here.height) return leave()
      for (const card of cards) card.point({ column, row })
      const lines = words(here, ...offsets(here, column, row))
      tip.replaceChildren(...lines.map(line => Object.assign(document.createElement("p"), { textContent: line })))
      tip.hidden = false
      const left = Math.min(event.clientX + 16, innerWidth - tip.offsetWidth - 8)
      const above = event.clientY + 20 + tip.offsetHeight > innerHeight
      tip.style.left = `${Math.max(8, left)}px`
      tip.style.top = `${above ? event.clientY - tip.offsetHeight - 12 : event.clientY + 16}px`
    }
  }
}

/** What is known of a place: the cluster there, and where on the sky it is. */
export function words(field, x, y) {
  const [ra, dec] = radec(field.plane, x, y)
  const at = `RA ${ra.toFixed(3)}°, Dec ${dec < 0 ? "−" : "+"}${Math.abs(dec).toFixed(3)}°`
  const cluster = clusterAt(field.clusters, x, y)
  if (!cluster) return [at]
  const { name, redshift, mass, found } = cluster
  const facts = [
    redshift === null ? "" : `redshift ${redshift.toFixed(2)}`,
    mass === null ? "" : `${mass.toFixed(1)} × 10¹³ suns`,
  ]
  const lines = [name, facts.filter(Boolean).join(", ")]
  if (found !== null) {
    lines.push(`In ${Math.round(100 * found)}\u202f% of the samples it is among the 5\u202f% of places with most mass.`)
  }
  return [...lines.filter(Boolean), at]
}
