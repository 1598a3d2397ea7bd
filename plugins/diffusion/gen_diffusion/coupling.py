"""How data meet noise within a batch."""

from __future__ import annotations

import torch
from scipy.optimize import linear_sum_assignment
from torch import Tensor

__all__ = ["couple"]


@torch.no_grad()
def couple(x: Tensor, noise: Tensor) -> Tensor:
    """The same noise [B, *shape] in the order that brings it nearest to x: an optimal assignment in squared distance.

    Exact optimal transport between the two batches (Tong et al. 2024, arXiv:2302.00482); O(B^3) on the CPU.
    """
    cost = torch.cdist(x.flatten(1).float(), noise.flatten(1).float()).square()  # [B, B]
    if cost.is_meta:
        return noise
    _, order = linear_sum_assignment(cost.cpu().numpy())
    return noise[torch.from_numpy(order).to(noise.device)]
