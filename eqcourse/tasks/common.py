"""What several sheets judge alike: linear families of maps, yes-or-no questions with a witness for each no, and situations."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from ..checks import FunctionTask, Malformed, Misconception, Verdict, Wrong, plain, same_answer, show
from ..groups import Group
from ..representations import Representation
from ..solvers import intertwiner_dimension

# Entries that differ by less than this, relative to the largest one, are equal: answers may be computed in float32.
CLOSE = 1e-5

# ---- linear families -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Family:
    """The linear equivariant maps from ``rho_in`` to ``rho_out``, asked for with a number of weights.

    ``extra`` are the arguments after ``weights`` and ``x``, the sizes for example.
    """

    rho_in: Representation
    rho_out: Representation
    weights: int
    extra: tuple[Any, ...] = ()

    def calls(self) -> list[tuple[Any, ...]]:
        """Each weight alone on each basis input, then three calls that show whether the map is linear: all weights
        zero, and twice everything at once."""
        units = [
            (_unit(self.weights, k), _unit(self.rho_in.dim, j))
            for k in range(self.weights)
            for j in range(self.rho_in.dim)
        ]
        return [(w, self._shaped(x), *self.extra) for w, x in units + self._probes()]

    def _probes(self) -> list[tuple[list[float], list[float]]]:
        weights = [float((-1) ** k * (k + 2)) for k in range(self.weights)]
        everything = [10.0 * (-1) ** j * (j + 1) for j in range(self.rho_in.dim)]
        return [
            ([0.0] * self.weights, everything),
            (weights, everything),
            (weights[::-1], [float((3 * j * j + 5) % 11 - 4) for j in range(self.rho_in.dim)]),
        ]

    def _shaped(self, x: list[float]) -> Any:
        return torch.tensor(x, dtype=torch.float64).reshape(self.rho_in.axes).tolist()

    def matrices(self, outputs: Sequence[Tensor]) -> Tensor:
        """The matrix that each weight alone stands for, from what the calls gave: (weights, d_out, d_in)."""
        columns = torch.stack(list(outputs))[: self.weights * self.rho_in.dim]  # none, if there are no weights
        return columns.reshape(self.weights, self.rho_in.dim, self.rho_out.dim).mT

    def is_linear(self, outputs: Sequence[Tensor]) -> bool:
        """Whether the last calls gave what the matrices say."""
        return self.first_not_linear(outputs) is None

    def first_not_linear(self, outputs: Sequence[Tensor]) -> int | None:
        """The number of the first call, counted from the end (-1 is the last), that did not give what the matrices say."""
        M = self.matrices(outputs)
        expected = [
            torch.einsum("k,koi,i->o", torch.tensor(w, dtype=torch.float64), M, torch.tensor(x, dtype=torch.float64))
            for w, x in self._probes()
        ]
        # That something is left without weights is said only where the layer is linear otherwise.
        return next((back for back in (-2, -1, -3) if not _close(outputs[back], expected[back])), None)

    @property
    def dimension(self) -> int:
        """What the theory says, without the answer."""
        return intertwiner_dimension(self.rho_in, self.rho_out)


@dataclass(frozen=True)
class FamilyTask(FunctionTask):
    """A linear layer ``forward(weights, x, *extra)`` that has to reach *every* equivariant map, however its weights are chosen.

    Judged on each family, the smallest first: is it linear in x and in the weights; is the map of each weight equivariant (otherwise
    the first generator and basis input that show it are printed); do the maps span as many dimensions as the theory says. A
    misconception is recognised by the span of its maps, so it need not place its weights as the answer does.
    """

    name: str = "forward"
    families: Callable[[bool], list[Family]] = lambda hidden: []

    def __post_init__(self) -> None:
        calls = lambda hidden: [args for family in self.families(hidden) for args in family.calls()]  # noqa: E731
        object.__setattr__(self, "cases", calls)

    def judge(self, answer: Any, hidden: bool) -> Verdict:
        refused = self._refuse(answer)
        if refused is not None:
            return refused
        families = self.families(hidden)
        outputs: list[list[Tensor]] = []
        for family in families:
            outputs.append([])
            for args in family.calls():
                got = self._ask(answer, args)
                if isinstance(got, Verdict):
                    return got
                try:
                    outputs[-1].append(self._flat(family, args, got))
                except Malformed as malformed:
                    return self._verdict("not yet", str(malformed))
        try:
            dimensions = [self._dimensions(family, out) for family, out in zip(families, outputs, strict=True)]
        except Wrong as wrong:
            return self._not_yet(str(wrong), families, outputs)
        counts = ", ".join(f"{found} of {found}" for found in dimensions)
        return self._verdict("passed", f"{self.shown} Dimensions reached: {counts}.".lstrip())

    def _flat(self, family: Family, args: tuple[Any, ...], got: Any) -> Tensor:
        """An output as a flat tensor."""
        wanted = "a list of " + " × ".join(map(str, family.rho_out.axes)) + " finite numbers"
        try:
            out = torch.as_tensor(got, dtype=torch.float64)
        except (TypeError, ValueError, RuntimeError):
            raise Malformed(f"{self._call(args)} gave {show(got)}; expected {wanted}") from None
        if tuple(out.shape) != family.rho_out.axes or not out.isfinite().all():
            raise Malformed(f"{self._call(args)} gave {show(got)}; expected {wanted}")
        return out.reshape(-1)

    def _dimensions(self, family: Family, outputs: list[Tensor]) -> int:
        """How many dimensions the maps span; raises ``Wrong`` if a map is not linear, not equivariant, or missing."""
        M = family.matrices(outputs)
        if (off := family.first_not_linear(outputs)) is not None:
            raise Wrong(self._not_linear(family, outputs, off))
        for k, matrix in enumerate(M):
            self._require_equivariant(family, k, matrix)
        found = _rank(M.flatten(1))
        if found < family.dimension:
            what = (
                "every weight gives the zero map"
                if found == 0
                else f"your maps span {found} of {family.dimension} dimensions"
            )
            raise Wrong(f"{_where(family)}: {what}. They are equivariant, but equivariant maps are missing.")
        return found

    def _not_linear(self, family: Family, outputs: list[Tensor], off: int) -> str:
        args = family.calls()[off]
        given = f"{self._call(args)} = {show(_listed(outputs[off], family.rho_out))}\n"
        if not any(args[0]):
            return (
                f"{given}  is not zero, though all weights are. A linear layer multiplies entries by weights and adds."
            )
        return (
            f"{given}  is not the sum of what each weight alone gives on each entry "
            "alone. A linear layer multiplies entries by weights and adds."
        )

    def _require_equivariant(self, family: Family, k: int, matrix: Tensor) -> None:
        """The first generator and basis input for which the two paths differ are the counterexample."""
        rho_in, rho_out = family.rho_in, family.rho_out
        for g in _moves(rho_in.group):
            for j in range(rho_in.dim):
                x = torch.tensor(_unit(rho_in.dim, j), dtype=torch.float64).reshape(rho_in.axes)
                moved = rho_in.act(g, x)
                out = (matrix @ x.reshape(-1)).reshape(rho_out.axes)
                first, then = (matrix @ moved.reshape(-1)).reshape(rho_out.axes), rho_out.act(g, out)
                if not _close(first.reshape(-1), then.reshape(-1)):
                    weights = _unit(family.weights, k)
                    raise Wrong(
                        f"{self._call((weights, x.tolist(), *family.extra))} = {show(out.tolist())}\n"
                        f"  moved by g = {show(g)}:   {show(then.tolist())}\n"
                        f"  on the moved input: {show(first.tolist())}\n"
                        "  The two differ: the layer is not equivariant."
                    )

    def _not_yet(self, reason: str, families: list[Family], outputs: list[list[Tensor]]) -> Verdict:
        """Not yet, with the misconception whose maps span the same spaces."""
        mine = [family.matrices(out).flatten(1) for family, out in zip(families, outputs, strict=True)]
        if all(_rank(M) == 0 for M in mine):
            # The last two calls have every weight and every entry at once.
            if any(bool((call.abs() > CLOSE).any()) for out in outputs for call in out[-2:]):
                return self._verdict(
                    "not yet",
                    f"{reason}\nEach weight alone, on one entry alone, gives zero: you multiply weights with each other, or entries "
                    "with each other. The layer has to be linear in its weights and in x.",
                )
            return self._verdict(
                "not yet", f"{reason}\nA layer that forgets its input commutes with every action.", "the zero layer"
            )
        linear = all(family.is_linear(out) for family, out in zip(families, outputs, strict=True))
        for held in self.misconceptions if linear else ():
            theirs = [self._maps_of(held, family).flatten(1) for family in families]
            if all(_same_span(a, b) for a, b in zip(mine, theirs, strict=True)):
                return self._verdict("not yet", f"{reason}\n{held.message}", held.name)
        return self._verdict("not yet", reason)

    def _maps_of(self, held: Misconception, family: Family) -> Tensor:
        outputs = [self._flat(family, args, self._ask(held.answer, args)) for args in family.calls()]
        return family.matrices(outputs)


def _moves(group: Group) -> list[Any]:
    """What generates a group: its generators and, if it has a Lie algebra, a move along each direction of it."""
    return [*group.generators, *(group.exp(A) for A in group.lie_algebra)]


def _where(family: Family) -> str:
    same = family.rho_in == family.rho_out
    return f"on {family.rho_in}" if same else f"from {family.rho_in} to {family.rho_out}"


def _listed(out: Tensor, rho: Representation) -> Any:
    return out.reshape(rho.axes).tolist()


def _unit(size: int, position: int) -> list[float]:
    return [float(i == position) for i in range(size)]


def _close(a: Tensor, b: Tensor) -> bool:
    return bool((a - b).abs().max() <= CLOSE * max(1.0, b.abs().max().item()))


def _rank(rows: Tensor) -> int:
    """The dimension of the span of some rows, however large each is."""
    sizes = rows.norm(dim=1)
    kept = rows[sizes > CLOSE] / sizes[sizes > CLOSE, None]
    return int(torch.linalg.matrix_rank(kept, rtol=CLOSE)) if len(kept) else 0


def _same_span(a: Tensor, b: Tensor) -> bool:
    return _rank(a) == _rank(b) == _rank(torch.cat([a, b]))


# ---- yes or no, with a witness for each no ---------------------------------------------------------------------------


def accept_yes_no(
    name: str, breaks: Callable[[str, Any, Any], bool], said_yes: str
) -> Callable[[tuple[Any, ...], Any, Any], None]:
    """How to judge ``name(letter)``, which gives ["yes", None] or ["no", [g, x]].

    ``breaks(letter, g, x)`` says whether the two paths differ for a witness; it raises ``Wrong`` for a witness of the wrong form.
    ``said_yes`` is what to tell somebody who missed a "no", without saying which.
    """

    def accept(args: tuple[Any, ...], got: Any, expected: Any) -> None:
        letter = args[0]
        if not isinstance(got, list) or len(got) != 2 or got[0] not in ("yes", "no"):
            raise Malformed(f'{name}("{letter}") gave {show(got)}; expected ["yes", None] or ["no", [g, x]]')
        word, witness = got
        if word == "yes":
            if witness is not None:
                raise Malformed(f'{name}("{letter}") gave {show(got)}; a "yes" has no witness: ["yes", None]')
            if expected[0] == "no":
                raise Wrong(said_yes)
            return
        try:
            g, x = witness
            stands = breaks(letter, g, x)
        except (TypeError, ValueError, RuntimeError):
            raise Wrong(
                f'{name}("{letter}"): the witness {show(witness)} is not a pair [g, x] of an element and an input'
            ) from None
        if not stands:
            raise Wrong(f'{name}("{letter}"): for the witness {show(witness)} the two paths agree')

    return accept


def same_word(a: Any, b: Any) -> bool:
    """Two answers to a yes-or-no question agree in the word, whatever the witness."""
    return isinstance(a, list) and isinstance(b, list) and a[:1] == b[:1]


def yes_if(letters: str, classify: Callable[[str], list[Any]]) -> Callable[[str], list[Any]]:
    """Somebody who says yes to these letters (with a true witness for each no that has one)."""

    def answer(letter: str) -> list[Any]:
        right = classify(letter)
        return ["yes", None] if letter in letters else right if right[0] == "no" else ["no", [0, [0]]]

    return answer


# ---- situations: which group, which actions, how many weights --------------------------------------------------------

NO_SYMMETRY = "no symmetry"
Choice = tuple[str, str]


@dataclass(frozen=True)
class Situations:
    """Situations by letter. A right answer is the name of the action on the input, that on the output, and the number of weights.

    ``actions`` makes the representation of each name, ``choices`` are the names to choose from, ``right`` has the two names for each
    letter, and without a symmetry a layer has ``entries`` weights. ``hint`` is what to ask who chose wrong, whatever the letter.
    """

    actions: Mapping[str, Callable[[], Representation]]
    choices: Sequence[str]
    right: Mapping[str, Choice]
    entries: int
    hint: str

    def action(self, name: str) -> Representation:
        """A representation by its name. Raises ``KeyError`` that lists the names."""
        if name == NO_SYMMETRY:
            raise KeyError(f'"{NO_SYMMETRY}" is no action: without a symmetry, count the entries of W')
        if name not in self.actions:
            raise KeyError(f"there is no action named {name!r}; there are: {'; '.join(self.actions)}")
        return self.actions[name]()

    def model(
        self,
        letter: str,
        other: Mapping[str, Choice] | None = None,
        count: Callable[[Representation, Representation], int] = intertwiner_dimension,
    ) -> list[Any]:
        """The answer of somebody who chooses otherwise for the letters in ``other``, and who counts weights by ``count``."""
        on_input, on_output = {**self.right, **(other or {})}[letter]
        if on_input == NO_SYMMETRY:
            return [on_input, on_output, self.entries]
        return [on_input, on_output, count(self.action(on_input), self.action(on_output))]

    def choosing(self, **other: Choice) -> Callable[[str], list[Any]]:
        """Somebody who chooses otherwise for these letters."""
        return lambda letter: self.model(letter, other)

    def counting(self, count: Callable[[Representation, Representation], int]) -> Callable[[str], list[Any]]:
        """Somebody who chooses the right actions and counts weights in a way of their own."""
        return lambda letter: self.model(letter, count=count)

    def accept(self, args: tuple[Any, ...], got: Any, expected: Any) -> None:
        """Raise ``Wrong`` for a wrong answer and ``Malformed`` for one of another form; neither says where."""
        call = f'model("{args[0]}") gave {show(got)}'
        if not isinstance(got, list) or len(got) != 3 or any(name not in self.choices for name in got[:2]):
            raise Malformed(f"{call}; expected two names from CHOICES and a number{self._nearest(got)}")
        if isinstance(got[2], bool) or not isinstance(got[2], (int, float)):
            raise Malformed(f"{call}; the third part is the number of weights")
        if NO_SYMMETRY in got[:2] and got[0] != got[1]:
            raise Malformed(f'{call}; without a symmetry both are "{NO_SYMMETRY}"')
        if NO_SYMMETRY not in got and self.action(got[0]).group != self.action(got[1]).group:
            raise Malformed(f"{call}: one group acts on both sides")
        if got[:2] != expected[:2]:
            raise Wrong(self.hint)
        if got[2] != expected[2]:
            raise Wrong("In at least one situation the actions are right and the number of weights is not.")

    def _nearest(self, got: Any) -> str:
        """The name that somebody may have meant who typed one."""
        typed = [part for part in got[:2] if isinstance(part, str)] if isinstance(got, list) else []
        unknown = [name for name in typed if name not in self.choices]
        near = difflib.get_close_matches(unknown[0], self.choices, n=1, cutoff=0.9) if unknown else []
        return f'. Is {show(unknown[0])} meant to be "{near[0]}"?' if near else ""


@dataclass(frozen=True)
class SituationsTask(FunctionTask):
    """Names a misconception that explains each answer that is wrong, so that one slip is explained as well as many of its kind.

    If no single one does, it names one for each wrong answer that has one.
    """

    def _recognise(self, cases: list[tuple[Any, ...]], answers: list[Any]) -> Misconception | None:
        wrong = [
            (args, got)
            for args, got in zip(cases, answers, strict=True)
            if not same_answer(got, plain(self.reference(*args)))
        ]
        explained = [
            [held for held in self.misconceptions if same_answer(got, plain(held.answer(*args)))] for args, got in wrong
        ]
        for held in self.misconceptions:
            if all(held in some for some in explained):
                return held
        found = list(dict.fromkeys(some[0] for some in explained if some))
        if not found:
            return None
        messages = "\n".join(["Behind some of what is wrong:", *(f"- {held.message}" for held in found)])
        return Misconception("; ".join(held.name for held in found), self.reference, messages)


def all_entries(rho_in: Representation, rho_out: Representation) -> int:
    """How many weights there are for somebody who counts the entries of W."""
    return rho_in.dim * rho_out.dim
