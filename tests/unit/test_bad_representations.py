"""What is no representation is refused by every function that takes one, and the message says what is wrong with it.

Generators alone do not show it: a map may be right on them and wrong on their products.
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from eqcourse import decompose, intertwiner_dimension, intertwiners
from eqcourse.groups import SO, CyclicGroup, SymmetricGroup
from eqcourse.nn import EquivariantLinear, Invariants, Order, SteerableConv, TensorProduct
from eqcourse.representations import (
    DirectSum,
    MatrixRepresentation,
    Representation,
    SignedPermutationRepresentation,
    check_homomorphism,
    require_representation,
)
from eqcourse.solvers import (
    character,
    character_inner_product,
    constraint_matrix,
    frobenius_schur,
    multiplicity,
    null_space_spectrum,
)

C4, S3 = CyclicGroup(4), SymmetricGroup(3)


def like(t: Any) -> Tensor:
    """Ones of shape (*batch, 1, 1) for elements t of C_4."""
    return torch.ones(*torch.as_tensor(t).shape, 1, 1, dtype=torch.float64)


def signs_of_powers(t: Any) -> Tensor:
    """−1 for the generator alone."""
    return like(t) - 2 * (torch.as_tensor(t)[..., None, None] == 1)


WRONG: dict[str, tuple[Callable[[], Representation], type[Exception], str]] = {
    "right on the generator, not on its powers": (
        lambda: MatrixRepresentation(C4, 1, signs_of_powers),
        ValueError,
        r"not a representation of C_4: ρ\(g\)ρ\(s\) differs from ρ\(gs\) at g = 2, s = 1",
    ),
    "comes back after nine steps": (
        lambda: MatrixRepresentation(C4, 2, CyclicGroup(9).defining().matrix),
        ValueError,
        r"ρ\(g\)ρ\(s\) differs from ρ\(gs\) at g = 3, s = 1$",
    ),
    "in the wrong order": (
        lambda: MatrixRepresentation(S3, 3, lambda g: S3.defining().matrix(g).mT),
        ValueError,
        r"at g = \[0, 2, 1\], s = \[1, 0, 2\]",
    ),
    "in the wrong order, as images": (
        lambda: SignedPermutationRepresentation(S3, (3,), S3.inverse),
        ValueError,
        r"at g = \[0, 2, 1\], s = \[1, 0, 2\]",
    ),
    "not 1 at the identity": (
        lambda: MatrixRepresentation(C4, 1, lambda t: 0 * like(t)),
        ValueError,
        r"ρ\(identity\) differs from the identity",
    ),
    "an algebra that turns too fast": (
        lambda: MatrixRepresentation(SO(2), 2, lambda g: g, lambda A: 2 * A),
        ValueError,
        r"ρ\(exp\(A\)\) differs from exp\(dρ\(A\)\) at A = \[\[0.0, -1.0\], \[1.0, 0.0\]\]",
    ),
    "wrong brackets": (
        lambda: MatrixRepresentation(SO(3), 3, lambda g: g, lambda A: A.mT),
        ValueError,
        r"dρ\(\[A, B\]\) differs from \[dρ\(A\), dρ\(B\)\] at A = .*, B = ",
    ),
    "no algebra": (
        lambda: MatrixRepresentation(SO(2), 2, lambda g: g),
        ValueError,
        "without the matrices of its Lie algebra: give MatrixRepresentation also a function lie_matrix_of",
    ),
    "float32": (
        lambda: MatrixRepresentation(CyclicGroup(3), 2, lambda t: CyclicGroup(3).defining().matrix(t).float()),
        ValueError,
        "at g = 1, s = 1 by 6e-08. Are its matrices accurate to float64",
    ),
    "complex": (
        lambda: MatrixRepresentation(C4, 1, lambda t: 1j ** torch.as_tensor(t)[..., None, None]),
        TypeError,
        r"for g = 0 a complex matrix, a tensor of torch.complex64: .* the real 2×2 block \[\[a, −b\], \[b, a\]\]",
    ),
    "integers": (
        lambda: MatrixRepresentation(C4, 1, lambda t: like(t).long()),
        TypeError,
        "a tensor of torch.int64, expected a float64 tensor",
    ),
    "numpy": (
        lambda: MatrixRepresentation(C4, 1, lambda t: like(t).numpy()),  # type: ignore[arg-type,return-value]
        TypeError,
        "a value of type ndarray, expected a float64 tensor",
    ),
    "nothing": (lambda: MatrixRepresentation(C4, 1, lambda t: None), TypeError, "a value of type NoneType"),  # type: ignore[arg-type,return-value]
    "NaN": (
        lambda: MatrixRepresentation(C4, 1, lambda t: math.nan * like(t)),
        ValueError,
        "for g = 0 a matrix with NaN or infinity",
    ),
    "infinity": (
        lambda: MatrixRepresentation(C4, 1, lambda t: like(t) / (torch.as_tensor(t)[..., None, None] != 1)),
        ValueError,
        "for g = 1 a matrix with NaN or infinity",
    ),
    "another size": (
        lambda: MatrixRepresentation(C4, 2, like),
        ValueError,
        r"for g = 0 a matrix of shape \(1, 1\), expected \(2, 2\)",
    ),
    "images of floats": (
        lambda: SignedPermutationRepresentation(C4, (4,), lambda t: torch.arange(4.0)),
        TypeError,
        r"for g = 0 a tensor of torch.float32 and shape \(4,\), expected int64 of shape \(4,\)",
    ),
    "a list of images": (
        lambda: SignedPermutationRepresentation(C4, (2,), lambda t: [0, 1]),  # type: ignore[arg-type,return-value]
        TypeError,
        "a value of type list, expected int64",
    ),
    "images that repeat": (
        lambda: SignedPermutationRepresentation(C4, (4,), lambda t: torch.zeros(4, dtype=torch.int64)),
        ValueError,
        "for g = 0 no signed permutation of its 4 entries: .* 1 is missing",
    ),
    "images out of range": (
        lambda: SignedPermutationRepresentation(C4, (2,), lambda t: torch.tensor([0, 7])),
        ValueError,
        "no signed permutation of its 2 entries: .* are 0 to 1",
    ),
    "signs of 2": (
        lambda: SignedPermutationRepresentation(C4, (1,), lambda t: torch.tensor([0]), lambda t: torch.tensor([2])),
        ValueError,
        r"no signed permutation of its 1 entries: the signs .* are \+1 or -1",
    ),
}

TAKES_ONE: dict[str, Callable[[Any], Any]] = {
    "auto": lambda rho: intertwiners(one_of(rho), rho),
    "orbits": lambda rho: intertwiners(one_of(rho), rho, method="orbits"),
    "nullspace": lambda rho: intertwiners(rho, one_of(rho), method="nullspace"),
    "irreps": lambda rho: intertwiners(rho, rho, method="irreps"),
    "dimension": lambda rho: intertwiner_dimension(one_of(rho), rho),
    "decompose": decompose,
    "character": lambda rho: character(rho, one_of(rho).group.identity),
    "inner product": lambda rho: character_inner_product(one_of(rho), rho),
    "multiplicity": lambda rho: multiplicity(one_of(rho), rho),
    "Frobenius–Schur": frobenius_schur,
    "constraints": lambda rho: constraint_matrix(one_of(rho), rho),
    "spectrum": lambda rho: null_space_spectrum(rho, one_of(rho)),
    "EquivariantLinear": lambda rho: EquivariantLinear(one_of(rho), rho),
    "Invariants": Invariants,
    "TensorProduct": lambda rho: TensorProduct(rho, rho, one_of(rho)),
    "check": check_homomorphism,
}


def one_of(rho: Any) -> Representation:
    return rho.group.trivial() if isinstance(rho, Representation) else C4.trivial()


@pytest.mark.parametrize("name", WRONG)
@pytest.mark.parametrize("how", TAKES_ONE)
def test_wrong_values_are_found(name: str, how: str) -> None:
    make, kind, message = WRONG[name]
    with pytest.raises(kind, match=message):
        TAKES_ONE[how](make())


@pytest.mark.parametrize("name", [name for name in WRONG if name[:3] in ("com", "rig", "NaN", "an ")])
def test_wrong_values_are_found_in_sums_products_and_kernels(name: str) -> None:
    make, kind, message = WRONG[name]
    rho = make()
    one = one_of(rho)
    for built in (rho + one, one * rho, rho.flatten() * rho, 2 * rho):
        with pytest.raises(kind, match=message):
            intertwiners(one, built)
    with pytest.raises(kind, match=message):
        SteerableConv(one, rho, 1, 1, kernel_size=5)


NOT_ONE = {"text": "ab", "None": None, "number": 3, "class": SymmetricGroup, "matrix": torch.eye(3), "family": Order(1)}


@pytest.mark.parametrize("name", NOT_ONE)
@pytest.mark.parametrize("how", [how for how in TAKES_ONE if how != "check"])
def test_other_things_are_refused(name: str, how: str) -> None:
    with pytest.raises(
        TypeError, match=r"takes a representation|is a representation, such as SO\(3\).defining\(\), got"
    ):
        TAKES_ONE[how](NOT_ONE[name])


def test_a_group_is_told_what_to_write() -> None:
    with pytest.raises(TypeError, match=r"rho_out is a representation.*got CyclicGroup: .* such as C_4.defining\(\)"):
        intertwiners(C4.trivial(), C4)
    with pytest.raises(TypeError, match=r"a term or factor is a representation.*got CyclicGroup"):
        DirectSum([C4.trivial(), C4])  # type: ignore[list-item]


def test_what_is_right_is_checked_once() -> None:
    asked = []

    def matrix_of(g: Tensor) -> Tensor:
        asked.append(g)
        return g

    rho = MatrixRepresentation(SO(3), 3, matrix_of, lambda A: A)
    assert not rho.is_checked
    assert intertwiners(rho, rho).dim == 1
    first = len(asked)
    assert rho.is_checked
    assert rho.dual.is_checked
    assert intertwiners(rho, rho).dim == 1
    assert len(asked) - first < first / 2
    # What the library builds, and what from_generators has checked, is known.
    for known in (C4.regular(), C4.irrep(1), SO(3).irrep(2), S3.sign(), S3.on_subsets(2), SO(3).defining().dual):
        assert known.is_checked
    require_representation(C4.regular() * C4.irrep(1) + C4.trivial())


def test_batches_are_asked_for_where_they_are_needed() -> None:
    """The null space asks for single elements, averaging for batches."""

    def of_one(t: Any) -> Tensor:
        return {0: like(0), 1: -like(0), 2: like(0), 3: -like(0)}[t]

    def of_any_as_one(t: Any) -> Tensor:
        return like(0)

    rho = MatrixRepresentation(C4, 1, of_one)
    assert intertwiners(rho, rho).dim == intertwiner_dimension(rho, rho) == 1
    with pytest.raises(TypeError, match=r"matrix_of of R¹ of C_4 fails for a batch of elements of shape \(\d+,\)"):
        decompose(rho + rho)
    with pytest.raises(
        ValueError, match=r"a batch of shape \(\d+,\), a matrix of shape \(1, 1\), expected \(\d+, 1, 1\)"
    ):
        decompose(MatrixRepresentation(C4, 1, of_any_as_one))


@pytest.mark.parametrize(
    ("make", "kind", "message"),
    [
        (lambda: MatrixRepresentation(C4, 0, like), ValueError, "dim is a positive integer, got 0"),
        (lambda: MatrixRepresentation(C4, -1, like), ValueError, "dim is a positive integer, got -1"),
        (lambda: MatrixRepresentation(C4, 2.0, like), TypeError, "dim is a positive integer, got 2.0"),  # type: ignore[arg-type]
        (lambda: MatrixRepresentation(C4, 1, torch.eye(1)), TypeError, "a function matrix_of .* got Tensor"),  # type: ignore[arg-type]
        (lambda: MatrixRepresentation(4, 1, like), TypeError, r"takes a group, such as CyclicGroup\(4\), got int"),  # type: ignore[arg-type]
        (
            lambda: SignedPermutationRepresentation(C4, 4, C4.regular().signed_permutation),  # type: ignore[arg-type]
            TypeError,
            r"axes is a tuple of lengths, such as \(4,\) or \(3, 3\), got 4",
        ),
        (
            lambda: SignedPermutationRepresentation(C4, (0,), lambda t: torch.arange(0)),
            ValueError,
            "each of the axes is a positive integer, got 0",
        ),
    ],
)
def test_constructors(make: Callable[[], Any], kind: type[Exception], message: str) -> None:
    with pytest.raises(kind, match=message):
        make()


def test_numpys_integers_are_integers() -> None:
    three = np.int64(3)
    V = S3.defining()
    assert V**three == V**3
    assert S3.trivial(three) == S3.trivial(3)
    assert MatrixRepresentation(C4, np.int64(1), like).dim == 1
    assert C4.on_grid(three, three) == C4.on_grid(3, 3)
    assert C4.irrep(np.int64(1)) == C4.irrep(1)
