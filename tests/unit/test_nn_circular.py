"""CircularConv: each form against the sum it stands for and against the expansion; complete, equivariant, chosen by cost."""

from __future__ import annotations

import copy
import itertools
import math
import pickle

import pytest
import torch

import eqcourse
from eqcourse.equivariance import equivariance_error
from eqcourse.nn.circular import CircularConv, cheapest, place
from eqcourse.nn.types import Grid, same_type

DOUBLE = torch.float64
FORMS = ("direct", "fft", "dense")
# Sizes of the signal and of the kernel: one point, even and odd, K = 1, K = N, primes, rectangles.
CASES = [
    ((1,), (1,)),
    ((2,), (1,)),
    ((2,), (2,)),
    ((5,), (3,)),
    ((6,), (4,)),
    ((6,), (5,)),
    ((6,), (6,)),
    ((7,), (1,)),
    ((7,), (7,)),
    ((17,), (2,)),
    ((4, 3), (2, 3)),
    ((3, 5), (3, 5)),
    ((4, 4), (4, 4)),
    ((4, 6), (3, 2)),
    ((1, 4), (1, 2)),
    ((5, 2), (1, 1)),
    ((7, 3), (5, 1)),
]
CHANNELS = [(1, 1), (3, 2), (1, 4), (6, 5)]  # few and many input channels are mixed differently


def layer_of(kernel, channels=(1, 1), method="auto", seed=0, **options):
    """A layer in float64 with a random bias."""
    options = {"dtype": DOUBLE} | options
    layer = CircularConv(*channels, kernel if len(kernel) == 2 else kernel[0], method=method, generator=seed, **options)
    if layer.bias is not None:
        with torch.no_grad():
            layer.bias.normal_(generator=torch.Generator().manual_seed(seed))
    return layer


def randn(*shape, seed=1, dtype=DOUBLE):
    return torch.randn(shape, dtype=DOUBLE, generator=torch.Generator().manual_seed(seed)).to(dtype)


def by_the_formula(layer, x):
    """y_i = Σ_k w_k x_{(i − k + ⌊K/2⌋) mod N}, one point of the output after the other."""
    sizes, kernel = x.shape[2:], layer.kernel_size
    y = layer.bias.reshape(1, -1, *[1] * len(sizes)).expand(len(x), -1, *sizes).clone()
    for i in itertools.product(*map(range, sizes)):
        for k in itertools.product(*map(range, kernel)):
            at = tuple((a - b + length // 2) % n for a, b, length, n in zip(i, k, kernel, sizes, strict=True))
            y[(..., *i)] += x[(..., *at)] @ layer.weight[(..., *k)].T
    return y


def relative(error, scale):
    return (error.abs().max() / scale.abs().max()).item()


@pytest.mark.parametrize("method", [*FORMS, "auto"])
@pytest.mark.parametrize(("sizes", "kernel"), CASES)
def test_is_the_sum_it_says(sizes, kernel, method):
    layer = layer_of(kernel, (3, 2), method)
    x = randn(2, 3, *sizes)
    with torch.no_grad():
        expected = by_the_formula(layer, x)
        assert relative(layer(x) - expected, expected) < 1e-12


def test_is_a_convolution_and_not_torchs_correlation():
    torch_layer = torch.nn.Conv1d(1, 1, 3, padding="same", padding_mode="circular", bias=False, dtype=DOUBLE)
    layer = layer_of((3,), bias=False)
    x = randn(1, 1, 8)
    with torch.no_grad():
        torch_layer.weight.copy_(layer.weight)
        assert not torch.allclose(layer(x), torch_layer(x))
        torch_layer.weight.copy_(layer.weight.flip(2))
        torch.testing.assert_close(layer(x), torch_layer(x))


def test_even_kernels_agree_with_torch_where_both_are_defined():
    """padding="same" puts (K − 1) // 2 points before the signal, as ⌊K/2⌋ of the flipped kernel does."""
    for length in range(1, 7):
        torch_layer = torch.nn.Conv1d(2, 3, length, padding="same", padding_mode="circular", dtype=DOUBLE)
        layer = layer_of((length,), (2, 3))
        x = randn(2, 2, 6)
        with torch.no_grad():
            torch_layer.weight.copy_(layer.weight.flip(2))
            torch_layer.bias.copy_(layer.bias)
            torch.testing.assert_close(layer(x), torch_layer(x))


@pytest.mark.parametrize("channels", CHANNELS)
@pytest.mark.parametrize("method", FORMS)
@pytest.mark.parametrize(("sizes", "kernel"), CASES)
def test_equals_its_expansion_with_gradients(sizes, kernel, method, channels):
    layer = layer_of(kernel, channels, method)
    expanded = layer.expanded(*sizes)
    x, x2 = (randn(2, channels[0], *sizes).requires_grad_() for _ in range(2))
    y, y2 = layer(x), expanded(x2)
    assert relative(y - y2, y2) < 1e-12
    direction = randn(*y.shape, seed=3)
    y.backward(direction)
    y2.backward(direction)
    assert relative(x.grad - x2.grad, x2.grad) < 1e-12
    assert relative(layer.bias.grad - expanded.bias.grad[:, 0], expanded.bias.grad) < 1e-12
    # Gradients are covectors: orbit weights = J w, hence gradient in w = Jᵀ (gradient in orbit weights).
    weight = layer.weight.detach().requires_grad_()
    copied = layer_of(kernel, channels, method)
    copied.weight = torch.nn.Parameter(weight)
    (through,) = torch.autograd.grad(copied.orbit_weight(*sizes), copied.weight, expanded.weight.grad)
    assert relative(layer.weight.grad - through, through) < 1e-12


def jacobian(sizes, kernel):
    """d orbit weights / d weights for one pair of channels, as a matrix (points, kernel entries)."""
    layer = layer_of(kernel)

    def orbit_weight(weight):
        return torch.func.functional_call(layer_as_map, {"layer.weight": weight}, (sizes,)).flatten()

    layer_as_map = OrbitWeight(layer)
    return torch.autograd.functional.jacobian(orbit_weight, layer.weight.detach()).flatten(1)


class OrbitWeight(torch.nn.Module):
    """``orbit_weight`` as a module, so that torch can put other weights in."""

    def __init__(self, layer):
        super().__init__()
        self.layer = layer

    def forward(self, sizes):
        return self.layer.orbit_weight(*sizes)


@pytest.mark.parametrize(("sizes", "kernel"), CASES)
def test_weights_become_orbit_weights_one_to_one(sizes, kernel):
    """Each kernel entry is one orbit weight; the orbits that a short kernel does not reach are 0."""
    J = jacobian(sizes, kernel)
    assert set(J.unique().tolist()) <= {0.0, 1.0}
    assert torch.equal(J.sum(0), torch.ones(math.prod(kernel), dtype=DOUBLE))
    assert J.sum(1).max() == 1


@pytest.mark.parametrize("method", FORMS)
@pytest.mark.parametrize(("sizes", "kernel"), CASES)
def test_completeness(sizes, kernel, method):
    """The span of the maps over random weights: all equivariant maps for K = N, of dimension K otherwise."""
    points = math.prod(sizes)
    units = torch.eye(points, dtype=DOUBLE).reshape(points, 1, *sizes)
    with torch.no_grad():
        maps = [layer_of(kernel, method=method, seed=s, bias=False)(units).flatten() for s in range(points + 2)]
    assert torch.linalg.matrix_rank(torch.stack(maps), rtol=1e-9) == math.prod(kernel)
    rho = Grid(len(sizes)).at(*sizes)
    if kernel == sizes:
        assert math.prod(kernel) == eqcourse.intertwiner_dimension(rho, rho)


@pytest.mark.parametrize("method", FORMS)
@pytest.mark.parametrize(("sizes", "kernel"), CASES)
def test_equivariant_under_all_shifts(sizes, kernel, method):
    layer = layer_of(kernel, (2, 2), method)
    x = randn(3, 2, *sizes)
    axes = tuple(range(2, x.ndim))
    with torch.no_grad():
        y = layer(x)
        for shift in itertools.product(*map(range, sizes)):
            assert relative(layer(x.roll(shift, axes)) - y.roll(shift, axes), y) < 1e-12


@pytest.mark.parametrize("method", FORMS)
@pytest.mark.parametrize(("dtype", "tolerance"), [(DOUBLE, 1e-10), (torch.float32, 1e-5)])
def test_equivariant_by_the_library(method, dtype, tolerance):
    for sizes, kernel in [((9,), (4,)), ((4, 6), (3, 6))]:
        layer = layer_of(kernel, method=method, dtype=dtype)
        rho = Grid(len(sizes)).at(*sizes)

        def f(x, layer=layer):
            batch = x.shape[: x.ndim - layer.in_type.num_axes]
            y = layer(x.reshape(-1, 1, *x.shape[len(batch) :]).to(dtype))
            return y.reshape(*batch, *y.shape[2:]).to(x.dtype)

        with torch.no_grad():
            assert equivariance_error(f, rho, rho).error < tolerance


@pytest.mark.parametrize("method", FORMS)
@pytest.mark.parametrize(("sizes", "kernel"), [((1000,), (37,)), ((1021,), (1021,)), ((20, 31), (6, 31))])
def test_float32_is_as_exact_as_float32_is(sizes, kernel, method):
    layer = layer_of(kernel, (2, 3), method)
    x = randn(2, 2, *sizes)
    with torch.no_grad():
        exact = layer(x)
        layer.float()
        assert relative(layer(x.float()) - exact, exact) < 1e-5


def test_starts_with_outputs_of_variance_one():
    x = randn(16, 8, 4096, dtype=torch.float32)
    for kernel in (3, 512):
        layer = CircularConv(8, 16, kernel, generator=0)
        with torch.no_grad():
            assert layer(x).var().item() == pytest.approx(1, rel=0.15)
        assert not layer.bias.any()
        assert layer.weight.std().item() == pytest.approx((8 * kernel) ** -0.5, rel=0.1)


def test_a_seed_gives_the_same_weights_and_none_takes_torchs_stream():
    assert torch.equal(CircularConv(2, 2, 5, generator=3).weight, CircularConv(2, 2, 5, generator=3).weight)
    torch.manual_seed(0)
    one = CircularConv(2, 2, 5).weight
    torch.manual_seed(0)
    assert torch.equal(one, CircularConv(2, 2, 5).weight)


def test_types_and_repr():
    layer = CircularConv(1, 2, (3, 4), bias=False, method="fft")
    assert repr(layer) == "CircularConv(1 → 2 channels, kernel 3 × 4, no bias)"
    assert layer.in_type == layer.out_type == Grid(2)
    assert same_type(CircularConv(1, 1, 3).out_type, Grid(1).at(8))
    assert layer.bias is None
    assert layer.orbit_bias(5, 5) is None
    assert layer.expanded(5, 5).bias is None


@pytest.mark.parametrize("method", FORMS)
@pytest.mark.parametrize(("sizes", "kernel"), [((5,), (3,)), ((4,), (4,)), ((3, 4), (2, 3))])
@pytest.mark.parametrize("channels", [(2, 2), (5, 1)])
def test_gradcheck(sizes, kernel, channels, method):
    layer = layer_of(kernel, channels, method)

    def f(x, weight, bias):
        return torch.func.functional_call(layer, {"weight": weight, "bias": bias}, (x,))

    inputs = (randn(2, channels[0], *sizes).requires_grad_(), layer.weight, layer.bias)
    assert torch.autograd.gradcheck(f, inputs)


@pytest.mark.parametrize("method", ["auto", *FORMS])
@pytest.mark.parametrize("channels", [(1, 2), (6, 2)])
def test_compiles_without_breaks_at_several_sizes(method, channels):
    for kernel, all_sizes in [((3,), [(8,), (12,), (2048,)]), ((3, 2), [(4, 5), (6, 6), (64, 64)])]:
        torch._dynamo.reset()
        layer = layer_of(kernel, channels, method)
        compiled = torch.compile(layer, backend="eager", fullgraph=True)
        for sizes in all_sizes:
            if method == "dense" and math.prod(sizes) > 100:
                continue
            x = randn(2, channels[0], *sizes)
            torch.testing.assert_close(compiled(x), layer(x))
            compiled(x).sum().backward()
    torch._dynamo.reset()


@pytest.mark.parametrize("method", ["auto", *FORMS])
def test_an_empty_batch_stays_empty(method):
    layer = layer_of((3,), (2, 5), method)
    assert layer(randn(0, 2, 8)).shape == (0, 5, 8)


def test_strided_inputs():
    for method in FORMS:
        layer = layer_of((3, 2), (2, 2), method)
        x = randn(4, 5, 2, 3).permute(3, 2, 0, 1)
        torch.testing.assert_close(layer(x), layer(x.contiguous()))


def test_checkpoint_copy_pickle():
    layer = layer_of((3,), (2, 3), "fft")
    state = layer.state_dict()
    assert set(state) == {"weight", "bias"}
    other = layer_of((3,), (2, 3), "direct", seed=5)  # the method is not part of the function
    other.load_state_dict(state)
    x = randn(2, 2, 9)
    for twin in (other, copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))):
        torch.testing.assert_close(twin(x), layer(x))
    with pytest.raises(RuntimeError, match="this checkpoint is of CircularConv"):
        layer_of((4,), (2, 3)).load_state_dict(state)


@pytest.mark.parametrize("bad", [0, -3, 2.0, True, "3", None, (), (3,), (3, 3, 3), (3, 0), (3, True)])
def test_kernel_sizes_that_are_none(bad):
    with pytest.raises(ValueError, match="kernel_size is a positive integer"):
        CircularConv(1, 1, bad)


def test_bad_input():
    with pytest.raises(ValueError, match="out_channels is a positive integer, got 0"):
        CircularConv(1, 0, 3)
    with pytest.raises(ValueError, match="method is one of auto, direct, fft, dense; got 'fast'"):
        CircularConv(1, 1, 3, method="fast")
    layer = CircularConv(2, 1, 5)
    with pytest.raises(ValueError, match=r"kernel of 5 on an axis where the signal has 4 points.*shorter kernel"):
        layer(torch.zeros(3, 2, 4))
    with pytest.raises(ValueError, match="kernel of 5 on an axis"):
        layer.orbit_weight(4)
    with pytest.raises(ValueError, match="at least one point on each axis"):
        layer(torch.zeros(3, 2, 0))
    with pytest.raises(ValueError, match=r"takes 1 size\(s\)"):
        layer.orbit_weight(8, 8)
    with pytest.raises(ValueError, match=r"shape \(batch, 2, N\), got \(3, 1, 8\)"):
        layer(torch.zeros(3, 1, 8))
    with pytest.raises(TypeError, match=r"torch\.float64"):
        layer(torch.zeros(3, 2, 8, dtype=DOUBLE))
    image = CircularConv(1, 1, (3, 5))
    with pytest.raises(ValueError, match=r"kernel of 5 on an axis where the signal has 4 points \(sizes \(8, 4\)\)"):
        image(torch.zeros(1, 1, 8, 4))
    with pytest.raises(ValueError, match=r"shape \(batch, 1, N_1, N_2\)"):
        image(torch.zeros(1, 1, 8))


def test_place_puts_the_middle_at_zero():
    w = torch.arange(1, 5).reshape(1, 1, 4)
    assert place(w, (6,)).tolist() == [[[3, 4, 0, 0, 1, 2]]]
    assert place(w, (4,)).tolist() == [[[3, 4, 1, 2]]]


def test_the_choice_follows_cost():
    """Only what no measurement could turn: tiny signals, long signals with short and with full kernels."""
    assert cheapest(16, 1, 1, (16,), (3,)) == "dense"
    assert cheapest(16, 8, 8, (8192,), (3,)) == "direct"
    assert cheapest(16, 8, 8, (8192,), (8192,)) == "fft"
    assert cheapest(16, 1, 1, (128, 128), (128, 128)) == "fft"
    assert cheapest(16, 8, 8, (64, 64), (3, 3)) == "direct"


@pytest.mark.parametrize(("sizes", "kernel"), [((12,), (3,)), ((512,), (512,)), ((4096,), (3,))])
def test_auto_takes_the_form_it_names(sizes, kernel):
    layer = layer_of(kernel, (2, 2))
    x = randn(4, 2, *sizes)
    named = layer_of(kernel, (2, 2), cheapest(4, 2, 2, sizes, kernel))
    assert torch.equal(layer(x), named(x))


def test_auto_in_half_precision():
    """Transforms know float32 and float64 only, so that "auto" does not choose them for other numbers."""
    assert cheapest(4, 2, 2, (512,), (512,)) == "fft"
    layer = layer_of((512,), (2, 2)).to(torch.bfloat16)
    assert layer(torch.ones(4, 2, 512, dtype=torch.bfloat16)).dtype == torch.bfloat16


@pytest.mark.gpu
@pytest.mark.parametrize("method", FORMS)
@pytest.mark.parametrize(("sizes", "kernel"), CASES)
def test_on_a_gpu(sizes, kernel, method):
    layer = layer_of(kernel, (6, 2), method)
    x = randn(2, 6, *sizes)
    expected = layer(x)
    y = layer.to("cuda")(x.to("cuda"))
    torch.testing.assert_close(y.cpu(), expected)
