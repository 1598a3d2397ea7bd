"""`gen doctor`: what is wrong with this installation, and the remedy. Torch is imported only for `--devices`."""

from __future__ import annotations

import argparse
import platform
import re
import shutil
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from typing import NamedTuple

from gen.cli.arguments import add_data_root
from gen.cli.table import table
from gen.plugins import catalogue

__all__ = ["Finding", "add", "main", "torchvision"]

LITTLE_DISK = 2 << 30


class Finding(NamedTuple):
    """`state` is ok, note (worth knowing) or bad (something will fail)."""

    state: str
    topic: str
    text: str
    remedy: str = ""


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--devices", action="store_true", help="look for accelerators too: imports torch, seconds")
    parser.add_argument("--runs", default="runs", metavar="DIR", help="where runs will be written (runs)")
    add_data_root(parser)


def main(args: argparse.Namespace) -> int:
    findings = [*_software(), *_plugins(), _disk(Path(args.runs)), _data(Path(args.data_root))]
    if args.devices:
        findings += _devices()
    print(table([(finding.state, finding.topic, finding.text) for finding in findings], indent=""))
    for finding in findings:
        if finding.remedy:
            print(f"\n{finding.topic}: {finding.remedy}")
    return 2 if any(finding.state == "bad" for finding in findings) else 0


def _software() -> Iterator[Finding]:
    yield Finding("ok", "python", f"{platform.python_version()}, {platform.system()}, {sys.executable}")
    for name in ("gen-core", "torch", "accelerate", "torchmetrics", "safetensors"):
        installed = _version(name)
        if installed:
            yield Finding("ok", name, installed)
        else:
            yield Finding("bad", name, "not installed", f"pip install {name}")
    vision = _version("torchvision")
    torch = _version("torch")
    if vision and torch:
        yield torchvision(torch, vision, requires("torchvision") or [])


def torchvision(torch: str, vision: str, needs: list[str]) -> Finding:
    """Whether this torchvision was built for this torch: if not, importing torchmetrics fails as well.

    Args:
        torch, vision: the versions, with their build (`2.13.0+cpu`).
        needs: what torchvision's metadata requires.
    """
    wanted = next((match[1] for need in needs if (match := re.match(r"torch\s*\(?==\s*([\w.]+)", need))), None)
    release, _, build = torch.partition("+")
    fits = wanted in (None, release) and build == vision.partition("+")[2]
    if fits:
        return Finding("ok", "torchvision", vision)
    target = f"torch {wanted}" if wanted not in (None, release) else "another build of torch"
    return Finding(
        "bad",
        "torchvision",
        f"{vision} was built for {target}, here is torch {torch}: importing it, and with it torchmetrics, fails "
        'with "operator torchvision::nms does not exist"',
        "gen does not need it: pip uninstall torchvision. Or install the one made for your torch: "
        f"pip install torchvision torch=={torch}, from the index that torch came from",
    )


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def _plugins() -> Iterator[Finding]:
    for plugin in catalogue().plugins:
        text = f"{plugin.distribution} {plugin.version}"
        if plugin.state == "ok":
            yield Finding("ok", f"plugin {plugin.namespace}", f"{text}, {len(plugin.components)} components")
        else:
            state = "note" if plugin.usable else "bad"
            said = f"{text} is {plugin.state}: {plugin.reason}"
            yield Finding(state, f"plugin {plugin.namespace}", said, plugin.remedy)


def _disk(runs: Path) -> Finding:
    place = next(path for path in (runs.absolute(), *runs.absolute().parents) if path.is_dir())
    free = shutil.disk_usage(place).free
    text = f"{free / 2**30:.1f} GiB free for runs in {runs.absolute()}"
    if free < LITTLE_DISK:
        return Finding("note", "disk", text, "free some space, or choose another place with --runs DIR")
    return Finding("ok", "disk", text)


def _data(root: Path) -> Finding:
    if root.is_dir():
        return Finding("ok", "data root", str(root.absolute()))
    return Finding("bad", "data root", f"{root.absolute()} is no folder", "name another with --data-root DIR")


def _devices() -> Iterator[Finding]:
    try:
        import torch
    except Exception as error:
        yield Finding("bad", "devices", f"importing torch failed: {error}", "reinstall torch: pytorch.org/get-started")
        return
    yield Finding("ok", "cpu", f"{torch.get_num_threads()} threads")
    for number in range(torch.cuda.device_count()):
        card = torch.cuda.get_device_properties(number)
        bf16 = "bf16" if card.major >= 8 else "no fast bf16"
        yield Finding("ok", f"cuda:{number}", f"{card.name}, {card.total_memory / 2**30:.0f} GiB, {bf16}")
    if torch.backends.mps.is_available():
        yield Finding("ok", "mps", "Apple's GPU")
