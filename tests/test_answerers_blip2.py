"""BLIP-2, as a tiny one with random weights; needs the extra ``torch``."""

from __future__ import annotations

import json
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from PIL import Image

torch = pytest.importorskip("torch", reason="PyTorch is not installed (the extra torch)")
transformers = pytest.importorskip("transformers", reason="transformers is not installed (the extra torch)")

from tiny_blip2 import QUERIES, SIDE_PX, make  # noqa: E402

from catalejo.answerers import Turn  # noqa: E402
from catalejo.answerers.blip2 import Blip2, precision_for, prompt  # noqa: E402
from catalejo.errors import BadModel, BadQuery, DamagedWeights, MissingWeights, UnknownName  # noqa: E402
from catalejo.visual_answering import How, answerer  # noqa: E402


@pytest.fixture(autouse=True)
def on_the_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CATALEJO_DEVICE", "cpu")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("tiny-blip2"))


@pytest.fixture(scope="module")
def model(folder: Path) -> Blip2:
    return Blip2(folder)


@pytest.fixture(scope="module")
def cat(samples: Path) -> Image.Image:
    with Image.open(samples / "chelsea.png") as opened:
        return opened.convert("RGB")


@pytest.fixture(scope="module")
def coins(samples: Path) -> Image.Image:
    with Image.open(samples / "coins.png") as opened:
        return opened.convert("RGB")


def expected(folder: Path, picture: Image.Image, text: str, tokens: int) -> str:
    """What transformers' own classes say, without ours."""
    processor = transformers.Blip2Processor.from_pretrained(folder)
    plain = transformers.Blip2ForConditionalGeneration.from_pretrained(folder).eval()
    inputs = processor(images=picture, text=text, return_tensors="pt")
    assert inputs["pixel_values"].shape == (1, 3, SIDE_PX, SIDE_PX)
    assert int((inputs["input_ids"] == plain.config.image_token_index).sum()) == QUERIES
    ids = plain.generate(**inputs, max_new_tokens=tokens, do_sample=False)[0]
    return str(processor.tokenizer.decode(ids[-tokens:], skip_special_tokens=True))


# -- prompts ------------------------------------------------------------------------------------


def test_prompts_are_those_of_the_paper() -> None:
    assert prompt("What is it?") == "Question: What is it? Answer:"
    turns = [Turn("which city is this?", "singapore"), Turn("why?", "it has a statue of a merlion.")]
    # the conversation of the model's own page, huggingface.co/Salesforce/blip2-opt-2.7b
    assert prompt("what is next to it?", turns) == (
        "Question: which city is this? Answer: singapore. Question: why? Answer: it has a statue of a merlion. "
        "Question: what is next to it? Answer:"
    )


# -- answers ------------------------------------------------------------------------------------


def test_an_answer_is_what_the_model_generates_after_its_prompt(model: Blip2, folder: Path, cat: Image.Image) -> None:
    found = model.answer(cat, "What is it?", max_tokens=6)
    raw = expected(folder, cat, "Question: What is it? Answer:", 6)
    assert raw.strip()
    assert found.text == " ".join(raw.split("\n")[0].split()) or found.declined
    assert (found.route, found.model, found.sources) == ("blip2", folder.name, 1)
    assert found.used and found.used.output_tokens == 6 and found.used.cost == 0.0
    assert found.confidence is not None and 0 < found.confidence <= 1


def test_a_caption_needs_no_question(model: Blip2, folder: Path, cat: Image.Image) -> None:
    found = model.caption(cat, max_tokens=6)
    assert found.text == " ".join(expected(folder, cat, "", 6).split("\n")[0].split())
    assert model.caption(cat, "a photo of", max_tokens=6).text.startswith("a photo of")


def test_another_picture_is_another_caption(model: Blip2, cat: Image.Image, coins: Image.Image) -> None:
    assert model.caption(cat).text != model.caption(coins).text


def test_what_was_said_before_matters(model: Blip2, cat: Image.Image) -> None:
    fresh, after = (
        model._generate(cat, prompt("What colour?", turns), 8)[0] for turns in ([], [Turn("Which animal?", "A cat.")])
    )
    assert fresh != after


def test_the_oldest_turns_give_way_where_there_is_no_room(model: Blip2, cat: Image.Image) -> None:
    turns = [Turn(f"What is number {n} in the row of things?", "Something round, and red.") for n in range(9)]
    found = model.answer(cat, "And the last?", turns, max_tokens=5)
    assert any("earlier questions were left out" in note for note in found.notes)
    assert found.used and found.used.input_tokens <= 128
    with pytest.raises(BadQuery, match="too long"):
        model.answer(cat, "what " * 200)


def test_samples_differ_and_disagreement_declines(model: Blip2, cat: Image.Image) -> None:
    torch.manual_seed(0)
    found = model.answer(cat, "What is it?", samples=5, max_tokens=6)
    assert found.declined and found.text == "I cannot tell from this."
    assert "5 samples say" in found.reason and found.confidence is not None and found.confidence <= 0.5
    assert found.used and found.used.requests == 5


def test_a_picture_of_any_size_and_mode_is_taken(model: Blip2) -> None:
    for picture in (Image.new("RGB", (1, 1)), Image.new("L", (3, 700), 90), Image.new("RGBA", (900, 2))):
        assert model.caption(picture, max_tokens=3).used


def test_spanish_is_asked_with_a_warning(model: Blip2, cat: Image.Image) -> None:
    assert any("English" in note for note in model.answer(cat, "¿Qué animal es este?", max_tokens=2).notes)
    assert not any("English" in note for note in model.answer(cat, "Which animal is this?", max_tokens=2).notes)


@pytest.mark.parametrize(("question", "times", "said"), [("  ", 1, "nothing is asked"), ("What?", 0, "samples is 0")])
def test_what_cannot_be_asked(model: Blip2, cat: Image.Image, question: str, times: int, said: str) -> None:
    with pytest.raises(BadQuery, match=said):
        model.answer(cat, question, samples=times)


def test_threads_get_the_answers_of_one(model: Blip2, cat: Image.Image, coins: Image.Image) -> None:
    wanted = {id(one): model.caption(one).text for one in (cat, coins)}
    with ThreadPoolExecutor(4) as pool:
        found = [(one, pool.submit(model.caption, one)) for one in (cat, coins) * 4]
    assert all(future.result().text == wanted[id(one)] for one, future in found)


def test_the_answerer_of_that_name_opens_files(folder: Path, model: Blip2, samples: Path, cat: Image.Image) -> None:
    ask = answerer("blip2", How(model=str(folder)))
    assert ask("What is it?", str(samples / "chelsea.png")).text == model.answer(cat, "What is it?").text


# -- precision and layouts ------------------------------------------------------------------------


def test_half_precision_is_chosen_on_cuda_alone() -> None:
    assert [precision_for(device) for device in ("cuda", "cuda:1", "cpu", "mps")] == ["fp16", "fp16", "fp32", "fp32"]


def test_half_precision_runs(folder: Path, cat: Image.Image) -> None:
    half = Blip2(folder, "fp16")
    assert {parameter.dtype for parameter in half._model.language_model.parameters()} == {torch.float16}
    assert half.caption(cat, max_tokens=4).used


def test_files_that_do_not_say_where_the_picture_goes(folder: Path, tmp_path: Path, cat: Image.Image) -> None:
    old = make(tmp_path / "old", old=True)
    assert not (old / "processor_config.json").exists()
    assert Blip2(old).answer(cat, "What?").text == Blip2(folder).answer(cat, "What?").text


def test_a_vocabulary_without_room_for_the_picture_grows(folder: Path, cat: Image.Image, tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    copy = shutil.copytree(folder, tmp_path / "full")
    stored = json.loads((copy / "config.json").read_text())
    stored["text_config"]["vocab_size"] = words = stored["image_token_index"]
    (copy / "config.json").write_text(json.dumps(stored))
    tensors = load_file(copy / "model.safetensors")
    for name in tensors:
        if "embed_tokens" in name or "lm_head" in name:
            tensors[name] = tensors[name][:words].clone()
    save_file(tensors, copy / "model.safetensors", {"format": "pt"})
    assert Blip2(copy).caption(cat, max_tokens=4).text == Blip2(folder).caption(cat, max_tokens=4).text


# -- what is no such model --------------------------------------------------------------------------


def test_a_model_that_was_not_fetched(tiny: Path) -> None:
    with pytest.raises(MissingWeights, match=r"catalejo fetch blip2-opt-2\.7b"):
        Blip2()


def test_a_name_that_is_none() -> None:
    with pytest.raises(UnknownName, match=r"blip2-opt-2\.7b"):
        Blip2("blip3")


def test_a_precision_that_is_none(folder: Path) -> None:
    with pytest.raises(UnknownName, match="fp16, fp32"):
        Blip2(folder, "int4")


@pytest.mark.parametrize(
    ("spoil", "error", "said"),
    [
        ("empty", BadModel, "cannot be loaded"),
        ("kind", BadModel, "'clip'"),
        ("cut", DamagedWeights, "."),
        ("lacking", DamagedWeights, "of its tensors are missing"),
        ("tokenizer", BadModel, "no tokenizer"),
    ],
)
def test_a_folder_that_holds_no_whole_model(
    folder: Path, tmp_path: Path, spoil: str, error: type[Exception], said: str
) -> None:
    copy = tmp_path / "copy"
    if spoil == "empty":
        copy.mkdir()
    else:
        shutil.copytree(folder, copy)
    if spoil == "kind":
        config = json.loads((copy / "config.json").read_text())
        (copy / "config.json").write_text(json.dumps({"model_type": "clip", "x": config["num_query_tokens"]}))
    elif spoil == "cut":
        data = (copy / "model.safetensors").read_bytes()
        (copy / "model.safetensors").write_bytes(data[: len(data) // 2])
    elif spoil == "lacking":
        from safetensors.torch import load_file, save_file

        tensors = load_file(copy / "model.safetensors")
        del tensors["query_tokens"]
        save_file(tensors, copy / "model.safetensors", {"format": "pt"})
    elif spoil == "tokenizer":
        (copy / "tokenizer.json").unlink()
        (copy / "tokenizer_config.json").unlink()
    with pytest.raises(error, match=said) as caught:
        Blip2(copy)
    assert "\n" not in str(caught.value)
