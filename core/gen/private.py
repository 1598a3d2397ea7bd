"""What of a model belongs to one process alone, such as an image pool, and no part of the model that is trained.

A module lists the names of such buffers in `per_rank`. They are saved with their process in a checkpoint, and stand in
no weights file.
"""

from __future__ import annotations

from torch import Tensor, nn

__all__ = ["per_rank_names", "shared_state"]


def per_rank_names(model: nn.Module) -> set[str]:
    """The full names of the buffers that belong to a process."""
    return {
        f"{prefix}.{name}" if prefix else name
        for prefix, module in model.named_modules()
        for name in getattr(module, "per_rank", ())
    }


def shared_state(model: nn.Module) -> dict[str, Tensor]:
    """The model's tensors without those of a process: what weights files hold."""
    private = per_rank_names(model)
    return {name: tensor for name, tensor in model.state_dict().items() if name not in private}
