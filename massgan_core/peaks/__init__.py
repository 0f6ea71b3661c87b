"""Peaks of mass maps: found, matched, weighed."""

from massgan_core.peaks.aperture import aperture_mass, aperture_mean
from massgan_core.peaks.detect import Peaks, find_peaks
from massgan_core.peaks.inspect import Inspection, inspect_place, inspect_places
from massgan_core.peaks.match import Match, chance, match, match_peaks, nearest
from massgan_core.peaks.profile import Profile, profile, separation
from massgan_core.peaks.regions import (
    Measured,
    Sampled,
    circle_mask,
    measure_region,
)

__all__ = [
    "Inspection",
    "Match",
    "Measured",
    "Peaks",
    "Profile",
    "Sampled",
    "aperture_mass",
    "aperture_mean",
    "chance",
    "circle_mask",
    "find_peaks",
    "inspect_place",
    "inspect_places",
    "match",
    "match_peaks",
    "measure_region",
    "nearest",
    "profile",
    "separation",
]
