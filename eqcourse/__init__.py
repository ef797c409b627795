"""eqcourse: the library behind a course on equivariant neural networks.

One lesson leans on one module, in the same order: ``groups``, ``representations``, ``equivariance``, …
"""

from . import equivariance, groups, representations
from .equivariance import assert_equivariant, equivariance_error

__all__ = ["assert_equivariant", "equivariance", "equivariance_error", "groups", "representations"]
__version__ = "0.1.0"
