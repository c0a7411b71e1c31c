"""What a JPEG asks of its decoder, read from its markers before any pixel is."""

from __future__ import annotations

from typing import BinaryIO

_SCAN, _END = 0xDA, 0xD9
_BARE = {0x01, *range(0xD0, 0xD9)}  # markers without a length
_CHUNK = 1 << 20
# Encoders write 1 to 12 scans. Each is a pass over the whole picture: 30 ms for 81 megapixels, measured,
# for 120 bytes of file; ten megabytes of scans would keep a decoder busy for an hour.
MOST_SCANS = 100


def in_one_pass(file: BinaryIO, components: int) -> bool:
    """Whether the first scan carries all components, so that rows are decoded as they come.

    Otherwise the decoder holds the whole picture at full size, whatever scale is asked of it.

    Args:
        file: anywhere; left anywhere.
        components: of the picture.
    """
    file.seek(2)
    while True:
        byte = file.read(1)
        while byte not in (b"\xff", b""):  # decoders skip what is between segments
            byte = file.read(1)
        while byte == b"\xff":
            byte = file.read(1)
        if byte == b"" or byte[0] == _END:
            return False
        if byte[0] in _BARE or byte[0] == 0:
            continue
        length = int.from_bytes(file.read(2), "big")
        if byte[0] == _SCAN:
            return file.read(1) == bytes([components])
        file.seek(max(length - 2, 0), 1)


def scans(file: BinaryIO) -> int:
    """How often the file starts a scan, thumbnails included. The marker cannot occur inside coded data."""
    file.seek(0)
    count, last = 0, b""
    while chunk := file.read(_CHUNK):
        count += (last + chunk).count(b"\xff\xda")
        last = chunk[-1:] if chunk.endswith(b"\xff") else b""
    return count
