"""Which manifest to trust: the one a wheel ships, or for an editable install whose sources moved on, a new one.

A source newer than the manifest, with other content than it was made of, makes the manifest stale. A new one is made by
`python -m gen.manifest` in a process of its own, which no exit, crash or print of a plugin reaches beyond.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import attrs

from gen import sources
from gen.errors import PluginError, Stopped
from gen.files import write_whole
from gen.hookspecs import API
from gen.manifest import FILE, Manifest, read

__all__ = ["compatible", "compiled", "current", "shipped"]

SECONDS = 60


def shipped(folder: Path) -> bool:
    """Whether the folder came out of a wheel, not of a checkout that someone works in."""
    return any(parent.name in ("site-packages", "dist-packages") for parent in folder.parents)


def compatible(api: tuple[int, int]) -> bool:
    """Whether a plugin made for this version of the interface works here: same major, no newer minor."""
    return api[0] == API[0] and api[1] <= API[1]


def current(folder: Path, namespace: str, hook: str, distribution: str) -> Manifest:
    """The manifest to use; a stale one is replaced, which is said in one line on stderr.

    Raises:
        PluginError: there is none, it is damaged, or the plugin cannot be compiled.
    """
    if shipped(folder):
        return read(folder)
    try:
        found = read(folder)
    except PluginError:
        return _replaced(folder, namespace, hook, distribution, "is missing or damaged")
    made = (folder / FILE).stat().st_mtime_ns
    if not compatible(found.api) or not sources.changed(folder, found.sources, made):
        return found
    return _replaced(folder, namespace, hook, distribution, "is out of date")


def _replaced(folder: Path, namespace: str, hook: str, distribution: str, why: str) -> Manifest:
    print(f"gen: the manifest of {namespace} ({distribution}) {why}: making it anew", file=sys.stderr)
    made = compiled(namespace, hook, distribution)
    try:
        write_whole(folder / FILE, made.to_text())
    except Stopped as error:
        return attrs.evolve(made, unwritten=f"its manifest is out of date: {error}")
    return made


def compiled(namespace: str, hook: str, distribution: str) -> Manifest:
    """The manifest of a plugin as its code is now, made in another process, torch and all.

    Raises:
        PluginError: the plugin cannot be imported or breaks a rule, or it took too long.
    """
    import subprocess
    import tempfile

    with tempfile.TemporaryDirectory(prefix="gen-manifest-") as scratch:
        answer = Path(scratch, "answer.json")
        command = [sys.executable, "-P", "-m", "gen.manifest", namespace, hook, distribution, str(answer)]
        paths = os.pathsep.join(entry for entry in sys.path if entry)
        try:
            done = subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=SECONDS,
                env={**os.environ, "PYTHONPATH": paths},
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise PluginError(f"importing it took more than {SECONDS} s") from None
        if not answer.is_file():
            raise PluginError(f"importing it ended the process (exit status {done.returncode})")
        text = answer.read_text(encoding="utf-8")
    record = json.loads(text)
    if "failure" in record:
        error = PluginError(record["failure"])
        error.__notes__ = record.get("trace", [])  # for whoever asks why
        raise error
    return Manifest.from_text(text)
