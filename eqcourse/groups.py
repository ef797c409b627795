"""Groups: things that can be composed and undone.

A group object knows how to compose and invert its elements; the elements themselves are plain data:

====================  ==================================================================================
group                 element
====================  ==================================================================================
symmetric S_N         int64 tensor (N,): the image array, ``g[i]`` is where ``i`` goes; ``(gh)[i] = g[h[i]]``
permutation group     the same, for a subgroup of S_N given by generators
signed permutations   pair (image, signs) of int64 tensors (N,): ``e_j -> signs[j] e_image[j]``
cyclic C_N            int t in 0..N-1: a shift by t
dihedral D_N          pair (k, m) of ints: r^k s^m, first m reflections, then k rotations
reflection            int +1 or -1
matrix groups         float64 tensor (n, n)
direct product        tuple of elements, one for each factor
====================  ==================================================================================

A *batch* of elements is the same data with further axes in front: (B, N) for S_N, an integer tensor (B,) for C_N, a
pair of such for D_N.
"""

from __future__ import annotations

import itertools
import math
import numbers
from abc import ABC, abstractmethod
from collections.abc import Hashable, Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

if TYPE_CHECKING:
    from .representations import Representation

__all__ = [
    "SO",
    "CyclicGroup",
    "DihedralGroup",
    "DirectProduct",
    "Group",
    "Lorentz",
    "MatrixGroup",
    "O",
    "PermutationGroup",
    "ReflectionGroup",
    "SignedPermutationGroup",
    "SymmetricGroup",
    "as_generator",
]

# `elements()` and `regular()` list a group only up to this order; 10! is already beyond it.
MAX_LISTED = 1_000_000
# A word in the generators is looked up in a table of the whole group, up to this order.
MAX_TABLE = 100_000
# Rounding allowed in a matrix that claims to be orthogonal, or to preserve a metric.
MATRIX_TOLERANCE = 1e-6
# Rounding allowed between two products of generators that are taken for the same element of a finite matrix group.
SAME = 1e-10

# A word g = g_1^p_1 g_2^p_2 … as pairs (number of the generator, power).
Word = list[tuple[int, int]]


def as_generator(seed: int | torch.Generator) -> torch.Generator:
    """A source of random numbers from a seed; a ``torch.Generator`` is passed through.

    >>> torch.rand(1, generator=as_generator(0)).equal(torch.rand(1, generator=as_generator(0)))
    True
    """
    if isinstance(seed, torch.Generator):
        return seed
    if isinstance(seed, bool) or not isinstance(seed, numbers.Integral):  # NumPy's integers count
        raise TypeError(f"expected a seed (an int) or a torch.Generator, got {type(seed).__name__}")
    return torch.Generator().manual_seed(int(seed))


class Group(ABC):
    """A group. Groups compare by structure: ``SymmetricGroup(3) == SymmetricGroup(3)``."""

    name: str
    #: Elements whose products and inverses give the whole group, or one element of each of its connected components.
    generators: tuple[Any, ...]
    #: A basis of the Lie algebra: float64 matrices (n, n); empty for a finite group.
    lie_algebra: tuple[Any, ...] = ()
    #: How ``sample`` draws, in words.
    sampling = "uniform"
    #: True if the group has a uniform (Haar) measure of total mass 1, so that averages over it exist.
    is_compact = True

    @property
    @abstractmethod
    def order(self) -> int | float:
        """The number of elements, ``math.inf`` for an infinite group."""

    @property
    @abstractmethod
    def identity(self) -> Any:
        """The element that changes nothing."""

    @abstractmethod
    def compose(self, g: Any, h: Any) -> Any:
        """The product gh: first h, then g. Takes batches."""

    @abstractmethod
    def inverse(self, g: Any) -> Any:
        """The element that undoes g. Takes batches."""

    @abstractmethod
    def sample(self, generator: int | torch.Generator, size: int | None = None) -> Any:
        """A random element from a seed or a ``torch.Generator``; with ``size``, a batch of that many."""

    @abstractmethod
    def convert(self, g: Any) -> Any:
        """`g` as this group's kind of data, after the cheap checks (shape, dtype, a repeated index)."""

    @abstractmethod
    def batch_shape(self, g: Any) -> tuple[int, ...]:
        """The shape of a batch of elements: () for one element."""

    @abstractmethod
    def _key(self) -> Hashable:
        """What equal groups share."""

    def element(self, g: Any) -> Any:
        """`g` as an element (or batch of elements) of this group, checked.

        Raises ``ValueError`` if it is not in the group and ``TypeError`` if it is the wrong kind of data.

        >>> SymmetricGroup(3).element([1, 2, 0])
        tensor([1, 2, 0])
        """
        return self.convert(g)

    def elements(self) -> Iterator[Any]:
        """All elements, one after the other, the identity first. Raises ``ValueError`` if there are too many to list.

        >>> list(DihedralGroup(2).elements())
        [(0, 0), (1, 0), (0, 1), (1, 1)]
        """
        if self.order > MAX_LISTED:
            many = "infinitely many" if self.order == math.inf else f"about 10^{math.log10(self.order):.0f}"
            known_by = "its Lie algebra" if self.lie_algebra else "its generators"
            known_by += " and its generators" if self.lie_algebra and self.generators else ""
            raise ValueError(
                f"{self} has {many} elements; elements() lists at most {MAX_LISTED:,}. "
                f"Take some at random with sample(seed, size), or use {known_by}."
            )
        return self._list_elements()

    def _taken(self, g: Any) -> Any:
        """Tensors are taken as they are, so that composing stays fast; lists and numbers are checked and converted."""
        parts = g if isinstance(g, tuple) else (g,)
        return g if all(isinstance(part, Tensor) for part in parts) else self.convert(g)

    def _list_elements(self) -> Iterator[Any]:
        """Breadth first from the identity, multiplying by generators."""
        yield self.identity
        seen, frontier = {self.key(self.identity)}, [self.identity]
        while frontier:
            found = []
            for g, s in itertools.product(frontier, self.generators):
                new = self.compose(g, s)
                if (key := self.key(new)) not in seen:
                    seen.add(key)
                    found.append(new)
                    yield new
            frontier = found

    def key(self, g: Any) -> Hashable:
        """Hashable data that tells one element from another (finite groups)."""
        return tuple(self.key(part) for part in g) if isinstance(g, tuple) else _plain(g)

    def same(self, g: Any, h: Any) -> bool:
        """Whether two single elements are equal.

        >>> CyclicGroup(4).same(1, 5)
        True
        """
        return self.key(self.convert(g)) == self.key(self.convert(h))

    def word(self, g: Any) -> Word:
        """One way to write g as a product of powers of generators, as pairs (generator's number, power).

        Raises ``ValueError`` where the group is too large for a table, and if g is not in the group.

        >>> DihedralGroup(5).word((3, 1))      # r r r s
        [(0, 3), (1, 1)]
        """
        if self.order > MAX_TABLE:
            raise ValueError(f"{self} is too large to write its elements as words: at most {MAX_TABLE:,} elements")
        g = self.convert(g)
        if (key := self.key(g)) not in self._words:
            raise ValueError(f"{_plain(g)} is not an element of {self}")
        return self._words[key]

    @cached_property
    def _words(self) -> dict[Hashable, Word]:
        words: dict[Hashable, Word] = {self.key(self.identity): []}
        frontier = [self.identity]
        while frontier:
            found = []
            for g, (number, s) in itertools.product(frontier, enumerate(self.generators)):
                new = self.compose(g, s)
                if (key := self.key(new)) not in words:
                    words[key] = [*words[self.key(g)], (number, 1)]
                    found.append(new)
            frontier = found
        return words

    def exp(self, A: Any) -> Any:
        """The group element exp(A) of a Lie algebra element A."""
        raise ValueError(f"{self} is finite: it has no Lie algebra")

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self._key() == other._key()

    def __hash__(self) -> int:
        return hash((type(self).__name__, self._key()))

    def __repr__(self) -> str:
        return self.name

    # Constructors of representations live in the module above; it is imported when one of them is called.

    def trivial(self, dim: int = 1) -> Representation:
        """The trivial representation on R^dim: every element leaves every vector as it is.

        >>> SymmetricGroup(3).trivial()
        1 of S_3
        """
        from .representations import trivial

        return trivial(self, dim)

    def sign(self) -> Representation:
        """The one-dimensional representation by ±1: sign of a permutation or reflection, determinant of a matrix.

        >>> SymmetricGroup(3).sign().act([1, 0, 2], torch.tensor([5.0]))
        tensor([-5.])
        """
        from .representations import sign

        return sign(self)

    def defining(self) -> Representation:
        """The representation the group is known by: permutation matrices, 2×2 for C_N and D_N, matrix groups themselves.

        >>> SymmetricGroup(3).defining()
        R³ of S_3
        """
        from .representations import defining

        return defining(self)

    def regular(self) -> Representation:
        """The group acting on functions on itself: [g▷x](h) = x(g⁻¹h), elements in the order of ``elements()``.

        For C_N this is the shift of a signal, [t▷x]_i = x_{(i−t) mod N}. Raises ``ValueError`` for infinite groups.

        >>> CyclicGroup(4).regular().act(1, torch.tensor([10, 20, 30, 40]))
        tensor([40, 10, 20, 30])
        """
        from .representations import regular

        return regular(self)

    def irreps(self) -> list[Representation]:
        """All irreducible representations of a finite group over the real numbers, by orthogonal matrices, the trivial one first.

        C_N, D_N, Z_2 and S_N: closed forms. Products: from those of the factors. Others, up to 10,000 elements: found in tensor products
        with the defining representation. Raises ``ValueError`` for infinite groups and larger ones.

        >>> [rho.dim for rho in SymmetricGroup(4).irreps()]
        [1, 3, 2, 3, 1]
        """
        from .solvers.irreps import irreps

        return irreps(self)

    def irrep(self, label: Any) -> Representation:
        """The irreducible representation with this label, by orthogonal matrices.

        Labels: C_N, SO(2) the frequency k; D_N, O(2) the frequency k, or (k, sign) where it is one-dimensional; S_N a partition of N,
        (3, 1), in Young's orthogonal form; SO(3) ℓ, O(3) (ℓ, parity), on real spherical harmonics m = −ℓ … ℓ about the z axis (for
        ℓ = 1: y, z, x); Z_2 1 or −1; a product a tuple of its factors' labels; other finite groups the number in ``irreps()``.
        Raises ``ValueError`` for a label that the group does not have, and says what there is.

        >>> SymmetricGroup(4).irrep((2, 2)).matrix([1, 0, 2, 3]).tolist()
        [[1.0, 0.0], [0.0, -1.0]]
        >>> SO(3).irrep(2).dim
        5
        """
        from .solvers.irreps import irrep

        return irrep(self, label)

    def _sign_of(self, g: Any) -> Tensor:
        """±1 for each element of a batch; overridden where a sign makes sense."""
        raise ValueError(f"{self} has no sign that goes without saying; give one with representations.from_generators")


class _Images(Group):
    """What S_N and its subgroups share: elements are image arrays of ``degree`` points."""

    degree: int

    @property
    def identity(self) -> Tensor:
        return torch.arange(self.degree)

    def compose(self, g: Any, h: Any) -> Tensor:
        return torch.take_along_dim(self._taken(g), self._taken(h), dim=-1)

    def inverse(self, g: Any) -> Tensor:
        return _inverse_images(self._taken(g))

    def convert(self, g: Any) -> Tensor:
        return _convert_images(g, self.degree, self.name)

    def batch_shape(self, g: Tensor) -> tuple[int, ...]:
        return tuple(g.shape[:-1])

    def _sign_of(self, g: Tensor) -> Tensor:
        return _parity(g)


class SymmetricGroup(_Images):
    """S_N: all N! ways to reorder N things. Elements are image arrays, ``(gh)[i] = g[h[i]]``.

    >>> S3 = SymmetricGroup(3)
    >>> S3.order
    6
    >>> S3.compose(S3.element([1, 2, 0]), S3.element([1, 0, 2]))
    tensor([2, 1, 0])
    """

    def __init__(self, degree: int) -> None:
        self.degree = _positive_integer("degree", degree)
        self.name = f"S_{degree}"
        swap = [1, 0, *range(2, degree)]
        cycle = [*range(1, degree), 0]
        images = {1: [[0]], 2: [swap]}.get(degree, [swap, cycle])
        self.generators = tuple(torch.tensor(image) for image in images)

    @property
    def order(self) -> int:
        return math.factorial(self.degree)

    def _list_elements(self) -> Iterator[Tensor]:
        return (torch.tensor(images) for images in itertools.permutations(range(self.degree)))

    def sample(self, generator: int | torch.Generator, size: int | None = None) -> Tensor:
        return _random_images(self.degree, as_generator(generator), size)

    def word(self, g: Tensor) -> Word:
        return _word_of_images(_plain_list(g))

    def on_subsets(self, k: int) -> Representation:
        """S_N on functions on the k-element subsets of its N points, subsets in lexicographic order.

        >>> SymmetricGroup(4).on_subsets(2).dim
        6
        """
        from .representations import on_subsets

        return on_subsets(self, k)

    def _key(self) -> Hashable:
        return self.degree


class PermutationGroup(_Images):
    """The group of permutations that some generators (image arrays) produce.

    Order, membership and sampling come from the Schreier–Sims algorithm (SymPy); the group is not enumerated.

    >>> G = PermutationGroup([[1, 2, 3, 4, 0], [0, 4, 3, 2, 1]])      # the pentagon's vertices, turned and reflected
    >>> G.order
    10
    >>> G.element([1, 0, 2, 3, 4])
    Traceback (most recent call last):
    ValueError: [1, 0, 2, 3, 4] is a permutation, but not one of the 10 in this group
    """

    def __init__(self, generators: Sequence[Any]) -> None:
        if len(generators) == 0:
            raise ValueError("a permutation group needs at least one generator; the identity will do")
        self.degree = _length(generators[0], "PermutationGroup takes a list of image arrays, [[1, 2, 0], …]")
        self.name = f"permutation group on {self.degree} points"
        self.generators = tuple(self.convert(g) for g in generators)

    @cached_property
    def _sympy(self) -> Any:
        from sympy.combinatorics import Permutation
        from sympy.combinatorics import PermutationGroup as SympyGroup

        return SympyGroup([Permutation(g.tolist()) for g in self.generators])

    @property
    def order(self) -> int:
        return int(self._sympy.order())

    def element(self, g: Any) -> Tensor:
        from sympy.combinatorics import Permutation

        g = self.convert(g)
        for row in g.reshape(-1, self.degree).tolist():
            if not self._sympy.contains(Permutation(row)):
                raise ValueError(f"{row} is a permutation, but not one of the {self.order} in this group")
        return g

    def sample(self, generator: int | torch.Generator, size: int | None = None) -> Tensor:
        source = as_generator(generator)
        total = torch.arange(self.degree).expand(1 if size is None else size, -1)
        # Each element is, in one way, a product of one member of each transversal of the stabiliser chain.
        for transversal in self._sympy.basic_transversals:
            members = torch.tensor([p.array_form for p in transversal.values()])
            choice = torch.randint(len(members), (len(total),), generator=source)
            # The chain's deeper stabilisers act first.
            total = torch.take_along_dim(total, members[choice], dim=-1)
        return total[0] if size is None else total

    def _key(self) -> Hashable:
        return self.degree, self.order

    def __eq__(self, other: object) -> bool:
        # Different generators may produce the same group: same order, and each generator lies in the other.
        return (
            isinstance(other, PermutationGroup)
            and self._key() == other._key()
            and bool(other._sympy.is_subgroup(self._sympy))
        )

    __hash__ = Group.__hash__


class SignedPermutationGroup(Group):
    """B_N, the signed permutations of N points: reorder the coordinates and flip some signs. N! 2^N elements.

    An element is a pair (image, signs): it sends the basis vector e_j to ``signs[j] e_image[j]``.

    >>> G = SignedPermutationGroup(2)
    >>> G.order
    8
    >>> G.defining().act(([1, 0], [1, -1]), torch.tensor([10, 20]))
    tensor([-20,  10])
    """

    def __init__(self, degree: int) -> None:
        self.degree = _positive_integer("degree", degree)
        self.name = f"B_{degree}"
        self._permutations = SymmetricGroup(degree)
        ones = torch.ones(degree, dtype=torch.int64)
        flip = ones.clone()
        flip[0] = -1
        # The generators of S_N, then the flip of the first sign; S_1 has none but the identity.
        swaps = () if degree == 1 else self._permutations.generators
        self.generators = (*((g, ones) for g in swaps), (torch.arange(degree), flip))

    @property
    def order(self) -> int:
        return math.factorial(self.degree) * 2**self.degree

    @property
    def identity(self) -> tuple[Tensor, Tensor]:
        return torch.arange(self.degree), torch.ones(self.degree, dtype=torch.int64)

    def compose(self, g: Any, h: Any) -> tuple[Tensor, Tensor]:
        g, h = self._taken(g), self._taken(h)
        # h sends e_j to h.signs[j] e_h[j], and g sends that on to g.signs[h[j]] e_g[h[j]].
        return torch.take_along_dim(g[0], h[0], -1), torch.take_along_dim(g[1], h[0], -1) * h[1]

    def inverse(self, g: Any) -> tuple[Tensor, Tensor]:
        images, signs = self._taken(g)
        image = _inverse_images(images)
        return image, torch.take_along_dim(signs, image, -1)

    def sample(self, generator: int | torch.Generator, size: int | None = None) -> tuple[Tensor, Tensor]:
        source = as_generator(generator)
        image = _random_images(self.degree, source, size)
        return image, torch.randint(2, image.shape, generator=source) * 2 - 1

    def convert(self, g: Any) -> tuple[Tensor, Tensor]:
        if not isinstance(g, (tuple, list)) or len(g) != 2:
            raise TypeError(f"an element of {self} is a pair (image, signs), got {g!r}")
        image = _convert_images(g[0], self.degree, self.name)
        try:
            signs = torch.as_tensor(g[1]) * 1  # turns bool, which has no sign, into int
        except (TypeError, ValueError, RuntimeError) as error:
            raise TypeError(f"the signs of an element of {self} are a list of +1 and -1, got {g[1]!r}") from error
        if signs.shape != image.shape or not bool((signs.abs() == 1).all()):
            raise ValueError(f"the signs of an element of {self} are +1 or -1, one for each point; got {_plain(signs)}")
        return image, signs.to(torch.int64)

    def batch_shape(self, g: tuple[Tensor, Tensor]) -> tuple[int, ...]:
        return tuple(g[0].shape[:-1])

    def word(self, g: tuple[Tensor, Tensor]) -> Word:
        # g = (flips of some coordinates) · (permutation); the flip of coordinate t is c^t f c^-t with the cycle c.
        word: Word = []
        flip = len(self.generators) - 1
        swap, cycle = 0, min(1, self.degree - 1)
        for source, sign in enumerate(_plain_list(g[1])):
            if sign < 0:
                turn = int(g[0][source])
                shift = [(cycle if self.degree > 2 else swap, turn)] if turn else []
                word += [*shift, (flip, 1), *((n, -p) for n, p in reversed(shift))]
        return word + _word_of_images(_plain_list(g[0]))

    def _sign_of(self, g: tuple[Tensor, Tensor]) -> Tensor:
        return _parity(g[0]) * g[1].prod(-1)

    def _key(self) -> Hashable:
        return self.degree


class CyclicGroup(Group):
    """C_N: the shifts of a ring of N points, or the rotations of a regular N-gon. An element is an int modulo N.

    >>> C8 = CyclicGroup(8)
    >>> C8.compose(5, 6), C8.inverse(3)
    (3, 5)
    """

    def __init__(self, n: int) -> None:
        self.n = _positive_integer("n", n)
        self.name = f"C_{n}"
        self.generators = (1 % n,)

    @property
    def order(self) -> int:
        return self.n

    @property
    def identity(self) -> int:
        return 0

    def compose(self, g: Any, h: Any) -> Any:
        return (self._taken(g) + self._taken(h)) % self.n

    def inverse(self, g: Any) -> Any:
        return -self._taken(g) % self.n

    def _list_elements(self) -> Iterator[int]:
        return iter(range(self.n))

    def sample(self, generator: int | torch.Generator, size: int | None = None) -> Any:
        return _random_integers(self.n, generator, size)

    def convert(self, g: Any) -> Any:
        return _convert_integer(g, f"a shift in {self}") % self.n

    def batch_shape(self, g: Any) -> tuple[int, ...]:
        return _shape_of(g)

    def word(self, g: int) -> Word:
        return [(0, int(g))] if g else []

    def on_grid(self, height: int, width: int) -> Representation:
        """Quarter or half turns of an image with (height, width) pixels; C_1, C_2, C_4 only.

        >>> CyclicGroup(4).on_grid(2, 2).act(1, torch.tensor([[1, 2], [3, 4]]))      # a quarter turn anticlockwise
        tensor([[2, 4],
                [1, 3]])
        """
        from .representations import on_grid

        return on_grid(self, height, width)

    def _key(self) -> Hashable:
        return self.n


class DihedralGroup(Group):
    """D_N: the 2N rotations and reflections of a regular N-gon. (k, m) means r^k s^m, with s r s = r⁻¹.

    >>> D4 = DihedralGroup(4)
    >>> D4.compose((0, 1), (1, 0))      # first r, then s: s r = r^-1 s
    (3, 1)
    """

    def __init__(self, n: int) -> None:
        self.n = _positive_integer("n", n)
        self.name = f"D_{n}"
        self.generators = ((1 % n, 0), (0, 1))

    @property
    def order(self) -> int:
        return 2 * self.n

    @property
    def identity(self) -> tuple[int, int]:
        return 0, 0

    def compose(self, g: tuple[Any, Any], h: tuple[Any, Any]) -> tuple[Any, Any]:
        (k, m), (l, p) = self._taken(g), self._taken(h)
        # s moves past a rotation by turning it round: s r^l = r^-l s.
        return (k + (1 - 2 * m) * l) % self.n, (m + p) % 2

    def inverse(self, g: tuple[Any, Any]) -> tuple[Any, Any]:
        k, m = self._taken(g)
        return ((2 * m - 1) * k) % self.n, m

    def _list_elements(self) -> Iterator[tuple[int, int]]:
        return ((k, m) for m in range(2) for k in range(self.n))

    def sample(self, generator: int | torch.Generator, size: int | None = None) -> tuple[Any, Any]:
        source = as_generator(generator)
        return _random_integers(self.n, source, size), _random_integers(2, source, size)

    def convert(self, g: Any) -> tuple[Any, Any]:
        if not isinstance(g, (tuple, list)) or len(g) != 2:
            raise TypeError(f"an element of {self} is a pair (k, m) that means r^k s^m, got {g!r}")
        k = _convert_integer(g[0], f"k of (k, m) in {self}")
        m = _convert_integer(g[1], f"m of (k, m) in {self}")
        if _shape_of(k) != _shape_of(m):
            raise ValueError(f"k and m need the same shape, got {_shape_of(k)} and {_shape_of(m)}")
        return k % self.n, m % 2

    def batch_shape(self, g: tuple[Any, Any]) -> tuple[int, ...]:
        return _shape_of(g[0])

    def word(self, g: tuple[int, int]) -> Word:
        return [(number, int(power)) for number, power in enumerate(g) if power]

    def on_vertices(self) -> Representation:
        """D_N on the N vertices of the polygon, numbered round it: r sends vertex i to i+1, s sends i to −i.

        >>> DihedralGroup(4).on_vertices().act((0, 1), torch.tensor([10, 20, 30, 40]))
        tensor([10, 40, 30, 20])
        """
        from .representations import on_vertices

        return on_vertices(self)

    def on_grid(self, height: int, width: int) -> Representation:
        """Turns and reflections of an image with (height, width) pixels; D_1, D_2, D_4 only. s swaps left and right.

        >>> DihedralGroup(4).on_grid(2, 2).act((0, 1), torch.tensor([[1, 2], [3, 4]]))
        tensor([[2, 1],
                [4, 3]])
        """
        from .representations import on_grid

        return on_grid(self, height, width)

    def _sign_of(self, g: tuple[Any, Any]) -> Tensor:
        return 1 - 2 * torch.as_tensor(g[1])

    def _key(self) -> Hashable:
        return self.n


class ReflectionGroup(Group):
    """The group {+1, −1} of a reflection: done twice, it is undone. What it reflects is up to the representation.

    >>> G = ReflectionGroup()
    >>> G.compose(-1, -1)
    1
    """

    name = "Z_2"
    generators = (-1,)

    @property
    def order(self) -> int:
        return 2

    @property
    def identity(self) -> int:
        return 1

    def compose(self, g: Any, h: Any) -> Any:
        return self._taken(g) * self._taken(h)

    def inverse(self, g: Any) -> Any:
        return self._taken(g)

    def _list_elements(self) -> Iterator[int]:
        return iter((1, -1))

    def sample(self, generator: int | torch.Generator, size: int | None = None) -> Any:
        return 1 - 2 * _random_integers(2, generator, size)

    def convert(self, g: Any) -> Any:
        g = _convert_integer(g, "an element of the reflection group (+1 or -1)")
        if not bool((torch.as_tensor(g).abs() == 1).all()):
            raise ValueError(f"an element of the reflection group is +1 or -1, got {_plain(g)}")
        return g

    def batch_shape(self, g: Any) -> tuple[int, ...]:
        return _shape_of(g)

    def word(self, g: int) -> Word:
        return [(0, 1)] if g == -1 else []

    def on_grid(self, height: int, width: int) -> Representation:
        """The mirror image: −1 swaps left and right of an image with (height, width) pixels.

        >>> ReflectionGroup().on_grid(1, 3).act(-1, torch.tensor([[1, 2, 3]]))
        tensor([[3, 2, 1]])
        """
        from .representations import on_grid

        return on_grid(self, height, width)

    def _sign_of(self, g: Any) -> Tensor:
        return torch.as_tensor(g)

    def _key(self) -> Hashable:
        return None


class DirectProduct(Group):
    """G_1 × … × G_m: tuples of elements, each factor on its own. Factors differ by position.

    In S_4 × S_4 two permutations are chosen independently; in S_4 there is only one.

    >>> G = DirectProduct(SymmetricGroup(3), CyclicGroup(4))
    >>> G, G.order
    (S_3 × C_4, 24)
    >>> G.compose(([1, 2, 0], 1), ([1, 0, 2], 3))
    (tensor([2, 1, 0]), 0)
    """

    def __init__(self, *factors: Group) -> None:
        if not factors or not all(isinstance(f, Group) for f in factors):
            raise TypeError("a direct product is made of groups: DirectProduct(SymmetricGroup(3), SymmetricGroup(4))")
        self.factors = factors
        self.name = " × ".join(f"({f})" if isinstance(f, DirectProduct) else str(f) for f in factors)
        self.is_compact = all(f.is_compact for f in factors)
        self.sampling = "; ".join(dict.fromkeys(f.sampling for f in factors))
        identity = self.identity
        self.generators = tuple(
            (*identity[:i], s, *identity[i + 1 :]) for i, f in enumerate(factors) for s in f.generators
        )
        # A Lie algebra element has one part for each factor; None stands for zero.
        self.lie_algebra = tuple(
            tuple(A if i == j else None for j in range(len(factors)))
            for i, f in enumerate(factors)
            for A in f.lie_algebra
        )

    @property
    def order(self) -> int | float:
        orders = [f.order for f in self.factors]
        # A factorial may be too large to be multiplied by a float, even by infinity.
        return math.inf if math.inf in orders else math.prod(orders)

    @property
    def identity(self) -> tuple[Any, ...]:
        return tuple(f.identity for f in self.factors)

    def compose(self, g: tuple[Any, ...], h: tuple[Any, ...]) -> tuple[Any, ...]:
        return tuple(f.compose(a, b) for f, a, b in zip(self.factors, self._split(g), self._split(h), strict=True))

    def inverse(self, g: tuple[Any, ...]) -> tuple[Any, ...]:
        return tuple(f.inverse(a) for f, a in zip(self.factors, self._split(g), strict=True))

    def _list_elements(self) -> Iterator[tuple[Any, ...]]:
        return itertools.product(*(f.elements() for f in self.factors))

    def sample(self, generator: int | torch.Generator, size: int | None = None) -> tuple[Any, ...]:
        source = as_generator(generator)
        return tuple(f.sample(source, size) for f in self.factors)

    def _split(self, g: Any) -> Sequence[Any]:
        if not isinstance(g, (tuple, list)) or len(g) != len(self.factors):
            raise TypeError(f"an element of {self} is a tuple of {len(self.factors)} elements, got {g!r}")
        return g

    def convert(self, g: Any) -> tuple[Any, ...]:
        return tuple(f.convert(a) for f, a in zip(self.factors, self._split(g), strict=True))

    def element(self, g: Any) -> tuple[Any, ...]:
        return tuple(f.element(a) for f, a in zip(self.factors, self._split(g), strict=True))

    def batch_shape(self, g: tuple[Any, ...]) -> tuple[int, ...]:
        shapes = {f.batch_shape(a) for f, a in zip(self.factors, g, strict=True)}
        if len(shapes) > 1:
            raise ValueError(
                f"the parts of a batch of elements of {self} have different batch shapes: {sorted(shapes)}"
            )
        return shapes.pop()

    def key(self, g: Any) -> Hashable:
        return tuple(f.key(a) for f, a in zip(self.factors, g, strict=True))

    def word(self, g: tuple[Any, ...]) -> Word:
        word: Word = []
        first = 0
        for f, part in zip(self.factors, g, strict=True):
            word += [(first + number, power) for number, power in f.word(part)]
            first += len(f.generators)
        return word

    def exp(self, A: tuple[Any, ...]) -> tuple[Any, ...]:
        return tuple(f.identity if a is None else f.exp(a) for f, a in zip(self.factors, A, strict=True))

    def pullback(self, i: int, rho: Representation) -> Representation:
        """Factor number i acts as `rho`, the others do nothing.

        >>> S3 = SymmetricGroup(3)
        >>> rho = DirectProduct(S3, S3).pullback(1, S3.defining())
        >>> rho.act(([1, 2, 0], [1, 0, 2]), torch.tensor([10, 20, 30]))
        tensor([20, 10, 30])
        """
        from .representations import pullback

        return pullback(self, i, rho)

    def _key(self) -> Hashable:
        return self.factors


class _Matrices(Group):
    """What matrix groups share: elements are float64 matrices (n, n)."""

    n: int

    @property
    def order(self) -> int | float:
        return math.inf

    @property
    def identity(self) -> Tensor:
        return torch.eye(self.n, dtype=torch.float64)

    def compose(self, g: Any, h: Any) -> Tensor:
        return self._taken(g) @ self._taken(h)

    def inverse(self, g: Any) -> Tensor:
        return torch.linalg.inv(self._taken(g))

    def batch_shape(self, g: Tensor) -> tuple[int, ...]:
        return tuple(g.shape[:-2])

    def exp(self, A: Tensor) -> Tensor:
        return torch.linalg.matrix_exp(A)

    def convert(self, g: Any) -> Tensor:
        matrix = _real_matrix(g, self.n, f"an element of {self}")
        if not bool((torch.linalg.matrix_rank(matrix) == self.n).all()):
            raise ValueError(f"an element of {self} is an invertible matrix; this one is singular")
        return matrix

    def key(self, g: Tensor) -> Hashable:
        # Adding 0.0 turns -0.0 into 0.0.
        return tuple((torch.round(g, decimals=6) + 0.0).flatten().tolist())

    def _sign_of(self, g: Tensor) -> Tensor:
        return torch.linalg.det(g).sign().to(torch.int64)


class _Orthogonal(_Matrices):
    """SO(n) and O(n): matrices that keep lengths."""

    @property
    def order(self) -> int | float:
        # On the line there is nothing to turn: SO(1) is the identity alone, O(1) has the reflection too.
        return math.inf if self.n > 1 else 1 + len(self.generators)

    def convert(self, g: Any) -> Tensor:
        matrix = _real_matrix(g, self.n, f"an element of {self}")
        off = (matrix.mT @ matrix - self.identity).abs().max().item()
        if off > MATRIX_TOLERANCE:
            raise ValueError(f"an element of {self} is an orthogonal matrix; here gᵀg differs from 1 by {off:.1e}")
        return matrix

    def inverse(self, g: Any) -> Tensor:
        return self._taken(g).mT

    def sample(self, generator: int | torch.Generator, size: int | None = None) -> Tensor:
        shape = (self.n, self.n) if size is None else (size, self.n, self.n)
        q, r = torch.linalg.qr(torch.randn(shape, dtype=torch.float64, generator=as_generator(generator)))
        # QR leaves the signs of r's diagonal open; fixing them makes q uniform (Mezzadri 2007, "How to generate
        # random matrices from the classical compact groups").
        return q * r.diagonal(dim1=-2, dim2=-1).sign().unsqueeze(-2)

    def _key(self) -> Hashable:
        return self.n


class O(_Orthogonal):
    """O(n): rotations and reflections of R^n. Sampling is uniform (Haar measure).

    >>> O(3).element(-torch.eye(3)).dtype
    torch.float64
    """

    def __init__(self, n: int) -> None:
        self.n = _positive_integer("n", n)
        self.name = f"O({n})"
        reflection = self.identity
        reflection[0, 0] = -1
        self.generators = (reflection,)
        self.lie_algebra = tuple(_plane_rotations(n))


class SO(_Orthogonal):
    """SO(n): the rotations of R^n. Connected, so that its Lie algebra says it all. Sampling is uniform (Haar measure).

    >>> SO(2).lie_algebra[0].tolist()
    [[0.0, -1.0], [1.0, 0.0]]
    >>> SO(3).element(-torch.eye(3))
    Traceback (most recent call last):
    ValueError: an element of SO(3) has determinant +1; this one has -1: it contains a reflection and belongs to O(3)
    """

    def __init__(self, n: int) -> None:
        self.n = _positive_integer("n", n)
        self.name = f"SO({n})"
        self.generators = ()
        self.lie_algebra = tuple(_plane_rotations(n))

    def convert(self, g: Any) -> Tensor:
        matrix = super().convert(g)
        if bool((torch.linalg.det(matrix) < 0).any()):
            raise ValueError(
                f"an element of {self} has determinant +1; this one has -1: "
                f"it contains a reflection and belongs to O({self.n})"
            )
        return matrix

    def sample(self, generator: int | torch.Generator, size: int | None = None) -> Tensor:
        g = super().sample(generator, size)
        # Flipping the first column of the improper half maps it uniformly onto the proper half.
        g[..., 0] *= torch.linalg.det(g).sign().unsqueeze(-1)
        return g

    def rotation(self, angle: float, axis: int = 2) -> Tensor:
        """The rotation by `angle` (radians), anticlockwise; for n = 3 about coordinate axis 0, 1 or 2.

        >>> SO(2).rotation(math.pi / 2).round().tolist()
        [[0.0, -1.0], [1.0, 0.0]]
        """
        if self.n not in (2, 3) or axis not in (0, 1, 2):
            raise ValueError(
                f"rotation(angle, axis) is for SO(2), and for SO(3) with axis 0, 1 or 2; got {self}, axis {axis}"
            )
        i, j = (0, 1) if self.n == 2 else ((axis + 1) % 3, (axis + 2) % 3)
        A = torch.zeros(self.n, self.n, dtype=torch.float64)
        A[i, j], A[j, i] = -angle, angle
        return self.exp(A)


class Lorentz(_Matrices):
    """The Lorentz group on (t, x, y, z): matrices with gᵀ η g = η, where η = diag(−1, 1, 1, 1).

    ``"restricted"`` is the connected part (rotations and boosts), ``"proper"`` (determinant +1) adds the reversal of
    both time and space, ``"full"`` adds space reflection and time reversal. The group is not compact: there is no uniform
    distribution. ``sample`` draws boost · rotation · reversal: a uniform rotation, a boost in a uniform direction with
    rapidity from N(0, 1/4), and a uniform choice among the reversals that the group contains.

    >>> G = Lorentz("restricted")
    >>> len(G.lie_algebra), len(G.generators), G.is_compact
    (6, 0, False)
    """

    n = 4
    is_compact = False
    sampling = (
        "uniform rotation, boost with rapidity from N(0, 1/4), uniform reversal: not uniform, as nothing can be here"
    )

    def __init__(self, kind: str = "full") -> None:
        P, T = torch.diag(torch.tensor([1.0, -1, -1, -1])).double(), torch.diag(torch.tensor([-1.0, 1, 1, 1])).double()
        generators = {"restricted": (), "proper": (P @ T,), "full": (P, T)}
        if kind not in generators:
            raise ValueError(f'Lorentz takes "full", "proper" or "restricted", got {kind!r}')
        self.kind = kind
        self.name = f"Lorentz ({kind})"
        self.metric = T
        self.generators = generators[kind]
        self._reversals = torch.stack(
            {"restricted": [P @ P], "proper": [P @ P, P @ T], "full": [P @ P, P, T, P @ T]}[kind]
        )
        rotations = [torch.block_diag(torch.zeros(1, 1, dtype=torch.float64), A) for A in _plane_rotations(3)]
        boosts = [torch.zeros(4, 4, dtype=torch.float64) for _ in range(3)]
        for i, K in enumerate(boosts, start=1):
            K[0, i] = K[i, 0] = 1.0
        self.lie_algebra = (*rotations, *boosts)

    def convert(self, g: Any) -> Tensor:
        matrix = _real_matrix(g, 4, f"an element of {self}")
        off = (matrix.mT @ self.metric @ matrix - self.metric).abs().max().item()
        # A boost of rapidity r has entries of size e^r / 2, and the products above round relative to their squares.
        if off > MATRIX_TOLERANCE * max(1.0, matrix.abs().max().item() ** 2):
            raise ValueError(f"an element of {self} keeps η = diag(-1, 1, 1, 1); here gᵀηg differs from η by {off:.1e}")
        proper = torch.linalg.det(matrix) > 0
        forward = matrix[..., 0, 0] > 0
        allowed = {"full": proper | True, "proper": proper, "restricted": proper & forward}[self.kind]
        if not bool(allowed.all()):
            raise ValueError(
                f"this Lorentz transformation has determinant {'+1' if bool(proper.all()) else '-1'} and "
                f"{'keeps' if bool(forward.all()) else 'reverses'} the direction of time: it is not in {self}"
            )
        return matrix

    def inverse(self, g: Any) -> Tensor:
        return self.metric @ self._taken(g).mT @ self.metric

    def sample(self, generator: int | torch.Generator, size: int | None = None) -> Tensor:
        source = as_generator(generator)
        count = 1 if size is None else size
        rotation = torch.eye(4, dtype=torch.float64).repeat(count, 1, 1)
        rotation[:, 1:, 1:] = SO(3).sample(source, count)
        direction = torch.nn.functional.normalize(torch.randn(count, 3, dtype=torch.float64, generator=source), dim=-1)
        rapidity = 0.5 * torch.randn(count, 1, dtype=torch.float64, generator=source)
        boost = torch.zeros(count, 4, 4, dtype=torch.float64)
        boost[:, 0, 1:] = boost[:, 1:, 0] = rapidity * direction
        reversal = self._reversals[torch.randint(len(self._reversals), (count,), generator=source)]
        g = self.exp(boost) @ rotation @ reversal
        return g[0] if size is None else g

    def _key(self) -> Hashable:
        return self.kind


class MatrixGroup(_Matrices):
    """A matrix group from its generators: invertible matrices, and a Lie algebra's elements, all (n, n).

    Without Lie elements the group is enumerated as far as 10,000 elements; if it closes, it is finite and sampling is uniform. It does not
    close where two products differ by 1e-10 to 1e-6: then rounding cannot tell whether they are one element. In that case, and with Lie
    elements, ``order`` is ``math.inf``, and ``sample`` takes a random walk of 32 steps: for orthogonal matrices close to uniform, not
    exactly so. For others a step is left out where an entry of g or g⁻¹ would be large, more than twice the largest in a generator,
    its inverse, or one step along the Lie algebra: far out, float64 has no digits left. ``element`` can tell members from others only in a
    finite group. Finite groups are equal if their elements are, infinite ones if their generators and Lie elements are.

    >>> quarter_turn = [[0, -1], [1, 0]]
    >>> MatrixGroup(discrete=[quarter_turn]).order
    4
    >>> MatrixGroup(lie=[[[0, -1], [1, 0]]]).order
    inf
    """

    MAX_CLOSED = 10_000
    STEPS = 32
    #: How far a random walk goes, in multiples of the largest entry of a single step.
    FAR = 2.0

    def __init__(self, discrete: Sequence[Any] = (), lie: Sequence[Any] = ()) -> None:
        if discrete is None or lie is None or len(discrete) + len(lie) == 0:
            raise ValueError("a matrix group needs at least one generator or one Lie algebra element")
        first = discrete[0] if len(discrete) else lie[0]
        self.n = _length(first, "MatrixGroup takes lists of matrices, discrete=[[[0, -1], [1, 0]], …]")
        self.name = f"matrix group in GL({self.n})"
        self.generators = tuple(self.convert(g) for g in discrete)
        self.lie_algebra = tuple(_real_matrix(A, self.n, "a Lie algebra element") for A in lie)
        if any(matrix.ndim > 2 for matrix in (*self.generators, *self.lie_algebra)):
            raise ValueError("MatrixGroup takes lists of single n×n matrices; one of these is a batch of them")

    @cached_property
    def _closure(self) -> tuple[Tensor, ...] | None:
        # In a finite group eigenvalues are roots of unity. Powers of others end in zero or infinity, and seem to close.
        if self.lie_algebra or any(
            bool(((torch.linalg.eigvals(g).abs() - 1).abs() > MATRIX_TOLERANCE).any()) for g in self.generators
        ):
            return None
        found = {self.key(self.identity): self.identity}
        frontier = [self.identity]
        while frontier:
            before, frontier = frontier, []
            for g, s in itertools.product(before, self.generators):
                new = g @ s
                known = found.setdefault(self.key(new), new)
                if known is new:
                    frontier.append(new)
                elif (new - known).abs().max().item() > SAME * max(1.0, known.abs().max().item()):
                    return None  # too close to be told apart by their keys, and too far for rounding
            if len(found) > self.MAX_CLOSED:
                return None
        return tuple(found.values())

    @cached_property
    def _members(self) -> frozenset[Hashable]:
        return frozenset(self.key(g) for g in self._closure or ())

    @property
    def order(self) -> int | float:
        return math.inf if self._closure is None else len(self._closure)

    @property
    def is_compact(self) -> bool:  # type: ignore[override]
        """Whether the group is known to be compact: finite, or generated by orthogonal matrices."""
        orthogonal = all(torch.allclose(g.mT @ g, self.identity, atol=1e-9) for g in self.generators)
        return self._closure is not None or (
            orthogonal and all(torch.allclose(A.mT, -A, atol=1e-9) for A in self.lie_algebra)
        )

    @property
    def sampling(self) -> str:  # type: ignore[override]
        if self._closure is not None:
            return "uniform"
        kept = "" if self.is_compact else f" that keeps the entries of g and g⁻¹ below {self._bound:.2g}"
        return f"a random walk of {self.STEPS} steps{kept}: not exactly uniform"

    def _list_elements(self) -> Iterator[Tensor]:
        return iter(self._closure or ())

    def element(self, g: Any) -> Tensor:
        g = self.convert(g)
        if self._closure is not None:
            for row in g.reshape(-1, self.n, self.n):
                if self.key(row) not in self._members:
                    raise ValueError(f"{_plain(row)} is none of the {self.order} elements of this matrix group")
        return g

    @cached_property
    def _directions(self) -> Tensor:
        """The Lie algebra's basis, scaled such that a step of 1 turns by one radian or stretches by e: (number, n, n)."""
        scaled = []
        for A in self.lie_algebra:
            size = torch.linalg.matrix_norm(A, 2).item()
            radius = torch.linalg.eigvals(A).abs().max().item()
            # Shears have no eigenvalue but zero; rounding makes it a small one.
            scaled.append(A / ((radius if radius > size / 100 else size) or 1.0))
        return torch.stack(scaled) if scaled else torch.zeros(0, self.n, self.n, dtype=torch.float64)

    @cached_property
    def _bound(self) -> float:
        """What the entries of a sampled g and g⁻¹ do not exceed."""
        steps = torch.cat([torch.stack([self.identity, *self.generators]), self.exp(self._directions)])
        return self.FAR * torch.cat([steps, torch.linalg.inv(steps)]).abs().max().item()

    def sample(self, generator: int | torch.Generator, size: int | None = None) -> Tensor:
        source = as_generator(generator)
        count = 1 if size is None else size
        if self._closure is not None:
            g = torch.stack(self._closure)[torch.randint(len(self._closure), (count,), generator=source)]
            return g[0] if size is None else g
        inverses = [torch.linalg.inv(s) for s in self.generators]
        steps = torch.stack([self.identity, *self.generators, *inverses])
        undone = torch.stack([self.identity, *inverses, *self.generators])
        g = back = self.identity.repeat(count, 1, 1)
        for _ in range(self.STEPS):
            choice = torch.randint(len(steps), (count,), generator=source)
            new, new_back = g @ steps[choice], undone[choice] @ back
            if number := len(self._directions):
                lengths = torch.randn(count, number, dtype=torch.float64, generator=source) / math.sqrt(number)
                A = torch.einsum("ca,aij->cij", lengths, self._directions)
                new, new_back = new @ self.exp(A), self.exp(-A) @ new_back
            near = torch.cat([new, new_back], -1).abs().amax((-2, -1), keepdim=True) <= self._bound
            g, back = torch.where(near, new, g), torch.where(near, new_back, back)
        return g[0] if size is None else g

    def _key(self) -> Hashable:
        if self._closure is not None:
            return self.n, self._members
        return tuple(_plain(g) for g in self.generators), tuple(_plain(A) for A in self.lie_algebra)


# ---- helpers -------------------------------------------------------------------------------------------------------


def _plain(x: Any) -> Any:
    """A tensor as hashable, printable nested tuples."""
    if isinstance(x, Tensor):
        x = x.tolist()
    return tuple(_plain(part) for part in x) if isinstance(x, list) else x


def _plain_list(x: Tensor) -> list[int]:
    return [int(i) for i in x]


def _length(first: Any, expected: str) -> int:
    """The length of the first of several arrays; an error if it is a number, because the list around it was forgotten."""
    try:
        length = len(first)
    except TypeError as error:
        raise TypeError(f"{expected}; the first of them is {first!r}") from error
    if length == 0:
        raise ValueError(f"{expected}; the first of them is empty")
    return length


def _positive_integer(name: str, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, numbers.Integral):  # NumPy's integers count
        raise TypeError(f"{name} is a positive integer, got {value!r}")
    if value < 1:
        raise ValueError(f"{name} is a positive integer, got {value}")
    return int(value)


def _shape_of(g: Any) -> tuple[int, ...]:
    return tuple(g.shape) if isinstance(g, Tensor) else ()


def _convert_integer(g: Any, what: str) -> Any:
    """An int, or an integer tensor for a batch."""
    if isinstance(g, Tensor) or hasattr(g, "__array__") or isinstance(g, list):
        try:
            g = torch.as_tensor(g)
        except (TypeError, ValueError, RuntimeError) as error:
            raise TypeError(f"{what} is an integer, got {g!r}") from error
        if g.dtype == torch.bool or g.is_floating_point() or g.is_complex():
            raise TypeError(f"{what} is an integer, got {g.dtype} {_plain(g)}")
        return int(g) if g.ndim == 0 else g.to(torch.int64)
    if isinstance(g, bool) or not isinstance(g, int):
        raise TypeError(f"{what} is an integer, got {g!r}")
    return g


def _convert_images(g: Any, degree: int, name: str) -> Tensor:
    """An int64 image array (..., degree) in which each point occurs once."""
    try:
        images = torch.as_tensor(g)
    except (TypeError, ValueError, RuntimeError) as error:
        raise TypeError(f"an element of {name} lists {degree} integers, got {g!r}") from error
    if images.dtype == torch.bool or images.is_floating_point() or images.is_complex():
        raise TypeError(f"an element of {name} lists {degree} integers, got {images.dtype} {_plain(images)}")
    if images.ndim == 0 or images.shape[-1] != degree:
        raise ValueError(f"an element of {name} has {degree} entries, got shape {tuple(images.shape)}")
    images = images.to(torch.int64)
    if bool(((images < 0) | (images >= degree)).any()):
        raise ValueError(f"the entries of an element of {name} are 0 to {degree - 1}, got {_short(images)}")
    seen = torch.zeros_like(images).scatter_(-1, images, 1)
    if not bool(seen.all()):
        missing = int((seen == 0).nonzero()[0][-1])
        raise ValueError(
            f"an element of {name} has each of 0 to {degree - 1} once; {missing} is missing, so another is repeated, "
            f"in {_short(images)}"
        )
    return images


def _short(x: Tensor) -> str:
    """At most the first eight entries, for error messages."""
    flat = x.flatten()
    return str(flat.tolist()) if len(flat) <= 8 else str(flat[:8].tolist())[:-1] + ", …]"


def _real_matrix(g: Any, n: int, what: str) -> Tensor:
    try:
        matrix = torch.as_tensor(g)
        if not matrix.is_complex():
            # Once more from the start: out of a list of Python's floats torch makes float32, rounded to seven digits.
            matrix = torch.as_tensor(g, dtype=torch.float64)
    except (TypeError, ValueError, RuntimeError) as error:
        raise TypeError(f"{what} is a {n}×{n} matrix, got {g!r}") from error
    if matrix.is_complex():
        raise TypeError(f"{what} is a real matrix, got {matrix.dtype}; write a complex number as a 2×2 real block")
    if matrix.ndim < 2 or matrix.shape[-2:] != (n, n):
        hint = ": is the list around the matrices missing?" if matrix.shape == (n,) else ""
        raise ValueError(f"{what} is a {n}×{n} matrix, got shape {tuple(matrix.shape)}{hint}")
    if not bool(torch.isfinite(matrix).all()):
        raise ValueError(f"{what} contains NaN or infinity")
    return matrix


def _inverse_images(g: Tensor) -> Tensor:
    places = torch.arange(g.shape[-1], device=g.device).expand_as(g)
    return torch.empty_like(g).scatter_(-1, g, places)


def _random_images(degree: int, source: torch.Generator, size: int | None) -> Tensor:
    shape = (degree,) if size is None else (size, degree)
    return torch.rand(shape, dtype=torch.float64, generator=source).argsort(-1)


def _random_integers(n: int, generator: int | torch.Generator, size: int | None) -> Any:
    drawn = torch.randint(n, () if size is None else (size,), generator=as_generator(generator))
    return int(drawn) if size is None else drawn


def _parity(g: Tensor) -> Tensor:
    """The sign of each permutation of a batch: (−1) to the power of (points − cycles)."""
    # Pointer doubling: after t rounds `least` is the least point among 2^t successors, in the end the cycle's least.
    least = torch.arange(g.shape[-1]).expand_as(g)
    step = g
    for _ in range(max(1, g.shape[-1].bit_length())):
        least = torch.minimum(least, torch.take_along_dim(least, step, -1))
        step = torch.take_along_dim(step, step, -1)
    cycles = (least == torch.arange(g.shape[-1])).sum(-1)
    return 1 - 2 * ((g.shape[-1] - cycles) % 2)


def _word_of_images(images: list[int]) -> Word:
    """A permutation as a word in the swap (0 1) and the cycle c: i → i+1, by bubble sort.

    Bubble sort multiplies on the right by neighbour swaps; the swap of j and j+1 is c^j (0 1) c^-j.
    """
    images = list(images)
    swaps = []
    for end in range(len(images) - 1, 0, -1):
        for j in range(end):
            if images[j] > images[j + 1]:
                images[j], images[j + 1] = images[j + 1], images[j]
                swaps.append(j)
    word: Word = []
    for j in reversed(swaps):
        word += [(0, 1)] if j == 0 else [(1, j), (0, 1), (1, -j)]
    return word


def _plane_rotations(n: int) -> list[Tensor]:
    """A basis of so(n): for each pair i < j the infinitesimal rotation from axis i towards axis j."""
    basis = []
    for i, j in itertools.combinations(range(n), 2):
        A = torch.zeros(n, n, dtype=torch.float64)
        A[j, i], A[i, j] = 1.0, -1.0
        basis.append(A)
    return basis
