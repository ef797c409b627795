"""Deep Sets, against the formula written item by item with plain torch."""

from __future__ import annotations

import copy
import itertools
import pickle

import pytest
import torch
from torch import Tensor

from eqcourse.nn import Order
from eqcourse.nn.attention import SetAttention
from eqcourse.nn.deepsets import DeepSets
from eqcourse.nn.nonlinear import Pointwise
from eqcourse.nn.pool import InvariantPool
from eqcourse.nn.sequential import EquivariantSequential
from eqcourse.nn.sets import SetLinear
from eqcourse.nn.tensors import TensorLinear

DOUBLE = torch.float64
NAN, INF = torch.nan, torch.inf
REDUCTIONS = ["sum", "mean", "max"]


def normal(*shape: int, seed: int = 0, dtype: torch.dtype = DOUBLE) -> Tensor:
    return torch.randn(shape, dtype=dtype, generator=torch.Generator().manual_seed(seed))


def model_with_biases(pool: str, **options) -> DeepSets:
    """A network whose biases are not 0, so that a padded item that is not left out shows."""
    model = DeepSets(3, 2, (5, 4), pool, generator=0, dtype=DOUBLE, **options)
    source = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if name.endswith("bias"):
                parameter.copy_(torch.rand(parameter.shape, generator=source, dtype=DOUBLE))
    return model


def slow_network(model: DeepSets, x: Tensor, pool: str) -> Tensor:
    """One set (channels, N): its items one by one through φ, their sum, mean or maximum through ρ."""
    layers = {name: (p[..., 0]) for name, p in model.named_parameters()}
    phi = [(layers[f"phi.layers.{i}.weight"], layers[f"phi.layers.{i}.bias"]) for i in (0, 2)]
    rho = [(layers[f"rho.layers.{i}.weight"], layers[f"rho.layers.{i}.bias"]) for i in (0, 2, 4)]
    features = []
    for item in x.T:
        for weight, bias in phi:
            item = (weight @ item + bias).clamp(min=0)
        features.append(item)
    stacked = torch.stack(features)
    y = {"sum": stacked.sum(0), "mean": stacked.mean(0), "max": stacked.max(0).values}[pool]
    for weight, bias in rho[:-1]:
        y = (weight @ y + bias).clamp(min=0)
    return rho[-1][0] @ y + rho[-1][1]


def padded_batch(sizes: tuple[int, ...], filling: float) -> tuple[list[Tensor], Tensor, Tensor]:
    """Sets (1, 3, n), the same in one array with padding between the items, and its mask."""
    sets = [normal(1, 3, n, seed=n) for n in sizes]
    longest = max(sizes)
    x = torch.full((len(sizes), 3, longest), filling, dtype=DOUBLE)
    mask = torch.zeros(len(sizes), longest, dtype=torch.bool)
    for row, one in enumerate(sets):
        places = torch.randperm(longest, generator=torch.Generator().manual_seed(row))[: one.shape[2]].sort().values
        x[row][:, places] = one[0]
        mask[row, places] = True
    return sets, x, mask


# ---- values ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("pool", REDUCTIONS)
def test_against_the_formula(pool: str) -> None:
    model = model_with_biases(pool)
    for n in (1, 2, 7):
        x = normal(4, 3, n)
        expected = torch.stack([slow_network(model, one, pool) for one in x])
        torch.testing.assert_close(model(x), expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("pool", REDUCTIONS)
def test_invariant_under_all_orders(pool: str) -> None:
    model = model_with_biases(pool)
    x = normal(2, 3, 4)
    mask = torch.tensor([[True, False, True, True], [False, True, False, False]])
    rho = model.in_type.at(4)
    assert model.in_type == Order(1)
    assert model.out_type == Order(0)
    for order in itertools.permutations(range(4)):
        torch.testing.assert_close(model(rho.act(order, x)), model(x), rtol=0, atol=1e-10)
        moved = rho.act(order, mask.double()).bool()
        torch.testing.assert_close(model(rho.act(order, x), moved), model(x, mask), rtol=0, atol=1e-10)


@pytest.mark.parametrize("pool", REDUCTIONS)
def test_invariant_in_single_precision(pool: str) -> None:
    model = DeepSets(3, 2, 16, pool, generator=0)
    x = normal(2, 3, 50, dtype=torch.float32)
    rho = model.in_type.at(50)
    for g in rho.group.generators:
        torch.testing.assert_close(model(rho.act(g, x)), model(x), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("filling", [0.0, 9.0, NAN, INF])
@pytest.mark.parametrize("pool", REDUCTIONS)
def test_padded_sets_equal_the_sets_one_by_one(pool: str, filling: float) -> None:
    model = model_with_biases(pool)
    sets, x, mask = padded_batch((3, 1, 6, 2), filling)
    torch.testing.assert_close(model(x, mask), torch.cat([model(one) for one in sets]), rtol=1e-12, atol=1e-12)


def test_only_sum_can_count() -> None:
    once, twice = torch.tensor([[[1.0, 0.0]]]), torch.tensor([[[1.0, 0.0, 1.0, 0.0]]])
    for pool in ("mean", "max"):
        model = DeepSets(1, 1, 8, pool, generator=0)
        torch.testing.assert_close(model(once), model(twice))
    model = DeepSets(1, 1, 8, "sum", generator=0)
    assert (model(once) - model(twice)).abs() > 1e-3
    # By hand: φ(x) = 1 for each item, so that the pooled number is how many there are, and ρ hands it on.
    model = DeepSets(1, 1, 1, "sum")
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.fill_(0.0)
        model.phi[0].bias.fill_(1.0)
        for place in (0, 2):
            model.rho[place].weight.fill_(1.0)
    assert [model(x).item() for x in (once, twice, torch.ones(1, 1, 7))] == [2.0, 4.0, 7.0]


def test_a_maximum_does_not_see_repetitions_and_a_mean_does() -> None:
    sets = torch.tensor([[[1.0, 0.0, 0.0]], [[1.0, 1.0, 0.0]]])
    first, second = DeepSets(1, 1, 8, "max", generator=0)(sets)
    torch.testing.assert_close(first, second)
    first, second = DeepSets(1, 1, 8, "mean", generator=0)(sets)
    assert (first - second).abs() > 1e-3


def test_items_do_not_see_each_other_before_they_are_pooled() -> None:
    model = model_with_biases("sum")
    x = normal(2, 3, 5)
    changed = x.clone()
    changed[:, :, 4] += 1
    assert model.each_item(x).shape == (2, 4, 5)
    torch.testing.assert_close(model.each_item(changed)[:, :, :4], model.each_item(x)[:, :, :4])


@pytest.mark.parametrize("pool", REDUCTIONS)
def test_a_chain_in_which_items_see_each_other(pool: str) -> None:
    """What the docstring advises: the chain hands the mask on as far as the pool."""
    options = {"generator": torch.Generator().manual_seed(0), "dtype": DOUBLE}
    chain = EquivariantSequential(
        SetLinear(3, 4, **options),
        Pointwise(torch.tanh),
        SetAttention(4, 2, **options),
        InvariantPool(Order(1), pool),
        TensorLinear(0, 0, 4, 2, **options),
    )
    sets, x, mask = padded_batch((3, 1, 6, 2), NAN)
    torch.testing.assert_close(chain(x, mask), torch.cat([chain(one) for one in sets]), rtol=1e-12, atol=1e-12)


def test_learns_how_many() -> None:
    """A few steps of training lower the error: gradients reach every parameter."""
    model = DeepSets(1, 1, 8, "sum", generator=0)
    mask = torch.arange(6) < torch.arange(1, 7).unsqueeze(1)
    x = torch.ones(6, 1, 6)
    target = mask.sum(1, keepdim=True).float()
    optimiser = torch.optim.Adam(model.parameters(), lr=0.02)
    losses = []
    for _ in range(60):
        optimiser.zero_grad()
        loss = (model(x, mask) - target).square().mean()
        loss.backward()
        assert all(p.grad is not None for p in model.parameters())
        optimiser.step()
        losses.append(loss.item())
    assert losses[-1] < 0.05 * losses[0]


# ---- nothing to pool ---------------------------------------------------------------------------------------------------


def test_the_sum_over_nothing_is_zero() -> None:
    model = model_with_biases("sum")
    of_zero = model.rho(torch.zeros(2, 4, dtype=DOUBLE))
    assert model(torch.ones(2, 3, 0, dtype=DOUBLE)).equal(of_zero)
    x = torch.full((2, 3, 4), NAN, dtype=DOUBLE)
    assert model(x, torch.zeros(2, 4, dtype=torch.bool)).equal(of_zero)


@pytest.mark.parametrize("pool", ["mean", "max"])
def test_mean_and_maximum_over_nothing_say_where(pool: str) -> None:
    model = DeepSets(3, 2, 4, pool, generator=0)
    with pytest.raises(ValueError, match=f"the {pool} over an empty set is not defined"):
        model(torch.ones(2, 3, 0))
    with pytest.raises(ValueError, match="row 1 of the mask has no real entry"):
        model(torch.ones(2, 3, 2), torch.tensor([[True, False], [False, False]]))


@pytest.mark.parametrize("pool", REDUCTIONS)
def test_no_rows_give_no_rows(pool: str) -> None:
    assert DeepSets(3, 2, 4, pool)(torch.ones(0, 3, 5)).shape == (0, 2)


# ---- gradients ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("pool", REDUCTIONS)
def test_gradients(pool: str) -> None:
    model = model_with_biases(pool)
    x = normal(2, 3, 3, seed=3).requires_grad_()
    mask = torch.tensor([[True, False, True], [False, True, False]])
    parameters = dict(model.named_parameters())

    def run(x: Tensor, *values: Tensor) -> tuple[Tensor, Tensor]:
        weights = dict(zip(parameters, values, strict=True))
        return (
            torch.func.functional_call(model, weights, (x,)),
            torch.func.functional_call(model, weights, (x, mask)),
        )

    assert torch.autograd.gradcheck(run, (x, *parameters.values()))


@pytest.mark.parametrize("pool", REDUCTIONS)
def test_padding_reaches_no_gradient(pool: str) -> None:
    model = model_with_biases(pool)
    gradients = []
    for filling in (0.0, NAN):
        _, x, mask = padded_batch((3, 1, 6), filling)
        x.requires_grad_()
        gradients.append(torch.autograd.grad(model(x, mask).square().sum(), (x, *model.parameters())))
    for expected, found in zip(*gradients, strict=True):
        torch.testing.assert_close(found, expected, rtol=1e-12, atol=1e-12)
    assert gradients[1][0][~mask.unsqueeze(1).expand_as(x)].eq(0).all()


# ---- what it refuses ---------------------------------------------------------------------------------------------------


def test_refused_arguments() -> None:
    with pytest.raises(ValueError, match="out_channels is a positive integer, got 0"):
        DeepSets(3, 0)
    with pytest.raises(ValueError, match="hidden is a positive integer, got 0"):
        DeepSets(3, 1, (4, 0))
    with pytest.raises(ValueError, match="hidden is a positive integer, got '64'"):
        DeepSets(3, 1, "64")
    with pytest.raises(ValueError, match="at least one hidden layer"):
        DeepSets(3, 1, ())
    with pytest.raises(ValueError, match='reduce is "sum", "mean" or "max", got \'median\''):
        DeepSets(3, 1, pool="median")


def test_refused_inputs() -> None:
    model = DeepSets(3, 1, 4)
    with pytest.raises(
        ValueError, match=r"DeepSets\(3 → 1 channels, .*\) takes .* shape \(batch, 3, N\), got \(2, 5, 3\)"
    ):
        model(torch.ones(2, 5, 3))
    with pytest.raises(
        TypeError, match=r"DeepSets.* weights of type torch.float32 and got an input of type torch.float64"
    ):
        model(torch.ones(2, 3, 3, dtype=DOUBLE))
    with pytest.raises(TypeError, match="a mask is a boolean tensor"):
        model(torch.ones(2, 3, 5), torch.ones(2, 5))
    with pytest.raises(ValueError, match=r"has shape \(2, 5\), .* got \(5, 2\)"):
        model(torch.ones(2, 3, 5), torch.ones(5, 2, dtype=torch.bool))


# ---- as a torch module -------------------------------------------------------------------------------------------------


def test_module() -> None:
    model = DeepSets(3, 2, (5, 4), "max", generator=0)
    assert repr(model) == "DeepSets(3 → 2 channels, hidden 5, 4, max)"
    x = normal(2, 3, 6, dtype=torch.float32)
    again = DeepSets(3, 2, [5, 4], "max", generator=1)
    assert not again(x).equal(model(x))
    again.load_state_dict(model.state_dict())
    for copied in (again, copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        assert copied(x).equal(model(x))
    with pytest.raises(RuntimeError, match=r"this checkpoint is of DeepSets\(3 → 2 channels, hidden 5, 4, max\)"):
        DeepSets(3, 2, (5, 4), "sum").load_state_dict(model.state_dict())


def test_seeds() -> None:
    first, same = DeepSets(4, 4, (4, 4), generator=3), DeepSets(4, 4, (4, 4), generator=3)
    weights = [p for name, p in first.named_parameters() if name.endswith("weight")]
    assert all(p.equal(q) for p, q in zip(first.parameters(), same.parameters(), strict=True))
    assert not any(p.equal(q) for p, q in itertools.combinations(weights, 2))


@pytest.mark.parametrize("pool", REDUCTIONS)
def test_compiles_in_one_graph(pool: str) -> None:
    torch._dynamo.reset()
    model = DeepSets(3, 2, (5, 4), pool, generator=0)
    x = normal(2, 3, 6, dtype=torch.float32)
    torch.testing.assert_close(torch.compile(model, backend="eager", fullgraph=True)(x), model(x))
    torch._dynamo.reset()


@pytest.mark.gpu
@pytest.mark.parametrize("pool", REDUCTIONS)
def test_on_a_gpu(pool: str) -> None:
    model = model_with_biases(pool)
    _, x, mask = padded_batch((3, 1, 6), NAN)
    there = copy.deepcopy(model).cuda()
    torch.testing.assert_close(there(x.cuda(), mask.cuda()).cpu(), model(x, mask), rtol=0, atol=1e-10)
    made_there = DeepSets(3, 2, (5, 4), pool, device="cuda")
    assert made_there(torch.ones(1, 3, 2, device="cuda")).device.type == "cuda"
