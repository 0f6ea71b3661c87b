import pytest

from massgan_core.gan.config import RunConfig, presets, read_config, updated


@pytest.mark.parametrize("name", presets())
def test_presets_are_whole(name):
    config = read_config(name)
    assert updated(RunConfig(), config.to_dict()) == config


def test_overrides_reach_nested_settings():
    config = read_config("tiny", ["train.seed=7", "train.adversarial.lr=1", "data.depth=[5, 9]"])
    assert config.train.seed == 7
    assert config.train.adversarial.lr == 1.0
    assert config.data.depth == (5, 9)
    assert read_config("tiny", ["train.precision=fp32"]).train.precision == "fp32"


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("train.sed=1", "unknown setting 'train.sed'; did you mean train.seed"),
        ("train.seed=x", "`train.seed` must be a int"),
        ("train=3", "`train` must be a section"),
        ("seed", "a setting must look like"),
    ],
)
def test_bad_settings_are_refused(override, message):
    with pytest.raises(ValueError, match=message):
        read_config("tiny", [override])


def test_unknown_presets_list_the_known():
    with pytest.raises(ValueError, match="default, gpu-hour, mmgan-paper, tiny"):
        read_config("huge")
