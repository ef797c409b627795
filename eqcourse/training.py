"""One short training loop, which every lesson that trains uses: Adam on shuffled batches, reproducible from a seed."""

import contextlib
import copy
import html
import math
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from tqdm import tqdm

__all__ = ["History", "cross_entropy", "fit"]

VALIDATION_BATCH = 1024


@dataclass
class History:
    """What happened in a training: one loss for each epoch."""

    losses: list[float] = field(default_factory=list)
    """mean loss over the training data, each batch judged before the step that it causes"""
    validation_losses: list[float] = field(default_factory=list)
    """mean loss over the validation data after each epoch; empty without validation data"""
    best_epoch: int = 0
    """counted from 1: the epoch with the smallest validation loss, or without validation data the last one"""

    def __repr__(self) -> str:
        # No losses: they differ a little between processors, and a notebook's stored text must not.
        best = f", the best was {self.best_epoch}" if self.validation_losses else ""
        return f"History({len(self.losses)} epochs{best})"


def fit(
    model: nn.Module,
    loss: Callable[..., Tensor],
    train: Sequence[Tensor],
    *,
    epochs: int = 10,
    batch_size: int = 32,
    learning_rate: float = 1e-3,
    validation: Sequence[Tensor] | None = None,
    patience: int | None = None,
    seed: int = 0,
    device: torch.device | str | None = None,
    progress: bool = True,
) -> History:
    """Train a model by Adam (Kingma and Ba 2015) on batches in random order; the model is changed in place.

    ``train`` and ``validation`` are tuples of tensors (x, y, …) with equal first dimensions; ``loss(model, *batch)``
    returns a scalar, the mean over the batch. The last batch is smaller where batch_size does not divide the data.

    - With ``validation``, the weights of the epoch with the smallest validation loss are restored at the end. With
      ``patience``, training stops once that loss has not fallen for so many epochs. Gradients are on while the
      validation loss is computed, as a loss of forces needs them, and do not reach the weights.
    - ``seed`` decides the order of the batches, and nothing else here is random; the weights that training starts from
      are the model's own. On one machine, on the CPU with one number of threads, the same seed gives the same weights,
      bit for bit. A model that draws random numbers itself (dropout) needs ``torch.manual_seed`` before.
    - ``device`` moves the model, for good, and each batch; None leaves both where they are.
    - ``progress`` shows a bar that leaves nothing behind: in a notebook as an output that is empty in the end, in a
      terminal on stderr, elsewhere (tests, files) not at all.

    The model is in train mode during training, in eval mode during validation, and afterwards in the mode that it came in.
    Raises ValueError for tensors of unequal lengths, empty data, a model without parameters to train, numbers out of
    range, or a loss that is no scalar; FloatingPointError as soon as a loss is NaN or infinite: the weights are then
    those before the step. TypeError for data that are no tuple of tensors.

    >>> x = torch.linspace(-1, 1, 50)[:, None]
    >>> model = nn.Linear(1, 1)
    >>> history = fit(model, lambda model, x, y: ((model(x) - y) ** 2).mean(), (x, 3 * x), epochs=100, learning_rate=0.1)
    >>> len(history.losses), round(model.weight.item(), 2)
    (100, 3.0)
    """
    for name, given in (("epochs", epochs), ("batch_size", batch_size), ("patience", patience)):
        if given is not None and (not isinstance(given, int) or given < 1):
            raise ValueError(f"{name} must be a whole number from 1, got {given!r}")
    if not (math.isfinite(learning_rate) and learning_rate > 0):
        raise ValueError(f"learning_rate must be a positive number, such as 1e-3, got {learning_rate!r}")
    if patience is not None and validation is None:
        raise ValueError("patience stops on the validation loss: give validation=(x, y) too")
    _check_data("train", train)
    if validation is not None:
        _check_data("validation", validation)
        if len(validation) != len(train):
            raise ValueError(f"train has {len(train)} tensors and validation {len(validation)}: give the same kinds")
    parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
    if not parameters:
        raise ValueError(f"{type(model).__name__} has no parameters to train: none at all, or all are frozen")

    if device is not None:
        model.to(device)
    optimiser = torch.optim.Adam(parameters, lr=learning_rate)
    generator = torch.Generator().manual_seed(seed)
    history = History()
    best, best_weights = math.inf, None
    modes = [(module, module.training) for module in model.modules()]
    number = len(train[0])
    steps = -(-number // batch_size)
    step = 0
    try:
        with _bar(epochs * steps, progress) as bar:
            for epoch in range(1, epochs + 1):
                model.train()
                total = 0.0
                for chosen in torch.randperm(number, generator=generator).split(batch_size):
                    step += 1
                    optimiser.zero_grad()
                    value = _loss(
                        model, loss, _batch(train, chosen, device), f"step {step}, in epoch {epoch} of {epochs}"
                    )
                    if not value.requires_grad:
                        raise ValueError("the loss does not depend on the model's weights: was something detached?")
                    value.backward()
                    optimiser.step()
                    total += value.item() * len(chosen)
                    bar.update()
                history.losses.append(total / number)
                history.best_epoch = epoch
                if validation is not None:
                    now = _validation_loss(model, loss, validation, device, f"validation after epoch {epoch}")
                    history.validation_losses.append(now)
                    if now < best:
                        best, best_weights = now, copy.deepcopy(model.state_dict())
                    history.best_epoch = 1 + history.validation_losses.index(best)
                    if patience is not None and epoch - history.best_epoch >= patience:
                        break
    finally:
        for module, training in modes:
            module.training = training
        optimiser.zero_grad()
    if best_weights is not None:
        model.load_state_dict(best_weights)
    return history


def cross_entropy(model: nn.Module, x: Tensor, labels: Tensor) -> Tensor:
    """The cross entropy of a classifier, as a loss for `fit`: model(x) is (batch, classes, \\*axes), labels (batch, \\*axes).

    The mean over the batch, and over pixels where there are axes. Raises ValueError for labels that are no int64
    numbers from 0 to classes − 1 or have another shape.

    >>> cross_entropy(nn.Identity(), torch.tensor([[9.0, 0.0]]), torch.tensor([0])).item() < 0.001
    True
    """
    scores = model(x)
    if scores.ndim < 2 or labels.shape != (len(scores), *scores.shape[2:]):
        raise ValueError(
            f"scores of shape (batch, classes, *axes) go with labels (batch, *axes); got {tuple(scores.shape)} "
            f"and {tuple(labels.shape)}"
        )
    if labels.dtype != torch.int64:
        raise ValueError(f"labels must be class numbers of type int64, got {labels.dtype}: convert them, labels.long()")
    classes = scores.shape[1]
    if labels.numel() and not 0 <= int(labels.min()) <= int(labels.max()) < classes:
        raise ValueError(
            f"labels run from {int(labels.min())} to {int(labels.max())}, but the model has scores for {classes} classes, "
            f"0 to {classes - 1}: give it more, or number the classes from 0"
        )
    return nn.functional.cross_entropy(scores, labels)


def _check_data(name: str, data: Sequence[Tensor]) -> None:
    if isinstance(data, Tensor) or not all(isinstance(part, Tensor) for part in data):
        given = type(data).__name__ if isinstance(data, Tensor) else ", ".join(type(part).__name__ for part in data)
        raise TypeError(f"{name} must be a tuple of tensors, such as (x, y), got {given}")
    shapes = ", ".join(str(tuple(part.shape)) for part in data)
    if not data or any(part.ndim == 0 or not len(part) for part in data):
        raise ValueError(f"{name} has no data: its shapes are {shapes or 'none'}")
    if len({len(part) for part in data}) > 1:
        raise ValueError(f"the tensors of {name} differ in their first dimension, the number of samples: {shapes}")


def _batch(data: Sequence[Tensor], chosen: Tensor | slice, device: torch.device | str | None) -> list[Tensor]:
    """The chosen samples. The indices lie on the CPU, wherever the data are."""
    parts = [part[chosen.to(part.device) if isinstance(chosen, Tensor) else chosen] for part in data]
    return parts if device is None else [part.to(device) for part in parts]


def _loss(model: nn.Module, loss: Callable[..., Tensor], batch: Sequence[Tensor], where: str) -> Tensor:
    value = loss(model, *batch)
    if not isinstance(value, Tensor) or value.numel() != 1:
        given = f"a tensor of shape {tuple(value.shape)}" if isinstance(value, Tensor) else type(value).__name__
        raise ValueError(f"loss(model, *batch) must return one number in a tensor, got {given}: take the mean")
    if not value.isfinite().all():
        raise FloatingPointError(
            f"the loss is {value.item()} at {where}. Try a smaller learning_rate, and check the inputs: all finite "
            "(x.isfinite().all()), of size about 1, and no division by zero or log of zero in the loss"
        )
    return value


def _validation_loss(
    model: nn.Module,
    loss: Callable[..., Tensor],
    data: Sequence[Tensor],
    device: torch.device | str | None,
    where: str,
) -> float:
    model.eval()
    total, number = 0.0, len(data[0])
    for start in range(0, number, VALIDATION_BATCH):
        batch = _batch(data, slice(start, start + VALIDATION_BATCH), device)
        total += _loss(model, loss, batch, where).item() * len(batch[0])
    return total / number


class _CellOutput:
    """The place in a notebook's output where a bar is drawn: a file for tqdm that shows only what was written last.

    The output exists from the start and ends as it began, empty. A notebook thus stores nothing of the bar, whether
    it was executed in JupyterLab, by nbclient, or by nbval, which looks only at how outputs begin.
    """

    def __init__(self) -> None:
        from IPython.display import display

        self.handle: Any = display({"text/html": ""}, raw=True, display_id=True)

    def write(self, text: str) -> None:
        bar = text.strip()
        self.handle.update({"text/html": f"<pre>{html.escape(bar)}</pre>" if bar else ""}, raw=True)

    def flush(self) -> None:
        pass


class _Bar(tqdm):
    monitor_interval = 0  # no thread of its own, whose messages a notebook could not place


@contextlib.contextmanager
def _bar(total: int, progress: bool) -> Iterator[_Bar]:
    """A tqdm bar that leaves nothing behind; disabled where nobody would see it."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    in_notebook = hasattr(shell, "kernel")
    if not progress or not (in_notebook or sys.stderr.isatty()):
        yield _Bar(total=total, disable=True)
        return
    where: Any = _CellOutput() if in_notebook else sys.stderr
    with _Bar(total=total, file=where, leave=False, mininterval=0.2, ncols=72 if in_notebook else None) as bar:
        yield bar
