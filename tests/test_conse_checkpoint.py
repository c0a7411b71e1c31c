"""The checkpoint reader: exact on the real weights, deaf to everything a hostile file can say."""

from __future__ import annotations

import pickle
import struct
import zipfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from catalejo import weights
from catalejo.conse import checkpoint
from catalejo.conse.checkpoint import read_checkpoint
from catalejo.encoders.conse import CLASSIFIER
from catalejo.errors import DamagedWeights

# -- pickles, written by hand ------------------------------------------------------

MAGIC = b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19."
PROTOCOL = b"\x80\x02M\xe9\x03."
SIZES = b"\x80\x02}."
FLOATS, LONGS = b"ctorch\nFloatStorage\n", b"ctorch\nLongStorage\n"
REBUILD = b"ctorch._utils\n_rebuild_tensor_v2\n"
TABLE = b"ccollections\nOrderedDict\n)R"


def text(value: str) -> bytes:
    raw = value.encode()
    return b"X" + struct.pack("<I", len(raw)) + raw


def number(value: int) -> bytes:
    if -(2**31) <= value < 2**31:
        return b"J" + struct.pack("<i", value)
    raw = value.to_bytes(value.bit_length() // 8 + 1, "little", signed=True)
    return b"\x8a" + bytes([len(raw)]) + raw


def numbers(values: Sequence[int]) -> bytes:
    return b"(" + b"".join(number(v) for v in values) + b"t"


def reference(key: str = "0", size: int = 6, kind: bytes = FLOATS, view: bytes = b"N") -> bytes:
    return b"(" + text("storage") + kind + text(key) + text("cpu") + number(size) + view + b"tQ"


def tensor(storage: bytes, shape: bytes, stride: bytes, offset: bytes = number(0)) -> bytes:
    return REBUILD + b"(" + storage + offset + shape + stride + b"\x89" + TABLE + b"tR"


def table(**entries: bytes) -> bytes:
    return b"\x80\x02" + TABLE + b"(" + b"".join(text(k) + v for k, v in entries.items()) + b"u."


def key_list(*keys: str) -> bytes:
    return b"\x80\x02](" + b"".join(text(k) for k in keys) + b"e."


def values(*floats: float) -> bytes:
    return struct.pack("<q", len(floats)) + np.array(floats, "<f4").tobytes()


WHOLE = table(w=tensor(reference(), numbers([2, 3]), numbers([3, 1])))
PARTS = (MAGIC, PROTOCOL, SIZES, WHOLE, key_list("0"))
DATA = values(1, 2, 3, 4, 5, 6)


def save(folder: Path, *pickles: bytes, data: bytes = DATA) -> Path:
    path = folder / "weights.pth"
    path.write_bytes(b"".join(pickles) + data)
    return path


def saved(folder: Path, shape: bytes, stride: bytes, offset: bytes = number(0), size: int = 6) -> Path:
    content = table(w=tensor(reference(size=size), shape, stride, offset))
    return save(folder, MAGIC, PROTOCOL, SIZES, content, key_list("0"))


# -- what it reads --------------------------------------------------------------------


def test_a_small_file_gives_its_tensors(tmp_path: Path) -> None:
    found = read_checkpoint(save(tmp_path, *PARTS))
    assert list(found) == ["w"]
    np.testing.assert_array_equal(found["w"], np.array([[1, 2, 3], [4, 5, 6]], np.float32))
    assert found["w"].dtype == np.float32
    assert found["w"].flags.owndata and found["w"].flags.writeable


def test_strides_offsets_and_shared_storages_are_followed(tmp_path: Path) -> None:
    content = table(
        turned=tensor(reference(), numbers([3]), numbers([2]), number(1)),
        first=tensor(reference(), b")", b"(t"),
        none=tensor(reference(), numbers([0, 4]), numbers([4, 1])),
        count=tensor(reference("1", 1, LONGS), b")", b")"),
    )
    data = DATA + struct.pack("<qq", 1, -7)
    found = read_checkpoint(save(tmp_path, MAGIC, PROTOCOL, SIZES, content, key_list("0", "1"), data=data))
    assert found["turned"].tolist() == [2, 4, 6]
    assert found["first"].shape == () and found["first"] == 1
    assert found["none"].shape == (0, 4)
    assert found["count"].dtype == np.int64 and found["count"] == -7


def test_the_real_weights_have_the_shapes_of_lite2() -> None:
    found = read_checkpoint(weights.locate(CLASSIFIER))
    assert len(found) == 386
    assert found["_conv_stem.weight"].shape == (32, 3, 3, 3)
    assert found["_fc.weight"].shape == (1000, 1280)
    assert found["_bn0.num_batches_tracked"].dtype == np.int64
    assert all(np.isfinite(array).all() for array in found.values())


def test_the_real_weights_equal_what_torch_reads() -> None:
    torch = pytest.importorskip("torch", reason="needs the torch extra: PyTorch reads the same file")
    path = weights.locate(CLASSIFIER)
    found, expected = read_checkpoint(path), torch.load(path, map_location="cpu", weights_only=True)
    assert list(found) == list(expected)
    for name, array in found.items():
        other = expected[name].numpy()
        assert (array.dtype, array.shape) == (other.dtype, other.shape), name
        assert np.array_equal(array, other), name


# -- what it refuses: code ----------------------------------------------------------


def hostile(marker: Path) -> dict[str, bytes]:
    """Pickles without their head that would touch a file, or change this process, if they ran."""
    command = text(f"touch {marker}")
    code = text(f"__import__('pathlib').Path({str(marker)!r}).touch()")
    system = b"cos\nsystem\n"
    return {
        "reduce": system + command + b"\x85R",
        "reduce posix": b"cposix\nsystem\n" + command + b"\x85R",
        "reduce a list": system + b"]" + command + b"aR",
        "named on the stack": text("os") + text("system") + b"\x93" + command + b"\x85R",
        "inst": b"(" + command + b"ios\nsystem\n",
        "obj": b"(" + system + command + b"o",
        "newobj": system + command + b"\x85\x81",
        "newobj with names": system + command + b"\x85}\x92",
        "eval": b"c__builtin__\neval\n" + code + b"\x85R",
        "exec": b"cbuiltins\nexec\n" + code + b"\x85R",
        "open": b"cbuiltins\nopen\n(" + text(str(marker)) + text("w") + b"tR",
        "getattr": b"cbuiltins\ngetattr\n(cos\nsystem\n" + text("__call__") + b"tR" + command + b"\x85R",
        "import": b"c__builtin__\n__import__\n" + text("os") + b"\x85R",
        "copyreg": b"ccopy_reg\n_reconstructor\n(csubprocess\nPopen\nc__builtin__\nobject\nNtR",
        "numpy runs a command": b"cnumpy.testing._private.utils\nrunstring\n(" + code + b"}tR",
        "only a name": system,
        "dotted name": b"ccollections\nOrderedDict.fromkeys\n" + b"]\x85R",
        "the reader itself": b"ccatalejo.conse.checkpoint\n_Tensor\n)R",
        "extension 1": b"\x82\x01",
        "extension 2": b"\x83\x01\x00",
        "extension 4": b"\x84\x01\x00\x00\x00",
        "reference by name": b"Pos.system\n",
        "build on the rebuilder": REBUILD + b"N}" + text("array") + b"ccollections\nOrderedDict\ns\x86b",
        "build on a type": FLOATS + b"(K\x03" + text(">") + b"NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb",
        "build on OrderedDict": b"ccollections\nOrderedDict\n}" + text("items") + b"Nsb",
        "build changes a table's class": TABLE + b"N}" + text("__class__") + REBUILD + b"s\x86b",
        "a table made from a list": b"ccollections\nOrderedDict\n]\x85R",
        "a table made from itself": b"ccollections\nOrderedDict\n" + TABLE + b"\x85R",
        "a type is called": FLOATS + b")R",
        "a text is called": text("w") + b")R",
        "a tensor without arguments": REBUILD + b")R",
        "nested": TABLE + b"(" + text("w") + TABLE + b"(" + text("v") + system + command + b"\x85Ruu",
        "in a list": b"](" + text("0") + system + command + b"\x85Re",
        "as a tensor's shape": tensor(reference(), system + command + b"\x85R", numbers([1])),
        "as a storage": b"(" + text("storage") + system + text("0") + text("cpu") + number(6) + b"NtQ",
        "as a view": reference(view=system + command + b"\x85R"),
    }


@pytest.mark.parametrize("position", range(5))
@pytest.mark.parametrize("name", sorted(hostile(Path("x"))))
def test_hostile_pickles_are_refused_wherever_they_stand(tmp_path: Path, name: str, position: int) -> None:
    marker = tmp_path / "ran"
    pickles = list(PARTS)
    pickles[position] = b"\x80\x02" + hostile(marker)[name] + b"."
    with pytest.raises(DamagedWeights):
        read_checkpoint(save(tmp_path, *pickles))
    assert not marker.exists()
    assert read_checkpoint(save(tmp_path, *PARTS))["w"].sum() == 21  # nothing of ours was changed


def test_the_attacks_run_in_a_plain_unpickler(tmp_path: Path) -> None:
    marker = tmp_path / "ran"
    attacks = hostile(marker)
    for name in ("reduce", "named on the stack", "inst", "obj", "eval", "exec", "nested"):
        marker.unlink(missing_ok=True)
        with suppress(pickle.UnpicklingError, TypeError):
            pickle.loads(b"\x80\x02" + attacks[name] + b".")
        assert marker.exists(), name


def test_a_refusal_names_what_was_asked_for(tmp_path: Path) -> None:
    path = save(tmp_path, MAGIC, PROTOCOL, SIZES, b"\x80\x02cos\nsystem\n" + text("ls") + b"\x85R.")
    with pytest.raises(DamagedWeights, match=r"weights\.pth cannot be used: it asks for 'os\.system'"):
        read_checkpoint(path)


# -- what it refuses: shapes, sizes, bombs ----------------------------------------------


@pytest.mark.parametrize(
    ("shape", "stride", "offset"),
    [
        ([2, 3], [3, 1], 1),
        ([2, 3], [4, 1], 0),
        ([7], [1], 0),
        ([1], [1], 6),
        ([1], [1], 2**70),
        ([2], [2**61], 0),
        ([2**40], [0], 0),
        ([2**40, 2**40], [0, 0], 0),
        ([0, 2**70], [1, 1], 0),
        ([2, 3], [1], 0),
        ([6], [-1], 5),
        ([-1], [1], 0),
        ([6], [1], -1),
        ([1] * 40, [1] * 40, 0),
    ],
)
def test_tensors_outside_their_storage_are_refused(
    tmp_path: Path, shape: list[int], stride: list[int], offset: int
) -> None:
    with pytest.raises(DamagedWeights):
        read_checkpoint(saved(tmp_path, numbers(shape), numbers(stride), number(offset)))


@pytest.mark.parametrize("shape", [b"N", text("6"), b"]", b"(\x88t", b"(Nt", b"(" + text("6") + b"t"])
def test_a_shape_is_a_tuple_of_whole_numbers(tmp_path: Path, shape: bytes) -> None:
    with pytest.raises(DamagedWeights):
        read_checkpoint(saved(tmp_path, shape, numbers([1])))


@pytest.mark.parametrize("size", [0, 5, 7, -6, 2**40, 2**62, 2**70])
def test_a_storage_has_the_size_it_says(tmp_path: Path, size: int) -> None:
    with pytest.raises(DamagedWeights):
        read_checkpoint(saved(tmp_path, numbers([6]), numbers([1]), size=size))
    claimed = struct.pack("<q", max(min(size, 2**62), -(2**62))) + DATA[8:]
    content = table(w=tensor(reference(size=size), numbers([6]), numbers([1])))
    with pytest.raises(DamagedWeights):
        read_checkpoint(save(tmp_path, MAGIC, PROTOCOL, SIZES, content, key_list("0"), data=claimed))


@pytest.mark.parametrize(
    "keys",
    [key_list(), key_list("1"), key_list("0", "1"), b"\x80\x02]K\x00a.", b"\x80\x02}.", b"\x80\x02N."],
    ids=["none", "another", "one too many", "a number", "a table", "nothing"],
)
def test_every_storage_must_be_in_the_file(tmp_path: Path, keys: bytes) -> None:
    with pytest.raises(DamagedWeights):
        read_checkpoint(save(tmp_path, MAGIC, PROTOCOL, SIZES, WHOLE, keys))


def test_one_storage_described_in_two_ways_is_refused(tmp_path: Path) -> None:
    content = table(
        a=tensor(reference(), numbers([6]), numbers([1])),
        b=tensor(reference(kind=LONGS), numbers([6]), numbers([1])),
    )
    with pytest.raises(DamagedWeights, match="in two ways"):
        read_checkpoint(save(tmp_path, MAGIC, PROTOCOL, SIZES, content, key_list("0")))


def test_many_tensors_over_one_storage_are_a_bomb(tmp_path: Path) -> None:
    content = table(**{f"w{i}": tensor(reference(size=5000), numbers([5000]), numbers([1])) for i in range(50)})
    data = values(*[0.0] * 5000)
    with pytest.raises(DamagedWeights, match="larger than the file"):
        read_checkpoint(save(tmp_path, MAGIC, PROTOCOL, SIZES, content, key_list("0"), data=data))


@pytest.mark.parametrize(
    "bomb",
    [
        b"\x8d" + struct.pack("<Q", 2**62),
        b"\x8e" + struct.pack("<Q", 2**62),
        b"\x96" + struct.pack("<Q", 2**62),
        b"\x95" + struct.pack("<Q", 2**62),
        b"\x8b" + struct.pack("<I", 2**31 - 1),
        b"X" + struct.pack("<I", 2**32 - 1),
        b"I" + b"9" * 10_000 + b"\n",
        b"]" * 20_000,
        b"(" * 20_000,
        b"N" + b"\x85" * 20_000,
        b"}N" + b"\x85" * 20_000 + b"Ns",
        b"\x88" * 20_000,
    ],
    ids=lambda bomb: f"{bomb[:2]!r}",
)
def test_bombs_are_refused(tmp_path: Path, bomb: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    path = save(tmp_path, MAGIC, PROTOCOL, SIZES, b"\x80\x02" + bomb + b".")
    with pytest.raises(DamagedWeights):
        read_checkpoint(path)
    monkeypatch.setattr(checkpoint, "MOST_STEPS", 1_000)
    with pytest.raises(DamagedWeights):
        read_checkpoint(path)


def test_steps_and_bytes_have_limits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = save(tmp_path, MAGIC, PROTOCOL, SIZES, b"\x80\x02" + b"]" * 5_000 + b".")
    monkeypatch.setattr(checkpoint, "MOST_STEPS", 1_000)
    with pytest.raises(DamagedWeights, match="more than 1,000 steps"):
        read_checkpoint(path)
    monkeypatch.setattr(checkpoint, "MOST_BYTES", 100)
    with pytest.raises(DamagedWeights, match="larger than 100 bytes"):
        read_checkpoint(save(tmp_path, *PARTS))


# -- what it refuses: what is no checkpoint -----------------------------------------------


def test_a_file_cut_anywhere_is_refused(tmp_path: Path) -> None:
    whole = b"".join(PARTS) + DATA
    path = tmp_path / "cut.pth"
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        with pytest.raises(DamagedWeights):
            read_checkpoint(path)


def test_random_bytes_are_refused(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    for number_of in range(200):
        path = save(tmp_path, *PARTS[: number_of % 4], random.bytes(400), data=b"")
        with pytest.raises(DamagedWeights):
            read_checkpoint(path)


def test_a_changed_byte_is_refused_or_changes_a_value_only(tmp_path: Path) -> None:
    whole, random = b"".join(PARTS) + DATA, np.random.default_rng(1)
    path, refused = tmp_path / "changed.pth", 0
    for at in range(len(whole)):
        for other in random.integers(0, 256, 4):
            path.write_bytes(whole[:at] + bytes([other]) + whole[at + 1 :])
            try:
                found = read_checkpoint(path)
            except DamagedWeights:
                refused += 1
            else:
                assert sum(array.size for array in found.values()) <= 6
    assert refused > 2 * len(whole)


@pytest.mark.parametrize("content", [b"\x80\x02}.", table(), b"\x80\x02].", b"\x80\x02N.", table(w=b"K\x01")])
def test_what_holds_no_tensors_is_refused(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(DamagedWeights, match="no table of tensors"):
        read_checkpoint(save(tmp_path, MAGIC, PROTOCOL, SIZES, content, key_list(), data=b""))


def test_the_zip_format_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "weights.pth"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", WHOLE)
    with pytest.raises(DamagedWeights, match="zip format"):
        read_checkpoint(path)


def test_what_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DamagedWeights, match="No such file"):
        read_checkpoint(tmp_path / "none.pth")
    with pytest.raises(DamagedWeights, match="directory"):
        read_checkpoint(tmp_path)
    (tmp_path / "empty.pth").touch()
    with pytest.raises(DamagedWeights):
        read_checkpoint(tmp_path / "empty.pth")
