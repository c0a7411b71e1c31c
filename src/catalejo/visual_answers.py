"""Answers to questions about pictures, held against reference answers: VQA accuracy, and yes or no.

Answers are compared after the normalisation of the VQA evaluation (Agrawal et al., arXiv 1505.00468; Goyal et al.,
arXiv 1612.00837; github.com/GT-Vision-Lab/VQA, ``vqaEval.py``): punctuation, English number words up to ten, articles,
contractions. Reference answers go through all of it too, where that program leaves their articles as they are. For
Spanish the same steps with Spanish words, and without accents, which is ours.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

NEEDED = 3  # people who must have given an answer for it to be wholly right
_OFFICIAL = 10  # reference answers of the VQA data; fewer are taken for different ways to be right

_PUNCTUATION = ';/[]"{}()=+\\_-><@`,?!'
_SPANISH_MARKS = "¿¡:«»"
_NUMBER_COMMA = re.compile(r"\d,\d")
_UNIT = re.compile(r"(\d)\s+([%°€$£])")
_PERIOD = re.compile(r"\.(?!\d)")
_ARTICLES = {
    "en": frozenset(("a", "an", "the")),
    "es": frozenset(("el", "la", "los", "las", "lo", "un", "una", "unos", "unas")),
}
_NUMBERS = {
    "en": "none=0 zero=0 one=1 two=2 three=3 four=4 five=5 six=6 seven=7 eight=8 nine=9 ten=10",
    "es": "ninguno=0 ninguna=0 cero=0 uno=1 dos=2 tres=3 cuatro=4 cinco=5 seis=6 siete=7 ocho=8 nueve=9 diez=10",
}
_DIGITS = {
    language: {word: digit for word, _, digit in (pair.partition("=") for pair in pairs.split())}
    for language, pairs in _NUMBERS.items()
}
# Written without one of their apostrophes, they get it back. The program's table also has three that begin with a
# capital; nothing reaches those, since the text is in small letters by then.
_CONTRACTED = """
    ain't aren't can't could've couldn't couldn't've didn't doesn't don't hadn't hadn't've hasn't haven't he'd he'd've
    he's how'd how'll how's isn't it'd it'd've it'll ma'am mightn't mightn't've might've mustn't must've needn't not've
    o'clock oughtn't 'ow's'at shan't she'd've should've shouldn't shouldn't've somebody'd've somebody'll somebody's
    someone'd someone'd've someone'll someone's something'd something'd've something'll that's there'd there'd've
    there're there's they'd they'd've they'll they're they've 'twas wasn't we'd've we've weren't what'll what're what's
    what've when's where'd where's where've who'd who'd've who'll who's who've why'll why're why's won't would've
    wouldn't wouldn't've y'all y'all'll y'all'd've you'd you'd've you'll you're you've
"""
_CONTRACTIONS = {
    word[:at] + word[at + 1 :]: word for word in _CONTRACTED.split() for at, c in enumerate(word) if c == "'"
} | {"somebody'd": "somebodyd"}  # a slip of the program's, kept so that figures agree

_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")
_DENIALS = """
    no not none never nothing nobody neither nor cannot without ningun ninguna ninguno nunca nada nadie tampoco
"""
_NO = frozenset(_DENIALS.split())
_YES_NO = {"yes": "yes", "si": "yes", "yeah": "yes", "true": "yes", "no": "no", "nope": "no", "false": "no"}


def normal(text: str, language: str = "en") -> str:
    """An answer as it is compared.

    Args:
        text: as it was given.
        language: ``en`` exactly as the VQA evaluation; ``es``.

    >>> normal("The two dogs, dont you see?"), normal("Las dos niñas", "es")
    ("2 dogs don't you see", '2 ninas')
    """
    given = text.replace("\n", " ").replace("\t", " ").strip()
    made = given
    for mark in _PUNCTUATION + (_SPANISH_MARKS if language == "es" else ""):
        beside = f"{mark} " in given or f" {mark}" in given or _NUMBER_COMMA.search(given)
        made = made.replace(mark, "" if beside else " ")
    words = _PERIOD.sub("", made).lower().split()
    if language == "es":
        words = _folded(" ".join(words)).split()
    digits, articles = _DIGITS.get(language, {}), _ARTICLES.get(language, frozenset())
    kept = [digit for word in words if (digit := digits.get(word, word)) not in articles]
    return " ".join(_CONTRACTIONS.get(word, word) if language == "en" else word for word in kept)


def accuracy(answer: str, references: Sequence[str], language: str = "en") -> float:
    """VQA accuracy: the mean, over leaving each reference out, of min(the others that agree / 3, 1).

    Args:
        answer: to judge.
        references: what people answered, ten in VQA. Of fewer, any is right.
        language: of both.

    Returns:
        0 to 1.

    >>> accuracy("2", ["two"] * 2 + ["3"] * 8), accuracy("two", ["2"])
    (0.6, 1.0)
    """
    wanted = normal(answer, language)
    return _agreed([normal(one, language) == wanted for one in references])


def contained(answer: str, references: Sequence[str], language: str = "en") -> float:
    """As ``accuracy``, but whoever answers in a sentence is right too, where a reference stands in it word by word.

    Of references that are all yes or no, the polarity counts: see ``yes_no``.
    """
    if references and all(map(is_yes_no, references)):
        said = yes_no(answer)
        return _agreed([yes_no(one) == said for one in references])
    text = f" {_bare(answer, language)} "
    return _agreed([bool(wanted := _bare(one, language)) and f" {wanted} " in text for one in references])


def is_yes_no(text: str) -> bool:
    """Whether an answer is yes or no and nothing else."""
    return _folded(text.strip(" .!").lower()) in _YES_NO


def yes_no(text: str) -> str:
    """``yes`` or ``no``: which of them an answer says; empty for an empty one.

    As POPE reads answers (Li et al., arXiv 2305.10355, ``evaluate.py``): what does not deny in its first sentence
    affirms. In Spanish too; an answer that begins with yes or no says that, whatever follows.
    """
    words = [_folded(word) for word in _WORD.findall(text.lower())]
    if not words:
        return ""
    if words[0] in _YES_NO:
        return _YES_NO[words[0]]
    sentence = re.split(r"\.(?!\d)", text.strip(), maxsplit=1)[0].lower()
    found = [_folded(word) for word in _WORD.findall(sentence)]
    return "no" if any(word in _NO or word.endswith(("n't", "n’t")) for word in found) else "yes"


def _agreed(matches: Sequence[bool]) -> float:
    total = len(matches)
    if total < _OFFICIAL:
        return float(any(matches))
    same = sum(matches)
    return sum(min((same - match) / NEEDED, 1.0) for match in matches) / total


def _bare(text: str, language: str) -> str:
    """Normalised, without the punctuation that normalisation leaves at words."""
    words = (part.strip(".,;:!?'\"*()«»") for part in _UNIT.sub(r"\1\2", normal(text, language)).split())
    return " ".join(word for word in words if word)


def _folded(text: str) -> str:
    return "".join(c for c in unicodedata.normalize("NFD", text) if not unicodedata.combining(c))
