"""A table of which one row can be chosen: columns of numbers and names in, a row number out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from bokeh.models import (
    ColumnDataSource,
    CustomJS,
    DataTable,
    NumberFormatter,
    StringFormatter,
    TableColumn,
)

ROW = 30  #: height of a row [px]


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
            margin=0,
        )
        # As many rows as before would not be drawn anew.
        redraw = CustomJS(args={"view": self.table.view}, code="view.change.emit()")
        self.source.js_on_change("data", redraw)
        #: Heads of numbers stand over their numbers. To be given to the table's pane, for Panel
        #: puts its own style sheets in the place of a figure's.
        self.css = "\n".join(
            f".slick-header-column:nth-child({i}) .slick-column-name {{ float: right; }}"
            for i, (_, how, _) in enumerate(columns.values(), 1)
            if how
        )
        self.source.selected.on_change("indices", self._on_indices)

    def show(self, columns: Mapping[str, Iterable[Any]]) -> None:
        """Other rows, none of them chosen."""
        data = {key: list(columns[key]) for key in self.source.data}
        self._mark([])
        self.source.data = data
        count = len(next(iter(data.values()), []))
        self.table.height = ROW * (min(max(count, 1), self._rows) + 1) + 8

    def mark(self, row: int | None) -> None:
        """Choose a row, without a word to anyone; None for none."""
        self._mark([] if row is None else [row])

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
