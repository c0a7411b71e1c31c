"""The verbs that say what files show, for people: describe, moderate, calibrate. ``Catalog`` has them too."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

from catalejo.errors import BadQuery, NotEncoded, WrongEncoder
from catalejo.judge import Paths
from catalejo.records import Limits

if TYPE_CHECKING:
    from catalejo.answerers import Answer
    from catalejo.answerers.facts import Memory
    from catalejo.classify import Classification
    from catalejo.describing import Descriptions, Rank, Writer
    from catalejo.encoders import Array, Encoder
    from catalejo.file_answers import Chat
    from catalejo.moderating import Calibrated, Moderation
    from catalejo.senses import Known, Senses
    from catalejo.store import Store
    from catalejo.thresholds import Costs
    from catalejo.visual_answering import How

Progress = Callable[[str, int, int], None]


class Teller:
    """Tells of files; a catalog lends it what it knows of them."""

    @property
    def encoders(self) -> tuple[Encoder, ...]:
        """The encoders meant."""
        raise NotImplementedError

    @property
    def _store(self) -> Store:
        raise NotImplementedError

    def _known(self, encoder: Encoder, paths: Sequence[str]) -> Mapping[str, Array]:
        """Path -> vector, of those of these files that were encoded before."""
        raise NotImplementedError

    def _one_encoder(self, what: str) -> Encoder:
        if len(self.encoders) > 1:
            raise BadQuery(f"{what} by one encoder; name one")
        return self.encoders[0]

    def chat(self, *paths: Paths, by: str = "facts", how: How | None = None) -> Chat:
        """A conversation about pictures, recordings or films, which remembers its turns; ``Chat.ask`` answers.

        Facts that the catalog has are used; others are perceived for the occasion, when a question needs them.

        Args:
            paths: of the files.
            by: who answers: ``facts``, ``endpoint`` or ``blip2``.
            how: see ``visual_answering``.

        Raises:
            BadQuery: no file is named.
            UnknownName: no such answerer.
            MissingExtra, MissingWeights, BadModel: ``blip2`` cannot be loaded.
        """
        from catalejo.file_answers import Chat, by_kind
        from catalejo.visual_answering import How, answerer

        if not paths:
            raise BadQuery("no file is named to ask about")
        how = how or How()
        ask = answerer(by, how)
        if by == "facts":
            from catalejo.answerers.facts import answer_file

            ask = by_kind(partial(answer_file, limits=how.limits, known=self._memory(how.limits)))
        return Chat(tuple(os.fspath(path) for path in paths), ask)

    def answer(
        self,
        question: str,
        *paths: Paths,
        limits: Limits | None = None,
        say: Callable[[str], None] | None = None,
    ) -> Answer:
        """An answer from files of any kind together, without a language model; see ``combining``.

        Facts that the catalog has are used; others are perceived for the occasion.

        Raises:
            BadQuery: nothing is asked.
            CannotAsk: none of the files can be read.
        """
        from catalejo.combining import combine

        look = self._memory(limits or Limits())
        return combine(question, [os.fspath(path) for path in paths], limits=limits, look=look, say=say)

    def _memory(self, limits: Limits) -> Memory:
        """What is known of files: from the catalog, else perceived when it is asked for."""
        from catalejo.answerers.facts import Memory
        from catalejo.knowing import known_of

        def look(path: str, ready: Senses) -> Known:
            if self._store.exists:
                self._store.refresh()
            return known_of(self._store, path, None, limits, ready)

        return Memory(look)

    def describe(
        self,
        *paths: Paths,
        languages: Sequence[str] = ("en",),
        length: str = "short",
        writer: Writer | None = None,
        perceive: str | Sequence[str] | None = None,
        limits: Limits | None = None,
        progress: Progress | None = None,
    ) -> Descriptions:
        """Captions and alternative texts of pictures, each with the rank at which it finds its own in this catalog.

        Facts that the catalog has are used; others are perceived for the occasion.

        Args:
            paths: files, folders, patterns.
            languages: ``en``, ``es``, or both.
            length: ``short`` or ``long``.
            writer: a vision-language model; None: descriptions are put together from facts.
            perceive: who looks: ``auto``, ``none``, or some by name; None: ``CATALEJO_PERCEIVE``, else ``auto``.
            limits: what to refuse; see ``Limits``.
            progress: called with what is being done, how much is done, and of how much.

        Raises:
            CannotRead: a path is not there, there is no picture in any, or none can be read.
            UnknownName, MissingExtra, MissingWeights: a perceiver that was named is not there.
        """
        from catalejo.describing import describe
        from catalejo.knowing import known_of
        from catalejo.senses import asked, senses

        self._store.refresh()
        names = asked(perceive)
        ready = senses(names)
        return describe(
            [os.fspath(path) for path in paths],
            languages,
            length=length,
            look=lambda path: known_of(self._store, path, names, limits, ready),
            writer=writer,
            rank=self._ranker(),
            limits=limits,
            progress=progress,
        )

    def second_opinion(
        self, found: Classification, *, perceive: str | Sequence[str] | None = None, limits: Limits | None = None
    ) -> Classification:
        """What ``classify`` found, each picture with what its facts say of it; see ``second_opinion``.

        Args:
            found: pictures, sorted into classes.
            perceive: as of ``describe``.
            limits: what to refuse; see ``Limits``.

        Raises:
            UnknownName, MissingExtra, MissingWeights: a perceiver that was named is not there.
        """
        from catalejo.knowing import known_of
        from catalejo.second_opinion import with_second
        from catalejo.senses import asked, senses

        self._store.refresh()
        names = asked(perceive)
        ready = senses(names)
        return with_second(found, lambda path: known_of(self._store, path, names, limits, ready))

    def _ranker(self) -> Rank:
        """Where captions find pictures of this catalog; nowhere without one, or without vectors of the encoder."""
        from catalejo.ranks import Ranks
        from catalejo.space import Space

        if not self._store.exists:
            return lambda path, page, caption: None
        encoder = self._one_encoder("descriptions are checked")
        try:
            return Ranks(self._store, Space(self._store, encoder.card), encoder).rank
        except (NotEncoded, WrongEncoder):
            return lambda path, page, caption: None

    def moderate(
        self,
        *paths: Paths,
        categories: Sequence[str] = ("adult",),
        thresholds: Mapping[str, float] | None = None,
        costs: Costs | None = None,
        limits: Limits | None = None,
        progress: Progress | None = None,
    ) -> Moderation:
        """Score pictures in categories, and say which of them somebody should look at; no file is touched.

        Args:
            paths: files, folders, patterns.
            categories: ``adult``, and texts such as "un arma".
            thresholds: of categories; of the others it is what ``costs`` make of a probability.
            costs: of a miss and of a false alarm; None: the same.
            limits: what to refuse; see ``Limits``.
            progress: called with what is being done, how much is done, and of how much.

        Raises:
            BadLabels: no category, one that is empty, or one twice.
            BadQuery: a threshold of a category that was not named, or not from 0 to 1.
            CannotRead: a path is not there, there is no picture in any, or none can be read.
            MissingWeights: for ``adult``, the model was not fetched yet.
        """
        from catalejo.moderating import chosen, moderate

        encoder = self._one_encoder("pictures are moderated")
        names, lines = chosen(categories, thresholds or {}, costs)
        return moderate(
            [os.fspath(path) for path in paths],
            names,
            lines,
            encoder,
            known=partial(self._known, encoder),
            limits=limits,
            progress=progress,
        )

    def calibrate(
        self,
        labelled: Paths,
        costs: Costs | None = None,
        *,
        limits: Limits | None = None,
        progress: Progress | None = None,
    ) -> Calibrated:
        """Choose the thresholds of ``moderate`` on pictures that people labelled, by what errors cost.

        Args:
            labelled: a table; see ``labelled``.
            costs: of a miss and of a false alarm; None: the same.
            limits: what to refuse; see ``Limits``.
            progress: called with what is being done, how much is done, and of how much.

        Raises:
            BadLabels: the table cannot be used, or a category has no pictures of both kinds.
            CannotRead: none of the pictures can be read.
            MissingWeights: for ``adult``, the model was not fetched yet.
        """
        from catalejo.labelled import read_labelled
        from catalejo.moderating import calibrated
        from catalejo.thresholds import Costs

        encoder = self._one_encoder("thresholds are chosen for pictures scored")
        known = partial(self._known, encoder)
        table = read_labelled(labelled)
        return calibrated(table, costs or Costs(), encoder, known=known, limits=limits, progress=progress)
