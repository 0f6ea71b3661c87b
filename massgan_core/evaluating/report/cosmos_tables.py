"""Tables of the real COSMOS field."""

from __future__ import annotations

from collections.abc import Mapping
from os.path import commonprefix
from typing import Any

from massgan_core.evaluating.report.charts_of_cosmos import order
from massgan_core.evaluating.report.markup import tag, text
from massgan_core.evaluating.report.parts import Looks, captioned, cell, named, scrolled

#: Figures of every method: key, heading, digits behind the point where there is no error.
_STACKED = (
    ("kappa", "stacked κ", 4),
    ("snr", "S/N", 2),
    ("snr_smoothed", "S/N after 1′ smoothing", 2),
    ("over_wiener", "S/N less Wiener's", 2),
    ("b_mode_snr", "S/N of the B mode", 2),
    ("b_mode_rms", "rms of B over E", 2),
    ("turned_snr", "S/N of turned shear", 2),
)


def stack_table(page: Mapping[str, Any], looks: Looks) -> str:
    """Stacks and null tests: one row for each method."""
    head = ["method", *(words for _, words, _ in _STACKED)]
    body = []
    for method, row in page["methods"].items():
        cells = [cell(*_pair(row.get(key)), places=places) for key, _, places in _STACKED]
        body.append(tag("tr", tag("th", named(method, looks), scope="row"), *cells))
    caption = (
        "S/N is the height of the stack over that of as many random places. The B mode and "
        "randomly turned shear (mean ± std of single turns) should have none."
    )
    return _table(head, body, caption, "Stacks on the clusters of COSMOS")


def cluster_table(page: Mapping[str, Any], looks: Looks) -> str:
    """κ and its posterior at every cluster: one row for each, the most significant first."""
    methods = page["methods"]
    names = page.get("names") or [f"{k + 1}" for k in range(page["clusters"])]
    common = len(commonprefix(names)) if len(names) > 1 else 0
    heads = ["", "cluster", "redshift"]
    columns = "".join(tag("th", text(h), scope="col", rowspan="2") for h in heads)
    under = ""
    for method, row in methods.items():
        both = "each_probability" in row
        columns += tag("th", named(method, looks), scope="colgroup", colspan=f"{1 + both}")
        under += tag("th", "κ ± std" if both else "κ", scope="col")
        under += tag("th", "P(κ > 0)", scope="col") if both else ""
    body = []
    for place, k in enumerate(order(page), 1):
        cells = [tag("td", text(f"{place}")), tag("th", text(names[k][common:]), scope="row")]
        cells.append(cell(_entry(page.get("redshift"), k), places=2))
        for row in methods.values():
            pair = (_entry(row.get(name), k) for name in ("each_kappa", "each_std"))
            cells.append(cell(*pair, places=4))
            if "each_probability" in row:
                cells.append(cell(_entry(row["each_probability"], k), places=2))
        body.append(tag("tr", *cells))
    what = names[0][:common].strip() if common else "cluster"
    caption = (
        f"κ smoothed by 1′ at every {what or 'cluster'}, the most significant first: by κ over "
        "std, averaged over methods with samples. P(κ > 0) is the share of samples above the mean "
        "of the field."
    )
    head = tag("tr", columns) + tag("tr", under)
    whole = captioned(caption) + tag("thead", head) + tag("tbody", *body)
    return scrolled(tag("table", whole), "Clusters of COSMOS")


def _table(head: list[str], body: list[str], caption: str, label: str) -> str:
    columns = (tag("th", text(words), scope="col") for words in head)
    whole = captioned(caption) + tag("thead", tag("tr", *columns)) + tag("tbody", *body)
    return scrolled(tag("table", whole), label)


def _pair(value: Any) -> tuple[float | None, float | None]:
    return tuple(value) if isinstance(value, list | tuple) else (value, None)


def _entry(values: Any, index: int) -> Any:
    return values[index] if values and index < len(values) else None
