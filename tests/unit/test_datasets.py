"""The data are what their documentation says, down to the physics of the molecules."""

from itertools import permutations

import numpy as np
import pytest
import torch

from eqcourse import datasets
from eqcourse.datasets import (
    DANGEROUS_DIGITS,
    check_molecule,
    conformations,
    digits,
    digits_on_photos,
    faces,
    horse,
    luggage,
    molecules,
    photos,
)

MOLECULES = molecules()
CONFORMATIONS = {name: conformations(name) for name in ("ethanol", "methylamine", "ammonia")}
each_conformations = pytest.mark.parametrize("data", CONFORMATIONS.values(), ids=CONFORMATIONS.keys())
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


def test_digits_on_photos_depend_on_seed_and_part_alone():
    one, same, other, test = (digits_on_photos(*given) for given in ((1, 9), (1, 9), (2, 9), (1, 9, "test")))
    assert all(torch.equal(a, b) for a, b in zip(one, same, strict=True))
    assert not torch.equal(one.images, other.images)
    assert not torch.equal(one.images, test.images)


def test_digits_on_photos_have_the_stated_shapes():
    images, masks, labels = digits_on_photos(0, 300, dtype=torch.float64)
    assert images.shape == (300, 3, 24, 24)
    assert images.dtype == torch.float64
    assert masks.shape == (300, 24, 24)
    assert masks.dtype == torch.bool
    assert labels.bincount().min() > 10  # all ten digits occur
    assert 0 <= images.min() < images.max() <= 1
    assert digits_on_photos(0, 1).images.shape == (1, 3, 24, 24)


@pytest.mark.parametrize(("part", "first", "last"), [("train", 0, 1199), ("test", 1200, 1796)])
def test_each_mask_is_that_of_the_labelled_digit_and_the_parts_share_none(part, first, last):
    _, masks, labels = digits_on_photos(3, 40, part)
    glyphs = torch.nn.functional.interpolate(digits().images[:, None], size=16, mode="bicubic")
    glyphs = (glyphs > 0.45).float()
    overlap = torch.nn.functional.conv2d(masks[:, None].float(), glyphs).flatten(2).amax(dim=2)  # (40, 1797)
    union = masks.sum(dim=(1, 2))[:, None] + glyphs.sum(dim=(1, 2, 3)) - overlap
    found = (overlap / union).argmax(dim=1)
    assert torch.equal(digits().labels[found], labels)
    assert ((overlap / union).amax(dim=1) > 0.999).all()
    assert first <= found.min() <= found.max() <= last


def test_digits_stand_anywhere():
    masks = digits_on_photos(0, 400).masks
    centres = torch.stack([(mask.nonzero().double().mean(dim=0)) for mask in masks])
    assert (centres.max(dim=0).values - centres.min(dim=0).values > 8).all()


def test_ink_is_dark_and_the_shadow_falls_to_the_right():
    images, masks, _ = digits_on_photos(0, 300)
    grey = images.mean(dim=1)
    right = torch.zeros_like(masks)
    right[:, 1:, 3:] = masks[:, :-1, :-3]
    left = torch.zeros_like(masks)
    left[:, 1:, :-3] = masks[:, :-1, 3:]
    assert grey[masks].mean() < 0.25
    assert grey[right & ~masks & ~left].mean() < 0.4
    assert grey[left & ~masks & ~right].mean() > 0.5


def test_what_finds_strokes_from_one_side_of_the_door_fails_from_the_other():
    # A linear map of each pixel's surroundings, fitted by least squares. A lesson needs that a convolution feels the side.
    def surroundings(images):
        patches = torch.nn.functional.unfold(images.mean(dim=1, keepdim=True), 7, padding=3).movedim(1, 2).flatten(0, 1)
        return torch.cat([patches, torch.ones(len(patches), 1)], dim=1)

    def overlap(images, masks):
        found = (surroundings(images) @ weights > 0.5)[:, 0].view_as(masks)
        return float((found & masks).sum() / (found | masks).sum())

    images, masks, _ = digits_on_photos(0, 100)
    weights = torch.linalg.lstsq(surroundings(images), masks.float().reshape(-1, 1)).solution
    images, masks, _ = digits_on_photos(1, 100, "test")
    seen, mirrored = overlap(images, masks), overlap(images.flip(-1), masks.flip(-1))
    assert seen > 0.6
    assert mirrored < seen - 0.15


@pytest.mark.parametrize(
    ("given", "message"),
    [((0, 0), "count=0; give the number"), ((0, -2), "count=-2"), ((0, 3, "validation"), "part='validation'; give")],
)
def test_impossible_digits_on_photos_are_refused(given, message):
    with pytest.raises(ValueError, match=message):
        digits_on_photos(*given)


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


@each_conformations
def test_conformations_belong_together(data):
    frames, n = len(data.energies), len(data.symbols)
    assert data.positions.shape == data.forces.shape == (frames, n, 3)
    assert data.times.shape == (frames,)
    assert {"H": 1, "C": 6, "N": 7, "O": 8}.keys() >= set(data.symbols)
    assert data.numbers.tolist() == [{"H": 1, "C": 6, "N": 7, "O": 8}[symbol] for symbol in data.symbols]
    assert data.positions.dtype == torch.float64
    assert sorted([*data.train.tolist(), *data.test.tolist()]) == list(range(frames))
    assert data.temperature == 500
    check_molecule(data.symbols, data.positions)


@each_conformations
def test_test_frames_come_after_a_gap(data):
    steps = data.times.diff()
    assert data.times[data.test].min() - data.times[data.train].max() == 1500
    assert set(steps.tolist()) == {75, 1500}


@each_conformations
def test_bonds_hold_in_all_frames_and_other_pairs_are_longer(data):
    distances = torch.cdist(data.positions, data.positions).mean(dim=0)
    bonded = torch.zeros_like(distances, dtype=torch.bool)
    for first, second in data.bonds:
        bonded[first, second] = bonded[second, first] = True
    assert len(data.bonds) == len(data.symbols) - 1  # none of these molecules has a ring
    assert distances[bonded].max() < 1.6
    assert distances[~bonded & ~torch.eye(len(distances), dtype=torch.bool)].min() > 1.6
    for first, second in data.bonds:
        length = (data.positions[:, first] - data.positions[:, second]).norm(dim=-1)
        assert length.min() > 0.8
        assert length.max() < 1.8


@each_conformations
def test_conformations_neither_push_nor_twist_the_whole(data):
    for part in (data, data.rotated, data.reflected):
        torque = torch.linalg.cross(part.positions, part.forces).sum(dim=1)
        assert part.forces.sum(dim=1).abs().max() < 1e-6
        assert torque.abs().max() < 1e-6


def test_conformations_were_checked_against_the_slope_of_the_energy():
    check = ETHANOL.provenance["check"]
    assert all(check[name]["force_plus_slope"] < 1e-6 for name in CONFORMATIONS)


@each_conformations
def test_forces_predict_how_the_energy_differs_between_close_frames(data):
    # A second look at F = −dE/dx, from the stored numbers alone: dE beside −F·dx, over the 50 closest pairs of frames.
    centred = data.positions.flatten(1)
    distances = torch.cdist(centred, centred) + torch.diag(torch.full((len(centred),), torch.inf).double())
    first = distances.min(dim=1).values.argsort()[:50]
    second = distances[first].argmin(dim=1)
    mean_force = (data.forces[first] + data.forces[second]) / 2
    predicted = -(mean_force * (data.positions[second] - data.positions[first])).sum(dim=(1, 2))
    actual = data.energies[second] - data.energies[first]
    assert float(torch.corrcoef(torch.stack([predicted, actual]))[0, 1]) > 0.95


@pytest.mark.parametrize(("kind", "determinant"), [("rotated", 1), ("reflected", -1)])
@each_conformations
def test_turned_frames_are_where_their_matrices_put_them(data, kind, determinant):
    turned = getattr(data, kind)
    one = torch.eye(3, dtype=torch.float64)
    assert torch.allclose(turned.matrices @ turned.matrices.mT, one.expand(100, 3, 3), atol=1e-12)
    assert torch.allclose(torch.linalg.det(turned.matrices), torch.full((100,), float(determinant)).double())
    assert set(turned.frames.tolist()) <= set(data.test.tolist())
    expected = data.positions[turned.frames] @ turned.matrices.mT
    assert (turned.positions - expected).abs().max() < 1e-7


@pytest.mark.parametrize("kind", ["rotated", "reflected"])
@each_conformations
def test_forces_of_turned_frames_were_computed_and_turn_along(data, kind):
    turned = getattr(data, kind)
    assert (turned.energies - data.energies[turned.frames]).abs().max() < 1e-6
    error = (turned.forces - data.forces[turned.frames] @ turned.matrices.mT).abs().max()
    assert 1e-8 < error < 1e-5  # zero would mean that stored arrows were turned


@each_conformations
def test_random_rotations_prefer_no_direction(data):
    for part, sign in ((data.rotated, 1), (data.reflected, -1)):
        # Entries of a uniform rotation have mean 0 and variance 1/3: the mean of 100 has standard deviation 0.058.
        assert part.matrices.mean(dim=0).abs().max() < 0.25
        assert abs(float((sign * part.matrices).diagonal(dim1=1, dim2=2).sum(dim=1).mean())) < 0.5


@each_conformations
def test_frames_have_about_one_orientation(data):
    aligned = (data.positions - data.positions[0]).norm(dim=-1).mean()
    turned = (data.rotated.positions - data.positions[0]).norm(dim=-1).mean()
    assert aligned < 0.75 * turned


def test_like_atoms_change_places_in_ethanol():
    # The methyl group turns: its three hydrogens take each other's places.
    data = CONFORMATIONS["ethanol"]
    nearest = torch.cdist(data.positions[:, 6:], data.positions[0, 6:]).argmin(dim=-1)
    assert all((nearest == torch.tensor(order)).all(dim=1).any() for order in ([0, 1, 2], [1, 2, 0], [2, 0, 1]))


def test_energies_are_those_of_the_method():
    # The same molecule near rest, from the other shipped file: at 500 K it lies higher, by about ½kT per vibration.
    for name in ("ethanol", "ammonia"):
        rest, data = MOLECULES[name].energies[0], CONFORMATIONS[name]
        assert rest - 0.5 < data.energies.min() < data.energies.max() < rest + 1.5


def test_a_missing_or_changed_file_of_conformations_says_how_to_get_it_back(tmp_path, monkeypatch):
    raw = datasets.CONFORMATIONS_FILE.read_bytes()
    copy = tmp_path / "conformations.npz"
    monkeypatch.setattr(datasets, "CONFORMATIONS_FILE", copy)
    with pytest.raises(FileNotFoundError, match=r"conformations\.npz.*git checkout.*make_conformations\.py"):
        conformations()
    copy.write_bytes(raw[:-1000])
    with pytest.raises(ValueError, match=r"sha256 .*make_conformations\.py"):
        conformations()
    middle = len(raw) // 2
    copy.write_bytes(raw[:middle] + bytes([raw[middle] ^ 1]) + raw[middle + 1 :])
    with pytest.raises(ValueError, match=r"sha256 .*make_conformations\.py"):
        conformations()


def test_conformations_of_an_unknown_molecule():
    with pytest.raises(ValueError, match=r"no conformations of 'benzene'.*ethanol, methylamine, ammonia"):
        conformations("benzene")


def test_float32_conformations():
    data = conformations("ammonia", dtype=torch.float32)
    assert data.positions.dtype == data.rotated.forces.dtype == torch.float32
    assert data.numbers.dtype == data.rotated.frames.dtype == torch.int64


ETHANOL = CONFORMATIONS["ethanol"]
one_frame = ETHANOL.positions[3]


@pytest.mark.parametrize(("factor", "unit"), [(0.1, "nm"), (1.8897, "bohr"), (100.0, "pm")])
@pytest.mark.parametrize("data", [*CONFORMATIONS.values(), *MOLECULES.values()])
def test_positions_in_another_unit_are_noticed(data, factor, unit):
    check_molecule(data.symbols, data.positions)
    with pytest.raises(ValueError, match=f"look like {unit}; in Å they are positions / {factor:g}"):
        check_molecule(data.symbols, data.positions * factor)


def test_positions_in_no_known_unit_are_noticed():
    with pytest.raises(ValueError, match="convert the positions to Å"):
        check_molecule(ETHANOL.symbols, one_frame * 12)


@pytest.mark.parametrize(
    ("symbols", "positions", "message"),
    [
        (["H"], torch.zeros(1, 3), "at least two atoms, got 1"),
        (ETHANOL.symbols, one_frame[:, :2], r"have the shape \(\.\.\., 9, 3\), got \(9, 2\)"),
        (ETHANOL.symbols, one_frame[:8], r"got \(8, 3\)"),
        (ETHANOL.symbols, one_frame[0], r"got \(3,\)"),
        (ETHANOL.symbols, one_frame[None][:0], r"got \(0, 9, 3\)"),
        (["C", "Xx"], one_frame[:2], "unknown chemical symbols Xx"),
        (["C", "C"], one_frame[:2] * torch.nan, "NaN or infinity"),
        (["C", "O", "C"], one_frame[[0, 2, 0]], r"atoms 0 \(C\) and 2 \(C\) of frame 0 lie on one point"),
    ],
)
def test_what_is_no_molecule_is_refused(symbols, positions, message):
    with pytest.raises(ValueError, match=message):
        check_molecule(symbols, positions)


@pytest.mark.parametrize("positions", [[[0.0, 0, 0], [1, 0, 0]], torch.tensor([[0, 0, 0], [1, 0, 0]])])
def test_positions_that_are_no_floating_point_tensor_are_refused(positions):
    with pytest.raises(TypeError, match="floating-point tensor"):
        check_molecule(["H", "H"], positions)
