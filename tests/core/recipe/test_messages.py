"""The exact text of every message. A case of `messages/*.txt` changes the good recipe (`-` old, `+` new) or gives it
arguments (`>`); below stands what is printed."""

from __future__ import annotations

from pathlib import Path

import pytest

CASES = [
    pytest.param(body, id=f"{file.stem}: {title}")
    for file in sorted(Path(__file__).parent.glob("messages/*.txt"))
    for title, _, body in (case.partition("\n") for case in file.read_text().split("## ")[1:])
]


@pytest.mark.parametrize("case", CASES)
def test_message_is_exact(case, desk):
    change, expected = {"-": [], "+": [], ">": []}, []
    for line in case.strip("\n").split("\n"):
        if line[:2] in ("- ", "+ ", "> ") or line == "+":
            change[line[0]].append(line[2:].replace("\\n", "\n").replace("\\t", "\t"))
        else:
            expected.append(line)
    text = desk.good
    for old, new in zip(change["-"], change["+"], strict=True):
        assert old in text
        text = text.replace(old, new, 1)

    assert desk.refused(text, *change[">"]) == "\n".join(expected)


def test_all_problems_come_at_once_in_the_order_of_the_file(desk, edit):
    text = edit("latent: 16", "latent: many").replace("width", "widht").replace("steps: 3000", "steps: 0")

    told = desk.refused(text, "save.keep=1", "seed=-1")

    places = [block.partition(" error")[0] for block in told.split("\n\n")]
    assert places == ["r.yaml:7:11:", "r.yaml:8:37:", "r.yaml:12:16:", "argument 1:", "argument 2:"]


def test_a_mistake_in_all_is_told_once_though_phases_inherit_it(desk):
    told = desk.refused(TWO_PLAYERS.replace("lr: 0.1", "lr: -1, decay: 3"))

    assert told.count("error[out-of-range]") == 1
    assert told.count("error[misplaced-option]") == 1


TWO_PLAYERS = """\
gen: 1
name: gan
data: data/digits
model: {use: gan/gan, generator: gan/dcgan, discriminator: nets/conv-encoder}
optim:
  all: {use: sgd, lr: 0.1}
  generator: {scale: 0.5}
  discriminator: {use: adam}
train: {steps: 1}
"""


def test_a_hundred_problems_are_enough(desk):
    told = desk.refused("gen: 1\n" + "".join(f"k{i}: 1\n" for i in range(3000)))

    assert told.count("error[") == 100


def test_a_missing_recipe_names_the_shipped_ones(desk):
    with pytest.raises(ValueError, match="error") as caught:
        type(desk.read(desk.good)).read("shiped-digits", catalogue=desk.catalogue)

    assert str(caught.value) == (
        'error[no-recipe]: there is no recipe "shiped-digits"\n'
        '   did you mean "shipped-digits"?\n'
        "   recipes shipped: shipped-digits   (gen ls recipes)"
    )


def test_a_failed_plugin_that_no_value_names_is_no_problem(desk):
    assert desk.catalogue.plugin("torn").state == "broken"
    assert desk.read(desk.good).name == "vae-digits"
