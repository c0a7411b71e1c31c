"""Draw the picture of docs/route.md and docs/route.es.md: four files on their way into BLIP-2.

The shapes are those of the code; the files are made here, from a sample picture that comes with scikit-image
(chelsea, S. van der Walt, CC0).
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import av
import numpy as np
from PIL import Image

from catalejo.context.models import find
from catalejo.demo import pictures
from catalejo.plots.canvas import save
from catalejo.plots.routes import route_chart
from catalejo.route import Router

DOCS = Path(__file__).parent
NAMES = {
    "en": ("photo.jpg", "report.txt", "note.wav", "clip.mp4"),
    "es": ("foto.jpg", "informe.txt", "nota.wav", "clip.mp4"),
}
TEXT = "El museo abrió sus puertas en 1819. La entrada es gratuita los domingos por la tarde.\n" * 24
NOTE_S, CLIP_S, RATE = 45, 12, 16_000


def main() -> None:
    for language, names in NAMES.items():
        with tempfile.TemporaryDirectory() as scratch:
            here = os.getcwd()
            os.chdir(scratch)
            try:
                make(*names)
                drawn = route_chart(Router(find("blip2")).route(names), language)
            finally:
                os.chdir(here)
        save(drawn.quantize(64), str(DOCS / ("route.png" if language == "en" else "route.es.png")))


def make(photo: str, report: str, note: str, clip: str) -> None:
    """A photograph, a text, a recording and a film."""
    with Image.open(pictures() / "chelsea.png") as opened:
        picture = opened.convert("RGB").resize((1200, 800))
    picture.save(photo)
    Path(report).write_text(TEXT, encoding="utf-8")
    tone = (0.3 * np.sin(2 * np.pi * 440 * np.arange(NOTE_S * RATE) / RATE)).astype(np.float32)
    with av.open(note, "w") as container:
        put(container, container.add_stream("pcm_s16le", RATE, layout="mono"), tone)
    with av.open(clip, "w") as container:
        film = container.add_stream("mpeg4", 10)
        film.width, film.height, film.pix_fmt = 640, 360, "yuv420p"
        sound = container.add_stream("aac", RATE, layout="mono")
        small = np.asarray(picture.resize((640, 360)))
        for number in range(CLIP_S * 10):
            frame = av.VideoFrame.from_ndarray(np.roll(small, number, axis=1))
            container.mux(film.encode(frame))
        container.mux(film.encode(None))
        put(container, sound, tone[: CLIP_S * RATE])


def put(container: av.container.OutputContainer, stream: av.AudioStream, samples: np.ndarray) -> None:  # type: ignore[type-arg]
    """Write a sound, (n,) float32, into a stream."""
    frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples[None]), "fltp", "mono")
    frame.sample_rate = RATE
    container.mux(stream.encode(frame))
    container.mux(stream.encode(None))


if __name__ == "__main__":
    main()
