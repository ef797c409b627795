"""Lesson and sheet 16: continuous groups."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from ..checks import FunctionTask, Malformed, Misconception, ValueTask, Verdict, Wrong, plain, show
from ..solvers.nullspace import echelon_basis
from .common import CLOSE, accept_yes_no, same_word, yes_if

Matrix = list[list[float]]

J = [[0, -1], [1, 0]]
MIRROR = [[-1, 0], [0, 1]]
BOOST = [[0, 1], [1, 0]]
SHEAR = [[0, 1], [0, 0]]
SHEAR_BY_1 = [[1, 1], [0, 1]]
# The Lie algebra of SO(3): from x to y, from x to z, from y to z.
TURNS = [
    [[0, -1, 0], [1, 0, 0], [0, 0, 0]],
    [[0, 0, -1], [0, 0, 0], [1, 0, 0]],
    [[0, 0, 0], [0, 0, -1], [0, 1, 0]],
]
MIRROR_3 = [[-1, 0, 0], [0, 1, 0], [0, 0, 1]]


def _tensor(x: Any) -> Tensor:
    return torch.as_tensor(x, dtype=torch.float64)


def _eye(n: int) -> Tensor:
    return torch.eye(n, dtype=torch.float64)


def _kron(A: Tensor, B: Tensor) -> Tensor:
    return torch.kron(A.contiguous(), B.contiguous())


def _exact(value: Any) -> str:
    """As ``show``, with tiny numbers as they are instead of 0."""
    if isinstance(value, list):
        text = "[" + ", ".join(map(_exact, value)) + "]"
        return text if len(text) <= 160 else text[:157] + "…"
    return f"{value + 0.0:.6g}" if isinstance(value, float) else show(value)


def _apart(a: float, b: float) -> tuple[str, str]:
    """Two different numbers with so many digits, four at least, that one sees the difference."""
    for digits in range(4, 18):
        texts = f"{a:.{digits}g}", f"{b:.{digits}g}"
        if texts[0] != texts[1]:
            break
    return texts


def _number(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"


KRON_OF_A_VIEW = "torch.kron takes a transposed matrix as A.T.contiguous()."


@dataclass(frozen=True)
class HintedTask(FunctionTask):
    """A function whose arguments may be tiny or empty: all digits are shown, and an error comes with ``hint(*args)``."""

    hint: Callable[..., str] = lambda *args: ""

    def _ask(self, answer: Callable[..., Any], args: tuple[Any, ...]) -> Any:
        got = super()._ask(answer, args)
        if isinstance(got, Verdict) and got.status == "error":
            hint = KRON_OF_A_VIEW if "view size is not compatible" in got.message else self.hint(*args)
            return replace(got, message=f"{got.message}\n{hint}".rstrip())
        return got

    def _call(self, args: tuple[Any, ...]) -> str:
        return f"{self.name}({', '.join(map(_exact, args))})"


def _rows_of(got: Any, columns: int, what: str) -> Tensor:
    """A list of rows of finite numbers as a matrix; raises ``Malformed``."""
    try:
        rows = torch.as_tensor(got, dtype=torch.float64)
    except (TypeError, ValueError, RuntimeError):
        rows = torch.tensor(math.nan)
    if isinstance(got, list) and not got:
        return rows.new_zeros(0, columns)
    if rows.ndim != 2 or not bool(rows.isfinite().all()):
        raise Malformed(f"{what} gave {show(got)}; expected a list of lists with {_number(columns, 'number')} each")
    return rows


def _rank(rows: Tensor) -> int:
    """The dimension of the span of some rows, however large each is."""
    sizes = rows.norm(dim=1)
    largest = sizes.max().item() if len(rows) else 0.0
    if not largest:
        return 0
    kept = sizes > CLOSE * largest
    return int(torch.linalg.matrix_rank(rows[kept] / sizes[kept, None], rtol=CLOSE))


def _same_span(a: Any, b: Any) -> bool:
    """Whether two lists of vectors span the same space; words are compared as words."""
    if isinstance(a, str) or isinstance(b, str):
        return isinstance(a, str) and isinstance(b, str) and a.strip().lower() == b.strip().lower()
    try:
        one, other = (torch.as_tensor(x, dtype=torch.float64) for x in (a, b))
    except (TypeError, ValueError, RuntimeError):
        return False
    if not (one.isfinite().all() and other.isfinite().all()):
        return False
    if not one.numel() or not other.numel():
        return one.numel() == other.numel() and isinstance(a, list) and isinstance(b, list)
    if one.ndim != 2 or other.ndim != 2 or one.shape[1] != other.shape[1]:
        return False
    return _rank(one) == _rank(other) == _rank(torch.cat([one, other]))


def _null_rows(C: Tensor) -> Tensor:
    """A tidy basis of the null space, for messages."""
    if not len(C):
        return _eye(C.shape[1])
    _, values, vectors = torch.linalg.svd(C)
    values = torch.nn.functional.pad(values, (0, C.shape[1] - len(values)))
    return echelon_basis(vectors[values <= 1e-9 * max(values.max().item(), 1e-300)])


# ---- in the lesson: the exponential, and the product rule --------------------------------------------------------------


def exponential(A: Matrix) -> Any:
    return torch.matrix_exp(_tensor(A))


def _series(next_term: Callable[[Tensor, Tensor, int], Tensor]) -> Callable[[Matrix], Any]:
    def answer(A: Matrix) -> Any:
        M = _tensor(A)
        total = term = _eye(len(M))
        for k in range(1, 30):
            term = next_term(term, M, k)
            total = total + term
        return total

    return answer


def _exponential_cases(hidden: bool) -> list[tuple[Any, ...]]:
    if hidden:
        return [
            ([[0, 2], [0, 0]],),
            ([[0.5, 0], [0.3, -0.2]],),
            ([[0, 1, 0.5], [0, 0, 2], [0, 0, 0]],),
        ]
    return [(SHEAR,), ([[1, 0], [0, 2]],), ([[0, -0.7], [0.7, 0]],), (BOOST,), ([[0, 1, 0], [0, 0, 1], [0, 0, 0]],)]


def lie_of_product(A: Matrix, B: Matrix) -> Any:
    return _product_rule(_tensor(A), _tensor(B))


def _product_rule(A: Tensor, B: Tensor) -> Tensor:
    return _kron(A, _eye(len(B))) + _kron(_eye(len(A)), B)


def _exchanged(A: Tensor, B: Tensor) -> Tensor:
    return _kron(_eye(len(B)), A) + _kron(B, _eye(len(A)))


def _on_first(A: Tensor, B: Tensor) -> Tensor:
    return _kron(A, _eye(len(B)))


def _from_lists(rule: Callable[[Tensor, Tensor], Tensor]) -> Callable[[Matrix, Matrix], Any]:
    return lambda A, B: rule(_tensor(A), _tensor(B))


def _product_cases(hidden: bool) -> list[tuple[Any, ...]]:
    if hidden:
        return [([[1, 2], [0, 5]], [[3, 0], [7, 1]]), (TURNS[0], [[2, 1], [4, 0]])]
    return [([[3]], [[5]]), (J, J), ([[1, 2], [3, 4]], [[10, 20], [30, 40]]), (J, TURNS[1])]


# ---- task 1: the constraint matrix -------------------------------------------------------------------------------------


Pairs = list[list[Matrix]]


def constraint(pairs: Pairs) -> Any:
    """The matrix of A W = W B for all pairs, on W row by row."""
    return torch.cat([_block(_tensor(A), _tensor(B)) for A, B in pairs])


def _block(A: Tensor, B: Tensor) -> Tensor:
    return _kron(A, _eye(len(B))) - _kron(_eye(len(A)), B.T)


def _stacked(block: Callable[[Tensor, Tensor], Tensor]) -> Callable[[Pairs], Any]:
    return lambda pairs: torch.cat([block(_tensor(A), _tensor(B)) for A, B in pairs])


def _by_columns(A: Tensor, B: Tensor) -> Tensor:
    return _kron(_eye(len(B)), A) - _kron(B.T, _eye(len(A)))


def _not_transposed(A: Tensor, B: Tensor) -> Tensor:
    return _kron(A, _eye(len(B))) - _kron(_eye(len(A)), B)


def _plus(A: Tensor, B: Tensor) -> Tensor:
    return _kron(A, _eye(len(B))) + _kron(_eye(len(A)), B.T)


def _swapped(pairs: Pairs) -> Any:
    return constraint([[B, A] for A, B in pairs])


def _added_up(pairs: Pairs) -> Any:
    return sum(_block(_tensor(A), _tensor(B)) for A, B in pairs)


def _constraint_cases(hidden: bool) -> list[tuple[Any, ...]]:
    one = [[0]]
    if hidden:
        return [
            ([[[[2, 0], [5, 1]], [[1]]]],),
            ([[[[1, 2], [0, 3]], [[3, 0], [4, 1]]]],),
            ([[J, J], [[[0, 1], [1, 0]], [[0, 1], [1, 0]]]],),
            ([[A, A] for A in TURNS],),
            ([[J, TURNS[2]], [MIRROR, [[1, 0, 0], [0, -1, 0], [0, 0, 1]]]],),
        ]
    return [
        ([[[[1, 2], [0, 3]], [[1]]]],),
        ([[J, J]],),
        ([[SHEAR, SHEAR]],),
        ([[J, J], [MIRROR, MIRROR]],),
        ([[J, TURNS[0]]],),
        ([[A, one] for A in TURNS],),
        ([[[[1, 0], [0, 2]], [[2, 0, 0], [5, 1, 0], [0, 0, 3]]]],),
    ]


def _accept_constraint(args: tuple[Any, ...], got: Any, expected: Any) -> None:
    (pairs,) = args
    n, m = len(pairs[0][0]), len(pairs[0][1])
    call = f"constraint({show(pairs)})"
    rows = _rows_of(got, n * m, call)
    if rows.shape[1] != n * m:
        raise Malformed(f"{call}: each row has {rows.shape[1]} numbers, and W has {n}·{m} = {n * m} entries")
    right = _tensor(expected)
    if _same_span(rows.tolist(), right.tolist()):
        return
    for w in _null_rows(right) if len(rows) else ():
        if (rows @ w).abs().max() > CLOSE * max(1.0, rows.abs().max().item()):
            raise Wrong(
                f"{call}\n  W = {show(w.reshape(n, m))} solves A W = W B for every pair, but your C vec(W) is not zero."
            )
    for w in _null_rows(rows):
        W = w.reshape(n, m)
        for number, (A, B) in enumerate(pairs):
            if (_tensor(A) @ W - W @ _tensor(B)).abs().max() > CLOSE:
                raise Wrong(f"{call}\n  C vec(W) = 0 for W = {show(W)}, but pair {number} gives A W ≠ W B.")
    raise Wrong(f"{call}: the null space of your C is not the space of solutions")


# ---- task 2: the null space, by singular values ------------------------------------------------------------------------

ZERO, NONZERO = 1e-9, 1e-5


def null_space(C: Matrix) -> Any:
    """Independent vectors that span the null space, or "in doubt"."""
    return _null_space(C)


def _null_space(
    C: Matrix, zero: float = ZERO, nonzero: float = NONZERO, relative: bool = True, short: bool = False
) -> Any:
    M = _tensor(C)
    _, values, vectors = torch.linalg.svd(M)
    sizes = values / (values.max() or 1.0) if relative else values
    if not short:
        sizes = torch.nn.functional.pad(sizes, (0, M.shape[1] - len(sizes)))
    if bool(((sizes >= zero) & (sizes < nonzero)).any()):
        return "in doubt"
    return vectors[: len(sizes)][sizes < zero].tolist()


def _left_vectors(C: Matrix) -> Any:
    return _null_space(_tensor(C).T.tolist())


def _columns(C: Matrix) -> Any:
    """The columns of Vᵀ in place of its rows."""
    right = _null_space(C)
    if isinstance(right, str) or not right:
        return right
    return torch.linalg.svd(_tensor(C))[2][:, -len(right) :].T.tolist()


def _null_hint(C: Matrix) -> str:
    if not any(map(any, C)):
        return "Here C is zero: its largest singular value is 0."
    if len(C) < len(C[0]):
        return f"Here C is {len(C)} × {len(C[0])}: it has {_number(len(C), 'singular value')}, and Vᵀ has {len(C[0])} rows."
    return ""


def _null_cases(hidden: bool) -> list[tuple[Any, ...]]:
    if hidden:
        return [
            ([[0, 0], [0, 0]],),
            ([[2, -1], [4, -2]],),
            ([[1, 1, 0, 0], [0, 0, 1, -2]],),
            ([[1e-11, 2e-11], [3e-11, 4e-11]],),
            ([[1, 0], [0, 2e-8], [0, 0]],),
            ([[5, 0, 0], [0, 1e-11, 0], [0, 0, 1]],),
            ([[0, 0], [0, 0], [0, 0]],),
            ([[1e6, 0], [0, 5e-2]],),
            ([[1, 0], [0, 5e-9]],),
            ([[1, 0], [0, 4e-5]],),
        ]
    return [
        ([[1, 2], [3, 6]],),
        ([[1, 0], [0, 2]],),
        ([[1, 2, 3]],),
        ([[1, 2, 3], [4, 5, 6], [7, 8, 9]],),
        ([[0, 1], [0, 2], [0, 3]],),
        ([[0, 1e-12], [0, 3e-12]],),
        ([[1, 0], [0, 1e-7]],),
        ([[1, 0, 0], [0, 3, 0], [0, 0, 1e-12]],),
        ([[0, 0, 0]],),
        ([[1, 0], [0, 1e-10]],),
        ([[1, 0], [0, 5e-6]],),
        ([[1, 0], [0, 2e-5]],),
    ]


def _accept_null(args: tuple[Any, ...], got: Any, expected: Any) -> None:
    (C,) = args
    call = f"null_space({_exact(C)})"
    if isinstance(got, str) or isinstance(expected, str):
        if not _same_span(got, expected):
            counted = _number(len(got), "vector") if isinstance(got, list) else show(got)
            wanted = '"in doubt"' if isinstance(expected, str) else _number(len(expected), "vector")
            lifted = " (Rounding in float32, or squaring as in CᵀC, can lift a zero into the band.)"
            doubt = got == "in doubt" and isinstance(expected, list)
            raise Wrong(f"{call}\n  gave {counted}, expected {wanted}{lifted if doubt else ''}")
        return
    columns = len(C[0])
    rows = _rows_of(got, columns, call)
    if rows.shape[1] != columns:
        raise Wrong(
            f"{call} gave lists of {_number(rows.shape[1], 'number')}; C has {columns} columns. Each vector is one list."
        )
    size = _tensor(C).abs().max().item() or 1.0
    for row in rows:
        if (_tensor(C) @ row).abs().max() > CLOSE * size * max(row.norm().item(), 1e-300):
            beside = f" beside C's largest entry, {size:.3g}" if size < CLOSE else ""
            raise Wrong(
                f"{call} gave {show(row)}, but C times it is {_exact((_tensor(C) @ row).tolist())}, not zero{beside}"
            )
    if _rank(rows) < len(rows):
        raise Wrong(
            f"{call} gave {_number(len(rows), 'vector')}, not independent: they span {_number(_rank(rows), 'dimension')}"
        )
    if len(rows) != len(expected):
        raise Wrong(f"{call} gave {_number(len(rows), 'vector')}; the null space has dimension {len(expected)}")


# ---- task 3: the algebra of a representation, whose exponential acts as the group ----------------------------------------

Kind = Any
Rule = Callable[[Tensor, Tensor], Tensor]


def lie(A: Matrix, kind: Kind) -> Any:
    """dρ(A) for numbers, vectors, dual vectors, sums and products of them."""
    return _lie(_tensor(A), kind)


def _lie(
    A: Tensor,
    kind: Kind,
    product: Rule = _product_rule,
    dual: Callable[[Tensor], Tensor] = lambda A: -A.T,
    number: float = 0.0,
    vector: Callable[[Tensor], Tensor] = lambda A: A,
) -> Tensor:
    if kind == "1":
        return torch.full((1, 1), number, dtype=torch.float64)
    if kind == "V":
        return vector(A)
    if kind == "V*":
        return dual(A)
    word, *parts = kind
    one, other = (_lie(A, part, product, dual, number, vector) for part in parts)
    return torch.block_diag(one, other) if word == "sum" else product(one, other)


def acts(g: Tensor, kind: Kind) -> Tensor:
    """ρ(g)."""
    if kind == "1":
        return _eye(1)
    if kind == "V":
        return g
    if kind == "V*":
        return torch.linalg.inv(g).T
    word, *parts = kind
    one, other = (acts(g, part) for part in parts)
    return torch.block_diag(one, other) if word == "sum" else _kron(one, other)


def _variant(**rules: Any) -> Callable[[Matrix, Kind], Any]:
    return lambda A, kind: _lie(_tensor(A), kind, **rules)


def _lie_cases(hidden: bool) -> list[tuple[Any, ...]]:
    if hidden:
        return [
            ([[0, 2], [1, 0]], "V*"),
            ([[1, 0], [3, 2]], ["product", "V", "V*"]),
            ([[1, 4], [0, 2]], ["product", ["sum", "V", "1"], "V"]),
            ([[0, 1], [2, 0]], ["sum", "1", ["product", "V", "V"]]),
            ([[1, 2], [0, 3]], ["sum", ["product", "V*", ["sum", "1", "V"]], "V*"]),
        ]
    return [
        ([[1, 2], [0, 3]], "V"),
        ([[1, 2], [0, 3]], "1"),
        ([[1, 2], [0, 3]], "V*"),
        (J, ["sum", "V", "1"]),
        ([[1, 2], [0, 3]], ["product", "V", "V"]),
        (BOOST, ["product", "V*", "V"]),
        ([[1, 2], [0, 3]], ["product", "V", ["sum", "1", "V"]]),
    ]


def _nested_hint(A: Matrix, kind: Kind) -> str:
    if isinstance(kind, list) and any(isinstance(part, list) for part in kind[1:]):
        sizes = [len(_lie(_tensor(A), part)) for part in kind[1:]]
        return f"Here a kind stands in a kind: the two parts act on {sizes[0]} and {sizes[1]} numbers."
    return ""


def _accept_lie(args: tuple[Any, ...], got: Any, expected: Any) -> None:
    A, kind = args
    call = f"lie({show(A)}, {show(kind)})"
    n = len(expected)
    M = _rows_of(got, n, call)
    if tuple(M.shape) != (n, n):
        raise Malformed(f"{call} gave a matrix of shape {tuple(M.shape)}; ρ acts on {n} numbers, so expected {(n, n)}")
    right = _tensor(expected)
    if (M - right).abs().max() <= CLOSE * max(1.0, right.abs().max().item()):
        return
    g = torch.matrix_exp(0.5 * _tensor(A))
    i, j = divmod(int((torch.matrix_exp(0.5 * M) - acts(g, kind)).abs().argmax()), n)
    mine, theirs = _apart(torch.matrix_exp(0.5 * M)[i, j].item(), acts(g, kind)[i, j].item())
    raise Wrong(
        f"{call}\n  gave {show(got)}\n  For g = exp(0.5 A) the exponential of 0.5 times yours has {mine} in row {i}, "
        f"column {j}, and ρ(g) has {theirs}: it does not act as the group."
    )


# ---- task 4: tensors that a group leaves alone ---------------------------------------------------------------------------

Matrices = list[Matrix]


def invariants(algebra: Matrices, generators: Matrices, k: int) -> Any:
    """A basis of the tensors of rank k that the group leaves alone, each as a flat list."""
    return _invariants(algebra, generators, k)


def _power(rule: Rule, A: Tensor, k: int) -> Tensor:
    total = A
    for _ in range(k - 1):
        total = rule(total, A)
    return total


def _equations(
    algebra: Matrices, generators: Matrices, k: int, on_algebra: Rule = _product_rule, like_algebra: bool = False
) -> Tensor:
    n = len((algebra + generators)[0])  # a finite group has no algebra
    rows = [_power(on_algebra, _tensor(A), k) for A in algebra]
    for s in generators:
        rows.append(_power(_product_rule, _tensor(s), k) if like_algebra else _power(_kron, _tensor(s), k) - _eye(n**k))
    return torch.cat(rows)


def _invariants(algebra: Matrices, generators: Matrices, k: int, **rules: Any) -> Any:
    return _null_rows(_equations(algebra, generators, k, **rules)).tolist()


def _one_element(algebra: Matrices, generators: Matrices, k: int) -> Any:
    return _invariants(algebra[:1], generators, k)


def _no_mirrors(algebra: Matrices, generators: Matrices, k: int) -> Any:
    if not algebra:
        return [] if not generators else torch.eye(len(generators[0]) ** k, dtype=torch.float64).tolist()
    return _invariants(algebra, [], k)


def _quarter_turns(algebra: Matrices, generators: Matrices, k: int) -> Any:
    # Rounded, so that a full turn is exactly 1, and what it changes exactly 0.
    quarters = [torch.matrix_exp(torch.pi / 2 * _tensor(A)).round(decimals=12).tolist() for A in algebra]
    return _invariants([], quarters + generators, k)


def _of_gradients(algebra: Matrices, generators: Matrices, k: int) -> Any:
    duals = [torch.linalg.inv(_tensor(s)).T.tolist() for s in generators]
    return _invariants([_tensor(A).T.tolist() for A in algebra], duals, k)


def _sent_to_zero(algebra: Matrices, generators: Matrices, k: int) -> Any:
    n = len((algebra + generators)[0])
    rows = [_power(_product_rule, _tensor(A), k) for A in algebra] + [_power(_kron, _tensor(s), k) for s in generators]
    return _null_rows(torch.cat([*rows, torch.zeros(1, n**k, dtype=torch.float64)])).tolist()


def _invariants_hint(algebra: Matrices, generators: Matrices, k: int) -> str:
    return (
        "" if algebra else "Here the algebra is empty, as for a finite group: all conditions come from the generators."
    )


def _invariant_cases(hidden: bool) -> list[tuple[Any, ...]]:
    if hidden:
        return [
            ([J], [], 1),
            ([[[1, 0], [0, -1]]], [], 2),
            ([J], [MIRROR], 4),
            ([J], [], 4),
            ([[[0, -2], [2, 0]]], [], 4),
            (TURNS, [], 3),
            (TURNS, [], 4),
            ([[[0, 0], [1, 0]]], [], 2),
            ([], [SHEAR_BY_1], 1),
            ([], [[[0, -1], [1, 0]], MIRROR], 4),
            (
                [
                    [[1, 0, 0], [0, 0, 0], [0, 0, 0]],
                    [[0, 0, 0], [0, 1, 0], [0, 0, 0]],
                    [[0, 0, 0], [0, 0, 0], [0, 0, 1]],
                ],
                [],
                1,
            ),
        ]
    return [
        # A shear leaves other vectors alone than its transpose does.
        ([SHEAR], [], 1),
        ([], [MIRROR], 1),
        ([J], [], 2),
        # Maps from vectors to vectors would be other tables here.
        ([BOOST], [], 2),
        ([J], [MIRROR], 2),
        (TURNS, [], 1),
        (TURNS, [], 2),
        ([J], [], 4),
        (TURNS, [], 3),
        (TURNS, [MIRROR_3], 3),
        (TURNS, [], 4),
        # Any multiple of J is a basis of the same algebra, and what turns by 45° for J turns by 360° for 8J.
        ([[[0, -8], [8, 0]]], [], 2),
    ]


def _accept_invariants(args: tuple[Any, ...], got: Any, expected: Any) -> None:
    algebra, generators, k = args
    n = len((algebra + generators)[0])
    call = f"invariants({show(algebra)}, {show(generators)}, {k})"
    rows = _rows_of(got, n**k, call)
    if rows.shape[1] != n**k:
        raise Malformed(f"{call}: a tensor of rank {k} has {n}^{k} = {n**k} numbers, yours have {rows.shape[1]}")
    for number, row in enumerate(rows):
        for what, g in [("exp(0.5 A)", torch.matrix_exp(0.5 * _tensor(A))) for A in algebra] + [
            ("a generator", _tensor(s)) for s in generators
        ]:
            moved = _power(_kron, g, k) @ row
            off = (moved - row).abs().max().item()
            if off > CLOSE * max(row.abs().max().item(), 1e-300):
                raise Wrong(
                    f"{call}\n  You give {_number(len(rows), 'tensor')}. Number {number} is changed, by up to {off:.2g}, by {what}, "
                    f"g = {show([[round(v, 3) for v in line] for line in g.tolist()])}:\n"
                    f"  {show(row)}\n  becomes {show(moved)}"
                )
    if _rank(rows) < len(rows):
        raise Wrong(
            f"{call}\n  Your {len(rows)} tensors are not independent: they span {_number(_rank(rows), 'dimension')}."
        )
    if len(rows) != len(expected):
        each = "The group leaves each alone, but it" if len(rows) else "The group"
        raise Wrong(
            f"{call}\n  You give {_number(len(rows), 'tensor')}. {each} leaves {len(expected)} independent "
            f"{'one' if len(expected) == 1 else 'ones'} alone."
        )


# ---- task 5: laws under O(3) and SO(3) -----------------------------------------------------------------------------------

Law = Callable[[Tensor, Tensor, Tensor], Tensor]


def _cross(u: Tensor, v: Tensor) -> Tensor:
    return torch.linalg.cross(u, v)


def _volume(u: Tensor, v: Tensor, w: Tensor) -> Tensor:
    return (u @ _cross(v, w)).reshape(1)


#: Letter -> (law, group). One number at the output stays, three are a vector.
LAWS: dict[str, tuple[Law, str]] = {
    "A": (lambda u, v, w: _cross(u, v), "SO(3)"),
    "B": (lambda u, v, w: _cross(u, v), "O(3)"),
    "C": (_volume, "SO(3)"),
    "D": (_volume, "O(3)"),
    "E": (lambda u, v, w: _cross(u, _cross(v, w)), "O(3)"),
    "F": (lambda u, v, w: (u @ v) * w, "O(3)"),
    "G": (lambda u, v, w: u**3, "SO(3)"),
    "H": (lambda u, v, w: _volume(u, v, w) * _cross(u, v), "O(3)"),
}

INPUT = [[1.0, 2.0, 0.0], [0.0, 1.0, 3.0], [2.0, 0.0, 1.0]]
TILT = [[0.6, -0.8, 0.0], [0.8, 0.6, 0.0], [0.0, 0.0, 1.0]]
WITNESS: dict[str, list[Any]] = {
    "B": [MIRROR_3, INPUT],
    "D": [MIRROR_3, INPUT],
    "G": [TILT, INPUT],
}


def classify(letter: str) -> list[Any]:
    """Whether a law commutes with the action of its group, with a witness if not."""
    return ["no", WITNESS[letter]] if letter in WITNESS else ["yes", None]


def _breaks(letter: str, g: Any, x: Any) -> bool:
    law, group = LAWS[letter]
    R, vectors = (torch.as_tensor(plain(part), dtype=torch.float64) for part in (g, x))
    if tuple(R.shape) != (3, 3) or tuple(vectors.shape) != (3, 3):
        raise Wrong(f'classify("{letter}"): a witness is [g, [u, v, w]], a 3×3 matrix and three vectors')
    if not bool(vectors.isfinite().all()) or not bool(R.isfinite().all()):
        raise Wrong(f'classify("{letter}"): a witness has finite numbers')
    if not torch.allclose(R.T @ R, _eye(3), atol=1e-3) or (group == "SO(3)" and torch.linalg.det(R) < 0):
        raise Wrong(f'classify("{letter}"): g = {show(g)} is not in {group}')
    out, moved = law(*vectors), law(*(vectors @ R.T))
    then = out if len(out) == 1 else R @ out
    # Witnesses may be rounded to four digits: what they break has to be larger.
    return bool((then - moved).abs().max() > 0.02 * max(then.abs().max().item(), moved.abs().max().item(), 1e-6))


# ---- the tasks -----------------------------------------------------------------------------------------------------------

FINITE = "a finite subgroup does for every rank"
SAME = "O(3) and SO(3) have the same maps"
PRODUCT = "dρ of a product is the product A⊗A"

TASKS = [
    ValueTask(
        id="16.recall-1",
        outcome="count equivariant maps by Schur's lemma over the real numbers",
        accepted=(12,),
        why="2 · 3 pairs, and 2 numbers for each: a1 + bJ.",
        feedback={
            6: "There are 2 · 3 pairs of vectors. Each has two numbers for SO(2): a1 + bJ.",
            5: "Any of the two may go into any of the three: multiply. And each pair has two numbers.",
            24: "4 numbers for each pair would be all 2×2 matrices; only a1 + bJ commute with turns.",
        },
    ),
    ValueTask(
        id="16.recall-2",
        outcome="find an entry of a Kronecker product",
        accepted=(10,),
        why="The first row is 1·[0, 5], 2·[0, 5]: [0, 5, 0, 10].",
        feedback={
            5: "That is the end of the first block, 1·B. The second block of the first row is 2·B.",
            14: "That is 2·7, one row further down.",
            20: "The first row of blocks has the factors 1 and 2.",
        },
    ),
    FunctionTask(
        id="16.exponential",
        outcome="compute a matrix exponential by its series",
        minutes=3,
        name="exponential",
        reference=exponential,
        cases=_exponential_cases,
        shown="Each term is the one before, times A, divided by k.",
        misconceptions=(
            Misconception(
                "no factorial",
                _series(lambda term, A, k: term @ A),
                "Your terms are Aᵏ. They lack the division by k!: divide by k in each step.",
            ),
            Misconception(
                "no powers",
                _series(lambda term, A, k: A / k),
                "Your terms are A/k. The next term comes from the one before: multiply that by A.",
            ),
            Misconception(
                "the exponential of each entry",
                lambda A: _tensor(A).exp(),
                "You take the exponential of each entry. The powers in the series are products of matrices.",
            ),
        ),
    ),
    FunctionTask(
        id="16.product",
        outcome="write the Lie algebra's action on a tensor product",
        minutes=4,
        name="lie_of_product",
        reference=lie_of_product,
        cases=_product_cases,
        shown="A on the first axis, plus B on the second: the product rule.",
        misconceptions=(
            Misconception(
                PRODUCT,
                _from_lists(_kron),
                "A ⊗ B is the term with ε². Of (1 + εA) ⊗ (1 + εB) take what has one ε: one factor moves, the other stays.",
            ),
            Misconception(
                "only the first axis moves",
                _from_lists(_on_first),
                "You have A on the first axis. There is one more term with one ε: B on the second.",
            ),
            Misconception(
                "the axes are exchanged",
                _from_lists(_exchanged),
                "Your A acts on the second axis. In A ⊗ 1 the left factor belongs to the first axis.",
            ),
        ),
    ),
    ValueTask(
        id="16.boost",
        outcome="solve the constraint for one Lie algebra element by hand",
        accepted=([[5, 2], [2, 5]],),
        why="w₁₁ = w₀₀ and w₁₀ = w₀₁: W = 5·1 + 2·K.",
        feedback={
            ((5, -2), (2, 5)): "That commutes with J, and its w₀₁ is −2. For K compare the entries of WK and KW.",
            ((5, 2), (-2, 5)): "That commutes with J. K has no minus sign.",
            ((5, 2), (2, -5)): "WK has w₁₁ where KW has w₀₀: they are equal.",
            ((5, 2), (0, 5)): "WK has w₀₁ where KW has w₁₀: they are equal.",
        },
    ),
    HintedTask(
        id="16.constraint",
        outcome="write equivariance as one matrix on the entries of W",
        points=4,
        minutes=15,
        name="constraint",
        reference=constraint,
        cases=_constraint_cases,
        accept=_accept_constraint,
        same=_same_span,
        shown="The null space of your C is the space of solutions, for square and other W and for several equations at once.",
        misconceptions=(
            Misconception(
                "W is written column by column",
                _stacked(_by_columns),
                "You write W column by column. Row by row, A on the left is A ⊗ 1, and B on the right 1 ⊗ Bᵀ.",
            ),
            Misconception(
                "B is not transposed",
                _stacked(_not_transposed),
                "Your B is not transposed. Row i of W B is row i of W times B: as a column, Bᵀ times it.",
            ),
            Misconception(
                "a plus sign",
                _stacked(_plus),
                "You add the two parts. The equation is A W − W B = 0.",
            ),
            Misconception(
                "A and B are exchanged",
                _swapped,
                "You solve B W = W A. A belongs to the output, on the left of W; B to the input, on its right.",
            ),
            Misconception(
                "the first equation is enough",
                lambda pairs: constraint(pairs[:1]),
                "You use the first pair only. W has to solve the equation of every pair: stack the blocks.",
            ),
            Misconception(
                "blocks are added",
                _added_up,
                "You add the blocks of the pairs. A sum can be zero where the blocks are not: stack them.",
            ),
        ),
    ),
    HintedTask(
        id="16.null-space",
        outcome="find a null space by singular values, and say when its dimension is in doubt",
        points=3,
        minutes=12,
        name="null_space",
        reference=null_space,
        cases=_null_cases,
        accept=_accept_null,
        same=_same_span,
        hint=_null_hint,
        shown="Wide and tall, tiny and doubtful matrices: as many independent vectors as there are zeros, or no count.",
        misconceptions=(
            Misconception(
                "as many singular values as rows",
                lambda C: _null_space(C, short=True),
                "You forget the columns that a wide matrix has more than rows: the singular vectors that belong to none of the "
                "singular values are sent to zero too.",
            ),
            Misconception(
                "columns of Vᵀ",
                _columns,
                "Your vectors are columns of Vᵀ. The singular vectors are its rows.",
            ),
            Misconception(
                "vectors from the left",
                _left_vectors,
                "Your vectors give zero when multiplied from the left. In C = U S Vᵀ, C v = 0 is solved by rows of Vᵀ.",
            ),
            Misconception(
                "an absolute threshold",
                lambda C: _null_space(C, relative=False),
                "You compare singular values with a fixed number. Compare with the largest one: if C is small everywhere, small "
                "values are not zero.",
            ),
            Misconception(
                "never in doubt",
                lambda C: _null_space(C, nonzero=ZERO),
                "You count values in the grey band as not zero. There the count is a guess: say so.",
            ),
            Misconception(
                "what is small is zero",
                lambda C: _null_space(C, zero=NONZERO),
                "You count values in the grey band as zero. There the count is a guess: say so.",
            ),
        ),
    ),
    HintedTask(
        id="16.algebra",
        outcome="write the matrices of a Lie algebra whose exponential acts as the group",
        points=4,
        minutes=12,
        name="lie",
        reference=lie,
        cases=_lie_cases,
        accept=_accept_lie,
        hint=_nested_hint,
        shown="exp(t·dρ(A)) is ρ(exp(tA)), for numbers, vectors, dual vectors, sums and products.",
        misconceptions=(
            Misconception(
                PRODUCT,
                _variant(product=_kron),
                "On a product you take A ⊗ B. That is the term with ε². Use the product rule: A ⊗ 1 + 1 ⊗ B.",
            ),
            Misconception(
                "the dual is the transpose",
                _variant(dual=lambda A: A.T),
                "For V* you take Aᵀ. The inverse in (g⁻¹)ᵀ turns εA into −εA: −Aᵀ.",
            ),
            Misconception(
                "the dual is the same",
                _variant(dual=lambda A: A),
                "For V* you take A. That is right where Aᵀ = −A, for rotations, and not for groups that stretch.",
            ),
            Misconception(
                "the dual is not transposed",
                _variant(dual=lambda A: -A),
                "For V* you take −A. That belongs to g⁻¹; in (g⁻¹)ᵀ it is transposed as well: −Aᵀ.",
            ),
            Misconception(
                "V and V* are exchanged",
                _variant(vector=lambda A: -A.T, dual=lambda A: A),
                "You exchange V and V*: vectors move by g, with A; gradients by (g⁻¹)ᵀ, with −Aᵀ.",
            ),
            Misconception(
                "vectors move by the inverse",
                _variant(vector=lambda A: -A),
                "For V you take −A, whose exponential is g⁻¹. Vectors move by g itself: A.",
            ),
            Misconception(
                "everything moves by the inverse",
                lambda A, kind: -_lie(_tensor(A), kind),
                "All your matrices have the opposite sign: their exponentials act as g⁻¹.",
            ),
            Misconception(
                "a number that stays has dρ = 1",
                _variant(number=1.0),
                "For a number that stays you take 1. Its exponential is e. What stays has ρ = 1 = exp(0).",
            ),
            Misconception(
                "the axes are exchanged",
                _variant(product=_exchanged),
                "Your first factor acts on the second axis. In A ⊗ 1 the left factor belongs to the first axis.",
            ),
        ),
    ),
    HintedTask(
        id="16.invariants",
        outcome="find all tensors of ranks 1 to 4 that a group leaves alone",
        points=4,
        minutes=15,
        name="invariants",
        reference=invariants,
        cases=_invariant_cases,
        accept=_accept_invariants,
        same=_same_span,
        hint=_invariants_hint,
        shown="Each tensor is left alone, they are independent, and there are as many as the theory says.",
        misconceptions=(
            Misconception(
                PRODUCT,
                lambda algebra, generators, k: _invariants(algebra, generators, k, on_algebra=_kron),
                "On k axes you take A ⊗ … ⊗ A. That is right for a group element. For the algebra A acts on one axis after the "
                "other, and the terms are added.",
            ),
            Misconception(
                SAME,
                _no_mirrors,
                "You leave the discrete generators out. The algebra is the same for O(n) and SO(n); the mirror is one more condition.",
            ),
            Misconception(
                FINITE,
                _quarter_turns,
                "You put a quarter turn in place of each element of the algebra. At rank 4 a square grid has tensors that quarter "
                "turns leave alone and other turns change.",
            ),
            Misconception(
                "generators act like the algebra",
                lambda algebra, generators, k: _invariants(algebra, generators, k, like_algebra=True),
                "You treat a generator like an element of the algebra. It is a group element: s ⊗ … ⊗ s, and T stays: (ρ(s) − 1) T = 0.",
            ),
            Misconception(
                "a generator sends T to zero",
                _sent_to_zero,
                "For a generator you solve ρ(s) T = 0. T is not sent to zero, it stays: (ρ(s) − 1) T = 0.",
            ),
            Misconception(
                "the tensors are made of gradients",
                _of_gradients,
                "You transpose A: that is dρ on gradients, up to the sign. Here g acts on vectors: A itself, times T as a column.",
            ),
            Misconception(
                "one element is enough",
                _one_element,
                "You use the first element of the algebra only: turns about one axis. A basis of the algebra is needed.",
            ),
        ),
    ),
    FunctionTask(
        id="16.laws",
        outcome="tell laws that mirrors respect from those that only rotations do, with a witness for each no",
        points=2,
        minutes=10,
        name="classify",
        reference=classify,
        cases=lambda hidden: [(letter,) for letter in LAWS],
        accept=accept_yes_no("classify", _breaks, "Not every law that you call equivariant is."),
        same=same_word,
        count_only=True,
        shown="All eight are right, and each witness makes the two paths differ.",
        misconceptions=(
            Misconception(
                SAME,
                yes_if("ABCDEFH", classify),
                "You give O(3) and SO(3) the same laws. One cross product survives rotations and no mirror; two of them survive both.",
            ),
            Misconception(
                FINITE,
                yes_if("ACEFGH", classify),
                "You say yes to the cubes. Quarter turns only move entries and flip signs. Try a turn by another angle.",
            ),
            Misconception(
                "every cross product breaks mirrors",
                yes_if("ACF", classify),
                "You say no wherever there is a cross product under O(3). Two minus signs make a plus.",
            ),
            Misconception(
                "everything with dots and crosses is equivariant, and powers too",
                yes_if("ABCDEFGH", classify),
                "You say yes to everything. Try a mirror, and a turn by an angle that is no quarter.",
            ),
        ),
    ),
]
