"""`gen plan RECIPE`: parts, shapes, parameters, memory, steps; found on the meta device, so nothing is trained."""

from __future__ import annotations

import argparse

from gen.cli.arguments import add_data_root, add_overrides, add_plugin, known_plugins

__all__ = ["add", "main"]


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("recipe", metavar="RECIPE", help="a file, or the name of a shipped recipe")
    add_overrides(parser)
    add_data_root(parser)
    add_plugin(parser)


def main(args: argparse.Namespace) -> int:
    from gen.recipe.recipe import Recipe

    known = known_plugins(args)
    recipe = Recipe.read(args.recipe, args.overrides, catalogue=known)

    from gen.building import build
    from gen.cli.table import table
    from gen.files import size_text
    from gen.plan import rehearse
    from gen.sampling import check_samplers

    experiment = build(recipe, data_root=args.data_root, device="meta", known=known)
    plan = rehearse(experiment)
    check_samplers(experiment.samplers(), experiment.model)
    parts = [(p.name, p.component, p.given, p.made, f"{p.parameters:,}") for p in plan.parts]
    print(table([("part", "component", "given", "made", "parameters"), *parts], indent=""))
    phases = [
        (p.name, ", ".join(p.trains) or "all", f"every {p.every}", str(p.repeat), p.optimizer, ", ".join(p.terms))
        for p in plan.phases
    ]
    print("\n" + table([("phase", "trains", "due", "batches", "optimizer", "loss and terms"), *phases], indent=""))
    epochs = plan.images / plan.samples
    print(
        f"\n{plan.parameters:,} parameters; {plan.steps:,} steps of {plan.batch} = {plan.images:,} images "
        f"({epochs:,.1f} epochs of {plan.samples:,}); about {size_text(plan.bytes)} of memory to train"
    )
    return 0
