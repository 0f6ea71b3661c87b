"""A page of a talk: pictures and text at places measured in inches, and a caption below.

Pages are as wide as a slide (13.33 in), so that no text shrinks below 11 pt when they are shown.
Matplotlib's figures are used without pyplot: no window, no global state.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from io import BytesIO
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from massgan_core import __version__
from massgan_core.evaluating.plots.colors import FAINT, INK
from massgan_core.export.whole import check_place, whole

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SLIDE = 13.33  #: width of a page [in]
DPI = 200
SCREEN = 100  #: dots an inch in a notebook
SMALL, TEXT, HEAD, TITLE = 11, 12, 13, 17  #: sizes of type [pt]
LINE = 0.2  #: from line to line of a caption [in]
SUFFIXES = (".png", ".pdf", ".svg")

_MARGIN, _BASE = 0.15, 0.36  # around the page; where the title stands [in]
_HINTED = 0.01  # by how much letters on the pixel grid may be wider than their outlines


def check_page(path: str | PathLike[str], *, overwrite: bool = False) -> Path:
    """`path`, once it is sure that a page can be written there; asked before any work.

    Raises:
        ValueError: The suffix is not one of `SUFFIXES`.
        ImportError: Matplotlib is missing.
        OSError: Something stands there, or the folder is missing or cannot be written to.
    """
    path = Path(path)
    if path.suffix not in SUFFIXES:
        raise ValueError(f"the output must end in {', '.join(SUFFIXES)}, got {str(path)!r}")
    need_matplotlib()
    if path.is_dir():
        raise FileExistsError(f"{path} is a folder and cannot become a picture")
    check_place(path, overwrite=overwrite)
    return path


def need_matplotlib() -> None:
    """Say what to install where Matplotlib is missing.

    Raises:
        ImportError: It is.
    """
    if find_spec("matplotlib") is None:
        raise ImportError("plots need matplotlib: pip install 'massgan[plot]'")


@dataclass(frozen=True, eq=False)
class Page:
    """A figure on which places are measured in inches from its upper left corner.

    Args:
        figure: With nothing on it but what `Page` put there.
        width: [in].
        height: [in].
        title: First line; what it is about, for the file's metadata, too.
        caption: Below everything.
    """

    figure: Figure
    width: float
    height: float
    title: str
    caption: str

    @classmethod
    def of(cls, title: str, about: str, caption: str, *, width: float, body: float) -> Page:
        """A page with a title above and a caption below an empty body.

        Args:
            title: A few words, large.
            about: Field, method … at the right end of the same line.
            caption: One paragraph; it is broken into lines here.
            width: Of the page [in].
            body: Height of what lies between, which begins at :attr:`top` [in].
        """
        from matplotlib.figure import Figure

        lines = _lines(caption, width - 2 * _MARGIN)
        height = cls.top + body + LINE * len(lines) + _MARGIN
        figure = Figure(figsize=(width, height), dpi=DPI, facecolor="white")
        page = cls(figure, width, height, f"{title} {about}", caption)
        page.text(_MARGIN, _BASE, title, size=TITLE, va="baseline", weight="bold")
        last = {"size": TEXT, "va": "baseline", "ha": "right", "color": FAINT}
        page.text(width - _MARGIN, _BASE, about, **last)
        foot = {"size": TEXT, "va": "top", "color": FAINT, "linespacing": 1.2}
        page.text(_MARGIN, cls.top + body + _MARGIN / 2, "\n".join(lines), **foot)
        return page

    top = 0.5  #: where the body begins [in]

    def axes(self, left: float, top: float, width: float, height: float) -> Axes:
        """Axes at a place."""
        return self.figure.add_axes(
            (
                left / self.width,
                1 - (top + height) / self.height,
                width / self.width,
                height / self.height,
            )
        )

    def text(self, left: float, top: float, words: str, **style: Any) -> None:
        """Words at a place; `style` as in :meth:`matplotlib.figure.Figure.text`."""
        place = left / self.width, 1 - top / self.height
        self.figure.text(*place, words, **{"color": INK, "size": TEXT, **style})

    def write(self, path: Path, kind: str, *, dpi: int = DPI) -> None:
        """Write the page as it comes: `kind` is png, pdf or svg, whatever `path` is called."""
        self.figure.savefig(path, format=kind, dpi=dpi, metadata=self._about(kind))

    def save(self, path: Path, *, overwrite: bool = False, dpi: int = DPI) -> None:
        """Write the page, whole or not at all, in the format that the suffix names."""
        with whole(path, overwrite=overwrite) as part:
            self.write(part, path.suffix[1:], dpi=dpi)

    def _repr_png_(self) -> bytes:
        """The page as a notebook shows it."""
        picture = BytesIO()
        self.figure.savefig(picture, format="png", dpi=SCREEN, metadata=self._about("png"))
        return picture.getvalue()

    def _about(self, kind: str) -> dict[str, Any]:
        """Metadata as each format names it; no dates, so that the same page is the same file."""
        made = f"massgan {__version__}"
        if kind == "pdf":
            about = {"Title": self.title, "Subject": self.caption, "Creator": made}
            return {**about, "CreationDate": None}
        if kind == "svg":
            about = {"Title": self.title, "Description": self.caption, "Creator": made}
            return {**about, "Date": None}
        return {"Title": self.title, "Description": self.caption, "Software": made}


def _lines(words: str, wide: float) -> list[str]:
    """`words` in lines that are no wider [in] when set in `TEXT`."""
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import TextToPath

    measure, font = TextToPath().get_text_width_height_descent, FontProperties(size=TEXT)
    room = 72 * wide * (1 - _HINTED)
    first, *rest = words.split()
    lines = [first]
    for word in rest:
        longer = f"{lines[-1]} {word}"
        if measure(longer, font, ismath=False)[0] <= room:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines


def made_by(provenance: Mapping[str, Any]) -> str:
    """Method, checkpoint and seed, as far as `provenance` knows them."""
    words = str(provenance.get("sampler", "unknown method"))
    if "checkpoint" in provenance:
        words += f" ({provenance['checkpoint']})"
    return f"{words}, seed {provenance['seed']}" if "seed" in provenance else words
