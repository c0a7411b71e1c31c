"""QUESTIONS about one file, in Spanish and English: what is asked, about which thing, and what facts say of it."""

from __future__ import annotations

from dataclasses import dataclass

# What facts can answer.
ANSWERABLE = (
    *("what", "kind", "exists", "is-it", "breed", "colour", "grey", "text", "has-text", "says", "speech"),
    *(
        "has-speech",
        "language",
        "sound",
        "when-heard",
        "when",
        "where",
        "camera",
        "size",
        "width",
        "height",
        "duration",
    ),
    *("frames", "frame-rate", "shots", "pages", "count", "events", "sure", "adult"),
)
# What they cannot, whatever the file: each has its reason in ``wording``.
BEYOND = (
    *("future", "identity", "name", "owner", "speed", "brand", "price", "age", "measure", "mind", "why", "position"),
    *("doing", "author", "health", "taste", "outcome", "unknown"),
)


@dataclass(frozen=True)
class Question:
    """A question, understood.

    Attributes:
        text: as it was asked.
        language: ``en`` or ``es``; of the answer too.
        topic: one of ``ANSWERABLE`` or ``BEYOND``.
        thing: the words for what is asked about, such as ``perro``; empty: the file as a whole.
    """

    text: str
    language: str
    topic: str
    thing: str = ""
