"""Lesson and sheet 04: reflections of images, of labels and of masks."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from ..checks import FunctionTask, Malformed, Misconception, ValueTask, Wrong, gave_expected, same_answer, show

Map = Callable[[Tensor], Tensor]


def _tensor(values: Any) -> Tensor:
    return torch.as_tensor(values, dtype=torch.float64)


def flip(x: Tensor) -> Tensor:
    """Left and right exchanged."""
    return x.flip(-1)


# ---- classifiers and segmenters by name ---------------------------------------------------------------------------------


def _from_the_left(x: Tensor) -> Tensor:
    return (x - torch.nn.functional.pad(x, (1, 0))[..., :-1]).clamp(min=0)


def _from_the_upper_left(x: Tensor) -> Tensor:
    return (x - torch.nn.functional.pad(x, (1, 0, 1, 0))[..., :-1, :-1]).clamp(min=0)


#: Images (…, height, width) -> scores (…, classes).
CLASSIFIERS: dict[str, Map] = {
    "largest step up, largest step down, brightest pixel": lambda x: torch.stack(
        [x.diff(dim=-1).flatten(-2).amax(-1), -x.diff(dim=-1).flatten(-2).amin(-1), x.flatten(-2).amax(-1)], -1
    ),
    "product of two corners, one corner": lambda x: torch.stack([x[..., 0, 0] * x[..., -1, -1], x[..., 0, -1]], -1),
    "sum weighted by the column, sum": lambda x: torch.stack(
        [(x * torch.arange(x.shape[-1]).to(x)).sum((-2, -1)), x.sum((-2, -1))], -1
    ),
}

#: Images (…, height, width) -> a score for each pixel (…, height, width).
SEGMENTERS: dict[str, Map] = {
    "brighter than its left neighbour": _from_the_left,
    "running total of the row": lambda x: x.cumsum(-1),
    "brightest so far in the row": lambda x: x.cummax(-1).values,
    "brighter than its upper left neighbour": _from_the_upper_left,
}


def named_classifier(name: str) -> Map:
    """A map from images (…, height, width) to scores (…, classes), by name.

    >>> named_classifier("product of two corners, one corner")(torch.tensor([[[2.0, 3.0], [4.0, 5.0]]]))
    tensor([[10.,  3.]])
    """
    return _look_up(name, CLASSIFIERS, "classifier")


def named_segmenter(name: str) -> Map:
    """A map from images (…, height, width) to one score for each pixel, by name.

    >>> named_segmenter("brighter than its left neighbour")(torch.tensor([[10.0, 30.0, 20.0]]))
    tensor([[10., 20.,  0.]])
    """
    return _look_up(name, SEGMENTERS, "segmenter")


def _look_up(name: str, registry: dict[str, Map], kind: str) -> Map:
    if name not in registry:
        raise KeyError(f"there is no {kind} named {name!r}; there are: {', '.join(map(repr, registry))}")
    return registry[name]


def combined(registry: dict[str, Map], rule: Callable[[Map, Tensor], Tensor]) -> Callable[[str, Any], list[Any]]:
    """An answer made of a rule for a map f and images x."""
    return lambda name, images: rule(_look_up(name, registry, "map"), _tensor(images)).tolist()


# ---- in the lesson: symmetrise a segmenter; a kernel from its free numbers ------------------------------------------------


def _segment_cases(hidden: bool) -> list[tuple[Any, ...]]:
    edge, total, bright, upper = SEGMENTERS
    if hidden:
        return [
            (edge, [[0.0, 7.0, 7.0, 2.0], [5.0, 1.0, 4.0, 4.0]]),
            (bright, [[3.0, 1.0, 4.0, 1.0]]),
            (total, [[2.0, 0.0, 5.0]]),
            (edge, [[[6.0, 1.0, 3.0]]]),
            (upper, [[[4.0, 9.0, 2.0, 0.0], [7.0, 3.0, 8.0, 1.0]]]),
        ]
    return [
        (edge, [[10.0, 30.0, 20.0]]),
        (total, [[10.0, 20.0, 30.0]]),
        (bright, [[1.0, 5.0, 2.0], [4.0, 0.0, 0.0]]),
        (edge, [[[1.0, 2.0], [0.0, 4.0]], [[5.0, 3.0], [2.0, 2.0]]]),
        (upper, [[10.0, 30.0, 20.0], [5.0, 0.0, 40.0]]),
    ]


def mirror_kernel(free: list[list[float]]) -> list[list[float]]:
    """A kernel of three columns that is its own mirror image, from its first two columns."""
    return [[left, middle, left] for left, middle in free]


def _kernel_cases(hidden: bool) -> list[tuple[Any, ...]]:
    if hidden:
        return [([[2.0, 5.0], [0.0, 1.0], [4.0, 3.0]],), ([[-1.5, 0.25]],)]
    return [([[10.0, 20.0]],), ([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]],), ([[-0.5, 2.5], [2.5, 7.0]],)]


# ---- task 1: mirror a batch ------------------------------------------------------------------------------------------------


def acting(move: Map, always: bool = False) -> Callable[[int, Any], list[Any]]:
    """An answer that moves the images for g = −1, or always."""
    return lambda g, images: (move(_tensor(images)) if always or g == -1 else _tensor(images)).tolist()


def _first_only(x: Tensor) -> Tensor:
    moved = x.clone()
    moved[0] = flip(x[0])
    return moved


def _outer_columns(x: Tensor) -> Tensor:
    moved = x.clone()
    moved[..., 0], moved[..., -1] = x[..., -1], x[..., 0]
    return moved


def _counted(*shape: int, start: int = 1) -> list[Any]:
    """Images whose pixels are start, start + 1, … with a few steps in between, so that no two moves look alike."""
    numbers = torch.arange(torch.Size(shape).numel(), dtype=torch.float64)
    return (start + numbers + 10 * (numbers % 3 == 1)).reshape(shape).tolist()


def _mirror_cases(hidden: bool) -> list[tuple[Any, ...]]:
    if hidden:
        return [
            (-1, _counted(3, 2, 5)),
            (1, _counted(2, 3, 4)),
            (-1, _counted(1, 1, 3, 4, start=5)),
            (-1, _counted(2, 3, 2, 4)),
            (-1, _counted(4, 5)),
        ]
    return [
        (-1, [[10.0, 20.0, 30.0]]),
        (-1, [[10.0, 20.0, 30.0, 40.0], [1.0, 2.0, 3.0, 4.0]]),
        (1, [[10.0, 20.0, 30.0]]),
        (-1, [[[[10.0, 20.0, 30.0], [1.0, 2.0, 3.0]]]]),
        (
            -1,
            [
                [[[1.0, 2.0], [3.0, 4.0]], [[0.0, 5.0], [0.0, 6.0]]],
                [[[7.0, 8.0], [9.0, 0.0]], [[1.0, 0.0], [2.0, 3.0]]],
            ],
        ),
    ]


# ---- task 2: symmetrise a classifier ---------------------------------------------------------------------------------------


def _classifier_cases(hidden: bool) -> list[tuple[Any, ...]]:
    steps, corners, weighted = CLASSIFIERS
    if hidden:
        return [
            (steps, [[[5.0, 1.0, 1.0], [0.0, 7.0, 9.0]]]),
            (
                corners,
                [
                    [[2.0, 1.0, 7.0], [3.0, 0.0, 4.0]],
                    [[6.0, 0.0, 1.0], [1.0, 1.0, 2.0]],
                    [[0.0, 2.0, 8.0], [5.0, 5.0, 1.0]],
                ],
            ),
            (weighted, [[[1.0, 0.0, 0.0, 2.0]], [[0.0, 0.0, 4.0, 1.0]]]),
        ]
    return [
        (steps, [[[10.0, 20.0, 40.0]]]),
        (corners, [[[2.0, 3.0], [4.0, 5.0]], [[1.0, 0.0], [6.0, 7.0]]]),
        (steps, [[[0.0, 50.0, 10.0], [5.0, 5.0, 5.0]], [[30.0, 0.0, 0.0], [0.0, 10.0, 0.0]]]),
        (weighted, [[[10.0, 20.0, 60.0]]]),
    ]


def _with_first_mirrored(f: Map, x: Tensor) -> Tensor:
    """Only the first image of the batch is averaged."""
    scores = f(x)
    return torch.cat([(scores[:1] + f(flip(x[:1]))) / 2, scores[1:]])


# ---- task 3: kernels that are their own mirror images ----------------------------------------------------------------------


def kernels(moves: list[Map], sign: int = 1, middle: bool = True) -> Callable[[int, int], list[Any]]:
    """A basis of the kernels with k = sign · move(k) for each of some moves; without the middle column if asked."""

    def basis(height: int, width: int) -> list[Any]:
        candidates = list(torch.eye(height * width, dtype=torch.float64).reshape(-1, height, width))
        for move in moves:
            candidates = [k + sign * move(k) for k in candidates]
        if not middle and width % 2:
            for k in candidates:
                k[:, width // 2] = 0
        chosen: list[Tensor] = []
        for k in candidates:
            if _rank([*chosen, k]) > len(chosen):
                chosen.append(k / k.abs().max())
        return [k.tolist() for k in chosen]

    return basis


def _rank(several: list[Tensor]) -> int:
    """The dimension of what some kernels span, whatever the size of each."""
    if not several:
        return 0
    rows = torch.stack([_scaled(k) for k in several]).flatten(1)
    return int(torch.linalg.matrix_rank(rows, rtol=1e-9))


def _scaled(kernel: Tensor) -> Tensor:
    """A multiple of the kernel whose largest number is 1 or −1; a kernel of zeros stays one."""
    largest = kernel.abs().max()
    return kernel / largest if largest > 0 else kernel


own_mirror_images = kernels([flip])


def _as_kernels(got: Any) -> Tensor | None:
    """(number, height, width) if the answer is a list of kernels of one shape."""
    try:
        several = torch.as_tensor(got, dtype=torch.float64)
    except (TypeError, ValueError, RuntimeError):
        return None
    return several if several.ndim == 3 else None


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"


def _accept_basis(args: tuple[Any, ...], got: Any, expected: Any) -> None:
    height, width = args
    call = f"basis({height}, {width})"
    several = _as_kernels(got)
    if got == []:
        raise Wrong(f"{call} gave no kernel at all; the kernel with 1 everywhere is its own mirror image")
    if several is None or several.shape[1:] != (height, width):
        raise Malformed(
            f"{call} gave {show(got)}; expected a list of kernels, each a list of {_count(height, 'row')} of "
            f"{_count(width, 'number')}"
        )
    for k in several:
        if not bool(k.isfinite().all()):
            raise Malformed(f"{call} holds the kernel {show(k)}; NaN and infinity are no weights")
        if not same_answer(_scaled(k).tolist(), flip(_scaled(k)).tolist()):
            raise Wrong(f"{call} holds the kernel {show(k)}\n  its mirror image is {show(flip(k))}")
    found, dimensions = _rank(list(several)), len(expected)
    if found < dimensions:
        missing = next((k for k in expected if _rank([*several, _tensor(k)]) > found), expected[0])
        raise Wrong(
            f"{call} reaches {found} of {dimensions} dimensions; no sum of your kernels with weights gives, "
            f"for instance, {show(missing)}"
        )
    if len(several) > found:
        enough = "1 of them is" if found == 1 else f"{found} of them are"
        raise Wrong(f"{call} gave {len(several)} kernels; {enough} enough, the others are sums of these with weights")


def _same_span(a: Any, b: Any) -> bool:
    one, other = _as_kernels(a), _as_kernels(b)
    if one is None or other is None:
        return bool(a == [] and b == [])
    if one.shape[1:] != other.shape[1:] or not bool(one.isfinite().all() and other.isfinite().all()):
        return False
    return _rank(list(one)) == _rank(list(other)) == _rank([*one, *other])


# ---- task 4: what becomes of the target ------------------------------------------------------------------------------------

#: kind of target -> what the mirror makes of it, given the image's width
_ON_TARGETS: dict[str, Callable[[Any, int], Any]] = {
    "label": lambda target, width: target,
    "scores": lambda target, width: target,
    "row sums": lambda target, width: target,
    "column sums": lambda target, width: target[::-1],
    "mask": lambda target, width: [row[::-1] for row in target],
    "side": lambda target, width: {"left": "right", "right": "left"}[target],
    "point": lambda target, width: [target[0], width - 1 - target[1]],
    "box": lambda target, width: [target[0], width - 1 - target[3], target[2], width - 1 - target[1]],
}


def _stays(target: Any, width: int) -> Any:
    return target


def on_targets(**other: Callable[[Any, int], Any]) -> Callable[[str, Any, int], Any]:
    """What the mirror makes of a target; ``other`` replaces the rule for some kinds (with _ for a space)."""
    rules = _ON_TARGETS | {kind.replace("_", " "): rule for kind, rule in other.items()}
    return lambda kind, target, width: rules[kind](target, width)


mirrored_target = on_targets()


def _target_cases(hidden: bool) -> list[tuple[Any, ...]]:
    if hidden:
        return [
            ("mask", [[0, 1, 1, 1], [0, 0, 0, 1]], 4),
            ("label", 6, 4),
            ("side", "right", 9),
            ("point", [0, 5], 6),
            ("box", [1, 0, 2, 3], 7),
            ("column sums", [5, 0, 2, 1], 4),
            ("row sums", [3, 9, 4], 5),
            ("scores", [0.7, 0.1, 0.2], 8),
            ("mask", [[1], [0]], 1),
            ("side", "left", 4),
            ("label", 0, 7),
            ("row sums", [2, 1], 6),
            ("column sums", [7, 3, 3, 0, 1], 5),
            ("point", [4, 2], 9),
            ("box", [0, 4, 0, 4], 6),
            ("scores", [0.1, 0.9], 3),
        ]
    return [
        ("label", 3, 4),
        ("mask", [[1, 1, 0], [1, 0, 0]], 3),
        ("side", "left", 5),
        ("point", [2, 1], 5),
        ("box", [0, 1, 3, 2], 8),
        ("row sums", [10, 20, 30], 4),
        ("column sums", [10, 20, 30], 3),
        ("scores", [0.2, 0.5, 0.3], 6),
        ("label", 7, 5),
        ("mask", [[1, 0, 1, 1]], 4),
        ("side", "right", 4),
        ("point", [3, 0], 7),
        ("box", [2, 3, 4, 5], 7),
        ("row sums", [30, 10, 20], 5),
        ("column sums", [10, 40, 20, 30], 4),
        ("scores", [0.6, 0.1, 0.3], 4),
    ]


# ---- task 5: pairs that an invariant classifier cannot tell apart -----------------------------------------------------------


def pairs(alike: Callable[[Tensor, Tensor], bool], own: bool = False) -> Callable[[list[Any]], list[list[int]]]:
    """Pairs i < j (or i ≤ j) of images that count as alike."""

    def inseparable(images: list[Any]) -> list[list[int]]:
        several = [_tensor(image) for image in images]
        choices = itertools.combinations_with_replacement if own else itertools.combinations
        return [[i, j] for i, j in choices(range(len(several)), 2) if alike(several[i], several[j])]

    return inseparable


def _mirror_images(a: Tensor, b: Tensor) -> bool:
    return torch.equal(a, b) or torch.equal(flip(a), b)


_B, _D = [[1, 0], [1, 1], [1, 1]], [[0, 1], [1, 1], [1, 1]]
_P, _Q = [[1, 1], [1, 1], [1, 0]], [[1, 1], [1, 1], [0, 1]]
_L, _S, _Z = [[1, 0], [1, 0], [1, 1]], [[0, 1], [1, 1], [1, 0]], [[1, 0], [1, 1], [0, 1]]


def _pair_cases(hidden: bool) -> list[tuple[Any, ...]]:
    if hidden:
        return [
            ([_Q, _B, _P, _D],),
            ([_S, _L, _Z, _S],),
            ([[[3, 0, 1, 2]], [[2, 1, 0, 3]], [[3, 1, 0, 2]], [[2, 0, 1, 3]], [[3, 0, 1, 2]]],),
            ([_P, [[1, 1], [0, 0], [1, 1]]],),
            (
                [
                    [[0.5, 7, -2, 3, 1]],
                    [[1, 7, -2, 3, 0.5]],
                    [[1, 3, -2, 7, 0.5]],
                    [[7, -2, 3, 1, 0.5]],
                    [[-0.5, -7, 2, -3, -1]],
                    [[0.75, 7, -2, 3, 1]],
                ],
            ),
        ]
    return [
        ([_B, _D],),
        ([_B, _D, _P, _Q],),
        ([[[1, 0, 2]], [[2, 0, 1]], [[0, 3, 0]], [[1, 0, 2]]],),
        ([[[1, 1], [1, 0]], [[1, 1], [0, 1]], [[1, 0], [1, 1]], [[1, 1], [1, 1]]],),
        ([[[1, 0], [1, 0]], [[1, 0], [0, 1]]],),
        ([[[1, 2, 3, 4]], [[4, 3, 2, 1]], [[4, 2, 3, 1]], [[2, 3, 4, 1]], [[-1, -2, -3, -4]], [[1.25, 2, 3, 4]]],),
    ]


def _sorted_pairs(got: Any) -> Any:
    return sorted(got) if isinstance(got, list) and all(isinstance(p, list) and len(p) == 2 for p in got) else got


TASKS = [
    ValueTask(
        id="04.recall-1",
        outcome="recall lesson 01",
        minutes=1,
        accepted=([40, 10, 20, 30],),
        why="The shift by 1 moves every entry one place on, and the last one round to the front.",
        feedback={
            (20, 30, 40, 10): "That is a shift the other way. The entry 10, at place 0, goes to place 1.",
            (0, 10, 20, 30): "The places form a ring: what leaves at the end comes in at the front.",
            (40, 30, 20, 10): "That is the reversal. The shift by 1 moves every entry one place on.",
        },
    ),
    ValueTask(
        id="04.recall-2",
        outcome="recall lesson 03",
        minutes=1,
        accepted=(3,),
        why="The powers 1, 3 and 5: one weight each.",
        feedback={
            6: "That is the plain polynomial. f(−x) = −f(x) leaves odd powers only.",
            4: "An antisymmetric polynomial has no constant: f(0) = −f(0).",
            2: "The degree itself counts: 1, 3 and 5.",
        },
    ),
    FunctionTask(
        id="04.segment",
        outcome="make a segmenter equivariant under the mirror",
        minutes=5,
        name="by_name",
        reference=combined(SEGMENTERS, lambda f, x: (f(x) + flip(f(flip(x)))) / 2),
        cases=_segment_cases,
        shown="The mean of f(x) and mirror f(mirror x): act back, map, act forward, on single images and on batches.",
        misconceptions=(
            Misconception(
                "no average at all",
                combined(SEGMENTERS, lambda f, x: f(x)),
                "You return f(x) as it is. Add what f says about the mirror image, mirrored back, and divide by 2.",
            ),
            Misconception(
                "forgetting to mirror the mask",
                combined(SEGMENTERS, lambda f, x: (f(x) + f(flip(x))) / 2),
                "You add f(mirror x) as it is. Its pixels are those of the mirrored image: mirror it back before you add.",
            ),
            Misconception(
                "averaging inputs instead of outputs",
                combined(SEGMENTERS, lambda f, x: f((x + flip(x)) / 2)),
                "You average the images and map once. Average the outputs: f(x), and f(mirror x) mirrored back.",
            ),
            Misconception(
                "the mask is mirrored and the image is not",
                combined(SEGMENTERS, lambda f, x: (f(x) + flip(f(x))) / 2),
                "You mirror f(x). The second term starts from the mirrored image: mirror f(mirror x).",
            ),
            Misconception(
                "both terms are mirrored",
                combined(SEGMENTERS, lambda f, x: flip(f(x) + f(flip(x))) / 2),
                "You mirror the whole sum. Only f(mirror x) has to be mirrored back; f(x) belongs to x as it is.",
            ),
            Misconception(
                "only the mirrored path",
                combined(SEGMENTERS, lambda f, x: flip(f(flip(x)))),
                "You return mirror f(mirror x) alone. That is one of the two terms; the other one is f(x).",
            ),
            Misconception(
                "a sum instead of a mean",
                combined(SEGMENTERS, lambda f, x: f(x) + flip(f(flip(x)))),
                "You add the two terms and do not divide by 2. An f that is equivariant already would come out doubled.",
            ),
            Misconception(
                "only the second term is halved",
                combined(SEGMENTERS, lambda f, x: f(x) + flip(f(flip(x))) / 2),
                "You halve the second term only: brackets are missing. Divide the whole sum by 2.",
            ),
            Misconception(
                "reverses axis 1",
                combined(SEGMENTERS, lambda f, x: (f(x) + f(x.flip(1)).flip(1)) / 2),
                "You reverse axis 1. In a batch that is the rows. The columns are the last axis, −1, with a batch or without.",
            ),
        ),
    ),
    FunctionTask(
        id="04.mirror-kernel",
        outcome="build a mirror-symmetric kernel from its free numbers",
        minutes=4,
        name="mirror_kernel",
        reference=mirror_kernel,
        cases=_kernel_cases,
        shown="Three columns from two: the third is the first again, row by row.",
        misconceptions=(
            Misconception(
                "the middle column is repeated",
                lambda free: [[left, middle, middle] for left, middle in free],
                "Your third column repeats the middle one. The mirror exchanges the first and the third column.",
            ),
            Misconception(
                "mirrors up and down",
                lambda free: [[*row, last[0]] for row, last in zip(free, free[::-1], strict=True)],
                "Your third column is the first one upside down. The mirror leaves every row where it is.",
            ),
            Misconception(
                "the third column has the other sign",
                lambda free: [[left, middle, -left] for left, middle in free],
                "Your third column is minus the first one. Then the mirror flips signs; the kernel has to stay as it is.",
            ),
            Misconception(
                "both columns are mirrored",
                lambda free: [[left, middle, middle, left] for left, middle in free],
                "Your kernel has four columns. The middle one is its own mirror image, and stands there once.",
            ),
        ),
    ),
    FunctionTask(
        id="04.mirror",
        outcome="act by a reflection on a batch of images",
        points=2,
        minutes=5,
        name="mirror",
        reference=acting(flip),
        cases=_mirror_cases,
        shown="−1 reverses the last axis of every image, +1 changes nothing, for any number of axes in front.",
        misconceptions=(
            Misconception(
                "mirrors up and down",
                acting(lambda x: x.flip(-2)),
                "You reverse the rows. The mirror exchanges left and right: reverse the columns, the last axis.",
            ),
            Misconception(
                "turns by half",
                acting(lambda x: x.flip((-2, -1))),
                "You reverse rows and columns: that is a half turn. The mirror leaves every row where it is.",
            ),
            Misconception(
                "reverses the batch",
                acting(lambda x: x.flip(0)),
                "You reverse the first axis, so that the images change places. The mirror acts inside each image.",
            ),
            Misconception(
                "reverses axis 1",
                acting(lambda x: x.flip(1)),
                "You reverse axis 1. With axes in front, that is no longer the columns. Reverse the last axis, −1.",
            ),
            Misconception(
                "mirrors only the first image",
                acting(_first_only),
                "Only the first entry of the first axis is mirrored. The action is the same on all images of a batch.",
            ),
            Misconception(
                "mirrors whatever g is",
                acting(flip, always=True),
                "You mirror for g = +1 as well. +1 is the identity: it changes nothing.",
            ),
            Misconception(
                "exchanges the outer columns only",
                acting(_outer_columns),
                "You exchange the first and the last column. With four columns the two in the middle change places, too.",
            ),
        ),
    ),
    FunctionTask(
        id="04.classifier",
        outcome="make a classifier invariant by averaging its scores",
        points=3,
        minutes=8,
        name="averaged",
        reference=combined(CLASSIFIERS, lambda f, x: (f(x) + f(flip(x))) / 2),
        cases=_classifier_cases,
        shown="The mean of f(x) and f(mirror x): the scores of x and of its mirror image agree, for each image of a batch.",
        misconceptions=(
            Misconception(
                "no average at all",
                combined(CLASSIFIERS, lambda f, x: f(x)),
                "You return f(x) as it is. Take the mean with the scores of the mirrored image.",
            ),
            Misconception(
                "averaging inputs instead of outputs",
                combined(CLASSIFIERS, lambda f, x: f((x + flip(x)) / 2)),
                "You average the two images and classify once. The result is invariant, but it has never seen the image: only a "
                "picture in which it lies on top of its mirror image. Average the scores f(x) and f(mirror x).",
            ),
            Misconception(
                "labels are averaged",
                combined(CLASSIFIERS, lambda f, x: (f(x).argmax(-1) + f(flip(x)).argmax(-1)) / 2),
                "You average numbers of classes. The mean of class 0 and class 2 is not class 1: average the scores.",
            ),
            Misconception(
                "the scores are mirrored",
                combined(CLASSIFIERS, lambda f, x: (f(x) + flip(f(flip(x)))) / 2),
                "You reverse the scores of the mirrored image. The classes have no left and right: the mirror leaves scores alone.",
            ),
            Misconception(
                "only the mirrored image",
                combined(CLASSIFIERS, lambda f, x: f(flip(x))),
                "You classify the mirrored image alone. Take the mean with the scores of the image itself.",
            ),
            Misconception(
                "a sum instead of a mean",
                combined(CLASSIFIERS, lambda f, x: f(x) + f(flip(x))),
                "You add the scores and do not divide by 2. An f that is invariant already would come out doubled.",
            ),
            Misconception(
                "only the second term is halved",
                combined(CLASSIFIERS, lambda f, x: f(x) + f(flip(x)) / 2),
                "You halve the second term only: brackets are missing. Divide the whole sum by 2.",
            ),
            Misconception(
                "reverses axis 1",
                combined(CLASSIFIERS, lambda f, x: (f(x) + f(x.flip(1))) / 2),
                "You reverse axis 1, which is the rows: axis 0 is the batch. Reverse the columns, the last axis, −1.",
            ),
            Misconception(
                "the larger score instead of the mean",
                combined(CLASSIFIERS, lambda f, x: torch.maximum(f(x), f(flip(x)))),
                "You take the larger of the two scores. This is invariant as well, and a choice that some make; the task asks for "
                "the average.",
            ),
            Misconception(
                "only the first image of the batch",
                combined(CLASSIFIERS, _with_first_mirrored),
                "Only the first image of the batch is averaged. Mirror the last axis of the whole batch.",
            ),
        ),
    ),
    FunctionTask(
        id="04.kernels",
        outcome="write down all mirror-symmetric convolution kernels of a size, and count them",
        points=3,
        minutes=10,
        name="basis",
        reference=own_mirror_images,
        cases=lambda hidden: [(2, 5), (3, 4), (4, 1), (1, 6)] if hidden else [(1, 3), (2, 2), (3, 3), (2, 4), (1, 5)],
        accept=_accept_basis,
        same=_same_span,
        shown="All your kernels are their own mirror images, and they span every such kernel: in each row one number for each pair of "
        "mirror places, and one for the middle.",
        misconceptions=(
            Misconception(
                "the middle column has to be zero",
                kernels([flip], middle=False),
                "Your kernels are 0 in the middle column. The mirror leaves that column where it is, so that its numbers are free.",
            ),
            Misconception(
                "mirrors up and down",
                kernels([lambda k: k.flip(-2)]),
                "Your kernels are symmetric up and down. The mirror exchanges left and right.",
            ),
            Misconception(
                "symmetric in both directions",
                kernels([flip, lambda k: k.flip(-2)]),
                "Your kernels are symmetric up and down, too. Nobody asks for that: different rows may hold different numbers.",
            ),
            Misconception(
                "symmetric under a half turn",
                kernels([lambda k: k.flip((-2, -1))]),
                "Your kernels stay the same under a half turn. The mirror leaves every row where it is.",
            ),
            Misconception(
                "one number everywhere",
                lambda height, width: [[[1.0] * width] * height],
                "Your kernels have one number everywhere. Only mirror places have to agree; other places are free.",
            ),
            Misconception(
                "every kernel will do",
                kernels([]),
                "You return a basis of all kernels. Those that differ from their mirror images do not commute with the mirror.",
            ),
            Misconception(
                "the sign changes in the mirror",
                kernels([flip], sign=-1),
                "Your kernels are minus their mirror images. Sliding them and mirroring gives the two paths opposite signs.",
            ),
        ),
    ),
    FunctionTask(
        id="04.targets",
        outcome="say what the mirror does to a target: labels or masks?",
        points=4,
        minutes=10,
        name="mirrored_target",
        reference=mirrored_target,
        cases=_target_cases,
        shown="Labels, scores and row sums stay; masks, points, boxes and column sums move along; left and right change places.",
        misconceptions=(
            Misconception(
                "forgetting to mirror the mask",
                on_targets(mask=_stays),
                "You leave the mask as it is. Its pixels are those of the image: they move along.",
            ),
            Misconception(
                "every target is a label",
                on_targets(**dict.fromkeys(("column_sums", "mask", "side", "point", "box"), _stays)),
                "You leave every target as it is. That is right where the trivial action stands on the output; a mask, a place or a "
                "side moves along.",
            ),
            Misconception(
                "every list is reversed",
                on_targets(
                    scores=lambda target, width: target[::-1],
                    row_sums=lambda target, width: target[::-1],
                ),
                "You reverse every list. Scores belong to classes, and row sums to rows: the mirror moves neither.",
            ),
            Misconception(
                "a side is a label",
                on_targets(side=_stays),
                'You leave "left" and "right" as they are. What looks to the left looks to the right in the mirror.',
            ),
            Misconception(
                "the corners of a box keep their names",
                on_targets(box=lambda t, width: [t[0], width - 1 - t[1], t[2], width - 1 - t[3]]),
                "You mirror the two columns of the box where they stand. What was its left edge is its right edge now: exchange them.",
            ),
            Misconception(
                "columns are counted from 1",
                on_targets(
                    point=lambda t, width: [t[0], width - t[1]],
                    box=lambda t, width: [t[0], width - t[3], t[2], width - t[1]],
                ),
                "You take width − column. Column 0 becomes the last one, width − 1: take width − 1 − column.",
            ),
            Misconception(
                "a point goes to width − column",
                on_targets(point=lambda t, width: [t[0], width - t[1]]),
                "Your point goes to width − column. Columns are counted from 0, so that column 0 goes to width − 1: take "
                "width − 1 − column, as you do for a box.",
            ),
        ),
    ),
    FunctionTask(
        id="04.pairs",
        outcome="say which images no invariant classifier can tell apart",
        points=3,
        minutes=8,
        name="inseparable",
        reference=pairs(_mirror_images),
        cases=_pair_cases,
        shown="Images in one orbit get the same scores from every invariant classifier, and images in different orbits need not.",
        misconceptions=(
            Misconception(
                "an invariant classifier can tell mirror images apart",
                pairs(torch.equal),
                "You list equal images only. An invariant f gives f(mirror x) = f(x): mirror images get the same scores as well.",
            ),
            Misconception(
                "averaging inputs instead of outputs",
                pairs(lambda a, b: torch.equal(a + flip(a), b + flip(b))),
                "You list the images that agree after averaging them with their mirror images. A classifier that averages its inputs "
                "confuses all of these; one that averages its outputs only those that are equal or mirror images.",
            ),
            Misconception(
                "up and down counts too",
                pairs(lambda a, b: _mirror_images(a, b) or _mirror_images(a.flip(-2), b)),
                "You also list images that are upside down. The group holds one mirror, left and right.",
            ),
            Misconception(
                "an image is paired with itself",
                pairs(_mirror_images, own=True),
                "You list pairs [i, i]. The task asks for two different places in the list, i < j.",
            ),
            Misconception(
                "the larger number first",
                lambda images: [[j, i] for i, j in pairs(_mirror_images)(images)],
                "Your pairs are the right ones, written as [j, i]. The task asks for the smaller number first, i < j.",
            ),
            Misconception(
                "the same picture is never listed",
                pairs(lambda a, b: torch.equal(flip(a), b) and not torch.equal(a, b)),
                "Two copies of one image get the same scores from any classifier: list them, too.",
            ),
            Misconception(
                "as many bright pixels",
                pairs(lambda a, b: same_answer(sorted(a.flatten().tolist()), sorted(b.flatten().tolist()))),
                "You list images that are made of the same pixels, wherever these stand. Only the mirror is in the group.",
            ),
        ),
        accept=lambda args, got, expected: _accept_pairs(args, got, expected),
        same=lambda a, b: same_answer(_sorted_pairs(a), _sorted_pairs(b)),
    ),
]


def _accept_pairs(args: tuple[Any, ...], got: Any, expected: Any) -> None:
    call = f"inseparable({show(args[0])})"
    if not isinstance(got, list) or not all(isinstance(pair, list) and len(pair) == 2 for pair in got):
        raise Malformed(f"{call} gave {show(got)}; expected a list of pairs [i, j] with i < j")
    if not same_answer(_sorted_pairs(got), expected):
        raise Wrong(f"{call}\n{gave_expected(got, expected)}")
