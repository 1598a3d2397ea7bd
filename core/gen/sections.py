"""The sections of a recipe, as specs, so that one checker serves sections and components (torch-free).

A section holds options, slots and further sections. Two shapes are special: `optim` maps phases to optimizers whose
mappings also hold the keys of `ENTRY`, and a slot may be filled by part of a finished run (`RUN_PART`).
"""

from __future__ import annotations

import re

import attrs

from gen.spec import OptionSpec, SlotSpec

__all__ = [
    "ENTRY",
    "FORMAT",
    "LABEL",
    "OF_A_DRAW",
    "OPTIM",
    "OPTIMIZER",
    "ORDER",
    "PART",
    "PLAIN_KINDS",
    "ROOT",
    "RUN_NAME",
    "RUN_PART",
    "Section",
]

FORMAT = 1
"""The recipe format that this version reads."""

RUN_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
"""A recipe's name: it becomes the name of a folder."""

LABEL = re.compile(r"(?!(use|run|part|base|drop)$)[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
"""A label of a sampler or metric: it becomes part of file names, and is no word of the recipe language."""

OF_A_DRAW = ("count", "weights", "precision", "channels_last")
"""The options of every sampler, which only the outermost is asked for."""

PLAIN_KINDS = frozenset(
    (
        *("dataset", "transform", "sampler", "metric", "optimizer", "lr-schedule", "tracker"),
        *("adversarial-loss", "distance", "corruption", "weighting", "regularizer", "noise-schedule"),
    )
)
"""Kinds without tensors of their own: no part of a finished run can fill their slots."""


@attrs.frozen
class Section:
    """A section and what it may hold. Left out, it takes its defaults, or is null where it is `nullable`."""

    name: str
    doc: str
    options: tuple[OptionSpec, ...] = ()
    slots: tuple[SlotSpec, ...] = ()
    sections: tuple[Section, ...] = ()
    nullable: bool = False

    def option(self, name: str) -> OptionSpec | None:
        return next((option for option in self.options if option.name == name), None)


_WEIGHTS = ("ema", "raw")

RUN_PART = Section(
    "part of a run",
    "part of a finished run, instead of a new component",
    options=(
        OptionSpec("run", "str", doc="folder of the finished run"),
        OptionSpec("part", "str", doc="name of the part in that run's model"),
        OptionSpec("weights", "str", default="ema", choices=_WEIGHTS, doc="averaged weights or raw ones"),
        OptionSpec("frozen", "bool", default=False, doc="leave the part as it is while training"),
    ),
)

INIT = Section(
    "init",
    "start from the weights of a finished run",
    options=(
        OptionSpec("run", "str", doc="folder of the finished run"),
        OptionSpec("weights", "str", default="ema", choices=_WEIGHTS, doc="averaged weights or raw ones"),
    ),
    nullable=True,
)

PART = Section(
    "part",
    "what differs for one part of the model",
    options=(
        OptionSpec("lr", "float", nullable=True, default=None, above=0, max=1e3, doc="learning rate of the part"),
        OptionSpec("weight_decay", "float", nullable=True, default=None, min=0, max=1e3, doc="decay of the part"),
        OptionSpec("freeze", "bool", default=False, doc="leave the part as it is"),
    ),
)

ENTRY = Section(
    "entry",
    "the keys that stand beside an optimizer's own options",
    options=(
        OptionSpec("scale", "float", default=1.0, above=0, max=1e6, doc="factor on the learning rate"),
        OptionSpec("repeat", "int", nullable=True, default=None, min=1, max=10**6, doc="updates per step of the phase"),
        OptionSpec("every", "int", nullable=True, default=None, min=1, max=10**9, doc="steps between two turns"),
    ),
)

OPTIMIZER = SlotSpec("all", "optimizer", default="core/adam", doc="the optimizer of every phase")

OPTIM = Section("optim", "the optimizer of every phase (`all`) and what differs for single phases")

TRAIN = Section(
    "train",
    "how long and how to train",
    options=(
        OptionSpec("steps", "int", nullable=True, default=None, min=1, max=10**9, doc="steps; or give epochs"),
        OptionSpec("epochs", "float", nullable=True, default=None, above=0, max=1e9, doc="passes over the data"),
        OptionSpec(
            "precision",
            "str",
            default="fp32",
            choices=("fp32", "bf16", "fp16", "auto"),
            doc="of the computation; auto: bf16 where the device has instructions for it, else fp32",
        ),
        OptionSpec("clip", "float", nullable=True, default=None, above=0, max=1e9, doc="largest norm of the gradient"),
        OptionSpec("accumulate", "int", default=1, min=1, max=2**20, doc="micro-batches a batch is cut into"),
        OptionSpec("compile", "bool", default=False, doc="compile the phases with torch.compile"),
        OptionSpec("channels_last", "bool", default=False, doc="memory order of images"),
        OptionSpec("log", "int", default=50, min=1, max=10**9, doc="steps between two lines of figures"),
    ),
    sections=(
        Section(
            "ema",
            "averaged weights",
            options=(
                OptionSpec("decay", "float", default=0.999, min=0, below=1, doc="decay per step"),
                OptionSpec("also", "float", many=True, default=[], min=0, below=1, doc="further decays to keep"),
                OptionSpec("of", "str", many=True, default=[], doc="parts to average; empty: all"),
                OptionSpec("start", "int", default=0, min=0, max=10**9, doc="step at which averaging starts"),
            ),
            nullable=True,
        ),
    ),
)

EVALUATE = Section(
    "evaluate",
    "what to measure, and when",
    options=(
        OptionSpec("every", "int", nullable=True, default=None, min=1, max=10**9, doc="steps between two; null: end"),
        OptionSpec("split", "str", default="val", choices=("val", "test"), doc="of the data"),
        OptionSpec("count", "int", default=1000, min=1, max=10**8, doc="generated samples"),
    ),
    slots=(SlotSpec("metrics", "metric", labelled=True, default={}, doc="label → metric"),),
)

SAVE = Section(
    "save",
    "checkpoints",
    options=(
        OptionSpec(
            "every", "int", nullable=True, default=None, min=1, max=10**9, doc="steps between two; null: a tenth of all"
        ),
        OptionSpec("keep", "int", default=2, min=2, max=10**6, doc="newest checkpoints to keep"),
        OptionSpec("best", "str", nullable=True, default=None, doc="label of the metric whose best is kept too"),
    ),
)

ROOT = Section(
    "recipe",
    "one experiment",
    options=(
        OptionSpec("gen", "int", choices=(FORMAT,), doc="format of the recipe"),
        OptionSpec("name", "str", doc="lower-case letters, digits and dashes: the folder of the runs"),
        OptionSpec("about", "str", default="", doc="what it is, in a sentence"),
        OptionSpec("seed", "int", default=0, min=0, max=2**32 - 1, doc="of all randomness"),
        OptionSpec("plugins", "str", many=True, default=[], doc="plugins to activate besides those named below"),
    ),
    slots=(
        SlotSpec("data", "dataset", doc="the data set"),
        SlotSpec("model", "model", doc="the model family and its parts"),
        SlotSpec("sample", "sampler", labelled=True, default={}, doc="label → sampler"),
        SlotSpec("track", "tracker", many=True, default=[], doc="places besides the run folder that show figures"),
    ),
    sections=(INIT, OPTIM, TRAIN, EVALUATE, SAVE),
)

ORDER = (
    *("gen", "name", "about", "seed", "plugins"),
    *("data", "model", "init", "optim", "train", "sample", "evaluate", "save", "track"),
)
"""The order in which a resolved recipe states what stands at its root."""
