import json
from dataclasses import replace

import numpy as np
import pytest

from massgan_core.simulate import PLANCK, Cosmology
from massgan_core.simulate.boxes import PRESETS, plane_path, preset, read_card, run_box

TINY = preset("tiny", particles=16, mesh=32, depth=0.5)


@pytest.fixture(scope="module")
def box(tmp_path_factory):
    """Planes of a tiny box."""
    folder = tmp_path_factory.mktemp("boxes") / "box"
    run_box(folder, TINY, PLANCK, 1)
    return folder


def test_planes_hold_all_mass_along_every_axis(box):
    """One part a box: the whole box is seen, so every plane's mean is one."""
    slabs = TINY.slabs(PLANCK)
    for slab in range(len(slabs)):
        planes = np.load(plane_path(box, slab)).astype(float)
        assert planes.shape[0] == 3 and planes.min() >= 0
        np.testing.assert_allclose(planes.mean((1, 2)), 1, atol=2e-4)
    assert not plane_path(box, len(slabs)).exists()


def test_structure_grows_towards_the_observer(box):
    near, far = (np.load(plane_path(box, i)).astype(float)[0].std() for i in (0, 19))
    assert near > 1.1 * far > 0.1


def test_parts_of_the_box_add_up_to_it(tmp_path):
    """Two parts: an axis sees half of the box, the next slab the other half."""
    run_box(tmp_path / "whole", TINY, PLANCK, 1)
    run_box(tmp_path / "halves", replace(TINY, parts=2), PLANCK, 1)
    means = [np.load(plane_path(tmp_path / "halves", i)).astype(float).mean() for i in range(8)]
    assert abs(np.mean(means) - 1) < 0.02 and np.std(means) > 1e-4


def test_a_whole_box_is_not_made_again(box):
    before = {p: p.stat().st_mtime_ns for p in box.iterdir()}
    run_box(box, TINY, PLANCK, 1)
    assert {p: p.stat().st_mtime_ns for p in box.iterdir()} == before


def test_same_seed_same_planes(box, tmp_path):
    run_box(tmp_path / "again", TINY, PLANCK, 1)
    run_box(tmp_path / "other", TINY, PLANCK, 2)
    folders = box, tmp_path / "again", tmp_path / "other"
    first, again, other = (np.load(plane_path(f, 3)) for f in folders)
    assert (first == again).all() and not (first == other).all()


@pytest.mark.parametrize("change", ["seed", "cosmology", "preset"])
def test_planes_of_another_box_are_kept(box, change):
    settings = {"preset": TINY, "cosmology": PLANCK, "seed": 1}
    other = {"seed": 2, "cosmology": Cosmology(sigma8=0.9), "preset": replace(TINY, mesh=16)}
    settings[change] = other[change]
    before = sorted(p.name for p in box.iterdir())
    with pytest.raises(ValueError, match="holds planes of another box"):
        run_box(box, **settings)
    assert sorted(p.name for p in box.iterdir()) == before


def test_a_stop_leaves_nothing_and_the_next_run_starts_clean(tmp_path):
    def stop(done):
        if done > 0.5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_box(tmp_path / "box", TINY, PLANCK, 1, progress=stop)
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "box.part").mkdir()  # of a run that was killed without a chance
    (tmp_path / "box.part" / "plane_000.npy").write_text("half")
    done = []
    run_box(tmp_path / "box", TINY, PLANCK, 1, progress=done.append)
    assert done == sorted(done) and done[-1] == 1
    assert [p.name for p in tmp_path.iterdir()] == ["box"]


def test_a_full_disk_leaves_nothing(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "save", full)
    with pytest.raises(OSError, match="No space left"):
        run_box(tmp_path / "box", TINY, PLANCK, 1)
    assert list(tmp_path.iterdir()) == []


def test_foreign_folders_are_refused(tmp_path):
    with pytest.raises(ValueError, match="must be a folder of planes with a box.json"):
        read_card(tmp_path)
    (tmp_path / "box.json").write_text('{"format": "shoe"}')
    with pytest.raises(ValueError, match="must be a folder of massgan-box planes"):
        read_card(tmp_path)
    card = {"format": "massgan-box", "format_version": 99}
    (tmp_path / "box.json").write_text(json.dumps(card))
    with pytest.raises(ValueError, match="planes of format 99, this version reads 1"):
        read_card(tmp_path)


def test_presets_keep_the_sizes_they_promise():
    """DEFINITIONS, "Boxes": 128 Mpc/h for small, 250 for standard; large has 512³ particles."""
    assert PRESETS["small"].box >= 128 and PRESETS["standard"].box >= 250
    assert PRESETS["large"].particles == 512
    assert all(p.mesh == 2 * p.particles for p in PRESETS.values())
    with pytest.raises(ValueError, match="`preset` must be one of tiny, small"):
        preset("huge")


def test_planes_serve_the_pixels_of_a_map():
    """Half of a map's pixel, no finer than the preset says."""
    standard = PRESETS["standard"]
    assert standard.pixels(10.0) == 5120
    pixel = 4000 * 0.29 / 60 * np.pi / 180
    assert standard.box / standard.pixels(4000.0) == pytest.approx(pixel / 2, rel=1e-3)
