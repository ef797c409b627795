"""Irreducible representations that have names: closed forms for the groups whose irreps are known.

====================  =====================================================================================================
group                 label of an irrep (over the real numbers)
====================  =====================================================================================================
C_N                   frequency k = 0 … ⌊N/2⌋: a shift by t turns the plane by k·t/N of a full turn. For k = 0 and k = N/2
                      it is one-dimensional: 1 and (−1)^t
D_N                   frequency k, 0 < k < N/2, in the plane: r turns by k/N of a full turn, s is diag(1, −1);
                      one-dimensional: (k, sign) with k = 0 or N/2, where r ↦ (−1)^(k≠0) and s ↦ sign
Z_2                   +1 (trivial) or −1 (the sign)
S_N                   a partition of N as a tuple, (3, 1): Young's orthogonal form, basis vectors are standard tableaux
SO(2)                 frequency k = 0, 1, 2, …: a turn by the angle t becomes a turn by k·t
O(2)                  frequency k ≥ 1, where diag(1, −1) stays diag(1, −1); (0, 1) trivial, (0, −1) determinant
SO(3)                 ℓ = 0, 1, 2, …, of dimension 2ℓ+1, on real spherical harmonics m = −ℓ … ℓ about the z axis;
                      for ℓ = 1 these are y, z, x
O(3)                  (ℓ, parity): as for SO(3), and −1 acts as the number parity = ±1; vectors are (1, −1)
====================  =====================================================================================================

All matrices are orthogonal.
"""

from __future__ import annotations

import math
import numbers
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import torch
from torch import Tensor

from ..groups import SO, CyclicGroup, DihedralGroup, Group, O, ReflectionGroup, SymmetricGroup
from ..representations import (
    MatrixRepresentation,
    Representation,
    SignedPermutationRepresentation,
    _rotation,
    by_construction,
)

__all__ = [
    "candidates",
    "describe_labels",
    "has_labels",
    "integer_partitions",
    "label_order",
    "labelled_irrep",
    "labels",
    "plain_label",
]

Label = Any
# Matrices of an irrep of S_N are built up to this dimension; S_12 has one of dimension 7,700.
MAX_TABLEAUX = 2_000
# SO(3) and O(3): the matrices are as accurate as float64 far beyond, but nobody needs them.
MAX_ELL = 100


def has_labels(group: Group) -> bool:
    """Whether the irreps of this group have labels in the table above."""
    if isinstance(group, (SO, O)):
        return group.n in (2, 3)
    return isinstance(group, (CyclicGroup, DihedralGroup, ReflectionGroup, SymmetricGroup))


def plain_label(label: Label) -> Label:
    """The label with NumPy's integers as Python's."""
    if isinstance(label, tuple):
        return tuple(map(plain_label, label))
    return int(label) if isinstance(label, numbers.Integral) and not isinstance(label, bool) else label


def labels(group: Group) -> list[Label]:
    """The labels of all irreps of a finite group with labels, the trivial one first.

    >>> labels(DihedralGroup(4)), labels(SymmetricGroup(3))
    ([(0, 1), (0, -1), (2, 1), (2, -1), 1], [(3,), (2, 1), (1, 1, 1)])
    """
    if isinstance(group, ReflectionGroup):
        return [1, -1]
    if isinstance(group, CyclicGroup):
        return list(range(group.n // 2 + 1))
    if isinstance(group, DihedralGroup):
        ends = [0] if group.n % 2 else [0, group.n // 2]
        return [(k, sign) for k in ends for sign in (1, -1)] + list(range(1, (group.n + 1) // 2))
    if isinstance(group, SymmetricGroup):
        return list(integer_partitions(group.degree))
    raise ValueError(f"the irreps of {group} cannot be listed")


def describe_labels(group: Group) -> str:
    """What labels there are, in words, for messages."""
    if isinstance(group, SO):
        return f"{'the frequencies' if group.n == 2 else 'ℓ ='} 0, 1, 2, …"
    if isinstance(group, O):
        if group.n == 2:
            return "the frequencies 1, 2, …, (0, 1) for the trivial one and (0, -1) for the determinant"
        return "pairs (ℓ, parity) with ℓ = 0, 1, 2, … and parity 1 or -1"
    found = labels(group)
    return ", ".join(map(str, found[:12])) + (f", … ({len(found)} in all)" if len(found) > 12 else "")


def label_order(group: Group, label: Label) -> tuple[int, ...]:
    """A key to sort labels by: small frequencies first, partitions from (N,) on."""
    parts = label if isinstance(label, tuple) else (label,)
    if isinstance(group, SymmetricGroup):
        return tuple(-part for part in parts)
    if isinstance(group, ReflectionGroup):
        return (-label,)
    return (parts[0], *(-part for part in parts[1:]))


def candidates(sigma: Representation) -> list[Label]:
    """The labels that an irreducible representation may have, by its dimension, and by its frequency where there are infinitely many."""
    group, dim = sigma.group, sigma.dim
    if isinstance(group, (SO, O)):
        if group.n == 3:
            ell = (dim - 1) // 2
            return [ell] if isinstance(group, SO) else [(ell, 1), (ell, -1)]
        if dim == 1:
            return [0] if isinstance(group, SO) else [(0, 1), (0, -1)]
        return [round(sigma.lie_matrix(group.lie_algebra[0]).norm().item() / math.sqrt(2))]
    if isinstance(group, SymmetricGroup):
        return [label for label, tableaux in small_shapes(group.degree, dim).items() if tableaux == dim]
    return [label for label in labels(group) if labelled_irrep(group, label).dim == dim]


@by_construction
def labelled_irrep(group: Group, label: Label) -> Representation:
    """The irrep of ``group`` with this label; ``group.irrep(label)``. Raises ``ValueError`` for a label that it does not have.

    >>> labelled_irrep(SymmetricGroup(4), (3, 1)).dim, labelled_irrep(SO(3), 2).dim
    (3, 5)
    """
    made = _make(group, label)
    if made is None:
        raise ValueError(f"{group} has no irrep with the label {label!r}; it has {describe_labels(group)}")
    return made


def _make(group: Group, label: Label) -> Representation | None:
    name = f"irrep {label}"
    if isinstance(group, ReflectionGroup):
        return {1: group.trivial(), -1: group.sign()}.get(label) if _is_integer(label) else None
    if isinstance(group, SymmetricGroup):
        return _of_partition(group, label, name)
    if isinstance(group, CyclicGroup):
        if not _is_integer(label) or not 0 <= label <= group.n // 2:
            return None
        if label == 0:
            return group.trivial()
        if 2 * label == group.n:
            return _by_sign(group, lambda t: 1 - 2 * (torch.as_tensor(t) % 2), name)
        return MatrixRepresentation(group, 2, lambda t: _rotation(label * torch.as_tensor(t), group.n), name=name)
    if isinstance(group, DihedralGroup):
        return _of_dihedral(group, label, name)
    if isinstance(group, (SO, O)) and group.n == 2:
        return _of_plane(group, label, name)
    if isinstance(group, (SO, O)) and group.n == 3:
        return _of_space(group, label, name)
    raise ValueError(f"the irreps of {group} have no labels")


def _is_integer(label: Any) -> bool:
    return isinstance(label, int) and not isinstance(label, bool)


def _is_pair(label: Any) -> bool:
    """Whether a label is (frequency, sign)."""
    return isinstance(label, tuple) and len(label) == 2 and all(map(_is_integer, label)) and label[1] in (1, -1)


def _by_sign(group: Group, sign_of: Callable[[Any], Tensor], name: str) -> Representation:
    """A one-dimensional representation by ±1."""
    return SignedPermutationRepresentation(
        group,
        (1,),
        lambda g: torch.zeros(*group.batch_shape(g), 1, dtype=torch.int64),
        lambda g: sign_of(g).unsqueeze(-1),
        name=name,
    )


# ---- the plane -----------------------------------------------------------------------------------------------------


def _of_dihedral(group: DihedralGroup, label: Label, name: str) -> Representation | None:
    if not (_is_integer(label) or _is_pair(label)) or label not in labels(group):
        return None
    if label == (0, 1):
        return group.trivial()
    if isinstance(label, tuple):
        k, sign = label

        def sign_of(g: tuple[Any, Any]) -> Tensor:
            turns, mirrored = torch.as_tensor(g[0]), torch.as_tensor(g[1])
            return (1 - 2 * (turns % 2) * (k != 0)) * (1 - (1 - sign) * mirrored)

        return _by_sign(group, sign_of, name)
    flip = torch.diag(torch.tensor([1.0, -1.0], dtype=torch.float64))

    def matrix_of(g: tuple[Any, Any]) -> Tensor:
        turned, mirrored = _rotation(label * torch.as_tensor(g[0]), group.n), torch.as_tensor(g[1])[..., None, None]
        return torch.where(mirrored == 1, turned @ flip, turned)

    return MatrixRepresentation(group, 2, matrix_of, name=name)


def _of_plane(group: SO | O, label: Label, name: str) -> Representation | None:
    """SO(2) and O(2): rotations to the power of the frequency."""
    if isinstance(group, SO) and label == 0 and _is_integer(label):
        return group.trivial()
    if isinstance(group, O) and _is_pair(label) and label[0] == 0:
        return group.trivial() if label[1] == 1 else group.sign()
    if not _is_integer(label) or label < 1:
        return None
    flip = torch.diag(torch.tensor([1.0, -1.0], dtype=torch.float64))

    def matrix_of(g: Tensor) -> Tensor:
        mirrored = (torch.linalg.det(g) < 0)[..., None, None]
        power = torch.linalg.matrix_power(torch.where(mirrored, g @ flip, g), label)
        return torch.where(mirrored, power @ flip, power)

    return MatrixRepresentation(group, 2, matrix_of, lambda A: label * torch.as_tensor(A).double(), name=name)


# ---- space ---------------------------------------------------------------------------------------------------------


def _of_space(group: SO | O, label: Label, name: str) -> Representation | None:
    """SO(3) and O(3): rotations by Euler angles, g = Rz(α) Ry(β) Rz(γ)."""
    if isinstance(group, O) and not _is_pair(label):
        return None
    ell, parity = label if isinstance(group, O) else (label, 1)
    if not _is_integer(ell) or ell < 0:
        return None
    if ell > MAX_ELL:
        raise ValueError(f"irreps of {group} are built up to ℓ = {MAX_ELL}, got {ell}")
    if ell == 0:
        return group.trivial() if parity == 1 else group.sign()
    Lx, Ly, Lz = rotation_generators(ell)
    # A quarter turn about x takes the z axis to −y: Ry(β) = Q Rz(−β) Qᵀ with Q = Rx(π/2).
    quarter = torch.linalg.matrix_exp(math.pi / 2 * Lx)
    frequencies = torch.arange(-ell, ell + 1).abs().double()
    signs = torch.arange(-ell, ell + 1).sign().double()

    def about_z(angle: Tensor) -> Tensor:
        # (sin mφ, cos mφ) turn in their plane: exp(angle · Lz), in closed form.
        phases = angle.unsqueeze(-1) * frequencies
        return torch.diag_embed(phases.cos()) - torch.diag_embed(phases.sin() * signs).flip(-1)

    def matrix_of(g: Tensor) -> Tensor:
        mirrored = (torch.linalg.det(g) < 0)[..., None, None]
        g = torch.where(mirrored, -g, g)
        alpha = torch.atan2(g[..., 1, 2], g[..., 0, 2])
        # What is left after undoing α: its entries give β and γ accurately, even where α alone is not defined (β = 0).
        c, s = alpha.cos()[..., None], alpha.sin()[..., None]
        rest_x, rest_y = c * g[..., 0, :] + s * g[..., 1, :], c * g[..., 1, :] - s * g[..., 0, :]
        beta = torch.atan2(rest_x[..., 2], g[..., 2, 2])
        gamma = torch.atan2(rest_y[..., 0], rest_y[..., 1])
        turned = about_z(alpha) @ (quarter @ about_z(-beta) @ quarter.T) @ about_z(gamma)
        return torch.where(mirrored, parity * turned, turned)

    def lie_matrix_of(A: Any) -> Tensor:
        A = torch.as_tensor(A).double()
        return A[2, 1] * Lx + A[0, 2] * Ly + A[1, 0] * Lz

    return MatrixRepresentation(group, 2 * ell + 1, matrix_of, lie_matrix_of, name=name)


def rotation_generators(ell: int) -> tuple[Tensor, Tensor, Tensor]:
    """The infinitesimal rotations about x, y, z on the real spherical harmonics m = −ℓ … ℓ: antisymmetric, (2ℓ+1, 2ℓ+1).

    From J_z and the ladder operators J_± of quantum mechanics (Sakurai, Modern Quantum Mechanics, eq. 3.5.35 and 3.5.41), changed into
    the basis √2 Re Y, √2 Im Y. They fulfil [L_x, L_y] = L_z and so on.

    >>> rotation_generators(1)[2].tolist()      # about z, on y, z, x
    [[0.0, 0.0, 1.0], [0.0, 0.0, 0.0], [-1.0, 0.0, 0.0]]
    """
    m = torch.arange(-ell, ell + 1).double()
    raising = torch.diag((ell * (ell + 1) - m[:-1] * (m[:-1] + 1)).sqrt(), -1).to(torch.complex128)
    jx, jy = (raising + raising.mT) / 2, (raising - raising.mT) / 2j
    jz = torch.diag(m).to(torch.complex128)
    # Columns are the real harmonics in terms of the complex ones (with the Condon–Shortley phase).
    basis = torch.zeros(2 * ell + 1, 2 * ell + 1, dtype=torch.complex128)
    basis[ell, ell] = 1
    for k in range(1, ell + 1):
        plus, minus, sign = ell + k, ell - k, (-1) ** k
        basis[minus, plus], basis[plus, plus] = 0.5**0.5, sign * 0.5**0.5
        basis[minus, minus], basis[plus, minus] = 1j * 0.5**0.5, -1j * sign * 0.5**0.5
    lx, ly, lz = ((basis.mH @ (-1j * j) @ basis).real for j in (jx, jy, jz))
    # What is rational in the end loses its rounding.
    return lx, ly, lz.round() + 0.0


# ---- the symmetric group -------------------------------------------------------------------------------------------


def integer_partitions(n: int, largest: int | None = None) -> Iterator[tuple[int, ...]]:
    """The ways to write n as a sum of positive integers in falling order, from (n,) to (1, …, 1).

    >>> list(integer_partitions(4))
    [(4,), (3, 1), (2, 2), (2, 1, 1), (1, 1, 1, 1)]
    """
    if n == 0:
        yield ()
    for first in range(min(n, largest or n), 0, -1):
        for rest in integer_partitions(n - first, first):
            yield (first, *rest)


def count_tableaux(partition: tuple[int, ...]) -> int:
    """The number of standard tableaux of this shape, by the hook length formula: the dimension of the irrep.

    >>> count_tableaux((3, 2))
    5
    """
    below = [sum(part > column for part in partition) for column in range(partition[0])]
    hooks = [part - column + below[column] - row - 1 for row, part in enumerate(partition) for column in range(part)]
    return math.factorial(sum(partition)) // math.prod(hooks)


def small_shapes(n: int, most: int) -> dict[tuple[int, ...], int]:
    """The partitions of n with at most so many standard tableaux, and how many, without listing the others.

    Removing the largest number leaves a tableau of n − 1 numbers. So the counts add up, and a shape without one of its squares has no more.

    >>> small_shapes(6, 5)
    {(6,): 1, (5, 1): 5, (3, 3): 5, (2, 2, 2): 5, (2, 1, 1, 1, 1): 5, (1, 1, 1, 1, 1, 1): 1}
    """
    counts: dict[tuple[int, ...], int] = {(): 1}
    for _ in range(n):
        smaller: dict[tuple[int, ...], list[int]] = {}
        for shape, count in counts.items():
            for row in range(len(shape) + 1):
                length = shape[row] if row < len(shape) else 0
                if row == 0 or length < shape[row - 1]:
                    smaller.setdefault((*shape[:row], length + 1, *shape[row + 1 :]), []).append(count)
        # A shape has as many smaller ones as it has different parts; if one of them is missing, it had too many tableaux already.
        counts = {
            shape: sum(found)
            for shape, found in smaller.items()
            if len(found) == len(set(shape)) and sum(found) <= most
        }
    return dict(sorted(counts.items(), reverse=True))


def standard_tableaux(partition: tuple[int, ...]) -> list[tuple[int, ...]]:
    """The standard tableaux of a shape, each as the rows in which 0, 1, … stand.

    >>> standard_tableaux((2, 1))
    [(0, 0, 1), (0, 1, 0)]
    """

    @cache
    def fill(shape: tuple[int, ...]) -> list[tuple[int, ...]]:
        if not sum(shape):
            return [()]
        # The largest number stands at the end of a row whose successor is shorter.
        corners = [row for row, part in enumerate(shape) if part > (shape[row + 1] if row + 1 < len(shape) else 0)]
        return [
            (*tableau, row)
            for row in reversed(corners)
            for tableau in fill((*shape[:row], shape[row] - 1, *shape[row + 1 :]))
        ]

    return sorted(fill(partition))


def _of_partition(group: SymmetricGroup, label: Label, name: str) -> Representation | None:
    """Young's orthogonal form (James and Kerber 1981, The Representation Theory of the Symmetric Group, theorem 3.4.4).

    The swap of i and i+1 multiplies the tableau T by 1/r, with r the distance of their diagonals, and adds √(1 − 1/r²) times the
    tableau in which they have changed places.
    """
    n = group.degree
    if not isinstance(label, tuple) or not all(_is_integer(part) and part > 0 for part in label):
        return None
    if sum(label) != n or list(label) != sorted(label, reverse=True):
        return None
    if label == (n,):
        return group.trivial()
    if set(label) == {1}:
        return group.sign()
    dim = count_tableaux(label)
    if dim > MAX_TABLEAUX:
        raise ValueError(f"the irrep {label} of {group} has dimension {dim:,}; they are built up to {MAX_TABLEAUX:,}")

    @cache
    def swaps() -> list[tuple[Tensor, Tensor, Tensor, Tensor]]:
        """For each swap of neighbours: the tableaux that it changes, 1/r, √(1 − 1/r²), and which tableau each of them turns into."""
        tableaux = standard_tableaux(label)
        place = {tableau: number for number, tableau in enumerate(tableaux)}
        diagonals = []
        for tableau in tableaux:
            filled, diagonal = [0] * len(label), []
            for row in tableau:
                diagonal.append(filled[row] - row)  # column − row
                filled[row] += 1
            diagonals.append(diagonal)
        content = torch.tensor(diagonals, dtype=torch.float64)
        found = []
        for i in range(n - 1):
            inverse = 1 / (content[:, i + 1] - content[:, i])
            rows = (inverse != 1).nonzero().flatten()
            # Where both stand in one column there is no such tableau, and its factor is 0.
            changed = [(*t[:i], t[i + 1], t[i], *t[i + 2 :]) for t in (tableaux[row] for row in rows.tolist())]
            partner = torch.tensor([place.get(t, 0) for t in changed], dtype=torch.int64)
            inverse = inverse[rows].unsqueeze(-1)
            found.append((rows, inverse, (1 - inverse**2).clamp(min=0).sqrt(), partner))
        return found

    def matrix_of(g: Tensor) -> Tensor:
        total = torch.eye(dim, dtype=torch.float64).repeat(*g.shape[:-1], 1, 1)
        # Bubble sort: g s_1 … s_m = 1, so that g is the product of the same swaps, the first one acting first.
        images = g.clone()
        for end in range(n - 1, 0, -1):
            for j in range(end):
                out_of_order = images[..., j] > images[..., j + 1]
                if not bool(out_of_order.any()):
                    continue
                where = out_of_order.unsqueeze(-1)
                pair = images[..., j : j + 2]
                images[..., j : j + 2] = torch.where(where, pair.flip(-1), pair)
                rows, same, other, partner = swaps()[j]
                before = total[..., rows, :]
                swapped = same * before + other * total[..., partner, :]
                total[..., rows, :] = torch.where(where.unsqueeze(-1), swapped, before)
        return total

    return MatrixRepresentation(group, dim, matrix_of, name=name)
