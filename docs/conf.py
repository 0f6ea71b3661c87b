"""How Sphinx builds the documentation: `make docs`."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "_ext"))

import massgan_core

project = "MassGAN"
author = "MassGAN developers"
copyright = "MassGAN developers, BSD 3-Clause"
version = release = massgan_core.__version__

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx_copybutton",
    "command_line",
    "lesson",
    "mathml",
    "public_names",
    "tutorials",
]
exclude_patterns = ["_build", "_ext"]
source_suffix = {".md": "markdown"}
suppress_warnings = ["config.cache"]

myst_enable_extensions = ["dollarmath", "deflist", "colon_fence", "attrs_inline"]
myst_heading_anchors = 3

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_default_options = {"members": True}
autodoc_mock_imports: list[str] = []
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_use_rtype = False

html_theme = "furo"
html_title = "MassGAN"
html_static_path: list[str] = []
html_theme_options = {"navigation_with_keys": True}
# Nothing is asked of another host: formulas are MathML, which browsers draw themselves.
html_math_renderer = "mathml"
default_role = "literal"  # `name` in docstrings is code
