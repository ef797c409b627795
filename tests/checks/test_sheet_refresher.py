"""Other right answers for the tasks of the refresher, and what is particular to its checks."""

from __future__ import annotations

import cmath
import itertools
import math
import re

import numpy as np
import pytest
import torch

from eqcourse.checks import find_task, tasks, verdict
from eqcourse.tools.notebooks import ROOT, read_notebook

from .harness import (
    assert_passes,
    function_tasks,
)

SHEET = "refresher"
FUNCTION_TASKS = [task.id for task in function_tasks(tasks(SHEET))]


def place_by_assignment(g, y):
    x = torch.empty_like(y)
    x[g] = y
    return x


def three_ways_in_lists(g, x):
    g, x = g.tolist(), x.tolist()
    inverse = sorted(range(len(g)), key=g.__getitem__)
    return [x[i] for i in g], [x[i] for i in inverse], inverse


def three_ways_in_numpy(g, x):
    g, x = g.numpy(), x.numpy()
    placed, inverse = np.empty_like(x), np.empty_like(g)
    placed[g], inverse[g] = x, np.arange(len(g))
    return np.stack([np.take(x, g), placed, inverse])


def rank_by_elimination(A):
    """Gaussian elimination by hand; the null vector from the pivots."""
    rows, pivots = A.tolist(), []
    for column in range(A.shape[1]):
        step = len(pivots)
        found = next((r for r in range(step, len(rows)) if rows[r][column]), None)
        if found is None:
            continue
        rows[step], rows[found] = rows[found], rows[step]
        rows[step] = [entry / rows[step][column] for entry in rows[step]]
        for other in range(len(rows)):
            if other != step:
                factor = rows[other][column]
                rows[other] = [p - factor * q for p, q in zip(rows[other], rows[step], strict=True)]
        pivots.append(column)
    free = next(c for c in range(A.shape[1]) if c not in pivots)
    v = [0.0] * A.shape[1]
    v[free] = 1.0
    for row, column in enumerate(pivots):
        v[column] = -rows[row][free]
    return [len(pivots), v]


def rank_by_eigenvectors(A):
    values, vectors = torch.linalg.eigh(A.T @ A)
    return [(values > 1e-4).sum(), -3 * vectors[:, 0]]


def turn_with_a_matrix(z, degrees):
    a = math.radians(degrees)
    x, y = np.array([[math.cos(a), -math.sin(a)], [math.sin(a), math.cos(a)]]) @ [z.real, z.imag]
    return complex(x, y)


def wave_by_turning(k, n):
    step, values = cmath.rect(1, 2 * math.pi * k / n), [1 + 0j]
    while len(values) < n:
        values.append(values[-1] * step)
    return values


def slope_with_autograd(a, b, x):
    x = torch.tensor(x, requires_grad=True)
    ((a * x + b) ** 2).backward()
    return x.grad


def gradient_with_autograd(x):
    x = torch.tensor(x, requires_grad=True)
    ((x.norm() - 1) ** 2).backward()
    return x.grad


def gradient_with_differences(x):
    def energy(point):
        return (math.hypot(*point) - 1) ** 2

    def moved(i, step):
        return [entry + step * (i == j) for j, entry in enumerate(x)]

    return [(energy(moved(i, 1e-5)) - energy(moved(i, -1e-5))) / 2e-5 for i in range(len(x))]


def train_with_a_module(x, y, steps, rate):
    line = torch.nn.Linear(1, 1)
    torch.nn.init.zeros_(line.weight)
    torch.nn.init.zeros_(line.bias)
    optimiser = torch.optim.SGD(line.parameters(), lr=rate)
    for _ in range(steps):
        optimiser.zero_grad()
        loss = ((line(x[:, None]).squeeze(1) - y) ** 2).mean()
        loss.backward()
        optimiser.step()
    return line.weight.item(), line.bias.item()


def train_with_autograd(x, y, steps, rate):
    weights = torch.zeros(2, dtype=torch.float64)
    inputs = torch.stack([x, torch.ones_like(x)], dim=1).double()
    for _ in range(steps):
        weights.requires_grad_(True)
        loss = torch.nn.functional.mse_loss(inputs @ weights, y.double())
        (gradient,) = torch.autograd.grad(loss, weights)
        weights = (weights - rate * gradient).detach()
    return weights


class OneParameterEach(torch.nn.Module):
    def __init__(self, start):
        super().__init__()
        self.coefficients = torch.nn.ParameterList([torch.nn.Parameter(torch.tensor(c)) for c in start])

    def forward(self, x):
        value = 0
        for c in reversed(list(self.coefficients)):
            value = value * x + c
        return value


class LinearLayer(torch.nn.Module):
    def __init__(self, start):
        super().__init__()
        self.layer = torch.nn.Linear(len(start), 1, bias=False)
        with torch.no_grad():
            self.layer.weight.copy_(torch.tensor(start)[None])

    def forward(self, x):
        return self.layer(torch.stack([x**k for k in range(self.layer.in_features)], dim=-1)).squeeze(-1)


RIGHT = {
    "refresher.1-indexing": [
        place_by_assignment,
        lambda g, y: y[g.argsort()],
        lambda g, y: y.numpy()[np.argsort(g.numpy())],
    ],
    "refresher.1-practice": [three_ways_in_lists, three_ways_in_numpy],
    "refresher.2-einsum": [
        lambda x, A, y: torch.einsum("bi,ij,bj->b", x, A, y),
        lambda x, A, y: (x * (y @ A.T)).sum(1),
        lambda x, A, y: np.einsum("ni,ij,nj->n", x, A, y),
    ],
    "refresher.2-practice": [
        lambda W, x: torch.einsum("mn,bcn->bcm", W, x),
        lambda W, x: x @ W.T,
        lambda W, x: np.einsum("ij,...j", W, x),
    ],
    "refresher.3-null-space": [rank_by_elimination, rank_by_eigenvectors],
    "refresher.3-practice": [
        lambda A: A.shape[1] - torch.linalg.matrix_rank(A),
        lambda A: A.shape[1] - int((torch.linalg.svdvals(A) > 1e-5).sum()),
    ],
    "refresher.4-complex": [turn_with_a_matrix, lambda z, degrees: torch.tensor(z) * 1j ** (degrees / 90)],
    "refresher.4-practice": [wave_by_turning, lambda k, n: torch.exp(2j * math.pi * k * torch.arange(n) / n)],
    "refresher.5-chain": [slope_with_autograd, lambda a, b, x: 2 * a**2 * x + 2 * a * b],
    "refresher.5-practice": [gradient_with_autograd, gradient_with_differences],
    "refresher.6-training": [train_with_a_module, train_with_autograd],
    "refresher.6-practice": [OneParameterEach, LinearLayer],
}


def test_each_section_has_a_check_to_skip_it_and_one_to_practise():
    assert [task.split(".")[1][0] for task in FUNCTION_TASKS] == list("112233445566")
    assert [task.endswith("-practice") for task in FUNCTION_TASKS] == [False, True] * 6
    assert ["You can skip" in find_task(task).shown for task in FUNCTION_TASKS] == [True, False] * 6


@pytest.mark.parametrize(
    ("answer", "line"),
    [
        (lambda A: 2, "expected [rank, v] with a vector v of 2 numbers"),
        (lambda A: [1, [1, 2, 3]], "expected [rank, v] with a vector v of 2 numbers"),
        (lambda A: [1, ["a", "b"]], "expected [rank, v] with a vector v of 2 numbers"),
        (lambda A: [2, [2, -1]], "gave the rank 2"),
        (lambda A: [1, [0, 0]], "v = [0, 0], which is zero"),
        (lambda A: [1, [1, 1]], "A v = [3, 9]"),
    ],
)
def test_a_wrong_null_vector_is_shown_what_it_does(answer, line):
    result = verdict("refresher.3-null-space", answer)
    assert result.status == "not yet"
    assert line in result.message


@pytest.mark.parametrize(
    ("answer", "line"),
    [
        (lambda start: torch.tensor(start), "is not a torch.nn.Module"),
        (lambda start: torch.nn.Identity(), "gave     [0.5, -1, 2]"),
        (lambda start: torch.nn.Linear(2, 2), "RuntimeError"),
        (lambda start: torch.nn.Module(), "NotImplementedError"),
    ],
)
def test_a_module_that_does_not_do(answer, line):
    result = verdict("refresher.6-practice", answer)
    assert result.status == "not yet"
    assert line in result.message


def test_complex_numbers_are_shown_short():
    message = verdict("refresher.4-complex", lambda z, degrees: z).message
    assert message.splitlines() == ["turn((2+1j), 90)", "  gave     2+1j", "  expected -1+2j"]
    message = verdict("refresher.4-practice", lambda k, n: [1j] * n).message
    assert message.splitlines()[1:] == ["  gave     [0+1j, 0+1j, 0+1j, 0+1j]", "  expected [1+0j, 0+1j, -1+0j, 0-1j]"]


def test_each_check_of_the_notebook_is_followed_by_a_solution_that_passes():
    cells = read_notebook(ROOT / "lessons" / "refresher.ipynb").cells
    solved = []
    for cell, following in itertools.pairwise(cells):
        called = re.search(r'^check\("(.+)", (\w+)\)$', cell.source, re.MULTILINE)
        if called:
            (code,) = re.findall(r"<summary>A solution</summary>\n\n```python\n(.*?)```", following.source, re.DOTALL)
            names = {"cmath": cmath, "math": math, "torch": torch}
            exec(code, names)
            assert_passes(called[1], names[called[2]])
            solved.append(called[1])
    assert solved == FUNCTION_TASKS
