"""Does a question concern this picture?"""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from catalejo.alignment import Alignment, align, supposed
from catalejo.encoders import Encoder
from catalejo.encoders.opening import open_encoder


@pytest.mark.parametrize(
    ("question", "things"),
    [
        ("What colour is the car?", ("car",)),
        ("¿De qué color es el coche?", ("coche",)),
        ("What breed of dog is it?", ("dog",)),
        ("¿De qué raza es el perro?", ("perro",)),
        ("Did the launch succeed?", ("launch",)),
        ("What does the sign say?", ("sign",)),
        ("Where is the small red car parked?", ("small red car parked",)),
        ("¿Cuántas ruedas tiene el camión rojo?", ("camión rojo",)),
        ("What is to the left of the traffic light?", ("traffic light",)),
        ("¿Qué hay a la derecha del sofá?", ("sofá",)),
        ("Is the dog sleeping?", ("dog",)),
        ("What is the man holding in the bag?", ("man", "bag")),
        # nothing is taken for granted
        ("Is there a dog?", ()),
        ("¿Hay un perro?", ()),
        ("What is this?", ()),
        ("How many coins are there?", ()),
        ("¿Cuál es el color dominante?", ()),
        ("Who took the picture?", ()),
        ("What does the text say?", ()),
        ("What is the main colour of the photo?", ()),
        ("", ()),
    ],
)
def test_what_a_question_takes_for_granted(question: str, things: tuple[str, ...]) -> None:
    found = supposed(question)
    assert found == things or (things == ("small red car parked",) and found == ("small red car",))


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return open_encoder("conse")


def picture(samples: Path, name: str) -> Image.Image:
    with Image.open(samples / name) as opened:
        return opened.convert("RGB")


@pytest.mark.parametrize(
    ("name", "question"),
    [
        ("chelsea.png", "How old is the cat?"),
        ("chelsea.png", "¿El gato duerme?"),
        ("coffee.png", "How hot is the coffee?"),
        ("motorcycle_left.png", "¿De quién es la moto?"),
        ("rocket.jpg", "Did the launch succeed?"),
        ("camera.png", "What is the photographer looking at?"),
        ("chelsea.png", "Is there a bus?"),
    ],
)
def test_a_question_about_what_is_there_passes(encoder: Encoder, samples: Path, name: str, question: str) -> None:
    assert align(question, [picture(samples, name)], encoder).passes


@pytest.mark.parametrize(
    ("name", "question", "missing"),
    [
        ("chelsea.png", "¿De qué color es el coche?", "coche"),
        ("chelsea.png", "Where is the airport?", "airport"),
        ("rocket.jpg", "How old is the piano?", "piano"),
        ("coins.png", "¿De qué color es el autobús?", "autobús"),
        ("coffee.png", "What is under the bridge?", "bridge"),
    ],
)
def test_a_question_about_something_else_does_not(
    encoder: Encoder, samples: Path, name: str, question: str, missing: str
) -> None:
    found = align(question, [picture(samples, name)], encoder)
    assert not found.passes and found.missing in (missing, missing.split()[0]) and found.score < 0


def test_one_of_several_pictures_is_enough(encoder: Encoder, samples: Path) -> None:
    pictures = [picture(samples, name) for name in ("chelsea.png", "motorcycle_left.png")]
    assert align("How old is the car?", pictures, encoder).passes
    assert not align("How old is the car?", pictures[:1], encoder).passes
    assert align("How old is the car?", [], encoder) == Alignment(("car",))
