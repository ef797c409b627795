"""The engine of the checks: verdicts, predictions, plain data, registries."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from eqcourse import checks
from eqcourse.checks import FunctionTask, Misconception, ValueTask, plain, predict, same_answer, show, verdict

TASK = FunctionTask(
    id="99.total",
    points=2,
    name="total",
    reference=lambda numbers: sum(numbers),
    cases=lambda hidden: [([3],), ([1, 2],), ([5, -7, 4],)] if not hidden else [([8, 8],)],
    shown="Sums are right.",
    misconceptions=(Misconception("only the first", lambda numbers: numbers[0], "All of them count."),),
)


def status(answer, hidden=False):
    return TASK.judge(answer, hidden).status


def test_statuses():
    def stub(numbers):
        raise NotImplementedError

    assert status(stub) == "not attempted"
    assert status(None) == "not attempted"
    assert status(sum) == "passed"
    assert status(sum, hidden=True) == "passed"
    assert status(lambda numbers: 0) == "not yet"
    assert status(lambda numbers: numbers[5]) == "error"
    assert status(42) == "not yet"


def test_right_answers_of_any_plain_type_pass():
    for answer in (lambda n: float(sum(n)), lambda n: np.int64(sum(n)), lambda n: torch.tensor(sum(n))):
        assert status(answer) == "passed"


def test_the_first_failing_case_is_the_counterexample():
    message = TASK.judge(lambda numbers: max(numbers), False).message
    assert message == "total([1, 2])\n  gave     2\n  expected 3"


def test_a_misconception_is_named_only_if_it_explains_every_answer():
    assert TASK.judge(lambda numbers: numbers[0], False).misconception == "only the first"
    almost = TASK.judge(lambda numbers: numbers[0] if len(numbers) < 3 else 99, False)
    assert almost.misconception is None
    assert "All of them count." not in almost.message


def test_a_forgotten_return_is_pointed_out():
    assert "returned None. Is there a return?" in TASK.judge(lambda numbers: None, False).message


def test_changing_the_input_is_reported_and_cases_stay_as_they_are():
    def greedy(numbers):
        return sum(numbers.pop() for _ in range(len(numbers)))

    result = TASK.judge(greedy, False)
    assert result.status == "not yet"
    assert "total([3]) changed its input to []" in result.message
    assert status(sum) == "passed"


def test_an_object_that_claims_to_equal_everything_does_not_pass():
    class Everything:
        def __eq__(self, other):
            return True

        __hash__ = None

    result = TASK.judge(lambda numbers: Everything(), False)
    assert result.status == "not yet"
    assert "an object of type Everything" in result.message


def test_an_error_shows_the_learners_line(tmp_path):
    result = TASK.judge(lambda numbers: numbers[0] / 0, False)
    assert result.message.startswith("total([3]) raised ZeroDivisionError: division by zero")
    # A clone may be called eqcourse, and learners may keep functions in a file of their own.
    own = tmp_path / "eqcourse" / "mine.py"
    own.parent.mkdir()
    own.write_text("def total(numbers):\n    return numbers[0] / 0\n")
    scope = {}
    exec(compile(own.read_text(), own, "exec"), scope)
    assert "in the line: return numbers[0] / 0" in TASK.judge(scope["total"], False).message


def test_values():
    task = ValueTask(id="99.value", accepted=("yes", "ja"), why="So it is.", feedback={"no": "Why not?"})
    assert task.judge(None, False).status == "not attempted"
    assert task.judge(" Yes. ", False).status == "passed"
    assert task.judge("no", False).message == "Why not?"
    assert "The answer is of type str" in task.judge(3, False).message


def test_predictions(capsys):
    predict(None, [1, 2])
    predict((1, 2), torch.tensor([1, 2]))
    predict("b", "a", options=["a", "c"])
    predict([2, 1], [1, 2], why={(2, 1): "The other way round."})
    predict("False", False)
    predict(["SORT"], ["sort"])
    out = capsys.readouterr().out
    assert out.count("prediction: right") == 3
    for line in (
        "prediction: none made",
        "in place of None",
        "prediction: right",
        "'b' is not one of the answers to choose from: 'a', 'c'",
        "prediction: not what happened",
        "The other way round.",
    ):
        assert line in out


@pytest.mark.parametrize(
    ("a", "b", "same"),
    [
        (1, 1.0, True),
        (1e-9, 0, True),
        (1e-3, 0, False),
        (1e6, 1e6 + 0.1, True),
        ([1, [2]], [1.0, [2.0]], True),
        ([1], 1, False),
        ("1", 1, False),
        (None, None, True),
        (None, 0, False),
        ({"a": 1}, {"a": 1.0}, True),
        ({"a": 1}, {"b": 1}, False),
        (float("nan"), float("nan"), False),
        (float("inf"), 3.0, False),
        (float("-inf"), float("inf"), False),
        (float("inf"), float("inf"), True),
        ([complex(float("inf"), 0)], [1j], False),
        (3628800, 3628801, False),  # counts are exact, however large
    ],
)
def test_same_answer(a, b, same):
    assert same_answer(a, b) == same
    assert same_answer(b, a) == same


def test_whole_numbers_may_be_larger_than_any_float():
    assert not same_answer(10**400, 1.5)
    assert not same_answer(10**400, 10**400 + 1)


def test_plain_and_show():
    assert plain({"x": (torch.ones(2), np.arange(2))}) == {"x": [[1.0, 1.0], [0, 1]]}
    assert show([1.0, 0.1 + 0.2, "a", None]) == "[1, 0.3, 'a', None]"
    assert show(object()) == "an object of type object"
    assert len(show(list(range(1000)))) <= 160


def test_unknown_names_list_what_there_is():
    with pytest.raises(KeyError, match=r"01\.compose"):
        verdict("01.composition", sum)
    with pytest.raises(KeyError, match="sheets: 00, 01"):
        verdict("77.x", sum)
    with pytest.raises(KeyError, match="softmax"):
        checks.named_map("hardmax")
    with pytest.raises(KeyError, match="S_3 permutes 3 numbers"):
        checks.named_representation("S_3")


def test_every_named_representation_is_made():
    for name in checks.REPRESENTATIONS:
        rho = checks.named_representation(name)
        assert rho.dim >= 1, name


def test_task_ids_are_unique_and_belong_to_their_sheet():
    for sheet in checks._sheets():
        ids = [task.id for task in checks.tasks(sheet)]
        assert len(set(ids)) == len(ids)
        assert all(i.startswith(sheet + ".") for i in ids)


def test_what_a_notebook_gets():
    bundle = TASK.judge(lambda numbers: "<b>", False)._repr_mimebundle_()
    assert bundle["text/plain"].startswith("99.total: not yet\n  total([3])")
    assert "&lt;b&gt;" in bundle["text/html"]
    assert 'role="status"' in bundle["text/html"]
    summary = bundle[checks.VERDICT_MIME]
    assert (summary["task"], summary["status"], summary["points"]) == ("99.total", "not yet", 2)
