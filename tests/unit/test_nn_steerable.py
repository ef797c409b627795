"""Steerable kernels and convolutions: the constraint holds, no kernel is missing, and images turn together with their features."""

import math

import numpy as np
import pytest
import torch

from eqcourse.equivariance import equivariance_error
from eqcourse.groups import SO, CyclicGroup, DihedralGroup, O, SymmetricGroup
from eqcourse.nn import (
    AtEachPixel,
    EquivariantLinear,
    EquivariantSequential,
    FeatureField,
    FieldBatchNorm,
    GroupConv,
    InvariantPool,
    LiftingConv,
    MeanOverPixels,
    NormNonlinearity,
    Order,
    Pointwise,
    SteerableConv,
    harmonic,
    kernel_basis,
)
from eqcourse.nn.steerable import circular_waves, kernel_error, plane_vectors
from eqcourse.representations import from_generators
from eqcourse.solvers import intertwiner_dimension

C4, D4, C16 = CyclicGroup(4), DihedralGroup(4), CyclicGroup(16)


def rank(kernels):
    return int(torch.linalg.matrix_rank(kernels.flatten(1)))


def by_hand(rho_in, rho_out, size):
    """All solutions of the constraint, from one large system of equations, without representations of functions."""
    group = rho_in.group
    n = rho_out.dim * rho_in.dim * size * size
    units = torch.eye(n, dtype=torch.float64).reshape(n, rho_out.dim, rho_in.dim, size, size)
    equations = []
    for g in group.generators:
        turns, mirrored = (g, 0) if isinstance(group, CyclicGroup) else g
        # k(gu) at u is the image of k under g⁻¹: undo the turns, then the mirror.
        at_gu = units.rot90(-turns * 4 // group.n, (-2, -1))
        at_gu = at_gu.flip(-1) if mirrored else at_gu
        back = torch.linalg.inv(rho_in.matrix(g))
        right = torch.einsum("op,npihw,ij->nojhw", rho_out.matrix(g), units, back)
        equations.append((at_gu - right).reshape(n, n).T)
    singular = torch.linalg.svdvals(torch.cat(equations))
    return int((singular < 1e-9).sum())


@pytest.mark.parametrize(
    ("group", "rho_in", "rho_out", "expected"),
    [
        (C4, "regular", "regular", 100),
        (C4, "trivial", "regular", 25),
        (C4, "trivial", "trivial", 7),
        (D4, "trivial", "trivial", 6),
        (D4, "trivial", "regular", 25),
        (D4, "regular", "regular", 200),
    ],
)
def test_no_kernel_is_missing_at_5_by_5(group, rho_in, rho_out, expected):
    basis = kernel_basis(getattr(group, rho_in)(), getattr(group, rho_out)(), 5)
    assert (len(basis), rank(basis)) == (expected, expected)


@pytest.mark.parametrize(
    "group", [CyclicGroup(1), CyclicGroup(2), C4, DihedralGroup(1), DihedralGroup(2), D4], ids=repr
)
def test_pixel_kernels_are_all_solutions_of_the_constraint(group):
    """Independent route: the null space of the written-out constraint has the same dimension, and each kernel obeys it."""
    fields = [group.trivial(), group.defining(), group.regular()]
    for rho_in in fields:
        for rho_out in fields:
            if rho_in.dim * rho_out.dim > 16:
                continue
            basis = kernel_basis(rho_in, rho_out, 3)
            assert len(basis) == rank(basis) == by_hand(rho_in, rho_out, 3)
            for g in group.elements():
                assert all(kernel_error(k, rho_in, rho_out, g) < 1e-9 for k in basis)


@pytest.mark.parametrize(
    ("group", "m", "n", "expected"),
    [
        (SO(2), 0, 0, 1),
        (SO(2), 0, 2, 2),
        (SO(2), 1, 3, 4),
        (O(2), 0, 0, 1),
        (O(2), 0, 2, 1),
        (O(2), 1, 3, 2),
    ],
)
def test_kernels_of_each_ring(group, m, n, expected):
    """On one ring that carries all frequencies up to m + n, the theory's number of kernels (Weiler and Cesa 2019, table 8)."""
    a, b = harmonic(group, m), harmonic(group, n)
    found = sum(intertwiner_dimension(harmonic(group, k) * a, b) for k in range(m + n + 1))
    assert found == expected
    # The ring of radius 3 carries frequencies up to 6, those of radius 0, 1 and 2 up to 0, 2 and 4.
    basis = kernel_basis(a, b, 7)
    assert len(basis) == rank(basis)
    frequencies = {abs(m - n), m + n}
    per_ring = expected // len(frequencies)
    assert len(basis) == sum(per_ring for radius in range(4) for k in frequencies if k <= 2 * radius)


def test_no_kernel_leads_from_a_sign_to_the_trivial_field():
    assert len(kernel_basis(O(2).sign(), O(2).trivial(), 7)) == 0
    with pytest.raises(ValueError, match="no kernel but zero"):
        SteerableConv(O(2).sign(), O(2).trivial(), 1, 1, 5)


@pytest.mark.parametrize(
    "group", [CyclicGroup(3), CyclicGroup(8), DihedralGroup(5), DihedralGroup(8), SO(2), O(2)], ids=repr
)
@pytest.mark.parametrize("frequency", range(4))
def test_waves_are_mixed_by_their_representation(group, frequency):
    """f(gu) = ρ_m(g) f(u) at random points of the plane."""
    u = torch.randn(2, 7, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    for seed in range(5):
        g = group.sample(seed)
        moved = group.defining().matrix(g) @ u
        torch.testing.assert_close(
            circular_waves(moved, frequency), harmonic(group, frequency).matrix(g) @ circular_waves(u, frequency)
        )


def test_vectors_of_the_plane_turn_as_pixels_do():
    """A turn or mirror of the pixel grid moves the (up, left) vector of each pixel as ``defining()`` says."""
    for group in (C4, D4):
        pixels, plane = group.on_grid(5, 5), group.defining()
        u = plane_vectors(5)
        for g in group.elements():
            # At the place that a pixel goes to stands the vector that g makes of its own.
            torch.testing.assert_close(pixels.act(group.inverse(g), u), torch.einsum("ij,jhw->ihw", plane.matrix(g), u))


@pytest.mark.parametrize("group", [C4, D4], ids=repr)
def test_ring_kernels_obey_the_constraint_too_and_are_among_all_solutions(group):
    for rho_in, rho_out in [(group.trivial(), group.regular()), (group.defining(), group.regular())]:
        everything = kernel_basis(rho_in, rho_out, 5)
        rings = kernel_basis(rho_in, rho_out, 5, frequency=4)
        assert len(rings) == rank(rings) < len(everything)
        assert rank(torch.cat([everything, rings])) == len(everything)
        assert all(kernel_error(k, rho_in, rho_out, g) < 1e-9 for k in rings for g in group.generators)


def layers(group):
    V, R, one = group.defining(), group.regular(), group.trivial()
    return [
        SteerableConv(one, R, 2, 3, 5, generator=0, dtype=torch.float64),
        SteerableConv(R, V, 2, 3, 5, generator=0, dtype=torch.float64),
        SteerableConv(V, V, 2, 3, 5, frequency=3, generator=0, dtype=torch.float64),
        LiftingConv(group, 2, 3, 5, generator=0, dtype=torch.float64),
        GroupConv(group, 2, 3, 3, generator=0, dtype=torch.float64),
        AtEachPixel(EquivariantLinear(R, V, 2, 3, generator=0, dtype=torch.float64)),
        AtEachPixel(Pointwise(torch.tanh, R)),
        AtEachPixel(NormNonlinearity(V, 2, dtype=torch.float64)),
        MeanOverPixels(V),
        FieldBatchNorm(R, 2, dtype=torch.float64),
        FieldBatchNorm(one + V, 2, dtype=torch.float64),
        FieldBatchNorm(one + V, 2, dtype=torch.float64).eval(),
    ]


@pytest.mark.parametrize("group", [C4, D4], ids=repr)
@pytest.mark.parametrize("number", range(12))
def test_layers_commute_with_turns_of_image_and_features(group, number):
    layer = layers(group)[number]
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.add_(
                torch.randn(parameter.shape, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
            )
    rho_in = layer.in_type.at(6, 6)
    rho_out = layer.out_type.at(6, 6) if isinstance(layer.out_type, FeatureField) else layer.out_type
    x = torch.randn(2, 2, *rho_in.axes, dtype=torch.float64, generator=torch.Generator().manual_seed(2))
    y = layer(x)
    assert y.abs().max() > 0.01
    for g in group.generators:
        torch.testing.assert_close(layer(rho_in.act(g, x)), rho_out.act(g, y))


@pytest.mark.parametrize("group", [C4, D4], ids=repr)
def test_group_convolutions_reach_all_steerable_kernels(group):
    """One kernel seen from each group element: as many dimensions as the constraint has solutions, and the same ones."""
    for make, rho_in in ((LiftingConv, group.trivial()), (GroupConv, group.regular())):
        layer = make(group, 1, 1, 3, dtype=torch.float64)
        kernels = []
        for place in range(layer.weight.numel()):
            with torch.no_grad():
                layer.weight.zero_().flatten()[place] = 1
                kernels.append(layer.kernel()[0, :, 0])
        reached, all_ = torch.stack(kernels), kernel_basis(rho_in, group.regular(), 3)
        assert rank(reached) == len(all_) == rank(torch.cat([reached, all_]))


def blobs(angle, width):
    """A smooth image, turned: its formula at g⁻¹u, so that nothing is resampled."""
    u = plane_vectors(41)
    c, s = math.cos(angle), math.sin(angle)
    x, y = c * u[0] + s * u[1], -s * u[0] + c * u[1]
    parts = [(1, 5, 0), (-0.7, -3, 6), (0.5, 0, -7)]
    return sum(a * torch.exp(-((x - p) ** 2 + (y - q) ** 2) / (2 * width**2)) for a, p, q in parts)[None, None, None]


def test_an_eighth_of_a_turn_is_followed_better_the_smoother_the_image():
    """Kernels of C_8 and SO(2) are samples of functions that turn exactly; pixel by pixel, those of C_4 do not follow."""
    angle = math.pi / 4
    R = torch.tensor([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]], dtype=torch.float64)

    def error(group, width, frequency=6):
        wave = harmonic(group, 1)
        layer = SteerableConv(group.trivial(), wave, 1, 1, 7, frequency=frequency, generator=0, dtype=torch.float64)
        with torch.no_grad():
            upright, turned = (layer(blobs(a, width))[0, 0, :, 20, 20] for a in (0.0, angle))
        return float((turned - R @ upright).norm() / upright.norm())

    for group in (CyclicGroup(8), SO(2)):
        assert error(group, 4) < 0.01
        assert error(group, 4) < error(group, 2) / 4
    assert error(C4, 4, frequency=None) > 10 * error(SO(2), 4)


def test_batch_norm_of_a_regular_field_is_torchs_with_the_group_as_pixels():
    x = 3 + 2 * torch.randn(4, 2, 4, 5, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    ours = FieldBatchNorm(C4.regular(), 2, dtype=torch.float64)
    theirs = torch.nn.BatchNorm1d(2, affine=False, dtype=torch.float64)
    torch.testing.assert_close(ours(x), theirs(x.flatten(2)).view_as(x))
    for _ in range(200):
        ours(x)
    torch.testing.assert_close(ours.eval()(x), ours.train()(x))


def test_batch_norm_leaves_the_mean_of_vectors():
    """A mean vector is not invariant: subtracting it would break the action. Numbers lose their mean, vectors do not."""
    field = C4.trivial() + C4.defining()
    x = torch.tensor([5.0, 1.0, 2.0], dtype=torch.float64)[None, None, :, None, None].expand(3, 1, 3, 4, 4)
    y = FieldBatchNorm(field, 1, dtype=torch.float64)(x)
    r = math.sqrt((0 + 1 + 4) / 3 + 1e-5)
    torch.testing.assert_close(y[0, 0, :, 0, 0], torch.tensor([0.0, 1 / r, 2 / r], dtype=torch.float64))
    with pytest.raises(ValueError, match="orthogonal"):
        FieldBatchNorm(from_generators(CyclicGroup(2), matrices=[[[1, 1], [0, -1]]]), 1)


def test_a_network_from_image_to_number():
    regular = C4.regular()
    net = EquivariantSequential(
        LiftingConv(C4, 1, 4, 5, generator=0),
        AtEachPixel(Pointwise(torch.relu, regular)),
        GroupConv(C4, 4, 4, 5, generator=1),
        AtEachPixel(Pointwise(torch.relu, regular)),
        MeanOverPixels(regular),
        InvariantPool(regular, "max"),
    )
    x = torch.randn(3, 1, 1, 9, 9, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(net(x.rot90(1, (-2, -1))), net(x))
    assert (net(x)[0] - net(x)[1]).abs().max() > 1e-3
    with pytest.raises(ValueError, match="field of"):
        EquivariantSequential(LiftingConv(C4, 1, 4, 5), LiftingConv(C4, 4, 4, 5))


def test_equivariance_error_finds_it_exact():
    layer = GroupConv(C4, 1, 1, 3, generator=0, dtype=torch.float64)
    rho = layer.in_type.at(5, 5)
    with torch.no_grad():
        found = equivariance_error(lambda x: layer(x[None, None])[0, 0], rho, rho)
    assert found.error < 1e-12


def test_outputs_start_with_variance_one():
    x = torch.randn(200, 3, 8, 9, 9, generator=torch.Generator().manual_seed(0))
    C8 = CyclicGroup(8)
    for layer, inputs in (
        (SteerableConv(C8.regular(), C8.regular(), 3, 20, 5, generator=0), x),
        (LiftingConv(C4, 3, 20, 5, generator=0), x[:, :, :1]),
        (GroupConv(C4, 3, 20, 5, generator=0), x[:, :, :4]),
    ):
        with torch.no_grad():
            assert 0.8 < layer(inputs)[..., 2:-2, 2:-2].var() < 1.2


def test_gradients_state_and_dtypes():
    layer = SteerableConv(C4.trivial(), C4.defining(), 2, 2, 3, generator=0, dtype=torch.float64)
    x = torch.randn(1, 2, 1, 4, 4, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(layer, x)
    other = SteerableConv(C4.trivial(), C4.defining(), 2, 2, 3, dtype=torch.float64)
    other.load_state_dict(layer.state_dict())
    torch.testing.assert_close(other(x), layer(x))
    exact = layer(x)
    assert layer.float()(x.float()).dtype == torch.float32
    layer.weight.data = other.weight.data  # what was rounded and comes back are the weights, never the kernels
    torch.testing.assert_close(layer.double()(x), exact)
    with pytest.raises(RuntimeError, match="this checkpoint is of"):
        GroupConv(C4, 2, 2, 3).load_state_dict(layer.state_dict())


@pytest.mark.parametrize(
    ("call", "error", "said"),
    [
        (lambda: kernel_basis(C4.trivial(), C4.trivial(), 5, frequency=7), ValueError, "size 9 or more"),
        (lambda: kernel_basis(C4.trivial(), C4.trivial(), 5, frequency=7), ValueError, "aliased"),
        (lambda: kernel_basis(C4.trivial(), C4.trivial(), 4), ValueError, "odd size, such as 3 or 5; got 4"),
        (lambda: LiftingConv(C4, 1, 1, 0), ValueError, "odd size, such as 3 or 5; got 0"),
        # No frequency is given, and the fields need more waves than the ring can carry.
        (
            lambda: SteerableConv(SO(2).trivial(), SO(2).irrep(5), 1, 1, 3),
            ValueError,
            r"takes at least 5 round a ring, and a 3 × 3 kernel holds up to 2; more would be aliased.* Take size 7 or more",
        ),
        (lambda: SteerableConv(C16.irrep(8), C16.trivial(), 1, 1, 5), ValueError, r"at least 8 .* Take size 9 or more"),
        (
            lambda: SteerableConv(C4.trivial(), C4.irrep(1), 1, 1, 5, frequency=0),
            ValueError,
            "at least 1 round a ring.* leave out frequency or take 1 or more",
        ),
        (lambda: SteerableConv(O(2).trivial(), O(2).sign(), 1, 1, 5), ValueError, "at any size: take other fields"),
        (
            lambda: SteerableConv(D4.trivial(), D4.sign(), 1, 1, 3),
            ValueError,
            "at size 3: take a larger kernel, or other",
        ),
        (
            lambda: kernel_error(torch.zeros(1, 4, 3, 3), C4.trivial(), C4.regular(), 1),
            ValueError,
            r"shape \(4, 1, size, size\)",
        ),
        (lambda: kernel_error(torch.full((4, 1, 3, 3), torch.nan), C4.trivial(), C4.regular(), 1), ValueError, "NaN"),
        (lambda: kernel_error(torch.zeros(1, 1, 3, 3), C16.trivial(), C16.trivial(), 1), ValueError, "n = 1, 2, 4 do"),
        (lambda: kernel_error(torch.zeros(1, 1, 3, 3), C4.trivial(), D4.trivial(), 1), ValueError, "one group"),
        (
            lambda: kernel_error(torch.zeros(1, 1, 3, 3), C4, C4.trivial(), 1),
            TypeError,
            "kernel_error takes a representation",
        ),
        (lambda: FeatureField(C4), TypeError, "FeatureField takes a representation"),
        (lambda: AtEachPixel(torch.relu), TypeError, "AtEachPixel takes a layer of eqcourse.nn"),
        (lambda: GroupConv(C4, 1, 1, 3)(torch.zeros(1, 1, 4, 0, 5)), ValueError, "at least one pixel"),
        (lambda: kernel_basis(C4.trivial(), C4.trivial(), 5, frequency=1.5), ValueError, "whole number of waves"),
        (lambda: kernel_basis(C4.trivial(), D4.trivial(), 5), ValueError, "one group"),
        (lambda: kernel_basis(SymmetricGroup(3).trivial(), SymmetricGroup(3).trivial(), 5), TypeError, "S_3"),
        (lambda: kernel_basis(SO(3).trivial(), SO(3).trivial(), 5), TypeError, "SO"),
        (lambda: kernel_basis(Order(1), C4.trivial(), 5), TypeError, "takes a representation"),
        (lambda: harmonic(C4, -1), ValueError, "whole number of waves"),
        (lambda: LiftingConv(CyclicGroup(8), 1, 1, 5), ValueError, "SteerableConv"),
        (lambda: GroupConv(C4, 0, 1, 5), ValueError, "positive integer"),
        (lambda: FeatureField(CyclicGroup(8).regular()).at(5, 5), ValueError, "map pixels to pixels"),
        (lambda: GroupConv(C4, 1, 1, 3)(torch.zeros(1, 1, 3, 5, 5)), ValueError, "vectors of R⁴ of C_4"),
        (lambda: GroupConv(C4, 1, 1, 3)(torch.zeros(1, 4, 5, 5)), ValueError, "shape"),
        (lambda: MeanOverPixels(Order(1)), TypeError, "takes a representation"),
    ],
)
def test_bad_input(call, error, said):
    with pytest.raises(error, match=said):
        call()


def test_the_size_that_is_advised_is_the_smallest_that_serves():
    for group, frequency in ((SO(2), 5), (C16, 8), (C16, 3)):
        smallest = next(
            size for size in (1, 3, 5, 7, 9, 11) if len(kernel_basis(group.trivial(), group.irrep(frequency), size))
        )
        with pytest.raises(ValueError, match=f"Take size {smallest} or more"):
            SteerableConv(group.trivial(), group.irrep(frequency), 1, 1, smallest - 2)
    # NumPy's integers are integers.
    assert len(kernel_basis(C16.trivial(), C16.irrep(1), np.int64(3), np.int64(1))) == len(
        kernel_basis(C16.trivial(), C16.irrep(1), 3, 1)
    )
    assert LiftingConv(C4, 1, 1, np.int64(3)).kernel_size == 3


@pytest.mark.gpu
def test_on_a_gpu():
    layer = GroupConv(C4, 2, 3, 3, generator=0, device="cuda")
    x = torch.randn(1, 2, 4, 6, 6)
    torch.testing.assert_close(layer(x.cuda()).cpu(), layer.cpu()(x), rtol=1e-4, atol=1e-4)
