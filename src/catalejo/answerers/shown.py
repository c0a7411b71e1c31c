"""What a model is shown besides text, as the parts of a message: pictures and recordings as data, in their order."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from PIL import Image

from catalejo.context import media, resolution
from catalejo.context.media import Size
from catalejo.context.resolution import Foreseen

if TYPE_CHECKING:
    from catalejo.context.language_model import LanguageModel
    from catalejo.context.pack import Counted

_QUALITY = 92  # of JPEG, colours not halved: text in pictures stays legible
_FEW_COLOURS = 256  # up to which PNG is smaller, and exact: drawings and screenshots
_DETAILED = ("gpt-4o", "gpt-4o-mini", "gpt-5", "o1")  # whose tokens depend on the detail that a request names
_SECOND = 32  # tokens, where the model's own figure is not known: the most that any takes


@dataclass(frozen=True)
class Recorded:
    """A recording for a model that hears.

    Attributes:
        wav: the whole WAV file.
        seconds: how long it lasts.
    """

    wav: bytes
    seconds: float


Part = str | Image.Image | Recorded


@dataclass(frozen=True)
class Laid:
    """Parts laid out for one message.

    Attributes:
        content: as the protocol has it: ``text``, ``image_url``, ``input_audio``.
        tokens, low, high: of all of them together.
        sizes: of the pictures, as they are sent.
        shrunk: lines for people about pictures that were made smaller than the model would have taken.
    """

    content: tuple[dict[str, Any], ...]
    tokens: int
    low: int
    high: int
    sizes: tuple[Size, ...]
    shrunk: tuple[str, ...] = ()


def lay(
    parts: Sequence[Part],
    record: LanguageModel | None,
    count: Callable[[str], Counted],
    detail: str = "high",
    most_px: int = resolution.MOST_PX,
) -> Laid:
    """Parts as a message's content, in the order given.

    Args:
        parts: texts, upright RGB pictures at any size, recordings.
        record: what is known of the model; None: nothing.
        count: tokens of a text.
        detail: of pictures; see ``media.DETAILS``.
        most_px: longer side of a picture at most.

    Raises:
        DoesNotFit: there is no such detail.
    """
    content: list[dict[str, Any]] = []
    sizes: list[Size] = []
    shrunk: list[str] = []
    low = tokens = high = 0
    for part in parts:
        if isinstance(part, str):
            content.append({"type": "text", "text": part})
            found: Counted | Foreseen = count(part)
        elif isinstance(part, Recorded):
            content.append({"type": "input_audio", "input_audio": {"data": _text(part.wav), "format": "wav"}})
            known = media.audio(part.seconds, record) if record else None
            most = round(part.seconds * _SECOND)
            found = known or Foreseen(most, min(most, round(part.seconds)), most)
        else:
            full = Size(*part.size)
            size = resolution.sent(full, record, detail, most_px)
            if size != resolution.sent(full, record, detail):
                shrunk.append(
                    f"a picture of {part.width} x {part.height} was sent at {size.width_px} x {size.height_px}, "
                    "so that it fits into the model's context"
                )
            content.append(_image(data_uri(part, size), detail, record))
            found = resolution.foreseen(size, record, detail)
            sizes.append(size)
        low, tokens, high = low + found.low, tokens + found.tokens, high + found.high
    return Laid(tuple(content), tokens, low, high, tuple(sizes), tuple(shrunk))


def data_uri(picture: Image.Image, size: Size) -> str:
    """A picture at a size as a data URI: PNG where it has few colours, else JPEG."""
    picture = picture if picture.mode == "RGB" else picture.convert("RGB")
    if picture.size != (size.width_px, size.height_px):
        picture = picture.resize((size.width_px, size.height_px), Image.Resampling.LANCZOS, reducing_gap=3.0)
    buffer = io.BytesIO()
    if picture.getcolors(_FEW_COLOURS):
        picture.save(buffer, "PNG", optimize=True)
        return f"data:image/png;base64,{_text(buffer.getvalue())}"
    picture.save(buffer, "JPEG", quality=_QUALITY, subsampling=0)
    return f"data:image/jpeg;base64,{_text(buffer.getvalue())}"


def _image(uri: str, detail: str, record: LanguageModel | None) -> dict[str, Any]:
    told = {"detail": "low" if detail == "low" else "high"} if record and record.image in _DETAILED else {}
    return {"type": "image_url", "image_url": {"url": uri, **told}}


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")
