"""A vision-language model that writes descriptions: picture after picture, over one endpoint."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice

from catalejo.answerers.vision import Asking, caption
from catalejo.errors import EndpointFailed
from catalejo.pages import PageReader
from catalejo.records import Limits

_WHOLE = 1 << 20  # px: pictures are read at their full size


class Captioner:
    """See ``describing.Writer``.

    Args:
        asking: whom; see ``answerers.vision``.
        limits: what readers refuse.
        say: called with lines for people.
    """

    def __init__(self, asking: Asking, limits: Limits | None = None, say: Callable[[str], None] | None = None) -> None:
        self._asking, self._say = asking, say
        self._reader = PageReader(limits or Limits(), _WHOLE)
        self.name = asking.model or "endpoint"

    def write(self, path: str, page: int, language: str, length: str, known: str) -> str:
        """See ``describing.Writer``.

        Raises:
            EndpointFailed: it does not answer, or with nothing.
            NoEndpoint, CannotPerceive, PromptTooLong, TooCostly, MissingExtra: see ``answerers.vision.caption``.
        """
        with self._reader.opened(path) as (file, _):
            picture = next(islice(self._reader.pages(file, path), page, None)).picture
        found = caption(
            picture, language, length=length, alternative=True, known=known, asking=self._asking, say=self._say
        )
        self.name = found.model or self.name
        if not found.text.strip():
            raise EndpointFailed(self._asking.endpoint or "the endpoint", "its description is empty")
        return " ".join(found.text.split())
