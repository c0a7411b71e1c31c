"""The documents of a catalog, asked as ``retrieval.Library`` is: the same scores, of candidates instead of all.

Candidates are the passages with the most of the question's words, and those of the sentences nearest to it.
What is not among them has few of the words and no near sentence, and could not come first.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from copy import copy
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from catalejo import ranking
from catalejo.everyday_questions import QUESTIONS
from catalejo.language import language_of
from catalejo.passage_rows import Key, Saved, Sentences
from catalejo.passages import Passages
from catalejo.quoting import Candidates, quotes
from catalejo.retrieval import EncodeTexts, Found, Where, everyday_vectors
from catalejo.store import Store
from catalejo.tables import is_in
from catalejo.texts import Passage, Span, TextPage
from catalejo.words import asked, figures

Array = npt.NDArray[np.float32]
Numbers = npt.NDArray[np.int64]

_BY_WORDS, _BY_MEANING = 32, 64  # passages with the most words; nearest sentences
_AT_ONCE = 4
_LEARNED_FROM = 100  # passages; in fewer, what holds everywhere is above what everyday questions reach


@dataclass(frozen=True)
class Ranked:
    """A passage found.

    Attributes:
        key: hash of its file, page from 0, number on the page.
        passage: its text and place.
        sentence: where its best sentence stands.
        score, cosine, words, matches: as in ``retrieval.Found``.
        signal: who read or heard it; ``text`` where the file itself says it.
    """

    key: Key
    passage: Passage
    sentence: Span
    score: float
    cosine: float
    words: float
    matches: bool
    signal: str


@dataclass(frozen=True)
class _Scores:
    """What a question reaches, of the sentences that come into question.

    Attributes:
        language: of the question.
        sentences: n of them.
        score, cosine, covered, words: (n,) see ``ranking``; ``words`` of the passages they stand in.
        hopeless: whether the question has a year or a number that no passage has.
        rival: the best score in the question's language.
    """

    language: str
    sentences: Sentences
    score: Array
    cosine: Array
    covered: Array
    words: Array
    hopeless: bool
    rival: float


class Shelf:
    """The documents of one catalog.

    Args:
        store: opened for reading.
        encode_texts: texts -> (n, width) unit vectors, of the encoder the sentences come from.
    """

    def __init__(self, store: Store, encode_texts: EncodeTexts) -> None:
        self._store, self._encode = store, encode_texts
        self.passages = Passages(store)
        self._pool = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="catalejo-shelf")

    def refresh(self) -> None:
        """See what other processes wrote since."""
        self.passages.refresh()

    def find(self, question: str, k: int = 10, where: Where | None = None) -> list[Found]:
        """See ``retrieval.Library.find``."""
        hashes = None if where is None else self._hashes(where)
        return self._found(self.rank(question, k, hashes=hashes), where)

    def best_sentences(self, question: str, k: int = 5, where: Where | None = None) -> list[Found]:
        """See ``retrieval.Library.best_sentences``."""
        hashes = None if where is None else self._hashes(where)
        return self._found(self._still()._best_sentences(question, k, hashes), where)

    def _best_sentences(self, question: str, k: int, hashes: set[str] | None) -> list[Ranked]:
        scores = self._ask(question, k, None, hashes)
        if scores is None:
            return []
        texts = self.passages.texts(np.unique(scores.sentences.ids))
        rows = np.lexsort((scores.sentences.starts, scores.sentences.ids))
        ids, spans = scores.sentences.ids[rows], [scores.sentences.span(row) for row in rows.tolist()]
        said = [texts[int(id)].passage.said(span) for id, span in zip(ids, spans, strict=True)]
        languages = [scores.sentences.languages[row] for row in rows]
        of_rows = scores.cosine[rows], scores.covered[rows], scores.words[rows]
        found = quotes(question, Candidates(said, languages, ids, *of_rows), k)
        return [self._ranked(scores, int(rows[q.row]), texts, q.score, q.gained) for q in found]

    def documents(self) -> Iterator[tuple[str, tuple[TextPage, ...]]]:
        """Path and pages of each document as it was when it was added; white space between passages is made up.

        Pictures and recordings are among them where text was read or heard in them.
        """
        kinds: dict[str, dict[int, str]] = {}
        told = self.passages.hashes() if self.passages.exists and self.passages.signals else set()
        for item in self._store.items():
            if item.kind in ("text", "scan") or item.hash in told:
                kinds.setdefault(item.hash, {})[item.page] = item.kind
        for hash, paths in sorted(self._store.paths(kinds).items(), key=lambda found: found[1]):
            said = self.passages.of(hash)
            pages = []
            for page, kind in sorted(kinds[hash].items()):
                if page in said or kind in ("text", "scan"):
                    pages.append(TextPage(_laid_out(said.get(page, [])), page + 1, kind == "scan" and page not in said))
            yield paths[0], tuple(pages)

    def _hashes(self, where: Where) -> set[str]:
        return {row.hash for row in self._store.files("hash IS NOT NULL") if row.hash and where(row.path)}

    def _found(self, ranked: Sequence[Ranked], where: Where | None) -> list[Found]:
        paths = self._store.paths({r.key[0] for r in ranked})
        found = []
        for r in ranked:
            path = next((p for p in paths.get(r.key[0], ()) if where is None or where(p)), None)
            if path:
                found.append(Found(path, r.passage, r.sentence, r.score, r.cosine, r.words, r.matches))
        return found

    def rank(
        self, question: str, k: int, *, dated: str | None = None, hashes: Iterable[str] | None = None
    ) -> list[Ranked]:
        """The passages that answer a question best.

        Args:
            question: in any language.
            k: how many.
            dated: SQL condition on ``dated``.
            hashes: only in files of these.

        Returns:
            best first; none for an empty question, and where there is no document.

        Raises:
            ValueError: k below 1.
        """
        return self._still()._rank(question, k, dated, hashes)

    def _still(self) -> Shelf:
        """This one as it is now, however often another thread refreshes it while a question is being answered."""
        still = copy(self)
        if self.passages.exists:
            still.passages = self.passages.still()
        return still

    def _rank(self, question: str, k: int, dated: str | None, hashes: Iterable[str] | None) -> list[Ranked]:
        scores = self._ask(question, k, dated, hashes)
        if scores is None:
            return []
        ids = scores.sentences.ids
        order = np.lexsort((ids, -scores.score))
        best = order[np.sort(np.unique(ids[order], return_index=True)[1])][:k]
        texts = self.passages.texts(ids[best])
        return [self._ranked(scores, int(row), texts, float(scores.score[row])) for row in best]

    def learn(self) -> None:
        """Find out where chance begins, and keep it with the passages. The caller holds ``WriterLock``."""
        if self.passages.count() < _LEARNED_FROM:
            self.passages.keep_lines(ranking.Lines())
            return
        reached: tuple[list[float], list[float]] = [], []
        for question, vector in zip(QUESTIONS, everyday_vectors(self._encode), strict=True):
            scores = self._judge(question, vector, 1, None, None)
            other = ~np.isin(scores.sentences.languages, (scores.language, ""))
            for best, among in zip(reached, (~other, other), strict=True):
                if among.any():
                    best.append(float(scores.score[among].max()))
        self.passages.keep_lines(ranking.lines(*reached))

    # -- one question -----------------------------------------------------------------

    def _ask(self, question: str, k: int, dated: str | None, hashes: Iterable[str] | None) -> _Scores | None:
        """None when there is nothing to ask, or nobody to be asked."""
        if k < 1:
            raise ValueError(f"k is {k}; ask for at least 1")
        if not any(letter.isalnum() for letter in question) or not self.passages.exists:
            return None
        vector = np.asarray(self._encode([question]), np.float32)[0]
        return self._judge(question, vector, k, dated, hashes)

    def _judge(self, question: str, vector: Array, k: int, dated: str | None, hashes: Iterable[str] | None) -> _Scores:
        groups = asked(question)
        where, allowed = self._allowed(dated, hashes)
        # Lance answers several questions at a time
        near = self._pool.submit(self.passages.nearest, vector, max(4 * k, _BY_MEANING), where)
        numbers = [self._pool.submit(self.passages.with_stem, number) for number in figures(question)]
        by_words, told = self._by_words(groups)
        by_meaning = near.result()
        if allowed is not None:
            by_words, by_meaning = (some[np.isin(some, allowed)] for some in (by_words, by_meaning))
        sentences = self.passages.sentences(np.union1d(by_words[: max(k, _BY_WORDS)], by_meaning))
        cosine, (covered, share) = sentences.vectors @ vector, self._shares(sentences, groups, told)
        score = ranking.joined(cosine, covered, share)
        hopeless = not all(len(number.result()[0]) for number in numbers)
        language = language_of(question)
        same = np.array([known == language for known in sentences.languages], bool)
        rival = float(score[same].max(initial=-np.inf))
        return _Scores(language, sentences, score, cosine, covered, share, hopeless, rival)

    def _ranked(
        self, scores: _Scores, row: int, texts: Mapping[int, Saved], score: float, gained: float = 0.0
    ) -> Ranked:
        key, passage, signal = texts[int(scores.sentences.ids[row])]
        words = float(scores.words[row])
        passes = self.passages.lines.passes(score - gained, words, scores.language, passage.language, scores.rival)
        matches = passes and not scores.hopeless
        return Ranked(
            key, passage, scores.sentences.span(row), score, float(scores.cosine[row]), words, matches, signal
        )

    def _allowed(self, dated: str | None, hashes: Iterable[str] | None) -> tuple[str | None, Numbers | None]:
        """The condition for the sentences, and the passages that pass it; None: no condition, all pass."""
        named = None if hashes is None else sorted(set(hashes))
        parts = [f"({dated})"] if dated else []
        if named is not None:
            parts.append(is_in("hash", named) if named else "false")
        where = " AND ".join(parts) or None
        return where, None if where is None else self.passages.numbers(where)

    def _by_words(self, groups: Sequence[tuple[str, ...]]) -> tuple[Numbers, Array]:
        """Every passage with a word of the question, those with the most first, and what each word tells.

        The index counts passages that have gone until it is compacted, and not those that have just come: which
        passages hold a word is exact, and how much of it they hold nearly so.
        """
        texts = self.passages.count()
        held = [[self._pool.submit(self.passages.with_stem, stem) for stem in group] for group in groups]
        flat = [stem.result()[0] for group in held for stem in group]
        every = np.unique(np.concatenate(flat)) if flat else np.empty(0, np.int64)
        present = np.zeros((len(groups), len(every)), np.float32)
        for row, group in enumerate(held):
            for ids, scores in (stem.result() for stem in group):
                present[row, np.searchsorted(every, ids)] += ranking.presence(scores, len(ids), texts)
        told = ranking.information((present > 0).sum(axis=1), texts)
        return every[np.argsort(-ranking.covered(present, told), kind="stable")], told

    def _shares(self, sentences: Sentences, groups: Sequence[tuple[str, ...]], told: Array) -> tuple[Array, Array]:
        """(n,) the share of the question's information in n sentences, and (n,) in the passages they make up."""
        counts, average = _counts(groups, sentences), self.passages.average_words()
        ids, owner = np.unique(sentences.ids, return_inverse=True)
        lengths = np.bincount(owner, [len(stems) for stems in sentences.stems], len(ids)).astype(np.float32)
        here, there = (np.zeros((len(groups), n), np.float32) for n in (len(owner), len(ids)))
        for row, group in enumerate(groups):
            for stem in group:
                held = np.bincount(owner, counts[stem], len(ids)).astype(np.float32)
                here[row] += counts[stem] > 0
                there[row] += ranking.saturated(held, lengths, average)
        return ranking.covered(here, told), ranking.covered(there, told)[owner]


def _laid_out(passages: Sequence[Passage]) -> str:
    """Passages of one page, each where it stands."""
    text = ""
    for passage in sorted(passages, key=lambda one: one.span.start):
        text += "\n" * (passage.span.start - len(text)) + passage.text
    return text


def _counts(groups: Sequence[tuple[str, ...]], sentences: Sentences) -> dict[str, Array]:
    """How often each stem of a question is in each of n sentences: (n,)."""
    counts = {stem: np.zeros(len(sentences.stems), np.float32) for group in groups for stem in group}
    for row, stems in enumerate(sentences.stems):
        for stem in stems:
            if stem in counts:
                counts[stem][row] += 1
    return counts
