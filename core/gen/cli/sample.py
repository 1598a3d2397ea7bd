"""`gen sample RUN`: draws from a trained model into a PNG grid and, on request, single images or an .npz file."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gen.cli.arguments import add_plugin, known_plugins

if TYPE_CHECKING:
    from torch import Tensor

    from gen.interfaces import Sampler
    from gen.loading import Loaded
    from gen.types import Domain

__all__ = ["add", "main"]


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", metavar="RUN", help="a run folder, or runs/NAME for its newest")
    parser.add_argument("-n", type=int, default=None, metavar="N", help="how many (the sampler's own count)")
    parser.add_argument("--seed", type=int, default=0, help="same seed, same samples (0)")
    parser.add_argument("--with", dest="sampler", metavar="SAMPLER", help="a sampler of the recipe, or a component")
    parser.add_argument("--label", type=int, help="the class to draw, for models trained with labels")
    parser.add_argument("--weights", default=None, help="raw, ema or ema-DECAY (the sampler's own choice)")
    parser.add_argument("-o", dest="out", metavar="PATH", help="a folder, or a file ending in .png or .npz")
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
    if not 0 <= args.seed < 2**63:
        raise CommandError(f"--seed takes 0 to 2**63 - 1, got {args.seed}")

    import torch

    from gen.loading import load
    from gen.sampling import draw, interleave

    known = known_plugins(args)
    first = load(args.run, weights=args.weights or "ema", known=known)
    sampler = first.sampler(args.sampler)
    loaded = first if args.weights or sampler.weights == "ema" else load(args.run, weights=sampler.weights, known=known)
    device = torch.device("cuda" if args.device != "cpu" and torch.cuda.is_available() else "cpu")
    model = loaded.model.to(device)
    n = args.n or sampler.count
    split = _split(loaded, args) if sampler.given else None
    x, given = draw(model, sampler, n, seed=args.seed, device=device, split=split, label=args.label)
    domain = next(iter(model.data.domains.values()))
    shown, columns = interleave(sampler, x, given, domain)
    try:
        written = _write(args, loaded, sampler, x, shown, columns, domain)
    except OSError as error:
        raise Stopped(f"cannot write {error.filename}: {error.strerror}. Choose another place with -o") from error
    print("\n".join(map(str, written)))
    return 0


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

    label = (args.sampler or next(iter(loaded.config["sample"]))).replace("/", "-")
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
