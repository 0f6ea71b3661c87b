"""The maps of the page: their names, what each needs, and its line of Python."""

from __future__ import annotations

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
PICTURES = tuple(RECIPES)
TRUTHS = ("truth", "residual")  #: where the truth is known
BOUNDS = ("low", "high")  #: where the interval is calibrated
SEEN = ("ks", "b_mode", "wiener")  #: made of the field alone
LINEAR = ("wiener", "score")  #: samplers that take the reduced shear for shear
FITTED = 16  #: samples that the fit to the shear looks at, the last ones
LEAST_WINDOW = 1.0  #: least blur of the fit to the shear [arcmin]: one pixel says nothing


def linear(sampler: str) -> bool:
    """Whether a sampler, by its name here, takes the reduced shear for shear."""
    return sampler.partition(":")[0] in LINEAR
