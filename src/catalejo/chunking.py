"""A page of text becomes sentences, the least that is quoted, and passages, the least that is found.

Both are given by their place in the page, so that whatever is shown can be checked against it:
``text == page.text[start:end]``, always.

Passages are cut by ``semantic-text-splitter`` (MIT): at the highest border that lets a piece fit, from
paragraphs down to sentences, words and characters, with no overlap. Sentences are cut by rules of our own
for Spanish and English: after ``. ! ? …`` unless an abbreviation, an initial, a list's number or a small
letter says otherwise, or what would be cut off has one or two words; at blank lines; and at a line's end
when the line is no wrapped prose.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING

from catalejo.language import language_of
from catalejo.texts import Passage, Span, TextPage, around

if TYPE_CHECKING:
    from semantic_text_splitter import TextSplitter

# Paragraphs of edited prose have 600 to 900 characters in either language (the median of XQuAD's, taken from
# Wikipedia, is 730, and nine of ten are under 1,150), so most stay whole, while two seldom share a passage.
SIZE_CHARS = 900
_STRETCH = 50_000  # characters given to the splitter at once: its time grows with the square of what has no borders
LONGEST_SENTENCE = 600  # characters; what has no full stop for longer is a table or a list, and is cut

_WORD = re.compile(r"\w+")
_END = re.compile(r"""(?<![.!?…])[.!?…]++["'”’»)\]]*+(?=\s)""")
_INK = re.compile(r"\S")
_BLANK_LINE = re.compile(r"\n[^\S\n]*\n\s*")
_MARK = re.compile(r"\s*(?:[-*•·–—▪◦‣]|\(?(?:\d{1,3}|[A-Za-z])[.)])\s")  # of an item in a list
_ITEM_NUMBER = re.compile(r"(?:^|\n)\s*\(?(?:\d{1,3}|[A-Za-z])\.$")
_OPENING = "¿¡\"'“‘«([-—–"
_WRAPPED = 2 / 3  # a line that is at least so much of its block's longest goes on in the next one

# What a full stop follows without ending anything: always, or when a number comes next.
_SHORT_FORMS = """
    sr sra srta sres dr dra dres prof profa lic ing arq gral cnel tte sto sta d dña ud uds vd vds excmo excma ilmo
    avda av ctra c pág págs p pp vol fig figs cap art arts ap apdo tel tfno ee ff aa cf cfr vid ej p.ej a.c d.c
    aprox máx mín depto dpto prov admón núm núms nº vs
    mr mrs ms messrs st jr gen col lt sgt capt cmdr adm gov sen rep rev hon pres supt
    ave blvd rd mt ft approx dept univ assn bros co corp inc ltd e.g i.e viz eds ed trans al fl
    jan feb apr jun jul aug sept oct nov dec
"""
_ABBREVIATIONS = frozenset(_SHORT_FORMS.split())
_BEFORE_NUMBERS = frozenset({"no", "nos", "n", "nro", "nros", "ca", "c", "s", "op", "ch", "sec", "eq", "ref"})
_MAY_END = frozenset({"inc", "ltd", "co", "corp", "jr", "al", "bros"})  # a sentence can end with these


def sentences(text: str) -> list[tuple[int, int]]:
    """The sentences of a text.

    Args:
        text: of a page or passage.

    Returns:
        ``(start, end)`` of each, in order, without the white space around it; none is empty, none overlap, and
        nothing but white space is left out. None is longer than 600 characters.
    """
    found: list[tuple[int, int]] = []
    for start, end in _blocks(text):
        lines = _line_breaks(text, start, end)
        stops = _stops(text, start, end)
        edges = [start, *_without_labels(text, start, sorted(lines | stops), lines), end]
        for low, high in pairwise(edges):
            low, high = _trimmed(text, low, high)
            if low < high:
                found.extend(_short(text, low, high))
    return found


def passages(page: TextPage, size_chars: int = SIZE_CHARS) -> list[Passage]:
    """A page cut into passages.

    Args:
        page: of a document.
        size_chars: the most characters a passage may have.

    Returns:
        in the order of the page, each with its language where that can be told. A page without words has none.

    Raises:
        ValueError: a size below 1.
    """
    if size_chars < 1:
        raise ValueError(f"a passage of {size_chars} characters holds nothing")
    text, found = page.text, []
    for begin, end in _stretches(text):
        for start, piece in _splitter(size_chars).chunk_indices(text[begin:end]):
            low, high = _trimmed(text, begin + start, begin + start + len(piece))
            if any(letter.isalnum() for letter in text[low:high]):
                found.append(Passage(text[low:high], span_of(page, low, high), language_of(text[low:high])))
    return found


def _stretches(text: str) -> Iterator[tuple[int, int]]:
    """What is split at once: a long text is cut between paragraphs, else lines, else words."""
    start = 0
    while len(text) - start > _STRETCH:
        half, end = start + _STRETCH // 2, start + _STRETCH
        cuts = (text.rfind(mark, half, end) for mark in ("\n\n", "\n", " "))
        at = next((cut for cut in cuts if cut > 0), end)
        yield start, at
        start = at
    yield start, len(text)


def span_of(page: TextPage, start: int, end: int) -> Span:
    """The place of [start, end) of a page's text, with when it was said or where it was seen, if the page tells."""
    cues = [cue for cue in page.cues if cue.start < end and cue.end > start]
    starts = [cue.start_s for cue in cues if cue.start_s is not None]
    ends = [cue.end_s for cue in cues if cue.end_s is not None]
    box = around(cue.box for cue in cues if cue.box)
    return Span(page.number, start, end, min(starts, default=None), max(ends, default=None), box)


@lru_cache(maxsize=8)
def _splitter(size_chars: int) -> TextSplitter:
    from semantic_text_splitter import TextSplitter

    return TextSplitter(size_chars, trim=True)


# -- borders of sentences ---------------------------------------------------------------


def _blocks(text: str) -> list[tuple[int, int]]:
    """What stands between blank lines."""
    edges = [0, *(edge for gap in _BLANK_LINE.finditer(text) for edge in gap.span()), len(text)]
    return list(zip(edges[::2], edges[1::2], strict=True))


def _stops(text: str, start: int, end: int) -> set[int]:
    """Where a sentence ends by its punctuation."""
    return {stop.end() for stop in _END.finditer(text, start, end) if _ends(text, start, stop.start(), stop.end(), end)}


def _ends(text: str, start: int, dot: int, after: int, end: int) -> bool:
    """Whether the punctuation at [dot, after) ends the sentence it stands in."""
    ink = _INK.search(text, after, end)
    if not ink:
        return True
    following = text[ink.start() : min(end, ink.start() + 20)]
    first = following.lstrip(_OPENING)[:1]
    if first.islower() and following[0] not in "¿¡":
        return False
    if text[dot] != "." or text[dot : dot + 2] == "..":
        return True
    before = text[max(start, dot - 30) : dot]
    word = re.split(r"[\s(\[«“\"'¿¡]", before)[-1]
    if _ITEM_NUMBER.search(text[max(start - 1, dot - 8, 0) : dot + 1] if dot - 8 > start else text[start : dot + 1]):
        return False  # "1. First thing": the number of an item
    lower = word.lower()
    if len(word) == 1 and word.isupper():  # an initial, as in "J. F. Kennedy"
        return False
    if lower in _BEFORE_NUMBERS and first.isdigit():
        return False
    return lower not in _ABBREVIATIONS or (lower in _MAY_END and first.isupper())


def _without_labels(text: str, start: int, edges: list[int], lines: set[int]) -> Iterator[int]:
    """Edges, but for those after one or two words that others follow in the line: "SEXTA. Animales. No se permite"."""
    words = 0
    for edge in edges:
        words += len(_WORD.findall(text, start, edge))
        if edge in lines or words > 2:
            yield edge
            words = 0
        start = edge


def _line_breaks(text: str, start: int, end: int) -> set[int]:
    """Ends of lines that end a sentence too: before an item of a list, and after lines that are no wrapped prose."""
    if "\n" not in text[start:end]:
        return set()
    edges = [start - 1, *(m.start() for m in re.finditer("\n", text[start:end])), end]
    edges[1:-1] = [start + edge for edge in edges[1:-1]]
    lines = [(low + 1, high) for low, high in pairwise(edges)]
    longest = max(len(text[low:high].strip()) for low, high in lines)
    breaks = set()
    for (low, high), (after, until) in pairwise(lines):
        line, following = text[low:high].strip(), text[after:until].strip()
        if not following:
            continue
        goes_on = following[0].islower() or line.endswith((",", ";", "-"))
        wrapped = len(line) >= _WRAPPED * longest and longest >= 40
        if _MARK.match(text[after:until] + " ") or not (goes_on or wrapped):
            breaks.add(high)
    return breaks


def _short(text: str, start: int, end: int) -> list[tuple[int, int]]:
    """One sentence, cut where it is too long: at a line's end, else at ``; : ,``, else between words."""
    found = []
    while end - start > LONGEST_SENTENCE:
        window = text[start : start + LONGEST_SENTENCE]
        half = LONGEST_SENTENCE // 2
        at = max((window.rfind(mark, half) + 1 for mark in ("\n", "; ", ": ", ", ")), default=0)
        at = (window.rfind("\n", half) + 1) or at or (window.rfind(" ") + 1) or LONGEST_SENTENCE
        low, high = _trimmed(text, start, start + at)
        if low < high:
            found.append((low, high))
        ink = _INK.search(text, start + at, end)
        start = ink.start() if ink else end
    return [*found, (start, end)] if start < end else found


def _trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    """[start, end) without the white space at either end."""
    piece = text[start:end]
    return start + len(piece) - len(piece.lstrip()), start + len(piece.rstrip())
