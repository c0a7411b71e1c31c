"""What every reader of documents does besides reading: count, and turn whatever a library raises into one line."""

from __future__ import annotations

import errno
import re
from collections.abc import Iterator
from contextlib import contextmanager

from catalejo.errors import CannotRead, CatalejoError, OverLimit
from catalejo.readers.characters import too_long
from catalejo.records import Limits
from catalejo.texts import TextPage

_OBJECT = re.compile(r"<[^<>]*>|\b0x[0-9a-fA-F]+")  # how Python writes an object: of no use to a reader


def guarded(pages: Iterator[TextPage], path: str, limits: Limits, kind: str) -> Iterator[TextPage]:
    """The same pages, within limits.

    Args:
        pages: of one document.
        path: for messages.
        limits: ``max_chars`` and ``max_document_pages`` hold for all of it.
        kind: how a user calls it, such as ``PDF``.

    Raises:
        OverLimit: with the flag that raises the limit.
        CannotRead: for anything that goes wrong, but errors of ours and a lack of memory, which stay as they are.
    """
    chars = count = 0
    with one_line(path, kind):
        for page in pages:
            count, chars = count + 1, chars + len(page.text)
            if count > limits.max_document_pages:
                raise too_many_pages(path, limits)
            if chars > limits.max_chars:
                raise too_long(path, limits)
            yield page
    if not count:
        raise CannotRead(path, f"damaged {kind} (it has no pages)")


@contextmanager
def one_line(path: str, kind: str) -> Iterator[None]:
    """Whatever goes wrong inside becomes a ``CannotRead``, but errors of ours and a lack of memory."""
    try:
        yield
    except (CatalejoError, MemoryError):
        raise
    except Exception as error:  # damaged files make libraries raise anything
        raise CannotRead(path, _reason(error, kind)) from error


def too_many_pages(path: str, limits: Limits) -> OverLimit:
    """What to say of a document with too many pages."""
    most = f"{limits.max_document_pages} pages"
    return OverLimit(path, f"more than {most}", most, "--max-document-pages")


def _reason(error: Exception, kind: str) -> str:
    if isinstance(error, OSError) and error.strerror and error.errno != errno.EINVAL:  # the disk, not the document
        return error.strerror.lower()
    if isinstance(error, SyntaxError):  # lxml's; where exactly helps nobody
        return f"damaged {kind} (its XML is broken)"
    if not isinstance(error, (OSError, ValueError, EOFError)) or isinstance(error, UnicodeError):
        return f"damaged {kind} (its parts do not fit together)"  # a KeyError's text tells a user nothing
    text = "".join(c if c.isprintable() else " " for c in _OBJECT.sub("...", str(error)))
    return f"damaged {kind} ({' '.join(text.split())[:160] or 'no reason given'})"
