"""The nouns of the project, as frozen dataclasses; the same in Python, on the command line and in JSON."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from catalejo.errors import BadQuery
from catalejo.model_files import HubFile, WeightsFile, WheelFile
from catalejo.texts import Box, Passage, Span


@dataclass(frozen=True)
class ModelCard:
    """What a model is; an encoder's is stored with the vectors it makes.

    Attributes:
        name: as in ``plugins.ENCODERS``, or one to fetch it by.
        version: changes whenever its vectors do.
        space: vectors of one space can be compared with each other, and with no others.
        width: dimensions of a vector.
        takes: the kinds of item it encodes.
        languages: ISO 639-1 codes of the languages it was measured in.
        licence: of the weights, SPDX.
        source: paper or page.
        files: what it needs on disk.
        folder: where the user keeps it, for a model named by its path.
        family: what loads it: the plug-in ``conse``, ``clip``, ``transformers`` or ``symbolic``; ``vit``, no encoder.
        product_use: whether the licence of the weights allows use in a product.
        published: names and values of published scores, in percent; see ``cards``.
        published_from: where those scores were published.
        parameters_m: parameters of both towers, in millions.
        repo, revision: of a model hub; an empty revision is pinned when the model is fetched.
        purpose: ``search``: it is an encoder; else the command that uses it, such as ``attention``.
    """

    name: str
    version: str
    space: str
    width: int
    takes: tuple[str, ...]
    languages: tuple[str, ...]
    licence: str
    source: str
    files: tuple[WeightsFile | HubFile | WheelFile, ...] = ()
    folder: str = ""
    family: str = ""
    product_use: bool = True
    published: tuple[tuple[str, float], ...] = ()
    published_from: str = ""
    parameters_m: float | None = None
    repo: str = ""
    revision: str = ""
    purpose: str = "search"

    @property
    def identity(self) -> dict[str, Any]:
        """The fields that must agree for two sets of vectors to be comparable."""
        return {"name": self.name, "version": self.version, "space": self.space, "width": self.width}


@dataclass(frozen=True)
class ModelStatus:
    """A model one can use, and how much of it is on this machine.

    Attributes:
        card: what it is.
        megabytes: what each precision takes on disk, in 10^6 bytes; an estimate where ``estimated`` names it.
        estimated: precisions whose size the card does not know to the byte.
        here: precisions that are on this machine, whole.
        folder: where; empty when nothing is here.
        revision: of what is here.
        pinned: what holds it to its bytes: ``package``, ``card`` (revision and all SHA-256), ``revision``
            (the card's; SHA-256 from the hub when fetched) or ``fetch`` (both from the hub when fetched).
    """

    card: ModelCard
    megabytes: dict[str, float]
    estimated: tuple[str, ...]
    here: tuple[str, ...]
    folder: str
    revision: str
    pinned: str


@dataclass(frozen=True)
class Scoring:
    """How a model's cosines become probabilities: ``scale * cosine + bias``, then softmax or sigmoid.

    Attributes:
        kind: ``softmax`` over the labels asked, or ``sigmoid`` of each label by itself.
        scale, bias: as trained (CLIP: exp(logit_scale), about 100) or fitted.
        source: where they come from, for people.
        centred: whether the mean of the encoder's everyday texts is taken off both sides before the cosine,
            as fits a model whose pictures and texts share one region of the space.
    """

    kind: str
    scale: float
    bias: float = 0.0
    source: str = ""
    centred: bool = False


@dataclass(frozen=True)
class Label:
    """One thing a classifier saw: the class's index and its probability, 0 to 1."""

    index: int
    probability: float


@dataclass(frozen=True)
class Item:
    """One piece of content, known by the hash of its bytes.

    Attributes:
        hash: SHA-256 of the file's bytes, hex.
        page: position inside the file, from 0; a picture file has one page, a TIFF or a document may have many.
        kind: ``image``; ``video``, a shot of one; ``audio``, a stretch of a recording, or of what a video sounds
            like; ``text``, a page of a document; ``scan``, one that shows something and has no text.
        width_px, height_px: of the original, upright; 0 for what is no picture.
        taken: when, by the file's own account (EXIF), in the camera's local time.
        camera: maker and model.
        latitude, longitude: degrees, south and west negative.
        labels: what the encoder's classifier saw, most probable first.
        start_s, end_s: of a shot or stretch, in seconds of its recording.
    """

    hash: str
    page: int
    kind: str
    width_px: int
    height_px: int
    taken: datetime | None = None
    camera: str | None = None
    latitude: float | None = None
    longitude: float | None = None
    labels: tuple[Label, ...] = ()
    start_s: float | None = None
    end_s: float | None = None


@dataclass(frozen=True)
class Vote:
    """How one of several encoders saw a hit: its rank, from 1, its cosine, and whether that is better than chance."""

    encoder: str
    rank: int
    score: float
    matches: bool


@dataclass(frozen=True)
class Moment:
    """Another place of the same recording or film that answers a query.

    Attributes:
        page: of the shot on show, or of the stretch.
        start_s, end_s: when, in seconds.
        signal: what brought it, as in ``Hit``.
        score: as in ``Hit``.
    """

    page: int
    start_s: float
    end_s: float
    signal: str
    score: float


@dataclass(frozen=True)
class Hit:
    """One result of a search.

    Attributes:
        path: where the file is; with several copies, the first.
        score: cosine similarity of query and item, -1 to 1; with several encoders, the sum of 1 / (60 + rank).
        kind: ``image``, ``text``, ``scan``, ``audio`` or ``video``, whatever of a film it was that answers.
        why: the labels that spoke for it, with their probabilities; how a text answers.
        matches: whether the score is better than chance for this query in this catalog (any encoder, of several).
        page: for a file with several pages, which one, from 0; of a film, the shot on show.
        copies: other places with the same bytes.
        hash, width_px, height_px, taken, camera, latitude, longitude: as in ``Item``.
        votes: with several encoders, how each of those that found it ranked it.
        text: the passage found, of a document or of what was read or heard.
        span: where it stands.
        sentence: where its best sentence stands.
        signal: what brought it: ``picture``; ``text``, what a document says; ``sounds``, what a recording sounds
            like; or the perceiver who read or heard the words: ``ocr``, ``speech``.
        box: where in the picture the words stand, in pixels of the upright original: left, top, right, bottom.
        start_s, end_s: when, in seconds of the recording.
        moments: other places of the same recording or film that answer too, best first.
    """

    path: str
    score: float
    kind: str
    why: str
    matches: bool
    hash: str
    page: int = 0
    copies: tuple[str, ...] = ()
    width_px: int = 0
    height_px: int = 0
    taken: datetime | None = None
    camera: str | None = None
    latitude: float | None = None
    longitude: float | None = None
    votes: tuple[Vote, ...] = ()
    text: str = ""
    span: Span | None = None
    sentence: Span | None = None
    signal: str = "picture"
    box: Box | None = None
    start_s: float | None = None
    end_s: float | None = None
    moments: tuple[Moment, ...] = ()

    @property
    def quote(self) -> str:
        """The best sentence of a document's passage, in one line."""
        if self.span is None or self.sentence is None:
            return ""
        return " ".join(Passage(self.text, self.span).said(self.sentence).split())


@dataclass(frozen=True)
class SpaceStatus:
    """One encoder's vectors in a catalog.

    Attributes:
        encoder: its name.
        items: that have a vector.
        waiting: items it could encode that have none yet.
    """

    encoder: str
    items: int
    waiting: int = 0


@dataclass(frozen=True)
class SearchResult:
    """What a search found.

    Attributes:
        query: the query in words.
        hits: best first.
        line: the score below which hits are no better than chance; None in an empty catalog, and for several
            encoders, where each has its own.
        searched: items in the catalog.
        seconds: wall time.
        behind: encoders that some of the items have no vector of yet; those cannot be found by it.
    """

    query: str
    hits: tuple[Hit, ...]
    line: float | None
    searched: int
    seconds: float
    behind: tuple[SpaceStatus, ...] = ()

    @property
    def nothing_matches(self) -> bool:
        """True when no hit is better than chance."""
        return not any(hit.matches for hit in self.hits)

    def __iter__(self) -> Iterator[Hit]:
        return iter(self.hits)

    def __len__(self) -> int:
        return len(self.hits)


@dataclass(frozen=True)
class Skipped:
    """A file that could not be read, and why."""

    path: str
    reason: str


@dataclass(frozen=True)
class Limits:
    """What a reader refuses, so that one file cannot take the machine.

    Attributes:
        max_megapixels: pixels that must be held at once, in millions. A baseline JPEG
            is decoded at reduced scale and counts an eighth; a progressive one is held whole.
        max_file_mb: file size in megabytes (10^6 bytes).
        max_pages: pages of one file of pictures.
        max_chars: characters of text of one document.
        max_document_pages: pages of one document.
        max_unpacked_mb: what a document that is an archive (DOCX, PPTX, EPUB) may unpack to, or any one part of
            a PDF, in megabytes; pictures and films inside it are not unpacked.
        max_unpacked_ratio: how many times its own size such an archive may say it unpacks to, all of it.
        max_archive_entries: files inside such an archive.
        max_seconds: how long a recording or a film may last.
        max_streams: pictures, sounds, subtitles and attachments in one recording or film.
        max_media_mb: size of a recording or a film, which is read piece by piece, in megabytes.

    Raises:
        BadQuery: one of them is not above 0, or not a number.
    """

    max_megapixels: float = 100.0
    max_file_mb: float = 500.0
    max_pages: int = 200
    max_chars: int = 20_000_000
    max_document_pages: int = 10_000
    max_unpacked_mb: float = 100.0
    max_unpacked_ratio: float = 200.0
    max_archive_entries: int = 20_000
    max_seconds: float = 12 * 3600.0
    max_streams: int = 100
    max_media_mb: float = 20_000.0

    def __post_init__(self) -> None:
        for name, value in dataclasses.asdict(self).items():
            if not value > 0:  # NaN is not > either
                raise BadQuery(f"--{name.replace('_', '-')} is {value:g}; it must be above 0")


def to_json(record: Any) -> dict[str, Any]:
    """A record as JSON-ready values: dates in ISO 8601, tuples as lists, floats as they are."""

    def value(x: Any) -> Any:
        if isinstance(x, datetime):
            return x.isoformat()
        if isinstance(x, dict):
            return {k: value(v) for k, v in x.items()}
        if isinstance(x, (tuple, list)):
            return [value(v) for v in x]
        return x

    return {k: value(v) for k, v in dataclasses.asdict(record).items()}
