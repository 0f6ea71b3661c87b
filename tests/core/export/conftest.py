"""Summaries of a small field, drawn by the exact Gaussian sampler."""

from __future__ import annotations

import pytest


@pytest.fixture
def wiener(small_field):
    """Twelve exact posterior samples of the small field, all kept."""
    from massgan_core.mapping import Wiener
    from massgan_core.posterior import stream
    from massgan_core.survey import cosmos_spectrum

    sampler = Wiener(cosmos_spectrum())
    return list(stream(sampler, small_field, 12, 4, seed=3))[-1]


@pytest.fixture
def ks():
    """The map maker behind KS and KS_B."""
    from massgan_core.mapping import KaiserSquires

    return KaiserSquires(1.5)


@pytest.fixture
def classical(small_field, ks):
    """A summary whose method is Kaiser–Squires itself."""
    from massgan_core.posterior import stream

    return list(stream(ks, small_field, 1, 1))[-1]
