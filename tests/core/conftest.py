"""Gaussian skies under uneven noise and their exact posterior, which judges tests of samples."""

from types import SimpleNamespace

import pytest


@pytest.fixture(scope="session")
def gaussian():
    """16 fields cut from Gaussian skies, and a Wiener sampler that remembers what it drew."""
    import torch

    from massgan_core.mapping import Wiener
    from massgan_core.sky import (
        Draws,
        Grid,
        PowerSpectrum,
        ShearField,
        ShearOperator,
        gaussian_field,
        generator,
        shape_noise,
    )

    power = PowerSpectrum([10.0, 100.0, 1e3, 1e4, 1e5], [1.5e-9, 4e-9, 8e-10, 1e-11, 5e-14])
    side, grid, large = 32, Grid((32, 32), 1.0), Grid((128, 128), 1.0)
    ramp = 15 ** torch.linspace(0, 1, side)  # noise rises fifteenfold from left to right
    sigma = 0.02 * ramp * (0.7 + 0.6 * torch.rand(side, side, generator=generator(3)))
    mask = torch.rand(side, side, generator=generator(4)) > 0.1
    mask[4:14, 6:18] = False

    def sky(seed):
        key = generator(77, seed)
        kappa = gaussian_field(power, large, key)
        part = slice(side, 2 * side), slice(side, 2 * side)
        shear = ShearOperator(large)(kappa)[part] + shape_noise(sigma, key)
        return ShearField(grid, shear, sigma, mask, kappa[part])

    class Remembered:
        """An exact sampler; the same question is answered from memory."""

        def __init__(self):
            self.wiener, self.known = Wiener(power), {}

        def sample(self, field, n, generator=None):
            draws = Draws.of(generator)
            seed, first = draws.seed, draws.next
            draws.take(n)
            return self._ask(
                field, (seed, first, n), lambda: self.wiener.sample(field, n, Draws(seed, first))
            )

        def map(self, field):
            return self._ask(field, "map", lambda: self.wiener.map(field))

        def std(self):
            """Std of the posterior, which does not depend on the shear."""
            return self._ask(fields[0], "std", lambda: torch.cat(list(rests())).std(0))

        def _ask(self, field, question, compute):
            key = id(field), question  # the field is kept too, so that its id stays its own
            if key not in self.known:
                self.known[key] = field, compute()
            return self.known[key][1].clone()

    def rests():
        for i, field in enumerate(fields):
            for first in (0, 21, 42):
                yield sampler.sample(field, 21, Draws(i, first)) - sampler.map(field)

    fields, sampler = [sky(i) for i in range(16)], Remembered()
    return SimpleNamespace(
        fields=fields,
        turned=[field.rotated() for field in fields],
        grid=grid,
        area=fields[0].footprint,
        power=power,
        sampler=sampler,
        prior=lambda n, seed: torch.stack(
            [
                gaussian_field(power, large, g)[side : 2 * side, side : 2 * side]
                for g in Draws(seed).take(n)
            ]
        ),
    )


@pytest.fixture(scope="module")
def cluster():
    """A Dask cluster of one worker, in threads of this process."""
    distributed = pytest.importorskip("distributed")
    with distributed.LocalCluster(
        n_workers=1, threads_per_worker=1, processes=False, dashboard_address=":0"
    ) as cluster:
        yield cluster
