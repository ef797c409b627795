"""Pictures for the lessons: data drawn onto axes, and whole figures that compare two paths.

The functions take plain arrays, tensors and callables. Images are (height, width) or (3, height, width) with values in
[0, 1]. Figures are made without pyplot, so that nothing has to be closed and no setting stays changed.
"""

import base64
import html
import io
import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import torch
from cycler import cycler
from matplotlib.axes import Axes
from matplotlib.collections import Collection, EllipseCollection, LineCollection, PathCollection, PolyCollection
from matplotlib.colors import LinearSegmentedColormap, Normalize, to_rgb
from matplotlib.container import BarContainer
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch, PathPatch, Polygon, Rectangle
from matplotlib.path import Path
from matplotlib.quiver import Quiver
from numpy.typing import NDArray

from .representations import DirectSum, Representation
from .solvers import IntertwinerSpace

__all__ = [
    "DIVERGING",
    "PALETTE",
    "PALETTE_15",
    "Corners",
    "Difference",
    "act",
    "describe_pattern",
    "difference",
    "draw_array",
    "draw_image",
    "draw_mask",
    "draw_molecule",
    "draw_set",
    "draw_text",
    "draw_vector",
    "fingerprint",
    "image_tag",
    "partition",
    "pattern",
    "pattern_equations",
    "show",
    "square",
    "style",
    "triangle",
]

PALETTE = ("#1845fb", "#ff5e02", "#c91f16", "#c849a9", "#adad7d", "#86c8dd", "#578dff", "#656364")
"""Eight colours that stay apart under colour blindness (Petroff 2021, "petroff8")."""

PALETTE_15 = (
    *("#ebebff", "#27144e", "#9d763b", "#009dff", "#0027d8", "#ffb114", "#762700", "#ff3bb1"),
    *("#b11476", "#b1c4ff", "#62ff9d", "#2762ff", "#4e0000", "#00009d", "#b19d62"),
)
"""Fifteen colours, chosen greedily for the largest least OKLab distance under normal and three colour-blind visions: 0.107."""

DIVERGING = "RdBu_r"
"""Colour map for signed values and differences: blue below zero, white at zero, red above."""

INK = "0.2"  # text and arrows
PIXELS_PER_INCH = 96  # what a browser calls an inch
DATA = "data"  # marks words that belong to the data, for the fingerprint
SCALE = 2  # PNG pixels per screen pixel, for sharp pictures on dense screens

STYLE: dict[Any, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": 10.0,
    "axes.titlesize": 10.5,
    "axes.labelsize": 10.0,
    "xtick.labelsize": 9.0,
    "ytick.labelsize": 9.0,
    "legend.fontsize": 9.0,
    "legend.frameon": False,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.prop_cycle": cycler(color=PALETTE),
    "figure.facecolor": "white",
    "figure.dpi": float(PIXELS_PER_INCH),
}

Draw = Callable[[Axes, Any], object]
"""Draws one piece of data onto axes: `draw_image`, `draw_vector`, … or a function of your own."""


# --- publishing ------------------------------------------------------------------------------------------------------


@contextmanager
def style() -> Iterator[None]:
    """The house style inside a `with` block: readable type, colours safe for colour-blind readers, few lines.

    >>> before = plt.rcParams["axes.spines.top"]
    >>> with style():
    ...     plt.rcParams["axes.spines.top"]
    False
    >>> plt.rcParams["axes.spines.top"] == before
    True
    """
    with mpl.rc_context(STYLE):
        yield


def image_tag(fig: Figure, alt: str) -> str:
    """The figure as an HTML image with alternative text: a PNG on white, drawn at twice its size on the screen.

    Raises ValueError if the alternative text is empty.

    >>> image_tag(Figure(figsize=(1, 1)), "a blank square")[:27]
    '<img alt="a blank square" s'
    """
    if not alt.strip():
        raise ValueError(
            "The alternative text is empty; say in a sentence what the figure shows, for readers who cannot see it"
        )
    buffer = io.BytesIO()
    # No version of matplotlib in the file: the bytes shall depend on the picture alone.
    fig.savefig(
        buffer,
        format="png",
        dpi=SCALE * PIXELS_PER_INCH,
        facecolor="white",
        bbox_inches=None,
        metadata={"Software": None},
    )
    data = base64.b64encode(buffer.getvalue()).decode()
    width = round(fig.get_figwidth() * PIXELS_PER_INCH)
    return f'<img alt="{html.escape(alt)}" src="data:image/png;base64,{data}" width="{width}" style="max-width:100%">'


def show(fig: Figure, alt: str, trained: bool = False) -> None:
    """Show a figure in the notebook, with alternative text and a text fingerprint of its data; then close it.

    Set `trained=True` for what depends on training: other processors round differently, so that the fingerprint then
    only counts. Outside a notebook the text is printed. Raises ValueError if the alternative text is empty.

    >>> fig = Figure()
    >>> _ = fig.subplots().plot([1, 2, 4])
    >>> show(fig, alt="A line that bends upwards.")
    A line that bends upwards.
    axes 1: 1 line of 3 points, mean 2.333, moments 1.000
    """
    tag = image_tag(fig, alt)
    text = f"{alt}\n{fingerprint(fig, counts_only=trained)}".rstrip()
    plt.close(fig)
    publish({"text/html": tag, "text/plain": text})


def publish(bundle: dict[str, Any]) -> None:
    """Send one output to the notebook; outside a notebook print its text."""
    from IPython import get_ipython
    from IPython.display import display

    if get_ipython() is None:
        print(bundle["text/plain"])
    else:
        display(bundle, raw=True)


def fingerprint(fig: Figure, counts_only: bool = False) -> str:
    """The data in a figure as a few words and numbers, one line per axes, the same on every machine.

    *Mean* is the mean of all values; *moments* are their means weighted by their place along each axis, from −1 (first)
    to 1 (last), which notices a change of order. They are rounded to three digits.

    >>> fig = Figure()
    >>> draw_image(fig.subplots(), [[0, 0, 0], [0, 0, 1]])
    >>> fingerprint(fig)
    'axes 1: 1 image of 2×3, mean 0.167, moments 0.167 0.167'
    """
    lines = []
    for number, ax in enumerate(fig.axes, start=1):
        parts = [
            words if counts_only or values is None else f"{words}, {_mean_and_moments(values)}"
            for words, values in _contents(ax)
        ]
        if parts:
            lines.append(f"axes {number}: " + "; ".join(parts))
    return "\n".join(lines)


def _contents(ax: Axes) -> Iterator[tuple[str, NDArray[Any] | None]]:
    """What is drawn on the axes, in words, and its values (None: the words say all)."""
    images: dict[str, list[NDArray[Any]]] = {}
    for image in ax.images:
        array = _values(image.get_array())
        images.setdefault("×".join(map(str, array.shape)), []).append(array)
    for shape, arrays in images.items():
        yield f"{_count(len(arrays), 'image')} of {shape}", np.stack(arrays)
    if ax.lines:
        ys = np.concatenate([_values(line.get_ydata(orig=False)).ravel() for line in ax.lines])
        yield f"{_count(len(ax.lines), 'line')} of {_count(len(ys), 'point')}", ys
    for collection in ax.collections:
        yield _collection(collection)
    bars = [patch for container in ax.containers if isinstance(container, BarContainer) for patch in container]
    if bars:
        yield _count(len(bars), "bar"), np.array([[bar.get_width(), bar.get_height()] for bar in bars])
    words = [text.get_text() for text in ax.texts if text.get_gid() == DATA]
    if words:
        yield f"“{' '.join(words)}”", None


def _collection(collection: Collection) -> tuple[str, NDArray[Any]]:
    if isinstance(collection, Quiver):
        arrows = np.stack([_values(collection.U), _values(collection.V)], axis=-1)
        return _count(len(arrows), "arrow"), arrows
    if isinstance(collection, PathCollection | EllipseCollection):
        offsets = _values(collection.get_offsets())
        return f"scatter of {_count(len(offsets), 'point')}", offsets
    vertices = [np.asarray(path.vertices, dtype=float) for path in collection.get_paths()]
    return _count(len(vertices), "path"), np.concatenate([np.zeros((0, 2)), *vertices])


def _values(data: Any) -> NDArray[Any]:
    """Numbers out of what matplotlib stores; colours given as 0 to 255 become 0 to 1."""
    array = np.ma.filled(np.ma.asarray(data), np.nan) if np.ma.isMaskedArray(data) else np.asarray(data)
    return array / 255 if array.dtype == np.uint8 else array.astype(float)


def _mean_and_moments(values: NDArray[Any]) -> str:
    values = np.atleast_1d(values.squeeze())
    known = np.isfinite(values)
    if not known.any():
        return "no finite value"
    filled = np.where(known, values, 0)
    numbers = [filled.sum() / known.sum()]
    for axis, size in enumerate(values.shape):
        weights = np.linspace(-1, 1, size).reshape([-1 if i == axis else 1 for i in range(values.ndim)])
        numbers.append((filled * weights).sum() / known.sum())
    mean, *moments = (f"{round(float(number), 3) + 0.0:.3f}" for number in numbers)  # + 0.0: no −0.000
    return f"mean {mean}, moments {' '.join(moments)}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


# --- drawing one piece of data ---------------------------------------------------------------------------------------


def draw_image(ax: Axes, image: Any) -> None:
    """Draw a grey (height, width) or colour (3, height, width) image; 0 is black, 1 is full, values beyond are clipped.

    Raises ValueError for any other shape.

    >>> draw_image(Figure().subplots(), np.zeros((2, 3)))
    """
    ax.imshow(_pixels(image), cmap="gray", vmin=0, vmax=1)
    _frame(ax)


def draw_mask(ax: Axes, mask: Any) -> None:
    """Draw a (height, width) mask: 0 is white, 1 is blue.

    Raises ValueError for any other shape.

    >>> draw_mask(Figure().subplots(), np.eye(3) > 0)
    """
    values = _array(mask)
    if values.ndim != 2:
        raise ValueError(f"A mask has the shape (height, width); this one has the shape {values.shape}")
    ax.imshow(
        values.astype(float), cmap=LinearSegmentedColormap.from_list("mask", ["white", PALETTE[0]]), vmin=0, vmax=1
    )
    _frame(ax)


def draw_vector(ax: Axes, x: Any, column: bool = False) -> None:
    """Draw a vector (N,), N ≤ 12, as a row (or column) of cells: each shows its value, its colour and its number from 0.

    Colours run from blue (−max |x|) over white to red. Raises ValueError for more axes or more cells.

    >>> draw_vector(Figure().subplots(), [1, -2, 0.5])
    """
    values = _array(x).astype(float)
    if values.ndim != 1 or not 1 <= len(values) <= 12:
        raise ValueError(
            f"draw_vector draws 1 to 12 numbers, the shape (N,); this has the shape {values.shape}. Use draw_image for a "
            "table of numbers, ax.plot for a long row"
        )
    limit = 1.25 * np.abs(values).max(initial=0) or 1.0  # 1.25: no cell so dark that its number is hard to read
    cells = values[:, None] if column else values[None, :]
    picture = ax.imshow(cells, cmap=DIVERGING, vmin=-limit, vmax=limit, aspect=0.5 if column else 1)
    for i, value in enumerate(values):
        ink = _ink_on(picture.to_rgba(value))
        place = (0, i) if column else (i, 0)
        ax.text(*place, _number(value), ha="center", va="center", color=ink, fontsize=9)
        ax.add_patch(Rectangle((place[0] - 0.5, place[1] - 0.5), 1, 1, fill=False, edgecolor="white", linewidth=1.5))
    _frame(ax)
    (ax.set_yticks if column else ax.set_xticks)(range(len(values)))
    ax.tick_params(length=0, labelsize=9, labelcolor="0.4", pad=2)


def draw_set(ax: Axes, images: Any, labels: Any = None) -> None:
    """Draw items (n, height, width) in a row; with labels (n,), a frame and a sign: “!” for True, “✓” for False.

    Raises ValueError if there are not as many labels as items.

    >>> draw_set(Figure().subplots(), np.zeros((3, 8, 8)), labels=[True, False, False])
    """
    items = _array(images)
    if items.ndim != 3 or len(items) == 0:
        raise ValueError(
            f"A set of items has the shape (n, height, width) with n ≥ 1; this one has the shape {items.shape}"
        )
    flags = None if labels is None else _array(labels).astype(bool).tolist()
    if flags is not None and len(flags) != len(items):
        raise ValueError(f"There are {len(items)} items and {len(flags)} labels; give one label for each item")
    pitch = 1.22
    for i, item in enumerate(items):
        left = i * pitch
        _thumbnail(ax, item, left, 0, 1)
        colour = "0.6" if flags is None else PALETTE[1] if flags[i] else PALETTE[0]
        ax.add_patch(Rectangle((left, 0), 1, 1, fill=False, edgecolor=colour, linewidth=1 if flags is None else 2.5))
        if flags is not None:
            sign = "!" if flags[i] else "✓"
            ax.text(
                left + 0.5, -0.14, sign, ha="center", va="top", fontsize=13, fontweight="bold", color=colour, gid=DATA
            )
    ax.set(xlim=(-0.1, (len(items) - 1) * pitch + 1.1), ylim=(-0.1 if flags is None else -0.75, 1.1), aspect="equal")
    ax.axis("off")


ELEMENT_COLOURS = {
    "H": "#f4f4f4",
    "C": "#5a5a5a",
    "N": "#4a6cf0",
    "O": "#e0402a",
    "F": "#8fd14f",
    "Cl": "#2fa84f",
    "Br": "#8f3b1f",
}
ELEMENT_RADII = {"H": 0.31, "C": 0.45, "N": 0.44, "O": 0.43, "F": 0.40, "Cl": 0.55, "Br": 0.62}  # Å, to look at


def draw_molecule(ax: Axes, symbols: Sequence[str], positions: Any, bonds: Any, forces: Any = None) -> None:
    """Draw a molecule seen along the z axis (x to the right, y up); what is further away is paler.

    `positions` (n, 3) in Å, around the origin; `bonds` pairs of atom numbers; `forces` (n, 3) in eV/Å are drawn as
    arrows, with one of a stated length beside them. The frame and the length of the arrows depend on lengths only, so
    that all poses of a molecule are drawn to one scale. Raises ValueError if the shapes do not fit.

    >>> draw_molecule(Figure().subplots(), ["O", "H"], [[0, 0, 0], [0.97, 0, 0]], [(0, 1)])
    """
    points = _array(positions).astype(float)
    arrows = None if forces is None else _array(forces).astype(float)
    for name, array in {"positions": points, "forces": arrows}.items():
        if array is not None and array.shape != (len(symbols), 3):
            raise ValueError(
                f"There are {len(symbols)} atoms, so {name} should be ({len(symbols)}, 3), not {array.shape}"
            )
    size = np.linalg.norm(points, axis=1).max() + 0.65
    fog = 0.5 * (points[:, 2].max() - points[:, 2]) / (np.ptp(points[:, 2]) + 1.0)
    order = np.argsort(points[:, 2])

    ends = [[points[i, :2], points[j, :2]] for i, j in bonds]
    ax.add_collection(LineCollection(ends, colors="0.65", linewidths=4, capstyle="round", zorder=1))
    colours = [_pale(ELEMENT_COLOURS.get(symbols[i], "#d080d0"), fog[i]) for i in order]
    radii = np.array([ELEMENT_RADII.get(symbol, 0.5) for symbol in symbols])
    atoms = EllipseCollection(
        2 * radii[order],
        2 * radii[order],
        np.zeros(len(order)),
        units="xy",
        offsets=points[order, :2],
        offset_transform=ax.transData,
        facecolors=colours,
        edgecolors=[_pale("#303030", fog[i]) for i in order],
        linewidths=1,
        zorder=2,
    )
    ax.add_collection(atoms)
    for colour, i in zip(colours, order, strict=True):
        x, y, _ = points[i]
        ax.text(x, y, symbols[i], ha="center", va="center", fontsize=9, color=_ink_on(colour), zorder=5)
    ax.set(xlim=(-size, size), ylim=(-size, size), aspect="equal")
    if arrows is not None:
        _draw_forces(ax, points, radii, arrows, size)
    ax.axis("off")


def _draw_forces(ax: Axes, points: NDArray[Any], radii: NDArray[Any], arrows: NDArray[Any], size: float) -> None:
    """Force arrows from the surface of each atom, and one of a round length to read them by."""
    lengths = np.linalg.norm(arrows, axis=1)
    strongest = float(lengths.max()) or 1.0
    stretch = 0.45 * size / strongest  # Å drawn per eV/Å
    tails = points + radii[:, None] * arrows / np.maximum(lengths, 1e-12)[:, None]
    how: dict[str, Any] = {"angles": "xy", "scale_units": "xy", "scale": 1, "color": PALETTE[3], "width": 0.014}
    how |= {
        "zorder": 4,
        "clip_on": False,
        "minlength": 0,
    }  # outermost arrows may leave the frame, tiny ones are no dots
    ax.quiver(*tails[:, :2].T, *(stretch * arrows[:, :2]).T, **how)
    left, bottom, unit = -0.97 * size, -0.97 * size, _round_below(strongest)
    ax.quiver([left], [bottom], [stretch * unit], [0], **how)
    ax.text(left + stretch * unit + 0.06 * size, bottom, f"{unit:g} eV/Å", va="center", fontsize=9, color=INK)


def draw_text(ax: Axes, text: object) -> None:
    """Draw a label, a number or a verdict, in a box in the middle of the axes.

    >>> draw_text(Figure().subplots(), "flower")
    """
    box = {"boxstyle": "round,pad=0.5", "facecolor": "0.95", "edgecolor": "0.7"}
    place: dict[str, Any] = {"transform": ax.transAxes, "ha": "center", "va": "center"}
    ax.text(0.5, 0.5, str(text), **place, fontsize=12, color=INK, bbox=box, gid=DATA)
    ax.set_box_aspect(0.3)  # low, so that a title stands close above the box
    ax.axis("off")


def _array(data: Any) -> NDArray[Any]:
    return data.detach().cpu().numpy() if isinstance(data, torch.Tensor) else np.asarray(data)


def _pixels(image: Any) -> NDArray[Any]:
    """An image as `imshow` wants it: (height, width) or (height, width, 3), in [0, 1]."""
    array = _array(image).astype(float)
    if array.ndim == 3 and array.shape[0] == 3:
        array = np.moveaxis(array, 0, -1)
    elif array.ndim != 2:
        hint = "; move its last axis to the front" if array.ndim == 3 and array.shape[-1] == 3 else ""
        raise ValueError(
            f"An image has the shape (height, width) or (3, height, width); this one has {array.shape}{hint}"
        )
    return np.clip(array, 0, 1)


def _thumbnail(ax: Axes, image: Any, left: float, bottom: float, side: float) -> None:
    """An image inside a square of a larger picture, its proportions kept."""
    pixels = _pixels(image)
    height, width = side * np.array(pixels.shape[:2]) / max(pixels.shape[:2])
    x, y = left + (side - width) / 2, bottom + (side - height) / 2
    ax.imshow(pixels, cmap="gray", vmin=0, vmax=1, extent=(x, x + width, y, y + height), zorder=3)


def _frame(ax: Axes) -> None:
    ax.set(xticks=[], yticks=[])
    for spine in ax.spines.values():
        spine.set(visible=True, color="0.75", linewidth=0.8)


def _pale(colour: Any, amount: float) -> tuple[float, ...]:
    """A colour mixed with white."""
    return tuple((1 - amount) * part + amount for part in to_rgb(colour))


def _ink_on(colour: Any) -> str:
    """Black or white, whichever is readable on the colour."""
    red, green, blue = to_rgb(colour)
    return "black" if 0.299 * red + 0.587 * green + 0.114 * blue > 0.5 else "white"


def _number(value: float) -> str:
    text = f"{value:.0f}" if abs(value) >= 100 else f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text.replace("-", "−")


def _round_below(value: float) -> float:
    """The largest of …, 0.5, 1, 2, 5, 10, … that is at most the value."""
    if value <= 0:
        return 1.0
    power = 10.0 ** np.floor(np.log10(value))
    return float(power * max(step for step in (1, 2, 5) if step * power <= value))


# --- whole figures ---------------------------------------------------------------------------------------------------

# Lengths on these figures are in inches, from the lower left corner.
MARGIN, TITLE = 0.15, 0.3


class Corners(NamedTuple):
    """What stands on the corners of a commutative square; the last corner is reached along two paths."""

    x: Any
    gx: Any
    """g▷x"""
    fx: Any
    """f(x)"""
    fgx: Any
    """f(g▷x)"""
    gfx: Any
    """g▷f(x)"""


class Difference(NamedTuple):
    """Whether two results agree, and how to say it."""

    same: bool
    text: str


def difference(a: Any, b: Any, unit: str = "") -> Difference:
    """Compare two results: arrays of floats by their largest difference, whole numbers and labels by counting.

    Floats agree if they differ by at most 10⁻⁴ of the largest of them. Raises ValueError for different shapes.

    >>> difference([1.0, 2.0], [1.0, 2.5], unit="eV")
    Difference(same=False, text='max |difference| 0.5 eV')
    >>> difference(np.array([True, False]), np.array([True, True])).text
    '1 of 2 differs'
    >>> difference("flower", "flower").text
    'the same: yes'
    """
    if isinstance(a, str | bool) or isinstance(b, str | bool):
        return Difference(a == b, "the same: yes" if a == b else "the same: no")
    left, right = _array(a), _array(b)
    if left.shape != right.shape:
        raise ValueError(
            f"f(g▷x) and g▷f(x) have different shapes, {left.shape} and {right.shape}: they cannot be compared"
        )
    if left.dtype.kind in "biuUO" and right.dtype.kind in "biuUO":
        count = int((left != right).sum())
        return Difference(count == 0, f"{count} of {left.size} {'differs' if count == 1 else 'differ'}")
    largest = float(np.abs(left - right).max(initial=0))
    scale = max(float(np.abs(left).max(initial=0)), float(np.abs(right).max(initial=0)))
    # Infinity is at most 10⁻⁴ of infinity: only a finite difference can be a small one.
    same = bool(np.isfinite(largest)) and largest <= 1e-4 * scale
    return Difference(same, f"max |difference| {largest:{'.2g' if largest < 0.01 else '.3g'}} {unit}".rstrip())


def act(
    before: Any,
    after: Any,
    draw: Draw,
    before_label: str = "x",
    after_label: str = "g▷x",
    arrow_label: str = "g▷",
    panel: tuple[float, float] = (2.2, 1.6),
) -> Figure:
    """Before → after: a thing, an arrow, and what the group element has made of it. `panel`: width, height in inches.

    >>> fig = act([1, 2, 3], [3, 1, 2], draw_vector)
    """
    width, height = panel
    gap = _gap(arrow_label)
    with style():
        fig = Figure(figsize=(2 * MARGIN + 2 * width + gap, 2 * MARGIN + TITLE + height))
        _panel(fig, MARGIN, MARGIN, panel, draw, before, before_label)
        _panel(fig, MARGIN + width + gap, MARGIN, panel, draw, after, after_label)
        middle = MARGIN + height / 2
        _arrow(fig, (MARGIN + width, middle), (MARGIN + width + gap, middle), arrow_label)
    return fig


def square(
    f: Callable[[Any], Any] | None = None,
    g_in: Callable[[Any], Any] | None = None,
    g_out: Callable[[Any], Any] | None = None,
    x: Any = None,
    *,
    draw_in: Draw,
    draw_out: Draw,
    corners: Corners | None = None,
    f_label: str = "f",
    g_in_label: str = "g▷",
    g_out_label: str = "g▷",
    titles: Sequence[str] = ("x", "g▷x", "f(x)", "f(g▷x)", "g▷f(x)"),
    title: str = "",
    compare: Callable[[Any, Any], Difference] = difference,
    panel: tuple[float, float] = (2.2, 1.6),
) -> Figure:
    """The commutative square of f with the data on its corners; the last corner is drawn as both paths reach it.

    Give `f`, `g_in`, `g_out` and `x`, or `corners` that were computed elsewhere. `compare` says whether the two ends
    agree; `titles` stand over the data in the order of `Corners`; `panel` is width and height of one picture in inches.
    Raises ValueError if neither or both of maps and corners are given.

    >>> reverse = lambda x: x[::-1]
    >>> fig = square(lambda x: 2 * x, reverse, reverse, np.arange(3.0), draw_in=draw_vector, draw_out=draw_vector)
    """
    if corners is None:
        if f is None or g_in is None or g_out is None or x is None:
            raise ValueError("square needs f, g_in, g_out and x, or corners=Corners(x, gx, fx, fgx, gfx)")
        fx, gx = f(x), g_in(x)
        corners = Corners(x, gx, fx, f(gx), g_out(fx))
    elif not (f is None and g_in is None and g_out is None and x is None):
        raise ValueError("square got both maps and corners; give f, g_in, g_out and x, or corners alone")
    verdict = compare(corners.fgx, corners.gfx)

    width, height = panel
    gap = _gap(f_label)
    lefts = [MARGIN + i * (width + gap) for i in range(3)]
    low = MARGIN + 0.45
    high = low + height + TITLE + 0.6
    with style():
        fig = Figure(figsize=(lefts[2] + width + MARGIN, high + height + TITLE + (0.4 if title else 0.1)))
        _box(fig, lefts[1] - 0.08, MARGIN - 0.05, 2 * width + gap + 0.16, low + height + TITLE - MARGIN + 0.05)
        places = [(lefts[0], high), (lefts[0], low), (lefts[2], high), (lefts[1], low), (lefts[2], low)]
        draws = [draw_in, draw_in, draw_out, draw_out, draw_out]
        for (left, bottom), draw, thing, name in zip(places, draws, corners, titles, strict=True):
            _panel(fig, left, bottom, panel, draw, thing, name)
        _arrow(fig, (lefts[0] + width, high + height / 2), (lefts[2], high + height / 2), f_label)
        _arrow(fig, (lefts[0] + width, low + height / 2), (lefts[1] - 0.1, low + height / 2), f_label)
        for left, label in [(lefts[0], g_in_label), (lefts[2], g_out_label)]:
            _arrow(fig, (left + width / 2, high - 0.05), (left + width / 2, low + height + TITLE + 0.05), label)
        centre = lefts[2] - gap / 2
        _words(fig, centre, low + height / 2, "=" if verdict.same else "≠", fontsize=22)
        _words(fig, centre, MARGIN + 0.18, verdict.text)
        _words(fig, fig.get_figwidth() / 2, fig.get_figheight() - 0.2, title, fontsize=12)
    return fig


def triangle(
    f: Callable[[Any], Any],
    g_in: Callable[[Any], Any],
    x: Any,
    draw_in: Draw,
    draw_out: Draw,
    f_label: str = "f",
    g_label: str = "g▷",
    titles: Sequence[str] = ("x", "g▷x", "f(x)", "f(g▷x)"),
    title: str = "",
    panel: tuple[float, float] = (2.2, 1.6),
) -> Figure:
    """The triangle that is left of the square when f is invariant: x and g▷x, and the one output that they share.

    If the two outputs differ, both are drawn, with “≠” between them. `panel`: width, height of a picture in inches.

    >>> fig = triangle(sum, lambda x: x[::-1], [1, 2, 3], draw_vector, draw_text)
    """
    gx = g_in(x)
    fx, fgx = f(x), f(gx)
    verdict = difference(fx, fgx)
    width, height = panel
    right = MARGIN + width + _gap(f_label) + 0.4
    low = MARGIN
    high = low + height + TITLE + 0.6
    middle = (low + high) / 2
    with style():
        fig = Figure(figsize=(right + width + MARGIN, high + height + TITLE + (0.4 if title else 0.1)))
        _panel(fig, MARGIN, high, panel, draw_in, x, titles[0])
        _panel(fig, MARGIN, low, panel, draw_in, gx, titles[1])
        _arrow(fig, (MARGIN + width / 2, high - 0.05), (MARGIN + width / 2, low + height + TITLE + 0.05), g_label)
        if verdict.same:
            _panel(fig, right, middle, panel, draw_out, fx, f"{titles[2]} = {titles[3]}")
            ends = [middle + 0.65 * height, middle + 0.35 * height]
        else:
            _panel(fig, right, high, panel, draw_out, fx, titles[2])
            _panel(fig, right, low, panel, draw_out, fgx, titles[3])
            _words(fig, right + width / 2, high - 0.15, "≠", fontsize=22)
            _words(fig, right + width / 2, low + height + TITLE + 0.12, verdict.text)
            ends = [high + height / 2, low + height / 2]
        for start, end in zip([high + height / 2, low + height / 2], ends, strict=True):
            _arrow(fig, (MARGIN + width, start), (right, end), f_label)
        _words(fig, fig.get_figwidth() / 2, fig.get_figheight() - 0.2, title, fontsize=12)
    return fig


def _panel(
    fig: Figure, left: float, bottom: float, panel: tuple[float, float], draw: Draw, thing: Any, title: str
) -> None:
    width, height = fig.get_size_inches()
    ax = fig.add_axes((left / width, bottom / height, panel[0] / width, panel[1] / height))
    draw(ax, thing)
    ax.set_title(title, color=INK, pad=4)


def _arrow(fig: Figure, start: tuple[float, float], end: tuple[float, float], label: str) -> None:
    """An arrow between two places, a little shorter than their distance, its label above it or to its right."""
    patch = FancyArrowPatch(
        start,
        end,
        transform=fig.dpi_scale_trans,
        arrowstyle="-|>",
        mutation_scale=15,
        shrinkA=7,
        shrinkB=7,
        linewidth=1.6,
        color=INK,
    )
    fig.add_artist(patch)
    x, y = (start[0] + end[0]) / 2, (start[1] + end[1]) / 2
    if start[0] == end[0]:
        _words(fig, x + 0.1, y, label, ha="left")
    else:
        _words(fig, x, y + 0.12 + abs(end[1] - start[1]) / 4, label, va="bottom")


def _gap(label: str) -> float:
    """Room for an arrow with its label."""
    return max(0.8, 0.085 * len(label) + 0.2)


def _words(fig: Figure, x: float, y: float, words: str, **how: Any) -> None:
    fig.text(x, y, words, transform=fig.dpi_scale_trans, **{"ha": "center", "va": "center", "color": INK, **how})


def _box(fig: Figure, left: float, bottom: float, width: float, height: float) -> None:
    """A pale box behind what belongs together."""
    patch = FancyBboxPatch(
        (left, bottom),
        width,
        height,
        boxstyle="round,pad=0,rounding_size=0.12",
        transform=fig.dpi_scale_trans,
        facecolor="0.955",
        edgecolor="none",
        zorder=-1,
    )
    fig.add_artist(patch)


def partition(
    classes: Sequence[Sequence[Sequence[Any]]],
    names: Sequence[str],
    title: str = "",
    pose_label: str = "another pose: the same orbit",
    instance_label: str = "another instance: the same class",
) -> Figure:
    """A space of images cut into classes; each class is a union of orbits, and each orbit holds poses of one instance.

    `classes[k][i][p]` is pose p of instance i in class k, an image as `draw_image` takes it; `names[k]` names class k.
    Raises ValueError if there are not as many names as classes, or if a class or an orbit is empty.

    >>> image = np.eye(3)
    >>> fig = partition([[[image, image[::-1]]], [[image], [image]]], names=["two poses", "two instances"])
    """
    if len(names) != len(classes):
        raise ValueError(f"There are {len(classes)} classes and {len(names)} names; give one name for each class")
    if not classes or any(not orbits or any(len(orbit) == 0 for orbit in orbits) for orbits in classes):
        raise ValueError("partition needs at least one class, one orbit in each class and one image in each orbit")
    colours = [PALETTE[k % len(PALETTE)] for k in range(len(classes))]
    widths = [
        max(max(map(len, orbits)) * PITCH, 0.22 * len(name)) + 1 for orbits, name in zip(classes, names, strict=True)
    ]
    borders = np.concatenate([[0], np.cumsum(widths)])
    height = max(map(len, classes)) * ROW + 0.8
    inch = min(0.75, 9.0 / borders[-1])
    below, above = 0.35, 0.4 if title else 0.1
    with style():
        fig = Figure(figsize=(inch * borders[-1] + 0.2, inch * height + below + above))
        wide, high = fig.get_size_inches()
        ax = fig.add_axes((0.1 / wide, below / high, 1 - 0.2 / wide, inch * height / high))
        _regions(ax, borders, height, colours)
        for orbits, name, colour, left, right in zip(classes, names, colours, borders, borders[1:], strict=False):
            middle = (left + right) / 2
            ax.text(middle, height - 0.42, name, ha="center", va="center", fontsize=12, color=_dark(colour))
            for i, orbit in enumerate(orbits):
                top = height - 0.85 - i * ROW
                _orbit(ax, orbit, middle, top, colour)
                if i:
                    _both_ways(ax, (middle, top + 0.5), (middle, top - 0.01))
        ax.set(xlim=(0, borders[-1]), ylim=(0, height))
        ax.axis("off")
        _words(fig, wide / 2, 0.17, f"↔ {pose_label}          ↕ {instance_label}")
        _words(fig, wide / 2, high - 0.2, title, fontsize=12)
    return fig


# Lengths on the partition, in sides of a thumbnail: from one pose, or one orbit, to the next.
PITCH, ROW = 1.5, 1.85


def _regions(ax: Axes, borders: NDArray[Any], height: float, colours: Sequence[str]) -> None:
    """The space as a rounded box, cut into tinted regions along gently curved lines."""
    y = np.linspace(0, height, 60)
    curve = 0.16 * np.sin(2 * np.pi * y / height)
    outline = FancyBboxPatch(
        (0.02, 0.02),
        borders[-1] - 0.04,
        height - 0.04,
        boxstyle="round,pad=0,rounding_size=0.35",
        facecolor="none",
        edgecolor="0.45",
        linewidth=1.5,
        zorder=2,
    )
    ax.add_patch(outline)
    bend = [curve * (0 < k < len(borders) - 1) for k in range(len(borders))]  # the outer sides are straight
    for k, colour in enumerate(colours):
        left, right = borders[k] + bend[k], borders[k + 1] + bend[k + 1]
        region = Polygon(
            np.column_stack([np.append(left, right[::-1]), np.append(y, y[::-1])]), facecolor=_pale(colour, 0.82)
        )
        ax.add_patch(region)
        region.set_clip_path(outline)
        if k:
            ax.add_patch(PathPatch(Path(np.column_stack([left, y])), facecolor="none", edgecolor="0.45", linewidth=1.5))


def _orbit(ax: Axes, orbit: Sequence[Any], middle: float, top: float, colour: str) -> None:
    """The poses of one instance, side by side in one white box."""
    width = (len(orbit) - 1) * PITCH + 1
    left = middle - width / 2
    box = FancyBboxPatch(
        (left, top - 1.18),
        width,
        1,
        boxstyle="round,pad=0.18",
        facecolor="white",
        edgecolor=colour,
        linewidth=1.8,
        zorder=2,
    )
    ax.add_patch(box)
    for p, image in enumerate(orbit):
        x = left + p * PITCH
        _thumbnail(ax, image, x, top - 1.18, 1)
        if p:
            _both_ways(ax, (x - PITCH + 1.03, top - 0.68), (x - 0.03, top - 0.68))


def _both_ways(ax: Axes, start: tuple[float, float], end: tuple[float, float]) -> None:
    patch = FancyArrowPatch(
        start, end, arrowstyle="<|-|>", mutation_scale=9, shrinkA=1, shrinkB=1, linewidth=1.2, color=INK, zorder=4
    )
    ax.add_patch(patch)


def _dark(colour: Any) -> tuple[float, ...]:
    """A colour mixed with black, for words on its own pale tint."""
    return tuple(0.6 * part for part in to_rgb(colour))


# --- weight sharing patterns -----------------------------------------------------------------------------------------

MAX_NUMBERED = 30  # rows or columns up to which each cell shows its orbit's number
MAX_DRAWN = 1024


def pattern(space: IntertwinerSpace, highlight: int | None = None, title: str = "") -> Figure:
    """The weight sharing pattern of a space of equivariant maps: one colour for each free weight.

    Rows are output places, columns input places. Each cell shows its orbit's number, with a minus sign where the weight enters with one;
    entries that have to be zero are blank. Lines separate the blocks of tensor axes and direct sums. Beyond 15 orbits colours could not be
    told apart: cells are pale and numbered; a pattern too fine for numbers too (more than 30 rows or columns) says so below. `highlight`
    shows one orbit and fades the others.

    Raises ValueError for patterns with more than 1024 rows or columns, or an orbit that does not exist.

    >>> from eqcourse import intertwiners
    >>> from eqcourse.groups import SymmetricGroup
    >>> V = SymmetricGroup(8).defining()
    >>> fig = pattern(intertwiners(V, V))
    """
    labels, signs = space.pattern.numpy(), space.signs.numpy()
    if max(labels.shape) > MAX_DRAWN:
        raise ValueError(
            f"A pattern of {labels.shape} cells is too fine to draw; take a smaller N: the orbits stay the same"
        )
    if highlight is not None and not 0 <= highlight < space.dim:
        known = f"The orbits are numbered 0 to {space.dim - 1}" if space.dim else "This pattern has no orbits"
        raise ValueError(f"{known}; there is none with the number {highlight}")
    cell = min(0.5, 6.5 / max(labels.shape))
    with style():
        # At least so wide that the title fits.
        size = (max(cell * labels.shape[1], 3.2) + 0.5, max(cell * labels.shape[0], 0.5) + 0.9)
        fig = Figure(figsize=size, layout="constrained")
        ax = fig.subplots()
        ax.imshow(_pattern_pixels(labels, space.dim, highlight))
        if max(labels.shape) <= MAX_NUMBERED:
            _number_cells(ax, labels, signs, space.dim, highlight, fontsize=min(10.0, 72 * cell * 0.42))
        for lines, rho in ((ax.axhline, space.rho_out), (ax.axvline, space.rho_in)):
            for place, width in _block_lines(rho):
                lines(place - 0.5, color="white", linewidth=3.0 * width)
                lines(place - 0.5, color=INK, linewidth=1.0 * width)
        _frame(ax)
        ax.set_title(title or _count_weights(space), fontsize=10)
        notes = []
        if space.has_signs:
            notes.append("A colour alone is not a weight here:\nmind the signs and the blank zeros.")
        if space.dim > len(PALETTE_15) and max(labels.shape) > MAX_NUMBERED and highlight is None:
            notes.append("Too many weights to tell apart:\nhighlight=0 shows one of them.")
        ax.set_xlabel("\n".join(notes), fontsize=9)
        fig.set_figheight(size[1] + 0.4 * len(notes))
    return fig


def describe_pattern(space: IntertwinerSpace) -> str:
    """The picture in words, for alternative text: size, number of weights, zeros, how many entries each weight has.

    >>> from eqcourse import intertwiners
    >>> from eqcourse.groups import SymmetricGroup
    >>> V = SymmetricGroup(8).defining()
    >>> describe_pattern(intertwiners(V, V))
    'Weight sharing pattern, 8 rows and 8 columns: 64 entries, 2 weights. Entries of each weight: 8, 56.'
    """
    labels = space.pattern.flatten().long()
    counts = torch.bincount(labels[labels >= 0], minlength=space.dim).tolist()
    shown = ", ".join(map(str, counts[:20])) + (", …" if len(counts) > 20 else "")
    zeros = int((labels < 0).sum())
    rows, columns = space.pattern.shape
    words = f"Weight sharing pattern, {_count(rows, 'row')} and {_count(columns, 'column')}: {_count_weights(space)}."
    words += f" Entries of each weight: {shown}." if counts else ""
    return words + (f" {zeros} entries are forced to zero." if zeros else "")


def pattern_equations(space: IntertwinerSpace) -> list[str]:
    """One equation for each colour (and one for the forced zeros) of a small pattern, at most 9 × 9.

    >>> from eqcourse import intertwiners
    >>> from eqcourse.groups import SymmetricGroup
    >>> V = SymmetricGroup(3).defining()
    >>> print("\\n".join(pattern_equations(intertwiners(V, V))))
    w0 = W[0,0] = W[1,1] = W[2,2]
    w1 = W[0,1] = W[0,2] = W[1,0] = W[1,2] = W[2,0] = W[2,1]
    """
    if max(space.pattern.shape) > 9:
        raise ValueError(
            f"Equations are written for at most 9 × 9 entries; this pattern has {tuple(space.pattern.shape)}"
        )
    terms: dict[int, list[str]] = {}
    for (row, column), label in np.ndenumerate(space.pattern.numpy()):
        sign = "−" if space.signs[row, column] < 0 else ""
        terms.setdefault(int(label), []).append(f"{sign}W[{row},{column}]")
    equations = [" = ".join([f"w{label}", *terms[label]]) for label in range(space.dim)]
    return equations + ([" = ".join(["0", *terms[-1]])] if -1 in terms else [])


def draw_array(ax: Axes, x: Any) -> None:
    """Draw an array with one, two or three axes of equal length as coloured cells, without numbers; three axes as a cube.

    Of a cube x[i, j, k] the faces with k = 0 (front), i = 0 (top) and j = last (right) are seen. Raises ValueError for other arrays.

    >>> draw_array(Figure().subplots(), np.arange(27).reshape(3, 3, 3))
    """
    values = _array(x).astype(float)
    if values.ndim not in (1, 2, 3) or len(set(values.shape)) != 1 or values.size == 0:
        raise ValueError(
            f"draw_array draws arrays with one, two or three equal axes; this one has the shape {values.shape}"
        )
    low, high = float(values.min()), float(values.max())
    norm = Normalize(low, high if high > low else low + 1)
    if values.ndim < 3:
        ax.imshow(np.atleast_2d(values), cmap="viridis", norm=norm)
        _frame(ax)
        return
    n = len(values)
    depth = 0.45  # how far a step into the picture goes, along both directions
    right, down, back = np.array([1.0, 0.0]), np.array([0.0, -1.0]), np.array([depth, depth])
    faces = [
        (values[:, :, 0], np.zeros(2), down, right),
        (values[0], np.zeros(2), right, back),
        (values[:, -1], n * right, down, back),
    ]
    for face, corner, along, across in faces:
        cells = [
            [corner + a * along + b * across for a, b in ((i, j), (i + 1, j), (i + 1, j + 1), (i, j + 1))]
            for i, j in np.ndindex(n, n)
        ]
        cubes = PolyCollection(cells, array=face.ravel(), cmap="viridis", norm=norm, edgecolors="white", linewidths=0.5)
        ax.add_collection(cubes)
    ax.set(xlim=(-0.2, n * (1 + depth) + 0.2), ylim=(-n - 0.2, n * depth + 0.2), aspect="equal")
    ax.axis("off")


def _count_weights(space: IntertwinerSpace) -> str:
    return f"{_count(space.pattern.numel(), 'entry').replace('entrys', 'entries')}, {_count(space.dim, 'weight')}"


def _pattern_pixels(labels: NDArray[Any], count: int, highlight: int | None) -> NDArray[Any]:
    """The colour of each cell: (rows, columns, 3); forced zeros are white."""
    palette: Sequence[str] = PALETTE if count <= len(PALETTE) else PALETTE_15
    if count > len(palette):
        palette = ["0.88"] * count
    colours: list[tuple[float, ...]] = [to_rgb(colour) for colour in palette[:count]]
    if highlight is not None:
        colours = [_pale(colour, 0.85) for colour in colours]
        colours[highlight] = to_rgb(PALETTE[1])
    return np.array([*colours, (1.0, 1.0, 1.0)])[labels]


def _number_cells(
    ax: Axes, labels: NDArray[Any], signs: NDArray[Any], count: int, highlight: int | None, fontsize: float
) -> None:
    pixels = _pattern_pixels(labels, count, highlight)
    for (row, column), label in np.ndenumerate(labels):
        if label >= 0:
            sign = "−" if signs[row, column] < 0 else ""
            ink = _ink_on(tuple(pixels[row, column]))
            ax.text(column, row, f"{sign}{label}", ha="center", va="center", fontsize=fontsize, color=ink)


def _block_lines(rho: Representation) -> list[tuple[int, float]]:
    """Where blocks of a flat, row-major axis begin, with line widths: thicker for outer axes and for the terms of a sum."""
    if isinstance(rho, DirectSum):
        return [(place, 1.5) for place in np.cumsum([term.dim for term in rho.terms])[:-1].tolist()]
    lines: dict[int, float] = {}
    for depth in range(1, len(rho.axes)):
        step = math.prod(rho.axes[depth:])
        for place in range(step, rho.dim, step):
            lines.setdefault(place, 1.5 / depth)
    return sorted(lines.items())
