import pytest

from massgan_core.data import split_boxes

PARTS = {"train": 0.8, "calibrate": 0.1, "test": 0.1}


@pytest.mark.parametrize("n", [3, 10, 57, 200])
def test_every_box_is_in_one_part_and_shares_are_kept(n):
    parts = split_boxes(range(100, 100 + n), PARTS, seed=2)
    assert sorted(sum(parts.values(), [])) == list(range(100, 100 + n))
    for name, share in PARTS.items():
        assert parts[name] and abs(len(parts[name]) - share * n) <= 2


def test_a_box_stays_in_its_part_when_more_are_appended():
    few, many = (split_boxes(range(n), PARTS, seed=5) for n in (12, 90))
    for name in PARTS:
        assert set(few[name]) <= set(many[name])


def test_parts_are_drawn_and_repeat():
    assert split_boxes(range(40), PARTS, 1) == split_boxes(range(40), PARTS, 1)
    assert split_boxes(range(40), PARTS, 1) != split_boxes(range(40), PARTS, 2)
    # A plan that cycles through cosmologies meets no cycle here.
    tests = [i for i in split_boxes(range(400), PARTS, 0)["test"]]
    assert len({i % 10 for i in tests}) > 6


def test_too_few_boxes_and_odd_shares_are_refused():
    with pytest.raises(ValueError, match="2 boxes cannot make 3 parts"):
        split_boxes([1, 2], PARTS)
    for parts in ({"a": 0.5, "b": 0.4}, {"a": 1.0, "b": 0.0}, {}):
        with pytest.raises(ValueError, match="`parts` must be positive and sum to 1"):
            split_boxes(range(9), parts)
