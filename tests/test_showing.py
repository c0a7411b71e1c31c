"""Which signal speaks for a hit, and how the moments of one film become one."""

from __future__ import annotations

from dataclasses import replace

import pytest

from catalejo.records import Hit, Vote
from catalejo.shelf import Ranked
from catalejo.showing import Evidence, joined
from catalejo.texts import Passage, Span

PLACE = Span(1, 0, 4, box=(1, 2, 3, 4))


def read(matches: bool, words: float = 0.5) -> Ranked:
    return Ranked(("h", 0, 0), Passage("hola", PLACE), PLACE, 0.5, 0.4, words, matches, "ocr")


def vote(encoder: str, rank: int, matches: bool = False) -> Vote:
    return Vote(encoder, rank, 0.5, matches)


@pytest.mark.parametrize(
    ("votes", "text", "signal", "matches"),
    [
        ([vote("conse", 1, True)], None, "picture", True),
        ([vote("conse", 3, True), vote("sentence", 2)], read(True), "ocr", True),
        ([vote("conse", 1, True), vote("sentence", 1)], read(True), "ocr", True),  # words before what is seen
        ([vote("conse", 1, True), vote("sentence", 2)], read(True), "picture", True),
        ([vote("conse", 9, True), vote("sentence", 1)], read(False), "picture", True),
        ([vote("conse", 2), vote("sentence", 2)], read(False), "picture", False),
        ([vote("yamnet", 2, True), vote("sentence", 1)], read(False), "sounds", True),
        ([vote("sentence", 1)], read(False), "ocr", False),
    ],
)
def test_the_signal_that_speaks_loudest(votes: list[Vote], text: Ranked | None, signal: str, matches: bool) -> None:
    found = Evidence.of(votes, text, "yamnet")
    assert (found.signal, found.matches) == (signal, matches)
    assert [one.encoder for one in found.votes] == [one.encoder for one in votes]
    if text and text.matches:
        assert found.text is text


def hit(hash: str, start_s: float | None, kind: str = "video", page: int = 0) -> Hit:
    return Hit(f"/{hash}", 0.5, kind, "", True, hash, page, signal="speech", start_s=start_s, end_s=start_s)


def test_a_film_is_one_hit_with_five_moments_at_most() -> None:
    hits = [hit("a", float(n)) for n in range(9)]
    hits.insert(3, hit("b", 1.0, "audio"))
    first, second = joined(hits)
    assert (first.hash, first.start_s, second.hash) == ("a", 0.0, "b")
    assert [moment.start_s for moment in first.moments] == [1.0, 2.0, 3.0, 4.0, 5.0]
    assert all(moment.signal == "speech" for moment in first.moments)


def test_the_same_second_counts_once_and_what_is_chance_not_at_all() -> None:
    first, *_ = joined(
        [hit("a", 0.0), hit("a", 0.0), replace(hit("a", 4.0), matches=False), hit("a", 7.0), hit("a", 7.0)]
    )
    assert [moment.start_s for moment in first.moments] == [7.0]


def test_pages_of_documents_and_pictures_stay_apart() -> None:
    hits = [hit("a", None, "text", 0), hit("a", None, "text", 1), hit("a", None, "image", 2), hit("s", 3.0, "text")]
    assert joined(hits) == hits
