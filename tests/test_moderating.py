"""Moderation: scores, thresholds and the queue, with an encoder of colours and a stand-in for adult content."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from peculiar import Colours, colour
from PIL import Image

from catalejo import Catalog, plugins
from catalejo.category_scores import ADULT, checked, score
from catalejo.errors import BadLabels, BadQuery, CannotRead, MissingWeights
from catalejo.facts import Fact, Perceived
from catalejo.labelled import Labelled
from catalejo.moderating import calibrated, chosen, moderate
from catalejo.readers import Page
from catalejo.records import Limits
from catalejo.thresholds import Costs


class Pinkish:
    """Scores how magenta a picture is; fails on yellow ones. ``seen`` counts."""

    name, version = "safety", "1"
    seen = 0

    def look(self, picture: Image.Image, page: int = 0) -> Perceived:
        type(self).seen += 1
        red, green, blue = np.asarray(picture, np.float64).mean(axis=(0, 1)) / 255
        if red > 0.8 > 0.3 > blue and green > 0.8:
            raise ValueError("yellow")
        return Perceived((Fact("safety", "?", None, "safety", page, number=float(min(red, blue))),))


@pytest.fixture
def adult(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    real = plugins.load

    def load(group: str, name: str) -> Any:
        return Pinkish if (group, name) == ("perceivers", "safety") else real(group, name)

    monkeypatch.setattr(plugins, "load", load)
    Pinkish.seen = 0
    yield


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    for name in ("red", "green", "blue", "magenta"):
        colour(tmp_path / "photos" / f"{name}.png", name)
    return tmp_path / "photos"


def names(found: Any) -> list[str]:
    return [Path(one.path).stem for one in found]


def test_what_passes_a_threshold_is_flagged_and_comes_first(photos: Path, adult: None) -> None:
    found = moderate([str(photos)], [ADULT, "red"], {ADULT: 0.5, "red": 0.6}, Colours())
    assert names(found.pictures)[:2] == ["magenta", "red"]
    assert [one.flagged for one in found.pictures[:2]] == [(ADULT, "red"), ("red",)]
    assert found.encoder == "colours"
    urgencies = [one.urgency for one in found.pictures]
    assert urgencies == sorted(urgencies, reverse=True)
    first = found.pictures[0].scores[0]
    assert (first.category, first.threshold) == (ADULT, 0.5)
    assert first.score == pytest.approx(220 / 255, abs=1e-3)


def test_categories_do_not_compete(photos: Path) -> None:
    alone = score([str(photos / "red.png")], ["red"], Colours()).scores
    among = score([str(photos / "red.png")], ["red", "rojo", "blue"], Colours()).scores
    assert among[0, 0] == alone[0, 0]
    assert among[0, 0] == among[0, 1] > among[0, 2]


def test_no_file_is_touched(photos: Path, adult: None) -> None:
    before = {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in photos.iterdir()}
    moderate([str(photos)], [ADULT], {ADULT: 0.0}, Colours())
    assert {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in photos.iterdir()} == before


def test_what_cannot_be_scored_is_listed_not_passed(photos: Path, adult: None) -> None:
    colour(photos / "yellow.png", "yellow")
    (photos / "broken.png").write_bytes(b"\x89PNG\r\n")
    found = moderate([str(photos)], [ADULT], {ADULT: 0.5}, Colours())
    assert {Path(one.path).stem for one in found.skipped} == {"yellow", "broken"}
    assert any("safety failed (ValueError: yellow)" in one.reason for one in found.skipped)
    assert len(found.pictures) == 4


def test_the_worst_page_of_a_picture_counts(tmp_path: Path, adult: None) -> None:
    pages = [Image.new("RGB", (64, 64), c) for c in ((0, 0, 0), (220, 20, 220), (0, 0, 0))]
    pages[0].save(tmp_path / "a.tif", save_all=True, append_images=pages[1:])
    (one,) = moderate([str(tmp_path / "a.tif")], [ADULT], {ADULT: 0.5}, Colours()).pictures
    assert one.flagged == (ADULT,)


def test_the_worst_shot_of_a_film_counts_and_a_recording_shows_nothing(
    photos: Path, adult: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def pages(self: object, file: object, path: str) -> Iterator[Page]:
        if path.endswith(".mp4"):
            for number, name in enumerate(("green", "magenta")):
                with Image.open(photos / f"{name}.png") as opened:
                    yield Page(opened.convert("RGB"), number, "video", 64, 64)
        yield Page(Image.new("RGB", (64, 64), (220, 20, 220)), 2, "audio", 0, 0)  # a drawn waveform

    monkeypatch.setattr("catalejo.category_scores.PageReader.pages", pages)
    for name in ("clip.mp4", "note.mp3"):
        (photos / name).write_bytes(b"x")
    found = score([str(photos / "clip.mp4"), str(photos / "note.mp3")], [ADULT, "magenta"], Colours())
    assert [Path(path).name for path in found.paths] == ["clip.mp4"]
    assert found.scores[0, 0] > 0.8
    assert found.scores[0, 1] > 0.5
    assert "shows nothing" in found.skipped[0].reason


def test_vectors_that_are_known_are_used(photos: Path) -> None:
    encoder = Colours()
    path = str(photos / "green.png")
    found = score([path], ["red"], encoder, known=lambda paths: {path: encoder.read("red")})
    assert found.scores[0, 0] > 0.5
    assert encoder.seen == 0


def test_thresholds_of_categories(adult: None) -> None:
    lines = chosen([ADULT, "Un  arma"], {"un ARMA": 0.7}, Costs(9, 1))
    assert lines == ([ADULT, "Un arma"], {ADULT: pytest.approx(0.1), "Un arma": 0.7})
    with pytest.raises(BadQuery, match="no such category; the categories: adult"):
        chosen([ADULT], {"arms": 0.7}, None)
    with pytest.raises(BadQuery, match="from 0 to 1"):
        chosen([ADULT], {ADULT: -0.1}, None)


def test_categories_that_make_no_sense_are_refused() -> None:
    assert checked(["Adult content", "contenido para adultos"][:1]) == [ADULT]
    for wrong, reason in (([], "no category"), ([" "], "is empty"), (["a", "A "], "named twice")):
        with pytest.raises(BadLabels, match=reason):
            checked(wrong)


def test_thresholds_are_chosen_on_labelled_pictures(photos: Path) -> None:
    for number in range(6):
        colour(photos / f"red{number}.png", "red")
        colour(photos / f"blue{number}.png", "blue")
    paths = sorted(str(path) for path in photos.iterdir())
    truths = tuple(None if "magenta" in path else "red" in Path(path).stem for path in paths)
    found = calibrated(Labelled(tuple(paths), ("red",), {"red": truths}), Costs(), Colours())
    (one,) = found.calibrations
    assert (one.positives, one.negatives, one.misses, one.false_alarms) == (7, 8, 0, 0)
    assert one.auc == 1
    assert one.helps
    assert found.thresholds == {"red": one.threshold}
    flagged = moderate([str(photos)], ["red"], found.thresholds, Colours()).flagged
    assert {Path(one.path).stem.rstrip("0123456789") for one in flagged} <= {"red", "magenta"}


def test_labelled_pictures_that_are_not_there_are_listed(photos: Path) -> None:
    paths = (str(photos / "red.png"), str(photos / "blue.png"), str(photos / "none.png"))
    found = calibrated(Labelled(paths, ("red",), {"red": (True, False, True)}), Costs(), Colours())
    assert names(found.skipped) == ["none"]
    with pytest.raises(CannotRead):
        calibrated(Labelled(paths[2:], ("red",), {"red": (True,)}), Costs(), Colours())


def test_limits_hold(photos: Path) -> None:
    with pytest.raises(CannotRead, match="max-file-mb"):
        moderate([str(photos / "red.png")], ["red"], {"red": 0.5}, Colours(), limits=Limits(max_file_mb=1e-6))


def test_without_the_weights_the_command_that_brings_them_is_said(photos: Path, tiny: Path, tmp_path: Path) -> None:
    with pytest.raises(MissingWeights, match="catalejo fetch open-nsfw"):
        Catalog(tmp_path / "none").moderate(photos)
