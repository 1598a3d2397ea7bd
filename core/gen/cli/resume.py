"""`gen resume RUN`: goes on from the last whole checkpoint; `gen resume RUN train.steps=…` extends a finished run."""

from __future__ import annotations

import argparse

from gen.cli.arguments import add_overrides, add_plugin, known_plugins
from gen.cli.run import add_machine, finish, spread

__all__ = ["add", "main"]


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", metavar="RUN", help="a run folder, or runs/NAME for its newest")
    add_overrides(parser)
    parser.add_argument("--data-root", default=None, metavar="DIR", help="where the data are now, if they have moved")
    add_machine(parser)
    add_plugin(parser)


def main(args: argparse.Namespace) -> int:
    if args.processes != 1:
        return spread(args.processes)

    from gen.running import resume

    known = known_plugins(args)
    done = resume(args.run, args.overrides, data_root=args.data_root, device=args.device, quiet=args.quiet, known=known)
    return finish(done)
