"""Ships the workspace's `registry.yaml` inside gen-core, as `gen/registry.yaml`.

Built from the workspace (a wheel or an sdist), the file comes from the repository's root; built from an sdist, it
already lies in `gen/`. An editable install needs no copy: the code walks up to the root's file.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class RegistryHook(BuildHookInterface):
    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if version == "editable" or Path(self.root, "gen/registry.yaml").is_file():
            return
        registry = Path(self.root).parent / "registry.yaml"
        if not registry.is_file():
            raise FileNotFoundError(f"{registry}: gen-core ships this file; `make manifests` writes it")
        build_data["force_include"][str(registry)] = "gen/registry.yaml"
