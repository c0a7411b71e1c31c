"""From a picture or a sound to what a language model reads, stage by stage, with the shape of each.

A picture becomes vectors in an encoder; a bridge makes of them what the language model takes for tokens: a Q-Former
with a fixed number of questions (BLIP-2), or a projector that joins neighbours (Gemma 3, Qwen3-VL). A model that takes
no sound gets what was heard as text. What a provider does not publish is said to be unknown, never guessed.

Sources: BLIP-2, Li et al. 2023, arXiv 2301.12597, section 3.1, and the config.json of Salesforce/blip2-opt-2.7b;
Gemma 3, arXiv 2503.19786, section 2.1; Qwen3-VL, arXiv 2511.21631, and the config.json of Qwen/Qwen3-VL-*-Instruct;
Whisper, Radford et al. 2022, arXiv 2212.04356, section 2.2; YAMNet, github.com/tensorflow/models, research/audioset.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from catalejo.cards import card
from catalejo.context.language_model import LanguageModel
from catalejo.context.media import Size, image, qwen3_vl_seen
from catalejo.vit.patches import grid

Shape = tuple[int, ...]

ROLES = ("input", "encoder", "bridge", "model")


@dataclass(frozen=True)
class Stage:
    """One step on the way to a model.

    Attributes:
        role: one of ``ROLES``; ``model`` is what the language model receives.
        name: of the encoder, the bridge, or what it is: ``ViT-g/14``, ``Q-Former``, ``pixels``.
        shape: of what comes out of it; empty where it has none (text, a picture as a provider takes it) or nobody
            publishes it.
        what: the step in a few words.
    """

    role: str
    name: str
    shape: Shape = ()
    what: str = ""

    @property
    def shown(self) -> str:
        """The shape as people write it, ``257 x 1408``; else what it is."""
        return " x ".join(map(str, self.shape)) or self.what


@dataclass(frozen=True)
class Tower:
    """The encoder of pictures inside an open vision-language model, and its bridge.

    Attributes:
        encoder: its name.
        patch_px: side of a patch.
        width: of its vectors.
        into: width of the language model's.
        side_px: of the square that every picture is made; None: pictures keep their size.
        cls: whether there is a class token before the patches.
        bridge: its name.
        queries, query_width: of a Q-Former; 0: there is none.
        joins: patches a side that a projector joins into one vector.
    """

    encoder: str
    patch_px: int
    width: int
    into: int
    side_px: int | None = None
    cls: bool = False
    bridge: str = "projector"
    queries: int = 0
    query_width: int = 0
    joins: int = 1


BLIP2 = Tower("ViT-g/14", 14, 1408, 2560, 224, True, "Q-Former", 32, 768)
_GEMMA_3 = {"gemma-3-4b": 2560, "gemma-3-12b": 3840, "gemma-3-27b": 5376}
_QWEN3_VL = {
    "qwen3-vl-2b": (1024, 2048),
    "qwen3-vl-4b": (1024, 2560),
    "qwen3-vl-8b": (1152, 4096),
    "qwen3-vl-32b": (1152, 5120),
}
TOWERS: dict[str, Tower] = {
    "blip2-opt-2.7b": BLIP2,
    **{name: Tower("SigLIP So400m/14", 14, 1152, into, 896, joins=4) for name, into in _GEMMA_3.items()},
    **{name: Tower("ViT/16", 16, width, into, joins=2) for name, (width, into) in _QWEN3_VL.items()},
}

# Whisper base: 80 mel bands, a column each 10 ms, windows of 30 s; a convolution of stride 2 halves the columns.
WHISPER_WINDOW_S, WHISPER_MELS, WHISPER_COLUMNS = 30.0, 80, 3_000


def picture(size: Size, model: LanguageModel | None, detail: str = "high") -> tuple[Stage, ...]:
    """A picture's way into a language model that takes pictures.

    Args:
        size: of the picture.
        model: that receives it.
        detail: see ``media.image``.

    Returns:
        the stages, of which the last says how many vectors or tokens arrive; empty where the model takes no pictures.
    """
    if model is None or "image" not in model.modalities:
        return ()
    if (tower := TOWERS.get(model.name)) is None:
        return _unpublished(size, model, detail)
    high, wide = _seen(size, tower)
    patches = grid(high, wide, tower.patch_px)
    stages = [
        Stage("input", "pixels", (high, wide, 3), f"{size.width_px} x {size.height_px} made {wide} x {high}"),
        Stage("encoder", tower.encoder, (patches.count + tower.cls, tower.width), f"patches of {tower.patch_px} px"),
    ]
    if tower.queries:
        stages.append(Stage("bridge", tower.bridge, (tower.queries, tower.query_width), "learned questions"))
        arrives = tower.queries
        stages.append(Stage("bridge", "linear", (arrives, tower.into), "to the language model's width"))
    else:
        arrives = patches.count // tower.joins**2
        joined = f"{tower.joins} x {tower.joins} patches become one"
        stages.append(Stage("bridge", tower.bridge, (arrives, tower.into), joined))
    stages.append(Stage("model", model.name, (arrives, tower.into), f"{arrives:,} picture tokens"))
    return tuple(stages)


def _seen(size: Size, tower: Tower) -> tuple[int, int]:
    """Height and width of the picture that the encoder gets."""
    if tower.side_px:
        return tower.side_px, tower.side_px
    seen = qwen3_vl_seen(size)
    return seen.height_px, seen.width_px


def _unpublished(size: Size, model: LanguageModel, detail: str) -> tuple[Stage, ...]:
    found = image(size, model, detail)
    arrives = Stage("model", model.name, (), f"{found.tokens:,} picture tokens" if found else "its own tokens")
    return (
        Stage("input", "pixels", (size.height_px, size.width_px, 3), "as it is sent"),
        Stage("encoder", "its own encoder", (), "not published"),
        Stage("bridge", "its own bridge", (), "not published"),
        arrives,
    )


def native_sound(seconds: float, model: LanguageModel) -> tuple[Stage, ...]:
    """A recording's way into a model that takes sound; no maker of those we know publishes it."""
    return (
        Stage("input", "samples", (), f"{seconds:,.1f} s"),
        Stage("encoder", "its own encoder", (), "not published"),
        Stage("bridge", "its own bridge", (), "not published"),
        Stage("model", model.name, (), "sound tokens"),
    )


def speech(seconds: float) -> tuple[Stage, ...]:
    """What Whisper base makes of a recording, up to the text."""
    whisper, windows = card("whisper-base"), max(math.ceil(seconds / WHISPER_WINDOW_S), 1)
    return (
        Stage(
            "input", "mel spectrogram", (windows, WHISPER_COLUMNS, WHISPER_MELS), "30 s a window, a column each 10 ms"
        ),
        Stage("encoder", whisper.name, (windows, WHISPER_COLUMNS // 2, whisper.width), "one vector each 20 ms"),
        Stage("bridge", "decoder", (), "text"),
    )


def sounds(seconds: float) -> tuple[Stage, ...]:
    """What YAMNet makes of a recording, up to the names of what was heard."""
    from catalejo.perceivers import RATE_HZ, mel, yamnet

    more = max(round(seconds * RATE_HZ) - mel.PATCH_SAMPLES, 0)
    patches = math.ceil(more / mel.PATCH_STEP_SAMPLES) + 1
    each = f"a patch each {mel.PATCH_STEP_S:g} s"
    return (
        Stage("input", "mel spectrogram", (patches, mel.PATCH, mel.BANDS), each),
        Stage("encoder", yamnet.NAME, (patches, yamnet.CLASSES), "a probability for each class of AudioSet"),
        Stage("bridge", "names of classes", (), "text"),
    )


def searched(kind: str) -> Stage:
    """The vector by which a catalog finds an item of a kind: ``text``, ``image``, ``audio`` or ``video``."""
    from catalejo.encoders import conse, sentence

    if kind == "text":
        return Stage("encoder", sentence.CARD.name, (sentence.CARD.width,), "what it says")
    if kind == "audio":  # the names of sounds, in the space of sentences
        found = card("yamnet")
        return Stage("encoder", found.name, (found.width,), "what is heard in it")
    return Stage("encoder", conse.CARD.name, (conse.CARD.width,), "what it shows")


def clip() -> Stage:
    """The vector of CLIP ViT-B/32, the course's encoder of pictures and captions."""
    found = card("clip-vit-b-32")
    return Stage("encoder", found.name, (found.width,), "one vector for pictures and captions")
