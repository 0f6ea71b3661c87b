"""A ledger goes on where it was, unless what it was begun for has changed."""

from __future__ import annotations

from massgan_core.data import Ledger


def test_a_ledger_remembers_and_forgets(tmp_path):
    shapes = {"a": (3, 2), "b": (3,)}
    first = Ledger(tmp_path / "l", {"seed": 1}, shapes)
    first.put(a=[1.0, 2.0], b=3.0)
    again = Ledger(tmp_path / "l", {"seed": 1}, shapes)
    assert again.done == 1 and again["a"][0].tolist() == [1, 2] and again["b"][0] == 3
    again.put(a=[4.0, 5.0], b=6.0)
    assert Ledger(tmp_path / "l", {"seed": 1}, shapes).done == 2
    assert Ledger(tmp_path / "l", {"seed": 2}, shapes).done == 0
    other = Ledger(tmp_path / "l", {"seed": 2}, {"a": (4, 2), "b": (3,)})
    assert other.done == 0 and other["a"].shape == (4, 2)
    other.remove()
    assert list(tmp_path.iterdir()) == []
