"""Irreps: homomorphisms, completeness, decompositions against characters, Schur's lemma against the other solvers, refusals."""

from __future__ import annotations

import functools
import itertools
import math

import numpy as np
import pytest
import torch

from eqcourse import intertwiner_dimension, intertwiners
from eqcourse.groups import (
    SO,
    CyclicGroup,
    DihedralGroup,
    DirectProduct,
    Group,
    Lorentz,
    MatrixGroup,
    O,
    PermutationGroup,
    ReflectionGroup,
    SignedPermutationGroup,
    SymmetricGroup,
)
from eqcourse.representations import MatrixRepresentation, Representation, check_homomorphism, outer
from eqcourse.solvers import (
    DenseSpace,
    character,
    character_inner_product,
    decompose,
    frobenius_schur,
    multiplicity,
)
from eqcourse.solvers.irreps import _isometry, random_intertwiners
from eqcourse.solvers.labelled import (
    count_tableaux,
    integer_partitions,
    labels,
    rotation_generators,
    small_shapes,
    standard_tableaux,
)

DOUBLE = torch.float64

# Q_8 by left multiplication on 1, i, −1, −i, j, k, −j, −k: first by i, then by j.
Q8 = PermutationGroup([[1, 2, 3, 0, 5, 6, 7, 4], [4, 7, 6, 5, 2, 1, 0, 3]])
A4 = PermutationGroup([[1, 2, 0, 3], [1, 0, 3, 2]])
SKEW = MatrixGroup([[[0, -1], [1, -1]]])  # of order 3 and not orthogonal
I4 = [[0, -1, 0, 0], [1, 0, 0, 0], [0, 0, 0, -1], [0, 0, 1, 0]]
J4 = [[0, 0, -1, 0], [0, 0, 0, 1], [1, 0, 0, 0], [0, -1, 0, 0]]
QUATERNIONS = MatrixGroup([I4, J4])


def conjugated(rho: Representation, seed: int = 0) -> Representation:
    """The same representation in a basis that is not orthogonal: P ρ(g) P⁻¹."""
    P = torch.randn(rho.dim, rho.dim, dtype=DOUBLE, generator=torch.Generator().manual_seed(seed))
    P = P / torch.linalg.matrix_norm(P, 2) + torch.eye(rho.dim, dtype=DOUBLE)
    back = torch.linalg.inv(P)
    lie = (lambda A: P @ rho.lie_matrix(A) @ back) if rho.group.lie_algebra else None
    return MatrixRepresentation(rho.group, rho.dim, lambda g: P @ rho.matrix(g) @ back, lie, name="R'")


def equal(a: torch.Tensor, b: torch.Tensor, atol: float = 1e-10) -> None:
    torch.testing.assert_close(a, b, rtol=0, atol=atol)


# ---- labelled irreps -----------------------------------------------------------------------------------------------------

WITH_LABELS = [
    *(CyclicGroup(n) for n in (1, 2, 5, 6)),
    *(DihedralGroup(n) for n in (1, 2, 5, 6)),
    ReflectionGroup(),
    *(SymmetricGroup(n) for n in (1, 2, 3, 4, 5)),
]
SEARCHED = [Q8, A4, SKEW, QUATERNIONS, SignedPermutationGroup(2), O(1), SO(1)]
PRODUCTS = [
    DirectProduct(SymmetricGroup(3), ReflectionGroup()),
    DirectProduct(CyclicGroup(3), CyclicGroup(3)),
    DirectProduct(CyclicGroup(3), Q8),
    DirectProduct(SymmetricGroup(3)),
]


@pytest.mark.parametrize("group", [*WITH_LABELS, *SEARCHED, *PRODUCTS], ids=str)
def test_all_irreps(group: Group) -> None:
    """Orthogonal, irreducible, different from each other, and all: the regular representation contains each dim/(1, 2, 4) times."""
    found = group.irreps()
    norms = {1: 0, 2: 0, 4: 0}
    total = 0
    for rho in found:
        check_homomorphism(rho)
        for g in group.generators:
            m = rho.matrix(g)
            equal(m @ m.T, torch.eye(rho.dim, dtype=DOUBLE))
        norm = character_inner_product(rho, rho)
        assert norm in norms
        # The two ways to find the type agree.
        assert frobenius_schur(rho) == {1: 1, 2: 0, 4: -2}[int(norm)]
        total += rho.dim**2 // int(norm)
    assert total == group.order
    assert found[0].dim == 1
    assert all(character(found[0], g) == 1 for g in group.generators)
    for rho, sigma in itertools.combinations(found, 2):
        assert character_inner_product(rho, sigma) == 0


@pytest.mark.parametrize("group", WITH_LABELS, ids=str)
def test_irreps_by_label(group: Group) -> None:
    assert [group.irrep(label) for label in labels(group)] == group.irreps()


def test_labels_of_products_and_others() -> None:
    S3, Z2 = SymmetricGroup(3), ReflectionGroup()
    G = DirectProduct(S3, Z2)
    rho = G.irrep(((2, 1), -1))
    equal(rho.matrix(([1, 0, 2], -1)), -S3.irrep((2, 1)).matrix([1, 0, 2]))
    C3 = DirectProduct(CyclicGroup(3), CyclicGroup(3))
    assert [C3.irrep((1, 1, i)).dim for i in range(2)] == [2, 2]
    assert [Q8.irrep(i).dim for i in range(5)] == [1, 1, 1, 1, 4]
    assert DirectProduct(SO(3), S3).irrep((2, (2, 1))).dim == 10


def test_closed_forms() -> None:
    """Values from the tables in books."""
    C6, D6 = CyclicGroup(6), DihedralGroup(6)
    assert [character(C6.irrep(3), t) for t in range(6)] == [1, -1, 1, -1, 1, -1]
    assert [round(character(C6.irrep(2), t)) for t in range(6)] == [2, -1, -1, 2, -1, -1]
    assert C6.irrep(1) == C6.defining()
    assert D6.irrep(1) == D6.defining()
    assert [character(D6.irrep((3, -1)), g) for g in ((1, 0), (0, 1), (1, 1))] == [-1, -1, 1]
    G = SymmetricGroup(5)
    # James and Kerber's character table: the identity, (01), (01)(23), (012), (012)(34), (0123), (01234).
    types = [
        [0, 1, 2, 3, 4],
        [1, 0, 2, 3, 4],
        [1, 0, 3, 2, 4],
        [1, 2, 0, 3, 4],
        [1, 2, 0, 4, 3],
        [1, 2, 3, 0, 4],
        [1, 2, 3, 4, 0],
    ]
    expected = {
        (4, 1): [4, 2, 0, 1, -1, 0, -1],
        (3, 2): [5, 1, 1, -1, 1, -1, 0],
        (3, 1, 1): [6, 0, -2, 0, 0, 0, 1],
        (2, 2, 1): [5, -1, 1, -1, -1, 1, 0],
    }
    for label, values in expected.items():
        assert [round(character(G.irrep(label), g), 9) for g in types] == values
    r = math.sqrt(3) / 2
    equal(SymmetricGroup(3).irrep((2, 1)).matrix([0, 2, 1]), torch.tensor([[-0.5, r], [r, 0.5]], dtype=DOUBLE))


def test_tableaux() -> None:
    assert [len(list(integer_partitions(n))) for n in range(9)] == [1, 1, 2, 3, 5, 7, 11, 15, 22]
    for n in range(1, 8):
        counts = {p: count_tableaux(p) for p in integer_partitions(n)}
        assert sum(d * d for d in counts.values()) == math.factorial(n)
        assert all(len(set(standard_tableaux(p))) == d for p, d in counts.items())
        assert small_shapes(n, 6) == {p: d for p, d in counts.items() if d <= 6}
    assert list(small_shapes(60, 59)) == [(60,), (59, 1), (2,) + (1,) * 58, (1,) * 60]


def test_batches() -> None:
    for rho in (
        SymmetricGroup(5).irrep((3, 1, 1)),
        O(3).irrep((3, 1)),
        DihedralGroup(5).irrep(2),
        O(2).irrep(3),
        CyclicGroup(6).irrep(3),
    ):
        batch = rho.group.sample(0, 6)
        many = rho.matrix(batch)
        singles = [
            rho.group.convert(tuple(p[i] for p in batch) if isinstance(batch, tuple) else batch[i]) for i in range(6)
        ]
        equal(many, torch.stack([rho.matrix(g) for g in singles]))
        equal(character(rho, batch), torch.tensor([character(rho, g) for g in singles], dtype=DOUBLE))


@pytest.mark.parametrize(
    ("group", "label", "dim"),
    [
        *((SO(2), k, 1 if k == 0 else 2) for k in (0, 1, 3)),
        *((O(2), label, dim) for label, dim in (((0, 1), 1), ((0, -1), 1), (1, 2), (4, 2))),
        *((SO(3), ell, 2 * ell + 1) for ell in range(9)),
        *((O(3), (ell, p), 2 * ell + 1) for ell in (0, 1, 2, 8) for p in (1, -1)),
    ],
    ids=str,
)
def test_irreps_of_rotations(group: Group, label, dim: int) -> None:
    rho = group.irrep(label)
    assert rho.dim == dim
    check_homomorphism(rho)
    g = group.sample(0)
    equal(rho.matrix(g) @ rho.matrix(g).T, torch.eye(dim, dtype=DOUBLE))
    assert frobenius_schur(rho) == (0 if (group, dim) == (SO(2), 2) else 1)


@pytest.mark.parametrize("ell", range(1, 6))
def test_spherical_harmonics(ell: int) -> None:
    """Y(g x) = D(g) Y(x) for the real spherical harmonics of SciPy: with the order m = −ℓ … ℓ and the signs that everybody uses."""
    from scipy.special import sph_harm_y

    def harmonics(x: torch.Tensor) -> torch.Tensor:
        theta, phi = math.acos(float(x[2])), math.atan2(float(x[1]), float(x[0]))
        values = []
        for m in range(-ell, ell + 1):
            value = sph_harm_y(ell, abs(m), theta, phi) * (-1) ** m * math.sqrt(2)
            values.append(value.imag if m < 0 else value.real if m else value.real / math.sqrt(2))
        return torch.tensor(values, dtype=DOUBLE)

    rho = SO(3).irrep(ell)
    for seed in range(3):
        g = SO(3).sample(seed)
        x = SO(3).sample(10 + seed)[0]
        equal(harmonics(g @ x), rho.matrix(g) @ harmonics(x))


def test_near_the_poles_of_the_euler_angles() -> None:
    rho = SO(3).irrep(8)
    for A in (1e-9, 1e-5, math.pi - 1e-9, math.pi):
        for axis in range(3):
            g = SO(3).rotation(A, axis) @ SO(3).rotation(0.3)
            L = rotation_generators(8)
            equal(rho.matrix(g), torch.linalg.matrix_exp(A * L[axis]) @ torch.linalg.matrix_exp(0.3 * L[2]))


def test_the_vector_is_y_z_x() -> None:
    g = O(3).sample(3)
    order = [1, 2, 0]
    equal(O(3).irrep((1, -1)).matrix(g), g[order][:, order])
    assert torch.equal(O(2).irrep(1).matrix(O(2).sample(1)), O(2).sample(1))


@pytest.mark.parametrize(
    ("group", "label", "message"),
    [
        (SymmetricGroup(4), (2, 3), r"S_4 has no irrep with the label \(2, 3\); it has \(4,\), \(3, 1\)"),
        (SymmetricGroup(4), 3, "no irrep with the label 3"),
        (SymmetricGroup(8), [3, 5], r"22 in all"),
        (CyclicGroup(6), 4, "label 4; it has 0, 1, 2, 3"),
        (CyclicGroup(6), True, "label True"),
        (DihedralGroup(5), torch.tensor([1, 1]), r"label tensor\(\[1, 1\]\); it has"),
        (DihedralGroup(5), 3, r"it has \(0, 1\), \(0, -1\), 1, 2"),
        (ReflectionGroup(), 0, "it has 1, -1"),
        (SO(2), -1, "the frequencies 0, 1, 2"),
        (SO(3), 1.5, "label 1.5; it has ℓ = 0, 1, 2"),
        (SO(3), 101, "up to ℓ = 100"),
        (O(2), (1, 1), r"the frequencies 1, 2, …, \(0, 1\)"),
        (O(3), 2, r"pairs \(ℓ, parity\)"),
        (SymmetricGroup(12), (5, 4, 2, 1), "dimension 5,775; they are built up to 2,000"),
        (Q8, 9, "label 9; it has 0 to 4"),
        (SO(4), 1, r"SO\(4\) is infinite: its irreps are not listed"),
        (DirectProduct(SO(2), O(2)), 3, "a tuple with the label of an irrep of each of its factors"),
        (DirectProduct(SO(2), O(2)), (-1, 1), r"SO\(2\) has no irrep with the label -1"),
        (DirectProduct(CyclicGroup(3), CyclicGroup(3)), (1, 1), "a number 0, 1, … more"),
    ],
    ids=str,
)
def test_unknown_labels(group: Group, label, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        group.irrep(label)


def test_labels_of_numpys_integers() -> None:
    one = np.int64(1)
    for group, label in ((DihedralGroup(5), one), (SymmetricGroup(3), (2 * one, one)), (O(3), (one, -one)), (Q8, one)):
        plain = tuple(map(int, label)) if isinstance(label, tuple) else int(label)
        g = group.sample(0)
        equal(group.irrep(label).matrix(g), group.irrep(plain).matrix(g))


def test_irreps_that_are_not_listed() -> None:
    with pytest.raises(ValueError, match="infinitely many irreps: take one by its label, ℓ ="):
        SO(3).irreps()
    with pytest.raises(ValueError, match=r"is infinite.*decompose\(rho\)"):
        Lorentz().irreps()
    with pytest.raises(ValueError, match="362,880 elements; irreps are searched for in groups of at most 10,000"):
        PermutationGroup([[1, 0, *range(2, 9)], [*range(1, 9), 0]]).irreps()


# ---- characters ------------------------------------------------------------------------------------------------------------


def test_characters_are_traces() -> None:
    V, R = SymmetricGroup(4).defining(), O(3).defining()
    table = outer(V, R)
    for rho in (
        V,
        V * V,
        V**0,
        V + V * V,
        (V * V).flatten(),
        V * V.group.sign(),
        R * R + R,
        table,
        table.flatten(),
        conjugated(R),
    ):
        g = rho.group.sample(1)
        assert math.isclose(character(rho, g), float(rho.matrix(g).trace()), abs_tol=1e-12)


def test_inner_products() -> None:
    V = SymmetricGroup(5).defining()
    assert character_inner_product(V, V) == 2
    assert character_inner_product(V**2, V**2) == 15
    V = SymmetricGroup(20).defining()  # far too large to list
    assert character_inner_product(V**2, V**3) == 52
    R = SO(3).defining()
    assert [character_inner_product(R**k, SO(3).trivial()) for k in range(7)] == [1, 0, 1, 1, 3, 6, 15]
    R = O(3).defining()
    assert [character_inner_product(R**k, O(3).trivial()) for k in range(7)] == [1, 0, 1, 0, 3, 0, 15]
    assert [character_inner_product(SO(2).defining() ** k, SO(2).trivial()) for k in (2, 4, 6)] == [2, 6, 20]
    assert [character_inner_product(O(2).defining() ** k, O(2).trivial()) for k in (2, 4, 6)] == [1, 3, 10]
    both = outer(R, SymmetricGroup(4).defining())
    assert character_inner_product(both, both) == 2
    D5 = DihedralGroup(5).regular()
    assert character_inner_product(D5, D5) == 10
    assert character_inner_product(Q8.defining(), Q8.defining()) == 8
    assert character_inner_product(conjugated(D5), D5) == 10


def test_multiplicities() -> None:
    R = SO(3).defining()
    assert [multiplicity(SO(3).irrep(ell), R**4) for ell in range(6)] == [3, 6, 6, 3, 1, 0]
    assert [multiplicity(rho, Q8.defining()) for rho in Q8.irreps()] == [1, 1, 1, 1, 1]
    assert [multiplicity(rho, CyclicGroup(5).regular()) for rho in CyclicGroup(5).irreps()] == [1, 1, 1]
    with pytest.raises(ValueError, match="not irreducible: ⟨χ, χ⟩ is 3"):
        multiplicity(R * R, R)
    with pytest.raises(ValueError, match="of one group"):
        character_inner_product(R, O(3).defining())
    with pytest.raises(ValueError, match=r"no way to average characters over Lorentz \(full\).*decompose"):
        character_inner_product(Lorentz().defining(), Lorentz().defining())


# ---- decomposition ---------------------------------------------------------------------------------------------------------


def decomposed() -> dict[str, tuple[Representation, list[tuple[int, int, str]]]]:
    """Representations, and (dimension, copies, type) of their irreps."""
    real = "real"
    V, R3, R2 = SymmetricGroup(5).defining(), SO(3).defining(), SO(2).defining()
    D5 = DihedralGroup(5)
    both = DirectProduct(CyclicGroup(3), CyclicGroup(3))
    return {
        "S_3 points": (SymmetricGroup(3).defining(), [(1, 1, real), (2, 1, real)]),
        "S_5 order 2": (V * V, [(1, 2, real), (4, 3, real), (5, 1, real), (6, 1, real)]),
        "D_5 regular": (D5.regular(), [(1, 1, real), (1, 1, real), (2, 2, real), (2, 2, real)]),
        "C_6 regular": (CyclicGroup(6).regular(), [(1, 1, real), (2, 1, "complex"), (2, 1, "complex"), (1, 1, real)]),
        "A_4 points²": (A4.defining() ** 2, [(1, 2, real), (2, 1, "complex"), (3, 4, real)]),
        "Q_8 regular": (Q8.defining(), [(1, 1, real)] * 4 + [(4, 1, "quaternionic")]),
        "Q_8 twice": (2 * QUATERNIONS.defining(), [(4, 2, "quaternionic")]),
        "Q_8 twice, other basis": (conjugated(2 * QUATERNIONS.defining()), [(4, 2, "quaternionic")]),
        "SO(2) order 3": (R2**3, [(2, 3, "complex"), (2, 1, "complex")]),
        "O(2) order 2": (O(2).defining() ** 2, [(1, 1, real), (1, 1, real), (2, 1, real)]),
        "SO(3) order 3": (R3**3, [(1, 1, real), (3, 3, real), (5, 2, real), (7, 1, real)]),
        "O(3) order 2": (O(3).defining() ** 2, [(1, 1, real), (3, 1, real), (5, 1, real)]),
        "SO(4) order 2": (SO(4).defining() ** 2, [(1, 1, real), (3, 1, real), (3, 1, real), (9, 1, real)]),
        "other basis": (conjugated(R3 * R3), [(1, 1, real), (3, 1, real), (5, 1, real)]),
        "not orthogonal": (SKEW.defining(), [(2, 1, "complex")]),
        "S_3 other basis": (conjugated(SymmetricGroup(3).defining() ** 2), [(1, 2, real), (2, 3, real), (1, 1, real)]),
        "C_3 × C_3": (both.pullback(0, CyclicGroup(3).regular()) * both.pullback(1, CyclicGroup(3).regular()),
                      [(1, 1, real)] + [(2, 1, "complex")] * 4),
        "outer": (outer(SymmetricGroup(3).defining(), R3), [(3, 1, real), (6, 1, real)]),
        "no axes": (R3**0, [(1, 1, real)]),
        "finite part of Lorentz": (Lorentz().sign() + Lorentz().trivial(), [(1, 1, real), (1, 1, real)]),
        "SO(1)": (SO(1).trivial(3), [(1, 3, real)]),
        "D_4 image": (DihedralGroup(4).on_grid(11, 11), [(1, 21, real), (1, 10, real), (1, 15, real), (1, 15, real), (2, 30, real)]),
    }  # fmt: skip


DECOMPOSED = decomposed()


@functools.cache
def decomposition(name: str):
    return decompose(DECOMPOSED[name][0])


@pytest.mark.parametrize("name", DECOMPOSED)
def test_parts(name: str) -> None:
    rho, expected = DECOMPOSED[name]
    found = decomposition(name)
    assert sorted((p.dim, p.multiplicity, p.type) for p in found.parts) == sorted(expected)
    if name != "D_4 image":  # 121 × 121 entries
        assert found.commutant_dimension == intertwiner_dimension(rho, rho)


@pytest.mark.parametrize("name", DECOMPOSED)
def test_blocks(name: str) -> None:
    """Q ρ(g) Q⁻¹ is block-diagonal; blocks of one irrep are equal, orthogonal, and those of the part's representation."""
    rho, _ = DECOMPOSED[name]
    found = decomposition(name)
    Q, group = found.change_of_basis, rho.group
    equal(Q @ found.inverse, torch.eye(rho.dim, dtype=DOUBLE))
    assert found.is_orthogonal == (
        name not in ("other basis", "not orthogonal", "S_3 other basis", "Q_8 twice, other basis")
    )
    if found.is_orthogonal:
        equal(Q @ Q.T, torch.eye(rho.dim, dtype=DOUBLE))
    for g in [*group.generators, group.sample(5), group.sample(6)]:
        matrix, blocks = found.matrix(g), found.blocks(g)
        equal(matrix, torch.block_diag(*blocks))
        number = 0
        for part in found.parts:
            for _ in range(part.multiplicity):
                equal(blocks[number], part.representation.matrix(g))
                number += 1
            equal(blocks[number - 1] @ blocks[number - 1].T, torch.eye(part.dim, dtype=DOUBLE))
            equal(part.commutant @ blocks[number - 1], blocks[number - 1] @ part.commutant)
        assert number == len(blocks)
    for A in group.lie_algebra:
        expected = [p.representation.lie_matrix(A) for p in found.parts for _ in range(p.multiplicity)]
        equal(Q @ rho.lie_matrix(A) @ found.inverse, torch.block_diag(*expected))


@pytest.mark.parametrize("name", DECOMPOSED)
def test_commutants(name: str) -> None:
    """1; 1 and J; 1, I, J, K, in standard form: made of blocks [[0, −1], [1, 0]] or of the quaternions' 4×4 matrices."""
    for part in decomposition(name).parts:
        one, *units = part.commutant
        assert len(units) == {"real": 0, "complex": 1, "quaternionic": 3}[part.type]
        equal(one, torch.eye(part.dim, dtype=DOUBLE))
        for unit in units:
            equal(unit @ unit, -one)
            blocks = unit.unflatten(0, (-1, len(units) + 1)).unflatten(2, (-1, len(units) + 1))
            for i in range(blocks.shape[0]):
                equal(blocks[i, :, i], blocks[0, :, 0])
            assert unit.abs().sum() == pytest.approx(part.dim)
        if len(units) == 3:
            equal(units[0] @ units[1], units[2])
            equal(units[1] @ units[0], -units[2])
        if len(units) == 1:
            equal(units[0][:2, :2], torch.tensor([[0.0, -1], [1, 0]], dtype=DOUBLE))


def test_complex_blocks_are_a_plus_b_j() -> None:
    found = decomposition("A_4 points²")
    (part,) = (p for p in found.parts if p.type == "complex")
    block = part.representation.matrix([1, 2, 0, 3])
    equal(block, block[0, 0] * part.commutant[0] + block[1, 0] * part.commutant[1])


def test_labels_and_their_own_matrices() -> None:
    for name in (
        "S_5 order 2",
        "D_5 regular",
        "C_6 regular",
        "SO(2) order 3",
        "SO(3) order 3",
        "O(3) order 2",
        "other basis",
    ):
        for part in decomposition(name).parts:
            assert part.representation == DECOMPOSED[name][0].group.irrep(part.label)
    assert [p.label for p in decomposition("S_5 order 2").parts] == [(5,), (4, 1), (3, 2), (3, 1, 1)]
    assert [p.label for p in decomposition("O(3) order 2").parts] == [(0, 1), (1, 1), (2, 1)]
    assert [p.label for p in decomposition("SO(2) order 3").parts] == [1, 3]
    assert {p.label for p in decomposition("Q_8 regular").parts} == {None}


def test_projections() -> None:
    for name in ("S_5 order 2", "S_3 other basis"):
        rho, found = DECOMPOSED[name][0], decomposition(name)
        total = torch.zeros(rho.dim, rho.dim, dtype=DOUBLE)
        for number, part in enumerate(found.parts):
            P = found.projection(number)
            equal(P @ P, P)
            # The formula with characters (Serre 1977, section 2.6).
            group = rho.group
            mean = sum(character(part.representation, group.inverse(g)) * rho.matrix(g) for g in group.elements())
            equal(P, mean * part.dim / group.order)
            total += P
        equal(total, torch.eye(rho.dim, dtype=DOUBLE))


def test_the_fourier_basis() -> None:
    """Shifts: the rows are constants, cosines and sines, each cosine first, as it is the part of the first unit vector."""
    n = 6
    found = decomposition("C_6 regular")
    t = torch.arange(n).double()
    rows = [torch.ones(n).double() / math.sqrt(n)]
    for k in (1, 2):
        angle = 2 * math.pi * k * t / n
        rows += [angle.cos() * math.sqrt(2 / n), angle.sin() * math.sqrt(2 / n)]
    rows.append(torch.tensor([1.0, -1, 1, -1, 1, -1], dtype=DOUBLE) / math.sqrt(n))
    equal(found.change_of_basis, torch.stack(rows))


def test_three_points() -> None:
    r = torch.tensor(
        [[2, 2, 2], [math.sqrt(2), math.sqrt(2), -2 * math.sqrt(2)], [math.sqrt(6), -math.sqrt(6), 0]]
    ).double()
    equal(decomposition("S_3 points").change_of_basis, r / math.sqrt(12), atol=1e-6)


def test_the_same_every_time() -> None:
    rho = DECOMPOSED["A_4 points²"][0]
    assert torch.equal(decompose(rho).change_of_basis, decompose(rho).change_of_basis)


def test_printing() -> None:
    found = decomposition("S_5 order 2")
    assert repr(found) == "R⁵ ⊗ R⁵ of S_5 = 2·(5,) ⊕ 3·(4, 1) ⊕ (3, 2) ⊕ (3, 1, 1)"
    assert str(found).splitlines()[1:4] == [
        "    irrep  dimension  copies  type",
        "     (5,)          1       2  real",
        "   (4, 1)          4       3  real",
    ]
    assert str(found).endswith("dimension 25 = 2·1 + 3·4 + 5 + 6")
    assert repr(decomposition("Q_8 regular")).endswith("= [1] ⊕ [1] ⊕ [1] ⊕ [1] ⊕ [4]")
    assert repr(decomposition("C_6 regular")).endswith("= (0) ⊕ (1) ⊕ (2) ⊕ (3)")
    assert repr(decomposition("SO(2) order 3").parts[0]) == "irrep 1 of dimension 2, complex type, 3 times"
    assert "number 4" in str(decomposition("Q_8 regular"))


@pytest.mark.parametrize("seed", range(5))
def test_random_intertwiners(seed: int) -> None:
    R = SO(3).defining()
    W = random_intertwiners(R * R, R, 3, seed)
    g = SO(3).sample(seed + 50)
    equal(W @ (R * R).matrix(g), R.matrix(g) @ W)
    assert int(torch.linalg.matrix_rank(W.flatten(1), atol=1e-8)) == 1
    V = SymmetricGroup(4).irrep((3, 1))
    T = _isometry(conjugate_by_turn(V), V)
    assert T is not None
    equal(T @ T.T, torch.eye(3, dtype=DOUBLE))
    assert _isometry(V, SymmetricGroup(4).irrep((2, 1, 1))) is None


def conjugate_by_turn(rho: Representation) -> Representation:
    Q = torch.linalg.qr(torch.randn(rho.dim, rho.dim, dtype=DOUBLE, generator=torch.Generator().manual_seed(1)))[0]
    return MatrixRepresentation(rho.group, rho.dim, lambda g: Q @ rho.matrix(g) @ Q.T)


# ---- Schur's lemma -----------------------------------------------------------------------------------------------------------


def pairs() -> dict[str, tuple[Representation, Representation]]:
    V, R3, R2, O3 = SymmetricGroup(4).defining(), SO(3).defining(), SO(2).defining(), O(3).defining()
    D5 = DihedralGroup(5)
    both = DirectProduct(SO(2), SymmetricGroup(3))
    table = both.pullback(0, R2) * both.pullback(1, SymmetricGroup(3).defining())
    return {
        "S_4 1→2": (V, V**2),
        "S_4 2→2": (V**2, V**2),
        "D_5 regular": (D5.regular(), D5.regular()),
        "D_5 vertices → plane²": (D5.on_vertices(), D5.defining() ** 2),
        "C_5 turns → shifts": (CyclicGroup(5).defining(), CyclicGroup(5).regular()),
        "Q_8 regular": (Q8.defining(), Q8.defining()),
        "Q_8 on R⁴": (QUATERNIONS.defining(), QUATERNIONS.defining()),
        "Q_8 regular → R⁴ other basis": (QUATERNIONS.regular(), conjugated(QUATERNIONS.defining())),
        "A_4": (A4.defining() ** 2, A4.regular()),
        "SO(2) order 2→1 and numbers": (R2 * R2 + SO(2).trivial(), R2 + SO(2).trivial(2)),
        "SO(2)": (R2, R2),
        "O(2)": (O(2).defining(), O(2).defining()),
        "SO(3) 2→2": (R3 * R3, R3 * R3),
        "SO(3) 2→1": ((R3 * R3).flatten(), R3),
        "SO(3) labelled": (SO(3).irrep(2) * R3, SO(3).irrep(3) + SO(3).irrep(1)),
        "O(3) with determinant": (O3 + O3 * O(3).sign(), O3 * O3),
        "SO(2) × S_3": (table, table),
        "other basis": (conjugated(R3 * R3), conjugated(R3, 1)),
        "other basis, twice": (conjugated(R2 * R2), conjugated(R2 * R2, 2)),
        "other basis, finite": (conjugated(D5.defining() ** 2), D5.regular()),
        "nothing": (R3, SO(3).trivial()),
        "SO(1)": (SO(1).trivial(2), SO(1).trivial(3)),
    }


PAIRS = pairs()


@pytest.mark.parametrize("name", PAIRS)
def test_schur_agrees_with_the_other_solvers(name: str) -> None:
    rho_in, rho_out = PAIRS[name]
    space = intertwiners(rho_in, rho_out, method="irreps")
    assert isinstance(space, DenseSpace)
    assert (space.method, space.dim) == ("irreps", intertwiner_dimension(rho_in, rho_out))
    rows = space.basis.flatten(1)
    equal(rows @ rows.T, torch.eye(space.dim, dtype=DOUBLE))
    methods = ["nullspace"]
    if rho_in.is_signed_permutation and rho_out.is_signed_permutation:
        methods.append("orbits")
    for method in methods:
        other = torch.nn.functional.normalize(intertwiners(rho_in, rho_out, method=method).basis.flatten(1), dim=1)
        equal(rows.T @ rows, other.T @ other, atol=1e-8)
    for seed in range(3):
        g = rho_in.group.sample(seed)
        equal(rho_out.matrix(g) @ space.basis, space.basis @ rho_in.matrix(g))


def test_dimensions_that_are_known() -> None:
    def dim(rho: Representation) -> int:
        return intertwiners(rho, rho, method="irreps").dim

    assert dim(DihedralGroup(5).regular()) == 10
    assert dim(Q8.regular()) == dim(Q8.defining()) == 8
    assert dim(QUATERNIONS.defining()) == 4
    assert (dim(SO(2).defining()), dim(O(2).defining())) == (2, 1)
    assert dim(SO(3).defining() ** 4) == 91


# ---- refusals ----------------------------------------------------------------------------------------------------------------


def test_wrong_matrices_of_a_finite_group() -> None:
    S3 = SymmetricGroup(3)
    wrong = MatrixRepresentation(
        S3, 2, lambda g: torch.eye(2).double() * (1 + (g[..., 0] == 1).double()[..., None, None])
    )
    for rho in (wrong, wrong + S3.trivial(), wrong * S3.defining(), wrong.flatten()):
        with pytest.raises(
            ValueError,
            match=r"not a representation of S_3: ρ\(g\)ρ\(s\) differs from ρ\(gs\) at g = \[0, 2, 1\], s = \[1, 0, 2\]",
        ):
            decompose(rho)
    # On the generators it looks right: only products show it.
    only = MatrixRepresentation(
        CyclicGroup(4), 1, lambda t: (1.0 - 2 * (torch.as_tensor(t) == 1).double())[..., None, None]
    )
    with pytest.raises(ValueError, match=r"not a representation of C_4: .* at g = 1, s = 1|at g = 2, s = 1"):
        intertwiners(only, only, method="irreps")


def test_wrong_matrices_of_a_lie_group() -> None:
    double = MatrixRepresentation(SO(2), 2, lambda g: g @ g, lambda A: A)
    with pytest.raises(ValueError, match=r"ρ\(exp\(A\)\) differs from exp\(dρ\(A\)\)"):
        decompose(double)
    R = SO(3).defining()
    with pytest.raises(ValueError, match=r"dρ\(\[A, B\]\) differs"):
        decompose(MatrixRepresentation(SO(3), 3, R.matrix, lambda A: 2 * A))
    with pytest.raises(ValueError, match="without the matrices of its Lie algebra"):
        decompose(MatrixRepresentation(SO(3), 3, R.matrix))


def test_matrices_of_the_wrong_kind() -> None:
    C4 = CyclicGroup(4)
    with pytest.raises(TypeError, match=r"for g = 0 a complex matrix, a tensor of torch.complex64.*2×2 block"):
        decompose(MatrixRepresentation(C4, 1, lambda t: (1j ** torch.as_tensor(t))[..., None, None]))
    with pytest.raises(TypeError, match="for g = 0 a value of type ndarray, expected a float64 tensor"):
        decompose(MatrixRepresentation(C4, 1, lambda t: torch.eye(1).numpy()))  # type: ignore[arg-type,return-value]
    with pytest.raises(ValueError, match=r"shape \(3, 3\), expected \(2, 2\)"):
        decompose(MatrixRepresentation(C4, 2, lambda t: torch.eye(3).double()))
    with pytest.raises(ValueError, match="for g = 1 a matrix with NaN"):
        decompose(MatrixRepresentation(C4, 1, lambda t: torch.full((1, 1), torch.nan if t else 1.0).double()))


def test_not_compact() -> None:
    for G in (Lorentz(), MatrixGroup(lie=[[[0.0, 1.0], [0.0, 0.0]]]), MatrixGroup([[[2.0, 0.0], [0.0, 0.5]]])):
        with pytest.raises(ValueError, match=r"does not settle.*Lorentz boosts, shears and scalings.*nullspace"):
            decompose(G.defining())


def test_slow_generators() -> None:
    """A turn by 1e-4 is an orthogonal matrix; in a walk of 32 steps it does not come round."""
    angle = torch.tensor(1e-4, dtype=DOUBLE)
    turn = [[angle.cos(), -angle.sin()], [angle.sin(), angle.cos()]]
    with pytest.raises(
        ValueError, match=r"do not come near all others, as where a generator is close to doing nothing"
    ):
        decompose(MatrixGroup([turn]).defining())


def test_too_large() -> None:
    with pytest.raises(ValueError, match="dimension 1,100; at most 1,024 are decomposed"):
        decompose(SymmetricGroup(1100).defining())
    V = SymmetricGroup(2000).trivial(600)
    with pytest.raises(ValueError, match="would hold more than 134,217,728 numbers"):
        intertwiners(V, V, method="irreps")


def test_methods() -> None:
    R = SO(2).defining()
    with pytest.raises(ValueError, match=r"irreps.*got 'magic'"):
        intertwiners(R, R, method="magic")
