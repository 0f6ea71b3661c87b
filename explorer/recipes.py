"""The maps of the page: their names, what each needs, and its line of Python."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from explorer.state import State

#: The maps a page can show, and the library's words for each.
RECIPES = {
    "truth": "field.truth",
    "ks": "mg.KaiserSquires({smoothing}).map(field)",
    "b_mode": "mg.KaiserSquires({smoothing}).b_mode(field)",
    "wiener": "mg.Wiener(mg.spectrum_of(field)).map(field)",
    "sample": "summary.sample(summary.kept - 1)",
    "mean": "summary.mean",
    "std": "summary.std",
    "snr": "summary.snr",
    "low": "interval and interval.low",
    "high": "interval and interval.high",
    "chance": "mg.SmoothedSamples({smoothing}).probability(summary, {threshold})",
    "residual": "summary.residual",
    "fit": "mg.predictive_map(summary.last({fitted}), field, {window}, linear={linear})",
}
#: Those of them that `State.blur` blurs, and the words for them then.
BLURRED = {
    "sample": "soft.sample(summary, summary.kept - 1)",
    "mean": "soft.mean(summary)",
    "std": "soft.std(summary)",
    "snr": "soft.snr(summary)",
    "residual": "soft.residual(summary)",
}
PICTURES = tuple(RECIPES)
TRUTHS = ("truth", "residual")  #: where the truth is known
BOUNDS = ("low", "high")  #: where the interval is calibrated: for samples without a blur
SEEN = ("ks", "b_mode", "wiener")  #: made of the field alone
LINEAR = ("wiener", "score")  #: samplers that take the reduced shear for shear
FITTED = 16  #: samples that the fit to the shear looks at, the last ones
LEAST_WINDOW = 1.0  #: least blur of the fit to the shear [arcmin]: one pixel says nothing


def linear(sampler: str) -> bool:
    """Whether a sampler, by its name here, takes the reduced shear for shear."""
    return sampler.partition(":")[0] in LINEAR


def soft(state: State) -> str:
    """The line of Python that the words for blurred maps need; empty where none is blurred."""
    needed = state.blur and set(BLURRED) & set(state.pictures)
    return f"soft = mg.SmoothedSamples({state.blur})\n" if needed else ""


def recipes(state: State) -> str:
    """A line of Python for each map on the page."""
    words = {**RECIPES, **BLURRED} if state.blur else RECIPES
    hidden = {*state.hidden(), *(BOUNDS if state.blur else ())}
    chosen = {
        "smoothing": state.smoothing,
        "threshold": state.threshold,
        "window": max(state.smoothing, LEAST_WINDOW),
        "linear": linear(state.sampler),
        "fitted": FITTED,
    }
    names = [name for name in PICTURES if name in state.pictures and name not in hidden]
    return "".join(f'    "{name}": {words[name].format(**chosen)},\n' for name in names)
