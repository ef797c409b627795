"""The stored study of lesson 18: its file, and what the lesson says about it."""

import pytest

from eqcourse import datasets


def shares(name, on, angle):
    runs = datasets.rotation_study()["learners"][name][on]
    return [run["any"] if angle == "any" else run["at"][angle] for run in runs]


def test_five_seeds_and_about_equal_weights():
    study = datasets.rotation_study()
    weights = [record["weights"] for record in study["learners"].values()]
    assert max(weights) < 1.25 * min(weights)
    for name in study["learners"]:
        for on in ("upright", "turned"):
            assert len(shares(name, on, "any")) == 5
            assert all(0 < share <= 1 for angle in study["angles"] for share in shares(name, on, str(angle)))


@pytest.mark.parametrize("name", ["C_4", "SO(2)"])
@pytest.mark.parametrize("on", ["upright", "turned"])
def test_quarter_turns_change_nothing(name, on):
    for angle in ("90", "180", "270"):
        assert shares(name, on, angle) == pytest.approx(shares(name, on, "0"), abs=2 / 600)


def ahead(better, other, on):
    """By how much the worst of one is ahead of the best of the other, and the larger spread."""
    a, b = shares(better, on, "any"), shares(other, on, "any")
    return min(a) - max(b), max(max(a) - min(a), max(b) - min(b))


def test_trained_upright_each_step_gains_more_than_twice_the_spread():
    for better, other in [("C_4", "plain"), ("SO(2)", "C_4"), ("SO(2)", "plain")]:
        gap, spread = ahead(better, other, "upright")
        assert gap > 2 * spread
    assert max(shares("C_4", "upright", "45")) < 0.3


def test_trained_on_turned_digits_c4_is_not_ahead_by_more_than_the_spread():
    gap, spread = ahead("C_4", "plain", "turned")
    assert gap < spread
    gap, spread = ahead("SO(2)", "plain", "turned")
    assert gap > spread


def test_upright_the_plain_network_is_best():
    assert min(shares("plain", "upright", "0")) > max(shares("C_4", "upright", "0") + shares("SO(2)", "upright", "0"))


def test_a_changed_file_is_refused(tmp_path, monkeypatch):
    changed = tmp_path / "rotation_study.json"
    changed.write_bytes(datasets.ROTATION_STUDY_FILE.read_bytes() + b"x")
    monkeypatch.setattr(datasets, "ROTATION_STUDY_FILE", changed)
    with pytest.raises(ValueError, match="not those that this version"):
        datasets.rotation_study()
