"""Pooling over orbits, against a union of generators' images and plain loops."""

from __future__ import annotations

import copy
import pickle

import pytest
import torch
from torch import Tensor

from eqcourse.groups import (
    SO,
    CyclicGroup,
    DihedralGroup,
    O,
    PermutationGroup,
    ReflectionGroup,
    SignedPermutationGroup,
    SymmetricGroup,
)
from eqcourse.nn import Grid, Order, Table
from eqcourse.nn.pool import InvariantPool
from eqcourse.representations import Representation, outer

DOUBLE = torch.float64
NAN, INF = torch.nan, torch.inf
REDUCTIONS = ["sum", "mean", "max"]

S4 = SymmetricGroup(4)
V = S4.defining()
REPRESENTATIONS = [
    V,
    V * V,
    V**3,
    V + S4.trivial() + V,
    2 * V,
    S4.trivial(3),
    S4.on_subsets(2) * V,
    (V * S4.sign()) * S4.sign(),  # the signs cancel
    SymmetricGroup(1).defining() ** 2,
    SymmetricGroup(7).on_subsets(2),
    CyclicGroup(6).regular(),
    CyclicGroup(4).on_grid(3, 3),
    DihedralGroup(4).on_grid(4, 4),
    ReflectionGroup().on_grid(2, 5),
    outer(V * V, SymmetricGroup(3).defining()),
    PermutationGroup([[1, 0, 2, 3, 5, 4, 6]]).defining(),
    SO(3).trivial(2),
]
FAMILIES = [
    (Order(1), (5,)),
    (Table(1), (5,)),
    (Table(2), (3, 4)),
    (Table(3), (2, 3, 2)),
    (Grid(1), (6,)),
    (Grid(2), (4, 3)),
]


# ---- slow and obvious references ---------------------------------------------------------------------------------------


def orbits_of(rho: Representation) -> list[list[int]]:
    """Entries that can be reached from each other by generators, in the order of their first entries."""
    images = [rho.matrix(g).argmax(0).tolist() for g in rho.group.generators]
    orbits: list[list[int]] = []
    seen: set[int] = set()
    for start in range(rho.dim):
        if start in seen:
            continue
        reached, to_visit = {start}, [start]
        while to_visit:
            entry = to_visit.pop()
            new = {image[entry] for image in images} - reached
            reached |= new
            to_visit += new
        seen |= reached
        orbits.append(sorted(reached))
    return orbits


def slow_pool(x: Tensor, orbits: list[list[int]], reduce: str, mask: Tensor | None = None) -> Tensor:
    """(batch, channels, *axes) -> (batch, channels, orbits), number by number."""
    x = x.flatten(2)
    y = torch.zeros(*x.shape[:2], len(orbits), dtype=x.dtype)
    for b in range(x.shape[0]):
        for c in range(x.shape[1]):
            for o, orbit in enumerate(orbits):
                values = [x[b, c, i].item() for i in orbit if mask is None or mask[b].flatten()[i]]
                total = max(values) if reduce == "max" else sum(values)
                y[b, c, o] = total / len(values) if reduce == "mean" else total
    return y


def random_mask(shape: tuple[int, ...], orbits: list[list[int]], seed: int = 0) -> Tensor:
    """Half of the entries, and always one of each orbit."""
    mask = torch.rand(shape, generator=torch.Generator().manual_seed(seed)) < 0.5
    flat = mask.flatten(1)
    for orbit in orbits:
        flat[:, orbit[-1]] = True
    return flat.reshape(shape)


def normal(*shape: int, seed: int = 0, dtype: torch.dtype = DOUBLE) -> Tensor:
    return torch.randn(shape, dtype=dtype, generator=torch.Generator().manual_seed(seed))


# ---- values ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("reduce", REDUCTIONS)
@pytest.mark.parametrize("rho", REPRESENTATIONS, ids=str)
def test_against_loops_over_orbits(rho: Representation, reduce: str) -> None:
    orbits = orbits_of(rho)
    pool = InvariantPool(rho, reduce)
    x = normal(3, 2, *rho.axes)
    assert pool.in_type == rho
    assert pool.out_type == rho.group.trivial(len(orbits))
    torch.testing.assert_close(pool(x), slow_pool(x, orbits, reduce), rtol=1e-12, atol=1e-12)
    mask = random_mask((3, *rho.axes), orbits)
    spoilt = torch.where(mask.unsqueeze(1), x, NAN)
    torch.testing.assert_close(pool(spoilt, mask), slow_pool(x, orbits, reduce, mask), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("reduce", REDUCTIONS)
@pytest.mark.parametrize(("family", "sizes"), FAMILIES, ids=str)
def test_families_have_one_orbit_at_all_sizes(family, sizes, reduce: str) -> None:
    pool = InvariantPool(family, reduce)
    assert pool.out_type == Order(0)
    for more in (0, 1):
        axes = tuple(n + more for n in sizes)
        rho = family.at(*axes)
        x = normal(3, 2, *axes)
        mask = random_mask((3, *axes), orbits_of(rho))
        at_one_size = InvariantPool(rho, reduce)
        assert pool(x).shape == (3, 2)
        torch.testing.assert_close(pool(x).unsqueeze(2), at_one_size(x))
        torch.testing.assert_close(pool(x, mask).unsqueeze(2), at_one_size(x, mask))
        torch.testing.assert_close(pool(x), slow_pool(x, [list(range(rho.dim))], reduce).squeeze(2))


@pytest.mark.parametrize("reduce", REDUCTIONS)
@pytest.mark.parametrize(("dtype", "tolerance"), [(DOUBLE, 1e-10), (torch.float32, 1e-5)])
def test_invariant_on_generators(reduce: str, dtype: torch.dtype, tolerance: float) -> None:
    for rho in REPRESENTATIONS:
        pool = InvariantPool(rho, reduce)
        x = normal(2, 3, *rho.axes, dtype=dtype)
        mask = random_mask((2, *rho.axes), orbits_of(rho))
        for g in rho.group.generators:
            torch.testing.assert_close(pool(rho.act(g, x)), pool(x), rtol=0, atol=tolerance)
            # The mask moves along with the items.
            moved = rho.act(g, mask.to(dtype)).bool()
            torch.testing.assert_close(pool(rho.act(g, x), moved), pool(x, mask), rtol=0, atol=tolerance)


def test_orbits_are_numbered_by_their_first_entry() -> None:
    x = torch.arange(9.0).reshape(1, 1, 3, 3)
    pool = InvariantPool(DihedralGroup(4).on_grid(3, 3))
    # Corners 0 2 6 8, edges 1 3 5 7, centre 4.
    assert pool(x).tolist() == [[[16.0, 16.0, 4.0]]]
    assert InvariantPool(Order(2).at(3), "max")(x).tolist() == [[[8.0, 7.0]]]


@pytest.mark.parametrize("reduce", REDUCTIONS)
def test_padded_sets_equal_the_sets_one_by_one(reduce: str) -> None:
    pool = InvariantPool(Order(1), reduce)
    sets = [normal(1, 3, n, seed=n) for n in (1, 4, 2, 6)]
    padded = torch.full((4, 3, 6), NAN, dtype=DOUBLE)
    mask = torch.zeros(4, 6, dtype=torch.bool)
    for row, one in enumerate(sets):
        padded[row, :, : one.shape[2]] = one[0]
        mask[row, : one.shape[2]] = True
    torch.testing.assert_close(pool(padded, mask), torch.cat([pool(one) for one in sets]), rtol=1e-12, atol=1e-12)


def test_many_numbers_are_summed_accurately_in_half_precision() -> None:
    # Adding one by one in bfloat16 would stop at 256.
    x = torch.ones(1, 1, 40, 40, dtype=torch.bfloat16)
    assert InvariantPool(Order(2).at(40), "sum")(x).tolist() == [[[40.0, 1560.0]]]


# ---- nothing to pool ---------------------------------------------------------------------------------------------------


def test_sum_over_nothing_is_zero() -> None:
    pool = InvariantPool(Order(1), "sum")
    assert pool(torch.ones(2, 3, 0)).equal(torch.zeros(2, 3))
    assert pool(torch.ones(2, 3, 0), torch.ones(2, 0, dtype=torch.bool)).equal(torch.zeros(2, 3))
    x = torch.full((2, 1, 3), NAN, requires_grad=True)
    y = pool(x, torch.zeros(2, 3, dtype=torch.bool))
    assert y.tolist() == [[0.0], [0.0]]
    y.sum().backward()
    assert x.grad.equal(torch.zeros_like(x))
    orbits = InvariantPool(V * V, "sum")(torch.ones(1, 1, 4, 4), torch.eye(4, dtype=torch.bool)[None])
    assert orbits.tolist() == [[[4.0, 0.0]]]


@pytest.mark.parametrize("reduce", ["mean", "max"])
def test_mean_and_maximum_over_nothing_say_where(reduce: str) -> None:
    pool = InvariantPool(Order(1), reduce)
    with pytest.raises(ValueError, match=rf"the {reduce} over an empty set is not defined: .* got \(2, 3, 0\)"):
        pool(torch.ones(2, 3, 0))
    with pytest.raises(ValueError, match="row 0 of the mask has no real entry"):
        pool(torch.ones(2, 3, 0), torch.ones(2, 0, dtype=torch.bool))
    with pytest.raises(
        ValueError, match=r'row 1 of the mask has no real entry. Leave such rows out, or take reduce="sum"'
    ):
        pool(torch.ones(2, 3, 2), torch.tensor([[True, False], [False, False]]))
    mask = torch.ones(3, 4, 4, dtype=torch.bool)
    mask[2] = torch.eye(4)
    with pytest.raises(ValueError, match=r"row 2 of the mask has no real entry in orbit 1, that of entry \(0, 1\)"):
        InvariantPool(V * V, reduce)(torch.ones(3, 1, 4, 4), mask)


@pytest.mark.parametrize("reduce", REDUCTIONS)
def test_no_rows_give_no_rows(reduce: str) -> None:
    none = torch.ones(0, 4, dtype=torch.bool)
    assert InvariantPool(Order(1), reduce)(torch.ones(0, 2, 4), none).shape == (0, 2)
    assert InvariantPool(V, reduce)(torch.ones(0, 2, 4), none).shape == (0, 2, 1)
    assert InvariantPool(Order(1), reduce)(torch.ones(3, 0, 4)).shape == (3, 0)


# ---- gradients ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("reduce", REDUCTIONS)
@pytest.mark.parametrize("type_", [Order(1), V, V + S4.trivial() + V], ids=str)
def test_gradients(type_, reduce: str) -> None:
    pool = InvariantPool(type_, reduce)
    rho = type_ if isinstance(type_, Representation) else type_.at(4)
    x = normal(2, 2, *rho.axes).requires_grad_()
    mask = random_mask((2, *rho.axes), orbits_of(rho))
    assert torch.autograd.gradcheck(pool, (x,))
    assert torch.autograd.gradcheck(lambda x: pool(x, mask), (x,))
    assert torch.autograd.gradgradcheck(lambda x: pool(x, mask), (x,))


@pytest.mark.parametrize("bad", [NAN, INF, -INF])
@pytest.mark.parametrize("reduce", REDUCTIONS)
def test_padding_reaches_no_gradient(reduce: str, bad: float) -> None:
    mask = torch.tensor([[True, True, False, True], [False, True, False, False]])
    clean = normal(2, 3, 4).requires_grad_()
    spoilt = torch.where(mask.unsqueeze(1), clean.detach(), bad).requires_grad_()
    for type_ in (Order(1), V):
        pool = InvariantPool(type_, reduce)
        (expected,) = torch.autograd.grad(pool(clean, mask).square().sum(), clean)
        (found,) = torch.autograd.grad(pool(spoilt, mask).square().sum(), spoilt)
        torch.testing.assert_close(found, expected)
        assert found[~mask.unsqueeze(1).expand_as(found)].eq(0).all()


def test_equal_entries_share_the_gradient_of_the_maximum() -> None:
    for type_ in (Order(1), SymmetricGroup(3).defining()):
        x = torch.tensor([[[2.0, 2.0, 1.0]]], requires_grad=True)
        InvariantPool(type_, "max")(x).sum().backward()
        assert x.grad.tolist() == [[[0.5, 0.5, 0.0]]]


def test_what_is_real_and_not_a_number_stays() -> None:
    x = torch.tensor([[[NAN, 1.0, 2.0]]])
    for reduce in REDUCTIONS:
        assert InvariantPool(Order(1), reduce)(x).isnan().all()
    # But it does not reach another orbit.
    matrix = torch.ones(1, 1, 3, 3)
    matrix[0, 0, 0, 0] = NAN
    for reduce in REDUCTIONS:
        assert InvariantPool(Order(2).at(3), reduce)(matrix).isnan().tolist() == [[[True, False]]]


# ---- what it refuses ---------------------------------------------------------------------------------------------------


def test_refused_types() -> None:
    for signed in (V * S4.sign(), SignedPermutationGroup(3).defining(), O(2).sign(), V + S4.sign()):
        with pytest.raises(TypeError, match=r"flips signs, .* Invariants and NormNonlinearity"):
            InvariantPool(signed)
    with pytest.raises(TypeError, match=r"R³ of SO\(3\) acts by matrices, .* Invariants gives"):
        InvariantPool(SO(3).defining())
    with pytest.raises(TypeError, match="a representation or a family such as"):
        InvariantPool(S4)
    with pytest.raises(
        ValueError, match=r"Order\(k=2\) has several: .*Order\(k=2\).at\(N\)\), or use TensorLinear\(2, 0, …\)"
    ):
        InvariantPool(Order(2))
    with pytest.raises(ValueError, match="nothing to pool"):
        InvariantPool(Order(0))
    with pytest.raises(ValueError, match='reduce is "sum", "mean" or "max", got \'median\''):
        InvariantPool(Order(1), "median")


def test_refused_inputs() -> None:
    pool = InvariantPool(Order(1), "mean")
    with pytest.raises(ValueError, match=r"takes an input of shape \(batch, channels, N\), got \(3, 4\)"):
        pool(torch.ones(3, 4))
    with pytest.raises(ValueError, match=r"takes an input of shape \(batch, channels, 4\), got \(2, 1, 5\)"):
        InvariantPool(V)(torch.ones(2, 1, 5))
    with pytest.raises(TypeError, match=r"takes floating-point numbers, got torch.int64"):
        pool(torch.ones(2, 1, 5, dtype=torch.int64))
    with pytest.raises(ValueError, match=r"the mask is on meta and the input on cpu: move one of them"):
        InvariantPool(Order(1))(torch.ones(2, 1, 3), torch.ones(2, 3, dtype=torch.bool, device="meta"))
    with pytest.raises(TypeError, match=r"a mask is a boolean tensor.*torch.float32"):
        pool(torch.ones(2, 1, 5), torch.ones(2, 5))
    with pytest.raises(ValueError, match=r"has shape \(2, 5\), .* got \(2, 1, 5\)"):
        pool(torch.ones(2, 1, 5), torch.ones(2, 1, 5, dtype=torch.bool))
    with pytest.raises(ValueError, match=r"has shape \(2, 3, 3\), .* got \(2, 9\)"):
        InvariantPool(Order(2).at(3))(torch.ones(2, 1, 3, 3), torch.ones(2, 9, dtype=torch.bool))


# ---- as a torch module -------------------------------------------------------------------------------------------------


def test_module() -> None:
    pool = InvariantPool(V * V, "max")
    x = normal(2, 3, 4, 4)
    assert repr(pool) == "InvariantPool(R⁴ ⊗ R⁴ of S_4, max, 2 orbits)"
    assert repr(InvariantPool(V)) == "InvariantPool(R⁴ of S_4, sum, 1 orbit)"
    assert list(pool.state_dict()) == []
    assert copy.deepcopy(pool)(x).equal(pool(x))
    family = InvariantPool(Order(1), "max")
    assert pickle.loads(pickle.dumps(family))(x[0]).equal(family(x[0]))
    with pytest.raises(RuntimeError, match=r"checkpoint is of InvariantPool\(R⁴ ⊗ R⁴ of S_4, max"):
        InvariantPool(V * V, "mean").load_state_dict(pool.state_dict())


@pytest.mark.parametrize("reduce", REDUCTIONS)
def test_compiles_in_one_graph(reduce: str) -> None:
    for type_ in (Order(1), V + S4.trivial()):
        torch._dynamo.reset()
        pool = InvariantPool(type_, reduce)
        x = normal(2, 3, 5)
        assert torch.compile(pool, backend="eager", fullgraph=True)(x).equal(pool(x))
    torch._dynamo.reset()


@pytest.mark.gpu
@pytest.mark.parametrize("reduce", REDUCTIONS)
def test_on_a_gpu(reduce: str) -> None:
    for rho in (V * V, DihedralGroup(4).on_grid(4, 4)):
        x = normal(2, 3, *rho.axes)
        mask = random_mask((2, *rho.axes), orbits_of(rho))
        expected = InvariantPool(rho, reduce)(x, mask)
        for pool in (InvariantPool(rho, reduce, device="cuda"), InvariantPool(rho, reduce).cuda()):
            torch.testing.assert_close(pool(x.cuda(), mask.cuda()).cpu(), expected)
