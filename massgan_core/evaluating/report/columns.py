"""What the tables of a report show: one list, which CSV, LaTeX and HTML share.

CSV has all columns of :data:`COLUMNS` in this order, each followed by ``KEY_error`` where it has
an error; people's tables leave out those that no method has.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Any

Table = Mapping[str, Any]
Pair = tuple[float | None, float | None]
#: How far a value is from the best there could be.
Loss = Callable[[float, Table], float]


@dataclass(frozen=True)
class Column:
    """One figure of every method.

    Args:
        key: In CSV.
        group: Heading above several.
        head: For people.
        tex: The same in LaTeX.
        good: What a good value is, in a word or two; "" where there is no such thing.
        of: Value and std error in a method's table; `None` where it was not measured.
        error: It has an error.
        loss: Least for the best method; `None` where none is best.
    """

    key: str
    group: str
    head: str
    tex: str
    good: str
    of: Callable[[Table], Pair]
    error: bool = True
    loss: Loss | None = None


@dataclass(frozen=True)
class Row:
    """One method on one set of fields."""

    set: str
    method: str
    table: Table


def rows(found: Mapping[str, Any]) -> Iterator[Row]:
    """Of all sets, in the order of the report."""
    for name, part in found["sets"].items():
        for method, table in part["methods"].items():
            yield Row(name, method, table)


def best(column: Column, tables: Mapping[str, Table]) -> set[str]:
    """Names of the methods with the best value; {} where fewer than two have any."""
    if column.loss is None:
        return set()
    values = {name: column.of(table)[0] for name, table in tables.items()}
    losses = {n: column.loss(v, tables[n]) for n, v in values.items() if v is not None}
    losses = {n: loss for n, loss in losses.items() if isfinite(loss)}
    if len(losses) < 2:
        return set()
    return {n for n, loss in losses.items() if loss == min(losses.values())}


def shown(tables: Mapping[str, Table]) -> list[Column]:
    """Columns of which some method has a value."""
    return [c for c in COLUMNS if any(c.of(t)[0] is not None for t in tables.values())]


# Where figures are


def _named(name: str) -> Callable[[Table], Pair]:
    return lambda table: (table.get(name), table.get(f"{name}_error"))


def _over_wiener(name: str) -> Callable[[Table], Pair]:
    return lambda table: tuple((table.get("over_wiener") or {}).get(name) or (None, None))


def _at(name: str, axis: str, place: float) -> Callable[[Table], Pair]:
    """The entry of a list where the list `axis` has the value `place`."""

    def of(table: Table) -> Pair:
        places = table.get(axis) or []
        for index, here in enumerate(places):
            if here is not None and abs(here - place) < 1e-6:
                return tuple(_entry(table.get(n), index) for n in (name, f"{name}_error"))
        return None, None

    return of


def _entry(values: Any, index: int) -> float | None:
    return values[index] if values and index < len(values) else None


def _worst_rank(table: Table) -> Pair:
    """The bin of ranks that is furthest from 1."""
    errors = table.get("ranks_error")
    pairs = [(v, _entry(errors, k)) for k, v in enumerate(table.get("ranks") or [])]
    pairs = [pair for pair in pairs if pair[0] is not None]
    return max(pairs, key=lambda pair: abs(pair[0] - 1), default=(None, None))


def _ideal(table: Table) -> Pair:
    """Gain of as many exact samples."""
    return _entry((table.get("growth") or {}).get("ideal"), -1), None


def _tarp(kind: str) -> Callable[[Table], Pair]:
    return lambda table: ((table.get("tarp") or {}).get(kind), None)


def _faults(table: Table) -> Pair:
    return len(table.get("faults") or []), None


# What is best


def _high(value: float, _: Table) -> float:
    return -value


def _low(value: float, _: Table) -> float:
    return value


def _near(goal: float) -> Loss:
    return lambda value, _: abs(value - goal)


def _near_ideal(value: float, table: Table) -> float:
    goal = _ideal(table)[0]
    return abs(value - goal) if goal is not None else float("inf")


def _plain(key: str, group: str, head: str, tex: str, loss: Loss | None = None, good: str = ""):
    """A column of the figure `key`, which has no error."""
    return Column(key, group, head, tex, good, _named(key), False, loss)


_W = r"_\mathrm{Wiener}"
_S = "\u202f"  # thin space that does not break
_MAP, _SPREAD, _COVER, _JOINT, _LIKE, _PEAKS, _COST = (
    *("Map against truth", "Spread over skill", "Coverage and ranks", "Samples together"),
    *("Samples one by one", "Peaks", "Measured on, and cost"),
)

#: All columns, in the order of the tables.
COLUMNS: tuple[Column, ...] = (
    Column("r", _MAP, "Pearson r", "$r$", "high", _named("r"), True, _high),
    Column(
        *("r_over_wiener", _MAP, "r over Wiener", f"$r/r{_W}$", "above 1"),
        *(_over_wiener("r"), True, _high),
    ),
    Column("rmse", _MAP, "RMSE", "RMSE", "low", _named("rmse"), True, _low),
    Column(
        *("rmse_over_wiener", _MAP, "RMSE over Wiener", f"RMSE$/$RMSE${_W}$", "below 1"),
        *(_over_wiener("rmse"), True, _low),
    ),
    Column("psnr", _MAP, "PSNR, MAX = 1 [dB]", "PSNR [dB]", "high", _named("psnr"), True, _high),
    Column("ssim", _MAP, "SSIM", "SSIM", "high", _named("ssim"), True, _high),
    *(
        Column(key, _SPREAD, head, tex, "ideal 1", _named(key), True, _near(1))
        for key, head, tex in (
            ("spread_skill", "per pixel", "pixel"),
            ("spread_skill_2arcmin", "after 2′ smoothing", "$2'$"),
            ("spread_skill_4arcmin", "after 4′ smoothing", "$4'$"),
            ("spread_skill_top", f"at the top 1{_S}% of the map", r"top 1\,\%"),
        )
    ),
    *(
        Column(
            *(f"coverage_{p}", _COVER, f"coverage of {p}{_S}% intervals", rf"{p}\,\%"),
            *(
                f"ideal {p / 100:g}",
                _at("coverage", "coverage_levels", p / 100),
                True,
                _near(p / 100),
            ),
        )
        for p in (70, 95)
    ),
    *(
        Column(
            *(f"calibrated_{p}", _COVER, f"coverage of calibrated {p}{_S}% intervals"),
            *(rf"calibrated {p}\,\%", f"ideal {p / 100:g}"),
            *(_at("calibrated", "calibrated_levels", p / 100), True, _near(p / 100)),
        )
        for p in (68, 95)
    ),
    Column(
        *("worst_rank", _COVER, "rank bin furthest from 1", "worst rank bin", "ideal 1"),
        *(_worst_rank, True, _near(1)),
    ),
    Column(
        *("gain", _JOINT, "gain by averaging [dB]", "gain [dB]", "as the next"),
        *(_named("gain"), True, _near_ideal),
    ),
    Column("gain_ideal", _JOINT, "ideal gain [dB]", "ideal [dB]", "", _ideal, False),
    *(
        Column(
            *(f"tarp_{kind}", _JOINT, f"TARP p, {kind}", f"$p$ {kind}", "above 0.005"),
            *(_tarp(kind), False),
        )
        for kind in ("blocks", "patches", "peaks")
    ),
    *(
        Column(key, _LIKE, head, tex, "ideal 1", _named(key), True, _near(1))
        for key, head, tex in (
            ("std_over_truth", "std over the truth's", "std"),
            ("skewness_over_truth", "skewness over the truth's", "skewness"),
            ("chi_square", "χ² of the shear over the truth's", r"$\chi^2$"),
        )
    ),
    Column(
        *("chi_square_of_map", _LIKE, "χ² of the shear of the map", r"$\chi^2$ of map", ""),
        _named("chi_square_of_map"),
    ),
    *(
        Column(
            *(f"{key}_snr3", _PEAKS, f"{key} at S/N ≥ 3", key, "high"),
            *(_at(key, "least_snr", 3.0), True, _high),
        )
        for key in ("completeness", "purity")
    ),
    Column(
        *("peak_bias", _PEAKS, f"κ bias at the top 1{_S}%", r"bias at top 1\,\%", "ideal 0"),
        *(_named("peak_bias_unselected"), True, _near(0)),
    ),
    _plain("fields", _COST, "fields", "fields"),
    _plain("boxes", _COST, "boxes", "boxes"),
    _plain("samples", _COST, "samples of a field", "samples"),
    _plain("seconds_of_map", _COST, "seconds for the map", "map [s]", _low, "low"),
    _plain("seconds_of_sample", _COST, "seconds for a sample", "sample [s]", _low, "low"),
    _plain("gflop", _COST, "GFLOP for a sample", "GFLOP"),
    Column("faults", _COST, "faults", "faults", "ideal 0", _faults, False),
)
