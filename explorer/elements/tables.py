"""A table of which one row can be chosen: columns of numbers and names in, a row number out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from bokeh.models import ColumnDataSource, DataTable, NumberFormatter, StringFormatter, TableColumn

from explorer.elements.figures import FONT
from explorer.widgets.calm import TOKENS

ROW = 30  #: height of a row [px]
_CSS = """
:host {{ font-family: {font}; }}
.bk-data-table, .slick-viewport, .grid-canvas {{ background: transparent; border: none; }}
.slick-header {{ border: none; border-bottom: 1px solid {line}; }}
.slick-header-columns, .slick-header-column.ui-state-default, .slick-header-column {{
  background: {card} !important; color: {quiet}; font-size: 12px; font-weight: 500;
  border: none !important; }}
.slick-row, .slick-row.odd, .slick-row.even {{
  background: transparent; color: {ink}; font-size: 13px; cursor: pointer; }}
.slick-row:hover {{ background: {well}; }}
.slick-cell {{ border: none; border-bottom: 1px solid {line}; line-height: 24px;
  background: transparent; color: inherit; }}
.slick-cell.selected, .slick-row:hover .slick-cell.selected {{
  background: {ring} !important; color: {ink}; }}
.slick-cell.active {{ border: none; border-bottom: 1px solid {line}; }}
"""


class Table:
    """Rows that are chosen one at a time; a chosen one scrolls into view.

    Args:
        name: Of the table, and of its source.
        columns: Key → title, format (a numbro format; empty for text), share of the width.
        choose: Called with the row that a person chose.
        rows: Of the height, at most.
    """

    def __init__(
        self,
        name: str,
        columns: Mapping[str, tuple[str, str, int]],
        choose: Callable[[int], None],
        rows: int = 9,
    ) -> None:
        self._choose, self._quiet, self._rows = choose, False, rows
        self.source = ColumnDataSource(name=f"table-{name}", data={key: [] for key in columns})
        self.table = DataTable(
            name=f"table-{name}",
            source=self.source,
            columns=[
                TableColumn(field=key, title=title, width=width, formatter=_format(how))
                for key, (title, how, width) in columns.items()
            ],
            index_position=None,
            row_height=ROW,
            reorderable=False,
            sizing_mode="stretch_width",
            height=ROW * (rows + 1),
            styles={"border": "none"},
        )
        self.source.selected.on_change("indices", self._on_indices)

    def show(self, columns: Mapping[str, Iterable[Any]]) -> None:
        """Other rows, none of them chosen."""
        data = {key: list(columns[key]) for key in self.source.data}
        self._mark([])
        # As many rows as before would not be drawn anew.
        self.source.data = {key: [] for key in data}
        self.source.data = data
        count = len(next(iter(data.values()), []))
        self.table.height = ROW * (min(max(count, 1), self._rows) + 1) + 8

    def mark(self, row: int | None) -> None:
        """Choose a row, without a word to anyone; None for none."""
        self._mark([] if row is None else [row])

    def paint(self, theme: str) -> None:
        """Take the colours of the page."""
        keys = ("card", "well", "ink", "quiet", "line", "ring")
        self.table.stylesheets = [
            _CSS.format(font=FONT, **{key: TOKENS[theme][key] for key in keys})
        ]

    def _mark(self, rows: list[int]) -> None:
        if self.source.selected.indices != rows:
            self._quiet = True
            self.source.selected.indices = rows
            self._quiet = False

    def _on_indices(self, attr: str, old: list[int], new: list[int]) -> None:
        # With Shift a person chooses several: the last one counts.
        if new and not self._quiet:
            self._choose(new[-1])


def _format(how: str) -> NumberFormatter | StringFormatter:
    if not how:
        return StringFormatter()
    return NumberFormatter(format=how, text_align="right", nan_format="–")
