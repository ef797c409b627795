"""Other right answers for the tasks of sheet 05, and what is particular to its checks."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import numpy as np
import pytest
import torch

import eqcourse
from eqcourse.checks import find_task, verdict
from eqcourse.equivariance import equivariance_error
from eqcourse.groups import O
from eqcourse.tasks import sheet_05
from eqcourse.tasks.sheet_05 import named_energy

# ---- other right answers ------------------------------------------------------------------------------------------------


def move_by_columns(R, t, positions, energy, forces):
    return (R @ positions.T).T + t, torch.tensor(energy), (R @ forces.T).T


def move_by_loops(R, t, positions, energy, forces):
    turned = [[sum(R[a, b] * row[b] for b in range(3)) for a in range(3)] for row in positions]
    arrows = [[float(sum(R[a, b] * row[b] for b in range(3))) for a in range(3)] for row in forces]
    return [[[float(v + s) for v, s in zip(row, t, strict=True)] for row in turned], energy, arrows]


def sums_of_bumps(symbols, frames):
    """As in the lesson."""
    names = {tuple(sorted(pair)) for pair in itertools.combinations(symbols, 2)}
    rows = []
    for frame in frames:
        row = []
        for name, centre in itertools.product(sorted(names), np.linspace(0.5, 4, 8)):
            total = 0.0
            for i, j in itertools.combinations(range(len(symbols)), 2):
                if tuple(sorted([symbols[i], symbols[j]])) == name:
                    total += np.exp(-((np.linalg.norm(np.array(frame[i]) - frame[j]) - centre) ** 2))
            row.append(total)
        rows.append(row)
    return rows


def sums_of_powers(symbols, frames):
    x = torch.tensor(frames, dtype=torch.float64)
    r = torch.cdist(x, x)
    numbers = torch.tensor([ord(symbol[0]) for symbol in symbols], dtype=torch.float64)
    weights = numbers[:, None] * numbers[None]
    return torch.stack([(weights * r**k).sum((1, 2)) for k in (1, 2, 3, 4)], dim=1)


def moments_of_centred_tables(symbols, frames):
    """Lengths and inner products of centred positions, added up over atoms with weights by element."""
    rows = []
    for frame in frames:
        x = np.array(frame, dtype=float)
        x = x - x.mean(0)
        w = np.array([1.0 + "CHNO".index(symbol) for symbol in symbols])
        gram = x @ x.T
        rows.append([(w * np.diag(gram)).sum(), (w * np.diag(gram) ** 2).sum(), w @ gram @ w, w @ gram**2 @ w])
    return rows


def proof_as_a_word():
    return "BFEGAD"


def proof_as_a_tuple():
    return tuple("bfegad")


def measure_by_hand(name, R, x):
    """Forces by central differences."""
    R, x, step = np.array(R), np.array(x), 1e-5

    def energy(positions):
        return named_energy(name)(torch.tensor(positions)).item()

    def forces(positions):
        found = np.zeros_like(positions)
        for place in np.ndindex(*positions.shape):
            moved = np.zeros_like(positions)
            moved[place] = step
            found[place] = -(energy(positions + moved) - energy(positions - moved)) / (2 * step)
        return found

    difference = forces(x @ R.T) - forces(x) @ R.T
    # Differences are good to some 1e-9; the tasks' numbers are either 0 or far from it.
    return [round(abs(energy(x @ R.T) - energy(x)), 7), round(np.abs(difference).max(), 7)]


def measure_turned_back(name, R, x):
    """Turn the forces at g▷x back, and the difference forward again."""
    R, x = torch.tensor(R, dtype=torch.float64), torch.tensor(x, dtype=torch.float64)
    moved = (x @ R.T).requires_grad_()
    energy_moved = named_energy(name)(moved)
    energy_moved.backward()
    start = x.clone().requires_grad_()
    energy = named_energy(name)(start)
    energy.backward()
    back = -moved.grad @ R + start.grad
    return (energy_moved - energy).abs(), (back @ R.T).abs().max()


def arrows_in_another_basis(frames):
    """p = 1 + r, 1 − r, r² + 3, and arrows that point away from the others."""
    x = np.array(frames, dtype=float)
    sets = []
    for p in (lambda r: 1 + r, lambda r: 1 - r, lambda r: r**2 + 3):
        out = np.zeros_like(x)
        for i, j in itertools.permutations(range(x.shape[1]), 2):
            difference = x[:, i] - x[:, j]
            out[:, i] += p(np.linalg.norm(difference, axis=-1, keepdims=True)) * difference
        sets.append(out)
    return np.stack(sets)


def arrows_in_single_precision(frames):
    """torch's default type."""
    x = torch.tensor(frames)
    difference = x[:, None] - x[:, :, None]
    r = difference.norm(dim=-1, keepdim=True)
    return torch.stack([(r**k * difference).sum(2) for k in range(3)])


def arrows_as_gradients(frames):
    """Minus the gradients of sums of r², r³, r⁴."""
    sets = []
    for k in (2, 3, 4):
        x = torch.tensor(frames, dtype=torch.float64, requires_grad=True)
        i, j = torch.triu_indices(x.shape[1], x.shape[1], 1)
        energy = ((x[:, i] - x[:, j]).norm(dim=-1) ** k).sum()
        sets.append(-torch.autograd.grad(energy, x)[0])
    return torch.stack(sets)


def hands_by_volumes(a, b):
    """Signed volumes of all four atoms."""
    a, b = torch.tensor(a, dtype=torch.float64), torch.tensor(b, dtype=torch.float64)
    if not torch.allclose(torch.cdist(a, a), torch.cdist(b, b), atol=1e-6):
        return "different"
    for four in itertools.combinations(range(len(a)), 4):
        one, other = (torch.linalg.det(x[list(four[1:])] - x[four[0]]) for x in (a, b))
        if abs(one) > 1e-6:
            return "turned" if one * other > 0 else "mirrored"
    return "both"


def hands_by_trying(a, b):
    """Look for the turn that lays a on b, and the one that lays a's mirror image on b."""
    a, b = np.array(a), np.array(b)

    def fits(left):
        left, right = left - left.mean(0), b - b.mean(0)
        u, _, vt = np.linalg.svd(left.T @ right)
        turn = u @ np.diag([1, 1, np.sign(np.linalg.det(u @ vt))]) @ vt
        return np.allclose(left @ turn, right, atol=1e-6)

    found = fits(a), fits(a * [1, 1, -1])
    return {(True, True): "both", (True, False): "turned", (False, True): "mirrored"}.get(found, "different")


RIGHT = {
    "05.move": [move_by_columns, move_by_loops],
    "05.features": [sums_of_bumps, sums_of_powers, moments_of_centred_tables],
    "05.proof": [proof_as_a_word, proof_as_a_tuple],
    "05.measure": [measure_by_hand, measure_turned_back],
    "05.arrows": [arrows_in_another_basis, arrows_in_single_precision, arrows_as_gradients],
    "05.handedness": [hands_by_volumes, hands_by_trying],
}


# ---- features -------------------------------------------------------------------------------------------------------------


def rejects(task, answer):
    return all(verdict(task, answer, hidden).status in ("not yet", "error") for hidden in (False, True))


@pytest.mark.parametrize(
    "answer",
    [
        lambda symbols, frames: [[float(i)] for i, _ in enumerate(frames)],  # a number for each frame
        lambda symbols, frames: frames,
        lambda symbols, frames: [[]] * len(frames),
        lambda symbols, frames: [[float("nan")]] * len(frames),
        lambda symbols, frames: [[float("inf")]] * len(frames),
        lambda symbols, frames: sums_of_bumps(symbols, frames)[:-1],
        lambda symbols, frames: sums_of_bumps(symbols, frames)[:1] * len(frames),
        lambda symbols, frames: [[np.linalg.det(np.array(f)[:3])] for f in frames],
        # right features and a raw signed volume
        lambda symbols, frames: [
            [*row, np.linalg.det(np.array(f)[1:4] - f[0]) if len(f) > 3 else 0.0]
            for row, f in zip(sums_of_bumps(symbols, frames), frames, strict=True)
        ],
    ],
)
def test_other_features_do_not_pass(answer):
    assert rejects("05.features", answer)


def test_a_wrong_feature_names_the_two_frames():
    result = verdict("05.features", lambda symbols, frames: [np.ravel(f).tolist() for f in frames])
    assert "Frames 0 and 2" in result.message
    assert "turned about z by 90°" in result.message


def test_mutating_the_frames_is_reported():
    def answer(symbols, frames):
        frames[0][0][0] += 1
        return [[0.0]] * len(frames)

    assert "changed its input" in verdict("05.features", answer).message


def test_poses_of_one_molecule_are_poses_and_the_others_are_not():
    for symbols, poses in sheet_05._POSES.items():
        tables = {pose.words: sheet_05._sorted_by_elements(symbols.split(), np.array(pose.positions)) for pose in poses}
        for a, b in itertools.combinations(poses, 2):
            assert (a.molecule == b.molecule) == bool(np.allclose(tables[a.words], tables[b.words]))


# ---- the proof --------------------------------------------------------------------------------------------------------------


def test_a_proof_is_told_its_first_gap():
    assert "Step G does not fit yet" in verdict("05.proof", lambda: "BFGEAD").message
    assert "stops after step G" in verdict("05.proof", lambda: "BFEG").message


def test_a_proof_that_needs_an_orthogonal_matrix_is_recognised():
    assert verdict("05.proof", lambda: "BFEHD").misconception == "every matrix is orthogonal"


def test_only_one_order_is_a_proof():
    assert sum(sheet_05._kind_of_proof(list(order)) == "right" for order in itertools.permutations("ABDEFG")) == 1


@pytest.mark.parametrize("answer", ["BFEGADC", "BFEAGD", "BFEG", "", "BX", "BFC", ["BFEGAD"], 3, ["B", 2]])
def test_other_proofs_do_not_pass(answer):
    assert verdict("05.proof", lambda: answer).status == "not yet"


def test_any_proof_with_the_false_step_is_recognised():
    assert verdict("05.proof", lambda: "BFECD").misconception == "forces are invariant"


# ---- the measurement --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "answer",
    [
        lambda name, R, x: [0.0, 0.0],
        lambda name, R, x: find_task("05.measure").reference(name, R, x)[::-1],
        lambda name, R, x: find_task("05.measure").reference(name, R, x)[:1],
        lambda name, R, x: [0.0, find_task("05.measure").reference(name, R, x)[1]],
    ],
)
def test_other_measurements_do_not_pass(answer):
    assert rejects("05.measure", answer)


def test_where_the_energy_is_invariant_for_all_turns_the_forces_are_equivariant():
    V = O(3).defining()
    for name, invariant in [("repulsion", True), ("springs of length 1", True), ("springs in a gravity field", False)]:
        f = equivariance_error(lambda x, n=name: sheet_05.forces(n, x), V, V, leading=(4,))
        assert f.passed == invariant


def test_an_unknown_energy_lists_the_known_ones():
    with pytest.raises(KeyError, match="repulsion"):
        named_energy("none")


# ---- arrows -----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "answer",
    [
        lambda frames: np.zeros((3, *np.shape(frames))),
        lambda frames: [frames, frames, frames],
        lambda frames: arrows_in_another_basis(frames)[:2],
        lambda frames: arrows_in_another_basis(frames)[[0, 1, 1]],
        lambda frames: arrows_in_another_basis(frames)[[0, 1, 2, 2]],
        lambda frames: arrows_in_another_basis(frames)[0],
        lambda frames: np.full((3, *np.shape(frames)), np.nan),
        lambda frames: -arrows_in_another_basis(frames) * [[[[1.0]]], [[[2.0]]], [[[np.inf]]]],
        # The sign depends on the frame: within each frame all is well.
        lambda frames: arrows_in_another_basis(frames) * (np.arange(len(frames)) % 2 * 2 - 1)[None, :, None, None],
    ],
)
def test_other_arrows_do_not_pass(answer):
    assert rejects("05.arrows", answer)


def test_the_family_has_three_dimensions_and_is_equivariant():
    V = O(3).defining()
    for k in range(3):
        result = equivariance_error(
            lambda x, k=k: torch.tensor(sheet_05.arrows()(x[None].tolist()), dtype=x.dtype)[k, 0], V, V, leading=(4,)
        )
        assert result.passed
    for hidden in (False, True):
        for (frames,) in sheet_05._arrow_cases(hidden):
            rows = np.array(sheet_05.arrows()(frames)).reshape(3, -1)
            assert np.linalg.matrix_rank(rows) == 3


# ---- handedness ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("word", ["turned", "mirrored", "both", "different", "", None, True])
def test_one_word_for_all_does_not_pass(word):
    assert rejects("05.handedness", lambda a, b: word)


def test_a_tolerance_of_a_third_of_an_angstrom_does_not_pass():
    def answer(a, b):
        left, right = np.array(a), np.array(b)
        if not np.allclose(sheet_05._table(left), sheet_05._table(right), atol=0.3, rtol=0):
            return "different"
        return sheet_05._sign(left, right)

    assert rejects("05.handedness", answer)


def test_exact_comparison_is_told_about_rounding():
    def answer(a, b):
        left, right = np.array(a), np.array(b)
        same = (sheet_05._table(left) == sheet_05._table(right)).all()
        return sheet_05._sign(left, right) if same else "different"

    assert "up to rounding" in verdict("05.handedness", answer).message


def test_all_four_answers_occur():
    for hidden in (False, True):
        answers = {sheet_05.compare(a, b) for a, b in sheet_05._hand_cases(hidden)}
        assert answers == {"turned", "mirrored", "both", "different"}


# ---- the stored study ------------------------------------------------------------------------------------------------------------


def test_what_the_lesson_says_about_the_study():
    path = Path(eqcourse.__file__).parent / "data" / "molecule_study.json"
    for molecule, found in json.loads(path.read_text())["results"].items():
        error = {(m, w): np.median(found[m][w]) for m in found for w in ("as they are", "turned")}
        assert error["plain", "turned"] > 4 * error["plain", "as they are"]
        for m in ("distances", "sums"):
            assert error[m, "turned"] == pytest.approx(error[m, "as they are"], abs=1e-3)
        assert error["distances", "as they are"] < error["sums", "as they are"]
        assert (error["sums", "as they are"] > error["plain", "as they are"]) == (molecule == "ammonia")
