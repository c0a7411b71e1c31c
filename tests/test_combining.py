"""Files of every kind asked without a language model: facts of each, and the sentences that answer."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from mixed import SAID, files

from catalejo.combining import combine
from catalejo.errors import BadQuery, CannotAsk
from catalejo.facts import Fact
from catalejo.records import Item
from catalejo.senses import Known, Missing
from catalejo.texts import Cue, TextPage

LINE = SAID.index("\n")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return files(tmp_path_factory.mktemp("mixed"))


class Look:
    """Knows a cat of every picture and film, and what is said of every recording; remembers who was asked."""

    def __init__(self, missing: tuple[Missing, ...] = ()) -> None:
        self.asked: list[tuple[str, tuple[str, ...]]] = []
        self._missing = missing

    def __call__(self, path: str, names: Sequence[str]) -> Known:
        self.asked.append((Path(path).name, tuple(names)))
        if path.endswith(".wav"):
            cues = (Cue(0, LINE, 0.2, 1.8), Cue(LINE + 1, len(SAID), 40.0, 44.0))
            page = TextPage(SAID, 1, cues=cues)
            facts = (Fact("duration", "44.0 s", None, "file", number=44.0, es="44,0 s"),)
            return Known(path, facts, (page,), tuple(names), self._missing, (), (Item("", 0, "audio", 0, 0),))
        seen = Fact("label", "tabby cat", 0.97, "labels", es="gato atigrado")
        size = Fact("size", "451 x 300", None, "file")
        return Known(path, (size, seen), (), tuple(names), self._missing, (), (Item("", 0, "image", 451, 300),))


def test_each_file_answers_for_itself_by_its_name(made: dict[str, str]) -> None:
    answer = combine("¿Cuánto dura?", [made["foto.png"], made["nota.wav"]], look=Look())
    assert (answer.declined, answer.route) == (False, "facts")
    (line,) = answer.text.splitlines()
    assert line.startswith(f"{made['nota.wav']}: ")
    assert "44" in line
    assert any(note.startswith(f"{made['foto.png']}: ") for note in answer.notes)  # why it does not answer


def test_one_file_needs_no_name(made: dict[str, str]) -> None:
    assert not combine("¿Cuánto dura?", [made["nota.wav"]], look=Look()).text.startswith(made["nota.wav"])


def test_facts_and_sentences_stand_together(made: dict[str, str], tmp_path: Path) -> None:
    """A question about pictures, and a document that mentions the thing: both are told, each quote numbered."""
    (tmp_path / "gatos.txt").write_text("En la foto hay un gato.\n\nLlueve en Madrid.\n", encoding="utf-8")
    answer = combine("¿Hay un gato?", [made["foto.png"], str(tmp_path / "gatos.txt")], look=Look())
    first, second = answer.text.splitlines()
    assert first.startswith(f"{made['foto.png']}: Sí")
    assert second == f"{tmp_path / 'gatos.txt'}: En la foto hay un gato. [1]"
    assert [(one.number, one.verified) for one in answer.citations] == [(1, True)]


def test_what_is_said_in_a_recording_is_searched_with_its_second(made: dict[str, str]) -> None:
    look = Look()
    answer = combine("¿Quién puede entrar gratis los domingos?", [made["nota.wav"], made["informe.txt"]], look=look)
    (quote,) = answer.citations
    assert quote.quote == "La entrada es gratuita los domingos."
    assert quote.span is not None and quote.span.start_s == 40.0
    assert "speech" in look.asked[0][1]


def test_only_those_look_who_may_know(made: dict[str, str]) -> None:
    look = Look()
    combine("¿Hay un gato?", [made["foto.png"]], look=look)
    assert "speech" not in look.asked[0][1]
    assert "labels" in look.asked[0][1]


def test_nobody_knows_and_says_why(made: dict[str, str]) -> None:
    answer = combine("¿Qué marca es?", [made["foto.png"]], look=Look())
    assert (answer.declined, answer.text, answer.citations) == (True, "No puedo saberlo con esto.", ())
    assert answer.reason


def test_the_future_is_declined_once_for_many_files(made: dict[str, str]) -> None:
    answer = combine("¿Quién ganará mañana?", [made["foto.png"], made["clip.mp4"]], look=Look())
    assert answer.declined
    assert ";" not in answer.reason  # the same reason of both


def test_who_could_not_look_is_said_once(made: dict[str, str]) -> None:
    look = Look((Missing("labels", "pip install"),))
    answer = combine("¿Hay un gato?", [made["foto.png"], made["foto.png"]], look=look)
    assert answer.left_out == (f"{made['foto.png']}: labels: pip install",)


def test_bad_files_are_said_and_the_rest_goes_on(made: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "roto.pdf").write_bytes(b"no PDF at all")
    answer = combine("¿Hay un gato?", ["no-hay.jpg", str(tmp_path / "roto.pdf"), made["foto.png"]], look=Look())
    assert not answer.declined
    assert [line.split(":")[0].rpartition("/")[2] for line in answer.left_out] == ["no-hay.jpg", "roto.pdf"]


def test_no_file_at_all(tmp_path: Path) -> None:
    with pytest.raises(CannotAsk, match=r"none of the files named can be read: no-hay.jpg: no such file"):
        combine("¿Hay un gato?", ["no-hay.jpg"], look=Look())


@pytest.mark.parametrize("question", ["", " \n"])
def test_nothing_asked(question: str, made: dict[str, str]) -> None:
    with pytest.raises(BadQuery):
        combine(question, [made["foto.png"]], look=Look())


def test_real_perceivers_see_the_cat(made: dict[str, str]) -> None:
    answer = combine("Is there a cat?", [made["foto.png"]])
    assert answer.text.startswith("Yes")
    assert answer.confidence is not None and answer.confidence > 0.5
