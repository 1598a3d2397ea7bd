"""Arrays from files: values, ranges and labels as they are, and every fault told with the file's name."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import save_file

from gen.errors import DataError
from gen.types import Domain
from gen_data.arrays import Arrays
from gen_data.splits import permuted_split

RNG = np.random.default_rng(0)
FLOATS = RNG.uniform(-3, 5, (50, 2, 4, 4)).astype(np.float32)
BYTES = RNG.integers(0, 256, (50, 4, 4), np.uint8)
LABELS = RNG.integers(0, 4, 50)
LABELS[:4] = range(4)


def _write(root: Path, ending: str, **arrays: np.ndarray) -> str:
    path = root / f"a{ending}"
    writers: dict[str, Callable[[], object]] = {
        ".npz": lambda: np.savez(path, **arrays),
        ".packed.npz": lambda: np.savez_compressed(path, **arrays),
        ".safetensors": lambda: save_file(arrays, path),
        ".npy": lambda: np.save(path, arrays["x"]),
    }
    writers[ending]()
    return path.name


def _refusal(root: Path, file: str, **options: object) -> str:
    with pytest.raises(DataError) as error:
        Arrays(file=file, **options).open("train", root)
    message = str(error.value)
    assert message.startswith(f"{root}/{file}")
    return message.removeprefix(f"{root}/{file}").lstrip(": ")


@pytest.mark.parametrize("ending", [".npz", ".packed.npz", ".safetensors"])
def test_values_and_labels_are_those_of_the_file(tmp_path: Path, ending: str) -> None:
    file = _write(tmp_path, ending, x=FLOATS, y=LABELS)
    for split in ("train", "val", "test"):
        rows = Arrays(file=file, cond="y").open(split, tmp_path)
        chosen = permuted_split(50, split, 0.1, 0.1)
        x, cond, _ = rows.fetch(torch.arange(len(rows)))

        assert np.array_equal(x.numpy(), FLOATS[chosen])
        assert np.array_equal(cond.numpy(), LABELS[chosen])
        assert rows.spec.domain == Domain((2, 4, 4), range=(float(FLOATS.min()), float(FLOATS.max())))
        assert rows.spec.cond.size == 4


@pytest.mark.parametrize(
    ("array", "options", "domain"),
    [
        (BYTES, {}, Domain((1, 4, 4), levels=256)),
        (BYTES > 99, {}, Domain((1, 4, 4), levels=2)),
        (BYTES, {"range": (0, 255)}, Domain((1, 4, 4), range=(0, 255))),
        (FLOATS, {"range": (-4, 6)}, Domain((2, 4, 4), range=(-4, 6))),
        (FLOATS[:, 0, 0], {"modality": "vector", "range": (-4, 6)}, Domain((4,), "vector", (-4, 6))),
        (FLOATS[:, 0, 0, 0], {"modality": "vector", "range": (-4, 6)}, Domain((1,), "vector", (-4, 6))),
    ],
    ids=["bytes", "truth values", "bytes as stored", "floats", "vectors", "numbers"],
)
def test_domain_follows_the_array(
    tmp_path: Path, array: np.ndarray, options: dict[str, object], domain: Domain
) -> None:
    rows = Arrays(file=_write(tmp_path, ".npy", x=array), **options).open("train", tmp_path)

    assert rows.spec.domain == domain
    assert rows.spec.cond is None


@pytest.mark.parametrize(
    "array",
    [FLOATS.astype(">f8"), np.asfortranarray(FLOATS), FLOATS.astype(np.float16)],
    ids=["big-endian doubles", "column-major", "half precision"],
)
def test_every_layout_of_floats_is_read(tmp_path: Path, array: np.ndarray) -> None:
    rows = Arrays(file=_write(tmp_path, ".npy", x=array), val=0, test=0).open("train", tmp_path)
    x = rows.fetch(torch.arange(50)).x

    assert x.dtype == torch.float32
    assert np.array_equal(x.numpy(), array.astype(np.float32)[permuted_split(50, "train", 0, 0)])


def _with(array: np.ndarray, place: tuple[int, ...] | int, value: float) -> np.ndarray:
    array = array.copy()
    array[place] = value
    return array


@pytest.mark.parametrize(
    ("arrays", "options", "message"),
    [
        (
            {"x": _with(_with(FLOATS, (7, 0, 1, 1), np.nan), (30, 0, 0, 0), np.inf)},
            {},
            '"x" holds NaN or infinite values in 2 of 50 samples, the first is number 7',
        ),
        (
            {"x": np.full((5, 1, 2, 2), 1e300)},
            {},
            '"x" holds NaN or infinite values in 5 of 5 samples, the first is number 0',
        ),
        (
            {"x": FLOATS[0, 0]},
            {},
            '"x" has the shape [4, 4]: images are [N, C, H, W] or [N, H, W], none of them 0',
        ),
        (
            {"x": FLOATS},
            {"modality": "vector"},
            '"x" has the shape [50, 2, 4, 4]: vectors are [N, D] or [N], none of them 0',
        ),
        (
            {"x": FLOATS[:0]},
            {},
            '"x" has the shape [0, 2, 4, 4]: images are [N, C, H, W] or [N, H, W], none of them 0',
        ),
        (
            {"x": np.zeros((5, 8, 8, 3))},
            {},
            '"x" has the shape [5, 8, 8, 3]: channels come first, [N, C, H, W]',
        ),
        (
            {"x": np.ones((5, 1, 2, 2))},
            {},
            '"x" holds nothing but 1: there is no range to measure, state range',
        ),
        (
            {"x": np.arange(5.0)},
            {"modality": "vector", "range": (-1, 1)},
            '"x" holds values from 0 to 4, beyond the range [-1, 1] that was given',
        ),
        ({"x": FLOATS, "labels": LABELS}, {"cond": "y"}, 'holds no array "y"; it holds labels, x'),
        ({"images": FLOATS}, {}, 'holds no array "x"; it holds images'),
        ({"x": FLOATS, "y": LABELS[:9]}, {"cond": "y"}, '"y" has the shape [9]: [50] is needed, one label a sample'),
        (
            {"x": FLOATS, "y": LABELS * 1.0},
            {"cond": "y"},
            '"y" holds values of the type float64: labels are whole numbers from 0',
        ),
        (
            {"x": FLOATS, "y": _with(LABELS, 3, -1)},
            {"cond": "y"},
            '"y" holds the label -1 (sample 3): labels are 0 to 3',
        ),
        (
            {"x": FLOATS, "y": _with(LABELS, 3, 10)},
            {"cond": "y", "classes": 10},
            '"y" holds the label 10 (sample 3): labels are 0 to 9',
        ),
        (
            {"x": FLOATS, "y": _with(LABELS, 3, 10**9)},
            {"cond": "y"},
            '"y" holds the label 1000000000, for 50 samples: state classes if so meant',
        ),
    ],
    ids=lambda value: value[:30] if isinstance(value, str) else "",
)
@pytest.mark.parametrize("ending", [".npz", ".safetensors"])
def test_faults_are_told(
    tmp_path: Path, ending: str, arrays: dict[str, np.ndarray], options: dict[str, object], message: str
) -> None:
    assert _refusal(tmp_path, _write(tmp_path, ending, **arrays), **options) == message


def test_a_npy_file_has_no_labels(tmp_path: Path) -> None:
    assert _refusal(tmp_path, _write(tmp_path, ".npy", x=FLOATS), cond="y") == (
        'holds one array, so there is no "y" in it: use .npz or .safetensors for several'
    )


def test_other_files_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.pkl").touch()

    assert _refusal(tmp_path, "a.pkl") == "is none of .npy, .npz, .safetensors: arrays are read from these"


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "b.npz").touch()

    assert _refusal(tmp_path, "a.npz") == f"is no file; {tmp_path}: holds b.npz"


@pytest.mark.parametrize(
    ("array", "dtype"), [(np.array([{"a": 1}]), "object"), (np.array(["a"]), "<U1"), (np.array([1j]), "complex128")]
)
@pytest.mark.parametrize("ending", [".npy", ".npz"])
def test_values_that_are_no_numbers_are_never_loaded(
    tmp_path: Path, array: np.ndarray, dtype: str, ending: str
) -> None:
    assert _refusal(tmp_path, _write(tmp_path, ending, x=array), modality="vector") == (
        f"holds values of the type {dtype}: numbers are needed, and Python objects are never loaded"
    )


def _npy(shape: str, content: bytes = b"", version: bytes = b"\x01\x00") -> bytes:
    header = f"{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}, }}\n".encode()
    return b"\x93NUMPY" + version + struct.pack("<H", len(header)) + header + content


def _zip(content: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("x.npy", content)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            _npy("(10000000000,)", bytes(16)),
            "is damaged: it declares 80000000000 bytes of values, and 16 are there",
        ),
        (_npy("(3,)", bytes(16)), "is damaged: it declares 24 bytes of values, and 16 are there"),
        (_npy("(1,)", bytes(16)), "is damaged: it declares 8 bytes of values, and 16 are there"),
        (_npy("(2,)", bytes(16), b"\x03\x00"), "is of version 3.0 of the .npy format: 1.0 and 2.0 are read"),
    ],
)
@pytest.mark.parametrize("packed", [False, True])
def test_sizes_are_checked_before_memory_is_taken(tmp_path: Path, content: bytes, message: str, packed: bool) -> None:
    file = "a.npz" if packed else "a.npy"
    (tmp_path / file).write_bytes(_zip(content) if packed else content)

    assert _refusal(tmp_path, file) == message


@pytest.mark.parametrize("ending", [".npy", ".npz", ".safetensors"])
@pytest.mark.parametrize("content", [b"", b"hello", bytes(100), b"\x93NUMPY\x01\x00\x05\x00hello", b"\xff" * 100])
def test_damaged_files_are_refused(tmp_path: Path, ending: str, content: bytes) -> None:
    (tmp_path / f"a{ending}").write_bytes(content)

    assert _refusal(tmp_path, f"a{ending}").startswith("is damaged (")


@pytest.mark.parametrize("ending", [".npz", ".packed.npz"])
def test_flipped_bytes_in_an_archive_are_found(tmp_path: Path, ending: str) -> None:
    file = _write(tmp_path, ending, x=FLOATS)
    content = bytearray((tmp_path / file).read_bytes())
    content[len(content) // 2] ^= 1
    (tmp_path / file).write_bytes(content)

    assert _refusal(tmp_path, file).startswith("is damaged (")


def test_a_file_outside_the_data_root_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError) as error:
        Arrays(file="../a.npz").open("train", tmp_path)

    assert str(error.value) == (
        f'file is "../a.npz": name a place under the data root {tmp_path}, or give another root with --data-root'
    )
