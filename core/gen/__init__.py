"""gen: generative modelling from recipes and plugins.

The façade is lazy (PEP 562): `import gen` costs nothing and imports no torch. Inside core, import the leaf modules; no
name here may be that of a submodule, which Python would put in its place.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

_PUBLIC = {
    "Recipe": "gen.recipe.recipe:Recipe",
    "build": "gen.building:build",
    "run": "gen.running:run",
    "resume": "gen.running:resume",
    "load": "gen.loading:load",
}

__all__ = ["__version__", *_PUBLIC]


def __getattr__(name: str) -> Any:
    if name not in _PUBLIC:
        raise AttributeError(f"module 'gen' has no attribute {name!r}")
    from importlib import import_module

    module, _, attribute = _PUBLIC[name].partition(":")
    return getattr(import_module(module), attribute)


def __dir__() -> list[str]:
    return sorted(__all__)


if TYPE_CHECKING:
    from gen.building import build as build
    from gen.loading import load as load
    from gen.recipe.recipe import Recipe as Recipe
    from gen.running import resume as resume
    from gen.running import run as run
