"""When, where and with what: the names that telephones, cameras and recorders use, and what makes no sense."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import datetime

import pytest

from catalejo.readers.tags import Made, read


@pytest.fixture(autouse=True)
def madrid(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    if not hasattr(time, "tzset"):
        pytest.skip("the time zone cannot be set here")
    monkeypatch.setenv("TZ", "Europe/Madrid")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize(
    ("table", "taken"),
    [
        ({"creation_time": "2023-07-01T10:00:00.000000Z"}, datetime(2023, 7, 1, 12, 0)),  # UTC, to summer time
        ({"creation_time": "2023-01-01 10:00:00"}, datetime(2023, 1, 1, 10, 0)),
        (
            {
                "creation_time": "2023-07-01T10:00:00.000000Z",
                "com.apple.quicktime.creationdate": "2023-07-01T05:00:00-0500",
            },
            datetime(2023, 7, 1, 5, 0),  # where it was taken, not where we are
        ),
        ({"date": "2021-03-04", "creation_time": "10:11:12"}, datetime(2021, 3, 4, 10, 11, 12)),  # broadcast WAV
        ({"date": "1999"}, None),  # a year a song came out
        ({"creation_time": "1904-01-01T00:00:00.000000Z"}, None),
        ({"creation_time": "1970-01-01T00:00:00.000000Z"}, None),
        ({"creation_time": "yesterday"}, None),
        ({"creation_time": ""}, None),
        ({"creation_time": "9999-12-31T23:59:59Z"}, None),
        ({}, None),
    ],
)
def test_taken(table: dict[str, str], taken: datetime | None) -> None:
    assert read(table).taken == taken


@pytest.mark.parametrize(
    ("value", "place"),
    [
        ("+41.3818+002.1767+012.3/", (41.3818, 2.1767)),
        ("-33.8688+151.2093/", (-33.8688, 151.2093)),
        ("+27.5916+086.5640+8850CRSWGS_84/", (27.5916, 86.564)),
        ("+41.3818-070.5", (41.3818, -70.5)),
        ("+00.0000+000.0000/", (None, None)),  # no satellite in sight
        ("+91.0000+000.0000/", (None, None)),
        ("Barcelona", (None, None)),
        ("", (None, None)),
    ],
)
def test_place(value: str, place: tuple[float | None, float | None]) -> None:
    made = read({"location": value})
    assert (made.latitude, made.longitude) == place
    assert read({"com.apple.quicktime.location.ISO6709": value}) == made


@pytest.mark.parametrize(
    ("table", "camera"),
    [
        ({"make": "Apple", "model": "iPhone 12"}, "Apple iPhone 12"),
        ({"make": "Canon", "model": "Canon EOS R5"}, "Canon EOS R5"),
        ({"com.android.manufacturer": "Google", "com.android.model": "Pixel 7"}, "Google Pixel 7"),
        ({"make": "GoPro"}, "GoPro"),
        ({"model": "a\0\nb" + "x" * 500}, "a b" + "x" * 117),
        ({"make": " "}, None),
    ],
)
def test_camera(table: dict[str, str], camera: str | None) -> None:
    assert read(table).camera == camera


def test_the_container_wins_over_the_stream() -> None:
    made = read({"creation_time": "2020-01-01 00:00:00"}, {"creation_time": "2021-01-01 00:00:00", "make": "X"})
    assert made == Made(datetime(2020, 1, 1), "X")
