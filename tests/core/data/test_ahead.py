import threading

import pytest

from massgan_core.data.ahead import Ahead


@pytest.mark.parametrize("depth", [0, 1, 3])
def test_any_order_gives_the_same_results(depth):
    ahead = Ahead(lambda i: i * i, depth)
    assert [ahead(i) for i in (0, 1, 2, 7, 7, 3, 4, 0)] == [0, 1, 4, 49, 49, 9, 16, 0]


def test_only_a_few_results_wait():
    loaded, started = [], threading.Event()

    def load(i):
        loaded.append(i)
        if i == 2:
            started.set()
        return i

    ahead = Ahead(load, depth=2)
    ahead(0)
    assert started.wait(10)
    assert sorted(loaded) == [0, 1, 2] and len(ahead._coming) == 2


def test_an_error_is_raised_where_its_number_is_asked_for():
    def load(i):
        if i == 2:
            raise ValueError("row 2 is damaged")
        return i

    ahead = Ahead(load, depth=3)
    assert ahead(0) == 0 and ahead(1) == 1
    with pytest.raises(ValueError, match="row 2 is damaged"):
        ahead(2)
    assert ahead(3) == 3
