"""Peaks of mass maps: found, matched, weighed."""

from massgan_core.peaks.aperture import aperture_mass, aperture_mean
from massgan_core.peaks.detect import Peaks, find_peaks
from massgan_core.peaks.match import Match, chance, match, match_peaks

__all__ = [
    "Match",
    "Peaks",
    "aperture_mass",
    "aperture_mean",
    "chance",
    "find_peaks",
    "match",
    "match_peaks",
]
