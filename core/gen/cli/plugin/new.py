"""`gen plugin new NAME`: a plugin package for any kind of component, written from the templates in gen-sdk."""

from __future__ import annotations

import argparse
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from gen import registry
from gen.current import compiled
from gen.errors import CommandError, PluginError, did_you_mean
from gen.installed import declared
from gen.manifest import FILE

__all__ = ["add", "main"]

LONGEST = 40
RESERVED = frozenset({"core", "gen", "sdk", "local", "test"})

_KEBAB = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME", help="the plugin's namespace, such as ring: it writes gen-ring")
    parser.add_argument("--kind", metavar="KIND", help="what it holds: encoder (default), sampler, model …")
    parser.add_argument("--minimal", action="store_true", help="no README, tests, CI and .gitignore")
    parser.add_argument("--into", default=".", metavar="DIR", help="the folder to write its folder into (here)")


def main(args: argparse.Namespace) -> int:
    """Writes the package and says what to do next.

    Raises:
        CommandError: the name, the kind or the folder cannot be used, or gen-sdk is missing.
    """
    try:
        from gen_sdk.templates.kinds import DEFAULT, KINDS
        from gen_sdk.templates.render import render
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != "gen_sdk":
            raise
        raise CommandError("gen plugin new needs gen-sdk, which is not installed\n   pip install gen-sdk") from error
    kind = args.kind or DEFAULT
    if kind not in KINDS:
        near = did_you_mean(kind, list(KINDS))
        raise CommandError(
            f'gen plugin new: there is no kind "{kind}"{f": {near}" if near else ""}\n   there are: {", ".join(KINDS)}'
        )
    _check_name(args.name)
    folder = Path(args.into) / f"gen-{args.name}"
    if not folder.parent.is_dir():
        raise CommandError(f"gen plugin new: --into {args.into}: there is no such folder")
    if os.path.lexists(folder):
        raise CommandError(f"gen plugin new: {folder} is there already: choose another name, or another --into")
    texts = render(args.name, kind, minimal=args.minimal)
    try:
        problem = _write(folder, args.name, texts)
    except OSError as error:
        raise CommandError(f"gen plugin new: {folder} cannot be written: {error.strerror or error}") from error
    print(_said(folder, args.name, f"{args.name}/{KINDS[kind].name}", kind, len(texts) + (not problem)))
    if problem:
        print(f"\nIts {FILE} could not be made yet ({problem}).")
        print(f"Once it is installed: gen plugin manifest {args.name}")
    return 0


def _check_name(name: str) -> None:
    if not _KEBAB.fullmatch(name):
        near = re.sub(r"[^a-z0-9]+", "-", name.lower()).lstrip("-0123456789").rstrip("-")
        hint = f": {near}?" if _KEBAB.fullmatch(near) else ", such as ring or my-nets"
        raise CommandError(f'gen plugin new: "{name}" is no namespace: lower-case words joined by hyphens{hint}')
    if name.startswith("gen-"):
        short = name.removeprefix("gen-")
        raise CommandError(f"gen plugin new {name}: leave gen- out: gen plugin new {short} writes the package {name}")
    if len(name) > LONGEST:
        raise CommandError(f"gen plugin new: a namespace has at most {LONGEST} letters, {name} has {len(name)}")
    if name in RESERVED:
        raise CommandError(f'gen plugin new: the namespace "{name}" is reserved, as are {", ".join(sorted(RESERVED))}')
    entry = registry.known(name)
    if entry is not None:
        raise CommandError(f'gen plugin new: the namespace "{name}" is taken by {entry.package}: {entry.summary}')
    owner = next((plugin for plugin in declared() if plugin.namespace == name), None)
    if owner is not None:
        raise CommandError(f'gen plugin new: the namespace "{name}" is taken by {owner.distribution}, installed here')


def _write(folder: Path, namespace: str, texts: Mapping[str, str]) -> str:
    """The package, whole or not at all; why its manifest could not be made, or nothing where it was."""
    scratch = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        made = scratch / folder.name
        for name, text in texts.items():
            path = made / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        problem = _describe(made, namespace)
        made.rename(folder)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return problem


def _describe(made: Path, namespace: str) -> str:
    """Writes the manifest from the folder, where nothing is installed yet; why that failed, or nothing."""
    package = f"gen_{namespace.replace('-', '_')}"
    sys.path.insert(0, str(made.resolve()))  # what the other process may import
    try:
        manifest = compiled(namespace, f"{package}.plugin", f"gen-{namespace}")
    except PluginError as error:
        return str(error)
    finally:
        sys.path.remove(str(made.resolve()))
    for cache in made.rglob("__pycache__"):
        shutil.rmtree(cache)
    (made / package / FILE).write_text(manifest.to_text(), encoding="utf-8")
    return ""


def _said(folder: Path, namespace: str, component: str, kind: str, files: int) -> str:
    return "\n".join(
        [
            f"{folder}: a plugin with the {kind} {component}, in {files} files",
            "",
            f"  cd {folder}",
            '  pip install -e ".[dev]"',
            f"  gen plugin check {namespace}",
            f"  gen run {namespace}-digits",
        ]
    )
