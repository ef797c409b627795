"""EquivariantSequential: neighbours are compared, Pointwise inherits, masks go where they are understood."""

from __future__ import annotations

import copy
import functools

import pytest
import torch

from eqcourse.equivariance import equivariance_error
from eqcourse.groups import SO, ReflectionGroup, SymmetricGroup
from eqcourse.nn.base import TypedLayer
from eqcourse.nn.linear import EquivariantLinear
from eqcourse.nn.nonlinear import GatedNonlinearity, NormNonlinearity, Pointwise
from eqcourse.nn.norm import EquivariantNorm
from eqcourse.nn.sequential import EquivariantSequential
from eqcourse.nn.types import Order, Table

DOUBLE = torch.float64
S5 = SymmetricGroup(5)
V, ONE = S5.defining(), S5.trivial()
R = SO(3).defining()
SIGN = ReflectionGroup().sign()
Linear = functools.partial(EquivariantLinear, generator=0)


class Deviation(TypedLayer):
    """A stand-in for a set layer: x minus the mean of the real items; it remembers the mask that it was given."""

    in_type = out_type = Order(1)

    def __init__(self):
        super().__init__()
        self.seen = "nothing"

    def forward(self, x, mask=None):
        self.seen = mask
        if mask is None:
            return x - x.mean(-1, keepdim=True)
        real = mask.unsqueeze(1)
        x = x.where(real, 0.0)
        return (x - x.sum(-1, keepdim=True) / real.sum(-1, keepdim=True)).where(real, 0.0)

    def extra_repr(self):
        return "Order(1)"


class Pool(TypedLayer):
    """A stand-in for a pooling layer: the largest real item."""

    in_type, out_type = Order(1), Order(0)

    def forward(self, x, mask=None):
        return (x if mask is None else x.where(mask.unsqueeze(1), -torch.inf)).amax(-1)

    def extra_repr(self):
        return "Order(1)"


class Numbers(TypedLayer):
    """A stand-in for a layer on invariant numbers that has a mask argument of its own, which has to stay unused."""

    in_type = out_type = Order(0)

    def forward(self, x, mask=None):
        assert mask is None
        return 2 * x

    def extra_repr(self):
        return "Order(0)"


# ---- a chain does what its layers do -----------------------------------------------------------------------------------


def make_chain(**options):
    return EquivariantSequential(
        Linear(V, V, 2, 4, **options),
        Pointwise(torch.relu),
        EquivariantNorm(V, 4, **options),
        Linear(V, V * V, 4, 3, **options),
        Pointwise(torch.tanh),
        Linear(V * V, ONE, 3, 1, **options),
    )


@pytest.mark.parametrize(("dtype", "tolerance"), [(DOUBLE, 1e-10), (torch.float32, 1e-4)])
def test_a_chain(dtype, tolerance):
    chain = make_chain(dtype=dtype)
    x = torch.randn(7, 2, 5, dtype=dtype)
    y = x
    for layer in (chain[0], torch.relu, chain[2], chain[3], torch.tanh, chain[5]):
        y = layer(y)
    assert torch.equal(chain(x), y)
    assert (chain.in_type, chain.out_type, chain.in_channels, chain.out_channels) == (V, ONE, 2, 1)
    result = equivariance_error(chain, V, ONE, leading=(2, 2), dtype=dtype)
    assert result.error <= tolerance
    assert not result.constant


def test_a_chain_of_vectors():
    chain = EquivariantSequential(
        NormNonlinearity(R, 3, torch.tanh, dtype=DOUBLE), EquivariantNorm(R, 3, dtype=DOUBLE), Pointwise(torch.neg)
    )
    assert equivariance_error(chain, R, R, leading=(2, 3)).error <= 1e-10
    gated = EquivariantSequential(GatedNonlinearity(R), NormNonlinearity(R, 2, dtype=DOUBLE))
    assert equivariance_error(gated, SO(3).trivial() + R, R, leading=(2, 2)).error <= 1e-10


def test_container():
    first, second = Linear(V, V, 1, 4), Linear(V, ONE, 4, 2)
    chain = EquivariantSequential(first, Pointwise(torch.relu), second)
    assert len(chain) == 3
    assert chain[0] is first
    assert chain[-1] is second
    assert [type(layer).__name__ for layer in chain] == ["EquivariantLinear", "Pointwise", "EquivariantLinear"]
    head = chain[:2]
    assert isinstance(head, EquivariantSequential)
    assert head[0] is first
    assert (head.in_type, head.out_type, head.out_channels) == (V, V, 4)
    with pytest.raises(IndexError):
        chain[3]
    with pytest.raises(ValueError, match="at least one layer"):
        chain[3:]
    assert len(list(chain.parameters())) == 4


def test_repr_shows_the_chain_of_types():
    chain = EquivariantSequential(
        EquivariantSequential(Linear(V, V, 1, 4), Pointwise(torch.relu)), Linear(V, ONE, 4, 2), Pointwise(torch.tanh)
    )
    assert repr(chain) == (
        "EquivariantSequential(R⁵ of S_5 → R⁵ of S_5 → 1 of S_5 → 1 of S_5, 1 → 2 channels\n"
        "  0: EquivariantSequential(R⁵ of S_5 → R⁵ of S_5 → R⁵ of S_5, 1 → 4 channels\n"
        "    0: EquivariantLinear(R⁵ of S_5 → R⁵ of S_5, 1 → 4 channels, 2 weights each, bias 1)\n"
        "    1: Pointwise(relu on R⁵ of S_5)\n"
        "  )\n"
        "  1: EquivariantLinear(R⁵ of S_5 → 1 of S_5, 4 → 2 channels, 1 weights each, bias 1)\n"
        "  2: Pointwise(tanh on 1 of S_5)\n"
        ")"
    )


# ---- neighbours --------------------------------------------------------------------------------------------------------


def test_neighbours_of_different_types():
    with pytest.raises(ValueError, match="neighbours of different types") as caught:
        EquivariantSequential(Linear(V, V), Pointwise(torch.relu), Linear(V * V, V))
    message = str(caught.value)
    for part in (
        "layer 1, Pointwise(relu on R⁵ of S_5), gives R⁵ of S_5",
        "layer 2, EquivariantLinear(R⁵ ⊗ R⁵ of S_5 → R⁵ of S_5, 1 → 1 channels, 5 weights each, bias 1), takes R⁵ ⊗ R⁵ of S_5",
        "put a layer from R⁵ of S_5 to R⁵ ⊗ R⁵ of S_5 between them",
    ):
        assert part in message
    V4 = SymmetricGroup(4).defining()
    for before, after in (((V, V), (V4, V4)), ((V, V * V), ((V * V).flatten(), V))):
        with pytest.raises(ValueError, match=r"layer 0, .* gives .*, and layer 1, .* takes"):
            EquivariantSequential(Linear(*before), Linear(*after))


def test_families_and_representations():
    chain = EquivariantSequential(Deviation(), Linear(V, V), EquivariantNorm(Table(1)))
    assert chain.in_type == Order(1)
    assert chain(torch.randn(2, 1, 5)).shape == (2, 1, 5)
    with pytest.raises(ValueError, match=r"gives Order\(k=1\), and layer 1, .*, takes R⁵ ⊗ R⁵"):
        EquivariantSequential(Deviation(), Linear(V * V, V))
    with pytest.raises(
        ValueError, match=r"gives Order\(k=0\), and layer 1, Deviation\(Order\(1\)\), takes Order\(k=1\)"
    ):
        EquivariantSequential(Pool(), Deviation())


def test_families_between_different_groups():
    V4 = SymmetricGroup(4).defining()
    with pytest.raises(
        ValueError, match=r"layers of different groups: layer 0, .* R⁵ of S_5, and layer 3, .* R⁴ of S_4"
    ):
        EquivariantSequential(Linear(V, V), Deviation(), Pointwise(torch.relu), Linear(V4, V4))
    inner = EquivariantSequential(Deviation(), Linear(V4, V4))
    with pytest.raises(ValueError, match="layers of different groups"):
        EquivariantSequential(Linear(V, V), inner)
    EquivariantSequential(Linear(V, V), Deviation(), Linear(V, ONE))


def test_neighbours_of_different_channels():
    with pytest.raises(ValueError, match="neighbours of different channels") as caught:
        EquivariantSequential(Linear(V, V, 1, 3), Pointwise(torch.relu), Linear(V, ONE, 4, 1))
    message = str(caught.value)
    assert "layer 0, EquivariantLinear(R⁵ of S_5 → R⁵ of S_5, 1 → 3 channels" in message
    assert "gives 3 channels of R⁵ of S_5" in message
    assert "layer 2, EquivariantLinear(R⁵ of S_5 → 1 of S_5, 4 → 1 channels" in message
    assert "takes 4 channels of R⁵ of S_5. Make the two numbers equal" in message


def test_the_layer_that_the_channels_come_from_is_named():
    with pytest.raises(ValueError, match=r"layer 1, .* gives 4 channels .*, and layer 3, .* takes 5 channels"):
        EquivariantSequential(Linear(V, V, 1, 3), Linear(V, V, 3, 4), Pointwise(torch.relu), Linear(V, V, 5))


def test_channels_pass_through_layers_that_take_any_number():
    any_number = EquivariantSequential(Deviation(), Pointwise(torch.relu))
    assert (any_number.in_channels, any_number.out_channels) == (None, None)
    assert "any → any channels" in repr(any_number)
    chain = EquivariantSequential(any_number, Linear(V, V, 3, 4), Pointwise(torch.relu))
    assert (chain.in_channels, chain.out_channels) == (3, 4)
    with pytest.raises(ValueError, match=r"layer 1, .* gives 4 channels .*, and layer 3, .* takes 3 channels"):
        EquivariantSequential(any_number, Linear(V, V, 3, 4), Pointwise(torch.relu), Linear(V, V, 3))


def test_different_dtypes_and_devices():
    with pytest.raises(ValueError, match="different dtypes or devices") as caught:
        EquivariantSequential(Linear(V, V), Pointwise(torch.relu), Linear(V, ONE, dtype=DOUBLE))
    message = str(caught.value)
    assert "layer 0, EquivariantLinear(R⁵ of S_5 → R⁵" in message
    assert "has parameters of torch.float32 on cpu, and layer 2" in message
    assert "of torch.float64 on cpu (types R⁵ of S_5 and R⁵ of S_5)" in message
    assert "layer.to(dtype=torch.float32, device='cpu')" in message
    with pytest.raises(ValueError, match=r"torch\.float32 on cpu, and layer 1.* of torch\.float32 on meta"):
        EquivariantSequential(EquivariantNorm(V), EquivariantNorm(V, device="meta"))
    with pytest.raises(ValueError, match="different dtypes or devices"):
        EquivariantSequential(Linear(V, V, dtype=DOUBLE), Pointwise(torch.nn.PReLU()))


def test_no_layers_and_what_is_no_layer():
    with pytest.raises(ValueError, match="at least one layer, got none"):
        EquivariantSequential()
    for function, name in ((torch.nn.ReLU(), r"ReLU\(\)"), (torch.relu, "relu"), (torch.nn.ReLU, "ReLU"), (3, "3")):
        with pytest.raises(TypeError, match=rf"layer 1 is {name}, .*wrap it, as in Pointwise\(torch\.relu\)"):
            EquivariantSequential(Linear(V, V), function)
    for module in (torch.nn.Linear(5, 5), torch.nn.LayerNorm(5)):
        with pytest.raises(TypeError, match=r"layer 0 is L.*: take EquivariantLinear .*: take EquivariantNorm"):
            EquivariantSequential(module)
    with pytest.raises(TypeError, match=r"write EquivariantSequential\(\*layers\)"):
        EquivariantSequential([Linear(V, V)])


# ---- Pointwise inherits ------------------------------------------------------------------------------------------------


def test_pointwise_inherits_its_type():
    relu = Pointwise(torch.relu)
    chain = EquivariantSequential(relu, relu, Linear(V, V * V), relu, Linear(V * V, ONE), relu)
    assert [layer.in_type for layer in chain] == [V, V, V, V * V, V * V, ONE]
    assert not relu.has_type
    assert torch.equal(chain[:2](torch.full((1, 1, 5), -1.0)), torch.zeros(1, 1, 5))
    with pytest.raises(ValueError, match=r"no layer of the chain has a type.*Pointwise\(function, type\)"):
        EquivariantSequential(relu, relu)


def test_pointwise_shares_its_parameters_where_it_stands_twice():
    prelu = Pointwise(torch.nn.PReLU())
    chain = EquivariantSequential(Linear(V, V), prelu, Linear(V, V), prelu)
    assert chain[1].function is chain[3].function
    assert len(list(chain.parameters())) == 5


def test_pointwise_is_refused_where_it_breaks_the_type():
    with pytest.raises(ValueError, match=r"layer 1 of the chain: sign of Z_2 flips signs.*odd.*torch\.tanh"):
        EquivariantSequential(Linear(SIGN, SIGN), Pointwise(torch.relu))
    chain = EquivariantSequential(Linear(SIGN, SIGN, 2, 2, dtype=DOUBLE), Pointwise(torch.tanh))
    assert equivariance_error(chain, SIGN, SIGN, leading=(3, 2)).error <= 1e-10
    with pytest.raises(ValueError, match=r"layer 1 of the chain: R³ of SO\(3\) mixes entries.*NormNonlinearity"):
        EquivariantSequential(NormNonlinearity(R), Pointwise(torch.tanh))
    with pytest.raises(
        ValueError, match=r"neighbours of different types: layer 0.*layer 1, Pointwise\(relu on 1 of S_5\), takes"
    ):
        EquivariantSequential(Linear(V, V), Pointwise(torch.relu, ONE))


# ---- masks -------------------------------------------------------------------------------------------------------------


def masked_input():
    x = torch.randn(3, 2, 5, dtype=DOUBLE)
    mask = torch.tensor([[True, True, False, True, False], [False, False, True, False, False], [True] * 5])
    return x.masked_fill(~mask.unsqueeze(1), torch.nan), mask


def test_a_mask_reaches_the_layers_that_take_one():
    x, mask = masked_input()
    first, last = Deviation(), Deviation()
    norm = EquivariantNorm(Order(1), 2, dtype=DOUBLE)
    chain = EquivariantSequential(
        first, Pointwise(torch.cos), EquivariantSequential(Pointwise(torch.tanh), norm), last, Pool(), Numbers()
    )
    assert chain.takes_mask
    y = chain(x, mask)
    assert first.seen is mask
    assert last.seen is mask
    for row in range(3):
        alone = x[row : row + 1, :, mask[row]]
        torch.testing.assert_close(y[row : row + 1], chain(alone))
    chain(x)
    assert first.seen is None


def test_a_mask_that_nobody_takes():
    x, mask = masked_input()
    for chain in (
        EquivariantSequential(Linear(V, V, 2, 2, dtype=DOUBLE)),
        EquivariantSequential(Pointwise(torch.relu, Order(1))),
    ):
        assert not chain.takes_mask
        with pytest.raises(ValueError, match=r"a mask was given, and no layer of EquivariantSequential.* takes one"):
            chain(x, mask)
    chain = EquivariantSequential(Numbers())
    with pytest.raises(ValueError, match="no layer of"):
        chain(torch.zeros(3, 2), torch.ones(3, dtype=torch.bool))


def test_padding_must_not_leak_through_a_layer_without_a_mask():
    x, mask = masked_input()
    x = x.nan_to_num(100.0)
    chain = EquivariantSequential(EquivariantNorm(V, 2, dtype=DOUBLE), Linear(V, V, 2, 2, dtype=DOUBLE))
    with torch.no_grad():
        chain[0].bias.fill_(1.0)
        chain[1].bias.fill_(1.0)
    with pytest.raises(
        ValueError, match=r"layer 1, EquivariantLinear\(.*\), takes none: padding would leak through it"
    ):
        chain(x, mask)
    nested = EquivariantSequential(EquivariantNorm(V, 2, dtype=DOUBLE), chain[1:])
    with pytest.raises(ValueError, match=r"layer 1, EquivariantSequential\(.*\), takes none"):
        nested(x, mask)
    pooled = EquivariantSequential(Pool(), Numbers())
    assert pooled(x, mask).shape == (3, 2)
    # After a layer to another type the mask is dropped: what follows has no items to leave out.
    to_number = EquivariantSequential(EquivariantNorm(V, 2, dtype=DOUBLE), Pool(), Pointwise(torch.relu))
    assert to_number(x, mask).shape == (3, 2)


def test_bad_masks_and_inputs():
    chain = EquivariantSequential(Deviation(), EquivariantNorm(Order(1), 2))
    x = torch.zeros(3, 2, 5)
    with pytest.raises(ValueError, match=r"has shape \(3, 5\), one entry for each item, got \(3, 4\)"):
        chain(x, torch.ones(3, 4, dtype=torch.bool))
    with pytest.raises(TypeError, match=r"boolean tensor.*dtype torch\.int64"):
        chain(x, torch.ones(3, 5, dtype=torch.int64))
    with pytest.raises(ValueError, match=r"EquivariantSequential\(.*\) takes an input of shape \(batch, 2, N\)"):
        chain(torch.zeros(3, 5), torch.ones(3, 5, dtype=torch.bool))
    mask = torch.ones(3, 5, dtype=torch.bool)
    mask[2] = False
    with pytest.raises(ValueError, match="no real item in row 2"):
        chain(x, mask)
    with pytest.raises(
        ValueError, match=r"EquivariantNorm\(.*takes an input of shape \(batch, 2, N\), got \(3, 4, 5\)"
    ):
        chain(torch.zeros(3, 4, 5))


# ---- as a module -------------------------------------------------------------------------------------------------------


def test_compile_copy_checkpoint():
    chain = make_chain()
    x = torch.randn(4, 2, 5)
    torch._dynamo.reset()
    torch.testing.assert_close(torch.compile(chain, backend="eager", fullgraph=True)(x), chain(x))
    torch.testing.assert_close(copy.deepcopy(chain)(x), chain(x))
    other = make_chain()
    with torch.no_grad():
        for p in other.parameters():
            p.normal_()
    other.load_state_dict(chain.state_dict())
    torch.testing.assert_close(other(x), chain(x))
    with pytest.raises(RuntimeError, match="this checkpoint is of EquivariantSequential"):
        chain[:3].load_state_dict(chain.state_dict())
    relu = EquivariantSequential(Linear(V, V), Pointwise(torch.relu))
    with pytest.raises(RuntimeError, match=r"this checkpoint is of Pointwise\(relu.*the layer is Pointwise\(tanh"):
        EquivariantSequential(Linear(V, V), Pointwise(torch.tanh)).load_state_dict(relu.state_dict())


def test_gradcheck():
    chain = make_chain(dtype=DOUBLE)
    names = [name for name, _ in chain.named_parameters()]

    def of(x, *parameters):
        return torch.func.functional_call(chain, dict(zip(names, parameters, strict=True)), (x,))

    x = torch.randn(2, 2, 5, dtype=DOUBLE, generator=torch.Generator().manual_seed(4), requires_grad=True)
    assert torch.autograd.gradcheck(of, [x, *(p.detach().requires_grad_() for p in chain.parameters())])


def test_a_chain_moves_as_one():
    chain = make_chain().double()
    assert chain(torch.randn(2, 2, 5, dtype=DOUBLE)).dtype == DOUBLE
    with pytest.raises(TypeError, match=r"has weights of type torch\.float64 and got an input of type torch\.float32"):
        chain(torch.randn(2, 2, 5))


@pytest.mark.gpu
def test_on_a_gpu():
    chain, x = make_chain(), torch.randn(4, 2, 5)
    expected = chain(x)
    torch.testing.assert_close(copy.deepcopy(chain).cuda()(x.cuda()).cpu(), expected)
    torch.testing.assert_close(make_chain(device="cuda")(x.cuda()).cpu(), expected)
    with pytest.raises(ValueError, match=r"on cpu, and layer 1.* on cuda:0"):
        EquivariantSequential(Linear(V, V), Linear(V, V, device="cuda"))
