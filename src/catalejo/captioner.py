"""A vision-language model that writes descriptions: picture after picture, over one endpoint."""

from __future__ import annotations

import os
from collections.abc import Callable
from itertools import islice
from typing import TYPE_CHECKING

from catalejo import plugins
from catalejo.answerers.vision import Asking, caption
from catalejo.errors import CannotRead, EndpointFailed
from catalejo.pages import PageReader
from catalejo.records import Limits

if TYPE_CHECKING:
    from PIL.Image import Image

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
        self._limits = limits or Limits()
        self._reader = PageReader(self._limits, _WHOLE)
        self.name = asking.model or "endpoint"

    def write(self, path: str, page: int, language: str, length: str, known: str) -> str:
        """See ``describing.Writer``.

        Raises:
            EndpointFailed: it does not answer, or with nothing.
            CannotRead, OverLimit: the picture cannot be read.
            NoEndpoint, CannotPerceive, PromptTooLong, TooCostly, MissingExtra: see ``answerers.vision.caption``.
        """
        picture = self._picture(path, page)
        found = caption(
            picture, language, length=length, alternative=True, known=known, asking=self._asking, say=self._say
        )
        self.name = found.model or self.name
        if not found.text.strip():
            raise EndpointFailed(self._asking.endpoint or "the endpoint", "its description is empty")
        return " ".join(found.text.split())

    def _picture(self, path: str, page: int) -> Image:
        """A page of a picture file, or of a PDF, at its full size."""
        if plugins.document_for(os.path.splitext(path)[1]) == "pdf":
            from catalejo.readers import pdf

            return pdf.render(path, page, self._limits)
        with self._reader.opened(path) as (file, _):
            for found in islice(self._reader.pages(file, path), page, None):
                return found.picture
        raise CannotRead(path, f"it has no page {page + 1}")
