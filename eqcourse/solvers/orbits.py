"""Exact equivariant maps between (signed) permutation representations, from orbits of index pairs.

W ρ_in(g) = ρ_out(g) W says for permutation matrices that W[gi, gj] = W[i, j]: W is constant along the orbits of the group
on pairs (i, j). With signs, W[gi, gj] = ± W[i, j], and an orbit that meets its own negative is forced to zero (Ravanbakhsh
et al. 2017, "Equivariance through parameter-sharing", without signs). Generators suffice, and everything is done in integers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from ..groups import CyclicGroup, DirectProduct, SymmetricGroup
from ..representations import Representation, TensorProduct, _Flattened, _Pullback
from .partitions import count_partitions, equality_pattern
from .space import IntertwinerSpace

__all__ = ["Labels", "closed_form", "generic_labels", "orbit_intertwiners", "tensor_order"]

# Patterns up to this many entries are built. The generic route takes about 30 bytes an entry on the way: 4 GiB.
MAX_ENTRIES = 2**27
# Set partitions up to this many are listed one by one; beyond that the generic route is quicker and smaller.
MAX_PARTITIONS = 2**15
# Constraints are looked at in pieces of about this many pairs.
CHUNK = 2**20
# The first piece, which finds most relations, has about this many pairs.
FEW = 2**16

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Labels:
    """Orbit numbers (d_out, d_in), by first appearance, −1 for forced zeros; signs, if there are any; how many orbits; how found."""

    labels: Array
    signs: Array | None
    count: int
    how: str


def orbit_intertwiners(rho_in: Representation, rho_out: Representation) -> IntertwinerSpace:
    """The space of equivariant maps between two signed permutation representations, by a closed form where there is one.

    Raises ``TypeError`` if one of them acts by matrices, ``ValueError`` if the pattern would be too large.
    """
    for rho in (rho_in, rho_out):
        if not rho.is_signed_permutation:
            raise TypeError(
                f'{rho} acts by matrices, and method="orbits" needs signed permutations: take method="nullspace", '
                'or "auto", which chooses'
            )
    entries = rho_in.dim * rho_out.dim
    if entries > MAX_ENTRIES:
        raise ValueError(
            f"the pattern from {rho_in.name} to {rho_out.name} would have {rho_out.dim:,} × {rho_in.dim:,} entries, "
            f"about {entries * 32 / 2**30:,.0f} GiB on the way. intertwiner_dimension(rho_in, rho_out) gives the number of weights "
            "without it; SetLinear, TensorLinear, ArrayLinear and CircularConv of eqcourse.nn apply such maps without a matrix"
        )
    found = closed_form(rho_in, rho_out) or generic_labels(rho_in, rho_out)
    signs = None if found.signs is None else torch.from_numpy(found.signs)
    return IntertwinerSpace(
        rho_in, rho_out, torch.from_numpy(found.labels), signs, found.count, f"orbits ({found.how})"
    )


# ---- closed forms ----------------------------------------------------------------------------------------------------


def tensor_order(rho: Representation) -> int | None:
    """k if ρ is the k-th tensor power of S_N's permutation representation (flat or not), else None.

    >>> tensor_order((SymmetricGroup(4).defining() ** 3).flatten()), tensor_order(SymmetricGroup(4).sign())
    (3, None)
    """
    if isinstance(rho, _Flattened):
        return tensor_order(rho.rho)
    if not isinstance(rho.group, SymmetricGroup):
        return None
    defining = rho.group.defining()
    factors = rho.factors if isinstance(rho, TensorProduct) else (rho,)
    if all(factor == defining for factor in factors):
        return len(factors)
    return 0 if rho == rho.group.trivial() else None


def closed_form(rho_in: Representation, rho_out: Representation) -> Labels | None:
    """The pattern without solving, where it is known: tensor powers of S_N, shifts of C_N, outer products of patterns."""
    group = rho_in.group
    if isinstance(group, SymmetricGroup):
        k, l = tensor_order(rho_in), tensor_order(rho_out)
        if k is not None and l is not None and (count := count_partitions(k + l, group.degree)) <= MAX_PARTITIONS:
            labels = equality_pattern(group.degree, l + k).reshape(rho_out.dim, rho_in.dim)
            return Labels(labels, None, count, "set partitions")
    if isinstance(group, CyclicGroup) and rho_in == group.regular() == rho_out:
        return Labels(_circulant(group.n), None, group.n, "differences")
    if isinstance(group, DirectProduct):
        return _outer_product(group, rho_in, rho_out)
    return None


def _circulant(n: int) -> Array:
    """Entry (i, j) has the label (j − i) mod n: each row is the row above, moved one place on."""
    twice = np.tile(np.arange(n, dtype=np.int16 if n < 2**15 else np.int32), 2)
    # Row i is the window of length n that starts at −i.
    return np.lib.stride_tricks.sliding_window_view(twice, n)[n:0:-1].copy()


def _outer_product(group: DirectProduct, rho_in: Representation, rho_out: Representation) -> Labels | None:
    """Each axis belongs to one factor of the group: the maps of an outer product are the products of the factors' maps."""
    parts_in, parts_out = _parts(group, rho_in), _parts(group, rho_out)
    if parts_in is None or parts_out is None:
        return None
    patterns, signs, owners = [], [], []
    for i, factor in enumerate(group.factors):
        sub_in, sub_out = (
            TensorProduct([rho for owner, rho in parts if owner == i], group=factor) for parts in (parts_in, parts_out)
        )
        found = closed_form(sub_in, sub_out) or generic_labels(sub_in, sub_out)
        axes = (*sub_out.axes, *sub_in.axes)
        patterns.append(found.labels.reshape(axes))
        signs.append(None if found.signs is None else found.signs.reshape(axes))
        owners += [i] * len(axes)
    # Where each axis of the concatenated patterns stands in the full array.
    in_order = [owner for owner, rho in parts_out + parts_in for _ in rho.axes]
    order = np.empty(len(owners), dtype=int)
    order[np.argsort(in_order, kind="stable")] = np.arange(len(owners))
    shape = (rho_out.dim, rho_in.dim)
    full_axes = np.array([n for _, rho in parts_out + parts_in for n in rho.axes], dtype=np.int64)

    table = _rank_of_combinations(patterns, in_order, full_axes)
    labels = table
    for i in reversed(range(len(patterns))):
        labels = np.take(labels, patterns[i], axis=i)
    labels = np.ascontiguousarray(labels.transpose(order)).reshape(shape)
    combined = None
    if any(part is not None for part in signs):
        ones = [
            np.ones_like(p, dtype=np.int8) if part is None else part for p, part in zip(patterns, signs, strict=True)
        ]
        product: Array = ones[0]
        for part in ones[1:]:
            product = np.multiply.outer(product, part)
        combined = np.ascontiguousarray(product.transpose(order)).reshape(shape)
    return Labels(labels, combined, int(table.max(initial=-1)) + 1, "products of the factors' patterns")


def _rank_of_combinations(patterns: list[Array], owners: list[int], full_axes: Array) -> Array:
    """Number the combinations of the factors' labels by first appearance; −1 (in the last place of an axis) where one of them is −1.

    The axes of different factors move independently, so that a combination first appears where each label first does: the flat
    positions add up.
    """
    strides = np.append(np.cumprod(full_axes[::-1])[::-1][1:], 1)
    first = np.zeros((1,) * len(patterns), dtype=np.int64)
    for i, pattern in enumerate(patterns):
        own = [stride for stride, owner in zip(strides, owners, strict=True) if owner == i]
        positions = np.zeros((), dtype=np.int64)
        for size, stride in zip(pattern.shape, own, strict=True):
            positions = np.add.outer(positions, np.arange(size) * stride)
        starts = _first_places(pattern.ravel(), int(pattern.max(initial=-1)) + 1)
        shape = [1] * len(patterns)
        shape[i] = len(starts)
        first = first + positions.ravel()[starts].reshape(shape)
    number_type = np.int16 if first.size < 2**15 else np.int32
    table = np.full([size + 1 for size in first.shape], -1, dtype=number_type)
    ranks = np.empty(first.size, dtype=number_type)
    ranks[np.argsort(first, axis=None)] = np.arange(first.size)
    table[tuple(slice(size) for size in first.shape)] = ranks.reshape(first.shape)
    return table


def _parts(group: DirectProduct, rho: Representation) -> list[tuple[int, Representation]] | None:
    """(number of the group's factor, its representation) for each factor of ρ; None if ρ is not a product of such."""
    if isinstance(rho, _Flattened):
        return _parts(group, rho.rho)
    if rho == group.trivial():
        return []
    factors = rho.factors if isinstance(rho, TensorProduct) else (rho,)
    if not all(isinstance(factor, _Pullback) for factor in factors):
        return None
    return [(factor.i, factor.rho) for factor in factors if isinstance(factor, _Pullback)]


# ---- the generic route -----------------------------------------------------------------------------------------------


def generic_labels(rho_in: Representation, rho_out: Representation) -> Labels:
    """The orbits of index pairs from generators alone, for any two signed permutation representations of one group.

    An orbit of pairs (i, j) meets the column of one chosen j in each orbit of input places, in an orbit of the elements that leave j alone.
    So: carry the column of each chosen j to all others with a transversal (breadth first along the generators); write into every entry
    where in the chosen column it came from; then require, for every generator and every pair, that an entry and its image came from
    the same orbit. Entries that came from different places are merged. One pass over all pairs and generators is complete, since
    every relation between labels is one of these.

    >>> V = SymmetricGroup(3).defining()
    >>> generic_labels(V, V).labels.tolist()
    [[0, 1, 1], [1, 0, 1], [1, 1, 0]]
    """
    # A connected Lie group has no generators but its algebra, and permutes nothing.
    generators = rho_in.group.generators or (rho_in.group.identity,)
    moves_in = [_signed_images(rho_in, g) for g in generators]
    moves_out = moves_in if rho_out is rho_in else [_signed_images(rho_out, g) for g in generators]
    signed = any((signs < 0).any() for _, signs in moves_in + moves_out)

    origin, labels_used = _carry_columns(rho_in.dim, rho_out.dim, moves_in, moves_out, signed)
    roots = np.arange(2 * labels_used if signed else labels_used, dtype=np.int32)
    # First a few columns, which find most of what has to be merged, then ever larger pieces.
    start, rows = 0, max(1, min(FEW // rho_out.dim, rho_in.dim))
    while start < rho_in.dim:
        piece = np.arange(start, min(start + rows, rho_in.dim))
        related = []
        for (image_in, signs_in), (image_out, signs_out) in zip(moves_in, moves_out, strict=True):
            here = origin[piece]
            there = origin[image_in[piece]][:, image_out]
            if signed:
                here = _negate(here, np.outer(signs_in[piece], signs_out) < 0, labels_used)
            different = roots[here] != roots[there]
            related.append((here[different], there[different]))
        one, other = (np.concatenate(sides) for sides in zip(*related, strict=True))
        roots = _merge(roots, one, other, labels_used if signed else 0)
        start += rows
        rows = max(1, min(2 * rows, CHUNK // rho_out.dim))
    return _numbered(origin, roots, labels_used if signed else 0)


def _signed_images(rho: Representation, g: Any) -> tuple[Array, Array]:
    image, signs = rho.signed_permutation(g)
    return image.numpy().astype(np.int32), signs.numpy().astype(np.int8)


def _carry_columns(
    d_in: int,
    d_out: int,
    moves_in: list[tuple[Array, Array]],
    moves_out: list[tuple[Array, Array]],
    signed: bool,
) -> tuple[Array, int]:
    """For each pair (j, i) the label of the entry of a chosen column that it is an image of: (d_in, d_out), and the number of labels.

    Label l stands for +, label l + (number of labels) for − the chosen entry.
    """
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import connected_components

    # Orbits of input places, and the first place of each as its root. Row j of the graph lists the images of place j.
    images = np.stack([image for image, _ in moves_in], axis=1)
    starts = np.arange(0, images.size + 1, len(moves_in), dtype=np.int32)
    graph = csr_array((np.ones(images.size), images.ravel(), starts), shape=(d_in, d_in))
    count, orbit = connected_components(graph, directed=False)
    frontier = _first_places(orbit, count)

    # carried[j] is the image array on outputs of an element that takes the root to j, turned[j] and sign[j] its signs.
    carried = np.empty((d_in, d_out), dtype=np.int32)
    turned = np.ones((d_in, d_out) if signed else (0, 0), dtype=np.int8)
    sign = np.ones(d_in, dtype=np.int8)
    carried[frontier] = np.arange(d_out, dtype=np.int32)
    reached = np.zeros(d_in, dtype=bool)
    reached[frontier] = True
    while len(frontier):
        found = []
        for (image_in, signs_in), (image_out, signs_out) in zip(moves_in, moves_out, strict=True):
            new = frontier[~reached[image_in[frontier]]]
            to = image_in[new]
            reached[to] = True
            if signed:
                sign[to] = signs_in[new] * sign[new]
                turned[to] = signs_out[carried[new]] * turned[new]
            carried[to] = image_out[carried[new]]
            found.append(to)
        frontier = np.concatenate(found)

    labels_used = count * d_out
    labels = orbit.astype(np.int32)[:, None] * d_out + np.arange(d_out, dtype=np.int32)
    if signed:
        labels = _negate(labels, np.less(turned * sign[:, None], 0), labels_used)
    origin = np.empty_like(labels)
    np.put_along_axis(origin, carried, labels, axis=1)
    return origin, labels_used


def _negate(labels: Array, where: Array, labels_used: int) -> Array:
    """Exchange + and − of the labels at some places."""
    if not where.any():
        return labels
    flipped = np.where(labels < labels_used, labels + labels_used, labels - labels_used)
    return np.where(where, flipped, labels).astype(np.int32)


def _merge(roots: Array, a: Array, b: Array, labels_used: int) -> Array:
    """Merge the labels of two arrays entry by entry (and, with signs, their negatives)."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    if len(a) == 0:
        return roots
    if labels_used:
        a, b = (np.concatenate([x, np.where(x < labels_used, x + labels_used, x - labels_used)]) for x in (a, b))
    graph = coo_array((np.ones(len(a), dtype=np.int8), (roots[a], roots[b])), shape=(len(roots), len(roots)))
    _, merged = connected_components(graph, directed=False)
    return merged[roots].astype(np.int32)


def _numbered(origin: Array, roots: Array, labels_used: int) -> Labels:
    """Number the orbits by first appearance, first sign +, from an array (d_in, d_out) of labels."""
    found = roots[origin.T]
    signs = None
    if labels_used:
        negative = roots[np.where(labels_used > origin.T, origin.T + labels_used, origin.T - labels_used)]
        # An orbit and its negative share the smaller root; where they are the same orbit, the entry is zero.
        signs = np.sign(negative.astype(np.int64) - found).astype(np.int8)
        found = np.minimum(found, negative)
    flat = found.ravel()
    size = int(roots.max()) + 1
    free = flat if signs is None else flat[signs.ravel() != 0]
    present = np.unique(free) if len(free) < 4 * size else np.flatnonzero(np.bincount(free, minlength=size))
    first = np.full(size, len(flat), dtype=np.int64)
    first[flat[::-1]] = np.arange(len(flat) - 1, -1, -1)
    order = present[np.argsort(first[present])]
    number = np.full(size, -1, dtype=np.int16 if len(order) < 2**15 else np.int32)
    number[order] = np.arange(len(order))
    labels = number[found]
    if signs is not None:
        first_sign = np.ones(len(order) + 1, dtype=np.int8)
        first_sign[:-1] = signs.ravel()[first[order]]
        signs = np.where(np.less(labels, 0), 0, signs * first_sign[labels]).astype(np.int8)
        if (signs == 1).all():
            signs = None
    return Labels(labels, signs, len(order), "generators")


def _first_places(labels: Array, count: int) -> Array:
    """Where each label 0 … count − 1 first stands in a flat array (labels below 0 are left out)."""
    first = np.empty(count + 1, dtype=np.int64)
    # Written from the back, so that the first place is the last to be written.
    first[labels[::-1]] = np.arange(len(labels) - 1, -1, -1)
    return first[:count]
