"""One fresh process that rebuilds every component of a plugin from its name, options and tensors, and answers.

`rebuilt` writes the jobs of a whole plugin and keeps the answers, so that the process is paid for once.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from gen.activate import load_class
from gen.errors import GenError
from gen_sdk.checks.check import Failure, NotApplicable
from gen_sdk.checks.generic.comparing import answered, perturbed, rowwise
from gen_sdk.checks.subject import Subject
from gen_sdk.checks.targets import subjects, target_of

__all__ = ["main", "rebuilt"]

SECONDS = 300


def rebuilt(subject: Subject) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """The answers of the component as another process rebuilt it, and those of the original.

    Raises:
        Failure: the other process could not build it; the message is its own.
    """
    found = _plugin(_Plugin(subject))
    if subject.name not in found:  # it could not be built here either, which other checks say
        raise NotApplicable("it cannot be built")
    answer: tuple[dict[str, Tensor], dict[str, Tensor]] | str = found[subject.name]
    if isinstance(answer, str):
        raise Failure(f"another process cannot rebuild it: {answer}")
    return answer


class _Plugin:
    """The plugin of a component, as a key: equal for the components of one plugin."""

    def __init__(self, subject: Subject) -> None:
        self.subject, self.record = subject, subject.plugin

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Plugin) and self.record is other.record

    def __hash__(self) -> int:
        return hash(id(self.record))

    def subjects(self) -> list[Subject]:
        known = self.subject.known
        return [Subject(spec, load_class(spec, known), known) for spec in self.record.components]


@cache
def _plugin(plugin: _Plugin) -> dict[str, Any]:
    """By component: the answers there and here, or what went wrong there."""
    wanted: dict[str, dict[str, Tensor]] = {}
    with tempfile.TemporaryDirectory(prefix="gen-fresh-") as scratch:
        for subject in plugin.subjects():
            if rowwise(subject):
                continue
            try:
                part = perturbed(subject).eval()
                inputs = subject.inputs(part, 2)
                answers = answered(subject, part, inputs)
                state = {f"state.{name}": tensor for name, tensor in part.state_dict().items()}
                given = {f"input.{number}": tensor for number, tensor in enumerate(inputs)}
                path = Path(scratch, f"{subject.spec.name.replace('/', '.')}.safetensors")
                save_file({n: t.detach().clone().contiguous() for n, t in {**state, **given}.items()}, path)
            except (Exception, SystemExit):  # noqa: S112 (the checks that build it here say so themselves)
                continue
            wanted[subject.name] = answers
        said = _ask(target_of(plugin.subject), scratch, sorted(wanted))
        found: dict[str, Any] = {}
        for name, answers in wanted.items():
            there = Path(scratch, f"{name.replace('/', '.')}.answer.safetensors")
            failure = said.get(name) or ("" if there.is_file() else said.get("", "it gave no answer"))
            found[name] = failure or (load_file(there), answers)
    return found


def _ask(target: str, scratch: str, names: list[str]) -> dict[str, str]:
    """Runs the other process; what went wrong, by component (under "": with the process itself)."""
    if not names:
        return {}
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(entry for entry in sys.path if entry)}
    command = [sys.executable, "-P", "-m", "gen_sdk.checks.fresh", target, scratch, *names]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=SECONDS, env=environment, check=False, cwd=scratch
        )
    except subprocess.TimeoutExpired:
        return {"": f"it took more than {SECONDS} s"}
    try:
        failures: dict[str, str] = json.loads(done.stdout.strip().splitlines()[-1])
    except (IndexError, ValueError):
        return {"": f"the process ended with {done.returncode}: {done.stderr.strip().splitlines()[-1:]}"}
    return failures


def main(argv: list[str]) -> int:
    """`python -m gen_sdk.checks.fresh TARGET FOLDER NAME…`: rebuilds the named components and writes their answers."""
    target, folder, *names = argv
    failures: dict[str, str] = {}
    for subject in subjects(target):
        if subject.name in names:
            try:
                _answer(subject, Path(folder))
            except (Exception, SystemExit) as error:
                failures[subject.name] = f"{type(error).__name__}: {error}"
    print(json.dumps(failures))
    return 0


def _answer(subject: Subject, folder: Path) -> None:
    stem = subject.name.replace("/", ".")
    stored = load_file(folder / f"{stem}.safetensors")
    part = subject.make(seed=99).eval()
    part.load_state_dict({n.removeprefix("state."): t for n, t in stored.items() if n.startswith("state.")})
    inputs = tuple(stored[f"input.{i}"] for i in range(sum(name.startswith("input.") for name in stored)))
    answers = answered(subject, part, inputs)
    save_file({name: t.contiguous().clone() for name, t in answers.items()}, folder / f"{stem}.answer.safetensors")


if __name__ == "__main__":
    torch.set_num_threads(1)
    try:
        sys.exit(main(sys.argv[1:]))
    except GenError as failure:
        print(json.dumps({"": str(failure)}))
