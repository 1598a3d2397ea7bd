"""What a checkpoint holds of a training run, as tensors and JSON: nothing else is needed to go on bit-identical.

No generator state is kept: randomness is a function of seed, step, phase and micro-batch.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from gen.checkpoint import Checkpoint
from gen.errors import CheckpointError
from gen.private import per_rank_names, shared_state
from gen.trainer import Trainer

__all__ = ["pack", "pack_rank", "unpack"]

Files = dict[str, dict[str, Tensor]]


def pack(trainer: Trainer) -> tuple[Files, dict[str, Any]]:
    """The state that all processes share: tensors by file stem, and JSON."""
    model = trainer.experiment.model
    files: Files = {"model": shared_state(model)}
    if trainer.ema is not None:
        files |= {f"ema-{decay:g}": trainer.ema.state(decay) for decay in trainer.ema.averages}
    scalars: dict[str, Any] = {}
    for turn in trainer.turns:
        files[f"optimizer-{turn.name}"], scalars[turn.name] = _pack_optimizer(trainer, turn)
    state = {
        "step": trainer.step,
        "cursor": trainer.cursor,
        "seconds": trainer.seconds,
        "optimizers": scalars,
        "scalers": {turn.name: turn.scaler.state_dict() for turn in trainer.turns},
        "processes": trainer.accelerator.num_processes,
    }
    return files, state


def pack_rank(trainer: Trainer) -> dict[str, Tensor]:
    """The state that belongs to this process: declared buffers, and the window of the log."""
    private = per_rank_names(trainer.experiment.model)
    tensors = {f"model/{name}": t for name, t in trainer.experiment.model.state_dict().items() if name in private}
    for turn in trainer.turns:
        tensors |= {f"window/{turn.name}/{term}": value for term, value in turn.sums.items()}
        tensors[f"count/{turn.name}"] = torch.tensor(turn.count)
    return tensors


def _pack_optimizer(trainer: Trainer, turn: Any) -> tuple[dict[str, Tensor], dict[str, Any]]:
    tensors: dict[str, Tensor] = {}
    scalars: dict[str, Any] = {}
    for name, parameter in zip(trainer.parameter_names(turn.name), turn.parameters, strict=True):
        for entry, value in turn.optimizer.state.get(parameter, {}).items():
            if isinstance(value, Tensor):
                tensors[f"{name}/{entry}"] = value
            elif value is not None:
                scalars[f"{name}/{entry}"] = value
    return tensors, scalars


@torch.no_grad()
def unpack(trainer: Trainer, checkpoint: Checkpoint) -> None:
    """Puts a checkpoint's state into a freshly built trainer.

    Raises:
        CheckpointError: the checkpoint belongs to another model or another set of averages.
    """
    files = checkpoint.tensors
    state: Any = checkpoint.state
    model = trainer.experiment.model
    own = files.get(f"rank-{trainer.accelerator.process_index}", {})
    private = {name.removeprefix("model/"): t for name, t in own.items() if name.startswith("model/")}
    missing = set(model.state_dict()) ^ {*files["model"], *(private or per_rank_names(model))}
    if missing:
        raise CheckpointError(f"{checkpoint.path} belongs to another model: {', '.join(sorted(missing)[:5])} differ")
    model.load_state_dict({**files["model"], **private}, strict=False)
    if trainer.ema is not None:
        for decay in trainer.ema.averages:
            if f"ema-{decay:g}" not in files:
                where = f"{checkpoint.path} keeps no average of decay {decay:g}"
                raise CheckpointError(f"{where}: leave train.ema as it was")
            trainer.ema.restore(decay, files[f"ema-{decay:g}"])
    for turn in trainer.turns:
        scalars = state["optimizers"].get(turn.name, {})
        _unpack_optimizer(trainer, turn, files.get(f"optimizer-{turn.name}", {}), scalars)
        if turn.scaler.is_enabled():
            turn.scaler.load_state_dict(state["scalers"][turn.name])
        prefix = f"window/{turn.name}/"
        turn.sums = {n.removeprefix(prefix): t.to(_device(trainer)) for n, t in own.items() if n.startswith(prefix)}
        turn.count = int(own.get(f"count/{turn.name}", torch.tensor(0)))
    trainer.step, trainer.cursor = int(state["step"]), int(state["cursor"])
    trainer.seconds = float(state["seconds"])


def _unpack_optimizer(trainer: Trainer, turn: Any, tensors: dict[str, Tensor], scalars: dict[str, Any]) -> None:
    """Step counters stay where the optimizer wants them: on the CPU, unless its kernels are fused on a GPU."""
    for name, parameter in zip(trainer.parameter_names(turn.name), turn.parameters, strict=True):
        prefix = f"{name}/"
        state: dict[str, Any] = {n.removeprefix(prefix): t for n, t in tensors.items() if n.startswith(prefix)}
        fused = turn.optimizer.param_groups[0].get("fused")
        state = {k: t if k == "step" and not fused else t.to(parameter.device) for k, t in state.items()}
        state |= {n.removeprefix(prefix): value for n, value in scalars.items() if n.startswith(prefix)}
        if state:
            turn.optimizer.state[parameter] = state


def _device(trainer: Trainer) -> torch.device:
    device: torch.device = trainer.accelerator.device
    return device
