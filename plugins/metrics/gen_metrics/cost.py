"""What a model costs: how large it is, how long a sample takes."""

from __future__ import annotations

import torch

from gen.component import component
from gen.evaluate import Evaluation, Measured
from gen.interfaces import Metric

__all__ = ["Parameters", "Seconds"]


@component
class Parameters(Metric):
    """The number of parameters of the model; a shared one counts once."""

    def measure(self, evaluation: Evaluation) -> Measured:
        parts = {
            name: float(sum(p.numel() for p in child.parameters()))
            for name, child in evaluation.model.named_children()
            if any(True for _ in child.parameters())
        }
        return Measured(float(sum(p.numel() for p in evaluation.model.parameters())), "numbers", parts)


@component
class Seconds(Metric):
    """Seconds to draw 1,000 samples, on this machine as busy as it was; the card says which and how."""

    draws = True

    def measure(self, evaluation: Evaluation) -> Measured:
        device = evaluation.device
        name = torch.cuda.get_device_name(device) if device.type == "cuda" else device.type
        card = {"device": name, "threads": torch.get_num_threads(), "generated": evaluation.count}
        return Measured(1000 * evaluation.seconds() / evaluation.count, "s per 1,000 samples", {}, card)
