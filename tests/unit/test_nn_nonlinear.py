"""Pointwise, norm and gated nonlinearities: what they allow is equivariant, what they refuse is not."""

from __future__ import annotations

import copy
import functools

import pytest
import torch

from eqcourse.equivariance import equivariance_error
from eqcourse.groups import (
    SO,
    CyclicGroup,
    DihedralGroup,
    Lorentz,
    MatrixGroup,
    O,
    PermutationGroup,
    ReflectionGroup,
    SignedPermutationGroup,
    SymmetricGroup,
)
from eqcourse.nn.nonlinear import (
    GatedNonlinearity,
    NormNonlinearity,
    Pointwise,
    action_on_entries,
    function_name,
    is_orthogonal,
)
from eqcourse.nn.types import Grid, Order, Table
from eqcourse.representations import MatrixRepresentation, from_generators, outer

DOUBLE = torch.float64
S3, S4, D3, D4 = SymmetricGroup(3), SymmetricGroup(4), DihedralGroup(3), DihedralGroup(4)
V = S3.defining()
R = SO(3).defining()
SIGN = ReflectionGroup().sign()
# The plane of x + y + z = 0 in a basis that is not orthonormal.
SKEW = from_generators(S3, matrices=[[[0, 1], [1, 0]], [[0, -1], [1, -1]]])


def identity_of(group):
    return MatrixRepresentation(
        group,
        2,
        lambda g: torch.eye(2, dtype=DOUBLE).expand(*group.batch_shape(g), 2, 2),
        lambda A: torch.zeros(2, 2, dtype=DOUBLE),
    )


PERMUTES = {
    "set": V,
    "tensor": V * V,
    "subsets": S4.on_subsets(2),
    "table": outer(V, S4.defining()),
    "sum": V + V * V + S3.trivial(2),
    "regular": D3.regular(),
    "image": D4.on_grid(3, 3),
    "cycle": PermutationGroup([[1, 2, 0, 4, 3]]).defining(),
    "permutation matrices": from_generators(CyclicGroup(3), matrices=[[[0, 0, 1], [1, 0, 0], [0, 1, 0]]]),
    "trivial of a Lie group": SO(3).trivial(4),
    "trivial by matrices": identity_of(SO(2)),
}
FLIPS = {
    "sign": SIGN,
    "signed permutations": SignedPermutationGroup(3).defining(),
    "set with sign": V * S3.sign(),
    "sum": V + S3.sign(),
    "determinant": O(3).sign(),
    "quarter turns": CyclicGroup(4).defining(),
    "square": D4.defining(),
}
MIXES = {
    "rotations": R,
    "plane": SO(2).defining(),
    "triangle": D3.defining(),
    "rotations and a number": R + SO(3).trivial(),
    "tensor": R * R,
    "Lorentz": Lorentz().defining(),
    "doubling": MatrixGroup(discrete=[[[2.0]]]).defining(),
    "shear": MatrixGroup(lie=[[[0.0, 1.0], [0.0, 0.0]]]).defining(),
}
ANY = [
    torch.relu,
    torch.tanh,
    torch.nn.GELU(),
    torch.exp,
    functools.partial(torch.nn.functional.leaky_relu, negative_slope=0.2),
]
ODD = [
    torch.tanh,
    torch.sin,
    torch.sign,
    torch.nn.Softsign(),
    torch.nn.Tanhshrink(),
    torch.nn.Hardshrink(),
    torch.sinh,
    torch.atanh,
]
NOT_ODD = [
    torch.relu,
    torch.nn.functional.gelu,
    torch.abs,
    torch.square,
    torch.cos,
    torch.sigmoid,
    torch.nn.LeakyReLU(0.1),
]


def moderate(rho, leading=(2, 2)):
    """Asymmetric inputs of moderate size, so that exp does not overflow."""
    source = torch.Generator().manual_seed(3)
    return [2 * torch.randn(*leading, *rho.axes, dtype=DOUBLE, generator=source) for _ in range(2)]


# ---- Pointwise: both directions --------------------------------------------------------------------------------------


def test_action_on_entries():
    for expected, reps in (("permutes", PERMUTES), ("flips", FLIPS), ("mixes", MIXES)):
        for name, rho in reps.items():
            assert action_on_entries(rho) == expected, name
    assert {action_on_entries(t) for t in (Order(0), Order(3), Table(2), Grid(2))} == {"permutes"}


@pytest.mark.parametrize("name", PERMUTES)
@pytest.mark.parametrize("function", ANY, ids=function_name)
def test_a_permutation_takes_any_function(name, function):
    rho = PERMUTES[name]
    layer = Pointwise(function, rho)
    assert layer.in_type == layer.out_type == rho
    assert equivariance_error(layer, rho, rho, inputs=moderate(rho)).error <= 1e-10


@pytest.mark.parametrize("name", FLIPS)
def test_sign_flips_take_odd_functions_only(name):
    rho = FLIPS[name]
    for function in ODD:
        layer = Pointwise(function, rho)
        inputs = [x.clamp(-0.9, 0.9) for x in moderate(rho)]  # inside the domain of atanh
        assert equivariance_error(layer, rho, rho, inputs=inputs).error <= 1e-10, function
    for function in NOT_ODD:
        with pytest.raises(ValueError, match=r"flips signs.* has to be odd.*Take an odd function such as torch\.tanh"):
            Pointwise(function, rho)
        assert equivariance_error(function, rho, rho, samples=4).error > 1e-3, function


@pytest.mark.parametrize("name", MIXES)
def test_mixed_entries_take_linear_functions_only(name):
    rho = MIXES[name]
    for function in (torch.nn.Identity(), torch.neg, lambda x: 3 * x, torch.zeros_like):
        assert equivariance_error(Pointwise(function, rho), rho, rho, leading=(1, 2), samples=4).error <= 1e-9
    for function in (torch.tanh, torch.relu, torch.sin):
        # A positive factor commutes with ReLU: the rule for mixed entries is stricter than it needs to be there.
        if not (name == "doubling" and function is torch.relu):
            assert equivariance_error(function, rho, rho, samples=4).error > 1e-3
        with pytest.raises(ValueError, match="mixes entries") as caught:
            Pointwise(function, rho)
        for advice in ("GatedNonlinearity", "TensorProduct", "Invariants"):
            assert advice in str(caught.value)
        assert ("NormNonlinearity" in str(caught.value)) == is_orthogonal(rho)


def test_the_message_shows_a_number_that_breaks():
    with pytest.raises(ValueError, match=r"relu\(-2\) = 0, but -relu\(2\) = -2"):
        Pointwise(torch.relu, SIGN)
    with pytest.raises(ValueError, match=r"tanh\(2\) = 0.964028, but 2·tanh\(1\) = 1.52319"):
        Pointwise(torch.tanh, R)
    with pytest.raises(ValueError, match="R³ of SO"):
        Pointwise(lambda t: t + 1, R)


def test_small_and_large_numbers_count():
    with pytest.raises(ValueError, match="has to be odd"):
        Pointwise(lambda t: t.clamp(min=-900), SIGN)
    with pytest.raises(ValueError, match="has to be odd"):
        Pointwise(lambda t: torch.where(t == -1e-3, 0, t), SIGN)
    with pytest.raises(ValueError, match="has to be odd"):
        Pointwise(lambda t: torch.where(t == 0, 1.0, t), SIGN)
    with pytest.raises(ValueError, match="has to be odd"):
        Pointwise(torch.log, SIGN)  # NaN on one side only


@pytest.mark.parametrize("family", [Order(0), Order(1), Order(2), Order(4), Table(3), Grid(2)], ids=str)
def test_families_take_any_function(family):
    layer = Pointwise(torch.relu, family)
    x = torch.randn(2, 3, *[4] * family.num_axes)
    assert torch.equal(layer(x), x.relu())


def test_a_module_that_could_learn_to_break_its_type():
    prelu = torch.nn.PReLU(init=1.0)  # f(t) = t until it is trained
    assert equivariance_error(prelu.double(), SIGN, SIGN).passed
    prelu = prelu.float()
    with pytest.raises(ValueError, match=r"has to be odd, and PReLU.* is not for other values of its parameters"):
        Pointwise(prelu, SIGN)
    with pytest.raises(ValueError, match=r"mixes entries.*for other values of its parameters"):
        Pointwise(prelu, R)
    assert prelu.weight.item() == 1.0
    layer = Pointwise(prelu, V)
    assert [p.shape for p in layer.parameters()] == [(1,)]
    frozen = torch.nn.PReLU(init=1.0).requires_grad_(False)
    assert Pointwise(frozen, R).in_type == R


# ---- Pointwise: functions that are not entrywise -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "function",
    [
        torch.nn.Softmax(-1),
        torch.nn.Softmax(0),
        lambda x: x.softmax(1),
        lambda x: x.cumsum(-1),
        lambda x: x.sort(-1).values,
        lambda x: x.flip(0),
        lambda x: x - x.mean(),
        lambda x: x.sum(-1),
        lambda x: x > 0,
        lambda x: x.float(),
        torch.nn.Linear(2, 2),
        torch.nn.LayerNorm(2),
        torch.nn.BatchNorm1d(2),
        lambda x: x if x > 0 else 0 * x,
    ],
)
def test_functions_that_are_not_entrywise(function):
    for make in (
        Pointwise,
        lambda f: Pointwise(f, V),
        lambda f: NormNonlinearity(V, 1, f),
        lambda f: GatedNonlinearity(V, f),
    ):
        with pytest.raises(ValueError, match="not entrywise"):
            make(function)


def test_every_axis_of_the_type_is_tried():
    function = lambda x: x.flip(-1) if x.ndim > 3 else x  # noqa: E731
    Pointwise(function, V)
    with pytest.raises(ValueError, match="not entrywise"):
        Pointwise(function, V * V)
    with pytest.raises(ValueError, match="not entrywise"):
        Pointwise(function).with_type(Order(2))


@pytest.mark.parametrize(
    "function",
    [torch.nn.Dropout(), torch.nn.Dropout().eval(), torch.nn.RReLU(), lambda x: x + torch.rand_like(x)],
)
def test_random_functions(function):
    with pytest.raises(ValueError, match="different results for the same input"):
        Pointwise(function, V)


def test_trying_leaves_the_module_alone():
    batch_norm = torch.nn.BatchNorm1d(2).eval()
    before = copy.deepcopy(batch_norm.state_dict())
    with pytest.raises(ValueError, match="not entrywise"):
        Pointwise(batch_norm)
    assert not batch_norm.training
    assert all(torch.equal(value, before[key]) for key, value in batch_norm.state_dict().items())


def test_functions_that_work_in_place_are_judged_by_their_result():
    assert Pointwise(torch.tanh_, SIGN).in_type == SIGN
    with pytest.raises(ValueError, match="has to be odd"):
        Pointwise(torch.nn.ReLU(inplace=True), SIGN)


def test_what_is_no_function():
    with pytest.raises(TypeError, match=r"callable such as torch\.relu"):
        Pointwise(3)
    with pytest.raises(TypeError, match=r"ReLU is a class: give an instance, ReLU\(\)"):
        Pointwise(torch.nn.ReLU)
    with pytest.raises(TypeError, match="has to return a tensor, it returned list"):
        Pointwise(lambda x: x.tolist(), V)


# ---- Pointwise: as a layer ---------------------------------------------------------------------------------------------


def test_without_a_type():
    layer = Pointwise(torch.relu)
    with pytest.raises(ValueError, match=r"no type yet: give it one, Pointwise\(relu, type\)"):
        layer(torch.zeros(1, 1, 3))
    typed = layer.with_type(V)
    assert typed.in_type == V
    assert not layer.has_type  # one layer may stand at two places of a chain
    assert torch.equal(typed(torch.tensor([[[-1.0, 2.0, 0.0]]])), torch.tensor([[[0.0, 2.0, 0.0]]]))
    with pytest.raises(ValueError, match="flips signs"):
        layer.with_type(SIGN)


def test_pointwise_input_and_names():
    layer = Pointwise(torch.relu, V)
    with pytest.raises(
        ValueError, match=r"Pointwise\(relu on R³ of S_3\) takes an input of shape \(batch, channels, 3\), got \(2, 4\)"
    ):
        layer(torch.zeros(2, 4))
    assert repr(Pointwise(torch.nn.Sequential(torch.nn.ReLU(), torch.nn.Tanh()), V)).count("\n") == 0
    partial = functools.partial(torch.nn.functional.leaky_relu, negative_slope=0.2)
    assert repr(Pointwise(partial, V)) == "Pointwise(leaky_relu(negative_slope=0.2) on R³ of S_3)"
    state = Pointwise(partial, V).state_dict()
    with pytest.raises(RuntimeError, match="this checkpoint is of Pointwise"):
        Pointwise(torch.relu, V).load_state_dict(state)


@pytest.mark.parametrize("dtype", [torch.float32, DOUBLE])
def test_dtypes(dtype):
    x = torch.randn(2, 3, 3, dtype=dtype)
    assert Pointwise(torch.relu, V)(x).dtype == dtype
    assert NormNonlinearity(V, 3, dtype=dtype)(x).dtype == dtype
    assert GatedNonlinearity(S3.trivial(2))(x).dtype == dtype


# ---- NormNonlinearity --------------------------------------------------------------------------------------------------

ORTHOGONAL = {
    "set": V,
    "flips": V * S3.sign(),
    "rotations": R,
    "triangle": D3.defining(),
    "tensor": R * R,
    "sum": R + SO(3).trivial(),
}
STRETCHES = {
    "Lorentz": Lorentz().defining(),
    "skew basis": SKEW,
    "doubling": MIXES["doubling"],
    "shear": MIXES["shear"],
}


def randomised(layer, seed=0):
    source = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for p in layer.parameters():
            p.copy_(0.5 * torch.randn(p.shape, generator=source, dtype=DOUBLE))
    return layer


@pytest.mark.parametrize("name", ORTHOGONAL)
@pytest.mark.parametrize("function", [torch.relu, torch.tanh], ids=function_name)
@pytest.mark.parametrize(("dtype", "tolerance"), [(DOUBLE, 1e-10), (torch.float32, 1e-4)])
def test_norm_nonlinearity_is_equivariant(name, function, dtype, tolerance):
    rho = ORTHOGONAL[name]
    layer = randomised(NormNonlinearity(rho, 3, function, dtype=dtype))
    result = equivariance_error(layer, rho, rho, leading=(2, 3), dtype=dtype, samples=6)
    assert result.error <= tolerance
    assert not result.constant


def test_norm_nonlinearity_against_its_formula():
    layer = randomised(NormNonlinearity(R * R, 2, torch.tanh, dtype=DOUBLE))
    x = torch.randn(4, 2, 3, 3, dtype=DOUBLE)
    y = layer(x)
    for n in range(4):
        for c in range(2):
            norm = torch.sqrt(sum(t**2 for t in x[n, c].flatten()))
            expected = x[n, c] * torch.tanh(norm + layer.bias[c]) / norm
            torch.testing.assert_close(y[n, c], expected, rtol=1e-11, atol=0)


def test_norm_nonlinearity_starts_as_the_identity():
    x = torch.randn(5, 2, 3, dtype=DOUBLE)
    torch.testing.assert_close(NormNonlinearity(R, 2, dtype=DOUBLE)(x), x, rtol=1e-12, atol=0)


@pytest.mark.parametrize("name", STRETCHES)
def test_what_stretches_is_refused_and_breaks(name):
    rho = STRETCHES[name]
    assert not is_orthogonal(rho)
    with pytest.raises(ValueError, match=r"keeps the norm ‖x‖.*stretch vectors.*take GatedNonlinearity.*Invariants"):
        NormNonlinearity(rho, 1)
    assert equivariance_error(lambda x: x * torch.tanh(x.norm()) / x.norm(), rho, rho, samples=4).error > 1e-3


@pytest.mark.parametrize("scale", [0.0, 1e-9, 1e-7, 1e-6, 1.0])
@pytest.mark.parametrize(
    ("function", "bias"),
    [(torch.relu, 0.0), (torch.relu, -0.3), (torch.relu, 0.3), (torch.tanh, 0.0), (torch.tanh, 0.7)],
)
def test_norm_gradient_at_and_near_zero(scale, function, bias):
    layer = NormNonlinearity(R, 2, function, dtype=DOUBLE)
    torch.nn.init.constant_(layer.bias, bias)
    x = scale * torch.tensor([[[1.0, -2.0, 0.5], [0.3, 0.2, -1.0]]], dtype=DOUBLE)
    x.requires_grad_()
    # The step is smaller than the scale 10⁻⁶ on which the norm is rounded off.
    assert torch.autograd.gradcheck(layer, (x,), eps=1e-10 if scale < 1 else 1e-6, atol=1e-3, rtol=1e-3)
    layer(x).sum().backward()
    assert torch.isfinite(x.grad).all()
    assert torch.isfinite(layer.bias.grad).all()
    if scale == 0:
        assert torch.equal(layer(x), torch.zeros_like(x))


def test_norm_gradient_in_the_bias():
    layer = NormNonlinearity(R, 2, torch.tanh, dtype=DOUBLE)
    x = torch.randn(2, 2, 3, dtype=DOUBLE, requires_grad=True)

    def of(x, bias):
        return torch.func.functional_call(layer, {"bias": bias}, (x,))

    assert torch.autograd.gradcheck(of, (x, torch.randn(2, dtype=DOUBLE, requires_grad=True)))


def test_is_orthogonal():
    assert all(is_orthogonal(rho) for rho in [*ORTHOGONAL.values(), R**7, R + SO(3).trivial()])
    lorentz = Lorentz().defining()
    for rho in (*STRETCHES.values(), lorentz * lorentz, lorentz + lorentz.group.trivial(), lorentz.dual):
        assert not is_orthogonal(rho)
    # 2 on one factor and 1/2 on the other: neither keeps the norm, the product does.
    doubling = MIXES["doubling"]
    assert is_orthogonal(doubling * doubling.dual)


def test_pointwise_takes_a_type():
    with pytest.raises(TypeError, match=r"Pointwise takes a representation or a family such as Order\(1\), got S_4"):
        Pointwise(torch.relu, SymmetricGroup(4))


def test_norm_nonlinearity_input():
    with pytest.raises(TypeError, match=r"takes a representation, got the family Order\(k=1\); Pointwise takes any"):
        NormNonlinearity(Order(1))
    with pytest.raises(TypeError, match=r"takes a representation, such as .*, got 3"):
        GatedNonlinearity(3)
    with pytest.raises(ValueError, match="channels is a positive integer, got 0"):
        NormNonlinearity(R, 0)
    with pytest.raises(ValueError, match=r"takes an input of shape \(batch, 2, 3\), got \(1, 3, 3\)"):
        NormNonlinearity(R, 2)(torch.zeros(1, 3, 3))
    with pytest.raises(TypeError, match=r"weights of type torch\.float32"):
        NormNonlinearity(R, 2)(torch.zeros(1, 2, 3, dtype=DOUBLE))


# ---- GatedNonlinearity -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rho", [*ORTHOGONAL.values(), *STRETCHES.values(), R**3], ids=str)
@pytest.mark.parametrize(("dtype", "tolerance"), [(DOUBLE, 1e-9), (torch.float32, 1e-3)])
def test_gated_nonlinearity_is_equivariant(rho, dtype, tolerance):
    layer = GatedNonlinearity(rho, torch.tanh)
    assert layer.in_type == rho.group.trivial() + rho
    assert layer.out_type == rho
    assert equivariance_error(layer, layer.in_type, rho, leading=(2, 3), dtype=dtype, samples=6).error <= tolerance


def test_gated_nonlinearity_against_its_formula():
    layer = GatedNonlinearity(R * R)
    x = torch.randn(4, 2, 10, dtype=DOUBLE)
    y = layer(x)
    assert y.shape == (4, 2, 3, 3)
    for n in range(4):
        for c in range(2):
            expected = x[n, c, 1:] / (1 + torch.exp(-x[n, c, 0]))
            torch.testing.assert_close(y[n, c].flatten(), expected)
    assert torch.autograd.gradcheck(layer, (x.requires_grad_(),))
    with pytest.raises(ValueError, match=r"\(batch, channels, 10\), got \(4, 2, 9\)"):
        layer(torch.zeros(4, 2, 9))


def test_a_gate_of_a_number_that_is_not_invariant_breaks():
    """Why the gate is a trivial summand: an entry of the vector will not do."""
    assert equivariance_error(lambda x: torch.sigmoid(x[..., :1]) * x, R, R).error > 1e-3


# ---- all three ---------------------------------------------------------------------------------------------------------

LAYERS = {
    "pointwise": (lambda **k: Pointwise(torch.tanh, V), (2, 3, 3)),
    "prelu": (lambda **k: Pointwise(torch.nn.PReLU(**k), V), (2, 3, 3)),
    "norm": (lambda **k: NormNonlinearity(R, 3, torch.tanh, **k), (2, 3, 3)),
    "gated": (lambda **k: GatedNonlinearity(R), (2, 3, 4)),
}


@pytest.mark.parametrize("name", LAYERS)
def test_compile_copy_checkpoint(name):
    make, shape = LAYERS[name]
    layer = make()
    x = torch.randn(shape)
    torch._dynamo.reset()
    compiled = torch.compile(layer, backend="eager", fullgraph=True)
    torch.testing.assert_close(compiled(x), layer(x))
    for p in layer.parameters():
        torch.nn.init.constant_(p, 0.4)
    torch.testing.assert_close(copy.deepcopy(layer)(x), layer(x))
    other = make()
    other.load_state_dict(layer.state_dict())
    torch.testing.assert_close(other(x), layer(x))


def test_checkpoint_of_another_layer():
    with pytest.raises(RuntimeError, match=r"this checkpoint is of NormNonlinearity\(tanh of the norm"):
        NormNonlinearity(R, 2).load_state_dict(NormNonlinearity(R, 2, torch.tanh).state_dict())


@pytest.mark.gpu
@pytest.mark.parametrize("name", LAYERS)
def test_on_a_gpu(name):
    make, shape = LAYERS[name]
    layer, x = make(), torch.randn(shape)
    expected = layer(x)
    torch.testing.assert_close(make(device="cuda")(x.cuda()).cpu(), expected)
    torch.testing.assert_close(layer.cuda()(x.cuda()).cpu(), expected)
    assert Pointwise(torch.nn.PReLU(device="cuda"), V).in_type == V
