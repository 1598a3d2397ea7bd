"""The conformance kit as a whole: what a report says, how strict excuses are, what stands in the table of checks."""

import json
import sys
from pathlib import Path

import attrs
import pytest

from gen.cli import main
from gen.errors import CommandError
from gen.spec import ComponentSpec
from gen_sdk.checks import report
from gen_sdk.checks.check import TIERS, Failure, NotApplicable, check, expect
from gen_sdk.checks.page import page
from gen_sdk.checks.report import examine, perform
from gen_sdk.checks.table import CHECKS, MINIMUM, minimum
from gen_sdk.checks.targets import subjects

PLUGIN = '''
from torch import nn
from gen.component import component, option
from gen.hookspecs import Component, hookimpl
from gen.interfaces import Encoder

@component
class Net(Encoder):
    """One hidden layer."""

    width: int = option(4, min=1, doc="hidden units")
    {declared}

    def build(self):
        size = 1
        for side in self.in_shape:
            size *= side
        self.enter, self.leave = nn.Linear(size, self.width), nn.Linear(self.width, self.out_shape[0])

    def forward(self, x, cond=None):
        {body}
        return self.leave(self.enter(x.flatten(1)).tanh())

@hookimpl
def gen_components():
    return [Component("net", "{name}:Net")]
'''


@pytest.fixture
def plugin(tmp_path):
    """Writes a plugin of one file with one encoder, and gives its path."""
    made = []

    def write(declared="", body="pass"):
        name = f"kit_{tmp_path.name.replace('-', '_')}_{len(made)}"
        path = tmp_path / f"{name}.py"
        path.write_text(PLUGIN.format(name=name, declared=declared, body=body))
        made.append(f"gen_local_{name}")
        return str(path)

    yield write
    for name in made:
        sys.modules.pop(name, None)


def planted(run, **how):
    return check(tier="bronze", hint="a cure", id="planted", **how)(run)


@pytest.fixture
def subject(plugin):
    def make(declared=""):
        (one,) = subjects(plugin(declared))
        return one

    return make


def holds(subject):
    """It holds."""


def fails(subject):
    """It fails."""
    expect(1 + 1 == 3, "1 + 1 is 2")


def raises(subject):
    """It raises."""
    raise ValueError("out of order")


def leaves(subject):
    """It ends the process."""
    raise SystemExit(0)


def finds_nothing(subject):
    """It has nothing to look at."""
    raise NotApplicable("there is nothing to look at")


@pytest.mark.parametrize(
    ("run", "outcome", "said"),
    [
        (holds, "passed", ""),
        (fails, "failed", "1 + 1 is 2"),
        (raises, "failed", "raised ValueError: out of order"),
        (leaves, "failed", "raised SystemExit"),
        (finds_nothing, "not applicable", "there is nothing to look at"),
    ],
)
def test_a_check_passes_only_where_it_returns(run, outcome, said, subject):
    result = perform(subject(), planted(run))

    assert result.outcome == outcome
    assert result.said.startswith(said)
    assert (result.hint, result.page) == ("a cure", "docs/checks.md#planted")


@pytest.mark.parametrize(
    ("run", "outcome", "said"),
    [
        (fails, "excused", "known and bounded (1 + 1 is 2)"),
        (holds, "failed", "it is excused and passes: strike it from `excused`"),
        (finds_nothing, "failed", "it is excused and does not apply: strike it from `excused`"),
    ],
)
def test_an_excuse_is_strict(run, outcome, said, subject):
    result = perform(subject('excused = {"planted": "known and bounded"}'), planted(run))

    assert (result.outcome, result.said) == (outcome, said)


def test_checks_are_chosen_by_kind_and_by_what_is_declared(subject):
    unbounded = planted(fails, applies=lambda subject: "" if subject.trait("unbounded") else "it is bounded")

    assert perform(subject(), planted(fails, kinds=("decoder",))).said == "for decoder"
    assert perform(subject(), unbounded).said == "it is bounded"
    assert perform(subject("traits = {'unbounded': True}"), unbounded).outcome == "failed"


def test_a_sound_component_passes_bronze_and_the_report_counts_what_ran(plugin):
    found = examine(plugin(), "bronze")
    (net,) = found.components
    counts = found.counts()

    assert found.ok, found.text()
    assert net.ran == counts["ran"] >= net.minimum
    assert counts["failed"] == counts["excused"] == 0
    assert counts["ran"] + counts["not_applicable"] == len(net.results)
    assert (
        f"local/net  (encoder)  {net.ran} ran, {counts['not_applicable']} not applicable, 0 not here, 0 excused"
        in found.text()
    )


def test_a_failure_stands_in_text_and_json_with_hint_and_page(plugin, capsys):
    path = plugin(body="x.add_(1)")
    status = main(["plugin", "check", path, "--tier", "bronze"])
    text = capsys.readouterr().out
    again = main(["plugin", "check", path, "--tier", "bronze", "--json"])
    record = json.loads(capsys.readouterr().out)
    checks = {one["check"]: one for one in record["components"][0]["checks"]}

    assert status == again == 2
    assert "failed inputs-are-left-alone: it changes its input 0 in place" in text
    assert "(docs/checks.md#inputs-are-left-alone)" in text
    assert set(record) == {"format", "target", "tier", "ok", "counts", "components"}
    assert set(record["counts"]) == {"ran", "not_applicable", "not_here", "excused", "failed"}
    assert set(record["components"][0]) == {"name", "kind", "ok", "ran", "minimum", "checks"}
    keys = {"check", "outcome", "said", "hint", "page", "tier", "seconds"}
    assert set(checks["inputs-are-left-alone"]) == keys
    assert (record["format"], record["ok"]) == (1, False)
    assert checks["inputs-are-left-alone"]["outcome"] == "failed"


def test_a_component_on_which_too_few_checks_ran_fails(subject):
    one = subject()
    (short,) = report.shortfall(one, [perform(one, planted(holds))], 2)

    assert (short.outcome, short.said) == ("failed", "1 checks ran, a encoder runs at least 2")
    assert not report.shortfall(one, [perform(one, planted(holds))], 1)


FILES = '''
from pathlib import Path
from gen.component import component
from gen.errors import DataError
from gen.hookspecs import Component, hookimpl
from gen.interfaces import Dataset

@component
class Rare(Dataset):
    """Files that nobody ships."""

    {declared}

    def open(self, split, root):
        raise DataError("there is no rare.npz\\nlook for it")

@hookimpl
def gen_components():
    return [Component("rare", "{name}:Rare")]
'''


@pytest.fixture
def rare(tmp_path):
    """A data set whose files are not here; gives what an examination finds."""
    name = f"rare_{tmp_path.name.replace('-', '_')}"

    def examined(declared):
        path = tmp_path / f"{name}.py"
        path.write_text(FILES.format(name=name, declared=declared))
        return examine(str(path), "silver")

    yield examined
    sys.modules.pop(f"gen_local_{name}", None)


def test_declared_files_that_are_missing_are_not_here_listed_and_counted(rare):
    found = rare('traits = {"files": "rare.npz of the year 1900"}')
    (one,) = found.components

    assert found.ok, found.text()
    assert one.ran <= one.minimum
    assert found.counts()["not_here"] == len(one.of("not here")) >= 4
    assert "   not here (rare.npz of the year 1900: there is no rare.npz): samples-are-as" in found.text()


def test_missing_files_that_are_not_declared_fail(rare):
    found = rare("")

    assert not found.ok
    assert found.counts()["not_here"] == 0
    assert "raised DataError: there is no rare.npz" in found.text()


def test_files_excuse_no_component_that_writes_its_own(rare):
    found = rare("traits = {'files': 'rare.npz'}\n    example_data = classmethod(lambda cls, root: None)")

    assert not found.ok
    assert found.counts()["not_here"] == 0


def test_an_excuse_for_no_check_fails(plugin):
    found = examine(plugin('excused = {"inputs-are-left-alon": "a slip"}'), "bronze")

    assert not found.ok
    assert 'there is no check "inputs-are-left-alon" to excuse: did you mean "inputs-are-left-alone"?' in found.text()


def test_an_unknown_target_is_refused_with_the_nearest_name():
    with pytest.raises(CommandError, match='no plugin, component or file is called "cor": did you mean "core"') as told:
        examine("cor")

    assert "NAMESPACE/NAME or FILE.py" in str(told.value)


def test_an_unknown_tier_is_refused():
    with pytest.raises(CommandError, match='there is no tier "platinum": bronze, silver, gold'):
        examine("core/adam", "platinum")


def test_without_gen_sdk_the_command_says_what_to_install(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "gen_sdk.checks.report", None)

    assert main(["plugin", "check", "core/adam"]) == 2
    said = "gen plugin check needs gen-sdk, which is not installed\n   pip install gen-sdk\n"
    assert capsys.readouterr().err == said


@pytest.mark.parametrize(("words", "said"), [([], "name an action"), (["lst"], 'there is no action "lst"')])
def test_an_unknown_action_is_refused(words, said, capsys):
    assert main(["plugin", *words]) == 2
    assert f"gen plugin: {said}" in capsys.readouterr().err


def test_every_check_has_an_id_a_meaning_a_hint_and_a_tier():
    ids = [one.id for one in CHECKS]

    assert len(set(ids)) == len(ids)
    for one in CHECKS:
        assert one.id == one.id.lower().replace("_", "-").replace(" ", "-"), one.id
        assert one.meaning.endswith("."), f"{one.id}: the meaning is a sentence"
        assert one.hint, f"{one.id}: no hint"
        assert not one.hint.endswith("."), f"{one.id}: the hint goes on in brackets"
        assert one.tier in TIERS


def test_every_check_is_found_in_the_table_once_and_answers_to_its_page():
    assert all(one.page == f"docs/checks.md#{one.id}" for one in CHECKS)
    assert all(f'<a id="{one.id}"></a>' in page() for one in CHECKS)


def test_the_page_of_checks_is_in_step():
    stored = (Path(__file__).parents[2] / "docs" / "checks.md").read_text(encoding="utf-8")

    assert stored == page(), "python -m gen_sdk.checks.page docs/checks.md"


def test_a_minimum_grows_with_the_tier():
    for kind, (bronze, silver, gold) in MINIMUM.items():
        assert 0 < bronze <= silver <= gold, kind
    assert minimum(ComponentSpec("a/b", "an interface of a stranger's", "a:B"), "silver") > 0


def test_a_plugin_of_one_file_owes_no_checks_of_a_package() -> None:
    of_package = {"hook-module-imports-nothing-heavy", "manifest-is-in-step", "manifest-is-in-the-wheel"}
    packaged, alone = (minimum(ComponentSpec(f"{name}/b", "encoder", "a:B"), "silver") for name in ("a", "local"))

    assert packaged - alone == len(of_package)
    assert of_package <= {check.id for check in CHECKS}


def test_a_failed_check_is_an_assertion():
    assert issubclass(Failure, AssertionError)
    assert attrs.has(type(CHECKS[0]))
