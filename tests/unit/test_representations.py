"""Representations against explicit matrices and loops, against the homomorphism law, and against bad input."""

import functools
import itertools
import math
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

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
    SignedPermutationGroup,
    SymmetricGroup,
)
from eqcourse.representations import (
    DirectSum,
    MatrixRepresentation,
    Representation,
    TensorProduct,
    check_homomorphism,
    from_generators,
    outer,
)

quick = settings(deadline=None, derandomize=True, database=None, max_examples=8)

S3, S4, Z2, C4, D4 = SymmetricGroup(3), SymmetricGroup(4), ReflectionGroup(), CyclicGroup(4), DihedralGroup(4)
SO2, SO3, O3, L = SO(2), SO(3), O(3), Lorentz()
B3 = SignedPermutationGroup(3)
PENTAGON = PermutationGroup([[1, 2, 3, 4, 0], [0, 4, 3, 2, 1]])
TURNS = MatrixGroup([[[0, -1], [1, 0]]])
SKEW = MatrixGroup([[[0, -1], [1, -1]]])  # of order 3 and not orthogonal
V, W, X = S3.defining(), SO3.defining(), L.defining()
PAIR = DirectProduct(S3, SO2)
# The symmetries of a triangle in the plane, on S_3's generators (0 1) and (0 1 2).
HALF, ROOT = 0.5, math.sqrt(3) / 2
TRIANGLE = [[[-HALF, ROOT], [ROOT, HALF]], [[-HALF, -ROOT], [ROOT, -HALF]]]


def helicity(k: int) -> Representation:
    """The plane turned k times as fast: a representation of SO(2) given by its formula."""

    def matrix_of(g: Tensor) -> Tensor:
        return torch.linalg.matrix_power(g, k)

    return MatrixRepresentation(SO2, 2, matrix_of, lambda A: k * A, name=f"turn×{k}")


REPS: dict[str, Representation] = {
    "trivial": S3.trivial(),
    "trivial 3": SO3.trivial(3),
    "sign S_N": S4.sign(),
    "sign B_N": B3.sign(),
    "sign D_N": D4.sign(),
    "sign Z_2": Z2.sign(),
    "sign permutation group": PermutationGroup([[1, 2, 3, 0]]).sign(),
    "det O(3)": O3.sign(),
    "det Lorentz": L.sign(),
    "defining S_1": SymmetricGroup(1).defining(),
    "defining S_N": S4.defining(),
    "defining B_N": B3.defining(),
    "defining C_N": CyclicGroup(5).defining(),
    "defining D_N": DihedralGroup(5).defining(),
    "defining D_1": DihedralGroup(1).defining(),
    "defining Z_2": Z2.defining(),
    "defining permutation group": PENTAGON.defining(),
    "defining matrix group": SKEW.defining(),
    "defining SO(3)": W,
    "defining O(3)": O3.defining(),
    "defining Lorentz": X,
    "defining restricted": Lorentz("restricted").defining(),
    "regular S_N": S3.regular(),
    "regular C_N": CyclicGroup(6).regular(),
    "regular D_N": DihedralGroup(3).regular(),
    "regular matrix group": TURNS.regular(),
    "regular permutation group": PENTAGON.regular(),
    "regular product": DirectProduct(S3, Z2).regular(),
    "regular B_2": SignedPermutationGroup(2).regular(),
    "vertices": DihedralGroup(5).on_vertices(),
    "subsets 0": S4.on_subsets(0),
    "subsets 1": S4.on_subsets(1),
    "subsets 2": S4.on_subsets(2),
    "grid C_1": CyclicGroup(1).on_grid(2, 3),
    "grid C_2": CyclicGroup(2).on_grid(2, 3),
    "grid C_4": C4.on_grid(3, 3),
    "grid D_1": DihedralGroup(1).on_grid(2, 3),
    "grid D_2": DihedralGroup(2).on_grid(2, 3),
    "grid D_4": D4.on_grid(4, 4),
    "grid Z_2": Z2.on_grid(2, 3),
    "indices": from_generators(S3, indices=[[1, 0, 2, 4, 3], [1, 2, 0, 3, 4]]),
    "indices, signs": from_generators(Z2, indices=[[1, 0, 2]], signs=[[-1, -1, -1]]),
    "indices on a product": from_generators(DirectProduct(Z2, C4), indices=[[1, 0, 3, 2], [2, 3, 0, 1]]),
    "matrices": from_generators(S3, matrices=TRIANGLE),
    "by formula": helicity(3),
    "pullback": PAIR.pullback(1, SO2.defining()),
    "pullback, not orthogonal": DirectProduct(Z2, SKEW).pullback(1, SKEW.defining()),
    "pullback of a power": DirectProduct(Z2, S3).pullback(1, V**2),
    "outer": outer(V, SymmetricGroup(2).defining(), Z2.sign()),
    "outer, mixed": outer(V, SO2.defining()),
    "outer, nested": outer(outer(V, Z2.sign()), SO2.defining()),
    "sum": V + S3.sign() + S3.on_subsets(2),
    "sum, mixed": W + SO3.trivial(2),
    "sum with a power": S3.trivial() + V**2,
    "product": V * S3.sign(),
    "product of sums": (V + S3.trivial()) * (S3.sign() + V),
    "product, mixed": O3.sign() * O3.defining(),
    "grid ⊗ vertices": D4.on_grid(2, 2) * D4.on_vertices(),
    "power 0": V**0,
    "power 1": V**1,
    "power 2": W**2,
    "power 3": V**3,
    "copies": 3 * V,
    "copies of a sum": 2 * (W + SO3.trivial()),
    "dual": X.dual,
    "dual, not orthogonal": SKEW.defining().dual,
    "dual of a sum": (X + L.sign()).dual,
    "dual of a product": (X * X).dual,
    "dual of a pullback": DirectProduct(Z2, SKEW).pullback(1, SKEW.defining()).dual,
    "flat": (V**2).flatten(),
    "flat sum of flat": (V**2).flatten() + V**0,
    "flat dual": (X**2).flatten().dual,
}
each = pytest.mark.parametrize("rho", REPS.values(), ids=REPS.keys())


def numbers(*shape: int, dtype: torch.dtype = torch.float64, seed: int = 0) -> Tensor:
    return torch.randn(shape, dtype=dtype, generator=torch.Generator().manual_seed(seed))


def stack(elements: list[Any]) -> Any:
    """A batch of elements, put together without the library."""
    if isinstance(elements[0], tuple):
        return tuple(stack(list(parts)) for parts in zip(*elements, strict=True))
    return torch.stack([torch.as_tensor(g) for g in elements])


def close(a: Tensor, b: Tensor, atol: float = 1e-9) -> bool:
    return a.shape == b.shape and torch.allclose(a, b, rtol=1e-9, atol=atol)


# ---- the laws ------------------------------------------------------------------------------------------------------


@each
@given(one=st.integers(0, 2**32), other=st.integers(0, 2**32))
@quick
def test_homomorphism(rho: Representation, one: int, other: int) -> None:
    g, h = rho.group.sample(one), rho.group.sample(other)
    eye = torch.eye(rho.dim, dtype=torch.float64)
    assert close(rho.matrix(rho.group.compose(g, h)), rho.matrix(g) @ rho.matrix(h))
    assert close(rho.matrix(rho.group.identity), eye)
    assert close(rho.matrix(rho.group.inverse(g)) @ rho.matrix(g), eye)


@each
@given(seed=st.integers(0, 2**32))
@quick
def test_act_is_the_matrix_times_x(rho: Representation, seed: int) -> None:
    g = rho.group.sample(seed)
    matrix = rho.matrix(g)
    for lead in [(), (2,), (2, 0, 3), (2, 1, 3)]:
        x = numbers(*lead, *rho.axes)
        flat = x.reshape(*lead, rho.dim)
        assert close(rho.act(g, x), torch.einsum("ij,...j->...i", matrix, flat).reshape(x.shape))


@each
def test_batches_of_elements_act_one_by_one(rho: Representation) -> None:
    source = torch.Generator().manual_seed(1)
    gs = [rho.group.sample(source) for _ in range(6)]
    g = stack(gs)
    x = numbers(6, 2, *rho.axes)
    assert close(rho.act(g, x), torch.stack([rho.act(a, b) for a, b in zip(gs, x, strict=True)]))
    assert close(rho.act(g, x[:, 0]), torch.stack([rho.act(a, b) for a, b in zip(gs, x[:, 0], strict=True)]))
    # All of them on one array.
    assert close(rho.act(g, x[0, 0]), torch.stack([rho.act(a, x[0, 0]) for a in gs]))
    assert close(rho.matrix(g), torch.stack([rho.matrix(a) for a in gs]))
    # A batch with two axes.
    two = stack([stack(gs[:3]), stack(gs[3:])])
    assert close(rho.act(two, x.reshape(2, 3, 2, *rho.axes)), rho.act(g, x).reshape(2, 3, 2, *rho.axes))


@each
@given(seed=st.integers(0, 2**32))
@quick
def test_signed_permutation_says_where_basis_vectors_go(rho: Representation, seed: int) -> None:
    g = rho.group.sample(seed)
    if not rho.is_signed_permutation:
        with pytest.raises(TypeError, match=r"acts by matrices, not by signed permutations: use matrix\(g\)"):
            rho.signed_permutation(g)
        return
    image, signs = rho.signed_permutation(g)
    matrix = torch.zeros(rho.dim, rho.dim, dtype=torch.float64)
    for j in range(rho.dim):
        matrix[image[j], j] = signs[j]
    assert image.dtype == signs.dtype == torch.int64
    assert torch.equal(matrix, rho.matrix(g))


@each
def test_prepared_elements_act_the_same(rho: Representation) -> None:
    for g in (rho.group.sample(3), rho.group.sample(3, 4)):
        x = numbers(4, *rho.axes)
        action = rho.prepare(g)
        assert torch.equal(action(x), rho.act(g, x))
        assert torch.equal(rho.act(action, x), rho.act(g, x))


def slope(rho: Representation, A: Any, t: float) -> Tensor:
    """The derivative of ρ(exp(tA)) at 0, by a difference quotient of fourth order."""

    def at(s: float) -> Tensor:
        def scaled(B: Any) -> Any:
            return None if B is None else tuple(map(scaled, B)) if isinstance(B, tuple) else s * B

        return rho.matrix(rho.group.exp(scaled(A)))

    return (8 * (at(t) - at(-t)) - (at(2 * t) - at(-2 * t))) / (12 * t)


@pytest.mark.parametrize("name", [name for name, rho in REPS.items() if rho.group.lie_algebra])
def test_lie_matrix_is_the_derivative(name: str) -> None:
    rho = REPS[name]
    for A in rho.group.lie_algebra:
        assert close(rho.lie_matrix(A), slope(rho, A, 1e-3), atol=1e-8)


# ---- conventions ---------------------------------------------------------------------------------------------------


def test_left_action_on_all_ordered_pairs_of_s3() -> None:
    x = torch.tensor([10, 20, 30])
    order_matters = 0
    for g, h in itertools.product(itertools.permutations(range(3)), repeat=2):
        by_loop = [0, 0, 0]
        for i in range(3):
            by_loop[i] = int(x[g.index(i)])  # π⁻¹(i) is the place at which i stands
        assert V.act(g, x).tolist() == by_loop
        gh = [g[h[i]] for i in range(3)]
        hg = [h[g[i]] for i in range(3)]
        assert torch.equal(V.act(g, V.act(h, x)), V.act(gh, x))
        if gh != hg:
            order_matters += 1
            assert not torch.equal(V.act(g, V.act(h, x)), V.act(hg, x))
    assert order_matters == 18  # of 36 pairs: only equal ones, the identity and the rotations commute


def test_shifts() -> None:
    x = torch.arange(7) * 10
    for t in range(7):
        assert CyclicGroup(7).regular().act(t, x).tolist() == [int(x[(i - t) % 7]) for i in range(7)]


@pytest.mark.parametrize("group", [S3, DihedralGroup(3), TURNS, PENTAGON, DirectProduct(Z2, S3)], ids=str)
def test_regular_representation(group: Any) -> None:
    elements = list(group.elements())
    x = numbers(len(elements))
    for g in elements:
        y = group.regular().act(g, x)
        for place, h in enumerate(elements):
            came_from = group.compose(group.inverse(g), h)
            assert y[place] == x[next(i for i, k in enumerate(elements) if group.same(k, came_from))]


def test_signed_permutations_of_coordinates() -> None:
    image, signs = [2, 0, 1], [1, -1, -1]
    x = torch.tensor([10, 20, 30])
    expected = [0, 0, 0]
    for j in range(3):
        expected[image[j]] = signs[j] * int(x[j])
    assert B3.defining().act((image, signs), x).tolist() == expected == [-20, -30, 10]


def test_subsets_move_with_their_points() -> None:
    subsets = list(itertools.combinations(range(4), 2))
    x = numbers(6)
    for g in itertools.permutations(range(4)):
        y = S4.on_subsets(2).act(g, x)
        for place, subset in enumerate(subsets):
            assert y[subsets.index(tuple(sorted(g[i] for i in subset)))] == x[place]
    assert [S4.on_subsets(k).dim for k in range(5)] == [1, 4, 6, 4, 1]
    assert torch.equal(S4.on_subsets(1).matrix([1, 2, 3, 0]), S4.defining().matrix([1, 2, 3, 0]))


@pytest.mark.parametrize("n", [1, 2, 3, 4, 5])
def test_the_plane_and_the_vertices_of_a_polygon_agree(n: int) -> None:
    group = DihedralGroup(n)
    corners = [torch.tensor([math.cos(2 * math.pi * i / n), math.sin(2 * math.pi * i / n)]).double() for i in range(n)]
    for k, m in group.elements():
        image, _ = group.on_vertices().signed_permutation((k, m))
        for i in range(n):
            assert torch.allclose(group.defining().act((k, m), corners[i]), corners[image[i]], atol=1e-6)
        assert torch.allclose(torch.linalg.det(group.defining().matrix((k, m))), group.sign().matrix((k, m)).squeeze())
    for t in range(n):
        assert torch.equal(CyclicGroup(n).defining().matrix(t), group.defining().matrix((t, 0)))


@pytest.mark.parametrize(("height", "width"), [(3, 3), (2, 4), (1, 5)])
def test_grids_turn_like_numpy(height: int, width: int) -> None:
    x = np.arange(2 * height * width).reshape(2, height, width)
    image = (1, 2)
    mirrored = np.flip(x, 2)
    square = height == width
    for n in (1, 2, 4) if square else (1, 2):
        for t in range(n):
            turned = np.rot90(x, 4 * t // n, image)
            assert np.array_equal(CyclicGroup(n).on_grid(height, width).act(t, x), turned)
            assert np.array_equal(DihedralGroup(n).on_grid(height, width).act((t, 0), x), turned)
            # (k, m) is r^k s^m: first the mirror, then the turns.
            turned = np.rot90(mirrored, 4 * t // n, image)
            assert np.array_equal(DihedralGroup(n).on_grid(height, width).act((t, 1), x), turned)
    assert np.array_equal(Z2.on_grid(height, width).act(-1, x), mirrored)


def test_signs() -> None:
    for g in itertools.permutations(range(4)):
        inversions = sum(a > b for a, b in itertools.combinations(g, 2))
        assert S4.sign().act(g, torch.ones(1)) == (-1) ** inversions
        assert torch.linalg.det(S4.defining().matrix(g)).round() == (-1) ** inversions
    for group in (B3, O3, L, Lorentz("proper")):
        g = group.sample(0, 20)
        assert torch.allclose(torch.linalg.det(group.defining().matrix(g)).sign(), group.sign().matrix(g).flatten())
    assert SO3.sign() == SO3.trivial()


# ---- the algebra of types, against explicit matrices ---------------------------------------------------------------


@given(seed=st.integers(0, 2**32))
@quick
def test_sums_are_blocks_products_are_kronecker(seed: int) -> None:
    for parts in ([V, S3.sign(), V**2], [X, L.sign(), X.dual], [W, SO3.trivial(2)], [D4.on_grid(2, 2), D4.defining()]):
        g = parts[0].group.sample(seed)
        matrices = [rho.matrix(g) for rho in parts]
        total, product = functools.reduce(lambda a, b: a + b, parts), functools.reduce(lambda a, b: a * b, parts)
        assert close(total.matrix(g), torch.block_diag(*matrices))
        assert total.axes == (sum(rho.dim for rho in parts),)
        assert close(product.matrix(g), functools.reduce(torch.kron, matrices), atol=1e-7)
        assert product.axes == tuple(itertools.chain.from_iterable(rho.axes for rho in parts))
        assert close((3 * parts[0]).matrix(g), torch.block_diag(*[matrices[0]] * 3))
        for k in range(4):
            power = functools.reduce(torch.kron, [matrices[0]] * k, torch.eye(1, dtype=torch.float64))
            assert close((parts[0] ** k).matrix(g), power, atol=1e-7)
            assert (parts[0] ** k).axes == parts[0].axes * k


@pytest.mark.parametrize("name", [name for name in REPS if "dual" not in name])
def test_dual_is_the_inverse_transpose(name: str) -> None:
    rho = REPS[name]
    g = rho.group.sample(8)
    inverse_transpose = torch.linalg.inv(rho.matrix(g)).mT
    assert close(rho.dual.matrix(g), inverse_transpose, atol=1e-7)
    assert rho.dual.axes == rho.axes
    assert rho.dual.dual == rho
    # A covector on a vector gives the same number in every frame.
    x, y = numbers(*rho.axes), numbers(*rho.axes, seed=1)
    assert torch.isclose((rho.dual.act(g, y) * rho.act(g, x)).sum(), (x * y).sum())
    for A in rho.group.lie_algebra:
        assert close(rho.dual.lie_matrix(A), -rho.lie_matrix(A).mT)


@given(seed=st.integers(0, 2**32))
@quick
def test_pullbacks_and_outer_products(seed: int) -> None:
    S2 = SymmetricGroup(2)
    group = DirectProduct(S3, S2, SO2)
    a, b, c = group.sample(seed)
    plane = SO2.defining()
    assert close(group.pullback(0, V).matrix((a, b, c)), V.matrix(a))
    assert close(group.pullback(2, plane).matrix((a, b, c)), c)
    c = c.contiguous()  # as torch.kron needs it
    table = outer(V, S2.defining(), plane)
    assert table.axes == (3, 2, 2)
    assert close(table.matrix((a, b, c)), torch.kron(torch.kron(V.matrix(a), S2.defining().matrix(b)), c))
    nested = DirectProduct(group, S3)
    rho = nested.pullback(0, group.pullback(1, S2.defining()))
    assert close(rho.matrix(((a, b, c), a)), S2.defining().matrix(b))


def test_flatten_keeps_the_matrix() -> None:
    for rho in (V**2, W**3, D4.on_grid(3, 3), V**0):
        g = rho.group.sample(2)
        assert rho.flatten().axes == (rho.dim,)
        assert torch.equal(rho.flatten().matrix(g), rho.matrix(g))
    assert V.flatten() is V


def test_values_on_generators_decide() -> None:
    # The same representations once from the library and once from their generators.
    cube = S3.defining() ** 2
    built = {
        "S_4": (S4.defining(), from_generators(S4, indices=[g.tolist() for g in S4.generators])),
        "sign": (S4.sign(), from_generators(S4, indices=[[0], [0]], signs=[[-1], [-1]])),
        "sign, matrices": (S4.sign(), from_generators(S4, matrices=[[[-1]], [[-1]]])),
        "flat": (cube.flatten(), from_generators(S3, matrices=[cube.matrix(g) for g in S3.generators])),
        "grid": (
            D4.on_grid(3, 3).flatten(),
            from_generators(D4, indices=[D4.on_grid(3, 3).signed_permutation(g)[0] for g in D4.generators]),
        ),
    }
    for name, (rho, sigma) in built.items():
        assert rho == sigma, name
        g = rho.group.sample(5, 12)
        assert close(rho.matrix(g), sigma.matrix(g)), name


# ---- arrays of all sorts -------------------------------------------------------------------------------------------

FLOATS = [torch.float32, torch.float64, torch.complex64, torch.complex128]
INTEGERS = [torch.int64, torch.int32, torch.int16, torch.int8]


@each
@pytest.mark.parametrize("dtype", [*FLOATS, torch.float16, torch.bfloat16])
def test_floating_types_are_kept(rho: Representation, dtype: torch.dtype) -> None:
    g = rho.group.sample(6)
    x = numbers(2, *rho.axes).to(dtype)
    y = rho.act(g, x)
    exact = rho.act(g, x.to(torch.complex128 if dtype.is_complex else torch.float64))
    assert y.dtype == dtype
    assert torch.allclose(y.to(exact.dtype), exact, rtol=0, atol=200 * torch.finfo(dtype).eps)


@each
def test_integers_and_booleans_where_they_make_sense(rho: Representation) -> None:
    g = rho.group.sample(6)
    x = torch.arange(2 * rho.dim).reshape(2, *rho.axes)
    if not rho.is_signed_permutation:
        with pytest.raises(
            TypeError, match=r"needs floating-point numbers, got torch.int64: convert with x.double\(\)"
        ):
            rho.act(g, x)
        return
    for dtype in INTEGERS:
        y = rho.act(g, x.to(dtype))
        assert y.dtype == dtype
        assert torch.equal(y.double(), rho.act(g, x.to(dtype).double()))
    flips = any((rho.signed_permutation(s)[1] < 0).any() for s in rho.group.generators)
    for dtype in (torch.bool, torch.uint8):
        if flips:
            with pytest.raises(
                TypeError, match=f"changes signs, and {dtype} has none: convert x to a signed or floating"
            ):
                rho.act(g, x.to(dtype))
        else:
            y = rho.act(g, x.to(dtype))
            assert y.dtype == dtype
            assert torch.equal(y.double(), rho.act(g, x.to(dtype).double()))


@each
def test_strides_do_not_matter_and_inputs_are_left_alone(rho: Representation) -> None:
    g = rho.group.sample(9)
    x = numbers(3, *(2 * n for n in rho.axes), 2)[(slice(None), *[slice(None, None, 2)] * len(rho.axes), 0)]
    before = x.clone()
    for h in (g, rho.group.sample(9, 3)):
        assert close(rho.act(h, x), rho.act(h, x.contiguous()))
        assert close(rho.act(h, x[:1].expand(3, *rho.axes)), rho.act(h, x[:1].repeat(3, *[1] * len(rho.axes))))
    assert torch.equal(x, before)
    assert close(rho.act(g, x.numpy()), rho.act(g, x))


@each
def test_results_stay_on_the_device_of_x(rho: Representation) -> None:
    # The meta device computes shapes only; mixing it with the processor's arrays is an error, as for a GPU.
    x = torch.empty(4, *rho.axes, device="meta")
    for g in (rho.group.sample(0), rho.group.sample(0, 4)):
        y = rho.act(g, x)
        assert y.device.type == "meta"
        assert y.shape == x.shape


@each
def test_gradients_flow_through_act(rho: Representation) -> None:
    # The gradient of ⟨w, ρ(g)x⟩ in x is ρ(g)ᵀw.
    for g in (rho.group.sample(4), rho.group.sample(4, 2)):
        x, w = numbers(2, *rho.axes).requires_grad_(), numbers(2, *rho.axes, seed=1)
        (gradient,) = torch.autograd.grad((w * rho.act(g, x)).sum(), x)
        matrix = rho.matrix(g).expand(2, rho.dim, rho.dim)
        expected = torch.einsum("bij,bi->bj", matrix, w.reshape(2, rho.dim)).reshape(w.shape)
        assert close(gradient, expected)


# ---- no big matrix -------------------------------------------------------------------------------------------------


class Largest(TorchDispatchMode):
    """Remembers the number of entries of the largest array that any operation returned."""

    entries = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        out = func(*args, **(kwargs or {}))
        if isinstance(out, Tensor):
            self.entries = max(self.entries, out.untyped_storage().nbytes() // out.element_size())
        return out


def test_third_power_of_s64_makes_no_big_array() -> None:
    group = SymmetricGroup(64)
    rho = group.defining() ** 3
    g = group.sample(1)
    x = numbers(64, 64, 64, dtype=torch.float32)
    with Largest() as seen:
        y = rho.act(g, x)
    back = torch.empty_like(g)
    back[g] = torch.arange(64)
    assert torch.equal(y, x[back[:, None, None], back[:, None], back])
    assert seen.entries <= 64**3
    with pytest.raises(ValueError, match=r"would have 262,144 × 262,144 entries: use act\(g, x\) instead"):
        rho.matrix(g)


def test_large_types_are_compared_without_matrices() -> None:
    group = SymmetricGroup(64)
    assert group.defining() ** 3 == group.defining() * group.defining() ** 2
    assert SO3.trivial(200_000) == SO3.trivial(200_000)


# ---- equality and names --------------------------------------------------------------------------------------------


def test_same_action_built_two_ways() -> None:
    same = [
        (V, SymmetricGroup(3).defining()),
        (V, S3.on_subsets(1)),
        (V + V, 2 * V),
        ((V + V) + S3.sign(), V + (V + S3.sign())),
        ((V * V) * V, V**3),
        (V**1, V),
        ((V**2).flatten(), (V * V).flatten()),
        (V * S3.sign(), V * S3.sign()),
        (CyclicGroup(2).on_grid(1, 2).flatten(), CyclicGroup(2).regular()),
        (PENTAGON.defining(), PermutationGroup([[0, 4, 3, 2, 1], [1, 0, 4, 3, 2]]).defining()),
        (W.dual, W),  # orthogonal matrices
        (W.dual * W, W**2),
        (SO3.sign(), SO3.trivial()),
        (helicity(1), SO2.defining()),
        (S3.trivial(3), 3 * S3.trivial()),
        (DirectProduct(S3, S3).pullback(1, V), DirectProduct(S3, S3).pullback(1, S3.on_subsets(1))),
        (X.dual.dual, X),
    ]
    for rho, sigma in same:
        assert rho == sigma, (rho, sigma)
        assert sigma == rho
        assert hash(rho) == hash(sigma)


def test_different_actions_are_not_equal() -> None:
    pair = DirectProduct(S3, S3)
    one = S3.trivial()
    different = [
        (V + one, one + V),
        (V, SymmetricGroup(4).defining()),
        (V, S3.trivial(3)),
        (V, DihedralGroup(3).on_vertices()),  # another group, though isomorphic
        (V**2, (V**2).flatten()),  # other axes
        (outer(V, V), pair.pullback(0, V) ** 2),
        (pair.pullback(0, V), pair.pullback(1, V)),
        (V * S3.sign(), V * one),
        (X.dual, X),
        (O3.sign() * O3.defining(), O3.trivial() * O3.defining()),
        (O3.sign() * O3.defining(), O3.defining() * O3.sign()),  # the axes have sizes (1, 3) and (3, 1)
        (helicity(2), helicity(3)),
        (helicity(1), SO2.trivial(2)),
        (D4.defining(), 2 * D4.sign()),
    ]
    for rho, sigma in different:
        assert rho != sigma, (rho, sigma)
        assert sigma != rho
    assert V != "R³ of S_3"


U = SymmetricGroup(5).defining()
PRODUCT = DirectProduct(S3, S3)
P, Q = PRODUCT.pullback(0, V), PRODUCT.pullback(1, V)


@pytest.mark.parametrize(
    ("rho", "text"),
    [
        (U, "R⁵ of S_5"),
        (U * U, "R⁵ ⊗ R⁵ of S_5"),
        (U + U.group.trivial(), "R⁵ ⊕ 1 of S_5"),
        (3 * U, "3·R⁵ of S_5"),
        (U**0, "1 of S_5"),
        ((U + U.group.sign()) * U, "(R⁵ ⊕ sign) ⊗ R⁵ of S_5"),
        (2 * (U * U) + U, "2·(R⁵ ⊗ R⁵) ⊕ R⁵ of S_5"),
        ((U**2).flatten(), "flat(R⁵ ⊗ R⁵) of S_5"),
        (S3.trivial(4), "4·1 of S_3"),
        (S4.on_subsets(2), "R⁶ (2-subsets) of S_4"),
        (D4.on_vertices(), "R⁴ (vertices) of D_4"),
        (D4.on_grid(12, 12), "R^(12×12) of D_4"),
        (X.dual, "R⁴* of Lorentz (full)"),
        (outer(V, U), "R³ ⊠ R⁵ of S_3 × S_5"),
        (outer(W, X).dual, "R³* ⊠ R⁴* of SO(3) × Lorentz (full)"),
        (outer(V + S3.trivial(), U), "(R³ ⊕ 1) ⊠ R⁵ of S_3 × S_5"),
        (Q, "R³ of factor 1 of S_3 × S_3"),
        (P + Q, "R³ ⊕ R³ of S_3 × S_3"),  # not 2·R³: two different actions
        (P + P, "2·R³ of S_3 × S_3"),
        (DirectSum([V, V, S3.sign()]), "2·R³ ⊕ sign of S_3"),
        (helicity(3), "turn×3 of SO(2)"),
        (V.prepare([0, 1, 2]), "an element acting by R³ of S_3"),
    ],
)
def test_names(rho: Any, text: str) -> None:
    assert repr(rho) == text


# ---- the homomorphism check ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rho", "said"),
    [
        (S4.defining(), "all 24 elements × 2 generators"),
        (Z2.sign(), "all 2 elements × 1 generator"),
        (SymmetricGroup(200).defining(), "50 sampled elements × 2 generators"),
        (W, "50 sampled elements × 1 sampled element, and the Lie algebra"),
        (O3.defining(), "50 sampled elements × 1 generator and 1 sampled element, and the Lie algebra"),
        (outer(V, SO2.defining()), "50 sampled elements × 2 generators and 1 sampled element, and the Lie algebra"),
        (outer(Z2.sign(), W), "50 sampled elements × 1 generator and 1 sampled element, and the Lie algebra"),
        # 3⁶ = 729 entries: too many for matrices, and the text must not claim them.
        (W**6, "50 sampled elements × 1 sampled element"),
    ],
    ids=repr,
)
def test_check_says_what_it_checked(rho: Representation, said: str) -> None:
    assert check_homomorphism(rho) == said


PLANE = SO2.defining()
IMPOSTORS = {
    "transposed": MatrixRepresentation(O3, 3, lambda g: g.mT, lambda A: -A),
    "no identity": MatrixRepresentation(SO2, 2, lambda g: 2 * g, lambda A: A),
    "wrong algebra": MatrixRepresentation(SO2, 2, lambda g: g, lambda A: 2 * A),
    "wrong bracket": MatrixRepresentation(SO3, 3, lambda g: g, lambda A: A.mT),
    # Right on the basis, whose entries below the diagonal are positive, and not on its brackets.
    "algebra not linear": MatrixRepresentation(SO3, 3, lambda g: g, lambda A: A if A.tril().sum() > 0 else 2 * A),
    "algebra a whole turn too fast": MatrixRepresentation(SO2, 2, lambda g: g, lambda A: (1 + 2 * math.pi) * A),
    "wrong algebra in a product": outer(Z2.sign(), MatrixRepresentation(SO2, 2, lambda g: g, lambda A: 2 * A)),
}


@pytest.mark.parametrize("rho", IMPOSTORS.values(), ids=IMPOSTORS.keys())
def test_impostors_are_found(rho: Representation) -> None:
    with pytest.raises(
        ValueError, match=f"not a representation of {rho.group}".replace("(", r"\(").replace(")", r"\)")
    ):
        check_homomorphism(rho)


# ---- bad input -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("do", "error", "message"),
    [
        (lambda: V.act([0, 0, 1], torch.zeros(3)), ValueError, "each of 0 to 2 once; 2 is missing"),
        (lambda: V.act([0, 1], torch.zeros(3)), ValueError, r"has 3 entries, got shape \(2,\)"),
        (lambda: W.act(2 * torch.eye(3), torch.zeros(3)), ValueError, "orthogonal"),
        (lambda: W.act(-torch.eye(3), torch.zeros(3)), ValueError, r"determinant \+1; this one has -1"),
        (lambda: C4.regular().act(0.5, torch.zeros(4)), TypeError, "a shift in C_4 is an integer, got 0.5"),
        (
            lambda: PENTAGON.regular().act([1, 0, 2, 3, 4], torch.zeros(10)),
            ValueError,
            "is not an element of permutation",
        ),
        (
            lambda: V.act([0, 1, 2], torch.zeros(4)),
            ValueError,
            r"R³ of S_3 acts on arrays whose trailing shape is \(3,\); this one has shape \(4,\)",
        ),
        (
            lambda: (V**2).act([0, 1, 2], torch.zeros(3)),
            ValueError,
            r"trailing shape is \(3, 3\); this one has shape \(3,\)",
        ),
        (lambda: V.act([0, 1, 2], torch.zeros(3, 2)), ValueError, r"this one has shape \(3, 2\)"),
        (
            lambda: V.act(S3.sample(0, 5), torch.zeros(4, 3)),
            ValueError,
            r"a batch of group elements of shape \(5,\).*or on one array of shape \(3,\); got shape \(4, 3\)",
        ),
        (lambda: W.act(torch.eye(3), torch.arange(3)), TypeError, "needs floating-point numbers, got torch.int64"),
        (
            lambda: V + S4.defining(),
            ValueError,
            "different groups cannot be added: R³ of S_3 and R⁴ of S_4.*pull both back",
        ),
        (
            lambda: V * S4.defining(),
            ValueError,
            r"different groups cannot be multiplied: R³ of S_3 and R⁴ of S_4.*outer\(rho, sigma\)",
        ),
        (
            lambda: V.act(S4.defining().prepare([0, 1, 2, 3]), torch.zeros(3)),
            ValueError,
            "prepared for R⁴ of S_4, not for R³",
        ),
        (lambda: 0 * V, ValueError, "copies of R³ of S_3 is at least 1, got 0"),
        (lambda: V**-1, ValueError, "order 0 or more, got -1; for the dual write rho.dual"),
        (lambda: V + 1, TypeError, "unsupported"),
        (lambda: True * V, TypeError, "unsupported"),
        (lambda: V.lie_matrix(torch.zeros(3, 3)), ValueError, "S_3 has no Lie algebra"),
        (
            lambda: W.lie_matrix(torch.zeros(2, 2)),
            ValueError,
            r"Lie algebra of SO\(3\) is a 3×3 matrix, got shape \(2, 2\)",
        ),
        (
            lambda: MatrixRepresentation(SO2, 2, lambda g: g).lie_matrix(SO2.lie_algebra[0]),
            ValueError,
            "given without the matrices of its Lie algebra",
        ),
        (lambda: DirectSum([]), ValueError, "at least one representation"),
        (lambda: TensorProduct([]), ValueError, "at least one representation"),
        (lambda: outer(V), ValueError, r"at least two factors: outer\(rho, sigma\)"),
        (lambda: PAIR.pullback(2, V), ValueError, "has factors 0 to 1, got 2"),
        (lambda: PAIR.pullback(1, V), ValueError, r"factor 1 of S_3 × SO\(2\) is SO\(2\), but .* is R³ of S_3"),
        (lambda: PAIR.defining(), ValueError, "no one defining representation.*representations.outer"),
        (lambda: SO3.regular(), ValueError, "infinitely many"),
        (lambda: C4.sign(), ValueError, "C_4 has no sign.*from_generators"),
        (lambda: S3.trivial(0), ValueError, "a positive integer, got 0"),
        (lambda: S3.on_subsets(4), ValueError, "subsets of 0 to 3 of its points, got k = 4"),
        (lambda: CyclicGroup(3).on_grid(3, 3), ValueError, "C_3 does not map a square grid.*n = 1, 2, 4 do"),
        (lambda: D4.on_grid(2, 3), ValueError, "a quarter turn needs a square image, got 2 × 3"),
        (lambda: C4.on_grid(0, 0), ValueError, "the height of a grid is a positive integer, got 0"),
        (
            lambda: SymmetricGroup(20).defining().matrix(torch.arange(20).repeat(1_000_000, 1)),
            ValueError,
            "20 × 20 entries for each of 1,000,000 elements",
        ),
        (
            lambda: from_generators(C4, indices=[[1, 2, 0]]),
            ValueError,
            r"not a representation of C_4.* at g = 3, s = 1",
        ),
        (lambda: from_generators(S4, matrices=TRIANGLE), ValueError, "not a representation of S_4"),
        # Both generators exchange 0 and 1. The cycle, sorted into three neighbour swaps, would then do nothing.
        (
            lambda: from_generators(S3, indices=[[1, 0, 2], [1, 0, 2]]),
            ValueError,
            r"generator 1, \[1, 2, 0\], is also a product of generators, and the product of their values is not the value given",
        ),
        (
            lambda: from_generators(S3, matrices=[[[-1]], [[-1]]]),
            ValueError,
            r"not a representation of S_3: generator 1, \[1, 2, 0\], is also a product",
        ),
        (lambda: from_generators(DihedralGroup(1), matrices=[[[-1]], [[1]]]), ValueError, r"generator 0, \(0, 0\)"),
        (
            lambda: from_generators(S3, indices=[[1, 0, 2], [1, 0]]),
            ValueError,
            r"the value of generator 1 of S_3 is no signed permutation of 3 entries: .*shape \(2,\)",
        ),
        (
            lambda: from_generators(S3, indices=[[], []]),
            ValueError,
            "for each generator of S_3; the first of them is empty",
        ),
        (lambda: from_generators(S3, matrices=[]), ValueError, r"S_3 has 2 generator\(s\).*got 0 value\(s\)"),
        (lambda: from_generators(C4, matrices=[[[1j]]]), TypeError, "the value of generator 0 is a real matrix"),
        (
            lambda: from_generators(CyclicGroup(3), matrices=[CyclicGroup(3).defining().matrix(1).float()]),
            ValueError,
            "at g = 2, s = 1 by .* accurate to float64",
        ),
        (lambda: from_generators(4, indices=[[0]]), TypeError, r"takes a group, such as CyclicGroup\(4\), got int"),
        (lambda: outer(V, 3), TypeError, "a term or factor is a representation.* got int"),
        (lambda: TensorProduct([V, "ab"]), TypeError, "a term or factor is a representation.* got str"),
        (lambda: C4.on_grid(2.5, 2.5), TypeError, "the height of a grid is a positive integer, got 2.5"),
        (lambda: from_generators(S3, indices=[[1, 0]]), ValueError, r"S_3 has 2 generator\(s\).*got 1 value\(s\)"),
        (lambda: from_generators(S3, indices=[1, 0]), TypeError, "a list of arrays, one for each generator of S_3"),
        (lambda: from_generators(S3, matrices=[1, 1]), TypeError, "a list of matrices, one for each generator of S_3"),
        (lambda: from_generators(S3, matrices=[[[0]], [[0]]]), ValueError, "one of these is singular"),
        (lambda: from_generators(Z2, matrices=[[[math.nan]]]), ValueError, "NaN"),
        (lambda: from_generators(S3), ValueError, "either indices .* or matrices"),
        (lambda: from_generators(Z2, indices=[[0]], matrices=[[[1]]]), ValueError, "either indices .* or matrices"),
        (lambda: from_generators(Z2, matrices=[[[1]]], signs=[[1]]), ValueError, "either indices .* or matrices"),
        (lambda: from_generators(Z2, indices=[[0, 1]], signs=[[1]]), ValueError, "one for each point"),
        (lambda: from_generators(SO3, matrices=[]), ValueError, "not generated by finitely many elements"),
    ],
)
def test_bad_input_gets_a_clear_error(do: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        do()
