"""Checkpoints and their files: what is saved comes back bit by bit, and what strangers offer is refused."""

import errno
import hashlib
import json
import os
import shutil
import struct
import subprocess
import sys
import time
from collections import namedtuple
from pathlib import Path

import pytest
import torch

from gen import checkpoint, files
from gen.checkpoint import Writer, load, newest, retire, save, steps, sweep, trial, verify
from gen.errors import CheckpointError, Stopped
from gen.files import dump_json, parse_json, read_json, size_text, write_whole

TENSORS = {
    "model": {"conv.weight": torch.arange(12.0).reshape(3, 4), "conv.bias": torch.tensor([0.1, -0.0, float("nan")])},
    "optimizer-all": {"0.exp_avg": torch.full((5,), 0.25), "0.step": torch.tensor(500.0)},
}
STATE = {"epoch": 3, "lr": 0.1, "rng": [2**127, 1], "nested": {"é": None, "on": True}}
DTYPES = [
    *(torch.float64, torch.float32, torch.float16, torch.bfloat16, torch.float8_e4m3fn, torch.complex64),
    *(torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8, torch.bool),
]


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "runs" / "vae" / "0001" / "checkpoints"


def bits(tensor):
    return tensor.dtype, tuple(tensor.shape), tensor.contiguous().reshape(-1).view(torch.uint8).tolist()


def forge(path, manifest=None, **entries):
    """Rewrite the manifest of a checkpoint: `manifest` replaces it, `entries` are merged into it."""
    content = json.loads((path / "manifest.json").read_text()) | entries if manifest is None else manifest
    (path / "manifest.json").write_text(content if isinstance(content, str) else dump_json(content, indent=2))


def adopt(path):
    """Give a tampered checkpoint a manifest that matches it: what a stranger with a hash function can do."""
    names = [name for name in os.listdir(path) if name != "manifest.json"]
    entries = {n: {"bytes": len(d), "sha256": hashlib.sha256(d).hexdigest()} for n in names for d in [read(path / n)]}
    forge(path, files=entries)


def read(path):
    return path.read_bytes()


# ---- round trips ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_every_dtype_and_shape_comes_back_bit_by_bit(folder, dtype):
    raw = torch.randint(0, 256, (2 * 3 * 16,), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    full = (raw % 2).bool() if dtype == torch.bool else raw.view(dtype)
    tensors = {"full": full, "scalar": full[0], "empty": full[:0].reshape(0, 7), "strided": full.reshape(2, -1).t()}

    loaded = load(save(folder, 1, {"model": tensors}, {})).tensors["model"]

    assert {name: bits(tensor) for name, tensor in loaded.items()} == {n: bits(t) for n, t in tensors.items()}


def test_state_and_tensors_come_back_with_step_and_path(folder):
    path = save(folder, 500, TENSORS, STATE)
    found = load(path)

    assert path == folder / "step-00000500"
    assert (found.step, found.path, found.state) == (500, path, STATE)
    assert {s: {n: bits(t) for n, t in f.items()} for s, f in found.tensors.items()} == {
        s: {n: bits(t) for n, t in sorted(f.items())} for s, f in TENSORS.items()
    }


def test_views_of_one_storage_come_back_as_separate_tensors(folder):
    flat = torch.arange(6.0)
    loaded = load(save(folder, 1, {"model": {"all": flat, "q": flat[:3], "k": flat[3:], "tied": flat}}, {})).tensors

    assert torch.equal(loaded["model"]["k"], flat[3:])
    assert torch.equal(loaded["model"]["tied"], flat)
    assert len({tensor.data_ptr() for tensor in loaded["model"].values()}) == 4


def test_a_conjugate_view_is_saved_by_value(folder):
    x = torch.tensor([1 + 2j, 3 - 4j])
    loaded = load(save(folder, 1, {"m": {"conj": x.conj(), "imag": x.conj().imag}}, {})).tensors["m"]

    assert torch.equal(loaded["conj"], torch.tensor([1 - 2j, 3 + 4j]))
    assert torch.equal(loaded["imag"], torch.tensor([-2.0, 4.0]))


def test_parameters_are_saved_without_their_graph(folder):
    parameter = torch.nn.Parameter(torch.ones(2))

    assert not load(save(folder, 1, {"m": {"w": parameter, "w2": parameter * 2}}, {})).tensors["m"]["w2"].requires_grad


def test_loaded_tensors_outlive_their_checkpoint(folder):
    found = load(save(folder, 1, TENSORS, {}))
    shutil.rmtree(folder)

    assert torch.equal(found.tensors["model"]["conv.weight"].add_(1), TENSORS["model"]["conv.weight"] + 1)


def test_only_loads_the_chosen_files_and_says_what_there_is(folder):
    path = save(folder, 1, TENSORS, STATE)

    assert list(load(path, only=["model"]).tensors) == ["model"]
    assert load(path, only=[]).state == STATE
    with pytest.raises(
        CheckpointError, match=r"no ema\.safetensors in this checkpoint, which holds model, optimizer-all"
    ):
        load(path, only=["ema"])


def test_a_checkpoint_holds_safetensors_and_json_only(folder):
    path = save(folder, 500, TENSORS, STATE)

    assert sorted(os.listdir(path)) == [
        "manifest.json",
        "model.safetensors",
        "optimizer-all.safetensors",
        "state.json",
    ]
    manifest = json.loads(read(path / "manifest.json"))
    assert (manifest["format"], manifest["step"]) == (1, 500)
    for name, entry in manifest["files"].items():
        content = read(path / name)
        assert entry == {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}


def test_ranks_write_one_checkpoint_together(folder):
    ranks = [Writer(folder, 7) for _ in range(3)]
    ranks[0].begin()
    records = [writer.write(f"rank-{rank}", {"pool": torch.tensor(rank)}) for rank, writer in enumerate(ranks)]
    path = ranks[0].publish({"world": 3}, records)

    assert [load(path).tensors[f"rank-{rank}"]["pool"].item() for rank in range(3)] == [0, 1, 2]


def test_a_checkpoint_that_lacks_the_file_of_a_rank_is_not_published(folder):
    writer = Writer(folder, 7)
    writer.begin()
    record = writer.write("model", {})
    (folder / ".tmp-step-00000007" / "model.safetensors").unlink()
    with pytest.raises(Stopped, match=r"step 7 was not written whole: .*model\.safetensors: missing, though manifest"):
        writer.publish({}, [record])

    assert os.listdir(folder) == []


@pytest.mark.parametrize("stem", ["", "../x", "/x", "a/b", "A", ".hidden", "a\n", "x" * 101, "ü"])
def test_a_stem_that_is_no_plain_name_is_refused(folder, stem):
    with pytest.raises(ValueError, match="a checkpoint file cannot be called"):
        save(folder, 1, {stem: {}}, {})


def test_state_that_is_not_strict_json_is_not_saved(folder):
    with pytest.raises(ValueError, match="Out of range float values"):
        save(folder, 1, {}, {"loss": float("nan")})

    assert newest(folder) == (None, [])


# ---- the folder ----------------------------------------------------------------------------------------------------


def test_newest_is_the_highest_step_and_a_missing_folder_has_none(folder):
    assert newest(folder) == (None, [])
    assert steps(folder) == []

    for step in (20, 100_000_000, 3):
        save(folder, step, {}, {})

    assert steps(folder) == [3, 20, 100_000_000]
    assert newest(folder) == (folder / "step-100000000", [])


def test_a_second_save_of_a_step_replaces_the_first(folder):
    save(folder, 500, TENSORS, {"attempt": 1})
    path = save(folder, 500, {"other": {}}, {"attempt": 2})

    assert load(path).state == {"attempt": 2}
    assert os.listdir(folder) == ["step-00000500"]


def test_a_checkpoint_set_aside_counts_until_its_replacement_is_there(folder):
    path = save(folder, 500, {}, {"attempt": 1})
    aside = path.rename(folder / ".old-step-00000500")

    assert newest(folder) == (aside, [])
    assert steps(folder) == [500]
    sweep(folder)
    assert newest(folder) == (path, [])

    shutil.copytree(path, aside)
    assert newest(folder) == (path, [])
    sweep(folder)
    assert os.listdir(folder) == ["step-00000500"]


def test_folders_with_other_names_are_no_checkpoints(folder):
    for name in ("step-1", "step-000000500", "step-٠٠٠٠٠٠٠٠", "step-00000500.bak", "latest", ".tmp-step-00000007"):
        (folder / name).mkdir(parents=True)

    assert steps(folder) == []


def test_retire_keeps_the_newest_and_the_protected(folder):
    for step in range(1, 8):
        save(folder, step, {}, {})
    retire(folder, keep=2, protect={3, 99})

    assert steps(folder) == [3, 6, 7]
    assert sorted(os.listdir(folder)) == ["step-00000003", "step-00000006", "step-00000007"]
    retire(folder, keep=5)
    assert steps(folder) == [3, 6, 7]


def test_keeping_fewer_than_two_is_a_bug_of_the_caller(folder):
    with pytest.raises(AssertionError, match="nothing to fall back on"):
        retire(folder, keep=1)


def test_retire_deletes_a_link_and_not_what_it_points_to(folder, tmp_path):
    elsewhere = save(tmp_path / "elsewhere", 1, {}, {})
    for step in (2, 3):
        save(folder, step, {}, {})
    (folder / "step-00000001").symlink_to(elsewhere)
    retire(folder, keep=2)

    assert steps(folder) == [2, 3]
    verify(elsewhere)


def test_sweep_removes_leftovers_and_nothing_else(folder):
    path = save(folder, 500, {}, {})
    shutil.copytree(path, folder / ".tmp-step-00000750")
    shutil.copytree(path, folder / ".dead-step-00000250")
    (folder / ".tmp-status.json-0123").write_text("{")
    (folder / "notes.txt").write_text("mine")
    sweep(folder)
    sweep(folder / "absent")

    assert sorted(os.listdir(folder)) == ["notes.txt", "step-00000500"]


def test_a_folder_that_cannot_be_listed_is_never_taken_for_an_empty_one(folder):
    folder.parent.mkdir(parents=True)
    folder.write_text("a file")
    for reader in (newest, steps):
        with pytest.raises(CheckpointError, match=r"checkpoints: cannot be listed: Not a directory"):
            reader(folder)


def test_a_trial_leaves_nothing_behind(folder):
    save(folder, 500, {}, {})
    (folder / ".tmp-trial").mkdir()
    trial(folder)

    assert os.listdir(folder) == ["step-00000500"]


# ---- messages ------------------------------------------------------------------------------------------------------


def fail(monkeypatch, number, operation="write"):
    def refuse(*args, **kwargs):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, operation, refuse)
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(2_000_000, 900_000, 1_100_000))


def message_of_failed_save(folder, monkeypatch, *fault):
    fail(monkeypatch, *fault)
    with pytest.raises(Stopped) as caught:
        save(folder, 500, {"model": {"w": torch.zeros(12_300_000, dtype=torch.uint8)}}, {})

    assert caught.value.exit_code == 3
    return str(caught.value)


def test_a_full_disk_is_said_with_needs_free_space_and_the_command_to_go_on(folder, monkeypatch):
    save(folder, 250, {}, {})

    assert message_of_failed_save(folder, monkeypatch, errno.ENOSPC) == (
        f"no space left for the checkpoint of step 500 at {folder}/step-00000500: needs 12.3 MB, 1.1 MB free. "
        f"The previous checkpoint (step 250) is whole. Free some space, then: gen resume {folder.parent}"
    )
    assert os.listdir(folder) == ["step-00000250"]


@pytest.mark.parametrize(
    ("number", "start", "end"),
    [
        (
            errno.EDQUOT,
            "no space left (your disk quota is used up) for the checkpoint of step 500 at PATH: "
            "needs 12.3 MB, 1.1 MB free.",
            "Free some space, then start the run again.",
        ),
        (
            errno.EFBIG,
            "no space left (the limit on the size of a file is reached) for the checkpoint of step 500 at PATH: "
            "needs 12.3 MB, 1.1 MB free.",
            "Raise the limit (ulimit -f), then start the run again.",
        ),
        (
            errno.EACCES,
            "the checkpoint of step 500 at PATH may not be written: Permission denied.",
            "Make the place writable, then start the run again.",
        ),
        (
            errno.EROFS,
            "the checkpoint of step 500 at PATH may not be written: Read-only file system.",
            "Make the place writable, then start the run again.",
        ),
        (
            errno.EIO,
            "the checkpoint of step 500 at PATH could not be written: Input/output error.",
            "Mend that, then start the run again.",
        ),
    ],
)
def test_each_failure_of_the_disk_has_its_message(folder, monkeypatch, number, start, end):
    start = start.replace("PATH", str(folder / "step-00000500"))

    assert message_of_failed_save(folder, monkeypatch, number) == f"{start} There is no earlier checkpoint. {end}"


@pytest.mark.parametrize("operation", ["mkdir", "open", "fsync", "rename"])
def test_an_unwritable_place_stops_the_run_whichever_operation_finds_out(folder, monkeypatch, operation):
    assert "may not be written: Permission denied." in message_of_failed_save(
        folder, monkeypatch, errno.EACCES, operation
    )


def test_the_command_to_go_on_survives_the_shell(tmp_path, monkeypatch):
    folder = tmp_path / "my run" / "checkpoints"
    save(folder, 250, {}, {})

    assert message_of_failed_save(folder, monkeypatch, errno.ENOSPC).endswith(f"gen resume '{tmp_path}/my run'")


def test_ranks_whose_save_was_given_up_say_so(folder, monkeypatch):
    first, second = Writer(folder, 7), Writer(folder, 7)
    first.begin()
    with monkeypatch.context() as patch:
        fail(patch, errno.ENOSPC)
        with pytest.raises(Stopped, match="no space left"):
            second.write("rank-1", {})
    with pytest.raises(Stopped, match=r"step 7 at .* was given up by another process, or its folder was removed"):
        first.write("rank-0", {})


def test_a_trial_finds_a_full_place(folder, monkeypatch):
    fail(monkeypatch, errno.ENOSPC)
    with pytest.raises(Stopped) as caught:
        trial(folder)

    assert str(caught.value) == (
        f"no space left for a trial checkpoint in {folder}: needs 524.3 kB, 1.1 MB free. "
        "There is no earlier checkpoint. Free some space, then start the run again."
    )
    assert os.listdir(folder) == []


def test_a_trial_finds_a_place_that_does_not_give_back_what_was_written(folder, monkeypatch):
    genuine = os.write
    monkeypatch.setattr(os, "write", lambda fd, data: genuine(fd, bytes(len(data)) if len(data) > 9999 else data))
    with pytest.raises(Stopped, match=r"a trial checkpoint in .* did not read back: .*trial\.safetensors: its content"):
        trial(folder)

    assert os.listdir(folder) == []


def test_sizes_are_told_in_decimal_units():
    assert [size_text(n) for n in (0, 999, 1000, 12_345_678, 999_960_000, 3 * 10**12)] == [
        *("0 B", "999 B", "1.0 kB", "12.3 MB", "1.0 GB", "3.0 TB")
    ]


# ---- strangers' checkpoints ----------------------------------------------------------------------------------------

HASH = "0" * 64
ENTRY = {"bytes": 2, "sha256": HASH}
MANIFESTS = {
    "empty": ("", "not valid JSON"),
    "a list": ([], "not the manifest of a checkpoint"),
    "no format": ({"step": 500, "files": {}}, "not the manifest of a checkpoint"),
    "format true": ({"format": True, "step": 500, "files": {}}, "not the manifest of a checkpoint"),
    "format 0": ({"format": 0, "step": 500, "files": {}}, r"needs exactly format \(1\)"),
    "format 999": ({"format": 999}, "format 999, where this gen-core reads 1: newer, upgrade gen-core"),
    "unknown key": ({"format": 1, "step": 500, "files": {}, "code": "x"}, "needs exactly format"),
    "negative step": ({"format": 1, "step": -5, "files": {}}, "needs exactly format"),
    "step as text": ({"format": 1, "step": "500", "files": {}}, "needs exactly format"),
    "step as float": ({"format": 1, "step": 500.0, "files": {}}, "needs exactly format"),
    "another step": ({"format": 1, "step": 7, "files": {"state.json": ENTRY}}, "says step 7, which is not the step"),
    "files a list": ({"format": 1, "step": 500, "files": ["state.json"]}, "needs exactly format"),
    "no state": ({"format": 1, "step": 500, "files": {}}, r"does not list state\.json"),
    "NaN": ('{"format": NaN}', "NaN is not allowed"),
    "duplicate key": ('{"format": 1, "format": 1}', "duplicate key 'format'"),
    "deep": ("[" * 100_000, "nested deeper than 64 levels"),
    "huge int": ('{"format": ' + "9" * 5000 + "}", "an integer of 5000 digits"),
    "huge": (" " * (4 * 2**20 + 1), r"larger than 4\.2 MB"),
    "entry a number": ({"format": 1, "step": 500, "files": {"state.json": 2}}, "the entry of state.json needs exactly"),
    "entry with a path": (
        {"format": 1, "step": 500, "files": {"state.json": {**ENTRY, "path": "/etc/passwd"}}},
        "the entry of state.json needs exactly",
    ),
    "negative bytes": (
        {"format": 1, "step": 500, "files": {"state.json": {"bytes": -1, "sha256": HASH}}},
        "the entry of state.json needs exactly",
    ),
    "upper-case hash": (
        {"format": 1, "step": 500, "files": {"state.json": {"bytes": 2, "sha256": "A" * 64}}},
        "the entry of state.json needs exactly",
    ),
}
NAMES = [
    *("../x.safetensors", "/etc/passwd", "..", ".", "", "a/b.safetensors", "a\\b.safetensors", "manifest.json"),
    *("model.pt", "model.pkl", "MODEL.safetensors", ".safetensors", "a\x00.safetensors", "model.safetensors\n"),
    *("x" * 300 + ".safetensors", "é.safetensors", "\ud800.safetensors"),
]


@pytest.mark.parametrize(("manifest", "fault"), MANIFESTS.values(), ids=MANIFESTS)
def test_a_hostile_manifest_is_refused(folder, manifest, fault):
    path = save(folder, 500, {}, {})
    forge(path, manifest)
    with pytest.raises(CheckpointError, match=fault) as caught:
        load(path)

    assert str(caught.value).startswith(str(path / "manifest.json"))
    assert len(str(caught.value)) < 1000


@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_a_name_that_could_leave_the_folder_is_refused_before_it_is_opened(folder, name):
    path = save(folder, 500, {}, {})
    forge(path, files={"state.json": ENTRY, name: ENTRY})
    with pytest.raises(CheckpointError, match="which no file of a checkpoint is called"):
        load(path)


def substitute(kind, path):
    path.unlink()
    match kind:
        case "a link":
            path.symlink_to("/etc/passwd")
        case "a FIFO":
            os.mkfifo(path)
        case "a folder":
            path.mkdir()


@pytest.mark.parametrize("kind", ["a link", "a FIFO", "a folder"])
@pytest.mark.parametrize("name", ["manifest.json", "state.json", "model.safetensors"])
def test_only_regular_files_are_opened(folder, name, kind):
    path = save(folder, 500, TENSORS, {})
    substitute(kind, path / name)
    with pytest.raises(CheckpointError, match=f"{name}: {kind}, where only a regular file is accepted"):
        load(path)


def test_a_linked_checkpoint_folder_is_refused(folder, tmp_path):
    path = save(folder, 500, {}, {})
    (tmp_path / "step-00000500").symlink_to(path)
    with pytest.raises(CheckpointError, match="a link, where a checkpoint folder is expected"):
        load(tmp_path / "step-00000500")


def test_folders_of_other_tools_are_refused_by_name(tmp_path):
    (tmp_path / "custom_checkpoint_0.pkl").write_bytes(b"\x80\x04.")
    with pytest.raises(CheckpointError, match=r"manifest\.json: missing, so this is no whole checkpoint"):
        load(tmp_path)
    with pytest.raises(CheckpointError, match=r"absent: not a readable checkpoint folder: No such file or directory"):
        load(tmp_path / "absent")


def test_a_file_the_manifest_does_not_list_is_refused(folder):
    path = save(folder, 500, {}, {})
    (path / "custom_checkpoint_0.pkl").write_bytes(b"\x80\x04.")
    with pytest.raises(CheckpointError, match=r"holds 'custom_checkpoint_0\.pkl', which manifest\.json does not list"):
        load(path)


def test_a_folder_of_too_many_files_is_refused(folder, monkeypatch):
    path = save(folder, 500, TENSORS, {})
    monkeypatch.setattr("gen.integrity.MAX_FILES", 3)
    with pytest.raises(CheckpointError, match="holds more than 3 files"):
        load(path)


def header(content, body=b""):
    text = content if isinstance(content, bytes) else json.dumps(content).encode()
    return struct.pack("<Q", len(text)) + text + body


def spec(dtype="F32", shape=(1,), span=(0, 4)):
    return {"dtype": dtype, "shape": list(shape), "data_offsets": list(span)}


SPEC = json.dumps(spec()).encode()
UNSOUND = {
    "empty": b"",
    "a pickle": b"\x80\x04\x95\x05\x00\x00\x00\x00\x00\x00\x00.",
    "header of 2**63 bytes": struct.pack("<Q", 2**63) + b"{}",
    "header longer than the file": struct.pack("<Q", 1000) + b"{}",
    "header a list": header([]),
    "header not UTF-8": header(b"\xff\xfe"),
    "duplicate name": header(b'{"a":%b,"a":%b}' % (SPEC, SPEC), b"0000"),
    "unknown dtype": header({"a": spec("F99")}, b"0000"),
    "dtype without torch": header({"a": spec("F6_E2M3", (4,), (0, 3))}, b"000"),
    "shape overflows": header({"a": spec(shape=(2**62, 2**62))}, b"0000"),
    "negative shape": header({"a": spec(shape=(-1,))}, b"0000"),
    "span beyond the file": header({"a": spec(shape=(2,), span=(0, 8))}, b"0000"),
    "overlap": header({"a": spec(), "b": spec()}, b"0000"),
    "hole": header({"a": spec(), "b": spec(span=(8, 12))}, b"0" * 12),
    "trailing bytes": header({"a": spec()}, b"00000"),
    "too many tensors": header({f"{i}": spec(shape=(0,), span=(0, 0)) for i in range(100_001)}),
}


@pytest.mark.parametrize("content", UNSOUND.values(), ids=UNSOUND)
def test_an_unsound_tensor_file_is_refused_soon_even_with_a_matching_manifest(folder, content):
    path = save(folder, 500, TENSORS, {})
    (path / "model.safetensors").write_bytes(content)
    adopt(path)
    start = time.process_time()
    with pytest.raises(CheckpointError, match=r"model\.safetensors: (not a sound safetensors file|its header: )"):
        load(path)

    assert time.process_time() - start < 4  # of the CPU, so that a busy machine changes nothing


def test_names_of_tensors_are_never_paths(folder, tmp_path):
    names = ["../../x", "/etc/passwd", "a\x00b", "", "é"]
    path = save(folder, 500, {"model": {name: torch.ones(1) for name in names}}, {})

    assert sorted(load(path).tensors["model"]) == sorted(names)
    assert os.listdir(tmp_path) == ["runs"]


def test_state_that_is_no_object_is_refused(folder):
    path = save(folder, 500, {}, {})
    (path / "state.json").write_text("[1]")
    adopt(path)
    with pytest.raises(CheckpointError, match=r"state\.json: not a JSON object"):
        load(path)


# ---- small files ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (b"Infinity", "Infinity is not allowed"),
        (b"-Infinity", "-Infinity is not allowed"),
        (b"[1e999]", "beyond the range of a float: 1e999"),
        (b'{"a": {"b": 1, "b": 2}}', "duplicate key 'b'"),
        (b'"\xff"', "not UTF-8 at byte 1"),
        (b"[" * 65 + b"]" * 65, "nested deeper than 64 levels"),
        (b'{"a":' * 65 + b"1" + b"}" * 65, "nested deeper than 64 levels"),
        (b"-" + b"1" * 100, "an integer of 101 digits"),
        (b"{} {}", "not valid JSON: Extra data"),
        (b"", "not valid JSON"),
    ],
)
def test_json_that_is_not_strict_is_refused(text, fault):
    with pytest.raises(CheckpointError, match=f"^status.json: .*{fault}"):
        parse_json(text, "status.json")


def test_json_up_to_the_bounds_is_read():
    value = parse_json(b"[" * 64 + b"1" * 100 + b"]" * 64, "x")
    for _ in range(64):
        (value,) = value

    assert value == int("1" * 100)


def test_read_json_takes_small_regular_files_only(tmp_path):
    (tmp_path / "a.json").write_text("[1, 2]")
    (tmp_path / "link.json").symlink_to("a.json")
    os.mkfifo(tmp_path / "fifo.json")

    assert read_json(tmp_path / "a.json", limit=6) == [1, 2]
    for name, limit, fault in [
        ("a.json", 5, "larger than 5 B"),
        ("link.json", 9, "a link"),
        ("fifo.json", 9, "a FIFO"),
        ("none.json", 9, "cannot be read: No such file or directory"),
        ("a\x00", 9, "cannot be read: "),
    ]:
        with pytest.raises(CheckpointError, match=fault):
            read_json(tmp_path / name, limit=limit)


def test_json_is_written_as_it_is_read():
    value = {"b": [1, 2.5, None, True], "a": {"é\ud800": "\u2028"}, "tiny": 5e-324, "int": 2**127}
    text = dump_json(value)

    assert parse_json(text.encode(), "x") == value
    assert text.count("\n") == 1
    assert text.startswith('{"a": ')
    for number in (float("nan"), float("inf")):
        with pytest.raises(ValueError, match="Out of range"):
            dump_json([number])


def test_write_whole_replaces_a_file_and_leaves_nothing_beside_it(tmp_path):
    path = tmp_path / "status.json"
    write_whole(path, "é")
    write_whole(path, b"new")

    assert read(path) == b"new"
    assert os.listdir(tmp_path) == ["status.json"]


@pytest.mark.parametrize("operation", ["open", "write", "fsync", "rename"])
def test_write_whole_that_fails_leaves_the_old_file(tmp_path, monkeypatch, operation):
    path = tmp_path / "status.json"
    write_whole(path, "old")
    with monkeypatch.context() as patch:
        fail(patch, errno.ENOSPC, operation)
        with pytest.raises(Stopped) as caught:
            write_whole(path, "new!")

    assert str(caught.value) == f"no space left for {path}: needs 4 B, 1.1 MB free. Free some space."
    assert read(path) == b"old"
    assert os.listdir(tmp_path) == ["status.json"]


def test_a_new_file_takes_the_place_of_nothing_and_follows_no_link(tmp_path):
    (tmp_path / "file").write_text("mine")
    (tmp_path / "link").symlink_to(tmp_path / "absent")
    for name in ("file", "link"):
        with pytest.raises(FileExistsError):
            files.write_new(tmp_path / name, b"")

    assert read(tmp_path / "file") == b"mine"
    assert not (tmp_path / "absent").exists()


def test_short_writes_are_carried_on(folder, monkeypatch):
    genuine = os.write
    monkeypatch.setattr(os, "write", lambda fd, data: genuine(fd, bytes(data)[:7]))

    assert load(save(folder, 1, TENSORS, STATE)).state == STATE


def test_a_disk_that_cannot_sync_folders_is_no_obstacle(tmp_path, monkeypatch):
    fail(monkeypatch, errno.EINVAL, "fsync")
    files.sync_folder(tmp_path)
    fail(monkeypatch, errno.EIO, "fsync")
    with pytest.raises(OSError, match="Input/output error"):
        files.sync_folder(tmp_path)


def test_files_and_manifests_need_no_torch():
    code = "import sys, gen.integrity; sys.exit('torch' in sys.modules)"
    root = Path(checkpoint.__file__).parents[1]

    assert subprocess.run([sys.executable, "-c", code], env={"PYTHONPATH": str(root)}, check=False).returncode == 0
