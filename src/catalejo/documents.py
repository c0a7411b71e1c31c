"""One document -> its pages as items, and what they say as passages with their words and sentence vectors."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Callable, Sequence
from concurrent.futures import CancelledError
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import BinaryIO

import numpy as np

from catalejo import plugins
from catalejo.chunking import passages, sentences, span_of
from catalejo.encoders import Array
from catalejo.errors import CannotRead, CatalejoError, MissingExtra
from catalejo.passage_rows import TEXT, Key, PassageRow
from catalejo.readers import DocumentReader
from catalejo.records import Item, Limits
from catalejo.tables import ItemRow
from catalejo.texts import Passage, Span, TextPage
from catalejo.words import analyse

_TOGETHER = 512  # sentences encoded in one go, also those of several pages


@cache
def _reader(name: str) -> DocumentReader:
    reader: DocumentReader = plugins.load("documents", name)()
    return reader


def is_document(path: str) -> bool:
    """Whether a file's name says that it is a document."""
    return plugins.document_for(os.path.splitext(path)[1]) is not None


def readable(path: str) -> bool:
    """Whether what reads a document, a recording or a film is installed."""
    if plugins.is_recording(path):
        return importlib.util.find_spec("av") is not None
    name = plugins.document_for(os.path.splitext(path)[1])
    try:
        return name is not None and bool(_reader(name))
    except MissingExtra:
        return False


class DocumentFiles:
    """Makes rows of documents. Safe to use from several threads at once.

    Args:
        limits: what readers refuse.
        encode: texts -> (n, width) unit vectors, of sentences.
    """

    def __init__(self, limits: Limits, encode: Callable[[Sequence[str]], Array]) -> None:
        self._limits, self._encode = limits, encode

    def rows(
        self, file: BinaryIO, path: str, hash: str, dated: datetime, stopped: Callable[[], bool]
    ) -> tuple[list[ItemRow], list[PassageRow]]:
        """An item for every page of an open document, and its passages.

        Args:
            file: open for reading, at its start.
            path: its suffix says how to read it.
            hash: of its bytes.
            dated: the date it is filed under.
            stopped: asked between pages.

        Raises:
            CannotRead, OverLimit, MissingExtra: see ``DocumentReader``.
            CancelledError: ``stopped`` said so.
        """
        name = plugins.document_for(os.path.splitext(path)[1]) or "text"
        items: list[ItemRow] = []
        found: list[_Cut] = []
        try:
            for page in _reader(name).read(file, path, self._limits):
                if stopped():
                    raise CancelledError
                kind = "scan" if page.needs_ocr else "text"
                items.append(ItemRow(Item(hash, page.number - 1, kind, 0, 0), dated, None))
                found += _cut(page, hash)
        except CatalejoError as error:
            raise error if isinstance(error, CannotRead) else CannotRead(path, str(error)) from error
        if not items:
            raise CannotRead(path, "it has no pages")
        return items, self._encoded(found, dated, TEXT, stopped)

    def perceived(
        self, pages: Sequence[TextPage], hash: str, dated: datetime, signal: str, stopped: Callable[[], bool]
    ) -> list[PassageRow]:
        """The passages of what somebody read or heard in a file.

        Args:
            pages: what it was.
            hash: of the file's bytes.
            dated: the date it is filed under.
            signal: the name of who read or heard it.
            stopped: asked now and then.

        Raises:
            CancelledError: ``stopped`` said so.
        """
        return self._encoded([cut for page in pages for cut in _cut(page, hash)], dated, signal, stopped)

    def _encoded(
        self, found: Sequence[_Cut], dated: datetime, signal: str, stopped: Callable[[], bool]
    ) -> list[PassageRow]:
        said = [text for cut in found for text in cut.texts]
        vectors: list[Array] = []
        for start in range(0, len(said), _TOGETHER):
            if stopped():
                raise CancelledError
            vectors.append(self._encode(said[start : start + _TOGETHER]))
        flat = np.concatenate(vectors) if vectors else np.empty((0, 1), np.float32)
        rows, at = [], 0
        for cut in found:
            language = cut.passage.language
            words = tuple(analyse(cut.passage.text, language))
            stems = tuple(tuple(analyse(text, language)) for text in cut.texts)
            own = flat[at : at + len(cut.spans)]
            rows.append(PassageRow(cut.key, cut.passage, words, cut.spans, stems, own, dated, signal))
            at += len(cut.spans)
        return rows


@dataclass(frozen=True)
class _Cut:
    """A passage, and where its sentences stand."""

    key: Key
    passage: Passage
    spans: tuple[Span, ...]

    @property
    def texts(self) -> list[str]:
        return [self.passage.said(span) for span in self.spans]


def _cut(page: TextPage, hash: str) -> list[_Cut]:
    cuts = []
    for number, passage in enumerate(passages(page)):
        first = passage.span.start
        spans = tuple(span_of(page, first + start, first + end) for start, end in sentences(passage.text))
        cuts.append(_Cut((hash, page.number - 1, number), passage, spans))
    return cuts
