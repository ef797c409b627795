"""All layers on a GPU compute what they compute on a CPU; without one: nothing of a layer stays behind when it is moved."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from eqcourse.groups import SO, SymmetricGroup
from eqcourse.nn import (
    ArrayLinear,
    DeepSets,
    EquivariantLinear,
    EquivariantNorm,
    EquivariantSequential,
    GatedNonlinearity,
    InvariantPool,
    NormNonlinearity,
    Order,
    Pointwise,
    SetAttention,
    SetLinear,
    TensorLinear,
)
from eqcourse.nn.circular import CircularConv
from eqcourse.nn.products import Invariants, TensorProduct

DOUBLE = torch.float64
V, SIGN, R3 = SymmetricGroup(5).defining(), SymmetricGroup(5).sign(), SO(3).defining()

# Each layer with further options (dtype and device where it has weights), and the shape of an input.
Make = Callable[..., torch.nn.Module]
LAYERS: dict[str, tuple[Make, tuple[int, ...]]] = {
    "linear": (lambda **o: EquivariantLinear(V, V * V, 2, 3, generator=0, **o), (4, 2, 5)),
    "linear, signs": (lambda **o: EquivariantLinear(V * SIGN, V * SIGN, 2, 3, generator=0, **o), (4, 2, 5, 1)),
    "linear, matrices": (lambda **o: EquivariantLinear(R3 * R3, R3, 2, 3, generator=0, **o), (4, 2, 3, 3)),
    "set": (lambda **o: SetLinear(2, 3, generator=0, **o), (4, 2, 7)),
    "array": (lambda **o: ArrayLinear(2, 2, 3, method="efficient", generator=0, **o), (4, 2, 6, 5)),
    "array, dense": (lambda **o: ArrayLinear(2, 2, 3, method="dense", generator=0, **o), (4, 2, 3, 5)),
    "tensor": (lambda **o: TensorLinear(2, 2, 2, 3, method="efficient", generator=0, **o), (4, 2, 5, 5)),
    "tensor 3 → 1": (lambda **o: TensorLinear(3, 1, 2, 3, method="efficient", generator=0, **o), (4, 2, 4, 4, 4)),
    "tensor, dense": (lambda **o: TensorLinear(2, 1, 2, 3, method="dense", generator=0, **o), (4, 2, 4, 4)),
    "circular": (lambda **o: CircularConv(2, 3, 3, method="direct", generator=0, **o), (4, 2, 9)),
    "circular, fft": (lambda **o: CircularConv(2, 3, 9, method="fft", generator=0, **o), (4, 2, 9)),
    "circular, dense": (lambda **o: CircularConv(2, 3, 9, method="dense", generator=0, **o), (4, 2, 9)),
    "circular, 2 axes": (lambda **o: CircularConv(2, 3, (3, 2), method="direct", generator=0, **o), (4, 2, 6, 5)),
    "circular, 2 axes, fft": (lambda **o: CircularConv(2, 3, (3, 2), method="fft", generator=0, **o), (4, 2, 6, 5)),
    "pool": (lambda **o: InvariantPool(V * V, "mean", device=o.get("device")), (4, 2, 5, 5)),
    "pool, max": (lambda **o: InvariantPool(Order(1), "max", device=o.get("device")), (4, 2, 7)),
    "attention": (lambda **o: SetAttention(6, heads=2, generator=0, **o), (4, 6, 7)),
    "deep sets": (lambda **o: DeepSets(2, 3, hidden=(8, 8), generator=0, **o), (4, 2, 7)),
    "deep sets, max": (lambda **o: DeepSets(2, 3, hidden=8, pool="max", generator=0, **o), (4, 2, 7)),
    "pointwise": (lambda **o: Pointwise(torch.tanh, V * SIGN), (4, 2, 5, 1)),
    "norm nonlinearity": (lambda **o: NormNonlinearity(R3, 2, **o), (4, 2, 3)),
    "gates": (lambda **o: GatedNonlinearity(R3), (4, 2, 4)),
    "norm": (lambda **o: EquivariantNorm(V * V, 2, **o), (4, 2, 5, 5)),
    "norm, signs": (lambda **o: EquivariantNorm(V * SIGN, 2, **o), (4, 2, 5, 1)),
    "invariants": (lambda **o: Invariants(R3, 2, device=o.get("device")), (4, 2, 3)),
    "product": (lambda **o: TensorProduct(R3, R3, R3 * R3, 2, 3, generator=0, **o), (4, 2, 3)),
    "sequential": (
        lambda **o: EquivariantSequential(
            SetLinear(2, 8, generator=0, **o), Pointwise(torch.relu), InvariantPool(Order(1), "sum")
        ),
        (4, 2, 7),
    ),
}
CASES = [pytest.param(make, shape, id=name) for name, (make, shape) in LAYERS.items()]


def normal(*shape: int, seed: int = 1) -> Tensor:
    return torch.randn(shape, dtype=DOUBLE, generator=torch.Generator().manual_seed(seed))


def tensors_of(module: torch.nn.Module) -> dict[str, Tensor]:
    """Parameters, buffers, and tensors that are neither: what is found in attributes, lists and dicts of all submodules."""
    found: dict[str, Tensor] = {}

    def look(name: str, value: Any) -> None:
        if isinstance(value, Tensor):
            found[name] = value
        elif isinstance(value, dict):
            for key, item in value.items():
                look(f"{name}[{key!r}]", item)
        elif isinstance(value, (list, tuple)):
            for i, item in enumerate(value):
                look(f"{name}[{i}]", item)

    for path, part in module.named_modules():
        for attribute, value in vars(part).items():
            if attribute != "_modules":
                look(f"{path}.{attribute}", value)
    return found


@pytest.mark.parametrize(("make", "shape"), CASES)
def test_nothing_stays_behind(make: Make, shape: tuple[int, ...]) -> None:
    """The "meta" device, which has no data, stands in for a GPU: a tensor left on the CPU would meet one on it."""
    layer = make(dtype=DOUBLE)
    y = layer(normal(*shape))
    moved = copy.deepcopy(layer).to("meta")
    # `exact` is the float64 original of a constant (eqcourse/nn/linear.py), which stays on the CPU on purpose.
    left = [name for name, value in tensors_of(moved).items() if not value.is_meta and not name.endswith(".exact")]
    assert not left
    out = moved(torch.empty(shape, dtype=DOUBLE, device="meta"))
    assert out.is_meta
    assert (out.shape, out.dtype) == (y.shape, y.dtype)
    # What was computed on the one device must not be handed out on the other.
    torch.testing.assert_close(layer(normal(*shape)), y, rtol=0, atol=0)


@pytest.mark.parametrize(("make", "shape"), CASES)
def test_made_on_a_device(make: Make, shape: tuple[int, ...]) -> None:
    """``device=`` puts all of a layer there, with the same names as one made on the CPU."""
    there, here = make(dtype=DOUBLE, device="meta"), make(dtype=DOUBLE)
    if any(True for _ in there.parameters()) or any(True for _ in there.buffers()):
        assert all(value.is_meta for value in (*there.parameters(), *there.buffers()))
    assert [n for n, _ in there.named_parameters()] == [n for n, _ in here.named_parameters()]
    assert [n for n, _ in there.named_buffers()] == [n for n, _ in here.named_buffers()]


@pytest.mark.gpu
@pytest.mark.parametrize(("make", "shape"), CASES)
def test_equal_on_cpu_and_gpu(make: Make, shape: tuple[int, ...]) -> None:
    """Values and all gradients; and a layer made on the GPU has the same weights as one made on the CPU."""
    on_cpu = make(dtype=DOUBLE)
    on_gpu = copy.deepcopy(on_cpu).to("cuda")
    made_there = make(dtype=DOUBLE, device="cuda")
    results = []
    for layer, device in ((on_cpu, "cpu"), (on_gpu, "cuda"), (made_there, "cuda")):
        layer.to(device)
        x = normal(*shape).to(device).requires_grad_()
        y = layer(x)
        assert y.device.type == device
        factor = normal(*y.shape, seed=2).to(device)
        weights = list(layer.parameters())
        gradients = torch.autograd.grad((factor * y**2).sum(), [x, *weights])
        results.append([t.cpu() for t in (y, *gradients)])
    for other in results[1:]:
        for one, two in zip(results[0], other, strict=True):
            scale = max(1.0, one.abs().max().item())
            torch.testing.assert_close(two, one, rtol=0, atol=1e-10 * scale)


@pytest.mark.gpu
def test_masks_on_a_gpu() -> None:
    """Layers on sets with padding behind which there is NaN."""
    mask = torch.tensor([[True, True, False, True], [False, True, False, False]])
    x = normal(2, 6, 4).masked_fill(~mask.unsqueeze(1), torch.nan)
    for layer in (SetLinear(6, 2, dtype=DOUBLE), SetAttention(6, dtype=DOUBLE), DeepSets(6, 1, dtype=DOUBLE)):
        expected = layer(x, mask)
        got = layer.to("cuda")(x.cuda(), mask.cuda()).cpu()
        torch.testing.assert_close(got, expected.cpu(), rtol=0, atol=1e-10)


@pytest.mark.gpu
def test_a_checkpoint_moves_between_devices() -> None:
    layer = TensorLinear(2, 1, 2, 3, dtype=DOUBLE, device="cuda")
    other = TensorLinear(2, 1, 2, 3, dtype=DOUBLE)
    other.load_state_dict(layer.state_dict())
    x = normal(2, 2, 4, 4)
    torch.testing.assert_close(layer(x.cuda()).cpu(), other(x), rtol=0, atol=1e-10)
