"""`gen compress RUN INPUT -o FILE`: codes samples with a trained model, and puts the file in place once it decodes."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from gen.cli.arguments import add_plugin, known_plugins
from gen.cli.table import table
from gen.errors import CommandError

if TYPE_CHECKING:
    from torch import Tensor

    from gen.loading import Loaded

__all__ = ["add", "main"]


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", metavar="RUN", help="a run folder, or runs/NAME for its newest")
    parser.add_argument(
        "input", nargs="?", metavar="INPUT", help="a picture, a folder of them, or a CSV file for a model of series"
    )
    parser.add_argument("-o", dest="out", required=True, metavar="FILE", help="the archive to write, a new file")
    parser.add_argument(
        "--split", choices=("train", "val", "test"), help="samples of the run's own data instead of INPUT"
    )
    parser.add_argument("--count", type=int, metavar="N", help="so many of the split (all)")
    parser.add_argument("--label", type=int, help="what the pictures show, for models trained with labels")
    parser.add_argument("--weights", default="ema", help="raw, ema, ema-DECAY or best (ema)")
    parser.add_argument("--batch", type=int, default=100, metavar="N", help="samples coded side by side (100)")
    parser.add_argument("--threads", type=int, default=1, metavar="N", help="of the CPU; decoding uses as many (1)")
    parser.add_argument("--data-root", metavar="DIR", help="where the data are (where the run found them)")
    add_plugin(parser)


def main(args: argparse.Namespace) -> int:
    out = Path(args.out)
    _check(args, out)

    from gen.files import write_whole
    from gen.loading import load
    from gen_compression.archive import MODEL_BYTES, Header, here, pack, symbols_sum
    from gen_compression.figures import figures
    from gen_compression.restore import check_can_code, verify
    from gen_compression.walk import encode

    loaded = load(args.run, weights=args.weights, known=known_plugins(args))
    check_can_code(loaded)
    x, cond = _samples(args, loaded)
    terms = loaded.model.code_terms(x)
    writer, symbols = encode(loaded.model, x, cond, batch=args.batch, threads=args.threads, terms=terms)
    model = bytes.fromhex(loaded.digest)[:MODEL_BYTES]
    header = Header(model, symbols_sum(symbols), here(), args.threads, len(x), args.batch, terms)
    payload = writer.bytes()
    data = pack(header, payload)
    verify(loaded.model, data, x)
    write_whole(out, data)
    print(table(figures(loaded.model, x, cond, batch=args.batch, size=len(data), code=len(payload)), indent=""))
    print(out)
    return 0


def _check(args: argparse.Namespace, out: Path) -> None:
    for name, most in (("count", 10_000_000), ("batch", 65_536), ("threads", 1024)):
        value = getattr(args, name)
        if value is not None and not 1 <= value <= most:
            raise CommandError(f"--{name} takes 1 to {most:,}, got {value}")
    if (args.input is None) == (args.split is None):
        raise CommandError("gen compress: name INPUT or --split, one of the two")
    if args.count is not None and args.split is None:
        raise CommandError("--count goes with --split: of INPUT all is compressed")
    if args.label is not None and args.split is not None:
        raise CommandError("--label goes with INPUT: samples of a split have labels of their own")
    if out.exists():
        raise CommandError(f"gen compress -o {out}: exists already: choose another name")
    if not out.parent.is_dir():
        raise CommandError(f"gen compress -o {out}: there is no folder {out.parent}")


def _samples(args: argparse.Namespace, loaded: Loaded) -> tuple[Tensor, Tensor | None]:
    """The samples [n, *shape], and the labels [n] for a model that is told any."""
    import torch

    from gen.sampling import labels_for
    from gen_compression.samples import check_levels, check_unchanged, held_out, pictures, series
    from gen_compression.walk import classes

    domain = loaded.model.data.domain
    if args.split:
        if domain.modality == "series":
            check_unchanged(loaded)
        x, cond = held_out(loaded, args.split, args.count, args.data_root)
    else:
        path, cond = Path(args.input), None
        x = series(loaded, path) if domain.modality == "series" else pictures(path, domain)
        if classes(loaded.model) is not None and args.label is None:
            raise CommandError("this model was trained with labels: say what the pictures show with --label")
        cond = labels_for(loaded.model, len(x), args.label, torch.device("cpu"))
    check_levels(x, domain, args.input or f"the {args.split} split")
    return x, cond
