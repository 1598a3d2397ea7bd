"""The guard against non-finite losses and gradients: decided by all processes together, before the update."""

from __future__ import annotations

import math

import torch
from accelerate import Accelerator
from torch import Tensor

from gen.errors import Stopped
from gen.types import Losses

__all__ = ["Guard", "NonFinite"]

_FP16_PATIENCE = 50  # updates in a row that the fp16 scaler may skip while it looks for a scale


class NonFinite(Stopped):
    """A loss or a gradient is not finite; no weight has changed. Names phase, terms and step."""

    def __init__(self, phase: str, culprits: list[str], step: int) -> None:
        self.phase, self.culprits, self.step = phase, culprits, step
        what = " and ".join(culprits)
        super().__init__(f"step {step}, phase {phase}: {what} not finite; the update was not made")


class Guard:
    """Stops a run before a non-finite value reaches a weight.

    On the CPU the verdict is read at once (it costs microseconds). On a GPU the verdict gates fused optimizers on the
    device and is read one step later, so that the host never waits; other optimizers there are guarded at once.
    With fp16, overflow is part of the scaler's search for a scale and only a long row of skips stops the run.
    """

    def __init__(self, optimizer: torch.optim.Optimizer, accelerator: Accelerator, *, scaling: bool) -> None:
        self.optimizer, self.accelerator, self.scaling = optimizer, accelerator, scaling
        fused = all(group.get("fused") for group in optimizer.param_groups)
        self.later = accelerator.device.type == "cuda" and fused and not scaling
        self.skips = 0
        self._pending: tuple[Tensor, Losses, str, int] | None = None

    def check(self, losses: Losses, norm: Tensor, phase: str, step: int) -> None:
        """Judges one update.

        Raises:
            NonFinite: on every process, if any process met a non-finite value.
        """
        if not self.later and self.accelerator.num_processes == 1:
            self._judge(math.isfinite(losses.total.item() + norm.item()), losses, phase, step)
            return
        bad = ~torch.isfinite(losses.total.detach() + norm)
        if self.accelerator.num_processes > 1:
            bad = self.accelerator.reduce(bad.float(), "sum") > 0
        if self.later:
            self.settle()
            self.optimizer.found_inf = bad.float()  # type: ignore[attr-defined]  # read by torch's fused kernels
            self._pending = (bad, losses, phase, step)
            return
        self._judge(not bad.item(), losses, phase, step)

    def _judge(self, good: bool, losses: Losses, phase: str, step: int) -> None:
        if good:
            self.skips = 0
        else:
            self._refuse(losses, phase, step)

    def settle(self) -> None:
        """Reads a verdict that was left on the device; called before anything is saved."""
        if self._pending is not None:
            bad, losses, phase, step = self._pending
            self._pending = None
            if bad.item():
                self._refuse(losses, phase, step)

    def _refuse(self, losses: Losses, phase: str, step: int) -> None:
        self.skips += 1
        if self.scaling and self.skips < _FP16_PATIENCE:
            return
        named = {"the loss": losses.total, **{f'the term "{name}"': value for name, value in losses.terms.items()}}
        culprits = [name for name, value in named.items() if not torch.isfinite(value).all()]
        raise NonFinite(phase, self._all(culprits) or ["the gradient"], step)

    def _all(self, culprits: list[str]) -> list[str]:
        """The culprits of all processes: gradients are summed, so only losses and terms tell whose they were."""
        if self.accelerator.num_processes == 1:
            return culprits
        found: list[list[str]] = [[] for _ in range(self.accelerator.num_processes)]
        torch.distributed.all_gather_object(found, culprits)
        return [f"{what} on process {rank}" for rank, those in enumerate(found) for what in those]
