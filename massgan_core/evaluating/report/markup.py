"""HTML from strings, with everything escaped that came from elsewhere."""

from __future__ import annotations

from html import escape

_VOID = ("br", "meta")


def text(value: object) -> str:
    """Any value as text of a page, with true minus signs before numbers."""
    said = escape(str(value))
    return f"−{said[1:]}" if said[:1] == "-" and said[1:2].isdigit() else said


def tag(name: str, /, *inside: str, **attributes: str | None) -> str:
    """An element around markup; a trailing _ of an attribute falls away, inner ones become -.

    Attributes are escaped, and left out where they are `None`; what is inside is not escaped.
    """
    pairs = {k.rstrip("_").replace("_", "-"): v for k, v in attributes.items() if v is not None}
    head = "".join(f' {k}="{escape(v)}"' for k, v in pairs.items())
    if name in _VOID:
        return f"<{name}{head}>"
    return f"<{name}{head}>{''.join(inside)}</{name}>"


def anchor(words: str) -> str:
    """An id made of any words."""
    return "".join(c if c.isascii() and c.isalnum() else "-" for c in words.lower())
