"""Layers for groups that act by matrices: rotations, reflections, boosts, dihedral groups, products."""

from __future__ import annotations

import pytest
import torch

from eqcourse import assert_equivariant, intertwiner_dimension
from eqcourse.groups import SO, DihedralGroup, DirectProduct, Group, Lorentz, MatrixGroup, O, SymmetricGroup
from eqcourse.nn import (
    EquivariantLinear,
    EquivariantNorm,
    GatedNonlinearity,
    Invariants,
    NormNonlinearity,
    TensorProduct,
)
from eqcourse.representations import MatrixRepresentation, Representation

DOUBLE = torch.float64


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def five_turns() -> Representation:
    """D_5 on the plane, by twice the angle: another irrep than the defining one."""
    G = DihedralGroup(5)
    R = G.defining()
    return MatrixRepresentation(
        G, 2, lambda g: R.matrix((2 * torch.as_tensor(g[0]) % 5, torch.as_tensor(g[1]))), name="R²'"
    )


def quaternions() -> Group:
    i = [[0, -1, 0, 0], [1, 0, 0, 0], [0, 0, 0, -1], [0, 0, 1, 0]]
    j = [[0, 0, -1, 0], [0, 0, 0, 1], [1, 0, 0, 0], [0, -1, 0, 0]]
    return MatrixGroup(discrete=[i, j])


def atoms() -> dict[str, Representation]:
    both = DirectProduct(SO(2), SymmetricGroup(3))
    return {
        "SO(2)": SO(2).defining(),
        "SO(3)": SO(3).defining(),
        "O(3)": O(3).defining(),
        "SO(4)": SO(4).defining(),
        "Lorentz restricted": Lorentz("restricted").defining(),
        "Lorentz full": Lorentz().defining(),
        "Lorentz, dual": Lorentz().defining().dual,
        "D_5": DihedralGroup(5).defining(),
        "D_5 twice the angle": five_turns(),
        "Q_8": quaternions().defining(),
        "SO(2) × S_3": both.pullback(0, SO(2).defining()) * both.pullback(1, SymmetricGroup(3).defining()),
    }


ATOMS = atoms()
COMPACT = [name for name in ATOMS if "Lorentz" not in name]


@pytest.fixture(params=ATOMS)
def rho(request) -> Representation:
    return ATOMS[request.param]


def off(function, rho_in: Representation, rho_out: Representation, channels: int, dtype=DOUBLE) -> float:
    """The largest miss at sampled elements and discrete generators, relative to the outputs."""
    group = rho_in.group
    x = torch.randn(3, channels, *rho_in.axes, dtype=DOUBLE, generator=seeded(1))
    worst = 0.0
    for g in [*group.generators, *(group.sample(seed) for seed in range(3))]:
        moved = function(rho_in.act(g, x).to(dtype)).double()
        expected = rho_out.act(g, function(x.to(dtype)).double())
        worst = max(worst, ((moved - expected).abs().max() / expected.abs().max().clamp(min=1.0)).item())
    return worst


def test_linear(rho):
    for rho_in, rho_out in ((rho, rho), (rho * rho, rho), (rho * rho + rho, rho.group.trivial(2) + rho)):
        layer = EquivariantLinear(rho_in, rho_out, 2, 3, generator=0, dtype=DOUBLE)
        assert layer.weight.shape == (3, 2, intertwiner_dimension(rho_in, rho_out))
        biases = intertwiner_dimension(rho.group.trivial(), rho_out)
        assert (0 if layer.bias is None else layer.bias.shape[1]) == biases
        assert off(layer, rho_in, rho_out, 2) <= 1e-10
        single = EquivariantLinear(rho_in, rho_out, 2, 3, generator=0, dtype=torch.float32)
        assert off(single, rho_in, rho_out, 2, torch.float32) <= 1e-3
        x = torch.randn(2, 2, *rho_in.axes, dtype=DOUBLE, generator=seeded(), requires_grad=True)
        assert torch.autograd.gradcheck(layer, x)


def test_weights_reach_every_equivariant_map(rho):
    layer = EquivariantLinear(rho * rho, rho * rho, generator=0, dtype=DOUBLE, bias=False)
    maps = torch.func.jacrev(lambda w: torch.func.functional_call(layer.maps, {}, (w,)))(layer.weight.detach()).flatten(
        3
    )
    maps = maps.reshape(-1, layer.weight.numel())
    assert torch.linalg.matrix_rank(maps) == intertwiner_dimension(rho * rho, rho * rho)


def test_tensor_product(rho):
    layer = TensorProduct(rho, rho, rho * rho, 2, 2, generator=0, dtype=DOUBLE)
    y = torch.randn(3, 2, *rho.axes, dtype=DOUBLE, generator=seeded(2))
    group = rho.group
    x = torch.randn(3, 2, *rho.axes, dtype=DOUBLE, generator=seeded(1))
    for seed in range(3):
        g = group.sample(seed)
        moved, expected = layer(rho.act(g, x), rho.act(g, y)), (rho * rho).act(g, layer(x, y))
        assert (moved - expected).abs().max() <= 1e-10 * expected.abs().max().clamp(min=1.0)


def test_the_cross_product_is_for_rotations_only():
    counts = {
        name: TensorProduct(ATOMS[name], ATOMS[name], ATOMS[name]).linear.weight.shape[2] for name in ("SO(3)", "O(3)")
    }
    assert counts == {"SO(3)": 1, "O(3)": 0}


def test_invariants(rho):
    layer = Invariants(rho, 3)
    assert layer.num_symmetric + layer.num_antisymmetric == intertwiner_dimension(rho, rho.dual)
    assert off(layer, rho, layer.out_type, 3) <= 1e-10


def test_lorentz_invariants_are_intervals():
    x = torch.tensor([[[2.0, 1.0, 0.0, 0.0], [1.0, 0.0, 3.0, 0.0]]])
    assert Invariants(ATOMS["Lorentz full"], 2)(x).flatten().tolist() == [-3, -2, 8]
    # Covectors have the inverse form, which is the same matrix.
    assert Invariants(ATOMS["Lorentz, dual"], 2)(x).flatten().tolist() == [-3, -2, 8]


@pytest.mark.parametrize("name", COMPACT)
@pytest.mark.parametrize("kind", [NormNonlinearity, EquivariantNorm])
def test_norms(name, kind):
    rho = ATOMS[name]
    assert off(kind(rho, 2).double(), rho, rho, 2) <= 1e-10


def test_gates(rho):
    layer = GatedNonlinearity(rho)
    assert off(layer, layer.in_type, layer.out_type, 2) <= 1e-10


def test_norms_need_lengths_that_are_kept():
    for kind in (NormNonlinearity, EquivariantNorm):
        with pytest.raises(ValueError, match="orthogonal"):
            kind(ATOMS["Lorentz full"])


@pytest.mark.parametrize("name", ["SO(3)", "Lorentz full", "D_5"])
def test_with_the_checker_of_the_course(name):
    rho = ATOMS[name]
    layer = EquivariantLinear(rho * rho, rho, generator=0, dtype=DOUBLE, bias=False)
    assert_equivariant(lambda x: layer(x[None, None])[0, 0], rho * rho, rho)


def test_a_checkpoint_and_a_copy():
    rho = ATOMS["SO(3)"]
    one, other = (EquivariantLinear(rho * rho, rho * rho, generator=seed) for seed in (0, 1))
    other.load_state_dict(one.state_dict())
    x = torch.randn(2, 1, 3, 3, generator=seeded())
    assert torch.equal(one(x), other(x))
