"""Speech: windows, words to utterances, what is believed; and real speech where the model was fetched."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from conftest import Run
from here import data, fetched_models

from catalejo.errors import BadModel, MissingWeights, UnknownName
from catalejo.perceivers import RATE_HZ, Samples, speech, voices
from catalejo.perceivers.speech import SpeechPerceiver, believed, perceived, utterances
from catalejo.perceivers.voices import Piece, Window, windows
from catalejo.perceivers.whisper import Heard, Whisper, _language, _words, loops
from catalejo.transcripts import Transcript, Utterance, Word

pytest.importorskip("faster_whisper", reason="the extra speech is not installed")

JFK = "and so my fellow americans ask not what your country can do for you ask what you can do for your country"


@dataclass
class Played:
    """Samples as a sound, in blocks."""

    samples: Samples
    block_s: float = 10.0
    duration_s: float | None = None

    def blocks(self) -> Iterator[Samples]:
        step = int(self.block_s * RATE_HZ)
        yield from (self.samples[i : i + step] for i in range(0, len(self.samples), step))


def heard(text: str, likely: float = -0.3, no_speech: float = 0.05, looping: bool = False) -> Heard:
    words = tuple(Word(word, i * 0.4, i * 0.4 + 0.3, 0.9) for i, word in enumerate(text.split()))
    return Heard(words, "es", 0.9, likely, no_speech, looping)


def window(seconds: float = 29.0, *pieces: Piece) -> Window:
    samples = np.zeros(int(seconds * RATE_HZ), np.float32)
    return Window(samples, pieces or (Piece(0, 0, len(samples)),))


# -- windows -----------------------------------------------------------------------------


def loud_parts(samples: Samples) -> list[tuple[int, int]]:
    """A stand-in for voice activity: where the samples are not zero; as long as a window at most."""
    edges = np.flatnonzero(np.diff(samples != 0, prepend=False, append=False))
    most, found = int(voices.WINDOW_S * RATE_HZ), []
    for start, end in zip(edges[::2], edges[1::2], strict=True):
        found += [(int(i), int(min(i + most, end))) for i in range(start, end, most)]
    return found


@pytest.mark.parametrize("block_s", [0.37, 10.0, 500.0])
def test_windows_hold_all_that_is_spoken_once_and_say_where(monkeypatch: pytest.MonkeyPatch, block_s: float) -> None:
    monkeypatch.setattr(voices, "_spans", loud_parts)
    samples = np.zeros(400 * RATE_HZ, np.float32)
    for start, end in ((3, 5), (6, 30), (100, 170), (118.5, 121), (239.5, 240.5), (399, 400)):
        samples[int(start * RATE_HZ) : int(end * RATE_HZ)] = 1 + np.arange(int((end - start) * RATE_HZ)) % 7
    found = list(windows(Played(samples, block_s).blocks()))
    assert all(len(one.samples) <= voices.WINDOW_S * RATE_HZ for one in found)
    back = np.zeros_like(samples)
    for one in found:
        for piece in one.pieces:
            back[piece.start : piece.start + piece.length] += one.samples[piece.at : piece.at + piece.length]
    np.testing.assert_array_equal(back, samples)


def test_a_second_of_a_window_is_one_of_the_recording() -> None:
    one = window(3.0, Piece(0, 16_000, 16_000), Piece(16_000, 160_000, 32_000))
    assert [one.piece_at(s) for s in (0, 0.99, 1.0, 2.9, 99)] == [0, 0, 1, 1, 1]
    assert one.when(0.5, 0) == 1.5 and one.when(1.5, 1) == 10.5
    assert one.when(1.4, 0) == 2.0 and one.when(0.2, 1) == 10.0  # inside its piece


@pytest.mark.parametrize("samples", [np.zeros(0), np.zeros(100), np.zeros(RATE_HZ * 40)], ids=["none", "few", "zeros"])
def test_silence_has_no_windows(samples: Samples) -> None:
    assert list(windows(Played(samples.astype(np.float32)).blocks())) == []


def test_noise_has_no_windows() -> None:
    noise = np.random.default_rng(0).normal(0, 0.2, RATE_HZ * 20).astype(np.float32)
    assert list(windows([noise])) == []


# -- words, utterances, what is believed -----------------------------------------------------


def test_punctuation_belongs_to_its_word() -> None:
    found = [
        {"word": word, "start": i, "end": i + 1, "probability": p}
        for i, (word, p) in enumerate(
            [(" ¿", 0.1), ("Qué", 0.8), (" hora", 0.9), (" es", 0.7), ("?", 0.2), (" —", 0.1)]
        )
    ]
    words = _words(found)
    assert [word.text for word in words] == ["¿Qué", "hora", "es?—"]
    assert [word.probability for word in words] == [0.8, 0.9, 0.7]
    assert words[2].end_s == 4  # not the question mark's


def test_utterances_end_with_sentences_pauses_and_full_lines() -> None:
    long = (
        "una frase que no acaba nunca y sigue, y sigue sin parar hasta que la línea de los subtítulos se llena del todo"
    )
    said = list(utterances(window(), heard(f"Hola. ¿Qué tal? {long}")))
    texts = [one.text for one in said]
    assert texts[:3] == ["Hola.", "¿Qué tal?", "una frase que no acaba nunca y sigue,"]
    assert " ".join(texts) == f"Hola. ¿Qué tal? {long}" and max(map(len, texts)) <= 84
    assert all(a.end_s <= b.start_s for a, b in pairwise(said))
    paused = Heard((Word("sí", 0, 0.4, 0.9), Word("no", 2.0, 2.4, 0.7)), "es", 1.0, -0.2, 0.0, False)
    assert [(one.text, one.confidence) for one in utterances(window(), paused)] == [("sí", 0.9), ("no", 0.7)]


def test_a_word_stands_in_one_piece_and_is_no_longer_than_a_word() -> None:
    pieces = Piece(0, 0, 16_000), Piece(16_000, 160_000, 32_000)
    words = Word("a", 0.0, 0.9, 0.9), Word("b", 0.9, 1.5, 0.9), Word("c", 1.5, 3.0, 0.9)
    found = [w for one in utterances(window(3.0, *pieces), Heard(words, "es", 1, -0.1, 0, False)) for w in one.words]
    assert [(word.start_s, word.end_s) for word in found] == [(0.0, 0.9), (10.0, 10.5), (11.0, 12.0)]


@pytest.mark.parametrize(
    ("one", "is_believed"),
    [
        (heard("un perro"), True),
        (heard("un perro", likely=-1.7), True),  # a child's phrase, hard to hear
        (heard(""), False),
        (heard("you", likely=-2.7, no_speech=0.5), False),  # over a whale
        (heard("I'm sorry. I'm sorry.", likely=-1.43, no_speech=0.45), False),  # over a hippopotamus
        (heard("so", likely=-0.5, no_speech=0.8), False),
        (heard("la la la", looping=True), False),
        (heard("Subtítulos realizados por la comunidad de Amara.org"), False),
        (heard("Thank you for watching!"), False),
    ],
)
def test_what_is_invented_is_not_believed(one: Heard, is_believed: bool) -> None:
    assert believed(one) == is_believed


def test_a_loop_is_told_from_a_chorus() -> None:
    chorus = "Y si no se escucha bien, que se escuche otra vez, la canción que todos cantan. " * 3
    assert not loops(chorus, 25.0) and not loops("", 3.0) and not loops("Sí. Sí. Sí.", 2.0)
    assert loops("gracias " * 60, 25.0)  # little but repetition
    assert loops(chorus, 2.0)  # nobody is so fast


def test_in_short_windows_the_measured_languages_count_more() -> None:
    found = [("<|pl|>", 0.6), ("<|es|>", 0.05), ("<|en|>", 0.01)]
    assert _language(found, {})[0] == "pl"
    assert _language(found, speech._leaning(1.0, ""))[0] == "es"
    assert _language(found, speech._leaning(29.0, ""))[0] == "pl"
    assert _language([("<|en|>", 0.5), ("<|es|>", 0.2)], speech._leaning(2.0, "es"))[0] == "es"  # as what came before


def test_a_transcript_as_facts_and_a_page() -> None:
    said = (Utterance("Hola.", 1.0, 1.5, "es", 0.8), Utterance("Adiós.", 3.0, 3.5, "es", 0.7))
    found = perceived(Transcript(said, "es", 0.97, 9.0), "speech")
    assert [(fact.kind, fact.value, fact.confidence) for fact in found.facts] == [
        ("language", "es", 0.97), ("speech", "Hola.", 0.8), ("speech", "Adiós.", 0.7)
    ]  # fmt: skip
    (page,) = found.pages
    assert [page.text[cue.start : cue.end] for cue in page.cues] == ["Hola.", "Adiós."]
    assert [cue.start_s for cue in page.cues] == [1.0, 3.0] and page.number == 1
    assert perceived(Transcript((), "", 0.0, 9.0), "speech").pages == ()


# -- what is missing ---------------------------------------------------------------------------


def test_without_the_model_one_line_says_how_to_get_it(tiny: Path, run: Run, tmp_path: Path) -> None:
    with pytest.raises(MissingWeights, match="Fetch it: catalejo fetch whisper-base"):
        SpeechPerceiver()
    (tmp_path / "a.wav").write_bytes(b"RIFF")
    done = run("transcribe", tmp_path / "a.wav")
    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (1, "", 1)
    assert "catalejo fetch whisper-base" in done.stderr


def test_subtitles_of_several_files_need_a_folder(run: Run) -> None:
    done = run("transcribe", "a.wav", "b.wav", "--format", "srt")
    assert done.returncode == 2 and "--out DIR" in done.stderr


def test_a_folder_that_holds_no_model_is_said(tmp_path: Path) -> None:
    (tmp_path / "model.bin").write_bytes(b"\0" * 100)
    with pytest.raises(BadModel, match="CTranslate2 cannot open it"):
        Whisper(tmp_path).languages()


# -- the real model ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def fetched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with fetched_models(tmp_path_factory.mktemp("models"), "whisper-base"):
        yield


@pytest.fixture(scope="module")
def perceiver(fetched: None) -> SpeechPerceiver:
    return SpeechPerceiver()


def samples_of(path: Path) -> Samples:
    from catalejo.readers.audio import sound_of

    return np.concatenate(list(sound_of(path).blocks()))


def plain(text: str) -> str:
    return "".join(c for c in text.lower() if c.isalnum() or c.isspace()).replace("\n", " ")


def test_jfk_word_for_word_with_times(perceiver: SpeechPerceiver) -> None:
    found = perceiver.transcribe(Played(samples_of(data("jfk.flac"))))
    assert plain(found.text) == JFK
    assert found.language == "en" and found.language_confidence > 0.9 and found.duration_s == 11.0
    words = [word for one in found.utterances for word in one.words]
    assert all(a.end_s <= b.start_s for a, b in pairwise(words)) and words[-1].end_s <= 11.0
    (americans,) = (word for word in words if word.text == "Americans,")
    assert americans.start_s <= 1.8 <= americans.end_s  # as Whisper's own tests have it


def test_the_same_sound_gives_the_same_words(perceiver: SpeechPerceiver) -> None:
    spoken = samples_of(data("stamps", "speech_es", "animals_birds_duck.ogg"))
    found = {perceiver.transcribe(Played(spoken, block_s)).text for block_s in (0.25, 10.0)}
    assert len(found) == 1


def test_a_short_spanish_phrase_is_taken_for_spanish(perceiver: SpeechPerceiver) -> None:
    spoken = samples_of(data("stamps", "speech_es", "animals_fish_seahorse.ogg"))
    found = perceiver.listen(Played(spoken))
    assert found.facts[0].kind == "language" and found.facts[0].value == "es"
    assert "caballito de mar" in found.pages[0].text.lower()


def test_a_language_may_be_named_and_must_exist(perceiver: SpeechPerceiver, tmp_path: Path) -> None:
    from catalejo.transcribing import transcribe

    assert {"es", "en", "de"} <= perceiver.languages()
    with pytest.raises(UnknownName, match="no language is called 'spanish'"):
        transcribe(tmp_path / "a.wav", language="spanish", perceiver=perceiver)


@pytest.mark.parametrize(
    "name", ["animals_mammals_hippopotamus", "animals_birds_penguin", "hobbies_music_string_violin"]
)
def test_no_words_are_invented_for_animals_and_music(perceiver: SpeechPerceiver, name: str) -> None:
    found = perceiver.transcribe(Played(samples_of(data("stamps", "sounds", f"{name}.ogg"))))
    assert found.utterances == () and found.language == ""


def test_the_command_prints_every_format(fetched: None, run: Run, tmp_path: Path) -> None:
    jfk = data("jfk.flac")
    done = run("transcribe", jfk, "--json")
    assert done.returncode == 0, done.stderr
    assert '"start_s"' in done.stdout and '"skipped": []' in done.stdout
    (tmp_path / "broken.wav").write_bytes(b"no sound at all" * 10)
    done = run("transcribe", jfk, tmp_path / "broken.wav", "--format", "vtt", "--out", tmp_path / "subs")
    assert done.returncode == 1 and "broken.wav" in done.stderr and len(done.stderr.splitlines()) == 1
    assert (tmp_path / "subs" / "jfk.flac.vtt").read_text().startswith("WEBVTT\n\n00:00:")
