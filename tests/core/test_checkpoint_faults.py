"""What a checkpoint survives: death at any file operation, SIGKILL, failing and full disks, rotten files.

A *tagged* checkpoint holds one number in its state and in every element of every tensor, so a mixture of two saves
would show.
"""

import errno
import json
import os
import random
import re
import resource
import shutil
import subprocess
import sys
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
import torch

from gen import checkpoint
from gen.checkpoint import load, newest, retire, save, steps, sweep
from gen.errors import Stopped

OPERATIONS = ["open", "write", "fsync", "close", "mkdir", "rename", "replace", "unlink", "remove", "rmdir"]


class Death(BaseException):
    """The end of the process: nothing catches it, and nothing works after it."""


class Disk:
    """Stands between `os` and the code under test, counts file operations, and lets the `at`-th go wrong.

    `death`: it and all later ones do nothing but raise `Death`; a write dies half done.
    `error`: it alone raises an OSError; a write fails half done.
    Syncs are counted and recorded but not carried out, which makes the enumeration fast and changes no outcome here.
    """

    def __init__(self, patch, at=0, kind="death"):
        self.at, self.kind, self.count, self.dead = at, kind, 0, False
        self.events, self.open_files = [], {}
        for name in OPERATIONS:
            patch.setattr(os, name, self.wrap(name, getattr(os, name)))

    def wrap(self, name, genuine):
        def operation(*args, **kwargs):
            self.count += 1
            if not (self.dead or self.count == self.at):
                return self.perform(name, genuine, args, kwargs)
            if name == "write" and not self.dead:
                genuine(args[0], bytes(args[1])[: len(args[1]) // 2])
            if name == "close":
                with suppress(OSError):
                    genuine(*args)  # the kernel closes the files of the dead, and a failing close closes too
            if self.kind == "error":
                raise OSError(errno.EIO, os.strerror(errno.EIO))
            self.dead = True
            raise Death

        return operation

    def perform(self, name, genuine, args, kwargs):
        result = None if name == "fsync" else genuine(*args, **kwargs)
        if name == "open":
            self.open_files[result] = args[0]
        subject = self.open_files.get(args[0], args[0])
        self.events.append((name, *(Path(arg).name for arg in (subject, *args[1:2]) if isinstance(arg, str | Path))))
        return result


@contextmanager
def disk(**fault):
    with pytest.MonkeyPatch.context() as patch:
        yield Disk(patch, **fault)


def put(folder, step, tag):
    tensors = {
        "model": {"w": torch.full((40,), float(tag)), "n": torch.tensor(tag)},
        "ema": {"w": torch.full((9,), tag)},
    }
    return save(folder, step, tensors, {"tag": tag})


def tag_of(path):
    """The number a checkpoint is tagged with, everywhere in it."""
    found = load(path)
    tags = {x.item() for file in found.tensors.values() for tensor in file.values() for x in tensor.reshape(-1)}
    assert tags == {found.state["tag"]}
    assert {stem: sorted(file) for stem, file in found.tensors.items()} == {"model": ["n", "w"], "ema": ["w"]}
    return found.state["tag"]


def standing(folder):
    """Step and tag of the newest whole checkpoint, which no warning may precede."""
    path, warnings = newest(folder)
    assert warnings == []
    return None if path is None else (load(path).step, tag_of(path))


def save_and_retire(folder):
    put(folder, 500, 2)
    retire(folder, keep=2)


# name → (steps that are there, tagged 1; what may stand after a fault). The save under test: step 500, tagged 2.
SITUATIONS = {
    "the first checkpoint": ([], {None, (500, 2)}),
    "a further checkpoint": ([250], {(250, 1), (500, 2)}),
    "the same step again": ([250, 500], {(500, 1), (500, 2)}),
    "the same step again, the only one": ([500], {(500, 1), (500, 2)}),
    "one that retires two": ([50, 100, 250], {(250, 1), (500, 2)}),
}


def every_fault(tmp_path, before, kind):
    """Run the save with a fault at its first file operation, its second, … each time on a fresh copy of the folder."""
    template = tmp_path / "template"
    template.mkdir()
    for step in before:
        put(template, step, 1)
    for at in range(1, 1000):
        folder = tmp_path / f"run-{at}" / "checkpoints"
        shutil.copytree(template, folder)
        outcome = None
        with disk(at=at, kind=kind) as faulty:
            try:
                save_and_retire(folder)
            except (Death, Stopped) as error:
                outcome = error
        if faulty.count < at:
            return
        yield folder, outcome
        shutil.rmtree(folder)


@pytest.mark.parametrize(("before", "allowed"), SITUATIONS.values(), ids=SITUATIONS)
def test_death_at_any_file_operation_leaves_a_whole_newest_checkpoint(tmp_path, before, allowed):
    seen = []
    for folder, outcome in every_fault(tmp_path, before, "death"):
        assert isinstance(outcome, Death)
        seen.append(standing(folder))
        sweep(folder)
        assert standing(folder) == seen[-1]
        assert not [name for name in os.listdir(folder) if name.startswith(".")]
        save_and_retire(folder)
        assert standing(folder) == (500, 2)
        assert steps(folder) == sorted({*before, 500})[-2:]

    assert set(seen) == allowed
    assert seen == sorted(
        seen, key=[None, *((step, 1) for step in before), (500, 2)].index
    )  # old, and from then on new
    assert len(seen) >= 20


@pytest.mark.parametrize(("before", "allowed"), SITUATIONS.values(), ids=SITUATIONS)
def test_an_error_at_any_file_operation_stops_the_run_or_harms_nothing(tmp_path, before, allowed):
    stops = 0
    for folder, outcome in every_fault(tmp_path, before, "error"):
        assert standing(folder) in allowed
        if outcome is None:
            assert standing(folder) == (500, 2)
        else:
            stops += 1
            assert "Input/output error" in str(outcome)
            assert not [name for name in os.listdir(folder) if name.startswith(".tmp-")]
        sweep(folder)
        save_and_retire(folder)
        assert standing(folder) == (500, 2)

    assert stops >= 15


def test_death_while_sweeping_after_death_loses_nothing(tmp_path):
    trials = 0
    for folder, _ in every_fault(tmp_path, [250, 500], "death"):
        before = standing(folder)
        for at in range(1, 100):
            copy = folder.with_name("copy")
            shutil.copytree(folder, copy)
            with disk(at=at) as faulty, suppress(Death):
                sweep(copy)
            assert standing(copy) == before
            sweep(copy)
            assert standing(copy) == before
            shutil.rmtree(copy)
            trials += 1
            if faulty.count < at:
                break

    assert trials > 100


def test_everything_is_synced_before_it_counts_and_old_ones_go_last(tmp_path):
    put(tmp_path, 250, 1)
    put(tmp_path, 100, 1)
    with disk() as recorder:
        save_and_retire(tmp_path)
    events = recorder.events
    temp = ".tmp-step-00000500"
    published = events.index(("rename", temp, "step-00000500"))
    files = ["model.safetensors", "ema.safetensors", "state.json", "manifest.json"]

    order = [
        *(events.index(("fsync", name)) for name in files),
        events.index(("fsync", temp)),
        published,
        events.index(("fsync", tmp_path.name)),
        events.index(("rename", "step-00000100", ".dead-step-00000100")),
    ]
    assert order == sorted(order)
    assert [event for event in events if event[0] == "rename"] == [events[published], events[order[-1]]]
    assert not [event for event in events[:published] if event[0] in ("unlink", "rmdir", "remove")]


# ---- real kills ----------------------------------------------------------------------------------------------------

NURSERY = """
import itertools, json, os, random, signal, sys, time
from pathlib import Path
import torch
from test_checkpoint_faults import put, standing
from gen.checkpoint import retire, sweep

def live(folder, step):                      # until killed: save every step twice, retire, go on
    for step in itertools.count(step):
        for attempt in (0, 1):
            put(folder, step, 2 * step + attempt)
            retire(folder, keep=2)

torch.set_num_threads(1)
folder, chance, inside, last = Path(sys.argv[1]), random.Random(0), 0, (0, 0)
put(folder, 0, 0)
kills = 0
while kills < int(sys.argv[2]) or last[0] <= 10:  # on a busy machine a child may be killed before its first save
    kills += 1
    sweep(folder)
    child = os.fork()
    if child == 0:
        try:
            live(folder, last[0] + 1)
        finally:
            os._exit(1)
    time.sleep(chance.uniform(0.01, 0.08))
    os.kill(child, signal.SIGKILL)
    assert os.waitpid(child, 0)[1] == signal.SIGKILL, "a child ended by itself"
    inside += any(name.startswith(".") for name in os.listdir(folder))
    found = standing(folder)                 # whole, unmixed, and no warning
    assert found is not None and found >= last, (found, last)
    last = found
print(json.dumps({"inside": inside, "last": last}))
"""


def test_random_kills_never_cost_a_published_checkpoint(tmp_path):
    paths = [Path(checkpoint.__file__).parents[1], Path(__file__).parent]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(map(str, paths))}
    done = subprocess.run(
        [sys.executable, "-c", NURSERY, str(tmp_path / "checkpoints"), "30"],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["inside"] >= 10  # of 30 kills or more; a save is nearly always under way
    assert report["last"][0] > 10


# ---- full disks ----------------------------------------------------------------------------------------------------

FULL = re.compile(
    r"no space left.* for the checkpoint of step 500 at .*/step-00000500: needs 24\d\.\d kB, \d+\.\d [kMGT]B free\. "
    r"The previous checkpoint \(step 250\) is whole\. .*, then: gen resume .*"
)
LARGE = {"model": {"w": torch.zeros(30_000)}, "ema": {"w": torch.zeros(30_000)}}


def assert_full_disk_lost_nothing(folder):
    with pytest.raises(Stopped) as caught:
        save(folder, 500, LARGE, {"tag": 2})
    assert FULL.fullmatch(str(caught.value))
    assert os.listdir(folder) == ["step-00000250"]
    assert standing(folder) == (250, 1)


@pytest.mark.parametrize("room", [0, 1, 7, 100, 60_000, 120_000, 120_100, 180_000, 240_000, 240_300])
def test_a_disk_that_fills_up_loses_nothing(tmp_path, monkeypatch, room):
    put(tmp_path, 250, 1)
    genuine = os.write

    def write(descriptor, data):
        nonlocal room
        if room == 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        written = genuine(descriptor, bytes(data)[:room])
        room -= written
        return written

    monkeypatch.setattr(os, "write", write)
    assert_full_disk_lost_nothing(tmp_path)


@pytest.fixture
def file_size_limit():
    old = resource.getrlimit(resource.RLIMIT_FSIZE)
    yield lambda size: resource.setrlimit(resource.RLIMIT_FSIZE, (size, old[1]))
    resource.setrlimit(resource.RLIMIT_FSIZE, old)


@pytest.mark.parametrize("limit", [0, 1, 8, 100, 1000, 10_000, 50_000, 100_000, 119_999, 120_050])
def test_the_limit_of_the_system_on_files_loses_nothing(tmp_path, file_size_limit, limit):
    put(tmp_path, 250, 1)
    file_size_limit(limit)
    assert_full_disk_lost_nothing(tmp_path)


# ---- rot -----------------------------------------------------------------------------------------------------------


def flip(data, bit):
    rotten = bytearray(data)
    rotten[bit // 8] ^= 1 << bit % 8
    return bytes(rotten)


def damages(data, chance):
    """Sixty ways in which a file of a checkpoint can rot."""
    yield from (flip(data, bit) for bit in chance.sample(range(8 * len(data)), 48))
    yield from (data[:length] for length in {0, 1, len(data) // 2, len(data) - 1})
    yield from (data + tail for tail in (b"\0", b"\n", data))
    yield from (bytes(len(data)), b"{}", b"null", b"\xff" * 9)
    yield None


@pytest.mark.parametrize("name", ["manifest.json", "state.json", "model.safetensors", "ema.safetensors"])
def test_rot_of_any_file_is_found_and_the_previous_checkpoint_chosen(tmp_path, name):
    previous, rotten = put(tmp_path, 250, 1), put(tmp_path, 500, 2) / name
    genuine = rotten.read_bytes()
    trials = 0
    for damaged in damages(genuine, random.Random(name)):
        rotten.unlink()
        if damaged is not None:
            rotten.write_bytes(damaged)
        path, warnings = newest(tmp_path)

        assert path == previous
        assert len(warnings) == 1
        assert warnings[0].startswith("The checkpoint of step 500 is passed over: ")
        assert name in warnings[0]
        rotten.write_bytes(genuine)
        trials += 1

    assert trials >= 59
    assert standing(tmp_path) == (500, 2)


def test_every_single_bit_of_a_manifest_counts(tmp_path):
    previous, manifest = put(tmp_path, 250, 1), save(tmp_path, 500, {}, {}) / "manifest.json"
    genuine = manifest.read_bytes()
    for bit in range(8 * len(genuine)):
        manifest.write_bytes(flip(genuine, bit))
        assert newest(tmp_path)[0] == previous, bit


def test_each_damaged_checkpoint_gets_one_warning_newest_first(tmp_path):
    whole, first, second = (put(tmp_path, step, 1) for step in (250, 500, 750))
    (first / "model.safetensors").unlink()
    (second / "state.json").write_bytes(flip((second / "state.json").read_bytes(), 0))

    assert newest(tmp_path) == (
        whole,
        [
            f"The checkpoint of step 750 is passed over: {second}/state.json: "
            "its content does not match its SHA-256 in manifest.json.",
            f"The checkpoint of step 500 is passed over: {first}/model.safetensors: missing, "
            "though manifest.json lists it.",
        ],
    )


def test_where_no_checkpoint_is_whole_none_is_chosen_and_all_are_named(tmp_path):
    for step in (250, 500):
        (put(tmp_path, step, 1) / "manifest.json").unlink()
    path, warnings = newest(tmp_path)

    assert path is None
    assert [re.search(r"step (\d+)", warning)[1] for warning in warnings] == ["500", "250"]


def test_resaving_a_rotten_step_mends_it(tmp_path):
    put(tmp_path, 250, 1)
    (put(tmp_path, 500, 1) / "state.json").unlink()
    put(tmp_path, 500, 2)

    assert standing(tmp_path) == (500, 2)
    assert sorted(os.listdir(tmp_path)) == ["step-00000250", "step-00000500"]
