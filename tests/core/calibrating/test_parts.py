"""Coverage of held-out maps, all of them and by σ8."""

import numpy as np
import pytest
import torch

from massgan_core.calibrating.fields import Chosen, Views
from massgan_core.calibrating.parts import TablePart, coverage
from massgan_core.calibrating.terms import Terms
from massgan_core.data import Ledger, MapStore

LOOKS, BOXES, PER_BOX = 2, 7, 2
MAPS = BOXES * PER_BOX


class Missing(TablePart):
    """Map i of those held out misses i %."""

    def misses(self, ledger, factors):
        share = torch.arange(MAPS, dtype=torch.float64) / 100
        return share.repeat_interleave(self.looks)[:, None]


@pytest.fixture
def measured(store, survey, monkeypatch, tmp_path):
    """Coverage for the σ8 of seven boxes of two maps."""

    def measure(sigma8):
        column = np.concatenate([[0.8, 0.8], np.repeat(sigma8, PER_BOX)])
        monkeypatch.setattr(MapStore, "rows", lambda store, name: column)
        boxes = [90, 91, *np.repeat(np.arange(BOXES), PER_BOX).tolist()]
        terms = Terms("residual", (0.9,), "maps", 0.1, 2, 1, 0)
        chosen = Chosen(list(range(2 + MAPS)), boxes, 2, torch.ones(2))
        part = Missing(Views(store, survey), chosen, terms, "a part", LOOKS)
        ledger = Ledger(tmp_path / "ledger", {}, {"before": (LOOKS * (2 + MAPS), 1)})
        for _ in range(LOOKS * (2 + MAPS)):
            ledger.put(before=torch.tensor([0.5]))
        return coverage(part, ledger, None, terms.levels)

    return measure


def test_maps_are_shared_out_by_sigma8(measured):
    """One box has σ8 below the others: alone, it is not told apart."""
    found = measured([0.7, 0.8, 0.81, 0.82, 0.9, 0.92, 0.95])
    assert [c.skies for c in found] == ["all", "σ8 0.76–0.86", "σ8 > 0.86"]
    assert [(c.maps, c.boxes) for c in found] == [(14, 7), (6, 3), (6, 3)]
    wanted = [1 - sum(maps) / len(maps) / 100 for maps in (range(14), range(2, 8), range(8, 14))]
    assert [c.after for c in found] == pytest.approx(wanted)
    assert all(c.before == 0.5 and c.error > 0 for c in found)


def test_maps_of_one_cosmology_are_one_group(measured):
    assert [c.skies for c in measured([0.8] * BOXES)] == ["all"]
