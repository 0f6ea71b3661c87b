"""Peaks of mass maps: found, matched, weighed."""

from massgan_core.peaks.aperture import aperture_mass, aperture_mean
from massgan_core.peaks.detect import Peaks, find_peaks, local_maxima
from massgan_core.peaks.match import Match, chance, completeness, match, match_peaks, purity

__all__ = [
    "Match",
    "Peaks",
    "aperture_mass",
    "aperture_mean",
    "chance",
    "completeness",
    "find_peaks",
    "local_maxima",
    "match",
    "match_peaks",
    "purity",
]
