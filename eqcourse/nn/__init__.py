"""Torch layers that are equivariant by construction: by expansion for any representations, and efficient ones where there are any.

Tensors are (batch, channels, \\*axes); the group acts on the axes and leaves batch and channels alone.
"""

from .arrays import ArrayLinear
from .attention import SetAttention
from .base import TypedLayer
from .circular import CircularConv
from .deepsets import DeepSets
from .linear import EquivariantLinear
from .nonlinear import GatedNonlinearity, NormNonlinearity, Pointwise
from .norm import EquivariantNorm
from .pool import InvariantPool
from .products import Invariants, TensorProduct
from .sequential import EquivariantSequential
from .sets import SetLinear
from .steerable import (
    AtEachPixel,
    FeatureField,
    FieldBatchNorm,
    GroupConv,
    LiftingConv,
    MeanOverPixels,
    SteerableConv,
    harmonic,
    kernel_basis,
)
from .tensors import TensorLinear
from .twins import EfficientLayer
from .types import Family, Grid, Order, Table, Type, same_type

__all__ = [
    "ArrayLinear",
    "AtEachPixel",
    "CircularConv",
    "DeepSets",
    "EfficientLayer",
    "EquivariantLinear",
    "EquivariantNorm",
    "EquivariantSequential",
    "Family",
    "FeatureField",
    "FieldBatchNorm",
    "GatedNonlinearity",
    "Grid",
    "GroupConv",
    "InvariantPool",
    "Invariants",
    "LiftingConv",
    "MeanOverPixels",
    "NormNonlinearity",
    "Order",
    "Pointwise",
    "SetAttention",
    "SetLinear",
    "SteerableConv",
    "Table",
    "TensorLinear",
    "TensorProduct",
    "Type",
    "TypedLayer",
    "harmonic",
    "kernel_basis",
    "same_type",
]
