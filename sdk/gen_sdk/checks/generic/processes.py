"""That training in two processes is training in one: what DistributedDataParallel relies on."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file

from gen.interfaces import Model
from gen.lr_schedules import Constant
from gen.processes import make_accelerator
from gen.turns import Turn
from gen.types import Batch
from gen_sdk.checks.calling import STEP, batch_of
from gen_sdk.checks.check import Failure, check
from gen_sdk.checks.generic.comparing import expect_same
from gen_sdk.checks.subject import Subject, seeded
from gen_sdk.checks.targets import subject_named, target_of

__all__ = ["CHECKS", "main"]

BATCH, SECONDS, WITHIN = 4, 300, 1e-5


def _alike(subject: Subject) -> str:
    return "its samples influence each other while it trains (coupled)" if subject.trait("coupled") else ""


@check(
    tier="gold",
    kinds=("model",),
    applies=_alike,
    hint="let each phase use all parameters it trains (or declare it sparse), and average losses over the batch",
)
def two_processes_step_as_one(subject: Subject) -> None:
    """One step of every phase in two processes, half a batch each, leaves the weights that one process has."""
    one = _step(subject, pieces=2)
    with tempfile.TemporaryDirectory(prefix="gen-two-") as folder:
        _world(subject, folder)
        two = load_file(Path(folder, "answer.safetensors"))
    expect_same(two, one, "trained by two processes", WITHIN)


def _step(subject: Subject, pieces: int) -> dict[str, torch.Tensor]:
    """The parameters after one turn of every phase, this process working through its share of the micro-batches."""
    model: Model = subject.make(seed=0).train()
    accelerator = make_accelerator("cpu", "fp32")
    whole = batch_of(model, subject.inputs(model, BATCH))
    world, rank = accelerator.num_processes, accelerator.process_index
    mine = [(number, _piece(whole, number, pieces)) for number in range(pieces) if number % world == rank]
    for number, phase in enumerate(model.phases()):
        parameters = [p for part in phase.train for p in part.parameters() if p.requires_grad]
        turn = Turn(
            model,
            phase,
            number=number,
            optimizer=torch.optim.SGD(parameters, lr=0.01),
            schedule=Constant(warmup=0),
            parameters=parameters,
            accelerator=accelerator,
            precision="fp32",
            clip=None,
            pieces=pieces,
            seed=3,
        )
        turn.require_gradients()
        with seeded():
            turn.run(mine, STEP, 0)
    return {name: parameter.detach().clone() for name, parameter in model.named_parameters()}


def _piece(batch: Batch, number: int, pieces: int) -> Batch:
    part = slice(number * BATCH // pieces, (number + 1) * BATCH // pieces)
    x: Any = batch.x[part] if isinstance(batch.x, torch.Tensor) else {name: x[part] for name, x in batch.x.items()}
    return Batch(x, None if batch.cond is None else batch.cond[part], batch.index[part])


def _world(subject: Subject, folder: str) -> None:
    """Runs this module in two processes, over gloo.

    Raises:
        Failure: one of them failed; the message is its last line.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    paths = os.pathsep.join(entry for entry in sys.path if entry)
    common = {"WORLD_SIZE": "2", "LOCAL_WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
    command = [sys.executable, "-P", "-m", __name__, target_of(subject), subject.name, folder]
    started = [
        subprocess.Popen(
            command,
            env={**os.environ, **common, "PYTHONPATH": paths, "RANK": str(rank), "LOCAL_RANK": str(rank)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in range(2)
    ]
    try:
        said = [process.communicate(timeout=SECONDS)[1] for process in started]
    except subprocess.TimeoutExpired:
        raise Failure(f"two processes hang for {SECONDS} s: one waits for gradients that the other has not") from None
    finally:
        for process in started:
            process.kill()
    for process, text in zip(started, said, strict=True):
        if process.returncode:
            raise Failure(f"a process of two fails: {json.dumps(text.strip().splitlines()[-1:])}")


def main(argv: list[str]) -> int:
    """`python -m gen_sdk.checks.generic.processes TARGET NAME FOLDER`: one process of two."""
    target, name, folder = argv
    found = _step(subject_named(target, name), pieces=2)
    if os.environ["RANK"] == "0":
        save_file({key: tensor.contiguous() for key, tensor in found.items()}, Path(folder, "answer.safetensors"))
    return 0


CHECKS = (two_processes_step_as_one,)

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
