"""The models one can fetch: licence, size, space, languages, published scores, files.

``files`` is one line a file, as ``sha256sum`` prints them: precision (``all``: every one), bytes,
SHA-256, path. ``from REPO REVISION FOLDER`` begins files of another repository. A dash is what no
source states; then the hub's own SHA-256 holds when the model is fetched.

Revisions, bytes and SHA-256 are those that public projects pin for the same files (among others LibrePhotos,
Mosaic, Leanlet, qrate, Alcedo, VisionGrep), most of them in two or more that agree. Scores in percent:
``coco_r1`` COCO text -> image recall@1; ``imagenet`` zero-shot top-1; ``xm3600_es`` mean of recall@1, 5
and 10 of pictures for Spanish captions of Crossmodal-3600.
"""

from __future__ import annotations

from typing import Any

from catalejo.errors import UnknownName
from catalejo.model_files import HubFile, WheelFile
from catalejo.packaged import PACKAGED
from catalejo.records import ModelCard

_OPEN_CLIP = "open_clip docs/openclip_results.csv and openclip_retrieval_results.csv"
_BIG_VISION = "big_vision, SigLIP 2 (Tschannen et al. 2025, arXiv 2502.14786)"
_IMMICH = "Spanish: immich docs/features/searching.md"
# The languages of Crossmodal-3600 that have an ISO 639-1 code.
_XM3600 = (
    *("ar", "bn", "cs", "da", "de", "el", "en", "es", "fa", "fi", "fr", "he", "hi", "hr", "hu", "id", "it", "ja"),
    *("ko", "mi", "nl", "no", "pl", "pt", "ro", "ru", "sv", "sw", "te", "th", "tr", "uk", "vi", "zh"),
)
_BYTES = {"fp32": 4.0, "fp16": 2.0, "int8": 1.0}


def _files(text: str) -> tuple[HubFile, ...]:
    found, origin = [], ("", "", "")
    for line in text.strip().splitlines():
        words = line.split()
        if words[0] == "from":
            origin = (words[1], words[2], words[3] if len(words) > 3 else "")
            continue
        precision, size, sha256, path = words
        found.append(
            HubFile(
                path,
                None if size == "-" else int(size),
                "" if sha256 == "-" else sha256,
                "" if precision == "all" else precision,
                *origin,
            )
        )
    return tuple(found)


def _model(name: str, space: str = "", **rest: Any) -> ModelCard:
    return ModelCard(name=name, version="1", space=space or name, takes=("image",), **rest)


_ALL = (
    _model(
        "clip-vit-b-32",
        width=512,
        languages=("en",),
        licence="MIT",
        source="Radford et al. 2021, arXiv 2103.00020",
        family="clip",
        published=(("coco_r1", 30.4), ("imagenet", 63.3), ("xm3600_es", 30.7)),
        published_from=f"{_OPEN_CLIP}; {_IMMICH}",
        parameters_m=151.3,
        repo="Xenova/clip-vit-base-patch32",
        revision="d15189d7028b43f1d3e65039190477f6af591c2a",
        files=_files("""
    all  4524       493ef57ff783e42d1530c91b53469b7fdf8db8a9c1408e86998fcb7899a4f495 config.json
    all  520        6f638fb9401a6d6296feff533ee7efe657b787c49f954f82f5906b36ef2a1b1f preprocessor_config.json
    all  2224119    f7f3b7af117d467b58374797691a6438d3e6b9e9cef800dfd5dced7f697a90cd tokenizer.json
    all  775        60ba2912bc6344c94bc16bbdec27fa1209409167b6f2fdf3cfe9e65462ea3967 tokenizer_config.json
    fp32 351685709  fd6e1402a588279d1723c7534d4bcba5bc0b14b47dfab0e46f8c47b8270d7d40 onnx/vision_model.onnx
    fp32 254058553  3f6571f5bad13a97c469c1622e1cfc4d9aef78b79fdbfcff804ca357bfada8cc onnx/text_model.onnx
    fp16 176080659  35c4e0fb0aeee527dcde1693520b214a34424a786babd530f35366bad5844efd onnx/vision_model_fp16.onnx
    fp16 127339794  df587ffbf248bf20d44fa6e16adc5ebc27ead691860e5333dbdaab5fd6bf3f6e onnx/text_model_fp16.onnx
    int8 89117001   583fd1110a514667812fee7d684952aaf82a99b959760c8d7dca7e0ab9839299 onnx/vision_model_quantized.onnx
    int8 64504507   73baab855d406190da9faa498cfedf65f15cf309f4cc7385b7b032e6d08e5c3a onnx/text_model_quantized.onnx
        """),
    ),
    _model(
        "clip-vit-b-32-transformers",
        space="clip-vit-b-32",
        width=512,
        languages=("en",),
        licence="MIT",
        source="Radford et al. 2021, arXiv 2103.00020; the .safetensors of the repository's pull request 15",
        family="transformers",
        published=(("coco_r1", 30.4), ("imagenet", 63.3), ("xm3600_es", 30.7)),
        published_from=f"{_OPEN_CLIP}; {_IMMICH}",
        parameters_m=151.3,
        repo="openai/clip-vit-base-patch32",
        revision="b33cedfd0df4e43b8238760678fcc89e1a0d38b3",
        files=_files("""
    all  4186       b575ef3c36f2a057fa19e221650105052d61cc9c1a972ec15019c6261ec98770 config.json
    all  316        910e70b3956ac9879ebc90b22fb3bc8a75b6a0677814500101a4c072bd7857bd preprocessor_config.json
    all  2224041    b556ac8c99757ffb677208af34bc8c6721572114111a6e0aaf5fa69ff0b8d842 tokenizer.json
    all  -          -                                                                tokenizer_config.json
    fp32 605157884  99d28a652e6ec46629ab7047a0ac82c69b1fe11e0ce672c43af65d3a9a3fc05d model.safetensors
        """),
    ),
    _model(
        "datacomp-b-32-256",
        width=512,
        languages=("en",),
        licence="MIT",
        source="Gadre et al. 2023, arXiv 2304.14108; ONNX by rclip",
        family="clip",
        published=(("coco_r1", 39.9), ("imagenet", 72.8), ("xm3600_es", 44.8)),
        published_from=f"{_OPEN_CLIP}; {_IMMICH}",
        parameters_m=151.3,
        repo="yurijmikhalevich/rclip-models",
        revision="17b9d07433aad73f70d338d8a1c7a4cef83887e0",
        files=_files("""
    from yurijmikhalevich/rclip-models 17b9d07433aad73f70d338d8a1c7a4cef83887e0 ViT-B-32-256-datacomp_s34b_b86k
    fp32 351826068  3f7e6f94e5a34bc7ee8aba84aec0f963f56974ab405fbcd334c8e1c3f832bd2c visual.onnx
    fp32 254344274  ee267cd64f0f77362670ae0140476ed51ee8c5a761d41636e09997f2fdddcacc textual.onnx
    from laion/CLIP-ViT-B-32-256x256-DataComp-s34B-b86K 4afec35ffe57a943d569ff7ee888061830164da8
    all  2224081    72ed5c96db5729294468543e4bc75fce14ca63f58e37300290189ba1c1e52b85 tokenizer.json
        """),
    ),
    _model(
        "siglip-b-16",
        width=768,
        languages=("en", "es"),
        licence="Apache-2.0",
        source="Zhai et al. 2023, arXiv 2303.15343",
        family="clip",
        published=(("coco_r1", 47.8), ("imagenet", 76.0), ("xm3600_es", 74.6)),
        published_from=f"{_OPEN_CLIP}; {_IMMICH}",
        parameters_m=203.2,
        repo="Xenova/siglip-base-patch16-224",
        revision="4649052661e53c7000355844105f8a1792088239",
        files=_files("""
    all  457        e6de71291f181b0b81adc93098787bb4597a79dc18f59737feda8f41671fb6a2 config.json
    all  368        21ee046a8a52a65e5f9c177bf840bfb39ea66c9c54cf2760630efd58e0a3ec80 preprocessor_config.json
    all  2398744    4a17c975210be5ab4c36b47d8dae4eefb866dbfb1e676e394aad85dc30a3ae08 tokenizer.json
    all  739        9a38d3c6b5e26fe5dcc607eda95e38d78d30d9291835bb9e8116e8174c1d4ba2 tokenizer_config.json
    fp32 371819850  f89d41bac7f4d4b87e010a467d93f98689d708916ed22f5a07f96fdfa26f475f onnx/vision_model.onnx
    fp32 441332132  3aa7fdbd20eaa8740cce17bf82913de641fcb632a768fed59f661cdcd0c32553 onnx/text_model.onnx
    fp16 -          -                                                                onnx/vision_model_fp16.onnx
    fp16 -          -                                                                onnx/text_model_fp16.onnx
    int8 99499129   ef14a954f3d57e1806666432bd9785004c1dc27100aa260eee0cb0f10a5de058 onnx/vision_model_quantized.onnx
    int8 111475220  ad0329b1f35acc66d8953ff2559ce358da8eb0a7011794cf951523d63a4dbce2 onnx/text_model_quantized.onnx
        """),
    ),
    _model(
        "siglip2-b-32-256",
        width=768,
        languages=_XM3600,
        licence="Apache-2.0",
        source="Tschannen et al. 2025, arXiv 2502.14786",
        family="clip",
        published=(("coco_r1", 47.2), ("imagenet", 74.0), ("xm3600_es", 79.0)),
        published_from=f"{_BIG_VISION}; {_IMMICH}",
        parameters_m=377.0,
        repo="onnx-community/siglip2-base-patch32-256-ONNX",
        revision="7efccb86b5b6601bfe9e14326e1c11b40b68d44c",
        files=_files("""
    all  -          -                                                                config.json
    all  -          -                                                                preprocessor_config.json
    all  34363039   -                                                                tokenizer.json
    all  -          -                                                                tokenizer_config.json
    fp32 378478689  -                                                                onnx/vision_model.onnx
    fp32 -          -                                                                onnx/text_model.onnx
    fp16 189374263  -                                                                onnx/vision_model_fp16.onnx
    fp16 564862230  -                                                                onnx/text_model_fp16.onnx
    int8 -          -                                                                onnx/vision_model_quantized.onnx
    int8 -          -                                                                onnx/text_model_quantized.onnx
        """),
    ),
    _model(
        "siglip2-b-16-224",
        width=768,
        languages=_XM3600,
        licence="Apache-2.0",
        source="Tschannen et al. 2025, arXiv 2502.14786",
        family="clip",
        published=(("coco_r1", 52.1), ("imagenet", 78.2), ("xm3600_es", 82.2)),
        published_from=f"{_BIG_VISION}; {_IMMICH}",
        parameters_m=375.0,
        repo="onnx-community/siglip2-base-patch16-224-ONNX",
        revision="ba1f3b0843f24bc5417d38e19c37b287d719b2f4",
        files=_files("""
    all  435        e43a9f7692d3819886a82cb2097048258d444f123c67d37ec825f9345b019cf2 config.json
    all  394        9b36b57ebaf20f09bf4c22100ccc21877ea6bfe5aead0c00c59f8af8ccefacfc preprocessor_config.json
    all  34363039   cb9140fae3ac5122c972d37adf83e1248471a38147ad76f8215c8872c6fd8322 tokenizer.json
    all  47240      7c3a247599e741bceba1a3fe0285aea88d1044dc1fad2caa1e48cdd9fd25f630 tokenizer_config.json
    fp32 371807752  c0573e3f4140c3a7c4e9cc5912bd6b26a033b46a6a8e8af26cbea262b163bcad onnx/vision_model.onnx
    fp32 1129469657 baf12d941beabafafb14f7b4adb38dc15be18681b964a84410ec53d9d65e6293 onnx/text_model.onnx
    fp16 186039516  a1959f7bd3993a607e48839f6d01e25b876fe76afda301b028b78eef68aabd95 onnx/vision_model_fp16.onnx
    fp16 564862230  711da56ada0a4aa11c7dd3320df741081a3cae4f0ae1b5e5c6d5b294738d0eb0 onnx/text_model_fp16.onnx
    int8 94553333   5f2b401c1a4fc095702a5d45348e17ad46c4f87064085365b43c6e8eaa5c0070 onnx/vision_model_quantized.onnx
    int8 283438275  3a0603d3a00c05a80a6ded4743c16aaac7b1e62cdcc7e362e7ce418659b96400 onnx/text_model_quantized.onnx
        """),
    ),
    _model(
        "xlm-roberta-clip-b-32",
        width=512,
        languages=_XM3600,
        licence="MIT",
        source="LAION 2022, laion/CLIP-ViT-B-32-xlm-roberta-base-laion5B-s13B-b90k; ONNX by immich",
        family="clip",
        published=(("coco_r1", 37.8), ("imagenet", 62.4), ("xm3600_es", 75.0)),
        published_from=f"{_OPEN_CLIP}; {_IMMICH}",
        parameters_m=366.1,
        repo="immich-app/XLM-Roberta-Base-ViT-B-32__laion5b_s13b_b90k",
        revision="111f6ddca817bb6cd8343c3e3dc5ce39d9ba54b0",
        files=_files("""
    all  -          -                                                                config.json
    all  -          -                                                                visual/preprocess_cfg.json
    all  -          -                                                                textual/tokenizer.json
    all  -          -                                                                textual/tokenizer_config.json
    fp32 -          -                                                                visual/model.onnx
    fp32 -          -                                                                textual/model.onnx
        """),
    ),
    _model(
        "mobileclip-s0",
        width=512,
        languages=("en",),
        licence="LicenseRef-Apple-ML-Research",
        product_use=False,
        source="Vasu et al. 2024, arXiv 2311.17049",
        family="clip",
        published=(("coco_r1", 40.4), ("imagenet", 67.8)),
        published_from="apple/ml-mobileclip results/mobileclip_s0.jsonl",
        parameters_m=53.8,
        repo="Xenova/mobileclip_s0",
        revision="757d59c9c6870a76a4b0306f05f5061bca15c39f",
        files=_files("""
    all  344        8e33c1f2634a33de3e38715f9809ef86742aacbe31c310c66fc2636755458d56 config.json
    all  382        b031f09fbd69e22a605b6cc7433993249ee893b7fc1b79321f669cd015493dd4 preprocessor_config.json
    all  2224081    72ed5c96db5729294468543e4bc75fce14ca63f58e37300290189ba1c1e52b85 tokenizer.json
    all  763        a7d9d24f248071b792e4a3b56ab0539c2f40eec8da56d6fd91fb3a50058acebd tokenizer_config.json
    fp32 45543630   17d3c037b1d488c10c50e09f6009ea5a198caef4e0e8f4ea5617b7cb2d067ac0 onnx/vision_model.onnx
    fp32 169807789  f6e9bd5742bfc515889e901634d8a2ff2a57fab8564e4ad3760e800b1a51b77c onnx/text_model.onnx
    fp16 22876479   22b1d36ecc6837e8205aee05003440a25e1c1ee0c7e2945dbb9dd597211c59dc onnx/vision_model_fp16.onnx
    fp16 -          -                                                                onnx/text_model_fp16.onnx
    int8 -          fcbd153d1aa1314fb72ea39b20c37e0572e7e7b05359b51f3efee5d682658472 onnx/vision_model_quantized.onnx
    int8 42799238   b8557b10e5c23a0126c6d2e6eba48d240484979007917d128953b31618a04211 onnx/text_model_quantized.onnx
        """),
    ),
    _model(
        "jina-clip-v2",
        width=1024,
        languages=_XM3600,
        licence="CC-BY-NC-4.0",
        product_use=False,
        source="Koukounas et al. 2024, arXiv 2412.08802",
        family="clip",
        parameters_m=865.0,
        repo="jinaai/jina-clip-v2",
        revision="e10d47f5691d0454a0fb5d13f46f2199b74cb436",
        files=_files("""
    all  2152       -                                                                config.json
    all  584        -                                                                preprocessor_config.json
    all  17082997   6601c4120779a1a3863897ba332fe3481d548e363bec2c91eba10ef8640a5e93 tokenizer.json
    all  1148       -                                                                tokenizer_config.json
    fp32 -          -                                                                onnx/model.onnx
    fp32 -          -                                                                onnx/model.onnx_data
    fp16 1728814880 746a78209096d1cd52891b70d752903b8bf86088ba847bd0c56c03fb29256801 onnx/model_fp16.onnx
    int8 -          -                                                                onnx/model_quantized.onnx
        """),
    ),
    _model(
        "metaclip2-b-32",
        width=512,
        languages=_XM3600,
        licence="CC-BY-NC-4.0",
        product_use=False,
        source="Chuang et al. 2025, arXiv 2507.22062",
        family="transformers",
        repo="facebook/metaclip-2-worldwide-b32",
        files=_files("""
    all  -          -                                                                config.json
    all  -          -                                                                preprocessor_config.json
    all  -          -                                                                tokenizer.json
    all  -          -                                                                tokenizer_config.json
    fp32 -          -                                                                model.safetensors
        """),
    ),
    _model(
        "blip2-opt-2.7b",
        purpose="ask",
        width=0,
        languages=("en",),
        licence="MIT",
        source="BLIP-2 (Li et al. 2023, arXiv 2301.12597) on OPT-2.7B (Zhang et al. 2022, arXiv 2205.01068)",
        family="blip2",
        parameters_m=3744.8,
        repo="Salesforce/blip2-opt-2.7b",
        revision="51572668da0eb669e01a189dc22abe6088589a24",
        files=_files("""
    all  -          -                                                                config.json
    all  -          -                                                                preprocessor_config.json
    all  -          -                                                                tokenizer.json
    all  -          -                                                                tokenizer_config.json
    all  -          -                                                                special_tokens_map.json
    all  -          -                                                                vocab.json
    all  -          -                                                                merges.txt
    all  -          -                                                                model.safetensors.index.json
    fp32 -          -                                                                model-00001-of-00002.safetensors
    fp32 -          -                                                                model-00002-of-00002.safetensors
        """),
    ),
)

CARDS: dict[str, ModelCard] = {card.name: card for card in (*_ALL, *PACKAGED)}


def card(name: str) -> ModelCard:
    """The card of a fetchable model.

    Raises:
        UnknownName: there is none of this name; the message has the nearest.
    """
    if name not in CARDS:
        raise UnknownName("model", name, CARDS)
    return CARDS[name]


def precisions(card: ModelCard) -> tuple[str, ...]:
    """The precisions a model can be fetched in, as its card orders them: the first is the default."""
    found = [file.precision for file in _fetchable(card) if file.precision]
    return tuple(dict.fromkeys(found))


def files_of(card: ModelCard, precision: str) -> tuple[HubFile | WheelFile, ...]:
    """The files one precision of a model needs.

    Raises:
        UnknownName: it does not come in this precision.
    """
    if precision not in precisions(card):
        raise UnknownName(f"precision of {card.name}", precision, precisions(card))
    return tuple(file for file in _fetchable(card) if file.precision in ("", precision))


def _fetchable(card: ModelCard) -> list[HubFile | WheelFile]:
    return [file for file in card.files if isinstance(file, (HubFile, WheelFile))]


def size_mb(card: ModelCard, precision: str) -> tuple[float, bool]:
    """What a precision takes on disk in 10^6 bytes, and whether that is an estimate from the number of parameters.

    A small file whose size the card does not know counts as nothing; 0 means nobody knows.
    """
    files = files_of(card, precision)
    known = sum(file.size or 0 for file in files) / 1e6
    if all(file.size for file in files if file.precision):
        return round(known, 1), False
    small = sum(file.size or 0 for file in files if not file.precision) / 1e6
    return round(_BYTES[precision] * card.parameters_m + small, 1) if card.parameters_m else 0.0, True
