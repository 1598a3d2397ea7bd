"""A trained model from its folder: configuration and weights, nothing executable.

`model/` holds `config.json`, replaced whole at every save, which names the weight files and their hashes: whatever
kills a save, the folder is the old one or the new one. A stranger's folder is inert: names resolve to installed
components only, sizes are compared before memory is taken.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import attrs
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save as to_safetensors
from torch import Tensor

from gen.building import Builder
from gen.errors import CheckpointError, CommandError, GenError
from gen.files import digest, dump_json, read_json, write_whole
from gen.interfaces import Model, Sampler
from gen.plugins import Catalogue
from gen.private import shared_state
from gen.recipe.alone import adjusted
from gen.rundir import RunFolder
from gen.sections import OF_A_DRAW
from gen.types import CondSpec, DataSpec, Domain

__all__ = ["Loaded", "load", "save_model"]

FORMAT = 1


@attrs.frozen
class Loaded:
    """A trained model in evaluation mode, with what is needed to draw from it; `weights` are those it has."""

    model: Model
    path: Path
    step: int
    digest: str
    config: dict[str, Any]
    builder: Builder
    weights: str

    def sampler(self, name: str | None = None, arguments: Sequence[str] = ()) -> Sampler:
        """A sampler of the run by label, a component by name, or the run's first; fitted state restored.

        Args:
            arguments: what differs from its options there, such as "sampler.steps=10".

        Raises:
            CommandError: the run has no sampler of that label, or an argument cannot change it.
            RecipeError: an argument is refused.
            CheckpointError: what the folder says of the sampler is damaged.
        """
        labels = self.config["sample"]
        if name is None:
            if not labels:
                raise CommandError(f"{self.path} names no sampler: choose one with --with NAME (gen ls sampler)")
            name = next(iter(labels))
        if name not in labels and "/" not in name:
            raise CommandError(f'the run has no sampler "{name}"; it has {", ".join(labels) or "none"}')
        value = labels.get(name, name)
        use = value.get("use") if isinstance(value, dict) else value
        if not isinstance(use, str) or not issubclass(self.builder.load(use), Sampler):
            raise CommandError(f"{use} is no sampler: gen ls sampler lists them")
        learned = f"sampler.{name}" in self.config["files"]
        for argument in arguments:
            _check_argument(argument, learned)
        with self._reading():
            value = adjusted(value, kind="sampler", catalogue=self.builder.known)
        if arguments:
            value = adjusted(value, arguments, kind="sampler", catalogue=self.builder.known)
        sampler: Sampler = self.builder.make(value, path=f"sample.{name}")
        missing = [need for need in sampler.needs if need not in type(self.model).capabilities()]
        if missing:
            raise CommandError(f"{name} needs {', '.join(missing)}, which {self.config['model']['use']} lacks")
        if learned:
            with self._reading():
                sampler.restore(_read(self.path, self.config["files"][f"sampler.{name}"]))
        return sampler

    def weighted_for(self, sampler: Sampler) -> Loaded:
        """The same model with the weights that the sampler asks for."""
        return self if sampler.weights == "ema" else load(self.path, weights=sampler.weights, known=self.builder.known)

    @contextmanager
    def _reading(self) -> Iterator[None]:
        """Whatever a stranger wrote in config.json is one message that names the file."""
        try:
            yield
        except CheckpointError:
            raise
        except _MISREAD as error:
            raise _damaged(self.path, error) from error


_MISREAD = (KeyError, TypeError, AttributeError, ValueError, RuntimeError, IndexError)


def _damaged(folder: Path, error: Exception) -> CheckpointError:
    said = str(error) if isinstance(error, GenError) else f"{type(error).__name__}: {error}"
    return CheckpointError(f"{folder / 'config.json'} is damaged or from a stranger: {said}")


def _check_argument(argument: str, learned: bool) -> None:
    """Raises:
    CommandError: it does not change an option of the sampler, or one that acted when the sampler was fitted.
    """
    path = argument.removeprefix("~").partition("=")[0]
    if not path.startswith("sampler."):
        raise CommandError(f'"{argument}" is no option of the sampler: write sampler.NAME=VALUE, like sampler.steps=10')
    option = path.removeprefix("sampler.")
    if option == "use":
        raise CommandError(f'"{argument}" would be another sampler: choose it with --with NAME')
    if learned and option not in OF_A_DRAW:
        raise CommandError(f'"{argument}" comes too late: this sampler was fitted in training, with the options it had')


def save_model(
    folder: Path,
    *,
    step: int,
    config: Mapping[str, Any],
    data: DataSpec,
    weights: Mapping[str, Mapping[str, Tensor]],
    samplers: Mapping[str, Mapping[str, Tensor]],
    keep: Collection[str] = (),
) -> None:
    """Replaces the model folder: weights by name (raw, ema, …), fitted samplers by label, then config.json.

    Weights named in `keep` stay as the last save left them, where it did.
    """
    folder.mkdir(exist_ok=True)
    files = _kept(folder, keep)
    contents = {**dict(weights), **{f"sampler.{label}": state for label, state in samplers.items() if state}}
    for name, tensors in contents.items():
        path = folder / f"{name}-{step:08d}.safetensors"
        write_whole(path, to_safetensors({k: t.detach().cpu().contiguous().clone() for k, t in tensors.items()}))
        files[name] = {"file": path.name, "sha256": digest(path)}
    record = {"format": FORMAT, "step": step, "data": _data_to_json(data), "files": files, **config}
    write_whole(folder / "config.json", dump_json(record, in_order=True))  # the run's first sampler stays the first
    named = {"config.json", *(entry["file"] for entry in files.values())}
    for path in folder.iterdir():
        if path.name not in named:
            path.unlink()


def _kept(folder: Path, names: Collection[str]) -> dict[str, Any]:
    """The entries of weight files that stay, each with the step it was saved at."""
    if not names or not (folder / "config.json").is_file():
        return {}
    last: Any = read_json(folder / "config.json")
    return {name: {"step": last["step"], **last["files"][name]} for name in names if name in last["files"]}


def load(path: str | Path, *, weights: str = "ema", known: Catalogue | None = None) -> Loaded:
    """A trained model from a run folder (or its `model` folder), on the CPU.

    Args:
        weights: "ema" (raw where the run keeps no average), "raw", "ema-DECAY", or "best" (what "ema" was where the
            metric of `save.best` was best).

    Raises:
        CheckpointError: the folder is damaged or was written by a newer gen.
        PluginError: a plugin that the model needs is not installed; the message names it.
    """
    folder = _model_folder(Path(path))
    config: Any = read_json(folder / "config.json")
    if not isinstance(config, dict) or config.get("format") != FORMAT:
        raise CheckpointError(f"{folder / 'config.json'} is of another format: upgrade gen-core")
    builder = Builder(known) if known is not None else Builder()
    builder.recorded = config.get("plugins")
    try:
        chosen = _choose(folder, config["files"], weights)
        step = int(config["files"][chosen].get("step", config["step"]))
        data, config["sample"] = _data_from_json(config["data"]), dict(config["sample"])
        with torch.device("meta"):
            shell = builder.make(config["model"], path="model", data=data)
        tensors = _read(
            folder, config["files"][chosen], {name: tuple(t.shape) for name, t in shared_state(shell).items()}
        )
        with torch.device("cpu"):
            model = builder.make(config["model"], path="model", data=data)
        digest_ = str(config["files"][chosen]["sha256"])
    except GenError:
        raise
    except _MISREAD as error:
        raise _damaged(folder, error) from error
    model.load_state_dict(tensors, strict=False)  # their names were compared; what is a process's own is not there
    return Loaded(model.eval(), folder, step, digest_, config, builder, chosen)


def _choose(folder: Path, files: Mapping[str, Any], weights: str) -> str:
    """The name of the weight file to read."""
    chosen = "raw" if weights == "ema" and "ema" not in files else weights
    if chosen not in files or chosen.startswith("sampler."):
        kept = ", ".join(name for name in files if not name.startswith("sampler."))
        raise CommandError(f'{folder} has no weights "{weights}"; it has {kept}')
    return chosen


def _model_folder(path: Path) -> Path:
    if (path / "config.json").is_file():
        return path
    folder = RunFolder.open(path).model
    if not (folder / "config.json").is_file():
        raise CheckpointError(f"{path} has saved no model yet: let it reach its first save")
    return folder


def _read(folder: Path, entry: Any, expected: Mapping[str, tuple[int, ...]] | None = None) -> dict[str, Tensor]:
    """The tensors of one weight file, its hash and (before memory is taken) its shapes verified."""
    name = entry["file"]
    if not isinstance(name, str) or Path(name).name != name:
        raise CheckpointError(f"{folder / 'config.json'} names a file outside its folder: {name!r}")
    path = folder / name
    if digest(path) != entry["sha256"]:
        raise CheckpointError(f"{path} is damaged: its content is not what config.json recorded")
    try:
        with safe_open(path, framework="pt") as handle:
            shapes = {key: tuple(handle.get_slice(key).get_shape()) for key in handle.keys()}  # noqa: SIM118
            if expected is not None and shapes != dict(expected):
                odd = sorted(k for k in {*shapes, *expected} if shapes.get(k) != expected.get(k))
                raise CheckpointError(f"{path} does not fit the model of config.json: {', '.join(odd[:5])} differ")
            return {key: handle.get_tensor(key) for key in shapes}
    except SafetensorError as error:
        raise CheckpointError(f"{path} is damaged: {error}") from error


def _data_to_json(data: DataSpec) -> dict[str, Any]:
    return {
        "domains": {name: attrs.asdict(domain) for name, domain in data.domains.items()},
        "cond": attrs.asdict(data.cond) if data.cond is not None else None,
    }


def _data_from_json(record: Any) -> DataSpec:
    domains = {
        name: Domain(tuple(d["shape"]), d["modality"], (d["range"][0], d["range"][1]), d["levels"])
        for name, d in record["domains"].items()
    }
    cond = record["cond"]
    if cond is not None:
        cond = CondSpec(cond["kind"], cond["size"], tuple(cond["shape"]) if cond["shape"] else None)
    return DataSpec(domains, cond)
