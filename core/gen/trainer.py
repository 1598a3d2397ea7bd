"""The training loop: one round of all due phases is a step; accelerate stands at its edges.

Saving, sampling, evaluating and reporting happen between steps and never touch the state of training.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Any

import attrs
import torch
from accelerate import Accelerator
from torch import Tensor

from gen.building import Experiment
from gen.data import Stream
from gen.ema import Ema
from gen.errors import CommandError, GenError
from gen.groups import make_optimizer
from gen.interfaces import Phase
from gen.private import per_rank_names, shared_state
from gen.stopping import StopSignals
from gen.turns import Turn
from gen.types import Batch

__all__ = ["Trainer", "solves", "steps_of"]


def steps_of(config: dict[str, Any], samples: int) -> int:
    """The steps of a run: `train.steps`, or `train.epochs` times the whole batches of an epoch; 1 where it solves."""
    train = config["train"]
    if solves(config):
        return 1
    if train["steps"] is not None:
        return int(train["steps"])
    per_epoch = samples // int(config["data"]["batch"])
    return max(1, math.floor(float(train["epochs"]) * per_epoch))


def solves(config: dict[str, Any]) -> bool:
    """Whether the model is solved in closed form: the recipe says of no length, which only such a model allows."""
    return config["train"]["steps"] is None and config["train"]["epochs"] is None


@attrs.define
class Trainer:
    """Everything that changes while training. `after` is called after every step with (step, signal or None)."""

    experiment: Experiment
    accelerator: Accelerator
    step: int = 0
    cursor: int = 0
    seconds: float = 0.0
    turns: list[Turn] = attrs.field(init=False)
    stream: Stream = attrs.field(init=False)
    ema: Ema | None = attrs.field(init=False, default=None)
    steps: int = attrs.field(init=False)
    _names: dict[str, list[str]] = attrs.field(init=False, factory=dict)

    def __attrs_post_init__(self) -> None:
        config, model = self.experiment.config, self.experiment.model
        train = config["train"]
        world = self.accelerator.num_processes
        pieces = max(train["accumulate"], world)
        check_pieces(config["data"]["batch"], pieces, world)
        self.stream = Stream(
            self.experiment.train,
            batch=config["data"]["batch"],
            pieces=pieces,
            seed=config["seed"],
            device=self.accelerator.device,
            rank=self.accelerator.process_index,
            world=world,
        )
        self.steps = steps_of(config, len(self.experiment.train))
        if train["channels_last"]:
            model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.training_mode()
        self.turns = [self._turn(number, phase, pieces) for number, phase in enumerate(model.phases())]
        if not (self.turns or solves(config)):
            raise CommandError("this model has nothing to train step by step: leave train.steps and train.epochs out")
        if train["ema"]:
            rule = train["ema"]
            self.ema = Ema(model, (rule["decay"], *rule["also"]), rule["of"], rule["start"])

    def _turn(self, number: int, phase: Phase, pieces: int) -> Turn:
        config = self.experiment.config
        optim, train = config["optim"], config["train"]
        entry = optim.get(phase.name, optim["all"])
        cadence = {name: entry[name] for name in ("every", "repeat") if entry.get(name) is not None}
        frozen = {id(p) for part in self.experiment.builder.frozen for p in part.parameters()}
        optimizer, spec, chosen = make_optimizer(
            self.experiment.model, phase, entry, self.experiment.builder, frozen, self.accelerator.device
        )
        self._names[phase.name] = list(chosen)
        return Turn(
            self.experiment.model,
            attrs.evolve(phase, **cadence),
            number=number,
            optimizer=optimizer,
            schedule=spec.schedule,
            parameters=list(chosen.values()),
            accelerator=self.accelerator,
            precision=train["precision"],
            clip=train["clip"],
            pieces=pieces,
            seed=config["seed"],
            compile=train["compile"],
        )

    def training_mode(self) -> None:
        """Training mode for the model, evaluation mode for what is frozen."""
        self.experiment.model.train()
        for part in self.experiment.builder.frozen:
            part.eval()

    def parameter_names(self, phase: str) -> list[str]:
        """The names of a phase's parameters, in the order of its turn."""
        return self._names[phase]

    @property
    def images_seen(self) -> int:
        if solves(self.experiment.config):
            return self.step * len(self.experiment.train)
        return self.cursor * self.stream.batch

    def train(self, after: Callable[[int, int | None], None], signals: StopSignals) -> int | None:
        """Runs to the end or to a signal; returns the signal's number, or None when all steps are done.

        Raises:
            Stopped: a loss or gradient was not finite.
        """
        if solves(self.experiment.config):
            return self._solve(after, signals)
        with self.stream.reader(self.cursor, self.experiment.config["data"]["workers"]) as read:
            return self._loop(read, after, signals)

    def _loop(
        self, read: Callable[[int, int], Batch], after: Callable[[int, int | None], None], signals: StopSignals
    ) -> int | None:
        several = len(self.turns) > 1
        while self.step < self.steps:
            started = time.perf_counter()
            due = [turn for turn in self.turns if turn.due(self.step)]
            rounds = max((turn.repeat for turn in due), default=0)
            batches: list[list[tuple[int, Batch]]] = [
                [(number, read(self.cursor + r, number)) for number in self.stream.numbers] for r in range(rounds)
            ]
            for turn in due:
                if several:
                    turn.require_gradients()
                for repeat in range(turn.repeat):
                    progress = turn.progress(self.step, self.steps, repeat)
                    turn.run(batches[repeat], progress, repeat)
                    self.experiment.model.after_step(turn.name, progress)
            self.cursor += rounds
            self.step += 1
            if self.ema is not None:
                self.ema.update(self.step)
            self.seconds += time.perf_counter() - started
            signal = self._agreed(signals.caught)
            after(self.step, signal)
            if signal is not None:
                return signal
        return None

    def _solve(self, after: Callable[[int, int | None], None], signals: StopSignals) -> int | None:
        """The one step of a model in closed form; every process solves it from all the data, and alike."""
        if self.step == self.steps:
            return None
        started = time.perf_counter()
        model: Any = self.experiment.model
        with torch.no_grad():
            model.solve(attrs.evolve(self.experiment.train, training=False).batches(1024, self.accelerator.device))
        self.step = 1
        self.seconds += time.perf_counter() - started
        signal = self._agreed(signals.caught)
        after(self.step, signal)
        return signal

    def _agreed(self, signal: int | None) -> int | None:
        """A signal that reached any process stops them all at the same step."""
        if self.accelerator.num_processes == 1:
            return signal
        mine = torch.tensor([float(signal or 0)], device=self.accelerator.device)
        number = int(self.accelerator.gather(mine).max().item())
        return number or None

    def settle(self) -> None:
        """Reads verdicts of the guard that are still on the device."""
        for turn in self.turns:
            turn.guard.settle()

    @torch.no_grad()
    def average_statistics(self) -> None:
        """Makes running statistics the same on all processes: their mean. Called before evaluating and saving."""
        if self.accelerator.num_processes == 1:
            return
        private = per_rank_names(self.experiment.model)
        for name, buffer in self.experiment.model.named_buffers():
            if name not in private and buffer.is_floating_point():
                buffer.copy_(self.accelerator.reduce(buffer, "mean"))

    def weights(self, which: str) -> dict[str, Tensor]:
        """The model's tensors with raw or averaged parameters: `raw`, `ema`, `ema-0.999`.

        Raises:
            GenError: the run keeps no such average.
        """
        state = shared_state(self.experiment.model)
        if which == "raw" or (which == "ema" and self.ema is None):
            return state
        labels = self.ema.labels if self.ema is not None else {}
        if which not in labels:
            raise GenError(f'there are no weights "{which}": this run keeps {", ".join(["raw", *labels])}')
        assert self.ema is not None
        return {**state, **self.ema.state(labels[which])}


def check_pieces(batch: int, pieces: int, world: int) -> None:
    """Refuses a global batch that cannot be cut as asked.

    Raises:
        CommandError: names the batch, the number of micro-batches, and what would do.
    """
    if batch % pieces or pieces % world:
        raise CommandError(
            f"a batch of {batch} cannot be cut into {pieces} equal micro-batches for {world} processes: data.batch "
            f"must be divisible by train.accumulate, and train.accumulate by the number of processes"
        )
