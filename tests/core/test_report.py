"""`gen report`: one file from what is left of a run, whatever is left, at most 5 MB, and inert."""

from __future__ import annotations

import base64
import hashlib
import json
import math
import os
import re
import subprocess
import sys
import time
import zlib
from collections.abc import Callable
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml

from gen import cli
from gen.pictures import png
from gen.report.page import LARGEST, MOST_RUNS, report
from gen.report.pictures import films, spaced
from gen.report.reading import Shot, find_run, read_files, titles
from gen.report.scales import axis_of, figure, step_axis, step_text
from gen.report.series import Chart, Curve, charts, thin
from gen.report.svg import drawing
from gen.report.telling import duration

CARD = {"metric": "Frechet", "better": "lower", "split": "val", "real": 100, "seed": 1}
EVIL = '"><script>alert(1)</script><img src=x onerror=alert(2)>'


class Page(HTMLParser):
    """The elements of a page: their tags and attributes, and the text of the whole."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data

    def tags(self, name: str) -> list[dict[str, str | None]]:
        return [found for tag, found in self.elements if tag == name]


def noise(seed: int, *shape: int) -> bytes:
    return png(torch.randint(0, 256, shape, generator=torch.Generator().manual_seed(seed), dtype=torch.uint8))


@pytest.fixture
def folder(tmp_path: Path) -> Callable[..., Path]:
    """A run folder as a run leaves it, of `steps` logged steps."""

    def make(name: str = "one", steps: int = 5, **recipe: Any) -> Path:
        path = tmp_path / name / "0001"
        for step in (10, 20):
            (path / f"samples/step-{step:08d}").mkdir(parents=True)
            (path / f"samples/step-{step:08d}/prior.png").write_bytes(noise(step, 1, 20, 20))
        (path / "evaluate").mkdir()
        config = {"gen": 1, "name": name, "about": "a run", "sample": {"prior": {"use": "some/prior", "count": 4}}}
        config |= {"evaluate": {"split": "val"}, "save": {"best": "fd"}, **recipe}
        (path / "recipe.yaml").write_text(yaml.safe_dump(config))
        (path / "resolved.yaml").write_text(yaml.safe_dump(config))
        run = {"seed": 3, "command": ["gen", "run"], "versions": {"torch": "2"}, "git": {"commit": "abc"}}
        (path / "run.json").write_text(json.dumps(run))
        status = {"state": "done", "step": 20, "steps": 20, "reason": "", "heartbeat": time.time()}
        (path / "status.json").write_text(json.dumps(status))
        lines: list[dict[str, Any]] = [
            {"kind": "train", "step": i + 1, "seconds": i / 2, "images_per_s": 9.5, "m/loss": 10 / (i + 1), "m/lr": 0.1}
            for i in range(steps)
        ]
        lines += [{"kind": "evaluate", "step": 20, "fd": 2.5, "loss/m/loss": 2.0, "fd/half": 1.25}]
        (path / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
        figures = {"fd": {"value": 2.5, "unit": "nats", "parts": {"half": 1.25}, "card": CARD}}
        (path / "evaluate/step-00000020.json").write_text(json.dumps(figures))
        return path

    return make


def problems(path: Path) -> str:
    return " ".join(read_files(path, "run").problems)


def test_a_report_is_one_file_that_names_nothing_outside_itself(folder, capsys) -> None:
    path = folder()

    assert cli.main(["report", str(path)]) == 0
    text = (path / "report.html").read_text()
    assert str(path / "report.html") in capsys.readouterr().out
    page = Page(text)
    outward = {"src", "href", "srcset", "action", "data", "poster", "xlink:href"}
    named = [value for _, found in page.elements for name, value in found.items() if name in outward]
    assert named
    assert all(value is not None and value.startswith(("data:", "#")) for value in named)
    assert not re.search(r"url\(|@import", text)
    assert "default-src 'none'" in next(m["content"] or "" for m in page.tags("meta") if "http-equiv" in m)


def test_a_report_holds_what_the_run_left(folder) -> None:
    page = Page(report([folder()]))

    assert len([image for image in page.tags("img") if (image["src"] or "").startswith("data:image/webp;base64,")]) == 2
    assert [image["alt"] for image in page.tags("img")] == ["prior at step 20", "prior at step 10"]
    for said in ("one/0001", "a run", "some/prior · count 4", "2.5", "nats · best, at step 20", "0.5", "abc", "half"):
        assert said in page.text
    assert "What went wrong" not in page.text


def test_curves_of_a_term_share_a_chart_and_parts_of_a_metric_another(folder) -> None:
    found, left = charts([read_files(folder(), "one")])

    assert [(chart.title, [curve.name for curve in chart.curves]) for chart in found] == [
        ("m/loss", ["training", "val"]),
        ("fd (val)", ["fd"]),
        ("fd: parts (val)", ["half"]),
        ("m/lr", ["training"]),
        ("images_per_s", ["training"]),
    ]
    assert left == 0


def test_the_losses_of_several_phases_stand_together_besides(folder) -> None:
    path = folder()
    lines = [{"kind": "train", "step": step, "a/loss": 1.0, "b/loss": 2.0} for step in (1, 2)]
    (path / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    found, _ = charts([read_files(path, "one")])

    assert [chart.title for chart in found] == ["losses of the phases", "a/loss", "b/loss"]
    assert [curve.name for curve in found[0].curves] == ["a/loss", "b/loss"]


def test_a_step_that_was_done_again_counts_once(folder) -> None:
    path = folder()
    lines = [{"kind": "train", "step": step, "m/x": value} for step, value in ((1, 5.0), (2, 6.0), (2, 7.0))]
    (path / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    found, _ = charts([read_files(path, "one")])

    assert found[0].curves[0].points == ((1.0, 5.0), (2.0, 7.0))


@pytest.mark.parametrize(
    "name", ["run.json", "status.json", "metrics.jsonl", "resolved.yaml", "recipe.yaml", "evaluate", "samples"]
)
def test_a_file_that_is_missing_is_said_and_the_rest_is_shown(folder, name) -> None:
    path = folder()
    (path / name).rename(path / "gone")
    page = Page(report([path]))

    assert (name == "evaluate") or (name in page.text)
    assert ("What went wrong" in page.text) == (name != "evaluate")
    assert bool(page.tags("img")) == (name != "samples")
    assert bool(page.tags("path")) == (name != "metrics.jsonl")


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("run.json", "{", "run.json: not valid JSON"),
        ("status.json", "[1]", "status.json is damaged: it should hold a mapping"),
        ("resolved.yaml", "a: &x 1\nb: *x\n", "resolved.yaml:1:4: error[anchor]"),
        ("metrics.jsonl", '{"kind": "train", "step": 1, "x": 2}\n{"ki', "1 line of metrics.jsonl is cut short"),
        ("metrics.jsonl", '7\n{"kind": "train", "step": true}\n[[\n', "3 lines of metrics.jsonl are cut short"),
        ("evaluate/step-00000020.json", '{"fd": 1}', "fd has no value with a card"),
        ("evaluate/step-00000020.json", "{", "step-00000020.json: not valid JSON"),
    ],
)
def test_a_damaged_file_is_said_and_the_rest_is_shown(folder, name, content, said) -> None:
    path = folder()
    (path / name).write_text(content)

    assert said in problems(path)
    assert said.partition(":")[0] in Page(report([path])).text


def test_a_damaged_picture_is_said_and_the_others_are_shown(folder) -> None:
    path = folder()
    (path / "samples/step-00000010/prior.png").write_bytes(b"no picture")
    (path / "samples/step-00000020/link.png").symlink_to(path / "run.json")
    page = Page(report([path]))

    assert len(page.tags("img")) == 1
    assert "step-00000010/prior.png is left out: it cannot be read as a picture" in page.text
    assert "link, where only a regular file is accepted" in page.text


def test_a_picture_of_too_many_pixels_is_not_decoded(folder) -> None:
    path = folder()
    bomb = png(torch.zeros(1, 2, 2, dtype=torch.uint8))
    size = (30_000).to_bytes(4, "big")
    header = b"IHDR" + size + size + bomb[24:29]
    bomb = bomb[:12] + header + zlib.crc32(header).to_bytes(4, "big") + bomb[33:]
    (path / "samples/step-00000010/prior.png").write_bytes(bomb)

    assert "prior.png is left out: " in Page(report([path])).text


def test_a_run_that_is_killed_is_said_to_have_died(folder) -> None:
    path = folder()
    status = {"state": "running", "step": 7, "steps": 20, "reason": "", "heartbeat": time.time() - 3600}
    (path / "status.json").write_text(json.dumps(status))
    found = read_files(path, "run")

    assert found.state() == "dead"
    assert found.state(now=found.beat) == "running"
    assert "The run died at step 7 of 20" in Page(report([path])).text


def test_a_run_whose_process_lives_goes_on(folder) -> None:
    path = folder()
    (path / "status.json").write_text(json.dumps({"state": "running", "step": 7, "steps": 20, "heartbeat": 1.0}))
    (path / ".lock").write_text(str(os.getpid()))

    assert read_files(path, "run").state() == "running"
    assert "still going on at step 7" in Page(report([path])).text


def test_a_guards_stop_is_said_with_its_reason(folder) -> None:
    path = folder()
    reason = "Stopped: the loss is nan at step 7"
    (path / "status.json").write_text(json.dumps({"state": "stopped", "step": 7, "steps": 20, "reason": reason}))
    with (path / "metrics.jsonl").open("a") as file:
        file.write('{"kind": "train", "step": 7, "m/loss": NaN}\n')
    (path / "log.txt").write_text("2026-01-01 00:00:00 saved\n2026-01-01 00:00:01 WARNING sample 3 was replaced\n")
    page = Page(report([path]))

    assert f"The run stopped at step 7 of 20: {reason}." in page.text
    assert "m/loss was not finite at step 7." in page.text
    assert "WARNING sample 3 was replaced" in page.text
    assert [found for found in page.tags("line") if found.get("class") == "bad"]


def test_whatever_a_stranger_wrote_is_text(folder) -> None:
    path = folder(about=EVIL, model={"use": EVIL, EVIL: EVIL})
    (path / "recipe.yaml").write_text(f"# </pre>{EVIL}\n")
    (path / "run.json").write_text(json.dumps({"command": [EVIL], "versions": {EVIL: EVIL}, "git": {"commit": EVIL}}))
    (path / "status.json").write_text(json.dumps({"state": EVIL, "reason": EVIL, "step": EVIL, "steps": [EVIL]}))
    with (path / "metrics.jsonl").open("a") as file:
        file.write(json.dumps({"kind": "train", "step": 9, EVIL: 1.0, f"{EVIL}/loss": 2, "m/loss": EVIL}) + "\n")
        file.write(json.dumps({"kind": "evaluate", "step": 9, EVIL: 3.0, "x": 10**400}) + "\n")
    card = {"better": EVIL, EVIL: {EVIL: [EVIL]}}
    figures = {EVIL: {"value": 1.0, "unit": EVIL, "parts": {EVIL: 2.0}, "card": card}}
    (path / "evaluate/step-00000020.json").write_text(json.dumps(figures))
    (path / "samples/step-00000010/<script>x.png").write_bytes(noise(0, 3, 4, 4))
    for paths in ([path], [path, folder("two")]):
        text = report(paths)
        page = Page(text)

        assert len(page.tags("script")) == 1
        assert not [name for _, found in page.elements for name in found if name.startswith("on")]
        assert all((image["src"] or "").startswith("data:image/webp;base64,") for image in page.tags("img"))
        assert "alert(1)" in page.text or "alert(1)" in text


def test_the_policy_lets_our_script_run_and_no_other(folder) -> None:
    text = report([folder()])
    script = re.search(r"<script>(.*?)</script>", text, re.DOTALL)
    policy = next(m["content"] or "" for m in Page(text).tags("meta") if "http-equiv" in m)

    assert script is not None
    hashed = base64.b64encode(hashlib.sha256(script[1].encode()).digest()).decode()
    assert f"script-src 'sha256-{hashed}'" in policy
    assert "connect-src" not in policy


def test_hundreds_of_large_pictures_fit_into_the_bound(folder, tmp_path) -> None:
    path = folder()
    pictures = [noise(seed, 1, 260, 260) for seed in range(3)]
    for step in range(100, 400):
        (path / f"samples/step-{step:08d}").mkdir()
        for number, label in enumerate(("prior", "reconstruct", "traverse")):
            (path / f"samples/step-{step:08d}/{label}.png").write_bytes(pictures[number])
    text = report([path])
    page = Page(text)
    steps = [int((image["alt"] or "").rpartition(" ")[2]) for image in page.tags("img") if "traverse" in image["alt"]]

    assert len(text.encode()) < LARGEST
    assert len(steps) >= 6
    assert (steps[0], steps[-1]) == (399, 100)
    assert max(a - b for a, b in pairwise(steps)) <= 300 / (len(steps) - 1) + 1
    assert f"{len(steps)} of 300 steps, evenly spread; {300 - len(steps)} left out" in page.text


def test_where_there_is_no_room_at_all_series_are_left_out(tmp_path) -> None:
    shots = []
    for number in range(4):
        path = tmp_path / f"{number}.png"
        path.write_bytes(noise(number, 3, 200, 200))
        shots.append(Shot("samples", str(number), 1, path))
    found, said = films([shots], 30_000)

    assert 0 < len(found) < 4
    assert said == [f"{4 - len(found)} of 4 series of pictures are left out: there is no room for them."]


def test_spaced_steps_are_even_and_hold_both_ends() -> None:
    shots = [Shot("samples", "x", step, Path()) for step in range(101)]

    assert [shot.step for shot in spaced(shots, 5)] == [0, 25, 50, 75, 100]
    assert [shot.step for shot in spaced(shots, 1)] == [100]
    assert spaced(shots[:3], 5) == shots[:3]


def test_thinned_points_are_means_between_their_bounds() -> None:
    points = tuple((float(step), math.sin(step)) for step in range(1000))
    found = thin(Curve("x", points), 100)

    assert len(found.points) == 100
    assert sum(value for _, value in found.points) / 100 == pytest.approx(sum(v for _, v in points) / 1000)
    assert min(value for _, value in found.low) == min(value for _, value in points)
    assert all(a[1] <= b[1] <= c[1] for a, b, c in zip(found.low, found.points, found.high, strict=True))
    assert thin(Curve("x", points[:100]), 100).low == ()


@pytest.mark.parametrize(("log", "values"), [(False, (0.0, 50.0, 100.0)), (True, (1.0, 10.0, 100.0))])
def test_an_axis_places_equal_steps_or_equal_ratios_at_equal_distances(log, values) -> None:
    axis, cut = axis_of(Chart("x", (Curve("c", tuple(enumerate(map(float, values)))),)), log)
    low, middle, high = map(axis.place, values)

    assert middle - low == pytest.approx(high - middle)
    assert 0 <= low < high <= 1
    assert len(axis.ticks) >= 3
    assert cut is None


def test_a_steep_beginning_leaves_the_frame_and_is_said() -> None:
    points = tuple((float(step), 1e6 if step == 0 else 1.0 + step / 100) for step in range(100))
    chart = Chart("x", (Curve("c", points),))

    assert axis_of(chart, log=False)[0].high < 3
    assert drawing(chart).notes == ("The beginning, up to 1,000,000, lies above the frame.",)


@pytest.mark.parametrize("values", [(0.0, 0.0), (3.0, 3.0), (-2.0, -2.0), (5.0,), (1e-300, 1e299), (-1.0, 1.0)])
def test_any_finite_values_make_a_chart(values) -> None:
    found = drawing(Chart("x", (Curve("c", tuple((float(i), v) for i, v in enumerate(values))),)))

    assert "nan" not in found.linear
    assert "inf" not in found.linear


def test_values_that_are_never_finite_make_a_sentence() -> None:
    assert drawing(Chart("x", (Curve("c", ((1.0, math.nan),)),))).notes == ("No value of it is finite.",)


@pytest.mark.parametrize(
    ("value", "said"),
    [(0, "0"), (1234567, "1,234,567"), (2.5, "2.5"), (1e-10, "1e-10"), (1e-6, "1e-6"), (97.0, "97"), (None, "–")],
)
def test_figures_are_short(value, said) -> None:
    assert figure(value) == said


def test_steps_and_times_are_short() -> None:
    assert [step_text(step) for step in (0, 800, 2500, 40_000, 1.5e6)] == ["0", "800", "2,500", "40k", "1.5M"]
    assert [duration(s) for s in (2.25, 385, 11520)] == ["2.25 s", "6 min 25 s", "3 h 12 min"]
    assert step_axis(Chart("x", (Curve("c", ((1.0, 0.0), (400.0, 0.0))),))).low == 0


def test_several_runs_stand_in_one_table_and_in_the_same_charts(folder, tmp_path, monkeypatch, capsys) -> None:
    one, two = folder("one", model={"use": "a/b", "width": 1}), folder("two", model={"use": "a/b", "width": 2})
    figures = {"fd": {"value": 1.5, "unit": "nats", "parts": {}, "card": CARD}}
    (two / "evaluate/step-00000020.json").write_text(json.dumps(figures))
    monkeypatch.chdir(tmp_path)

    assert cli.main(["report", str(one), str(two)]) == 0
    page = Page((tmp_path / "report.html").read_text())
    assert "2 runs beside each other" in page.text
    assert "1.5 ★" in page.text
    assert "model.width" in page.text
    assert {line["data-name"] for line in page.tags("path")} >= {"one/0001", "two/0001", "two/0001, val"}


def test_values_measured_differently_are_not_ranked(folder) -> None:
    one, two = folder("one"), folder("two")
    figures = {"fd": {"value": 1.5, "unit": "nats", "parts": {}, "card": {**CARD, "real": 7}}}
    (two / "evaluate/step-00000020.json").write_text(json.dumps(figures))
    text = Page(report([one, two])).text

    assert "fd is not ranked" in text
    assert "real: 100 and 7" in text


def test_runs_of_one_name_are_told_apart() -> None:
    assert titles([Path("/a/x/0001"), Path("/b/x/0001"), Path("/b/x/0002")]) == ["a/x/0001", "b/x/0001", "b/x/0002"]
    assert titles([Path("/a/x/0001"), Path("/a/x/0001")]) == ["x/0001", "x/0001"]


def test_the_name_of_runs_alone_means_the_newest(folder) -> None:
    path = folder()
    path.rename(path.with_name("0009"))
    (path.with_name("0010") / "samples").mkdir(parents=True)

    assert find_run(path.parent).name == "0010"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["report", "nowhere"], "nowhere is not a run folder: it has none of run.json"),
        (["report", "{run}", "-o", "{run}"], "is a folder; name a file in it"),
        (["report", "{run}", "-o", "{run}/none/r.html"], "there is no folder"),
        (["report", *["{run}"] * (MOST_RUNS + 1)], f"takes up to {MOST_RUNS} runs, got {MOST_RUNS + 1}"),
        (["report"], "the following arguments are required: RUN"),
    ],
)
def test_a_mistake_is_one_message(folder, tmp_path, monkeypatch, capsys, words, said) -> None:
    monkeypatch.chdir(tmp_path)
    run = folder()

    assert cli.main([word.format(run=run) for word in words]) == 2
    assert said in capsys.readouterr().err


def test_a_report_needs_neither_torch_nor_a_plugin(folder) -> None:
    code = (
        "import sys; from gen import cli; status = cli.main(sys.argv[1:]); "
        "print([m for m in sys.modules if m == 'torch' or m.startswith('gen_')]); sys.exit(status)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "report", str(folder())], capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "[]"
