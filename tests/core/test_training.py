"""The training loop: exact resume, guards, and that nothing beside training changes training."""

from __future__ import annotations

import json
import math
import os
import signal
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from gen import checkpoint
from gen.errors import CommandError, Stopped
from gen.loading import load
from gen.running import resume, run


def train(recipe, tmp_path: Path, known, **options):
    return run(recipe, runs=tmp_path, known=known, quiet=True, device="cpu", **options)


def final_tensors(path: Path, step: int = 20) -> dict[str, torch.Tensor]:
    """Everything a checkpoint holds, by file and name."""
    found = checkpoint.load(path / "checkpoints" / f"step-{step:08d}")
    return {f"{stem}:{name}": t for stem, tensors in found.tensors.items() for name, t in tensors.items()}


def assert_bit_equal(a: dict[str, torch.Tensor], b: dict[str, torch.Tensor]) -> None:
    assert a.keys() == b.keys()
    different = [name for name in a if not torch.equal(a[name], b[name])]
    assert not different


def stop_after(monkeypatch, step: int) -> None:
    """A SIGTERM reaches this process while the given step runs."""
    from gen.trainer import Trainer

    plain = Trainer._agreed

    def agreed(self, caught):
        if self.step == step:
            os.kill(os.getpid(), signal.SIGTERM)
            caught = signal.SIGTERM
        return plain(self, caught)

    monkeypatch.setattr(Trainer, "_agreed", agreed)


VARIANTS = {
    "one phase": {},
    "two phases": {"family": "two"},
    "two phases, cadences": {
        "family": "two",
        "optim": {"all": {"use": "rmsprop"}, "discriminator": {"repeat": 2}, "generator": {"every": 2, "scale": 0.5}},
    },
    "accumulation": {"train": {"steps": 20, "log": 3, "accumulate": 4, "clip": 0.5}},
    "workers": {"data": {"use": "local/points", "batch": 16, "lazy": True, "workers": 2}},
    "momentum, schedule": {
        "optim": {"all": {"use": "sgd", "momentum": 0.9, "schedule": {"use": "cosine", "warmup": 5}}}
    },
    "adagrad": {"optim": {"all": {"use": "adagrad", "weight_decay": 0.01}}},
    "bf16": {"train": {"steps": 20, "precision": "bf16"}},
}


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_stopped_and_resumed_run_ends_bit_identical(variant, tmp_path, toys, toy_recipe, monkeypatch):
    """Stopped at step 7, mid-epoch (an epoch has 6 steps), between two saves."""
    recipe = toy_recipe(**VARIANTS[variant])
    whole = train(recipe, tmp_path, toys)
    stop_after(monkeypatch, 7)
    half = train(recipe, tmp_path, toys)
    assert (half.state, half.step, half.signal) == ("stopped", 7, signal.SIGTERM)
    monkeypatch.undo()

    rest = resume(half.path, known=toys, quiet=True, device="cpu")

    assert rest.state == "done"
    assert_bit_equal(final_tensors(whole.path), final_tensors(rest.path))


@pytest.mark.parametrize("step", [7, 10])
def test_the_metric_log_of_a_resumed_run_is_that_of_an_uninterrupted_one(step, tmp_path, toys, toy_recipe, monkeypatch):
    def log(path: Path) -> list[dict]:
        lines = [json.loads(line) for line in (path / "metrics.jsonl").read_text().splitlines()]
        return [{k: v for k, v in line.items() if k not in ("seconds", "images_per_s")} for line in lines]

    recipe = toy_recipe()
    whole = train(recipe, tmp_path, toys)
    stop_after(monkeypatch, step)
    half = train(recipe, tmp_path, toys)
    monkeypatch.undo()
    resume(half.path, known=toys, quiet=True, device="cpu")

    assert log(half.path) == log(whole.path)


def test_sampling_evaluating_and_saving_never_change_training(tmp_path, toys, toy_recipe):
    busy = toy_recipe("two", evaluate={"every": 1}, save={"every": 1})
    calm = toy_recipe("two", evaluate={"every": None, "metrics": {}}, sample={}, save={"every": 20})
    calm["sample"] = {}

    a, b = train(busy, tmp_path, toys), train(calm, tmp_path, toys)

    assert_bit_equal(final_tensors(a.path), final_tensors(b.path))


def test_workers_do_not_change_what_is_trained(tmp_path, toys, toy_recipe):
    def with_workers(n: int):
        return train(toy_recipe(data={"use": "local/points", "batch": 16, "lazy": True, "workers": n}), tmp_path, toys)

    assert_bit_equal(final_tensors(with_workers(0).path), final_tensors(with_workers(2).path))


def test_a_finished_run_is_extended(tmp_path, toys, toy_recipe):
    whole = train(toy_recipe(train={"steps": 30}), tmp_path, toys)
    done = train(toy_recipe(), tmp_path, toys)

    longer = resume(done.path, ["train.steps=30"], known=toys, quiet=True, device="cpu")

    assert longer.step == 30
    assert_bit_equal(final_tensors(whole.path, 30), final_tensors(longer.path, 30))


def test_resuming_refuses_to_change_what_the_run_is(tmp_path, toys, toy_recipe):
    done = train(toy_recipe(), tmp_path, toys)

    with pytest.raises(CommandError, match=r'^"model.bad_step=3" would change what the run is; on resuming you may'):
        resume(done.path, ["model.bad_step=3"], known=toys, quiet=True)


@pytest.mark.parametrize("part", ["_evaluate", "_sample"])
def test_what_was_trained_is_not_lost_with_a_figure_or_a_picture(part, tmp_path, toys, toy_recipe, monkeypatch):
    from gen.session import Session

    def fails(self, step):
        raise CommandError("no such thing")

    recipe = toy_recipe(train={"steps": 4}, evaluate={"every": 3, "metrics": {"loss": "loss"}}, save={"every": 4})
    kept = getattr(Session, part)
    monkeypatch.setattr(Session, part, fails)
    with pytest.raises(CommandError, match=r"^no such thing$"):
        train(recipe, tmp_path, toys)
    monkeypatch.setattr(Session, part, kept)
    run = next(tmp_path.glob("*/0001"))

    assert [path.name for path in (run / "checkpoints").iterdir()] == ["step-00000003"]
    assert resume(run, known=toys, quiet=True, device="cpu").state == "done"


@pytest.mark.parametrize(("ema", "weights"), [(None, "raw"), ({"decay": 0.5}, "ema")])
def test_a_card_names_the_weights_that_were_measured(ema, weights, tmp_path, toys, toy_recipe):
    recipe = toy_recipe(train={"steps": 2, "ema": ema}, evaluate={"metrics": {"loss": "loss"}})
    done = train(recipe, tmp_path, toys)
    card = json.loads(next((done.path / "evaluate").glob("*.json")).read_text())["loss"]["card"]

    assert card["weights"] == weights


def test_a_loss_that_is_not_a_number_stops_the_run_before_the_update(tmp_path, toys, toy_recipe):
    recipe = toy_recipe(model={"use": "local/one", "bad_step": 12})

    with pytest.raises(Stopped) as stopped:
        train(recipe, tmp_path, toys)

    folder = tmp_path / "toy-one" / "0001"
    assert str(stopped.value) == (
        "step 12, phase model: the loss not finite; the update was not made. "
        f"Last good checkpoint: {folder / 'checkpoints' / 'step-00000010'}. Go on from it with: gen resume {folder}"
    )
    assert stopped.value.exit_code == 3
    status = json.loads((folder / "status.json").read_text())
    assert (status["state"], status["step"]) == ("stopped", 12)
    assert all(t.isfinite().all() for t in final_tensors(folder, 10).values())


def test_the_averages_follow_the_definition(tmp_path, toys, toy_recipe):
    """ema_k = d_k ema_(k-1) + (1 - d_k) w_k, d_k = min(d, (1 + k)/(10 + k)), from the weights of every step."""
    recipe = toy_recipe(train={"steps": 6, "ema": {"decay": 0.5, "also": [0.9]}}, save={"every": 1, "keep": 20})
    done = train(recipe, tmp_path, toys)
    steps = [checkpoint.load(done.path / "checkpoints" / f"step-{k:08d}") for k in range(1, 7)]

    for decay in (0.5, 0.9):
        for name in steps[0].tensors[f"ema-{decay:g}"]:
            average = steps[0].tensors[f"ema-{decay:g}"][name].double()
            for k, found in enumerate(steps[1:], 2):
                d = min(decay, (1 + k) / (10 + k))
                average = d * average + (1 - d) * found.tensors["model"][name].double()
            torch.testing.assert_close(
                steps[-1].tensors[f"ema-{decay:g}"][name].double(), average, rtol=1e-5, atol=1e-6
            )


def test_accumulating_gives_the_gradient_of_the_whole_batch(tmp_path, toys, toy_recipe):
    """Without noise the mean over micro-batches is the mean over the batch; here noise is there but dropout is not."""
    quiet = {"use": "local/one", "encoder": {"use": "local/encoder", "dropout": 0.0}}
    runs = [
        train(
            toy_recipe(model=quiet, train={"steps": 1, "accumulate": n}, optim={"all": {"use": "sgd", "lr": 1e-6}}),
            tmp_path,
            toys,
        )
        for n in (1, 4)
    ]
    losses = [next(line["model/loss"] for line in r.metrics() if line["kind"] == "train") for r in runs]

    assert math.isclose(losses[0], losses[1], rel_tol=0.05)


def test_the_step_rate_follows_warm_up_and_schedule(tmp_path, toys, toy_recipe):
    optim = {"all": {"use": "sgd", "lr": 0.1, "schedule": {"use": "linear", "warmup": 4, "to": 0.0}}}
    done = train(toy_recipe(optim=optim, train={"steps": 20, "log": 1}), tmp_path, toys)
    rates = [line["model/lr"] for line in done.metrics() if line["kind"] == "train"]

    assert rates[:4] == pytest.approx([0.025, 0.05, 0.075, 0.1])
    assert rates[4:] == pytest.approx([0.1 * (1 - k / 16) for k in range(16)])


def test_norms_and_biases_are_spared_from_weight_decay(toys, toy_recipe):
    """With no gradient worth the name, decay alone shrinks matrices and leaves vectors."""
    from torch import nn

    from gen.building import Builder
    from gen.groups import make_optimizer
    from gen.interfaces import Phase

    part = nn.Sequential(nn.Linear(3, 3), nn.LayerNorm(3))
    phase = Phase("model", train=[part], loss=lambda batch, progress: None)
    entry = {"use": "core/sgd", "lr": 0.1, "weight_decay": 0.5}
    optimizer, _, chosen = make_optimizer(part, phase, entry, Builder(toys), set(), torch.device("cpu"))
    decays = {id(p): group["weight_decay"] for group in optimizer.param_groups for p in group["params"]}

    assert {name: decays[id(p)] for name, p in chosen.items()} == {
        "0.0.weight": 0.5, "0.0.bias": 0.0, "0.1.weight": 0.0, "0.1.bias": 0.0
    }  # fmt: skip


def test_parts_have_rates_of_their_own_and_can_be_frozen(tmp_path, toys, toy_recipe):
    optim = {"all": {"use": "sgd", "lr": 0.1, "parts": {"encoder": {"freeze": True}, "decoder": {"lr": 0.01}}}}
    done = train(toy_recipe(optim=optim, save={"every": 1, "keep": 20}), tmp_path, toys)
    first, last = final_tensors(done.path, 1), final_tensors(done.path, 20)

    assert all(torch.equal(first[n], last[n]) for n in first if n.startswith("model:encoder"))
    assert not torch.equal(first["model:decoder.body.0.weight"], last["model:decoder.body.0.weight"])


def test_a_part_of_another_run_fills_a_slot_and_stays_frozen(tmp_path, toys, toy_recipe):
    first = train(toy_recipe(), tmp_path, toys)
    taken = {"run": str(first.path), "part": "encoder", "weights": "raw", "frozen": True}
    second = train(toy_recipe(model={"use": "local/one", "encoder": taken}, seed=5), tmp_path, toys)

    before, after = load(first.path, weights="raw", known=toys), load(second.path, weights="raw", known=toys)

    for a, b in zip(before.model.encoder.parameters(), after.model.encoder.parameters(), strict=True):
        assert torch.equal(a, b)
    assert json.loads((second.path / "run.json").read_text())["parts"] == {"model.encoder": before.digest}


def test_init_starts_from_the_weights_of_a_finished_run(tmp_path, toys, toy_recipe):
    first = train(toy_recipe(), tmp_path, toys)
    optim = {"all": {"use": "sgd", "lr": 1e-9}}
    again = toy_recipe(init={"run": str(first.path), "weights": "raw"}, optim=optim, train={"steps": 1}, seed=9)
    second = train(again, tmp_path, toys)

    a, b = load(first.path, weights="raw", known=toys).model, load(second.path, weights="raw", known=toys).model
    for x, y in zip(a.parameters(), b.parameters(), strict=True):
        torch.testing.assert_close(x, y, rtol=0, atol=1e-6)


def test_the_best_checkpoint_is_kept(tmp_path, toys, toy_recipe):
    recipe = toy_recipe(save={"every": 1, "keep": 2, "best": "loss"}, evaluate={"every": 1})
    done = train(recipe, tmp_path, toys)
    best = min((line["loss"], line["step"]) for line in done.metrics() if line["kind"] == "evaluate")[1]

    assert set(checkpoint.steps(done.path / "checkpoints")) == {best, 19, 20}


def test_a_damaged_checkpoint_is_passed_over_and_named(tmp_path, toys, toy_recipe, capsys):
    done = train(toy_recipe(), tmp_path, toys)
    damaged = done.path / "checkpoints" / "step-00000020" / "model.safetensors"
    damaged.write_bytes(damaged.read_bytes()[:-1])

    rest = resume(done.path, known=toys, device="cpu")

    assert rest.step == 20
    assert str(damaged) in capsys.readouterr().err
    assert_bit_equal(final_tensors(train(toy_recipe(), tmp_path, toys).path), final_tensors(rest.path))


def test_changed_data_are_noticed_on_resuming(tmp_path, toys, toy_recipe, monkeypatch):
    done = train(toy_recipe(), tmp_path, toys)
    record = json.loads((done.path / "run.json").read_text())
    (done.path / "run.json").write_text(json.dumps({**record, "data": "0" * 64}))

    with pytest.raises(CommandError, match="the data have changed since"):
        resume(done.path, known=toys, quiet=True)


def test_a_run_folder_has_one_writer(tmp_path, toys, toy_recipe):
    from gen.rundir import RunFolder

    done = train(toy_recipe(), tmp_path, toys)
    other = RunFolder(done.path)
    other.lock()

    with pytest.raises(CommandError, match=rf"is being written by another process \(pid {os.getpid()}\)"):
        resume(done.path, ["train.steps=30"], known=toys, quiet=True)
    other.close()


def test_a_batch_that_cannot_be_cut_is_refused(tmp_path, toys, toy_recipe):
    with pytest.raises(CommandError) as refused:
        train(toy_recipe(train={"accumulate": 5}), tmp_path, toys)

    assert str(refused.value) == (
        "a batch of 16 cannot be cut into 5 equal micro-batches for 1 processes: data.batch must be divisible by "
        "train.accumulate, and train.accumulate by the number of processes"
    )


def test_samples_are_a_function_of_the_seed(tmp_path, toys, toy_recipe):
    done = train(toy_recipe(), tmp_path, toys)

    assert torch.equal(done.sample(5, seed=1), done.sample(5, seed=1))
    assert not torch.equal(done.sample(5, seed=1), done.sample(5, seed=2))


def test_raw_and_averaged_weights_are_both_kept_and_told_apart(tmp_path, toys, toy_recipe):
    done = train(toy_recipe(), tmp_path, toys)
    found = checkpoint.load(done.path / "checkpoints" / "step-00000020")

    for which, stem in (("raw", "model"), ("ema", "ema-0.9"), ("ema-0.9", "ema-0.9")):
        model = load(done.path, weights=which, known=toys).model
        for name, parameter in model.named_parameters():
            assert torch.equal(parameter, found.tensors[stem][name])


def test_the_model_folder_of_a_stranger_is_checked_before_it_is_believed(tmp_path, toys, toy_recipe):
    from gen.errors import CheckpointError

    done = train(toy_recipe(), tmp_path, toys)
    weights = next((done.path / "model").glob("raw-*.safetensors"))
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content)

    with pytest.raises(CheckpointError, match=r"is damaged: its content is not what config\.json recorded"):
        load(done.path, weights="raw", known=toys)
    config = json.loads((done.path / "model" / "config.json").read_text())
    config["files"]["raw"]["file"] = "../../../etc/passwd"
    (done.path / "model" / "config.json").write_text(json.dumps(config))
    with pytest.raises(CheckpointError, match="names a file outside its folder"):
        load(done.path, weights="raw", known=toys)


def test_evaluation_is_exact_over_a_short_last_batch(tmp_path, toys, toy_recipe):
    """37 held-out samples in batches of 16: the mean weighs every sample alike."""
    done = train(toy_recipe("two", train={"steps": 1}, evaluate={"every": 1}), tmp_path, toys)
    line = next(line for line in done.metrics() if line["kind"] == "evaluate")
    model = load(done.path, known=toys).model
    from gen.building import build
    from gen.recipe.recipe import Recipe

    held = build(Recipe.parse(toy_recipe("two"), catalogue=toys), known=toys).split("val")
    x = held.batch(torch.arange(37), None, torch.device("cpu")).x
    with torch.no_grad():
        expected = model.discriminator(x).mean().item()

    assert line["loss/discriminator/real"] == pytest.approx(expected, rel=1e-5)


def test_saved_weights_are_safetensors_and_json_alone(tmp_path, toys, toy_recipe):
    done = train(toy_recipe(), tmp_path, toys)
    kept = {
        path.suffix for folder in ("checkpoints", "model") for path in (done.path / folder).rglob("*") if path.is_file()
    }

    assert kept == {".safetensors", ".json"}
    assert load_file(next((done.path / "model").glob("raw-*")))


def test_what_follows_an_update_follows_every_repeat(tmp_path: Path, toy_recipe, toys, monkeypatch) -> None:
    from gen.interfaces import Model

    seen: list[str] = []
    monkeypatch.setattr(Model, "after_step", lambda self, phase, progress: seen.append(phase))

    train(toy_recipe("two", optim={"discriminator": {"repeat": 3}}, train={"steps": 2}), tmp_path, toys)

    assert seen == 2 * ["discriminator", "discriminator", "discriminator", "generator"]


def test_a_phase_counts_its_own_updates(tmp_path: Path, toy_recipe, toys, monkeypatch) -> None:
    from gen.interfaces import Model

    seen: dict[str, list[tuple[int, int]]] = {"discriminator": [], "generator": []}
    monkeypatch.setattr(
        Model, "after_step", lambda self, phase, progress: seen[phase].append((progress.step, progress.turn))
    )
    cadence = {"discriminator": {"repeat": 2}, "generator": {"every": 2}}

    train(toy_recipe("two", optim=cadence, train={"steps": 4}), tmp_path, toys)

    assert seen["discriminator"] == [(0, 0), (0, 1), (1, 2), (1, 3), (2, 4), (2, 5), (3, 6), (3, 7)]
    assert seen["generator"] == [(0, 0), (2, 1)]
