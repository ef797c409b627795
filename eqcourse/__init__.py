"""eqcourse: the library behind a course on equivariant neural networks.

One lesson leans on one module, in the same order: ``groups``, ``representations``, ``equivariance``, …
"""

from . import groups, representations

__all__ = ["groups", "representations"]
__version__ = "0.1.0"
