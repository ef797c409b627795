"""The equivariance error, its evidence, the counterexample, and averaging over a group."""

from __future__ import annotations

import itertools
import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from eqcourse.equivariance import assert_action, assert_equivariant, equivariance_error, group_average
from eqcourse.groups import (
    SO,
    CyclicGroup,
    DihedralGroup,
    DirectProduct,
    Lorentz,
    O,
    ReflectionGroup,
    SymmetricGroup,
)
from eqcourse.representations import MatrixRepresentation, outer

S3 = SymmetricGroup(3)
V = S3.defining()
DOUBLE = torch.float64


def linear(matrix):
    return lambda x: torch.as_tensor(matrix, dtype=DOUBLE) @ x


# ---- right verdicts, by an independent route -------------------------------------------------------------------------


@given(st.lists(st.integers(-3, 3), min_size=9, max_size=9))
@settings(max_examples=50, deadline=None)
def test_linear_maps_against_commuting_matrices(entries):
    """W is equivariant exactly if it commutes with all permutation matrices."""
    W = torch.tensor(entries, dtype=DOUBLE).reshape(3, 3)
    matrices = [torch.eye(3, dtype=DOUBLE)[list(p)] for p in itertools.permutations(range(3))]
    commutes = all(torch.equal(W @ P, P @ W) for P in matrices)
    result = equivariance_error(lambda x: W @ x, V, V, linear=True)
    assert result.passed == commutes
    assert result.evidence.proof


@pytest.mark.parametrize(
    ("f", "rho_in", "rho_out", "passes"),
    [
        (torch.relu, V, V, True),
        (lambda x: x.sort().values, V, V, False),
        (lambda x: x.sort().values, V, S3.trivial(3), True),
        (torch.tanh, ReflectionGroup().sign(), ReflectionGroup().sign(), True),
        (torch.relu, ReflectionGroup().sign(), ReflectionGroup().sign(), False),
        (torch.square, ReflectionGroup().sign(), ReflectionGroup().trivial(), True),
        (lambda x: x.roll(1), CyclicGroup(5).regular(), CyclicGroup(5).regular(), True),
        (lambda x: x.flip(0), CyclicGroup(5).regular(), CyclicGroup(5).regular(), False),
        (lambda x: x * x.norm(), SO(3).defining(), SO(3).defining(), True),
        (torch.relu, SO(3).defining(), SO(3).defining(), False),
        (lambda x: x.T, V**2, V**2, True),
        (lambda x: x.triu(), V**2, V**2, False),
        (lambda x: x[0] ** 2 - x[1:].square().sum(), Lorentz().defining(), Lorentz().trivial() ** 0, True),
        (lambda x: x.square().sum(), Lorentz().defining(), Lorentz().trivial() ** 0, False),
    ],
)
def test_known_maps(f, rho_in, rho_out, passes):
    assert equivariance_error(f, rho_in, rho_out).passed == passes


def test_the_cross_product_tells_rotations_from_reflections():
    """a × b is a vector for SO(3) and a pseudovector for O(3)."""

    def cross(x):
        return torch.linalg.cross(x[:3], x[3:])

    for G, passes in [(SO(3), True), (O(3), False)]:
        vector = G.defining()
        assert equivariance_error(cross, 2 * vector, vector).passed == passes
    vector = O(3).defining()
    assert equivariance_error(cross, 2 * vector, (vector * O(3).sign()).flatten()).passed


def test_a_swap_misses_what_the_other_generator_finds():
    f = lambda x: torch.cat([x[:2].mean().expand(2), x[2:]])  # noqa: E731
    swap = S3.generators[0]
    x = torch.tensor([1.0, 5.0, 7.0])
    assert torch.equal(f(V.act(swap, x)), V.act(swap, f(x)))
    assert not equivariance_error(f, V, V, elements="generators").passed  # the cycle finds it


def test_complex_outputs():
    shift = CyclicGroup(6).regular()
    # The DFT turns a shift into a phase, so its modulus is invariant and the DFT itself is not.
    assert equivariance_error(lambda x: torch.fft.fft(x).abs(), shift, CyclicGroup(6).trivial(6)).passed
    assert not equivariance_error(torch.fft.fft, shift, CyclicGroup(6).trivial(6)).passed


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_complex_inputs_keep_their_imaginary_part(dtype):
    shift = CyclicGroup(3).regular()
    x = [[1 + 2j, 3j, -1]]
    assert equivariance_error(lambda x: x * x.roll(1), shift, shift, inputs=x, dtype=dtype).passed
    # Sorting by the real part is right, the first imaginary part is not moved.
    assert not equivariance_error(lambda x: x.imag[:1], shift, CyclicGroup(3).trivial(), inputs=x, dtype=dtype).passed


def test_leading_axes():
    f = lambda x: x.sum(0, keepdim=True) + x.sum(-1, keepdim=True)  # noqa: E731
    assert equivariance_error(f, V, V, leading=(4,)).passed
    assert not equivariance_error(lambda x: x.cumsum(-1), V, V, leading=(4,)).passed


def test_float32_maps_get_their_own_tolerance():
    f = lambda x: x.norm().reshape(1)  # noqa: E731
    result = equivariance_error(f, SO(3).defining(), SO(3).trivial(), dtype=torch.float32)
    assert result.passed
    assert 1e-9 < result.error < result.tolerance == 1e-3  # more than double precision allows
    assert equivariance_error(f, SO(3).defining(), SO(3).trivial()).error < 1e-9


def test_rounding_noise_is_not_taken_for_a_failure():
    """The average of a sum that cancels is about 1e-17, in another order of terms about -1e-17."""
    noise = group_average(lambda x: x[:1] - x[1:2], V, S3.trivial())
    assert equivariance_error(noise, V, S3.trivial()).passed


def test_a_small_output_is_still_judged():
    full, small = (equivariance_error(lambda x, s=s: s * x.cumsum(0), V, V) for s in (1, 1e-4))
    assert not small.passed
    assert float(small) == pytest.approx(float(full))  # relative to the outputs, not to the inputs


# ---- evidence -----------------------------------------------------------------------------------------------------------


def test_evidence_names_both_sides():
    small = equivariance_error(torch.relu, V, V)
    assert (small.evidence.elements, small.evidence.proof) == ("all 6", False)
    assert small.evidence.inputs == "16 sampled (a test, not a proof)"
    large = SymmetricGroup(12).defining()
    assert equivariance_error(torch.relu, large, large).evidence.elements == (
        "generators (both actions checked on 50 sampled elements × 2 generators) and 8 sampled"
    )
    assert equivariance_error(lambda x: x, large, large, linear=True).evidence.proof
    assert not equivariance_error(lambda x: x, large, large, linear=True, elements=5).evidence.proof
    assert equivariance_error(torch.relu, V, V, elements=5).evidence.elements == "5 sampled"
    assert (
        equivariance_error(torch.relu, V, V, inputs=[[1.0, 2.0, 3.0]]).evidence.inputs
        == "1 given (a test, not a proof)"
    )
    lie = equivariance_error(torch.relu, O(3).defining(), O(3).defining()).evidence.elements
    assert lie == "1 discrete generators, 3 exponentials of the Lie algebra, 8 sampled"


def test_sampled_inputs_can_miss_a_failure():
    f = lambda x: torch.where(x[:1] > 1e6, 3 * x, 2 * x)  # noqa: E731
    assert equivariance_error(f, V, V).passed
    assert not equivariance_error(f, V, V, inputs=[[2e6, 1.0, 3.0]]).passed


def test_generators_count_only_for_verified_actions():
    """A wrong representation is found before its generators are taken as evidence."""
    G = SO(2)
    wrong = MatrixRepresentation(G, 2, lambda g: g @ g @ g.mT.abs(), lambda A: A)
    for rho_in, rho_out in [(wrong, G.defining()), (G.defining(), wrong)]:
        with pytest.raises(ValueError, match="not a representation"):
            equivariance_error(lambda x: x, rho_in, rho_out)


def test_a_linear_map_that_is_only_invariant_under_the_discrete_part_fails_on_the_algebra():
    f = linear(torch.diag(torch.tensor([1.0, 2.0, 2.0])))  # commutes with the reflection of the first axis
    reflection = O(3).generators[0]
    assert torch.equal(f(reflection @ torch.ones(3).double()), reflection @ f(torch.ones(3).double()))
    assert not equivariance_error(f, O(3).defining(), O(3).defining(), linear=True).passed
    with pytest.raises(AssertionError, match="not equivariant"):
        assert_equivariant(f, O(3).defining(), O(3).defining(), linear=True)


@pytest.mark.parametrize("linear", [False, True])
def test_a_map_that_only_the_discrete_part_breaks_fails(linear):
    """A vector and a pseudovector differ under reflections alone: no rotation, and no algebra, tells them apart."""
    vector, pseudovector = O(3).defining(), (O(3).defining() * O(3).sign()).flatten()
    result = equivariance_error(lambda x: x, vector, pseudovector, linear=linear)
    assert torch.equal(result.counterexample.element, O(3).generators[0])


def test_a_lie_group_is_tried_on_all_that_the_evidence_names():
    calls = []
    rho = O(3).defining()
    equivariance_error(lambda x: calls.append(x) or x, rho, rho, samples=2)
    assert len(calls) == 2 * (1 + 1 + 3 + 8)  # x itself, generators, exponentials, samples


def test_a_failure_on_the_algebra_is_shown_on_an_element():
    f = linear(torch.diag(torch.tensor([1.0, 2.0, 3.0])))
    result = equivariance_error(f, SO(3).defining(), SO(3).defining(), linear=True)  # SO(3) has no discrete generators
    found = result.counterexample
    assert torch.equal(found.moved_input, found.element @ found.input)
    assert torch.equal(found.map_after_action, f(found.moved_input))
    assert torch.equal(found.action_after_map, found.element @ f(found.input))
    assert found.error > 0.01


def test_a_constant_output_is_pointed_out():
    result = equivariance_error(lambda x: torch.ones(1), V, S3.trivial())
    assert result.passed
    assert result.constant
    assert "constant passes every invariance test" in repr(result)
    assert not equivariance_error(lambda x: x.sum(0, keepdim=True), V, S3.trivial()).constant


def test_an_error_below_the_tolerance_prints_alike_on_every_machine():
    assert repr(equivariance_error(lambda x: x - x.mean(), V, V)).startswith("equivariance error ≤ 1e-09 (")


def test_the_same_seed_gives_the_same_result():
    state = torch.get_rng_state()
    results = [float(equivariance_error(lambda x: x.cumsum(0) ** 2, V, V, seed=3)) for _ in range(2)]
    assert results[0] == results[1]
    assert torch.equal(torch.get_rng_state(), state), "the global random state was touched"


# ---- the counterexample ---------------------------------------------------------------------------------------------------


def test_the_counterexample_is_real_and_small():
    result = equivariance_error(lambda x: x.cumsum(0), V, V)
    found = result.counterexample
    assert found.input.tolist() == [10, 20, 30]
    assert found.element.tolist() == [1, 0, 2]
    assert torch.equal(found.moved_input, V.act(found.element, found.input))
    assert torch.equal(found.map_after_action, found.moved_input.cumsum(0))
    assert torch.equal(found.action_after_map, V.act(found.element, found.input.cumsum(0)))


# ---- bad input -------------------------------------------------------------------------------------------------------------


def test_bad_input_is_explained():
    S4 = SymmetricGroup(4).defining()
    with pytest.raises(ValueError, match="actions of one group, got R³ of S_3 and R⁴ of S_4"):
        equivariance_error(lambda x: x, V, S4)
    with pytest.raises(ValueError, match=r"shape \(2,\), but R³ of S_3 needs trailing shape \(3,\)"):
        equivariance_error(lambda x: x[:2], V, V)
    with pytest.raises(ValueError, match="keepdim=True"):
        equivariance_error(lambda x: x.sum(), V, S3.trivial())
    with pytest.raises(ValueError, match="f returned NaN or infinity for x = "):
        equivariance_error(lambda x: x / 0, V, V)
    with pytest.raises(ValueError, match="input number 1 contains NaN"):
        equivariance_error(lambda x: x, V, V, inputs=[[1, 2, 3], [1, math.nan, 2]])
    with pytest.raises(ValueError, match=r"input number 0 has shape \(4,\)"):
        equivariance_error(lambda x: x, V, V, inputs=[[1, 2, 3, 4]])
    with pytest.raises(ValueError, match="f is not linear"):
        equivariance_error(torch.square, V, V, linear=True)
    with pytest.raises(ValueError, match="leave out inputs"):
        equivariance_error(lambda x: x, V, V, linear=True, inputs=[[1.0, 2.0, 3.0]])
    with pytest.raises(ValueError, match="elements is"):
        equivariance_error(torch.square, V, V, elements="some")
    with pytest.raises(ValueError, match="at least 1"):
        equivariance_error(torch.square, V, V, samples=0)
    with pytest.raises(ValueError, match="inputs is empty"):
        equivariance_error(torch.square, V, V, inputs=[])
    with pytest.raises(ValueError, match=r"torch\.bfloat16; got dtype=torch\.int64"):
        equivariance_error(torch.square, V, V, dtype=torch.int64)
    with pytest.raises(TypeError, match=r"f has to return an array of numbers; it returned None\. Is there a return\?"):
        equivariance_error(lambda x: None, V, V)
    with pytest.raises(TypeError, match="it returned 'yes'"):
        group_average(lambda x: "yes", V, V)(torch.ones(3))
    with pytest.raises(ValueError, match="at least 1; got 0"):
        group_average(torch.square, V, V, samples=0)


def test_tolerance_zero_asks_for_equality():
    assert equivariance_error(lambda x: 2 * x, V, V, tolerance=0).passed
    assert not equivariance_error(lambda x: x + 1e-12 * x.cumsum(0), V, V, tolerance=0).passed


def test_the_map_may_change_its_input():
    """An in-place map does not spoil the comparison."""
    assert equivariance_error(lambda x: x.mul_(2), V, V).passed


# ---- actions ----------------------------------------------------------------------------------------------------------------


def test_assert_action():
    x = [torch.tensor([10, 20, 30])]
    assert assert_action(S3, V.act, x) == "all 36 pairs of elements, on 1 input"
    with pytest.raises(AssertionError, match="identity changes x"):
        assert_action(S3, lambda g, v: torch.zeros(3), x)
    with pytest.raises(AssertionError, match=r"differs from \(gh\)▷x"):
        assert_action(S3, lambda g, v: v[g], x)
    # Shifts commute, so that the wrong direction is an action as well.
    assert assert_action(CyclicGroup(5), lambda t, v: v.roll(-t), [torch.arange(5)])
    big = SymmetricGroup(7).defining()
    assert assert_action(big.group, big.act, [torch.arange(7)]) == "24 sampled elements × 2 generators, on 1 input"
    vectors = [torch.tensor([1.0, 2, 3]), torch.tensor([1j, 2, 3])]  # of single precision, so that rounding shows
    said = assert_action(SO(3), SO(3).defining().act, vectors)
    assert said == "24 sampled elements × 1 sampled element, on 2 inputs"
    with pytest.raises(AssertionError, match="identity changes x"):  # the imaginary part counts
        assert_action(S3, lambda g, v: v.real, [torch.tensor([1j, 2, 3])])
    with pytest.raises(ValueError, match="inputs is empty"):
        assert_action(S3, V.act, [])
    with pytest.raises(ValueError, match="input number 0 contains NaN"):
        assert_action(S3, V.act, [[math.nan, 1.0, 2.0]])
    with pytest.raises(
        TypeError, match=r"act has to return an array of numbers; it returned None\. Is there a return\?"
    ):
        assert_action(S3, lambda g, v: None, x)


# ---- averaging ---------------------------------------------------------------------------------------------------------------


def test_average_of_a_matrix_is_the_projection_with_known_trace():
    """Averaging W over S_N gives a·1 + b·11ᵀ with the same trace and the same sum of entries."""
    for n in (2, 3, 4):
        rho = SymmetricGroup(n).defining()
        W = torch.randn(n, n, dtype=DOUBLE, generator=torch.Generator().manual_seed(n))
        averaged = group_average(lambda x, W=W: W @ x, rho, rho)
        matrix = torch.stack([averaged(e) for e in torch.eye(n, dtype=DOUBLE)], dim=1)
        off = (W.sum() - W.trace()) / (n * (n - 1))
        expected = torch.full((n, n), off.item(), dtype=DOUBLE).fill_diagonal_(W.trace().item() / n)
        assert torch.allclose(matrix, expected)


def test_averaging_twice_changes_nothing():
    once = group_average(lambda x: x.cumsum(0) ** 2, V, V)
    twice = group_average(once, V, V)
    x = torch.tensor([1.0, 4.0, -2.0], dtype=DOUBLE)
    assert torch.allclose(once(x), twice(x))


@pytest.mark.parametrize("G", [SO(2), O(2), SO(3), O(3)])
def test_quadrature_against_the_closed_form(G):
    """Over O(n) and SO(3), W averages to trace(W)/n · 1; over SO(2) its antisymmetric part stays too."""
    n = G.n
    W = torch.randn(n, n, dtype=DOUBLE, generator=torch.Generator().manual_seed(1))
    averaged = group_average(lambda x: W @ x, G.defining(), G.defining())
    matrix = torch.stack([averaged(e) for e in torch.eye(n, dtype=DOUBLE)], dim=1)
    expected = torch.eye(n, dtype=DOUBLE) * W.trace() / n
    if SO(2) == G:
        expected += (W - W.T) / 2
    assert torch.allclose(matrix, expected, atol=1e-12)
    assert averaged.how.startswith("quadrature")


@pytest.mark.parametrize("k", range(1, 9))
def test_quadrature_in_space_is_exact_below_its_frequency(k):
    """The mean of (u·gx)^k over rotations g of unit vectors is 0 for odd k and 1/(k + 1) for even k."""
    u = torch.nn.functional.normalize(torch.tensor([2.0, -3.0, 6.0], dtype=DOUBLE), dim=0)
    averaged = group_average(lambda x: (u @ x).reshape(1) ** k, SO(3).defining(), SO(3).trivial())
    mean = averaged(torch.tensor([0.6, 0.0, 0.8], dtype=DOUBLE)).item()
    assert (abs(mean - (0 if k % 2 else 1 / (k + 1))) < 1e-12) == (k < 8)


@pytest.mark.parametrize("k", [1, 2, 16, 31, 32])
def test_quadrature_in_the_plane_is_exact_below_its_frequency(k):
    f = lambda x: torch.cos(k * torch.atan2(x[1:], x[:1]))  # noqa: E731
    averaged = group_average(f, SO(2).defining(), SO(2).trivial())
    mean = averaged(torch.tensor([math.cos(0.3), math.sin(0.3)], dtype=DOUBLE)).item()
    assert (abs(mean) < 1e-12) == (k < 32)


def test_average_makes_nonlinear_maps_equivariant():
    for rho in (V, DihedralGroup(4).on_vertices(), CyclicGroup(5).regular()):
        n = rho.dim
        W = torch.randn(n, n, dtype=DOUBLE, generator=torch.Generator().manual_seed(n))
        network = lambda x, W=W: torch.tanh(W @ x) + x.cumsum(0)  # noqa: E731
        assert not equivariance_error(network, rho, rho).passed
        assert equivariance_error(group_average(network, rho, rho), rho, rho).passed


def test_average_by_samples_is_called_approximate():
    rho = SymmetricGroup(12).defining()
    f = group_average(lambda x: x[:1], rho, rho.group.trivial(), samples=400, seed=0)
    assert f.how == "approximate: 400 samples"
    x = torch.arange(12.0, dtype=DOUBLE)
    # The mean of 400 draws from 0..11 has standard error 3.45 / 20.
    assert abs(f(x).item() - x.mean().item()) < 4 * 3.45 / 20


def test_averages_that_do_not_exist_are_refused():
    with pytest.raises(ValueError, match="not compact"):
        group_average(lambda x: x, Lorentz().defining(), Lorentz().defining())
    mixed = DirectProduct(S3, Lorentz())
    with pytest.raises(ValueError, match="not compact"):
        group_average(lambda x: x, mixed.trivial(), mixed.trivial())
    big = SymmetricGroup(30).defining()
    with pytest.raises(ValueError, match="samples=1000"):
        group_average(lambda x: x, big, big)
    with pytest.raises(ValueError, match="one group"):
        group_average(lambda x: x, V, big)


def test_products_of_groups():
    table = outer(S3.defining(), CyclicGroup(4).regular())
    assert equivariance_error(lambda x: x + x.mean(0, keepdim=True) + x.roll(1, 1), table, table).passed
    assert not equivariance_error(lambda x: x + x.roll(1, 0), table, table).passed


@pytest.mark.parametrize(
    ("rho_in", "rho_out", "named"), [("ab", V, "rho_in"), (V, V.group, "rho_out"), (None, V, "rho_in")]
)
def test_what_is_no_representation(rho_in, rho_out, named):
    with pytest.raises(TypeError, match=f"{named} is a representation, such as"):
        equivariance_error(torch.relu, rho_in, rho_out)
