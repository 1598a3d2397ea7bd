"""Hostile files are refused, quickly, with a place where there is one."""

from __future__ import annotations

import os
import time
from itertools import pairwise
from pathlib import Path

import pytest
import yaml

from gen.errors import RecipeError
from gen.recipe import reader
from gen.recipe.problems import Problems
from gen.recipe.recipe import Recipe

HEAD = "gen: 1\nname: x\n"
BOMB = HEAD + "a: &a [x]\n" + "".join(f"{b}: &{b} [{', '.join(['*' + a] * 9)}]\n" for a, b in pairwise("abcdefgh"))
MERGES = HEAD + "a: &a {x: 1}\n" + "".join(f"{b}: &{b} {{<<: [*{a}, *{a}]}}\n" for a, b in pairwise("abcd"))
WRONG_NAMES = "".join(f"  l{i}: vae/pryor{i}\n" for i in range(4900))

HOSTILE = {
    "empty": ("", "empty"),
    "only comments": ("# gen: 1\n", "empty"),
    "null": ("~\n", "empty"),
    "list": ("- 1\n", "root"),
    "text": ("gen\n", "root"),
    "300 KB": (HEAD + "#" * 300_000, "too-large"),
    "10 MB text": (HEAD + "about: " + "x" * 10_000_000, "too-large"),
    "long text": (HEAD + "about: " + "x" * 70_000, "too-large"),
    "100 thousand keys": (HEAD + "".join(f"k{i}:\n" for i in range(30_000)), "too-large"),
    "10 thousand in a list": (HEAD + "plugins:\n" + "- a\n" * 20_000, "too-large"),
    "wide": (HEAD + "plugins: [" + "a, " * 60_000 + "]", "too-large"),
    "wide strangers": (HEAD + "data: {" + ", ".join(f"k{i}: 1" for i in range(9000)) + "}", "too-large"),
    "deep": (HEAD + "about: " + "[" * 33, "too-deep"),
    "very deep": (HEAD + "about: " + "[" * 100_000, "too-deep"),
    "deep blocks": (HEAD + "".join(" " * i + "a:\n" for i in range(200)), "too-deep"),
    "question marks": ("? " * 50_000, "too-deep"),
    "alias bomb": (BOMB, "anchor"),
    "merge bomb": (MERGES, "merge-key"),
    "recursive alias": (HEAD + "about: &a [*a]", "anchor"),
    "constructor": (HEAD + "about: !!python/object/apply:os.system [ls]", "tag"),
    "name": (HEAD + "about: !!python/name:os.system", "tag"),
    "include": (HEAD + "about: !include /etc/passwd", "tag"),
    "tagged root": ("!!map\ngen: 1", "tag"),
    "two documents": (HEAD + "---\n" + HEAD, "documents"),
    "nul": (HEAD + "about: a\0b", "character"),
    "escaped nul": (HEAD + 'about: "a\\0b"', "character"),
    "bell": (HEAD + "about: a\7b", "character"),
    "reversed text": (HEAD + "about: a\u202eb", "character"),
    "bad utf-8": (HEAD.encode() + b"about: \xff", "encoding"),
    "utf-16": (HEAD.encode("utf-16"), "encoding"),
    "tab": (HEAD + "data:\n\tuse: x", "yaml"),
    "5000 digits": (HEAD + "seed: " + "9" * 5000, "absurd-number"),
    "64 bits": (HEAD + "seed: 9223372036854775808", "absurd-number"),
    "huge hexadecimal": (HEAD + "seed: 0x" + "f" * 60_000, "absurd-number"),
    "vanishing": (HEAD + "seed: 1e-999", "absurd-number"),
    "ten thousand letters": (HEAD + "data: " + "a" * 10_000, "unknown-component"),
    "dunder": (HEAD + "data: __class__", "component-name"),
    "empty name": (HEAD + 'data: ""', "component-name"),
    "homoglyph": (HEAD + "data: d\u0430ta/digits", "component-name"),
    "many strangers": (HEAD + "".join(f"stepz{i}: 1\n" for i in range(4900)), "unknown-option"),
    "many wrong names": (HEAD + "sample:\n" + WRONG_NAMES, "unknown-component"),
    "windows device": (HEAD.replace("x", "CON"), "run-name"),
    "drive": (HEAD.replace("x", "'C:\\x'"), "run-name"),
    "newline in the name": (HEAD.replace("x", '"a\\nb"'), "run-name"),
    "dot": (HEAD.replace("x", "."), "run-name"),
    "300 letters": (HEAD.replace("x", "x" * 300), "run-name"),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_hostile_text_is_refused_within_a_second(case, desk):
    text, code = HOSTILE[case]
    desk.write(text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text, "r.yaml")
    began = time.process_time()
    with pytest.raises(RecipeError) as caught:
        Recipe.read("r.yaml", catalogue=desk.catalogue)

    assert time.process_time() - began < 1
    assert code in {problem.code for problem in caught.value.problems}
    assert len(str(caught.value)) < 300_000


def test_what_is_no_regular_file_is_refused_without_waiting(desk):
    os.mkfifo("fifo")
    os.symlink("loop", "loop")
    reasons = {"fifo": "not a regular file", ".": "a folder", "/dev/zero": "not a regular file", "loop": "symbolic"}

    for path, reason in reasons.items():
        with pytest.raises(RecipeError, match=f"cannot read the recipe.*{reason}"):
            Recipe.read(path, catalogue=desk.catalogue)


def test_byte_order_mark_is_accepted(desk):
    assert desk.read(b"\xef\xbb\xbf" + desk.good.encode()).name == "vae-digits"


@pytest.mark.parametrize("path", ["/etc", "../x", "a/../../b", "~/.ssh", "C:\\x", "\\\\host\\x", "http://host/x"])
def test_no_path_option_leads_out_of_the_data_root(path, desk, edit):
    assert "error[path]" in desk.refused(edit("use: data/digits", f"use: data/images, path: '{path}'"))


def test_both_parsers_tell_the_same(desk, monkeypatch):
    """Without libyaml a recipe reads the same, and a mistake is told in the same words at the same place."""
    folder = Path(__file__).parent / "messages"
    changes = [line[2:] for line in (folder / "syntax.txt").read_text().split("\n") if line.startswith("+ ")]
    texts = [desk.good, *(f"a:\n  {change}\n" for change in changes)]

    def told(text: str) -> str:
        text, problems = text.replace("\\n", "\n").replace("\\t", "\t"), Problems()
        try:
            node = reader.parse(text, reader.Lines("r.yaml", text.splitlines()), problems)
        except RecipeError as error:
            return str(error)
        return str(node)

    fast = [told(text) for text in texts]
    monkeypatch.setattr(reader, "_PARSER", yaml.BaseLoader)

    assert [told(text) for text in texts] == fast
