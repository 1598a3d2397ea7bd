"""Plugins that misbehave, installed for real beside sound ones: nobody who does not use them is slowed or broken.

One fresh environment holds them all. It sees the packages of the environment that runs the tests; what misbehaves is
built into wheels and installed by pip, without the network. A plugin that is imported leaves a file `imported` behind.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import sysconfig
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import attrs
import pytest
import yaml

from gen.hookspecs import API
from gen.manifest import FILE

PATIENCE = 90.0  # seconds a plugin sleeps as it is imported; a command that imports none takes less

PYPROJECT = """\
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "{distribution}"
version = "1.2.3"
description = "A plugin for tests."

[project.entry-points."gen.plugins"]
{namespace} = "{package}.plugin"

[tool.hatch.build]
dev-mode-dirs = ["."]

[tool.hatch.build.targets.wheel]
packages = ["{package}"]
"""

INIT = """
from pathlib import Path
Path(__file__).with_name("imported").touch()
"""

HOOK = """
from gen.hookspecs import Component, hookimpl

@hookimpl
def gen_components():
    return [Component("net", "{package}.nets:Net")]
"""

NETS = '''
import math

from torch import nn

from gen.component import component, option
from gen.interfaces import Encoder

@component
class Net(Encoder):
    """One layer."""

    width: int = option(4, min=1, doc="units")

    def build(self):
        self.layers = nn.Sequential(
            nn.Flatten(),
            nn.Linear(math.prod(self.in_shape), self.width),
            nn.Linear(self.width, math.prod(self.out_shape)),
            nn.Unflatten(1, self.out_shape),
        )

    def forward(self, x, cond=None):
        return self.layers(x)
'''

LOCAL = """
from gen.component import component
from gen.hookspecs import Component, hookimpl
from gen.interfaces import Distance

@hookimpl
def gen_components():
    return [Component("far", "mine:Far")]

@component
class Far(Distance):
    '''Absolute differences.'''

    def __call__(self, y, x):
        return (y - x).abs().flatten(1).sum(1)
"""

HOSTILE: dict[str, Mapping[str, str]] = {
    "raises": dict.fromkeys(("plugin.py", "nets.py"), "import no_such_library\n"),
    "exits": dict.fromkeys(("plugin.py", "nets.py"), "import sys\nsys.exit('not on this machine')\n"),
    "slow": dict.fromkeys(("plugin.py", "nets.py"), f"import time, torch\ntime.sleep({PATIENCE})\n"),
    "lost": {},
}


@attrs.frozen
class Ended:
    """A command that has ended: its status, what it said, and how long it took."""

    status: int
    out: str
    err: str
    seconds: float


@attrs.frozen
class Environment:
    """A virtual environment and a folder to work in."""

    python: Path
    folder: Path

    def __call__(self, *words: object) -> Ended:
        """Carries out a `gen` command line there."""
        start = time.monotonic()
        command = [str(self.python), "-m", "gen", *map(str, words)]
        done = subprocess.run(command, cwd=self.folder, capture_output=True, text=True, check=False, timeout=300)
        return Ended(done.returncode, done.stdout, done.stderr, time.monotonic() - start)

    def pip(self, *words: object) -> None:
        command = [sys.executable, "-m", "pip", "--python", str(self.python), "--quiet", *map(str, words)]
        subprocess.run(command, check=True, timeout=300, capture_output=True)

    def install(self, *what: object) -> None:
        self.pip("install", "--no-index", "--no-deps", "--no-build-isolation", "--disable-pip-version-check", *what)

    def imported(self) -> list[str]:
        """The plugins of these tests that have been imported since the last time, by package."""
        found = list(self.folder.parent.glob("venv/lib/*/site-packages/gen_*/imported"))
        for path in found:
            path.unlink()
        return sorted(path.parent.name for path in found)

    def recipe(self, encoder: str, **options: str) -> Path:
        """A recipe of two steps with this encoder; `options` are further ones of the model."""
        name = encoder.replace("/", "-")
        model = {"use": "vae/ae", "encoder": encoder, "decoder": "nets/mlp-decoder", **options}
        recipe = {"gen": 1, "name": name, "data": {"use": "data/digits", "batch": 64}, "model": model}
        recipe |= {"train": {"steps": 2}, "sample": {"all": {"use": "vae/reconstruct", "count": 4}}}
        path = self.folder / f"{name}.yaml"
        path.write_text(yaml.safe_dump(recipe, sort_keys=False))
        return path


def package(root: Path, namespace: str, *, distribution: str = "", files: Mapping[str, str] | None = None) -> Path:
    """The source of a plugin; `files` replace or add to the usual ones of its package."""
    name = f"gen_{namespace}" if not distribution else distribution.replace("-", "_")
    distribution = distribution or f"gen-{namespace}"
    folder = root / distribution / name
    folder.mkdir(parents=True)
    text = PYPROJECT.format(distribution=distribution, namespace=namespace, package=name)
    (folder.parent / "pyproject.toml").write_text(text)
    usual = {"__init__.py": INIT, "plugin.py": HOOK.format(package=name), "nets.py": NETS}
    for file, content in {**usual, **(files or {})}.items():
        (folder / file).write_text(content)
    return folder.parent


def manifest(namespace: str, name: str, api: tuple[int, int] = API) -> str:
    """What the author's `gen plugin manifest` wrote while the plugin still worked."""
    width = {"name": "width", "type": "int", "default": 4, "min": 1}
    net = {"name": f"{namespace}/net", "kind": "encoder", "target": f"{name}.nets:Net", "options": [width]}
    record = {"manifest": 1, "api": [*api], "namespace": namespace, "package": name, "distribution": "as it says"}
    return json.dumps({**record, "components": [net], "recipes": [], "sources": {}})


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Environment]:
    """The environment with everything hostile in it: sources, wheels, and the folder `work`."""
    pytest.importorskip("gen_vae")
    wheel = pytest.importorskip("hatchling.builders.wheel")
    top = tmp_path_factory.mktemp("isolation")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", top / "venv"], check=True, timeout=60)
    site = next(top.glob("venv/lib/*/site-packages"))
    parent = sysconfig.get_path("purelib")
    (site / "parent.pth").write_text(f"import site; site.addsitedir({parent!r})\n")
    (top / "work").mkdir()

    written = {name: {**files, FILE: manifest(name, f"gen_{name}")} for name, files in HOSTILE.items()}
    written["newer"] = {FILE: manifest("newer", "gen_newer", (API[0], API[1] + 1))}
    sources = [package(top, name, files=files) for name, files in written.items()]
    for name in ("gen-twin", "twin-fork"):
        files = {FILE: manifest("twin", name.replace("-", "_"))}
        sources.append(package(top, "twin", distribution=name, files=files))
    wheels = [next(wheel.WheelBuilder(str(source)).build(directory=str(top / "wheels"))) for source in sources]
    made = Environment(top / "venv/bin/python", top / "work")
    made.install(*wheels)
    yield made
    shutil.rmtree(top)


@pytest.fixture(scope="module")
def trained(environment: Environment) -> Ended:
    """A run that uses the plugin `lost` and a file, in the presence of all the others."""
    (environment.folder / "mine.py").write_text(LOCAL)
    environment.imported()
    return environment("run", environment.recipe("lost/net", distance="local/far"), "--plugin", "mine.py")


@pytest.fixture(scope="module")
def without(environment: Environment, trained: Ended) -> Environment:
    """The environment once the plugin `lost` is gone."""
    assert trained.status == 0, trained.err
    environment.pip("uninstall", "--yes", "gen-lost")
    return environment


@pytest.mark.parametrize("command", ["ls", "plugin list", "ls encoders", "validate raises-net.yaml", "show slow/net"])
def test_looking_things_up_imports_no_plugin_and_waits_for_none(environment: Environment, command: str) -> None:
    environment.recipe("raises/net")
    environment.imported()
    ended = environment(*command.split())

    assert ended.status == 0
    assert "Traceback" not in ended.err
    assert environment.imported() == []
    assert ended.seconds < PATIENCE


def test_states_tell_what_is_wrong_before_anything_is_imported(environment: Environment) -> None:
    records = json.loads(environment("plugin", "list", "--json").out)
    states = {record["distribution"]: record["state"] for record in records}
    newer = next(record for record in records if record["namespace"] == "newer")

    assert {name: states[f"gen-{name}"] for name in ("raises", "exits", "slow")} == dict.fromkeys(
        ("raises", "exits", "slow"), "ok"
    )
    assert (states["gen-twin"], states["twin-fork"], states["gen-newer"]) == ("conflict", "conflict", "incompatible")
    assert newer["reason"] == "it was made for plugin interface 1.1, this gen has 1.0"
    assert newer["remedy"] == "pip install --upgrade gen-core"


def test_a_run_imports_what_it_uses_and_no_more(environment: Environment, trained: Ended) -> None:
    assert trained.status == 0, trained.err
    assert environment.imported() == ["gen_lost"]


@pytest.mark.parametrize(
    ("namespace", "said"),
    [
        (
            "raises",
            'plugin raises (gen-raises 1.2.3): gen_raises.nets needs the package "no_such_library", which is '
            "missing\n   install what provides it, if nothing else is known: pip install no_such_library",
        ),
        (
            "exits",
            "plugin exits (gen-exits 1.2.3): importing gen_exits.nets failed with SystemExit: not on this machine "
            "(nets.py, line 2)\n   update or repair gen-exits (gen plugin why exits)",
        ),
    ],
)
def test_a_run_that_uses_a_broken_plugin_says_which_and_what_to_do(
    environment: Environment, namespace: str, said: str
) -> None:
    ended = environment("run", environment.recipe(f"{namespace}/net"))

    assert ended.status == 2
    assert said in ended.err
    assert "Traceback" not in ended.err


@pytest.mark.parametrize(
    ("namespace", "said"),
    [
        (
            "twin",
            'error[contested-plugin]: "twin/net" needs the plugin twin (gen-twin 1.2.3), which is contested: the '
            'distributions gen-twin and twin-fork both claim the namespace "twin"',
        ),
        (
            "newer",
            'error[incompatible-plugin]: "newer/net" needs the plugin newer (gen-newer 1.2.3), which is incompatible: '
            "it was made for plugin interface 1.1, this gen has 1.0",
        ),
    ],
)
def test_a_recipe_that_uses_an_unusable_plugin_is_refused_at_its_place(
    environment: Environment, namespace: str, said: str
) -> None:
    path = environment.recipe(f"{namespace}/net")
    ended = environment("validate", path)
    remedy = {"twin": "keep one: pip uninstall gen-twin or pip uninstall twin-fork", "newer": "--upgrade gen-core"}

    assert ended.status == 2
    assert ended.out.startswith(f"{path}:8:12: {said}")
    assert f"(gen plugin why {namespace})" in ended.out
    assert remedy[namespace] in ended.out


def test_sampling_a_run_that_used_a_file_asks_for_the_file(environment: Environment, trained: Ended) -> None:
    assert trained.status == 0, trained.err
    ended = environment("sample", "runs/lost-net")

    assert ended.status == 2
    assert ended.err == '"local/far" needs the plugin file mine.py\n   name it: --plugin mine.py\n'


def test_sampling_a_run_whose_plugin_is_gone_names_what_to_install(without: Environment) -> None:
    ended = without("sample", "runs/lost-net", "--plugin", "mine.py")

    assert (ended.status, ended.out) == (2, "")
    assert ended.err == (
        '"lost/net" needs the plugin "lost", which is not installed (it was made with gen-lost 1.2.3)\n'
        "   pip install gen-lost==1.2.3\n"
    )


@pytest.mark.parametrize("command", ["resume", "eval"])
def test_going_on_with_a_run_whose_plugin_is_gone_names_what_to_install(without: Environment, command: str) -> None:
    ended = without(command, "runs/lost-net", "--plugin", "mine.py")

    assert ended.status == 2
    assert ended.err == (
        'the run needs the plugin "lost", which is not installed (it was made with gen-lost 1.2.3)\n'
        "   pip install gen-lost==1.2.3\n"
    )


def test_an_edited_class_of_an_editable_install_shows_its_new_option_at_once(environment: Environment) -> None:
    source = package(environment.folder.parent, "fresh")
    environment.install("--editable", source)
    before = environment("show", "fresh/net")
    nets = source / "gen_fresh/nets.py"
    nets.write_text(NETS.replace("    def build", '    depth: int = option(1, doc="layers")\n\n    def build'))
    after, later = environment("show", "fresh/net"), environment("show", "fresh/net")

    assert (before.status, after.status) == (0, 0), before.err + after.err
    assert "depth" not in before.out
    assert "depth" in after.out
    assert "gen: the manifest of fresh (gen-fresh) is out of date: making it anew\n" in after.err
    assert later.out == after.out
    assert "fresh" not in later.err
