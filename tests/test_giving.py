"""Files as pieces for a language model: what it takes as it is, what becomes text, what is said to be missing."""

from __future__ import annotations

import io
import wave
from pathlib import Path

import pytest
from mixed import FIRST, HEARS, LOOKS, SAID, Hears, Looks, files, giver, silence
from PIL import Image

from catalejo.answerers.shown import Recorded
from catalejo.errors import CannotRead, MissingExtra
from catalejo.giving import Giver
from catalejo.pieces import FRAME, NOTES, PICTURE, READ, SOUND, TEXT, TRANSCRIPT, Given
from catalejo.senses import Missing


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return files(tmp_path_factory.mktemp("mixed"))


def whats(given: Given) -> list[str]:
    return [piece.what for piece in given.pieces]


class TestPictures:
    def test_a_model_that_sees_gets_the_picture_itself(self, made: dict[str, str]) -> None:
        given = giver(LOOKS, pictures=True).give(made["foto.png"])
        assert (whats(given), given.kind, given.title, given.left_out) == ([PICTURE], "image", "451 x 300", ())
        media = given.pieces[0].media
        assert isinstance(media, Image.Image)
        assert media.size == (451, 300)

    def test_any_other_gets_what_was_recognised_and_read(self, made: dict[str, str]) -> None:
        given = giver(LOOKS).give(made["foto.png"])
        assert whats(given) == [NOTES, READ]
        assert "tabby cat (62%)" in given.pieces[0].source.passage.text
        assert given.pieces[1].source.passage.text == "READ 451"
        assert given.pieces[1].source.cues[0].box == (1.0, 2.0, 30.0, 40.0)

    def test_notes_are_in_the_language_of_the_question(self, made: dict[str, str]) -> None:
        text = giver(LOOKS, language="es").give(made["foto.png"]).pieces[0].source.passage.text
        assert "gato atigrado (62\N{NO-BREAK SPACE}%)" in text

    def test_who_could_not_look_is_said_with_what_brings_it(self, made: dict[str, str]) -> None:
        missing = (Missing("ocr", 'needs rapidocr: pip install "catalejo[ocr]"'),)
        given = giver(missing=missing).give(made["foto.png"])
        assert given.left_out == (f"{given.path}: ocr did not look at it: {missing[0].why}",)
        assert "nothing was recognised" in given.pieces[0].source.passage.text

    def test_pages_beyond_the_most_are_said(self, tmp_path: Path) -> None:
        first, *others = (Image.new("RGB", (40, 30), (n * 20, 0, 0)) for n in range(5))
        first.save(tmp_path / "pages.tif", save_all=True, append_images=others)
        given = giver(pictures=True, frames=2).give(str(tmp_path / "pages.tif"))
        assert [piece.source.passage.span.page for piece in given.pieces] == [1, 2]
        assert given.left_out[0].endswith("pages 3 to 5; more with --frames")


class TestRecordings:
    def test_a_model_that_hears_gets_the_sound_itself(self, made: dict[str, str]) -> None:
        given = giver(HEARS, sound=True).give(made["nota.wav"])
        assert whats(given) == [SOUND]
        media = given.pieces[0].media
        assert isinstance(media, Recorded)
        with wave.open(io.BytesIO(media.wav)) as file:
            assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (16_000, 1, 2)
            assert file.getnframes() == pytest.approx(48_000, abs=200)

    def test_any_other_gets_what_is_said_with_its_times(self, made: dict[str, str]) -> None:
        given = giver(HEARS).give(made["nota.wav"])
        assert whats(given) == [NOTES, TRANSCRIPT, TRANSCRIPT]  # notes are of all of it
        said = [piece.source for piece in given.pieces if piece.what == TRANSCRIPT]
        assert [source.passage.text for source in said] == [SAID[:FIRST], SAID[FIRST + 1 :]]
        assert [(one.passage.span.start_s, one.passage.span.end_s) for one in said] == [(0.2, 1.8), (40.0, 44.0)]
        assert "0:00-0:01 Bell (80%)" in given.pieces[0].source.passage.text

    def test_too_long_a_recording_goes_as_text(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("catalejo.giving._MOST_SOUND_S", 1.0)
        (tmp_path / "long.wav").write_bytes(silence(2.0))
        given = giver(HEARS, sound=True).give(str(tmp_path / "long.wav"))
        assert TRANSCRIPT in whats(given)
        assert "more than can be sent" in given.left_out[0]

    def test_nobody_who_listens_is_said(self, made: dict[str, str]) -> None:
        given = giver(LOOKS).give(made["nota.wav"])
        assert given.pieces == ()
        assert given.left_out == (f"{given.path}: nothing was recognised in its sound",)

    def test_one_who_fails_is_said_and_the_others_are_heard(self, made: dict[str, str]) -> None:
        class Fails(Hears):
            def listen(self, sound: object) -> None:  # type: ignore[override]
                raise RuntimeError("out of tune")

        bad = type(HEARS)("sounds", "1", HEARS.kinds, Fails())
        given = giver(bad, HEARS).give(made["nota.wav"])
        assert TRANSCRIPT in whats(given)
        assert "out of tune" in given.left_out[0]


class TestFilms:
    def test_frames_and_words_by_their_times(self, made: dict[str, str]) -> None:
        given = giver(HEARS, pictures=True).give(made["clip.mp4"])
        assert whats(given) == [FRAME, NOTES, TRANSCRIPT, FRAME, FRAME, TRANSCRIPT]
        starts = [piece.source.passage.span.start_s for piece in given.pieces if piece.what == FRAME]
        assert starts == pytest.approx([0.0, 1.5, 3.0], abs=0.15)
        assert given.title == "0:04, 160 x 120"

    def test_a_model_that_hears_and_sees_gets_both(self, made: dict[str, str]) -> None:
        given = giver(HEARS, LOOKS, pictures=True, sound=True).give(made["clip.mp4"])
        assert sorted(whats(given)) == [FRAME, FRAME, FRAME, SOUND]

    def test_a_model_that_does_neither_gets_text_alone(self, made: dict[str, str]) -> None:
        given = giver(HEARS, LOOKS).give(made["clip.mp4"])
        assert {piece.media for piece in given.pieces} == {None}
        assert whats(given).count(READ) == 3
        read = next(piece for piece in given.pieces if piece.what == READ)
        assert read.source.passage.span.start_s == 0.0

    def test_more_shots_than_frames_are_said(self, made: dict[str, str]) -> None:
        given = giver(pictures=True, frames=2).give(made["clip.mp4"])
        assert whats(given) == [FRAME, FRAME]
        assert given.left_out[0].endswith("1 of 3 shots; key frames of those at 0:00, 0:01 are given")

    def test_a_long_film_is_thinned_as_it_is_read(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """More shots than are ever held: what is given is still spread over all of them."""
        import films

        monkeypatch.setattr("catalejo.giving._KEPT", 1)
        scenes = [frame for n in range(9) for frame in films.still(films.SCENES[n % 6], 0.8)]
        (tmp_path / "cuts.mp4").write_bytes(films.film(scenes))
        given = giver(pictures=True, frames=3).give(str(tmp_path / "cuts.mp4"))
        starts = [piece.source.passage.span.start_s or 0.0 for piece in given.pieces]
        assert len(starts) == 3
        assert starts[0] == 0.0
        assert starts[-1] > 3.0

    def test_a_silent_film_is_said_to_be_one(self, made: dict[str, str]) -> None:
        given = giver(HEARS, pictures=True).give(made["mudo.mp4"])
        assert whats(given) == [FRAME]
        assert given.left_out == (f"{given.path}: it has no sound",)


class TestDocuments:
    def test_a_page_is_a_piece(self, made: dict[str, str]) -> None:
        given = giver().give(made["informe.txt"])
        assert (whats(given), given.title) == ([TEXT], "")
        assert given.pieces[0].source.passage.text.startswith("El museo abrió")

    @pytest.fixture
    def scan(self) -> str:
        return str(Path(__file__).parent / "fixtures" / "documents" / "escaneado.pdf")

    def test_what_is_read_in_a_scan_is_given(self, scan: str) -> None:
        given = giver(LOOKS).give(scan)
        assert READ in whats(given)
        assert given.left_out == ()

    def test_a_scan_nobody_reads_goes_as_a_picture_to_a_model_that_sees(self, scan: str) -> None:
        assert PICTURE in whats(giver(pictures=True).give(scan))

    def test_else_it_is_said(self, scan: str) -> None:
        given = giver(missing=(Missing("ocr", "pip"),)).give(scan)
        assert PICTURE not in whats(given)
        assert any("did not look at it: pip" in line for line in given.left_out)
        assert any("a picture of text in which nothing was read" in line for line in given.left_out)


class TestBadFiles:
    @pytest.mark.parametrize("name", ["broken.png", "broken.mp4", "broken.mp3", "broken.pdf"])
    @pytest.mark.parametrize("content", [b"", b"no such thing" * 20])
    def test_one_clear_reason(self, name: str, content: bytes, tmp_path: Path) -> None:
        (tmp_path / name).write_bytes(content)
        with pytest.raises(CannotRead):
            giver(pictures=True, sound=True).give(str(tmp_path / name))

    def test_no_file(self) -> None:
        with pytest.raises((CannotRead, MissingExtra)):
            Giver(True, True).give("there-is-none.jpg")

    def test_lookers_are_shown_whole_pictures(self, made: dict[str, str]) -> None:
        looks = Looks()
        giver(type(LOOKS)("labels", "1", LOOKS.kinds, looks)).give(made["foto.png"])
        assert looks.shown == [(0, (451, 300))]
