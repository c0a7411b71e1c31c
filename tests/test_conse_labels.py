"""The class texts: whole, clean, in ImageNet's order, and in two languages that say the same."""

from __future__ import annotations

import re
from itertools import chain

import pytest

from catalejo.conse.labels import (
    LANGUAGES,
    ClassTexts,
    classes,
    fold,
    language_of,
    lexicon,
    source,
    spotted,
    texts,
)

# Well-known places in ImageNet's order: one English and one Spanish name each class must have.
ORDER = """
0 tench tenca | 1 goldfish pez_dorado | 2 great_white_shark tiburón_blanco | 7 rooster gallo | 9 ostrich avestruz
22 bald_eagle águila_calva | 29 axolotl ajolote | 47 chameleon camaleón | 63 Indian_cobra cobra_india
71 scorpion escorpión | 84 peacock pavo_real | 88 macaw guacamayo | 94 hummingbird colibrí | 99 goose ganso
105 koala koala | 113 snail caracol | 130 flamingo flamenco | 144 pelican pelícano | 145 king_penguin pingüino_rey
151 Chihuahua chihuahua | 207 golden_retriever golden_retriever | 235 German_shepherd pastor_alemán | 254 pug carlino
258 Samoyed samoyedo | 269 wolf lobo | 277 red_fox zorro_rojo | 281 tabby_cat gato_atigrado | 291 lion león
292 tiger tigre | 294 brown_bear oso_pardo | 301 ladybug mariquita | 309 bee abeja | 319 dragonfly libélula
323 monarch_butterfly mariposa_monarca | 340 zebra cebra | 347 bison bisonte | 355 llama llama | 366 gorilla gorila
386 African_elephant elefante_africano | 388 giant_panda panda_gigante | 393 clownfish pez_payaso
402 acoustic_guitar guitarra_acústica | 404 airliner avión_comercial | 417 hot_air_balloon globo_aerostático
430 basketball baloncesto | 444 tandem tándem | 468 taxi taxi | 483 castle castillo | 504 coffee_mug taza_de_café
508 computer_keyboard teclado | 555 fire_truck camión_de_bomberos | 569 garbage_truck camión_de_la_basura
579 grand_piano piano_de_cola | 609 jeep jeep | 620 laptop laptop | 671 mountain_bike bicicleta_de_montaña
717 pickup camioneta | 779 school_bus autobús_escolar | 817 sports_car coche_deportivo | 851 television televisión
879 umbrella paraguas | 920 traffic_light semáforo | 933 cheeseburger hamburguesa | 950 orange naranja
954 banana plátano | 963 pizza pizza | 967 espresso café_expreso | 980 volcano volcán | 985 daisy margarita
999 toilet_paper papel_higiénico
"""

# Words that are written with a capital; every other must not be.
CAPITALS = {
    "en": """ATM Afghan African Airedale Alaskan Alsatian American Angora Appenzeller Arctic Asian Australian Bay
        Bedlington Belgian Bengal Bernard Berner Bernese Blenheim Border Boston Bouvier Brittany Brussels Buddha
        Buddhist CD Cardigan Cavalier Charles Chesapeake Chihuahua Chin Chinese Christmas Dalmatian Dandie Dane
        Dinmont Doberman Dungeness Dutch Egyptian English Entlebucher Eskimo European Flanders Flandres Ford Formula
        French Frenchie German Gila Gordon Granny Great Greater Halloween Highland Hungarian Ibizan Indian Irish
        Italian Japan Japanese Kerry King Komodo Labrador Lakeland Lassie Leonberger Lhasa MP3 Maine Malinois Maltese
        Mexican Model Muslim Newfoundland Nile Norfolk Norwegian Norwich Old Olympic PC PDA Pekingese Pembroke Persian
        Petri Polaroid Pomeranian Prussian Pyrenean Pyrenees RV Rhodesian Rottweiler Russian SLR Saint Saluki Samoyed
        Santa Scottie Scottish Sealyham Shetland Shih Siamese Siberian Smith South Staffordshire Staffy Sussex Swiss
        Swissy T TV Tibetan Tzu Venetian Venice Vespa Walker Weimaraner Welsh West Yorkie Yorkshire iPod""",
    "es": """Alaska Alpes Angora Antonio Appenzell Bengala Berna Blenheim Boston Brie Bruselas Buda CD Cardigan
        Chesapeake Congo Dungeness Entlebuch Flandes Ford Gila Granny Halloween Huberto Indias Japón Kerry Komodo
        Lassie MP3 Maine Navidad Nilo Norfolk Norwich PC Pacífico Pan Pembroke Petri Pirineos Polaroid Pomerania
        Rocosas Rodesia San Shetland Smith Sussex T Tíbet Venecia Vespa Weimar iPod""",
}
ENDINGS = {
    range(398): ("animal", "animal"),
    range(948, 958): ("food", "comida"),
    range(966, 970): ("drink", "bebida"),
    range(970, 971): ("nature", "naturaleza"),
    range(972, 981): ("nature", "naturaleza"),
    range(981, 984): ("person", "persona"),
    range(984, 991): ("plant", "planta"),
}


def fields(entry: ClassTexts) -> list[dict[str, tuple[str, ...]]]:
    return [entry.names, entry.kinds, entry.scenes]


def test_there_are_a_thousand_lines_of_seven_fields() -> None:
    raw = source().decode("utf-8")
    assert raw.endswith("\n") and "\r" not in raw and "\ufeff" not in raw
    lines = raw.splitlines()
    assert [line.split("\t")[0] for line in lines] == [str(i) for i in range(1000)]
    assert {len(line.split("\t")) for line in lines} == {7}
    assert len(classes()) == 1000


@pytest.mark.parametrize("place", ORDER.replace("\n", "|").strip("|").split("|"))
def test_classes_stand_in_imagenets_order(place: str) -> None:
    index, *names = place.split()
    english, spanish = (name.replace("_", " ") for name in names)
    entry = classes()[int(index)]
    assert english in entry.names["en"] and spanish in entry.names["es"]


def test_texts_are_clean() -> None:
    said = [text for entry in classes() for field in fields(entry) for text in chain(*field.values())]
    clean = re.compile(r"[^\W_]+(?:[ '-]{1,2}[^\W_]+)*")
    assert not [text for text in said if not clean.fullmatch(text) or "  " in text]


@pytest.mark.parametrize("language", LANGUAGES)
def test_capitals_are_for_names(language: str) -> None:
    known = set(CAPITALS[language].split())
    found = {
        word
        for entry in classes()
        for field in fields(entry)
        for text in field[language]
        for word in re.findall(r"\w+", text)
        if word != word.lower()
    }
    assert found == known


def test_texts_are_in_their_own_language() -> None:
    english, spanish = (
        [text for entry in classes() for field in fields(entry) for text in field[language]] for language in LANGUAGES
    )
    assert {c for c in "".join(english) if not c.isascii()} == {"é"}  # consommé
    assert {c for c in "".join(spanish) if not c.isascii()} == set("áéíóúüñ")
    assert not [text for text in english if re.search(r"\b(de|del|la|el|los|para)\b", text)]
    assert not [text for text in spanish if re.search(r"\b(of|the|with|and|for)\b", text)]


def test_both_languages_say_as_much() -> None:
    for index, entry in enumerate(classes()):
        assert len(entry.kinds["en"]) == len(entry.kinds["es"]), index
        assert len(entry.scenes["en"]) == len(entry.scenes["es"]), index
        assert all(field[language] for field in fields(entry) for language in LANGUAGES), index


def test_nothing_is_said_twice() -> None:
    for index, entry in enumerate(classes()):
        for language in LANGUAGES:
            for field in fields(entry):
                lowered = [text.lower() for text in field[language]]
                assert len(set(lowered)) == len(lowered), (index, language)
            said = set(entry.names[language]) | set(entry.kinds[language])
            assert said.isdisjoint(entry.scenes[language]), (index, language)


def test_living_things_end_in_what_they_are() -> None:
    for span, (english, spanish) in ENDINGS.items():
        for index in span:
            kinds = classes()[index].kinds
            assert (kinds["en"][-1], kinds["es"][-1]) == (english, spanish), index
    assert all(classes()[index].kinds["en"][-1] != "animal" for index in range(398, 1000))


def test_texts_list_names_and_kinds_class_by_class() -> None:
    found = texts()
    assert [t.index for t in found] == sorted(t.index for t in found)
    assert {t.index for t in found} == set(range(1000))
    of_tench = [(t.text, t.language, t.weight) for t in found if t.index == 0]
    assert ("tench", "en", 1.0) in of_tench and ("tenca", "es", 1.0) in of_tench
    assert ("fish", "en", 0.8) in of_tench and ("pez", "es", 0.8) in of_tench
    assert "lake" not in [text for text, _, _ in of_tench]  # scenes are not asked for


# -- words ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Los Perros, ¡qué árboles!", ("los", "perro", "que", "arbol")),
        ("Canción", ("cancion",)),
        ("canciones", ("cancion",)),
        ("camiones", ("camion",)),
        ("dogs", ("dog",)),
        ("a\u0301rbol", ("arbol",)),
        ("ÑANDÚ", ("nandu",)),
        ("glass", ("glass",)),
        ("bus", ("bus",)),
        ("", ()),
        ("...", ()),
        ("😀", ()),
        ("\x00\x01", ()),
        ("perro\x00gato", ("perro", "gato")),
        ("собака", ("собака",)),
        ("1234", ("1234",)),
    ],
)
def test_fold(text: str, words: tuple[str, ...]) -> None:
    assert fold(text) == words


def test_no_text_folds_to_nothing() -> None:
    assert () not in lexicon()


def test_spotted_finds_names_word_for_word() -> None:
    assert spotted("un tiburón blanco en el mar") == {2: 1.0}
    assert spotted("A GREAT WHITE SHARK!") == {2: 1.0}
    assert spotted("volcanes y semáforos") == {980: 1.0, 920: 1.0}
    assert spotted("traffic lights") == {920: 1.0}


def test_spotted_prefers_the_longest_text() -> None:
    assert spotted("fire truck") == {555: 1.0}  # and not every truck
    trucks = spotted("truck")
    assert {555, 569, 717} <= set(trucks) and set(trucks.values()) == {0.8}


def test_spotted_knows_kinds_and_weighs_them_less() -> None:
    dogs = spotted("perros")
    assert set(range(151, 269)) - set(dogs) == set()
    assert set(dogs.values()) == {0.8}
    assert spotted("gatos")[281] == 1.0


@pytest.mark.parametrize("query", ["", "...", "😀", "el", "xyzzy", "собака", "\x00", "a" * 5_000])
def test_spotted_finds_nothing_in_nothing(query: str) -> None:
    assert spotted(query) == {}


def test_spotted_reads_long_queries() -> None:
    assert set(spotted("volcán " * 700)) == {980}


@pytest.mark.parametrize(
    ("query", "language"),
    [
        ("un perro en la nieve", "es"),
        ("dogs in the snow", "en"),
        ("Tokyo", None),
        ("gato", "es"),
        ("cat", "en"),
        ("UN ÁRBOL", "es"),
        ("mi coche rojo", "es"),
        ("my red car", "en"),
        ("pizza", None),
        ("", None),
        ("?!", None),
        ("😀", None),
        ("собака", None),
        ("the " * 1_500, "en"),
    ],
)
def test_language_of(query: str, language: str | None) -> None:
    assert language_of(query) == language
