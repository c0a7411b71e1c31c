"""One vector column of a catalog: made, filled bit by bit, searched and indexed beside the others."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import lance
import numpy as np
import pytest
from test_store import DAY, fill, name, vectors

from catalejo import upkeep
from catalejo.encoders.conse import CARD
from catalejo.errors import NotEncoded, WrongEncoder
from catalejo.records import Item, ModelCard
from catalejo.space import Space, add_column
from catalejo.store import Store
from catalejo.tables import FileRow, ItemRow, column_free_for, items_schema, vector_columns

OTHER = dataclasses.replace(
    CARD, name="clip-b:int8", version="aa", space="clip-b:int8", width=64, files=(), family="clip", folder="/models/b"
)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    made = Store(tmp_path / "c")
    made.create(CARD)
    return made


def unit(count: int, width: int = OTHER.width, seed: int = 7) -> np.ndarray:
    found = np.random.default_rng(seed).normal(size=(count, width)).astype(np.float32)
    return found / np.linalg.norm(found, axis=1, keepdims=True)


def opened(store: Store) -> Any:
    return lance.dataset(str(store.folder / "items.lance"))


def unindexed(store: Store, column: str) -> int:
    return int(opened(store).stats.index_stats(f"{column}_index")["num_unindexed_rows"])


# -- made and filled ----------------------------------------------------------------


def test_a_new_column_is_empty_and_disturbs_nothing(store: Store) -> None:
    rows = vectors(20)
    fill(store, rows)
    space = add_column(store, OTHER)
    assert (space.count(), len(space.missing())) == (0, 20)
    assert space.nearest(unit(1)[0], 5) == []
    assert space.best(lambda some, _: some[:, 0], 5) == []
    assert space.vectors().shape == space.vectors(most=3).shape == (0, OTHER.width)
    assert list(space.keyed()) == []
    assert np.array_equal(Space(store, CARD).vectors(), rows)
    assert [card.name for card in store.cards()] == ["conse", "clip-b:int8"]
    assert store.first_card() == store.cards()[0]


def test_items_without_a_vector_are_left_out_and_the_others_found(store: Store) -> None:
    fill(store, vectors(60))
    space, rows = add_column(store, OTHER), unit(20)
    keys = space.missing()
    space.fill(keys[10:30], rows)
    assert space.count() == 20
    assert space.missing() == keys[:10] + keys[30:]
    for exact in (True, False):
        found = space.nearest(rows[3], 50, exact=exact)
        assert [n.item.hash for n in found] == [keys[10 + int(i)][0] for i in np.argsort(-(rows @ rows[3]))]
        assert np.allclose([n.score for n in found], np.sort(rows @ rows[3])[::-1], atol=1e-5)
    assert len(space.best(lambda some, _: some @ rows[3], 50)) == 20
    stored = {key: vector for some, block in space.keyed() for key, vector in zip(some, block, strict=True)}
    assert stored.keys() == set(keys[10:30])
    assert all(np.array_equal(stored[key], row) for key, row in zip(keys[10:30], rows, strict=True))
    assert len(Space(store, CARD).nearest(vectors(1)[0], 100)) == 60


def test_pages_of_one_file_have_a_vector_each(store: Store) -> None:
    items = [ItemRow(Item(name(1), page, "image", 4, 3), DAY, row)
             for page, row in enumerate(vectors(3))]  # fmt: skip
    store.write(CARD, items, [FileRow("/p/1.tif", 1, 2, name(1))])
    space, rows = add_column(store, OTHER), unit(3)
    assert space.missing() == [(name(1), 0), (name(1), 1), (name(1), 2)]
    space.fill([(name(1), 2), (name(1), 0)], rows[[2, 0]])
    assert space.missing() == [(name(1), 1)]
    assert [n.item.page for n in space.nearest(rows[2], 1)] == [2]
    assert [n.item.page for n in space.nearest(rows[0], 1)] == [0]


def test_filling_twice_replaces_and_adds_no_rows(store: Store) -> None:
    """As after a stop between a commit and the moment we know of it."""
    fill(store, vectors(8))
    space = add_column(store, OTHER)
    keys = space.missing()
    space.fill(keys, unit(8, seed=1))
    space.fill(keys[:5], unit(5, seed=2))
    space.fill([], unit(0))
    assert (store.count(), space.count()) == (8, 8)
    stored = {key: vector for some, block in space.keyed() for key, vector in zip(some, block, strict=True)}
    expected = np.concatenate([unit(5, seed=2), unit(8, seed=1)[5:]])
    assert np.array_equal(np.stack([stored[key] for key in keys]), expected)


def test_what_is_not_in_the_table_is_not_put_there(store: Store) -> None:
    fill(store, vectors(2))
    space = add_column(store, OTHER)
    space.fill([(name(99), 0), (name(0), 5), (name(1), 0)], unit(3))
    assert (store.count(), space.count()) == (2, 1)


def test_items_added_later_wait(store: Store) -> None:
    fill(store, vectors(5))
    space = add_column(store, OTHER)
    space.fill(space.missing(), unit(5))
    fill(store, vectors(4, seed=3), start=5)
    assert (space.count(), store.count()) == (5, 9)
    assert {hash for hash, _ in space.missing()} == {name(i) for i in range(5, 9)}
    assert [s.items for s in store.summary().spaces] == [9, 5]
    space.fill(space.missing(), unit(4, seed=9))
    assert (space.missing(), space.count()) == ([], 9)


def test_rows_come_in_although_the_card_says_more_now(store: Store) -> None:
    """Another version of catalejo knows other scores, or a model's folder has moved: the same vectors."""
    fill(store, vectors(3))
    add_column(store, OTHER)
    told = dataclasses.replace(CARD, published=(("imagenet", 71.0),), folder="/elsewhere", source="another page")
    rows = vectors(2, seed=4)
    items = [ItemRow(Item(name(50 + i), 0, "image", 4, 3), DAY, row)
             for i, row in enumerate(rows)]  # fmt: skip
    store.write(told, items, [FileRow(f"/p/{50 + i}.jpg", 1, 2, name(50 + i)) for i in range(2)])
    assert Space(store, told).nearest(rows[1], 1)[0].item.hash == name(51)
    assert store.count() == 5


def test_anew_throws_away_and_may_change_the_width(store: Store) -> None:
    rows = vectors(6)
    fill(store, rows)
    space = add_column(store, OTHER)
    space.fill(space.missing(), unit(6))
    wider = dataclasses.replace(OTHER, version="bb", width=30)
    with pytest.raises(WrongEncoder):
        add_column(store, wider)
    assert space.count() == 6, "nothing is thrown away unasked"
    again = add_column(store, wider, anew=True)
    assert (again.count(), len(again.missing())) == (0, 6)
    again.fill(again.missing(), unit(6, 30))
    assert again.vectors().shape == (6, 30)
    assert np.array_equal(np.sort(Space(store, CARD).vectors(), axis=0), np.sort(rows, axis=0))
    assert [card.name for card in store.cards()] == ["conse", "clip-b:int8"]
    assert add_column(store, dataclasses.replace(OTHER, name="new", space="new"), anew=True).count() == 0


def test_the_folder_of_the_model_is_remembered_where_it_is_now(store: Store) -> None:
    fill(store, vectors(2))
    space = add_column(store, OTHER)
    space.fill(space.missing(), unit(2))
    add_column(store, dataclasses.replace(OTHER, folder="/media/usb/b"))
    assert [card.folder for card in Store(store.folder).cards()] == ["", "/media/usb/b"]
    assert Space(store, OTHER).count() == 2
    fill(store, vectors(1, seed=8), start=2)
    assert Space(store, OTHER).missing() == [(name(2), 0)]


def test_forgotten_items_leave_all_columns(store: Store) -> None:
    fill(store, vectors(6))
    space = add_column(store, OTHER)
    space.fill(space.missing()[:4], unit(4))
    store.forget([f"/p/{i}.jpg" for i in range(3)])
    assert sorted(store.sweep()) == sorted(name(i) for i in range(3))
    left = {key for some, _ in space.keyed() for key in some} | set(space.missing())
    assert left == {(name(i), 0) for i in range(3, 6)}


# -- names -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("encoder", "column"),
    [
        ("conse", "conse"), ("clip-vit-b-32:int8", "clip_vit_b_32_int8"), ("labels", "labels_2"), ("page", "page_2"),
        ("Modelo Ñ", "modelo"), ("ñ", "vectors"), ("a.b", "a_b"), ("2024", "2024"), ("order", "order"),
    ],
)  # fmt: skip
def test_a_column_is_called_after_its_encoder_as_far_as_it_can(encoder: str, column: str) -> None:
    schema = items_schema(dataclasses.replace(CARD, name=encoder))
    assert list(vector_columns(schema)) == [column]
    assert len(set(schema.names)) == len(schema.names) == 14


def test_names_that_clash_get_columns_of_their_own(store: Store) -> None:
    fill(store, vectors(4))
    names = ["labels", "hash", "a-b:int8", "a-b-int8", "a_b.int8", "conse-", "_rowid"]
    rows = {one: unit(4, seed=n) for n, one in enumerate(names)}
    for one in names:
        space = add_column(store, dataclasses.replace(OTHER, name=one, space=one))
        space.fill(space.missing(), rows[one])
    assert len(opened(store).schema.names) == len(set(opened(store).schema.names)) == 14 + 7
    again = Store(store.folder)
    assert [card.name for card in again.cards()] == ["conse", *names]
    for one in names:
        space = Space(again, dataclasses.replace(OTHER, name=one, space=one))
        assert space.nearest(rows[one][2], 1)[0].score == pytest.approx(1, abs=1e-5)
    assert [item.labels for item in again.items()] == [()] * 4
    assert Space(again, CARD).nearest(vectors(1)[0], 1)[0].item.labels[0].probability == 0.5


def test_free_names_are_found_whatever_is_taken() -> None:
    assert column_free_for("a-b", []) == "a_b"
    assert column_free_for("a-b", ["a_b", "a_b_2"]) == "a_b_3"


# -- another encoder -----------------------------------------------------------------------


@pytest.fixture
def filled(store: Store) -> Store:
    fill(store, vectors(3))
    space = add_column(store, OTHER)
    space.fill(space.missing(), unit(3))
    return store


def refused(store: Store, **other: Any) -> str:
    with pytest.raises((WrongEncoder, NotEncoded)) as caught:
        Space(store, dataclasses.replace(OTHER, **other))
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("other", [{"version": "bb"}, {"width": 25}, {"space": "x"}])
def test_another_version_is_refused(filled: Store, other: dict[str, Any]) -> None:
    refused(filled, **other)


def test_a_folder_whose_model_has_changed(filled: Store) -> None:
    said = refused(filled, version="bb")
    assert "made by clip-b:int8 version aa (/models/b); this is clip-b:int8 version bb (/models/b)" in said
    assert said.endswith(f"make them anew: catalejo -c {filled.folder} encode --encoder clip-b:int8 --anew")


def test_two_folders_of_the_same_name(filled: Store) -> None:
    said = refused(filled, version="bb", folder="/my models/b")
    assert "version aa (/models/b); this is clip-b:int8 version bb (/my models/b)" in said
    assert "rename one of the folders" in said
    assert said.endswith("encode --encoder '/my models/b:int8' --anew")


def test_the_encoder_a_catalog_was_made_with_needs_a_new_catalog(store: Store) -> None:
    with pytest.raises(WrongEncoder, match=r"in a new catalog: catalejo -c NEW add --encoder conse FOLDER$"):
        Space(store, dataclasses.replace(CARD, version="2"))


def test_what_is_not_encoded_names_the_command_that_does_it(store: Store) -> None:
    said = refused(store)
    assert "no vectors of clip-b:int8 (it has: conse)" in said
    assert said.endswith(f"catalejo -c {store.folder} encode --encoder /models/b:int8")
    said = refused(store, folder="", name="siglip2-b-32-256")
    assert said.endswith("encode --encoder siglip2-b-32-256")


# -- samples --------------------------------------------------------------------------------


@pytest.mark.parametrize(("having", "most", "expected"), [(40, 100, 40), (500, 100, 100), (3_000, 100, 100), (0, 9, 0)])
def test_a_sample_is_of_those_that_have_a_vector(store: Store, having: int, most: int, expected: int) -> None:
    """Also where few have one, as at the beginning of an encode."""
    fill(store, vectors(3_000))
    space, rows = add_column(store, OTHER), unit(having)
    keys = space.missing()
    space.fill([keys[i] for i in np.random.default_rng(0).permutation(3_000)[:having]], rows)
    found = space.vectors(most=most)
    assert found.shape == (expected, OTHER.width)
    known = {row.tobytes() for row in rows}
    assert len({row.tobytes() for row in found} & known) == expected
    assert np.array_equal(found, Space(Store(store.folder), OTHER).vectors(most=most)), "always the same ones"


# -- indices -------------------------------------------------------------------------------------


@pytest.fixture
def indexed(store: Store, monkeypatch: pytest.MonkeyPatch) -> Store:
    """2,000 items around 40 centres, the first column with its index, the second empty."""
    monkeypatch.setattr(upkeep, "INDEX_FROM", 1_000)
    monkeypatch.setattr(upkeep, "UNINDEXED", 300)
    fill(store, gathered(2_000, CARD.width))
    store.maintain()
    assert unindexed(store, "conse") == 0
    add_column(store, OTHER)
    return store


def fragments(store: Store) -> list[tuple[int, int]]:
    """The table's fragments and their rows."""
    return [(fragment.fragment_id, fragment.count_rows()) for fragment in opened(store).get_fragments()]


def gathered(count: int, width: int, seed: int = 3) -> np.ndarray:
    """Unit vectors around 40 centres."""
    rows = unit(40, width, seed=2)[np.arange(count) % 40]
    rows = rows + 0.7 / width**0.5 * np.random.default_rng(seed).normal(size=(count, width))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def recall(store: Store, card: ModelCard, queries: np.ndarray) -> float:
    """Of the ten nearest, how many the index finds."""
    space, right = Space(store, card), 0
    for query in queries:
        exact = {(n.item.hash, n.item.page) for n in space.nearest(query, 10, exact=True)}
        right += len(exact & {(n.item.hash, n.item.page) for n in space.nearest(query, 10)})
    return right / (10 * len(queries))


def test_an_empty_column_and_one_with_few_vectors_get_no_index(indexed: Store) -> None:
    indexed.maintain()
    space, rows = Space(indexed, OTHER), gathered(999, OTHER.width)
    space.fill(space.missing()[:999], rows)
    indexed.maintain()
    assert not upkeep.has_index(opened(indexed), space.column)
    assert space.nearest(rows[5], 1)[0].score == pytest.approx(1, abs=1e-5)


def test_filling_a_column_leaves_the_index_of_the_first_complete(indexed: Store) -> None:
    queries, before = gathered(2_000, CARD.width)[::100], fragments(indexed)
    found = [Space(indexed, CARD).nearest(query, 20) for query in queries]
    space = Space(indexed, OTHER)
    keys, rows = space.missing(), gathered(2_000, OTHER.width)
    for start in range(0, 2_000, 64):
        space.fill(keys[start : start + 64], rows[start : start + 64])
        assert (unindexed(indexed, "conse"), unindexed(indexed, "hash")) == (0, 0)
    assert fragments(indexed) == before, "no row is moved"
    assert [Space(indexed, CARD).nearest(query, 20) for query in queries] == found
    indexed.maintain()
    assert (unindexed(indexed, "conse"), unindexed(indexed, space.column)) == (0, 0)
    assert recall(indexed, OTHER, rows[::100]) >= 0.99
    assert [Space(indexed, CARD).nearest(query, 20) for query in queries] == found


def test_what_is_filled_after_the_index_was_built_is_found_at_once_and_indexed_later(indexed: Store) -> None:
    space, rows = Space(indexed, OTHER), gathered(2_000, OTHER.width)
    keys = space.missing()
    space.fill(keys[:1_000], rows[:1_000])
    indexed.maintain()
    assert upkeep.has_index(opened(indexed), space.column)
    space.fill(keys[1_000:1_200], rows[1_000:1_200])
    assert space.nearest(rows[1_100], 1)[0].item.hash == keys[1_100][0]
    indexed.maintain()
    space.fill(keys[1_200:], rows[1_200:])
    assert all(space.nearest(rows[i], 1)[0].item.hash == keys[i][0] for i in range(0, 2_000, 97))
    indexed.maintain()
    assert unindexed(indexed, space.column) == 0
    assert recall(indexed, OTHER, rows[::100]) >= 0.99
    fill(indexed, vectors(400, seed=11), start=2_000)
    indexed.maintain()  # with rows that have no vector yet
    assert (space.count(), len(space.missing())) == (2_000, 400)
    assert (unindexed(indexed, "conse"), unindexed(indexed, space.column)) == (0, 400)
    more = gathered(400, OTHER.width, seed=12)
    late = space.missing()
    space.fill(late, more)
    assert all(space.nearest(more[i], 1)[0].item.hash == late[i][0] for i in range(0, 400, 41))
    indexed.maintain()
    assert unindexed(indexed, space.column) == 0
    assert all(space.nearest(more[i], 1)[0].item.hash == late[i][0] for i in range(0, 400, 41))


@pytest.mark.parametrize(("width", "kind"), [(72, "IVF_RQ"), (68, "IVF_FLAT"), (63, None), (1, None)])
def test_vectors_of_any_width_are_found_with_an_index_or_without(indexed: Store, width: int, kind: str | None) -> None:
    """RQ wants widths that eight divides; narrow ones are searched one by one as fast."""
    card = dataclasses.replace(OTHER, name="odd", space="odd", width=width)
    space, rows = add_column(indexed, card), gathered(2_000, width)
    space.fill(space.missing(), rows)
    indexed.maintain()
    assert upkeep.has_index(opened(indexed), "odd") == (kind is not None)
    if kind:
        assert opened(indexed).stats.index_stats("odd_index")["index_type"] == kind
        assert recall(indexed, card, rows[::100]) >= 0.99
    assert space.nearest(rows[7], 1)[0].score == pytest.approx(1, abs=1e-5)
    fill(indexed, vectors(400, seed=11), start=2_000)
    space.fill(space.missing(), gathered(400, width, seed=12))
    indexed.maintain()
    assert space.nearest(gathered(400, width, seed=12)[9], 1)[0].score == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("few", [0, 3, 1_000])
def test_zero_vectors_spoil_no_index(indexed: Store, few: int) -> None:
    """The symbolic encoder gives them to pictures without a concept."""
    rows = np.zeros((2_000, OTHER.width), np.float32)
    rows[:few] = gathered(2_000, OTHER.width)[:few]
    space = Space(indexed, OTHER)
    keys = space.missing()
    space.fill(keys, rows)
    indexed.maintain()
    assert upkeep.has_index(opened(indexed), space.column) == (few == 1_000)
    found = space.nearest(unit(1)[0] if not few else rows[2], 5)
    assert not few or found[0].item.hash == keys[2][0]


def test_anew_takes_the_index_along(indexed: Store) -> None:
    space, rows = Space(indexed, OTHER), gathered(2_000, OTHER.width)
    space.fill(space.missing(), rows)
    indexed.maintain()
    again = add_column(indexed, OTHER, anew=True)
    assert {index.name for index in opened(indexed).describe_indices()} == {"conse_index", "hash_index"}
    assert again.nearest(rows[0], 5) == []
    again.fill(again.missing(), rows[::-1])
    indexed.maintain()
    assert unindexed(indexed, again.column) == 0
    assert recall(indexed, OTHER, rows[::100]) >= 0.99
    assert recall(indexed, CARD, gathered(2_000, CARD.width)[::100]) >= 0.99


def test_a_vector_taken_back_is_not_found_and_can_be_made_again(indexed: Store) -> None:
    """As the doctor does with damaged ones."""
    space, rows = Space(indexed, OTHER), gathered(2_000, OTHER.width)
    keys = space.missing()
    space.fill(keys, rows)
    indexed.maintain()
    indexed.dataset.update({space.column: "NULL"}, f"hash = '{keys[7][0]}'")
    assert space.missing() == [keys[7]]
    assert keys[7][0] not in [n.item.hash for n in space.nearest(rows[7], 10)]
    assert keys[7][0] in [n.item.hash for n in Space(indexed, CARD).nearest(unit(1, CARD.width)[0], 2_000)]
    space.fill(space.missing(), rows[7:8])
    assert space.nearest(rows[7], 1)[0].item.hash == keys[7][0]


def test_the_card_stands_with_its_column(store: Store) -> None:
    add_column(store, OTHER)
    field = opened(store).schema.field("clip_b_int8")
    assert json.loads(field.metadata[b"card"])["folder"] == "/models/b"
    assert field.type.list_size == OTHER.width
