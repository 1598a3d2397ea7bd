"""Reports in a real browser: Debian's chromium, driven by playwright. Without either, these tests are skipped."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from gen import cli

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
RECIPE = ["train.steps=12", "train.log=1", "evaluate.every=4", "save.every=12", "evaluate.count=50"]
METRICS = ["evaluate.metrics.nn=metrics/nearest-neighbour", "evaluate.metrics.map=metrics/latent-map"]

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no chromium here: apt-get install chromium")


class Browsers:
    """Opens files in fresh windows and keeps what they say and ask for."""

    def __init__(self, browser: Any) -> None:
        self.browser = browser
        self.asked: list[str] = []
        self.said: list[str] = []

    def open(self, path: Path, *, width: int = 1280, scripts: bool = True, dark: bool = False) -> Any:
        """The page of a file, loaded."""
        scheme = "dark" if dark else "light"
        size = {"width": width, "height": 900}
        context = self.browser.new_context(viewport=size, java_script_enabled=scripts, color_scheme=scheme)
        page = context.new_page()
        page.on("request", lambda request: self.asked.append(request.url))
        page.on("console", lambda message: self.said.append(message.text))
        page.on("pageerror", lambda error: self.said.append(str(error)))
        page.goto(path.as_uri())
        return page


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    playwright = pytest.importorskip("playwright.sync_api", reason="no playwright here: pip install playwright")
    with playwright.sync_playwright() as driver:
        running = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield running
        running.close()


@pytest.fixture
def browsers(browser: Any) -> Iterator[Browsers]:
    found = Browsers(browser)
    yield found
    for context in browser.contexts:
        context.close()


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A real run of a few steps."""
    runs = tmp_path_factory.mktemp("runs")
    assert cli.main(["run", "vae-digits", *RECIPE, *METRICS, "--runs", str(runs), "--quiet"]) == 0
    return runs / "vae-digits/0001"


@pytest.fixture(scope="module")
def file(run: Path) -> Path:
    """Its report."""
    assert cli.main(["report", str(run)]) == 0
    return run / "report.html"


@pytest.fixture(scope="module")
def compared(run: Path) -> Path:
    """The report of it and of a copy that was killed early, its plugins unknown and its newest picture cut short."""
    dead = run.parent / "0002"
    shutil.copytree(run, dead)
    for name in ("run.json", "model", "evaluate"):
        shutil.move(dead / name, dead / f"gone-{name}")
    status = {"state": "running", "step": 7, "steps": 12, "reason": "", "heartbeat": time.time() - 9e3}
    (dead / "status.json").write_text(json.dumps(status))
    (dead / ".lock").unlink()
    lines = (dead / "metrics.jsonl").read_text().splitlines()[:8]
    (dead / "metrics.jsonl").write_text("\n".join(lines) + '\n{"kind": "tr')
    picture = dead / "samples/step-00000012/prior.png"
    picture.write_bytes(picture.read_bytes()[:100])
    target = run.parent / "both.html"
    assert cli.main(["report", str(run), str(dead), "-o", str(target)]) == 0
    return target


@pytest.mark.parametrize("which", ["file", "compared"])
def test_nothing_leaves_the_file_and_the_console_is_silent(browsers, which, request) -> None:
    path = request.getfixturevalue(which)
    page = browsers.open(path)
    page.evaluate("scrollTo({top: document.body.scrollHeight, behavior: 'instant'})")

    assert [url for url in browsers.asked if not url.startswith("data:")] == [path.as_uri()]
    assert browsers.said == []


def test_every_picture_is_decoded_and_none_is_blank(browsers, file) -> None:
    page = browsers.open(file)
    spreads = page.evaluate("""async () => {
        const found = [];
        for (const image of document.images) {
            await image.decode();
            const canvas = document.createElement("canvas");
            [canvas.width, canvas.height] = [image.naturalWidth, image.naturalHeight];
            const context = canvas.getContext("2d");
            context.drawImage(image, 0, 0);
            const values = context.getImageData(0, 0, canvas.width, canvas.height).data.filter((_, i) => i % 4 === 0);
            found.push(values.reduce((a, b) => Math.max(a, b)) - values.reduce((a, b) => Math.min(a, b)));
        }
        return found;
    }""")

    assert len(spreads) == 3 * 6  # three samplers and three pictures of metrics, at three steps
    assert min(spreads) > 10


def test_the_slider_changes_the_picture(browsers, file) -> None:
    page = browsers.open(file)
    film = page.locator(".film").first
    slider, shown = film.locator("input[type=range]"), film.locator(".frame:visible img")
    seen = {}
    for index in (2, 0, 1):
        slider.fill(str(index))
        assert shown.count() == 1
        seen[film.locator("output").inner_text()] = film.screenshot(), shown.get_attribute("src")

    assert list(seen) == ["step 12", "step 4", "step 8"]
    assert len({picture for picture, _ in seen.values()}) == len({source for _, source in seen.values()}) == 3


def test_playing_goes_to_the_last_step(browsers, file) -> None:
    film = browsers.open(file).locator(".film").first
    film.get_by_role("button", name="play").click()
    assert film.locator("output").inner_text() == "step 4"
    film.locator("output", has_text="step 12").wait_for(timeout=10_000)


def test_without_scripts_all_steps_show_newest_first(browsers, file) -> None:
    page = browsers.open(file, scripts=False)
    film = page.locator(".film").first

    assert film.locator(".frame:visible figcaption").all_inner_texts() == ["step 12", "step 8", "step 4"]
    assert page.locator("input[type=range]").count() == 0
    assert page.locator("svg.chart:visible").count() == page.locator(".plot").count() > 0


def test_the_axis_turns_logarithmic_without_scripts(browsers, file) -> None:
    page = browsers.open(file, scripts=False)
    plot = next(plot for plot in page.locator(".plot").all() if plot.locator(".log-axis:not(:checked)").count())
    assert plot.locator("svg.linear").is_visible()
    plot.locator(".log-axis").check()

    assert plot.locator("svg.log").is_visible()
    assert not plot.locator("svg.linear").is_visible()


def test_the_values_under_the_pointer_are_those_of_the_run(browsers, file, run) -> None:
    page = browsers.open(file)
    plot = page.locator(".plot").first
    chart = plot.locator("svg.chart:visible")
    box = chart.bounding_box()
    page.mouse.move(box["x"] + box["width"] * 0.97, box["y"] + box["height"] / 2)
    value, step = plot.locator(".legend b").first.inner_text().split(" at ")
    lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    last = [line for line in lines if line["kind"] == "train"][-1]

    assert int(step) == last["step"] == 12
    assert float(value) == pytest.approx(last["model/loss"], rel=2e-3)


@pytest.mark.parametrize(("which", "column"), [("file", "value"), ("compared", "step")])
def test_tables_sort_both_ways(browsers, which, column, request) -> None:
    page = browsers.open(request.getfixturevalue(which))
    table = page.locator("table.sortable").first
    heads = table.locator("thead th").all_inner_texts()
    number = next(i for i, head in enumerate(heads) if head.startswith(column))
    button = table.locator("thead th button").nth(number)

    def values() -> list[float]:
        cells = table.locator(f"tbody tr:first-child td:nth-child({number + 1})")
        return [float(cell.get_attribute("data-sort")) for cell in cells.all()]

    button.click()
    up = values()
    button.click()
    assert up == sorted(up)
    assert values() == sorted(up, reverse=True)
    assert len(set(up)) > 1


@pytest.mark.parametrize("which", ["file", "compared"])
@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "none"])
def test_a_narrow_screen_does_not_overflow(browsers, which, scripts, request) -> None:
    page = browsers.open(request.getfixturevalue(which), width=375, scripts=scripts)
    page.locator("details").evaluate_all("all => all.forEach(one => { one.open = true })")

    assert page.evaluate("document.documentElement.scrollWidth") == 375


def test_the_dark_scheme_is_dark_and_readable(browsers, file) -> None:
    light: Callable[[Any], float] = lambda page: page.evaluate(  # noqa: E731
        "getComputedStyle(document.body).backgroundColor.match(/\\d+/g).slice(0, 3).reduce((a, b) => a + Number(b), 0)"
    )

    assert light(browsers.open(file)) > 600
    assert light(browsers.open(file, dark=True)) < 150


def test_a_dead_run_says_what_is_missing(browsers, compared) -> None:
    page = browsers.open(compared)
    said = page.locator(".trouble").all_inner_texts()

    assert len(said) == 2
    for words in ("The run died at step 7 of 12", "run.json is not there", "1 line of metrics.jsonl is cut short"):
        assert words in said[0]
    assert "prior.png is left out: it cannot be read as a picture" in said[1]


def test_it_prints(browsers, file) -> None:
    assert browsers.open(file).pdf().startswith(b"%PDF")
