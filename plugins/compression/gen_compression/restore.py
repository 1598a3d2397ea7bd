"""From an archive back to samples, and whether they are the ones that were coded. Shapes: n samples, N values."""

from __future__ import annotations

import torch
from torch import Tensor

from gen.errors import CheckpointError, CommandError
from gen.interfaces import Model
from gen.loading import Loaded, load
from gen.pictures import to_bytes
from gen.plugins import Catalogue
from gen_compression.archive import MODEL_BYTES, Header, here, symbols_sum, unpack
from gen_compression.walk import read

__all__ = ["check_can_code", "coder_of", "restore", "verify"]


def check_can_code(loaded: Loaded) -> None:
    """Raises:
    CommandError: the family has no `code`.
    """
    if "code" not in type(loaded.model).capabilities():
        name = loaded.config["model"]["use"]
        raise CommandError(
            f"{name} cannot code: that takes exact chances of one value after another, the capability `code`, which "
            "autoregressive models have (gen show NAME says what a model can do)"
        )


def coder_of(header: Header, run: str, source: str, known: Catalogue) -> Loaded:
    """The model of a run with those of its weights (raw, an average) that the archive was coded with.

    Raises:
        CheckpointError: the run has no such weights.
    """
    first = load(run, weights="raw", known=known)
    check_can_code(first)
    wanted = header.model.hex()
    for name, entry in first.config["files"].items():
        if not name.startswith("sampler.") and str(entry.get("sha256", "")).startswith(wanted):
            return first if name == "raw" else load(run, weights=name, known=known)
    raise CheckpointError(
        f"{source} was coded with other weights than {first.path} holds: theirs have the hash {wanted}…, these "
        f"{first.digest[: 2 * MODEL_BYTES]}…; name the run that it was made with, as it was then"
    )


def restore(model: Model, header: Header, payload: bytes, source: str) -> Tensor:
    """The samples x [n, *shape] of an archive, the very ones that were coded.

    Raises:
        CheckpointError: others came out, which a checksum tells: another machine computes other chances.
    """
    how = {"batch": header.batch, "threads": header.threads, "terms": header.terms}
    try:
        x, symbols = read(model, payload, header.count, **how)
    except (CheckpointError, TypeError) as error:  # TypeError: terms that this model does not know
        raise CheckpointError(f"{source} {_other(header)} ({error})") from error
    if symbols_sum(symbols) != header.content:
        raise CheckpointError(f"{source} {_other(header)}")
    return x


def verify(model: Model, data: bytes, x: Tensor) -> None:
    """Decodes the bytes of an archive as anyone will, and compares with the samples x [n, *shape].

    Raises:
        CheckpointError: they differ; nothing has been written then.
    """
    back = restore(model, *unpack(data, "the archive"), "the archive")
    domain = model.data.domain
    same = torch.equal(back.to(x.dtype), x)
    if domain.modality == "image":
        same = torch.equal(to_bytes(back, domain), to_bytes(x, domain))
    if not same:
        raise CheckpointError("the archive decodes to other samples than were coded: nothing was written")


def _other(header: Header) -> str:
    was, now = (".".join(map(str, version)) for version in (header.torch, here()))
    return (
        "does not decode to what was coded: this machine computes other chances than the one that wrote it. Sums of "
        f"floats depend on the processor and on PyTorch (it was {was}, here is {now}): decode it where it was written"
    )
