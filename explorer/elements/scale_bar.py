"""A bar of a round length, for the part of the sky in view."""

from __future__ import annotations

from explorer.elements.contours import nice

SHARE = 0.3  #: of the width in view that a bar is at most

View = tuple[float, float, float, float]  #: left, bottom, right, top [arcmin]


def scale_bar(view: View) -> tuple[dict[str, list], dict[str, list]]:
    """The bar near the lower right corner of `view`, and its label.

    Returns:
        Columns of a line and of a text on the plane [arcmin].
    """
    left, bottom, right, top = view
    length = nice(SHARE * (right - left))
    end, y = right - 0.05 * (right - left), bottom + 0.05 * (top - bottom)
    words = f"{length * 60:g}″" if length < 1 else f"{length:g}′"
    if length >= 60:
        words = f"{length / 60:.3g}°"
    label = {
        "x": [end - length / 2],
        "y": [y + 0.015 * (top - bottom)],
        "text": [words],
        "align": ["center"],
        "baseline": ["bottom"],
    }
    return {"xs": [[end - length, end]], "ys": [[y, y]]}, label
