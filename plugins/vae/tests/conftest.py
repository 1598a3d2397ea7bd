"""Small models to put the theorems to: local networks, because a plugin's tests import no other plugin."""

from __future__ import annotations

import math
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from gen.component import component
from gen.interfaces import Decoder, Distance, Encoder, Model, Network
from gen.types import CondSpec, DataSpec, Domain, Shapes
from gen_sdk.oracles.linear_gaussian import LinearGaussian
from gen_vae.ae import AE
from gen_vae.corruptions.gaussian import GaussianNoise
from gen_vae.dae import DAE
from gen_vae.likelihoods.bernoulli import Bernoulli
from gen_vae.likelihoods.gaussian import Gaussian
from gen_vae.posteriors.gaussian import GaussianPosterior
from gen_vae.priors.normal import Normal
from gen_vae.vae import VAE

SHAPE, LATENT, CLASSES = (1, 2, 3), 2, 3


@component
class TinyEncoder(Encoder):
    """One hidden layer, shifted by an embedding of the label."""

    def build(self) -> None:
        build_tiny(self)

    def forward(self, x: Tensor, cond: Tensor | None = None) -> Tensor:
        return run_tiny(self, x, cond)


@component
class TinyDecoder(Decoder):
    """One hidden layer, shifted by an embedding of the label."""

    def build(self) -> None:
        build_tiny(self)

    def forward(self, z: Tensor, cond: Tensor | None = None) -> Tensor:
        return run_tiny(self, z, cond)


def build_tiny(net: Network) -> None:
    net.enter = nn.Linear(math.prod(net.in_shape), 16)
    net.leave = nn.Linear(16, math.prod(net.out_shape))
    net.label = None if net.cond is None else nn.Embedding(net.cond.size, 16)


def run_tiny(net: Any, x: Tensor, cond: Tensor | None) -> Tensor:
    shift = 0 if net.label is None else net.label(cond)
    return net.leave((net.enter(x.flatten(1)) + shift).tanh()).unflatten(1, net.out_shape)


@component
class Squares(Distance):
    """Summed squares; what y shows is its half, to see that `mean` is asked."""

    def __call__(self, y: Tensor, x: Tensor) -> Tensor:
        return (y - x).square().flatten(1).sum(1)

    def mean(self, y: Tensor) -> Tensor:
        return 0.5 * y


@component
class Plain(Distance):
    """Half the summed squares."""

    def __call__(self, y: Tensor, x: Tensor) -> Tensor:
        return 0.5 * (y - x).square().flatten(1).sum(1)


@component
class Affine(Encoder):
    """x to matrix x + offset: an encoder or a decoder given outright."""

    def build(self) -> None:
        self.map = nn.Linear(self.in_shape[0], self.out_shape[0]).double()
        self.act = nn.Identity()

    def forward(self, x: Tensor, cond: Tensor | None = None) -> Tensor:
        return self.act(self.map(x))


def data_spec(labels: bool = True) -> DataSpec:
    return DataSpec.single(Domain(SHAPE), CondSpec("class", CLASSES) if labels else None)


def filled(cls: type[Model], data: DataSpec, small: dict[str, Any], **options: Any) -> Model:
    """What a recipe's builder does: wire, then build the networks with those shapes."""
    wired = cls.wire(data, **{"latent": LATENT, "conditional": False, **small, **options})
    nets = {
        name: made(in_shape=wired[name].in_shape, out_shape=wired[name].out_shape, cond=wired[name].cond)
        for name, made in {"encoder": TinyEncoder, "decoder": TinyDecoder}.items()
    }
    prior = {"prior": Normal(shape=wired["prior"].in_shape)} if "prior" in wired else {}
    return cls(data=data, **{"latent": LATENT, **nets, **prior, **small, **options})


@pytest.fixture
def vae() -> Callable[..., VAE]:
    """A small VAE; options and the slots posterior and likelihood may be given."""

    def make(data: DataSpec | None = None, **fields: Any) -> Any:
        small = {
            "posterior": fields.pop("posterior", None) or GaussianPosterior(),
            "likelihood": fields.pop("likelihood", None) or Bernoulli(),
        }
        return filled(VAE, data or data_spec(), small, **fields)

    return make


@pytest.fixture
def ae() -> Callable[..., AE]:
    def make(data: DataSpec | None = None, **options: Any) -> Any:
        return filled(AE, data or data_spec(), {"distance": Squares()}, **options)

    return make


@pytest.fixture
def dae() -> Callable[..., DAE]:
    """A small denoising autoencoder; options and the slot corruption may be given."""

    def make(data: DataSpec | None = None, **options: Any) -> Any:
        small = {"distance": Squares(), "corruption": options.pop("corruption", None) or GaussianNoise()}
        return filled(DAE, data or data_spec(), small, **options)

    return make


@pytest.fixture
def parts() -> SimpleNamespace:
    """Parts to build a model of: `affine(inputs, outputs, activation)`, networks by their shapes, a distance."""

    def affine(inputs: int, outputs: int, activation: nn.Module) -> Affine:
        made = Affine(in_shape=(inputs,), out_shape=(outputs,))
        made.act = activation
        return made

    def made(cls: type[Network]) -> Callable[[Shapes], Network]:
        return lambda shapes: cls(in_shape=shapes.in_shape, out_shape=shapes.out_shape, cond=shapes.cond)

    return SimpleNamespace(affine=affine, encoder=made(TinyEncoder), decoder=made(TinyDecoder), squares=Plain())


@pytest.fixture
def oracle() -> LinearGaussian:
    """A latent variable model with known evidence, whose posterior a diagonal Gaussian can meet."""
    return LinearGaussian.example(4, 2, 0.3, torch.Generator().manual_seed(3))


@pytest.fixture
def linear_vae(oracle: LinearGaussian) -> Callable[..., VAE]:
    """A VAE whose decoder is the oracle's and whose encoder is its true posterior, or off by `shift` and `widen`."""

    def make(shift: float = 0.0, widen: float = 1.0) -> VAE:
        size, latent = oracle.weight.shape
        model = VAE(
            data=DataSpec.single(Domain((size,), modality="vector")),
            latent=latent,
            encoder=Affine(in_shape=(size,), out_shape=(2 * latent,)),
            decoder=Affine(in_shape=(latent,), out_shape=(size,)),
            posterior=GaussianPosterior(),
            likelihood=Gaussian(c=oracle.c),
            prior=Normal(shape=(latent,)),
        )
        zero = torch.zeros(1, size, dtype=torch.float64)
        mean, covariance = oracle.posterior(zero)
        slope = oracle.posterior(torch.eye(size, dtype=torch.float64))[0] - mean  # [N, D]
        log_var = covariance.diagonal().log() + 2 * math.log(widen)
        with torch.no_grad():
            model.encoder.map.weight.copy_(torch.cat([slope.T, torch.zeros(latent, size, dtype=torch.float64)]))
            model.encoder.map.bias.copy_(torch.cat([mean[0] + shift, log_var]))
            model.decoder.map.weight.copy_(oracle.weight)
            model.decoder.map.bias.copy_(oracle.bias)
        return model

    return make
