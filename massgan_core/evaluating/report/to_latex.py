r"""The tables to print: booktabs, for ``\input`` into a paper.

Every set has one table for each group of columns. Only ``\usepackage{booktabs}`` is needed; all
that LaTeX could misread is escaped, and letters beyond Latin ones are written as commands.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from itertools import groupby
from typing import Any

from massgan_core.evaluating.report.columns import Column, Table, best, shown
from massgan_core.evaluating.report.rounding import rounded

_SPECIAL = {
    **{c: "\\" + c for c in "&%$#_{}"},
    **{"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"},
    **{"<": r"\textless{}", ">": r"\textgreater{}", "|": r"\textbar{}", '"': r"\textquotedbl{}"},
    **{"–": "--", "—": "---", "′": "$'$", "±": r"$\pm$", "×": r"$\times$", "²": "$^2$"},
    **{"≥": r"$\ge$", "≤": r"$\le$", "−": "$-$", "\u202f": r"\,", "\u00a0": "~"},
    **{"κ": r"$\kappa$", "γ": r"$\gamma$", "σ": r"$\sigma$", "χ": r"$\chi$", "…": r"\dots{}"},
}
_LAST_LATIN = 0x17F  # letters up to here are known to every LaTeX


def escaped(text: str) -> str:
    """The same text for LaTeX."""
    return "".join(_SPECIAL.get(c) or _known(c) for c in str(text))


def to_latex(found: Mapping[str, Any]) -> str:
    """One table for each set and group of columns."""
    parts = [
        "% Tables of `massgan evaluate`; they need \\usepackage{booktabs}.",
        "% Bold: the best value of a column.",
    ]
    for name, part in found["sets"].items():
        tables = part["methods"]
        for group, columns in groupby(shown(tables), key=lambda c: c.group):
            what = f"{escaped(group)}: {escaped(part['title'])}"
            errors = f"{part['fields']} fields, errors over {part['boxes']} boxes"
            parts.append(_table(list(columns), tables, f"{what} ({errors}).", name, group))
    if "cosmos" in found:
        parts.append(_cosmos(found["cosmos"]))
    return "\n".join(parts) + "\n"


def _table(
    columns: list[Column], tables: Mapping[str, Table], caption: str, name: str, group: str
) -> str:
    winners = [best(column, tables) for column in columns]
    body = []
    for method, table in tables.items():
        pairs = zip(columns, winners, strict=True)
        figures = [(rounded(*c.of(table)), method in won) for c, won in pairs]
        if any(figure for figure, _ in figures):
            body.append([escaped(method), *(_cell(*figure) for figure in figures)])
    label = "".join(c if c.isalnum() else "-" for c in f"{name}-{group}".lower())
    return _float(["method", *(c.tex for c in columns)], body, caption, label)


def _cosmos(page: Mapping[str, Any]) -> str:
    head = ["method", r"stacked $\kappa$", "S/N", "S/N less Wiener", "B mode", "turned shear"]
    body = []
    for method, row in page["methods"].items():
        turned, other = row.get("turned_snr") or (None,), row.get("over_wiener") or (None,)
        figures = [(row.get("kappa"),), (row.get("snr"),), other, (row.get("b_mode_snr"),), turned]
        body.append([escaped(method), *(_cell(rounded(*f), False) for f in figures)])
    caption = f"COSMOS, stacked on {page['clusters']} X-ray clusters."
    return _float(head, body, caption, "cosmos")


def _float(head: list[str], body: list[list[str]], caption: str, label: str) -> str:
    lines = [
        *(r"\begin{table}", r"\centering", r"\footnotesize", r"\setlength{\tabcolsep}{4pt}"),
        rf"\caption{{{caption}}}",
        rf"\label{{tab:massgan-{label}}}",
        rf"\begin{{tabular}}{{l{'r' * (len(head) - 1)}}}",
        r"\toprule",
        " & ".join(head) + r" \\",
        r"\midrule",
        *(" & ".join(cells) + r" \\" for cells in body),
        *(r"\bottomrule", r"\end{tabular}", r"\end{table}", ""),
    ]
    return "\n".join(lines)


def _cell(figure: str, bold: bool) -> str:
    if not figure:
        return "--"
    figure = figure.replace("±", r"\pm")
    return rf"$\mathbf{{{figure}}}$" if bold else f"${figure}$"


def _known(character: str) -> str:
    """The character, or the Latin letters it is made of, or a question mark."""
    if ord(character) < 0x20:
        return " "
    if ord(character) < 0x7F or 0xA0 < ord(character) <= _LAST_LATIN:
        return character
    plain = unicodedata.normalize("NFKD", character).encode("ascii", "ignore").decode()
    return "".join(_SPECIAL.get(c, c) for c in plain) or "?"
