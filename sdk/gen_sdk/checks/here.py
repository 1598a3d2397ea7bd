"""Files that a component reads and no package ships, InceptionV3's weights, say: what is not here of them.

Such a component declares them in words, as `traits["files"]`. Where they are missing, checks that need them are "not
here": listed and counted in the report, and its kind's minimum is waived. Whoever declares nothing fails instead.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from gen.errors import DataError
from gen_sdk.checks.subject import Subject

__all__ = ["KINDS", "missing"]

KINDS = ("dataset", "extractor")
"""The kinds that may read files of the user's."""


def missing(subject: Subject) -> str:
    """What it declares and this machine lacks, so that it cannot be built or opened; nothing: its files are here.

    A data set that writes its own (`example_data`) never lacks them.
    """
    declared = subject.trait("files")
    if not declared or subject.spec.kind not in KINDS or hasattr(subject.cls, "example_data"):
        return ""
    try:
        part = subject.make()
        if subject.spec.kind == "dataset":
            with tempfile.TemporaryDirectory(prefix="gen-empty-") as root:
                part.open("train", Path(root))
    except DataError as error:
        return f"{declared}: {str(error).partition(chr(10))[0]}"
    return ""
