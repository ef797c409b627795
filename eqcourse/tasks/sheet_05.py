"""Lesson and sheet 05: molecules and rotations."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from ..checks import FunctionTask, Malformed, Misconception, ValueTask, Wrong, show

Rows = list[list[float]]


def _tensor(x: Any) -> Tensor:
    return torch.as_tensor(x, dtype=torch.float64)


QUARTER_X = [[1.0, 0.0, 0.0], [0.0, 0.0, -1.0], [0.0, 1.0, 0.0]]
QUARTER_Z = [[0.0, -1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]
MIRROR = [[-1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]
#: A rotation with fractions that are exact enough to read: columns of length 1, at right angles.
TILTED = [[0.8, 0.0, 0.6], [0.36, 0.8, -0.48], [-0.48, 0.6, 0.64]]


# ---- in the lesson: move a molecule -------------------------------------------------------------------------------------

Move = Callable[[Tensor, Tensor, Tensor, float, Tensor], list[Any]]


def moved(turn: Callable[[Tensor, Tensor, Tensor], Tensor] = lambda F, R, t: F @ R.T) -> Move:
    """New positions, energy and forces, where ``turn(F, R, t)`` says what becomes of the forces."""
    return lambda R, t, positions, energy, forces: [positions @ R.T + t, energy, turn(forces, R, t)]


def _move_cases(hidden: bool) -> list[tuple[Any, ...]]:
    def case(R: Any, t: Any, positions: Any, energy: float, forces: Any) -> tuple[Any, ...]:
        return _tensor(R), _tensor(t), _tensor(positions), energy, _tensor(forces)

    pair, pulls = [[0, 0, 0], [1, 0, 0]], [[3, 0, 0], [-3, 0, 0]]
    three, arrows = [[0, 0, 0], [1, 0, 0], [0, 2, 0]], [[1, 2, 3], [-1, 0, 1], [0, -2, -4]]
    if hidden:
        return [
            case(QUARTER_X, [0, 0, 0], pair, -3.0, [[0, 1, 2], [0, -1, -2]]),
            case(TILTED, [0, -1, 2], three, 0.5, arrows),
            case(MIRROR, [1, 1, 0], three, 7.0, arrows),
        ]
    return [
        case(QUARTER_Z, [5, 0, 0], pair, -2.0, pulls),
        case(MIRROR, [0, 0, 0], pair, -2.0, pulls),
        case(QUARTER_X, [0, 1, 0], three, 4.0, arrows),
    ]


# ---- task 1: invariant features ---------------------------------------------------------------------------------------


class Pose(NamedTuple):
    """Positions, in words how they came about, and the number of the molecule that they show."""

    words: str
    molecule: int
    positions: Rows


def _poses(x: Rows, like: tuple[int, int], others: dict[str, Rows], t: list[float]) -> list[Pose]:
    """One molecule in several poses, and other molecules; ``like`` are two atoms of one element."""
    base = np.array(x, dtype=float)
    order = list(range(len(x)))
    order[like[0]], order[like[1]] = like[1], like[0]
    made = {
        "as it is": base,
        "turned about z by 90°": base @ np.array(QUARTER_Z).T,
        "moved": base + np.array(t),
        "turned about x by 90°": base @ np.array(QUARTER_X).T,
        "mirrored": base @ np.array(MIRROR).T,
        f"with atoms {like[0]} and {like[1]}, which are alike, renumbered": base[order],
    }
    poses = [Pose(words, 0, positions.tolist()) for words, positions in made.items()]
    tail = [Pose(words, 1 + number, positions) for number, (words, positions) in enumerate(others.items())]
    return [poses[0], *tail[:1], *poses[1:4], *tail[1:], *poses[4:]]


_WATER = [[0.0, 0.0, 0.0], [1.0, 0.0, 0.0], [0.0, 2.0, 0.0]]
_AMINE = [[0.0, 0.0, 0.0], [2.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 1.0, 3.0]]

#: symbols -> poses, for the open and for the hidden check
_OPEN = {
    "O H H": _poses(
        _WATER,
        (1, 2),
        {
            "another angle between the bonds": [[0.0, 0.0, 0.0], [1.0, 0.0, 0.0], [-1.2, 1.6, 0.0]],
            "the oxygen where a hydrogen was": [[1.0, 0.0, 0.0], [0.0, 0.0, 0.0], [0.0, 2.0, 0.0]],
        },
        [5.0, 0.0, 1.0],
    ),
    # Not flat; in the first other one all distances to the centre are as they were.
    "O C H H": _poses(
        [[3.0, 0.0, 1.0], [-3.0, 0.0, 1.0], [0.8, 0.6, -1.0], [-0.8, -0.6, -1.0]],
        (2, 3),
        {
            "the hydrogens turned, with the same distances to the centre": [
                [3.0, 0.0, 1.0],
                [-3.0, 0.0, 1.0],
                [0.0, 1.0, -1.0],
                [0.0, -1.0, -1.0],
            ],
            "the oxygen and a hydrogen exchanged": [
                [0.8, 0.6, -1.0],
                [-3.0, 0.0, 1.0],
                [3.0, 0.0, 1.0],
                [-0.8, -0.6, -1.0],
            ],
        },
        [0.0, 2.0, -4.0],
    ),
}
_HIDDEN = {
    "N C H H": _poses(
        _AMINE,
        (2, 3),
        {
            "other angles between the bonds": [[0.0, 0.0, 0.0], [0.0, 2.0, 0.0], [0.0, 1.0, 0.0], [0.0, 1.0, 3.0]],
            "two different atoms exchanged": [[2.0, 0.0, 0.0], [0.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 1.0, 3.0]],
        },
        [0.0, -3.0, 4.0],
    ),
    "C O O": _poses(
        [[0.0, 0.0, 0.0], [3.0, 0.0, 0.0], [0.0, 1.0, 0.0]],
        (1, 2),
        {
            "another angle between the bonds": [[0.0, 0.0, 0.0], [3.0, 0.0, 0.0], [0.6, 0.8, 0.0]],
            "the carbon where an oxygen was": [[3.0, 0.0, 0.0], [0.0, 0.0, 0.0], [0.0, 1.0, 0.0]],
        },
        [1.0, 1.0, 1.0],
    ),
    "N C O O": _poses(
        [[0.0, 2.0, 1.0], [0.0, -2.0, 1.0], [0.6, 0.8, -1.0], [-0.6, -0.8, -1.0]],
        (2, 3),
        {
            "two atoms turned, with the same distances to the centre": [
                [0.0, 2.0, 1.0],
                [0.0, -2.0, 1.0],
                [0.96, 0.28, -1.0],
                [-0.96, -0.28, -1.0],
            ],
            "the nitrogen and an oxygen exchanged": [
                [0.6, 0.8, -1.0],
                [0.0, -2.0, 1.0],
                [0.0, 2.0, 1.0],
                [-0.6, -0.8, -1.0],
            ],
        },
        [3.0, 0.0, 2.0],
    ),
}
_POSES = _OPEN | _HIDDEN


def _feature_cases(hidden: bool) -> list[tuple[Any, ...]]:
    return [
        (symbols.split(), [p.positions for p in poses]) for symbols, poses in (_HIDDEN if hidden else _OPEN).items()
    ]


def _of_each(row: Callable[[list[str], np.ndarray], Any]) -> Callable[[list[str], list[Rows]], Rows]:
    """A row of features for each frame."""
    return lambda symbols, frames: [
        np.ravel(row(symbols, np.array(frame, dtype=float))).astype(float).tolist() for frame in frames
    ]


def _pairs(x: np.ndarray) -> list[tuple[int, int, float]]:
    return [(i, j, float(np.linalg.norm(x[i] - x[j]))) for i, j in itertools.combinations(range(len(x)), 2)]


def _sorted_by_elements(symbols: list[str], x: np.ndarray) -> list[float]:
    """The distances, sorted, of each two elements in turn."""
    return [r for _, r in sorted(("-".join(sorted([symbols[i], symbols[j]])), r) for i, j, r in _pairs(x))]


def _aligned(symbols: list[str], x: np.ndarray) -> np.ndarray:
    """Atom 0 at the origin and, by the shortest turn, atom 1 on the x axis."""
    x = x - x[0]
    u, e = x[1] / np.linalg.norm(x[1]), np.array([1.0, 0.0, 0.0])
    axis, cosine = np.cross(u, e), float(u @ e)
    if cosine < -1 + 1e-9:
        return x * np.array([-1.0, -1.0, 1.0])
    cross = np.array([[0, -axis[2], axis[1]], [axis[2], 0, -axis[0]], [-axis[1], axis[0], 0]])
    return np.asarray(x @ (np.eye(3) + cross + cross @ cross / (1 + cosine)).T)


def _rows_of_features(got: Any, count: int) -> np.ndarray | None:
    try:
        rows = np.array(got, dtype=float)
    except (TypeError, ValueError):
        return None
    if rows.ndim == 1 and rows.shape == (count,):
        rows = rows[:, None]
    good = rows.ndim == 2 and len(rows) == count and rows.shape[1] > 0
    return rows if good and np.isfinite(rows).all() else None


def _close(a: np.ndarray, b: np.ndarray) -> bool:
    return bool(np.abs(a - b).max() <= 1e-6 * max(1.0, np.abs(a).max()))


def _accept_features(args: tuple[Any, ...], got: Any, expected: Any) -> None:
    symbols, frames = args
    poses = _POSES[" ".join(symbols)]
    rows = _rows_of_features(got, len(frames))
    if rows is None:
        raise Malformed(
            f"features({show(symbols)}, {len(frames)} frames) gave {show(got)}; expected {len(frames)} rows of finite "
            "numbers, one for each frame, of one length"
        )
    for (i, a), (j, b) in itertools.combinations(enumerate(poses), 2):
        shown = f"  frame {i}: {show(a.positions)}\n  frame {j}: {show(b.positions)}"
        if a.molecule == b.molecule and not _close(rows[i], rows[j]):
            raise Wrong(
                f"Frames {i} and {j} of {' '.join(symbols)} show one molecule, {a.words} and {b.words}, but their "
                f"rows differ by {np.abs(rows[i] - rows[j]).max():.2g}.\n{shown}"
            )
        if a.molecule != b.molecule and np.abs(rows[i] - rows[j]).max() < 1e-3:
            raise Wrong(
                f"Frames {i} and {j} of {' '.join(symbols)} are different molecules ({b.words}), but their rows agree: "
                f"the features cannot tell them apart.\n{shown}"
            )


def _pattern(rows: Any) -> list[int] | None:
    """For each row the number of the first row that agrees with it: what the features tell apart."""
    array = _rows_of_features(rows, len(rows)) if isinstance(rows, list) else None
    if array is None:
        return None
    return [next(i for i in range(len(array)) if _close(array[i], row)) for row in array]


def _tell_the_same_apart(a: Any, b: Any) -> bool:
    one = _pattern(a)
    return one is not None and one == _pattern(b)


# ---- task 2: a proof ---------------------------------------------------------------------------------------------------

#: The lesson's proof with an invertible matrix M in place of an orthogonal one.
STEPS: dict[str, str] = {
    "A": "(Mᵀ)⁻¹Mᵀ = 1. So ∇E(Mx) = (Mᵀ)⁻¹ ∇E(x).",
    "B": "E is left alone by M: E(Mx) = E(x) for all x.",
    "C": "The two sides are equal, so ∇E(Mx) = ∇E(x).",
    "D": "Multiply by −1: F(Mx) = (Mᵀ)⁻¹ F(x).",
    "E": "On the left the chain rule brings out Mᵀ, so Mᵀ ∇E(Mx) = ∇E(x).",
    "F": "Take the gradient of both sides with respect to x.",
    "G": "Multiply both sides by (Mᵀ)⁻¹, from the left.",
    "H": "Multiply both sides by M, from the left. MMᵀ = 1, so ∇E(Mx) = M ∇E(x).",
}
_PROOF = ["B", "F", "E", "G", "A", "D"]


def proof() -> list[str]:
    return list(_PROOF)


def _letters(got: Any) -> list[str] | None:
    if isinstance(got, str):
        got = [letter for letter in got if letter.isalpha()]
    if not isinstance(got, list) or not got or not all(isinstance(letter, str) for letter in got):
        return None
    letters = [letter.strip().upper() for letter in got]
    return letters if all(letter in STEPS for letter in letters) else None


def _kind_of_proof(got: Any) -> str:
    letters = _letters(got)
    if letters is None:
        return "no proof"
    if letters == _PROOF:
        return "right"
    if "C" in letters:
        return "distractor"
    if "H" in letters:
        return "orthogonal"
    if letters[0] == "D":
        return "circular"
    if len(letters) < len(_PROOF) and letters == [letter for letter in _PROOF if letter in letters]:
        return "gap"
    return "order"


def _accept_proof(args: tuple[Any, ...], got: Any, expected: Any) -> None:
    letters = _letters(got)
    if letters is None:
        raise Malformed(f"proof() gave {show(got)}; expected a list of letters from A to H, such as ['A', 'B']")
    if _kind_of_proof(letters) == "right":
        return
    good = len(list(itertools.takewhile(lambda pair: pair[0] == pair[1], zip(letters, _PROOF, strict=False))))
    if good == len(letters):
        raise Wrong(f"The proof stops after step {letters[-1]}: that is not yet the end.")
    raise Wrong(f"Step {letters[good]} does not fit yet where you put it.")


def _same_kind_of_proof(a: Any, b: Any) -> bool:
    return _kind_of_proof(a) == _kind_of_proof(b)


# ---- task 3: measure ---------------------------------------------------------------------------------------------------


def _lengths(x: Tensor) -> Tensor:
    i, j = torch.triu_indices(len(x), len(x), 1)
    return (x[i] - x[j]).norm(dim=-1)


#: Energies by name: positions (n, 3) -> a number in a tensor. No two atoms may lie on one point.
ENERGIES: dict[str, Callable[[Tensor], Tensor]] = {
    "springs of length 1": lambda x: ((_lengths(x) - 1) ** 2).sum(),
    "repulsion": lambda x: (1 / _lengths(x)).sum(),
    "springs in a gravity field": lambda x: ((_lengths(x) - 1) ** 2).sum() + 2 * x[:, 2].sum(),
    "springs along the axes": lambda x: ((x[1:] - x[:-1]).abs() ** 3).sum(),
    "a bowl around the origin": lambda x: (x**2).sum() / 2,
}


def named_energy(name: str) -> Callable[[Tensor], Tensor]:
    """An energy by name: a function of positions (n, 3). Raises KeyError that lists the names.

    >>> named_energy("a bowl around the origin")(torch.tensor([[3.0, 0.0, 4.0]])).item()
    12.5
    """
    if name not in ENERGIES:
        raise KeyError(f"there is no energy named {name!r}; there are: {', '.join(ENERGIES)}")
    return ENERGIES[name]


def forces(name: str, x: Tensor) -> Tensor:
    x = x.detach().clone().requires_grad_()
    return -torch.autograd.grad(named_energy(name)(x), x)[0]


def measured(
    paths: Callable[[str, Tensor, Tensor], tuple[Tensor, Tensor]] = lambda name, R, x: (
        forces(name, x @ R.T),
        forces(name, x) @ R.T,
    ),
    turn: Callable[[Tensor, Tensor], Tensor] = lambda R, x: x @ R.T,
) -> Callable[[str, Rows, Rows], list[float]]:
    """The change of the energy and the largest difference of the forces along two paths."""

    def measure(name: str, R: Rows, x: Rows) -> list[float]:
        rotation, positions = _tensor(R), _tensor(x)
        change = named_energy(name)(turn(rotation, positions)) - named_energy(name)(positions)
        left, right = paths(name, rotation, positions)
        return [change.abs().item(), (left - right).abs().max().item()]

    return measure


def _measure_cases(hidden: bool) -> list[tuple[Any, ...]]:
    pair, three = [[0.0, 0.0, 0.0], [0.0, 0.0, 3.0]], [[0.0, 0.0, 0.0], [1.0, 0.0, 0.0], [0.0, 2.0, 2.0]]
    if hidden:
        return [
            ("repulsion", QUARTER_Z, three),
            ("springs in a gravity field", QUARTER_X, three),
            ("springs along the axes", TILTED, pair),
            ("a bowl around the origin", TILTED, three),
            ("springs of length 1", MIRROR, three),
            ("springs in a gravity field", TILTED, three),
        ]
    return [
        ("springs of length 1", QUARTER_X, pair),
        ("springs in a gravity field", QUARTER_X, pair),
        ("repulsion", MIRROR, three),
        ("a bowl around the origin", QUARTER_Z, three),
        ("springs in a gravity field", TILTED, three),
        ("springs along the axes", TILTED, three),
    ]


# ---- task 4: a pair-wise vector model -----------------------------------------------------------------------------------


def arrows(
    term: Callable[[Tensor, Tensor, Tensor, int], Tensor] = lambda difference, r, x, k: r**k * difference,
) -> Callable[[list[Rows]], list[Any]]:
    """Three sets of arrows for each frame, sums over the other atoms; the variants are what misconceptions compute."""

    def model(frames: list[Rows]) -> list[Any]:
        x = _tensor(frames)
        difference = x[:, None] - x[:, :, None]  # (m, i, j, 3): x_j − x_i
        r = difference.norm(dim=-1, keepdim=True)
        others = (1 - torch.eye(x.shape[1], dtype=x.dtype))[None, :, :, None]
        r = r + (1 - others)  # of an atom with itself: 1 instead of 0, and left out of the sums
        terms = [(others * term(difference, r, x, k)).sum(2) for k in range(3)]
        result: list[Any] = torch.stack(terms).tolist()
        return result

    return model


def _next_atom(frames: list[Rows]) -> list[Any]:
    x = _tensor(frames)
    difference = x.roll(-1, 1) - x
    r = difference.norm(dim=-1, keepdim=True)
    result: list[Any] = torch.stack([r**k * difference for k in range(3)]).tolist()
    return result


def _arrow_matrix(got: Any, frames: int, atoms: int) -> np.ndarray | None:
    """As many rows as sets of arrows, each with all its numbers; None if the form is another."""
    try:
        array = np.array(got, dtype=float)
    except (TypeError, ValueError):
        return None
    good = array.ndim == 4 and array.shape[1:] == (frames, atoms, 3) and np.isfinite(array).all()
    return array.reshape(len(array), -1) if good else None


def _rank(rows: np.ndarray) -> int:
    # Answers in float32 are off by some 1e-6 of their size.
    sizes = np.linalg.norm(rows, axis=1)
    return int(np.linalg.matrix_rank(rows[sizes > 0] / sizes[sizes > 0, None], tol=1e-4)) if (sizes > 0).any() else 0


def _accept_arrows(args: tuple[Any, ...], got: Any, expected: Any) -> None:
    frames = args[0]
    shape = (len(frames), len(frames[0]))
    call = f"arrows({show(frames)})"
    mine, right = _arrow_matrix(got, *shape), _arrow_matrix(expected, *shape)
    assert right is not None
    if mine is None:
        hint = ""
        if "nan" in str(got):
            hint = ". NaN is 0/0 or a root's slope: leave out j = i"
        raise Malformed(
            f"{call} gave {show(got)}; expected the shape (3, {shape[0]}, {shape[1]}, 3), finite numbers{hint}"
        )
    for number, row in enumerate(mine):
        if _rank(np.vstack([right, row])) > _rank(right):
            raise Wrong(
                f"{call}\n  set {number} of arrows for frame 0 is {show(row.reshape(*shape, 3)[0].tolist())}: no polynomial "
                "p of degree ≤ 2 gives these sets of arrows for all frames"
            )
    if _rank(mine) < _rank(right) or len(mine) != 3:
        raise Wrong(f"{call}\n  you give {len(mine)} sets with {_rank(mine)} of 3 dimensions")


def _same_arrows(a: Any, b: Any) -> bool:
    try:
        one, other = np.array(a, dtype=float), np.array(b, dtype=float)
    except (TypeError, ValueError):
        return False
    if one.ndim != 4 or one.shape != other.shape or not (np.isfinite(one).all() and np.isfinite(other).all()):
        return False
    one, other = one.reshape(len(one), -1), other.reshape(len(other), -1)
    return _rank(one) == _rank(other) == _rank(np.vstack([one, other]))


def _arrow_cases(hidden: bool) -> list[tuple[Any, ...]]:
    def with_poses(x: Rows, t: list[float], R: Rows) -> list[Rows]:
        turned: Rows = (np.array(x) @ np.array(R).T).tolist()
        carried: Rows = (np.array(x) + np.array(t)).tolist()
        return [x, turned, carried]

    # Three atoms with three different distances, so that the three weights can be told apart.
    flat = [[0.0, 0.0, 0.0], [1.0, 0.0, 0.0], [0.0, 2.0, 0.0]]
    four = [[0.0, 0.0, 0.0], [1.0, 0.0, 0.0], [0.0, 2.0, 0.0], [1.0, 1.0, 3.0]]
    if hidden:
        return [(with_poses(four, [0.0, 1.0, 5.0], TILTED),), (with_poses(four[::-1], [2.0, 0.0, 0.0], MIRROR),)]
    # Two frames of three atoms, then three frames of four: the axes of the answer have different lengths.
    return [(with_poses(flat, [5.0, 0.0, 0.0], QUARTER_Z)[::2],), (with_poses(four, [0.0, 3.0, 0.0], QUARTER_X),)]


# ---- task 5: handedness ------------------------------------------------------------------------------------------------


def _table(x: np.ndarray) -> np.ndarray:
    return np.asarray(np.linalg.norm(x[:, None] - x[None], axis=-1))


def _volume(x: np.ndarray) -> float:
    return float(np.linalg.det((x[1:4] - x[0]).T))


def compare(a: Rows, b: Rows) -> str:
    """By distances, and by the determinant of the matrix that leads from the one to the other."""
    left, right = np.array(a, dtype=float), np.array(b, dtype=float)
    if not np.allclose(_table(left), _table(right)):
        return "different"
    return _sign(left, right)


def _accept_comparison(args: tuple[Any, ...], got: Any, expected: Any) -> None:
    call = f"compare({show(args[0])}, {show(args[1])})"
    if not isinstance(got, str) or got not in ("turned", "mirrored", "both", "different"):
        raise Malformed(f'{call} gave {show(got)}; expected "turned", "mirrored", "both" or "different"')
    if got != expected:
        hint = "\n  (distances agree up to rounding only: compare with np.allclose)" if got == "different" else ""
        raise Wrong(f"{call}\n  gave     {got}\n  expected {expected}{hint}")


def _distances_only(a: Rows, b: Rows) -> str:
    return "turned" if compare(a, b) != "different" else "different"


def _sign(a: np.ndarray, b: np.ndarray) -> str:
    """Turned, mirrored or both, for positions with the same distances."""
    u, sizes, vt = np.linalg.svd((a - a.mean(0)).T @ (b - b.mean(0)))
    if sizes[-1] < 1e-9 * sizes[0]:
        return "both"
    return "turned" if np.linalg.det(u @ vt) > 0 else "mirrored"


def _from_first_atom(a: Rows, b: Rows) -> str:
    left, right = np.array(a, dtype=float), np.array(b, dtype=float)
    if not np.allclose(_table(left)[0], _table(right)[0]):
        return "different"
    return _sign(left, right)


def _first_four(a: Rows, b: Rows) -> str:
    left, right = np.array(a, dtype=float), np.array(b, dtype=float)
    return "different" if compare(a, b) == "different" else _sign(left[:4], right[:4])


def _never_both(a: Rows, b: Rows) -> str:
    found = compare(a, b)
    return "mirrored" if found == "both" else found


def _volume_only(a: Rows, b: Rows) -> str:
    one, other = _volume(np.array(a, dtype=float)), _volume(np.array(b, dtype=float))
    same, opposite = np.isclose(one, other), np.isclose(one, -other)
    return "both" if same and opposite else "turned" if same else "mirrored" if opposite else "different"


def _coordinates_only(a: Rows, b: Rows) -> str:
    left, right = np.array(a, dtype=float), np.array(b, dtype=float)
    left, right = left - left.mean(0), right - right.mean(0)
    same = np.allclose(left, right)
    opposite = any(np.allclose(left * flip, right) for flip in 1 - 2 * np.eye(3))
    return "both" if same and opposite else "turned" if same else "mirrored" if opposite else "different"


def _opposite(a: Rows, b: Rows) -> str:
    found = compare(a, b)
    return {"turned": "mirrored", "mirrored": "turned"}.get(found, found)


def _hand_cases(hidden: bool) -> list[tuple[Any, ...]]:
    chiral = np.array([[0, 0, 0], [1, 0, 0], [0, 2, 0], [0, 0, 3]], dtype=float)
    other = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 6]], dtype=float)
    flat = np.array([[0, 0, 0], [1, 0, 0], [0, 2, 0], [3, 1, 0]], dtype=float)
    # Same distances to atom 0 as in the chiral one, another angle; and one atom a little further out.
    bent = np.array([[0, 0, 0], [1, 0, 0], [1.2, 1.6, 0], [0, 0, 3]], dtype=float)
    longer = chiral + np.array([[0, 0, 0], [0, 0, 0], [0, 0, 0], [0, 0, 0.1]])
    # The first four atoms are flat, and the fifth is not in their plane.
    late = np.vstack([flat, [[1.0, 1.0, 2.0]]])
    tilted, quarter, mirror = np.array(TILTED), np.array(QUARTER_X), np.array(MIRROR)
    if hidden:
        chiral, bent, longer = (np.vstack([x, [[2.0, 2.0, 1.0]]]) for x in (chiral, bent, longer))
        bent[4] = [2.0, -2.0, 1.0]
        pairs = [
            (chiral, chiral @ tilted.T - 1),
            (chiral, chiral @ (tilted @ mirror).T),
            (chiral, -chiral),
            (late, late @ mirror.T + 2),
            (late, late @ quarter.T),
            (flat, flat @ tilted.T + 1),
            (other, np.vstack([chiral[:4]])),
            (flat, 2 * flat),
            (chiral, bent @ quarter.T),
            (chiral, longer @ tilted.T),
        ]
    else:
        pairs = [
            (chiral, chiral + 5),
            (chiral, chiral @ mirror.T),
            (chiral, chiral @ tilted.T),
            (chiral, chiral @ (tilted @ mirror).T + 1),
            (chiral, -chiral),
            (flat, flat @ quarter.T),
            (chiral, other),
            (chiral, bent),
            (chiral, longer),
            (late, late @ quarter.T),
            (late, late @ mirror.T + 2),
        ]
    return [(a.round(9).tolist(), b.round(9).tolist()) for a, b in pairs]


TASKS = [
    ValueTask(
        id="05.recall-1",
        outcome="recall lesson 04",
        minutes=1,
        accepted=(5,),
        why="Mirroring the kernel exchanges its first and its last weight: they have to be equal.",
        feedback={
            -5: "That kernel changes its sign under the mirror. To be its own mirror image it needs equal weights.",
            2: "The middle weight stays in the middle. Which two exchange places?",
        },
    ),
    ValueTask(
        id="05.recall-2",
        outcome="recall lesson 01",
        minutes=1,
        accepted=([-1, 2],),
        why="[x, y] goes to [−y, x]: a quarter turn against the clock.",
        feedback={
            (1, -2): "That is the clockwise turn.",
            (1, 2): "That exchanges the coordinates: a reflection. Mind the sign.",
        },
    ),
    FunctionTask(
        id="05.move",
        outcome="turn and move a molecule with its energy and its forces",
        minutes=4,
        name="move",
        reference=moved(),
        cases=_move_cases,
        shown="Positions are turned and moved, forces are turned, and the energy is left alone: also by a reflection.",
        misconceptions=(
            Misconception(
                "rotating positions but not forces",
                moved(lambda F, R, t: F),
                "You turn the positions and leave the forces as they were: they now pull in wrong directions. A force is a vector: "
                "it turns along, F @ R.T.",
            ),
            Misconception(
                "forces are moved like positions",
                moved(lambda F, R, t: F @ R.T + t),
                "You add t to the forces. A translation moves places. A force is an arrow, the same one elsewhere.",
            ),
            Misconception(
                "the inverse turns the forces",
                moved(lambda F, R, t: F @ R),
                "You turn the forces by the inverse, Rᵀ. Each row is turned like a row of the positions: F @ R.T.",
            ),
            Misconception(
                "a reflection flips the energy",
                lambda R, t, x, energy, F: [x @ R.T + t, energy * torch.linalg.det(R), F @ R.T],
                "You multiply the energy by det R. The energy is a scalar: mirror images have the same one.",
            ),
            Misconception(
                "a reflection flips the forces once more",
                moved(lambda F, R, t: torch.linalg.det(R) * F @ R.T),
                "You multiply the forces by det R. R alone turns or reflects an arrow: F @ R.T.",
            ),
            Misconception(
                "moves first and turns then",
                lambda R, t, x, energy, F: [(x + t) @ R.T, energy, F @ R.T],
                "You move by t and turn then, so that R turns t as well. Turn first: positions @ R.T + t.",
            ),
        ),
    ),
    FunctionTask(
        id="05.features",
        outcome="build features that are invariant and still tell molecules apart",
        points=4,
        minutes=20,
        name="features",
        reference=_of_each(_sorted_by_elements),
        cases=_feature_cases,
        accept=_accept_features,
        same=_tell_the_same_apart,
        shown="Turned, mirrored, moved and renumbered copies have equal features, and different molecules do not.",
        misconceptions=(
            Misconception(
                "centring gives rotation invariance",
                _of_each(lambda symbols, x: x - x.mean(0)),
                "Your features survive translations only. Centring takes the molecule to the origin; there it is still turned. "
                "Use what no rotation changes: distances.",
            ),
            Misconception(
                "invariance by aligning one atom",
                _of_each(_aligned),
                "Your features survive some turns and not all: with one atom put onto an axis, the molecule can still spin about "
                "that axis. Distances need no axes.",
            ),
            Misconception(
                "like atoms keep their numbers",
                _of_each(lambda symbols, x: [r for _, _, r in _pairs(x)]),
                "Your features depend on the order in which like atoms are listed. Add up a function of the distances over "
                "all pairs of the same two elements, or sort them.",
            ),
            Misconception(
                "all atoms are alike",
                _of_each(lambda symbols, x: sorted(r for _, _, r in _pairs(x))),
                "Your features do not look at the elements: a molecule with two different atoms exchanged gets the same row. "
                "Keep the pairs of each two elements apart.",
            ),
            Misconception(
                "distances to one atom are enough",
                _of_each(lambda symbols, x: [r for _, r in sorted((symbols[j], r) for i, j, r in _pairs(x) if i == 0)]),
                "You use distances to the first atom only. They do not change if the angle between two bonds does: "
                "use the distances of all pairs.",
            ),
            Misconception(
                "distances to the centre are enough",
                _of_each(
                    lambda symbols, x: [
                        r for _, r in sorted(zip(symbols, np.linalg.norm(x - x.mean(0), axis=1).tolist(), strict=True))
                    ]
                ),
                "You use distances to the centre only. They do not change if two atoms turn about the centre and the others stay: "
                "use the distances of all pairs.",
            ),
            Misconception(
                "invariant is enough",
                _of_each(lambda symbols, x: [0.0]),
                "All frames have the same features. That is invariant, and useless: different molecules have to differ.",
            ),
        ),
    ),
    FunctionTask(
        id="05.proof",
        outcome="prove how the forces of an invariant energy transform, and see where orthogonality was used",
        points=3,
        minutes=8,
        name="proof",
        reference=proof,
        cases=lambda hidden: [()],
        accept=_accept_proof,
        same=_same_kind_of_proof,
        shown="Invariance, gradient, chain rule, inverse: forces are transformed by (Mᵀ)⁻¹. For an orthogonal matrix this is M itself, "
        "and only then do forces transform like positions.",
        misconceptions=(
            Misconception(
                "forces are invariant",
                lambda: ["B", "F", "C", "D"],
                "Step C does not follow. The left side is the gradient of x ↦ E(Rx), and there the chain rule brings out Mᵀ. "
                "If C were true, forces would be invariant.",
            ),
            Misconception(
                "every matrix is orthogonal",
                lambda: ["B", "F", "E", "H", "D"],
                "Step H does not follow: MMᵀ = 1 holds for orthogonal matrices only. M is invertible, so undo Mᵀ by its inverse.",
            ),
            Misconception(
                "begins with what is to be shown",
                lambda: ["D", "A", "G", "E", "F", "B"],
                "Your first step is what has to be proved. Begin with what is known: the energy is invariant.",
            ),
            Misconception(
                "a step is left out",
                lambda: ["B", "F", "E", "D"],
                "The order is right and something is missing, between two of your steps or at the end: how does (Mᵀ)⁻¹ come to "
                "the right-hand side, and where does F appear?",
            ),
        ),
    ),
    FunctionTask(
        id="05.measure",
        outcome="measure invariance of an energy and equivariance of its forces",
        points=3,
        minutes=13,
        name="measure",
        reference=measured(),
        cases=_measure_cases,
        shown="E(g▷x) against E(x), and F(g▷x) against g▷F(x). Where the first is 0 for all g and x, the second is too.",
        misconceptions=(
            Misconception(
                "forces are invariant",
                measured(lambda name, R, x: (forces(name, x @ R.T), forces(name, x))),
                "You compare F(g▷x) with F(x). Forces turn along: compare with g▷F(x).",
            ),
            Misconception(
                "the inverse turns the forces",
                measured(lambda name, R, x: (forces(name, x @ R.T), forces(name, x) @ R)),
                "You turn the forces by Rᵀ and the positions by R. The same R acts on both.",
            ),
            Misconception(
                "gradient with respect to x in place of g▷x",
                measured(lambda name, R, x: (forces(name, x @ R.T) @ R, forces(name, x) @ R.T)),
                "You take the gradient of E(g▷x) with respect to x: the chain rule then brings out Rᵀ. F(g▷x) is the force at the "
                "turned positions: call requires_grad_() on them.",
            ),
            Misconception(
                "positions are not turned",
                measured(lambda name, R, x: (forces(name, x), forces(name, x) @ R.T), lambda R, x: x),
                "You compute energy and forces at x twice. On one path x is turned first.",
            ),
            Misconception(
                "turns by the inverse",
                measured(lambda name, R, x: (forces(name, x @ R), forces(name, x) @ R), lambda R, x: x @ R),
                "x @ R turns each row by Rᵀ, the inverse. To turn rows by R write x @ R.T.",
            ),
        ),
    ),
    FunctionTask(
        id="05.arrows",
        outcome="build all pair-wise models with vectors as outputs",
        points=3,
        minutes=15,
        name="arrows",
        reference=arrows(),
        cases=_arrow_cases,
        accept=_accept_arrows,
        same=_same_arrows,
        shown="Your sets span the whole family, 3 of 3 dimensions; on turned and moved frames the arrows turn along and do not move.",
        misconceptions=(
            Misconception(
                "places instead of differences",
                arrows(lambda difference, r, x, k: r**k * x[:, None]),
                "You add up the places x_j. Carry the molecule away, and your arrows grow. Use the differences x_j − x_i.",
            ),
            Misconception(
                "a scalar in place of a vector",
                arrows(lambda difference, r, x, k: (r**k).expand_as(difference)),
                "Your arrows have three equal numbers, made of distances. They do not turn with the molecule: multiply a "
                "number that is invariant by an arrow that turns.",
            ),
            Misconception(
                "powers of the coordinates",
                arrows(lambda difference, r, x, k: difference ** (k + 1)),
                "You raise each coordinate of x_j − x_i to a power. That depends on the axes. Powers of the distance do not.",
            ),
            Misconception(
                "divides by the distance",
                arrows(lambda difference, r, x, k: r ** (k - 1) * difference),
                "You use arrows of length 1, (x_j − x_i)/r. That is equivariant too, and another family than the one asked for.",
            ),
            Misconception(
                "only the next atom",
                _next_atom,
                "You use one other atom for each atom, so that the result depends on the numbering. Add up over all other atoms.",
            ),
        ),
    ),
    FunctionTask(
        id="05.handedness",
        outcome="tell a molecule from its mirror image, and from others",
        points=3,
        minutes=15,
        name="compare",
        reference=compare,
        cases=_hand_cases,
        accept=_accept_comparison,
        shown="Distances find the other molecules, a determinant finds the mirror images, and flat molecules are their own.",
        misconceptions=(
            Misconception(
                "distances see handedness",
                _distances_only,
                "Where all distances agree you say turned. A mirror image has the same distances too: look at a "
                "determinant, whose sign a reflection flips.",
            ),
            Misconception(
                "a mirror image is always another molecule",
                _never_both,
                "A flat molecule can be turned onto its mirror image, through the third dimension: there the answer is both.",
            ),
            Misconception(
                "the signed volume is enough",
                _volume_only,
                "You compare signed volumes of four atoms only. Different molecules can have the same volume: compare all distances first.",
            ),
            Misconception(
                "distances to one atom are enough",
                _from_first_atom,
                "You compare the distances to the first atom only. The angle between two bonds can differ all the same: "
                "compare the distances of all pairs.",
            ),
            Misconception(
                "the first four atoms are enough",
                _first_four,
                "You take the sign from the first four atoms. They may lie in a plane while another atom does not: use all atoms.",
            ),
            Misconception(
                "only one pose is tried",
                _coordinates_only,
                "You compare coordinates. A turned molecule has others: compare what rotations leave alone.",
            ),
            Misconception(
                "the sign is read the other way round",
                _opposite,
                "Turned and mirrored are exchanged: a rotation has determinant +1 and keeps the sign of a volume.",
            ),
        ),
    ),
]
