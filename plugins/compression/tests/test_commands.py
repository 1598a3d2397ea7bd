"""The two commands: what they write, what they say, and what they refuse with one message and status 2."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import attrs
import pytest
import torch

from gen import cli
from gen.building import Builder
from gen.loading import save_model
from gen.pictures import png, to_bytes
from gen.plugins import catalogue
from gen.types import DataSpec, Domain
from gen_compression import archive, restore

Call = Callable[..., tuple[int, str, str]]


@pytest.fixture
def gen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Call:
    """Carries out a command in an empty folder: status, stdout, stderr."""
    if catalogue().plugin("data") is None:
        pytest.skip("gen-data is not installed")
    monkeypatch.chdir(tmp_path)

    def call(*words: object) -> tuple[int, str, str]:
        status = cli.main([str(word) for word in words])
        shown = capsys.readouterr()
        return status, shown.out, shown.err

    return call


def digits(folder: Path, n: int = 3, shape: tuple[int, int] = (8, 8), levels: int = 17) -> Path:
    """A folder of pictures on levels, brought to 8 bits."""
    folder.mkdir()
    index = torch.randint(levels, (n, 1, *shape), generator=torch.Generator().manual_seed(5))
    for number, image in enumerate((index * (255 / (levels - 1))).round().to(torch.uint8)):
        (folder / f"{number}.png").write_bytes(png(image))
    return folder


def contents(folder: Path) -> list[bytes]:
    return [path.read_bytes() for path in sorted(folder.iterdir())]


def test_the_test_digits_take_the_bits_that_the_model_says_within_one_per_cent(gen: Call, digits_model: Path) -> None:
    """All 250, header included; and the very same digits come back."""
    status, out, err = gen("compress", digits_model, "--split", "test", "--data-root", ".", "-o", "a")

    assert (status, err) == (0, "")
    size = Path("a").stat().st_size
    said = re.search(r"model says +[\d,]+ bytes +([\d.]+) bits/dim", out)
    assert said is not None
    assert 8 * size / (250 * 64) <= 1.01 * float(said[1])
    assert re.search(rf"archive +{size:,} bytes", out)
    assert all(f"{name}, {how}" in out for name in ("PNG", "WebP") for how in ("one file each", "one sheet"))
    assert gen("decompress", digits_model, "a", "-o", "back") == (0, "back  (250 PNG files)\n", "")
    rows = Builder().make({"use": "data/digits"}, path="data").open("test", Path())
    x = to_bytes(rows.fetch(torch.arange(250)).x, rows.spec.domain)
    assert contents(Path("back")) == [png(image) for image in x]


def test_pictures_come_back_bit_by_bit_with_the_weights_that_coded_them(gen: Call, digits_model: Path) -> None:
    folder = digits(Path("in"))
    for weights in ("ema", "raw"):
        assert gen("compress", digits_model, folder, "-o", f"{weights}.a", "--weights", weights)[0] == 0
        assert gen("decompress", digits_model, f"{weights}.a", "-o", weights)[0] == 0
        assert contents(Path(weights)) == contents(folder)
    assert Path("raw.a").read_bytes()[6:12] != Path("ema.a").read_bytes()[6:12]


def test_the_size_of_batches_stands_in_the_file(gen: Call, digits_model: Path) -> None:
    folder = digits(Path("in"), 5)

    assert gen("compress", digits_model, folder, "-o", "a", "--batch", 2)[0] == 0
    assert gen("decompress", digits_model, "a", "-o", "back")[0] == 0
    assert contents(Path("back")) == contents(folder)


def test_a_model_that_is_told_labels_codes_them_too(gen: Call, labelled_model: Path) -> None:
    folder = digits(Path("in"))
    split = ("--split", "val", "--count", 5, "--data-root", ".")

    assert gen("compress", labelled_model, folder, "--label", 3, "-o", "a")[0] == 0
    assert gen("decompress", labelled_model, "a", "-o", "back")[0] == 0
    assert contents(Path("back")) == contents(folder)
    assert gen("compress", labelled_model, *split, "-o", "b")[0] == 0
    status, out, err = gen("compress", labelled_model, folder, "-o", "c")
    assert (status, out) == (2, "")
    assert "say what the pictures show with --label" in err


def test_a_column_of_whole_numbers_comes_back_within_one_per_cent_of_its_gaussian(
    gen: Call, series_model: Callable[..., Path]
) -> None:
    """One value of the first two takes log2 of the range; the others what a Gaussian of deviation 20 gives them."""
    model = series_model()
    rng = torch.Generator().manual_seed(0)
    values = [50.0, 55.0]
    for noise in (20 * torch.randn(500, generator=rng)).tolist():
        values.append(float(round(40 + 0.9 * values[-1] - 0.3 * values[-2] + noise)))
    Path("in.csv").write_text("time,value\n" + "".join(f"{t},{int(v)}\n" for t, v in enumerate(values)))
    errors = torch.tensor(
        [v - 40 - 0.9 * b + 0.3 * a for a, b, v in zip(values, values[1:], values[2:], strict=False)]
    ).double()
    normal = torch.distributions.Normal(0.0, 20.0)
    bits = -float((normal.cdf(errors + 0.5) - normal.cdf(errors - 0.5)).log2().sum())
    bits += 2 * torch.tensor(max(values) - min(values) + 1).log2().item()

    status, out, err = gen("compress", model, "in.csv", "-o", "a")
    assert (status, err) == (0, "")
    size = int(out.split()[1].replace(",", ""))
    header = int(re.search(r"header (\d+) bytes", out)[1])  # type: ignore[index]
    assert header < 70
    assert 8 * (size - header) == pytest.approx(bits, rel=0.01)
    assert gen("decompress", model, "a", "-o", "back.csv") == (0, "back.csv  (502 values)\n", "")
    assert Path("back.csv").read_text().split() == ["value", *(str(int(v)) for v in values)]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("value\n1\n2.5\n", 'line 3: "2.5" is no whole number'),
        ("value\n1\n\nx\n", 'line 4: "x" is no whole number'),
        ("value\n1\nnan\n", 'line 3: "nan" is no whole number'),
        ("other\n1\n2\n", 'it needs a line of names, one of them "value"'),
        ("value\n0\n70000\n", "runs from 0 to 70,000: a code takes 65,536 whole numbers at most"),
        ("value\n0\n20000000\n", "whole numbers are exact below 16,777,216"),
    ],
)
def test_series_that_cannot_be_coded_are_refused(
    gen: Call, series_model: Callable[..., Path], text: str, said: str
) -> None:
    Path("in.csv").write_text(text)

    status, out, err = gen("compress", series_model(), "in.csv", "-o", "a")

    assert (status, out) == (2, "")
    assert said in err
    assert not Path("a").exists()


def test_changed_series_and_folders_for_them_are_refused(gen: Call, series_model: Callable[..., Path]) -> None:
    Path("in.csv").write_text("value\n1\n2\n3\n")
    changed, plain = series_model(log=True, difference=[12]), series_model()

    assert (
        "(log, difference), so it cannot code what the file holds" in gen("compress", changed, "in.csv", "-o", "a")[2]
    )
    assert gen("compress", plain, "in.csv", "-o", "a")[0] == 0
    Path("empty").mkdir()
    assert "is a folder; a series goes into a file" in gen("decompress", plain, "a", "-o", "empty")[2]


def test_a_command_line_that_says_too_little_or_too_much_is_refused(gen: Call, digits_model: Path) -> None:
    folder = digits(Path("in"))
    Path("there").write_text("mine")
    refused = {
        ("-o", "a"): "name INPUT or --split, one of the two",
        (folder, "--split", "test", "-o", "a"): "name INPUT or --split, one of the two",
        (folder, "--count", 3, "-o", "a"): "--count goes with --split",
        ("--split", "test", "--label", 3, "-o", "a"): "--label goes with INPUT",
        (folder, "--batch", 0, "-o", "a"): "--batch takes 1 to 65,536, got 0",
        (folder, "--threads", 5000, "-o", "a"): "--threads takes 1 to 1,024, got 5000",
        (folder, "-o", "there"): "there: exists already: choose another name",
        (folder, "-o", "no/where"): "there is no folder no",
        (folder, "--label", 3, "-o", "a"): "was not trained with labels",
        (folder, "--weights", "ema-0.5", "-o", "a"): 'has no weights "ema-0.5"',
        ("--split", "test", "--count", 251, "--data-root", ".", "-o", "a"): "the test split holds 250 samples",
        ("nothing", "-o", "a"): "nothing does not exist",
    }
    for words, said in refused.items():
        status, out, err = gen("compress", digits_model, *words)
        assert (status, out) == (2, ""), words
        assert said in err, words
        assert err.count("\n") <= 2
    assert Path("there").read_text() == "mine"
    assert not Path("a").exists()


def test_pictures_that_the_model_does_not_count_are_refused(gen: Call, digits_model: Path) -> None:
    Path("empty").mkdir()
    refused = {
        Path("empty"): "holds no PNG, JPEG or WebP files",
        digits(Path("wide"), shape=(8, 9)): "is 9x8 pixels; here it must be 8x8",
        digits(Path("fine"), levels=256): "fine: image 1 has grey values between the 17 levels",
    }
    for folder, said in refused.items():
        status, out, err = gen("compress", digits_model, folder, "-o", "a")
        assert (status, out) == (2, "")
        assert said in err
        assert not Path("a").exists()


def test_archives_that_are_none_damaged_or_of_other_weights_are_refused(
    gen: Call, digits_model: Path, labelled_model: Path
) -> None:
    gen("compress", digits_model, digits(Path("in")), "-o", "a")
    data = Path("a").read_bytes()
    Path("cut").write_bytes(data[:-4])
    Path("newer").write_bytes(data[:3] + b"\x07" + data[4:])
    Path("foreign").write_bytes(b"hello")
    Path("full").mkdir()
    Path("full/mine").write_text("mine")
    refused = {
        (digits_model, "cut", "-o", "out"): "cut is damaged: its checksum is not that of its content",
        (digits_model, "newer", "-o", "out"): "has version 7 of the format",
        (digits_model, "foreign", "-o", "out"): "foreign is no archive of gen compress",
        (digits_model, "nothing", "-o", "out"): "nothing does not exist",
        (labelled_model, "a", "-o", "out"): "a was coded with other weights than",
        (digits_model, "a", "-o", "full"): "full: exists already: choose another name",
        (digits_model, "a", "-o", "no/where"): "there is no folder no",
    }
    for words, said in refused.items():
        status, out, err = gen("decompress", *words)
        assert (status, out) == (2, ""), words
        assert said in err, words
    assert not Path("out").exists()


def test_what_does_not_decode_to_what_was_coded_is_refused(
    gen: Call, digits_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on a machine that adds floats in another order: the code is whole, and the checksum of the symbols differs."""
    folder, there = digits(Path("in")), archive.pack

    def elsewhere(header: Any, payload: bytes) -> bytes:
        return there(attrs.evolve(header, content=header.content ^ 1), payload)

    with monkeypatch.context() as patch:
        patch.setattr(archive, "pack", elsewhere)
        status, _, err = gen("compress", digits_model, folder, "-o", "a")
        assert (status, Path("a").exists()) == (2, False)
        assert "does not decode to what was coded: this machine computes other chances" in err
        patch.setattr(restore, "verify", lambda *_: None)
        assert gen("compress", digits_model, folder, "-o", "a")[0] == 0
    status, _, err = gen("decompress", digits_model, "a", "-o", "out")
    assert (status, Path("out").exists()) == (2, False)
    assert "a does not decode to what was coded" in err


def test_a_model_without_exact_chances_is_refused(gen: Call, tmp_path: Path) -> None:
    if catalogue().plugin("vae") is None or catalogue().plugin("nets") is None:
        pytest.skip("gen-vae or gen-nets is not installed")
    config = {"use": "vae/ae", "encoder": "nets/mlp-encoder", "decoder": "nets/mlp-decoder"}
    data = DataSpec.single(Domain((1, 8, 8), levels=17))
    model = Builder().make(config, path="model", data=data)
    more = {"model": config, "sample": {}, "data_section": {"use": "data/digits"}, "plugins": {}}
    save_model(tmp_path / "m", step=1, config=more, data=data, weights={"raw": model.state_dict()}, samplers={})

    status, out, err = gen("compress", "m", digits(Path("in")), "-o", "a")

    assert (status, out) == (2, "")
    assert "vae/ae cannot code: that takes exact chances" in err
