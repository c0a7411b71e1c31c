"""Names and where their code lives; listing them imports nothing.

A plug-in is one line here (ours) or one entry point in another distribution
(``[project.entry-points."catalejo.encoders"]``), found only when used.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
from dataclasses import dataclass
from functools import cache, reduce
from typing import Any

from catalejo.errors import MissingExtra, UnknownName


@dataclass(frozen=True)
class Plugin:
    """One entry: ``module:Class``, and the extra that brings what it imports (None: the base install).

    ``suffixes`` are those of the files a reader takes; ``kinds`` those of the items a perceiver takes.
    """

    target: str
    extra: str | None = None
    suffixes: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()


READERS = {
    "image": Plugin(
        "catalejo.readers.image:ImageReader",
        suffixes=(
            *(".jpg", ".jpeg", ".jpe", ".jfif", ".mpo", ".png", ".webp", ".gif", ".bmp", ".dib"),
            *(".tif", ".tiff", ".avif", ".heic", ".heif", ".hif"),
        ),
    ),
    "audio": Plugin(
        "catalejo.readers.audio:AudioReader",
        "media",
        (
            *(".mp3", ".m4a", ".m4b", ".aac", ".wav", ".wave", ".flac", ".ogg", ".oga", ".opus", ".wma", ".mka"),
            *(".weba", ".aiff", ".aif", ".aifc", ".caf", ".au", ".amr", ".mp2", ".ac3", ".ape", ".wv"),
        ),
    ),
    "video": Plugin(
        "catalejo.readers.video:VideoReader",
        "media",
        (
            *(".mp4", ".m4v", ".mov", ".qt", ".mkv", ".webm", ".avi", ".mpg", ".mpeg", ".m2v", ".vob", ".mts"),
            *(".m2ts", ".wmv", ".asf", ".flv", ".f4v", ".3gp", ".3g2", ".ogv", ".ogm", ".mxf", ".dv", ".rm", ".rmvb"),
        ),
    ),
}
RECORDINGS = ("audio", "video")  # readers of what lasts: they need an extra, and their pages may show nothing
DOCUMENTS = {
    "text": Plugin("catalejo.readers.text:TextReader", suffixes=(".txt", ".text", ".md", ".markdown", ".rst")),
    "pdf": Plugin("catalejo.readers.pdf:PdfReader", suffixes=(".pdf",)),
    "csv": Plugin("catalejo.readers.csv:CsvReader", suffixes=(".csv", ".tsv")),
    "subtitles": Plugin("catalejo.readers.subtitles:SubtitleReader", suffixes=(".srt", ".vtt", ".sbv")),
    "html": Plugin("catalejo.readers.html:HtmlReader", "documents", (".html", ".htm", ".xhtml")),
    "docx": Plugin("catalejo.readers.docx:DocxReader", "documents", (".docx", ".docm")),
    "pptx": Plugin("catalejo.readers.pptx:PptxReader", "documents", (".pptx", ".pptm", ".ppsx")),
    "epub": Plugin("catalejo.readers.epub:EpubReader", "documents", (".epub",)),
}
ENCODERS = {
    "conse": Plugin("catalejo.encoders.conse:ConseEncoder"),
    "clip": Plugin("catalejo.encoders.clip:ClipEncoder"),
    "symbolic": Plugin("catalejo.encoders.symbolic:SymbolicEncoder"),
    "transformers": Plugin("catalejo.encoders.transformers:TransformersEncoder", extra="torch"),
}
DEFAULT_ENCODER = "conse"
SOUND_ENCODERS = {"yamnet": Plugin("catalejo.encoders.sounds:SoundEncoder")}  # of recordings, by what they sound like
TEXT_ENCODERS = {"sentence": Plugin("catalejo.encoders.sentence:SentenceEncoder")}  # of texts alone, for documents
PERCEIVERS: dict[str, Plugin] = {
    "speech": Plugin("catalejo.perceivers.speech:SpeechPerceiver", "speech", kinds=("audio",)),
    "sounds": Plugin("catalejo.perceivers.sounds:SoundPerceiver", kinds=("audio",)),
    "safety": Plugin("catalejo.perceivers.safety:SafetyPerceiver", kinds=("image", "video")),
    "ocr": Plugin("catalejo.perceivers.ocr:Ocr", "ocr", kinds=("image", "scan", "video")),
    "labels": Plugin("catalejo.perceivers.labels:Labels", kinds=("image", "video")),
    "colours": Plugin("catalejo.perceivers.colours:Colours", kinds=("image", "video")),
}

_OURS = {
    "readers": READERS,
    "documents": DOCUMENTS,
    "encoders": ENCODERS,
    "text_encoders": TEXT_ENCODERS,
    "sound_encoders": SOUND_ENCODERS,
    "perceivers": PERCEIVERS,
}


@cache
def table(group: str) -> dict[str, Plugin]:
    """The plug-ins of a group, ours and those of other distributions. A name of ours wins over an outsider's.

    Args:
        group: ``readers``, ``documents``, ``encoders``, ``text_encoders``, ``sound_encoders`` or ``perceivers``.
    """
    from importlib.metadata import entry_points  # 20 ms; only when a group is listed

    outside = {e.name: Plugin(e.value.partition("[")[0].strip()) for e in entry_points(group=f"catalejo.{group}")}
    return outside | _OURS[group]


def load(group: str, name: str) -> Any:
    """Import and return the class behind a name.

    Raises:
        UnknownName: nobody registered it.
        MissingExtra: its optional packages are not installed. Anything else that fails while it is
            imported is a bug, and is raised as it is.
    """
    plugin = _OURS[group].get(name) or table(group).get(name)
    if plugin is None:
        raise UnknownName(group.removesuffix("s"), name, table(group))
    module, _, attributes = plugin.target.partition(":")
    try:
        return reduce(getattr, attributes.split("."), importlib.import_module(module))
    except ModuleNotFoundError as error:
        missing = (error.name or "").partition(".")[0]
        if plugin.extra is None or not missing or importlib.util.find_spec(missing):
            raise  # a part of a package that is there, ours included
        raise MissingExtra(f"{group.removesuffix('s')} {name!r}", missing, plugin.extra) from error


def reader_for(suffix: str) -> str | None:
    """The reader that takes pictures, recordings or films with this suffix (``.jpg``), or None."""
    return by_suffix("readers").get(suffix.lower())


def is_recording(path: str) -> bool:
    """Whether a file's name is one of a recording or a film."""
    return reader_for(os.path.splitext(path)[1]) in RECORDINGS


def document_for(suffix: str) -> str | None:
    """The reader that takes documents with this suffix (``.pdf``), or None."""
    return by_suffix("documents").get(suffix.lower())


@cache
def by_suffix(group: str) -> dict[str, str]:
    """Suffix -> reader (``readers``, ``documents``). An outsider's is imported for ``suffixes``; ours come first."""
    found: dict[str, str] = {}
    for name in sorted(table(group), key=lambda name: name not in _OURS[group]):
        for suffix in table(group)[name].suffixes or load(group, name).suffixes:
            found.setdefault(suffix.lower(), name)
    return found
