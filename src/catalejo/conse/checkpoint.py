"""Read a PyTorch checkpoint of the years before the zip format, without PyTorch and without ``pickle``.

The file is four pickles (a magic number, a protocol number, type sizes, the
object) and a fifth with the storage keys, then the raw bytes of each storage
preceded by its length as a little-endian int64. A pickle is a program, and even
one that may only name harmless classes can rewrite them (``BUILD`` sets any
attribute). So this reader runs the two dozen instructions a plain ``state_dict``
is written with, on its own stack, and refuses every other.

Source: ``torch/serialization.py``, ``_legacy_load``.
"""

from __future__ import annotations

import math
import pickletools
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from catalejo.errors import DamagedWeights

MAGIC = 0x1950A86A20F9469CFC6C
PROTOCOL = 1001
MOST_BYTES = 1 << 30  # of a file; the largest EfficientNet-Lite has 52 MB
MOST_STEPS = 1_000_000  # of a pickle; EfficientNet-Lite2 has 14,000

_DTYPES: dict[str, np.dtype[Any]] = {"torch FloatStorage": np.dtype("<f4"), "torch LongStorage": np.dtype("<i8")}
_ORDERED_DICT, _REBUILD = "collections OrderedDict", "torch._utils _rebuild_tensor_v2"
_EMPTY: dict[str, type[Any]] = {"EMPTY_DICT": dict, "EMPTY_LIST": list, "EMPTY_TUPLE": tuple}
_PLAIN = {"BINUNICODE", "BININT", "BININT1", "BININT2", "LONG1", "NONE", "NEWTRUE", "NEWFALSE"}
_CONSTANT = {"NEWTRUE": True, "NEWFALSE": False}
_TUPLES = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}


@dataclass(frozen=True)
class _Name:
    """A class or function the pickle names; only compared, never called."""

    name: str


@dataclass
class _Storage:
    """The values of one storage: known by key first, filled once they are read."""

    name: str
    size: int
    values: npt.NDArray[Any] | None = None


@dataclass(frozen=True)
class _Tensor:
    """What ``_rebuild_tensor_v2`` is called with: a strided view of a storage."""

    storage: _Storage
    offset: int
    shape: tuple[int, ...]
    stride: tuple[int, ...]

    @classmethod
    def rebuilt(cls, arguments: Any) -> _Tensor:
        storage, offset, shape, stride, *_ = arguments
        whole = isinstance(shape, tuple) and isinstance(stride, tuple) and len(shape) == len(stride) <= 32
        if not (isinstance(storage, _Storage) and whole and all(map(_is_count, (offset, *shape, *stride)))):
            raise ValueError("a tensor's storage, shape or strides are not what they should be")
        return cls(storage, offset, shape, stride)

    @property
    def count(self) -> int:
        return math.prod(self.shape)

    def array(self) -> npt.NDArray[Any]:
        values = self.storage.values
        if values is None:
            raise ValueError("a tensor's storage is not in the file")
        if not self.count:
            return np.empty(self.shape, values.dtype)
        last = self.offset + sum((n - 1) * s for n, s in zip(self.shape, self.stride, strict=True))
        if last >= len(values) or self.count > len(values):
            raise ValueError(f"a tensor of shape {self.shape} lies outside its storage of {len(values)} values")
        strides = tuple(s * values.itemsize if n > 1 else 0 for n, s in zip(self.shape, self.stride, strict=True))
        return np.lib.stride_tricks.as_strided(values[self.offset :], self.shape, strides).copy()


def _is_count(x: Any) -> bool:
    return type(x) is int and x >= 0


class _Reader:
    """Runs the pickles of one file, one after the other."""

    def __init__(self, data: bytes) -> None:
        self.stream = BytesIO(data)
        self.storages: dict[str, _Storage] = {}

    def load(self) -> Any:
        """The object the next pickle builds, of dicts, lists, tuples, texts, numbers and tensors."""
        stack: list[Any] = []
        marks: list[int] = []
        memo: dict[int, Any] = {}
        for step, (opcode, argument, _) in enumerate(pickletools.genops(self.stream)):
            name, value = opcode.name, cast(Any, argument)
            if step > MOST_STEPS:
                raise ValueError(f"it takes more than {MOST_STEPS:,} steps to read")
            if name in _PLAIN:
                stack.append(_CONSTANT.get(name, value))
            elif name in _EMPTY:
                stack.append(_EMPTY[name]())
            elif name in ("BINPUT", "LONG_BINPUT"):
                memo[value] = stack[-1]
            elif name in ("BINGET", "LONG_BINGET"):
                stack.append(memo[value])
            elif name == "MARK":
                marks.append(len(stack))
            elif name in ("TUPLE", "SETITEMS", "APPENDS"):
                _gather(name, stack, marks.pop())
            elif name in _TUPLES:
                stack[-_TUPLES[name] :] = [tuple(stack[-_TUPLES[name] :])]
            elif name == "SETITEM":
                _gather("SETITEMS", stack, len(stack) - 2)
            elif name == "GLOBAL":
                stack.append(_known(value))
            elif name == "REDUCE":
                arguments, function = stack.pop(), stack.pop()
                stack.append(_called(function, arguments))
            elif name == "BINPERSID":
                stack.append(self._storage(stack.pop()))
            elif name == "BUILD":  # module versions beside the table; of no use here
                if not (isinstance(stack.pop(), dict) and isinstance(stack[-1], dict)):
                    raise ValueError("it changes something that is no table")
            elif name == "STOP":
                return stack.pop()
            elif name != "PROTO":
                raise ValueError(f"it holds the pickle instruction {name}, which no table of weights needs")
        raise ValueError("it ends too soon")

    def _storage(self, reference: Any) -> _Storage:
        kind, storage, key, _location, size, view = reference
        plain = kind == "storage" and view is None and isinstance(storage, _Name) and storage.name in _DTYPES
        if not (plain and isinstance(key, str) and _is_count(size)):
            raise ValueError("it holds a reference to something that is no plain storage")
        known = self.storages.setdefault(key, _Storage(storage.name, size))
        if (known.name, known.size) != (storage.name, size):
            raise ValueError(f"it describes the storage {key[:40]!r} in two ways")
        return known

    def fill(self, key: str) -> None:
        """Read the bytes of one storage."""
        if key not in self.storages:
            raise ValueError("it lists a storage that no tensor uses")
        storage = self.storages[key]
        dtype = _DTYPES[storage.name]
        size = int.from_bytes(self.stream.read(8), "little", signed=True)
        if size != storage.size:
            raise ValueError(f"storage {key[:40]!r} says {size} values, its tensors need {storage.size}")
        data = self.stream.read(size * dtype.itemsize)
        if len(data) != size * dtype.itemsize:
            raise ValueError("the file ends before its tensors do")
        storage.values = np.frombuffer(data, dtype)


def _gather(name: str, stack: list[Any], start: int) -> None:
    """Take what lies on the stack from ``start`` on into a tuple, or into the dict or list below it."""
    parts = stack[start:]
    del stack[start:]
    if name == "TUPLE":
        stack.append(tuple(parts))
    elif name == "APPENDS" and isinstance(stack[-1], list):
        stack[-1].extend(parts)
    elif name == "SETITEMS" and isinstance(stack[-1], dict) and all(isinstance(key, str) for key in parts[::2]):
        stack[-1].update(zip(parts[::2], parts[1::2], strict=True))
    else:
        raise ValueError("it fills something that is no table or list")


def _known(name: str) -> _Name:
    if name not in (_ORDERED_DICT, _REBUILD, *_DTYPES):
        raise ValueError(f"it asks for {name.replace(' ', '.')[:80]!r}, which no table of weights needs")
    return _Name(name)


def _called(function: Any, arguments: Any) -> Any:
    if function == _Name(_REBUILD):
        return _Tensor.rebuilt(arguments)
    if function == _Name(_ORDERED_DICT) and arguments == ():
        return {}
    raise ValueError("it calls something with arguments no table of weights needs")


def read_checkpoint(path: Path) -> dict[str, npt.NDArray[Any]]:
    """Read the tensors of a legacy ``.pth`` state dict.

    Args:
        path: the file.

    Returns:
        name -> array, float32 or int64 as stored, each with its own memory.

    Raises:
        DamagedWeights: the file is cut short, is not such a checkpoint, or asks
            for anything a table of weights does not need.
    """
    try:
        return _read(path)
    except (ValueError, TypeError, LookupError, OverflowError, AttributeError, MemoryError) as error:
        raise DamagedWeights(path, " ".join(str(error).split()) or type(error).__name__) from error
    except OSError as error:
        raise DamagedWeights(path, error.strerror or str(error)) from error


def _read(path: Path) -> dict[str, npt.NDArray[Any]]:
    if path.stat().st_size > MOST_BYTES:
        raise ValueError(f"it is larger than {MOST_BYTES:,} bytes")
    data = path.read_bytes()
    if data[:4] == b"PK\x03\x04":
        raise ValueError("it is a checkpoint in PyTorch's zip format; only the one before it is read")
    reader = _Reader(data)
    if reader.load() != MAGIC or reader.load() != PROTOCOL:
        raise ValueError("it is not a checkpoint in PyTorch's legacy format")
    reader.load()  # type sizes: informative only
    tensors, keys = reader.load(), reader.load()
    whole = isinstance(tensors, dict) and all(isinstance(tensor, _Tensor) for tensor in tensors.values())
    if not (whole and tensors and isinstance(keys, list) and all(isinstance(key, str) for key in keys)):
        raise ValueError("it holds no table of tensors")
    for key in keys:
        reader.fill(key)
    if sum(tensor.count * _DTYPES[tensor.storage.name].itemsize for tensor in tensors.values()) > len(data):
        raise ValueError("its tensors are larger than the file")
    return {name: tensor.array() for name, tensor in tensors.items()}
