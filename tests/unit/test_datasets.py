"""The data are what their documentation says, down to the physics of the molecules."""

from itertools import permutations

import numpy as np
import pytest
import torch

from eqcourse import datasets
from eqcourse.datasets import DANGEROUS_DIGITS, digits, faces, horse, luggage, molecules, photos

MOLECULES = molecules()
each_molecule = pytest.mark.parametrize("molecule", MOLECULES.values(), ids=MOLECULES.keys())


def turn(degrees: torch.Tensor) -> torch.Tensor:
    """The matrix that turns anticlockwise about the z axis."""
    c, s = torch.cos(torch.deg2rad(degrees)), torch.sin(torch.deg2rad(degrees))
    zero, one = torch.zeros_like(c), torch.ones_like(c)
    return torch.stack([c, -s, zero, s, c, zero, zero, zero, one]).reshape(3, 3)


def test_photos_are_colour_images_that_keep_their_proportions():
    for photo in photos(height=61).values():
        assert photo.shape == (3, 61, 91)
        assert photo.dtype == torch.float32
        assert 0 <= photo.min() < 0.1
        assert 0.8 < photo.max() <= 1


def test_shrinking_by_a_whole_factor_is_the_mean_over_blocks():
    full = horse()
    blocks = full.reshape(41, 8, 50, 8).mean(dim=(1, 3))
    assert torch.allclose(horse(height=41), blocks)


def test_shrinking_commutes_with_mirroring():
    full, small = photos()["temple"], photos(height=50)["temple"]
    mirrored = torch.nn.functional.interpolate(full.flip(-1)[None], size=small.shape[1:], mode="area")[0]
    assert torch.allclose(mirrored, small.flip(-1), atol=1e-6)


@pytest.mark.parametrize("height", [0, -3, 1000])
def test_an_impossible_height_is_refused(height):
    with pytest.raises(ValueError, match="give a height from 1 to 427"):
        photos(height=height)


def test_the_horse_is_one_and_its_surroundings_are_zero():
    silhouette = horse()
    assert silhouette[0, 0] == 0
    assert silhouette[164, 200] == 1  # the middle of the picture lies in its belly
    assert 0.3 < silhouette.mean() < 0.4


def test_faces_come_before_the_rest():
    images, labels = faces(dtype=torch.float64)
    assert images.dtype == torch.float64
    assert images.min() == 0
    assert images.max() == 1
    assert labels.tolist() == [1] * 100 + [0] * 100
    # A face is brighter in its middle than at its rim; a piece of background is not. This fails if the halves were swapped.
    contrast = images[:, 8:17, 8:17].mean(dim=(1, 2)) - images[:, :, [0, 24]].mean(dim=(1, 2))
    assert contrast[:100].mean() > contrast[100:].mean() + 0.05


def test_digits_are_scaled_to_the_unit_interval():
    images, labels = digits()
    assert images.shape == (1797, 8, 8)
    assert images.min() == 0
    assert images.max() == 1
    assert sorted(set(labels.tolist())) == list(range(10))


def test_luggage_depends_on_its_seed_alone():
    one, same, other = (luggage(seed, [4, 6, 9]) for seed in (1, 1, 2))
    assert all(torch.equal(a.items, b.items) for a, b in zip(one, same, strict=True))
    assert not all(torch.equal(a.items, b.items) for a, b in zip(one, other, strict=True))


def test_luggage_labels_are_those_of_the_digits():
    images, labels = digits()
    pieces = luggage(3, [1, 2, 3, 5, 8, 13] * 10)
    for piece in pieces:
        assert len(piece.items) == len(piece.dangerous)
        assert piece.dangerous.dtype == torch.bool
        assert piece.verdict is bool(piece.dangerous.any())
        assert len(torch.unique(piece.items, dim=0)) == len(piece.items)
        for item, dangerous in zip(piece.items, piece.dangerous, strict=True):
            digit = int(labels[(images == item).all(dim=(1, 2)).nonzero()[0, 0]])
            assert (digit in DANGEROUS_DIGITS) == bool(dangerous)


def test_about_half_of_the_luggage_is_safe():
    verdicts = [piece.verdict for piece in luggage(0, [6] * 200)]
    assert 70 <= sum(verdicts) <= 130


@pytest.mark.parametrize("sizes", [[3, 0], [-1], [1001]])
def test_luggage_of_an_impossible_size_is_refused(sizes):
    with pytest.raises(ValueError, match="a number of items from 1 to 1000"):
        luggage(0, sizes)


@each_molecule
def test_poses_are_turned_copies_about_the_stated_axis(molecule):
    for angle, positions in zip(molecule.angles, molecule.positions, strict=True):
        assert torch.allclose(positions, molecule.positions[0] @ turn(angle).T, atol=1e-7)
    assert torch.equal(molecule.mirrored_positions, molecule.positions[0] * torch.tensor([-1.0, 1, 1]))


@each_molecule
def test_energy_is_invariant(molecule):
    energies = torch.cat([molecule.energies, molecule.mirrored_energy[None]])
    assert energies.max() - energies.min() < 1e-6


@each_molecule
def test_forces_turn_with_the_pose(molecule):
    # Measured: at most 5e-7 eV/Å, from the convergence of the self-consistent cycle at each pose. Forces reach 3 eV/Å.
    for angle, forces in zip(molecule.angles, molecule.forces, strict=True):
        assert (forces - molecule.forces[0] @ turn(angle).T).abs().max() < 1e-5
    mirrored = molecule.forces[0] * torch.tensor([-1.0, 1, 1])
    assert (molecule.mirrored_forces - mirrored).abs().max() < 1e-5


@each_molecule
def test_forces_were_computed_and_not_turned(molecule):
    turned = torch.stack([molecule.forces[0] @ turn(angle).T for angle in molecule.angles])
    assert (molecule.forces - turned).abs().max() > 1e-8  # the file has eight decimals


@each_molecule
def test_forces_can_be_seen_and_neither_push_nor_twist_the_whole(molecule):
    assert 0.5 < molecule.forces.norm(dim=-1).max() < 5
    torque = torch.linalg.cross(molecule.positions, molecule.forces).sum(dim=1)
    assert molecule.forces.sum(dim=1).abs().max() < 1e-5
    assert torque.abs().max() < 1e-5


@each_molecule
def test_forces_are_the_slope_of_the_energy(molecule):
    check = molecule.provenance["check"]
    assert all(error < 1e-4 for name, error in check.items() if name != "what")


def best_overlay(molecule) -> float:
    """Smallest root-mean-square distance in Å between the mirror image, turned at will, and the molecule (Kabsch 1976)."""
    target, image = molecule.positions[0].numpy(), molecule.mirrored_positions.numpy()
    kinds = sorted(set(molecule.symbols))
    places = [[i for i, symbol in enumerate(molecule.symbols) if symbol == kind] for kind in kinds]
    orders = [[]]
    for place in places:
        orders = [order + list(p) for order in orders for p in permutations(place)]
    target = target[[i for place in places for i in place]]
    best = np.inf
    for order in orders:
        u, s, vt = np.linalg.svd(image[order].T @ target)
        s[-1] *= np.sign(np.linalg.det(u @ vt))
        squared = (image**2).sum() + (target**2).sum() - 2 * s.sum()
        best = min(best, max(squared, 0) / len(target))
    return float(np.sqrt(best))


@pytest.mark.parametrize("name", ["water", "ammonia", "ethanol"])
def test_the_mirror_image_of_an_achiral_molecule_can_be_turned_onto_it(name):
    assert best_overlay(MOLECULES[name]) < 1e-3


def test_the_mirror_image_of_the_chiral_molecule_cannot():
    assert best_overlay(MOLECULES["CHFClBr"]) > 0.1


def test_a_missing_file_says_how_to_get_it_back(tmp_path, monkeypatch):
    monkeypatch.setattr(datasets, "MOLECULES_FILE", tmp_path / "none.json")
    with pytest.raises(FileNotFoundError, match=r"none\.json.*git checkout.*make_molecules\.py"):
        molecules()


def test_a_changed_number_is_noticed_and_windows_line_ends_are_not(tmp_path, monkeypatch):
    original = datasets.MOLECULES_FILE.read_bytes()
    copy = tmp_path / "molecules.json"
    monkeypatch.setattr(datasets, "MOLECULES_FILE", copy)
    copy.write_bytes(original.replace(b"\n", b"\r\n"))
    assert molecules().keys() == MOLECULES.keys()
    copy.write_bytes(original.replace(b"-137.9", b"-138.9", 1))
    with pytest.raises(ValueError, match=r"sha256 .*make_molecules\.py"):
        molecules()


def test_float32_molecules():
    assert molecules(dtype=torch.float32)["water"].positions.dtype == torch.float32
