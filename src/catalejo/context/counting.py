"""Files and folders in tokens: texts, pictures, recordings; each file told, the bad ones with their reason."""

from __future__ import annotations

import io
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from catalejo import files, plugins
from catalejo.context import media, tokens
from catalejo.context.language_model import LanguageModel
from catalejo.context.tokens import Count
from catalejo.errors import CannotRead, CatalejoError
from catalejo.reading_texts import read_document
from catalejo.recordings import kind_of, recording
from catalejo.records import Limits
from catalejo.texts import TextPage
from catalejo.walk import sources

KINDS = ("text", "image", "audio", "video")


@dataclass(frozen=True)
class FileTokens:
    """What one file is to some models.

    Attributes:
        path: as it was named or found; ``-`` is the standard input.
        kind: text, image, audio or video; empty where that could not be told.
        what: its size in words: ``12 pages, 3,400 characters``, ``1920 x 1080``, ``62 s``.
        counts: one a model; None where it takes no such file.
        reason: why it was not counted; empty if it was.
        note: what was left out of it: pages that are pictures of text.
    """

    path: str
    kind: str
    what: str
    counts: tuple[Count | None, ...]
    reason: str = ""
    note: str = ""


@dataclass(frozen=True)
class Meter:
    """What to count for, and how.

    Attributes:
        models: to count for.
        tokenizer: a ``tokenizer.json`` that counts the text of them all.
        detail: of pictures: see ``media.image``.
        seconds: how long a recording or film lasts, where its file does not say.
        limits: what readers refuse.
    """

    models: tuple[LanguageModel, ...]
    tokenizer: Path | None = None
    detail: str = "high"
    seconds: float | None = None
    limits: Limits = field(default_factory=Limits)

    def files(self, paths: Iterable[str], stdin: BinaryIO | None = None) -> Iterator[FileTokens]:
        """Every file in turn, once: those named, and all below the folders named, but for hidden ones.

        Args:
            paths: files, folders, patterns; ``-`` is ``stdin``.
            stdin: bytes of a text.

        Raises:
            CannotRead: ``tokenizer`` is none. Of the files themselves nothing is raised; it is told.
        """
        seen: set[str] = set()
        for path in paths:
            if path == "-" and stdin is not None:
                yield self._told(path, stdin)
                continue
            try:
                found = sources([path], documents=True)
            except CatalejoError as error:
                yield self._bad(path, error)
                continue
            for one in found:
                for file in below(one):
                    if file not in seen:
                        seen.add(file)
                        yield self._told(file)

    def text(self, text: str) -> tuple[Count, ...]:
        """A text, for each model; models of one tokenizer are counted once."""
        seen: dict[str, Count] = {}
        for model in self.models:
            key = "" if self.tokenizer else model.tokenizer
            if key not in seen:
                seen[key] = tokens.count(text, model, self.tokenizer)
        return tuple(seen["" if self.tokenizer else model.tokenizer] for model in self.models)

    def _told(self, path: str, stdin: BinaryIO | None = None) -> FileTokens:
        if self.tokenizer:  # one that cannot be used is no file's fault
            tokens.count("", self.models[0], self.tokenizer)
        try:
            return self._counted(shown(path), stdin)
        except CatalejoError as error:
            return self._bad(path, error)

    def _counted(self, path: str, stdin: BinaryIO | None) -> FileTokens:
        if stdin is not None:
            from catalejo.readers.text import TextReader

            file = io.BytesIO(stdin.read(int(self.limits.max_file_mb * 1e6) + 1))
            text = "".join(page.text for page in TextReader().read(file, path, self.limits))
            return FileTokens(path, "text", _characters(text), self.text(text))
        kind = kind_of(path)
        if kind == "image":
            size = media.size_of(path, self.limits)
            counts = tuple(media.image(size, model, self.detail) for model in self.models)
            return FileTokens(path, "image", f"{size.width_px:,} x {size.height_px:,}", counts)
        if kind in ("audio", "video"):
            seconds = recording(path, self.limits).seconds if self.seconds is None else self.seconds
            formula = media.audio if kind == "audio" else media.video
            return FileTokens(path, kind, f"{seconds:,.1f} s", tuple(formula(seconds, model) for model in self.models))
        return self._document(path)

    def _document(self, path: str) -> FileTokens:
        pages = pages_of(path, self.limits)
        blank = sum(page.needs_ocr for page in pages)
        if blank == len(pages) and not any(page.text.strip() for page in pages):
            raise CannotRead(path, "its pages are pictures of text, which has to be recognised first")
        text = "\n\n".join(page.text for page in pages if page.text)
        what = _characters(text) if len(pages) < 2 else f"{len(pages):,} pages, {_characters(text)}"
        is_or_are = "page is a picture" if blank == 1 else "pages are pictures"
        note = f"{blank:,} {is_or_are} of text, not counted" if blank else ""
        return FileTokens(path, "text", what, self.text(text), note=note)

    def _bad(self, path: str, error: CatalejoError) -> FileTokens:
        reason = error.reason if isinstance(error, CannotRead) else str(error)
        return FileTokens(shown(path), "", "", (None,) * len(self.models), reason=reason)


def totals(counted: Sequence[FileTokens], models: int) -> dict[str, tuple[Count | None, ...]]:
    """The sum of each kind, and ``total`` of all; None where a model takes nothing of that kind."""
    found: dict[str, tuple[Count | None, ...]] = {}
    for kind in (*KINDS, "total"):
        rows = [one.counts for one in counted if one.kind and kind in (one.kind, "total")]
        if rows:
            found[kind] = tuple(_sum(row[number] for row in rows) for number in range(models))
    return found


def _sum(counts: Iterable[Count | None]) -> Count | None:
    known = [count for count in counts if count is not None]
    return sum(known[1:], known[0]) if known else None


def pages_of(path: str, limits: Limits | None = None) -> list[TextPage]:
    """The pages of a document, or of anything else that is text: source code, a log, a letter without a suffix.

    Raises:
        CannotRead, OverLimit, MissingExtra: see ``read_document``.
    """
    limits = limits or Limits()
    if plugins.document_for(os.path.splitext(path)[1]):
        return list(read_document(path, limits))
    from catalejo.readers.text import TextReader

    with files.opened(path, limits) as file:
        return list(TextReader().read(file, path, limits))


def shown(path: str) -> str:
    """Relative to where we are, if it is below."""
    here = os.getcwd() + os.sep
    return path.removeprefix(here) or path


def _characters(text: str) -> str:
    return f"{len(text):,} characters"


def below(path: str) -> Iterator[str]:
    """The file itself, or all files below a folder in a fixed order; hidden ones and linked folders are passed over."""
    if not os.path.isdir(path):
        yield path
        return
    for folder, inner, names in os.walk(path):
        inner[:] = sorted(name for name in inner if not name.startswith("."))
        yield from (os.path.join(folder, name) for name in sorted(names) if not name.startswith("."))
