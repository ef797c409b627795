"""Torch layers that are equivariant by construction: by expansion for any representations, and efficient ones where there are any.

Tensors are (batch, channels, \\*axes); the group acts on the axes and leaves batch and channels alone.
"""

from .arrays import ArrayLinear
from .base import TypedLayer
from .linear import EquivariantLinear
from .sets import SetLinear
from .tensors import TensorLinear
from .twins import EfficientLayer
from .types import Family, Grid, Order, Table, same_type

__all__ = [
    "ArrayLinear",
    "EfficientLayer",
    "EquivariantLinear",
    "Family",
    "Grid",
    "Order",
    "SetLinear",
    "Table",
    "TensorLinear",
    "TypedLayer",
    "same_type",
]
