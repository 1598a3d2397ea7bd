"""What autoencoders learn, from finished runs on MNIST: densities of their codes, denoising, what codes say of classes.

    python -m benchmarks autoencoders latents RUN        Fréchet distance of three latent densities of one autoencoder
    python -m benchmarks autoencoders denoise RUN        PSNR and SSIM by noise level, beside a median filter
    python -m benchmarks autoencoders codes RUN…         linear probe and few-label curve

Without words all three, of the newest runs of the shipped recipes. Tables are printed and written below -o.
"""

from __future__ import annotations

import argparse
import io
import json
import shlex
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from benchmarks.figures import RESULTS, Rows, markdown, name_of, trained
from benchmarks.filters import median, noisy
from gen import cli
from gen.data import Split, open_split
from gen.errors import GenError
from gen.evaluate import Evaluation
from gen.loading import load
from gen.processes import make_accelerator
from gen.recipe.plain import read_plain
from gen.rows import TensorRows
from gen.rundir import RunFolder
from gen.types import Progress
from gen_metrics.reconstruction import PSNR, SSIM

__all__ = ["main"]

RULER = Path(__file__).with_name("protocol-mnist.yaml")
LATENTS = ("normal", "gaussian", "mixture")
IMAGES = 2_000
"""Test images that are denoised, the first ones: structural similarity costs milliseconds for each."""
SIGMAS = tuple(tenth / 10 for tenth in range(1, 10))
WINDOWS = (3, 5)
SHIPPED = {"latents": ["ae-mnist"], "denoise": ["dae-mnist"], "codes": ["ae-mnist", "vae-mlp-mnist", "dae-mnist"]}

Table = tuple[str, Rows, list[str]]
"""A title, rows (the first is the head), and lines to stand below."""


def main(words: Sequence[str] = ()) -> int:
    """Exit status 0, or 2 where a run cannot be measured so."""
    args = _arguments(words)
    for task in [args.task] if args.task else TASKS:
        start = time.perf_counter()
        try:
            title, rows, below = TASKS[task](args.runs or [f"runs/{name}" for name in SHIPPED[task]], args)
        except GenError as error:
            print(f"{task}: {error}", file=sys.stderr)
            return error.exit_code
        minutes = (time.perf_counter() - start) / 60
        said = shlex.join(["python", "-m", "benchmarks", "autoencoders", *(words or [task])])
        below = [*below, f"`{said}`: seed {args.seed}, {minutes:.1f} minutes on {torch.get_num_threads()} threads."]
        text = "\n".join([f"## {title}", "", *markdown(rows), "", *below, ""])
        print(text)
        args.out.mkdir(parents=True, exist_ok=True)
        (args.out / f"autoencoders-{task}.md").write_text(text, encoding="utf-8")
    return 0


def _arguments(words: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks autoencoders")
    parser.add_argument("task", nargs="?", choices=TASKS, help="all three, where none is named")
    parser.add_argument("runs", nargs="*", metavar="RUN", help="run folders (the newest of the shipped recipes' runs)")
    parser.add_argument("--ruler", default="runs/classifier-mnist", metavar="RUN", help="the classifier's run")
    parser.add_argument("--count", type=int, default=10_000, help="generated samples (10,000)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("-o", dest="out", type=Path, default=RESULTS, metavar="DIR", help="where tables are written")
    return parser.parse_args(words)


def _latents(runs: Sequence[str], args: argparse.Namespace) -> Table:
    """The protocol's `fd` and `dc` of one autoencoder whose recipe has the three samplers."""
    protocol: Any = read_plain(RULER.read_bytes(), str(RULER))
    features = {"run": args.ruler, "part": "body"}
    chosen = {label: {**protocol[label], "features": features} for label in ("fd", "dc")}
    found = {label: _eval(runs[0], args, chosen, "--with", label, "--count", str(args.count)) for label in LATENTS}
    rows = [["latents drawn from", "fd", "of the normal's", "density", "coverage"]]
    normal = found["normal"]["fd"]["value"]
    for label, figures in found.items():
        fd, parts = figures["fd"]["value"], figures["dc"]["parts"]
        rows.append([label, f"{fd:.2f}", f"{fd / normal:.2f}", f"{parts['density']:.3f}", f"{parts['coverage']:.3f}"])
    card = found["normal"]["fd"]["card"]
    kept = f"{card['generated']:,} generated against {card['real']:,} {card['split']} images"
    return (
        "Latent densities of one autoencoder",
        rows,
        [trained(runs[0]), f"{kept}; extractor_hash {card['extractor_hash']}."],
    )


def _denoise(runs: Sequence[str], args: argparse.Namespace) -> Table:
    """PSNR and SSIM on test images with Gaussian noise, the same draws for every method; outputs clipped to [-1, 1]."""
    loaded, images = load(runs[0]), _test_images(runs[0], IMAGES)
    model: Any = loaded.model.requires_grad_(False)
    methods = {"DAE": model.reconstruct, "noisy": lambda x: x, **{str(size): _windowed(size) for size in WINDOWS}}
    names = ("DAE", "median", "noisy")
    rows = [["sigma", *(f"PSNR {name}, dB" for name in names), *(f"SSIM {name}" for name in names)]]
    for sigma in SIGMAS:
        found = {name: _restored(images, args.seed, sigma, method) for name, method in methods.items()}
        cells = [
            [f"{found['DAE'][i]:{form}}", _best(found, i, form), f"{found['noisy'][i]:{form}}"]
            for i, form in enumerate((".2f", ".3f"))
        ]
        rows.append([f"{sigma:.1f}", *cells[0], *cells[1]])
    below = "Pixels and results lie in [-1, 1]. The median is the better of 3x3 and 5x5 pixels (its side)."
    return f"Denoising, {len(images):,} test images", rows, [trained(runs[0]), below]


def _windowed(size: int) -> Callable[[Tensor], Tensor]:
    return lambda x: median(x, size)


def _best(found: Mapping[str, tuple[float, float]], index: int, form: str) -> str:
    """The figure of the better median filter, and its side."""
    size = max(map(str, WINDOWS), key=lambda one: found[one][index])
    return f"{found[size][index]:{form}} ({size})"


class _Restorer(nn.Module):
    """Shows a method noisy copies of what it is to rebuild, so that metrics of reconstructions measure denoising."""

    def __init__(self, sigma: float, restore: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.sigma, self.restore = sigma, restore

    def reconstruct(self, x: Tensor, cond: Tensor | None = None) -> Tensor:
        return self.restore(noisy(x, self.sigma)).clamp(-1, 1)


def _test_images(run: str, count: int) -> Split:
    """The first test images of the run's data, in memory."""
    loaded, root = load(run), Path(RunFolder.open(Path(run)).read("run.json").get("data_root", "."))
    split = open_split(loaded.builder.make(loaded.config["data_section"], path="data"), "test", root)
    batch = split.first(count, torch.device("cpu"))
    assert isinstance(batch.x, Tensor), "MNIST has one domain"
    return Split(TensorRows(split.spec, batch.x, batch.cond), (), split.spec)


@torch.no_grad()
def _restored(images: Split, seed: int, sigma: float, restore: Callable[[Tensor], Tensor]) -> tuple[float, float]:
    """Mean PSNR in dB, and SSIM. An evaluation seeds every batch, so that all methods are shown the same noise."""
    evaluation = Evaluation(
        model=_Restorer(sigma, restore),  # type: ignore[arg-type]  # all that these metrics ask of a model
        split=images,
        split_name="test",
        seed=seed,
        batch=500,
        count=0,
        accelerator=make_accelerator("cpu", "fp32"),
        progress=Progress(0, 1),
    )
    return PSNR().measure(evaluation).value, SSIM().measure(evaluation).value


def _codes(runs: Sequence[str], args: argparse.Namespace) -> Table:
    """The linear probe of every run's codes, beside pixels and PCA of equal size as that run sees the data."""
    rows = [["run", "input", "numbers", "10 labels", "100", "1,000", "5,000"]]
    for run in runs:
        figure = _eval(run, args, {"probe": {"use": "metrics/linear-probe"}})["probe"]
        parts, size = figure["parts"], figure["card"]["code_size"]
        for name, numbers in (("code", size), ("pca", size), ("pixels", 784)):
            curve = [f"{100 * parts[key]:.1f}" for key in (f"{name}-10", f"{name}-100", f"{name}-1000", name)]
            rows.append([name_of(run) if name == "code" else "", name, str(numbers), *curve])
    below = (
        "Accuracy in % on the test images of logistic regression on standardised inputs; few labels: mean of 3 choices."
    )
    return "What codes say of the classes", rows, [below, *(trained(run) for run in runs)]


TASKS: dict[str, Callable[[Sequence[str], argparse.Namespace], Table]] = {
    "latents": _latents,
    "denoise": _denoise,
    "codes": _codes,
}


def _eval(run: str, args: argparse.Namespace, metrics: Mapping[str, Any], *words: str) -> dict[str, Any]:
    """What `gen eval` finds on the test split; it joins the run's record.

    Raises:
        GenError: it refused; its message was printed.
    """
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "metrics.yaml")
        file.write_text(json.dumps(metrics))  # JSON is YAML
        command = ["eval", run, "--metrics", str(file), "--split", "test", "--seed", str(args.seed), *words]
        with redirect_stdout(io.StringIO()) as said:
            status = cli.main(command)
    if status:
        raise GenError(f"gen {shlex.join(command)} ended with status {status}")
    found: dict[str, Any] = json.loads(Path(said.getvalue().splitlines()[-1]).read_text(encoding="utf-8"))
    return found
