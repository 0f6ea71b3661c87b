"""Options of verbs that draw samples of a generator: how its decoder runs."""

from __future__ import annotations

from typing import Annotated

import typer

Precision = Annotated[
    str, typer.Option(help="Of gan: fp32, bf16 or auto. bf16 errs by less than 1 % of STD.")
]
Compiled = Annotated[
    bool, typer.Option("--compiled", help="Compile gan first: a minute, worth it on GPUs.")
]
