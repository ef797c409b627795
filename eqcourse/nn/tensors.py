"""S_N-equivariant linear maps between tensors of any order: contract, mix channels, broadcast.

W takes a tensor with k axes to one with l axes, and S_N permutes all axes alike. A basis of these maps are the diagrams: set partitions of
the l + k axes. A diagram sets input axes of one block equal (takes a diagonal), sums over the blocks without output axes, and repeats the
result along the blocks without input axes. All diagrams share their contractions and their broadcasts, which form a tree:

    x_ij  ──sum j──▶ Σ_j x_ij ──sum i──▶ Σ_ij x_ij          y_ij ◀──repeat along j── row_i ◀──repeat along i── one number
      └──diagonal──▶ x_ii ──sum i──▶ Σ_i x_ii                 └◀──diagonal── diag_i ◀──repeat along i── one number

So each contraction is computed once, on the way down; channels are mixed there, where tensors are small; and each broadcast is added
once, on the way up. That costs O(N^max(k, l)), where the matrix has N^(k+l) entries.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable
from functools import lru_cache
from typing import Any, NamedTuple

import torch
from torch import Tensor

from ..solvers.partitions import Partition, bell, diagram_to_orbit, set_partitions
from .base import check_channels, random_normal
from .twins import INITIAL_SIZE, EfficientLayer, check_method, check_normalize, to_be_kept
from .types import Order

__all__ = ["TensorLinear"]

MAX_ORDERS = 6
# Microseconds on two cores: each step of a call without the matrix. See `dense_is_cheaper`.
STEP = 9.5


class Contraction(NamedTuple):
    """A tensor on the way down: the axes of each block are set equal, and the blocks that are not kept are summed over.

    Its own axes are the kept blocks, in order. The same object names the tensor on the way up that is broadcast to the whole.
    """

    partition: Partition
    kept: tuple[int, ...]


class Step(NamedTuple):
    """The larger tensor that a contraction is made from, and how: the "sum" over one of its axes, or the "diagonal" of two."""

    node: Contraction
    how: str
    axes: tuple[int, ...]


def parent(node: Contraction) -> Step | None:
    """The step that leads to a contraction; None for the tensor itself.

    >>> parent(Contraction((0, 1), (0,)))
    Step(node=Contraction(partition=(0, 1), kept=(0, 1)), how='sum', axes=(1,))
    >>> parent(Contraction((0, 0), (0,)))
    Step(node=Contraction(partition=(0, 1), kept=(0, 1)), how='diagonal', axes=(0, 1))
    """
    partition, kept = node
    blocks = max(partition, default=-1) + 1
    if len(kept) < blocks:
        summed = next(block for block in reversed(range(blocks)) if block not in kept)
        larger = tuple(sorted((*kept, summed)))
        return Step(Contraction(partition, larger), "sum", (larger.index(summed),))
    if blocks == len(partition):
        return None
    # Give the last axis that is not the first of its block a block of its own.
    split = next(i for i in reversed(range(len(partition))) if partition[i] in partition[:i])
    apart = [*partition[:split], blocks, *partition[split + 1 :]]
    order = list(dict.fromkeys(apart))
    finer = tuple(order.index(block) for block in apart)
    both = (finer[partition.index(partition[split])], finer[split])
    return Step(Contraction(finer, tuple(range(blocks + 1))), "diagonal", both)


def contractions(order: int, at_most: int) -> dict[Contraction, Step | None]:
    """All contractions of a tensor that keep at most so many blocks, and those they are made from; each after its parent, with its step.

    >>> len(contractions(2, 2))
    6
    """
    steps: dict[Contraction, Step | None] = {}

    def add(node: Contraction) -> None:
        above = parent(node)
        if above is not None and above.node not in steps:
            add(above.node)
        steps[node] = above

    for partition in set_partitions(order, order):
        blocks = range(max(partition, default=-1) + 1)
        for count in range(min(len(blocks), at_most) + 1):
            for kept in itertools.combinations(blocks, count):
                if Contraction(partition, kept) not in steps:
                    add(Contraction(partition, kept))
    return steps


def diagram(out: Contraction, into: Contraction, permutation: tuple[int, ...]) -> Partition:
    """The set partition of the output and input axes in which kept block ``permutation[a]`` of the input is kept block a of the output.

    >>> diagram(Contraction((0, 1), (0, 1)), Contraction((0, 1), (0, 1)), (1, 0))      # y_ij = x_ji
    (0, 1, 1, 0)
    """
    names: dict[tuple[str, int], int] = {}
    joined = {("in", into.kept[b]): ("out", out.kept[a]) for a, b in enumerate(permutation)}
    axes = [("out", block) for block in out.partition] + [("in", block) for block in into.partition]
    return tuple(names.setdefault(joined.get(axis, axis), len(names)) for axis in axes)


class Mixing:
    """What meets when channels are mixed: all contractions with q axes, and all broadcasts with q axes, matched in each of q! ways."""

    def __init__(self, q: int, down: Iterable[Contraction], up: Iterable[Contraction]) -> None:
        self.into = [node for node in down if len(node.kept) == q]
        broadcasts = [node for node in up if len(node.kept) == q]
        self.out = list(itertools.product(broadcasts, itertools.permutations(range(q))))


class TensorLinear(EfficientLayer):
    """All S_N-equivariant linear maps from order k to order l, for every k + l ≤ 6, without the matrix.

    x is (batch, in_channels, N, …, N) with k axes of any one length N ≥ 1, y has l such axes. ``weight`` is (out_channels, in_channels,
    Bell(k + l)), one for each diagram in the order of ``set_partitions`` of (output axes, input axes); ``bias`` is (out_channels,
    Bell(l)). ``normalize="mean"`` divides each sum by its number of terms, so that weights carry over to other N; "sum" does not.
    ``method`` "efficient" contracts and broadcasts, "dense" builds the matrix, which is faster for small N; "auto" takes the cheaper one.
    Weights start normal with one variance, such that independent inputs of variance 1 give outputs of average variance 1 at N = 16.

    Raises ``ValueError`` for k + l > 6, a wrong shape or N = 0. Source: Maron et al. 2019, "Invariant and equivariant graph networks",
    theorem 1 (the basis), in the diagram basis of Thiede et al. 2020; the sharing is ours.

    >>> layer = TensorLinear(2, 1, 3, 4, generator=0)
    >>> layer, layer.weight.shape
    (TensorLinear(order 2 → 1, 3 → 4 channels, mean), torch.Size([4, 3, 5]))
    >>> layer(torch.ones(8, 3, 7, 7)).shape, layer(torch.ones(8, 3, 9, 9)).shape
    (torch.Size([8, 4, 7]), torch.Size([8, 4, 9]))
    """

    in_type: Order
    out_type: Order
    places: Tensor

    def __init__(
        self,
        in_order: int,
        out_order: int,
        in_channels: int,
        out_channels: int,
        bias: bool = True,
        normalize: str = "mean",
        method: str = "auto",
        *,
        generator: torch.Generator | int | None = None,
        dtype: torch.dtype | None = None,
        device: Any = None,
    ) -> None:
        super().__init__()
        check_channels(in_channels=in_channels, out_channels=out_channels)
        check_normalize(normalize)
        check_method(method)
        self.in_type, self.out_type = Order(in_order), Order(out_order)
        self.in_channels, self.out_channels = in_channels, out_channels
        self.normalize, self.method = normalize, method
        if in_order + out_order > MAX_ORDERS:
            raise ValueError(
                f"TensorLinear has in_order + out_order ≤ {MAX_ORDERS}, got {in_order} + {out_order} = {in_order + out_order}, which would "
                f"have {bell(in_order + out_order):,} weights for each pair of channels; go there in two layers, by way of a lower order"
            )
        variance = _variance(in_order, out_order, INITIAL_SIZE, normalize)
        std = (in_channels * variance) ** -0.5
        self.weight = random_normal(
            (out_channels, in_channels, bell(in_order + out_order)), std, generator, dtype, device
        )
        values = torch.nn.Parameter(self.weight.new_zeros(out_channels, bell(out_order))) if bias else None
        self.register_parameter("bias", values)
        self.down, self.up = contractions(in_order, out_order), contractions(out_order, in_order)
        self.mixings = [Mixing(q, self.down, self.up) for q in range(min(in_order, out_order) + 1)]
        places = torch.cat([self._places(mixing) for mixing in self.mixings])
        self.register_buffer("places", places.to(device), persistent=False)

    def _places(self, mixing: Mixing) -> Tensor:
        """Where in ``weight`` to look up the entries of a mixing's matrix, flat.

        Rows are broadcasts with a way to match the axes, output channels; columns are contractions, input channels.
        """
        axes = self.in_type.k + self.out_type.k
        number = {partition: i for i, partition in enumerate(set_partitions(axes, axes))}
        numbers = torch.tensor([[number[diagram(o, i, way)] for i in mixing.into] for o, way in mixing.out])
        places = torch.arange(self.weight.numel()).reshape(self.weight.shape)[:, :, numbers]
        return places.permute(2, 0, 3, 1).flatten()

    def forward(self, x: Tensor, size: int | None = None) -> Tensor:
        """(batch, in_channels, N, …, N) -> (batch, out_channels, N, …, N). From order 0 only ``size`` tells the N of the output."""
        self.check_input(x, self.weight)
        n = self._size(x, size)
        axes = self.in_type.k + self.out_type.k
        if self.dense_is_cheaper(n**axes, efficient=STEP * (len(self.down) + len(self.up))):
            return self.dense(x, (n,), (n,) * self.out_type.k)
        return self._broadcast(self._mix(self._contract(x)), (x.shape[0], self.out_channels), n)

    def _contract(self, x: Tensor) -> dict[Contraction, Tensor]:
        """All contractions of x, each made from a larger one: (batch, in_channels, N, …) with one axis for each kept block."""
        tensors: dict[Contraction, Tensor] = {}
        for node, step in self.down.items():
            if step is None:
                tensors[node] = x
            elif step.how == "sum":
                larger, axis = tensors[step.node], step.axes[0] + 2
                tensors[node] = larger.mean(axis) if self.normalize == "mean" else larger.sum(axis)
            else:
                i, j = step.axes
                tensors[node] = tensors[step.node].diagonal(dim1=i + 2, dim2=j + 2).movedim(-1, i + 2)
        return tensors

    def _mix(self, contracted: dict[Contraction, Tensor]) -> dict[Contraction, list[Tensor]]:
        """Mix the channels: what each broadcast is made of, as a list of tensors to be added up."""
        parts: dict[Contraction, list[Tensor]] = {node: [] for node in self.up}
        sizes = [len(m.out) * self.out_channels * len(m.into) * self.in_channels for m in self.mixings]
        entries = self.weight.flatten().index_select(0, self.places).split(sizes)
        for mixing, values in zip(self.mixings, entries, strict=True):
            tensors = [contracted[node] for node in mixing.into]
            stacked = tensors[0] if len(tensors) == 1 else torch.cat(tensors, 1)
            batch, channels, *axes = stacked.shape
            matrix = values.view(-1, channels)
            if axes:
                mixed = torch.bmm(matrix.expand(batch, -1, -1), stacked.flatten(2))
            else:
                # Numbers without axes, and with them the bias: an invariant tensor is the broadcast of a number.
                bias = None if self.bias is None else self.bias.T.flatten()
                mixed = torch.nn.functional.linear(stacked, matrix, bias)
            results = mixed.view(batch, len(mixing.out), self.out_channels, *axes).unbind(1)
            for (node, way), result in zip(mixing.out, results, strict=True):
                matched = result if len(way) < 2 else result.permute(0, 1, *(axis + 2 for axis in way))
                parts[node].append(matched)
        return parts

    def _broadcast(self, parts: dict[Contraction, list[Tensor]], shape: tuple[int, ...], n: int) -> Tensor:
        """Add up what each broadcast is made of, and hand it on to the larger one that it is part of; shape is (batch, channels)."""
        diagonals: dict[Contraction, list[tuple[Tensor, int, int]]] = {node: [] for node in self.up}
        total = torch.empty(0)
        for node, step in reversed(self.up.items()):
            total = _sum(parts[node], (*shape, *[n] * len(node.kept)), writable=bool(diagonals[node]))
            for values, i, j in diagonals[node]:
                total.diagonal(dim1=i + 2, dim2=j + 2).add_(values.movedim(i + 2, -1))
            if step is None:
                break
            if step.how == "sum":
                parts[step.node].append(total.unsqueeze(step.axes[0] + 2))
            else:
                i, j = step.axes
                diagonals[step.node].append((total, i, j))
        return total.contiguous()

    def orbit_weight(self, *sizes: int) -> Tensor:
        """The weights of the equal ``EquivariantLinear`` at N: w_orbit(σ) = Σ w_diagram(π) over the π that σ is coarser than."""
        n = self._one_size(sizes)
        return self.weight @ _change_of_basis(self.in_type.k, self.out_type.k, n, self.normalize).T.to(self.weight)

    def orbit_bias(self, *sizes: int) -> Tensor | None:
        """The bias of the equal ``EquivariantLinear`` at N."""
        if self.bias is None:
            return None
        return self.bias @ diagram_to_orbit(self.out_type.k, self._one_size(sizes)).T.to(self.bias)

    def _one_size(self, sizes: tuple[int, ...]) -> int:
        if len(sizes) != 1 or isinstance(sizes[0], bool) or not isinstance(sizes[0], int) or sizes[0] < 1:
            raise ValueError(f"a tensor's axes have one length N ≥ 1, got {sizes}")
        return sizes[0]

    def _size(self, x: Tensor, size: int | None) -> int:
        """N, the length of all axes."""
        if self.in_type.k == 0:
            if size is None and self.out_type.k > 0:
                raise ValueError(f"{self._who}: an input of order 0 does not tell N; call layer(x, size=N)")
            return self._one_size((1 if size is None else size,))
        lengths = x.shape[2:]
        if any(length != lengths[0] for length in lengths):
            raise ValueError(
                f"{self._who} permutes all axes of a tensor alike, so that they have one length N; got the shape {tuple(x.shape)}. "
                "For axes that are permuted independently there is ArrayLinear"
            )
        if size is not None and size != lengths[0]:
            raise ValueError(f"{self._who} got size={size} for an input of shape {tuple(x.shape)}")
        if lengths[0] == 0:
            raise ValueError(f"{self._who} got N = 0: a tensor needs at least one index")
        return lengths[0]

    def extra_repr(self) -> str:
        return f"order {self.in_type.k} → {self.out_type.k}, {super().extra_repr()}"


def _summed_blocks(in_order: int, out_order: int) -> list[int]:
    """For each diagram, how many of its blocks have input axes only."""
    diagrams = set_partitions(in_order + out_order, in_order + out_order)
    return [len(set(p[out_order:]) - set(p[:out_order])) for p in diagrams]


@lru_cache(maxsize=64)
def _change_of_basis(in_order: int, out_order: int, n: int, normalize: str) -> Tensor:
    """Weights of orbits from weights of diagrams: float64 (orbits, diagrams)."""
    with to_be_kept():
        change = diagram_to_orbit(in_order + out_order, n).double()
        if normalize == "mean":
            change /= float(n) ** torch.tensor(_summed_blocks(in_order, out_order), dtype=torch.float64)
        return change


def _variance(in_order: int, out_order: int, n: int, normalize: str) -> float:
    """The average variance of the outputs if all weights and inputs have variance 1: Σ ‖diagram‖² / N^l."""
    blocks = [len(set(p)) for p in set_partitions(in_order + out_order, in_order + out_order)]
    summed = _summed_blocks(in_order, out_order) if normalize == "mean" else [0] * len(blocks)
    return math.fsum(float(n) ** (b - out_order - 2 * s) for b, s in zip(blocks, summed, strict=True))


def _sum(parts: list[Tensor], shape: tuple[int, ...], writable: bool) -> Tensor:
    """The sum of parts that broadcast to ``shape``; ``writable`` if it has to be a tensor of its own."""
    if len(parts) == 1:
        total = parts[0].expand(shape)
        return total.clone() if writable else total
    # Two parts lack different axes, if any, so that their sum has them all. It is ours: the rest is added in place.
    total = parts[0] + parts[1]
    for part in parts[2:]:
        total.add_(part)
    return total
