"""Other right answers for the tasks of sheet 04, and what is particular to its checks."""

from __future__ import annotations

import copy
import math

import numpy as np
import pytest
import torch

from eqcourse.checks import find_task, verdict
from eqcourse.equivariance import equivariance_error, group_average
from eqcourse.groups import ReflectionGroup
from eqcourse.tasks import sheet_04
from eqcourse.tasks.sheet_04 import named_classifier, named_segmenter

G = ReflectionGroup()


def segment_with_the_library(name, images):
    x = torch.tensor(images)
    grid = G.on_grid(*x.shape[-2:])
    return group_average(named_segmenter(name), grid, grid)(x)


def segment_by_half_turn(name, x):
    """Averaged over the wrong group: a half turn in place of the mirror."""
    f = named_segmenter(name)
    return (f(x) + f(x.flip(-1, -2)).flip(-1, -2)) / 2


def segment_image_by_image(name, images):
    x = torch.tensor(images)
    if x.ndim > 2:
        return [segment_image_by_image(name, image) for image in images]
    back = named_segmenter(name)(torch.tensor([row[::-1] for row in images])).numpy()[:, ::-1]
    return 0.5 * (named_segmenter(name)(x).numpy() + back)


def kernel_by_torch(free):
    free = torch.tensor(free)
    return torch.cat([free, free[..., :1]], -1)


def kernel_in_place(free):
    kernel = np.zeros((len(free), 3))
    for i, (left, middle) in enumerate(free):
        kernel[i, [0, 2]], kernel[i, 1] = left, middle
    return kernel


def mirror_by_representation(g, images):
    x = torch.tensor(images)
    return G.on_grid(*x.shape[-2:]).act(g, x)


def mirror_by_recursion(g, images):
    if isinstance(images[0], list):
        return [mirror_by_recursion(g, part) for part in images]
    return images[::g]


def averaged_with_the_library(name, images):
    x, f = torch.tensor(images), named_classifier(name)
    return group_average(f, G.on_grid(*x.shape[-2:]), G.trivial(f(x).shape[-1]))(x)


def averaged_one_by_one(name, images):
    scores = []
    for image in images:
        both = np.array([image, np.array(image)[:, ::-1].tolist()])
        scores.append(named_classifier(name)(torch.tensor(both)).mean(0).tolist())
    return scores


def kernels_by_places(height, width):
    found = []
    for row in range(height):
        for column in range((width + 1) // 2):
            kernel = np.zeros((height, width))
            kernel[row, column] = kernel[row, width - 1 - column] = 1
            found.append(kernel)
    return found


def kernels_mixed(height, width):
    """Another basis of the same kernels: sums with an invertible matrix of weights."""
    simple = np.array(kernels_by_places(height, width))
    n = len(simple)
    return np.einsum("nm,mhw->nhw", np.tril(np.ones((n, n))) - 3 * np.eye(n), simple)


def kernels_from_null_space(height, width):
    """Kernels with K − mirror K = 0, from a singular value decomposition."""
    eye = np.eye(height * width).reshape(-1, height, width)
    _, sizes, rows = np.linalg.svd((eye - eye[..., ::-1]).reshape(height * width, -1))
    return rows[sizes < 1e-9].reshape(-1, height, width)


def kernels_of_many_sizes(height, width):
    return [10.0 ** (4 * n - 12) * kernel for n, kernel in enumerate(kernels_by_places(height, width))]


def tiny_kernels(height, width):
    return [1e-9 * kernel for kernel in kernels_by_places(height, width)]


def target_by_cases(kind, target, width):
    if kind == "mask":
        return np.array(target)[:, ::-1]
    if kind == "column sums":
        return list(reversed(target))
    if kind == "side":
        return "left" if target == "right" else "right"
    if kind == "point":
        return (target[0], width - target[1] - 1)
    if kind == "box":
        top, left, bottom, right = target
        return torch.tensor([top, width - right - 1, bottom, width - left - 1])
    return target


def target_by_drawing(kind, target, width):
    """Points and boxes drawn as masks, and read off again."""
    if kind in ("point", "box"):
        top, left, bottom, right = target if kind == "box" else (*target, *target)
        picture = np.zeros((bottom + 1, width))
        picture[top : bottom + 1, left : right + 1] = 1
        rows, columns = np.nonzero(picture[:, ::-1])
        corners = [rows.min(), columns.min(), rows.max(), columns.max()]
        return [int(corner) for corner in (corners if kind == "box" else corners[:2])]
    if kind == "side":
        return ["left", "right"][target == "left"]
    return np.flip(target, -1) if kind in ("mask", "column sums") else target


def pairs_by_orbit(images):
    """Images with the same orbit have the same smallest member."""
    names = [min(str(image), str([row[::-1] for row in image])) for image in images]
    return [(i, j) for j in range(len(names)) for i in range(j) if names[i] == names[j]]


def pairs_by_averaged_networks(images):
    """Random networks, averaged over the mirror; images that all of them give the same score."""
    x = torch.tensor(images, dtype=torch.float64)
    grid, outputs = G.on_grid(*x.shape[-2:]), []
    for seed in range(6):
        weights = torch.randn(x[0].numel(), 5, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
        outputs.append(group_average(lambda v, w=weights: torch.sin(v.flatten(-2) @ w), grid, G.trivial(5))(x))
    scores = torch.cat(outputs, -1)
    return [[i, j] for i in range(len(x)) for j in range(i + 1, len(x)) if torch.allclose(scores[i], scores[j])]


RIGHT = {
    "04.segment": [segment_with_the_library, segment_image_by_image],
    "04.mirror-kernel": [kernel_by_torch, kernel_in_place],
    "04.mirror": [mirror_by_representation, mirror_by_recursion],
    "04.classifier": [averaged_with_the_library, averaged_one_by_one],
    "04.kernels": [kernels_by_places, kernels_mixed, kernels_from_null_space, kernels_of_many_sizes, tiny_kernels],
    "04.targets": [target_by_cases, target_by_drawing],
    "04.pairs": [pairs_by_orbit, pairs_by_averaged_networks],
}


def refused(task, answer):
    for hidden in (False, True):
        result = verdict(task, answer, hidden)
        assert result.status in ("not yet", "error"), (hidden, result)


# ---- the theory behind the tasks ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("height", "width", "count"), [(1, 3, 2), (2, 2, 2), (3, 3, 6), (2, 4, 4), (2, 5, 6), (4, 1, 4)]
)
def test_mirror_kernels_are_those_that_commute(height, width, count):
    """The dimension of the convolutions that commute with the mirror, counted independently of the reference."""
    reference = torch.tensor(find_task("04.kernels").reference(height, width), dtype=torch.float64)
    assert len(reference) == count
    # Each kernel applied to all places of a wide image is a matrix; of the sums of these matrices, which commute with the mirror?
    wide = 2 * width + 1
    grid, out = G.on_grid(height, wide), G.on_grid(1, wide - width + 1)
    basis = torch.eye(grid.dim, dtype=torch.float64).reshape(-1, 1, height, wide)

    def matrix(kernel):
        return torch.nn.functional.conv2d(basis, kernel[None, None]).flatten(1).T

    def defect(kernel):
        return (out.matrix(-1) @ matrix(kernel) - matrix(kernel) @ grid.matrix(-1)).flatten()

    every = torch.eye(height * width, dtype=torch.float64).reshape(-1, height, width)
    defects = torch.stack([defect(kernel) for kernel in every])
    assert height * width - int(torch.linalg.matrix_rank(defects)) == count
    assert all(defect(kernel).abs().max() == 0 for kernel in reference)


@pytest.mark.parametrize("name", list(sheet_04.CLASSIFIERS))
def test_named_classifiers_are_not_invariant_and_their_averages_are(name):
    grid = G.on_grid(3, 4)
    f = named_classifier(name)
    alone = G.trivial(f(torch.ones(3, 4)).shape[-1])
    assert not equivariance_error(f, grid, alone).passed
    assert equivariance_error(lambda x: (f(x) + f(x.flip(-1))) / 2, grid, alone).passed


@pytest.mark.parametrize("name", list(sheet_04.SEGMENTERS))
def test_named_segmenters_are_not_equivariant_and_their_averages_are(name):
    grid, f = G.on_grid(3, 4), named_segmenter(name)
    assert not equivariance_error(f, grid, grid).passed
    assert equivariance_error(lambda x: torch.tensor(find_task("04.segment").reference(name, x)), grid, grid).passed


def test_unknown_names_are_said():
    with pytest.raises(KeyError, match="there is no classifier named 'x'; there are: 'largest step up"):
        named_classifier("x")
    with pytest.raises(KeyError, match="there is no segmenter named"):
        named_segmenter("x")


def test_what_averaging_the_input_confuses():
    """The case that tells the misconception apart: different orbits, equal means with the mirror image."""
    mean = find_task("04.pairs").misconceptions[1]
    assert mean.name == "averaging inputs instead of outputs"
    images = [[[1, 0], [1, 0]], [[1, 0], [0, 1]]]
    assert mean.answer(images) == [[0, 1]]
    assert find_task("04.pairs").reference(images) == []


# ---- answers that must not pass ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "answer",
    [
        lambda g, images: images,
        lambda g, images: 0,
        lambda g, images: [],
        lambda g, images: torch.zeros_like(torch.tensor(images)),
        lambda g, images: torch.tensor(images).mT,
        lambda g, images: torch.tensor(images) * g,
        lambda g, images: torch.tensor(images).roll(1 if g == -1 else 0, -1),
        lambda g, images: torch.tensor(images).sort(-1, descending=g == -1).values,
        lambda g, images: mirror_by_recursion(g, images)[0],
        lambda g, images: G.on_grid(1, 3).act(g, torch.tensor(images)),
    ],
)
def test_other_wrong_mirrors(answer):
    refused("04.mirror", answer)


def test_a_mirror_in_place_is_reported():
    def mirror(g, images):
        if g == -1:
            for row in images:
                row.reverse()
        return images

    result = verdict("04.mirror", mirror)
    assert (result.status, "changed its input" in result.message) == ("not yet", True)


@pytest.mark.parametrize(
    "answer",
    [
        lambda name, images: named_classifier(name)(torch.tensor(images)),
        lambda name, images: [[0.0, 0.0, 0.0] for _ in images],
        lambda name, images: averaged_with_the_library(name, images)[:1],
        lambda name, images: averaged_with_the_library(name, images).argmax(-1),
        lambda name, images: averaged_with_the_library(name, images).mean(0),
        lambda name, images: averaged_with_the_library(name, images).softmax(-1),
        lambda name, images: (
            (named_classifier(name)(torch.tensor(images)) + named_classifier(name)(torch.tensor(images).flip(0))) / 2
        ),
        lambda name, images: (
            (named_classifier(name)(torch.tensor(images)) + named_classifier(name)(torch.tensor(images).flip(-2))) / 2
        ),
        lambda name, images: averaged_with_the_library("sum weighted by the column, sum", images),
    ],
)
def test_other_wrong_averages(answer):
    refused("04.classifier", answer)


@pytest.mark.parametrize(
    "answer",
    [
        lambda name, images: named_segmenter(name)(torch.tensor(images)),
        lambda name, images: images,
        lambda name, images: torch.zeros_like(torch.tensor(images)),
        lambda name, images: (segment_with_the_library(name, images) > 0).double(),
        lambda name, images: torch.maximum(torch.tensor(images), named_segmenter(name)(torch.tensor(images))),
        lambda name, images: segment_by_half_turn(name, torch.tensor(images)),
    ],
)
def test_other_wrong_segmenters(answer):
    refused("04.segment", answer)


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (lambda h, w: [], "no kernel at all"),
        (lambda h, w: np.zeros((1, h, w)), "reaches 0 of 2 dimensions"),
        (lambda h, w: kernels_by_places(h, w)[1:], "reaches 1 of 2 dimensions"),
        (lambda h, w: [*kernels_by_places(h, w), np.ones((h, w))], "gave 3 kernels; 2 of them are enough"),
        (lambda h, w: [*kernels_by_places(h, w), np.zeros((h, w))], "gave 3 kernels"),
        (lambda h, w: np.array(kernels_by_places(h, w))[..., None], "expected a list of kernels"),
        (lambda h, w: np.swapaxes(kernels_by_places(w, h), 1, 2), "its mirror image is"),
        (lambda h, w: kernels_by_places(h, w)[0], "expected a list of kernels, each a list of 1 row of 3 numbers"),
        (lambda h, w: "six", "expected a list of kernels"),
        (lambda h, w: 6, "expected a list of kernels"),
        (lambda h, w: np.full((6, h, w), math.nan), "NaN and infinity are no weights"),
        (lambda h, w: 1e-9 * np.eye(h * w).reshape(-1, h, w), "its mirror image is"),
        (lambda h, w: kernels_by_places(h, min(w, 4)), "expected a list of kernels"),
    ],
)
def test_other_wrong_bases(answer, message):
    result = verdict("04.kernels", answer)
    assert result.status == "not yet", result
    assert message in result.message
    refused("04.kernels", answer)


@pytest.mark.parametrize(
    "answer",
    [
        lambda kind, target, width: None,
        lambda kind, target, width: width,
        lambda kind, target, width: target[::-1] if isinstance(target, list) else target,
        lambda kind, target, width: "right",
        lambda kind, target, width: target_by_cases("mask" if kind == "mask" else "label", target, width),
        lambda kind, target, width: target_by_cases(kind, target, 4),
        lambda kind, target, width: 3 if kind == "label" else target_by_cases(kind, target, width),
        lambda kind, target, width: "right" if kind == "side" else target_by_cases(kind, target, width),
        lambda kind, target, width: (
            [sorted(row) for row in target] if kind == "mask" else target_by_cases(kind, target, width)
        ),
        lambda kind, target, width: sorted(target) if kind == "row sums" else target_by_cases(kind, target, width),
        lambda kind, target, width: (
            [target[-1], *target[1:-1], target[0]] if kind == "column sums" else target_by_cases(kind, target, width)
        ),
    ],
)
def test_other_wrong_targets(answer):
    """Among them answers that are right on the examples of the sheet."""
    refused("04.targets", answer)


@pytest.mark.parametrize(
    "answer",
    [
        lambda images: [],
        lambda images: [[i, j] for i in range(len(images)) for j in range(i + 1, len(images))],
        lambda images: [[j, i] for i, j in pairs_by_orbit(images)],
        lambda images: pairs_by_orbit(images)[:1],
        lambda images: [0, 1],
        lambda images: len(pairs_by_orbit(images)),
        lambda images: [*pairs_by_orbit(images), *pairs_by_orbit(images)],
        lambda images: pairs_by_orbit([[[int(pixel) for pixel in row] for row in image] for image in images]),
        lambda images: pairs_by_orbit([[[abs(pixel) for pixel in row] for row in image] for image in images]),
        lambda images: pairs_by_orbit([[[row[0], *sorted(row[1:-1]), row[-1]] for row in image] for image in images]),
        lambda images: pairs_by_orbit([[[row[0], row[-1]] for row in image] for image in images]),
    ],
)
def test_other_wrong_pairs(answer):
    refused("04.pairs", answer)


def test_pairs_in_another_order_pass():
    assert verdict("04.pairs", lambda images: pairs_by_orbit(images)[::-1]).status == "passed"


def test_cases_hold_images_of_all_kinds():
    """Batches of one, single images, several channels, odd and even widths."""
    for hidden in (False, True):
        shapes = [torch.tensor(images).shape for _, images in find_task("04.mirror").cases(hidden)]
        assert {len(shape) for shape in shapes} >= {2, 4}
        assert any(shape[0] == 1 and len(shape) > 2 for shape in shapes)
        assert {shape[-1] % 2 for shape in shapes} == {0, 1}
        assert any(len(images) == 1 for _, images in find_task("04.classifier").cases(hidden))


def test_references_leave_their_inputs_alone():
    for task in RIGHT:
        for args in find_task(task).cases(False):
            given = copy.deepcopy(args)
            find_task(task).reference(*given)
            assert given == args
