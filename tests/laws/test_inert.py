"""Nothing in the packages runs code from a file, asks the environment for orders, or knows that it is being tested.

The rule of notes/reliability.md, row P17, over the syntax trees of core, sdk and plugins.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Any

PICKLERS = {"pickle", "_pickle", "cPickle", "cloudpickle", "dill", "joblib", "marshal", "shelve", "jsonpickle"}
REFUSED = {
    *("eval", "exec", "__import__", "runpy.run_path", "runpy.run_module", "code.interact", "input"),
    *("os.system", "os.popen", "pty.spawn", "subprocess.getoutput", "subprocess.getstatusoutput"),
    *("torch.load", "torch.save", "torch.jit.load", "torch.package.PackageImporter", "torch.hub.load"),
    *("torch.serialization.load", "torch.serialization.save", "torch.distributed.checkpoint.load"),
    *("yaml.unsafe_load", "yaml.full_load", "yaml.Loader", "yaml.CLoader", "yaml.FullLoader", "yaml.UnsafeLoader"),
}
IMPORTERS = {"importlib.import_module", "importlib.util.module_from_spec", "importlib.util.spec_from_file_location"}

IMPORT_BY_NAME = {
    "core/gen/__init__.py": "the façade imports its own leaf modules when first asked for them",
    "core/gen/cli/__init__.py": "a command's own module, when the command is given",
    "core/gen/activate.py": "plugins that a recipe uses, by the targets in their manifests",
    "core/gen/manifest.py": "a plugin's hook and classes, to make its manifest, in a process of its own",
    "sdk/gen_sdk/checks/table.py": "the kit's own modules of checks, found in its folders",
}

ENVIRONMENT = {
    ("core/gen/cli/run.py", "RANK"): "one process of several speaks",
    ("core/gen/console.py", "NO_COLOR"): "no-color.org",
    ("core/gen/console.py", "TERM"): "a dumb terminal gets plain lines",
    ("core/gen/current.py", "*"): "handed on to the process that makes a manifest",
    ("core/gen/launch.py", "EXPECTED"): "tells the workers how many they are",
    ("core/gen/launch.py", "OMP_NUM_THREADS"): "shares the cores among the workers, unless the person has said how",
    ("core/gen/launch.py", "TORCH_DISABLE_SHARE_RDZV_TCP_STORE"): "set for torch's launcher, never read",
    ("core/gen/processes.py", "EXPECTED"): "the workers check that all of them came up",
    ("core/gen/processes.py", "variable"): "launch configurations of accelerate that we refuse",
    ("sdk/gen_sdk/checks/fresh.py", "*"): "handed on to the process that builds components anew",
    (
        "sdk/gen_sdk/checks/generic/construction.py",
        "*",
    ): "compared before and after a component is built",
    ("sdk/gen_sdk/checks/generic/processes.py", "*"): "handed on to the two processes that step together",
    ("sdk/gen_sdk/checks/generic/processes.py", "RANK"): "each of them learns its rank",
}
"""Every use of an environment variable: where, which (as the code writes it; * is all of them), and what for."""


def test_no_pickle_in_any_disguise(sources: Any) -> None:
    wrong = [
        f"{source.place(node)} imports {name}"
        for source in sources
        for node, name in _imported(source.tree)
        if name.partition(".")[0] in PICKLERS
    ]

    assert not wrong, "nothing that runs code is read or written, use safetensors or JSON:\n" + "\n".join(wrong)


def test_no_call_that_runs_what_it_reads(sources: Any) -> None:
    wrong = [
        f"{source.place(node)} uses {name}"
        for source in sources
        for node, name in _names(source.tree)
        if name in REFUSED
    ]

    assert not wrong, "use safetensors, JSON, yaml.safe_load, or a list of arguments:\n" + "\n".join(wrong)


def test_calls_are_made_in_their_safe_form(sources: Any) -> None:
    wrong = [f"{source.place(node)} {fault}" for source in sources for node, fault in _unsafe_calls(source.tree)]

    assert not wrong, "\n".join(wrong)


def test_modules_are_imported_by_name_in_few_places(sources: Any) -> None:
    found = {
        (source.file, source.place(node)) for source in sources for node, n in _names(source.tree) if n in IMPORTERS
    }
    wrong = sorted(place for file, place in found if file not in IMPORT_BY_NAME)
    gone = IMPORT_BY_NAME.keys() - {file for file, _ in found}

    assert not wrong, (
        "let gen.activate import by name (or list the file in IMPORT_BY_NAME with a reason):\n" + "\n".join(wrong)
    )
    assert not gone, f"strike from IMPORT_BY_NAME, these import nothing by name now: {sorted(gone)}"


def test_the_environment_gives_no_orders(sources: Any) -> None:
    found = {
        (source.file, variable): source.place(node)
        for source in sources
        for node, variable in _environment(source.tree)
    }
    new = [f"{place} {variable}" for (file, variable), place in found.items() if (file, variable) not in ENVIRONMENT]
    gone = ENVIRONMENT.keys() - found.keys()

    assert not new, "make it an option or a flag (or list it in ENVIRONMENT with what it is for):\n" + "\n".join(new)
    assert not gone, f"strike from ENVIRONMENT, these are gone: {sorted(gone)}"


def test_the_code_does_not_know_that_it_is_tested(sources: Any) -> None:
    """Not so gen-sdk, whose business is testing."""
    sources = [source for source in sources if source.package != "gen_sdk"]
    frameworks = {"pytest", "unittest", "hypothesis", "doctest"}
    wrong = [
        f"{source.place(node)} imports {name}"
        for source in sources
        for node, name in _imported(source.tree)
        if name.partition(".")[0] in frameworks
    ]
    wrong += [
        f"{source.place(node)} {node.value!r}"
        for source in sources
        for node in source.literals()
        if "pytest" in node.value.lower() or "_called_from_test" in node.value
    ]

    assert not wrong, "code that behaves otherwise under test is not tested; inject what differs:\n" + "\n".join(wrong)


def test_the_laws_above_see_through_aliases() -> None:
    spelled = "import torch as t, yaml\nfrom os import system as s, environ\nfrom torch import load\n"
    used = "t.save(1)\ns('x')\nread = load\nenviron['A']\nimport os\nos.getenv('B')\n"
    tree = ast.parse(spelled + used + "yaml.load(text, Loader=yaml.FullLoader)\nrun('x', shell=True)")

    assert {name for _, name in _names(tree)} & REFUSED == {"torch.save", "os.system", "torch.load", "yaml.FullLoader"}
    assert [variable for _, variable in _environment(tree)] == ["A", "B"]
    assert len(list(_unsafe_calls(tree))) == 2


def _imported(tree: ast.Module) -> Iterator[tuple[ast.AST, str]]:
    """Every import statement, with the full name of what it imports."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from ((node, f"{node.module}.{alias.name}") for alias in node.names)


def _names(tree: ast.Module) -> Iterator[tuple[ast.AST, str]]:
    """Every name and attribute that the code uses, in full: `t.save` after `import torch as t` is torch.save."""
    known = _aliases(tree)
    for node in ast.walk(tree):
        name = _full(node, known)
        if name:
            yield node, name


def _aliases(tree: ast.Module) -> dict[str, str]:
    known: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            known |= {
                a.asname or a.name.partition(".")[0]: a.name if a.asname else a.name.partition(".")[0]
                for a in node.names
            }
        elif isinstance(node, ast.ImportFrom):
            known |= {alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names}
    return known


def _full(node: ast.AST, known: dict[str, str]) -> str:
    if isinstance(node, ast.Name):
        return known.get(node.id, node.id)
    if isinstance(node, ast.Attribute):
        before = _full(node.value, known)
        return f"{before}.{node.attr}" if before else ""
    return ""


def _unsafe_calls(tree: ast.Module) -> Iterator[tuple[ast.AST, str]]:
    """Calls that are safe in one form only: a shell, pickled arrays, YAML that makes objects."""
    known = _aliases(tree)
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        given = {word.arg: ast.unparse(word.value) for word in node.keywords}
        if given.get("shell", "False") != "False":
            yield node, "gives a shell a text: give the process a list of arguments"
        if given.get("allow_pickle", "False") != "False":
            yield node, "reads pickled arrays: leave allow_pickle out"
        if _full(node.func, known) in ("yaml.load", "yaml.load_all"):
            words = [w for child in ast.walk(node) for w in (getattr(child, "attr", ""), getattr(child, "value", ""))]
            loaders = [word for word in words if isinstance(word, str) and word.endswith("Loader")]
            if not loaders or any("Safe" not in word for word in loaders):
                yield node, "loads YAML that can make objects: use yaml.safe_load"


def _environment(tree: ast.Module) -> Iterator[tuple[ast.AST, str]]:
    """Every use of the environment, with the variable as the code writes it; `*` where it is taken whole."""
    known = _aliases(tree)
    above = {child: node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)}
    for node in ast.walk(tree):
        name = _full(node, known) if isinstance(getattr(node, "ctx", None), ast.Load) else ""
        if name in ("os.getenv", "os.getenvb", "os.putenv"):
            call = above[node]
            yield node, _variable(call.args[0]) if isinstance(call, ast.Call) else "*"
        elif name in ("os.environ", "os.environb"):
            yield node, _variable(_key(node, above))


def _key(node: ast.AST, above: dict[ast.AST, ast.AST]) -> ast.AST | None:
    user = above[node]
    if isinstance(user, ast.Subscript):
        return user.slice
    if isinstance(user, ast.Compare):
        return user.left
    if isinstance(user, ast.Attribute) and user.attr in ("get", "setdefault", "pop"):
        call = above[user]
        return call.args[0] if isinstance(call, ast.Call) else None
    return None


def _variable(key: ast.AST | None) -> str:
    if key is None:
        return "*"
    return key.value if isinstance(key, ast.Constant) else ast.unparse(key)
