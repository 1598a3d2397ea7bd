"""Where a run comes from: versions, command, code, data, machine."""

from __future__ import annotations

import hashlib
import platform
import subprocess
import sys
import time
from collections.abc import Iterable
from importlib import metadata
from typing import Any

from gen.recipe.recipe import Recipe

__all__ = ["provenance"]

_LIBRARIES = ("gen-core", "torch", "accelerate", "torchmetrics", "safetensors")


def provenance(
    recipe: Recipe, *, plugins: Iterable[tuple[str, str, str]], device: str, processes: int, data: str
) -> dict[str, Any]:
    """The content of run.json.

    Args:
        plugins: namespace, distribution and version of every plugin the recipe uses.
        data: the fingerprint of the training split.
    """
    return {
        "format": 1,
        "name": recipe.name,
        "command": sys.argv,
        "overrides": list(recipe.overrides),
        "seed": recipe.config["seed"],
        "started": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "versions": {name: metadata.version(name) for name in _LIBRARIES},
        "plugins": {ns: {"distribution": dist, "version": version} for ns, dist, version in plugins},
        "python": platform.python_version(),
        "machine": {"platform": platform.platform(), "device": device, "processes": processes},
        "data": data,
        "git": _git(),
    }


def _git() -> dict[str, Any] | None:
    """Commit and a hash of uncommitted changes of the folder the command runs in; None outside a checkout."""
    try:
        commit = _run("git", "rev-parse", "HEAD").strip()
        changes = _run("git", "diff", "HEAD")
    except (OSError, subprocess.SubprocessError):
        return None
    dirty = hashlib.sha256(changes.encode()).hexdigest()[:16] if changes else None
    return {"commit": commit, "changes": dirty}


def _run(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=5).stdout
