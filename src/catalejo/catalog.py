"""Catalog: everything we know about your files, in one folder; one thin method a verb."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from catalejo import plugins
from catalejo.errors import (
    BadQuery,
    CannotAsk,
    CannotQuantize,
    CatalogError,
    MissingExtra,
    NotEncoded,
    WrongEncoder,
    command,
)
from catalejo.judge import Judge, Paths
from catalejo.keeping import Keeper
from catalejo.records import Hit, Limits, ModelCard, SearchResult
from catalejo.reports import AddReport, EncodeReport
from catalejo.telling import Teller

if TYPE_CHECKING:
    from catalejo.encoders import Array, Encoder
    from catalejo.encoders.sentence import SentenceEncoder
    from catalejo.indexing import Progress
    from catalejo.quantizing import QuantizeReport
    from catalejo.search import Searcher
    from catalejo.senses import Known, Senses
    from catalejo.shelf import Shelf
    from catalejo.store import Store


def default_folder() -> Path:
    """The catalog used when none is named: ``CATALEJO_CATALOG``, else one in the user data folder."""
    from catalejo.weights import data_folder

    named = os.environ.get("CATALEJO_CATALOG")
    return Path(named).expanduser() if named else data_folder() / "catalog"


class Catalog(Judge, Keeper, Teller):
    """What we know about your files, in one folder.

    Args:
        path: the folder; made by the first ``add``. None: ``default_folder()``.
        encoder: whose vectors are meant: a name (``conse``, ``clip-vit-b-32``, ``clip-vit-b-32:int8``),
            the path of a model's folder, or several of them with commas between or as a list.
            None: the one the catalog was made with; for a new one, ``conse``.

    Every method that reads raises ``NoCatalog`` where nothing was added yet, ``NotEncoded`` where this
    encoder has no vectors there, ``WrongEncoder`` or ``WrongFormat`` where another version made them,
    ``CatalogDamaged`` where its files do not fit together; and ``UnknownName``, ``MissingWeights``,
    ``MissingExtra`` or ``BadModel`` where the encoder cannot be opened.

    Example:
        >>> catalog = Catalog("photos.catalog")          # doctest: +SKIP
        >>> catalog.add("~/Pictures").added              # doctest: +SKIP
        412
        >>> catalog.search("un perro en la nieve").hits[0].path  # doctest: +SKIP
        '/home/ana/Pictures/2021/laika.jpg'
    """

    def __init__(self, path: Paths | None = None, *, encoder: str | Sequence[str] | None = None) -> None:
        self.path = Path(os.path.abspath(Path(path).expanduser() if path else default_folder()))
        named = encoder.split(",") if isinstance(encoder, str) else encoder or ()
        self._named = [name.strip() for name in named if name.strip()]
        if isinstance(encoder, str) and not self._named:
            raise BadQuery(f"--encoder is {encoder!r}, which names none; those there are: catalejo models")

    @cached_property
    def encoders(self) -> tuple[Encoder, ...]:
        """The encoders meant; they load nothing heavy until they are asked to encode."""
        from catalejo.encoders.opening import open_encoder

        first = self._store.first_card() if self._store.exists else None
        names = self._named or [first.name if first else plugins.DEFAULT_ENCODER]
        opened = [open_encoder(name, self._cards()) for name in dict.fromkeys(names)]
        return tuple({(encoder.card.name, encoder.card.version): encoder for encoder in opened}.values())

    @cached_property
    def sentences(self) -> SentenceEncoder:
        """The encoder of what documents say; it loads nothing heavy until it is asked to encode."""
        from catalejo.encoders.sentence import SentenceEncoder

        return SentenceEncoder()

    @property
    def encoder(self) -> Encoder:
        """The first of the encoders meant."""
        return self.encoders[0]

    def _cards(self) -> list[ModelCard]:
        """What made the vectors that are there, as far as one can tell."""
        try:
            return self._store.cards() if self._store.exists else []
        except CatalogError:
            return []

    @cached_property
    def _store(self) -> Store:
        from catalejo.store import Store

        return Store(self.path)

    @cached_property
    def _searcher(self) -> Searcher:
        from catalejo.search import Searcher
        from catalejo.senses import sound_encoder

        heard = [card.name for card in self._cards() if card.takes == ("audio",)]
        return Searcher(self._store, self.encoders, self.shelf, sound_encoder(heard[0]) if heard else None)

    @cached_property
    def shelf(self) -> Shelf:
        """The documents, to be asked; see ``retrieval.Library``."""
        from catalejo.shelf import Shelf

        return Shelf(self._store, self.sentences.encode_texts)

    def add(
        self,
        *paths: Paths,
        listed: Iterable[Paths] = (),
        prune: bool = False,
        retry: bool = False,
        limits: Limits | None = None,
        workers: int | None = None,
        perceive: str | Sequence[str] | None = None,
        progress: Callable[[Progress], None] | None = None,
        perceiving: Callable[[int, int], None] | None = None,
        bring: Callable[[str], bool] | None = None,
    ) -> AddReport:
        """Look at files and folders, and remember what is new or changed; then have perceivers look at what is there.

        Args:
            paths: files, folders, patterns.
            listed: more files or folders, for instance from a list; one that is not there is
                listed among the skipped instead of stopping the run. Taken literally: no ``~``, no patterns.
            prune: forget files under these paths that have gone.
            retry: read again what was skipped before.
            limits: what to refuse; see ``Limits``.
            workers: cores to use; None: all.
            perceive: ``auto`` (all perceivers that can work here), ``none``, or some by name; None: what
                ``CATALEJO_PERCEIVE`` says, else ``auto``. They start once everything else is saved.
            progress: called after every file.
            bring: called with the name of a model that a perceiver lacks where there is something for it, as a
                recording for ``speech``; True when the model is there now. None: nothing is fetched.
            perceiving: called after every file that perceivers were shown, with how many are done, and of how many.

        Raises:
            UnknownName, MissingExtra, MissingWeights: a perceiver that was named is not there.
            CannotRead: one of ``paths`` is not there.
            CatalogBusy: another process is writing to this catalog.
            CannotWrite: the disk is full or read-only; what was saved before is safe.
            BadQuery: several encoders were named, or not the one the catalog was made with; see ``encode``.
            indexing.Stopped: interrupted (a KeyboardInterrupt); its ``report`` says what was saved.
        """
        from catalejo import indexing, senses, walk
        from catalejo.encoders.opening import check
        from catalejo.lock import WriterLock
        from catalejo.space import add_column

        found = walk.sources([os.fspath(p) for p in paths], documents=True)
        found += [os.path.abspath(os.fspath(p)) for p in listed]
        chosen = senses.senses(senses.asked(perceive))
        self._require_one_encoder()
        if self.encoder.card.folder and not self._store.exists:
            check(self.encoder)  # before there is a catalog of an encoder that does not run
        with WriterLock(self.path) as lock:
            self._store.create(self.encoder.card)
            self._store.refresh()
            self._store.widen()
            add_column(self._store, self.encoder.card)
            report = indexing.add(
                self._store,
                self.encoder,
                self.sentences,
                found,
                limits=limits or Limits(),
                prune=prune,
                retry=retry,
                tidy=lock.unfinished,
                workers=workers,
                progress=progress,
            )
            if bring:
                chosen = self._brought(chosen, perceive, bring)
            return self._perceive(report, chosen, limits or Limits(), retry, workers, perceiving)

    def _brought(self, chosen: Senses, names: str | Sequence[str] | None, bring: Callable[[str], bool]) -> Senses:
        """The perceivers, with those whose model ``bring`` brought."""
        from catalejo import perceiving, senses

        self._store.refresh()
        models = dict.fromkeys(one.model for one in perceiving.wanted(self._store, chosen.missing) if one.model)
        came = [model for model in models if bring(model)]
        return senses.senses(senses.asked(names)) if came else chosen

    def _perceive(
        self,
        report: AddReport,
        chosen: Senses,
        limits: Limits,
        retry: bool,
        workers: int | None,
        progress: Callable[[int, int], None] | None,
    ) -> AddReport:
        """The second stage of ``add``; its report joined to that of the first."""
        from catalejo import perceiving
        from catalejo.indexing import Stopped

        self._store.refresh()
        more = perceiving.perceive(
            self._store, self.sentences, chosen, limits=limits, retry=retry, workers=workers, progress=progress
        )
        asked = chosen.able or chosen.missing
        joined = replace(report, perceiving=more if asked else None, stopped=more.stopped)
        if more.stopped:
            raise Stopped(joined)
        return joined

    def _require_one_encoder(self) -> None:
        """``add`` fills one space: the first, which every item has a vector in."""
        from catalejo.encoders.opening import spec_of

        first = self._store.first_card() if self._store.exists else None
        specs = {encoder.card.name: spec_of(encoder.card) for encoder in self.encoders}
        if len(specs) > 1 or (first and first.name not in specs):
            made = f"this catalog was made with {first.name}" if first else "a catalog is made with one encoder"
            one = "" if first else f" --encoder {next(iter(specs.values()))}"
            others = [spec for name, spec in specs.items() if name != (first.name if first else next(iter(specs)))]
            then = command(self.path, "encode", "--encoder", ",".join(others))
            raise BadQuery(f"{made}: add with{one or 'out --encoder'}, then: {then}")

    def encode(
        self,
        *,
        anew: bool = False,
        limits: Limits | None = None,
        workers: int | None = None,
        progress: Callable[[str, int, int], None] | None = None,
    ) -> list[EncodeReport]:
        """Give every item a vector of each encoder named, beside those it has; goes on where it stopped.

        Args:
            anew: throw away the vectors that are there first.
            limits: what to refuse; see ``Limits``.
            workers: cores to use; None: all.
            progress: called after every file, with the encoder's name, items done, and of how many.

        Raises:
            CatalogBusy: another process is writing to this catalog.
            CannotWrite: the disk is full or read-only; what was saved before is safe.
            BadQuery: ``anew`` for the encoder the catalog was made with; its vectors come by ``add``.
        """
        from functools import partial

        from catalejo import encoding
        from catalejo.lock import WriterLock

        self._require()
        first = self._store.first_card()
        if anew and first and first.name in [encoder.card.name for encoder in self.encoders]:
            raise BadQuery(
                f"this catalog was made with {first.name}; to make its vectors anew, add to a new catalog (-c)"
            )
        reports = []
        with WriterLock(self.path) as lock:
            self._store.refresh()
            self._tidy(lock.unfinished)
            for encoder in self.encoders:
                told = partial(progress, encoder.card.name) if progress else None
                made = encoding.encode(
                    self._store, encoder, limits=limits or Limits(), anew=anew, workers=workers, progress=told
                )
                reports.append(made)
                if made.stopped:
                    break
        return reports

    def quantize(self, *pictures: Paths, **options: Any) -> QuantizeReport:
        """Make an int8 of the encoder's model, tower by tower, kept where it gives nearly the same vectors.

        Args:
            pictures: files, folders, patterns to judge it by; none: the catalog's own.
            options: see ``quantizing.quantize``, which also says what is raised.
        """
        from catalejo import quantizing

        try:
            encoder = self.encoder
        except MissingExtra as error:  # what it would bring could not be made int8 either
            raise CannotQuantize(self._named[0], quantizing.NO_GRAPHS) from error
        return quantizing.quantize(encoder, quantizing.pictures_of(self._store, pictures), **options)

    def search(
        self,
        *terms: str,
        image: Paths | None = None,
        without: Iterable[str] = (),
        k: int = 10,
        under: Paths | None = None,
        since: str | None = None,
        until: str | None = None,
        min_score: float | None = None,
        kinds: Sequence[str] = (),
    ) -> SearchResult:
        """Find pictures and documents by meaning; see ``query.Query`` for the arguments.

        Raises:
            BadQuery: nothing asked, or a value that makes no sense.
            CannotRead: the query's picture cannot be read.
            NoCatalog: nothing was added yet.
        """
        from catalejo.query import Query

        query = Query(
            terms,
            tuple(without),
            os.fspath(image) if image else None,
            k,
            os.fspath(under) if under else None,
            since,
            until,
            min_score,
            tuple(kinds),
        )
        return self._searcher.search(query)

    def facts(
        self, *paths: Paths, perceive: str | Sequence[str] | None = None, limits: Limits | None = None
    ) -> list[Known]:
        """What is known of files: what they state of themselves, and what perceivers find in them.

        Files that the catalog has are not perceived again; it need not be there at all.

        Args:
            paths: of the files.
            perceive: see ``add``.
            limits: what to refuse.

        Raises:
            CannotRead, OverLimit: with the reason.
            MissingExtra, MissingWeights: what reads one, or a perceiver that was named, is not there.
        """
        from catalejo.knowing import known_of

        if self._store.exists:
            self._store.refresh()
        return [known_of(self._store, os.fspath(path), perceive, limits) for path in paths]

    def documents(self) -> Shelf:
        """The documents of the catalog, for ``answering.ask``.

        Raises:
            CannotAsk: there are none.
        """
        self._require()
        self._store.refresh()
        if not self.shelf.passages.exists:
            raise CannotAsk(f"this catalog has no documents yet: {command(self.path, 'add', 'FILE')}")
        self.shelf.refresh()
        return self.shelf

    def _known(self, encoder: Encoder, paths: Sequence[str]) -> dict[str, Array]:
        """The vectors this catalog has of these files, if they are as they were when it read them."""
        from catalejo.space import Space

        if not self._store.exists:
            return {}
        self._store.refresh()
        try:
            space = Space(self._store, encoder.card)
        except (NotEncoded, WrongEncoder):
            return {}
        return space.by_path(paths)

    def thumbnail(self, hit: Hit) -> Path:
        """Where a hit's thumbnail is: WebP, at most 256 px a side."""
        return self._store.thumbnail(hit.hash, hit.page)
