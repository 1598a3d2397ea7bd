"""A small made-up catalogue, and a folder to write recipes in."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import attrs
import pytest

from gen import registry
from gen.errors import RecipeError
from gen.plugins import Catalogue, PluginRecord, RecipeFile
from gen.recipe.recipe import Recipe
from gen.spec import ComponentSpec, OptionSpec, SlotSpec

Option, Slot = OptionSpec, SlotSpec

GOOD = """\
gen: 1
name: vae-digits
about: Gaussian VAE on the bundled digits.
data: {use: data/digits, batch: 64}
model:
  use: vae/vae
  latent: 16
  encoder: {use: nets/conv-encoder, width: 32}
  decoder: nets/conv-decoder
optim:
  all: {use: adam, lr: 1e-3, schedule: {use: cosine, warmup: 100}}
train: {steps: 3000, clip: 1.0}
sample:
  prior: {use: vae/prior, count: 16}
evaluate: {every: 500, metrics: {elbo: vae/elbo}}
save: {best: elbo}
"""


def _spec(name: str, kind: str, options: tuple = (), slots: tuple = (), **more: Any) -> ComponentSpec:
    return ComponentSpec(name, kind, f"x:{name}", f"A {kind}.", options=options, slots=slots, **more)


def _optimizer(name: str, *options: OptionSpec) -> ComponentSpec:
    shared = (
        Option("lr", "float", default=1e-3, above=0, max=1e3, doc="learning rate"),
        Option("weight_decay", "float", default=0.0, min=0, doc="decay"),
    )
    return _spec(name, "optimizer", (*options, *shared), (Slot("schedule", "lr-schedule", default="constant"),))


WARMUP = Option("warmup", "int", default=0, min=0, doc="steps of linear growth")
WIDTH = Option("width", "int", default=32, min=1, max=65536, doc="channels at the first level")
DEPTH = Option("depth", "int", default=2, min=1, doc="levels")
BATCH = Option("batch", "int", default=128, min=1, max=2**20, doc="samples a step uses")
TRANSFORMS = Slot("transforms", "transform", many=True, default=[])
COUNT = Option("count", "int", default=64, min=1, max=10**6, doc="samples to draw")

CORE = (
    _optimizer("core/adam", Option("betas", "float", many=True, length=2, default=[0.9, 0.999], min=0, below=1)),
    _optimizer("core/sgd", Option("momentum", "float", default=0.0, min=0, below=1)),
    _spec("core/constant", "lr-schedule", (WARMUP,)),
    _spec("core/cosine", "lr-schedule", (Option("to", "float", default=0.0, min=0), WARMUP)),
    _spec("core/tensorboard", "tracker"),
)
DATA = (
    _spec("data/digits", "dataset", (BATCH,), (TRANSFORMS,)),
    _spec(
        "data/images", "dataset", (Option("path", "str", path="folder", doc="folder of images"), BATCH), (TRANSFORMS,)
    ),
    _spec("data/resize", "transform", (Option("to", "int", default=16, min=1),)),
    _spec("data/flip", "transform"),
)
NETS = (
    _spec("nets/conv-encoder", "encoder", (WIDTH, DEPTH)),
    _spec("nets/mlp-encoder", "encoder", (Option("hidden", "int", many=True, default=[256, 256], min=1),)),
    _spec("nets/conv-decoder", "decoder", (WIDTH, DEPTH)),
)
VAE = (
    _spec(
        "vae/vae",
        "model",
        (Option("latent", "int", default=16, min=1, doc="size of z"), Option("beta", "float", default=1.0, min=0)),
        (
            Slot("encoder", "encoder"),
            Slot("decoder", "decoder"),
            Slot("likelihood", "likelihood", default="vae/bernoulli"),
            Slot("critic", "encoder", nullable=True, default=None),
        ),
        capabilities=("encode", "decode", "reconstruct", "log_prob"),
        phases=("train",),
    ),
    _spec("vae/bernoulli", "likelihood"),
    _spec("vae/gaussian", "likelihood", (Option("c", "float", default=1.0, above=0),)),
    _spec("vae/prior", "sampler", (COUNT,), needs=("decode",)),
    _spec("vae/elbo", "metric", needs=("log_prob",)),
)
GAN = (
    _spec(
        "gan/gan",
        "model",
        (),
        (Slot("generator", "generator"), Slot("discriminator", "encoder")),
        capabilities=("generate",),
        phases=("discriminator", "generator"),
    ),
    _spec("gan/dcgan", "generator", (WIDTH,)),
    _spec("gan/latent", "sampler", (COUNT,), needs=("generate",)),
)
AR = (
    _spec("ar/linear", "model", (Option("order", "int", doc="terms", min=1),), capabilities=("log_prob", "solve")),
    _spec("ar/ddim", "sampler", (COUNT,), needs=("denoise",)),
)


def _plugin(namespace: str, components: tuple[ComponentSpec, ...], **more: Any) -> PluginRecord:
    return PluginRecord(namespace, f"gen_{namespace}", f"gen-{namespace}", "0.1.0", None, components=components, **more)


BAD = (
    _plugin("torn", (_spec("torn/net", "encoder"),), state="broken", reason="no manifest", remedy="reinstall gen-torn"),
    _plugin("old", (), state="incompatible", reason="made for interface 2.0", remedy="pip install --upgrade gen-core"),
    _plugin("twin", (), state="conflict", reason="gen-twin and other-twin claim it", remedy="pip uninstall other-twin"),
)


@pytest.fixture
def catalogue(tmp_path: Path) -> Catalogue:
    shipped = tmp_path / "shipped.yaml"
    shipped.write_text(GOOD)
    recipes = (RecipeFile("shipped-digits", shipped, "digits"),)
    good = {"core": CORE, "data": DATA, "nets": NETS, "gan": GAN, "ar": AR}
    plugins = (*(_plugin(name, specs) for name, specs in good.items()), _plugin("vae", VAE, recipes=recipes), *BAD)
    return Catalogue(plugins)


@pytest.fixture(autouse=True)
def yellow_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """The registry knows one plugin that is not installed."""
    entry = registry.Entry("diffusion", "gen-diffusion", "denoisers", {"ddpm": "a model"})
    monkeypatch.setattr(registry, "known", lambda name: entry if name.partition("/")[0] == "diffusion" else None)


@attrs.frozen
class Desk:
    """Writes recipe files into an own folder, which is the working directory, and reads them."""

    catalogue: Catalogue
    good: str = GOOD

    def read(self, text: str | bytes, *overrides: str, name: str = "r.yaml") -> Recipe:
        self.write(text, name)
        return Recipe.read(name, overrides, catalogue=self.catalogue)

    def write(self, text: str | bytes, name: str) -> None:
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_bytes(text.encode() if isinstance(text, str) else text)

    def refused(self, text: str | bytes, *overrides: str) -> str:
        """What is printed of a recipe that is refused."""
        with pytest.raises(RecipeError) as caught:
            self.read(text, *overrides)
        return str(caught.value)


@pytest.fixture
def desk(catalogue: Catalogue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    monkeypatch.chdir(tmp_path)
    return Desk(catalogue)


@pytest.fixture
def edit() -> Callable[[str, str], str]:
    """The good recipe with a few lines replaced: `edit(old, new)`."""

    def edited(old: str, new: str) -> str:
        assert old in GOOD, old
        return GOOD.replace(old, new)

    return edited
