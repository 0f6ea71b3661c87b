"""Parts of the page: tables, plots and faults of methods."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

from massgan_core.evaluating.report.chart import Chart
from massgan_core.evaluating.report.columns import Column, Table, best, shown
from massgan_core.evaluating.report.markup import tag, text
from massgan_core.evaluating.report.palette import Look
from massgan_core.evaluating.report.rounding import rounded
from massgan_core.evaluating.report.terminal import has_samples, missing

Looks = Mapping[str, Look]
NO_SAMPLES = (
    "It has no samples, and so no posterior to be judged: it is tested for leaks, a copied zero "
    "point and mixed E and B modes only."
)


def named(method: str, looks: Looks) -> str:
    """A method's name with its marker."""
    look = looks[method]
    sign = tag("span", look.sign, class_="sign", style=f"color:var({look.variable})")
    return tag("span", sign.replace("<span", '<span aria-hidden="true"', 1), text(method))


def captioned(words: str) -> str:
    """A table's caption, which stays in sight while the table scrolls."""
    return tag("caption", tag("span", text(words)))


def scrolled(table: str, label: str) -> str:
    """A table in a box of its own that scrolls, with the keyboard too."""
    return tag("div", table, class_="scroll", tabindex="0", role="region", aria_label=label)


def cell(
    value: float | None,
    error: float | None = None,
    *,
    bold: bool = False,
    places: int | None = None,
    short: bool = False,
) -> str:
    """A figure; all of its digits show when it is pointed at.

    Args:
        value: `None` where it was not measured.
        error: Std error.
        bold: It is the best.
        places: Digits behind the point where there is no error.
        short: Leave the error to those who point at it.
    """
    figure, _, behind = rounded(value, error).partition(" ± ")
    if figure and not behind and places is not None:
        figure = f"{value:.{places}f}"
    if not figure:
        return tag("td", "–", class_="none")
    full = f"{value}" if error is None else f"{value} ± {error}"
    shown_ = text(figure) + (
        tag("span", f" ± {behind}", class_="pm") if behind and not short else ""
    )
    return tag("td", shown_, title=full, class_="best" if bold else None)


def figures(tables: Mapping[str, Table], looks: Looks, caption: str, label: str) -> str:
    """The table of all figures: one row for each, one column for each method."""
    head = tag("th", "figure", scope="col")
    head += "".join(tag("th", named(m, looks), scope="col") for m in tables)
    body = []
    for group, columns in groupby(shown(tables), key=lambda c: c.group):
        across = tag(
            "th", tag("span", text(group)), colspan=f"{len(tables) + 1}", scope="rowgroup"
        )
        body.append(tag("tr", across, class_="group"))
        body += [_row(column, tables) for column in columns]
    whole = captioned(caption) + tag("thead", tag("tr", head)) + tag("tbody", *body)
    return scrolled(tag("table", whole, class_="figures"), label)


def _row(column: Column, tables: Mapping[str, Table]) -> str:
    won = best(column, tables)
    goal = tag("span", text(column.good), class_="goal") if column.good else ""
    cells = [cell(*column.of(table), bold=method in won) for method, table in tables.items()]
    return tag("tr", tag("th", text(column.head) + goal, scope="row"), *cells)


def badge(table: Table) -> str:
    """How many faults, in a colour."""
    count = len(table.get("faults") or [])
    if count:
        return tag("span", f"{count} fault{'s' if count > 1 else ''}", class_="badge bad")
    if not has_samples(table):
        return tag("span", "no leak", class_="badge open")
    return tag("span", "no fault", class_="badge good")


def fault_cards(tables: Mapping[str, Table], looks: Looks) -> str:
    """What is wrong with every method, in words; most faults first, maps without samples last."""

    def place(method: str) -> tuple[bool, int]:
        return not has_samples(tables[method]), -len(tables[method].get("faults") or [])

    order = sorted(tables, key=place)
    return tag("div", *(_card(m, tables[m], looks) for m in order), class_="cards")


def _card(method: str, table: Table, looks: Looks) -> str:
    head = tag("h4", named(method, looks)) + badge(table)
    about = tag("div", text(table.get("title", "")), class_="small faint")
    parts = [tag("div", head, class_="head"), about]
    if not has_samples(table):
        parts.append(tag("p", text(NO_SAMPLES)))
    words = [
        tag("strong", text(_capital(f["name"]))) + ". " + text(f["words"])
        for f in table.get("faults") or []
    ]
    words += [
        tag("strong", "Outside its domain") + ". " + text(sentence)
        for sentence in table.get("outside_domain") or []
    ]
    if words:
        parts.append(tag("ul", *(tag("li", one) for one in words)))
    elif has_samples(table):
        parts.append(tag("p", "All that was measured lies within its bounds."))
    if missing(table):
        parts.append(tag("p", text(f"Not measured: {', '.join(missing(table))}."), class_="faint"))
    return tag("article", *parts, class_="card")


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]


def gallery(charts: Sequence[Chart | None], looks: Looks) -> str:
    """Plots beside each other, those without any value left out."""
    there = [chart for chart in charts if chart is not None]
    return tag("div", *(_figure(c, looks) for c in there), class_="plots") if there else ""


def _figure(chart: Chart, looks: Looks) -> str:
    svg = chart.svg().replace("<svg ", "<svg role='img' aria-label='' ", 1)
    svg = svg.replace("aria-label=''", tag("i", aria_label=chart.alt)[3:-5], 1)
    legend = "".join(
        tag("li", named(method, looks), text(f" {note}") if note else "")
        for method, note in chart.legend
    )
    return tag(
        "figure",
        tag("h4", text(chart.title)),
        tag("div", svg, class_="pan"),
        tag("ul", legend, class_="legend") if legend else "",
        tag("figcaption", text(chart.caption.replace(" %", "\u202f%"))),
        id=chart.name,
        class_="card wide" if chart.wide else "card",
    )


def facts(pairs: Mapping[str, Any]) -> str:
    """Names and what they are."""
    inside = "".join(tag("dt", text(k)) + tag("dd", text(v)) for k, v in pairs.items())
    return tag("dl", inside, class_="facts")
