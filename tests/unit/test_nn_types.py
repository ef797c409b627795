"""Types of layers: families at given sizes, which representations they contain, and which types fit each other."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import pytest

from eqcourse.groups import SO, CyclicGroup, DihedralGroup, DirectProduct, PermutationGroup, SymmetricGroup
from eqcourse.nn.types import Family, Grid, Order, Table, num_axes, same_type
from eqcourse.representations import Representation, from_generators, outer

S3, S4, S5 = SymmetricGroup(3), SymmetricGroup(4), SymmetricGroup(5)
V3, V4, V5 = S3.defining(), S4.defining(), S5.defining()
C4, C6 = CyclicGroup(4).regular(), CyclicGroup(6).regular()
# Two permutations that generate S_4, in another shape of group.
OTHER_S4 = PermutationGroup([[1, 2, 3, 0], [1, 0, 2, 3]])

FAMILIES: list[Family] = [Order(0), Order(1), Order(2), Order(3), Table(1), Table(2), Table(3), Grid(1), Grid(2)]
# A representation, and the only families that contain it.
MEMBERS: list[tuple[Representation, list[Family]]] = [
    (V5**0, [Order(0)]),
    (V4, [Order(1), Table(1)]),
    (V5 * V5, [Order(2)]),
    (V4**3, [Order(3)]),
    (outer(V3, V4), [Table(2)]),
    (outer(V4, V4), [Table(2)]),
    (outer(V3, V4, V5), [Table(3)]),
    (C6, [Grid(1)]),
    (outer(C4, C6), [Grid(2)]),
    (SymmetricGroup(1).defining(), [Order(1), Table(1)]),
    (SymmetricGroup(1).defining() ** 3, [Order(3)]),
    # What one might take for a member, and is none.
    ((V5 * V5).flatten(), []),
    ((V4**3).flatten(), []),
    (outer(V3, V4).flatten(), []),
    (outer(C4, C6).flatten(), []),
    (V4 + V4, []),
    (2 * V4, []),
    (V4 * S4.sign(), []),
    (S4.sign(), []),
    (S4.trivial(), []),
    (S4.trivial(4), []),
    (S4.on_subsets(2), []),
    (S4.regular(), []),
    (S4.on_subsets(3), []),  # the same dimension, and numbered otherwise
    (OTHER_S4.defining(), []),
    (DirectProduct(S3, S4).pullback(0, V3), []),
    (outer(outer(V3, V4), V5), []),  # its group is (S_3 × S_4) × S_5, whose elements are pairs
    (outer(V3 * V3, V4), []),
    (outer(V3, C4), []),
    (outer(V4 * S4.sign(), V3), []),
    (DihedralGroup(6).on_vertices(), []),
    (CyclicGroup(6).defining(), []),
    (CyclicGroup(6).trivial(6), []),
    (CyclicGroup(6).regular() ** 2, []),
    (CyclicGroup(4).on_grid(2, 2), []),
    (SO(3).defining(), []),
]


@pytest.mark.parametrize(
    ("family", "sizes", "expected"),
    [
        (Order(0), (5,), V5**0),
        (Order(1), (5,), V5),
        (Order(2), (5,), V5 * V5),
        (Order(3), (4,), V4**3),
        (Table(1), (5,), V5),
        (Table(2), (3, 4), outer(V3, V4)),
        (Table(3), (3, 4, 5), outer(V3, V4, V5)),
        (Grid(1), (6,), C6),
        (Grid(2), (4, 6), outer(C4, C6)),
    ],
)
def test_at(family: Family, sizes: tuple[int, ...], expected: Representation) -> None:
    rho = family.at(*sizes)
    assert rho == expected
    assert len(rho.axes) == family.num_axes == num_axes(family) == num_axes(rho)
    assert family.contains(rho)


def test_tables_and_orders_have_different_groups() -> None:
    """Two independent permutations of 4 × 4, or one of both axes."""
    assert Table(2).at(4, 4).axes == Order(2).at(4).axes
    assert Table(2).at(4, 4) != Order(2).at(4)
    assert not same_type(Table(2), Order(2))


@pytest.mark.parametrize(("rho", "families"), MEMBERS, ids=[str(rho) for rho, _ in MEMBERS])
def test_contains(rho: Representation, families: list[Family]) -> None:
    assert [family for family in FAMILIES if family.contains(rho)] == families


@pytest.mark.parametrize(("rho", "families"), MEMBERS, ids=[str(rho) for rho, _ in MEMBERS])
def test_a_representation_fits_the_families_that_contain_it(rho: Representation, families: list[Family]) -> None:
    for family in FAMILIES:
        assert same_type(rho, family) == same_type(family, rho) == (family in families)
    assert same_type(rho, rho)


def test_representations_fit_if_they_are_equal() -> None:
    """Not by name or construction: by what they do."""
    built = from_generators(S4, indices=[V4.signed_permutation(g)[0] for g in S4.generators])
    assert same_type(built, V4)
    assert same_type(built, Order(1))
    assert not same_type(V4, V5)
    assert not same_type(V4 * V4, (V4 * V4).flatten())
    assert not same_type(V4, OTHER_S4.defining())


def test_families_fit_if_they_are_equal() -> None:
    """One permuted axis is a table and an order; nothing else is both."""
    for one in FAMILIES:
        for other in FAMILIES:
            alike = one == other or {one, other} == {Order(1), Table(1)}
            assert same_type(one, other) == alike


def test_families_compare_by_value() -> None:
    assert Order(2) == Order(2) != Order(3)
    assert hash(Table(2)) == hash(Table(2))
    assert Order(1) != Table(1)
    assert Order(1) != Grid(1)
    assert len(set(FAMILIES)) == len(FAMILIES)
    for family in FAMILIES:
        assert pickle.loads(pickle.dumps(family)) == copy.deepcopy(family) == family


def test_families_do_not_change() -> None:
    with pytest.raises(AttributeError):
        Order(2).k = 3  # type: ignore[misc]


def test_how_families_print() -> None:
    assert [str(f) for f in (Order(2), Table(3), Grid(1))] == ["Order(k=2)", "Table(m=3)", "Grid(d=1)"]


@pytest.mark.parametrize(
    ("family", "sizes", "expected"),
    [
        (Order(2), (), 1),
        (Order(2), (4, 4), 1),
        (Order(0), (), 1),
        (Table(2), (4,), 2),
        (Table(2), (4, 4, 4), 2),
        (Grid(1), (), 1),
        (Grid(2), (4,), 2),
    ],
)
def test_wrong_numbers_of_sizes(family: Family, sizes: tuple[int, ...], expected: int) -> None:
    with pytest.raises(ValueError, match=rf"takes {expected} size\(s\), got \("):
        family.at(*sizes)


@pytest.mark.parametrize("family", [Order(1), Order(2), Table(1), Grid(1)])
@pytest.mark.parametrize("size", [0, -2, 1.5, True])
def test_wrong_sizes(family: Family, size: Any) -> None:
    with pytest.raises((TypeError, ValueError), match=f"got {size}"):
        family.at(size)


@pytest.mark.parametrize("number", [-1, 1.0, True, "2", None])
def test_wrong_families(number: Any) -> None:
    for family, text in ((Order, "order of a tensor"), (Table, "table's axes"), (Grid, "grid's axes")):
        with pytest.raises(ValueError, match=f"{text} is an integer of at least [01], got {number!r}"):
            family(number)
    for family in (Table, Grid):
        with pytest.raises(ValueError, match="at least 1, got 0"):
            family(0)


def test_num_axes() -> None:
    assert [num_axes(family) for family in FAMILIES] == [0, 1, 2, 3, 1, 2, 3, 1, 2]
    assert num_axes((V4**3).flatten()) == 1
    assert num_axes(S4.trivial()) == 1
