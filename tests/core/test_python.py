"""YAML and Python are equals: the façade, threads, devices, epochs, compile."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
import torch

import gen
from gen.errors import CommandError, GenError, OptionError, RecipeError, ShapeError


def test_a_mapping_and_its_yaml_train_the_same_model(tmp_path, toys, toy_recipe):
    mapping = toy_recipe(train={"steps": 5})
    recipe = gen.Recipe.parse(mapping, catalogue=toys)
    file = tmp_path / "toy.yaml"
    file.write_text(recipe.to_yaml())

    a = gen.run(mapping, runs=tmp_path / "a", known=toys, quiet=True, device="cpu")
    b = gen.run(file, runs=tmp_path / "b", known=toys, quiet=True, device="cpu")

    for x, y in zip(*(gen.load(r.path, known=toys).model.parameters() for r in (a, b)), strict=True):
        assert torch.equal(x, y)


def test_build_gives_ordinary_modules_wired_by_the_data(toys, toy_recipe):
    experiment = gen.build(gen.Recipe.parse(toy_recipe("two"), catalogue=toys), known=toys)
    model = experiment.model

    assert isinstance(model, torch.nn.Module)
    assert (model.generator.in_shape, model.generator.out_shape, model.discriminator.in_shape) == ((4,), (6,), (6,))
    assert model.generator(torch.zeros(3, 4)).shape == (3, 6)


def test_a_run_works_off_the_main_thread_where_no_signal_handler_can_be_set(tmp_path, toys, toy_recipe):
    ended = []
    thread = threading.Thread(
        target=lambda: ended.append(gen.run(toy_recipe(), runs=tmp_path, known=toys, quiet=True, device="cpu"))
    )
    thread.start()
    thread.join()

    assert ended[0].state == "done"


def test_the_first_sampler_of_the_recipe_is_the_first_of_the_run(tmp_path, toys, toy_recipe):
    recipe = toy_recipe(train={"steps": 1})
    recipe["sample"] = {"second": {"use": "local/codes", "count": 2}, "first": {"use": "local/codes", "count": 4}}

    made = gen.run(recipe, runs=tmp_path, known=toys, quiet=True, device="cpu")

    assert list(gen.load(made.path, known=toys).config["sample"]) == ["second", "first"]


def test_epochs_count_whole_batches(tmp_path, toys, toy_recipe):
    """96 samples in batches of 16 are 6 steps an epoch."""
    recipe = toy_recipe(train={"steps": None, "epochs": 2.5})

    assert gen.run(recipe, runs=tmp_path, known=toys, quiet=True, device="cpu").step == 15


def test_a_compiled_phase_trains_as_an_eager_one(tmp_path, toys, toy_recipe, monkeypatch):
    monkeypatch.setattr(torch, "compile", lambda module: torch._dynamo.optimize("eager")(module))
    runs = [
        gen.run(toy_recipe(train={"steps": 5, "compile": c}), runs=tmp_path, known=toys, quiet=True, device="cpu")
        for c in (False, True)
    ]

    for x, y in zip(*(gen.load(r.path, known=toys).model.parameters() for r in runs), strict=True):
        torch.testing.assert_close(x, y)


def test_half_precision_without_a_gpu_is_refused(tmp_path, toys, toy_recipe):
    with pytest.raises(CommandError, match=r"^train.precision fp16 needs a GPU; bf16 works on this CPU$"):
        gen.run(toy_recipe(train={"precision": "fp16"}), runs=tmp_path, known=toys, quiet=True, device="cpu")


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device here")
def test_a_device_that_is_not_there_is_refused(tmp_path, toys, toy_recipe):
    with pytest.raises(CommandError, match="--device cuda: torch sees no CUDA device here"):
        gen.run(toy_recipe(), runs=tmp_path, known=toys, quiet=True, device="cuda")


@pytest.mark.parametrize(
    ("variable", "name"), [("ACCELERATE_USE_FSDP", "FSDP"), ("ACCELERATE_USE_DEEPSPEED", "DeepSpeed")]
)
def test_sharding_launch_configurations_are_refused(variable, name, tmp_path, toys, toy_recipe, monkeypatch):
    monkeypatch.setenv(variable, "true")

    with pytest.raises(CommandError, match=f"^{name} is not supported: launch with plain data parallelism"):
        gen.run(toy_recipe(), runs=tmp_path, known=toys, quiet=True, device="cpu")


def test_parts_that_do_not_fit_are_told_in_the_words_of_the_recipe(tmp_path, toys, toy_recipe):
    crooked = {"use": "local/one", "decoder": {"use": "local/decoder", "crooked": True}}

    with pytest.raises(RecipeError) as refused:
        gen.run(toy_recipe(model=crooked), runs=tmp_path, known=toys, quiet=True, device="cpu")

    assert "model.decoder puts out [B, 7], but (B, 6) is needed" in str(refused.value)
    assert not list(tmp_path.iterdir())


def test_the_plan_counts_what_training_uses(toys, toy_recipe):
    from gen.plan import rehearse

    experiment = gen.build(gen.Recipe.parse(toy_recipe("two"), catalogue=toys), known=toys)
    plan = rehearse(experiment)

    assert plan.parameters == sum(p.numel() for p in experiment.model.parameters())
    assert [(p.name, p.trains, p.repeat) for p in plan.phases] == [
        ("discriminator", ("discriminator",), 1),
        ("generator", ("generator",), 1),
    ]
    for phase, part in zip(plan.phases, (experiment.model.discriminator, experiment.model.generator), strict=True):
        assert phase.parameters == sum(p.numel() for p in part.parameters())
        assert phase.optimizer_bytes == 2 * 4 * phase.parameters  # Adam keeps two moments
    assert (plan.steps, plan.images, plan.samples) == (20, 320, 96)


def test_errors_of_options_and_shapes_are_value_errors_with_exit_status_2():
    from gen.optimizers import Adam

    with pytest.raises(OptionError, match=r"^lr must be above 0 and at most 1000, got -1.0$"):
        Adam(lr=-1.0)
    with pytest.raises(OptionError, match=r"^betas takes a list of 2 numbers, got \[0.9\]$"):
        Adam(betas=(0.9,))
    for kind in (OptionError, ShapeError, RecipeError, CommandError):
        assert issubclass(kind, GenError)
        assert issubclass(kind, ValueError)
        assert kind.exit_code == 2


def test_a_run_that_never_saved_says_so(tmp_path):
    from gen.errors import CheckpointError

    (tmp_path / "run.json").write_text("{}")

    with pytest.raises(CheckpointError, match="has saved no model yet"):
        gen.load(tmp_path)
    with pytest.raises(CommandError, match=r"is not a run folder: it has no run\.json"):
        gen.load(Path(tmp_path / "elsewhere"))


@pytest.mark.parametrize(("instructions", "precision"), [(True, "bf16"), (False, "fp32")])
def test_precision_auto_is_settled_by_the_device_and_written_down(
    instructions, precision, tmp_path, toys, toy_recipe, monkeypatch
):
    monkeypatch.setattr("gen.precision.has_bf16", lambda device: instructions)
    recipe = toy_recipe(train={"steps": 1, "precision": "auto"})

    made = gen.run(recipe, runs=tmp_path, known=toys, quiet=True, device="cpu")

    assert f"precision: {precision}\n" in (made.path / "resolved.yaml").read_text()


@pytest.mark.parametrize(("instructions", "warned"), [(True, False), (False, True)])
def test_emulated_half_precision_is_warned_of(instructions, warned, tmp_path, toys, toy_recipe, monkeypatch, capsys):
    monkeypatch.setattr("gen.running.has_bf16", lambda device: instructions)

    gen.run(toy_recipe(train={"steps": 1, "precision": "bf16"}), runs=tmp_path, known=toys, device="cpu")

    message = "warning: this device emulates bf16, several times slower than fp32; train.precision=auto avoids it"
    assert (message in capsys.readouterr().err) == warned
