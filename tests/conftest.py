"""Fixtures and options every test can use.

`massgan_core` is imported inside the fixtures, never here: the shape checker has to be
installed before the package is.
"""

from __future__ import annotations

import runpy
from pathlib import Path

import numpy as np
import pytest
import torch

ROOT = Path(__file__).resolve().parents[1]
#: Path of a Chromium, or `None`: the very search that `make test` does.
find_chromium = runpy.run_path(str(ROOT / ".ci" / "install.py"))["browser"]
_NO_BROWSER = (
    "this test needs Chromium and finds none: `make test` installs it as root on Debian; "
    "elsewhere install it and set CHROMIUM to its path"
)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--device", default="cpu", help="torch device the tests compute on")
    parser.addoption(
        "--dtype",
        default="float32",
        choices=("float32", "float64"),
        help="real dtype of the fields the fixtures make",
    )


def pytest_runtest_setup(item: pytest.Item) -> None:
    if item.get_closest_marker("browser") and find_chromium() is None:
        pytest.fail(_NO_BROWSER, pytrace=False)
    if item.get_closest_marker("gpu") and item.config.getoption("--device") == "cpu":
        pytest.skip("needs an accelerator: run pytest with --device cuda or --device mps")


@pytest.fixture(scope="session")
def chromium() -> str:
    """Path of the Chromium that browser tests start; fails where there is none."""
    path = find_chromium()
    if path is None:
        pytest.fail(_NO_BROWSER, pytrace=False)
    return path


@pytest.fixture(scope="session")
def root() -> Path:
    """The checkout's top folder."""
    return ROOT


@pytest.fixture
def rng() -> torch.Generator:
    """Seeded CPU generator, new for every test."""
    return torch.Generator().manual_seed(20241022)


@pytest.fixture
def np_rng() -> np.random.Generator:
    """Seeded NumPy generator, new for every test."""
    return np.random.default_rng(20241022)


@pytest.fixture
def device(request: pytest.FixtureRequest) -> torch.device:
    """The device of ``--device``."""
    return torch.device(request.config.getoption("--device"))


@pytest.fixture
def dtype(request: pytest.FixtureRequest) -> torch.dtype:
    """The real dtype of ``--dtype``."""
    return getattr(torch, request.config.getoption("--dtype"))


@pytest.fixture
def small_grid():
    """A non-square, odd-sided 24×33 grid on the sky, 1′ pixels, away from RA 0°."""
    from massgan_core.sky import Grid

    return Grid.tan((24, 33), 1.0, center=(150.0, 2.2))


@pytest.fixture
def small_field(small_grid, rng, device, dtype):
    """A simulated field with truth: white κ, uneven σ, a masked block and one empty pixel."""
    from massgan_core.sky import ShearField, ShearOperator

    shape = small_grid.shape
    kappa = 0.05 * torch.randn(shape, generator=rng, dtype=dtype)
    sigma = 0.1 + 0.1 * torch.rand(shape, generator=rng, dtype=dtype)
    noise = torch.complex(
        sigma * torch.randn(shape, generator=rng, dtype=dtype),
        sigma * torch.randn(shape, generator=rng, dtype=dtype),
    )
    mask = torch.ones(shape, dtype=torch.bool)
    mask[2:7, 20:28] = False
    mask[15, 10] = False
    gamma = ShearOperator(small_grid)(kappa) + noise
    field = ShearField(small_grid, gamma, sigma, mask, kappa=kappa, name="small")
    return field.to(device)
