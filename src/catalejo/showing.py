"""What was found becomes hits: by which signal, where in the file, and the moments of one film as one hit."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from catalejo.fusion import Fused
from catalejo.passage_rows import TEXT
from catalejo.query import Query
from catalejo.records import Hit, Item, Moment, Vote
from catalejo.shelf import Ranked
from catalejo.space import Key, Near
from catalejo.store import Store
from catalejo.tables import SEEN

PICTURE, SOUNDS = "picture", "sounds"  # the signals of vectors
_MOMENTS = 5  # besides the best one of a recording or film


class Files:
    """What files the texts and sounds that were found belong to.

    Args:
        store: of the catalog.
        texts: the passages found.
        sounds: the stretches found.
    """

    def __init__(self, store: Store, texts: Mapping[Key, Ranked], sounds: Iterable[Near]) -> None:
        hashes = {key[0] for key, ranked in texts.items() if ranked.signal != TEXT}
        hashes |= {near.item.hash for near in sounds}
        self._items: dict[str, list[Item]] = {}
        if hashes:
            found = store.items_of(sorted(hashes))
            self._items = {hash: [item for item, _ in items] for hash, items in found.items()}
        self._texts = texts

    def item(self, key: Key) -> Item:
        """The item a passage or a sound belongs to."""
        made_up = Item(*key, "text", 0, 0)  # a document's; the table has nothing more to say of it
        return next((item for item in self._items.get(key[0], ()) if item.page == key[1]), made_up)

    def is_film(self, hash: str) -> bool:
        """Whether a file has shots."""
        return any(item.kind == "video" for item in self._items.get(hash, ()))

    def means(self, query: Query, key: Key) -> bool:
        """Whether a query looks for files of this one's kind; a scanned page is text."""
        kind = "video" if self.is_film(key[0]) else self.item(key).kind
        return query.means("text" if kind == "scan" else kind)

    def near(self, key: Key, ranked: Ranked) -> Near:
        """A passage found, as an item."""
        return Near(self.item(key), ranked.score)

    def shown(self, item: Item, second: float) -> Item:
        """Of a film, the shot on show at a second; else the item itself."""
        shots = [one for one in self._items.get(item.hash, ()) if one.kind == "video"]
        begun = [one for one in shots if (one.start_s or 0.0) <= second]
        return begun[-1] if begun else shots[0] if shots else item


@dataclass(frozen=True)
class Evidence:
    """Why something was found: the signal that speaks loudest for it.

    Attributes:
        signal: see ``Hit``.
        matches: whether any signal is better than chance.
        votes: as cast, each with whether it is better than chance.
        text: the passage, where one speaks for it.
    """

    signal: str
    matches: bool
    votes: tuple[Vote, ...]
    text: Ranked | None

    @property
    def faint(self) -> bool:
        """Whether a text speaks for it that has none of the words asked, nor matches: a picture is a nearer miss."""
        return self.text is not None and not self.matches and self.text.words == 0

    @classmethod
    def of(cls, votes: Sequence[Vote], text: Ranked | None, sounds: str) -> Evidence:
        """From the votes of all rankings.

        Args:
            votes: of one item.
            text: its best passage.
            sounds: the name of the encoder of sounds.
        """
        cast = [replace(vote, matches=text.matches) if text and vote.encoder == "sentence" else vote for vote in votes]
        # of those better than chance the highest, words before all; where none is, what the item shows
        best = min(cast, key=lambda vote: (not vote.matches, vote.rank, (vote.encoder == "sentence") != vote.matches))
        signal = PICTURE
        if text and best.encoder == "sentence":
            signal = text.signal
        elif best.encoder == sounds:
            signal = SOUNDS
        heard = text if text and (text.matches or signal == text.signal) else None
        return cls(signal, any(vote.matches for vote in cast), tuple(cast), heard)


def hit_of(found: Fused, evidence: Evidence, places: Sequence[str], files: Files, fused: bool, why: str) -> Hit:
    """What was found as a hit.

    Args:
        found: the item, and its score.
        evidence: what speaks for it.
        places: where the file is; at least one.
        files: what it belongs to.
        fused: whether several rankings were joined.
        why: the reason an encoder gives; a text gives its own.
    """
    item, text = found.item, evidence.text
    start_s, end_s, box = item.start_s, item.end_s, None
    if text and evidence.signal == text.signal:
        why = _spoken(text)
        box = text.sentence.box or text.passage.span.box
        if text.sentence.start_s is not None:
            start_s, end_s = text.sentence.start_s, text.sentence.end_s
    kind = item.kind
    if kind == "audio" and files.is_film(item.hash):
        item, kind = files.shown(item, start_s or 0.0), "video"
    return Hit(
        places[0],
        round(found.score, 6 if fused else 4),
        kind,
        why,
        evidence.matches,
        item.hash,
        item.page,
        tuple(places[1:]),
        item.width_px,
        item.height_px,
        item.taken,
        item.camera,
        item.latitude,
        item.longitude,
        evidence.votes if fused else (),
        text.passage.text if text else "",
        text.passage.span if text else None,
        text.sentence if text else None,
        evidence.signal,
        box,
        start_s,
        end_s,
    )


def joined(hits: Iterable[Hit]) -> list[Hit]:
    """Hits with those of one recording or film as one: its best, with the other moments that match."""
    best: dict[object, Hit] = {}
    for number, hit in enumerate(hits):
        lasts = hit.start_s is not None and hit.kind in ("audio", *SEEN)
        key: object = hit.hash if lasts else number
        if key not in best:
            best[key] = hit
        elif hit.matches and len(best[key].moments) < _MOMENTS:
            first = best[key]
            moment = Moment(hit.page, hit.start_s or 0.0, hit.end_s or 0.0, hit.signal, hit.score)
            if moment.start_s not in (first.start_s, *(other.start_s for other in first.moments)):
                best[key] = replace(first, moments=(*first.moments, moment))
    return list(best.values())


def _spoken(text: Ranked) -> str:
    """How a text answers: the share of the question's words that it has, and how near its best sentence is."""
    return f"words {text.words:.0%}, meaning {text.cosine:.2f}"
