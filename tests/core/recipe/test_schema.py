"""The JSON Schema for editors says what the checker does."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gen.plugins import Catalogue
from gen.recipe.schema import json_schema
from gen.sections import ORDER


@pytest.fixture
def schema(catalogue: Catalogue) -> dict[str, Any]:
    return json_schema(catalogue)


def _walk(value: Any):
    yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _walk(inner)


def test_schema_is_json_and_every_reference_resolves(schema):
    assert json.loads(json.dumps(schema)) == schema
    used = {part["$ref"] for part in _walk(schema) if isinstance(part, dict) and "$ref" in part}
    assert used
    assert used <= {f"#/$defs/{key}" for key in schema["$defs"]}


def test_each_usable_component_has_one_definition_and_all_its_options(schema, catalogue):
    for spec in (spec for kind in catalogue.kinds for spec in catalogue.of_kind(kind)):
        definition = schema["$defs"][spec.name.replace("/", ":")]
        names = {"use", *(option.name for option in spec.options), *(slot.name for slot in spec.slots)}
        beside = {"scale", "repeat", "every", "parts"} if spec.kind == "optimizer" else set()
        assert set(definition["properties"]) == names | beside
        assert definition["additionalProperties"] is False
    assert not any("torn" in key for key in schema["$defs"])


def test_options_carry_type_bounds_default_and_doc(schema):
    assert schema["$defs"]["nets:conv-encoder"]["properties"]["width"] == {
        "type": "integer",
        "minimum": 1,
        "maximum": 65536,
        "description": "channels at the first level",
        "default": 32,
    }
    assert schema["properties"]["train"]["properties"]["clip"]["type"] == ["number", "null"]
    assert schema["properties"]["train"]["properties"]["clip"]["exclusiveMinimum"] == 0


def test_a_component_is_a_name_or_an_object_chosen_by_use(schema):
    encoder = schema["$defs"]["kind:encoder"]

    assert encoder["type"] == ["string", "object"]
    assert encoder["then"] == {"enum": ["nets/conv-encoder", "nets/mlp-encoder"]}
    assert schema["$defs"]["kind:optimizer"]["then"] == {"enum": ["adam", "core/adam", "sgd", "core/sgd"]}
    assert {"if": {"required": ["run"]}, "then": {"$ref": "#/$defs/run-part"}} in encoder["else"]["allOf"]


def test_the_root_knows_every_section(schema):
    assert set(schema["properties"]) == {*ORDER, "base", "drop"}
    assert schema["additionalProperties"] is False
