"""Transcripts as subtitles: read back by our own reader of subtitles, and by eye."""

from __future__ import annotations

import io

import pytest

from catalejo.readers.subtitles import SubtitleReader
from catalejo.records import Limits
from catalejo.transcripts import Transcript, Utterance, clock, srt, vtt

SAID = (
    Utterance("¿Qué hora es?", 0.25, 1.5, "es", 0.9),
    Utterance(
        "Los perros & los gatos <ladran> mucho más de lo que nadie diría en su casa.", 3661.004, 3666.0, "es", 0.8
    ),
)


def test_srt_as_subrip_writes_it() -> None:
    assert srt(SAID) == (
        "1\n00:00:00,250 --> 00:00:01,500\n¿Qué hora es?\n"
        "\n2\n01:01:01,004 --> 01:01:06,000\n"
        "Los perros & los gatos <ladran> mucho\nmás de lo que nadie diría en su casa.\n"
    )


def test_vtt_escapes_what_webvtt_must() -> None:
    assert vtt(SAID).startswith("WEBVTT\n\n00:00:00.250 --> 00:00:01.500\n¿Qué hora es?\n\n01:01:01.004 --> ")
    assert "&amp; los gatos &lt;ladran&gt;" in vtt(SAID)
    assert vtt(()) == "WEBVTT\n" and srt(()) == ""


@pytest.mark.parametrize("name", ["a.srt", "a.vtt"])
def test_our_reader_of_subtitles_reads_them_back(name: str) -> None:
    written = (srt if name.endswith("srt") else vtt)(SAID[:1])
    (page,) = SubtitleReader().read(io.BytesIO(written.encode()), name, Limits())
    assert page.text == SAID[0].text
    assert [(cue.start_s, cue.end_s) for cue in page.cues] == [(0.25, 1.5)]


def test_an_arrow_in_the_text_does_not_break_a_file() -> None:
    assert "-->" not in srt([Utterance("a --> b", 0, 1, "en", 1.0)]).splitlines()[2]


def test_the_text_has_an_utterance_a_line() -> None:
    assert Transcript(SAID, "es", 1.0, 3700.0).text.splitlines() == [one.text for one in SAID]
    assert Transcript((), "", 0.0, 3.0).text == ""


def test_times_for_people() -> None:
    assert [clock(x) for x in (0, 59.99, 60, 3599, 3600, 360000)] == [
        "0:00", "0:59", "1:00", "59:59", "1:00:00", "100:00:00"
    ]  # fmt: skip
