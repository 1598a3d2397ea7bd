"""A phase's turn in the training loop: micro-batches, gradients, the guard, the update.

Each phase is a small module of its own whose forward returns its losses: that is what DDP and `torch.compile` wrap.
Only the parameters a phase trains require gradients while it runs.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from accelerate import Accelerator
from accelerate.utils import DistributedDataParallelKwargs
from torch import Tensor, nn

from gen.guard import Guard
from gen.interfaces import LRSchedule, Model, Phase
from gen.lr_schedules import factor_at
from gen.seeds import key, seed_all
from gen.types import Batch, Losses, Progress

__all__ = ["PhaseModule", "Turn"]


class PhaseModule(nn.Module):
    """A phase as a module: forward(batch, progress) → losses. Holds the model, so that DDP finds its parameters."""

    def __init__(self, model: Model, phase: Phase) -> None:
        super().__init__()
        self.model = model
        self.loss = phase.loss

    def forward(self, batch: Batch, progress: Progress) -> Losses:
        return self.loss(batch, progress)


class Turn:
    """One phase with its optimizer, ready to run.

    Args:
        number: the place of the phase in the step; part of the key of its randomness.
        pieces: micro-batches of the global batch, over all processes.
    """

    def __init__(
        self,
        model: Model,
        phase: Phase,
        *,
        number: int,
        optimizer: torch.optim.Optimizer,
        schedule: LRSchedule,
        parameters: Sequence[nn.Parameter],
        accelerator: Accelerator,
        precision: str,
        clip: float | None,
        pieces: int,
        seed: int,
        compile: bool = False,
    ) -> None:
        self.model, self.phase, self.name, self.number = model, phase, phase.name, number
        self.every, self.repeat = phase.every, phase.repeat
        self.optimizer, self.schedule, self.parameters = optimizer, schedule, list(parameters)
        self.accelerator, self.precision, self.clip, self.seed = accelerator, precision, clip, seed
        self.share = pieces // accelerator.num_processes
        self.rates, self.factor = [group["lr"] for group in optimizer.param_groups], 1.0
        self.scaler = torch.amp.GradScaler(accelerator.device.type, enabled=precision == "fp16")
        self.guard = Guard(optimizer, accelerator, scaling=self.scaler.is_enabled())
        self.sums: dict[str, Tensor] = {}
        self.count = 0
        self.module = self._wrap(compile)

    def _wrap(self, compile: bool) -> Any:
        self.require_gradients()
        module: Any = PhaseModule(self.model, self.phase)
        if compile:
            module = torch.compile(module)
        if self.accelerator.num_processes > 1:
            handler = DistributedDataParallelKwargs(broadcast_buffers=False, find_unused_parameters=self.phase.sparse)
            self.accelerator.ddp_handler = handler
            with warnings.catch_warnings():  # its successor copies buffers at the start, pools of a process too
                warnings.filterwarnings("ignore", "`broadcast_buffers` is deprecated", FutureWarning)
                return self.accelerator.prepare_model(module)
        return module

    def require_gradients(self) -> None:
        """Lets exactly this phase's parameters require gradients."""
        mine = {id(parameter) for parameter in self.parameters}
        for parameter in self.model.parameters():
            parameter.requires_grad_(id(parameter) in mine)

    def due(self, step: int) -> bool:
        return step % self.every == 0

    def progress(self, step: int, steps: int, repeat: int) -> Progress:
        """How far training is at an update of this phase, in a step where it is due."""
        return Progress(step, steps, step // self.every * self.repeat + repeat)

    def run(self, batches: Iterable[tuple[int, Batch]], progress: Progress, repeat: int) -> None:
        """One update from this process's numbered micro-batches of a global batch.

        Raises:
            Stopped: a loss or a gradient was not finite; no weight has changed.
        """
        self._set_rates(progress)
        self.optimizer.zero_grad(set_to_none=True)
        for turn, (number, batch) in enumerate(batches, 1):
            seed_all(key(self.seed, progress.step, self.number, repeat, number), self.accelerator.device)
            with self._no_sync(turn), self._autocast():
                losses = self.module(batch, progress)
            with self._no_sync(turn):
                self.scaler.scale(losses.total / self.share if self.share > 1 else losses.total).backward()
            self._note(losses)
        self._update(losses, progress)

    def _set_rates(self, progress: Progress) -> None:
        factor = factor_at(self.schedule, progress.step, progress.steps)
        if factor == self.factor:
            return
        self.factor = factor
        for group, rate in zip(self.optimizer.param_groups, self.rates, strict=True):
            group["lr"] = rate * factor

    def _no_sync(self, turn: int) -> AbstractContextManager[Any]:
        """Gradients are exchanged once, with the last micro-batch."""
        if turn < self.share and hasattr(self.module, "no_sync"):
            context: AbstractContextManager[Any] = self.module.no_sync()
            return context
        return nullcontext()

    def _autocast(self) -> AbstractContextManager[Any]:
        if self.precision == "fp32":
            return nullcontext()
        context: AbstractContextManager[Any] = self.accelerator.autocast()
        return context

    def _update(self, losses: Losses, progress: Progress) -> None:
        if self.scaler.is_enabled():
            self.scaler.unscale_(self.optimizer)
        gradients = [parameter.grad for parameter in self.parameters if parameter.grad is not None]
        # as torch.nn.utils.get_total_norm, without its sorting by device: a phase has one
        norm = torch.linalg.vector_norm(torch.stack(torch._foreach_norm(gradients)))
        self.guard.check(losses, norm, self.name, progress.step)
        if self.clip is not None:
            torch.nn.utils.clip_grads_with_norm_(self.parameters, self.clip, norm)
        self.scaler.step(self.optimizer)
        self.scaler.update()

    @torch.no_grad()
    def _note(self, losses: Losses) -> None:
        """Adds to the running sums that the log reads at its own cadence."""
        values = {"loss": losses.total.detach(), **losses.terms}
        if self.sums.keys() != values.keys():
            self.sums = {name: torch.zeros_like(value, dtype=torch.float32) for name, value in values.items()}
            self.count = 0
        torch._foreach_add_(list(self.sums.values()), [values[name].detach() for name in self.sums])  # restored: sorted
        self.count += 1

    def means(self) -> dict[str, float]:
        """The means of loss and terms since the last call, over all processes; starts a new window."""
        if not self.count:
            return {}
        stacked = torch.stack(list(self.sums.values())) / self.count
        values = self.accelerator.reduce(stacked, "mean").tolist()
        named = {f"{self.name}/{name}": value for name, value in zip(self.sums, values, strict=True)}
        self.sums, self.count = {}, 0
        return named
