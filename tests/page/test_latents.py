"""Latents by a counter: the published generator, normal numbers, the same in both languages."""

from __future__ import annotations

import numpy as np
import pytest

from page.latents import latents, normal, philox

#: Counter, key and words of the authors' own list (Random123, kat_vectors, philox4x32 10).
KNOWN = [
    ([0] * 4, (0, 0), [0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8]),
    ([2**32 - 1] * 4, (2**32 - 1,) * 2, [0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD]),
    (
        [0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344],
        (0xA4093822, 0x299F31D0),
        [0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1],
    ),
]


@pytest.mark.parametrize(("counter", "key", "words"), KNOWN)
def test_the_words_are_the_published_ones(node, counter, key, words):
    assert philox(np.array(counter, np.uint64)[:, None], key)[:, 0].tolist() == words
    code = 'const { philox } = await from_page("normal"); return [...philox(counter, key)]'
    assert node(code, counter=counter, key=list(key)) == words


@pytest.mark.parametrize("n", [1, 6, 1000])
def test_both_languages_draw_the_same(node, n):
    code = 'const { normal } = await from_page("normal"); return [...normal(n, 7, 300, 2)]'
    # The last digit of a logarithm or a cosine is a library's own.
    np.testing.assert_allclose(node(code, n=n), normal(n, 7, 300, 2), rtol=0, atol=1e-6)


def test_they_are_standard_normal_and_independent():
    drawn = np.stack(
        [normal(20_000, *key) for key in [(1, 0, 0), (1, 1, 0), (1, 0, 1), (2, 0, 0)]]
    )
    assert drawn.dtype == np.float32 and np.isfinite(drawn).all()
    error = 1 / np.sqrt(drawn.shape[1])
    assert (np.abs(drawn.mean(1)) < 4 * error).all()
    assert (np.abs(drawn.std(1) - 1) < 4 * error / np.sqrt(2)).all()
    # Share beyond 2: 4.55 %, and of neighbours, as of other keys, none is related.
    assert np.abs((np.abs(drawn) > 2).mean(1) - 0.0455).max() < 4 * np.sqrt(0.0455) * error
    together = np.corrcoef(np.concatenate([drawn, np.roll(drawn, 1, axis=1)]))
    assert np.abs(together - np.eye(8)).max() < 5 * error


def test_a_sample_has_its_levels_whatever_came_before():
    shapes = [(4, 6, 5), (4, 3, 2)]
    fine, coarse = latents(shapes, 3, 9)
    assert fine.shape == (1, 4, 6, 5) and coarse.shape == (1, 4, 3, 2)
    np.testing.assert_array_equal(coarse.ravel(), normal(24, 3, 9, 1))
    # Fewer numbers are the first of more.
    np.testing.assert_array_equal(normal(24, 3, 9, 0), fine.ravel()[:24])
