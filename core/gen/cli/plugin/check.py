"""`gen plugin check TARGET`: the conformance kit of gen-sdk, without pytest. Exit status 2 where a check fails."""

from __future__ import annotations

import argparse

from gen.errors import CommandError

__all__ = ["add", "main"]


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("target", metavar="TARGET", help="a namespace, a component's name, or a plugin's one file")
    parser.add_argument("--tier", choices=("bronze", "silver", "gold"), default="silver", help="how far (silver)")
    parser.add_argument("--json", action="store_true", help="for programs")


def main(args: argparse.Namespace) -> int:
    try:
        from gen_sdk.checks.report import examine
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != "gen_sdk":
            raise
        raise CommandError("gen plugin check needs gen-sdk, which is not installed\n   pip install gen-sdk") from error
    report = examine(args.target, args.tier)
    print(report.to_json() if args.json else report.text())
    return 0 if report.ok else 2
