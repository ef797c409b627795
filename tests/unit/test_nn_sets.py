"""The linear layer on sets, against hand-written formulas, the layer by expansion, and sets of different sizes one by one."""

from __future__ import annotations

import copy
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from eqcourse import intertwiner_dimension
from eqcourse.groups import SymmetricGroup
from eqcourse.nn.arrays import ArrayLinear
from eqcourse.nn.sets import SetLinear
from eqcourse.nn.tensors import TensorLinear
from eqcourse.nn.types import Order

DOUBLE = torch.float64
NAN, INF = torch.nan, torch.inf
MODES = ["mean", "sum"]


def normal(*shape: int, seed: int = 1, dtype: torch.dtype = DOUBLE) -> Tensor:
    return torch.randn(shape, dtype=DOUBLE, generator=torch.Generator().manual_seed(seed)).to(dtype)


def random_layer(*args: Any, seed: int = 0, **options: Any) -> SetLinear:
    """A layer whose bias is random too."""
    layer = SetLinear(*args, generator=seed, dtype=DOUBLE, **options)
    if layer.bias is not None:
        with torch.no_grad():
            layer.bias.copy_(normal(*layer.bias.shape, seed=seed + 100))
    return layer


def with_weights(each: float, pool: float, bias: float = 0.0, normalize: str = "mean") -> SetLinear:
    layer = SetLinear(1, 1, normalize=normalize, dtype=DOUBLE)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor([each, pool]))
        assert layer.bias is not None
        layer.bias.fill_(bias)
    return layer


def reference(layer: SetLinear, x: Tensor) -> Tensor:
    """Item by item: y_i = W_id x_i + W_pool pool_j x_j + b."""
    each, pool = layer.weight[..., 0], layer.weight[..., 1]
    batch, _, n = x.shape
    y = x.new_zeros(batch, layer.out_channels, n)
    for b in range(batch):
        total = sum((x[b, :, j] for j in range(n)), x.new_zeros(x.shape[1]))
        pooled = total / n if layer.normalize == "mean" else total
        for i in range(n):
            y[b, :, i] = each @ x[b, :, i] + pool @ pooled
            if layer.bias is not None:
                y[b, :, i] += layer.bias
    return y


def close(one: Tensor, other: Tensor, tolerance: float = 1e-12) -> None:
    """Equal, relative to the size of the whole array."""
    assert one.shape == other.shape
    assert one.dtype == other.dtype
    scale = max(1.0, other.abs().max().item()) if other.numel() else 1.0
    torch.testing.assert_close(one, other, rtol=0, atol=tolerance * scale)


# ---- values ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("normalize", "expected"),
    [("mean", [40.5, 60.5, 80.5]), ("sum", [80.5, 100.5, 120.5])],
)
def test_by_hand(normalize: str, expected: list[float]) -> None:
    """2 · 10 + (mean 20 or sum 60) + 0.5, and so on."""
    layer = with_weights(2.0, 1.0, 0.5, normalize)
    x = torch.tensor([[[10.0, 20.0, 30.0]]], dtype=DOUBLE)
    assert layer(x).tolist() == [[expected]]


def test_channels_by_hand() -> None:
    """Two channels into two: the weight is (output, input, which)."""
    layer = SetLinear(2, 2, bias=False, normalize="sum", dtype=DOUBLE)
    with torch.no_grad():
        layer.weight.zero_()
        layer.weight[0, 1, 0] = 1.0  # output 0 takes input 1's own entries
        layer.weight[1, 0, 1] = 1.0  # output 1 takes input 0's sum
    x = torch.tensor([[[10.0, 20.0, 30.0], [1.0, 2.0, 3.0]]], dtype=DOUBLE)
    assert layer(x).tolist() == [[[1.0, 2.0, 3.0], [60.0, 60.0, 60.0]]]


@pytest.mark.parametrize("normalize", MODES)
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize(("channels", "n"), [((1, 1), 1), ((1, 3), 2), ((3, 1), 5), ((2, 3), 4), ((3, 2), 17)])
def test_equals_the_formula_and_the_expansion(channels: tuple[int, int], n: int, bias: bool, normalize: str) -> None:
    layer = random_layer(*channels, bias=bias, normalize=normalize)
    x = normal(4, channels[0], n)
    close(layer(x), reference(layer, x))
    expanded = layer.expanded(n)
    assert expanded.in_type == SymmetricGroup(n).defining() == expanded.out_type
    assert (expanded.bias is not None) == bias
    close(layer(x), expanded(x))


def test_weights_of_the_expansion_by_hand() -> None:
    """Diagonal w_id + w_pool, w_pool beside it; a mean over N divides w_pool by N."""
    assert with_weights(5.0, 8.0).orbit_weight(4).tolist() == [[[7.0, 2.0]]]
    assert with_weights(5.0, 8.0, normalize="sum").orbit_weight(4).tolist() == [[[13.0, 8.0]]]
    assert with_weights(5.0, 8.0).orbit_weight(1).tolist() == [[[13.0]]]
    assert with_weights(5.0, 8.0, bias=3.0).orbit_bias(4).tolist() == [[3.0]]  # type: ignore[union-attr]
    assert SetLinear(1, 1, bias=False).orbit_bias(4) is None


def test_the_expansion_is_a_copy() -> None:
    layer = random_layer(2, 3)
    before = layer.weight.clone()
    with torch.no_grad():
        layer.expanded(4).weight.zero_()
    assert torch.equal(layer.weight, before)


def test_input_layouts_are_all_the_same() -> None:
    """Transposed and repeated inputs, an empty batch; the input stays as it was."""
    layer = random_layer(3, 2)
    x = normal(4, 7, 3).transpose(1, 2)
    close(layer(x), layer(x.contiguous()))
    repeated = normal(1, 3, 1).expand(4, 3, 7)
    before = repeated.clone()
    close(layer(repeated), layer(repeated.contiguous()))
    assert torch.equal(repeated, before)
    assert layer(x[:0]).shape == (0, 2, 7)


def test_the_input_is_not_written_to() -> None:
    for channels in [(1, 1), (2, 2)]:
        layer, x = random_layer(*channels), normal(2, channels[0], 5)
        before = x.clone()
        layer(x)
        layer(x, mask=torch.rand(2, 5, generator=torch.Generator().manual_seed(0)) > -1)
        assert torch.equal(x, before)


# ---- completeness and equivariance -------------------------------------------------------------------------------------


@pytest.mark.parametrize("normalize", MODES)
@pytest.mark.parametrize("n", [1, 2, 3, 6])
def test_the_maps_span_the_whole_space(n: int, normalize: str) -> None:
    draws = 6
    layer = SetLinear(1, draws, bias=False, normalize=normalize, generator=3, dtype=DOUBLE)
    matrices = layer(torch.eye(n, dtype=DOUBLE).unsqueeze(1)).transpose(0, 1).reshape(draws, n * n)
    V = SymmetricGroup(n).defining()
    assert torch.linalg.matrix_rank(matrices, rtol=1e-10).item() == intertwiner_dimension(V, V) == min(n, 2)


@pytest.mark.parametrize("n", [1, 2, 5])
def test_the_biases_span_the_invariant_vectors(n: int) -> None:
    layer = random_layer(1, 4)
    biases = layer(torch.zeros(1, 1, n, dtype=DOUBLE))[0]
    V = SymmetricGroup(n).defining()
    assert torch.linalg.matrix_rank(biases).item() == intertwiner_dimension(V.group.trivial(), V) == 1


@pytest.mark.parametrize(("dtype", "tolerance"), [(DOUBLE, 1e-10), (torch.float32, 1e-4)])
@pytest.mark.parametrize("normalize", MODES)
@pytest.mark.parametrize("n", [2, 3, 7])
def test_equivariant(n: int, normalize: str, dtype: torch.dtype, tolerance: float) -> None:
    layer = random_layer(2, 3, normalize=normalize).to(dtype)
    rho, x = layer.in_type.at(n), normal(3, 2, n, dtype=dtype)
    elements = [*rho.group.generators, *(rho.group.sample(seed) for seed in range(4))]
    for g in elements:
        close(layer(rho.act(g, x)), rho.act(g, layer(x)), tolerance)


def test_types() -> None:
    layer = SetLinear(2, 3)
    assert layer.in_type == layer.out_type == Order(1)
    assert (layer.in_channels, layer.out_channels) == (2, 3)
    assert layer.weight.shape == (3, 2, 2)
    assert layer.bias is not None
    assert layer.bias.tolist() == [0.0, 0.0, 0.0]


# ---- gradients ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("normalize", MODES)
@pytest.mark.parametrize("n", [1, 2, 5])
def test_gradients_equal_those_of_the_expansion(n: int, normalize: str) -> None:
    """In x they are equal; in the weights they are related by the transposed change of basis."""
    layer = random_layer(3, 2, normalize=normalize)
    expanded = layer.expanded(n)
    factor = normal(4, 2, n, seed=9)
    gradients = []
    for module in (layer, expanded):
        x = normal(4, 3, n).requires_grad_()
        # Squared, so that the gradient depends on the output.
        (factor * module(x) ** 2).sum().backward()
        gradients.append(x.grad)
    close(gradients[0], gradients[1])  # type: ignore[arg-type]
    share = 1 / n if normalize == "mean" else 1.0
    change = torch.tensor([[1.0, share], [0.0, share]], dtype=DOUBLE)[: min(n, 2)]  # orbit = change · diagram
    close(layer.weight.grad, expanded.weight.grad @ change)  # type: ignore[operator, arg-type]
    close(layer.bias.grad, expanded.bias.grad.squeeze(-1))  # type: ignore[union-attr, arg-type]


def test_the_change_of_basis_is_differentiable() -> None:
    layer = random_layer(2, 2)
    layer.orbit_weight(5).sum().backward()
    assert layer.weight.grad is not None
    close(layer.weight.grad[0, 0], torch.tensor([1.0, 2 / 5], dtype=DOUBLE))


@pytest.mark.parametrize("normalize", MODES)
@pytest.mark.parametrize("channels", [(1, 1), (1, 2), (2, 3)])
@pytest.mark.parametrize("masked", [False, True])
def test_gradcheck(channels: tuple[int, int], normalize: str, masked: bool) -> None:
    layer = random_layer(*channels, normalize=normalize)
    mask = torch.tensor([[True, True, False, True], [False, True, False, False]]) if masked else None

    def f(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        return torch.func.functional_call(layer, {"weight": weight, "bias": bias}, (x, mask))

    inputs = (
        normal(2, channels[0], 4).requires_grad_(),
        *(p.detach().clone().requires_grad_() for p in layer.parameters()),
    )
    assert torch.autograd.gradcheck(f, inputs)
    assert torch.autograd.gradgradcheck(f, inputs)


# ---- masks -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("normalize", MODES)
@pytest.mark.parametrize("channels", [(1, 2), (3, 2)])
@pytest.mark.parametrize("padding", [0.0, 1e30, NAN, INF, -INF])
def test_padded_sets_equal_the_sets_one_by_one(padding: float, channels: tuple[int, int], normalize: str) -> None:
    """The real items need not stand in front. Padding comes out as 0 and gets no gradient."""
    layer = random_layer(*channels, normalize=normalize)
    mask = torch.tensor(
        [
            [True, True, True, True, True],
            [True, True, False, False, False],
            [False, True, False, True, True],
            [False, False, False, False, True],
        ]
    )
    clean = normal(4, channels[0], 5)
    x = clean.masked_fill(~mask.unsqueeze(1), padding).requires_grad_()
    y = layer(x, mask)
    factor = normal(4, channels[1], 5, seed=7)
    (factor * y).sum().backward()
    got = [x.grad, layer.weight.grad, layer.bias.grad]  # type: ignore[union-attr]
    layer.zero_grad()
    for row in range(4):
        items = mask[row]
        alone = clean[row : row + 1, :, items].clone().requires_grad_()
        out = layer(alone)
        close(y[row : row + 1, :, items], out)
        (factor[row : row + 1, :, items] * out).sum().backward()
        close(got[0][row : row + 1, :, items], alone.grad)  # type: ignore[index, arg-type]
    hidden = ~mask.unsqueeze(1)
    assert (y.masked_select(hidden) == 0).all()
    assert (got[0].masked_select(hidden) == 0).all()  # type: ignore[union-attr]
    close(got[1], layer.weight.grad)  # type: ignore[arg-type]
    close(got[2], layer.bias.grad)  # type: ignore[union-attr, arg-type]


@pytest.mark.parametrize("normalize", MODES)
def test_a_mask_without_padding_changes_nothing(normalize: str) -> None:
    layer, x = random_layer(2, 3, normalize=normalize), normal(3, 2, 4)
    close(layer(x, torch.ones(3, 4, dtype=torch.bool)), layer(x))


def test_with_a_mask_it_is_equivariant_if_the_mask_moves_too() -> None:
    layer, x = random_layer(2, 3), normal(2, 2, 5)
    rho = Order(1).at(5)
    mask = torch.tensor([[True, False, True, True, False], [True, True, False, False, False]])
    for g in (rho.group.sample(seed) for seed in range(4)):
        close(layer(rho.act(g, x), rho.act(g, mask)), rho.act(g, layer(x, mask)), 1e-10)


def test_nan_at_a_real_item_is_not_hidden() -> None:
    layer = random_layer(1, 1)
    x = torch.tensor([[[1.0, NAN, 2.0]]], dtype=DOUBLE)
    assert layer(x, torch.tensor([[True, True, False]]))[0, 0, :2].isnan().all()


@pytest.mark.parametrize(
    ("mask", "error", "text"),
    [
        (torch.ones(2, 3), TypeError, "torch.float32"),
        (torch.ones(2, 3, dtype=torch.int64), TypeError, "torch.int64"),
        ([[True] * 3] * 2, TypeError, "boolean tensor.*list"),
        (torch.ones(3, dtype=torch.bool), ValueError, r"\(2, 3\).*\(3,\)"),
        (torch.ones(3, 2, dtype=torch.bool), ValueError, r"\(2, 3\).*\(3, 2\)"),
        (torch.ones(2, 1, dtype=torch.bool), ValueError, r"\(2, 3\).*\(2, 1\)"),
        (torch.ones(2, 4, 3, dtype=torch.bool), ValueError, r"\(2, 3\).*\(2, 4, 3\)"),
    ],
)
def test_wrong_masks(mask: Any, error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        random_layer(4, 1)(normal(2, 4, 3), mask)


@pytest.mark.parametrize("row", [0, 2])
def test_a_row_without_items(row: int) -> None:
    """Its sum is 0; it has no mean, and the error says which row."""
    mask = torch.ones(3, 4, dtype=torch.bool)
    mask[row] = False
    x = normal(3, 2, 4)
    y = random_layer(2, 3, normalize="sum")(x, mask)
    assert (y[row] == 0).all()
    with pytest.raises(ValueError, match=rf"row {row} .*normalize=\"sum\""):
        random_layer(2, 3)(x, mask)


def test_a_row_without_items_gets_finite_gradients() -> None:
    layer = random_layer(2, 3, normalize="sum")
    x = torch.full((1, 2, 4), NAN, dtype=DOUBLE, requires_grad=True)
    layer(x, torch.zeros(1, 4, dtype=torch.bool)).sum().backward()
    for gradient in (x.grad, layer.weight.grad, layer.bias.grad):  # type: ignore[union-attr]
        assert gradient is not None
        assert (gradient == 0).all()


def test_sets_of_no_items() -> None:
    x = torch.zeros(3, 2, 0, dtype=DOUBLE)
    layer = random_layer(2, 5, normalize="sum")
    assert layer(x).shape == (3, 5, 0)
    assert layer(x, torch.ones(3, 0, dtype=torch.bool)).shape == (3, 5, 0)
    with pytest.raises(ValueError, match=r"N = 0"):
        random_layer(2, 5)(x)
    with pytest.raises(ValueError, match=r"row 0 .*no real item"):
        random_layer(2, 5)(x, torch.ones(3, 0, dtype=torch.bool))


# ---- bad input ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("normalize", ["max", "Mean", "", None, 1])
def test_normalize_is_mean_or_sum(normalize: Any) -> None:
    with pytest.raises(ValueError, match=r'"mean".*"sum".*' + repr(normalize)):
        SetLinear(1, 1, normalize=normalize)


@pytest.mark.parametrize("channels", [0, -1, 1.0, True, "2", None])
def test_channels_are_positive_integers(channels: Any) -> None:
    with pytest.raises(ValueError, match="in_channels is a positive integer"):
        SetLinear(channels, 1)
    with pytest.raises(ValueError, match="out_channels is a positive integer"):
        SetLinear(1, channels)


@pytest.mark.parametrize("shape", [(2, 4), (4,), (), (2, 3, 4), (2, 4, 3, 3)])
def test_wrong_shapes(shape: tuple[int, ...]) -> None:
    expected = r"SetLinear\(4 → 1 channels, mean\) takes an input of shape \(batch, 4, N\), got "
    with pytest.raises(ValueError, match=expected):
        random_layer(4, 1)(normal(*shape))


@pytest.mark.parametrize(
    ("dtype", "text"),
    [
        (torch.float32, "weights of type torch.float64 .* torch.float32"),
        (torch.int64, "takes floating-point numbers, got torch.int64"),
        (torch.bool, "takes floating-point numbers, got torch.bool"),
        (
            torch.complex128,
            "takes floating-point numbers, got torch.complex128: give real and imaginary parts as channels",
        ),
    ],
)
def test_wrong_dtypes(dtype: torch.dtype, text: str) -> None:
    with pytest.raises(TypeError, match=text):
        random_layer(1, 1)(torch.ones(2, 1, 3, dtype=dtype))


def test_wrong_device() -> None:
    with pytest.raises(ValueError, match="is on cpu and its input on meta"):
        random_layer(1, 1)(torch.ones(2, 1, 3, dtype=DOUBLE, device="meta"))


def test_not_a_tensor() -> None:
    with pytest.raises(TypeError, match=r"takes a torch tensor.*got list"):
        random_layer(1, 1)([[[1.0, 2.0]]])


@pytest.mark.parametrize("sizes", [(), (0,), (-1,), (2, 3)])
def test_wrong_sizes_of_the_expansion(sizes: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"takes 1 size\(s\).*got"):
        SetLinear(1, 1).orbit_weight(*sizes)
    with pytest.raises(ValueError, match="got"):
        SetLinear(1, 1).expanded(*sizes)


# ---- initial weights ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("normalize", MODES)
@pytest.mark.parametrize("channels", [1, 5])
def test_initial_outputs_have_variance_one(channels: int, normalize: str) -> None:
    """On average over seeds, at N = 16; 1,600 draws of the weights and of the input."""
    squares = []
    for seed in range(4):
        layer = SetLinear(channels, 400, normalize=normalize, generator=seed)
        squares.append(layer(normal(400, channels, 16, seed=seed + 50, dtype=torch.float32)).square().mean().item())
    assert 0.9 < sum(squares) / len(squares) < 1.1


def test_weights_are_drawn_from_what_was_given() -> None:
    one, same = (SetLinear(2, 3, generator=5).weight for _ in range(2))
    assert torch.equal(one, same)
    assert torch.equal(SetLinear(2, 3, generator=torch.Generator().manual_seed(5)).weight, one)
    assert not torch.equal(SetLinear(2, 3, generator=6).weight, one)
    assert torch.equal(SetLinear(2, 3, generator=5, dtype=DOUBLE).weight.float(), one)
    state = torch.get_rng_state()
    try:
        torch.manual_seed(3)
        first = SetLinear(2, 3).weight
        torch.manual_seed(3)
        assert torch.equal(SetLinear(2, 3).weight, first)
        torch.manual_seed(3)
        before = torch.get_rng_state()
        SetLinear(2, 3, generator=0)
        assert torch.equal(torch.get_rng_state(), before)
    finally:
        torch.set_rng_state(state)


# ---- checkpoints and copies --------------------------------------------------------------------------------------------


def test_checkpoints(tmp_path: Path) -> None:
    layer, x = random_layer(2, 3), normal(2, 2, 5)
    torch.save(layer.state_dict(), tmp_path / "layer.pt")
    other = SetLinear(2, 3, generator=9, dtype=DOUBLE)
    other.load_state_dict(torch.load(tmp_path / "layer.pt", weights_only=True))
    assert torch.equal(other(x), layer(x))
    assert set(layer.state_dict()) == {"weight", "bias"}


@pytest.mark.parametrize(
    "make",
    [
        lambda: SetLinear(2, 2, normalize="sum", bias=False),
        lambda: ArrayLinear(1, 2, 2, bias=False),
        lambda: TensorLinear(1, 1, 2, 2, bias=False),
        lambda: TensorLinear(0, 2, 2, 2, bias=False),
    ],
)
def test_checkpoints_of_other_layers_are_refused(make: Any) -> None:
    """Although all these have weights of one shape. Both layers are named, also inside a chain."""
    layer, other = SetLinear(2, 2, bias=False), make()
    assert layer.weight.shape == other.weight.shape
    for one, two in [
        (layer, other),
        (other, layer),
        (torch.nn.Sequential(layer), torch.nn.Sequential(other)),
    ]:
        with pytest.raises(RuntimeError) as caught:
            one.load_state_dict(two.state_dict())
        for module in (layer, other):
            assert f"{type(module).__name__}({module.extra_repr()})" in str(caught.value)


def test_a_plain_dict_of_weights_loads() -> None:
    layer, other = random_layer(2, 3), SetLinear(2, 3, dtype=DOUBLE)
    other.load_state_dict({name: value.clone() for name, value in layer.state_dict().items()})
    assert torch.equal(other.weight, layer.weight)
    chain = torch.nn.Sequential(SetLinear(2, 3, dtype=DOUBLE))
    chain.load_state_dict({f"0.{name}": value for name, value in layer.state_dict().items()})
    assert torch.equal(chain[0].weight, layer.weight)


def test_copies() -> None:
    layer, x = random_layer(2, 3), normal(2, 2, 5)
    for other in (copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))):
        assert torch.equal(other(x), layer(x))
        assert repr(other) == repr(layer)
        assert other.weight is not layer.weight


def test_the_signature_has_every_option() -> None:
    layers = [
        SetLinear(1, 2),
        SetLinear(2, 1),
        SetLinear(1, 2, bias=False),
        SetLinear(1, 2, normalize="sum"),
        SetLinear(1, 2, bias=False, normalize="sum"),
    ]
    names = [repr(layer) for layer in layers]
    assert len(set(names)) == len(names)
    assert all("\n" not in name for name in names)


# ---- precision, compilation, transforms, memory ------------------------------------------------------------------------


@pytest.mark.parametrize("normalize", MODES)
@pytest.mark.parametrize("channels", [(1, 1), (4, 3)])
def test_float32_is_close_to_float64(channels: tuple[int, int], normalize: str) -> None:
    layer, x = random_layer(*channels, normalize=normalize), normal(4, channels[0], 1000)
    y = copy.deepcopy(layer).float()(x.float())
    assert y.dtype == torch.float32
    close(y.double(), layer(x), 1e-5)


@pytest.mark.parametrize("channels", [(1, 1), (2, 3)])
def test_compiles_without_a_break(channels: tuple[int, int]) -> None:
    torch._dynamo.reset()
    layer = random_layer(*channels)
    compiled = torch.compile(layer, backend="eager", fullgraph=True)
    for n in (4, 6, 9):
        x = normal(3, channels[0], n).requires_grad_()
        close(compiled(x), layer(x))
        (compiled_grad,) = torch.autograd.grad(compiled(x).square().sum(), x)
        (plain_grad,) = torch.autograd.grad(layer(x).square().sum(), x)
        close(compiled_grad, plain_grad)
    torch._dynamo.reset()


def test_the_sum_compiles_with_a_mask() -> None:
    torch._dynamo.reset()
    layer, x = random_layer(2, 3, normalize="sum"), normal(2, 2, 4)
    mask = torch.tensor([[True, True, False, True], [False, False, False, False]])
    close(torch.compile(layer, backend="eager", fullgraph=True)(x, mask), layer(x, mask))
    torch._dynamo.reset()


@pytest.mark.parametrize("channels", [(1, 1), (2, 3)])
def test_ensembles_and_gradients_of_single_examples(channels: tuple[int, int]) -> None:
    layers = [random_layer(*channels, seed=seed) for seed in range(3)]
    x = normal(4, channels[0], 5)
    parameters, buffers = torch.func.stack_module_state(layers)  # type: ignore[arg-type]
    for gradients in (True, False):  # without gradients one channel is computed with numbers, which an ensemble has not
        with torch.set_grad_enabled(gradients):
            y = torch.func.vmap(lambda p, b: torch.func.functional_call(layers[0], (p, b), (x,)))(parameters, buffers)
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


@pytest.mark.parametrize("normalize", ["sum", "mean"])
@pytest.mark.parametrize("bias", [True, False])
def test_one_channel_without_gradients_takes_one_pass(normalize: str, bias: bool) -> None:
    """The same result as with gradients, also after a change of weights, and no array of the input's size besides the output."""
    layer, x = random_layer(1, 1, bias=bias, normalize=normalize), normal(3, 1, 50_000)
    mask = torch.arange(50_000) < torch.tensor([[50_000], [7], [1]])
    for scale in (1.0, -3.0):
        with torch.no_grad():
            layer.weight.mul_(scale)
            with Allocated() as made:
                y = layer(x)
            masked = layer(x, mask)
        assert made.total < 1.1 * x.numel() * x.element_size()
        close(y, layer(x))
        close(masked, layer(x, mask))


@pytest.mark.parametrize("channels", [1, 4])
def test_no_matrix_is_built(channels: int) -> None:
    """At N = 100,000 it would have 10¹⁰ entries. A few copies of the input are enough, with a mask and backwards too."""
    layer = SetLinear(channels, channels, generator=0)
    x = normal(2, channels, 100_000, dtype=torch.float32).requires_grad_()
    copy_of_x = x.numel() * x.element_size()
    with Allocated() as made:
        y = layer(x)
    assert made.total < 3.5 * copy_of_x
    with Allocated() as made:
        y.square().sum().backward()
    assert made.largest < 1.1 * copy_of_x
    assert made.total < 12 * copy_of_x
    with Allocated() as made:
        layer(x, torch.ones(2, 100_000, dtype=torch.bool))
    assert made.total < 6 * copy_of_x


def test_numbers_of_channels_may_be_numpys() -> None:
    assert SetLinear(np.int64(2), np.int64(3))(normal(1, 2, 4, dtype=torch.float32)).shape == (1, 3, 4)
