"""The command line: one clear message for a mistake, exit 2, no traceback; and the commands that need no torch."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from gen import cli
from gen.cli.cat import with_origins
from gen.cli.doctor import torchvision
from gen.cli.ls import plural
from gen.cli.table import table

RECIPE = """\
gen: 1
name: tiny
about: A small one.
data: {use: data/digits, batch: 16}
model:
  use: vae/ae
  encoder: nets/mlp-encoder
  decoder: nets/mlp-decoder
optim:
  all: {use: sgd, lr: 1e-2}
train: {steps: 5}
"""

Call = Callable[..., tuple[int, str, str]]


@pytest.fixture
def gen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Call:
    """Carries out a command in a folder that holds tiny.yaml: status, stdout, stderr."""
    (tmp_path / "tiny.yaml").write_text(RECIPE)
    monkeypatch.chdir(tmp_path)

    def call(*words: str) -> tuple[int, str, str]:
        status = cli.main(words)
        shown = capsys.readouterr()
        return status, shown.out, shown.err

    return call


@pytest.mark.parametrize("words", [(), ("--help",), ("-h",), ("help",)])
def test_the_overview_lists_every_command(gen: Call, words: tuple[str, ...]) -> None:
    status, out, err = gen(*words)

    assert (status, err) == (0, "")
    assert all(f"  {name} " in out for name in cli.COMMANDS)


def test_every_command_explains_itself(gen: Call) -> None:
    for name in cli.COMMANDS:
        status, out, err = gen(name, "--help")

        assert (status, err) == (0, ""), name
        assert out.startswith(f"usage: gen {name}")


def test_the_version_is_told(gen: Call) -> None:
    assert gen("--version") == (0, "gen 0.1.0\n", "")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("rnu",), 'gen rnu: there is no such command: did you mean "run"? (gen --help lists the commands)'),
        (("zzz",), "gen zzz: there is no such command (gen --help lists the commands)"),
        (("--verion",), "gen --verion: there is no such option (gen --help lists the commands)"),
        (("my.yaml",), "gen my.yaml: a command comes first: gen run my.yaml"),
        (("cat", "tiny.yaml", "--orign"), 'gen cat --orign: there is no such flag: did you mean "--origin"?'),
        (("cat", "tiny.yaml", "--zz"), "gen cat --zz: there is no such flag (gen cat --help lists them)"),
        (
            ("cat", "tiny.yaml", "--train.steps=2"),
            "gen cat --train.steps=2: overrides are written without dashes: train.steps=200",
        ),
        (
            ("cat", "tiny.yaml", "--steps=2"),
            "gen cat --steps=2: overrides are written without dashes: train.steps=200",
        ),
        (
            ("cat", "tiny.yaml", "--train.steps", "2"),
            "gen cat --train.steps: overrides are written without dashes: train.steps=200",
        ),
        (("cp", "a", "b", "c"), "gen cp c: one argument too many (gen cp --help shows what it takes)"),
        (
            ("cp", "a"),
            "gen cp: the following arguments are required: FILE\n   gen cp --help shows what it takes",
        ),
        (("validate", "train.steps=2"), "gen validate: name a recipe: gen validate my.yaml"),
        (("cp", "vae-digitz", "x"), "gen cp: there is no recipe"),
        (("show", "core/adm"), 'gen show: there is no component "core/adm": did you mean "core/adam"?'),
        (("show", "mlp-encodr"), 'gen show: there is no component "mlp-encodr": did you mean "nets/mlp-encoder"?'),
        (("show", "nowhere/x"), 'gen show: there is no component "nowhere/x": no installed plugin is called "nowhere"'),
        (("ls", "encodres"), 'gen ls: nothing is called "encodres": did you mean "encoders"?'),
        (("plugin", "manifest", "neets"), 'gen plugin manifest: no plugin "neets" is installed editable: did you mean'),
    ],
)
def test_a_mistake_is_one_message_with_the_nearest_name(gen: Call, words: tuple[str, ...], said: str) -> None:
    status, out, err = gen(*words)

    assert (status, out) == (2, "")
    assert err.startswith(said)
    assert "Traceback" not in err


def test_an_exception_that_is_ours_says_so(gen: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> str:
        raise RuntimeError("on fire")

    monkeypatch.setattr(cli, "_overview", fail)
    status, _, err = gen()

    assert status == 1
    assert "RuntimeError: on fire" in err
    assert "this is our bug, not your mistake" in err


def test_a_keyboard_interrupt_exits_130(gen: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt() -> str:
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "_overview", interrupt)

    assert gen() == (130, "", "")


def test_a_closed_pipe_is_quiet() -> None:
    code = "import sys; from gen.cli import main; sys.stdin.readline(); sys.exit(main(['--help']))"
    command = [sys.executable, "-c", code]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    process.stdout.close()
    process.stdin.write(b"\n")
    process.stdin.close()

    assert process.stderr.read() == b""
    process.stderr.close()
    assert process.wait() == 141


def test_a_terminal_without_the_letters_gets_escapes() -> None:
    command = [sys.executable, "-m", "gen", "--help"]
    done = subprocess.run(command, env={**os.environ, "PYTHONIOENCODING": "ascii"}, capture_output=True, check=False)

    assert done.returncode == 0
    assert b"usage: gen COMMAND \\u2026" in done.stdout


def test_ls_lists_kinds_namespaces_recipes_plugins(gen: Call) -> None:
    everything = gen("ls")[1]

    assert "optimizers\n" in everything
    assert gen("ls", "optimizers")[1] == gen("ls", "optimizer")[1] != ""
    assert {line.split("/")[0] for line in gen("ls", "core")[1].splitlines()} == {"core"}
    assert "gen-core" in gen("ls", "plugins")[1]
    assert gen("ls", "recipes")[0] == 0


def test_ls_runs_says_how_far_each_came(gen: Call, tmp_path: Path) -> None:
    assert gen("ls", "runs")[1] == f"no run in {tmp_path / 'runs'}\n"
    status = {"state": "stopped", "step": 7, "steps": 9, "reason": "signal 2", "heartbeat": 0}
    for number, text in (("0001", json.dumps(status)), ("0002", "{")):
        folder = tmp_path / "runs/tiny" / number
        folder.mkdir(parents=True)
        (folder / "run.json").write_text("{}")
        (folder / "status.json").write_text(text)
    first, second = gen("ls", "runs")[1].splitlines()

    assert first.split()[:6] == ["runs/tiny/0001", "stopped", "step", "7", "of", "9"]
    assert first.endswith("signal 2")
    assert second.startswith("runs/tiny/0002  unreadable")


def test_show_tells_options_with_their_bounds(gen: Call) -> None:
    out = gen("show", "sgd")[1]

    assert out.startswith("core/sgd   optimizer, from gen-core 0.1.0\n")
    momentum = next(line for line in out.splitlines() if line.startswith("  momentum"))
    assert "a number" in momentum
    assert "= 0.0" in momentum
    assert "at least 0 and below 1" in momentum
    assert gen("show", "core")[1].startswith("core   a plugin, gen-core 0.1.0, ok\n")


def test_cat_writes_every_default_and_its_origin(gen: Call) -> None:
    status, out, err = gen("cat", "tiny.yaml", "train.steps=7", "--origin")
    origins = {line.split(":")[0].strip(): line.partition("  # ")[2] for line in out.splitlines()}

    assert (status, err) == (0, "")
    assert origins["name"] == "tiny.yaml:2"
    assert origins["steps"] == "argument 1"
    assert origins["momentum"].startswith("default of ")
    assert (
        gen("cat", "tiny.yaml", "train.steps=7")[1]
        == "\n".join(line.partition("  # ")[0].rstrip() for line in out.splitlines()) + "\n"
    )


def test_values_that_share_a_line_share_a_comment() -> None:
    text = "a:\n  use: x/y\n  b: [1, 2]\nlong: 'one\n\n  two'\nc: {d: 1, e: 2}\n"
    origins = {"a": "f:1", "a.b": "argument 1", "long": "f:2", "c.d": "f:3", "c.e": "default of x/y"}

    assert with_origins(text, origins).splitlines() == [
        "a:",
        "  use: x/y       # f:1",
        "  b: [1, 2]      # argument 1",
        "long: 'one",
        "",
        "  two'           # f:2",
        "c: {d: 1, e: 2}  # f:3, default of x/y",
    ]


def test_validate_says_ok_or_everything_that_is_wrong(gen: Call, tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_text(RECIPE.replace("steps: 5", "steps: 0, stepz: 1"))
    status, out, err = gen("validate", "tiny.yaml", "bad.yaml", "seed=3")

    assert (status, err) == (2, "")
    assert out.startswith("tiny.yaml: ok\nbad.yaml:11:")
    assert "error[out-of-range]" in out
    assert "error[unknown-option]" in out
    assert gen("validate", "tiny.yaml")[:2] == (0, "tiny.yaml: ok\n")


def test_validate_as_json_is_for_programs(gen: Call) -> None:
    status, out, _ = gen("validate", "--json", "tiny.yaml", "train.stepz=3")
    record = json.loads(out)[0]

    assert (status, record["recipe"], record["ok"]) == (2, "tiny.yaml", False)
    problem = record["problems"][0]
    assert (problem["code"], problem["source"], problem["line"]) == ("unknown-option", "argument 1", 0)
    assert json.loads(gen("validate", "--json", "tiny.yaml")[1]) == [
        {"recipe": "tiny.yaml", "ok": True, "problems": []}
    ]


def test_validate_looks_for_the_data(gen: Call, tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos/a.txt").touch()
    arguments = ["tiny.yaml", "data={use: data/images, side: 8, channels: 1, folder: photos/train}"]
    status, out, _ = gen("validate", *arguments)

    assert status == 2
    assert out == (
        'argument 1: error[data]: there is no folder "photos/train"\n'
        "   data={use: data/images, side: 8, channels: 1, folder: photos/train}\n"
        f"                                                         ^^^^^^^^^^^^ looked for {tmp_path}/photos/train\n"
        f"   {tmp_path}/photos holds a.txt\n"
        "   names are relative to the data root: --data-root DIR sets it\n\n"
    )
    (tmp_path / "photos/train").mkdir()
    assert gen("validate", *arguments)[0] == 0
    assert gen("validate", *arguments, "--data-root", "elsewhere")[0] == 2
    out = gen("validate", "tiny.yaml", "data={use: data/arrays, file: photos}")[1]
    assert 'error[data]: "photos" is a folder: file names a file' in out


def test_cp_copies_a_recipe_with_its_bases_and_overwrites_nothing(gen: Call, tmp_path: Path) -> None:
    source = tmp_path / "shipped"
    source.mkdir()
    (source / "a.yaml").write_text("base: b.yaml\n")
    (source / "b.yaml").write_text(RECIPE)

    assert gen("cp", "shipped/a.yaml", "my/new.yaml") == (0, "my/new.yaml\nmy/b.yaml\n", "")
    assert (tmp_path / "my/new.yaml").read_text() == "base: b.yaml\n"
    assert (tmp_path / "my/b.yaml").read_text() == RECIPE
    assert gen("cp", "shipped/b.yaml", "my") == (
        2,
        "",
        "gen cp: my/b.yaml exists already: choose another name\n",
    )


def test_schema_is_json(gen: Call, tmp_path: Path) -> None:
    status, out, _ = gen("schema", "-o", ".gen/schema.json")

    assert (status, out.splitlines()[0]) == (0, ".gen/schema.json")
    assert json.loads((tmp_path / ".gen/schema.json").read_text()) == json.loads(gen("schema")[1])


def test_plugin_list_as_json_names_states_and_components(gen: Call) -> None:
    records = {record["namespace"]: record for record in json.loads(gen("plugin", "list", "--json")[1])}

    assert records["core"]["state"] == "ok"
    assert "core/adam" in records["core"]["components"]


def test_doctor_names_software_plugins_disk_and_data(gen: Call) -> None:
    status, out, _ = gen("doctor")

    assert status == 0, out
    assert {line.split("  ")[1].strip() for line in out.splitlines()} >= {"python", "torch", "plugin core", "disk"}
    status, out, _ = gen("doctor", "--data-root", "absent")
    assert status == 2
    assert "data root: name another with --data-root DIR" in out


def test_doctor_finds_the_devices_when_asked(gen: Call) -> None:
    status, out, _ = gen("doctor", "--devices")

    assert status == 0
    assert re.search(r"^ok +cpu +\d+ threads$", out, re.MULTILINE)


@pytest.mark.parametrize(
    ("torch", "vision", "needs", "state"),
    [
        ("2.13.0+cpu", "0.28.0+cpu", ["numpy", "torch==2.13.0"], "ok"),
        ("2.13.0", "0.28.0", ["torch (==2.13.0)"], "ok"),
        ("2.13.0+cpu", "0.28.0", ["torch==2.13.0"], "bad"),
        ("2.13.0+cpu", "0.30.0+cpu", ["torch==2.15.0"], "bad"),
    ],
)
def test_a_torchvision_made_for_another_torch_is_named(torch: str, vision: str, needs: list[str], state: str) -> None:
    finding = torchvision(torch, vision, needs)

    assert finding.state == state
    assert ("operator torchvision::nms does not exist" in finding.text) == (state == "bad")


def test_a_local_plugin_is_listed(gen: Call, tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("1 / 0")
    status, _, err = gen("ls", "--plugin", "mine.py")

    assert status == 2
    assert "plugin local (mine.py (file)): it failed with ZeroDivisionError" in err


def test_columns_are_aligned_and_empty_ones_vanish() -> None:
    assert table([("a", "", "long"), ("bbb", "", "x")]) == "  a    long\n  bbb  x"
    assert table([]) == ""


def test_plurals() -> None:
    assert [plural(kind) for kind in ("encoder", "adversarial-loss", "density")] == [
        "encoders",
        "adversarial-losses",
        "densities",
    ]
