"""CycleGAN as a whole: two processes, pools that go on where they stopped, folders translated by `gen sample`."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

pytest.importorskip("gen_translation")
pytest.importorskip("gen_data")
Image = pytest.importorskip("PIL.Image")

CLOSE = 1e-6
RUN = Path("runs/cycle/0001")


def recipe(pool: int, steps: int = 6, **sections):
    """A CycleGAN of few weights on the bundled digits."""
    networks = {"a_to_b": "resnet-generator", "b_to_a": "resnet-generator"}
    networks |= {"discriminator_a": "patch-discriminator", "discriminator_b": "patch-discriminator"}
    small = {"resnet-generator": {"width": 2, "blocks": 1, "depth": 0}, "patch-discriminator": {"width": 2}}
    parts = {name: {"use": f"translation/{use}", **small[use]} for name, use in networks.items()}
    return {
        "gen": 1,
        "name": "cycle",
        "data": {"use": "data/digit-domains", "batch": 4},
        "model": {"use": "translation/cyclegan", "pool": pool, **parts},
        "optim": {"all": {"use": "sgd", "lr": 0.05}},
        "train": {"steps": steps, "log": 1, "accumulate": 2, "ema": {"decay": 0.9}},
        "sample": {"to_b": {"use": "translation/translate", "count": 4}},
        "save": {"every": 3},
        **sections,
    }


def relative(a: torch.Tensor, b: torch.Tensor) -> float:
    return (a.double() - b.double()).abs().max().item() / max(a.abs().max().item(), 1e-12)


def together(processes) -> list[int]:
    statuses = [process.wait() for process in processes]
    assert not any(statuses), "\n".join(process.err for process in processes)
    return statuses


def test_two_processes_train_what_one_does_without_pools(gen, tensors):
    path = gen.recipe(recipe(pool=0))
    one, two = gen("run", path, "--runs", "one", toys=False), gen.world("run", path, "--runs", "two")

    assert one.status == 0, one.err
    assert together(two) == [0, 0], two[0].err + two[1].err
    a, b = (tensors(gen.folder / runs / "cycle/0001") for runs in ("one", "two"))
    shared = [name for name in a if not name.startswith("rank-") and a[name].numel()]
    assert max(relative(a[name], b[name]) for name in shared) <= CLOSE


@pytest.mark.parametrize("processes", [1, 2])
def test_pools_go_on_bit_identical_each_in_its_process(processes, gen, tensors):
    half, whole = gen.recipe(recipe(pool=3, steps=3)), gen.recipe(recipe(pool=3), "whole.yaml")

    assert together(gen.world("run", half, size=processes)) == [0] * processes
    assert together(gen.world("resume", RUN, "train.steps=6", size=processes)) == [0] * processes
    assert together(gen.world("run", whole, "--runs", "whole", size=processes)) == [0] * processes
    found, expected = tensors(gen.folder / RUN), tensors(gen.folder / "whole/cycle/0001")
    pools = [expected[f"rank-{rank}:model/pool_a.past"] for rank in range(processes)]

    assert [name for name in expected if not torch.equal(expected[name], found[name])] == []
    assert all(pool.abs().sum() > 0 for pool in pools)
    assert processes == 1 or not torch.equal(*pools)


@pytest.fixture(scope="module")
def translator(shared):
    """A run on two folders of images, side 8."""
    for number in range(6):
        for folder, grey in (("one", 20 * number), ("two", 255 - 20 * number)):
            (shared.folder / folder / "deep").mkdir(parents=True, exist_ok=True)
            Image.new("L", (10, 8), grey).save(shared.folder / folder / "deep" / f"{number}.jpg")
    data = {"use": "data/unpaired", "a": "one", "b": "two", "side": 8, "channels": 1, "batch": 4, "val": 1, "test": 0}
    ended = shared("run", shared.recipe(recipe(pool=3, steps=2, data=data)), toys=False)
    assert ended.status == 0, ended.err
    return shared


def test_pools_are_no_part_of_the_model(translator):
    files = list((translator.folder / RUN / "model").glob("*.safetensors"))

    assert len(files) == 3
    assert not [name for file in files for name in load_file(file) if name.startswith("pool")]


def test_a_target_that_no_model_knows_is_refused_before_training(gen):
    ended = gen("run", gen.recipe(recipe(pool=0)), "sample.to_b.to=c", toys=False)

    assert ended.status == 2
    assert 'there is no domain "c" to translate to: this model knows a and b' in ended.err
    assert not (gen.folder / RUN).exists()


def test_a_folder_is_translated_file_by_file(translator):
    ended = translator("sample", RUN, "--translate", "one", "--to", "b", "-o", "made", toys=False)

    assert ended.status == 0, ended.err
    assert ended.out.splitlines() == [f"made/deep/{number}.png" for number in range(6)]
    with Image.open(translator.folder / "made/deep/3.png") as made:
        assert made.mode == "L"
    ended = translator("sample", RUN, "--translate", "two", "--to", "a", "-n", 2, toys=False)
    assert ended.out.splitlines() == [str(RUN / f"drawn/to-a/deep/{number}.png") for number in range(2)]


def test_held_out_samples_are_translated_to_either_domain(translator):
    for to in ("a", "b"):
        ended = translator("sample", RUN, "--to", to, "-n", 2, "-o", f"{to}.png", toys=False)
        assert (ended.status, ended.out) == (0, f"{to}.png\n"), ended.err
    pictures = sorted(path.name for path in (translator.folder / RUN / "samples").glob("*/*"))
    assert pictures == ["to_b.png"]


REFUSED = {
    "an unknown domain": (("--translate", "one", "--to", "c"), 'no domain "c" to translate to: this model knows a and'),
    "no folder": (("--translate", "none"), "none is no folder"),
    "a file for many": (("--translate", "one", "-o", "x.png"), "-o names a folder, got x.png"),
    "a picture that is none": (("--translate", "bad"), "is no PNG, JPEG or WebP image"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_translated_is_refused_in_a_sentence(case, translator):
    (translator.folder / "bad").mkdir(exist_ok=True)
    (translator.folder / "bad" / "1.png").write_text("no picture")
    words, said = REFUSED[case]
    ended = translator("sample", RUN, *words, toys=False)

    assert ended.status == 2
    assert said in ended.err
    assert "Traceback" not in ended.err


def test_a_run_that_translates_nothing_says_so(gen, toy_recipe):
    path = gen.recipe(toy_recipe("one", sample={"codes": {"use": "local/codes", "count": 4}}, train={"steps": 2}))
    assert gen("run", path).status == 0
    for words in (("--translate", "."), ("--to", "b")):
        ended = gen("sample", "runs/toy-one", *words)
        assert (ended.status, "names no sampler that translates" in ended.err) == (2, True), ended.err
    ended = gen("sample", "runs/toy-one", "--with", "codes", "--to", "b")
    assert "this sampler translates nothing: leave --to out" in ended.err
