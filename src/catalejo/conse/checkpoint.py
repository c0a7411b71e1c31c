"""Read a PyTorch checkpoint of the years before the zip format, without PyTorch.

The file is four pickles (a magic number, a protocol number, type sizes, the
object) and a fifth with the storage keys, then the raw bytes of each storage
preceded by its length as a little-endian int64. A pickle can run any code, so
this unpickler knows exactly the names a plain ``state_dict`` needs and refuses
every other.

Source: ``torch/serialization.py``, ``_legacy_load``.
"""

from __future__ import annotations

import pickle
from collections import OrderedDict
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from catalejo.errors import DamagedWeights

MAGIC = 0x1950A86A20F9469CFC6C
PROTOCOL = 1001
_DTYPES = {"FloatStorage": np.dtype("<f4"), "LongStorage": np.dtype("<i8")}


class _Storage:
    """The bytes of one storage: known by key first, filled once they are read."""

    def __init__(self, dtype: np.dtype[Any], size: int) -> None:
        self.dtype, self.size = dtype, size
        self.values: npt.NDArray[Any] = np.empty(0, dtype)


class _Tensor:
    """What ``_rebuild_tensor_v2`` is called with: a strided view of a storage."""

    def __init__(self, storage: _Storage, offset: int, shape: tuple[int, ...], stride: tuple[int, ...],
                 *_: Any) -> None:
        self.storage, self.offset, self.shape, self.stride = storage, offset, shape, stride

    def array(self) -> npt.NDArray[Any]:
        last = self.offset + sum((n - 1) * s for n, s in zip(self.shape, self.stride, strict=True))
        if self.offset < 0 or min(self.shape + self.stride, default=0) < 0 or last >= self.storage.size:
            raise ValueError(f"a tensor of shape {self.shape} lies outside its storage of {self.storage.size} values")
        values = self.storage.values[self.offset :]
        strides = tuple(s * values.itemsize for s in self.stride)
        return np.lib.stride_tricks.as_strided(values, self.shape, strides).copy()


class _Unpickler(pickle.Unpickler):
    """Knows ``OrderedDict``, tensors and their storages; refuses every other name."""

    def __init__(self, file: BinaryIO) -> None:
        super().__init__(file)
        self.storages: dict[str, _Storage] = {}

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return _Tensor
        if module == "torch" and name in _DTYPES:
            return _DTYPES[name]
        raise pickle.UnpicklingError(f"it asks for {module}.{name}, which no table of weights needs")

    def persistent_load(self, pid: Any) -> _Storage:
        kind, dtype, key, _location, size, view = pid
        if kind != "storage" or view is not None or not isinstance(dtype, np.dtype):
            raise pickle.UnpicklingError(f"it holds a reference of kind {kind!r}; only plain storages are read")
        return self.storages.setdefault(key, _Storage(dtype, int(size)))


def read_checkpoint(path: Path) -> dict[str, npt.NDArray[Any]]:
    """Read the tensors of a legacy ``.pth`` state dict.

    Args:
        path: the file.

    Returns:
        name -> array, float32 or int64 as stored, each with its own memory.

    Raises:
        DamagedWeights: the file is cut short, is not such a checkpoint, or asks
            for a name a table of weights does not need.
    """
    try:
        with path.open("rb") as file:
            if _Unpickler(file).load() != MAGIC or _Unpickler(file).load() != PROTOCOL:
                raise ValueError("it is not a checkpoint in PyTorch's legacy format")
            _Unpickler(file).load()  # type sizes: informative only
            reader = _Unpickler(file)
            tensors = reader.load()
            for key in _Unpickler(file).load():
                storage = reader.storages[key]
                size = int.from_bytes(file.read(8), "little", signed=True)
                if size != storage.size:
                    raise ValueError(f"storage {key} says {size} values, its tensors need {storage.size}")
                data = file.read(size * storage.dtype.itemsize)
                if len(data) != size * storage.dtype.itemsize:
                    raise ValueError("the file ends before its tensors do")
                storage.values = np.frombuffer(data, storage.dtype)
            return {name: tensor.array() for name, tensor in tensors.items()}
    except (pickle.UnpicklingError, ValueError, TypeError, EOFError, KeyError, IndexError, AttributeError) as error:
        raise DamagedWeights(path, str(error)) from error
