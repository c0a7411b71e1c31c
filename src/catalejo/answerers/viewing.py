"""A model that sees, at an OpenAI-compatible endpoint: what it is shown, in which order, and at which size.

The pictures come first, in their order, then what was asked and answered before, then the question: so that a server
can keep the pictures for the next one.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from PIL import Image

from catalejo.answerers import Answer, Turn
from catalejo.answerers.capabilities import takes
from catalejo.answerers.connection import Timeouts
from catalejo.answerers.endpoint import Endpoint, Reply
from catalejo.answerers.learned import Learned
from catalejo.answerers.shown import Laid, Part, Recorded, lay
from catalejo.context import resolution
from catalejo.context.pack import OVERHEAD, Message, Prompt
from catalejo.errors import CannotPerceive, PromptTooLong
from catalejo.speaking import Speaker

ROUTE = "endpoint"
_SMALLER = 0.75  # of a side, each time a prompt does not fit
_TRIES = 12


@dataclass(frozen=True)
class Asking:
    """Whom to ask and how far to go; see ``answering.ask``.

    Attributes:
        endpoint, model: None: ``CATALEJO_ENDPOINT``, ``CATALEJO_MODEL``.
        max_output: tokens of an answer, at most; None: 512 for an answer, 400 for a caption.
        max_cost: US dollars that all requests of one question may cost.
        timeouts: see ``Timeouts``.
        detail: of pictures; see ``media.DETAILS``.
    """

    endpoint: str | None = None
    model: str | None = None
    max_output: int | None = None
    max_cost: float | None = None
    timeouts: Timeouts | None = None
    detail: str = "high"


@dataclass(frozen=True)
class View:
    """What a model is shown and told.

    Attributes:
        parts: in order.
        system: what it is to do.
        question: the last thing that is asked.
        turns: what was asked and answered before.
    """

    parts: Sequence[Part]
    system: str
    question: str
    turns: Sequence[Turn] = ()

    @property
    def kinds(self) -> tuple[str, ...]:
        """``pictures``, ``sound``: what is in it besides text."""
        there = (("pictures", Image.Image), ("sound", Recorded))
        return tuple(name for name, kind in there if any(isinstance(part, kind) for part in self.parts))

    def messages(self, laid: Laid) -> tuple[Message, ...]:
        """As the protocol has them."""
        asked = [*(turn.question for turn in self.turns), self.question]
        made: list[Message] = [{"role": "system", "content": self.system}]
        for number, one in enumerate(asked):
            content: Any = one if number else [*laid.content, {"type": "text", "text": one}]
            made.append({"role": "user", "content": content})
            if number < len(self.turns):
                made.append({"role": "assistant", "content": self.turns[number].answer})
        return tuple(made)

    def texts(self) -> list[str]:
        """All that is told but for the parts."""
        said = [text for turn in self.turns for text in (turn.question, turn.answer)]
        return [self.system, *said, self.question]


class Viewer:
    """A model at an endpoint that is shown something.

    Args:
        endpoint: to ask.
        asking: whom, and how far to go.
        most: tokens of an answer, where ``asking`` does not say.
        view: what it is shown.
        say: called with lines for people.

    Raises:
        CannotPerceive: the model does not take what it is to be shown.
        CannotAsk, EndpointFailed, TooCostly: see ``Speaker``.
    """

    def __init__(self, endpoint: Endpoint, asking: Asking, most: int, view: View, say: Callable[[str], None]) -> None:
        from catalejo.weights import data_folder

        learned = Learned(data_folder() / "asking" / "tokens.json", say)
        model = asking.model or os.environ.get("CATALEJO_MODEL")
        self._speaker = Speaker(endpoint, model, asking.max_output or most, asking.max_cost, learned, say)
        self._detail, self._view = asking.detail, view
        self._laid: Laid | None = None
        if view.kinds:
            self._check()

    def ask(self, shown: Callable[[str], None] | None = None, temperature: float = 0.0) -> Reply:
        """One reply; see ``Speaker.send``."""
        alone = not self._view.kinds
        return self._speaker.send(self._made, shown, temperature=temperature, text_alone=alone)[1]

    def finished(self, answer: Answer) -> Answer:
        """An answer with what asking for it took."""
        foreseen, used = self._speaker.totals()
        notes = (*answer.notes, *(self._laid.shrunk if self._laid else ()), *self._speaker.notes)
        return replace(
            answer,
            route=ROUTE,
            model=self._speaker.model,
            foreseen=foreseen,
            used=used,
            notes=tuple(dict.fromkeys(notes)),
            sources=len(self._view.parts),
        )

    def _check(self) -> None:
        endpoint, record, model = self._speaker.endpoint, self._speaker.record, self._speaker.model
        able = takes(endpoint, model, record, bool(endpoint.address.secure and record and record.prices))
        for what, does in (("pictures", able.image), ("sound", able.audio)):
            # what is known of a name alone may be wrong of a server on this machine: there it is tried
            if what in self._view.kinds and does is False and (able.certain or not endpoint.address.local):
                raise CannotPerceive(model, what, f"so says {able.source}")

    def _made(self, budget: int | None) -> Prompt:
        """A prompt of at most so many tokens: pictures are made smaller where there is no room for them."""
        speaker, most_px = self._speaker, resolution.MOST_PX
        for _ in range(_TRIES):
            laid = self._laid = lay(self._view.parts, speaker.record, speaker.count, self._detail, most_px)
            messages = self._view.messages(laid)
            counts = [laid, *(speaker.count(text) for text in self._view.texts())]
            tokens, low, high = (
                sum(getattr(one, name) for one in counts) + OVERHEAD * len(messages)
                for name in ("tokens", "low", "high")
            )
            longer = max((size.longer for size in laid.sizes), default=0)
            if budget is None or tokens <= budget:
                return Prompt(messages, (), tokens, low, high)
            if longer <= resolution.LEAST_PX:
                break
            most_px = max(resolution.LEAST_PX, round(longer * _SMALLER))
        room = f"the {max(budget or 0, 0):,} there is room for"
        raise PromptTooLong(f"about {tokens:,} tokens do not fit into {room}", budget)
