"""What all layers share: types, checks of the input, random weights, checkpoints."""

from __future__ import annotations

import numbers
from typing import Any

import torch
from torch import Tensor

from ..groups import as_generator
from ..representations import Representation
from .types import Family, Order, Type, num_axes

__all__ = [
    "TypedLayer",
    "check_channels",
    "check_mask",
    "check_representation",
    "check_type",
    "random_normal",
]


class TypedLayer(torch.nn.Module):
    """A torch module that knows what acts on its input and its output.

    ``in_type`` and ``out_type`` are representations or families of them; ``in_channels`` and ``out_channels`` are None where a layer takes
    any number. A checkpoint carries a line that says which layer it came from, and is refused by another one.
    """

    in_type: Type
    out_type: Type
    in_channels: int | None = None
    out_channels: int | None = None

    def check_input(self, x: Any, weight: Tensor | None = None) -> None:
        """Raise unless x is a floating-point array (batch, channels, \\*axes) of in_type, with the weights' dtype and device."""
        if not isinstance(x, Tensor):
            raise TypeError(f"{self._who} takes a torch tensor (batch, channels, *axes), got {type(x).__name__}")
        if not x.is_floating_point():
            how = (
                "give real and imaginary parts as channels"
                if x.is_complex()
                else "convert them, for example with x.float()"
            )
            raise TypeError(f"{self._who} takes floating-point numbers, got {x.dtype}: {how}")
        if weight is not None and x.device != weight.device:
            raise ValueError(
                f"{self._who} is on {weight.device} and its input on {x.device}: move one of them with .to(device)"
            )
        if weight is not None and x.dtype != weight.dtype and not torch.is_autocast_enabled(x.device.type):
            raise TypeError(
                f"{self._who} has weights of type {weight.dtype} and got an input of type {x.dtype}: "
                f"convert one of them, for example x.to({weight.dtype}) or layer.to({x.dtype})"
            )
        axes = num_axes(self.in_type)
        fixed = () if isinstance(self.in_type, Family) else self.in_type.axes
        shape = tuple(x.shape)
        if (
            x.ndim != axes + 2
            or (self.in_channels is not None and shape[1] != self.in_channels)
            or (fixed and shape[2:] != fixed)
        ):
            channels = "channels" if self.in_channels is None else str(self.in_channels)
            # The axes of a tensor are equally long, those of tables and grids need not be.
            alike = axes == 1 or isinstance(self.in_type, Order)
            free = ["N"] * axes if alike else [f"N_{axis + 1}" for axis in range(axes)]
            expected = ["batch", channels, *(map(str, fixed) if fixed else free)]
            raise ValueError(f"{self._who} takes an input of shape ({', '.join(expected)}), got {shape}")

    @property
    def _who(self) -> str:
        """The layer in one line, for messages and checkpoints."""
        return f"{type(self).__name__}({self.extra_repr()})"

    def __repr__(self) -> str:
        return self._who

    @property
    def _signature(self) -> str:
        """What a checkpoint says of the layer that it came from."""
        return self._who

    def _save_to_state_dict(self, destination: Any, prefix: str, keep_vars: bool) -> None:
        super()._save_to_state_dict(destination, prefix, keep_vars)
        if hasattr(destination, "_metadata"):
            destination._metadata[prefix[:-1]]["layer"] = self._signature

    def _load_from_state_dict(
        self,
        state_dict: Any,
        prefix: str,
        local_metadata: Any,
        strict: bool,
        missing_keys: list[str],
        unexpected_keys: list[str],
        error_msgs: list[str],
    ) -> None:
        saved = local_metadata.get("layer", self._signature)
        if saved != self._signature:
            error_msgs.append(f"this checkpoint is of {saved}, and the layer is {self._signature}")
        super()._load_from_state_dict(
            state_dict, prefix, local_metadata, strict, missing_keys, unexpected_keys, error_msgs
        )


def random_normal(
    shape: tuple[int, ...],
    std: float,
    generator: torch.Generator | int | None,
    dtype: torch.dtype | None,
    device: Any,
) -> torch.nn.Parameter:
    """A parameter of independent normal numbers. Drawn on the CPU in float64, so that a seed gives the same weights everywhere.

    ``generator`` None takes torch's own stream, as torch's layers do.
    """
    source = None if generator is None else as_generator(generator)
    values = std * torch.randn(shape, dtype=torch.float64, generator=source)
    return torch.nn.Parameter(values.to(dtype=dtype or torch.get_default_dtype(), device=device))


def check_channels(**channels: int) -> None:
    """Raise ``ValueError`` unless all numbers of channels are positive integers."""
    for name, number in channels.items():
        if isinstance(number, bool) or not isinstance(number, numbers.Integral) or number < 1:  # NumPy's integers count
            raise ValueError(f"{name} is a positive integer, got {number!r}")


def check_type(type_: Any, who: str) -> None:
    """Raise ``TypeError`` unless ``type_`` is a representation or a family."""
    if not isinstance(type_, Representation | Family):
        raise TypeError(f"{who} takes a representation or a family such as Order(1), got {type_!r}")


def check_representation(rho: Any, who: str, instead: str = "give it at fixed sizes, with .at(…)") -> None:
    """Raise ``TypeError`` unless ρ is a representation; ``instead`` says what to do with a family."""
    if isinstance(rho, Family):
        raise TypeError(f"{who} takes a representation, got the family {rho}; {instead}")
    if not isinstance(rho, Representation):
        raise TypeError(f"{who} takes a representation, such as SymmetricGroup(5).defining(), got {rho!r}")


def check_mask(mask: Any, x: Tensor, axes: int) -> None:
    """Raise unless ``mask`` is a boolean tensor (batch, \\*axes) that says which entries of x (batch, channels, \\*axes) are real."""
    expected = (x.shape[0], *x.shape[x.ndim - axes :])
    if not isinstance(mask, Tensor) or mask.dtype != torch.bool:
        what = f"dtype {mask.dtype}" if isinstance(mask, Tensor) else type(mask).__name__
        raise TypeError(f"a mask is a boolean tensor, True where an item is real and not padding; got {what}")
    if tuple(mask.shape) != expected:
        raise ValueError(
            f"the mask of an input of shape {tuple(x.shape)} has shape {expected}, one entry for each item, got {tuple(mask.shape)}"
        )
    if mask.device != x.device:
        raise ValueError(f"the mask is on {mask.device} and the input on {x.device}: move one of them with .to(device)")
