"""The linear layer on exchangeable arrays, against loops over sets of axes and the layer by expansion."""

from __future__ import annotations

import copy
import itertools
import math
import pickle
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from eqcourse import intertwiner_dimension
from eqcourse.groups import SymmetricGroup
from eqcourse.nn.arrays import ArrayLinear
from eqcourse.nn.types import Order, Table, same_type

DOUBLE = torch.float64
MODES = ["mean", "sum"]
# Unequal lengths, and axes of length 1.
SIZES = [
    (1,),
    (2,),
    (7,),
    (1, 1),
    (2, 1),
    (1, 4),
    (2, 3),
    (5, 4),
    (1, 1, 1),
    (2, 1, 3),
    (3, 2, 4),
    (1, 3, 1),
    (2, 3, 2, 2),
    (1, 2, 1, 3),
    (3, 1, 2, 4),
]


def normal(*shape: int, seed: int = 1, dtype: torch.dtype = DOUBLE) -> Tensor:
    return torch.randn(shape, dtype=DOUBLE, generator=torch.Generator().manual_seed(seed)).to(dtype)


def random_layer(*args: Any, seed: int = 0, **options: Any) -> ArrayLinear:
    """A layer whose bias is random too, and that builds no matrix unless it is told to."""
    layer = ArrayLinear(*args, generator=seed, dtype=DOUBLE, **({"method": "efficient"} | options))
    if layer.bias is not None:
        with torch.no_grad():
            layer.bias.copy_(normal(*layer.bias.shape, seed=seed + 100))
    return layer


def reference(layer: ArrayLinear, x: Tensor) -> Tensor:
    """Σ_S W_S pool_S x + b, one set S of axes after the other; the binary digits of the weight's number are S, first axis first."""
    axes = x.ndim - 2
    y = x.new_zeros(len(x), layer.out_channels, *x.shape[2:])
    for number in range(2**axes):
        pooled = x
        for axis, digit in enumerate(f"{number:0{axes}b}"):
            if digit == "1":
                total = torch.zeros_like(pooled).narrow(axis + 2, 0, 1)
                for i in range(pooled.shape[axis + 2]):
                    total = total + pooled.narrow(axis + 2, i, 1)
                pooled = total / x.shape[axis + 2] if layer.normalize == "mean" else total
        y = y + torch.tensordot(pooled.expand_as(x), layer.weight[..., number], dims=([1], [1])).movedim(-1, 1)
    return y if layer.bias is None else y + layer.bias.reshape(-1, *[1] * axes)


def change_of_basis(sizes: tuple[int, ...], normalize: str) -> Tensor:
    """(orbits, diagrams), entry by entry.

    An orbit says for each axis whether the indices are equal or different (the latter only for lengths above 1). A diagram that pools
    the axes in S has an entry there if the axes outside S have equal indices.
    """
    orbits = list(itertools.product(*[("equal", "different")[: min(n, 2)] for n in sizes]))
    diagrams = list(itertools.product([False, True], repeat=len(sizes)))
    entries = []
    for orbit in orbits:
        for pooled in diagrams:
            present = all(p or o == "equal" for o, p in zip(orbit, pooled, strict=True))
            terms = math.prod(n for n, p in zip(sizes, pooled, strict=True) if p) if normalize == "mean" else 1
            entries.append(present / terms)
    return torch.tensor(entries, dtype=DOUBLE).reshape(len(orbits), len(diagrams))


def close(one: Tensor, other: Tensor, tolerance: float = 1e-12) -> None:
    """Equal, relative to the size of the whole array."""
    assert one.shape == other.shape
    assert one.dtype == other.dtype
    scale = max(1.0, other.abs().max().item()) if other.numel() else 1.0
    torch.testing.assert_close(one, other, rtol=0, atol=tolerance * scale)


# ---- values ------------------------------------------------------------------------------------------------------------


X = torch.tensor([[[[10.0, 20.0, 30.0], [40.0, 50.0, 60.0]]]], dtype=DOUBLE)


@pytest.mark.parametrize(
    ("number", "mean", "sum_"),
    [
        (0, [[10, 20, 30], [40, 50, 60]], [[10, 20, 30], [40, 50, 60]]),
        (1, [[20, 20, 20], [50, 50, 50]], [[60, 60, 60], [150, 150, 150]]),  # along each row
        (2, [[25, 35, 45], [25, 35, 45]], [[50, 70, 90], [50, 70, 90]]),  # along each column
        (3, [[35, 35, 35], [35, 35, 35]], [[210, 210, 210], [210, 210, 210]]),
    ],
)
def test_by_hand(number: int, mean: list[list[float]], sum_: list[list[float]]) -> None:
    for normalize, expected in (("mean", mean), ("sum", sum_)):
        layer = ArrayLinear(2, 1, 1, normalize=normalize, method="efficient", dtype=DOUBLE)
        with torch.no_grad():
            layer.weight.zero_()
            layer.weight[..., number] = 1.0
            layer.bias.fill_(0.5)  # type: ignore[union-attr]
        assert (layer(X) - 0.5)[0, 0].tolist() == expected


def test_one_axis_by_hand() -> None:
    layer = ArrayLinear(1, 1, 1, method="efficient", dtype=DOUBLE)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor([2.0, 1.0]))
    assert layer(torch.tensor([[[10.0, 20.0, 30.0]]], dtype=DOUBLE)).tolist() == [[[40.0, 60.0, 80.0]]]


@pytest.mark.parametrize("normalize", MODES)
@pytest.mark.parametrize("channels", [(1, 1), (2, 3)])
@pytest.mark.parametrize("sizes", SIZES)
def test_equals_the_formula_and_the_expansion(
    sizes: tuple[int, ...], channels: tuple[int, int], normalize: str
) -> None:
    layer = random_layer(len(sizes), *channels, normalize=normalize)
    x = normal(3, channels[0], *sizes)
    y = layer(x)
    close(y, reference(layer, x))
    expanded = layer.expanded(*sizes)
    assert same_type(expanded.in_type, layer.in_type)
    close(y, expanded(x))
    close(layer.orbit_weight(*sizes), layer.weight @ change_of_basis(sizes, normalize).T)


def test_without_bias() -> None:
    layer, x = random_layer(2, 2, 3, bias=False), normal(3, 2, 4, 5)
    assert layer.bias is None
    assert layer.orbit_bias(4, 5) is None
    assert layer.expanded(4, 5).bias is None
    close(layer(x), reference(layer, x))
    close(layer(x), layer.expanded(4, 5)(x))


def test_five_axes() -> None:
    layer, x = random_layer(5, 2, 2), normal(2, 2, 2, 3, 1, 2, 4)
    close(layer(x), reference(layer, x))


def test_layouts_and_empty_batches() -> None:
    layer = random_layer(2, 3, 2)
    x = normal(4, 5, 6, 3).permute(0, 3, 2, 1)
    before = x.clone()
    close(layer(x), layer(x.contiguous()))
    repeated = normal(1, 3, 1, 6).expand(4, 3, 5, 6)
    close(layer(repeated), layer(repeated.contiguous()))
    assert torch.equal(x, before)
    assert layer(x[:0]).shape == (0, 2, 6, 5)


def test_the_weights_fit_all_sizes() -> None:
    """Repeating the array changes nothing: means do not see how often an entry stands there."""
    layer, x = random_layer(2, 2, 3), normal(2, 2, 3, 4)
    close(layer(x.repeat(1, 1, 2, 3)), layer(x).repeat(1, 1, 2, 3))


@pytest.mark.parametrize("normalize", MODES)
@pytest.mark.parametrize("sizes", [(1,), (4,), (1, 3), (4, 5), (2, 3, 2), (2, 1, 2, 3)])
def test_all_methods_compute_the_same(sizes: tuple[int, ...], normalize: str) -> None:
    """Values, and gradients in the input, the weights and the bias."""
    x, factor = normal(3, 2, *sizes), normal(3, 4, *sizes, seed=2)
    results = []
    for method in ("efficient", "dense", "auto"):
        layer = random_layer(len(sizes), 2, 4, normalize=normalize, method=method)
        argument = x.clone().requires_grad_()
        y = layer(argument)
        gradients = torch.autograd.grad((factor * y**2).sum(), [argument, *layer.parameters()])
        results.append([y, *gradients])
    for other in results[1:]:
        for one, two in zip(results[0], other, strict=True):
            close(one, two, 1e-11)


@pytest.mark.parametrize("method", ["fast", None, "Dense"])
def test_unknown_methods(method: Any) -> None:
    with pytest.raises(ValueError, match='"efficient".*"dense".*' + repr(method)):
        ArrayLinear(2, 1, 1, method=method)


# What is kept between calls is kept for a size; each test below takes sizes of its own, so that nothing is kept before.


@pytest.mark.parametrize(("method", "sizes"), [("auto", (2, 7)), ("dense", (3, 7)), ("efficient", (4, 7))])
def test_trains_after_inference_mode(method: str, sizes: tuple[int, ...]) -> None:
    """Evaluating first must leave nothing behind that autograd refuses."""
    layer, x = random_layer(2, 1, 1, method=method), normal(2, 1, *sizes)
    with torch.inference_mode():
        layer(x)
        layer.expanded(*sizes)
    layer(x).sum().backward()
    layer.orbit_weight(*sizes).sum().backward()
    assert layer.weight.grad is not None


@pytest.mark.parametrize(("method", "sizes"), [("auto", (2, 8)), ("dense", (3, 8)), ("efficient", (4, 8))])
def test_works_after_a_run_on_the_meta_device(method: str, sizes: tuple[int, ...]) -> None:
    """As tools do that look at the shapes first."""
    with torch.device("meta"):
        shapes = ArrayLinear(2, 1, 1, method=method)(torch.ones(2, 1, *sizes))
    assert shapes.device.type == "meta"
    layer, x = random_layer(2, 1, 1, method=method), normal(2, 1, *sizes)
    close(layer(x), reference(layer, x))
    close(layer.expanded(*sizes)(x), reference(layer, x))


# ---- completeness and equivariance -------------------------------------------------------------------------------------


@pytest.mark.parametrize("normalize", MODES)
@pytest.mark.parametrize("sizes", [s for s in SIZES if math.prod(s) <= 12])
def test_the_maps_span_the_whole_space(sizes: tuple[int, ...], normalize: str) -> None:
    """2^m of them, and half as many for each axis of length 1."""
    axes, size, draws = len(sizes), math.prod(sizes), 2 ** len(sizes) + 3
    layer = random_layer(axes, 1, draws, bias=False, normalize=normalize, seed=3)
    basis = torch.eye(size, dtype=DOUBLE).reshape(size, 1, *sizes)
    matrices = layer(basis).transpose(0, 1).reshape(draws, size * size)
    rank = torch.linalg.matrix_rank(matrices, rtol=1e-10).item()
    rho = Table(axes).at(*sizes)
    assert rank == intertwiner_dimension(rho, rho) == 2 ** sum(n > 1 for n in sizes)


@pytest.mark.parametrize("sizes", [(4,), (2, 3), (2, 1, 3)])
def test_the_biases_span_the_invariant_vectors(sizes: tuple[int, ...]) -> None:
    layer = random_layer(len(sizes), 1, 4)
    biases = layer(torch.zeros(1, 1, *sizes, dtype=DOUBLE))[0].flatten(1)
    rho = Table(len(sizes)).at(*sizes)
    assert torch.linalg.matrix_rank(biases).item() == intertwiner_dimension(rho.group.trivial(), rho) == 1


@pytest.mark.parametrize(("dtype", "tolerance"), [(DOUBLE, 1e-10), (torch.float32, 1e-4)])
@pytest.mark.parametrize("normalize", MODES)
@pytest.mark.parametrize("sizes", [(4,), (3, 4), (4, 4), (3, 1, 4), (2, 3, 2, 3)])
def test_equivariant(sizes: tuple[int, ...], normalize: str, dtype: torch.dtype, tolerance: float) -> None:
    layer = random_layer(len(sizes), 2, 3, normalize=normalize).to(dtype)
    rho, x = layer.in_type.at(*sizes), normal(3, 2, *sizes, dtype=dtype)
    for g in [*rho.group.generators, *(rho.group.sample(seed) for seed in range(4))]:
        close(layer(rho.act(g, x)), rho.act(g, layer(x)), tolerance)


def test_axes_do_not_change_places() -> None:
    """The transpose is no map of an exchangeable array, even where both axes have one length."""
    layer, x = random_layer(2, 1, 1), normal(1, 1, 4, 4)
    assert (layer(x.mT) - layer(x).mT).abs().max() > 0.01


def test_types() -> None:
    layer = ArrayLinear(3, 2, 4)
    assert layer.in_type == layer.out_type == Table(3)
    assert (layer.in_channels, layer.out_channels) == (2, 4)
    assert layer.weight.shape == (4, 2, 8)
    assert layer.bias is not None
    assert layer.bias.tolist() == [0.0] * 4
    assert same_type(ArrayLinear(1, 1, 1).out_type, Order(1))


# ---- gradients ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("normalize", MODES)
@pytest.mark.parametrize("sizes", [(1,), (4,), (2, 3), (1, 3), (2, 3, 2), (2, 1, 2, 3)])
def test_gradients_equal_those_of_the_expansion(sizes: tuple[int, ...], normalize: str) -> None:
    layer = random_layer(len(sizes), 3, 2, normalize=normalize)
    expanded = layer.expanded(*sizes)
    factor = normal(4, 2, *sizes, seed=9)
    gradients = []
    for module in (layer, expanded):
        x = normal(4, 3, *sizes).requires_grad_()
        (factor * module(x) ** 2).sum().backward()
        gradients.append(x.grad)
    close(gradients[0], gradients[1])  # type: ignore[arg-type]
    change = change_of_basis(sizes, normalize)
    close(layer.weight.grad, expanded.weight.grad @ change)  # type: ignore[operator, arg-type]
    close(layer.bias.grad, expanded.bias.grad.squeeze(-1))  # type: ignore[union-attr, arg-type]
    (through,) = torch.autograd.grad(layer.orbit_weight(*sizes), layer.weight, expanded.weight.grad)
    close(layer.weight.grad, through)  # type: ignore[arg-type]


@pytest.mark.parametrize("normalize", MODES)
@pytest.mark.parametrize(("sizes", "channels"), [((3,), (2, 2)), ((2, 3), (2, 1)), ((2, 1, 2), (1, 2))])
def test_gradcheck(sizes: tuple[int, ...], channels: tuple[int, int], normalize: str) -> None:
    layer = random_layer(len(sizes), *channels, normalize=normalize)

    def f(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        return torch.func.functional_call(layer, {"weight": weight, "bias": bias}, (x,))

    inputs = (
        normal(2, channels[0], *sizes).requires_grad_(),
        *(p.detach().clone().requires_grad_() for p in layer.parameters()),
    )
    assert torch.autograd.gradcheck(f, inputs)
    assert torch.autograd.gradgradcheck(f, inputs)


# ---- bad input ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("normalize", MODES)
@pytest.mark.parametrize("sizes", [(0,), (0, 3), (3, 0), (2, 0, 3)])
def test_an_axis_of_length_zero(sizes: tuple[int, ...], normalize: str) -> None:
    layer = random_layer(len(sizes), 2, 3, normalize=normalize)
    with pytest.raises(ValueError, match=r"each at least 1, got \(.*0.*\)"):
        layer(torch.zeros(4, 2, *sizes, dtype=DOUBLE))


@pytest.mark.parametrize("number", [0, -1, 2.0, True, "2", None])
def test_wrong_numbers_of_axes(number: Any) -> None:
    with pytest.raises(ValueError, match="number of a table's axes is an integer of at least 1"):
        ArrayLinear(number, 1, 1)


@pytest.mark.parametrize("normalize", ["max", None, 1])
def test_normalize_is_mean_or_sum(normalize: Any) -> None:
    with pytest.raises(ValueError, match=r'"mean".*"sum".*' + repr(normalize)):
        ArrayLinear(2, 1, 1, normalize=normalize)


@pytest.mark.parametrize("channels", [0, 1.0, True, "2", None])
def test_channels_are_positive_integers(channels: Any) -> None:
    with pytest.raises(ValueError, match="in_channels is a positive integer"):
        ArrayLinear(2, channels, 1)
    with pytest.raises(ValueError, match="out_channels is a positive integer"):
        ArrayLinear(2, 1, channels)


def test_wrong_device() -> None:
    with pytest.raises(ValueError, match="is on cpu and its input on meta"):
        random_layer(2, 1, 1)(torch.ones(2, 1, 3, 3, dtype=DOUBLE, device="meta"))


@pytest.mark.parametrize("shape", [(2, 4), (2, 4, 3), (2, 4, 3, 3, 3), (2, 3, 4, 4), ()])
def test_wrong_shapes(shape: tuple[int, ...]) -> None:
    expected = r"ArrayLinear\(2 axes, 4 → 1 channels, mean\) takes an input of shape \(batch, 4, N_1, N_2\), got "
    with pytest.raises(ValueError, match=expected):
        random_layer(2, 4, 1)(normal(*shape))


@pytest.mark.parametrize(
    ("dtype", "text"),
    [
        (torch.float32, "weights of type torch.float64 .* torch.float32"),
        (torch.int64, "takes floating-point numbers, got torch.int64"),
    ],
)
def test_wrong_dtypes(dtype: torch.dtype, text: str) -> None:
    with pytest.raises(TypeError, match=text):
        random_layer(2, 1, 1)(torch.ones(2, 1, 3, 3, dtype=dtype))


def test_not_a_tensor() -> None:
    with pytest.raises(TypeError, match=r"takes a torch tensor.*got list"):
        random_layer(1, 1, 1)([[[1.0, 2.0]]])


@pytest.mark.parametrize("sizes", [(), (3,), (3, 0), (2, 3, 4)])
def test_wrong_sizes_of_the_expansion(sizes: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"takes 2 size\(s\).*got"):
        ArrayLinear(2, 1, 1).orbit_weight(*sizes)
    with pytest.raises(ValueError, match="got"):
        ArrayLinear(2, 1, 1).expanded(*sizes)


# ---- initial weights ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("normalize", MODES)
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("axes", [1, 2, 3])
def test_initial_outputs_have_variance_one(axes: int, channels: int, normalize: str) -> None:
    """On average over 4,000 draws of the weights, at N = 16 along each axis.

    For inputs of variance 1 the outputs' mean variance is ‖W‖²/d, summed over the input channels, and all d columns of W have the same
    norm, since the group moves them into each other: the first is enough.
    """
    sizes = [16] * axes
    draws = 1000
    first = torch.zeros(channels, channels, *sizes)
    first[(range(channels), range(channels), *[0] * axes)] = 1.0
    squares = []
    for seed in range(4):
        layer = ArrayLinear(axes, channels, draws, bias=False, normalize=normalize, generator=seed)
        with torch.no_grad():
            squares.append(layer(first).square().sum().item() / draws)
    assert 0.9 < sum(squares) / len(squares) < 1.1


def test_initial_outputs_have_variance_one_on_random_inputs() -> None:
    layer = ArrayLinear(2, 3, 200, generator=0)
    y = layer(normal(200, 3, 16, 16, dtype=torch.float32))
    assert 0.9 < y.square().mean().item() < 1.1
    assert abs(y.mean().item()) < 0.1


def test_weights_are_drawn_from_what_was_given() -> None:
    one, same = (ArrayLinear(2, 2, 3, generator=5).weight for _ in range(2))
    assert torch.equal(one, same)
    assert not torch.equal(ArrayLinear(2, 2, 3, generator=6).weight, one)
    assert torch.equal(ArrayLinear(2, 2, 3, generator=5, dtype=DOUBLE).weight.float(), one)


# ---- checkpoints and copies --------------------------------------------------------------------------------------------


def test_checkpoints(tmp_path: Path) -> None:
    layer, x = random_layer(2, 2, 3), normal(2, 2, 5, 4)
    torch.save(layer.state_dict(), tmp_path / "layer.pt")
    other = ArrayLinear(2, 2, 3, method="efficient", generator=9, dtype=DOUBLE)
    other.load_state_dict(torch.load(tmp_path / "layer.pt", weights_only=True))
    assert torch.equal(other(x), layer(x))
    assert set(layer.state_dict()) == {"weight", "bias"}
    other.load_state_dict(dict(layer.state_dict()))


def test_a_checkpoint_of_means_does_not_fit_sums() -> None:
    with pytest.raises(RuntimeError, match=r"ArrayLinear\(.*mean\), and the layer is ArrayLinear\(.*sum\)"):
        ArrayLinear(2, 1, 1, normalize="sum").load_state_dict(ArrayLinear(2, 1, 1).state_dict())


def test_copies() -> None:
    layer, x = random_layer(3, 2, 3), normal(2, 2, 3, 2, 4)
    for other in (copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))):
        assert torch.equal(other(x), layer(x))
        assert repr(other) == repr(layer)


def test_the_signature_has_every_option() -> None:
    layers = [
        ArrayLinear(1, 1, 2),
        ArrayLinear(2, 1, 2),
        ArrayLinear(2, 2, 1),
        ArrayLinear(2, 1, 2, bias=False),
        ArrayLinear(2, 1, 2, normalize="sum"),
    ]
    assert len({repr(layer) for layer in layers}) == len(layers)


# ---- precision, compilation, transforms, memory ------------------------------------------------------------------------


@pytest.mark.parametrize("normalize", MODES)
@pytest.mark.parametrize("sizes", [(30,), (20, 30), (8, 9, 10), (4, 5, 6, 7)])
def test_float32_is_close_to_float64(sizes: tuple[int, ...], normalize: str) -> None:
    layer, x = random_layer(len(sizes), 3, 2, normalize=normalize), normal(4, 3, *sizes)
    y = copy.deepcopy(layer).float()(x.float())
    assert y.dtype == torch.float32
    close(y.double(), layer(x), 1e-5)


@pytest.mark.parametrize("method", ["efficient", "auto"])
@pytest.mark.parametrize("axes", [1, 2, 3])
def test_compiles_without_a_break(axes: int, method: str) -> None:
    torch._dynamo.reset()
    layer = random_layer(axes, 2, 3, method=method)
    compiled = torch.compile(layer, backend="eager", fullgraph=True)
    for sizes in [(4, 5, 2), (3, 6, 7)]:
        x = normal(3, 2, *sizes[:axes]).requires_grad_()
        close(compiled(x), layer(x))
        (compiled_grad,) = torch.autograd.grad(compiled(x).square().sum(), x)
        (plain_grad,) = torch.autograd.grad(layer(x).square().sum(), x)
        close(compiled_grad, plain_grad)
    torch._dynamo.reset()


@pytest.mark.parametrize("method", ["efficient", "dense"])
def test_ensembles_and_gradients_of_single_examples(method: str) -> None:
    layers = [random_layer(2, 2, 3, seed=seed, method=method) for seed in range(3)]
    x = normal(4, 2, 5, 3)
    parameters, buffers = torch.func.stack_module_state(layers)  # type: ignore[arg-type]
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


@pytest.mark.parametrize("sizes", [(10_000,), (200, 300), (40, 50, 60)])
def test_no_matrix_is_built(sizes: tuple[int, ...]) -> None:
    """And the array is not copied once for each of the 2^m pooled ones."""
    layer = ArrayLinear(len(sizes), 2, 2, method="efficient", generator=0)
    x = normal(2, 2, *sizes, dtype=torch.float32).requires_grad_()
    copy_of_x = x.numel() * x.element_size()
    with Allocated() as made:
        y = layer(x)
    assert made.largest <= copy_of_x
    assert made.total < 4 * copy_of_x
    with Allocated() as made:
        y.square().sum().backward()
    assert made.largest <= copy_of_x


def test_one_axis_is_a_set() -> None:
    """One axis is a set: both layers have the same type."""
    assert ArrayLinear(1, 1, 1).expanded(5).in_type == SymmetricGroup(5).defining()
