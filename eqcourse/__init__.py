"""eqcourse: the library behind a course on equivariant neural networks.

One lesson leans on one module, in the same order: ``groups``, ``representations``, ``equivariance``, …
"""

from . import equivariance, groups, representations, solvers
from .equivariance import assert_equivariant, equivariance_error
from .solvers import IntertwinerSpace, intertwiner_dimension, intertwiners

__all__ = [
    "IntertwinerSpace",
    "assert_equivariant",
    "equivariance",
    "equivariance_error",
    "groups",
    "intertwiner_dimension",
    "intertwiners",
    "representations",
    "solvers",
]
__version__ = "0.1.0"
