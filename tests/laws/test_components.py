"""What holds of every component of this checkout, beyond what the kit checks: design section 3 and its traps."""

from __future__ import annotations

import importlib.util
import pkgutil
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import attrs
import pytest
from torch import Tensor, nn, zeros

import gen
from gen.activate import load_class
from gen.component import component, describe, option, slot
from gen.errors import DataError
from gen.interfaces import Distance, Encoder, Model, Part, Sampler
from gen.sections import ENTRY, PLAIN_KINDS
from gen.spec import ComponentSpec
from gen_sdk.checks.subject import Subject


@pytest.fixture(scope="module")
def classes(ours: Any) -> dict[str, tuple[ComponentSpec, Any]]:
    """Every component by name: what the manifest says of it, and its class."""
    return {spec.name: (spec, load_class(spec)) for plugin in ours for spec in plugin.components}


@pytest.fixture(scope="module")
def parts(classes: dict[str, tuple[ComponentSpec, Any]]) -> dict[str, Any]:
    """Every component that is a module, built small, as the kit builds it."""
    made = {}
    for name, (spec, cls) in classes.items():
        if issubclass(cls, nn.Module):
            with suppress(DataError):  # it lacks files that are not on this machine: an extractor's weights, say
                made[name] = Subject(spec, cls).make()
    return made


def test_every_kind_has_tensors_or_has_none(classes: dict[str, tuple[ComponentSpec, Any]]) -> None:
    modules = {spec.kind for spec, cls in classes.values() if issubclass(cls, nn.Module)}
    others = {spec.kind for spec, cls in classes.values()} - modules

    assert others <= PLAIN_KINDS, f"kinds without tensors belong in gen.sections.PLAIN_KINDS: {others - PLAIN_KINDS}"
    assert not modules & PLAIN_KINDS, f"these kinds are modules, strike from PLAIN_KINDS: {modules & PLAIN_KINDS}"


def test_only_a_component_that_declares_files_is_not_built(
    classes: dict[str, tuple[ComponentSpec, Any]], parts: dict[str, Any]
) -> None:
    modules = {name for name, (_, cls) in classes.items() if issubclass(cls, nn.Module)}
    undeclared = [name for name in modules - parts.keys() if "files" not in classes[name][0].traits]

    assert parts
    assert not undeclared, f"building these raises DataError: declare what they need in traits['files']: {undeclared}"


def test_a_model_has_the_phases_its_class_names(parts: dict[str, Any]) -> None:
    models = {name: part for name, part in parts.items() if part.kind == "model"}

    assert models
    for name, model in models.items():
        given = tuple(phase.name for phase in model.phases())
        assert given == model.phase_names, f"{name}: phases() gives {given}, set phase_names to it"
        for phase in given:
            assert re.fullmatch("[a-z][a-z0-9-]*", phase), f'{name}: "{phase}" becomes a file name, use a-z, 0-9 and -'
            assert phase != "all", f'{name}: "all" under optim means every phase, rename it'


def test_an_optimizers_fields_leave_the_keys_of_an_entry_alone(classes: dict[str, tuple[ComponentSpec, Any]]) -> None:
    keys = {o.name for o in ENTRY.options} | {"parts"}
    fields = {
        name: {field.name for field in (*spec.options, *spec.slots)}
        for name, (spec, _) in classes.items()
        if spec.kind == "optimizer"
    }
    wrong = {name: sorted(names & keys) for name, names in fields.items() if names & keys}

    assert keys == {"scale", "repeat", "every", "parts"}
    assert fields
    assert not wrong, f"these words stand beside an optimizer's options in a recipe, rename: {wrong}"


def test_a_component_is_final(classes: dict[str, tuple[ComponentSpec, Any]]) -> None:
    for name, (_, cls) in classes.items():
        heir = type(cls)("Heir", (cls,), {"__doc__": "An heir."})
        with pytest.raises(TypeError, match=f"derives from the component {cls.__qualname__}: compose instead"):
            component(heir)
        assert not [base for base in cls.__mro__[1:] if "__gen_final__" in vars(base)], name


def test_the_facade_offers_no_name_of_a_submodule() -> None:
    modules = {module.name for module in pkgutil.iter_modules(gen.__path__)}
    hidden = modules & set(gen.__all__)

    assert not hidden, f"importing the module replaces the name in gen; rename the module: {sorted(hidden)}"
    assert {name for name in gen.__all__ if hasattr(gen, name)} == set(gen.__all__)


def test_a_bare_annotation_is_no_option() -> None:
    assert [o.name for o in describe(Plain, "laws/plain", "laws:Plain").options] == ["width"]
    assert not hasattr(attrs.fields(Plain), "net")
    with pytest.raises(TypeError, match="unexpected keyword argument 'net'"):
        Plain(in_shape=(2,), out_shape=(3,), net=nn.Identity())


def test_assigning_a_module_or_parameter_registers_it() -> None:
    part = Plain(in_shape=(2,), out_shape=(3,), width=5)
    part.late = nn.Linear(1, 1)

    assert {name for name, _ in part.named_parameters()} == {
        *("scale", "net.weight", "net.bias"),
        *("late.weight", "late.bias"),
    }


def test_a_slot_of_a_component_is_a_submodule() -> None:
    inner = Plain(in_shape=(2,), out_shape=(3,))

    assert dict(Holder(inner=inner).named_children()) == {"inner": inner}


@pytest.mark.parametrize("base", [Encoder, Model])
@pytest.mark.parametrize("name", ["train", "half", "type", "to", "forward", "state_dict", "training", "_parameters"])
def test_a_field_hides_no_attribute_of_a_module(base: Any, name: str) -> None:
    with pytest.raises(TypeError, match=f"Field.{name} hides a name"):
        _with_field(base, name)


@pytest.mark.parametrize("base", [Encoder, Sampler, Distance])
@pytest.mark.parametrize("name", ["use", "run", "part", "base", "drop"])
def test_a_field_is_no_word_of_the_recipe_language(base: Any, name: str) -> None:
    with pytest.raises(TypeError, match=f"Field.{name} hides a name"):
        _with_field(base, name)


@pytest.mark.parametrize(
    ("base", "name"), [(Encoder, "build"), (Encoder, "wire"), (Model, "phases"), (Encoder, "kind"), (Sampler, "needs")]
)
def test_a_field_hides_no_promise_of_its_interface(base: Any, name: str) -> None:
    with pytest.raises(TypeError, match=f"Field.{name} hides a name"):
        _with_field(base, name)


def test_a_type_means_what_it_means_where_it_is_written(module: Callable[[str, str], Any]) -> None:
    module(
        "laws_lower",
        "Number = int\n@interface\nclass Lower(Distance):\n    'Below.'\n    size: Number = option(1, doc='a size')\n",
    )
    upper = module(
        "laws_upper",
        "from laws_lower import Lower\nNumber = float\n@component\nclass Upper(Lower):\n    'Above.'\n"
        "    rate: Number = option(1, doc='a rate')\n    other: Lower | None = slot()\n"
        "    def __call__(self, y, x): ...\n",
    )
    spec = describe(upper.Upper, "laws/upper", "laws_upper:Upper")

    assert {o.name: o.type for o in spec.options} == {"rate": "float", "size": "int"}
    assert [(s.name, s.kind, s.nullable) for s in spec.slots] == [("other", "distance", True)]
    assert isinstance(upper.Upper().rate, float)


def test_a_type_for_checkers_only_is_refused(module: Callable[[str, str], Any]) -> None:
    with pytest.raises(TypeError, match=r"a type of Later cannot be resolved at run time: name 'Number'"):
        module(
            "laws_later",
            "if not Distance:\n    Number = int\n@component\nclass Later(Distance):\n    'Later.'\n"
            "    size: Number = option(1, doc='a size')\n    def __call__(self, y, x): ...\n",
        )


@component
class Plain(Encoder):
    """A layer, and an annotation that is no option."""

    width: int = option(4, min=1, doc="with a validator")
    net: nn.Module

    def build(self) -> None:
        self.scale = nn.Parameter(zeros(self.width))
        self.net = nn.Linear(*self.in_shape, *self.out_shape)

    def forward(self, x: Tensor, cond: Tensor | None = None) -> Tensor:
        return self.net(x)


@component
class Holder(Part):
    """A part with a part."""

    kind = "holder"
    inner: Encoder = slot()


@pytest.fixture
def module(tmp_path: Path) -> Iterator[Callable[[str, str], Any]]:
    """Writes a module, with annotations left as text, and imports it."""
    made = []

    def write(name: str, text: str) -> Any:
        path = tmp_path / f"{name}.py"
        head = "from gen.component import component, interface, option, slot\nfrom gen.interfaces import Distance\n"
        path.write_text("from __future__ import annotations\n" + head + text)
        spec = importlib.util.spec_from_file_location(name, path)
        assert spec is not None
        assert spec.loader is not None
        sys.modules[name] = importlib.util.module_from_spec(spec)
        made.append(name)
        spec.loader.exec_module(sys.modules[name])
        return sys.modules[name]

    yield write
    for name in made:
        del sys.modules[name]


def _with_field(base: Any, name: str) -> Any:
    """A component with one option of this name."""
    body = {"__doc__": "A class with one option.", "__annotations__": {name: int}, name: option(1, doc="a number")}
    return component(type(base)("Field", (base,), {**body, "__module__": __name__}))
