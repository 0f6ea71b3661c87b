"""Calibration put together: maps of known truth → margins beside a checkpoint."""

from massgan_core.calibrating.fields import unused
from massgan_core.calibrating.interval import guaranteed
from massgan_core.calibrating.run import FIELDS, LEVELS, Outcome, calibrate, calibration_of

__all__ = ["FIELDS", "LEVELS", "Outcome", "calibrate", "calibration_of", "guaranteed", "unused"]
