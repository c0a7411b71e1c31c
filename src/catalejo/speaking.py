"""A language model as it runs at an endpoint: what fits into it, what asking costs, and what it counted."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from catalejo.answerers import Usage
from catalejo.answerers.endpoint import Endpoint, Reply
from catalejo.answerers.learned import Learned
from catalejo.answerers.runtime import Window, choose_model, running_window
from catalejo.context.pack import Counted, Prompt
from catalejo.errors import PromptTooLong, TooCostly, UnknownName

if TYPE_CHECKING:
    from catalejo.context.language_model import LanguageModel

_ROOM = 16  # tokens kept free: what templates add is only about known
_REPACKED = 4  # tries to fit a prompt into what the endpoint says it takes
_MORE = 1.15  # how much longer a prompt is taken to be than counted, where the endpoint only says it is too long
_CUT = 0.8  # of the least a prompt can have: an endpoint that counts fewer has cut it
_SMALL = 512  # tokens below which nothing is concluded from what an endpoint counts

Make = Callable[[int | None], Prompt]


@dataclass(frozen=True)
class _Scaled:
    tokens: int
    low: int
    high: int


class Speaker:
    """One model at one endpoint, for one question.

    Args:
        endpoint: to ask.
        model: its name there; None: ``CATALEJO_MODEL``, else the only one there is.
        max_output: tokens of an answer, at most.
        max_cost: US dollars that all requests together may cost; None: any.
        learned: what was learned of models' tokens.
        say: called with a line for people.

    Raises:
        CannotAsk: no model is named and there are several.
        EndpointFailed: it cannot be reached.
        TooCostly: ``max_cost`` is given and nobody knows the model's price.

    Attributes:
        foreseen, used: tokens and cost of the requests so far, before and after; ``used`` is None when one of them was
            not counted by the endpoint.
        notes: what one should know.
        endpoint, model: that is asked, and the model's name there.
        record: what is known of the model; None: nothing.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        model: str | None,
        max_output: int,
        max_cost: float | None,
        learned: Learned,
        say: Callable[[str], None],
    ) -> None:
        self.endpoint, self._max_output, self._max_cost = endpoint, max_output, max_cost
        self._learned, self._say, self._scale = learned, say, 1.0
        self.model = choose_model(endpoint, model, endpoint.address.url)
        self.record = _record(self.model)
        hosted = bool(endpoint.address.secure and self.record and self.record.prices)
        self.window = running_window(endpoint, self.model, hosted)
        if self.window.tokens is None and self.record and self.record.window:
            self.window = Window(self.record.window, f"what is known of {self.record.name}")
        self._counter = learned.correct(self.model, _counter(self.record))
        self.foreseen, self.used = Usage(cost=0.0), Usage(cost=0.0)
        self._counted = True
        self.notes: list[str] = []
        if max_cost is not None and self.cost(0, 0) is None:
            raise TooCostly(
                f"the price of {self.model} is not known, so that nothing can be said of ${max_cost:g}: "
                "tell it in a file (catalejo llms), or leave --max-cost out"
            )

    @property
    def output(self) -> int:
        """Tokens an answer may have: a quarter of a small window at most."""
        limits = [self._max_output]
        if self.window.tokens:
            limits.append(max(self.window.tokens // 4, 1))
        if self.record and self.record.output_limit:
            limits.append(self.record.output_limit)
        return min(limits)

    @property
    def budget(self) -> int | None:
        """Tokens a prompt may have; None where nobody knows."""
        if self.window.tokens is None:
            return None
        budget = self.window.tokens - self.output - _ROOM
        known = self.record.input_limit if self.record else None
        return min(budget, known) if known and not self.window.certain else budget

    def count(self, text: str) -> Counted:
        """Tokens of a text, with what was learned of this model."""
        found = self._counter(text)
        if self._scale == 1.0:
            return found
        return _Scaled(*(round(value * self._scale) for value in (found.tokens, found.low, found.high)))

    def cost(self, input_tokens: int, output_tokens: int) -> float | None:
        """US dollars of a request; 0 on this machine, None where the price is not known."""
        if self.endpoint.address.local:
            return 0.0
        if self.record is None or not self.record.prices:
            return None
        from catalejo.context.prices import price_at

        price = price_at(self.record, input_tokens)
        return float(price.input * input_tokens + price.output * output_tokens) / 1e6

    def foresee(self, prompts: Sequence[Prompt]) -> Usage:
        """What these requests take, with answers as long as they may be.

        Raises:
            TooCostly: with what was spent before, more than the user allows; nothing was sent.
        """
        total = Usage(cost=0.0)
        for prompt in prompts:
            cost = self.cost(prompt.high, self.output)
            total += Usage(prompt.tokens, self.output, 1, cost, prompt.low, prompt.high)
        spent = (self.used.cost if self._counted else self.foreseen.cost) or 0.0
        if self._max_cost is not None and spent + (total.cost or 0.0) > self._max_cost:
            raise TooCostly(
                f"{total.input_tokens:,} tokens to {self.model} and the answer may cost "
                f"${spent + (total.cost or 0):.4f}, over --max-cost {self._max_cost:g}; "
                + (f"${spent:.4f} was spent, the rest was not sent" if spent else "nothing was sent")
            )
        return total

    def send(
        self,
        make: Make,
        shown: Callable[[str], None] | None = None,
        *,
        temperature: float = 0,
        text_alone: bool = True,
    ) -> tuple[Prompt, Reply]:
        """Make a prompt for the room there is, and have it answered; made again where the endpoint has less room.

        Args:
            make: a prompt of at most so many tokens.
            shown, temperature: see ``Endpoint.chat``.
            text_alone: whether what is counted says something of how the model divides texts; of pictures it does not.

        Raises:
            PromptTooLong: it does not fit, with the figures.
            TooCostly, EndpointFailed: see ``foresee``, ``Endpoint.chat``.
        """
        for attempt in range(_REPACKED):
            prompt = make(self.budget)
            foreseen = self.foresee([prompt])
            self._say(f"{self.model}: {told(foreseen)}")
            try:
                reply = self.endpoint.chat(self.model, prompt.messages, self.output, shown, temperature)
            except PromptTooLong as refused:
                if attempt == _REPACKED - 1 or not self._shrink(refused, prompt):
                    raise
                known = f"{self.window.tokens:,} tokens" if self.window.tokens else "less"
                self._say(f"{refused}; packing again for {known}")
                continue
            self._account(prompt, foreseen, reply, text_alone)
            return prompt, reply
        raise AssertionError("the last try returns or raises")

    def _shrink(self, refused: PromptTooLong, prompt: Prompt) -> bool:
        """Learn from a refusal; whether another try can have another end."""
        if refused.limit is None and refused.tokens is None:
            return False
        before = self.budget
        if refused.limit:
            self.window = Window(refused.limit, "what the endpoint said when it refused", True)
        if refused.tokens and refused.tokens > prompt.tokens:
            self._scale *= min(refused.tokens / prompt.tokens, 4.0)
        elif self.budget == before:
            self._scale *= _MORE
        return True

    def _account(self, prompt: Prompt, foreseen: Usage, reply: Reply, text_alone: bool) -> None:
        self.foreseen += foreseen
        if reply.input_tokens is None:
            self._counted = False
            return
        output = reply.output_tokens or 0
        self.used += Usage(
            reply.input_tokens, output, 1, self.cost(reply.input_tokens, output), reply.input_tokens, reply.input_tokens
        )
        # a server of one's own may be set to see pictures at any size: there only the texts are sure
        sure = text_alone or not self.endpoint.address.local
        least = prompt.low if sure else sum(self._counter(text).low for text in _texts(prompt))
        if least > _SMALL and reply.input_tokens < least * _CUT:
            self.notes.append(
                f"the endpoint counted {reply.input_tokens:,} tokens of a prompt that has at least {least:,}: its "
                "runtime has cut it, and the answer rests on the rest; start it with a larger context"
            )
        elif text_alone:
            self._learned.learn(self.model, round(prompt.tokens / self._scale), reply.input_tokens)

    def totals(self) -> tuple[Usage, Usage | None]:
        """Foreseen and used; the latter None where the endpoint did not count each request."""
        return self.foreseen, self.used if self._counted else None


def _texts(prompt: Prompt) -> Iterator[str]:
    """The texts of all messages, without pictures and sounds."""
    for message in prompt.messages:
        content = message["content"]
        if isinstance(content, str):
            yield content
        else:
            yield from (part["text"] for part in content if part["type"] == "text")


def told(usage: Usage) -> str:
    """Tokens and cost in words: ``about 2,310 tokens, at most $0.0123``."""
    about = "" if usage.low == usage.high else "about "
    if usage.cost is None:
        return f"{about}{usage.input_tokens:,} tokens; its price is not known"
    return f"{about}{usage.input_tokens:,} tokens" + (f", at most ${usage.cost:.4f}" if usage.cost else "")


def _record(model: str) -> LanguageModel | None:
    from catalejo.context.models import find

    try:
        return find(model)
    except UnknownName:
        return None


def _counter(record: LanguageModel | None) -> Callable[[str], Counted]:
    from catalejo.context.tokens import count, estimated

    return lambda text: count(text, record) if record else estimated(text, "unknown")
