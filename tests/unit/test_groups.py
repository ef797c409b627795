"""Groups against the axioms, against counts that are known from elsewhere, and against bad input.

Elements come from random words in the generators and the Lie algebra as well as from `sample`, so that a fault in `sample` hides nothing.
"""

import itertools
import math
import os
import random
import subprocess
import sys
from collections import Counter
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

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
    as_generator,
)

quick = settings(deadline=None, derandomize=True, database=None, max_examples=12)


def rotation(angle: float) -> list[list[float]]:
    return [[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]]


PENTAGON = PermutationGroup([[1, 2, 3, 4, 0], [0, 4, 3, 2, 1]])
QUATERNIONS = MatrixGroup(  # multiplication by i and by j on (1, i, j, k)
    [
        [[0, -1, 0, 0], [1, 0, 0, 0], [0, 0, 0, -1], [0, 0, 1, 0]],
        [[0, 0, -1, 0], [0, 0, 0, 1], [1, 0, 0, 0], [0, -1, 0, 0]],
    ]
)
# (0 1 … 10) and (2 6 10 7)(3 9 4 5): the Mathieu group, in which the images of four points may be chosen freely, and fix the rest.
M11 = PermutationGroup([[*range(1, 11), 0], [0, 1, 6, 9, 5, 3, 10, 2, 8, 4, 7]])
S3, Z2 = SymmetricGroup(3), ReflectionGroup()

# Each finite group with its order, counted without the library.
FINITE: list[tuple[Group, int]] = [
    (SymmetricGroup(1), 1),
    (SymmetricGroup(2), 2),
    (S3, 6),
    (SymmetricGroup(5), 120),
    (SignedPermutationGroup(1), 2),
    (SignedPermutationGroup(2), 8),
    (SignedPermutationGroup(3), 48),
    (CyclicGroup(1), 1),
    (CyclicGroup(2), 2),
    (CyclicGroup(12), 12),
    (DihedralGroup(1), 2),
    (DihedralGroup(2), 4),
    (DihedralGroup(3), 6),
    (DihedralGroup(6), 12),
    (Z2, 2),
    (PermutationGroup([[0, 1, 2]]), 1),
    (PermutationGroup([[0]]), 1),
    (PENTAGON, 10),
    (PermutationGroup([[1, 2, 0, 3], [1, 0, 3, 2]]), 12),  # the even permutations of four points
    (PermutationGroup([[1, 0, 2, 3], [0, 1, 3, 2]]), 4),  # two swaps that have no point in common
    (PermutationGroup([[1, 2, 3, 0, 4, 5], [0, 1, 2, 3, 5, 4], [1, 0, 2, 3, 4, 5]]), 48),
    (MatrixGroup([[[0, -1], [1, 0]]]), 4),
    (MatrixGroup([rotation(math.pi / 3), [[1, 0], [0, -1]]]), 12),
    (MatrixGroup([[[0, -1], [1, -1]]]), 3),  # not orthogonal
    (MatrixGroup([[[0, -1, 0], [1, 0, 0], [0, 0, 1]], [[1, 0, 0], [0, 0, -1], [0, 1, 0]]]), 24),  # turns of the cube
    (QUATERNIONS, 8),
    (SO(1), 1),
    (O(1), 2),
    (DirectProduct(S3), 6),
    (DirectProduct(S3, CyclicGroup(4)), 24),
    (DirectProduct(DirectProduct(S3, Z2), DihedralGroup(3)), 72),
    (DirectProduct(SignedPermutationGroup(2), PermutationGroup([[1, 2, 0]])), 24),
]
INFINITE: list[Group] = [
    SO(2),
    SO(3),
    SO(4),
    O(2),
    O(3),
    Lorentz("full"),
    Lorentz("proper"),
    Lorentz("restricted"),
    MatrixGroup([[[1, 1], [0, 1]]]),
    MatrixGroup(lie=[[[0, -1], [1, 0]]]),
    MatrixGroup([[[1, 0], [0, -1]]], lie=[[[0, -1], [1, 0]]]),
    DirectProduct(SymmetricGroup(4), SO(3)),
    DirectProduct(DirectProduct(Z2, O(2)), Lorentz()),
]
LARGE: list[Group] = [
    SymmetricGroup(64),
    SignedPermutationGroup(20),
    M11,
    DirectProduct(SymmetricGroup(12), CyclicGroup(7)),
]
ALL = [g for g, _ in FINITE] + INFINITE + LARGE


def named(group: Any) -> str | None:
    return f"{group}" if isinstance(group, Group) else None


def close(g: Any, h: Any) -> bool:
    """The same data, up to rounding in float matrices."""
    if isinstance(g, tuple):
        return len(g) == len(h) and all(close(a, b) for a, b in zip(g, h, strict=True))
    if isinstance(g, Tensor) and g.is_floating_point():
        return g.shape == h.shape and torch.allclose(g, h, rtol=0, atol=1e-9 * max(1.0, h.abs().max().item()) ** 2)
    return bool(torch.equal(torch.as_tensor(g), torch.as_tensor(h)))


def stack(elements: list[Any]) -> Any:
    """A batch of elements, put together without the library."""
    if isinstance(elements[0], tuple):
        return tuple(stack(list(parts)) for parts in zip(*elements, strict=True))
    return torch.stack([torch.as_tensor(g) for g in elements])


def scaled(A: Any, factor: float) -> Any:
    if A is None:
        return None
    return tuple(scaled(a, factor) for a in A) if isinstance(A, tuple) else factor * A


@st.composite
def members(draw: Any, group: Group) -> Any:
    """An element: a sampled one, or a random word in generators, their inverses and exponentials of the Lie algebra."""
    if draw(st.booleans()):
        return group.sample(draw(st.integers(0, 2**32)))
    letters = [*group.generators, *map(group.inverse, group.generators)]
    g = group.identity
    for _ in range(draw(st.integers(0, 5))):
        if group.lie_algebra and draw(st.booleans()):
            A = draw(st.sampled_from(group.lie_algebra))
            letter = group.exp(scaled(A, draw(st.floats(-1, 1))))
        elif letters:
            letter = draw(st.sampled_from(letters))
        else:
            continue
        g = group.compose(g, letter)
    return g


# ---- axioms --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("group", ALL, ids=named)
@given(data=st.data())
@quick
def test_axioms(group: Group, data: Any) -> None:
    g, h, k = (data.draw(members(group)) for _ in range(3))
    times, one = group.compose, group.identity
    assert close(times(times(g, h), k), times(g, times(h, k)))
    assert close(times(one, g), g)
    assert close(times(g, one), g)
    assert close(times(g, group.inverse(g)), one)
    assert close(times(group.inverse(g), g), one)
    assert close(group.inverse(times(g, h)), times(group.inverse(h), group.inverse(g)))
    # Products and inverses are elements again, and checking changes nothing.
    assert close(group.element(times(g, h)), times(g, h))
    assert close(group.element(group.inverse(g)), group.inverse(g))


@pytest.mark.parametrize("group", ALL, ids=named)
def test_batches_compose_and_invert_one_by_one(group: Group) -> None:
    source = torch.Generator().manual_seed(5)
    gs, hs = ([group.sample(source) for _ in range(4)] for _ in range(2))
    g, h = stack(gs), stack(hs)
    assert group.batch_shape(g) == (4,)
    assert group.batch_shape(gs[0]) == ()
    assert close(group.compose(g, h), stack([group.compose(a, b) for a, b in zip(gs, hs, strict=True)]))
    assert close(group.inverse(g), stack([group.inverse(a) for a in gs]))
    assert close(group.element(g), g)
    drawn = group.sample(7, 3)
    assert group.batch_shape(drawn) == (3,)
    group.element(drawn)


def test_products_go_right_to_left() -> None:
    g, h = [1, 2, 0], [1, 0, 2]
    assert S3.compose(S3.element(g), S3.element(h)).tolist() == [g[h[i]] for i in range(3)]
    # r: i → i+1 and s: i → −i on the corners of a square; first s, then r sends i to 1 − i; first r, then s to −i − 1.
    D4 = DihedralGroup(4)
    assert D4.compose((1, 0), (0, 1)) == (1, 1)
    assert D4.compose((0, 1), (1, 0)) == (3, 1)
    # e_0 → −e_1 → −(+e_0), e_1 → e_0 → −e_1: worked out by hand.
    flip = torch.tensor([1, 0]), torch.tensor([-1, 1])
    image, signs = SignedPermutationGroup(2).compose(flip, flip)
    assert (image.tolist(), signs.tolist()) == ([0, 1], [-1, -1])


# ---- order, elements, generators, words ----------------------------------------------------------------------------


@pytest.mark.parametrize(("group", "count"), FINITE, ids=named)
def test_elements_are_all_different_and_closed(group: Group, count: int) -> None:
    elements = list(group.elements())
    keys = {group.key(g) for g in elements}
    assert group.order == count == len(elements) == len(keys)
    assert close(elements[0], group.identity)
    # All products for small groups; products with 12 of the elements for the others.
    right = elements if count <= 24 else elements[:: count // 12]
    assert {group.key(group.compose(g, h)) for g in elements for h in right} == keys
    assert {group.key(group.inverse(g)) for g in elements} == keys
    for g in elements:
        group.element(g)


@pytest.mark.parametrize(("group", "count"), FINITE, ids=named)
def test_generators_generate_everything(group: Group, count: int) -> None:
    reached, frontier = {group.key(group.identity)}, [group.identity]
    while frontier:
        products = [group.compose(s, g) for g in frontier for s in group.generators]
        new = {group.key(g): g for g in products if group.key(g) not in reached}
        reached |= new.keys()
        frontier = list(new.values())
    assert len(reached) == count


@pytest.mark.parametrize(
    ("group", "order"),
    [
        (SymmetricGroup(64), math.factorial(64)),
        (SignedPermutationGroup(20), math.factorial(20) * 2**20),
        (M11, 11 * 10 * 9 * 8),
        (DirectProduct(SymmetricGroup(400), SymmetricGroup(3)), 6 * math.factorial(400)),
        (PermutationGroup([[1, 0, *range(2, 20)], [*range(1, 20), 0]]), math.factorial(20)),
        (DirectProduct(SymmetricGroup(400), SO(3)), math.inf),  # 400! is too large to become a float
        (DirectProduct(SO(3), CyclicGroup(2)), math.inf),
    ],
    ids=named,
)
def test_large_orders_need_no_enumeration(group: Group, order: float) -> None:
    assert group.order == order


@pytest.mark.parametrize("group", INFINITE, ids=named)
def test_infinite_groups_know_it(group: Group) -> None:
    assert group.order == math.inf


def test_products_that_rounding_cannot_tell_apart_do_not_close() -> None:
    # The third turn of float32 comes back to within 1e-7 of 1, and no number of turns by 1e-7 is known to.
    third = torch.tensor(rotation(2 * math.pi / 3), dtype=torch.float32)
    close_mirrors = [[[1, 0], [0, -1]], [[1, 1e-7], [0, -1]]]  # their product is a shear
    for generators in ([third], [rotation(1e-7)], close_mirrors):
        assert MatrixGroup(generators).order == math.inf
    # Rounding of float64 is no obstacle, nor are 10,000 elements.
    assert MatrixGroup([rotation(2 * math.pi / 3)]).order == 3
    assert MatrixGroup([rotation(2 * math.pi / 10_000), [[1, 0], [0, -1]]]).order == math.inf
    assert MatrixGroup([rotation(2 * math.pi / 5_000), [[1, 0], [0, -1]]]).order == 10_000


@pytest.mark.parametrize(
    "generator",
    [[[2.0]], [[0.5]], [[2, 0], [0, 0.5]], [[1, 1], [0, 1]], rotation(1.0), [[1, 1, 0], [0, 1, 1], [0, 0, 1]]],
    ids=["double", "half", "squeeze", "shear", "one radian", "jordan"],
)
def test_one_matrix_of_infinite_order_makes_an_infinite_group(generator: list[list[float]]) -> None:
    # Powers that round to zero or overflow to infinity must not pass for a closed group.
    assert MatrixGroup([generator]).order == math.inf


def multiply(group: Group, word: list[tuple[int, int]]) -> Any:
    g = group.identity
    for number, power in word:
        s = group.generators[number]
        for _ in range(abs(power)):
            g = group.compose(g, s if power > 0 else group.inverse(s))
    return g


@pytest.mark.parametrize(("group", "count"), FINITE, ids=named)
def test_words_rebuild_every_element(group: Group, count: int) -> None:
    for g in group.elements():
        assert group.same(multiply(group, group.word(g)), g)


@pytest.mark.parametrize("group", [SymmetricGroup(9), SignedPermutationGroup(6), LARGE[3], M11], ids=named)
@given(seed=st.integers(0, 2**32))
@quick
def test_words_rebuild_sampled_elements(group: Group, seed: int) -> None:
    g = group.sample(seed)
    assert group.same(multiply(group, group.word(g)), g)


# ---- sampling ------------------------------------------------------------------------------------------------------


def assert_uniform(counts: Counter[Any], cells: int) -> None:
    """Pearson's chi-square below the point that one honest sample in 30,000 exceeds (Wilson and Hilferty's formula)."""
    expected = counts.total() / cells
    chi2 = sum((n - expected) ** 2 for n in counts.values()) / expected + (cells - len(counts)) * expected
    df = max(1, cells - 1)
    assert chi2 <= df * (1 - 2 / (9 * df) + 4 * math.sqrt(2 / (9 * df))) ** 3
    assert len(counts) <= cells


@pytest.mark.parametrize(("group", "count"), [f for f in FINITE if f[1] <= 50], ids=named)
def test_finite_groups_are_sampled_uniformly(group: Group, count: int) -> None:
    drawn = group.sample(11, 60 * count)
    # Each element as a row of numbers, so that counting needs no loop over the library's data.
    rows = torch.cat([part.reshape(60 * count, -1).double() for part in leaves(drawn)], -1)
    assert_uniform(Counter(map(tuple, (rows.mul(1e6).round() + 0.0).tolist())), count)
    assert group.sampling.startswith("uniform")


def leaves(g: Any) -> list[Tensor]:
    return [leaf for part in g for leaf in leaves(part)] if isinstance(g, tuple) else [torch.as_tensor(g)]


def test_single_draws_are_uniform_too() -> None:
    for group in (S3, PENTAGON, DihedralGroup(3), DirectProduct(Z2, CyclicGroup(3))):
        source = torch.Generator().manual_seed(3)
        assert_uniform(Counter(group.key(group.sample(source)) for _ in range(60 * int(group.order))), int(group.order))


def test_schreier_sims_sampling_is_uniform_on_the_mathieu_group() -> None:
    # M_11 is sharply 4-transitive: the images of points 0 to 3 take each of 7,920 values for exactly one element.
    drawn = M11.sample(2, 60_000)
    assert_uniform(Counter(map(tuple, drawn[:, :4].tolist())), 7920)
    M11.element(drawn[:20])


def test_the_factors_of_a_product_are_drawn_independently() -> None:
    a, b = DirectProduct(S3, S3).sample(4, 3_600)
    assert_uniform(Counter(map(tuple, torch.cat([a, b], -1).tolist())), 36)


# E[tr(g)^k] counts the invariants of the k-th tensor power of R^n: 1 or more for products of δ, one more for ε (Weyl).
MOMENTS = [
    (SO(2), [0, 2, 0, 6]),
    (O(2), [0, 1, 0, 3]),
    (SO(3), [0, 1, 1, 3]),
    (O(3), [0, 1, 0, 3]),
    (SO(4), [0, 1, 0, 4]),
    (O(4), [0, 1, 0, 3]),
]


@pytest.mark.parametrize(("group", "moments"), MOMENTS, ids=named)
def test_haar_measure(group: Group, moments: list[int]) -> None:
    n = 40_000
    g = group.sample(1, n)
    group.element(g)
    assert g.mean(0).abs().max() < 5 / math.sqrt(n)
    trace = g.diagonal(dim1=-2, dim2=-1).sum(-1)
    for k, expected in enumerate(moments, start=1):
        powers = trace**k
        assert abs(powers.mean() - expected) < 5 * powers.std() / math.sqrt(n), k
    improper = (torch.linalg.det(g) < 0).double().mean()
    assert improper == 0 if isinstance(group, SO) else abs(improper - 0.5) < 2.5 / math.sqrt(n)


@pytest.mark.parametrize("kind", ["full", "proper", "restricted"])
def test_lorentz_sampling_follows_the_stated_law(kind: str) -> None:
    n = 20_000
    group = Lorentz(kind)
    g = group.sample(9, n)
    group.element(g)
    # Take boost · rotation · reversal apart. The reversal shows in the signs of determinant and time.
    forward, proper = g[:, 0, 0] > 0, torch.linalg.det(g) > 0
    kinds = Counter(zip(proper.tolist(), forward.tolist(), strict=True))
    allowed = {"full": 4, "proper": 2, "restricted": 1}[kind]
    assert_uniform(kinds, allowed)
    assert kind == "full" or all(is_proper for is_proper, _ in kinds)
    # The first column is ±(cosh r, sinh r · direction).
    first = g[:, :, 0] * torch.where(forward, 1.0, -1.0).unsqueeze(-1)
    rapidity, direction = torch.acosh(first[:, 0].clamp(min=1)), torch.nn.functional.normalize(first[:, 1:], dim=-1)
    assert abs(rapidity.square().mean() - 0.25) < 0.01  # N(0, 1/4); the mean of r² has a standard error of 0.0025
    assert abs(rapidity.pow(4).mean() - 3 / 16) < 0.03
    assert torch.allclose(direction.T @ direction / n, torch.eye(3, dtype=torch.float64) / 3, atol=0.015)
    assert direction.mean(0).abs().max() < 0.025
    # Undoing the boost leaves a rotation (times a reversal), uniform on SO(3).
    boost = torch.eye(4, dtype=torch.float64).repeat(n, 1, 1)
    boost[:, 0, 0], boost[:, 0, 1:], boost[:, 1:, 0] = first[:, 0], -first[:, 1:], -first[:, 1:]
    boost[:, 1:, 1:] += torch.einsum("n,ni,nj->nij", first[:, 0] - 1, direction, direction)
    rest = (boost @ g)[:, 1:, 1:] * torch.where(forward == proper, 1.0, -1.0)[:, None, None]
    assert close(rest @ rest.mT, torch.eye(3, dtype=torch.float64).expand(n, 3, 3))
    trace = rest.diagonal(dim1=-2, dim2=-1).sum(-1)
    for k, expected in ((1, 0), (2, 1), (3, 1), (4, 3)):
        assert abs((trace**k).mean() - expected) < 5 * (trace**k).std() / math.sqrt(n)


def test_the_random_walk_of_a_compact_matrix_group_is_close_to_uniform() -> None:
    # The circle with a reflection is O(2): the same moments, and both components.
    group = MatrixGroup([[[1, 0], [0, -1]]], lie=[[[0, -1], [1, 0]]])
    g = group.sample(0, 4_000)
    trace = g.diagonal(dim1=-2, dim2=-1).sum(-1)
    assert abs(trace.square().mean() - 1) < 0.1
    assert abs(torch.linalg.det(g).mean()) < 0.1
    assert g.mean(0).abs().max() < 0.1
    assert "not exactly uniform" in group.sampling


def test_random_walks_do_not_go_far() -> None:
    """Boosts, scalings and shears: entries of the size of a few steps, at whatever length the algebra is given, and all components."""
    lorentz = Lorentz()
    boost = lorentz.lie_algebra[3]
    shear = [[1, 1], [0, 1]]
    for group, largest in (
        (MatrixGroup(lorentz.generators, lie=lorentz.lie_algebra), 2 * math.cosh(1)),
        (MatrixGroup(lie=[boost]), 2 * math.cosh(1)),
        (MatrixGroup(lie=[30 * boost]), 2 * math.cosh(1)),
        (MatrixGroup([[[2, 0], [0, 0.5]]]), 4),
        (MatrixGroup([shear, [[0, -1], [1, 0]]]), 2),  # SL(2, Z)
    ):
        g = group.sample(0, 2_000)
        reached = torch.cat([g, torch.linalg.inv(g)]).abs().max().item()
        assert 0.9 * largest < reached <= largest * (1 + 1e-9)
        assert f"below {largest:.2g}: not exactly uniform" in group.sampling

    g = MatrixGroup(lorentz.generators, lie=lorentz.lie_algebra).sample(0, 2_000)
    assert (g.mT @ lorentz.metric @ g - lorentz.metric).abs().max() < 1e-11
    assert_uniform(Counter(zip((torch.linalg.det(g) > 0).tolist(), (g[:, 0, 0] > 0).tolist(), strict=True)), 4)
    # Not only near the identity: rapidities beyond 1, and rotations that send each axis to all sides.
    assert (g[:, 0, 0].abs() > math.cosh(1)).double().mean() > 0.1
    assert torch.nn.functional.normalize(g[:, 1:, 1], dim=-1).mean(0).abs().max() < 0.1
    powers = Counter(MatrixGroup([[[2, 0], [0, 0.5]]]).sample(0, 500)[:, 0, 0].log2().round().int().tolist())
    assert sorted(powers) == [-2, -1, 0, 1, 2]
    # A circle in a skew basis is compact, and entries of 20 belong to it.
    skew = MatrixGroup(lie=[[[0, -0.05], [20, 0]]]).sample(0, 2_000)
    angle = torch.atan2(skew[:, 1, 0] / 20, skew[:, 0, 0])
    assert torch.exp(1j * angle).mean().abs() < 0.1


@pytest.mark.parametrize("group", ALL, ids=named)
def test_seeds_decide_and_global_randomness_is_left_alone(group: Group) -> None:
    states = torch.get_rng_state(), random.getstate(), np.random.get_state()[1].copy()  # noqa: NPY002
    g = group.sample(42, 5)
    assert close(g, group.sample(42, 5))
    assert close(group.sample(42), group.sample(torch.Generator().manual_seed(42)))
    source = torch.Generator().manual_seed(42)
    first, second = group.sample(source, 40), group.sample(source, 40)
    if group.order > 1:
        assert not close(first, second)  # a generator moves on
        assert not close(first, group.sample(43, 40))
    assert torch.equal(states[0], torch.get_rng_state())
    assert states[1] == random.getstate()
    assert np.array_equal(states[2], np.random.get_state()[1])  # noqa: NPY002


def test_numpys_integers_are_seeds() -> None:
    assert close(SO(3).sample(np.int64(3)), SO(3).sample(3))
    # Matrices may come in any of these forms.
    quarter = [[0, -1], [1, 0]]
    for g in (quarter, np.array(quarter), torch.tensor(quarter), torch.tensor(quarter).float()):
        assert MatrixGroup([g]) == MatrixGroup([quarter])


def test_a_seed_gives_the_same_permutations_in_another_process() -> None:
    # SymPy's tables pass through sets and dicts, whose order may depend on the process.
    code = (
        "from eqcourse.groups import PermutationGroup as G\n"
        "M = G([[*range(1, 11), 0], [0, 1, 6, 9, 5, 3, 10, 2, 8, 4, 7]]); M.order; print(M.sample(1, 5).tolist())"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONHASHSEED": "123"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == str(M11.sample(1, 5).tolist())


# ---- Lie algebras --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("group", [g for g in INFINITE if g.lie_algebra], ids=named)
@given(data=st.data())
@quick
def test_exponentials_lie_in_the_group(group: Group, data: Any) -> None:
    A = data.draw(st.sampled_from(group.lie_algebra))
    s, t = (data.draw(st.floats(-1.5, 1.5)) for _ in range(2))
    g, h = group.exp(scaled(A, s)), group.exp(scaled(A, t))
    group.element(g)
    assert close(group.compose(g, h), group.exp(scaled(A, s + t)))  # a one-parameter subgroup


@pytest.mark.parametrize(
    ("group", "dim"),
    [(SO(2), 1), (SO(3), 3), (SO(4), 6), (O(3), 3), *((Lorentz(kind), 6) for kind in ("full", "proper", "restricted"))],
    ids=named,
)
def test_lie_algebras_are_complete_and_closed(group: Group, dim: int) -> None:
    basis = torch.stack(group.lie_algebra)
    assert basis.dtype == torch.float64
    assert len(basis) == dim == torch.linalg.matrix_rank(basis.flatten(1))
    brackets = [A @ B - B @ A for A, B in itertools.combinations(group.lie_algebra, 2)]
    assert torch.linalg.matrix_rank(torch.stack([*basis, *brackets]).flatten(1)) == dim
    # A sum of basis elements, too: the condition on the algebra is linear.
    coefficients = torch.linspace(-1, 1, dim, dtype=torch.float64)
    group.element(group.exp(torch.einsum("c,cij->ij", coefficients, basis)))


@pytest.mark.parametrize("axis", range(3))
def test_fast_boosts_are_elements(axis: int) -> None:
    # Entries of e^15 / 2 leave their squares, and gᵀηg with them, few digits after the point.
    group = Lorentz("restricted")
    direction = torch.tensor([0.36, 0.48, 0.8], dtype=torch.float64).roll(axis)
    g = group.exp(15 * torch.einsum("i,ijk->jk", direction, torch.stack(group.lie_algebra[3:])))
    assert (g.mT @ group.metric @ g - group.metric).abs().max() > 1e-6
    group.element(g)


def test_lie_algebra_of_a_product_moves_one_factor() -> None:
    group = DirectProduct(S3, SO(2), SO(3))
    assert len(group.lie_algebra) == 1 + 3
    for i, A in enumerate(group.lie_algebra):
        parts = [f.same(a, f.identity) for f, a in zip(group.factors, group.exp(A), strict=True)]
        assert parts == [True, i != 0, i == 0]


def test_rotations_turn_anticlockwise() -> None:
    x, y, z = torch.eye(3, dtype=torch.float64)
    for axis, (a, b) in enumerate([(y, z), (z, x), (x, y)]):
        assert torch.allclose(SO(3).rotation(math.pi / 2, axis) @ a, b, atol=1e-12)
    e0, e1 = torch.eye(2, dtype=torch.float64)
    assert torch.allclose(SO(2).exp(math.pi / 2 * SO(2).lie_algebra[0]) @ e0, e1, atol=1e-12)


# ---- equality and hash ---------------------------------------------------------------------------------------------


def build() -> list[Group]:
    """Groups of which no two are equal, made afresh."""
    S4 = SymmetricGroup(4)
    return [
        SymmetricGroup(3),
        S4,
        DirectProduct(S4),
        DirectProduct(S4, S4),
        DirectProduct(S4, S4, S4),
        DirectProduct(DirectProduct(S4, S4), S4),
        DirectProduct(S4, CyclicGroup(2)),
        DirectProduct(CyclicGroup(2), S4),
        CyclicGroup(2),
        CyclicGroup(3),
        DihedralGroup(3),
        ReflectionGroup(),
        SignedPermutationGroup(3),
        SO(2),
        SO(3),
        O(3),
        Lorentz("full"),
        Lorentz("proper"),
        Lorentz("restricted"),
        PermutationGroup([[1, 0, 2, 3], [0, 1, 3, 2]]),
        PermutationGroup([[1, 0, 3, 2], [2, 3, 0, 1]]),  # of order 4 as well
        PermutationGroup([[1, 2, 3, 0]]),  # and this one
        PermutationGroup([[1, 2, 3, 0, 4]]),
        MatrixGroup([[[0, -1], [1, 0]]]),
        MatrixGroup([[[-1, 0], [0, -1]]]),
        MatrixGroup([[[1, 0], [0, -1]], [[-1, 0], [0, 1]]]),
        MatrixGroup([[[1, 1], [0, 1]]]),
        MatrixGroup(lie=[[[0, -1], [1, 0]]]),
    ]


def test_groups_are_equal_by_structure() -> None:
    for (i, a), (j, b) in itertools.product(enumerate(build()), enumerate(build())):
        assert (a == b) == (i == j), (a, b)
        if i == j:
            assert hash(a) == hash(b)
    assert S3 != "S_3"
    assert repr(DirectProduct(DirectProduct(S3, Z2), SO(3))) == "(S_3 × Z_2) × SO(3)"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (PENTAGON, PermutationGroup([[0, 4, 3, 2, 1], [1, 0, 4, 3, 2]])),
        (PENTAGON, PermutationGroup(list(PENTAGON.elements()))),
        (MatrixGroup([[[0, -1], [1, 0]]]), MatrixGroup([[[0, 1], [-1, 0]], [[-1, 0], [0, -1.0]]])),
        (MatrixGroup([rotation(2 * math.pi / 5)]), MatrixGroup([rotation(4 * math.pi / 5)])),
    ],
    ids=["pentagon", "all elements", "quarter turns", "fifths"],
)
def test_other_generators_of_the_same_group_make_an_equal_group(one: Group, other: Group) -> None:
    assert one == other
    assert other == one
    assert hash(one) == hash(other)


# ---- what an element may look like ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "given_as", [[1, 2, 0], (1, 2, 0), np.array([1, 2, 0]), torch.tensor([1, 2, 0], dtype=torch.int32)]
)
def test_elements_are_converted(given_as: Any) -> None:
    g = S3.element(given_as)
    assert g.dtype == torch.int64
    assert g.tolist() == [1, 2, 0]


def test_integers_are_taken_modulo_n() -> None:
    assert CyclicGroup(5).element(-1) == 4
    assert CyclicGroup(5).element(np.int64(7)) == 2
    assert CyclicGroup(5).element([5, -1]).tolist() == [0, 4]
    assert DihedralGroup(5).element((6, 3)) == (1, 1)
    assert SymmetricGroup(np.int64(3)) == S3
    assert SO(2).element(torch.eye(2, dtype=torch.float32)).dtype == torch.float64
    # Python's floats have 16 digits, and keep them.
    assert SO(2).element(rotation(1.0))[0, 0].item() == math.cos(1.0)


def test_plain_data_composes_as_elements_do() -> None:
    assert CyclicGroup(4).compose([1, 2], [3, 3]).tolist() == [0, 1]
    assert CyclicGroup(4).inverse(np.int64(1)) == 3
    k, m = DihedralGroup(4).compose(([0, 1], [1, 0]), ([1, 1], [0, 0]))
    assert (k.tolist(), m.tolist()) == ([3, 2], [1, 0])
    assert Z2.compose([1, -1], [-1, -1]).tolist() == [-1, 1]
    assert DirectProduct(S3, CyclicGroup(4)).inverse(([1, 2, 0], 1))[0].tolist() == [2, 0, 1]


def test_membership() -> None:
    for g in itertools.permutations(range(5)):
        # The pentagon's symmetries keep neighbours neighbours.
        belongs = all((g[i] - g[i - 1]) % 5 in (1, 4) for i in range(5))
        if belongs:
            PENTAGON.element(g)
        else:
            with pytest.raises(ValueError, match="not one of the 10 in this group"):
                PENTAGON.element(g)


NAN = float("nan")
BAD_ELEMENTS: list[tuple[Group, Any, type[Exception], str]] = [
    (S3, [0, 0, 1], ValueError, r"S_3 has each of 0 to 2 once; 2 is missing.*\[0, 0, 1\]"),
    (S3, [0, 1], ValueError, r"S_3 has 3 entries, got shape \(2,\)"),
    (S3, [0, 1, 3], ValueError, r"0 to 2, got \[0, 1, 3\]"),
    (S3, [0, 1, -1], ValueError, r"0 to 2, got \[0, 1, -1\]"),
    (S3, [[0, 1, 2], [1, 1, 0]], ValueError, "2 is missing"),
    (S3, [0.0, 1.0, 2.0], TypeError, "S_3 lists 3 integers, got torch.float32"),
    (S3, [True, False, True], TypeError, "S_3 lists 3 integers, got torch.bool"),
    (S3, "abc", TypeError, "S_3 lists 3 integers, got 'abc'"),
    (S3, None, TypeError, "got None"),
    (PENTAGON, [1, 0, 2, 3, 4], ValueError, r"\[1, 0, 2, 3, 4\] is a permutation, but not one of the 10"),
    (SignedPermutationGroup(2), [0, 1], ValueError, "B_2 has 2 entries"),
    (SignedPermutationGroup(2), 3, TypeError, r"a pair \(image, signs\), got 3"),
    (SignedPermutationGroup(2), ([0, 1], [1, 0]), ValueError, r"\+1 or -1, one for each point; got \(1, 0\)"),
    (SignedPermutationGroup(2), ([0, 1], [True, False]), ValueError, r"\+1 or -1"),
    (SignedPermutationGroup(2), ([0, 1], [1]), ValueError, r"one for each point; got \(1,\)"),
    (SignedPermutationGroup(2), ([0, 1], "ab"), TypeError, "signs .* got 'ab'"),
    (CyclicGroup(4), 1.0, TypeError, "a shift in C_4 is an integer, got 1.0"),
    (CyclicGroup(4), torch.tensor([0.5]), TypeError, "a shift in C_4 is an integer, got torch.float32"),
    (CyclicGroup(4), True, TypeError, "an integer, got True"),
    (CyclicGroup(4), ["a"], TypeError, r"an integer, got \['a'\]"),
    (DihedralGroup(4), 3, TypeError, r"a pair \(k, m\) that means r\^k s\^m, got 3"),
    (DihedralGroup(4), (1.5, 0), TypeError, r"k of \(k, m\) in D_4 is an integer, got 1.5"),
    (DihedralGroup(4), ([1, 2], 0), ValueError, r"the same shape, got \(2,\) and \(\)"),
    (Z2, 2, ValueError, r"\+1 or -1, got 2"),
    (Z2, 0, ValueError, r"\+1 or -1, got 0"),
    (O(2), [[2, 0], [0, 0.5]], ValueError, r"O\(2\) is an orthogonal matrix; here gᵀg differs from 1 by 3.0e\+00"),
    (O(2), [[2, 0], [0, 2]], ValueError, "orthogonal"),
    (O(2), [1, 0], ValueError, r"a 2×2 matrix, got shape \(2,\)"),
    (
        O(2),
        [[1j, 0], [0, 1]],
        TypeError,
        "a real matrix, got torch.complex64; write a complex number as a 2×2 real block",
    ),
    (O(2), "ab", TypeError, "a 2×2 matrix, got 'ab'"),
    (SO(2), [[1, 0], [0, -1]], ValueError, r"SO\(2\) has determinant \+1.*contains a reflection and belongs to O\(2\)"),
    (SO(3), [[NAN] * 3] * 3, ValueError, "NaN or infinity"),
    (Lorentz(), torch.eye(4) * 2, ValueError, r"keeps η = diag\(-1, 1, 1, 1\); here gᵀηg differs from η by 3.0e\+00"),
    (Lorentz("proper"), [[-1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]], ValueError, "determinant -1"),
    (Lorentz("restricted"), -torch.eye(4), ValueError, r"\+1 and reverses the direction of time: it is not in Lorentz"),
    (QUATERNIONS, torch.eye(4) * 3, ValueError, "none of the 8 elements of this matrix group"),
    (MatrixGroup([[[1, 1], [0, 1]]]), [[1, 1], [1, 1]], ValueError, "an invertible matrix; this one is singular"),
    (DirectProduct(S3, Z2), [1, 2, 0], TypeError, "a tuple of 2 elements, got"),
    (DirectProduct(S3, Z2), ([1, 2, 0], 5), ValueError, r"\+1 or -1, got 5"),
    (DirectProduct(PENTAGON, Z2), ([1, 0, 2, 3, 4], 1), ValueError, "not one of the 10 in this group"),
]


@pytest.mark.parametrize(("group", "g", "error", "message"), BAD_ELEMENTS)
def test_what_is_not_in_the_group_is_refused(group: Group, g: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        group.element(g)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: SymmetricGroup(0), ValueError, "degree is a positive integer, got 0"),
        (lambda: CyclicGroup(2.5), TypeError, "n is a positive integer, got 2.5"),
        (lambda: DihedralGroup(True), TypeError, "n is a positive integer, got True"),
        (lambda: PermutationGroup([]), ValueError, "at least one generator; the identity will do"),
        (lambda: PermutationGroup([1, 2, 0]), TypeError, r"a list of image arrays, \[\[1, 2, 0\], …\].* is 1"),
        (lambda: PermutationGroup(torch.tensor([1, 0])), TypeError, "a list of image arrays"),
        (lambda: PermutationGroup([[1, 0], [0, 1, 2]]), ValueError, r"2 entries, got shape \(3,\)"),
        (lambda: PermutationGroup([[0, 0]]), ValueError, "1 is missing"),
        (lambda: MatrixGroup(), ValueError, "at least one generator or one Lie algebra element"),
        (lambda: MatrixGroup(None), ValueError, "at least one generator or one Lie algebra element"),
        (lambda: MatrixGroup([[]]), ValueError, r"lists of matrices, .*; the first of them is empty"),
        (
            lambda: MatrixGroup([[0, -1], [1, 0]]),
            ValueError,
            r"got shape \(2,\): is the list around the matrices missing",
        ),
        (lambda: MatrixGroup([torch.eye(2), torch.eye(2).repeat(3, 1, 1)]), ValueError, "one of these is a batch"),
        (lambda: MatrixGroup([[[NAN, 0], [0, 1]]]), ValueError, "NaN or infinity"),
        (
            lambda: MatrixGroup(lie=[[[math.inf, 0], [0, 1]]]),
            ValueError,
            "a Lie algebra element contains NaN or infinity",
        ),
        (lambda: MatrixGroup([2]), TypeError, r"lists of matrices, discrete=\[\[\[0, -1\], \[1, 0\]\], …\].* is 2"),
        (lambda: MatrixGroup([[[0, 0], [0, 1]]]), ValueError, "singular"),
        (lambda: MatrixGroup([[[1, 0], [0, 1]]], lie=[[[1]]]), ValueError, r"a 2×2 matrix, got shape \(1, 1\)"),
        (lambda: DirectProduct(), TypeError, "is made of groups"),
        (lambda: DirectProduct(3, 4), TypeError, r"DirectProduct\(SymmetricGroup\(3\), SymmetricGroup\(4\)\)"),
        (lambda: Lorentz("orthochronous"), ValueError, '"full", "proper" or "restricted", got \'orthochronous\''),
        (lambda: SO(4).rotation(1.0), ValueError, r"for SO\(2\), and for SO\(3\) with axis 0, 1 or 2; got SO\(4\)"),
        (
            lambda: SO(3).elements(),
            ValueError,
            r"SO\(3\) has infinitely many elements.*size\), or use its Lie algebra\.$",
        ),
        (lambda: O(3).elements(), ValueError, r"infinitely many.* or use its Lie algebra and its generators\.$"),
        (
            lambda: SymmetricGroup(64).elements(),
            ValueError,
            r"about 10\^89 elements; elements\(\) lists at most 1,000,000.* or use its generators\.$",
        ),
        (lambda: SymmetricGroup(1000).elements(), ValueError, r"about 10\^2568 elements"),
        (lambda: DirectProduct(SymmetricGroup(400), SO(2)).elements(), ValueError, "infinitely many"),
        (lambda: O(2).word(torch.eye(2)), ValueError, "too large to write its elements as words"),
        (
            lambda: PENTAGON.word([1, 0, 2, 3, 4]),
            ValueError,
            r"\(1, 0, 2, 3, 4\) is not an element of permutation group",
        ),
        (lambda: S3.exp(torch.zeros(3, 3)), ValueError, "S_3 is finite: it has no Lie algebra"),
        (lambda: CyclicGroup(4).compose(1.5, 2), TypeError, "a shift in C_4 is an integer, got 1.5"),
        (lambda: CyclicGroup(4).inverse(1.5), TypeError, "a shift in C_4 is an integer, got 1.5"),
        (lambda: DihedralGroup(4).compose((1, 0), 3), TypeError, r"a pair \(k, m\).* got 3"),
        (lambda: DihedralGroup(4).inverse((1.5, 0)), TypeError, r"k of \(k, m\) in D_4 is an integer, got 1.5"),
        (lambda: Z2.compose(5, 1), ValueError, r"\+1 or -1, got 5"),
        (lambda: Z2.inverse(5), ValueError, r"\+1 or -1, got 5"),
        (lambda: DirectProduct(S3, Z2).compose(([1, 2, 0], 5), ([0, 1, 2], 1)), ValueError, r"\+1 or -1, got 5"),
        (lambda: S3.compose([1, 1, 2], [0, 1, 2]), ValueError, "0 is missing"),
        (lambda: S3.sample(None), TypeError, r"a seed \(an int\) or a torch.Generator, got NoneType"),
        (lambda: as_generator(0.5), TypeError, "got float"),
        (
            lambda: DirectProduct(S3, Z2).batch_shape((S3.sample(0, 2), Z2.sample(0, 3))),
            ValueError,
            "different batch shapes",
        ),
    ],
)
def test_bad_requests_say_what_would_be_right(make: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        make()
