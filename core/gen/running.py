"""`gen run` and `gen resume`, from Python too: a recipe in, a run folder out."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs
import torch
from torch import Tensor

from gen import checkpoint
from gen.absent import require
from gen.building import build, placing_errors
from gen.console import Console
from gen.errors import CommandError, GenError, Stopped
from gen.files import read_json
from gen.interfaces import Tracker
from gen.loading import load
from gen.plan import rehearse
from gen.plugins import Catalogue, catalogue
from gen.precision import has_bf16, settled
from gen.processes import chosen_device, make_accelerator, share
from gen.provenance import provenance
from gen.recipe.recipe import Recipe
from gen.rundir import RunFolder
from gen.sampling import draw, settle
from gen.session import Session
from gen.stopping import StopSignals

__all__ = ["Run", "resume", "run"]

_SAFE_TO_CHANGE = (
    "train.steps",
    "train.epochs",
    "train.log",
    "save",
    "evaluate",
    "sample",
    "track",
    "data.workers",
    "about",
)


@attrs.frozen
class Run:
    """A run that has ended: "done", or "stopped" by `signal`."""

    path: Path
    state: str
    step: int
    signal: int | None = None
    known: Catalogue | None = attrs.field(default=None, repr=False)

    def metrics(self) -> list[dict[str, Any]]:
        """The lines of metrics.jsonl."""
        return RunFolder(self.path).lines()

    def samplers(self) -> list[str]:
        """The labels of the recipe's samplers."""
        config: Any = read_json(self.path / "model/config.json")
        return list(config["sample"])

    def sample(
        self,
        n: int | None = None,
        overrides: Sequence[str] = (),
        *,
        seed: int = 0,
        sampler: str | None = None,
        weights: str | None = None,
    ) -> Tensor:
        """n samples [n, *shape] of the trained model on the CPU, from a sampler that needs no data.

        Args:
            n: without it, the sampler's own count.
            overrides: options of the sampler, as on the command line ("sampler.steps=10").
            sampler: a label of the recipe or a component; without it, the run's first.
            weights: raw, ema, ema-DECAY or best; without it, the sampler's own choice.
        """
        loaded = load(self.path, weights=weights or "ema", known=self.known)
        chosen = loaded.sampler(sampler, overrides)
        if weights is None:
            loaded = loaded.weighted_for(chosen)
        if warning := settle(chosen, sampler or "of the run", torch.device("cpu")):
            warnings.warn(warning, stacklevel=2)
        x, _ = draw(loaded.model, chosen, n or chosen.count, seed=seed, device=torch.device("cpu"))
        return x


def run(
    recipe: Recipe | str | Path | Mapping[str, Any],
    overrides: Sequence[str] = (),
    *,
    runs: str | Path = "runs",
    data_root: str | Path = ".",
    device: str = "auto",
    quiet: bool = False,
    known: Catalogue | None = None,
) -> Run:
    """Trains what a recipe describes; returns when it is done or a signal stopped it.

    Args:
        recipe: a Recipe, a mapping, a file, or the name of a recipe that a plugin ships.
        overrides: as on the command line, "train.steps=200" or "~evaluate".
        runs: where run folders are made.
        data_root: where data paths of the recipe begin.
        device: "auto", "cpu" or "cuda".

    Raises:
        RecipeError: the recipe is refused, with everything wrong with it.
        Stopped: a guard stopped the run.
    """
    known = known or catalogue()
    if not isinstance(recipe, Recipe):
        reader = Recipe.parse if isinstance(recipe, Mapping) else Recipe.read
        recipe = reader(recipe, overrides, catalogue=known)  # type: ignore[arg-type]
    elif overrides:
        raise CommandError("overrides belong to Recipe.read when a Recipe is given")
    recipe = _settled(recipe, device)
    session = _session(recipe, known, data_root, device, quiet)
    created = None
    if session.accelerator.is_main_process:
        created = RunFolder.create(Path(runs), recipe.name).path
    folder = RunFolder(share(created))
    if session.accelerator.is_main_process:
        _describe(folder, recipe, session, known, data_root)
    return _go(session, folder)


def resume(
    path: str | Path,
    overrides: Sequence[str] = (),
    *,
    data_root: str | Path | None = None,
    device: str = "auto",
    quiet: bool = False,
    known: Catalogue | None = None,
) -> Run:
    """Goes on with a run from its newest whole checkpoint, or extends a finished one (`train.steps=…`).

    Raises:
        CommandError: no run is there, or an override would change what the run is.
        Stopped: no whole checkpoint is left.
    """
    known = known or catalogue()
    folder = RunFolder.open(Path(path))
    record = folder.read("run.json")
    require(record.get("plugins"), known)
    recipe = Recipe.read(folder.path / "resolved.yaml", overrides, catalogue=known)  # a misspelling is told as one
    for override in overrides:
        name = override.lstrip("~").partition("=")[0]
        if not any(name == safe or name.startswith(f"{safe}.") for safe in _SAFE_TO_CHANGE):
            allowed = ", ".join(_SAFE_TO_CHANGE)
            raise CommandError(f'"{override}" would change what the run is; on resuming you may change {allowed}')
    session = _session(recipe, known, data_root or record.get("data_root", "."), device, quiet)
    if record["data"] != session.fingerprint:
        raise CommandError(
            f"the data have changed since {folder.path} began: put back what was there, or start a new run"
        )
    if session.accelerator.is_main_process:
        for warning in checkpoint.newest(folder.checkpoints)[1]:
            session.console.note(f"warning: {warning}")
    found = share(checkpoint.newest(folder.checkpoints)[0])
    if found is None:
        if session.accelerator.is_main_process:
            folder.lock()  # another process may be on its way to the first one
            folder.close()
        raise Stopped(f"{folder.path} has no whole checkpoint to go on from: start anew with gen run")
    session.restore(checkpoint.load(found))
    at, steps = session.trainer.step, session.trainer.steps
    if at > steps:
        raise CommandError(f"{folder.path} is at step {at} already: train.steps takes that or more, got {steps}")
    if session.accelerator.is_main_process:
        if overrides:
            (folder.path / "resolved.yaml").write_text(recipe.to_yaml(), encoding="utf-8")
        folder.rewind(session.trainer.step)
        folder.log(f"resumed at step {session.trainer.step} {' '.join(overrides)}".rstrip())
    return _go(session, folder)


def _settled(recipe: Recipe, device: str) -> Recipe:
    """The recipe with the precision of this device, which the run keeps wherever it is resumed."""
    where, train = chosen_device(device), recipe.config["train"]
    samplers = {
        label: {**value, "precision": settled(value["precision"], where)}
        for label, value in recipe.config["sample"].items()
    }
    train = {**train, "precision": settled(train["precision"], where)}
    return attrs.evolve(recipe, config={**recipe.config, "train": train, "sample": samplers})


def _session(recipe: Recipe, known: Catalogue, data_root: str | Path, device: str, quiet: bool) -> Session:
    trackers = recipe.config["track"]
    accelerator = make_accelerator(device, recipe.config["train"]["precision"])
    experiment = build(recipe, data_root=data_root, device=accelerator.device, known=known)
    made: list[Tracker] = [experiment.builder.make(one, path="track") for one in trackers]
    rehearse(experiment)
    console = Console(quiet=quiet or not accelerator.is_main_process)
    if recipe.config["train"]["precision"] == "bf16" and not has_bf16(accelerator.device):
        console.note(
            "warning: this device emulates bf16, several times slower than fp32; train.precision=auto avoids it"
        )
    with placing_errors(recipe):
        return Session(experiment, accelerator, console, made)


def _describe(folder: RunFolder, recipe: Recipe, session: Session, known: Catalogue, data_root: str | Path) -> None:
    """The part of the run folder that is known before the first step."""
    (folder.path / "recipe.yaml").write_bytes(recipe.written or recipe.to_yaml().encode())
    (folder.path / "resolved.yaml").write_text(recipe.to_yaml(), encoding="utf-8")
    for name, content in recipe.sources.items():
        (folder.path / f"base-{Path(name).name}").write_bytes(content)
    namespaces = sorted({name.partition("/")[0] for name in recipe.components})
    records = [known.plugin(namespace) for namespace in namespaces]
    record = provenance(
        recipe,
        plugins=[(r.namespace, r.distribution, r.version) for r in records if r is not None],
        device=str(session.accelerator.device),
        processes=session.accelerator.num_processes,
        data=session.fingerprint,
    )
    folder.record("run.json", {**record, "data_root": str(data_root), "parts": session.experiment.builder.taken})


def _go(session: Session, folder: RunFolder) -> Run:
    """Trains inside the folder; whatever happens, status.json says so."""
    main = session.accelerator.is_main_process
    trainer = session.trainer
    if main:
        folder.lock()
        checkpoint.sweep(folder.checkpoints)
        checkpoint.trial(folder.checkpoints)
        folder.status("running", trainer.step, trainer.steps)
        session.console.note(f"run folder: {folder.path}")
        _log_warnings(folder)
    try:
        with StopSignals() as signals:
            signal = session.go(folder, signals)
    except BaseException as error:
        if main:
            state = "stopped" if isinstance(error, Stopped) else "failed"
            folder.status(state, trainer.step, trainer.steps, f"{type(error).__name__}: {error}")
            folder.log(f"{state} at step {trainer.step}: {error}")
        if isinstance(error, Stopped):
            raise _with_advice(error, folder) from error
        raise
    finally:
        session.console.stop()
        folder.close()
    state = "done" if signal is None else "stopped"
    if main:
        folder.status(state, trainer.step, trainer.steps, "" if signal is None else f"signal {signal}")
        folder.log(f"{state} at step {trainer.step}")
    return Run(folder.path, state, trainer.step, signal, session.experiment.builder.known)


def _log_warnings(folder: RunFolder) -> None:
    """What plugins warn of (samples that were replaced, say) joins log.txt; workers inherit the open file."""
    logger = logging.getLogger("gen")
    for handler in [h for h in logger.handlers if isinstance(h, logging.FileHandler)]:
        logger.removeHandler(handler)
        handler.close()
    handler = logging.FileHandler(folder.path / "log.txt", encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s", "%Y-%m-%d %H:%M:%S"))
    logger.addHandler(handler)


def _with_advice(error: Stopped, folder: RunFolder) -> GenError:
    """The guard's message, with the last whole checkpoint and the way on."""
    last, _ = checkpoint.newest(folder.checkpoints)
    if last is None:
        return Stopped(f"{error}. No checkpoint was saved before; the run folder is {folder.path}")
    return Stopped(f"{error}. Last good checkpoint: {last}. Go on from it with: gen resume {folder.path}")
