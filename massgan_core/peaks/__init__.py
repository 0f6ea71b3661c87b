"""Peaks of mass maps: found, matched, weighed."""

from massgan_core.peaks.aperture import aperture_mass, aperture_mean
from massgan_core.peaks.detect import Peaks, find_peaks
from massgan_core.peaks.inspect import Inspection, inspect_place, inspect_places
from massgan_core.peaks.match import Match, chance, match, match_peaks
from massgan_core.peaks.probability import nearest, peak_probability

__all__ = [
    "Inspection",
    "Match",
    "Peaks",
    "aperture_mass",
    "aperture_mean",
    "chance",
    "find_peaks",
    "inspect_place",
    "inspect_places",
    "match",
    "match_peaks",
    "nearest",
    "peak_probability",
]
