"""Other right answers for the tasks of sheet 11, and what is particular to its checks."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from eqcourse import nn
from eqcourse.checks import find_task, verdict
from eqcourse.solvers import intertwiners
from eqcourse.tasks import sheet_11


def circulant_by_rolling(w):
    return np.stack([np.roll(w, k) for k in range(len(w))], axis=1)


def circulant_by_shifting_lists(w):
    rows = [[w[0], *w[:0:-1]]]
    for _ in w[1:]:
        rows.append([rows[-1][-1], *rows[-1][:-1]])
    return rows


def by_correlation(weights, x):
    """The same maps with the weights in another order, and tensors instead of lists."""
    weights, x = torch.tensor(weights), torch.tensor(x)
    return torch.stack([(weights * x.roll(-i)).sum() for i in range(len(x))])


def by_solver(weights, x):
    rho = find_family("11.layer", len(x)).rho_in
    return intertwiners(rho, rho).expand(torch.tensor(weights, dtype=torch.float64)) @ torch.tensor(x).double()


def by_waves(weights, x):
    """Weights are the real and imaginary parts of the eigenvalues."""
    n = len(x)
    half = n // 2 + 1
    spectrum = np.zeros(half, dtype=complex)
    spectrum += np.array(weights[:half])
    imaginary = weights[half:]
    spectrum[1 : 1 + len(imaginary)] += 1j * np.array(imaginary)
    return np.fft.irfft(spectrum * np.fft.rfft(x), n)


def find_family(task, size):
    families = find_task(task).families(False) + find_task(task).families(True)
    return next(family for family in families if family.rho_in.dim == size)


def error_by_hand(w, x, t, layers):
    n, half = len(x), len(w) // 2

    def layer(signal):
        return [sum(w[k] * signal[i + k - half] for k in range(len(w)) if 0 <= i + k - half < n) for i in range(n)]

    def network(signal):
        for _ in range(layers):
            signal = layer(signal)
        return signal

    def shift(signal):
        return [signal[(i - t) % n] for i in range(n)]

    return [abs(a - b) for a, b in zip(network(shift(x)), shift(network(x)), strict=True)]


def error_by_matrix(w, x, t, layers):
    n, half = len(x), len(w) // 2
    matrix = np.zeros((n, n))
    for k, weight in enumerate(w):
        matrix += weight * np.eye(n, k=k - half)
    network, P = np.linalg.matrix_power(matrix, layers), np.roll(np.eye(n), t, axis=0)
    return np.abs((network @ P - P @ network) @ np.array(x))


def classify_by_thought(letter):
    pulse_at = {
        "B": [1, [0, 0, 0, 0, 0, 0, 0, 1]],
        "D": [1, [1, 0, 0, 0, 0, 0, 0, 0]],
        "F": [1, [1, 0, 0, 0, 0, 0, 0, 0]],
        "H": [1, [1, 0, 0, 0, 0, 0, 0, 0]],
        "J": [1, [0, 0, 0, 0, 0, 0, 0, 1]],
    }
    return ("no", pulse_at[letter]) if letter in pulse_at else ("yes", None)


def classify_at_random(letter):
    f, rho_in, rho_out = sheet_11.setting(letter)
    x = torch.randn(8, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    for g in range(1, rho_in.group.order):
        if not torch.allclose(f(rho_in.act(g, x)), rho_out.act(g, f(x))):
            return ["no", [torch.tensor(g), x.numpy()]]
    return ["yes", None]


def by_numpy(w, x):
    return np.fft.irfft(np.fft.rfft(w, len(x)) * np.fft.rfft(x), len(x))


def by_float32(w, x):
    n = len(x)
    return torch.fft.irfft(torch.fft.rfft(torch.tensor(w).float(), n=n) * torch.fft.rfft(torch.tensor(x).float()), n=n)


def images_by_fft(weights, x):
    return np.fft.ifft2(np.fft.fft2(np.reshape(weights, np.shape(x))) * np.fft.fft2(x)).real


def images_by_layer(weights, x):
    """The library's layer, in its own order of weights and in float32."""
    x = torch.tensor(x)
    layer = nn.CircularConv(1, 1, tuple(x.shape), bias=False)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor(weights).reshape(layer.weight.shape))
        return layer(x.float()[None, None])[0, 0]


RIGHT = {
    "11.circulant": [circulant_by_rolling, circulant_by_shifting_lists],
    "11.layer": [by_correlation, by_solver, by_waves],
    "11.padding": [error_by_hand, error_by_matrix],
    "11.stride": [classify_by_thought, classify_at_random],
    "11.fft": [by_numpy, by_float32],
    "11.images": [images_by_fft, images_by_layer],
}


def test_a_right_layer_is_told_what_was_shown():
    result = verdict("11.layer", by_correlation)
    assert "Dimensions reached: 3 of 3, 4 of 4, 5 of 5, 9 of 9." in result.message
    assert "cross-correlation" in result.message


def test_the_dimension_is_that_of_the_solver():
    for task in ("11.layer", "11.images"):
        for hidden in (False, True):
            for family in find_task(task).families(hidden):
                assert family.dimension == family.weights == intertwiners(family.rho_in, family.rho_in).dim


def short_kernel(weights, x):
    """A kernel of three: equivariant, and not all maps."""
    n = len(x)
    return [sum(weights[k] * x[(i - k) % n] for k in range(min(3, n))) for i in range(n)]


def short_centred_kernel(weights, x):
    n = len(x)
    return [sum(weights[k] * x[(i + k - 1) % n] for k in range(min(3, n))) for i in range(n)]


def error_with(padding=None, most=None):
    """The right network but for one number that was typed in."""

    def error(w, x, t, layers):
        kernel, signal = torch.tensor(w).double(), torch.tensor(x).double()

        def network(signal):
            for _ in range(layers if most is None else min(layers, most)):
                zeros = len(w) // 2 if padding is None else padding
                signal = torch.nn.functional.conv1d(signal[None, None], kernel[None, None], padding=zeros)[0, 0]
            return signal

        return (network(signal.roll(t)) - network(signal).roll(t)).abs()

    return error


def memory_by_length(w, x, t, layers):
    known = {len(case[1]): error_by_hand(*case) for case in find_task("11.padding").cases(False)}
    return known.get(len(x), [0] * len(x))


@pytest.mark.parametrize(
    ("task", "answer", "misconception"),
    [
        ("11.layer", lambda w, x: [0.0] * len(x), "the zero layer"),
        ("11.layer", lambda w, x: x, None),  # the identity without weights is not linear in them
        ("11.layer", lambda w, x: [w[0] * value for value in x], "the identity layer"),
        ("11.layer", short_kernel, "three weights are enough"),
        ("11.layer", short_centred_kernel, "three weights around the middle"),
        ("11.layer", lambda w, x: [value * w[0] for value in by_correlation(w, x).tolist()], None),
        ("11.layer", lambda w, x: [value**2 for value in by_correlation(w, x).tolist()], None),
        ("11.layer", lambda w, x: [float("nan")] * len(x), None),
        ("11.layer", lambda w, x: by_correlation(w, x).tolist()[:1], None),
        ("11.images", lambda w, x: [[0.0] * len(row) for row in x], "the zero layer"),
        ("11.images", lambda w, x: x, None),
        ("11.images", lambda w, x: [[w[0] * value for value in row] for row in x], None),
        ("11.images", lambda w, x: sheet_11.image_layer(sheet_11._both_axes)(w[:1] * len(w), x), None),
        ("11.padding", lambda w, x, t, layers: [0] * len(x), "CNNs are always equivariant"),
        (
            "11.padding",
            lambda w, x, t, layers: sheet_11.padding_error(sheet_11._on_the_ring)(w, x, t, layers),
            "CNNs are",
        ),
        ("11.padding", lambda w, x, t, layers: error_by_hand(w, x, t, layers)[:-1], None),
        ("11.padding", lambda w, x, t, layers: max(error_by_hand(w, x, t, layers)), None),
        ("11.padding", error_with(padding=1), None),
        ("11.padding", error_with(most=2), None),
        ("11.padding", memory_by_length, None),
        ("11.fft", lambda w, x: x, None),
        ("11.fft", lambda w, x: [sum(x)] * len(x), None),
        ("11.fft", lambda w, x: np.fft.ifft(np.fft.fft(w, len(x)) * np.fft.fft(x)), None),  # complex
        ("11.fft", lambda w, x: np.fft.ifft(np.conj(np.fft.fft(w, len(x))) * np.fft.fft(x)).real, "conv1d is"),
        ("11.stride", lambda letter: ["yes", None], "CNNs are always equivariant"),
        ("11.stride", lambda letter: ["no", [0, [1] * 8]], None),
        ("11.stride", lambda letter: ["no", None], None),
        ("11.stride", lambda letter: ["no", [1, [1, 2, 3]]], None),
        ("11.stride", lambda letter: ["no", [1, [float("nan")] * 8]], None),
        ("11.stride", lambda letter: "yes", None),
        ("11.stride", lambda letter: [sheet_11.classify(letter)[0], [1, [1] + 7 * [0]]], None),
        ("11.circulant", lambda w: [[0] * len(w) for _ in w], None),
        ("11.circulant", lambda w: [list(w)], None),
    ],
)
def test_lazy_and_clever_answers_do_not_pass(task, answer, misconception):
    for hidden in (False, True):
        result = verdict(task, answer, hidden)
        assert result.status == "not yet", result
        if misconception is None:
            assert result.misconception is None, result
        else:
            assert result.misconception is not None, result
            assert result.misconception.startswith(misconception)


def test_answers_for_the_open_cases_only_do_not_pass():
    for task in ("11.padding", "11.fft", "11.circulant"):
        found = find_task(task)
        known = [(args, found.reference(*args)) for args in found.cases(False)]

        def memorised(*args, known=known):
            return next((answer for case, answer in known if case == args), known[0][1])

        assert verdict(task, memorised).status == "passed"
        assert verdict(task, memorised, hidden=True).status == "not yet"


def test_a_typed_in_padding_is_explained():
    assert "needs ⌊1/2⌋ = 0 zeros beyond each end" in verdict("11.padding", error_with(padding=1)).message
    assert "needs ⌊5/2⌋ = 2 zeros" in verdict("11.padding", error_with(padding=1), hidden=True).message


def test_transforms_of_different_lengths_are_explained():
    for answer in (
        lambda w, x: torch.fft.ifft(torch.fft.fft(torch.tensor(w)) * torch.fft.fft(torch.tensor(x))).real,
        lambda w, x: np.fft.ifft(np.fft.fft(w) * np.fft.fft(x)).real,
    ):
        result = verdict("11.fft", answer)
        assert result.status == "error"
        assert "fill the kernel up to N numbers" in result.message
    other = verdict("11.fft", lambda w, x: x[99])
    assert (other.status, "up to N numbers" in other.message) == ("error", False)


def test_products_of_weights_are_not_taken_for_the_zero_layer():
    """A kernel for the rows times a kernel for the columns: equivariant for each choice, not linear in the weights."""

    def separable(weights, x):
        height, width = np.shape(x)
        spectrum = np.outer(np.fft.fft(weights[:height]), np.fft.fft(weights[height : height + width], width))
        return np.fft.ifft2(spectrum * np.fft.fft2(x)).real

    result = verdict("11.images", separable)
    assert (result.status, result.misconception) == ("not yet", None)
    assert "linear in its weights" in result.message


@pytest.mark.parametrize(
    ("witness", "status", "said"),
    [
        ([1, [1e-13] + 7 * [0]], "passed", ""),
        ([1, [1e300] + 7 * [0]], "passed", ""),
        ([9, [1] + 7 * [0]], "passed", ""),
        ([1.0, [1] + 7 * [0]], "not yet", "of type int; got 1.0"),
        ([True, [1] + 7 * [0]], "not yet", "of type int; got True"),
        ([1, 8 * [0]], "not yet", "Right: 9 of 10 (10 without the witnesses)"),
        ([1, [1, 2, 3]], "not yet", "a list of 8 finite numbers"),
    ],
)
def test_witnesses(witness, status, said):
    result = verdict("11.stride", lambda letter: ["no", witness] if letter == "D" else sheet_11.classify(letter))
    assert result.status == status
    assert said in result.message


def test_a_changed_input_is_reported():
    def answer(w, x):
        w.extend([0] * (len(x) - len(w)))
        return by_numpy(w, x)

    assert "changed its input" in verdict("11.fft", answer).message


def test_complex_answers_are_explained():
    result = verdict("11.fft", lambda w, x: np.fft.ifft(np.fft.fft(w, len(x)) * np.fft.fft(x)))
    assert "Return the real part" in result.message


def test_settings_are_what_their_names_say():
    """Pulses show the kernels, and each action is one: after all its elements nothing has moved."""
    pulse = torch.eye(8, dtype=torch.float64)
    assert sheet_11.LAYERS["circular convolution"](pulse[7]).tolist() == [2, 4, 0, 0, 0, 0, 0, 1]
    assert sheet_11.LAYERS["convolution with zero padding"](pulse[7]).tolist() == [0, 0, 0, 0, 0, 0, 0, 1]
    for letter in sheet_11.SETTINGS:
        f, rho_in, rho_out = sheet_11.setting(letter)
        assert rho_in.group == rho_out.group
        assert tuple(f(pulse[0]).shape) == rho_out.axes
        order = rho_in.group.order
        for rho in (rho_in, rho_out):
            assert torch.equal(torch.linalg.matrix_power(rho.matrix(1), order), torch.eye(rho.dim, dtype=torch.float64))
            assert torch.equal(rho.matrix(order - 1) @ rho.matrix(1), torch.eye(rho.dim, dtype=torch.float64))
