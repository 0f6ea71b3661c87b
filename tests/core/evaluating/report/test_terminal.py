"""What a terminal shows."""

from massgan_core.evaluating.report import lines


def test_every_method_has_a_row_and_its_faults(found):
    said = lines(found)
    row = next(line for line in said if line.startswith("my_gan "))
    assert "0.650 ± 0.012" in row
    flat = " ".join(" ".join(said).split())
    for table in found["sets"]["test"]["methods"].values():
        for fault in table["faults"]:
            assert fault["words"] in flat
    assert "wiener: 1 fault -" in flat
    assert "my_gan: no fault - σ is larger than in training" in flat
    assert found["notes"][0] in flat


def test_maps_without_samples_say_that_little_was_asked(found):
    said = lines(found)
    assert sum("without samples" in line for line in said) == 1
    assert any(line.startswith("ks: no fault (without samples") for line in said)


def test_what_was_not_measured_is_named(found):
    said = " ".join(lines(found))
    assert "not measured: samples of depth" in said
    assert "r over exact" not in said


def test_columns_are_aligned(found):
    said = lines(found)
    start = said.index("") + 1
    table = said[start : said.index("", start)]
    assert len(table) == 4
    assert len({len(line) for line in table}) == 1
