"""MNIST-1D and the study of lesson 11."""

import pytest
import torch

from eqcourse import datasets


def test_signals():
    parts = {part: datasets.mnist1d(part) for part in ("train", "test")}
    for part, number in {"train": 4000, "test": 1000}.items():
        signals, labels = parts[part]
        assert signals.shape == (number, 40)
        assert signals.isfinite().all()
        assert labels.dtype == torch.int64
        assert labels.bincount(minlength=10).min() > 0.07 * number
    assert parts["train"].signals.std().item() == pytest.approx(1, abs=0.02)
    # No signal is in both parts.
    seen = {tuple(signal) for signal in parts["train"].signals.tolist()}
    assert not any(tuple(signal) in seen for signal in parts["test"].signals.tolist())


def test_dtype():
    assert datasets.mnist1d("test", dtype=torch.float64).signals.dtype == torch.float64


def test_another_part_is_refused():
    with pytest.raises(ValueError, match='give "train" or "test"'):
        datasets.mnist1d("validation")


def test_a_changed_file_is_refused(tmp_path, monkeypatch):
    changed = tmp_path / "mnist1d.npz"
    changed.write_bytes(datasets.MNIST1D_FILE.read_bytes() + b"x")
    monkeypatch.setattr(datasets, "MNIST1D_FILE", changed)
    with pytest.raises(ValueError, match="not those that this version"):
        datasets.mnist1d("train")


def test_the_wide_network_knows_its_training_signals_and_not_the_others():
    study = {record["learner"]: record for record in datasets.shift_study()["results"]}
    wide = study["dense, equal width"]
    assert min(wide["training"]) > max(wide["as they are"]) + 0.2
    assert all(min(record["training"]) > max(record["as they are"]) for record in study.values() if record is not wide)


def test_the_circulant_network_beats_both_dense_ones_by_more_than_the_spread():
    shifted = {record["learner"]: record["shifted"] for record in datasets.shift_study()["results"]}
    spread = max(max(shares) - min(shares) for shares in shifted.values())
    for name in ("dense, equal parameters", "dense, equal width"):
        assert min(shifted["circulant"]) - max(shifted[name]) > spread
