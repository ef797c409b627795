"""The linear layer between tensors of any order, against diagrams written out as matrices and the layer by expansion."""

from __future__ import annotations

import copy
import math
import pickle
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from eqcourse import intertwiner_dimension
from eqcourse.nn.tensors import TensorLinear
from eqcourse.nn.types import Order

DOUBLE = torch.float64
MODES = ["mean", "sum"]
BELL = [1, 1, 2, 5, 15, 52, 203]
ORDERS = [(k, l) for k in range(7) for l in range(7 - k)]


def sizes_around(axes: int) -> list[int]:
    """N below, at and above the number of axes."""
    return sorted({1, 2, 3, max(axes - 1, 1), max(axes, 1), axes + 1})


CASES = [(k, l, n) for k, l in ORDERS for n in sizes_around(k + l)]


def normal(*shape: int, seed: int = 1, dtype: torch.dtype = DOUBLE) -> Tensor:
    return torch.randn(shape, dtype=DOUBLE, generator=torch.Generator().manual_seed(seed)).to(dtype)


def random_layer(*args: Any, seed: int = 0, **options: Any) -> TensorLinear:
    """A layer whose bias is random too, and that builds no matrix unless it is told to."""
    layer = TensorLinear(*args, generator=seed, dtype=DOUBLE, **({"method": "efficient"} | options))
    if layer.bias is not None:
        with torch.no_grad():
            layer.bias.copy_(normal(*layer.bias.shape, seed=seed + 100))
    return layer


def one_diagram(in_order: int, out_order: int, number: int, **options: Any) -> TensorLinear:
    layer = random_layer(in_order, out_order, 1, 1, bias=False, **options)
    with torch.no_grad():
        layer.weight.zero_()
        layer.weight[..., number] = 1.0
    return layer


def close(one: Tensor, other: Tensor, tolerance: float = 1e-12) -> None:
    """Equal, relative to the size of the whole array."""
    assert one.shape == other.shape
    assert one.dtype == other.dtype
    scale = max(1.0, other.abs().max().item()) if other.numel() else 1.0
    torch.testing.assert_close(one, other, rtol=0, atol=tolerance * scale)


# ---- slow and obvious reference ----------------------------------------------------------------------------------------


def partitions(items: list[int]) -> Iterator[list[list[int]]]:
    """All set partitions as lists of blocks: the first item alone, or with one of the blocks of the others."""
    if not items:
        yield []
        return
    first, rest = items[0], items[1:]
    for blocks in partitions(rest):
        yield [[first], *blocks]
        for i, block in enumerate(blocks):
            yield [*blocks[:i], [first, *block], *blocks[i + 1 :]]


@cache
def numbered(axes: int) -> list[list[list[int]]]:
    """Set partitions in the order of the weights: each axis named by its block, blocks by first appearance, lexicographic."""

    def names(blocks: list[list[int]]) -> list[int]:
        ordered = sorted(blocks, key=min)
        return [next(i for i, block in enumerate(ordered) if axis in block) for axis in range(axes)]

    return sorted(partitions(list(range(axes))), key=names)


@cache
def diagrams(axes: int, n: int) -> list[Tensor]:
    """For each partition a 1 wherever the indices are equal *at least* as it says: boolean (n, …, n)."""
    index = [torch.arange(n).reshape([n if a == axis else 1 for a in range(axes)]) for axis in range(axes)]
    found = []
    for blocks in numbered(axes):
        equal = torch.ones([n] * axes, dtype=torch.bool)
        for block in blocks:
            for axis in block[1:]:
                equal = equal & (index[block[0]] == index[axis])
        found.append(equal)
    return found


def terms(blocks: list[list[int]], out_order: int, n: int) -> int:
    """Over how many index tuples a diagram sums: n for each block of input axes alone. Output axes come first."""
    return n ** sum(min(block) >= out_order for block in blocks)


def reference(layer: TensorLinear, x: Tensor, n: int) -> Tensor:
    """Each diagram as a matrix (n^l, n^k), weighted and added up."""
    k, l = layer.in_type.k, layer.out_type.k
    W = torch.zeros(layer.out_channels, layer.in_channels, *[n] * (k + l), dtype=x.dtype)
    for number, (blocks, entries) in enumerate(zip(numbered(k + l), diagrams(k + l, n), strict=True)):
        weight = layer.weight.detach()[..., number]
        if layer.normalize == "mean":
            weight = weight / terms(blocks, l, n)
        W += weight.reshape(*weight.shape, *[1] * (k + l)) * entries
    W = W.reshape(layer.out_channels, layer.in_channels, n**l, n**k)
    y = torch.einsum("ocij,bcj->boi", W, x.flatten(2) if k else x.unsqueeze(-1))
    y = y.reshape(len(x), layer.out_channels, *[n] * l)
    if layer.bias is not None:
        for number, entries in enumerate(diagrams(l, n)):
            y = y + layer.bias.detach()[:, number].reshape(-1, *[1] * l) * entries
    return y


def change_of_basis(axes: int, n: int, out_order: int | None = None) -> Tensor:
    """(orbits, diagrams): orbits are partitions into at most n blocks; a diagram has a 1 on all that are coarser than it is.

    With ``out_order`` each diagram is divided by its number of terms.
    """
    rows = []
    for coarse in numbered(axes):
        if len(coarse) <= n:
            row = []
            for fine in numbered(axes):
                within = all(any(set(block) <= set(larger) for larger in coarse) for block in fine)
                row.append(within / (1 if out_order is None else terms(fine, out_order, n)))
            rows.append(row)
    return torch.tensor(rows, dtype=DOUBLE)


def call(layer: torch.nn.Module, x: Tensor, k: int, n: int) -> Tensor:
    """From order 0 only ``size`` tells N."""
    return layer(x, size=n) if k == 0 else layer(x)


# ---- values ------------------------------------------------------------------------------------------------------------


X = torch.tensor([[[10.0, 20.0, 30.0]]], dtype=DOUBLE)
XX = torch.tensor([[[[10.0, 20.0], [30.0, 50.0]]]], dtype=DOUBLE)


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (0, [[10, 0, 0], [0, 20, 0], [0, 0, 30]]),  # y_ii = x_i
        (1, [[60, 0, 0], [0, 60, 0], [0, 0, 60]]),  # y_ii = Σ x
        (2, [[10, 10, 10], [20, 20, 20], [30, 30, 30]]),  # y_ij = x_i
        (3, [[10, 20, 30], [10, 20, 30], [10, 20, 30]]),  # y_ij = x_j
        (4, [[60, 60, 60], [60, 60, 60], [60, 60, 60]]),  # y_ij = Σ x
    ],
)
def test_from_order_1_to_2_by_hand(number: int, expected: list[list[float]]) -> None:
    assert one_diagram(1, 2, number, normalize="sum")(X)[0, 0].tolist() == expected
    factor = 3 if number in (1, 4) else 1
    close(one_diagram(1, 2, number)(X)[0, 0], torch.tensor(expected, dtype=DOUBLE) / factor)


@pytest.mark.parametrize(
    ("number", "expected", "summed"),
    [
        (0, [10, 50], 0),  # y_i = x_ii
        (1, [30, 80], 1),  # y_i = Σ_j x_ij
        (2, [40, 70], 1),  # y_i = Σ_j x_ji
        (3, [60, 60], 1),  # y_i = Σ_j x_jj
        (4, [110, 110], 2),  # y_i = Σ_jk x_jk
    ],
)
def test_from_order_2_to_1_by_hand(number: int, expected: list[float], summed: int) -> None:
    assert one_diagram(2, 1, number, normalize="sum")(XX)[0, 0].tolist() == expected
    close(one_diagram(2, 1, number)(XX)[0, 0], torch.tensor(expected, dtype=DOUBLE) / 2**summed)


def test_some_of_order_2_to_2_by_hand() -> None:
    """The partitions of (output, output, input, input) axes: (0, 1, 0, 1) is the identity, (0, 1, 1, 0) the transpose."""
    names = [[next(i for i, b in enumerate(sorted(p, key=min)) if a in b) for a in range(4)] for p in numbered(4)]
    expected = {
        (0, 1, 0, 1): [[10, 20], [30, 50]],
        (0, 1, 1, 0): [[10, 30], [20, 50]],
        (0, 0, 0, 0): [[10, 0], [0, 50]],
        (0, 0, 0, 1): [[30, 0], [0, 80]],  # row sums on the diagonal
        (0, 1, 2, 0): [[40, 40], [70, 70]],  # y_ij = Σ_k x_ki
        (0, 1, 2, 2): [[60, 60], [60, 60]],  # the trace
    }
    for name, values in expected.items():
        layer = one_diagram(2, 2, names.index(list(name)), normalize="sum")
        assert layer(XX)[0, 0].tolist() == values


def test_pooling_and_constants_by_hand() -> None:
    """From order 2 to 0: trace and sum. From 0 to 2: a number on the diagonal, or everywhere. From 0 to 0: a product."""
    assert [one_diagram(2, 0, i, normalize="sum")(XX).item() for i in range(2)] == [60.0, 110.0]
    assert [one_diagram(2, 0, i)(XX).item() for i in range(2)] == [30.0, 27.5]
    seven = torch.tensor([[7.0]], dtype=DOUBLE)
    assert one_diagram(0, 2, 0)(seven, size=2)[0, 0].tolist() == [[7.0, 0.0], [0.0, 7.0]]
    assert one_diagram(0, 2, 1)(seven, size=2)[0, 0].tolist() == [[7.0, 7.0], [7.0, 7.0]]
    assert one_diagram(0, 0, 0)(seven).tolist() == [[7.0]]


def test_the_bias_by_hand() -> None:
    layer = one_diagram(1, 2, 0)
    layer = random_layer(1, 2, 1, 1)
    with torch.no_grad():
        layer.weight.zero_()
        layer.bias.copy_(torch.tensor([[5.0, 1.0]]))  # type: ignore[union-attr]
    assert layer(X)[0, 0].tolist() == [[6.0, 1.0, 1.0], [1.0, 6.0, 1.0], [1.0, 1.0, 6.0]]


@pytest.mark.parametrize("normalize", MODES)
@pytest.mark.parametrize(
    ("k", "l", "n"), [c for c in CASES if c[2] ** (c[0] + c[1]) <= 10_000] + [(3, 3, 5), (2, 4, 6)]
)
def test_equals_the_diagrams(k: int, l: int, n: int, normalize: str) -> None:
    layer = random_layer(k, l, 2, 3, normalize=normalize)
    x = normal(2, 2, *[n] * k)
    close(call(layer, x, k, n), reference(layer, x, n))


@pytest.mark.parametrize("normalize", MODES)
@pytest.mark.parametrize(("k", "l", "n"), CASES)
def test_equals_the_expansion(k: int, l: int, n: int, normalize: str) -> None:
    layer = random_layer(k, l, 2, 3, normalize=normalize)
    expanded = layer.expanded(n)
    assert expanded.in_type == Order(k).at(n)
    assert expanded.out_type == Order(l).at(n)
    x = normal(2, 2, *[n] * k)
    close(call(layer, x, k, n), expanded(x))


@pytest.mark.parametrize("normalize", MODES)
@pytest.mark.parametrize(("k", "l"), [o for o in ORDERS if sum(o) <= 4])
def test_the_change_of_basis(k: int, l: int, normalize: str) -> None:
    """Orbit weights are sums over finer partitions; below N = k + l the map is onto, from Bell(k + l) weights."""
    layer = random_layer(k, l, 2, 3, normalize=normalize)
    for n in sizes_around(k + l):
        change = change_of_basis(k + l, n, l if normalize == "mean" else None)
        close(layer.orbit_weight(n), layer.weight @ change.T)
        close(layer.orbit_bias(n), layer.bias @ change_of_basis(l, n).T)  # type: ignore[arg-type, operator]
        assert torch.linalg.matrix_rank(change).item() == len(change)


@pytest.mark.parametrize("normalize", MODES)
@pytest.mark.parametrize(("k", "l"), [o for o in ORDERS if sum(o) <= 4] + [(5, 1), (1, 5), (3, 3), (2, 3)])
def test_all_methods_compute_the_same(k: int, l: int, normalize: str) -> None:
    """Values, and gradients in the input, the weights and the bias."""
    n = 3
    x, factor = normal(2, 2, *[n] * k), normal(2, 3, *[n] * l, seed=2)
    results = []
    for method in ("efficient", "dense", "auto"):
        layer = random_layer(k, l, 2, 3, normalize=normalize, method=method)
        argument = x.clone().requires_grad_()
        y = call(layer, argument, k, n)
        gradients = torch.autograd.grad((factor * y**2).sum(), [argument, *layer.parameters()])
        results.append([y, *gradients])
    for other in results[1:]:
        for one, two in zip(results[0], other, strict=True):
            close(one, two, 1e-11)


@pytest.mark.parametrize("method", ["efficient", "dense", "auto"])
@pytest.mark.parametrize(("k", "l"), [(0, 0), (1, 1), (0, 2), (2, 0), (2, 2), (3, 1)])
def test_layouts_and_empty_batches(k: int, l: int, method: str) -> None:
    layer = random_layer(k, l, 3, 2, method=method)
    x = normal(*[4] * k, 3, 2).permute(*reversed(range(k + 2)))
    before = x.clone()
    y = call(layer, x, k, 4)
    close(y, call(layer, x.contiguous(), k, 4))
    repeated = normal(1, 3, *[1] * k).expand(2, 3, *[4] * k)
    close(call(layer, repeated, k, 4), call(layer, repeated.contiguous(), k, 4))
    assert torch.equal(x, before)
    assert call(layer, x[:0], k, 4).shape == (0, *y.shape[1:])


@pytest.mark.parametrize(("k", "l"), [(1, 1), (2, 1), (2, 2), (3, 2)])
def test_outputs_can_be_written_to(k: int, l: int) -> None:
    """No entry of the output is shared with another one, as it would be in an expanded view."""
    layer = one_diagram(k, l, BELL[k + l] - 1)  # one number, repeated everywhere
    y = layer(normal(2, 1, *[3] * k)).detach()
    before = y.clone()
    y[(0, 0, *[0] * l)] += 1.0
    assert (y != before).sum() == 1


# ---- completeness and equivariance -------------------------------------------------------------------------------------


@pytest.mark.parametrize("normalize", MODES)
@pytest.mark.parametrize(
    ("k", "l", "n"),
    [c for c in CASES if c[0] + c[1] <= 4]
    + [(2, 3, 3), (3, 2, 4), (1, 4, 5), (4, 1, 2), (0, 5, 4), (3, 3, 2), (3, 3, 3), (2, 4, 4), (5, 1, 3), (0, 6, 3)],
)
def test_the_maps_span_the_whole_space(k: int, l: int, n: int, normalize: str) -> None:
    draws = BELL[k + l] + 3
    layer = random_layer(k, l, 1, draws, bias=False, normalize=normalize, seed=3)
    assert layer.weight.shape[-1] == BELL[k + l]
    basis = torch.eye(n**k, dtype=DOUBLE).reshape(n**k, 1, *[n] * k)
    matrices = call(layer, basis, k, n).transpose(0, 1).reshape(draws, -1)
    rank = torch.linalg.matrix_rank(matrices, rtol=1e-10).item()
    assert rank == intertwiner_dimension(Order(k).at(n), Order(l).at(n))


@pytest.mark.parametrize("n", [1, 2, 3, 5])
@pytest.mark.parametrize("l", [0, 1, 2, 3, 4])
def test_the_biases_span_the_invariant_vectors(l: int, n: int) -> None:
    draws = BELL[l] + 3
    layer = random_layer(1, l, 1, draws)
    assert layer.bias is not None
    assert layer.bias.shape == (draws, BELL[l])
    biases = layer(torch.zeros(1, 1, n, dtype=DOUBLE))[0].flatten(1) if l else layer(torch.zeros(1, 1, n).double()).T
    rho = Order(l).at(n)
    rank = torch.linalg.matrix_rank(biases.reshape(draws, -1), rtol=1e-10).item()
    assert rank == intertwiner_dimension(rho.group.trivial(), rho)


@pytest.mark.parametrize(("dtype", "tolerance"), [(DOUBLE, 1e-10), (torch.float32, 1e-4)])
@pytest.mark.parametrize("normalize", MODES)
@pytest.mark.parametrize(("k", "l"), ORDERS)
def test_equivariant(k: int, l: int, normalize: str, dtype: torch.dtype, tolerance: float) -> None:
    n = 4
    layer = random_layer(k, l, 2, 2, normalize=normalize).to(dtype)
    rho_in, rho_out = Order(k).at(n), Order(l).at(n)
    x = normal(2, 2, *[n] * k, dtype=dtype)
    y = call(layer, x, k, n)
    for g in [*rho_in.group.generators, *(rho_in.group.sample(seed) for seed in range(2))]:
        close(call(layer, rho_in.act(g, x), k, n), rho_out.act(g, y), tolerance)


def test_types() -> None:
    layer = TensorLinear(2, 3, 4, 5)
    assert (layer.in_type, layer.out_type) == (Order(2), Order(3))
    assert (layer.in_channels, layer.out_channels) == (4, 5)
    assert layer.weight.shape == (5, 4, 52)
    assert layer.bias is not None
    assert layer.bias.shape == (5, 5)
    assert (layer.bias == 0).all()


# ---- gradients ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("normalize", MODES)
@pytest.mark.parametrize(
    ("k", "l", "n"),
    [c for c in CASES if c[0] + c[1] <= 4 and c[2] in (1, 2, c[0] + c[1] + 1)] + [(2, 3, 3), (3, 3, 3), (4, 1, 2)],
)
def test_gradients_equal_those_of_the_expansion(k: int, l: int, n: int, normalize: str) -> None:
    """In x they are equal; in weights and bias they are related by the transposed change of basis."""
    layer = random_layer(k, l, 3, 2, normalize=normalize)
    expanded = layer.expanded(n)
    factor = normal(4, 2, *[n] * l, seed=9)
    gradients = []
    for module in (layer, expanded):
        x = normal(4, 3, *[n] * k).requires_grad_()
        y = call(module, x, k, n) if module is layer else module(x)
        (factor * y**2).sum().backward()
        gradients.append(x.grad)
    close(gradients[0], gradients[1])  # type: ignore[arg-type]
    change = change_of_basis(k + l, n, l if normalize == "mean" else None)
    close(layer.weight.grad, expanded.weight.grad @ change)  # type: ignore[operator, arg-type]
    close(layer.bias.grad, expanded.bias.grad @ change_of_basis(l, n))  # type: ignore[union-attr, operator, arg-type]
    (through,) = torch.autograd.grad(layer.orbit_weight(n), layer.weight, expanded.weight.grad)
    close(layer.weight.grad, through)  # type: ignore[arg-type]


@pytest.mark.parametrize("normalize", MODES)
@pytest.mark.parametrize("method", ["efficient", "dense"])
@pytest.mark.parametrize(("k", "l"), [(0, 0), (0, 2), (2, 0), (1, 1), (1, 2), (2, 1), (2, 2)])
def test_gradcheck(k: int, l: int, method: str, normalize: str) -> None:
    layer = random_layer(k, l, 2, 1, normalize=normalize, method=method)

    def f(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        arguments = (x, 3) if k == 0 else (x,)
        return torch.func.functional_call(layer, {"weight": weight, "bias": bias}, arguments)

    inputs = (
        normal(2, 2, *[3] * k).requires_grad_(),
        *(p.detach().clone().requires_grad_() for p in layer.parameters()),
    )
    assert torch.autograd.gradcheck(f, inputs)
    assert torch.autograd.gradgradcheck(f, inputs)


# ---- bad input ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("k", "l"), [(4, 3), (0, 7), (7, 0), (6, 1), (30, 20)])
def test_orders_that_are_too_high(k: int, l: int) -> None:
    with pytest.raises(ValueError, match=rf"in_order \+ out_order ≤ 6, got {k} \+ {l} = {k + l}"):
        TensorLinear(k, l, 1, 1)


@pytest.mark.parametrize("order", [-1, 1.0, True, "1", None])
def test_orders_are_integers(order: Any) -> None:
    for orders in ((order, 1), (1, order)):
        with pytest.raises(ValueError, match="the order of a tensor is an integer of at least 0"):
            TensorLinear(*orders, 1, 1)


@pytest.mark.parametrize(("k", "l"), [(1, 0), (1, 1), (2, 0), (2, 2), (3, 1)])
@pytest.mark.parametrize("method", ["efficient", "dense", "auto"])
def test_no_indices(k: int, l: int, method: str) -> None:
    with pytest.raises(ValueError, match="N = 0"):
        random_layer(k, l, 2, 3, method=method)(torch.zeros(1, 2, *[0] * k, dtype=DOUBLE))


@pytest.mark.parametrize("shape", [(1, 2, 3, 4), (1, 2, 0, 4), (1, 2, 4, 1)])
def test_unequal_axes(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"permutes all axes .* alike(.|\n)*ArrayLinear"):
        random_layer(2, 1, 2, 3)(torch.zeros(shape, dtype=DOUBLE))


def test_order_zero_needs_a_size() -> None:
    one = torch.ones(2, 1, dtype=DOUBLE)
    with pytest.raises(ValueError, match=r"order 0 .*layer\(x, size=N\)"):
        random_layer(0, 2, 1, 1)(one)
    assert random_layer(0, 0, 1, 1)(one).shape == (2, 1)
    for size in (0, -1):
        with pytest.raises(ValueError, match="N ≥ 1"):
            random_layer(0, 2, 1, 1)(one, size=size)


@pytest.mark.parametrize("method", ["efficient", "dense", "auto"])
@pytest.mark.parametrize("size", [2.0, True, "3"])
def test_sizes_are_integers(size: Any, method: str) -> None:
    """And the error says what was given."""
    with pytest.raises((TypeError, ValueError), match=f"got .*{size!r}"):
        random_layer(0, 2, 1, 1, method=method)(torch.ones(2, 1, dtype=DOUBLE), size=size)


def test_a_size_that_contradicts_the_input() -> None:
    layer, x = random_layer(2, 2, 1, 1), normal(1, 1, 3, 3)
    close(layer(x, size=3), layer(x))
    with pytest.raises(ValueError, match=r"size=4 .*\(1, 1, 3, 3\)"):
        layer(x, size=4)


@pytest.mark.parametrize("shape", [(2, 4), (2, 4, 3), (2, 4, 3, 3, 3), (2, 3, 4, 4), ()])
def test_wrong_shapes(shape: tuple[int, ...]) -> None:
    expected = r"TensorLinear\(order 2 → 1, 4 → 1 channels, mean\) takes an input of shape \(batch, 4, N, N\), got "
    with pytest.raises(ValueError, match=expected):
        random_layer(2, 1, 4, 1)(normal(*shape))


def test_wrong_dtypes_and_devices() -> None:
    layer, x = random_layer(1, 1, 1, 1), torch.ones(2, 1, 3)
    with pytest.raises(TypeError, match=r"weights of type torch.float64 .* torch.float32"):
        layer(x)
    with pytest.raises(TypeError, match=r"floating-point numbers, got torch.int64"):
        layer(x.long())
    with pytest.raises(TypeError, match=r"takes a torch tensor.*got list"):
        layer(x.tolist())
    with pytest.raises(ValueError, match="is on cpu and its input on meta"):
        layer(x.double().to("meta"))


@pytest.mark.parametrize("channels", [0, 1.0, True, "2", None])
def test_channels_are_positive_integers(channels: Any) -> None:
    with pytest.raises(ValueError, match="in_channels is a positive integer"):
        TensorLinear(1, 1, channels, 1)
    with pytest.raises(ValueError, match="out_channels is a positive integer"):
        TensorLinear(1, 1, 1, channels)


def test_unknown_options() -> None:
    for normalize in ("max", None):
        with pytest.raises(ValueError, match=r'"mean".*"sum".*' + repr(normalize)):
            TensorLinear(1, 1, 1, 1, normalize=normalize)  # type: ignore[arg-type]
    for method in ("fast", None):
        with pytest.raises(ValueError, match=r'"efficient".*"dense".*' + repr(method)):
            TensorLinear(1, 1, 1, 1, method=method)  # type: ignore[arg-type]


@pytest.mark.parametrize("sizes", [(), (0,), (2, 3)])
def test_wrong_sizes_of_the_expansion(sizes: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="one length N ≥ 1, got"):
        TensorLinear(1, 2, 1, 1).orbit_weight(*sizes)
    with pytest.raises(ValueError, match="got"):
        TensorLinear(1, 2, 1, 1).expanded(*sizes)


# ---- what is kept between calls is kept for a size: each case takes sizes of its own -----------------------------------


@pytest.mark.parametrize(("method", "n"), [("auto", 4), ("dense", 8), ("efficient", 9)])
def test_trains_after_inference_mode(method: str, n: int) -> None:
    """Evaluating first must leave nothing behind that autograd refuses."""
    layer, x = random_layer(1, 2, 1, 1, method=method), normal(2, 1, n)
    with torch.inference_mode():
        layer(x)
        layer.expanded(n)
    layer(x).sum().backward()
    layer.orbit_weight(n).sum().backward()
    assert layer.weight.grad is not None


@pytest.mark.parametrize(("method", "n"), [("auto", 5), ("dense", 10), ("efficient", 11)])
def test_works_after_a_run_on_the_meta_device(method: str, n: int) -> None:
    """As tools do that look at the shapes first."""
    with torch.device("meta"):
        shapes = TensorLinear(1, 2, 1, 1, method=method)(torch.ones(2, 1, n))
    assert shapes.device.type == "meta"
    layer, x = random_layer(1, 2, 1, 1, method=method), normal(2, 1, n)
    close(layer(x), reference(layer, x, n))
    close(layer.expanded(n)(x), reference(layer, x, n))


# ---- initial weights ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("normalize", MODES)
@pytest.mark.parametrize(
    ("k", "l"), [(0, 0), (0, 1), (1, 0), (1, 1), (2, 0), (0, 2), (1, 2), (2, 1), (2, 2), (3, 1), (3, 3)]
)
def test_initial_outputs_have_variance_one(k: int, l: int, normalize: str) -> None:
    """On average over many draws of the weights, at N = 16.

    For inputs of variance 1 the outputs' mean variance is ‖W‖²/N^l, summed over the input channels. Columns of W that the group moves
    into each other have the same norm: one of each orbit is enough, counted with the orbit's size.
    """
    n, channels = 16, 2
    # Draw enough weights for 3 %, and at most some ten million outputs.
    draws = max(40, min(3000, 2_000_000 // n**l))
    total = 0.0
    layer = TensorLinear(k, l, channels, draws, bias=False, normalize=normalize, method="efficient", generator=1)
    for blocks in numbered(k):
        place = [next(i for i, block in enumerate(blocks) if axis in block) for axis in range(k)]
        orbit_size = math.perm(n, len(blocks))
        x = torch.zeros(channels, channels, *[n] * k)
        x[(range(channels), range(channels), *place)] = 1.0
        with torch.no_grad():
            total += orbit_size * call(layer, x, k, n).double().square().sum().item()
    assert 0.9 < total / (draws * n**l) < 1.1


@pytest.mark.parametrize(("k", "l"), [(1, 1), (2, 2), (1, 2)])
def test_initial_outputs_have_variance_one_on_random_inputs(k: int, l: int) -> None:
    squares = []
    for seed in range(4):
        layer = TensorLinear(k, l, 3, 150, generator=seed)
        y = layer(normal(150, 3, *[16] * k, seed=seed + 50, dtype=torch.float32))
        squares.append(y.square().mean().item())
    assert 0.9 < sum(squares) / 4 < 1.1


def test_weights_are_drawn_from_what_was_given() -> None:
    one, same = (TensorLinear(2, 1, 2, 3, generator=5).weight for _ in range(2))
    assert torch.equal(one, same)
    assert not torch.equal(TensorLinear(2, 1, 2, 3, generator=6).weight, one)
    assert torch.equal(TensorLinear(2, 1, 2, 3, generator=5, dtype=DOUBLE).weight.float(), one)


# ---- checkpoints and copies --------------------------------------------------------------------------------------------


def test_checkpoints(tmp_path: Path) -> None:
    layer, x = random_layer(2, 1, 2, 3), normal(2, 2, 5, 5)
    torch.save(layer.state_dict(), tmp_path / "layer.pt")
    other = TensorLinear(2, 1, 2, 3, generator=9, method="efficient", dtype=DOUBLE)
    other.load_state_dict(torch.load(tmp_path / "layer.pt", weights_only=True))
    assert torch.equal(other(x), layer(x))
    assert set(layer.state_dict()) == {"weight", "bias"}
    other.load_state_dict(dict(layer.state_dict()))
    # How it is computed is no part of what it computes.
    TensorLinear(2, 1, 2, 3, method="dense", dtype=DOUBLE).load_state_dict(layer.state_dict())


@pytest.mark.parametrize(
    ("args", "options"),
    [((2, 1, 2, 2), {"normalize": "sum"}), ((1, 2, 2, 2), {}), ((3, 0, 2, 2), {}), ((0, 3, 2, 2), {})],
)
def test_checkpoints_of_other_layers_are_refused(args: Any, options: Any) -> None:
    layer, other = TensorLinear(2, 1, 2, 2, bias=False), TensorLinear(*args, bias=False, **options)
    assert layer.weight.shape == other.weight.shape
    with pytest.raises(RuntimeError) as caught:
        layer.load_state_dict(other.state_dict())
    assert repr(layer) in str(caught.value)
    assert repr(other) in str(caught.value)


@pytest.mark.parametrize("method", ["efficient", "dense", "auto"])
def test_copies(method: str) -> None:
    layer, x = random_layer(2, 2, 2, 3, method=method), normal(2, 2, 3, 3)
    layer(x)
    for other in (copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))):
        assert torch.equal(other(x), layer(x))
        assert repr(other) == repr(layer)


# ---- precision, compilation, transforms, memory ------------------------------------------------------------------------


@pytest.mark.parametrize("normalize", MODES)
@pytest.mark.parametrize(
    ("k", "l", "n"), [(1, 1, 100), (2, 2, 30), (3, 1, 15), (1, 3, 15), (3, 3, 8), (5, 1, 5), (6, 0, 4)]
)
def test_float32_is_close_to_float64(k: int, l: int, n: int, normalize: str) -> None:
    layer, x = random_layer(k, l, 2, 2, normalize=normalize), normal(2, 2, *[n] * k)
    y = copy.deepcopy(layer).float()(x.float())
    assert y.dtype == torch.float32
    close(y.double(), layer(x), 1e-5)


@pytest.mark.parametrize("method", ["efficient", "auto"])
@pytest.mark.parametrize(("k", "l"), [(0, 2), (1, 1), (2, 1), (2, 2)])
def test_compiles_without_a_break(k: int, l: int, method: str) -> None:
    torch._dynamo.reset()
    layer = random_layer(k, l, 2, 3, method=method)
    compiled = torch.compile(layer, backend="eager", fullgraph=True)
    for n in (3, 5):
        x = normal(2, 2, *[n] * k).requires_grad_()
        close(call(compiled, x, k, n), call(layer, x, k, n))
        (compiled_grad,) = torch.autograd.grad(call(compiled, x, k, n).square().sum(), x)
        (plain_grad,) = torch.autograd.grad(call(layer, x, k, n).square().sum(), x)
        close(compiled_grad, plain_grad)
    torch._dynamo.reset()


@pytest.mark.parametrize("method", ["efficient", "dense"])
@pytest.mark.parametrize(("k", "l"), [(1, 1), (2, 2), (1, 3)])
def test_ensembles_and_gradients_of_single_examples(k: int, l: int, method: str) -> None:
    layers = [random_layer(k, l, 2, 3, seed=seed, method=method) for seed in range(3)]
    x = normal(4, 2, *[3] * k)
    parameters, buffers = torch.func.stack_module_state(layers)  # type: ignore[arg-type]
    fixed = dict(layers[0].named_buffers())
    assert set(fixed) == set(buffers)
    y = torch.func.vmap(lambda p: torch.func.functional_call(layers[0], (p, fixed), (x,)))(parameters)
    close(y, torch.stack([layer(x) for layer in layers]))

    def loss(p: dict[str, Tensor], example: Tensor) -> Tensor:
        return torch.func.functional_call(layers[0], p, (example.unsqueeze(0),)).square().sum()

    own = dict(layers[0].named_parameters())
    single = torch.func.vmap(torch.func.grad(loss), in_dims=(None, 0))(own, x)
    for row in range(4):
        (expected,) = torch.autograd.grad(loss(own, x[row]), own["weight"])
        close(single["weight"][row], expected)


class Allocated(TorchDispatchMode):
    """Counts the bytes of the arrays that operations make: the largest, and all together."""

    def __init__(self) -> None:
        super().__init__()
        self.largest = self.total = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        out = func(*args, **(kwargs or {}))
        known = {a.untyped_storage().data_ptr() for a in tree_leaves((args, kwargs)) if isinstance(a, Tensor)}
        for storage in {
            t.untyped_storage().data_ptr(): t.untyped_storage() for t in tree_leaves(out) if isinstance(t, Tensor)
        }.values():
            if storage.data_ptr() not in known:  # views make nothing new
                self.largest = max(self.largest, storage.nbytes())
                self.total += storage.nbytes()
        return out


@pytest.mark.parametrize(
    ("k", "l", "n", "copies"), [(2, 2, 64, 30), (1, 2, 64, 30), (2, 1, 64, 30), (3, 3, 20, 120), (1, 3, 20, 30)]
)
def test_no_matrix_is_built(k: int, l: int, n: int, copies: int) -> None:
    """Forwards and backwards, everything together is a number of copies of the larger side, N^max(k, l)."""
    layer, x = TensorLinear(k, l, 1, 1, generator=0), normal(2, 1, *[n] * k, dtype=torch.float32)
    x.requires_grad_()
    larger = 2 * n ** max(k, l) * 4
    with Allocated() as made:
        y = layer(x)
    assert made.total < copies * larger
    with Allocated() as made:
        y.square().sum().backward()
    assert made.total < 6 * copies * larger
    assert made.largest < 20 * larger


def test_large_tensors_go_without_the_matrix() -> None:
    """At N = 64 the matrix of order 2 → 2 with 8 channels would have a billion entries: ``method="auto"`` does not build it."""
    layer = TensorLinear(2, 2, 8, 8, generator=0)
    x = normal(1, 8, 64, 64, dtype=torch.float32)
    with torch.no_grad(), Allocated() as made:
        layer(x)
    assert made.total < 30 * x.numel() * 4
