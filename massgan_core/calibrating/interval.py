"""The interval that samples and their checkpoint's calibration give, or why they give none."""

from __future__ import annotations

from massgan_core.calibrating.kept import NAMES, sources
from massgan_core.evaluate.calibration import Calibration, calibrated_interval
from massgan_core.export import Interval
from massgan_core.posterior import Summary


def guaranteed(
    summary: Summary, calibration: Calibration, level: float, outside: list[str]
) -> tuple[Interval | None, list[str]]:
    """The calibrated interval at `level`, or why there is none.

    Args:
        summary: Of the samples drawn.
        calibration: Of the checkpoint that drew them.
        level: Probability inside.
        outside: Why the field lies outside the checkpoint's domain.

    Returns:
        The interval and no reasons, or `None` and at least one.
    """
    if calibration.has(level):
        reasons = [*outside, *calibration.covers(summary.field, summary.n, level)]
    else:
        known = ", ".join(f"{known:g}" for known in calibration.levels)
        reasons = [*outside, f"level {level:g} is none of those calibrated, {known}"]
    if reasons:
        return None, reasons
    part = NAMES["survey" if calibration.on_survey(summary.field) else "table"]
    behind = sources(calibration)[part]
    facts = {
        "interval_method": calibration.method,
        "calibration_maps": behind["maps"],
        "calibration_boxes": behind["boxes"],
        "calibration_samples": calibration.samples,
    }
    low, high = calibrated_interval(summary, calibration, level)
    return Interval(low, high, calibration.promise(level), facts), []
