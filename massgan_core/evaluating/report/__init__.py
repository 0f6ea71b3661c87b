"""An evaluation for people: one page with plots, a table to compute with, one to print."""

from massgan_core.evaluating.report.files import check, write
from massgan_core.evaluating.report.terminal import lines

__all__ = ["check", "lines", "write"]
