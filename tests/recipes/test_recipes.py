"""Every shipped recipe is valid, fits together, and takes two real steps of everything it asks for."""

from __future__ import annotations

import re
import struct
from pathlib import Path

import pytest

from gen import registry
from gen.building import Experiment, build
from gen.errors import RecipeError
from gen.plan import rehearse
from gen.plugins import RecipeFile, catalogue
from gen.recipe.recipe import Recipe
from gen.rows import TensorRows
from gen.smoke import smoke

ROOT = registry.checkout_file().parent
DATA = ROOT.parent / "shared/data"
FEW = 512
SHIPPED = [
    pytest.param(recipe, id=f"{plugin.namespace}/{recipe.name}")
    for plugin in catalogue().plugins
    if plugin.folder and ROOT in plugin.folder.resolve().parents
    for recipe in plugin.recipes
]


def test_there_are_recipes() -> None:
    assert SHIPPED


@pytest.mark.parametrize("shipped", SHIPPED)
def test_a_shipped_recipe_introduces_itself(shipped: RecipeFile) -> None:
    recipe = Recipe.read(shipped.path)
    head = "\n".join(re.findall(r"\A(?:#.*\n)+", recipe.written.decode()))

    assert recipe.name == shipped.name, "name: is the file's name"
    assert recipe.config["about"], "say in about: what it is, in a sentence"
    for words in (f"gen run {recipe.name}", "Time", "Reached"):
        assert words in head, f'{shipped.path.name} begins with a comment that says "{words} …"'


@pytest.mark.parametrize("shipped", SHIPPED)
def test_a_shipped_recipe_fits_together(shipped: RecipeFile, made_up: Path) -> None:
    recipe = Recipe.read(shipped.path)
    plan = rehearse(_open(recipe, _root(recipe, made_up)))

    assert plan.phases
    assert plan.parameters > 0
    assert plan.steps > 0


@pytest.mark.parametrize("shipped", SHIPPED)
def test_a_shipped_recipe_takes_two_steps_of_everything(shipped: RecipeFile, made_up: Path, few_rows: None) -> None:
    recipe = Recipe.read(shipped.path)
    root = _root(recipe, made_up)
    _open(recipe, root)

    assert smoke(recipe, data_root=root, device="cpu").startswith(("ok: 2 steps", "ok: solved"))


@pytest.fixture
def few_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Data in memory seem short: to evaluate on all of their rows takes minutes and shows nothing new."""
    rows = TensorRows.__len__
    monkeypatch.setattr(TensorRows, "__len__", lambda self: min(rows(self), FEW))


@pytest.fixture(scope="session")
def made_up(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data root with Fashion-MNIST's four files, black throughout (sparse files: nothing is written)."""
    root = tmp_path_factory.mktemp("data")
    folder = root / "fashion-mnist"
    folder.mkdir()
    for name, count in (("train", 60_000), ("t10k", 10_000)):
        with (folder / f"{name}-images-idx3-ubyte").open("wb") as file:
            file.write(struct.pack(">BBBB3I", 0, 0, 8, 3, count, 28, 28))
            file.truncate(16 + count * 28 * 28)
        labels = bytes(range(10)) * (count // 10)
        (folder / f"{name}-labels-idx1-ubyte").write_bytes(struct.pack(">BBBBI", 0, 0, 8, 1, count) + labels)
    return root


def _root(recipe: Recipe, made_up: Path) -> Path:
    """Where the recipe's data are: Fashion-MNIST is made up where it is not at hand."""
    missing = recipe.config["data"]["use"] == "data/fashion-mnist" and not (DATA / "fashion-mnist").is_dir()
    return made_up if missing else DATA


def _open(recipe: Recipe, root: Path) -> Experiment:
    """The experiment; skips where its data are not at hand, which only a checkout without shared data may say."""
    try:
        return build(recipe, data_root=root, device="meta")
    except RecipeError as error:
        if DATA.is_dir() or {problem.code for problem in error.problems} != {"data"}:
            raise
        return pytest.skip(f"{DATA} does not exist, and {error.problems[0].message}")
