"""Equivariant maps of representations by matrices: dimensions from the literature, a second solver, refusals."""

from __future__ import annotations

import functools
import math

import numpy as np
import pytest
import torch

from eqcourse import intertwiner_dimension, intertwiners, plots
from eqcourse.groups import (
    SO,
    CyclicGroup,
    DihedralGroup,
    DirectProduct,
    Lorentz,
    MatrixGroup,
    O,
    PermutationGroup,
    ReflectionGroup,
    SymmetricGroup,
)
from eqcourse.representations import MatrixRepresentation, Representation, check_homomorphism, outer
from eqcourse.solvers import DenseSpace
from eqcourse.solvers.nullspace import (
    _Solver,
    constraint_matrix,
    echelon_basis,
    null_space_spectrum,
    nullspace_intertwiners,
)

DOUBLE = torch.float64
# Multiplication from the left by i and by j on (1, i, j, k): they generate Q_8.
QUATERNIONS = [
    [[0, -1, 0, 0], [1, 0, 0, 0], [0, 0, 0, -1], [0, 0, 1, 0]],
    [[0, 0, -1, 0], [0, 0, 0, 1], [1, 0, 0, 0], [0, -1, 0, 0]],
]


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def invariants(rho: Representation) -> int:
    return intertwiners(rho.group.trivial(), rho).dim


def conjugated(rho: Representation, seed: int = 0) -> Representation:
    """The same representation in another basis, which is not orthogonal: P ρ(g) P⁻¹."""
    P = torch.randn(rho.dim, rho.dim, dtype=DOUBLE, generator=seeded(seed))
    P = P / torch.linalg.matrix_norm(P, 2) + torch.eye(rho.dim, dtype=DOUBLE)
    back = torch.linalg.inv(P)
    return MatrixRepresentation(
        rho.group, rho.dim, lambda g: P @ rho.matrix(g) @ back, lambda A: P @ rho.lie_matrix(A) @ back, name="R'"
    )


def by_one_svd(rho_in: Representation, rho_out: Representation) -> np.ndarray:
    """An orthonormal basis (dim, d_out · d_in): all equations stacked as Kronecker products, one singular value decomposition."""
    eye_in, eye_out = np.eye(rho_in.dim), np.eye(rho_out.dim)
    pairs = [(rho_out.matrix(s), rho_in.matrix(s)) for s in rho_in.group.generators]
    pairs += [(rho_out.lie_matrix(A), rho_in.lie_matrix(A)) for A in rho_in.group.lie_algebra]
    # vec(W B) = (1 ⊗ Bᵀ) vec W and vec(A W) = (A ⊗ 1) vec W, row by row.
    blocks = [np.kron(eye_out, right.numpy().T) - np.kron(left.numpy(), eye_in) for left, right in pairs]
    # A tall matrix: all right vectors are there.
    _, values, vectors = torch.linalg.svd(torch.from_numpy(np.concatenate(blocks)), full_matrices=False)
    return vectors[int((values > 1e-9).sum()) :].numpy()


def assert_same_space(one: np.ndarray, other: np.ndarray) -> None:
    """Both are orthonormal bases; the projections onto their spaces are equal."""
    assert len(one) == len(other)
    assert np.abs(one.T @ one - other.T @ other).max(initial=0) <= 1e-8


def flat(space) -> np.ndarray:
    """The space's basis, each map a row of length 1 (maps of different orbits are orthogonal anyway)."""
    return torch.nn.functional.normalize(space.basis.flatten(1), dim=1).numpy()


# ---- dimensions that are known -------------------------------------------------------------------------------------------


def known() -> dict[str, tuple[Representation, Representation, int]]:
    """Pairs, and how many maps lead from one to the other, known from elsewhere.

    Isotropic tensors: Weyl 1939, "The classical groups"; for SO(3) the numbers are A005043, for SO(2) and rank 2k they are the
    binomials (2k over k), for O(n) those of the even ranks that need no ε.
    """
    cases: dict[str, tuple[Representation, Representation, int]] = {}
    for G, dims in (
        (SO(2), {2: 2, 4: 6, 6: 20}),
        (O(2), {1: 0, 2: 1, 4: 3, 6: 10}),
        (SO(3), dict(enumerate([1, 0, 1, 1, 3, 6, 15, 36, 91]))),
        (O(3), dict(enumerate([1, 0, 1, 0, 3, 0, 15, 0, 91]))),
        (SO(4), {4: 4}),
        (O(4), {4: 3}),
        (Lorentz("restricted"), {4: 4}),
        (Lorentz("proper"), {4: 4}),
        (Lorentz("full"), {4: 3}),
    ):
        cases |= {f"{G}, rank {k}": (G.trivial(), G.defining() ** k, dim) for k, dim in dims.items()}
    quaternions = MatrixGroup(discrete=QUATERNIONS)
    for rho, dim in (
        (SO(2).defining(), 2),
        (O(2).defining(), 1),
        (DihedralGroup(5).regular(), 10),
        (quaternions.regular(), 8),
        (quaternions.defining(), 4),
    ):
        cases[f"{rho} to itself"] = (rho, rho, dim)
    return cases


KNOWN = known()


@pytest.mark.parametrize("name", KNOWN)
def test_known_dimensions_by_every_method(name):
    """Every method that serves finds as many maps, and the same space; so do characters, which find no maps at all."""
    rho_in, rho_out, dim = KNOWN[name]
    methods = ["auto", "nullspace"]
    if rho_in.is_signed_permutation and rho_out.is_signed_permutation:
        methods.append("orbits")
    if rho_in.group.is_compact and rho_out.dim <= 250:  # rank 6 takes 10 seconds
        methods.append("irreps")
    spaces = [intertwiners(rho_in, rho_out, method=method) for method in methods]
    assert [space.dim for space in spaces] == [dim] * len(methods)
    assert intertwiner_dimension(rho_in, rho_out) == intertwiner_dimension(rho_out, rho_in) == dim
    for space in spaces[1:]:
        # Of two bases with as many orthonormal rows: the second lies in the span of the first.
        one, other = flat(spaces[0]), flat(space)
        assert np.abs(other - (other @ one.T) @ one).max(initial=0) <= 1e-8


@pytest.mark.parametrize(("kind", "dim"), [("restricted", 4), ("proper", 4), ("full", 3)])
def test_lorentz(kind, dim):
    G = Lorentz(kind)
    X = G.defining()
    assert invariants(X**4) == dim
    assert intertwiners(X * X, X * X).dim == intertwiners(X * X.dual, X * X).dim == dim
    forms = intertwiners(X, X.dual)
    assert forms.dim == 1
    torch.testing.assert_close(forms.basis[0] * -2, G.metric)
    assert intertwiners(X, X).dim == 1
    torch.testing.assert_close(intertwiners(X, X).basis[0] * 2, torch.eye(4, dtype=DOUBLE))


def test_the_cross_product():
    R = SO(3).defining()
    space = intertwiners(R * R, R)
    assert space.dim == 1
    epsilon = space.basis[0].reshape(3, 3, 3) * math.sqrt(6)
    x, y = torch.randn(2, 3, dtype=DOUBLE, generator=seeded())
    torch.testing.assert_close(torch.einsum("ijk,j,k->i", epsilon, x, y), torch.linalg.cross(x, y))
    R = O(3).defining()
    assert intertwiners(R * R, R).dim == 0
    assert intertwiners(R * R, R * O(3).sign()).dim == 1


def test_quarter_turns_commute_with_complex_numbers():
    R = CyclicGroup(4).defining()
    basis = intertwiners(R, R).basis * math.sqrt(2)
    torch.testing.assert_close(basis, torch.tensor([[[1.0, 0], [0, 1]], [[0, 1], [-1, 0]]], dtype=DOUBLE))


def test_quaternions():
    """Q_8 on its own eight elements, and on R⁴ by left multiplication: what commutes with it is multiplication from the right."""
    G = MatrixGroup(discrete=QUATERNIONS)
    assert G.order == 8
    R = G.defining()
    assert intertwiners(R, R).dim == 4
    assert intertwiners(G.regular(), G.regular(), method="nullspace").dim == 8
    assert intertwiners(G.regular(), R).dim == 4


def test_direction_matters_for_shears():
    """Moves (x, y, 1) ↦ (x + a, y + b, 1): two invariant vectors, one invariant coordinate."""
    shift = [[[0.0, 0, 1], [0, 0, 0], [0, 0, 0]], [[0.0, 0, 0], [0, 0, 1], [0, 0, 0]]]
    X, one = MatrixGroup(lie=shift).defining(), MatrixGroup(lie=shift).trivial()
    assert (intertwiners(one, X).dim, intertwiners(X, one).dim) == (2, 1)
    assert intertwiners(X, one).basis.abs().tolist() == [[[0, 0, 1]]]
    assert (intertwiner_dimension(one, X), intertwiner_dimension(X, one)) == (2, 1)
    assert (intertwiner_dimension(one, X + X), intertwiner_dimension(X + X, one)) == (4, 2)


# ---- against other solvers -----------------------------------------------------------------------------------------------


def by_matrices() -> dict[str, tuple[Representation, Representation]]:
    R2, R3, O3, X = SO(2).defining(), SO(3).defining(), O(3).defining(), Lorentz().defining()
    D5, C5 = DihedralGroup(5), CyclicGroup(5)
    S3 = SymmetricGroup(3)
    both = DirectProduct(SO(2), S3)
    table = both.pullback(0, R2) * both.pullback(1, S3.defining())
    return {
        "SO(2) order 2→1 and numbers": (R2 * R2 + SO(2).trivial(), R2 + SO(2).trivial(2)),
        "SO(3) 2→2": (R3 * R3, R3 * R3),
        "SO(3) 2→1 flat": ((R3 * R3).flatten(), R3),
        "O(3) with determinant": (O3 + O3 * O(3).sign(), O3 * O3),
        "Lorentz, dual": (X * X.dual, X.dual * X),
        "C_5 turns → shifts": (C5.defining(), C5.regular()),
        "D_5 vertices → plane²": (D5.on_vertices(), D5.defining() ** 2),
        "SO(2) × S_3": (table, table),
        "outer": (outer(R2, R2), outer(R2, R2)),
        "other basis": (conjugated(R3 * R3), conjugated(R3, 1)),
        "other basis, finite": (conjugated(D5.defining() ** 2), D5.regular()),
        "no equations": (SO(1).defining() * SO(1).trivial(2), SO(1).trivial(3)),
    }


MATRICES = by_matrices()


@functools.cache
def dense(name: str) -> DenseSpace:
    return intertwiners(*MATRICES[name])


@pytest.mark.parametrize("name", MATRICES)
def test_against_one_svd(name):
    rho_in, rho_out = MATRICES[name]
    space = dense(name)
    if rho_in.group.generators or rho_in.group.lie_algebra:
        assert_same_space(flat(space), by_one_svd(rho_in, rho_out))
    else:
        assert space.dim == rho_in.dim * rho_out.dim
    assert space.dim == intertwiner_dimension(rho_in, rho_out)
    # Equivariant under elements that were not asked for.
    for seed in range(5):
        g = rho_in.group.sample(10 + seed)
        left, right = rho_out.matrix(g) @ space.basis, space.basis @ rho_in.matrix(g)
        torch.testing.assert_close(left, right, rtol=0, atol=1e-10)


def by_signed_permutations() -> dict[str, tuple[Representation, Representation]]:
    cases = {f"S_{n} {k}→{l}": (SymmetricGroup(n).defining() ** k, SymmetricGroup(n).defining() ** l)
             for n in (2, 3, 4) for k, l in ((1, 1), (1, 2), (2, 2), (0, 3))}  # fmt: skip
    cases["S_5 2→2"] = (SymmetricGroup(5).defining() ** 2,) * 2
    V, D5, Z2 = SymmetricGroup(4).defining(), DihedralGroup(5), ReflectionGroup()
    return cases | {
        "D_5 regular": (D5.regular(), D5.regular()),
        "D_5 on vertices": (D5.on_vertices(), D5.regular()),
        "with signs": (V * V.group.sign() + V, V * V),
        "sign to trivial": (Z2.sign(), Z2.trivial()),
        "C_12": (CyclicGroup(12).regular(), CyclicGroup(12).regular()),
        "D_4 grid": (DihedralGroup(4).on_grid(3, 3), DihedralGroup(4).on_grid(3, 3)),
        "three points and two": (PermutationGroup([[1, 2, 0, 4, 3]]).defining(),) * 2,
        "outer": (outer(V, V), outer(V, V.group.sign())),
    }


SIGNED = by_signed_permutations()


@pytest.mark.parametrize("name", SIGNED)
def test_both_methods_agree(name):
    rho_in, rho_out = SIGNED[name]
    orbits, found = intertwiners(rho_in, rho_out), intertwiners(rho_in, rho_out, method="nullspace")
    assert (orbits.method[:6], found.method) == ("orbits", "nullspace (equations)")
    assert_same_space(flat(orbits), flat(found))
    # Patterns are numbered by first appearance, and so are the pivots: the bases agree up to length, too.
    np.testing.assert_allclose(flat(orbits), flat(found), atol=1e-12)
    assert found.dim == intertwiner_dimension(rho_in, rho_out)


def test_d5_regular_has_ten():
    rho = DihedralGroup(5).regular()
    assert intertwiners(rho, rho, "orbits").dim == intertwiners(rho, rho, "nullspace").dim == 10


def test_dimension_without_closed_form_is_solved_for():
    R = SO(3).defining()
    assert intertwiner_dimension(R, R) == 1
    assert intertwiner_dimension(R + R * R, R + SO(3).trivial()) == 1 + 1 + 0 + 1
    X = Lorentz("restricted").defining()
    assert intertwiner_dimension(X.group.trivial(), X**4) == 4


# ---- the basis -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", MATRICES)
def test_basis_is_orthonormal_and_in_echelon_form(name):
    rows = flat(dense(name))
    np.testing.assert_allclose(rows @ rows.T, np.eye(len(rows)), atol=1e-10)
    assert not np.any((rows != 0) & (np.abs(rows) < 1e-12))
    pivots = [int(np.argmax(np.abs(row) > 1e-3)) for row in rows]
    assert pivots == sorted(set(pivots))
    for k, pivot in enumerate(pivots):
        assert rows[k, pivot] > 0
        assert not rows[k + 1 :, pivot].any()


@pytest.mark.parametrize("seed", range(3))
def test_echelon_basis_depends_on_the_space_alone(seed):
    rows = torch.linalg.qr(torch.randn(12, 4, dtype=DOUBLE, generator=seeded(seed)))[0].T
    rows[:, [0, 5]] = 0
    rows = torch.linalg.qr(rows.T)[0].T
    turn = torch.linalg.qr(torch.randn(4, 4, dtype=DOUBLE, generator=seeded(seed + 10)))[0]
    basis = echelon_basis(rows)
    torch.testing.assert_close(echelon_basis(turn @ rows), basis, rtol=0, atol=1e-13)
    torch.testing.assert_close(basis.T @ basis, rows.T @ rows, rtol=0, atol=1e-13)
    assert (basis[0, 0], basis[1, 1], basis[0, 1] > 0) == (0, 0, True)


def test_echelon_basis_finds_pivots_that_are_small():
    """A column of length 10⁻³ or less is passed over, and the space is found nevertheless."""
    t = torch.tensor([[5e-4, 1.0, 0, 0], [0, 0, 1e-2, 1.0]], dtype=DOUBLE)
    rows = torch.nn.functional.normalize(t, dim=1)
    basis = echelon_basis(torch.tensor([[0.8, -0.6], [0.6, 0.8]], dtype=DOUBLE) @ rows)
    torch.testing.assert_close(basis, rows, rtol=0, atol=1e-14)
    assert echelon_basis(torch.zeros(0, 3, dtype=DOUBLE)).shape == (0, 3)


# ---- what a dense space can do -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.complex64, torch.complex128, torch.float16])
def test_expand_project_coordinates(dtype):
    R = SO(3).defining()
    space = intertwiners(R * R, R * R)
    weights = torch.randn(2, 5, space.dim, dtype=torch.complex128, generator=seeded())
    weights = (weights if dtype.is_complex else weights.real).to(dtype)
    W = space.expand(weights)
    assert (W.dtype, W.shape) == (dtype, (2, 5, 9, 9))
    torch.testing.assert_close(W, torch.einsum("abk,kij->abij", weights, space.basis.to(dtype)))
    if dtype != torch.float16:
        found = space.coordinates(W)
        assert found.dtype == dtype
        torch.testing.assert_close(found, weights)
        torch.testing.assert_close(space.project(W), W)
    assert space.expand(weights[0, 0]).shape == space.shape


def test_project_is_the_orthogonal_projection():
    R = SO(3).defining()
    space = intertwiners(R * R, R * R)
    W = torch.randn(4, 9, 9, dtype=DOUBLE, generator=seeded())
    rows = torch.from_numpy(by_one_svd(R * R, R * R))
    expected = ((W.flatten(1) @ rows.T) @ rows).reshape(W.shape)
    torch.testing.assert_close(space.project(W), expected, rtol=0, atol=1e-12)
    with pytest.raises(ValueError, match=r"off by .*project\(W\)"):
        space.coordinates(W)


def test_project_is_the_average_over_the_group():
    R = DihedralGroup(5).defining()
    G = R.group
    W = torch.randn(2, 2, dtype=DOUBLE, generator=seeded())
    mean = sum(R.matrix(g) @ W @ R.matrix(G.inverse(g)) for g in G.elements()) / 10
    torch.testing.assert_close(intertwiners(R, R).project(W), mean)


def test_gradients():
    R = SO(2).defining()
    space = intertwiners(R, R)
    weights = torch.randn(3, 2, dtype=DOUBLE, generator=seeded(), requires_grad=True)
    assert torch.autograd.gradcheck(space.expand, weights)
    assert torch.autograd.gradcheck(space.project, torch.randn(2, 2, dtype=DOUBLE, requires_grad=True))


def test_empty_space():
    R = SO(3).defining()
    space = intertwiners(R, SO(3).trivial())
    assert (space.dim, space.basis.shape) == (0, (0, 1, 3))
    assert space.expand([]).tolist() == [[0, 0, 0]]
    assert space.project([[1.0, 2.0, 3.0]]).tolist() == [[0, 0, 0]]
    with pytest.raises(ValueError, match="project"):
        space.coordinates([[1.0, 2.0, 3.0]])


def test_no_pattern():
    R = SO(2).defining()
    space = intertwiners(R, R)
    assert isinstance(space, DenseSpace)
    assert not space.has_pattern
    assert intertwiners(R.group.trivial(), R.group.trivial()).has_pattern
    for name in ("pattern", "signs", "has_signs"):
        with pytest.raises(
            TypeError, match=r"from R² to R² of SO\(2\) was found by method='nullspace .*' and has no pattern"
        ):
            getattr(space, name)
    with pytest.raises(TypeError, match="has no pattern"):
        plots.pattern(space)
    assert repr(space) == "2-dimensional space of equivariant maps from R² to R² of SO(2)"
    assert space._repr_mimebundle_() == {"text/plain": repr(space)}


@pytest.mark.parametrize(
    ("call", "kind", "message"),
    [
        (lambda s: s.expand([1.0, 2.0, 3.0]), ValueError, "has 2 weights"),
        (lambda s: s.expand([1, 2]), TypeError, "floating-point or complex"),
        (lambda s: s.project(torch.zeros(3, 2)), ValueError, r"shape \(2, 2\), got shape \(3, 2\)"),
        (lambda s: s.coordinates(torch.full((2, 2), torch.nan)), ValueError, "NaN or infinity"),
    ],
)
def test_bad_numbers(call, kind, message):
    R = SO(2).defining()
    with pytest.raises(kind, match=message):
        call(intertwiners(R, R))


# ---- refusals ------------------------------------------------------------------------------------------------------------------


def turn(angle: float) -> list[list[float]]:
    return [[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]]


@pytest.mark.parametrize("find", [intertwiners, intertwiner_dimension])
@pytest.mark.parametrize("angle", [1e-8, 1e-7, 1e-6, 9e-6])
def test_doubtful_rank_is_refused(angle, find):
    """The number alone is no surer than the maps."""
    R = MatrixGroup(discrete=[turn(angle)]).defining()
    with pytest.raises(ValueError, match=r"in doubt: the equation of generator 0 .* singular value .*neither zero"):
        find(R.group.trivial(), R)


def test_small_and_large_angles_are_not_doubtful():
    for angle, dim in ((1e-3, 0), (1.0, 0), (0.0, 2), (1e-12, 2)):
        R = MatrixGroup(discrete=[turn(angle)]).defining()
        assert intertwiners(R.group.trivial(), R).dim == intertwiner_dimension(R.group.trivial(), R) == dim


def test_numbers_of_float32_are_doubtful():
    third = torch.tensor(turn(2 * math.pi / 3), dtype=torch.float32).double()
    R = MatrixGroup(discrete=[third]).defining()
    assert intertwiners(R, R).dim == intertwiner_dimension(R, R) == 2
    for find in (intertwiners, intertwiner_dimension):
        with pytest.raises(ValueError, match=r"in doubt.*and the next one is .*not accurate to float64"):
            find(R.group.trivial(), R * R)


def test_size_does_not_matter():
    """What is zero is judged relative to the equation: generators of the algebra may be scaled."""
    for scale in (1e-12, 1.0, 1e12):
        R = MatrixGroup(lie=[[[0, -scale], [scale, 0]]])
        rho = MatrixRepresentation(R, 2, lambda g: torch.eye(2, dtype=DOUBLE), lambda A: A)
        assert len(_without_verification(rho)) == 2


def _without_verification(rho: Representation) -> torch.Tensor:
    solver = _Solver(rho, rho)
    by_weights, how = solver.solve()
    assert how == "highest weights"
    assert len(by_weights) == len(solver._by_equations())
    return by_weights


def test_too_large():
    R = CyclicGroup(5).defining()
    with pytest.raises(ValueError, match=r"128 × 128 = 16,384 entries.*at most 4,096.*direct sum"):
        intertwiners(R**7, R**7, method="nullspace")
    shear = MatrixGroup(lie=[[[0.0, 1], [0, 0]]]).defining()
    with pytest.raises(ValueError, match=r"at most 4,096.*Highest weights do not serve here: .*diagonalised"):
        intertwiners(shear**7, shear**7)
    X = SO(2).defining()
    with pytest.raises(
        ValueError, match=r"change of basis of 1,073,741,824 × 1,073,741,824 numbers.*intertwiner_dimension"
    ):
        intertwiners(X**30, X**30)
    many = SO(30).defining()
    with pytest.raises(ValueError, match=r'method="irreps" goes further.*the algebra has more than 200 dimensions'):
        intertwiners(many * many, many * many)
    with pytest.raises(
        ValueError, match=r"705,432 equivariant maps with 4,194,304 entries each.*intertwiner_dimension"
    ):
        intertwiners(X**11, X**11)


def test_what_is_no_representation_is_refused():
    G = SO(2)
    double = MatrixRepresentation(G, 2, lambda g: g @ g, lambda A: A)  # turns twice as fast as its derivative says
    for find in (intertwiners, intertwiner_dimension):
        for one, other in ((double, double), (G.defining(), double)):
            with pytest.raises(ValueError, match=r"ρ\(exp\(A\)\) differs from exp\(dρ\(A\)\) at A = \[\["):
                find(one, other)
    # What is wrong on elements that no check meets shows in the solutions, or nowhere.
    rare = MatrixRepresentation(SymmetricGroup(7), 1, lambda g: 1.0 - 2.0 * _is_cycle(g))
    rare.is_checked = True
    with pytest.raises(ValueError, match=r"the mean of characters is 0\.\d+, and the number .* is whole"):
        intertwiner_dimension(rare, rare.group.trivial())


def _is_cycle(g: torch.Tensor) -> torch.Tensor:
    """1 for cycles of length 7, as a 1×1 matrix."""
    power, fixed = g, torch.zeros(g.shape[:-1], dtype=torch.bool)
    for _ in range(6):
        fixed |= (power == torch.arange(7)).any(-1)
        power = g.gather(-1, power)
    return (~fixed).double()[..., None, None]


def test_bad_matrices():
    G = SO(2)
    wide = MatrixRepresentation(G, 2, lambda g: g, lambda A: torch.zeros(3, 3), name="bad")
    with pytest.raises(
        ValueError, match=r"bad of SO\(2\) gives for A = \[\[0.0, -1.0\], .*shape \(3, 3\), expected \(2, 2\)"
    ):
        intertwiners(wide, G.trivial())
    nan = MatrixRepresentation(G, 2, lambda g: g, lambda A: A * torch.nan, name="bad")
    with pytest.raises(ValueError, match=r"bad of SO\(2\) gives for A = .* of the Lie algebra a matrix with NaN"):
        intertwiners(G.trivial(), nan)
    without = MatrixRepresentation(G, 2, lambda g: g, name="bad")
    with pytest.raises(ValueError, match="without the matrices of its Lie algebra"):
        intertwiners(without, without)


def test_methods():
    R = SO(2).defining()
    assert intertwiners(R, R, method="nullspace").dim == intertwiners(R, R).dim == nullspace_intertwiners(R, R).dim
    with pytest.raises(ValueError, match=r'method is .*"nullspace", got \'magic\''):
        intertwiners(R, R, method="magic")
    with pytest.raises(TypeError, match=r'acts by matrices.*take method="nullspace"'):
        intertwiners(R, R, method="orbits")


# ---- Lie algebras by highest weights ----------------------------------------------------------------------------------------


def by_weights() -> dict[str, tuple[Representation, Representation]]:
    R3, R4, X = SO(3).defining(), SO(4).defining(), Lorentz("restricted").defining()
    sl2 = MatrixGroup(lie=[[[0, 1.0], [0, 0]], [[0, 0], [1.0, 0]]]).defining()  # its bracket is not given
    scale = MatrixGroup(lie=[[[1.0, 0], [0, -2.0]]]).defining()
    both = DirectProduct(SO(3), SO(2))
    pair = both.pullback(0, R3) * both.pullback(1, SO(2).defining())
    return {
        "SO(3) 2→3": (R3**2, R3**3),
        "SO(3) numbers → 4": (SO(3).trivial(2), R3**4),
        "SO(3) sums": (R3 * R3 + R3 + SO(3).trivial(), (R3 + R3) * R3),
        "O(3) 2→3 with determinant": (O(3).defining() ** 2 * O(3).sign(), O(3).defining() ** 3),
        "SO(4)": (R4**2, R4**2),
        "SO(5)": (SO(5).defining(), SO(5).defining() ** 2),
        "Lorentz": (X * X.dual, X.dual * X + X),
        "SL(2)": (sl2**2, sl2**4),
        "two scalings": (scale**3, scale**3),
        "SO(3) × SO(2)": (pair * pair, pair * pair),
        "other basis": (conjugated(R3 * R3), conjugated(R3**2, 1)),
    }


WEIGHTS = by_weights()


@pytest.mark.parametrize("name", WEIGHTS)
def test_highest_weights_against_one_svd(name):
    rho_in, rho_out = WEIGHTS[name]
    space = intertwiners(rho_in, rho_out)
    assert space.method == "nullspace (highest weights)"
    assert_same_space(flat(space), by_one_svd(rho_in, rho_out))
    assert space.dim == intertwiner_dimension(rho_in, rho_out)
    assert space.evidence.residual <= 1e-10
    assert space.evidence.gap >= 1e6


def test_large_tensors():
    """A005043 again, and the sums of products of multiplicities: 91 = 3² + 6² + 6² + 3² + 1."""
    R = SO(3).defining()
    space = intertwiners(R**4, R**4)
    assert (space.dim, space.shape) == (91, (81, 81))
    rows = space.basis.flatten(1)
    torch.testing.assert_close(rows @ rows.T, torch.eye(91, dtype=DOUBLE), rtol=0, atol=1e-11)
    invariant = intertwiners(R.group.trivial(), R**8)
    torch.testing.assert_close(invariant.basis.reshape(91, 81, 81), space.basis, rtol=0, atol=1e-10)
    assert intertwiner_dimension(R**4, R**5) == 232
    assert intertwiners(O(3).defining() ** 4, O(3).defining() ** 4).dim == 91
    assert intertwiner_dimension(O(3).defining() ** 4, O(3).defining() ** 5) == 0


def test_numbers_without_the_maps():
    """By characters, and by the null space: two routes that share nothing."""
    for n in (2, 3, 4):
        for G in (SO(n), O(n)):
            V = G.defining()
            one, other = V * V + V + G.sign(), V * V * V
            assert intertwiner_dimension(one, other) == intertwiners(one, other, method="nullspace").dim
    for G in (SO(5), O(5), SO(6), O(6)):
        V = G.defining()
        assert intertwiner_dimension(V * V, V * V) == intertwiners(V * V, V * V, method="nullspace").dim == 3
    assert intertwiner_dimension(V * V, V * V * V.group.sign()) == 0
    assert intertwiner_dimension(SO(4).defining() ** 2, SO(4).defining() ** 2) == 4
    V = O(4).defining()
    assert [intertwiner_dimension(V.group.trivial(), V**k) for k in (2, 4, 6, 8)] == [1, 3, 15, 105]
    for kind, dims in (("restricted", [1, 4, 25]), ("proper", [1, 4, 25]), ("full", [1, 3, 15])):
        X = Lorentz(kind).defining()
        assert [intertwiner_dimension(X.group.trivial(), X**k) for k in (2, 4, 6)] == dims


def lorentz_by_other_generators(kind: str, seed: int) -> MatrixGroup:
    """The same group by random combinations of the generators of its Lie algebra."""
    G = Lorentz(kind)
    mix = torch.randn(6, 6, dtype=DOUBLE, generator=seeded(seed))
    lie = torch.einsum("ab,bij->aij", mix, torch.stack(G.lie_algebra))
    return MatrixGroup(discrete=list(G.generators), lie=list(lie))


@pytest.mark.parametrize(("kind", "dim"), [("restricted", 4), ("full", 3)])
def test_lorentz_for_a_hundred_seeds(kind, dim):
    for seed in range(100):
        X = lorentz_by_other_generators(kind, seed).defining()
        space = intertwiners(X.group.trivial(), X**4)
        assert (space.dim, space.method) == (dim, "nullspace (highest weights)")
        assert space.evidence.gap > 1e6
    reference = intertwiners(Lorentz(kind).trivial(), Lorentz(kind).defining() ** 4)
    assert_same_space(flat(space), flat(reference))


def test_shears_and_translations_fall_back():
    shear = MatrixGroup(lie=[[[0.0, 1], [0, 0]]]).defining()
    motions = MatrixGroup(lie=[[[0.0, -1, 0], [1, 0, 0], [0, 0, 0]], [[0.0, 0, 1], [0, 0, 0], [0, 0, 0]]]).defining()
    for rho in (shear, shear**2, motions, motions**2):
        space = intertwiners(rho, rho)
        assert space.method == "nullspace (equations)"
        assert_same_space(flat(space), by_one_svd(rho, rho))
    assert intertwiners(shear, shear).dim == 2
    # Sums of irreps would have as many maps there as back.
    assert intertwiners(motions, motions.group.trivial()).dim == 1
    assert intertwiners(motions.group.trivial(), motions).dim == 0


def test_finite_subgroups_of_the_plane():
    """Turns by 90° keep more tensors of rank 4 than all turns do (6); turns by 45° do not, up to rank 7."""
    for n, dim in ((4, 8), (8, 6)):
        R = CyclicGroup(n).defining()
        assert invariants(R**4) == intertwiner_dimension(R.group.trivial(), R**4) == dim


def test_auto_says_what_it_chose():
    D5 = DihedralGroup(5)
    V = SymmetricGroup(4).defining()
    assert intertwiners(V, V).method.startswith("orbits")
    assert intertwiners(D5.defining(), D5.defining()).method == "nullspace (equations)"
    assert intertwiners(D5.defining() ** 5, D5.defining() ** 5).method == "irreps"
    assert intertwiners(SO(3).defining(), SO(3).defining()).method == "nullspace (highest weights)"


@pytest.mark.parametrize("name", ["SO(3) 2→2", "O(3) with determinant", "D_5 vertices → plane²", "SO(2) × S_3"])
def test_irreps_agree(name):
    rho_in, rho_out = MATRICES[name]
    assert_same_space(flat(intertwiners(rho_in, rho_out, method="irreps")), flat(dense(name)))


# ---- for looking at ---------------------------------------------------------------------------------------------------------


def test_spectrum():
    R = SO(3).defining()
    matrix = constraint_matrix(R * R, R)
    assert matrix.shape == (3 * 27, 27)
    W = intertwiners(R * R, R).basis[0]
    assert (matrix @ W.flatten()).abs().max() <= 1e-12
    values = null_space_spectrum(R * R, R)
    assert (values.shape, int((values > 1e-9).sum())) == ((27,), 26)
    assert null_space_spectrum(SO(1).trivial(2), SO(1).trivial()).tolist() == [0, 0]
    with pytest.raises(ValueError, match=r"19,683 × 6,561; it is built up to"):
        constraint_matrix(R**4, R**4)
    with pytest.raises(ValueError, match="one group"):
        null_space_spectrum(R, O(3).defining())


def test_evidence_in_words():
    R = SO(3).defining()
    evidence = intertwiners(R * R, R).evidence
    assert evidence.largest_zero < 1e-12 < 1e-2 < evidence.smallest_nonzero
    assert "count as zero" in str(evidence)


def test_no_representations():
    with pytest.raises(TypeError, match=r"rho_in is a representation.*got SO: .* SO\(3\)\.defining\(\)"):
        intertwiners(SO(3), SO(3).defining())
    with pytest.raises(TypeError, match=r"rho_out is a representation.*got Tensor"):
        intertwiner_dimension(SO(3).defining(), torch.eye(3))


def test_complex_matrices():
    G = CyclicGroup(4)
    rho = MatrixRepresentation(G, 1, lambda t: torch.exp(0.5j * math.pi * torch.as_tensor(t)).reshape(1, 1))
    with pytest.raises(TypeError, match=r"complex matrix, a tensor of torch\.complex64: write a complex number"):
        intertwiners(rho, G.trivial())
    with pytest.raises(TypeError, match="real matrix"):
        MatrixGroup(lie=[[[1j]]])


def test_generators_that_fit_nothing():
    with pytest.raises(ValueError, match="invertible matrix; this one is singular"):
        MatrixGroup(discrete=[[[1.0, 0], [0, 0]]])
    with pytest.raises(ValueError, match=r"a Lie algebra element is a 2×2 matrix, got shape \(3, 3\)"):
        MatrixGroup(discrete=[[[1.0, 0], [0, 1]]], lie=[torch.zeros(3, 3)])


def test_the_failing_pair_is_named():
    G = SO(3)
    wrong = MatrixRepresentation(G, 3, lambda g: g, lambda A: 2 * A)
    with pytest.raises(ValueError, match=r"dρ\(\[A, B\]\) differs from .* at A = \[\[.*B = \[\["):
        check_homomorphism(wrong)
    double = MatrixRepresentation(SO(2), 2, lambda g: g @ g, lambda A: A)
    with pytest.raises(
        ValueError, match=r"not a representation of SO\(2\): ρ\(exp\(A\)\) differs from exp\(dρ\(A\)\) at A = \[\["
    ):
        intertwiners(SO(2).defining(), double)
