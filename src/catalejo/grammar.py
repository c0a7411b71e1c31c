"""Nouns, lists, numbers and dates put into sentences: articles, gender, plurals, in Spanish and English.

Rules with their exceptions, for names of things as the label tables write them ("gafas de sol", "ambulance"). The
exceptions were written while reading all names of the 1,000 classes in ``conse/labels.tsv``; the tests go through
them again.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime


def _ordered(text: str) -> list[str]:
    return text.split()


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# -- Spanish ------------------------------------------------------------------------------

_FEMININE = _words("""
    aeronave ave base bici calle carne catedral clase codorniz col coliflor cruz cárcel espiral flor foto fuente
    gente cascabel imagen laptop leche liebre llave lombriz luz mantis mano miel minivan miniván moto motonieve
    nariz nave nieve noche nube nuez pared parte
    perdiz pick-up piel pirámide pitón radio red sal sangre sartén serpiente señal tele torre voz
    """)
_MASCULINE_A = _words("""
    atleta beisbolista chihuahua clima cometa crucigrama deportista diagrama día dálmata fantasma gorila guardarropa
    idioma impala koala lhasa mapa panda panorama pijama piyama planeta poema pomerania problema programa puma
    sistema submarinista tema terranova tranvía yoga
    """)
_MASCULINE_ION = _words("avión camión escorpión esturión gorrión morrión opilión")
# These end in s and are one thing.
_SINGULAR_S = _words("""
    abrecartas abrelatas afilalápices albatros anolis autobús bus cactus ciempiés correlimos cuentakilómetros danés
    destapacaños escurreplatos lavamanos lavaplatos lavarropas lavavajillas maltés mantis matamoscas microbús
    microondas minibús moisés montacargas nautilus paracaídas paraguas pasamanos pasamontañas pequinés pintalabios
    portaaviones portaplatos quitanieves rompecabezas rompeolas sacacorchos sacapuntas saltahojas saltamontes
    salvachispas siamés tenis tragamonedas triceratops trolebús virus vuelvepiedras
    """)
# Feminine, yet "un", "el": they begin with a stressed a.
_STRESSED_A = _words("agua águila ala alga alma ancla ánfora área arma arpa asta aula ave hacha")
_UNCOUNTED_ES = _words("""
    ropa comida agua heno brócoli brécol maíz lana terciopelo guacamole puré pan carne papel hierba arena nieve pelo
    música dinero arte artesanía cosméticos equipo calzado mobiliario perfume carbonara chocolate vino masa
    """)
_BEFORE_NOUNS = _words("gran primer primeros pequeño antiguo falsa")

_MONTHS = {
    "en": _ordered("January February March April May June July August September October November December"),
    "es": _ordered("enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre"),
}


def feminine(noun: str) -> bool:
    """Whether a Spanish noun is feminine, by its first word (``torre de agua``: torre).

    >>> [feminine(noun) for noun in ("gato", "taza", "avión", "loción", "mano", "tranvía", "gafas de sol")]
    [False, True, False, True, True, False, True]
    """
    word = _head(noun)
    if word.endswith("s") and word not in _SINGULAR_S:
        word = _one(word)
    if word in _FEMININE:
        return True
    if word in _MASCULINE_A or word in _SINGULAR_S or word in _MASCULINE_ION:
        return False
    return word.endswith(("a", "ión", "dad", "tad", "tud", "umbre"))


def is_plural(noun: str, language: str) -> bool:
    """Whether a noun names several things, or one that is called as if it were several (``jeans``, ``gafas``)."""
    if language == "es":
        word = _head(noun)
        return word.endswith("s") and word not in _SINGULAR_S
    word = _last(noun)
    return word in _PLURAL_EN or (word.endswith("s") and not word.endswith(_SINGULAR_ENDS) and word not in _SINGULAR_EN)


def a(noun: str, language: str) -> str:
    """A noun with its indefinite article, or without where it takes none.

    >>> [a(noun, "es") for noun in ("gato", "taza de café", "águila", "gafas de sol", "brócoli")]
    ['un gato', 'una taza de café', 'un águila', 'unas gafas de sol', 'brócoli']
    >>> [a(noun, "en") for noun in ("cat", "umbrella", "unicycle", "hourglass", "jeans", "toilet paper")]
    ['a cat', 'an umbrella', 'a unicycle', 'an hourglass', 'jeans', 'toilet paper']
    """
    if language == "es":
        word = _head(noun)
        if word in _UNCOUNTED_ES:
            return noun
        if is_plural(noun, language):
            return f"{'unas' if feminine(noun) else 'unos'} {noun}"
        return f"{'una' if feminine(noun) and word not in _STRESSED_A else 'un'} {noun}"
    if is_plural(noun, language) or _last(noun) in _UNCOUNTED_EN or noun in _UNCOUNTED_EN:
        return noun
    return f"{'an' if _vowel(noun) else 'a'} {noun}"


def the(noun: str, language: str) -> str:
    """A noun with its definite article.

    >>> the("águila", "es"), the("gafas de sol", "es"), the("cat", "en")
    ('el águila', 'las gafas de sol', 'the cat')
    """
    if language != "es":
        return f"the {noun}"
    if is_plural(noun, language):
        return f"{'las' if feminine(noun) else 'los'} {noun}"
    return f"{'la' if feminine(noun) and _head(noun) not in _STRESSED_A else 'el'} {noun}"


def plural(noun: str, language: str) -> str:
    """Several of them; in Spanish the adjectives follow, what stands after a preposition does not.

    >>> plural("pez rojo", "es"), plural("taza de café", "es"), plural("avión", "es"), plural("church bell", "en")
    ('peces rojos', 'tazas de café', 'aviones', 'church bells')
    """
    if is_plural(noun, language):
        return noun
    words = noun.split()
    if language == "es":
        end = next((n for n, word in enumerate(words) if word in _PREPOSITIONS), len(words))
        return " ".join([*(_several(word) for word in words[:end]), *words[end:]])
    last = words[-1]
    if last in _IRREGULAR_EN:
        words[-1] = _IRREGULAR_EN[last]
    elif re.search(r"(s|x|z|ch|sh)$", last):
        words[-1] = last + "es"
    elif re.search(r"[^aeiou]y$", last):
        words[-1] = last[:-1] + "ies"
    else:
        words[-1] = last + "s"
    return " ".join(words)


def counted(number: int, noun: str, language: str) -> str:
    """So many of them, in words up to ten.

    >>> counted(1, "cara", "es"), counted(3, "face", "en"), counted(0, "cara", "es"), counted(1200, "cara", "es")
    ('una cara', 'three faces', 'ninguna cara', '1.200 caras')
    """
    if number == 0:
        none = ("ninguna" if feminine(noun) else "ningún") if language == "es" else "no"
        return f"{none} {noun if language == 'es' else plural(noun, language)}"
    if number == 1:
        return f"one {noun}" if language == "en" else a(noun, "es")
    words = _NUMBERS[language]
    said = words[number] if number < len(words) else written(number, language)
    return f"{said} {plural(noun, language)}"


def listed(texts: Sequence[str], language: str, last: str = "and") -> str:
    """Texts as a list, ``last``: ``and`` or ``or``; ``y`` becomes ``e``, and ``o`` ``u``, where they must.

    >>> listed(["gatos", "perros", "iguanas"], "es"), listed(["uno", "otro"], "es", "or"), listed(["a", "b"], "en")
    ('gatos, perros e iguanas', 'uno u otro', 'a and b')
    """
    if len(texts) < 2:
        return "".join(texts)
    joined = {"and": "and", "or": "or"}[last]
    if language == "es":
        start = texts[-1].lower().lstrip("«\"'¿¡ ")
        if last == "and":
            joined = "e" if re.match(r"h?[ií](?![aeoáéó])", start) else "y"
        else:
            joined = "u" if re.match(r"h?[oó]|8", start) else "o"
    return f"{', '.join(texts[:-1])} {joined} {texts[-1]}"


def written(number: float, language: str, digits: int = 0) -> str:
    """A number as the language writes it: 1,234.5 and 1.234,5."""
    text = f"{number:,.{digits}f}"
    return text.translate(str.maketrans(",.", ".,")) if language == "es" else text


def share(part: float, language: str) -> str:
    """A share, 0 to 1, in whole percent; what rounds to 0 or 100 is told from it.

    >>> share(0.934, "en"), share(0.934, "es"), share(0.999, "es")
    ('93%', '93 %', 'más del 99 %')
    """
    space = " " if language == "es" else ""
    if part >= 0.995:
        return f"{'más del' if language == 'es' else 'over'} 99{space}%"
    if part < 0.005:
        return f"{'menos del' if language == 'es' else 'under'} 1{space}%"
    return f"{part * 100:.0f}{space}%"


def dated(when: datetime, language: str) -> str:
    """A day and a time of day.

    >>> dated(datetime(2021, 5, 3, 13, 5), "es"), dated(datetime(2021, 5, 3, 13, 5), "en")
    ('el 3 de mayo de 2021 a las 13:05', 'on 3 May 2021 at 13:05')
    """
    month = _MONTHS[language][when.month - 1]
    if language == "es":
        return f"el {when.day} de {month} de {when.year} a la{'' if when.hour == 1 else 's'} {when.hour}:{when:%M}"
    return f"on {when.day} {month} {when.year} at {when:%H:%M}"


def sentence(text: str) -> str:
    """A sentence: its first letter a capital, a full stop at its end unless it has an end."""
    text = " ".join(text.split())
    start = re.search(r"\w", text)
    if start:
        text = text[: start.start()] + text[start.start()].upper() + text[start.start() + 1 :]
    return text if not text or text[-1] in ".!?…" else text + "."


# -- how Spanish words are built ------------------------------------------------------------

_PREPOSITIONS = _words("de del con en para a al sin por")
_ACCENTS = str.maketrans("áéíóú", "aeiou")
_NUMBERS = {
    "en": _ordered("no one two three four five six seven eight nine ten"),
    "es": _ordered("ningún un dos tres cuatro cinco seis siete ocho nueve diez"),
}


def _head(noun: str) -> str:
    words = noun.lower().split()
    while len(words) > 1 and words[0] in _BEFORE_NOUNS:
        words = words[1:]
    return words[0] if words else ""


def _one(word: str) -> str:
    """The singular of a Spanish plural, well enough for its gender."""
    if word.endswith("ces"):
        return word[:-3] + "z"
    if word.endswith(("iones",)):
        return word[:-5] + "ión"
    if word.endswith("es") and len(word) > 4 and word[-3] in "dlnrsy":
        return word[:-2]
    return word[:-1]


def _several(word: str) -> str:
    if word.endswith("z"):
        return word[:-1] + "ces"
    if re.search(r"[aeiouáéó]$", word):
        return word + "s"
    if re.search(r"[íú]$", word):
        return word + "es"
    if re.search(r"[áéíóú][ns]$", word):  # the stress stays where it was, so the accent goes: avión, aviones
        return word[:-2] + word[-2].translate(_ACCENTS) + word[-1] + "es"
    if word[-1] in "lnrdj" and not re.search(r"[^aeiouáéíóú][lnrdj]$|[kw]|sch|ier$|iel$", word):
        return word + "es"
    return word if word.endswith("s") else word + "s"  # words from elsewhere: woks, terriers


# -- English --------------------------------------------------------------------------------

_SINGULAR_ENDS = ("ss", "us", "is", "ics")
_SINGULAR_EN = _words("bus triceratops lens canvas atlas gas flandres pyrenees longlegs")
_PLURAL_EN = _words("people children mice geese cattle")
_UNCOUNTED_EN = _words("""
    ammunition archery architecture armor art artillery beer bedding beekeeping bread broccoli cabbage cauliflower
    cattle chocolate cloth clothing coffee consommé cookware coral corn cosmetics cream dough eggnog
    equipment espresso fabric feed fire flame food footwear furniture gear glassware golf grass guacamole gymnastics
    hair hardware hay hockey honey industry internet jewelry kitchenware lingerie lotion luggage mail makeup meat
    medicine music nature packaging paper pasta perfume pottery powder rapeseed salmon sauce science seafood sleepwear
    snow soap spaghetti spray stationery straw sunscreen swimwear tableware tape tennis text transport underwear
    velvet water wear wine wool yarn
    """) | {
    "chain mail",
    "spaghetti carbonara",
    "spaghetti squash",
    "ice cream",
    "bath tissue",
    "first aid",
    "sea life",
}
_IRREGULAR_EN = {"person": "people", "man": "men", "woman": "women", "child": "children", "mouse": "mice"}
_IRREGULAR_EN |= {"sheep": "sheep", "fish": "fish", "goose": "geese", "foot": "feet"}
_IRREGULAR_EN |= {"knife": "knives", "wolf": "wolves", "leaf": "leaves", "scarf": "scarves", "loaf": "loaves"}
# Their first letter is spoken otherwise than it looks.
_SPOKEN_VOWEL = re.compile(r"(hour|honest|heir|[AEFHILMNORSX][A-Z]+\b|iP)")
_SPOKEN_CONSONANT = re.compile(r"([Uu]ni(?!n)|[Ee]u|one|use|ute|ur[aeo]n|ukul|U[A-Z]+\b)")


def _last(noun: str) -> str:
    """The word that an English noun's number shows in: what stands before ``of``, ``for``, ``and``."""
    words = re.split(r" (?:of|for|in|with|by|and) ", noun.lower())[0].split()
    return words[-1] if words else ""


def _vowel(noun: str) -> bool:
    if _SPOKEN_VOWEL.match(noun):
        return True
    return noun[:1].lower() in "aeiou" and not _SPOKEN_CONSONANT.match(noun)
