"""BLIP-2 on this machine: captions, questions and conversations about a picture. Needs the extra ``torch``.

A picture becomes 257 tokens of 1408 numbers (ViT-g/14), 32 queries of a Q-Former make 32 tokens of 768 out of them, and
a linear map puts those before the words of a language model (OPT, 2560). Source: Li et al., arXiv 2301.12597; prompts
as in its section 4 and in github.com/salesforce/LAVIS. It was trained on English.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
import transformers

from catalejo import cards, weights
from catalejo.abstaining import CANNOT_TELL, agreement, declines
from catalejo.answerers import Answer, Turn, Usage
from catalejo.encoders.naming import folder_name
from catalejo.encoders.transformers import device as best_device
from catalejo.errors import BadModel, BadQuery, CatalejoError, DamagedWeights, UnknownName, brief
from catalejo.language import language_of

if TYPE_CHECKING:
    from PIL.Image import Image

ROUTE, NAME = "blip2", "blip2-opt-2.7b"
PRECISIONS = {"fp32": torch.float32, "fp16": torch.float16}
CAPTION_TOKENS, ANSWER_TOKENS = 30, 40
WARM = 0.7  # temperature of the samples after the first
_IMAGE = "<image>"
_END = re.compile(r"\s*(?:\n|\bQuestion:|\bAnswer:)")  # the language model goes on with a question of its own
_KIND, _WORDS = "blip-2", ("tokenizer.json", "vocab.json")


def prompt(question: str, turns: Sequence[Turn] = ()) -> str:
    """A question as BLIP-2 was asked in its paper, after what was asked and answered before.

    >>> prompt("what colour?", [Turn("which animal?", "a cat.")])
    'Question: which animal? Answer: a cat. Question: what colour? Answer:'
    """
    before = [f"Question: {turn.question} Answer: {turn.answer.rstrip(' .')}." for turn in turns]
    return " ".join([*before, f"Question: {question} Answer:"])


class Blip2:
    """A BLIP-2 model. Safe to call from several threads; one is answered after the other.

    Runs in fp16 on CUDA and in fp32 elsewhere; where, ``CATALEJO_DEVICE`` says. Nothing is downloaded, and no code of
    the folder is run.

    Args:
        where: a folder with ``config.json``, weights and the files of its processor, or the name of a fetched model;
            None: the one that ``catalejo fetch blip2-opt-2.7b`` brings.
        precision: ``fp32`` or ``fp16``; None: as above.

    Raises:
        MissingWeights: it was not fetched.
        BadModel: the folder holds no BLIP-2 with a language model.
        DamagedWeights: its weights cannot be read, or are not all there.
        UnknownName: no such model, precision or device.
    """

    def __init__(self, where: str | Path | None = None, precision: str | None = None) -> None:
        self.folder = _folder(where)
        self.name = folder_name(self.folder) if where and Path(where).is_dir() else str(where or NAME)
        self.device = best_device()
        self.precision = precision or precision_for(self.device)
        if self.precision not in PRECISIONS:
            raise UnknownName(f"precision of {self.name}", self.precision, PRECISIONS)
        self._lock = threading.Lock()
        self._processor, self._model = self._loaded()

    # -- what it does ---------------------------------------------------------------

    def caption(self, picture: Image, prompt: str = "", max_tokens: int = CAPTION_TOKENS) -> Answer:
        """Describe a picture, in English.

        Args:
            picture: upright, RGB, of any size.
            prompt: how the caption begins, such as ``a photo of``; it is part of the caption.
            max_tokens: of the caption, at most.
        """
        start = time.monotonic()
        text, sure, usage = self._generate(picture, prompt, max_tokens)
        whole = " ".join(f"{prompt} {text}".split())
        return self._answer(whole, sure, usage, start)

    def answer(
        self,
        picture: Image,
        question: str,
        turns: Sequence[Turn] = (),
        samples: int = 1,
        max_tokens: int = ANSWER_TOKENS,
    ) -> Answer:
        """Answer a question about a picture, in English.

        Args:
            picture: upright, RGB, of any size.
            question: in English; of others it understands little, and that is noted.
            turns: what was asked and answered about it before; the oldest are left out where they do not fit.
            samples: how many answers; from two on, one that no more than half of them give is declined.
            max_tokens: of an answer, at most.

        Returns:
            route ``blip2``; ``confidence`` is the mean probability of its words, or the share of samples that agree.

        Raises:
            BadQuery: nothing asked, or no samples.
        """
        start, question = time.monotonic(), " ".join(question.split())
        if not question:
            raise BadQuery("nothing is asked")
        if samples < 1:
            raise BadQuery(f"samples is {samples}; it must be at least 1")
        asked, left = self._fitting(question, turns, max_tokens)
        made = [self._generate(picture, asked, max_tokens, WARM if n else 0.0) for n in range(samples)]
        text, sure = made[0][0], made[0][1]
        usage = sum((usage for _, _, usage in made[1:]), made[0][2])
        notes = ["BLIP-2 was trained on English; ask it in English"] if language_of(question) == "es" else []
        notes += [f"{left} earlier questions were left out: there is no room for them"] if left else []
        declined, reason = declines(text)
        if samples > 1:
            found = agreement([one for one, _, _ in made])
            text, sure = found.text, found.share
            declined, reason = declines(text)
            notes.append(f"{found.groups[0]} of {samples} samples agree")
            if sure <= 0.5:
                ways = "; ".join(found.answers[:4])
                declined, reason = True, f"{samples} samples say {len(found.groups)} different things: {ways}"
        if not text:
            declined, reason = True, "the model gives no answer"
        if declined:
            return self._answer(CANNOT_TELL["en"], sure, usage, start, notes, reason or "the model says so")
        return self._answer(text, sure, usage, start, notes)

    # -- how --------------------------------------------------------------------------

    def _answer(
        self, text: str, sure: float, usage: Usage, start: float, notes: Sequence[str] = (), reason: str = ""
    ) -> Answer:
        return Answer(
            text,
            (),
            ROUTE,
            self.name,
            declined=bool(reason),
            reason=reason,
            used=usage,
            notes=tuple(notes),
            sources=1,
            seconds=time.monotonic() - start,
            confidence=sure,
        )

    def _fitting(self, question: str, turns: Sequence[Turn], max_tokens: int) -> tuple[str, int]:
        """The prompt, with as many of the last turns as there is room for, and how many were left out."""
        places = int(getattr(self._model.config.text_config, "max_position_embeddings", None) or 512)
        room = places - max_tokens - int(self._model.config.num_query_tokens) - 2
        for left in range(len(turns) + 1):
            text = prompt(question, turns[left:])
            if len(self._processor.tokenizer(text)["input_ids"]) <= room:
                return text, left
        raise BadQuery(f"the question is too long for {self.name}, which takes {room:,} tokens")

    def _generate(
        self, picture: Image, text: str, max_tokens: int, temperature: float = 0.0
    ) -> tuple[str, float, Usage]:
        """What follows the prompt, how probable its words were (their geometric mean), and the tokens."""
        with self._lock, torch.inference_mode():
            # said, as a picture of one or three pixels is taken for one of as many channels else
            inputs = self._processor(
                images=picture.convert("RGB"), text=text, return_tensors="pt", input_data_format="channels_last"
            )
            given = {
                name: tensor.to(self.device, PRECISIONS[self.precision] if tensor.is_floating_point() else None)
                for name, tensor in inputs.items()
            }
            warm: Mapping[str, Any] = {"do_sample": True, "temperature": temperature, "top_k": 50}
            found = self._model.generate(
                **given,
                max_new_tokens=max_tokens,
                num_beams=1,
                return_dict_in_generate=True,
                output_scores=True,
                **(warm if temperature else {"do_sample": False}),
            )
        ids = found.sequences[0]
        new = len(found.scores)  # older transformers give these alone, newer ones the prompt before them
        ids = ids[len(ids) - new :]
        likely = [
            float(torch.log_softmax(score[0].float(), -1)[token])
            for score, token in zip(found.scores, ids, strict=True)
        ]
        said = self._processor.tokenizer.decode(ids, skip_special_tokens=True)
        sure = float(torch.tensor(likely).mean().exp()) if likely else 0.0
        usage = Usage(int(given["input_ids"].shape[1]), new, 1, 0.0)
        return " ".join(_END.split(said.strip(), maxsplit=1)[0].split()), sure, usage

    def _loaded(self) -> tuple[Any, Any]:
        with _quietly(self.folder):
            config = transformers.AutoConfig.from_pretrained(self.folder, local_files_only=True)
            if config.model_type != _KIND:
                raise BadModel(self.folder, f"a model of type {config.model_type!r}, not {_KIND!r}")
            if not any((self.folder / name).is_file() for name in _WORDS):  # transformers 5 would make words up
                raise BadModel(self.folder, f"it has no tokenizer ({' or '.join(_WORDS)})")
            processor = transformers.Blip2Processor.from_pretrained(self.folder, local_files_only=True)
            model, told = transformers.Blip2ForConditionalGeneration.from_pretrained(
                self.folder, local_files_only=True, output_loading_info=True, dtype=PRECISIONS[self.precision]
            )
            missing = sorted(told["missing_keys"])
            if missing:  # they would be random numbers
                lacking = f"{len(missing)} of its tensors are missing, such as {missing[0]}"
                raise DamagedWeights(self.folder, lacking, "Fetch or copy the model again.")
            self._prepare(processor, model)
            return processor, model.eval().to(self.device)

    @staticmethod
    def _prepare(processor: Any, model: Any) -> None:
        """Say where the picture goes, which the files of 2023 and 2024 (the pinned revision's too) do not."""
        if processor.num_query_tokens is None:
            processor.num_query_tokens = model.config.num_query_tokens
        place = processor.tokenizer.convert_tokens_to_ids(_IMAGE)
        if model.config.image_token_index != place:
            model.config.image_token_index = place
        if place >= model.get_input_embeddings().num_embeddings:
            model.resize_token_embeddings(len(processor.tokenizer), mean_resizing=False)


def precision_for(device: str) -> str:
    """``fp16`` on CUDA; elsewhere ``fp32``, which CPUs are faster in."""
    return "fp16" if device.startswith("cuda") else "fp32"


def _folder(where: str | Path | None) -> Path:
    if where and Path(where).is_dir():
        return Path(where)
    name = str(where or NAME)
    known = [card.name for card in cards.CARDS.values() if card.family == ROUTE]
    if name not in known:
        raise UnknownName("BLIP-2 model, and no folder,", name, known)
    return weights.model_folder(name)


@contextmanager
def _quietly(folder: Path) -> Iterator[None]:
    """What goes wrong while transformers loads, in one line; it says nothing of its own meanwhile."""
    from safetensors import SafetensorError

    said = transformers.utils.logging
    level, bars = said.get_verbosity(), said.is_progress_bar_enabled()
    said.set_verbosity(said.CRITICAL)
    said.disable_progress_bar()
    try:
        yield
    except CatalejoError:
        raise
    except SafetensorError as error:
        raise DamagedWeights(folder, brief(error), "Fetch or copy the model again.") from error
    except Exception as error:  # transformers raises anything, ImportError and KeyError among them
        raise BadModel(folder, f"it cannot be loaded ({brief(error)})") from error
    finally:
        said.set_verbosity(level)
        if bars:
            said.enable_progress_bar()
