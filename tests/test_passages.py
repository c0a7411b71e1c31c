"""The tables of texts: what is written is found by its words and by its meaning, before and after upkeep."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import lance
import numpy as np
import pytest
from making import Array, Counting, Meaning, prose

from catalejo import upkeep
from catalejo.chunking import passages, sentences, span_of
from catalejo.errors import CannotWrite, CatalogDamaged
from catalejo.passage_rows import PassageRow
from catalejo.passages import Passages
from catalejo.ranking import presence, saturated
from catalejo.store import Store
from catalejo.texts import Cue, TextPage
from catalejo.words import analyse

DAY = datetime(2024, 5, 1, 12, 30)
ENCODER = Meaning()


def name(number: int) -> str:
    return hashlib.sha256(f"document {number}".encode()).hexdigest()


def rows_of(number: int, *pages: TextPage, dated: datetime | None = DAY) -> list[PassageRow]:
    """A document's passages with all that is saved of them."""
    rows = []
    for page in pages:
        for place, passage in enumerate(passages(page)):
            first = passage.span.start
            spans = tuple(span_of(page, first + a, first + b) for a, b in sentences(passage.text))
            texts = [page.text[span.start : span.end] for span in spans]
            stems = tuple(tuple(analyse(text, passage.language)) for text in texts)
            words = tuple(analyse(passage.text, passage.language))
            key = (name(number), page.number - 1, place)
            rows.append(PassageRow(key, passage, words, spans, stems, ENCODER.encode_texts(texts), dated))
    return rows


def written(texts: Passages, *documents: str, first: int = 0) -> list[PassageRow]:
    rows = [row for n, text in enumerate(documents, first) for row in rows_of(n, TextPage(text, 1))]
    texts.write(rows)
    return rows


@pytest.fixture
def store(tmp_path: Path) -> Store:
    Meaning.reset()
    made = Store(tmp_path / "c")
    made.create(Counting.card)
    return made


@pytest.fixture
def texts(store: Store) -> Passages:
    made = Passages(store)
    made.create(Meaning.card)
    return made


def one(words: Sequence[str]) -> Array:
    return ENCODER.encode_texts([" ".join(words)])[0]


# -- what is written comes back -----------------------------------------------------------


def test_before_the_first_document_there_is_nothing(store: Store) -> None:
    texts = Passages(store)
    assert not texts.exists
    texts.refresh()
    texts.write([])
    assert not texts.exists
    texts.create(Meaning.card)
    assert texts.exists
    assert texts.card == Meaning.card or texts.card.identity == Meaning.card.identity
    assert (texts.count(), texts.hashes(), texts.vectors().shape) == (0, set(), (0, 64))
    assert texts.with_stem("gat")[0].tolist() == []
    assert texts.nearest(one(["gato"]), 5).tolist() == []
    assert texts.numbers("hash = 'x'").tolist() == []
    assert texts.texts(np.empty(0, np.int64)) == {}


def test_making_the_tables_again_changes_nothing(texts: Passages) -> None:
    written(texts, prose(1))
    before = texts.version
    texts.create(Meaning.card)
    texts.refresh()
    assert texts.version == before


def test_a_passage_comes_back_as_it_was(store: Store, texts: Passages) -> None:
    text = "Ñandúes y 🐈 cruzan.\nDespués, nada.\n\nThe second paragraph is written in English, and says so."
    cues = (Cue(0, 20, 1.5, 2.25), Cue(21, 35, 3.0, 4.0))
    rows = rows_of(7, TextPage(text, 3, cues=cues), TextPage("Una página más, la cuarta.", 4))
    texts.write(rows)
    ids = np.array([row.id for row in rows], np.int64)
    found = Passages(Store(store.folder)).texts(ids)
    assert found == {row.id: (row.key, row.passage, "text") for row in rows}
    first = found[rows[0].id].passage
    assert (first.span.page, first.span.start_s, first.span.end_s) == (3, 1.5, 4.0)
    assert first.text == text[first.span.start : first.span.end]
    assert found[rows[-1].id][1].span.start_s is None


def test_sentences_come_back_with_place_time_stems_and_vector(texts: Passages) -> None:
    text = "El gato duerme en la casa. Más tarde, el perro ladra en el jardín."
    rows = rows_of(1, TextPage(text, 1, cues=(Cue(0, 26, 0.5, 1.0), Cue(27, 66, 60.0, 61.5))))
    texts.write(rows + rows_of(2, TextPage(prose(5), 1)))
    found = texts.sentences(np.array([rows[0].id]))
    assert found.ids.tolist() == [rows[0].id] * 2
    spans = tuple(found.span(row) for row in range(len(found.ids)))
    assert spans == rows[0].sentences
    assert [(span.start_s, span.end_s) for span in spans] == [(0.5, 1.0), (60.0, 61.5)]
    assert found.stems == [list(stems) for stems in rows[0].stems]
    assert np.array_equal(found.vectors, rows[0].vectors)
    assert found.vectors.dtype == np.float32
    nobody = texts.sentences(np.array([12345]))
    assert (len(nobody.ids), nobody.starts.shape, nobody.vectors.shape) == (0, (0,), (0, 64))


def test_numbers_of_passages_do_not_meet(texts: Passages) -> None:
    """A passage's number is made from its key alone: positive, the same in each process, another for each."""
    keys = [(name(n), page, number) for n in range(20) for page in range(12) for number in range(12)]
    (row,) = rows_of(1, TextPage("Una frase cualquiera.", 1))
    ids = {PassageRow(key, row.passage, (), (), (), row.vectors).id for key in keys}
    assert len(ids) == len(keys)
    assert all(0 <= id < 2**63 for id in ids)
    assert (
        PassageRow(("ab", 1, 2), row.passage, (), (), (), row.vectors).id == 7589364911804779647
    )  # sha256sum of ab-1-2


def test_found_by_stem_with_what_each_adds(texts: Passages) -> None:
    rows = written(texts, "Un gato y otro gato.", "Una gata en la casa grande de mis abuelos.", "Solo hay perros aquí.")
    ids, scores = texts.with_stem("gat")
    assert set(ids.tolist()) == {rows[0].id, rows[1].id}
    lengths = np.array([len(row.words) for row in rows], np.float32)
    expected = saturated(np.array([2, 1], np.float32), lengths[:2], float(lengths.mean()))
    found = dict(zip(ids.tolist(), presence(scores, 2, 3).tolist(), strict=True))
    assert [found[rows[0].id], found[rows[1].id]] == pytest.approx(expected.tolist(), abs=1e-5)
    assert texts.with_stem("ga")[0].tolist() == []
    assert texts.with_stem("gat perr")[0].size in (0, 3)  # no stem has a space; nothing must break


@pytest.mark.parametrize("stem", ["", " ", "*", "gat*", "'", '"', "\\", "(gat", "gat AND", "-gat", "ñ", "日本", "\0"])
def test_no_stem_is_a_query_language(texts: Passages, stem: str) -> None:
    written(texts, "Un gato y otro gato.", "日本 es un país.")
    ids, scores = texts.with_stem(stem)
    assert len(ids) == len(scores) <= 1


def test_found_by_sentence_each_passage_once(texts: Passages) -> None:
    rows = written(texts, "El gato duerme. El gato come. El gato salta en el tejado.", "El perro ladra.", prose(3))
    found = texts.nearest(one(["el", "gato", "come."]), 10).tolist()
    assert found[0] == rows[0].id
    assert len(found) == len(set(found)) <= len(rows)
    everything = np.concatenate([row.vectors for row in rows])
    owners = [row.id for row in rows for _ in row.sentences]
    query = one(["el", "perro", "ladra", "con", "la", "casa"])
    order = np.argsort(-(everything @ query), kind="stable")
    assert texts.nearest(query, 10_000).tolist() == list(dict.fromkeys(owners[n] for n in order))
    assert texts.nearest(query, 10**30).tolist() == texts.nearest(query, 10_000).tolist()


def test_conditions_come_before_the_search(texts: Passages) -> None:
    for number in range(6):
        page = TextPage(prose(number, 1), 1)
        texts.write(rows_of(number, page, dated=DAY + timedelta(days=365 * number)))
    query, where = one(["la", "casa"]), "dated >= timestamp '2027-01-01 00:00:00'"
    late = set(texts.numbers(where).tolist())
    assert len(late) == 3
    assert set(texts.nearest(query, 50, where).tolist()) == late
    assert set(texts.nearest(query, 1, f"hash = '{name(4)}'").tolist()) < late
    assert texts.nearest(query, 50, "false").tolist() == []
    assert (texts.count(), texts.count(where)) == (6, 3)


def test_a_passage_without_a_date(texts: Passages) -> None:
    rows = rows_of(1, TextPage("Sin fecha alguna.", 1), dated=None)
    texts.write(rows)
    assert texts.numbers("dated IS NULL").tolist() == [rows[0].id]


# -- odd and large ------------------------------------------------------------------------


def test_words_longer_than_any_limit_of_an_index(texts: Passages, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lance's tokenizer drops words of more than 40 bytes unless told otherwise."""
    monkeypatch.setattr(upkeep, "UNINDEXED_TEXTS", 0)
    long = ["x" * 39, "y" * 40, "ñ" * 41, "z" * 1_000, "w" * 70_000]
    (row,) = rows_of(1, TextPage("Una frase.", 1))
    texts.write([PassageRow((name(1), 0, 0), row.passage, tuple(long), row.sentences, row.stems, row.vectors)])
    for _ in range(2):
        assert [len(texts.with_stem(stem)[0]) for stem in long] == [1] * 5
        texts.maintain()
        texts.refresh()


def test_a_very_long_text(texts: Passages) -> None:
    text = "\n\n".join(prose(seed, 4) for seed in range(400))
    rows = rows_of(1, TextPage(text, 1))
    assert len(text) > 200_000 and len(rows) > 300
    texts.write(rows)
    found = texts.texts(np.array([row.id for row in rows]))
    assert all(text[p.span.start : p.span.end] == p.text for _, p, _ in found.values())
    assert len(found) == len(rows) == texts.count()
    assert texts.vectors(most=100).shape == (100, 64)
    assert np.array_equal(texts.vectors(most=100), texts.vectors(most=100))
    assert texts.vectors().shape[0] == sum(len(row.sentences) for row in rows)


def test_a_passage_without_sentences_or_words(texts: Passages) -> None:
    (row,) = rows_of(1, TextPage("¿? 3", 1))
    bare = PassageRow(row.key, row.passage, (), (), (), np.empty((0, 64), np.float32))
    texts.write([bare, *rows_of(2, TextPage("Con palabras, sí.", 1))])
    assert texts.texts(np.array([bare.id]))[bare.id][1] == row.passage
    assert len(texts.sentences(np.array([bare.id])).ids) == 0
    assert texts.hashes() == {name(1), name(2)}


# -- dropping -----------------------------------------------------------------------------


def test_keep_drops_all_others(texts: Passages) -> None:
    rows = written(texts, *(prose(n) for n in range(6)))
    assert texts.keep({name(n) for n in range(6)} | {name(99)}) == 0
    before = texts.version
    assert texts.keep(texts.hashes()) == 0
    assert texts.version == before, "nothing to drop writes nothing"
    assert texts.keep({name(1), name(4)}) == 4
    left = {row.id for row in rows if row.key[0] in (name(1), name(4))}
    assert texts.hashes() == {name(1), name(4)}
    assert set(texts.nearest(one(["la", "casa"]), 500).tolist()) == left
    assert set(texts.with_stem("ano")[0].tolist()) == left
    assert texts.keep(set()) == 2
    assert (texts.count(), texts.with_stem("ano")[0].tolist()) == (0, [])


def test_keep_drops_thousands(texts: Passages) -> None:
    (row,) = rows_of(0, TextPage("Una frase.", 1))
    texts.write(
        [
            PassageRow((name(n), 0, 0), row.passage, row.words, row.sentences, row.stems, row.vectors)
            for n in range(2_500)
        ]
    )
    assert texts.keep({name(7)}) == 2_499
    assert texts.count() == 1


def test_keep_also_drops_sentences_whose_passages_were_never_written(texts: Passages) -> None:
    """As a run leaves that is killed between the two tables."""
    written(texts, prose(1))
    data = lance.dataset(texts._uri("passages"))
    data.delete("true")
    texts.refresh()
    assert texts.keep(set()) == 1
    assert texts.nearest(one(["la", "casa"]), 10).tolist() == []


# -- upkeep -------------------------------------------------------------------------------


def answers(texts: Passages) -> list[Any]:
    """What a few questions get, to be compared."""
    queries = [one(["la", "casa", "rompe"]), one(["el", "perro", "con", "agua"]), one(["1999."])]
    near = [texts.nearest(query, 25).tolist() for query in queries]
    holding = [sorted(texts.with_stem(stem)[0].tolist()) for stem in ("cas", "perr", "agu", "ano", "1999", "nadie")]
    return [near, holding, texts.average_words()]


def test_answers_stay_the_same_through_compaction_and_indices(texts: Passages, monkeypatch: pytest.MonkeyPatch) -> None:
    for name_, value in (("INDEX_FROM", 300), ("UNINDEXED", 100), ("UNINDEXED_TEXTS", 50), ("KEPT", timedelta(0))):
        monkeypatch.setattr(upkeep, name_, value)
    compactions = 0
    for start in range(0, 200, 10):
        written(texts, *(prose(n) for n in range(start, start + 10)), first=start)
        before = answers(texts)
        fragments = len(lance.dataset(texts._uri("sentences")).get_fragments())
        texts.maintain()
        compactions += len(lance.dataset(texts._uri("sentences")).get_fragments()) < fragments
        assert answers(texts) == before
        texts.refresh()
        assert answers(texts) == before
    assert compactions
    names = {
        kind: {index.name for index in lance.dataset(texts._uri(kind)).describe_indices()}
        for kind in ("passages", "sentences")
    }
    assert names == {"passages": {"words_index"}, "sentences": {"vector_index", "hash_index"}}
    assert texts.vectors(most=50).shape == (50, 64)


def test_answers_stay_the_same_when_documents_go(texts: Passages, monkeypatch: pytest.MonkeyPatch) -> None:
    """And after upkeep the index counts none of them any more."""
    monkeypatch.setattr(upkeep, "UNINDEXED_TEXTS", 10)
    written(texts, *(prose(n) for n in range(60)))
    texts.maintain()
    texts.keep({name(n) for n in range(0, 60, 3)})
    texts.maintain()
    store = Store(texts._store.folder.parent / "other")
    store.create(Counting.card)
    fresh = Passages(store)
    fresh.create(Meaning.card)
    fresh.write([row for n in range(0, 60, 3) for row in rows_of(n, TextPage(prose(n), 1))])
    assert answers(texts) == answers(fresh)
    found, expected = (dict(zip(*map(np.ndarray.tolist, t.with_stem("cas")), strict=True)) for t in (texts, fresh))
    assert found == pytest.approx(expected, abs=1e-4)


def test_without_news_upkeep_writes_nothing(texts: Passages) -> None:
    written(texts, prose(1))
    texts.maintain()
    before = texts.version
    texts.maintain()
    texts.refresh()
    assert texts.version == before


def test_old_versions_go(texts: Passages, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upkeep, "KEPT", timedelta(0))
    for n in range(20):
        written(texts, prose(n), first=n)
    texts.maintain()
    for kind in ("passages", "sentences"):
        assert len(lance.dataset(texts._uri(kind)).versions()) == 1
        assert len(lance.dataset(texts._uri(kind)).get_fragments()) == 1


# -- readers ------------------------------------------------------------------------------


def test_a_reader_that_stays_open_sees_news_when_it_asks(store: Store, texts: Passages) -> None:
    rows = written(texts, prose(1))
    reader = Passages(Store(store.folder))
    assert reader.count() == len(rows)
    before = reader.version
    more = written(texts, prose(2), first=1)
    texts.maintain()
    assert (reader.count(), reader.version) == (len(rows), before)
    assert len(reader.nearest(one(["la", "casa"]), 500)) == len(rows)
    reader.refresh()
    assert reader.count() == len(rows) + len(more)
    assert reader.version != before
    assert set(reader.nearest(one(["la", "casa"]), 500).tolist()) == {row.id for row in rows + more}
    texts.keep(set())
    reader.refresh()
    assert reader.count() == 0


def test_a_reader_from_before_the_first_document(store: Store) -> None:
    reader = Passages(Store(store.folder))
    reader.refresh()
    assert not reader.exists
    texts = Passages(store)
    texts.create(Meaning.card)
    rows = written(texts, prose(1))
    reader.refresh()
    assert reader.exists
    assert reader.count() == len(rows)


# -- no room, and files cut short ------------------------------------------------------------


@pytest.mark.parametrize("at", [1, 2])
def test_a_full_disk_is_told_and_leaves_whole_tables(texts: Passages, monkeypatch: pytest.MonkeyPatch, at: int) -> None:
    written(texts, prose(1))
    before = answers(texts)
    real, times = lance.write_dataset, iter(range(1, 100))

    def short(*arguments: Any, **options: Any) -> Any:
        if next(times) >= at:
            raise OSError(28, "No space left on device")
        return real(*arguments, **options)

    monkeypatch.setattr(lance, "write_dataset", short)
    with pytest.raises(CannotWrite, match="no space left on device"):
        written(texts, prose(2), first=1)
    monkeypatch.undo()
    again = Passages(Store(texts._store.folder))
    again.keep({name(0)})
    assert answers(again) == before
    written(again, prose(2), first=1)
    assert again.hashes() == {name(0), name(1)}


@pytest.mark.parametrize("which", ["sentences", "passages"])
def test_a_data_file_cut_short_by_the_disk_is_taken_back(
    texts: Passages, monkeypatch: pytest.MonkeyPatch, which: str
) -> None:
    written(texts, prose(1))
    before = answers(texts)
    real = lance.write_dataset

    def cutting(table: Any, data: Any, **options: Any) -> Any:
        made = real(table, data, **options)
        if Path(made.uri).stem == which:
            newest = max(Path(made.uri, "data").iterdir(), key=lambda path: path.stat().st_mtime_ns)
            os.truncate(newest, newest.stat().st_size // 2)
        return made

    monkeypatch.setattr(lance, "write_dataset", cutting)
    with pytest.raises(CannotWrite, match=r"the disk took only a part of a file|input/output error"):
        written(texts, prose(2), first=1)
    monkeypatch.undo()
    again = Passages(Store(texts._store.folder))
    again.keep({name(0)})
    assert answers(again) == before


def cut(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def garble(path: Path) -> None:
    path.write_bytes(np.random.default_rng(0).bytes(path.stat().st_size))


@pytest.mark.parametrize("which", ["sentences", "passages"])
@pytest.mark.parametrize("part", ["data", "_versions"])
@pytest.mark.parametrize("how", [cut, garble, Path.unlink, lambda path: os.truncate(path, 0)])
def test_damage_is_told_and_names_the_doctor(
    texts: Passages, which: str, part: str, how: Callable[[Path], None]
) -> None:
    written(texts, prose(1))
    folder = Path(texts._uri(which))
    for path in (folder / part).iterdir():
        how(path)
    asked: list[Callable[[Passages], Any]] = [
        lambda t: t.nearest(one(["casa"]), 5), lambda t: t.with_stem("cas"), lambda t: t.hashes(),
        lambda t: t.sentences(np.array([1])), lambda t: t.vectors(), lambda t: t.numbers("page = 0"),
    ]  # fmt: skip
    told = 0
    for ask in asked:
        reader = Passages(Store(texts._store.folder))
        if not reader.exists:
            assert (which, part, how) == ("sentences", "_versions", Path.unlink)
            return
        try:
            ask(reader)
        except CatalogDamaged as error:
            assert "doctor --repair" in str(error)
            assert "\n" not in str(error)
            told += 1
    assert told


def test_tables_that_went_while_they_were_open(store: Store, texts: Passages) -> None:
    """As by the doctor, who drops both when one is lost; the next document makes them anew."""
    written(texts, prose(1))
    reader = Passages(Store(store.folder))
    assert reader.count()
    shutil.rmtree(texts._uri("passages"))
    shutil.rmtree(texts._uri("sentences"))
    reader.refresh()
    assert not reader.exists
    with pytest.raises(CatalogDamaged, match="doctor --repair"):
        reader.count()
    anew = Passages(store)
    anew.create(Meaning.card)
    rows = written(anew, prose(2))
    reader.refresh()
    assert reader.count() == len(rows)
