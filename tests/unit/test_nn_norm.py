"""EquivariantNorm: a LayerNorm where entries are permuted, a root mean square where they are rotated."""

from __future__ import annotations

import copy
import math

import pytest
import torch

from eqcourse.equivariance import equivariance_error
from eqcourse.groups import SO, DihedralGroup, Lorentz, MatrixGroup, O, ReflectionGroup, SymmetricGroup
from eqcourse.nn.norm import EquivariantNorm
from eqcourse.nn.types import Grid, Order, Table
from eqcourse.representations import outer

DOUBLE = torch.float64
S3 = SymmetricGroup(3)
V = S3.defining()
R = SO(3).defining()
PERMUTES = {
    "set": V,
    "tensor": V * V,
    "table": outer(V, SymmetricGroup(4).defining()),
    "sum": V + S3.trivial(),
    "image": DihedralGroup(4).on_grid(3, 3),
}
OTHERS = {
    "signs": V * S3.sign(),
    "some signs": V + S3.sign(),
    "reflection": 3 * ReflectionGroup().sign(),
    "rotations": R,
    "rotations and numbers": R + SO(3).trivial(2),
    "tensor": R * R,
    "triangle": DihedralGroup(3).defining(),
    "determinant": O(3).defining() * O(3).sign(),
}


def randomised(type_, channels, **options):
    layer = EquivariantNorm(type_, channels, **options)
    source = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for p in layer.parameters():
            p.copy_(torch.randn(p.shape, generator=source, dtype=DOUBLE))
    return layer


def reference(x, layer, centred):
    """The definition, entry by entry, for one sample (channels, *axes)."""
    entries = [t.item() for t in x.flatten()]
    mean = sum(entries) / len(entries) if centred else 0.0
    spread = math.sqrt(sum((t - mean) ** 2 for t in entries) / len(entries) + layer.eps)
    rows = []
    for c, row in enumerate(x):
        bias = layer.bias[c].item() if centred else 0.0
        rows.append([(t.item() - mean) / spread * layer.weight[c].item() + bias for t in row.flatten()])
    return torch.tensor(rows, dtype=x.dtype).reshape(x.shape)


# ---- what it computes --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("centred", "rho"), [(True, V), (True, V * V), (False, R), (False, R * R)])
def test_against_the_definition(centred, rho):
    layer = randomised(rho, 2, dtype=DOUBLE)
    x = 3 + 2 * torch.randn(4, 2, *rho.axes, dtype=DOUBLE)
    y = layer(x)
    for sample in range(4):
        torch.testing.assert_close(y[sample], reference(x[sample], layer, centred), rtol=1e-12, atol=1e-12)


def test_against_torch():
    x = 3 + 2 * torch.randn(4, 2, 3, dtype=DOUBLE)
    layer, other = EquivariantNorm(V, 2, eps=0.1, dtype=DOUBLE), EquivariantNorm(R, 2, eps=0.1, dtype=DOUBLE)
    torch.testing.assert_close(layer(x), torch.nn.functional.layer_norm(x, (2, 3), eps=0.1))
    torch.testing.assert_close(other(x), torch.nn.functional.rms_norm(x, (2, 3), eps=0.1))


@pytest.mark.parametrize("type_", [Order(0), Order(1), Order(2), Table(2), Grid(2)], ids=str)
def test_families(type_):
    layer = EquivariantNorm(type_, 2, dtype=DOUBLE)
    for size in (3, 7):
        x = 3 + 2 * torch.randn(4, 2, *[size] * type_.num_axes, dtype=DOUBLE)
        torch.testing.assert_close(layer(x), torch.nn.functional.layer_norm(x, x.shape[1:]))


def test_average_variance_is_one_at_the_start():
    x = torch.randn(200, 8, 20, dtype=DOUBLE)
    y = EquivariantNorm(Order(1), 8, dtype=DOUBLE)(x)
    assert y.square().mean().item() == pytest.approx(1, abs=1e-3)


# ---- it keeps the action -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [*PERMUTES, *OTHERS])
@pytest.mark.parametrize(("dtype", "tolerance"), [(DOUBLE, 1e-10), (torch.float32, 1e-4)])
def test_equivariance(name, dtype, tolerance):
    for table, centred in ((PERMUTES, True), (OTHERS, False)):
        if name in table:
            rho = table[name]
            layer = randomised(rho, 3, dtype=dtype)
            assert layer.centred == centred
            assert (layer.bias is not None) == centred
            result = equivariance_error(layer, rho, rho, leading=(2, 3), dtype=dtype, samples=6)
            assert result.error <= tolerance
            assert not result.constant


@pytest.mark.parametrize("name", OTHERS)
def test_a_mean_or_a_bias_would_break_the_others(name):
    """Why they get the root mean square: torch's LayerNorm, or a constant along all ones, is not equivariant there."""
    rho = OTHERS[name]
    shape = (2, *rho.axes)
    inputs = [3 + torch.randn(shape, dtype=DOUBLE, generator=torch.Generator().manual_seed(k)) for k in range(3)]
    assert (
        equivariance_error(lambda x: torch.nn.functional.rms_norm(x, shape) + 0.5, rho, rho, inputs=inputs).error > 1e-3
    )
    mean_breaks = (
        equivariance_error(lambda x: torch.nn.functional.layer_norm(x, shape), rho, rho, inputs=inputs).error > 1e-3
    )
    # An element that flips all signs at once flips the mean as well.
    assert mean_breaks == (name not in ("signs", "reflection"))


def test_a_scale_for_each_entry_would_break_a_set():
    scale = torch.tensor([1.0, 2.0, 3.0], dtype=DOUBLE)
    assert equivariance_error(lambda x: torch.nn.functional.layer_norm(x, (3,), weight=scale), V, V).error > 1e-3


@pytest.mark.parametrize("rho", [Lorentz().defining(), MatrixGroup(lie=[[[0.0, 1.0], [0.0, 0.0]]]).defining()], ids=str)
def test_what_stretches_is_refused_and_breaks(rho):
    with pytest.raises(ValueError, match=r"EquivariantNorm needs an orthogonal representation.*take Invariants"):
        EquivariantNorm(rho, 2)
    assert (
        equivariance_error(
            lambda x: torch.nn.functional.rms_norm(x, (2, rho.dim)), rho, rho, leading=(2,), samples=4
        ).error
        > 1e-3
    )


# ---- masks -------------------------------------------------------------------------------------------------------------

LENGTHS = [4, 1, 3]


def padded(value, dtype=DOUBLE):
    """Three sets of 4, 1 and 3 items, padded to 5, and each one alone."""
    source = torch.Generator().manual_seed(5)
    sets = [2 + 3 * torch.randn(2, n, dtype=DOUBLE, generator=source).to(dtype) for n in LENGTHS]
    x = torch.full((3, 2, 5), value, dtype=dtype)
    mask = torch.zeros(3, 5, dtype=torch.bool)
    for row, items in enumerate(sets):
        places = torch.randperm(5, generator=source)[: LENGTHS[row]]
        x[row][:, places] = items
        mask[row, places] = True
    return x, mask


@pytest.mark.parametrize("value", [0.0, 1e6, float("nan"), float("inf")])
@pytest.mark.parametrize("type_", [Order(1), Table(1), SymmetricGroup(5).defining()], ids=str)
def test_masked_sets_equal_the_sets_alone(value, type_):
    x, mask = padded(value)
    layer = randomised(type_, 2, dtype=DOUBLE)
    alone = randomised(Order(1), 2, dtype=DOUBLE)
    y = layer(x, mask)
    for row in range(3):
        torch.testing.assert_close(y[row][:, mask[row]], alone(x[row : row + 1, :, mask[row]])[0])
    assert torch.equal(y[:, :, :][~mask.unsqueeze(1).expand_as(y)], torch.zeros(2 * int((~mask).sum()), dtype=DOUBLE))


def test_masks_move_with_the_items():
    x, mask = padded(float("nan"))
    layer = randomised(Order(1), 2, dtype=DOUBLE)
    order = torch.tensor([3, 0, 4, 1, 2])
    torch.testing.assert_close(layer(x[:, :, order], mask[:, order]), layer(x, mask)[:, :, order])


def test_padding_gets_and_gives_no_gradient():
    x, mask = padded(float("nan"))
    layer = randomised(Order(1), 2, dtype=DOUBLE)
    x.requires_grad_()
    layer(x, mask).square().sum().backward()
    real = mask.unsqueeze(1).expand_as(x)
    assert torch.isfinite(x.grad).all()
    assert not x.grad[~real].any()
    assert x.grad[real].any()
    assert all(torch.isfinite(p.grad).all() for p in layer.parameters())


def test_a_full_mask_changes_nothing():
    x = torch.randn(3, 2, 5, dtype=DOUBLE)
    layer = randomised(Order(1), 2, dtype=DOUBLE)
    torch.testing.assert_close(layer(x, torch.ones(3, 5, dtype=torch.bool)), layer(x))


def test_bad_masks():
    layer = EquivariantNorm(Order(1), 2)
    x = torch.zeros(3, 2, 5)
    mask = torch.ones(3, 5, dtype=torch.bool)
    mask[1] = False
    with pytest.raises(ValueError, match="no real item in row 1: an empty set has no mean"):
        layer(x, mask)
    with pytest.raises(ValueError, match="in row 0, 1, 2, 3, 4, 5, 6, 7, …"):
        layer(torch.zeros(9, 2, 5), torch.zeros(9, 5, dtype=torch.bool))
    with pytest.raises(ValueError, match=r"has shape \(3, 5\), one entry for each item, got \(3, 4\)"):
        layer(x, mask[:, :4])
    with pytest.raises(TypeError, match=r"boolean tensor.*dtype torch\.float32"):
        layer(x, mask.float())
    for type_, shape in ((Order(2), (3, 2, 5, 5)), (Grid(1), (3, 2, 5)), (R, (3, 2, 3))):
        with pytest.raises(ValueError, match="takes no mask: only sets"):
            EquivariantNorm(type_, 2)(torch.zeros(shape), torch.ones(3, *shape[2:], dtype=torch.bool))


# ---- as a layer --------------------------------------------------------------------------------------------------------


def test_empty_and_constant_input():
    layer = EquivariantNorm(Order(1), 2)
    with pytest.raises(ValueError, match=r"nothing to average over in an empty array: got shape \(3, 2, 0\)"):
        layer(torch.zeros(3, 2, 0))
    assert layer(torch.zeros(0, 2, 5)).shape == (0, 2, 5)
    x = torch.full((1, 2, 4), 7.0, requires_grad=True)
    y = layer(x)
    assert torch.equal(y, torch.zeros_like(y))
    y.sum().backward()
    assert torch.isfinite(x.grad).all()


def test_bad_arguments():
    with pytest.raises(TypeError, match=r"a representation or a family such as Order\(1\), got 3"):
        EquivariantNorm(3, 1)
    with pytest.raises(ValueError, match="channels is a positive integer, got 0"):
        EquivariantNorm(V, 0)
    for eps in (-1.0, float("nan"), float("inf")):
        with pytest.raises(ValueError, match="eps is a number of at least 0"):
            EquivariantNorm(V, 1, eps=eps)
    with pytest.raises(ValueError, match=r"takes an input of shape \(batch, 2, 3\), got \(1, 2, 4\)"):
        EquivariantNorm(V, 2)(torch.zeros(1, 2, 4))
    with pytest.raises(TypeError, match="got an input of type"):
        EquivariantNorm(V, 2)(torch.zeros(1, 2, 3, dtype=DOUBLE))


@pytest.mark.parametrize("rho", [V, R], ids=str)
def test_gradcheck(rho):
    layer = EquivariantNorm(rho, 2, dtype=DOUBLE)
    names = [name for name, _ in layer.named_parameters()]

    def of(x, *parameters):
        return torch.func.functional_call(layer, dict(zip(names, parameters, strict=True)), (x,))

    source = torch.Generator().manual_seed(2)
    inputs = [torch.randn(3, 2, 3, dtype=DOUBLE, generator=source)] + [
        torch.randn(2, dtype=DOUBLE, generator=source) for _ in names
    ]
    assert torch.autograd.gradcheck(of, [t.requires_grad_() for t in inputs])


@pytest.mark.parametrize("type_", [Order(1), R], ids=str)
def test_compile_copy_checkpoint(type_):
    layer = randomised(type_, 2)
    x = torch.randn(4, 2, 3)
    torch._dynamo.reset()
    torch.testing.assert_close(torch.compile(layer, backend="eager", fullgraph=True)(x), layer(x))
    torch.testing.assert_close(copy.deepcopy(layer)(x), layer(x))
    other = EquivariantNorm(type_, 2)
    other.load_state_dict(layer.state_dict())
    torch.testing.assert_close(other(x), layer(x))
    with pytest.raises(RuntimeError, match=r"this checkpoint is of EquivariantNorm\(.*eps 1e-05\)"):
        EquivariantNorm(type_, 2, eps=1e-3).load_state_dict(layer.state_dict())


@pytest.mark.gpu
def test_on_a_gpu():
    x, mask = padded(float("nan"), torch.float32)
    layer = randomised(Order(1), 2)
    expected = layer(x, mask)
    torch.testing.assert_close(layer.cuda()(x.cuda(), mask.cuda()).cpu(), expected)
    assert EquivariantNorm(R, 2, device="cuda").weight.is_cuda
