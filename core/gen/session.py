"""One run in progress: the trainer, and what happens between its steps (log, evaluate, sample, save)."""

from __future__ import annotations

import copy
import math
import time
from typing import Any

import torch
from accelerate import Accelerator

from gen import checkpoint
from gen.absent import owners
from gen.building import Experiment
from gen.checkpoint import Checkpoint
from gen.console import Console, figures
from gen.errors import CheckpointError, GenError, Stopped
from gen.evaluate import Evaluation, Measured, check_metrics, evaluate, save_pictures, source_of
from gen.files import dump_json, write_whole
from gen.interfaces import Model, Sampler, Tracker
from gen.loading import load, save_model
from gen.pictures import save_picture
from gen.rundir import RunFolder
from gen.sampling import check_samplers, domain_of, draw, interleave, settle
from gen.seeds import key
from gen.stopping import StopSignals
from gen.trainer import Trainer, solves
from gen.training_state import pack, pack_rank, unpack
from gen.types import Progress

__all__ = ["Session"]

_BEAT = 5.0  # seconds between two heartbeats in status.json


class Session:
    """Joins a trainer to a run folder. All processes hold one; only the first writes."""

    def __init__(
        self, experiment: Experiment, accelerator: Accelerator, console: Console, trackers: list[Tracker]
    ) -> None:
        self.experiment, self.accelerator, self.console = experiment, accelerator, console
        self.fingerprint = experiment.train.rows.fingerprint()
        self._start_from()
        self.trainer = Trainer(experiment, accelerator)
        self.samplers: dict[str, Sampler] = experiment.samplers()
        check_samplers(self.samplers, experiment.model)  # refused now, not at the first pictures
        for label, sampler in self.samplers.items():
            if warning := settle(sampler, label, accelerator.device):
                console.note(f"warning: {warning}")
        self.metrics = experiment.metrics()
        check_metrics(self.metrics, experiment.model, source_of(self.samplers, experiment.model, "ema"))
        self.trackers = trackers
        self.best: dict[str, Any] | None = None
        self._shadow: Model | None = None
        self._fitted: dict[int, tuple[int, str]] = {}
        self._logged, self._next_beat = (0, 0.0), 0.0
        config = experiment.config
        steps = self.trainer.steps
        self.log_every = config["train"]["log"]
        self.save_every = config["save"]["every"] or max(1, math.ceil(steps / 10))
        self.evaluate_every = config["evaluate"]["every"] or steps
        self.sample_every = config["evaluate"]["every"] or self.save_every

    def _start_from(self) -> None:
        """`init`: takes over the weights of a finished run where names and shapes agree."""
        rule = self.experiment.config["init"]
        if not rule:
            return
        source = load(rule["run"], weights=rule["weights"], known=self.experiment.builder.known).model.state_dict()
        own = self.experiment.model.state_dict()
        fitting = {name: t for name, t in source.items() if name in own and own[name].shape == t.shape}
        if not fitting:
            raise CheckpointError(f"init.run: no weight of {rule['run']} fits this model by name and shape")
        self.experiment.model.load_state_dict(fitting, strict=False)
        self.console.note(f"init: {len(fitting)} of {len(own)} tensors from {rule['run']}")

    def restore(self, found: Checkpoint) -> None:
        """Goes back to a checkpoint."""
        unpack(self.trainer, found)
        best: Any = found.state.get("best")
        self.best = best
        self._logged = (self.trainer.images_seen, self.trainer.seconds)

    def go(self, folder: RunFolder, signals: StopSignals) -> int | None:
        """Trains to the end or a signal, then leaves a model that can be sampled; returns the signal."""
        self.folder = folder
        self._open_trackers()
        self._logged = (self.trainer.images_seen, self.trainer.seconds)
        self.console.start(self.trainer.step, self.trainer.steps)
        if self.trainer.step >= self.trainer.steps:
            more = "it is solved" if solves(self.experiment.config) else "train.steps=… extends it"
            self.console.note(f"nothing to do: the run has its {self.trainer.steps} steps ({more})")
        try:
            signal = self.trainer.train(self._after, signals)
        finally:
            for tracker in self.live:
                tracker.finish()
        self.console.note(f"{'stopped' if signal else 'done'} at step {self.trainer.step}: {folder.path}")
        return signal

    def _after(self, step: int, signal: int | None) -> None:
        last = step == self.trainer.steps
        self.console.step(step)
        if step % self.log_every == 0 or last:
            self._log(step)
        due = step % self.evaluate_every == 0 or last
        save = step % self.save_every == 0 or last or signal is not None
        sample = bool(self.samplers) and (step % self.sample_every == 0 or last)
        if not (due or save or sample):
            return
        self.trainer.settle()
        self.trainer.average_statistics()
        try:
            if due and self.metrics:
                save = self._evaluate(step) or save
            if sample:
                self._sample(step)
        except GenError as error:
            if self.accelerator.num_processes == 1 and not isinstance(error, Stopped):  # several could not agree on it
                self._save(step)  # what was trained is not lost with a figure or a picture
            raise
        if save:
            self._save(step)

    def _log(self, step: int) -> None:
        values = {name: value for turn in self.trainer.turns for name, value in turn.means().items()}
        images, seconds = self._logged
        self._logged = (self.trainer.images_seen, self.trainer.seconds)
        rate = (self._logged[0] - images) / max(self._logged[1] - seconds, 1e-9)
        left = (self.trainer.steps - step) * self.trainer.seconds / max(step, 1)
        rates = {f"{turn.name}/lr": turn.optimizer.param_groups[0]["lr"] for turn in self.trainer.turns}
        if self.accelerator.is_main_process:
            line = {"step": step, "images": self.trainer.images_seen, "seconds": round(self.trainer.seconds, 3)}
            self.folder.append({"kind": "train", **line, "images_per_s": round(rate, 1), **values, **rates})
            self._beat(step)
            self._track({f"train/{name}": value for name, value in {**values, **rates}.items()}, step)
        self.console.losses(step, self.trainer.steps, values, rate, left)

    def _beat(self, step: int) -> None:
        """Says in status.json that the run is alive; seconds apart, because a file written whole waits for the disk."""
        now = time.monotonic()
        if now >= self._next_beat:
            self._next_beat = now + _BEAT
            self.folder.status("running", step, self.trainer.steps)

    def shadow(self, weights: str) -> Model:
        """A copy of the model in evaluation mode with the chosen weights: training never sees what is done to it."""
        if self._shadow is None:
            self._shadow = copy.deepcopy(self.experiment.model).requires_grad_(False)
        self._shadow.load_state_dict(self.trainer.weights(weights), strict=False)  # what is a process's own has no part
        return self._shadow.eval()

    def _evaluate(self, step: int) -> bool:
        """Measures, records, and says whether this is the best so far."""
        config = self.experiment.config
        model, weights = self.shadow("ema"), "ema" if self.trainer.ema is not None else "raw"
        evaluation = Evaluation(
            model=model,
            split=self.experiment.split(config["evaluate"]["split"]),
            split_name=config["evaluate"]["split"],
            seed=key(config["seed"], "evaluate"),
            batch=config["data"]["batch"],
            count=config["evaluate"]["count"],
            accelerator=self.accelerator,
            progress=Progress(step, self.trainer.steps),
            source=source_of(self.samplers, model, weights, lambda sampler: self._fit(sampler, model, "ema")),
            train=self.experiment.train,
            weights=weights,
        )
        found = evaluate(self.metrics, evaluation)
        values = {label: measured.value for label, measured in found.items()}
        if self.accelerator.is_main_process:
            self._record(step, found)
        self.console.note(f"step {step}  {config['evaluate']['split']}: {figures(values)}")
        label = config["save"]["best"]
        if label is None or not math.isfinite(values[label]):
            return False
        sign = -1 if self.metrics[label].better == "higher" else 1
        if self.best is None or sign * values[label] < sign * self.best["value"]:
            self.best = {"step": step, "metric": label, "value": values[label]}
            return True
        return False

    def _record(self, step: int, found: dict[str, Measured]) -> None:
        flat = {label: measured.value for label, measured in found.items()}
        parts = {f"{label}/{name}": v for label, measured in found.items() for name, v in measured.parts.items()}
        self.folder.append({"kind": "evaluate", "step": step, **flat, **parts})
        self._track({f"evaluate/{name}": value for name, value in {**flat, **parts}.items()}, step)
        cards: Any = {label: measured.record() for label, measured in found.items()}
        path = self.folder.path / "evaluate" / f"step-{step:08d}.json"
        path.parent.mkdir(exist_ok=True)
        write_whole(path, dump_json(cards))
        save_pictures(found, path.with_suffix(""))

    def _fit(self, sampler: Sampler, model: Model, weights: str) -> None:
        """Fits a sampler that learns from data, once for a step and its weights."""
        state = (self.trainer.step, weights)
        if type(sampler).fit is not Sampler.fit and self._fitted.get(id(sampler)) != state:
            sampler.fit(model, self.experiment.train.batches(1024, self.accelerator.device))
            self._fitted[id(sampler)] = state

    def _sample(self, step: int) -> None:
        """Pictures of every sampler, from the same noise each time."""
        if not self.accelerator.is_main_process:
            return
        config = self.experiment.config
        for label, sampler in self.samplers.items():
            model = self.shadow(sampler.weights)
            self._fit(sampler, model, sampler.weights)
            split = self.experiment.split(config["evaluate"]["split"]) if sampler.given else None
            seed = key(config["seed"], "sample", label)
            x, given = draw(model, sampler, sampler.count, seed=seed, device=self.accelerator.device, split=split)
            domain = domain_of(model.data, given)
            shown, columns = interleave(model, sampler, x, given)
            path = self.folder.step_folder(self.folder.samples, step) / f"{label}.png"
            save_picture(path, shown, domain, columns)

    def _save(self, step: int) -> None:
        """The model folder, then a checkpoint, then the retirement of old checkpoints.

        In this order the best weights of the model folder are never older than what the checkpoint says is best.
        """
        trainer, main = self.trainer, self.accelerator.is_main_process
        writer = checkpoint.Writer(self.folder.checkpoints, step)
        if main:
            writer.begin()
        self.accelerator.wait_for_everyone()
        mine = writer.write(f"rank-{self.accelerator.process_index}", pack_rank(trainer))
        records = [mine]
        if torch.distributed.is_initialized():
            records = [mine] * self.accelerator.num_processes
            torch.distributed.all_gather_object(records, mine)
        if main:
            self._save_model(step)
            files, state = pack(trainer)
            records += [writer.write(stem, tensors) for stem, tensors in files.items()]
            writer.publish({**state, "best": self.best}, records)
            keep = self.experiment.config["save"]["keep"]
            protect = [self.best["step"]] if self.best is not None else []
            checkpoint.retire(self.folder.checkpoints, keep=keep, protect=protect)
            self.folder.log(f"saved step {step}")
        self.accelerator.wait_for_everyone()

    def _save_model(self, step: int) -> None:
        trainer, config = self.trainer, self.experiment.config
        averages = trainer.ema.labels if trainer.ema is not None else {}
        weights = {name: trainer.weights(name) for name in ("raw", *averages)}
        if self.best is not None and self.best["step"] == step:
            weights["best"] = trainer.weights("ema")  # those it was measured with
        made = {
            "model": self.experiment.builder.inlined(config["model"]),
            "sample": config["sample"],
            "data_section": config["data"],
            "evaluate": {"split": config["evaluate"]["split"]},
        }
        save_model(
            self.folder.model,
            step=step,
            config={**made, "plugins": owners(made, self.experiment.builder.known)},
            data=self.experiment.model.data,
            weights=weights,
            samplers={label: sampler.state() for label, sampler in self.samplers.items()},
            keep=("best",) if self.best is not None and "best" not in weights else (),
        )

    def _open_trackers(self) -> None:
        if not (self.trackers and self.accelerator.is_main_process):
            self.live: list[Any] = []
            return
        self.live = [tracker.tracker(self.folder.path, self.folder.path.name) for tracker in self.trackers]
        for tracker in self.live:
            tracker.start()

    def _track(self, values: dict[str, float], step: int) -> None:
        for tracker in self.live:
            tracker.log(values, step=step)
