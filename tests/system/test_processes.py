"""Several processes train what one process does that works through the same micro-batches.

Measured: the largest absolute difference of a tensor over its largest absolute value, for every tensor of the last
checkpoint; likewise for every logged loss. Two processes sum gradients in another order, so the last bit may differ.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

TOYS = Path(__file__).parents[1] / "toys.py"
CLOSE = 1e-6
SGD = {"all": {"use": "sgd", "lr": 0.05, "momentum": 0.9}}
PLAIN = {"use": "local/two", "norm": False}  # BatchNorm is excepted: its statistics are those of a process
FAMILIES = {"one": {}, "two": {"model": PLAIN}, "three": {}}
CODER = ["model.encoder.width=4", "model.decoder.width=4"]
SHIPPED = {
    "ddpm": ["ddpm-digits", "model.denoiser.width=8"],
    "edm": ["edm-digits", "model.denoiser.width=8"],
    "flow": ["flow-digits", "model.denoiser.width=8"],
    "pixelcnn": ["pixelcnn-digits", "model.autoregressor.depth=2"],
    "pixelrnn": ["pixelrnn-digits", "model.autoregressor.depth=1"],
    "transformer": ["transformer-digits", "model.autoregressor.depth=1"],
    "gan": [
        "gan-digits",
        "model.conditional=true",
        "model.generator={use: gan/modern-generator, width: 8}",
        "model.discriminator={use: gan/modern-discriminator, width: 8}",
        "model.augment=gan/diff-augment",
        "model.regularizers=[{use: losses/r1, every: 3}, {use: losses/gradient-penalty, every: 5}]",
        "optim.discriminator.repeat=2",
    ],
    "aae": ["aae-digits", *CODER, "model.regularizers=[{use: losses/r1, every: 3}]"],
    "avb": ["avb-digits", *CODER],
    "vae-gan": ["principles-vaegan", *CODER],
    "bigan": [
        "aae-digits",
        "model={use: adversarial/bigan, encoder: nets/conv-encoder, decoder: nets/conv-decoder, discriminator: "
        "{use: nets/mlp-discriminator, hidden: [8]}}",
        *CODER,
        "~optim.encoder",
    ],
}
"""Real families: a recipe and what makes it small. Runs stop between two turns of a lazy penalty."""


@pytest.fixture
def recipe(gen, toy_recipe):
    """A recipe of two micro-batches over a family of toys, written to a file."""

    def make(family: str = "one", **sections):
        train = {"steps": 20, "log": 1, "accumulate": 2, "ema": {"decay": 0.9}}
        full = {"optim": SGD, "train": train, **FAMILIES[family], **sections}
        return gen.recipe(toy_recipe(family, **full))

    return make


def relative(a: torch.Tensor, b: torch.Tensor) -> float:
    scale = max(a.abs().max().item(), 1e-12)
    return (a.double() - b.double()).abs().max().item() / scale


def assert_close(a: dict[str, torch.Tensor], b: dict[str, torch.Tensor]) -> None:
    """Everything that belongs to the run as a whole; `rank-…` files belong to a process."""
    a, b = ({name: t for name, t in one.items() if not name.startswith("rank-")} for one in (a, b))
    a, b = ({name: t for name, t in one.items() if name != "model:pool"} for one in (a, b))
    assert a.keys() == b.keys()
    assert max(relative(a[name], b[name]) for name in a) <= CLOSE


def losses(run: Path) -> dict[tuple[int, str], float]:
    read = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    odd = ("kind", "step", "seconds", "images_per_s")
    return {(line["step"], name): v for line in read for name, v in line.items() if name not in odd}


def assert_same_losses(a: Path, b: Path) -> None:
    one, two = losses(a), losses(b)
    assert one.keys() == two.keys()
    assert max(abs(one[k] - two[k]) / max(abs(one[k]), 1e-3) for k in one) <= CLOSE


def together(processes) -> list[int]:
    return [process.wait() for process in processes]


@pytest.mark.parametrize("family", FAMILIES)
def test_two_processes_train_what_one_does(family, gen, recipe, tensors):
    """20 SGD steps with noise and dropout; one phase, two phases, and three of which two train the same part."""
    path = recipe(family)
    one = gen("run", path, "--runs", "one")
    two = gen.world("run", path, "--runs", "two")

    assert one.status == 0, one.err
    assert together(two) == [0, 0], two[0].err + two[1].err
    a, b = (gen.folder / runs / f"toy-{family}" / "0001" for runs in ("one", "two"))
    assert_close(tensors(a), tensors(b))
    assert_same_losses(a, b)
    assert sorted(p.name for p in (gen.folder / "two").glob("*/*")) == ["0001"]


@pytest.mark.parametrize(("first", "then"), [(1, 2), (2, 1)])
@pytest.mark.parametrize("family", ["one", "two"])
def test_resuming_on_another_number_of_processes_goes_on_alike(first, then, family, gen, recipe, tensors):
    """10 steps on some processes, 10 more on others, against 20 on one."""
    whole = gen("run", recipe(family), "--runs", "whole")
    half = recipe(family, train={"steps": 10, "log": 1, "accumulate": 2, "ema": {"decay": 0.9}})
    run = gen.folder / "half" / f"toy-{family}" / "0001"

    assert whole.status == 0
    assert together(gen.world("run", half, "--runs", "half", size=first)) == [0] * first
    assert together(gen.world("resume", run, "train.steps=20", size=then)) == [0] * then
    assert_close(tensors(gen.folder / "whole" / f"toy-{family}" / "0001"), tensors(run))


@pytest.mark.parametrize("family", SHIPPED)
def test_a_family_resumed_on_two_processes_trains_what_one_does(family, gen, tensors):
    """Two SGD steps on one process, two more on two, against four on one; labels, conditions and dropout included."""
    few = ["train.accumulate=2", "train.log=1", "train.ema={decay: 0.5, also: [0.9]}", "optim.all={use: sgd, lr: 0.05}"]
    measured = [] if family == "gan" else ["~evaluate"]  # gan-digits asks for nothing
    words = [*SHIPPED[family], *few, *measured, "data.batch=16", "~save", "~sample"]
    ended = gen("run", *words, "train.steps=4", "--runs", "whole")
    assert ended.status == 0, ended.err
    assert gen("run", *words, "train.steps=2", "--runs", "half").status == 0
    whole, half = (gen.folder / runs / words[0] / "0001" for runs in ("whole", "half"))

    assert together(gen.world("resume", half, "train.steps=4")) == [0, 0]
    assert_close(tensors(whole), tensors(half))
    assert_same_losses(whole, half)


def test_a_pool_is_saved_for_every_process_and_statistics_are_those_of_all(gen, toy_recipe, tensors):
    """The pool belongs to a process; running statistics are averaged before they are saved."""
    recipe = gen.recipe(toy_recipe("two", optim=SGD, train={"steps": 4}, save={"every": 4}))
    assert together(gen.world("run", recipe)) == [0, 0]
    run = gen.folder / "runs" / "toy-two" / "0001"
    saved = tensors(run)
    pools = [saved[f"rank-{rank}:model/pool"] for rank in (0, 1)]

    assert not torch.equal(*pools)
    assert "model:pool" not in saved
    assert together(gen.world("resume", run, "train.steps=8")) == [0, 0]
    whole = gen.recipe(toy_recipe("two", optim=SGD, train={"steps": 8}, save={"every": 4}))
    assert together(gen.world("run", whole, "--runs", "whole")) == [0, 0]
    expected, found = tensors(gen.folder / "whole" / "toy-two" / "0001", 8), tensors(run, 8)
    assert [name for name in expected if not torch.equal(expected[name], found[name])] == []


def test_a_loss_that_is_bad_on_one_process_stops_them_all(gen, recipe, tensors, status):
    bad = {"use": "local/one", "bad_step": 12, "bad_rank": 1}
    processes = gen.world("run", recipe(model=bad))

    assert together(processes) == [3, 3]
    run = gen.folder / "runs" / "toy-one" / "0001"
    last = run / "checkpoints" / "step-00000010"
    advice = f"the update was not made. Last good checkpoint: {last.relative_to(gen.folder)}. Go on from it with: "
    assert f"step 12, phase model: the loss on process 1 not finite; {advice}" in processes[0].err
    assert "Traceback" not in processes[0].err + processes[1].err
    assert (status(run)["state"], status(run)["step"]) == ("stopped", 12)
    assert all(t.isfinite().all() for t in tensors(run).values())


def test_a_process_that_dies_ends_the_job(gen, recipe):
    """The other one meets a dead peer, and does not wait for ever."""
    processes = gen.world("run", recipe(train={"steps": 100_000, "log": 1000, "accumulate": 2}))
    run = gen.folder / "runs" / "toy-one" / "0001"
    processes[0].wait_for(lambda: (run / "status.json").is_file() and list(run.glob("metrics.jsonl")))
    processes[1].process.kill()

    assert processes[0].wait() != 0


def test_fewer_processes_than_asked_for_are_refused(gen, recipe):
    """`accelerate launch --cpu` starts one process without a word."""
    ended = gen("run", recipe(), env={"GEN_PROCESSES": "2"})

    assert (ended.status, ended.err) == (2, "2 processes were asked for, but 1 came up\n")
    assert not (gen.folder / "runs").exists()


@pytest.mark.parametrize(
    ("variable", "name"),
    [
        ("ACCELERATE_USE_FSDP", "FSDP"),
        ("ACCELERATE_USE_DEEPSPEED", "DeepSpeed"),
        ("ACCELERATE_USE_MEGATRON_LM", "Megatron-LM"),
    ],
)
def test_launch_configurations_that_would_silently_do_less_are_refused(variable, name, gen, recipe):
    ended = gen("run", recipe(), env={variable: "true"})

    said = f"{name} is not supported: launch with plain data parallelism (gen run --processes N)\n"
    assert (ended.status, ended.err) == (2, said)


@pytest.mark.parametrize("count", [0, -1])
def test_the_number_of_processes_is_checked(count, gen, recipe):
    ended = gen("run", recipe(), "--processes", count)

    assert (ended.status, ended.err) == (2, f"--processes takes 1 or more, got {count}\n")


def test_a_batch_that_two_processes_cannot_share_is_refused_without_noise(gen, toy_recipe):
    recipe = gen.recipe(toy_recipe(data={"use": "local/points", "batch": 15}))
    ended = gen("run", recipe, "--processes", "2")

    said = "a batch of 15 cannot be cut into 2 equal micro-batches for 2 processes: data.batch must be divisible by "
    assert ended.status == 2
    # Twice where the second process ended first and the launcher ended the first before it could: never nothing.
    assert set(ended.err.splitlines()) == {f"{said}train.accumulate, and train.accumulate by the number of processes"}


LAUNCHERS = {
    "gen": [sys.executable, "-m", "gen", "run", "--processes", "2"],
    "torchrun": [sys.executable, "-m", "torch.distributed.run", "--nproc_per_node", "2", "-m", "gen", "run"],
    "accelerate": [
        *(sys.executable, "-m", "accelerate.commands.launch", "--multi_gpu", "--num_processes", "2"),
        *("--num_machines", "1", "--mixed_precision", "no", "--dynamo_backend", "no", "--main_process_port", "0"),
        *("-m", "gen", "run"),
    ],
}


@pytest.mark.parametrize("launcher", LAUNCHERS)
def test_every_launcher_starts_two_processes(launcher, gen, recipe, tensors):
    command = [*LAUNCHERS[launcher], str(recipe()), "--plugin", str(TOYS), "--device", "cpu"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    ended = subprocess.run(command, cwd=gen.folder, env=environment, capture_output=True, text=True, timeout=240)

    assert ended.returncode == 0, ended.stderr
    run = gen.folder / "runs" / "toy-one" / "0001"
    assert json.loads((run / "run.json").read_text())["machine"]["processes"] == 2
    assert "Warning" not in ended.stderr
    assert gen("run", recipe(), "--runs", "one").status == 0
    assert_close(tensors(gen.folder / "one" / "toy-one" / "0001"), tensors(run))
