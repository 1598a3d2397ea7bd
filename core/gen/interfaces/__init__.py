"""The interfaces: what a part, a sampler, a data set … promises. Shapes are per sample, B is the batch.

An interface is abstract, a component final: nothing concrete is overridden. A plugin may define further interfaces: a
class with a `kind`.
"""

from gen.interfaces.data import Dataset, Rows, Transform
from gen.interfaces.distributions import Likelihood, Posterior, Prior
from gen.interfaces.model import CAPABILITIES, Model, Phase
from gen.interfaces.networks import Autoregressor, Decoder, Denoiser, Discriminator, Encoder, Extractor, Generator
from gen.interfaces.noise import NoiseSchedule
from gen.interfaces.objectives import AdversarialLoss, Corruption, Distance, Regularizer, Weighting
from gen.interfaces.part import Network, Part
from gen.interfaces.sampling import Sampler
from gen.interfaces.training import LRSchedule, Metric, OptimizerSpec, Tracker

__all__ = [
    "CAPABILITIES",
    "AdversarialLoss",
    "Autoregressor",
    "Corruption",
    "Dataset",
    "Decoder",
    "Denoiser",
    "Discriminator",
    "Distance",
    "Encoder",
    "Extractor",
    "Generator",
    "LRSchedule",
    "Likelihood",
    "Metric",
    "Model",
    "Network",
    "NoiseSchedule",
    "OptimizerSpec",
    "Part",
    "Phase",
    "Posterior",
    "Prior",
    "Regularizer",
    "Rows",
    "Sampler",
    "Tracker",
    "Transform",
    "Weighting",
]
