"""A few lines of Markdown as HTML: paragraphs, lists, **bold**, *emphasis*, `code`.

Nothing else: what a stranger wrote can bring no markup, link, picture or script into the page.
"""

from __future__ import annotations

from markdown_it import MarkdownIt

_READER = MarkdownIt("zero", {"html": False}).enable(["emphasis", "backticks", "list"])


def prose(words: str) -> str:
    """`words` as HTML."""
    return _READER.render(words)
