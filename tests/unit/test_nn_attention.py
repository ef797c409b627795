"""Self-attention on sets, against equation 1 of Vaswani et al. written as loops, and against torch's own layer."""

from __future__ import annotations

import copy
import math
import pickle

import pytest
import torch
from torch import Tensor

from eqcourse.nn import Order
from eqcourse.nn.attention import SetAttention

DOUBLE = torch.float64
NAN, INF = torch.nan, torch.inf


def normal(*shape: int, seed: int = 0, dtype: torch.dtype = DOUBLE) -> Tensor:
    return torch.randn(shape, dtype=dtype, generator=torch.Generator().manual_seed(seed))


def slow_attention(layer: SetAttention, x: Tensor) -> Tensor:
    """One set (channels, N), item by item and head by head."""
    channels, n = x.shape
    d = channels // layer.heads
    columns = []
    for i in range(n):
        heads = []
        for h in range(layer.heads):
            rows = slice(h * d, (h + 1) * d)
            query = layer.query[rows] @ x[:, i]
            logits = torch.stack([query @ (layer.key[rows] @ x[:, j]) / math.sqrt(d) for j in range(n)])
            weights = logits.exp() / logits.exp().sum()
            heads.append(sum(weights[j] * (layer.value[rows] @ x[:, j]) for j in range(n)))
        columns.append(layer.output @ torch.cat(heads))
    return torch.stack(columns, dim=1)


def padded_batch(channels: int, sizes: tuple[int, ...], filling: float) -> tuple[list[Tensor], Tensor, Tensor]:
    """Sets (1, channels, n), the same side by side with padding after, between and before the items, and their mask."""
    sets = [normal(1, channels, n, seed=n) for n in sizes]
    longest = max(sizes)
    x = torch.full((len(sizes), channels, longest), filling, dtype=DOUBLE)
    mask = torch.zeros(len(sizes), longest, dtype=torch.bool)
    for row, one in enumerate(sets):
        places = torch.randperm(longest, generator=torch.Generator().manual_seed(row))[: one.shape[2]].sort().values
        x[row][:, places] = one[0]
        mask[row, places] = True
    return sets, x, mask


# ---- values ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("heads", [1, 2, 6])
def test_against_loops(heads: int) -> None:
    layer = SetAttention(6, heads, generator=heads, dtype=DOUBLE)
    for n in (1, 2, 7):
        x = normal(2, 6, n)
        expected = torch.stack([slow_attention(layer, one) for one in x])
        torch.testing.assert_close(layer(x), expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("heads", [1, 4])
def test_against_torch(heads: int) -> None:
    layer = SetAttention(8, heads, generator=0, dtype=DOUBLE)
    other = torch.nn.MultiheadAttention(8, heads, bias=False, batch_first=True, dtype=DOUBLE)
    with torch.no_grad():
        other.in_proj_weight.copy_(torch.cat([layer.query, layer.key, layer.value]))
        other.out_proj.weight.copy_(layer.output)
    x = normal(3, 8, 5)
    items = x.transpose(1, 2)
    torch.testing.assert_close(layer(x), other(items, items, items)[0].transpose(1, 2), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(("dtype", "tolerance"), [(DOUBLE, 1e-10), (torch.float32, 1e-5)])
def test_equivariant_on_generators(dtype: torch.dtype, tolerance: float) -> None:
    layer = SetAttention(6, 3, generator=0, dtype=dtype)
    x = normal(2, 6, 7, dtype=dtype)
    mask = torch.rand(2, 7, generator=torch.Generator().manual_seed(1)) < 0.6
    rho = layer.in_type.at(7)
    assert layer.out_type == layer.in_type == Order(1)
    for g in rho.group.generators:
        moved = rho.act(g, x)
        torch.testing.assert_close(layer(moved), rho.act(g, layer(x)), rtol=0, atol=tolerance)
        masked = layer(moved, rho.act(g, mask.to(dtype)).bool())
        torch.testing.assert_close(masked, rho.act(g, layer(x, mask)), rtol=0, atol=tolerance)


def test_items_do_see_each_other() -> None:
    layer = SetAttention(4, 2, generator=0, dtype=DOUBLE)
    x = normal(1, 4, 3)
    changed = x.clone()
    changed[:, :, 2] += 1
    assert (layer(changed) - layer(x))[:, :, :2].abs().amin() > 1e-6


@pytest.mark.parametrize("filling", [0.0, 7.0, NAN, INF])
@pytest.mark.parametrize("heads", [1, 2])
def test_padded_sets_equal_the_sets_one_by_one(heads: int, filling: float) -> None:
    layer = SetAttention(4, heads, generator=0, dtype=DOUBLE)
    sets, x, mask = padded_batch(4, (3, 1, 6, 2), filling)
    y = layer(x, mask)
    for row, one in enumerate(sets):
        torch.testing.assert_close(y[row][:, mask[row]], layer(one)[0], rtol=1e-12, atol=1e-12)
        assert y[row][:, ~mask[row]].eq(0).all()


def test_a_full_mask_changes_nothing() -> None:
    layer = SetAttention(4, generator=0, dtype=DOUBLE)
    x = normal(2, 4, 5)
    torch.testing.assert_close(layer(x, torch.ones(2, 5, dtype=torch.bool)), layer(x), rtol=1e-12, atol=1e-12)


def test_no_rows_give_no_rows() -> None:
    layer = SetAttention(4, 2, generator=0)
    assert layer(torch.ones(0, 4, 5)).shape == (0, 4, 5)
    assert layer(torch.ones(0, 4, 5), torch.ones(0, 5, dtype=torch.bool)).shape == (0, 4, 5)


# ---- gradients ---------------------------------------------------------------------------------------------------------


def test_gradients() -> None:
    layer = SetAttention(4, 2, generator=0, dtype=DOUBLE)
    x = normal(2, 4, 3).requires_grad_()
    mask = torch.tensor([[True, False, True], [False, True, False]])
    parameters = dict(layer.named_parameters())

    def run(x: Tensor, *values: Tensor) -> tuple[Tensor, Tensor]:
        weights = dict(zip(parameters, values, strict=True))
        return (
            torch.func.functional_call(layer, weights, (x,)),
            torch.func.functional_call(layer, weights, (x, mask)),
        )

    assert torch.autograd.gradcheck(run, (x, *parameters.values()))


def test_padding_reaches_no_gradient() -> None:
    layer = SetAttention(4, 2, generator=0, dtype=DOUBLE)
    _, clean, mask = padded_batch(4, (3, 1, 6), 0.0)
    _, spoilt, _ = padded_batch(4, (3, 1, 6), NAN)
    gradients = []
    for x in (clean, spoilt):
        x.requires_grad_()
        gradients.append(torch.autograd.grad(layer(x, mask).square().sum(), (x, *layer.parameters())))
    for expected, found in zip(*gradients, strict=True):
        torch.testing.assert_close(found, expected, rtol=1e-12, atol=1e-12)
    assert gradients[1][0][~mask.unsqueeze(1).expand_as(spoilt)].eq(0).all()


# ---- initial weights ---------------------------------------------------------------------------------------------------


def test_initial_weights() -> None:
    layer = SetAttention(256, 4, generator=0, dtype=DOUBLE)
    for weight in layer.parameters():
        assert weight.mean().abs() < 0.002
        assert weight.var().item() * 256 == pytest.approx(1, rel=0.03)
    assert not layer.query.equal(layer.key)
    # One item receives itself: variance 1. Of many it receives averages.
    assert layer(normal(64, 256, 1)).var().item() == pytest.approx(1, rel=0.1)
    assert 1 / 16 < layer(normal(64, 256, 16)).var().item() < 1


def test_seeds() -> None:
    first, same, other = (SetAttention(4, generator=seed) for seed in (3, 3, 4))
    assert first.output.equal(same.output)
    assert not first.output.equal(other.output)
    double = SetAttention(4, generator=3, dtype=DOUBLE)
    torch.testing.assert_close(double.output.float(), first.output)


# ---- what it refuses ---------------------------------------------------------------------------------------------------


def test_refused_arguments() -> None:
    with pytest.raises(ValueError, match="6 channels, 4 heads do not fit"):
        SetAttention(6, 4)
    with pytest.raises(ValueError, match="heads is a positive integer, got 0"):
        SetAttention(6, 0)
    with pytest.raises(ValueError, match="channels is a positive integer, got -1"):
        SetAttention(-1)


def test_refused_inputs() -> None:
    layer = SetAttention(4, generator=0)
    with pytest.raises(ValueError, match=r"attention is an average over items, and there are none: .* got \(2, 4, 0\)"):
        layer(torch.ones(2, 4, 0))
    with pytest.raises(ValueError, match="row 1 of the mask has no real item"):
        layer(torch.ones(3, 4, 2), torch.tensor([[True, False], [False, False], [True, True]]))
    with pytest.raises(TypeError, match=r"a mask is a boolean tensor.*torch.int64"):
        layer(torch.ones(2, 4, 3), torch.ones(2, 3, dtype=torch.int64))
    with pytest.raises(ValueError, match=r"has shape \(2, 3\), .* got \(3, 2\)"):
        layer(torch.ones(2, 4, 3), torch.ones(3, 2, dtype=torch.bool))
    with pytest.raises(ValueError, match=r"takes an input of shape \(batch, 4, N\), got \(2, 5, 3\)"):
        layer(torch.ones(2, 5, 3))
    with pytest.raises(TypeError, match=r"weights of type torch.float32 and got an input of type torch.float64"):
        layer(torch.ones(2, 4, 3, dtype=DOUBLE))


# ---- as a torch module -------------------------------------------------------------------------------------------------


def test_module() -> None:
    layer = SetAttention(4, 2, generator=0)
    x = normal(2, 4, 3, dtype=torch.float32)
    assert repr(layer) == "SetAttention(4 channels, 2 heads)"
    assert repr(SetAttention(4)) == "SetAttention(4 channels, 1 head)"
    again = SetAttention(4, 2, generator=1)
    again.load_state_dict(layer.state_dict())
    for copied in (again, copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))):
        assert copied(x).equal(layer(x))
    with pytest.raises(RuntimeError, match=r"this checkpoint is of SetAttention\(4 channels, 2 heads\)"):
        SetAttention(4, 1).load_state_dict(layer.state_dict())


def test_compiles_in_one_graph() -> None:
    torch._dynamo.reset()
    layer = SetAttention(4, 2, generator=0)
    x = normal(2, 4, 3, dtype=torch.float32)
    torch.testing.assert_close(torch.compile(layer, backend="eager", fullgraph=True)(x), layer(x))
    torch._dynamo.reset()


@pytest.mark.gpu
@pytest.mark.parametrize(("dtype", "tolerance"), [(DOUBLE, 1e-10), (torch.float32, 1e-4)])
def test_on_a_gpu(dtype: torch.dtype, tolerance: float) -> None:
    layer = SetAttention(8, 2, generator=0, dtype=dtype)
    there = SetAttention(8, 2, generator=0, dtype=dtype, device="cuda")
    _, x, mask = padded_batch(8, (3, 1, 6), NAN)
    x = x.to(dtype)
    torch.testing.assert_close(there(x.cuda(), mask.cuda()).cpu(), layer(x, mask), rtol=0, atol=tolerance)
    x = x.nan_to_num(0.5)
    torch.testing.assert_close(there(x.cuda()).cpu(), layer(x), rtol=0, atol=tolerance)
