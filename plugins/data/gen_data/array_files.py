"""Arrays from .npy, .npz and .safetensors files; what a file declares is checked before memory is taken for it."""

from __future__ import annotations

import math
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any

import numpy as np
from safetensors import SafetensorError, safe_open

from gen.errors import DataError
from gen_data.files import listed, shown

__all__ = ["load_arrays"]

_LIMIT = 16 << 30
_NUMBERS = "biuf"  # numpy's letters: bool, int, unsigned, float


def load_arrays(path: Path, names: Sequence[str]) -> list[np.ndarray]:
    """The arrays of these names; the single array of a .npy file answers to any first name.

    Raises:
        DataError: no such file, another format, a damaged file, a missing name (the message lists those there are),
            values that are no numbers.
    """
    readers = {".npy": _npy, ".npz": _npz, ".safetensors": _safetensors}
    if path.suffix.lower() not in readers:
        raise DataError(f"{shown(path)} is none of {', '.join(readers)}: arrays are read from these")
    try:
        return readers[path.suffix.lower()](path, names)
    except DataError as error:
        raise DataError(f"{shown(path)} {error}") from error
    except OSError as error:
        raise DataError(f"{shown(path)} cannot be read ({error.strerror or error})") from error
    except (SafetensorError, zipfile.BadZipFile, zlib.error, ValueError, EOFError, NotImplementedError) as error:
        raise DataError(f"{shown(path)} is damaged ({error})") from error


def _npy(path: Path, names: Sequence[str]) -> list[np.ndarray]:
    if len(names) > 1:
        raise DataError(f'holds one array, so there is no "{names[1]}" in it: use .npz or .safetensors for several')
    with path.open("rb") as stream:
        return [_array(stream, path.stat().st_size)]


def _npz(path: Path, names: Sequence[str]) -> list[np.ndarray]:
    with zipfile.ZipFile(path) as archive:
        there = {member.filename.removesuffix(".npy"): member for member in archive.infolist()}
        _require(names, list(there))
        arrays = []
        for name in names:
            with archive.open(there[name]) as stream:
                arrays.append(_array(stream, there[name].file_size))
        return arrays


def _safetensors(path: Path, names: Sequence[str]) -> list[np.ndarray]:
    with safe_open(path, framework="pt") as file:
        _require(names, list(file.keys()))
        tensors = [file.get_tensor(name) for name in names]
    if any(tensor.is_complex() for tensor in tensors):
        raise DataError("holds complex values: real ones are needed")
    return [
        (tensor.float() if tensor.is_floating_point() and tensor.itemsize < 4 else tensor).numpy() for tensor in tensors
    ]


def _require(names: Sequence[str], there: list[str]) -> None:
    for name in names:
        if name not in there:
            raise DataError(f'holds no array "{shown(name)}"; it holds {listed(map(shown, sorted(there))) or "none"}')


def _array(stream: IO[bytes], size: int) -> np.ndarray:
    """One array in the .npy format out of `size` bytes, never through pickle."""
    version = np.lib.format.read_magic(stream)
    if version not in ((1, 0), (2, 0)):
        raise DataError(f"is of version {version[0]}.{version[1]} of the .npy format: 1.0 and 2.0 are read")
    read_header: Any = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, column_major, dtype = read_header(stream)
    if dtype.kind not in _NUMBERS:
        raise DataError(f"holds values of the type {dtype}: numbers are needed, and Python objects are never loaded")
    declared, rest = math.prod(shape) * dtype.itemsize, size - stream.tell()
    if declared != rest:
        raise DataError(f"is damaged: it declares {declared} bytes of values, and {rest} are there")
    if declared > _LIMIT:
        raise DataError(f"declares {declared / 2**30:.0f} GiB: at most {_LIMIT >> 30} are read into memory")
    content = bytearray(stream.read(declared))
    if len(content) != declared or stream.read(1):  # the read beyond the end makes zipfile compare its check sum
        raise DataError(f"is damaged: it declares {declared} bytes of values, and {len(content)} are there")
    values = np.frombuffer(content, dtype).reshape(shape, order="F" if column_major else "C")
    return values.astype(dtype.newbyteorder("="), copy=False)
