"""Equivariant maps of Lie algebras by highest weights, coupled factor by factor, and Schur's lemma.

The algebra is split by one of its elements h that can be diagonalised: into elements that commute with h, raising elements e and lowering
elements f, with [h, e] = α e and [h, f] = −α f. A vector that all e send to zero and that h scales by λ is a *highest-weight vector* of
weight λ; applying lowering elements to it gives an irreducible representation, and λ says which one. An equivariant map sends
highest-weight vectors to highest-weight vectors of the same weight, any of them to any other, and these images determine it (Humphreys
1972, "Introduction to Lie algebras and representation theory", section 20; for Schur's lemma, Serre 1977, section 2.2).

So no equation is as large as the space of maps. A tensor product is coupled one factor after the other: the irreducible parts so far times
the next factor, each kind of product once (the Clebsch–Gordan coefficients), and only the change of basis is as large as the product.

Where this does not work, because the algebra moves along (translations, shears), ``NotSplit`` is raised; what is found is complete: the
representation has to be spanned by what the highest-weight vectors generate.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..representations import DirectSum, Representation, TensorProduct, _Flattened
from .space import MAX_BASIS

__all__ = ["NotSplit", "algebra_maps"]

# Relative to the size of what is looked at: singular values and lengths below count as zero, above as different from zero.
ZERO, NONZERO = 1e-9, 1e-5
# Larger Lie algebras, and single factors of a larger dimension, are left to the other method.
MAX_ALGEBRA, MAX_ATOM = 200, 1024
# How many elements h are tried, until one gives singular values that are zero or at least so large.
TRIES, CLEAR = 6, 1e-2

Array = np.ndarray[Any, Any]
#: For each irrep (by number) its copies: complex (copies, dim of the irrep, dim), each copy in the irrep's own basis.
Parts = dict[int, Array]


class NotSplit(Exception):
    """The representation does not fall into highest-weight modules under the elements that were tried."""


@dataclass
class Irrep:
    """An irreducible representation: its highest weight, the matrices of all operators, and how its basis is made from the first vector.

    Basis vector k+1 is (f b_parent − Σ coefficients · b) / length for ``steps[k]`` = (parent, number of f, coefficients, length).
    """

    weight: complex
    operators: Array
    steps: list[tuple[int, int, Array, float]]

    @property
    def dim(self) -> int:
        """The number of its basis vectors."""
        return len(self.steps) + 1


class HighestWeights:
    """Decomposes representations of one Lie algebra, given by h, raising and lowering operators on each atom."""

    def __init__(self, atoms: dict[int, Array], raising: int) -> None:
        #: For each atom (by its place in the list of atoms) the operators h, e_1, e_2, …, f_1, f_2, …: complex (operators, d, d).
        self.atoms, self.raising = atoms, raising
        self.irreps: list[Irrep] = []
        self.largest_zero, self.smallest_nonzero = 0.0, math.inf
        self._couplings: dict[tuple[int, int], Parts] = {}
        self._split: dict[int, Parts] = {}

    def decompose(self, rho: Representation, places: dict[int, int]) -> Parts:
        """The irreducible parts of ρ; ``places`` finds an atom by its id."""
        if isinstance(rho, _Flattened):
            return self.decompose(rho.rho, places)
        if isinstance(rho, TensorProduct):
            one = np.zeros((len(next(iter(self.atoms.values()))), 1, 1), dtype=complex)
            parts = self.split(one)
            for factor in rho.factors:
                parts = self.couple(parts, self.decompose(factor, places))
            return parts
        if isinstance(rho, DirectSum):
            found: dict[int, list[Array]] = {}
            start = 0
            for term in rho.terms:
                for number, copies in self.decompose(term, places).items():
                    wide = np.zeros((*copies.shape[:2], rho.dim), dtype=complex)
                    wide[..., start : start + term.dim] = copies
                    found.setdefault(number, []).append(wide)
                start += term.dim
            return {number: np.concatenate(copies) for number, copies in found.items()}
        place = places[id(rho)]
        if place not in self._split:
            self._split[place] = self.split(self.atoms[place])
        return self._split[place]

    def couple(self, left: Parts, right: Parts) -> Parts:
        """The irreducible parts of a tensor product, from those of its factors."""
        found: dict[int, list[Array]] = {}
        for i, x in left.items():
            for j, y in right.items():
                for number, c in self.coupling(i, j).items():
                    c = c.reshape(*c.shape[:2], x.shape[1], y.shape[1])
                    # a, b: copies on the left and right; m: copies in the product of two irreps; k: basis of the new irrep.
                    half = np.tensordot(c, y, (3, 1))  # m k i b q
                    both = np.tensordot(x, half, (1, 2))  # a p m k b q
                    new = both.transpose(0, 4, 2, 3, 1, 5)
                    found.setdefault(number, []).append(new.reshape(-1, c.shape[1], x.shape[2] * y.shape[2]))
        return {number: np.concatenate(copies) for number, copies in found.items()}

    def coupling(self, i: int, j: int) -> Parts:
        """The irreducible parts of the product of irreps i and j."""
        if (i, j) not in self._couplings:
            a, b = self.irreps[i].operators, self.irreps[j].operators
            left = np.einsum("nij,kl->nikjl", a, np.eye(b.shape[1]))
            right = np.einsum("ij,nkl->nikjl", np.eye(a.shape[1]), b)
            size = a.shape[1] * b.shape[1]
            self._couplings[i, j] = self.split((left + right).reshape(len(a), size, size))
        return self._couplings[i, j]

    def split(self, operators: Array) -> Parts:
        """The irreducible parts of a representation given by the matrices of h, e_1, … and f_1, …."""
        size = operators.shape[1]
        h, raising = operators[0], operators[1 : 1 + self.raising]
        highest = self._null_vectors(raising.reshape(-1, size)) if self.raising else np.eye(size, dtype=complex)
        parts: Parts = {}
        for weight, vectors in self._by_weight(h, highest):
            number = self._number(weight, vectors[0], operators)
            parts[number] = self._copies(self.irreps[number], vectors, operators)
        if sum(copies.shape[0] * copies.shape[1] for copies in parts.values()) != size:
            raise NotSplit("the highest-weight vectors do not generate everything")
        basis = np.concatenate([copies.reshape(-1, size) for copies in parts.values()])
        if np.linalg.cond(basis) > 1 / NONZERO:
            raise NotSplit("what the highest-weight vectors generate is nearly dependent")
        return parts

    def _null_vectors(self, equations: Array) -> Array:
        """An orthonormal basis of the x with equations · x = 0, as rows."""
        _, values, vectors = np.linalg.svd(equations, full_matrices=False)  # tall: all right vectors are there
        relative = values / (np.abs(equations).max(initial=0) * math.sqrt(len(values)) or 1.0)
        rank = int((relative > ZERO).sum())
        self._note(relative[rank:], relative[:rank])
        return vectors[rank:].conj()

    def _note(self, zeros: Array, nonzeros: Array) -> None:
        smallest = float(np.min(nonzeros, initial=math.inf))
        if smallest < NONZERO:
            raise NotSplit(f"a singular value of {smallest:.1e} is neither zero nor clearly different")
        self.largest_zero = max(self.largest_zero, float(np.max(zeros, initial=0.0)))
        self.smallest_nonzero = min(self.smallest_nonzero, smallest)

    def _by_weight(self, h: Array, highest: Array) -> list[tuple[complex, Array]]:
        """Highest-weight vectors (rows) sorted by weight: for each weight an orthonormal basis."""
        inner = highest.conj() @ h @ highest.T  # h maps these vectors to each other
        values = np.linalg.eigvals(inner)
        size = np.abs(h).sum(0).max(initial=0) or 1.0
        if np.abs(h @ highest.T - highest.T @ inner).max(initial=0) > ZERO * size:
            raise NotSplit("h does not keep the highest-weight vectors")
        found = []
        while len(values):
            near = np.abs(values - values[0]) < NONZERO * size
            weight = complex(values[near].mean())
            values = values[~near]
            vectors = self._null_vectors((inner - weight * np.eye(len(inner))) if size else inner)
            if len(vectors) != near.sum():
                raise NotSplit("h cannot be diagonalised")
            found.append((weight, vectors @ highest))
        return found

    def _number(self, weight: complex, vector: Array, operators: Array) -> int:
        """Which irrep has this highest weight; a new one is generated from the vector."""
        for number, irrep in enumerate(self.irreps):
            if abs(irrep.weight - weight) <= ZERO * 100 * (1 + abs(weight)):
                return number
        self.irreps.append(self._generate(weight, vector, operators))
        return len(self.irreps) - 1

    def _generate(self, weight: complex, vector: Array, operators: Array) -> Irrep:
        lowering = operators[1 + self.raising :]
        basis = np.zeros((len(vector), len(vector)), dtype=complex)  # rows
        basis[0] = vector / np.linalg.norm(vector)
        steps: list[tuple[int, int, Array, float]] = []
        open_ends = deque([0])
        while open_ends:
            parent = open_ends.popleft()
            for number, f in enumerate(lowering):
                known = basis[: len(steps) + 1]
                new = f @ basis[parent]
                size = np.abs(f).max(initial=0) or 1.0
                coefficients = known.conj() @ new
                new = new - coefficients @ known
                again = known.conj() @ new  # once more, as the difference may lose digits
                new = new - again @ known
                length = float(np.linalg.norm(new))
                if length <= ZERO * size:
                    continue
                if length < NONZERO * size:
                    raise NotSplit("a lowered vector is nearly dependent on the others")
                steps.append((parent, number, coefficients + again, length))
                basis[len(steps)] = new / length
                open_ends.append(len(steps))
        basis = basis[: len(steps) + 1]
        return Irrep(weight, basis.conj() @ operators @ basis.T, steps)

    def _copies(self, irrep: Irrep, vectors: Array, operators: Array) -> Array:
        """The copies of an irrep that highest-weight vectors (rows) generate: (copies, dim of the irrep, dim)."""
        lowering = operators[1 + self.raising :]
        copies = np.zeros((len(vectors), irrep.dim, vectors.shape[1]), dtype=complex)
        copies[:, 0] = vectors
        for place, (parent, number, coefficients, length) in enumerate(irrep.steps, start=1):
            new = copies[:, parent] @ lowering[number].T - np.einsum("i,mid->md", coefficients, copies[:, :place])
            copies[:, place] = new / length
        return copies


# ---- the algebra ---------------------------------------------------------------------------------------------------------


def algebra_maps(rho_in: Representation, rho_out: Representation) -> tuple[Tensor, float, float]:
    """Linearly independent maps W with W dρ_in(A) = dρ_out(A) W for the whole Lie algebra, float64 (number, d_out · d_in).

    With them the largest singular value that was taken for zero and the smallest that was not. Raises ``NotSplit`` where highest weights
    do not serve. The maps are real, independent, and not orthonormal.
    """
    atoms: list[Representation] = []
    places: dict[int, int] = {}
    for rho in (rho_in, rho_out):
        _collect(rho, atoms, places)
    if max((atom.dim for atom in atoms), default=1) > MAX_ATOM:
        raise NotSplit("a factor is too large")
    given = [[atom._lie_matrix(A).numpy() for atom in atoms] for A in rho_in.group.lie_algebra]
    blocks = _Blocks([atom.dim for atom in atoms])
    elements = blocks.closure([blocks.join(one) for one in given])
    reason: NotSplit = NotSplit("no element of the algebra can be diagonalised")
    best: HighestWeights | None = None
    for attempt in range(TRIES):
        try:
            operators, raising = _ladder(blocks, elements, [blocks.join(one) for one in given], attempt)
            solver = HighestWeights(dict(enumerate(operators)), raising)
            found = solver.decompose(rho_in, places), solver.decompose(rho_out, places)
        except (NotSplit, np.linalg.LinAlgError) as error:
            reason = error if isinstance(error, NotSplit) else NotSplit(str(error))
            continue
        if best is None or solver.smallest_nonzero > best.smallest_nonzero:
            best, parts = solver, found
        if best.smallest_nonzero > CLEAR:
            break
    if best is None:
        raise reason
    return _schur(*parts, rho_in.dim, rho_out.dim), best.largest_zero, best.smallest_nonzero


def _collect(rho: Representation, atoms: list[Representation], places: dict[int, int]) -> None:
    """Sort the factors and terms of ρ into distinct atoms; ``places`` tells for each id which atom it is."""
    if isinstance(rho, _Flattened):
        _collect(rho.rho, atoms, places)
    elif isinstance(rho, (TensorProduct, DirectSum)):
        for part in rho.factors if isinstance(rho, TensorProduct) else rho.terms:
            _collect(part, atoms, places)
    elif id(rho) not in places:
        same = [place for place, atom in enumerate(atoms) if atom is rho]
        places[id(rho)] = same[0] if same else len(atoms)
        if not same:
            atoms.append(rho)


class _Blocks:
    """Elements of the algebra as they act on all atoms: the matrices' entries in one long vector."""

    def __init__(self, dims: list[int]) -> None:
        self.dims = dims
        self.ends = np.cumsum([d * d for d in dims])

    def join(self, matrices: list[Array]) -> Array:
        return np.concatenate([m.reshape(-1) for m in matrices])

    def parts(self, x: Array) -> list[Array]:
        """The matrices, for vectors (..., entries)."""
        return [
            x[..., end - d * d : end].reshape(*x.shape[:-1], d, d) for d, end in zip(self.dims, self.ends, strict=True)
        ]

    def bracket(self, x: Array, y: Array) -> Array:
        lead = np.broadcast_shapes(x.shape[:-1], y.shape[:-1])
        pairs = zip(self.parts(x), self.parts(y), strict=True)
        return np.concatenate([(a @ b - b @ a).reshape(*lead, -1) for a, b in pairs], axis=-1)

    def closure(self, given: list[Array]) -> Array:
        """An orthonormal basis of the smallest space that contains the given elements and all brackets: (number, entries)."""
        basis = np.zeros((0, int(self.ends[-1])))
        waiting = deque(given)
        while waiting:
            new = waiting.popleft()
            size = float(np.linalg.norm(new))
            if size == 0:
                continue
            new = new / size
            for _ in range(2):
                new = new - (basis @ new) @ basis
            length = float(np.linalg.norm(new))
            if length <= ZERO:
                continue
            if length < NONZERO:
                raise NotSplit("the algebra does not close clearly")
            if len(basis) == MAX_ALGEBRA:
                raise NotSplit(f"the algebra has more than {MAX_ALGEBRA} dimensions")
            new = new / length
            if len(basis):
                brackets = self.bracket(basis, new)
                # What is rounding would look like a new direction once it is scaled.
                waiting.extend(b for b in brackets if np.linalg.norm(b) > ZERO)
            basis = np.concatenate([basis, new[None]])
        return basis


def _ladder(blocks: _Blocks, elements: Array, given: list[Array], attempt: int) -> tuple[list[Array], int]:
    """h, raising and lowering operators on each atom, and the number of raising ones.

    First h is a combination of commuting elements among those given, such as J_z and K_z, whose weights are exact; then random elements.
    """
    source = np.random.default_rng(attempt)
    if not len(elements):
        raise NotSplit("the algebra is zero")
    if attempt == 0:
        commuting: list[Array] = []
        for A in given:
            quiet = all(np.abs(blocks.bracket(A, B)).max() <= ZERO * np.linalg.norm(A) for B in commuting)
            if np.linalg.norm(A) > 0 and quiet and _diagonalisable(blocks, A):
                commuting.append(A / np.linalg.norm(A))
        if not commuting:
            raise NotSplit("no given element can be diagonalised")
        # Coefficients without simple ratios, so that different weights give different numbers.
        h = (1 + source.random(len(commuting))) @ np.stack(commuting)
    else:
        h = source.standard_normal(len(elements)) @ elements
        if not _diagonalisable(blocks, h):
            raise NotSplit("a random element cannot be diagonalised")
    adjoint = elements @ blocks.bracket(h, elements).T  # column j: [h, element j] in the basis
    values, vectors = np.linalg.eig(adjoint)
    size = np.abs(values).max(initial=0) or 1.0
    still = np.abs(values) < NONZERO * size
    centre = vectors[:, still].T @ elements
    if any(np.abs(blocks.bracket(x, centre)).max(initial=0) > ZERO * 100 for x in centre):
        raise NotSplit("what commutes with h does not commute with itself")
    height = (values * np.exp(1j)).real  # additive, and of opposite sign for α and −α
    chosen = []
    for sign in (1, -1):
        places = [k for k in np.flatnonzero(~still) if sign * height[k] > 0]
        # Sums of two others are brackets of two others.
        sums = [values[i] + values[j] for i in places for j in places]
        chosen.append([k for k in places if not any(abs(values[k] - s) < NONZERO * size for s in sums)])
    if len(chosen[0]) != len(chosen[1]):
        raise NotSplit("raising and lowering elements do not come in pairs")
    ladder = vectors[:, chosen[0] + chosen[1]].T @ elements
    return blocks.parts(np.concatenate([h[None] + 0j, ladder])), len(chosen[0])


def _diagonalisable(blocks: _Blocks, A: Array) -> bool:
    """Whether the matrices of A have eigenvectors that are far from dependent."""
    for matrix in blocks.parts(A):
        if np.abs(matrix @ matrix.T - matrix.T @ matrix).max(initial=0) <= ZERO * np.abs(matrix).max(initial=0) ** 2:
            continue  # normal: orthogonal eigenvectors
        if np.linalg.cond(np.linalg.eig(matrix)[1]) > 1e6:
            return False
    return True


# ---- Schur's lemma -------------------------------------------------------------------------------------------------------


def _schur(parts_in: Parts, parts_out: Parts, d_in: int, d_out: int) -> Tensor:
    """Real maps between equal irreps, one for each pair of copies: float64 (number, d_out · d_in)."""
    common = [number for number in parts_in if number in parts_out]
    count = sum(len(parts_in[number]) * len(parts_out[number]) for number in common)
    if count * d_out * d_in > MAX_BASIS:
        raise ValueError(
            f"there are {count:,} equivariant maps with {d_out * d_in:,} entries each: their basis would hold more than {MAX_BASIS:,} "
            "numbers. intertwiner_dimension(rho_in, rho_out) gives the number alone"
        )
    # The coordinates of a vector in the basis of all copies: rows of the inverse, in blocks like those of the basis.
    starts, start = {}, 0
    for number, copies in parts_in.items():
        starts[number] = start
        start += copies.shape[0] * copies.shape[1]
    basis = np.concatenate([copies.reshape(-1, d_in) for copies in parts_in.values()])
    inverse = np.linalg.inv(basis.T)
    maps = torch.empty(count, d_out, d_in, dtype=torch.float64)
    source = np.random.default_rng(0)
    done = 0
    for number in common:
        m, dim, _ = parts_in[number].shape
        n = len(parts_out[number])
        x = inverse[starts[number] : starts[number] + m * dim].reshape(m, dim, d_in)
        y = parts_out[number]
        # The space contains with each map its complex conjugate. The real parts span it if the phases are general.
        x = x * np.exp(2j * np.pi * source.random(m))[:, None, None]
        y = y * np.exp(2j * np.pi * source.random(n))[:, None, None]
        left = torch.from_numpy(np.concatenate([y.real, -y.imag], axis=1)).mT
        right = torch.from_numpy(np.concatenate([x.real, x.imag], axis=1))
        for a, b in np.ndindex(n, m):
            torch.mm(left[a], right[b], out=maps[done])
            done += 1
    return maps.flatten(1)
