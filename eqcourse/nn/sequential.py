"""A chain of layers that checks that neighbours fit."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from ..representations import Representation
from .base import TypedLayer, check_mask
from .nonlinear import Pointwise
from .types import Type, num_axes, same_type

__all__ = ["EquivariantSequential"]


class EquivariantSequential(TypedLayer):
    """Layers one after the other; neighbours' types, channels, dtypes and devices are compared when the chain is made.

    Each layer is a ``TypedLayer``, maybe a chain itself. A ``Pointwise`` without a type takes that of the layer before it (at the front, of
    the next one). ``in_channels`` and ``out_channels`` are None if no layer fixes them.

    ``forward(x, mask)`` hands a mask (batch, \\*axes of in_type) to each layer that takes one, until the type changes: a pooled array
    has no items to leave out. Up to there every other layer has to be a ``Pointwise``, since it would mix padding into real items.

    Raises ``ValueError`` for no layers, for neighbours that do not fit (naming both), for a mask that no layer takes or that would leak;
    ``TypeError`` for a plain torch module or function, with advice.

    >>> from eqcourse.groups import SymmetricGroup
    >>> from eqcourse.nn.linear import EquivariantLinear
    >>> V = SymmetricGroup(3).defining()
    >>> EquivariantSequential(
    ...     EquivariantLinear(V, V, 1, 8), Pointwise(torch.relu), EquivariantLinear(V, V.group.trivial(), 8, 1)
    ... )
    EquivariantSequential(R³ of S_3 → R³ of S_3 → R³ of S_3 → 1 of S_3, 1 → 1 channels
      0: EquivariantLinear(R³ of S_3 → R³ of S_3, 1 → 8 channels, 2 weights each, bias 1)
      1: Pointwise(relu on R³ of S_3)
      2: EquivariantLinear(R³ of S_3 → 1 of S_3, 8 → 1 channels, 1 weights each, bias 1)
    )
    """

    def __init__(self, *layers: TypedLayer) -> None:
        super().__init__()
        if not layers:
            raise ValueError("EquivariantSequential needs at least one layer, got none")
        for place, layer in enumerate(layers):
            _require_typed(layer, place)
        typed = _with_types(layers)
        _compare_types(typed)
        self.in_channels, self.out_channels = _compare_channels(typed)
        _compare_parameters(typed)
        self.layers = torch.nn.ModuleList(typed)
        self.in_type, self.out_type = typed[0].in_type, typed[-1].out_type
        self._masked, self._leak = _plan_mask(typed)

    @property
    def takes_mask(self) -> bool:
        """Whether some layer takes a mask."""
        return any(self._masked)

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """(batch, in_channels, \\*axes of in_type), mask (batch, \\*axes) or None -> (batch, out_channels, \\*axes of out_type)."""
        if mask is not None:
            self._check_mask(x, mask)
        for layer, masked in zip(self.layers, self._masked, strict=True):
            x = layer(x, mask=mask) if masked and mask is not None else layer(x)
        return x

    def _check_mask(self, x: Tensor, mask: Tensor) -> None:
        if not self.takes_mask:
            raise ValueError(f"a mask was given, and no layer of {self._who} takes one: leave the mask out")
        if self._leak is not None:
            raise ValueError(
                f"a mask was given, and {_place(self._leak, self[self._leak])} takes none: padding would leak through it. "
                "Take a layer with forward(x, mask), or pool before it"
            )
        self.check_input(x)
        check_mask(mask, x, num_axes(self.in_type))

    def __len__(self) -> int:
        return len(self.layers)

    def __getitem__(self, place: int | slice) -> Any:
        """The layer at a place; for a slice a chain of these (the same) layers."""
        layers: list[Any] = list(self.layers)
        return EquivariantSequential(*layers[place]) if isinstance(place, slice) else layers[place]

    def __iter__(self) -> Iterator[Any]:
        return iter(self.layers)

    def extra_repr(self) -> str:
        types = " → ".join(str(t) for t in (self.in_type, *(layer.out_type for layer in self)))
        return f"{types}, {_number(self.in_channels)} → {_number(self.out_channels)} channels"

    def __repr__(self) -> str:
        lines = [f"{place}: {layer!r}".replace("\n", "\n  ") for place, layer in enumerate(self)]
        return "\n  ".join([f"EquivariantSequential({self.extra_repr()}", *lines]) + "\n)"


def _place(place: int, layer: TypedLayer) -> str:
    return f"layer {place}, {layer._who},"


def _number(channels: int | None) -> str:
    return "any" if channels is None else str(channels)


def _require_typed(layer: Any, place: int) -> None:
    if isinstance(layer, TypedLayer):
        return
    if isinstance(layer, (list, tuple)):
        raise TypeError("EquivariantSequential takes layers one by one: write EquivariantSequential(*layers)")
    name = getattr(layer, "__name__", None) or " ".join(repr(layer).split())
    raise TypeError(
        f"layer {place} is {name}, which does not know what acts on its input and output. An entrywise function: wrap it, as in "
        "Pointwise(torch.relu) or Pointwise(torch.nn.ReLU()). A linear layer: take EquivariantLinear or one of its efficient twins. "
        "A normalisation: take EquivariantNorm"
    )


def _with_types(layers: tuple[TypedLayer, ...]) -> list[TypedLayer]:
    """The layers, each Pointwise without a type given its neighbour's."""

    def has_type(layer: TypedLayer) -> bool:
        return not isinstance(layer, Pointwise) or layer.has_type

    known = next((layer.in_type for layer in layers if has_type(layer)), None)
    if known is None:
        raise ValueError("no layer of the chain has a type: give one to the first, Pointwise(function, type)")
    typed: list[TypedLayer] = []
    for place, layer in enumerate(layers):
        if isinstance(layer, Pointwise) and not layer.has_type:
            typed.append(_inheriting(layer, known, place))
        else:
            typed.append(layer)
        known = layer.out_type if has_type(layer) else known
    return typed


def _inheriting(layer: Pointwise, type_: Type, place: int) -> Pointwise:
    try:
        return layer.with_type(type_)
    except ValueError as error:
        raise ValueError(f"layer {place} of the chain: {error}") from error


def _compare_types(layers: list[TypedLayer]) -> None:
    for place in range(1, len(layers)):
        before, after = layers[place - 1], layers[place]
        if not same_type(before.out_type, after.in_type):
            raise ValueError(
                f"neighbours of different types: {_place(place - 1, before)} gives {before.out_type}, and {_place(place, after)} takes "
                f"{after.in_type}. Change one of them, or put a layer from {before.out_type} to {after.in_type} between them"
            )
    _compare_groups(layers)


def _compare_groups(layers: list[TypedLayer]) -> None:
    """Raise if families stand between representations of different groups: S_4, then sets of any size, then S_5."""
    last: tuple[int, Representation] | None = None
    for place, layer in enumerate(layers):
        fixed = [t for t in (layer.in_type, layer.out_type) if isinstance(t, Representation)]
        if last is not None and fixed and fixed[0].group != last[1].group:
            source, type_ = last
            raise ValueError(
                f"layers of different groups: {_place(source, layers[source])} has {type_}, and {_place(place, layer)} has {fixed[0]}. "
                "What stands between them takes any size, and keeps it: take one group for the whole chain"
            )
        if fixed:
            last = place, fixed[-1]


def _compare_channels(layers: list[TypedLayer]) -> tuple[int | None, int | None]:
    """(in_channels, out_channels) of the chain; None is any number, and is passed on."""
    first = number = None
    source = 0  # the layer that the number comes from
    for place, layer in enumerate(layers):
        wanted, given = layer.in_channels, layer.out_channels
        if wanted is not None and number is None:
            # So far every number was passed on: the chain takes what this layer takes.
            first, number, source = wanted, wanted, place
        elif wanted != number and wanted is not None:
            raise ValueError(
                f"neighbours of different channels: {_place(source, layers[source])} gives {number} channels of {layers[source].out_type}, "
                f"and {_place(place, layer)} takes {wanted} channels of {layer.in_type}. Make the two numbers equal"
            )
        if given is not None:
            number, source = given, place
    return first, number


def _compare_parameters(layers: list[TypedLayer]) -> None:
    """Raise if layers hold parameters of different dtypes or on different devices."""
    reference: tuple[int, torch.nn.Parameter] | None = None
    for place, layer in enumerate(layers):
        for parameter in layer.parameters():
            reference = reference or (place, parameter)
            source, other = reference
            if (parameter.dtype, parameter.device) != (other.dtype, other.device):
                raise ValueError(
                    f"layers of different dtypes or devices: {_place(source, layers[source])} has parameters of {other.dtype} on "
                    f"{other.device}, and {_place(place, layer)} of {parameter.dtype} on {parameter.device} "
                    f"(types {layers[source].out_type} and {layer.in_type}). "
                    f"Convert one of them: layer.to(dtype={other.dtype}, device={str(other.device)!r})"
                )


def _plan_mask(layers: list[TypedLayer]) -> tuple[tuple[bool, ...], int | None]:
    """Which layers get the mask, and the first one through which padding would leak (None if there is none)."""
    masked, leak = [], None
    mask_type, alive = layers[0].in_type, num_axes(layers[0].in_type) > 0
    for place, layer in enumerate(layers):
        alive = alive and same_type(layer.in_type, mask_type)  # once dropped, it does not come back
        masked.append(alive and _takes_mask(layer))
        if alive and leak is None and not _takes_mask(layer) and not _is_entrywise(layer):
            leak = place
    return tuple(masked), leak


def _takes_mask(layer: TypedLayer) -> bool:
    if isinstance(layer, EquivariantSequential):
        return layer.takes_mask
    return "mask" in inspect.signature(layer.forward).parameters


def _is_entrywise(layer: TypedLayer) -> bool:
    if isinstance(layer, EquivariantSequential):
        return all(_is_entrywise(inner) for inner in layer)
    return isinstance(layer, Pointwise)
