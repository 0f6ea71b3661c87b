"""Colour bars whose ends are dragged: the picture follows at once, the choice when it is let go.

One listener for all bars of a page. A bar says in its HTML which models of Bokeh belong to it
(``texts.color_bar``); the drag recolours them in the browser alone and tells the server where it
ended. While it lasts the bar's axis stands still: each place shows the colour of its own value.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import param
from panel.custom import JSComponent

from explorer.elements.colors import LEVELS
from explorer.elements.scale import FINE, SCRIPT

_LISTEN = (
    f"""
const LEVELS = {LEVELS}, FINE = {FINE}
{SCRIPT}
"""
    + """
const STOPS = 48  // of the gradient of a bar that is dragged
const LEAST = 0.02  // width of the limits, share of what it was
const clip = (value, low, high) => Math.min(high, Math.max(low, value))
const even = (n, low, high) =>
  Array.from({ length: n }, (_, i) => low + (high - low) * i / (n - 1))
const written = value => String(Number(value.toPrecision(3))).replace("-", "−")

export function render({ model, view }) {
  let drag = null, queued = false
  const find = id => view.model.document?.get_model_by_id(id)
  const part = event => event.composedPath().find(node => node.dataset?.part)

  // Colour of each value between the limits of the drag.
  const painter = () => {
    const { kind, source, at: [low, high] } = drag, { stretch, signed } = source.data
    const base = model.palettes[kind], last = base.length - 1
    const along = scale(low, high, stretch[0], signed[0])
    const zero = signed[0] && model.centred
    const [from, to] = zero ? [-1, 1] : [along.bent(low), along.bent(high)]
    return value => {
      const place = (along.bent(clip(value, low, high)) - from) / (to - from)
      return base[Math.round(clip(place, 0, 1) * last)]
    }
  }

  const paint = () => {
    queued = false
    if (drag === null) return
    const { mapper, source, at: [low, high] } = drag
    const { image, stretch, signed, low: [l], high: [h] } = source.data
    if (!image.length) return
    const shade = painter()
    let palette, ends = [low, high]
    if (image[0] instanceof Uint8Array) {  // a live frame: levels along the scale it was made on
      const old = scale(l, h, stretch[0], signed[0])
      palette = even(LEVELS, old.bent(l), old.bent(h)).map(bent => shade(old.value(bent)))
      ends = [1, LEVELS]
    } else {
      palette = even(stretch[0] == "linear" ? LEVELS : FINE, low, high).map(shade)
    }
    if (mapper.palette !== drag.ours) drag.theirs = mapper.palette  // new ones came meanwhile
    drag.ours = palette
    // Only here: the server has colours of its own.
    mapper.setv({ palette, low: ends[0], high: ends[1] }, { sync: false })
    dress(shade)
  }

  // The bar itself; the server may have put another in its place.
  const dress = shade => {
    const bar = drag.root.querySelector(".bar"), { at, from: [first, last] } = drag
    if (bar === null) return
    const stops = even(STOPS, first, last).map(shade)
    Object.assign(bar.dataset, { low: at[0], high: at[1] })
    bar.querySelector("i").style.background = `linear-gradient(to right, ${stops.join(", ")})`
    const labels = bar.querySelectorAll("span")
    const inside = at.map(value => clip((value - first) / (last - first), 0, 1))
    const shift = [clip(inside[0], 0, 0.4), -clip(1 - inside[1], 0, 0.4)]
    for (const [i, label] of [labels[0], labels[labels.length - 1]].entries()) {
      label.textContent = written(at[i])
      label.style.transform = `translateX(${shift[i] * drag.width}px)`
    }
    bar.querySelectorAll("b.end").forEach((end, i) => {
      end.style.transform = `translateX(${(inside[i] - i) * drag.width}px)`
    })
  }

  const soon = () => {
    if (queued) return
    queued = true
    requestAnimationFrame(paint)
  }

  const down = event => {
    const zone = part(event)
    if (!zone || event.button || drag?.pointer !== undefined) return
    const bar = zone.closest(".bar"), { map, kind, low, high } = bar.dataset
    const source = find(bar.dataset.source), mapper = find(bar.dataset.mapper)
    if (!source || !mapper) return  // of another page in the same notebook
    event.preventDefault()
    settle()
    const from = [Number(low), Number(high)]
    const width = bar.querySelector("i").getBoundingClientRect().width
    drag = { map, kind, source, mapper, width, from, at: from, frames: 0,
             part: zone.dataset.part, x: event.clientX, pointer: event.pointerId,
             root: bar.getRootNode(), theirs: mapper.palette, ours: mapper.palette }
    source.properties.data.change.connect(renew)
    zone.setPointerCapture(event.pointerId)
  }

  const move = event => {
    if (drag?.pointer !== event.pointerId) return
    const [low, high] = drag.from, width = high - low
    const by = (event.clientX - drag.x) / drag.width * width
    const step = 10 ** (Math.floor(Math.log10(width)) - 2)  // a hundredth, or so, of the width
    const round = value => Number((Math.round(value / step) * step).toPrecision(12))
    drag.at = {
      low: () => [round(Math.min(low + by, high - LEAST * width)), high],
      high: () => [low, round(Math.max(high + by, low + LEAST * width))],
      both: () => [round(low + by), round(high + by)],
    }[drag.part]()
    drag.moved ||= Math.abs(event.clientX - drag.x) > 2
    if (drag.moved) soon()
  }

  const up = event => {
    if (drag?.pointer !== event.pointerId) return
    drag.pointer = undefined
    const { map, from, at: [low, high] } = drag
    if (!drag.moved || (low === from[0] && high === from[1])) return cancel()
    drag.from = drag.at
    paint()
    model.send_msg({ map, low, high })
  }

  // What the server sent is there: its colours are right again. A running sampler may send
  // frames of the old limits first.
  const renew = () => {
    const { low, high } = drag.source.data
    const ours = low[0] === drag.at[0] && high[0] === drag.at[1]
    if (drag.pointer === undefined && (ours || ++drag.frames > 3)) requestAnimationFrame(settle)
    else if (drag.moved) soon()
  }

  const settle = () => {
    if (drag === null) return
    const { mapper, source, ours, theirs } = drag, { image, low, high } = source.data
    source.properties.data.change.disconnect(renew)
    const ends = image[0] instanceof Uint8Array ? [1, LEVELS] : [low[0], high[0]]
    const palette = mapper.palette === ours ? theirs : mapper.palette
    drag = null
    if (image.length) mapper.setv({ palette, low: ends[0], high: ends[1] }, { sync: false })
  }

  const cancel = () => {
    if (drag.moved) {
      drag.at = drag.from
      paint()
    }
    settle()
  }

  const key = event => {
    if (event.key !== "Escape" || drag?.pointer === undefined) return
    event.stopImmediatePropagation()
    drag.pointer = undefined
    cancel()
  }

  const twice = event => {
    const bar = part(event)?.closest(".bar")
    if (bar && find(bar.dataset.source)) model.send_msg({ map: bar.dataset.map })
  }

  const heard = { pointerdown: down, pointermove: move, pointerup: up, pointercancel: up,
                  dblclick: twice, keydown: key }
  const all = Object.entries(heard)
  for (const [name, listen] of all) document.addEventListener(name, listen, true)
  model.on("remove", () => {
    for (const [name, listen] of all) document.removeEventListener(name, listen, true)
  })
}
"""
)


class ColorBars(JSComponent):
    """Listens to all bars of a page; shows nothing.

    Args:
        moved: Called with a map's name and where its limits were let go.
        reset: Called with the name of a map whose bar was clicked twice.
        params: See below.
    """

    palettes = param.Dict(default={}, doc="Colours of the maps with and without a sign, by kind.")
    centred = param.Boolean(default=True, doc="Whether 0 has the middle of the signed colours.")

    _esm = _LISTEN

    def __init__(
        self,
        moved: Callable[[str, float, float], None],
        reset: Callable[[str], None],
        **params: Any,
    ) -> None:
        super().__init__(visible=False, **params)
        self._moved, self._reset = moved, reset

    def _handle_msg(self, data: Any) -> None:
        # What comes from a browser may be anything.
        data = data if isinstance(data, dict) else {}
        name, ends = data.get("map"), [data.get(key) for key in ("low", "high")]
        if not isinstance(name, str):
            return
        if ends == [None, None]:
            self._reset(name)
        elif all(isinstance(end, int | float) for end in ends):
            self._moved(name, *ends)
