"""What is said of a component that is not here: from the model's own record, the yellow pages, or neither."""

from __future__ import annotations

from typing import Any

import pytest

from gen.absent import absent, owners, require
from gen.errors import PluginError
from gen.plugins import Catalogue, PluginRecord
from gen.spec import ComponentSpec

Y = ComponentSpec("ring/encoder", "encoder", "gen_ring.y:Y")
RING = PluginRecord("ring", "gen_ring", "gen-ring", "2.0", None, components=(Y,))
BROKEN = PluginRecord("torn", "gen_torn", "gen-torn", "1.0", None, "broken", "it is torn", "mend it")
KNOWN = Catalogue((RING, BROKEN))


def made(distribution: Any, version: Any = "1.2.3") -> dict[str, Any]:
    return {namespace: {"distribution": distribution, "version": version} for namespace in ("ring", "arc", "nets")}


ARC, NETS = (f'"{name}/x" needs the plugin "{name}", which is not installed' for name in ("arc", "nets"))
RINGS = 'plugin ring (gen-ring 2.0) has no component "ring/x"'


@pytest.mark.parametrize(
    ("name", "recorded", "said"),
    [
        ("arc/x", made("gen-arc"), f"{ARC} (it was made with gen-arc 1.2.3)\n   pip install gen-arc==1.2.3"),
        ("arc/x", None, f"{ARC}\n   see gen plugin search arc"),
        ("arc/x", made("arc.py", "(file)"), '"arc/x" needs the plugin file arc.py\n   name it: --plugin arc.py'),
        ("nets/x", None, f"{NETS}\n   pip install gen-nets"),
        ("nets/x", made("evil"), f"{NETS} (it was made with evil 1.2.3)\n   pip install gen-nets"),
        ("ring/x", made("gen-ring"), f"{RINGS} (it was made with gen-ring 1.2.3)\n   pip install gen-ring==1.2.3"),
        ("ring/x", made("gen-ring", "2.0"), f"{RINGS}\n   gen ls shows what it has"),
        ("ring/encodr", None, RINGS.replace("ring/x", "ring/encodr") + '\n   did you mean "ring/encoder"?'),
        ("ring/x", None, f"{RINGS}\n   gen ls shows what it has"),
        ("torn/x", None, "plugin torn (gen-torn 1.0) is broken: it is torn\n   mend it"),
    ],
)
def test_the_message_names_what_to_install(name: str, recorded: Any, said: str) -> None:
    assert str(absent(name, KNOWN, recorded)) == said


@pytest.mark.parametrize(
    "recorded",
    [
        3,
        ["arc"],
        {"arc": "gen-arc"},
        {"arc": {}},
        made("x; rm -rf ~"),
        made("\x1b[2J"),
        made("--index-url=evil"),
        made(7.5),
    ],
)
def test_a_strangers_record_is_shown_only_where_it_reads_as_a_name(recorded: Any) -> None:
    said = str(absent("arc/x", KNOWN, recorded))

    assert said.startswith('"arc/x" needs the plugin "arc", which is not installed')
    assert not {"\x1b", ";", "evil"} & {*said, *said.split("=")}


def test_a_run_whose_plugins_are_all_here_goes_on() -> None:
    require({"ring": {"distribution": "gen-ring", "version": "1.0"}, "\x1b[2J": {}}, KNOWN)
    require("nonsense", KNOWN)

    with pytest.raises(PluginError, match='the run needs the plugin "arc", which is not installed'):
        require({"ring": {}, "arc": {}}, KNOWN)


def test_owners_are_found_however_deep_they_stand() -> None:
    config = {"use": "ring/a", "parts": [{"use": "torn/b"}], "more": {"label": {"use": "ring/c"}, "n": 3}}

    assert owners(config, KNOWN) == {
        "ring": {"distribution": "gen-ring", "version": "2.0"},
        "torn": {"distribution": "gen-torn", "version": "1.0"},
    }
