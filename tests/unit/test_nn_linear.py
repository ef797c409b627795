"""EquivariantLinear for permutations, signed permutations and matrices: its maps are all the equivariant ones, and nothing else."""

from __future__ import annotations

import copy
import io

import pytest
import torch

from eqcourse import intertwiner_dimension, intertwiners
from eqcourse.groups import (
    SO,
    CyclicGroup,
    DihedralGroup,
    DirectProduct,
    Lorentz,
    O,
    PermutationGroup,
    ReflectionGroup,
    SymmetricGroup,
)
from eqcourse.nn.linear import Constant, EquivariantLinear, Expansion
from eqcourse.nn.types import Order
from eqcourse.representations import outer

DOUBLE = torch.float64


S3, Z2, D4, D5 = SymmetricGroup(3), ReflectionGroup(), DihedralGroup(4), DihedralGroup(5)
V, R2, R3, X = S3.defining(), SO(2).defining(), SO(3).defining(), Lorentz().defining()
BOTH = DirectProduct(SO(2), S3)

TYPES = {
    # permutations
    "sets": (V, V),
    "tensor → set": (V * V, V),
    "number → tensor": (S3.trivial(), V * V),
    "shifts": (CyclicGroup(5).regular(), CyclicGroup(5).regular()),
    "table": (outer(V, SymmetricGroup(2).defining()),) * 2,
    "image → numbers": (D4.on_grid(3, 3), D4.trivial(2)),
    # signed permutations
    "signs": (V * S3.sign(), V),
    "some signs": (V + S3.sign(), V * V),
    "reversal": (Z2.sign() + Z2.trivial(), 2 * Z2.sign()),
    "nothing fits, signs": (Z2.sign(), Z2.trivial()),
    # matrices
    "plane": (R2, R2),
    "plane with numbers": (R2 + SO(2).trivial(2), R2 * R2),
    "space": (R3 * R3, R3 * R3),
    "O(3)": (O(3).defining() * O(3).defining(), O(3).defining() * O(3).sign()),
    "Lorentz": (X * X, X.dual * X),
    "pentagon": (D5.on_vertices(), D5.defining()),
    "two groups": (BOTH.pullback(0, R2) * BOTH.pullback(1, V),) * 2,
    "nothing fits": (R3, SO(3).trivial()),
}
FITS = [name for name in TYPES if not name.startswith("nothing")]
SOME = ["tensor → set", "some signs", "plane with numbers", "Lorentz"]


def layer_of(name: str, in_channels: int = 2, out_channels: int = 3, **options) -> EquivariantLinear:
    """A layer with random weights and bias in float64."""
    layer = EquivariantLinear(*TYPES[name], in_channels, out_channels, generator=0, **({"dtype": DOUBLE} | options))
    if layer.bias is not None:
        with torch.no_grad():
            layer.bias.copy_(torch.randn(layer.bias.shape, dtype=DOUBLE, generator=torch.Generator().manual_seed(1)))
    return layer


def input_of(layer: EquivariantLinear, batch: int = 4, dtype: torch.dtype = DOUBLE) -> torch.Tensor:
    source = torch.Generator().manual_seed(2)
    return torch.randn(batch, layer.in_channels, *layer.in_type.axes, dtype=DOUBLE, generator=source).to(dtype)


# ---- what it computes ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", TYPES)
def test_against_the_sum_over_basis_maps(name):
    """y_c = Σ_d Σ_k w_cdk B_k x_d + Σ_k b_ck v_k, one term after the other."""
    layer = layer_of(name)
    rho_in, rho_out = TYPES[name]
    maps = intertwiners(rho_in, rho_out).basis
    vectors = intertwiners(rho_out.group.trivial(), rho_out).basis.squeeze(-1)
    x = input_of(layer)
    y = torch.zeros(4, 3, rho_out.dim, dtype=DOUBLE)
    for c in range(3):
        for d in range(2):
            for k, B in enumerate(maps):
                y[:, c] += layer.weight[c, d, k] * (x[:, d].flatten(1) @ B.T)
        for k, v in enumerate(vectors):
            y[:, c] += layer.bias[c, k] * v
    torch.testing.assert_close(layer(x), y.reshape(4, 3, *rho_out.axes), rtol=1e-12, atol=1e-12)
    linear = x.flatten(1) @ layer.matrix().T + (0 if layer.bias is None else layer.bias_vector())
    torch.testing.assert_close(layer(x).flatten(1), linear)


@pytest.mark.parametrize("name", TYPES)
def test_equivariant(name):
    layer = layer_of(name)
    rho_in, rho_out = TYPES[name]
    group = rho_in.group
    x = input_of(layer)
    for g in (*group.generators, *(group.sample(seed) for seed in range(3))):
        torch.testing.assert_close(layer(rho_in.act(g, x)), rho_out.act(g, layer(x)), rtol=1e-10, atol=1e-10)
        single, x32 = copy.deepcopy(layer).float(), x.float()
        torch.testing.assert_close(
            single(rho_in.act(g, x32)), rho_out.act(g, single(x32)), rtol=1e-3, atol=1e-3 if group.is_compact else 1e-2
        )


@pytest.mark.parametrize("name", TYPES)
def test_complete(name):
    """The matrices over all weights span the space of equivariant maps, and the biases that of invariant vectors."""
    rho_in, rho_out = TYPES[name]
    layer = EquivariantLinear(rho_in, rho_out, dtype=DOUBLE)
    dim = intertwiner_dimension(rho_in, rho_out)
    found = []
    for seed in range(dim + 3):
        with torch.no_grad():
            source = torch.Generator().manual_seed(seed)
            layer.weight.copy_(torch.randn(layer.weight.shape, dtype=DOUBLE, generator=source))
        found.append(layer.matrix().detach().flatten())
    assert torch.linalg.matrix_rank(torch.stack(found), rtol=1e-9).item() == dim == layer.weight.shape[2]
    invariant = intertwiner_dimension(rho_out.group.trivial(), rho_out)
    assert (0 if layer.bias is None else layer.bias.shape[1]) == invariant


@pytest.mark.parametrize("name", FITS)
def test_variance_at_the_start(name):
    """The mean of the squared entries of the output, over inputs and weights: Σ E[W²] / d_out."""
    rho_in, rho_out = TYPES[name]
    layer = EquivariantLinear(rho_in, rho_out, 3, 2000, generator=0)
    variance = layer.matrix().detach().square().sum().item() / (2000 * rho_out.dim)
    assert abs(variance - 1) < 0.1
    assert layer.bias is None or not layer.bias.any()


@pytest.mark.parametrize("name", ["nothing fits", "nothing fits, signs"])
def test_no_weights(name):
    layer = layer_of(name)
    assert layer.weight.shape == (3, 2, 0)
    assert "0 weights each: only the zero map, bias 1)" in repr(layer)
    x = input_of(layer).requires_grad_()
    y = layer(x)
    torch.testing.assert_close(y, layer.bias.expand(4, 3, 1))
    y.sum().backward()
    assert not x.grad.any()
    bare = EquivariantLinear(*TYPES[name], bias=False)
    assert not bare(torch.ones(2, 1, *TYPES[name][0].axes)).any()
    assert "1 → 1 channels, 0 weights each: only the zero map, no bias)" in repr(bare)
    other = EquivariantLinear(*TYPES[name], bias=False)
    other.load_state_dict(bare.state_dict())


# ---- as a torch module -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", TYPES)
def test_gradients(name):
    layer = layer_of(name)

    def call(x, *parameters):
        names = [n for n, _ in layer.named_parameters()]
        return torch.func.functional_call(layer, dict(zip(names, parameters, strict=True)), x)

    values = [p.detach().clone().requires_grad_() for p in layer.parameters()]
    if layer.weight.numel() == 0:
        return
    assert torch.autograd.gradcheck(call, (input_of(layer, 2).requires_grad_(), *values), fast_mode=True)


@pytest.mark.parametrize("name", [*SOME, "nothing fits"])
def test_compile(name):
    torch._dynamo.reset()
    layer = layer_of(name)
    x = input_of(layer)
    torch.testing.assert_close(torch.compile(layer, backend="eager", fullgraph=True)(x), layer(x))


@pytest.mark.parametrize("name", SOME)
def test_checkpoint(name):
    layer = layer_of(name)
    file = io.BytesIO()
    torch.save(layer.state_dict(), file)
    file.seek(0)
    state = torch.load(file, weights_only=True)
    assert set(state) <= {"weight", "bias"}
    other = EquivariantLinear(*TYPES[name], 2, 3, dtype=DOUBLE)
    other.load_state_dict(state)
    x = input_of(layer)
    assert torch.equal(other(x), layer(x))
    assert torch.equal(copy.deepcopy(layer)(x), layer(x))


def test_checkpoint_of_another_layer():
    state = EquivariantLinear(R2, R2).state_dict()
    with pytest.raises(
        RuntimeError, match=r"this checkpoint is of EquivariantLinear\(R² of SO\(2\) → R² of SO\(2\), .* 2 weights"
    ):
        EquivariantLinear(O(2).defining(), O(2).defining()).load_state_dict(state)


@pytest.mark.parametrize("name", ["space", "two groups", "tensor → set"])
def test_digits_survive_a_change_of_dtype(name):
    """From float32 back to float64 the layer is equivariant to float64 again: its basis is no rounded copy."""
    layer = layer_of(name).half().float().double()
    rho_in, rho_out = TYPES[name]
    g, x = rho_in.group.sample(0), input_of(layer)
    assert (layer(rho_in.act(g, x)) - rho_out.act(g, layer(x))).abs().max() < 1e-12
    assert layer.float()(x.float()).dtype == torch.float32
    assert torch.equal(copy.deepcopy(layer).double()(x), layer.double()(x))


def test_dtypes():
    assert EquivariantLinear(R3, R3).maps.basis.value.dtype == torch.float32
    assert EquivariantLinear(R3, R3, dtype=DOUBLE).maps.basis.value.dtype == DOUBLE
    assert EquivariantLinear(R3, R3).double().maps.basis.value.dtype == DOUBLE
    assert not list(EquivariantLinear(R3, R3).maps.state_dict())
    assert EquivariantLinear(R3, R3, device="meta").maps.basis.value.is_meta


def test_constant():
    third = torch.tensor([1 / 3], dtype=DOUBLE)
    constant = Constant(third)
    assert constant(torch.float32).dtype == torch.float32
    assert torch.equal(constant(DOUBLE), third)  # from float64, not from the float32 copy
    assert torch.equal(constant.half().double()(DOUBLE), third)
    assert len(list(constant.buffers())) == 1


@pytest.mark.parametrize("name", TYPES)
def test_expansion_is_the_space_s(name):
    space = intertwiners(*TYPES[name])
    weights = torch.randn(2, 3, space.dim, dtype=DOUBLE, generator=torch.Generator().manual_seed(0))
    maps = Expansion(space, dtype=DOUBLE)
    torch.testing.assert_close(maps(weights), space.expand(weights))
    assert abs(maps.squared_norm - space.basis.square().sum().item()) < 1e-9
    assert f"{space.dim} weights → {space.shape[0]} × {space.shape[1]}" in repr(maps)


def test_seed():
    one, two = EquivariantLinear(R3, R3, generator=5), EquivariantLinear(R3, R3, generator=5, dtype=DOUBLE)
    assert torch.equal(one.weight, two.weight.float())


def test_repr():
    assert repr(EquivariantLinear(R3 * R3, R3, 2, 4)) == (
        "EquivariantLinear(R³ ⊗ R³ of SO(3) → R³ of SO(3), 2 → 4 channels, 1 weights each, no bias)"
    )


@pytest.mark.parametrize(
    ("call", "kind", "message"),
    [
        (lambda: EquivariantLinear(R3, R2), ValueError, r"one group, got R³ of SO\(3\) and R² of SO\(2\)"),
        (lambda: EquivariantLinear(R2**8, R2**8), ValueError, "12,870 equivariant maps with 65,536 entries"),
        (lambda: EquivariantLinear(R3, R3, 0), ValueError, "in_channels is a positive integer, got 0"),
        (lambda: EquivariantLinear(R3, R3, 1, True), ValueError, "out_channels is a positive integer, got True"),
        (lambda: EquivariantLinear(R3, R3)(torch.ones(2, 1, 4)), ValueError, r"shape \(batch, 1, 3\), got \(2, 1, 4\)"),
        (lambda: EquivariantLinear(R3, R3)(torch.ones(2, 1, 3).double()), TypeError, "weights of type torch.float32"),
        (lambda: EquivariantLinear(R3, R3)([[[1.0, 2.0, 3.0]]]), TypeError, "takes a torch tensor"),
        (lambda: EquivariantLinear(Order(1), Order(1)), TypeError, r"the family Order\(k=1\); give it at fixed sizes"),
        (lambda: EquivariantLinear(R3, SO(3)), TypeError, r"takes a representation, such as .*, got SO\(3\)"),
    ],
)
def test_bad_input(call, kind, message):
    with pytest.raises(kind, match=message):
        call()


@pytest.mark.gpu
@pytest.mark.parametrize("name", SOME)
def test_on_a_gpu(name):
    layer = layer_of(name)
    x = input_of(layer)
    expected = layer(x)
    moved = copy.deepcopy(layer).cuda()
    torch.testing.assert_close(moved(x.cuda()).cpu(), expected)
    made = EquivariantLinear(*TYPES[name], 2, 3, generator=0, dtype=DOUBLE, device="cuda")
    assert made(x.cuda()).is_cuda
    torch.testing.assert_close(moved.float()(x.float().cuda()).cpu().double(), expected, rtol=1e-4, atol=1e-4)


def test_a_checkpoint_of_another_group_that_prints_alike_is_refused() -> None:
    cycle, klein = (
        PermutationGroup(generators).defining() for generators in ([[1, 2, 3, 0]], [[1, 0, 3, 2], [2, 3, 0, 1]])
    )
    saved = EquivariantLinear(cycle, cycle).state_dict()
    assert str(cycle) == str(klein)
    with pytest.raises(RuntimeError, match="this checkpoint is of"):
        EquivariantLinear(klein, klein).load_state_dict(saved)
    EquivariantLinear(cycle, cycle).load_state_dict(saved)
