"""`gen sample RUN`: draws from a trained model into a PNG grid and, on request, single images or an .npz file.

With `--translate FOLDER`, what it makes of the files of a folder, one picture for each. With `--input`, samples that
start from pictures of the user's own, and with `--mask` from what a mask leaves of them. Overrides change options of
the sampler: `gen sample RUN --with diffusion/ddim sampler.steps=10`.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gen.cli.arguments import add_plugin, known_plugins

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from gen.interfaces import Sampler
    from gen.loading import Loaded
    from gen.types import Domain

__all__ = ["add", "main"]

_PICTURES = (".jpg", ".jpeg", ".gif", ".bmp", ".webp", ".tif", ".tiff", ".npy")
"""Endings of files that nobody means for a folder."""


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", metavar="RUN", help="a run folder, or runs/NAME for its newest")
    parser.add_argument(
        "overrides", nargs="*", metavar="path=value", help="sets an option of the sampler: 'sampler.steps=10'"
    )
    parser.add_argument("-n", type=int, default=None, metavar="N", help="how many (the sampler's own count)")
    parser.add_argument("--seed", type=int, default=0, help="same seed, same samples (0)")
    parser.add_argument("--with", dest="sampler", metavar="SAMPLER", help="a sampler of the recipe, or a component")
    parser.add_argument("--label", type=int, help="the class to draw, for models trained with labels")
    parser.add_argument("--weights", default=None, help="raw, ema, ema-DECAY or best (the sampler's own choice)")
    parser.add_argument("-o", dest="out", metavar="PATH", help="a folder, or a file ending in .png or .npz")
    parser.add_argument("--translate", metavar="FOLDER", help="translate the files of a folder, a picture for each")
    parser.add_argument("--to", metavar="DOMAIN", help="the domain to translate to (the sampler's own choice)")
    parser.add_argument(
        "--input", metavar="PATH", help="a picture or a folder of them to start from (held-out samples)"
    )
    parser.add_argument("--mask", help="what of it is known: a picture (white = known), half, centre or random:SHARE")
    parser.add_argument("--singles", action="store_true", help="single images as well")
    parser.add_argument(
        "--data-root", default=None, metavar="DIR", help="where the data are, for samplers that start there"
    )
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto", help="what to compute on")
    add_plugin(parser)


def main(args: argparse.Namespace) -> int:
    from gen.errors import CommandError, Stopped

    if args.n is not None and args.n < 1:
        raise CommandError(f"-n takes 1 or more, got {args.n}")
    if args.translate and args.input:
        raise CommandError("--translate FOLDER says what to start from already: leave --input out")
    if args.out and Path(args.out).suffix.lower() in _PICTURES:
        raise CommandError(f"-o takes a folder, or a file ending in .png or .npz, got {args.out}")
    if not 0 <= args.seed < 2**63:
        raise CommandError(f"--seed takes 0 to 2**63 - 1, got {args.seed}")

    import torch

    from gen.loading import load
    from gen.sampling import settle

    known = known_plugins(args)
    first = load(args.run, weights=args.weights or "ema", known=known)
    chosen = args.sampler or (_translator(first) if args.translate or args.to else None)
    sampler = first.sampler(chosen, args.overrides)
    loaded = first if args.weights else first.weighted_for(sampler)
    device = torch.device("cuda" if args.device != "cpu" and torch.cuda.is_available() else "cpu")
    loaded.model.to(device)
    if warning := settle(sampler, chosen or "of the run", device):
        print(f"warning: {warning}", file=sys.stderr)
    try:
        written = (_translate if args.translate else _draw)(args, loaded, sampler, device)
    except OSError as error:
        raise Stopped(f"cannot write {error.filename}: {error.strerror}. Choose another place with -o") from error
    print("\n".join(map(str, written)))
    return 0


def _translator(loaded: Loaded) -> str:
    """The label of the run's first sampler that translates."""
    from gen.errors import CommandError

    for label in loaded.config["sample"]:
        if "to" in loaded.sampler(label).given:
            return str(label)
    raise CommandError(f"{loaded.path} names no sampler that translates: choose one with --with NAME (gen ls sampler)")


def _draw(args: argparse.Namespace, loaded: Loaded, sampler: Sampler, device: torch.device) -> list[Path]:
    from gen.sampling import domain_of, draw, interleave, own_samples

    own = own_samples(sampler, loaded.model.data, Path(args.input)) if args.input else None
    split = _split(loaded, args) if sampler.given and own is None else None
    n = args.n or (sampler.count if own is None else sampler.columns(len(own)) or len(own))
    asked = {"label": args.label, "to": args.to, "own": own, "mask": args.mask}
    x, given = draw(loaded.model, sampler, n, seed=args.seed, device=device, split=split, **asked)
    shown, columns = interleave(loaded.model, sampler, x, given)
    return _write(args, loaded, sampler, x, shown, columns, domain_of(loaded.model.data, given))


def _translate(args: argparse.Namespace, loaded: Loaded, sampler: Sampler, device: torch.device) -> list[Path]:
    """A picture for every file of a folder, of the same name."""
    from gen.data import open_folder
    from gen.errors import CommandError
    from gen.pictures import save_picture
    from gen.sampling import source, target, translations

    data = loaded.model.data
    to = target(sampler, loaded.model, args.to)
    if to is None:
        raise CommandError("this sampler translates nothing: leave --translate out, or choose another with --with")
    folder = Path(args.out) if args.out else loaded.path.parent / "drawn" / f"to-{to}"
    if folder.suffix in (".png", ".npz"):
        raise CommandError(f"--translate writes a picture for every file: -o names a folder, got {args.out}")
    dataset = loaded.builder.make(loaded.config["data_section"], path="data")
    split = open_folder(dataset, Path(args.translate), source(data, to))
    written: dict[Path, None] = {}
    for number, x in translations(loaded.model, sampler, split, to, args.n, seed=args.seed, device=device):
        path = folder / f"{split.rows.name(number)}.png"
        path = path if path not in written else folder / f"{split.rows.name(number)}-{number}.png"
        if save_picture(path, x[None], data.domains[to], 1) is None:
            raise CommandError("translations of these data are no pictures")
        written[path] = None
    return list(written)


def _split(loaded: Loaded, args: argparse.Namespace) -> Any:
    """The held-out split of the run's data, for samplers that start from data."""
    from gen.data import open_split
    from gen.rundir import RunFolder

    root = args.data_root or RunFolder.open(loaded.path.parent).read("run.json").get("data_root", ".")
    dataset = loaded.builder.make(loaded.config["data_section"], path="data")
    return open_split(dataset, loaded.config["evaluate"]["split"], Path(root))


def _write(
    args: argparse.Namespace,
    loaded: Loaded,
    sampler: Sampler,
    x: Tensor,
    shown: Tensor,
    columns: int | None,
    domain: Domain,
) -> list[Path]:
    from gen.errors import CommandError
    from gen.pictures import save_picture

    chosen = args.sampler or (_translator(loaded) if args.to else next(iter(loaded.config["sample"])))
    label = chosen.replace("/", "-") + (f"-to-{args.to}" if args.to else "")
    folder = Path(args.out) if args.out else loaded.path.parent / "drawn"
    if folder.suffix == ".npz":
        return [_arrays(folder, x)]
    target = folder if folder.suffix == ".png" else folder / f"{label}-seed{args.seed}.png"
    written = [save_picture(target, shown, domain, columns)]
    if args.singles:
        singles = target.with_suffix("")
        written += [save_picture(singles / f"{i:05d}.png", one[None], domain, 1) for i, one in enumerate(x)]
    found = [path for path in written if path is not None]
    if not found:
        raise CommandError("these samples are no pictures: write them to a file with -o samples.npz")
    return found


def _arrays(path: Path, x: Tensor) -> Path:
    import io

    import numpy as np

    from gen.files import write_whole

    buffer = io.BytesIO()
    np.savez_compressed(buffer, x=x.float().cpu().numpy())
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, buffer.getvalue())
    return path
