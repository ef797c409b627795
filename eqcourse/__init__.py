"""eqcourse: the library behind a course on equivariant neural networks.

One lesson leans on one module, in the same order: ``groups``, ``representations``, ``equivariance``, …
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from . import equivariance, groups, representations, solvers
from .equivariance import assert_equivariant, equivariance_error
from .solvers import IntertwinerSpace, decompose, intertwiner_dimension, intertwiners

if TYPE_CHECKING:
    from . import nn
    from .polynomials import PolynomialRegression

__all__ = [
    "IntertwinerSpace",
    "PolynomialRegression",
    "assert_equivariant",
    "decompose",
    "equivariance",
    "equivariance_error",
    "groups",
    "intertwiner_dimension",
    "intertwiners",
    "nn",
    "representations",
    "solvers",
]
__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    if name == "nn":
        # The layers are loaded when somebody asks for them: sheets without layers do not.
        return import_module(f"{__name__}.nn")
    # scikit-learn takes about a second to import, so that it waits until somebody asks for it.
    if name == "PolynomialRegression":
        from .polynomials import PolynomialRegression

        return PolynomialRegression
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
