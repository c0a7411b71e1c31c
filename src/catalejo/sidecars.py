"""Descriptions -> XMP files beside the pictures, which photo programs read; what others wrote there stays.

The caption goes to ``dc:description``, the alternative text to ``Iptc4xmpCore:AltTextAccessibility``, a long one to
``Iptc4xmpCore:ExtDescrAccessibility`` (IPTC Photo Metadata Standard 2021.1); see ``xmp`` for what is kept.

A picture ``a.jpg`` has its sidecar in ``a.jpg.xmp`` (darktable, digiKam), or in ``a.xmp`` (Adobe) if that is there
already. The picture itself is never written to.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from catalejo.errors import CannotSave
from catalejo.xmp import ALT_TEXT, DESCRIPTION, LONG, Text, merged

if TYPE_CHECKING:
    from catalejo.describing import Description

_MOST_BYTES = 20_000_000


@dataclass(frozen=True)
class Written:
    """What became of a sidecar.

    Attributes:
        path: of the sidecar.
        kept: texts of somebody else that stay, as ``dc:description (es)``.
        changed: whether the file was written.
    """

    path: str
    kept: tuple[str, ...]
    changed: bool


def texts_of(descriptions: Iterable[Description], length: str) -> list[Text]:
    """What goes where, of one picture's descriptions: a long one is no alternative text, so its caption is."""
    made = []
    for one in descriptions:
        made.append(Text(DESCRIPTION, one.language, one.caption))
        made.append(Text(ALT_TEXT, one.language, one.caption if length == "long" else one.alt_text))
        if length == "long":
            made.append(Text(LONG, one.language, one.alt_text))
    return made


def sidecar_of(picture: str) -> str:
    """Where the sidecar of a picture is, or goes."""
    ours, theirs = f"{picture}.xmp", f"{os.path.splitext(picture)[0]}.xmp"
    return theirs if os.path.exists(theirs) and not os.path.exists(ours) else ours


def write(picture: str, texts: Sequence[Text], replace: bool = False) -> Written:
    """Write texts into a picture's sidecar, which is made where there is none.

    Args:
        picture: its path.
        texts: of several languages, the first becomes the default.
        replace: also replace what somebody else wrote.

    Raises:
        CannotSave: what is there is no XMP and was left as it is, or the place cannot be written to.
    """
    path = sidecar_of(picture)
    before = _read(path)
    made, kept = merged(before, texts, replace, path)
    if made != before:
        _save(path, made)
    return Written(path, kept, made != before)


def _read(path: str) -> str | None:
    try:
        data = Path(path).read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise CannotSave(path, error.strerror or str(error)) from error
    if len(data) > _MOST_BYTES:
        raise CannotSave(path, "what is there is too large for XMP, and was left as it is")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise CannotSave(path, "what is there is not UTF-8, and was left as it is") from error


def _save(path: str, text: str) -> None:
    """In one step, so that nobody finds half of it."""
    folder = os.path.dirname(os.path.abspath(path))
    try:
        handle, waiting = tempfile.mkstemp(suffix=".xmp.tmp", dir=folder)
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(text)
            os.chmod(waiting, os.stat(path).st_mode & 0o777 if os.path.exists(path) else 0o666 & ~_umask())
            os.replace(waiting, path)
        except BaseException:
            with suppress(OSError):
                os.unlink(waiting)
            raise
    except OSError as error:
        raise CannotSave(path, error.strerror or str(error)) from error


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
