"""TensorProduct and Invariants: what turns vectors into scalars."""

from __future__ import annotations

import copy
import functools
import io
import itertools

import numpy as np
import pytest
import torch

from eqcourse import intertwiner_dimension, intertwiners
from eqcourse.groups import (
    SO,
    CyclicGroup,
    DihedralGroup,
    Lorentz,
    MatrixGroup,
    O,
    ReflectionGroup,
    SymmetricGroup,
)
from eqcourse.nn.linear import EquivariantLinear
from eqcourse.nn.products import Invariants, TensorProduct, invariant_forms
from eqcourse.nn.sequential import EquivariantSequential
from eqcourse.nn.types import Order
from eqcourse.representations import Representation, outer

DOUBLE = torch.float64


S3, S4, Z2 = SymmetricGroup(3), SymmetricGroup(4), ReflectionGroup()
V, W4, R2, R3, X = S3.defining(), S4.defining(), SO(2).defining(), SO(3).defining(), Lorentz().defining()
PLANE, SPACE = O(2).defining(), O(3).defining()
Product = functools.partial(TensorProduct, generator=0, dtype=DOUBLE)


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def draw(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, dtype=DOUBLE, generator=seeded(seed))


# ---- TensorProduct -------------------------------------------------------------------------------------------------------

PRODUCTS = {
    "sets": (V, V, V),
    "tensor and set": (V * V, V, V * V),
    "signs": (V * S3.sign(), V, V + S3.sign()),
    "cross product": (R3, R3, R3),
    "inner product": (R3, R3, SO(3).trivial()),
    "vector and scalar": (R3, SO(3).trivial(), R3),
    "O(3), pseudovector": (SPACE, SPACE, SPACE * O(3).sign()),
    "plane": (R2, R2 * R2, R2 + SO(2).trivial()),
    "Lorentz": (X, X.dual, Lorentz().trivial() + X * X),
    "pentagon": (DihedralGroup(5).defining(), DihedralGroup(5).on_vertices(), DihedralGroup(5).defining()),
}


@pytest.mark.parametrize("name", PRODUCTS)
def test_product_against_the_sum_over_basis_maps(name):
    """z_o = Σ_c Σ_d Σ_k w_ocdk B_k(x_c ⊗ y_d), one term after the other."""
    a, b, out = PRODUCTS[name]
    layer = Product(a, b, out, in_channels=2, out_channels=3, b_channels=4)
    maps = intertwiners(a * b, out).basis.reshape(-1, out.dim, a.dim, b.dim)
    assert layer.linear.weight.shape == (3, 2 * 4, len(maps))
    weight = layer.linear.weight.reshape(3, 2, 4, len(maps))
    x, y = draw(5, 2, *a.axes), draw(5, 4, *b.axes, seed=1)
    z = torch.zeros(5, 3, out.dim, dtype=DOUBLE)
    for o, c, d, k in itertools.product(range(3), range(2), range(4), range(len(maps))):
        z[:, o] += weight[o, c, d, k] * torch.einsum("iab,na,nb->ni", maps[k], x[:, c].flatten(1), y[:, d].flatten(1))
    torch.testing.assert_close(layer(x, y), z.reshape(5, 3, *out.axes), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("name", PRODUCTS)
def test_product_is_equivariant(name):
    a, b, out = PRODUCTS[name]
    layer = Product(a, b, out, 2, 3, 4)
    x, y = draw(5, 2, *a.axes), draw(5, 4, *b.axes, seed=1)
    for g in (*a.group.generators, *(a.group.sample(seed) for seed in range(3))):
        torch.testing.assert_close(layer(a.act(g, x), b.act(g, y)), out.act(g, layer(x, y)), rtol=1e-10, atol=1e-10)
        single, x32, y32 = copy.deepcopy(layer).float(), x.float(), y.float()
        torch.testing.assert_close(
            single(a.act(g, x32), b.act(g, y32)), out.act(g, single(x32, y32)), rtol=1e-3, atol=1e-2
        )


@pytest.mark.parametrize("name", PRODUCTS)
def test_product_is_complete(name):
    """Over all weights the bilinear maps span a space of the dimension of Hom(ρ_a ⊗ ρ_b, ρ_out)."""
    a, b, out = PRODUCTS[name]
    layer = Product(a, b, out)
    dim = intertwiner_dimension(a * b, out)
    # All pairs of basis vectors at once.
    x = torch.eye(a.dim, dtype=DOUBLE).repeat_interleave(b.dim, 0).reshape(-1, 1, *a.axes)
    y = torch.eye(b.dim, dtype=DOUBLE).repeat(a.dim, 1).reshape(-1, 1, *b.axes)
    found = []
    for seed in range(dim + 3):
        with torch.no_grad():
            layer.linear.weight.copy_(draw(1, 1, dim, seed=seed))
            found.append(layer(x, y).flatten())
    assert torch.linalg.matrix_rank(torch.stack(found), rtol=1e-9).item() == dim > 0


def test_cross_and_inner_product():
    x, y = draw(4, 1, 3), draw(4, 1, 3, seed=1)
    cross = Product(R3, R3, R3)(x, y)
    torch.testing.assert_close(cross / cross[..., :1] * torch.linalg.cross(x, y)[..., :1], torch.linalg.cross(x, y))
    inner = Product(R3, R3, SO(3).trivial())(x, y)
    torch.testing.assert_close(inner / inner[0] * (x[0] * y[0]).sum(), (x * y).sum(-1, keepdim=True))


def test_product_of_an_input_with_itself():
    layer = Product(R3, R3, SO(3).trivial(), 2, 3)
    x = draw(4, 2, 3)
    assert torch.equal(layer(x), layer(x, x))
    torch.testing.assert_close(layer(3 * x), 9 * layer(x))
    # x × x = 0, but channels cross each other.
    assert Product(R3, R3, R3)(x[:, :1]).abs().max() < 1e-12
    assert Product(R3, R3, R3, 2)(x).abs().max() > 1e-3


@pytest.mark.parametrize("name", ["sets", "signs", "cross product", "plane", "Lorentz"])
def test_variance_of_products(name):
    a, b, out = PRODUCTS[name]
    layer = TensorProduct(a, b, out, 2, 500, 3, generator=0)
    z = layer(draw(400, 2, *a.axes).float(), draw(400, 3, *b.axes, seed=1).float())
    assert abs(z.square().mean().item() - 1) < 0.2


def test_only_the_zero_product():
    """O(3) has no cross product of vectors that is a vector."""
    layer = Product(SPACE, SPACE, SPACE, 2, 3)
    assert repr(layer) == ("TensorProduct(R³ ⊗ R³ → R³ of O(3), 2 × 2 → 3 channels, 0 weights each: only the zero map)")
    assert layer(draw(5, 2, 3)).shape == (5, 3, 3)
    assert not layer(draw(5, 2, 3)).any()


@pytest.mark.parametrize("name", ["tensor and set", "signs", "cross product", "Lorentz"])
def test_product_as_a_module(name):
    a, b, out = PRODUCTS[name]
    layer = Product(a, b, out, 2, 3, 1)
    x, y = draw(2, 2, *a.axes).requires_grad_(), draw(2, 1, *b.axes, seed=1).requires_grad_()

    def call(x, y, weight):
        return torch.func.functional_call(layer, {"linear.weight": weight}, (x, y))

    assert torch.autograd.gradcheck(call, (x, y, layer.linear.weight.detach().requires_grad_()), fast_mode=True)
    torch._dynamo.reset()
    torch.testing.assert_close(torch.compile(layer, backend="eager", fullgraph=True)(x, y), layer(x, y))

    file = io.BytesIO()
    torch.save(layer.state_dict(), file)
    file.seek(0)
    other = TensorProduct(a, b, out, 2, 3, 1, dtype=DOUBLE)
    other.load_state_dict(torch.load(file, weights_only=True))
    assert torch.equal(other(x, y), layer(x, y))
    assert torch.equal(copy.deepcopy(layer)(x, y), layer(x, y))
    assert layer(x[:0], y[:0]).shape == (0, 3, *out.axes)
    assert (layer.in_type, layer.out_type, layer.in_channels, layer.out_channels) == (a, out, 2, 3)


def test_checkpoint_of_another_product():
    state = Product(R3, R3, R3).state_dict()
    with pytest.raises(RuntimeError, match=r"this checkpoint is of TensorProduct\(R³ ⊗ R³ → R³ of SO\(3\), 1 × 1 → 1 "):
        Product(R3, SO(3).trivial(), R3).load_state_dict(state)


def test_products_in_a_chain():
    """Vectors in, a cross product, invariants out."""
    chain = EquivariantSequential(
        EquivariantLinear(R3, R3, 2, 4, generator=1, dtype=DOUBLE),
        Product(R3, R3, R3, 4, 4),
        Invariants(R3, 4),
        EquivariantLinear(SO(3).trivial(), SO(3).trivial(), 10, 1, generator=2, dtype=DOUBLE),
    )
    x = draw(5, 2, 3)
    y = chain(x)
    assert y.std() > 1e-3
    torch.testing.assert_close(chain(R3.act(SO(3).sample(0), x)), y)


SELF = Product(R3, R3, R3, 2)
MIXED = Product(R3, R3 * R3, R3, 2, b_channels=1)


@pytest.mark.parametrize(
    ("call", "kind", "message"),
    [
        (lambda: TensorProduct(R3, R2, R3), ValueError, "different groups cannot be multiplied"),
        (lambda: TensorProduct(R3, R3, R2), ValueError, "one group"),
        (lambda: TensorProduct(R3, R3, R3, 0), ValueError, "in_channels is a positive integer, got 0"),
        (lambda: TensorProduct(R3, R3, R3, b_channels=-1), ValueError, "b_channels is a positive integer, got -1"),
        (lambda: TensorProduct(R2**4, R2**4, R2**8), ValueError, "12,870 equivariant maps with 65,536 entries"),
        (lambda: SELF(draw(5, 1, 3)), ValueError, r"TensorProduct.*shape \(batch, 2, 3\), got \(5, 1, 3\)"),
        (lambda: SELF(draw(5, 2, 3), draw(4, 2, 3)), ValueError, r"y of shape \(5, 2, 3\).*got \(4, 2, 3\)"),
        (lambda: SELF(draw(5, 2, 3), draw(1, 2, 3)), ValueError, r"y of shape \(5, 2, 3\).*got \(1, 2, 3\)"),
        (lambda: SELF(draw(5, 2, 3).float()), TypeError, "weights of type torch.float64"),
        (
            lambda: SELF(draw(5, 2, 3), draw(5, 2, 3).float()),
            TypeError,
            "x's dtype, torch.float64; got dtype torch.float32",
        ),
        (lambda: SELF(draw(5, 2, 3), [1.0]), TypeError, "got list"),
        (lambda: SELF(draw(5, 2, 3), draw(5, 2, 3).to("meta")), ValueError, "x on cpu and y on meta"),
        (lambda: TensorProduct(R3, Order(1), R3), TypeError, r"TensorProduct takes a representation.*Order\(k=1\)"),
        (
            lambda: MIXED(draw(5, 2, 3)),
            ValueError,
            r"two inputs, layer\(x, y\): y has 1 channels of R³ ⊗ R³ of SO\(3\)",
        ),
        (lambda: Product(R3, R3, R3, 2, b_channels=1)(draw(5, 2, 3)), ValueError, "y has 1 channels of R³ of"),
    ],
)
def test_product_refuses(call, kind, message):
    with pytest.raises(kind, match=message):
        call()


def test_autocast_mixes_inputs_of_two_dtypes():
    layer = TensorProduct(R3, R3, R3, generator=0)
    x, y = draw(5, 1, 3).float(), draw(5, 1, 3).float()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        z = layer(x, y.bfloat16())
    torch.testing.assert_close(z.float(), layer(x, y), rtol=0.05, atol=0.05)


# ---- forms ---------------------------------------------------------------------------------------------------------------

FORMS = {  # representation -> number of symmetric, antisymmetric forms
    "SO(3)": (R3, 1, 0),
    "O(3)": (SPACE, 1, 0),
    "SO(2)": (R2, 1, 1),
    "O(2)": (PLANE, 1, 0),
    "Lorentz": (X, 1, 0),
    "Lorentz, restricted, dual": (Lorentz("restricted").defining().dual, 1, 0),
    "S_4": (W4, 2, 0),
    "S_4 pairs": (W4 * W4, 11, 4),
    "C_5 shifts": (CyclicGroup(5).regular(), 3, 2),
    "C_4 plane": (CyclicGroup(4).defining(), 1, 1),
    "signs": (Z2.sign() + Z2.trivial(), 2, 0),
    "SO(3) pairs": (R3 * R3, 3, 0),
    "two vectors": (R3 + R3, 3, 1),
    "table": (outer(V, W4), 4, 0),
    "scaling one way, back the other": (MatrixGroup(lie=[[[1, 0], [0, -1]]]).defining(), 1, 1),
    "symplectic": (MatrixGroup(lie=[[[1, 0], [0, -1]], [[0, 1], [0, 0]], [[0, 0], [1, 0]]]).defining(), 0, 1),
}


@pytest.mark.parametrize("name", FORMS)
def test_forms(name):
    rho, symmetric, antisymmetric = FORMS[name]
    S, A = invariant_forms(rho)
    assert (len(S), len(A)) == (symmetric, antisymmetric)
    assert symmetric + antisymmetric == intertwiner_dimension(rho, rho.dual)
    torch.testing.assert_close(S, S.mT)
    torch.testing.assert_close(A, -A.mT)
    both = torch.cat([S, A])
    assert torch.linalg.matrix_rank(both.flatten(1)) == len(both)
    torch.testing.assert_close(both.abs().amax((1, 2)), torch.ones(len(both), dtype=DOUBLE))
    assert (S.diagonal(dim1=1, dim2=2).sum(1) > -1e-9).all()
    for seed in range(3):
        g = rho.matrix(rho.group.sample(seed))
        scale = torch.linalg.matrix_norm(g, 2) ** 2
        assert (g.T @ both @ g - both).abs().max() <= 1e-10 * scale


def test_forms_by_name():
    for rho in (R3, SPACE, PLANE, DihedralGroup(5).defining(), R3.dual):
        torch.testing.assert_close(invariant_forms(rho)[0], torch.eye(rho.dim, dtype=DOUBLE)[None])
    torch.testing.assert_close(invariant_forms(X)[0][0], Lorentz().metric)
    torch.testing.assert_close(invariant_forms(X.dual)[0][0], Lorentz().metric)
    area = torch.tensor([[[0.0, 1], [-1, 0]]], dtype=DOUBLE)
    torch.testing.assert_close(invariant_forms(R2)[1], area)
    eye = torch.eye(4, dtype=DOUBLE)
    torch.testing.assert_close(invariant_forms(W4)[0], torch.stack([eye, 1 - eye]))


def test_forms_with_many_small_entries():
    """The second form of S_1100 has more than a million equal entries."""
    eye = torch.eye(1100, dtype=DOUBLE)
    torch.testing.assert_close(invariant_forms(SymmetricGroup(1100).defining())[0], torch.stack([eye, 1 - eye]))


# ---- Invariants ----------------------------------------------------------------------------------------------------------


def test_linear_layers_never_turn_vectors_into_scalars():
    """Hom(R³, 1) = 0 for SO(3): linear layers between vectors and numbers are zero, and products are not."""
    one = SO(3).trivial()
    assert intertwiner_dimension(R3, one) == 0
    x = draw(5, 2, 3)
    linear = EquivariantLinear(R3, one, 2, 3, generator=0, dtype=DOUBLE)
    assert not linear(x).any()
    assert Invariants(R3, 2)(x).std(0).min() > 0.1
    assert Product(R3, R3, one, 2)(x).std() > 0.1


@pytest.mark.parametrize("channels", [1, 2, 3])
@pytest.mark.parametrize("name", FORMS)
def test_invariants_against_loops(name, channels):
    rho, symmetric, antisymmetric = FORMS[name]
    number = symmetric * channels * (channels + 1) // 2 + antisymmetric * channels * (channels - 1) // 2
    if number == 0:
        with pytest.raises(ValueError, match="only antisymmetric forms"):
            Invariants(rho, channels)
        return
    layer = Invariants(rho, channels)
    x = draw(4, channels, *rho.axes)
    expected = []
    for kind, forms in enumerate(invariant_forms(rho)):
        for B in forms:
            expected += [
                torch.einsum("ni,ij,nj->n", x[:, c].flatten(1), B, x[:, d].flatten(1))
                for c in range(channels)
                for d in range(c + kind, channels)
            ]
    assert layer.out_channels == number
    assert (layer.in_type, layer.in_channels, layer.out_type) == (rho, channels, rho.group.trivial())
    torch.testing.assert_close(layer(x), torch.stack(expected, 1).unsqueeze(-1), rtol=1e-12, atol=1e-12)
    for g in (*rho.group.generators, *(rho.group.sample(seed) for seed in range(3))):
        size = max(1.0, float(torch.linalg.matrix_norm(rho.matrix(g), 2)) ** 2)
        torch.testing.assert_close(layer(rho.act(g, x)), layer(x), rtol=1e-10, atol=1e-10 * size)
        low = layer(rho.act(g, x).float())
        torch.testing.assert_close(low, layer(x).float(), rtol=1e-3, atol=1e-4 * size)


def quadratic_invariants(rho: Representation, channels: int) -> int:
    """The dimension of all invariant quadratic polynomials in the channels' entries: values at random points, projected by their rank."""
    d = rho.dim * channels
    many = functools.reduce(lambda a, b: a + b, [rho.flatten()] * channels)
    swap = torch.eye(d * d, dtype=DOUBLE).reshape(d, d, d, d).transpose(0, 1).reshape(d * d, d * d)
    forms = intertwiners(many, many.dual).basis.flatten(1).double()
    return int(torch.linalg.matrix_rank(forms + forms @ swap))


@pytest.mark.parametrize("name", ["SO(3)", "SO(2)", "O(2)", "Lorentz", "S_4", "C_4 plane", "signs", "symplectic"])
def test_all_quadratic_invariants(name):
    """The numbers are linearly independent polynomials, and as many as there are invariant quadratic forms in all channels together."""
    rho = FORMS[name][0]
    layer = Invariants(rho, 2)
    values = layer(draw(200, 2, *rho.axes)).squeeze(-1)
    assert torch.linalg.matrix_rank(values) == layer.out_channels == quadratic_invariants(rho, 2)


def test_invariants_by_name():
    x, y = draw(4, 2, 3).unbind(1)
    pairs = torch.stack([(x * x).sum(-1), (x * y).sum(-1), (y * y).sum(-1)], 1)
    torch.testing.assert_close(Invariants(R3, 2)(torch.stack([x, y], 1)).squeeze(-1), pairs)
    x, y = draw(4, 2, 2).unbind(1)
    area = x[:, 0] * y[:, 1] - x[:, 1] * y[:, 0]
    torch.testing.assert_close(Invariants(R2, 2)(torch.stack([x, y], 1))[:, 3, 0], area)
    events = draw(4, 1, 4)
    interval = -events[..., :1].square() + events[..., 1:].square().sum(-1, keepdim=True)
    torch.testing.assert_close(Invariants(X)(events), interval)


def test_invariants_as_a_module():
    layer = Invariants(R2, 3)
    x = draw(2, 3, 2)
    assert torch.autograd.gradcheck(layer, x.clone().requires_grad_())
    torch._dynamo.reset()
    compiled = torch.compile(layer, backend="eager", fullgraph=True)
    for dtype in (DOUBLE, torch.float32):
        torch.testing.assert_close(compiled(x.to(dtype)), layer(x.to(dtype)))
        assert layer(x.to(dtype)).dtype == dtype
    assert not layer.state_dict()
    Invariants(R2, 3).load_state_dict(layer.state_dict())
    with pytest.raises(RuntimeError, match=r"this checkpoint is of Invariants\(R² of SO\(2\), 3 channels → 9 numbers"):
        Invariants(R2, 2).load_state_dict(layer.state_dict())
    assert torch.equal(copy.deepcopy(layer)(x), layer(x))
    assert torch.equal(layer.half().double()(x), Invariants(R2, 3)(x))
    assert layer(x[:0]).shape == (0, 9, 1)


def test_forms_keep_their_digits():
    """Forms that are not made of 0 and ±1: exact in float64, whatever the layer's own dtype."""
    P = torch.tensor([[1.0, 0.3], [0.0, 0.7]], dtype=DOUBLE)
    turn = torch.tensor([[0.0, -1], [1, 0]], dtype=DOUBLE)
    rho = MatrixGroup(lie=[(P @ turn @ torch.linalg.inv(P)).numpy()]).defining()
    layer = Invariants(rho).float()
    x = draw(5, 1, 2)
    torch.testing.assert_close(layer(rho.act(rho.group.sample(0), x)), layer(x), rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(layer.forms.exact[0], layer.forms.exact[0].T)


@pytest.mark.parametrize(
    ("call", "kind", "message"),
    [
        (lambda: Invariants(MatrixGroup(lie=[[[1]]]).defining()), ValueError, r"R¹ of .* preserves no bilinear form"),
        (
            lambda: Invariants(FORMS["symplectic"][0]),
            ValueError,
            r"only antisymmetric forms.* at least 2 channels, got 1",
        ),
        (lambda: Invariants(Order(1)), TypeError, r"Invariants takes a representation, got the family Order\(k=1\)"),
        (lambda: Invariants(R3, 0), ValueError, "in_channels is a positive integer, got 0"),
        (lambda: Invariants(R2**8), ValueError, "12,870 equivariant maps with 65,536 entries"),
        (lambda: Invariants(R3, 2)(torch.ones(4, 1, 3)), ValueError, r"shape \(batch, 2, 3\), got \(4, 1, 3\)"),
        (lambda: Invariants(R3, 2)(torch.ones(4, 2, 3).int()), TypeError, r"floating-point.*torch.int32"),
        (lambda: Invariants(R3, 2)([1.0]), TypeError, "takes a torch tensor"),
    ],
)
def test_invariants_refuse(call, kind, message):
    with pytest.raises(kind, match=message):
        call()


@pytest.mark.gpu
def test_on_a_gpu():
    x = draw(5, 2, 3)
    for layer in (Invariants(R3, 2), Product(R3, R3, R3, 2, 3)):
        torch.testing.assert_close(copy.deepcopy(layer).cuda()(x.cuda()).cpu(), layer(x))
    assert Invariants(R3, 2, device="cuda")(x.cuda()).is_cuda
    assert Product(R3, R3, R3, 2, 3, device="cuda")(x.cuda()).is_cuda
