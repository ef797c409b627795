"""Torch layers that are equivariant by construction: by expansion for any representations, and efficient ones for the actions of the course.

Tensors are (batch, channels, \\*axes); the group acts on the axes and leaves batch and channels alone.
"""

from .base import TypedLayer
from .linear import EquivariantLinear
from .types import Family, Grid, Order, Table, same_type

__all__ = ["EquivariantLinear", "Family", "Grid", "Order", "Table", "TypedLayer", "same_type"]
