"""The linear layer on sets: each item's own features, and the pooled features of all items."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from .base import check_channels, check_mask, random_normal
from .twins import INITIAL_SIZE, EfficientLayer, check_normalize
from .types import Order

__all__ = ["SetLinear"]


class SetLinear(EfficientLayer):
    """y_i = W_id x_i + W_pool mean_j x_j + b: all S_N-equivariant linear maps on sets of any size N, in O(N).

    x is (batch, in_channels, N). ``weight`` is (out_channels, in_channels, 2), the two last being W_id and W_pool; ``bias`` is
    (out_channels,). ``normalize="sum"`` takes Σ_j x_j instead of the mean. ``mask`` (batch, N), boolean, says which items are real:
    padding is left out of the mean or sum, whatever it contains, and comes out as 0. Weights start normal with one
    variance, such that independent inputs of variance 1 give outputs of variance 1 at N = 16.

    Raises ``ValueError`` for a mean over no items (and says in which row); the sum over no items is 0. Source: Zaheer et al. 2017, "Deep
    Sets", lemma 3.

    >>> layer = SetLinear(1, 1, normalize="sum")
    >>> with torch.no_grad():
    ...     _ = layer.weight.copy_(torch.tensor([10.0, 1.0]))
    >>> layer(torch.tensor([[[1.0, 2.0, 3.0]]]))
    tensor([[[16., 26., 36.]]], grad_fn=<AddBackward0>)
    >>> layer(torch.tensor([[[1.0, 2.0, torch.nan]]]), mask=torch.tensor([[True, True, False]]))
    tensor([[[13., 23.,  0.]]], grad_fn=<MaskedFillBackward0>)
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        bias: bool = True,
        normalize: str = "mean",
        *,
        generator: torch.Generator | int | None = None,
        dtype: torch.dtype | None = None,
        device: Any = None,
    ) -> None:
        super().__init__()
        check_channels(in_channels=in_channels, out_channels=out_channels)
        check_normalize(normalize)
        self.in_type = self.out_type = Order(1)
        self.in_channels, self.out_channels, self.normalize = in_channels, out_channels, normalize
        # A mean of N independent numbers has variance 1/N, a sum N.
        pooled = 1 / INITIAL_SIZE if normalize == "mean" else INITIAL_SIZE
        std = (in_channels * (1 + pooled)) ** -0.5
        self.weight = random_normal((out_channels, in_channels, 2), std, generator, dtype, device)
        self.register_parameter("bias", torch.nn.Parameter(self.weight.new_zeros(out_channels)) if bias else None)

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """(batch, in_channels, N) -> (batch, out_channels, N)."""
        weight, bias = self.weight, self.bias
        self.check_input(x, weight)
        if mask is not None:
            check_mask(mask, x, 1)
            # Not x * mask: NaN · 0 is NaN.
            x = x.masked_fill(~mask.unsqueeze(1), 0)
        pooled = self._pooled(x, mask)
        if self.in_channels > 1:
            y = _from_many(x, pooled, weight, bias)
        elif self.out_channels == 1 and _is_plain(weight):
            y = _one_to_one(x, pooled, weight, bias)
        else:
            y = _from_one(x, pooled, weight, bias)
        return y if mask is None else y.masked_fill(~mask.unsqueeze(1), 0)

    def _pooled(self, x: Tensor, mask: Tensor | None) -> Tensor:
        """The sum or mean over the real items: (batch, in_channels, 1)."""
        if self.normalize == "sum":
            return x.sum(-1, keepdim=True)
        if mask is None:
            if x.shape[-1] == 0:
                raise ValueError(
                    f'{self._who} got a set of N = 0 items, which has no mean; normalize="sum" would take it'
                )
            return x.mean(-1, keepdim=True)
        count = mask.sum(-1)
        if not bool((count > 0).all()):
            row = int((count == 0).nonzero()[0])
            raise ValueError(
                f'row {row} of the batch has no real item, so no mean; leave it out, or use normalize="sum"'
            )
        return x.sum(-1, keepdim=True) / count[:, None, None]

    def orbit_weight(self, *sizes: int) -> Tensor:
        """The weights of the equal ``EquivariantLinear`` at N: w_id + w_pool on the diagonal, w_pool beside it (for means w_pool/N)."""
        (n,) = self._checked(sizes)
        each, pool = self.weight.unbind(-1)
        pool = pool / n if self.normalize == "mean" else pool
        return torch.stack([each + pool, pool][: min(n, 2)], -1)

    def orbit_bias(self, *sizes: int) -> Tensor | None:
        """The bias of the equal ``EquivariantLinear``: one number for each output channel."""
        return None if self.bias is None else self.bias.unsqueeze(-1)


def _from_many(x: Tensor, pooled: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """W_id x_i + (W_pool pooled + b)."""
    each, pool = weight.permute(2, 0, 1).contiguous()
    shift = torch.nn.functional.linear(pooled.squeeze(-1), pool, bias).unsqueeze(-1)
    # shift + each @ x. (The operator @ would copy x to fold the batch into one product, which takes longer.)
    return torch.baddbmm(shift, each.expand(x.shape[0], -1, -1), x)


def _from_one(x: Tensor, pooled: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """The same for one input channel, where products of matrices are plain products, which are faster."""
    each, pool = weight.unbind(-1)
    shift = pooled * pool
    if bias is not None:
        shift += bias.unsqueeze(-1)
    y = x * each
    y += shift
    return y


def _one_to_one(x: Tensor, pooled: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """The same for one channel and weights that are plain numbers: one pass over x in place of two."""
    ((each, pool),) = weight[0].tolist()
    shift = pooled * pool if bias is None else torch.add(bias, pooled, alpha=pool)
    return torch.add(shift, x, alpha=each)


def _is_plain(weight: Tensor) -> bool:
    """Whether a weight may be read as numbers: nobody follows it (gradients, a compiled graph, vmap), and no GPU has to be waited for."""
    if torch.is_grad_enabled() or torch.compiler.is_compiling():
        return False
    return weight.device.type == "cpu" and isinstance(weight, torch.nn.Parameter)
