"""The training loop does what it says: it learns, repeats itself, stops where it should, and names what was wrong."""

import math
import sys

import nbformat
import pytest
import torch
from torch import nn

from eqcourse.tools import notebooks
from eqcourse.training import History, cross_entropy, fit

X = torch.linspace(-1, 1, 40)[:, None]
LINE = (X, 2 * X - 1)


def squared(model, x, y):
    return ((model(x) - y) ** 2).mean()


def small(seed=0):
    torch.manual_seed(seed)
    return nn.Sequential(nn.Linear(1, 8), nn.Tanh(), nn.Linear(8, 1))


def weights(model):
    return torch.cat([parameter.detach().flatten() for parameter in model.parameters()])


class Recorder(nn.Module):
    """Remembers the batches it saw and the mode it was in; its loss is the squared weight."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(()))
        self.seen = []

    def forward(self, x):
        self.seen.append((x.clone(), self.training))
        return self.weight


def weight_squared(model, x):
    return model(x) ** 2


def test_a_line_is_learnt():
    model = nn.Linear(1, 1)
    history = fit(model, squared, LINE, epochs=150, learning_rate=0.1)
    assert weights(model).tolist() == pytest.approx([2, -1], abs=1e-3)
    assert len(history.losses) == 150
    assert history.losses[-1] < 1e-5 < history.losses[0]
    assert history.best_epoch == 150
    assert history.validation_losses == []


def test_steps_are_those_of_adam_on_the_batches_that_the_seed_orders():
    model, other = small(), small()
    history = fit(model, squared, LINE, epochs=2, batch_size=16, learning_rate=0.01, seed=5)

    optimiser = torch.optim.Adam(other.parameters(), lr=0.01)
    generator = torch.Generator().manual_seed(5)
    for epoch in range(2):
        order, total = torch.randperm(40, generator=generator), 0.0
        for chosen in (order[:16], order[16:32], order[32:]):
            loss = squared(other, X[chosen], LINE[1][chosen])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            total += loss.item() * len(chosen) / 40
        assert history.losses[epoch] == pytest.approx(total, rel=1e-6)
    assert torch.equal(weights(model), weights(other))


def test_each_epoch_shows_each_sample_once_in_another_order():
    model = Recorder()
    fit(model, weight_squared, (torch.arange(10.0),), epochs=3, batch_size=4)
    batches = [x for x, _ in model.seen]
    assert [len(batch) for batch in batches] == [4, 4, 2] * 3
    epochs = [torch.cat(batches[start : start + 3]) for start in (0, 3, 6)]
    assert all(epoch.sort().values.tolist() == list(range(10)) for epoch in epochs)
    assert not torch.equal(epochs[0], epochs[1])


def test_the_same_seed_gives_the_same_weights_bit_for_bit_and_leaves_global_randomness_alone():
    trained = []
    for seed, noise in ((3, 1), (3, 2), (4, 1)):
        model = small()
        torch.manual_seed(noise)
        before = torch.get_rng_state()
        history = fit(model, squared, LINE, epochs=3, batch_size=7, seed=seed)
        assert torch.equal(torch.get_rng_state(), before)
        trained.append((weights(model), history.losses))
    assert torch.equal(trained[0][0], trained[1][0])
    assert trained[0][1] == trained[1][1]
    assert not torch.equal(trained[0][0], trained[2][0])


def test_a_progress_bar_changes_nothing(monkeypatch, capsys):
    plain, shown = small(), small()
    fit(plain, squared, LINE, epochs=2, progress=False)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    fit(shown, squared, LINE, epochs=2)
    assert torch.equal(weights(plain), weights(shown))
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "4/4" in captured.err or "0/4" in captured.err
    assert captured.err.endswith("\r")  # the line was cleared


def test_where_nobody_looks_there_is_no_bar(capsys):
    fit(small(), squared, LINE)
    captured = capsys.readouterr()
    assert captured.out == captured.err == ""


def test_a_notebook_shows_a_bar_and_stores_nothing_of_it(tmp_path):
    bar = "bar = training._CellOutput()\nbar.write('\\r 50%|<')"
    cells = [
        "import torch\nfrom eqcourse import training",
        "x = torch.ones(5, 1)\ntraining.fit(torch.nn.Linear(1, 1), lambda model, x: (model(x) ** 2).mean(), (x,));",
        bar,
        f"{bar}\nbar.write('\\r     \\r')",
    ]
    nb = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    notebooks.execute(nb, tmp_path)
    stored = [[dict(output.data) for output in cell.outputs] for cell in nb.cells]
    assert stored == [[], [{"text/html": ""}], [{"text/html": "<pre>50%|&lt;</pre>"}], [{"text/html": ""}]]


def test_the_best_weights_by_validation_are_restored():
    # Training pulls the weight from 0 to 3; validation likes 1 best.
    model = nn.Linear(1, 1, bias=False)
    nn.init.zeros_(model.weight)
    one = torch.ones(1, 1)
    history = fit(model, squared, (one, 3 * one), epochs=60, learning_rate=0.1, validation=(one, one))
    assert len(history.validation_losses) == 60
    best = min(history.validation_losses)
    assert history.validation_losses[history.best_epoch - 1] == best < 0.01
    assert squared(model, one, one).item() == best
    assert 1 < history.best_epoch < 30


def test_patience_stops_so_many_epochs_after_the_best():
    model = nn.Linear(1, 1, bias=False)
    nn.init.zeros_(model.weight)
    one = torch.ones(1, 1)
    history = fit(model, squared, (one, 3 * one), epochs=60, learning_rate=0.1, validation=(one, one), patience=4)
    assert len(history.losses) == len(history.validation_losses) == history.best_epoch + 4 < 60


def test_validation_is_the_mean_over_all_samples_in_eval_mode_and_without_a_step():
    model = Recorder()
    data = torch.arange(1500.0)
    history = fit(model, lambda model, x: (model(x) * x).mean() ** 2, (data[:2],), epochs=1, validation=(data,))
    assert [training for _, training in model.seen] == [True, False, False]
    assert [len(x) for x, _ in model.seen] == [2, 1024, 476]
    weight = model.weight.item()
    expected = (1024 * data[:1024].mean() ** 2 + 476 * data[1024:].mean() ** 2) / 1500 * weight**2
    assert history.validation_losses[0] == pytest.approx(expected.item(), rel=1e-5)


def test_a_loss_may_differentiate_the_model_in_validation_too():
    def slope(model, x, y):
        x = x.clone().requires_grad_()
        (gradient,) = torch.autograd.grad(model(x).sum(), x, create_graph=True)
        return ((gradient - y) ** 2).mean()

    model = small()
    history = fit(model, slope, (X, 2 * X), epochs=100, learning_rate=0.03, validation=(X, 2 * X))
    assert history.validation_losses[-1] < 0.05 * history.validation_losses[0]


def test_each_module_gets_its_mode_back():
    model = nn.Sequential(nn.Linear(1, 1), nn.Dropout(0.5), nn.Linear(1, 1))
    model.train()
    model[1].eval()
    fit(model, squared, LINE, epochs=1, validation=LINE)
    assert [module.training for module in model] == [True, False, True]
    model.eval()
    with pytest.raises(FloatingPointError):
        fit(model, squared, (X * math.nan, X), epochs=1)
    assert not any(module.training for module in model.modules())


def test_frozen_weights_stay_and_gradients_are_cleared():
    model = small()
    model[0].requires_grad_(False)
    before = model[0].weight.clone()
    fit(model, squared, LINE, epochs=2)
    assert torch.equal(model[0].weight, before)
    assert all(parameter.grad is None for parameter in model.parameters())


@pytest.mark.parametrize("batch_size", [1, 39, 40, 1000])
def test_batches_of_any_size_work(batch_size):
    assert len(fit(small(), squared, LINE, epochs=2, batch_size=batch_size).losses) == 2


def test_one_sample_is_enough():
    history = fit(small(), squared, (X[:1], X[:1]), epochs=3, batch_size=1)
    assert history.losses[2] < history.losses[0]


def test_integers_masks_and_several_inputs_reach_the_loss():
    def loss(model, x, y, mask, number):
        assert mask.dtype == torch.bool
        assert number.dtype == torch.int64
        return ((model(x) - y)[mask] ** 2).mean()

    mask = X[:, 0] > -0.5
    history = fit(small(), loss, (*LINE, mask, torch.arange(40)), epochs=3, learning_rate=0.01)
    assert history.losses[2] < history.losses[0]


def test_a_device_takes_model_and_batches():
    model = small()
    fit(model, squared, LINE, epochs=1, device="cpu")
    assert model[0].weight.device == torch.device("cpu")
    # "meta" holds no numbers: that the loss has none shows that model and batches were moved.
    with pytest.raises((RuntimeError, NotImplementedError), match="meta"):
        fit(model, squared, LINE, epochs=1, device="meta")
    assert model[0].weight.device == torch.device("meta")


@pytest.mark.gpu
def test_training_on_a_gpu():
    model = small()
    before = weights(model)
    fit(model, squared, LINE, epochs=1, device="cuda", validation=LINE)
    assert model[0].weight.is_cuda
    assert not torch.equal(weights(model).cpu(), before)


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_a_loss_that_is_no_number_stops_at_once(bad):
    x = X.clone()
    x[17] = bad
    model = Recorder()
    with pytest.raises(FloatingPointError, match=r"step \d+, in epoch 1 of 9\. Try a smaller learning_rate.*inputs"):
        fit(model, lambda model, x: (model(x) * x.abs()).mean(), (x,), epochs=9, batch_size=5)
    assert model.weight.isfinite()
    position = torch.randperm(40, generator=torch.Generator().manual_seed(0)).tolist().index(17)
    assert len(model.seen) == position // 5 + 1


def test_diverging_training_stops_and_says_where():
    def exploding(model, x):
        return model(x).pow(2).mean().exp()

    with pytest.raises(FloatingPointError, match=r"the loss is inf at step 2, in epoch 2 of 50"):
        fit(nn.Linear(1, 1), exploding, (X,), epochs=50, batch_size=40, learning_rate=1e3)


def test_a_validation_loss_that_is_no_number_stops():
    with pytest.raises(FloatingPointError, match="validation after epoch 1"):
        fit(small(), squared, LINE, validation=(X * math.nan, X))


@pytest.mark.parametrize(
    ("train", "message"),
    [
        ((X, X[:-1]), r"the tensors of train differ .*\(40, 1\), \(39, 1\)"),
        ((X[:0], X[:0]), r"train has no data: its shapes are \(0, 1\), \(0, 1\)"),
        ((), "train has no data: its shapes are none"),
        ((X, torch.tensor(1.0)), "train has no data"),
    ],
)
def test_data_that_do_not_fit_are_refused(train, message):
    with pytest.raises(ValueError, match=message):
        fit(small(), squared, train)
    with pytest.raises(ValueError, match=message.replace("train", "validation")):
        fit(small(), squared, LINE, validation=train)


@pytest.mark.parametrize("train", [X, (X, [1.0] * 40)])
def test_data_that_are_no_tensors_are_refused(train):
    with pytest.raises(TypeError, match="must be a tuple of tensors, such as"):
        fit(small(), squared, train)


def test_validation_of_another_kind_is_refused():
    with pytest.raises(ValueError, match="train has 2 tensors and validation 1"):
        fit(small(), squared, LINE, validation=(X,))


@pytest.mark.parametrize("model", [nn.ReLU(), nn.Linear(1, 1).requires_grad_(False)])
def test_a_model_without_parameters_is_refused(model):
    with pytest.raises(ValueError, match="has no parameters to train"):
        fit(model, squared, LINE)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"epochs": 0}, "epochs must be a whole number from 1, got 0"),
        ({"batch_size": 2.5}, "batch_size must be a whole number from 1, got 2.5"),
        ({"patience": 0, "validation": LINE}, "patience must be"),
        ({"patience": 3}, "give validation="),
        ({"learning_rate": -1.0}, "learning_rate must be a positive number"),
        ({"learning_rate": math.nan}, "learning_rate must be a positive number"),
    ],
)
def test_numbers_out_of_range_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        fit(small(), squared, LINE, **options)


@pytest.mark.parametrize(
    ("loss", "message"),
    [
        (
            lambda model, x, y: (model(x) - y) ** 2,
            r"one number in a tensor, got a tensor of shape \(32, 1\): take the mean",
        ),
        (lambda model, x, y: squared(model, x, y).item(), "one number in a tensor, got float"),
        (lambda model, x, y: squared(model, x, y).detach(), "does not depend on the model's weights"),
    ],
)
def test_a_loss_that_is_no_scalar_of_the_weights_is_refused(loss, message):
    with pytest.raises(ValueError, match=message):
        fit(small(), loss, LINE)


def test_cross_entropy_is_that_of_torch_for_vectors_and_pixels():
    generator = torch.Generator().manual_seed(0)
    for shape in ((6, 4), (6, 4, 3, 5)):
        scores = torch.randn(shape, generator=generator)
        labels = torch.randint(4, (6, *shape[2:]), generator=generator)
        expected = -scores.log_softmax(dim=1).gather(1, labels[:, None]).mean()
        assert torch.allclose(cross_entropy(nn.Identity(), scores, labels), expected)


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (torch.tensor([0, 3]), "labels run from 0 to 3, but the model has scores for 3 classes, 0 to 2"),
        (torch.tensor([-1, 2]), "labels run from -1 to 2"),
        (torch.tensor([0.0, 1.0]), "of type int64, got torch.float32"),
        (torch.tensor([0, 1, 2]), r"got \(2, 3\) and \(3,\)"),
        (torch.tensor([[0], [1]]), r"got \(2, 3\) and \(2, 1\)"),
    ],
)
def test_labels_out_of_range_are_refused(labels, message):
    with pytest.raises(ValueError, match=message):
        cross_entropy(nn.Identity(), torch.zeros(2, 3), labels)


def test_a_history_is_short_and_says_nothing_that_differs_between_processors():
    assert repr(History([0.5, 0.25])) == "History(2 epochs)"
    assert repr(History([0.5, 0.25], [1.0, 2.0], 1)) == "History(2 epochs, the best was 1)"
