"""Spaces of equivariant maps: patterns, dimensions, coordinates, each by a second, slower route."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from eqcourse import IntertwinerSpace, intertwiner_dimension, intertwiners
from eqcourse.groups import (
    SO,
    CyclicGroup,
    DihedralGroup,
    DirectProduct,
    MatrixGroup,
    O,
    PermutationGroup,
    ReflectionGroup,
    SignedPermutationGroup,
    SymmetricGroup,
)
from eqcourse.representations import (
    Representation,
    SignedPermutationRepresentation,
    TensorProduct,
    from_generators,
    outer,
)
from eqcourse.solvers.orbits import Labels, closed_form, generic_labels, tensor_order
from eqcourse.solvers.partitions import (
    bell,
    count_partitions,
    diagram_to_orbit,
    equality_pattern,
    orbit_to_diagram,
    set_partitions,
)

DOUBLE = torch.float64

# ---- slow and obvious references ---------------------------------------------------------------------------------------


def signed_images(rho: Representation, g) -> tuple[np.ndarray, np.ndarray]:
    """Where each basis vector goes and with which sign, read off the dense matrix."""
    matrix = rho.matrix(g).numpy()
    image = np.abs(matrix).argmax(0)
    return image, matrix[image, np.arange(rho.dim)].astype(int)


def moves(rho_in: Representation, rho_out: Representation) -> list:
    return [(*signed_images(rho_in, g), *signed_images(rho_out, g)) for g in rho_in.group.generators]


def reference(rho_in: Representation, rho_out: Representation) -> tuple[list, list, int]:
    """Labels, signs and their number, by union-find over signed pairs: node 2·(i·d_in + j) is +W[i, j], the next one −W[i, j]."""
    d_in, d_out = rho_in.dim, rho_out.dim
    parent = list(range(2 * d_in * d_out))

    def find(x: int) -> int:
        while parent[x] != x:
            parent[x] = parent[parent[x]]
            x = parent[x]
        return x

    for image_in, signs_in, image_out, signs_out in moves(rho_in, rho_out):
        a, b, s, t = image_in.tolist(), image_out.tolist(), signs_in.tolist(), signs_out.tolist()
        for i, j in itertools.product(range(d_out), range(d_in)):
            # s_j W[gi, gj] = t_i W[i, j]
            here, there, flip = 2 * (i * d_in + j), 2 * (b[i] * d_in + a[j]), int(s[j] != t[i])
            for half in (0, 1):
                parent[find(here + half)] = find(there + (half ^ flip))
    number: dict[int, int] = {}
    labels, signs, count = [], [], 0
    for pair in range(d_in * d_out):
        plus, minus = find(2 * pair), find(2 * pair + 1)
        if plus == minus:
            labels.append(-1)
            signs.append(0)
            continue
        if plus not in number and minus not in number:
            number[plus] = count
            count += 1
        labels.append(number[plus] if plus in number else number[minus])
        signs.append(1 if plus in number else -1)
    return np.reshape(labels, (d_out, d_in)).tolist(), np.reshape(signs, (d_out, d_in)).tolist(), count


def count_by_components(rho_in: Representation, rho_out: Representation) -> int:
    """Half the number of connected components of signed pairs that do not meet their own negative (SciPy)."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    size = rho_in.dim * rho_out.dim
    pairs = np.arange(size).reshape(rho_out.dim, rho_in.dim)
    edges = [(np.arange(1), np.arange(1))]
    for image_in, signs_in, image_out, signs_out in moves(rho_in, rho_out):
        to = pairs[np.ix_(image_out, image_in)]
        flip = np.outer(signs_out, signs_in) < 0
        edges += [(pairs.ravel(), (to + size * flip).ravel()), ((pairs + size).ravel(), (to + size * ~flip).ravel())]
    a, b = (np.concatenate(side) for side in zip(*edges, strict=True))
    _, part = connected_components(coo_array((np.ones(len(a)), (a, b)), shape=(2 * size, 2 * size)), directed=False)
    free = part[:size] != part[size:]
    return len(np.unique(np.concatenate([part[:size][free], part[size:][free]]))) // 2


def null_space(rho_in: Representation, rho_out: Representation) -> np.ndarray:
    """An orthonormal basis (dim, d_out · d_in) of the solutions, from the singular values of the stacked constraints."""
    size = rho_in.dim * rho_out.dim
    constraints = [np.zeros((1, size))]
    for g in rho_in.group.generators:
        out, into = rho_out.matrix(g).numpy(), rho_in.matrix(g).numpy()
        constraints.append(np.kron(out, np.linalg.inv(into).T) - np.eye(size))
    # The triangle of a QR has the same null space, and is smaller.
    _, values, vectors = np.linalg.svd(np.linalg.qr(np.concatenate(constraints), mode="r"))
    return vectors[int((values > 1e-9).sum()) :]


def burnside(rho_in: Representation, rho_out: Representation, at_most: int = 800) -> int | None:
    """The mean of χ_in χ_out over the matrices that the generators produce (the same as over the group); None if there are many."""
    d = rho_in.dim
    generators = [
        np.concatenate([s * (a + 1), t * (b + 1 + d)])
        for (a, s, b, t) in moves(rho_in, rho_out)  # ±(place + 1), both types in one signed permutation
    ]
    places = np.arange(1, d + rho_out.dim + 1)
    seen, frontier = {places.tobytes()}, [places]
    members = [places]
    while frontier:
        found = []
        for g, h in itertools.product(frontier, generators):
            product = np.sign(h) * g[np.abs(h) - 1]
            if product.tobytes() not in seen:
                seen.add(product.tobytes())
                found.append(product)
        members += found
        frontier = found
        if len(members) > at_most:
            return None
    fixed = np.array([np.sign(g) * (np.abs(g) == places) for g in members])
    total = int((fixed[:, :d].sum(1) * fixed[:, d:].sum(1)).sum())
    assert total % len(members) == 0
    return total // len(members)


def assert_equals_reference(found: Labels, expected: tuple[list, list, int]) -> None:
    labels, signs, count = expected
    assert found.labels.tolist() == labels
    assert (np.ones_like(found.labels) if found.signs is None else found.signs).tolist() == signs
    assert found.count == count
    # Signs are left out exactly where there are none.
    assert (found.signs is None) == all(s == 1 for row in signs for s in row)


def assert_right(rho_in: Representation, rho_out: Representation, dim: int | None = None) -> None:
    """Everything about one space, by independent routes."""
    expected = reference(rho_in, rho_out)
    space = intertwiners(rho_in, rho_out)
    signs = space.signs.numpy() if space.has_signs else None
    assert_equals_reference(Labels(space.pattern.numpy(), signs, space.dim, ""), expected)
    assert_equals_reference(generic_labels(rho_in, rho_out), expected)
    if (closed := closed_form(rho_in, rho_out)) is not None:
        assert_equals_reference(closed, expected)
    assert dim is None or space.dim == dim
    assert space.dim == intertwiner_dimension(rho_in, rho_out) == count_by_components(rho_in, rho_out)
    assert burnside(rho_in, rho_out) in (None, space.dim)

    basis = space.basis
    assert basis.shape == (space.dim, rho_out.dim, rho_in.dim)
    source = torch.Generator().manual_seed(0)
    for g in (*rho_in.group.generators, *(rho_in.group.sample(source) for _ in range(3))):
        assert torch.equal(basis @ rho_in.matrix(g), rho_out.matrix(g) @ basis)
    flat = basis.flatten(1).numpy()
    # Rows that never share an entry and are not zero are linearly independent.
    assert ((flat != 0).sum(0) <= 1).all()
    assert (flat != 0).any(1).all()
    if flat.shape[1] <= 110:
        assert space.dim == 0 or np.linalg.matrix_rank(flat) == space.dim
        null = null_space(rho_in, rho_out)
        assert len(null) == space.dim
        np.testing.assert_allclose(flat @ null.T @ null, flat, atol=1e-9)


# ---- spaces -----------------------------------------------------------------------------------------------------------

S = {n: SymmetricGroup(n) for n in range(1, 9)}
V = {n: group.defining() for n, group in S.items()}


def brute_force_partitions(axes: int, n: int) -> int:
    """The equality patterns that occur among all tuples of indices below n."""
    tuples = itertools.product(range(n), repeat=axes)
    return len({tuple(t.index(i) for i in t) for t in tuples})


@pytest.mark.parametrize("n", range(1, 6))
def test_tensor_powers_of_s_n(n):
    for k, l in itertools.product(range(6), repeat=2):
        if k + l <= 5:
            dim = brute_force_partitions(k + l, n)
            rho_in, rho_out = V[n] ** k, V[n] ** l
            assert intertwiner_dimension(rho_in, rho_out) == dim
            closed, generic = closed_form(rho_in, rho_out), generic_labels(rho_in, rho_out)
            assert closed.labels.tolist() == generic.labels.tolist()
            assert closed.count == generic.count == dim
            assert closed.signs is generic.signs is None
            if max(n**k, n**l) <= 243:
                assert dim == burnside(rho_in, rho_out)
            if max(n**k, n**l) <= 125 and n ** (k + l) <= 1024:
                assert_right(rho_in, rho_out, dim)


def pentagon() -> PermutationGroup:
    return PermutationGroup([[1, 2, 3, 4, 0], [0, 4, 3, 2, 1]])


def quaternions() -> PermutationGroup:
    """Q_8 by left multiplication with i and j on (1, i, j, k, −1, −i, −j, −k)."""
    return PermutationGroup([[1, 4, 3, 6, 5, 0, 7, 2], [2, 7, 4, 1, 6, 3, 0, 5]])


def on_points(group: PermutationGroup) -> Representation:
    return from_generators(group, indices=[g.tolist() for g in group.generators])


def petersen() -> PermutationGroup:
    """S_5 on the 2-subsets of 5 points: the automorphisms of the Petersen graph."""
    subsets = list(itertools.combinations(range(5), 2))
    return PermutationGroup(
        [
            [subsets.index(tuple(sorted(g[p] for p in pair))) for pair in subsets]
            for g in ([1, 0, 2, 3, 4], [1, 2, 3, 4, 0])
        ]
    )


def cases() -> dict[str, tuple[Representation, Representation, int | None]]:
    C, D = CyclicGroup, DihedralGroup
    found: dict[str, tuple[Representation, Representation, int | None]] = {
        "S_8 1→1": (V[8], V[8], 2),
        "C_9 to three scalars": (C(9).regular(), 3 * C(9).trivial(), 3),
        "C_9 to R³ trivial": (C(9).regular(), C(9).trivial(3), 3),
        "C_4 squared": (C(4).regular(), C(4).regular() ** 2, 16),
        "C_4 grid 4×4": (C(4).on_grid(4, 4), C(4).on_grid(4, 4), 64),
        "C_4 grid 3×3 to shift": (C(4).on_grid(3, 3), C(4).regular(), 9),
        "C_2 grid 2×3": (C(2).on_grid(2, 3), C(2).on_grid(2, 3), 18),
        "D_4 grid 3×3": (D(4).on_grid(3, 3), D(4).on_grid(3, 3), 15),
        "D_4 grid to regular": (D(4).on_grid(3, 3), D(4).regular(), 9),
        "D_4 grid, mirror sign": (D(4).on_grid(3, 3), D(4).on_grid(3, 3) * D(4).sign(), None),
        "D_1 vertices": (D(1).on_vertices(), D(1).on_vertices(), 1),
        "D_2 vertices": (D(2).on_vertices(), D(2).on_vertices(), 2),
        "D_5 vertices": (D(5).on_vertices(), D(5).on_vertices(), 3),
        "D_6 vertices to signed": (D(6).on_vertices(), D(6).on_vertices() * D(6).sign(), 2),
        "D_3 regular": (D(3).regular(), D(3).regular(), 6),
        "D_4 regular to signed": (D(4).regular(), D(4).regular() * D(4).sign(), 8),
        "Z_2 grid": (ReflectionGroup().on_grid(2, 3), ReflectionGroup().on_grid(2, 3), 20),
        "Z_2 odd part": (ReflectionGroup().on_grid(1, 5), ReflectionGroup().sign(), 2),
        "sign to trivial": (S[3].sign(), S[3].trivial(), 0),
        "sign to sign": (S[3].sign(), S[3].sign(), 1),
        "trivial 2→3": (S[3].trivial(2), S[3].trivial(3), 6),
        "order 0": (V[3] ** 0, V[3] ** 0, 1),
        "order 0 of C_3": (C(3).regular() ** 0, C(3).regular(), 1),
        "bias": (S[4].trivial(), V[4] ** 2, 2),
        "S_1": (V[1] ** 2, V[1], 1),
        "S_1 signed": (V[1], V[1] * S[1].sign(), 1),
        "C_1": (C(1).regular(), C(1).trivial(4), 4),
        "C_2": (C(2).regular(), C(2).regular(), 2),
        "one element": (on_points(PermutationGroup([[0, 1, 2]])), on_points(PermutationGroup([[0, 1, 2]])), 9),
        "subsets": (S[6].on_subsets(2), S[6].on_subsets(2), 3),
        "subsets 2→3": (S[5].on_subsets(2), S[5].on_subsets(3), 3),
        "subsets to points": (S[5].on_subsets(2), V[5], 2),
        "subsets 0": (S[4].on_subsets(0), S[4].on_subsets(4), 1),
        "subsets with sign": (S[5].on_subsets(2), S[5].on_subsets(2) * S[5].sign(), 0),
        "regular S_3": (S[3].regular(), S[3].regular(), 6),
        "regular S_3 to V²": (S[3].regular(), V[3] ** 2, 9),
        "sum": (V[4] + S[4].sign() + S[4].trivial(), 2 * V[4] + S[4].sign(), None),
        "sum of powers": ((V[3] ** 2 + V[3]) * V[3], V[3] + V[3] ** 2, None),
        "flat": ((V[3] ** 2).flatten(), (V[3] ** 2).flatten(), 14),
        "flat and not": ((V[3] ** 2).flatten() * V[3], V[3] ** 2, 41),
        "dual": (V[4].dual, (V[4] ** 2).dual, 5),
        "signs on both sides": (V[4] * S[4].sign(), V[4] * S[4].sign(), 2),
        "signs, order 2": (V[4] ** 2, V[4] ** 2 * S[4].sign(), None),
        "sign in the middle": (V[3] * S[3].sign() * V[3], V[3] ** 2, None),
        "product of sums": ((V[3] + S[3].sign()) * (V[3] + S[3].trivial()), V[3], None),
    }
    for n in (2, 3, 4):
        found[f"V → V⊗sign of S_{n}"] = (V[n], V[n] * S[n].sign(), {2: 2, 3: 1, 4: 0}[n])
    for n in (1, 2, 3, 5, 8):
        found[f"C_{n} regular"] = (C(n).regular(), C(n).regular(), n)
    for n in (1, 2, 3, 4):
        B = SignedPermutationGroup(n)
        found[f"B_{n}"] = (B.defining(), B.defining(), 1)
        found[f"B_{n} 1→2"] = (B.defining(), B.defining() ** 2, 0)
    B3 = SignedPermutationGroup(3)
    found["B_3 2→2"] = (B3.defining() ** 2, B3.defining() ** 2, 4)
    found["B_3 sign"] = (B3.defining() ** 2, B3.defining() ** 2 * B3.sign(), None)
    found["B_2 3→1"] = (SignedPermutationGroup(2).defining() ** 3, SignedPermutationGroup(2).defining(), 4)
    found["B_2 sum"] = (SignedPermutationGroup(2).defining() + SignedPermutationGroup(2).trivial(2),) * 2 + (5,)

    # Signs given on generators.
    turn = from_generators(C(4), indices=[[1, 0]], signs=[[1, -1]])  # a quarter turn of the plane
    found["quarter turns"] = (turn, turn, 2)
    found["quarter turns to pixels"] = (turn, C(4).on_grid(3, 3), 4)
    found["quarter turns, order 3"] = (turn**3, turn, 8)
    moebius = from_generators(C(6), indices=[[1, 2, 0]], signs=[[1, 1, -1]])
    found["Möbius band"] = (moebius, moebius, 3)
    found["Möbius band to ring"] = (moebius, C(6).regular(), 3)
    found["Möbius band to half ring"] = (moebius, from_generators(C(6), indices=[[1, 2, 0]]), 0)
    mirror = from_generators(D(4), indices=[[1, 0], [0, 1]], signs=[[1, -1], [-1, 1]])  # D_4 in the plane
    found["D_4 in the plane"] = (mirror, mirror, 1)
    found["D_4 plane to vertices"] = (mirror, D(4).on_vertices(), 1)
    # The edges of a triangle, with directions.
    edges = from_generators(S[3], indices=[[0, 2, 1], [1, 2, 0]], signs=[[-1, -1, -1], [1, 1, 1]])
    found["directed edges"] = (edges, edges, 2)
    found["directed edges to points"] = (V[3], edges, 1)

    # Permutation groups.
    P, Q, graph = pentagon(), quaternions(), petersen()
    found["pentagon"] = (P.defining(), P.defining(), 3)
    found["pentagon 1→2"] = (P.defining(), P.defining() ** 2, 13)
    found["pentagon sign"] = (P.defining(), P.defining() * P.sign(), None)
    found["Q_8"] = (Q.defining(), Q.defining(), 8)
    found["Q_8 regular"] = (Q.regular(), Q.defining(), 8)
    quaternion = from_generators(Q, indices=[[1, 0, 3, 2], [2, 3, 0, 1]], signs=[[1, -1, 1, -1], [1, -1, -1, 1]])
    found["Q_8 on R⁴"] = (quaternion, quaternion, 4)
    found["Q_8 on R⁴ and regular"] = (quaternion, Q.defining(), 4)
    found["Petersen"] = (graph.defining(), graph.defining(), 3)
    found["two orbits"] = (PermutationGroup([[1, 0, 3, 4, 2]]).defining(),) * 2 + (7,)

    # Direct products.
    found["S_3×S_4"] = (outer(V[3], V[4]),) * 2 + (4,)
    found["S_2×S_3×S_4"] = (outer(V[2], V[3], V[4]),) * 2 + (8,)
    found["S_4×S_4"] = (outer(V[4], V[4]),) * 2 + (4,)
    found["diagonal S_4"] = (V[4] * V[4],) * 2 + (15,)
    found["S_3×C_4"] = (outer(V[3], C(4).regular()),) * 2 + (8,)
    found["repeated factor"] = (outer(V[3] ** 2, C(3).regular()), outer(V[3], C(3).regular()), 15)
    found["outer, flat"] = (outer(V[3], V[2]).flatten(), outer(V[3], V[2]), 4)
    found["outer with flat factor"] = (outer((V[3] ** 2).flatten(), V[2]), outer(V[3], V[2]), 10)
    found["outer with sum"] = (outer(V[3] + S[3].sign(), V[2]), outer(V[3], V[2]), 4)
    found["sum of outers"] = (outer(V[3], V[2]) + outer(S[3].sign(), V[2]), outer(V[3], V[2]), 4)
    found["outer with signs"] = (outer(V[3], V[3]), outer(V[3] * S[3].sign(), V[3]), 2)
    found["outer with signs twice"] = (outer(V[3], V[3]), outer(V[3] * S[3].sign(), V[3] * S[3].sign()), 1)
    found["outer, nothing left"] = (outer(V[4], V[3]), outer(V[4] * S[4].sign(), V[3]), 0)
    found["outer of B_2"] = (outer(SignedPermutationGroup(2).defining(), V[2], turn),) * 2 + (4,)
    found["diagonal times outer"] = (outer(V[3], V[2]) * outer(V[3], V[2]), outer(V[3], V[2]), 20)
    G = DirectProduct(S[3], C(4))
    a, b, flip = G.pullback(0, V[3]), G.pullback(1, C(4).regular()), G.pullback(0, S[3].sign())
    found["one factor"] = (a, a, 2)
    found["one factor to the other"] = (a, b, 1)
    found["axes out of order"] = (b * a, a * b, 8)
    found["interleaved"] = (TensorProduct([b, a, b]), TensorProduct([a, b]), 32)
    found["interleaved both"] = (TensorProduct([b, a, flip, b]), TensorProduct([a, b]), 16)
    found["interleaved powers"] = (TensorProduct([a, b, a]), TensorProduct([b, a]), 20)
    found["product, order 0"] = (a**0, a * b, 1)
    found["trivial of a product"] = (G.trivial(2), a * b, 2)
    found["sum over factors"] = (a + b, a + b, 8)
    H = DirectProduct(S[2], C(2), S[3])
    x, y, z = H.pullback(0, V[2]), H.pullback(1, turn_by_half()), H.pullback(2, V[3])
    found["three, interleaved"] = (TensorProduct([z, y, x]), TensorProduct([y, z, x, z]), 40)
    found["three, signs"] = (TensorProduct([z, y, H.pullback(2, S[3].sign())]), TensorProduct([y, z]), 4)
    nested = DirectProduct(DirectProduct(S[2], S[3]), C(2))
    inner = nested.pullback(0, outer(V[2], V[3]))
    found["product in a product"] = (inner * nested.pullback(1, C(2).regular()), inner, 4)

    # Groups that move nothing but by sign.
    found["SO(3), trivial"] = (SO(3).trivial(2), SO(3).trivial(3), 6)
    found["O(3), sign"] = (O(3).trivial(2) + O(3).sign(), O(3).sign() + O(3).trivial(), 3)
    found["O(2) × S_3"] = (outer(O(2).sign(), V[3]),) * 2 + (2,)
    return found


def turn_by_half() -> Representation:
    """C_2 on the plane by −1 and by exchanging two more: 2 odd coordinates."""
    return from_generators(CyclicGroup(2), indices=[[0, 1]], signs=[[-1, -1]])


CASES = cases()


@pytest.mark.parametrize("name", CASES)
def test_space(name):
    assert_right(*CASES[name])


@pytest.mark.parametrize(
    ("name", "how"),
    [
        ("S_8 1→1", "set partitions"),
        ("bias", "set partitions"),
        ("flat", "set partitions"),
        ("dual", "set partitions"),
        ("C_8 regular", "differences"),
        ("S_3×S_4", "products"),
        ("interleaved", "products"),
        ("outer, flat", "products"),
        ("three, signs", "products"),
        ("order 0 of C_3", "generators"),
        ("sum", "generators"),
        ("B_3", "generators"),
    ],
)
def test_how_it_was_found(name, how):
    assert how in intertwiners(*CASES[name][:2]).method


def test_numbering():
    """Row by row, first sign +, forced zeros −1 with sign 0."""
    space = intertwiners(V[3], V[3] * S[3].sign())
    assert space.pattern.tolist() == [[-1, 0, 0], [0, -1, 0], [0, 0, -1]]
    assert space.signs.tolist() == [[0, 1, -1], [-1, 0, 1], [1, -1, 0]]
    assert space.has_signs
    assert not intertwiners(V[3], V[3]).has_signs
    assert intertwiners(V[3], V[3]).signs.tolist() == [[1] * 3] * 3
    ring = CyclicGroup(4).regular()
    assert intertwiners(ring, ring).pattern.tolist() == [[0, 1, 2, 3], [3, 0, 1, 2], [2, 3, 0, 1], [1, 2, 3, 0]]


def test_tensor_order():
    assert [tensor_order(V[3] ** k) for k in range(4)] == [0, 1, 2, 3]
    assert tensor_order(S[3].trivial()) == 0
    assert tensor_order(S[3].trivial(2)) is None
    assert tensor_order(V[3] * S[3].sign()) is None
    assert tensor_order(CyclicGroup(3).regular()) is None
    assert tensor_order(V[3] + V[3]) is None


# A signed permutation of n points: 2n points, on which ± are exchanged together.
@st.composite
def signed_groups(draw):
    n = draw(st.integers(1, 6))
    signs = st.lists(st.booleans(), min_size=n, max_size=n) if draw(st.booleans()) else st.just([False] * n)
    generators = []
    for _ in range(draw(st.integers(1, 3))):
        image, flips = draw(st.permutations(range(n))), draw(signs)
        there = [p + n * f for p, f in zip(image, flips, strict=True)]
        generators.append(there + [(p + n) % (2 * n) for p in there])
    group = PermutationGroup(generators)
    return SignedPermutationRepresentation(
        group, (n,), lambda g: g[..., :n] % n, lambda g: 1 - 2 * (g[..., :n] >= n).long(), name="signed points"
    )


@given(signed_groups(), st.sampled_from(["same", "square", "points", "sum", "sign"]))
@settings(max_examples=60, deadline=None)
def test_random_groups(rho, other):
    group = rho.group
    target = {
        "same": lambda: rho,
        "square": lambda: rho**2,
        "points": group.defining,
        "sum": lambda: rho + group.trivial(2) + rho,
        "sign": lambda: rho * group.sign(),
    }[other]()
    for rho_in, rho_out in ((rho, target), (target, rho)):
        expected = reference(rho_in, rho_out)
        assert_equals_reference(generic_labels(rho_in, rho_out), expected)
        assert burnside(rho_in, rho_out, at_most=100) in (None, expected[2])
        assert count_by_components(rho_in, rho_out) == expected[2]
        if rho_in.dim * rho_out.dim <= 80:
            assert len(null_space(rho_in, rho_out)) == expected[2]


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=40, deadline=None)
def test_random_products(seed):
    """Outer products with axes in any order equal the generic route."""
    rng = np.random.default_rng(seed)
    factors = [S[2], CyclicGroup(2), S[3]]
    G = DirectProduct(*(factors[i] for i in rng.integers(3, size=2)))
    choices = [
        G.pullback(i, rho)
        for i, f in enumerate(G.factors)
        for rho in (f.regular() if f.order == 2 else f.defining(), f.trivial(2), odd(f))
    ]
    rho_in, rho_out = (TensorProduct([choices[i] for i in rng.integers(6, size=rng.integers(1, 4))]) for _ in range(2))
    closed, generic = closed_form(rho_in, rho_out), generic_labels(rho_in, rho_out)
    assert closed.how != generic.how
    assert closed.labels.tolist() == generic.labels.tolist()
    assert (closed.signs is None) == (generic.signs is None)
    assert closed.signs is None or closed.signs.tolist() == generic.signs.tolist()
    assert closed.count == generic.count == intertwiner_dimension(rho_in, rho_out)


def odd(group) -> Representation:
    return group.sign() if isinstance(group, SymmetricGroup) else turn_by_half()


def test_groups_given_by_different_generators():
    """Equal groups may have different generators; the space is the same."""
    P, other = pentagon(), PermutationGroup([[2, 3, 4, 0, 1], [4, 3, 2, 1, 0]])
    assert intertwiners(P.defining(), other.defining()).dim == 3
    assert (
        intertwiners(P.defining(), other.defining()).pattern.tolist()
        == intertwiners(P.defining(), P.defining()).pattern.tolist()
    )


# ---- dimensions without a matrix ----------------------------------------------------------------------------------------


def test_dimensions_of_huge_spaces():
    V = SymmetricGroup(10_000).defining()
    assert intertwiner_dimension(V**2, V**3) == 52
    assert intertwiner_dimension(V**5, V**5) == bell(10) == 115_975
    assert intertwiner_dimension(V + V**2, 3 * V) == 3 * (2 + 5)
    ring = CyclicGroup(1_000_000).regular()
    assert intertwiner_dimension(ring, ring) == 1_000_000
    table = outer(V**2, V, CyclicGroup(5000).regular())
    assert intertwiner_dimension(table, table) == 15 * 2 * 5000
    assert intertwiner_dimension(table, table.group.trivial()) == 2


def test_dimension_with_matrices():
    assert intertwiner_dimension(CyclicGroup(5).defining(), CyclicGroup(5).defining()) == 2
    assert intertwiner_dimension(DihedralGroup(5).defining(), DihedralGroup(5).defining()) == 1
    assert intertwiner_dimension(DihedralGroup(5).defining(), DihedralGroup(5).on_vertices()) == 1
    assert intertwiner_dimension(DihedralGroup(5).defining(), DihedralGroup(5).regular()) == 2
    product = outer(V[3], DihedralGroup(5).defining())
    assert intertwiner_dimension(product, product) == 2


def test_dimension_refuses():
    with pytest.raises(ValueError, match="one group"):
        intertwiner_dimension(V[3], V[4])
    R = MatrixGroup(discrete=[[[2.0, 1.0], [0.0, 1.0]]]).defining()
    with pytest.raises(ValueError, match=r"no way yet.*128 × 64 entries are more than the 4,096 unknowns"):
        intertwiner_dimension(R**6, R**7)
    G = SymmetricGroup(200)
    square = G.defining() ** 2
    # Not the solver's own message, which points back to intertwiner_dimension.
    with pytest.raises(ValueError, match=r"no way yet.*40,000 × 40,000 index pairs are too many"):
        intertwiner_dimension(square, square * G.sign())


def test_numbers_too_large_for_float64():
    """Dimensions are whole numbers, and exact or refused: R_24 is a Riordan number (OEIS A005043)."""
    R = SO(3).defining()
    assert intertwiner_dimension(R**12, R**12) == 834_086_421
    with pytest.raises(ValueError, match=r"about 1\.7e\+16 equivariant maps .*too many for float64 to count"):
        intertwiner_dimension(R**20, R**20)
    # Copies are counted once, and a trivial action of any size without its array.
    assert intertwiner_dimension(5_000 * R, R) == 5_000
    assert intertwiner_dimension(SO(3).trivial(10**9), SO(3).trivial()) == 10**9


def test_dimension_of_a_large_group_on_few_points():
    """The group has 9! elements; its orbits of pairs are few."""
    subsets = SymmetricGroup(9).on_subsets(2)
    assert intertwiner_dimension(subsets, subsets) == 3
    subsets = SymmetricGroup(8).on_subsets(3)
    assert intertwiner_dimension(subsets, subsets) == 4


def test_dimension_of_signed_actions_given_by_generators():
    """S_6 on oriented edges of six points, by generators; against Burnside's lemma by hand, over all 720 permutations."""
    edges = list(itertools.combinations(range(6), 2))

    def moved(g: Sequence[int]) -> list[tuple[int, int]]:
        pairs = [(g[a], g[b]) for a, b in edges]
        return [(edges.index((min(p), max(p))), 1 if p[0] < p[1] else -1) for p in pairs]

    generators = [moved(g.tolist()) for g in SymmetricGroup(6).generators]
    rho = from_generators(
        SymmetricGroup(6),
        indices=[[place for place, _ in images] for images in generators],
        signs=[[sign for _, sign in images] for images in generators],
    )
    traces = [
        sum(sign for here, (place, sign) in enumerate(moved(g)) if here == place)
        for g in itertools.permutations(range(6))
    ]
    for k, l in ((1, 1), (2, 2), (3, 3), (3, 4)):  # the last ones have more pairs than are counted one by one
        assert intertwiner_dimension(rho**k, rho**l) * 720 == sum(t ** (k + l) for t in traces)
    assert intertwiner_dimension(rho**3, rho**3) == 16_202


# ---- coordinates ---------------------------------------------------------------------------------------------------------

SPACES = [
    "bias",
    "S_8 1→1",
    "V → V⊗sign of S_3",
    "B_3 2→2",
    "Möbius band",
    "outer with signs",
    "D_4 grid 3×3",
    "sign to trivial",
]


def space_of(name: str) -> IntertwinerSpace:
    return intertwiners(*CASES[name][:2])


@pytest.mark.parametrize("name", SPACES)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.complex64, torch.complex128, torch.float16])
def test_expand_and_coordinates(name, dtype):
    space = space_of(name)
    source = torch.Generator().manual_seed(1)
    drawn = torch.float32 if dtype == torch.float16 else dtype
    weights = torch.randn(2, 3, space.dim, dtype=drawn, generator=source).to(dtype)
    W = space.expand(weights)
    assert W.dtype == dtype
    assert W.shape == (2, 3, *space.pattern.shape)
    # Entry by entry.
    for i, j in itertools.product(*map(range, space.pattern.shape)):
        label, sign = int(space.pattern[i, j]), int(space.signs[i, j])
        assert torch.equal(W[..., i, j], sign * weights[..., label] if sign else torch.zeros(2, 3, dtype=dtype))
    found = space.coordinates(W)
    assert found.dtype == dtype
    torch.testing.assert_close(found, weights)
    torch.testing.assert_close(space.project(W), W)
    assert space.expand(weights[0, 0]).shape == space.pattern.shape


@pytest.mark.parametrize("name", SPACES)
def test_project_is_the_orthogonal_projection(name):
    space = space_of(name)
    W = torch.randn(4, *space.pattern.shape, dtype=DOUBLE, generator=torch.Generator().manual_seed(2))
    flat = space.basis.flatten(1)
    projector = torch.linalg.pinv(flat) @ flat
    expected = (W.flatten(1) @ projector).reshape(W.shape)
    torch.testing.assert_close(space.project(W), expected, atol=1e-12, rtol=0)
    # Twice is once, and what is taken away stands at a right angle to the space.
    torch.testing.assert_close(space.project(space.project(W)), space.project(W), atol=1e-12, rtol=0)
    assert float(((W - space.project(W)).flatten(1) @ flat.T).abs().max() if space.dim else 0.0) < 1e-10


@pytest.mark.parametrize("name", SPACES)
def test_gradients(name):
    space = space_of(name)
    source = torch.Generator().manual_seed(3)
    weights = torch.randn(space.dim, dtype=DOUBLE, generator=source, requires_grad=True)
    towards = torch.randn(*space.pattern.shape, dtype=DOUBLE, generator=source)
    (space.expand(weights) * towards).sum().backward()
    expected = [0.0] * space.dim
    for label, sign, t in zip(
        space.pattern.flatten().tolist(), space.signs.flatten().tolist(), towards.flatten().tolist(), strict=True
    ):
        if sign:
            expected[label] += sign * t
    torch.testing.assert_close(weights.grad, torch.tensor(expected, dtype=DOUBLE))
    if 0 < space.dim < 4:
        assert torch.autograd.gradcheck(space.expand, weights)
        assert torch.autograd.gradcheck(space.project, towards.requires_grad_())


def test_averages_of_many_entries_keep_their_digits():
    """S_32 order 2→2 has an orbit of 863,040 entries: summed up in float32 one by one they lose three digits."""
    V = SymmetricGroup(32).defining()
    space = intertwiners(V**2, V**2)
    weights = torch.linspace(-1, 1, 15) / 3
    torch.testing.assert_close(space.coordinates(space.expand(weights)), weights)


def test_lists_and_arrays_are_taken():
    space = intertwiners(V[2], V[2])
    assert space.expand([5.0, 1.0]).tolist() == [[5, 1], [1, 5]]
    assert space.expand(np.array([5.0, 1.0])).dtype == DOUBLE
    assert space.project([[1, 2], [4, 3]]).tolist() == [[2, 3], [3, 2]]
    assert space.coordinates(np.array([[5.0, 1.0], [1.0, 5.0]])).tolist() == [5, 1]


def test_empty_space():
    space = space_of("sign to trivial")
    assert space.basis.shape == (0, 1, 1)
    assert space.expand([]).tolist() == [[0]]
    assert space.project([[3.0]]).tolist() == [[0]]
    assert space.coordinates([[0.0]]).shape == (0,)
    with pytest.raises(ValueError, match="project"):
        space.coordinates([[1.0]])


def test_coordinates_refuses():
    space = intertwiners(V[3], V[3])
    W = space.expand(torch.tensor([1.0, 2.0], dtype=DOUBLE))
    W[0, 1] += 1e-6
    with pytest.raises(ValueError, match=r"off by .*project\(W\)"):
        space.coordinates(W)
    with pytest.raises(ValueError, match="project"):
        space_of("V → V⊗sign of S_3").coordinates(torch.eye(3))
    # Rounding is no reason, at any size of the numbers.
    space.coordinates(space.expand(torch.tensor([1e8, 1.0], dtype=torch.float32)))
    space.coordinates(space.expand(torch.tensor([1e12, 1.0], dtype=DOUBLE)) * (1 + 1e-14))
    # Relative to W's own size: a small W is not equivariant either.
    with pytest.raises(ValueError, match="is not in the"):
        space.coordinates(1e-12 * torch.arange(9.0, dtype=torch.float64).reshape(3, 3))


@pytest.mark.parametrize(
    ("call", "kind", "message"),
    [
        (lambda s: s.expand([1.0, 2.0, 3.0]), ValueError, "has 2 weights"),
        (lambda s: s.expand(1.0), ValueError, "has 2 weights"),
        (lambda s: s.expand([1, 2]), TypeError, "floating-point or complex"),
        (lambda s: s.expand([True, False]), TypeError, "floating-point or complex"),
        (lambda s: s.expand("ab"), TypeError, r"weights are an array of numbers of shape \(\.\.\., 2\), got 'ab'"),
        (lambda s: s.expand(None), TypeError, "weights are an array of numbers.*got None"),
        (lambda s: s.expand([[1.0], [1.0, 2.0]]), TypeError, "weights are an array of numbers"),
        (lambda s: s.project("ab"), TypeError, r"W is an array of numbers of shape \(\.\.\., 3, 3\), got 'ab'"),
        (lambda s: s.coordinates([[1, 2], [3]]), TypeError, "W is an array of numbers"),
        (lambda s: s.project(torch.zeros(3, 2)), ValueError, r"shape \(3, 3\), got shape \(3, 2\)"),
        (lambda s: s.project(torch.zeros(9)), ValueError, "got shape"),
        (lambda s: s.coordinates(torch.full((3, 3), torch.nan)), ValueError, "NaN or infinity"),
        (lambda s: s.project(torch.full((3, 3), torch.inf)), ValueError, "NaN or infinity"),
    ],
)
def test_bad_numbers(call, kind, message):
    with pytest.raises(kind, match=message):
        call(intertwiners(V[3], V[3]))


def test_bad_representations():
    with pytest.raises(ValueError, match=r"one group.*S_3.*S_4"):
        intertwiners(V[3], V[4])
    with pytest.raises(ValueError, match="one group"):
        intertwiners(outer(V[4], V[4]), V[4] * V[4])
    with pytest.raises(ValueError, match=r"method is .*'magic'"):
        intertwiners(V[3], V[3], method="magic")
    with pytest.raises(TypeError, match=r'acts by matrices.*method="nullspace"'):
        intertwiners(CyclicGroup(5).defining(), CyclicGroup(5).regular(), method="orbits")
    turns = MatrixGroup(discrete=[[[0.0, -1.0], [1.0, 0.0]]])
    with pytest.raises(TypeError, match="acts by matrices"):
        intertwiners(turns.trivial(), turns.defining(), method="orbits")


def test_too_large_is_said_before_anything_is_built():
    V = SymmetricGroup(128).defining()
    with pytest.raises(ValueError, match=r"16,384 × 16,384 entries, about 8 GiB.*intertwiner_dimension"):
        intertwiners(V**2, V**2)
    huge = SymmetricGroup(1000).defining() ** 5
    with pytest.raises(ValueError, match="1,000,000,000,000,000 × "):
        intertwiners(huge, huge)
    ring = CyclicGroup(600).regular()
    space = intertwiners(ring, ring)
    with pytest.raises(ValueError, match=r"216,000,000 numbers.*expand"):
        _ = space.basis
    assert space.expand(torch.ones(600)).sum() == 360_000


def test_many_orbits_of_few_points():
    """Tensor powers with more set partitions than are worth listing go by generators."""
    rho = V[2] ** 9
    space = intertwiners(rho, rho)
    assert space.dim == 2**17 == intertwiner_dimension(rho, rho)
    assert space.pattern[0].tolist() == list(range(512))


def test_repr():
    assert repr(intertwiners(V[3], V[3] ** 2)) == "5-dimensional space of equivariant maps from R³ to R³ ⊗ R³ of S_3"


# ---- set partitions, orbits and diagrams -----------------------------------------------------------------------------------


def test_set_partitions():
    for axes, n in itertools.product(range(6), range(1, 6)):
        strings = set_partitions(axes, n)
        assert strings == sorted(set(strings))
        assert len(strings) == count_partitions(axes, n) == brute_force_partitions(axes, n)
        # In the order in which they first appear.
        seen = dict.fromkeys(
            tuple(sorted(set(t), key=t.index).index(i) for i in t) for t in itertools.product(range(n), repeat=axes)
        )
        assert list(seen) == strings
        pattern = equality_pattern(n, axes)
        assert pattern.shape == (n,) * axes
        for t in itertools.product(range(n), repeat=axes):
            assert strings[pattern[t]] == tuple(sorted(set(t), key=t.index).index(i) for i in t)
    assert [bell(m) for m in range(11)] == [1, 1, 2, 5, 15, 52, 203, 877, 4140, 21147, 115975]
    assert count_partitions(0, 3) == 1
    assert count_partitions(60, 1) == 1
    assert count_partitions(10, 2) == 2**9


@pytest.mark.parametrize("m", range(7))
def test_diagrams_and_orbits_are_inverse(m):
    there, back = diagram_to_orbit(m, max(m, 1)), orbit_to_diagram(m)
    one = torch.eye(bell(m), dtype=torch.int64)
    assert there.dtype == back.dtype == torch.int64
    assert torch.equal(there @ back, one)
    assert torch.equal(back @ there, one)
    # A triangle with ones: determinant 1.
    rows = there.sum(1).argsort(stable=True)
    assert torch.equal(there[rows][:, rows].diagonal(), torch.ones(bell(m), dtype=torch.int64))
    assert round(float(torch.linalg.det(there.double()))) == 1
    assert torch.equal(diagram_to_orbit(m, m + 3), there)
    for n in range(1, m):
        below = diagram_to_orbit(m, n)
        assert below.shape == (count_partitions(m, n), bell(m))
        assert int(torch.linalg.matrix_rank(below.double())) == count_partitions(m, n)


@pytest.mark.parametrize("n", range(1, 5))
@pytest.mark.parametrize(("k", "l"), [(k, l) for k in range(5) for l in range(5) if k + l <= 4])
def test_diagram_maps(n, k, l):
    """Column π is the map with a 1 wherever the indices are equal at least as π says."""
    m = k + l
    rho_in, rho_out = V[n] ** k, V[n] ** l
    space = intertwiners(rho_in, rho_out)
    change = diagram_to_orbit(m, n)
    diagrams = space.expand(change.T.double())
    for pi, found in zip(set_partitions(m, m), diagrams, strict=True):
        expected = torch.zeros((n,) * m, dtype=DOUBLE)
        for t in itertools.product(range(n), repeat=m):
            expected[t] = float(all(t[a] == t[b] for a in range(m) for b in range(a) if pi[a] == pi[b]))
        assert torch.equal(found, expected.reshape(rho_out.dim, rho_in.dim))
    if n >= m:
        assert torch.equal(torch.einsum("do,dij->oij", orbit_to_diagram(m).double(), diagrams), space.basis)


def test_diagrams_as_contractions():
    """The diagrams of order 2→1 are what contracting and broadcasting gives."""
    x = torch.randn(4, 4, dtype=DOUBLE, generator=torch.Generator().manual_seed(4))
    ones = torch.ones(4, dtype=DOUBLE)
    maps = {
        (0, 0, 0): x.diagonal(),
        (0, 0, 1): x.sum(1),
        (0, 1, 0): x.sum(0),
        (0, 1, 1): x.diagonal().sum() * ones,
        (0, 1, 2): x.sum() * ones,
    }
    diagrams = intertwiners(V[4] ** 2, V[4]).expand(diagram_to_orbit(3, 4).T.double())
    for pi, W in zip(set_partitions(3, 3), diagrams, strict=True):
        torch.testing.assert_close(W @ x.flatten(), maps[pi])
