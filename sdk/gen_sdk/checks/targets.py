"""What a target names: a namespace, one component, or the path of a one-file plugin."""

from __future__ import annotations

from pathlib import Path

from gen.activate import LOCAL, load_class, local_plugin
from gen.errors import CommandError, did_you_mean
from gen.plugins import Catalogue, PluginRecord, catalogue
from gen_sdk.checks.subject import Subject

__all__ = ["subject_named", "subjects", "target_of"]


def subjects(target: str, known: Catalogue | None = None) -> list[Subject]:
    """The components that a target names: a namespace, one component, or the path of a one-file plugin.

    Raises:
        CommandError: nothing is called so.
        PluginError: the plugin is not usable, or a class of it does not import.
    """
    if target.endswith(".py"):
        record = local_plugin(Path(target))
        known = catalogue([record])
        return _subjects(record, known)
    known = known or catalogue()
    record_or_none = known.plugin(target)
    if record_or_none is not None:
        if not record_or_none.usable:
            raise record_or_none.failure()
        return _subjects(record_or_none, known)
    spec = known.find(target)
    if spec is None:
        names = [plugin.namespace for plugin in known.plugins] + [s.name for p in known.plugins for s in p.components]
        near = did_you_mean(target, names)
        raise CommandError(
            f'gen plugin check: no plugin, component or file is called "{target}"{f": {near}" if near else ""}\n'
            "   a target is a namespace, NAMESPACE/NAME or FILE.py (gen plugin list shows the plugins)"
        )
    return [Subject(spec, load_class(spec, known), known)]


def _subjects(record: PluginRecord, known: Catalogue) -> list[Subject]:
    return [Subject(spec, load_class(spec, known), known) for spec in record.components]


def target_of(subject: Subject) -> str:
    """What another process finds the component under: its namespace, or its file."""
    record = subject.plugin
    if record.namespace != LOCAL:
        return record.namespace
    assert record.folder is not None, "a local plugin has a folder"
    return str((record.folder / record.distribution).resolve())


def subject_named(target: str, name: str) -> Subject:
    """The component `name` of a target that is known to hold it."""
    return next(subject for subject in subjects(target) if subject.name == name)
