"""A language model behind any OpenAI-compatible endpoint: llama.cpp, Ollama, vLLM, LM Studio, OpenRouter, hosted ones.

Retries, timeouts and what is said about them are ours, so that a wait is announced and a cut stream noticed.
"""

from __future__ import annotations

import difflib
import queue
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from catalejo.answerers import complaints
from catalejo.answerers.address import address, key
from catalejo.answerers.connection import MOST_BYTES, Arriving, Connection, Refused, Timeouts, silent
from catalejo.answerers.stream import Events, Piece, Thoughts, piece
from catalejo.errors import CannotAsk, CannotPerceive, EndpointFailed, PromptTooLong

Message = Mapping[str, Any]

_WAITS_S = (1.0, 4.0, 10.0)  # before the second, third and fourth try
_MOST_WAIT_S = 60.0  # that an endpoint may ask for
_CHARACTERS_A_TOKEN = 16  # more than any tokenizer gets out of one on average: beyond it a stream has no end
_sleep = time.sleep


@dataclass(frozen=True)
class Reply:
    """What a model said.

    Attributes:
        text: without what it said to itself.
        finish: ``stop``, ``length``, ... as the endpoint said; empty where it broke off.
        cut: why it ends early; empty where it is whole.
        input_tokens, output_tokens: as the endpoint counted; None where it did not say.
    """

    text: str
    finish: str = ""
    cut: str = ""
    input_tokens: int | None = None
    output_tokens: int | None = None


@dataclass
class _Coming:
    """A reply while it comes."""

    shown: Callable[[str], None]
    thoughts: Thoughts = field(default_factory=Thoughts)
    parts: list[str] = field(default_factory=list)
    finish: str = ""
    input_tokens: int | None = None
    output_tokens: int | None = None
    done: bool = False

    def take(self, one: Piece) -> None:
        self.add(self.thoughts.feed(one.text))
        self.finish = one.finish or self.finish
        self.done = self.done or one.done
        if one.input_tokens is not None:
            self.input_tokens, self.output_tokens = one.input_tokens, one.output_tokens

    def add(self, text: str) -> None:
        if text:
            self.parts.append(text)
            self.shown(text)

    def reply(self, cut: str = "") -> Reply:
        return Reply("".join(self.parts).strip(), self.finish, cut, self.input_tokens, self.output_tokens)


class Endpoint:
    """A language model's endpoint.

    Args:
        where: its address; None: ``CATALEJO_ENDPOINT``.
        timeouts: see ``Timeouts``.
        say: called with a line for people when something takes a second try.

    Raises:
        NoEndpoint, EndpointFailed: see ``address``.
    """

    def __init__(
        self, where: str | None = None, timeouts: Timeouts | None = None, say: Callable[[str], None] | None = None
    ) -> None:
        self.address = address(where)
        self._key = key(self.address)
        self._to = Connection(self.address, self._key, timeouts or Timeouts())
        self._say = say or (lambda line: None)
        self._settings: dict[str, Any] = {"temperature": 0, "stream_options": {"include_usage": True}}
        self._limit = "max_tokens"

    def close(self) -> None:
        """Give the connection back."""
        self._to.close()

    def chat(
        self,
        model: str,
        messages: Sequence[Message],
        max_tokens: int,
        shown: Callable[[str], None] | None = None,
        temperature: float = 0,
    ) -> Reply:
        """Have a model answer; tried again while nothing came and the reason may pass.

        Args:
            model: its name there.
            messages: ``role`` and ``content``: a text, or a list of parts of which some are pictures.
            max_tokens: of the answer, at most.
            shown: called with each piece of the answer as it comes.
            temperature: above 0, the same question may get other answers; left out where the model refuses to be told.

        Returns:
            the reply; with ``cut`` set where it broke off after something had come, Ctrl-C included.

        Raises:
            PromptTooLong: the prompt passes the model's context; with the figures the endpoint told.
            CannotPerceive: the model takes no pictures, or no sound.
            EndpointFailed: it is down, refuses, has no such model, is silent too long, or sends what cannot be read.
            MissingExtra: the ``openai`` client is not installed.
        """
        tries = adapted = 0
        while True:
            coming = _Coming(shown or (lambda text: None))
            body = {"model": model, "messages": list(messages), "stream": True, **self._settings}
            if "temperature" in body:
                body["temperature"] = temperature
            wait, error = 0.0, CannotAsk()
            try:
                return self._once({**body, self._limit: max_tokens}, max_tokens, coming)
            except Refused as refused:
                if adapted < 4 and self._adapt(refused.body):
                    adapted += 1
                    continue
                error, wait = self._explained(refused, model), _asked_to_wait(refused)
            except EndpointFailed as failed:
                if coming.parts:
                    return coming.reply(failed.reason)
                error = failed
            except KeyboardInterrupt:
                if not coming.parts:
                    raise
                return coming.reply("interrupted")
            if not getattr(error, "passing", False) or tries >= len(_WAITS_S) or wait > _MOST_WAIT_S:
                raise error
            wait = max(_WAITS_S[tries], wait)
            tries += 1
            self._say(f"{error}; trying again in {wait:.0f} s")
            _sleep(wait)

    def models(self) -> list[dict[str, Any]]:
        """The models the endpoint lists, as it describes them; empty where it lists none.

        Raises:
            EndpointFailed: it cannot be reached, or wants a key.
        """
        try:
            found = self._to.told("GET", f"{self.address.url}/models", wait_s=self._patience(10.0))
        except Refused as refused:
            raise self._explained(refused, "") from None
        listed = found.get("data") if isinstance(found, dict) else found
        listed = listed if isinstance(listed, list) else []
        return [one for one in listed if isinstance(one, dict) and isinstance(one.get("id"), str)]

    def told(self, method: str, route: str, body: Any = None, wait_s: float = 5.0) -> Any:
        """The JSON a runtime gives at a route of its own, such as ``/props``; None where it gives none."""
        try:
            return self._to.told(method, self.address.root + route, body, self._patience(wait_s))
        except (Refused, EndpointFailed):
            return None

    def _patience(self, seconds: float) -> float:
        """So long as a question about the server may take; no longer than the user waits for an answer."""
        return min(seconds, self._to.timeouts.first_token_s)

    # -- one try --------------------------------------------------------------------------

    def _once(self, body: dict[str, Any], max_tokens: int, coming: _Coming) -> Reply:
        with self._to.chat(body) as response:
            kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
            if kind == "text/event-stream":
                self._streamed(response, max_tokens, coming)
            elif kind and "json" not in kind:
                raise self._to.failed(f"answers with {kind[:60]}, not with a chat completion: is the address right?")
            else:
                self._whole(response.iter_bytes(), coming)
        if coming.reply().text:
            return coming.reply(f"it reached {max_tokens:,} tokens (--max-output)" if coming.finish == "length" else "")
        if coming.finish == "length":
            raise self._to.failed(f"the answer is empty: {max_tokens:,} tokens went into thinking; raise --max-output")
        raise self._to.failed("the answer is empty")

    def _streamed(self, response: Any, max_tokens: int, coming: _Coming) -> None:
        events, most = Events(), max(max_tokens, 256) * _CHARACTERS_A_TOKEN
        last, patience, length = time.monotonic(), self._to.timeouts.first_token_s, 0
        with Arriving(response) as arriving:
            block: bytes | None = b""
            while block is not None and not coming.done:
                try:
                    block = arriving.get(last + patience - time.monotonic())
                except queue.Empty:
                    raise self._to.failed(silent(patience)) from None
                for one in map(piece, events.close() if block is None else events.feed(block)):
                    if one.text or one.thinking:
                        last, patience = time.monotonic(), self._to.timeouts.between_s
                    length += len(one.text) + one.thinking
                    coming.take(one)
                    if length > most:
                        raise self._to.failed(f"does not stop after {max_tokens:,} tokens")
                    if coming.done:
                        break
        coming.add(coming.thoughts.close())
        if not coming.finish and not coming.done:
            raise self._to.failed("the connection broke off before the answer was whole", passing=True)

    def _whole(self, blocks: Iterator[bytes], coming: _Coming) -> None:
        """From a server that does not stream."""
        data = b""
        for block in blocks:
            data += block
            if len(data) > MOST_BYTES:
                raise self._to.failed(f"its answer has more than {MOST_BYTES:,} bytes")
        coming.take(piece(data.decode("utf-8", "replace")))
        coming.add(coming.thoughts.close())

    # -- refusals -------------------------------------------------------------------------

    def _adapt(self, body: Any) -> bool:
        """Do without a setting the endpoint does not know; whether there is something to try."""
        if complaints.too_long(body):
            return False
        if self._limit == "max_tokens" and complaints.wants_completion_tokens(body):
            self._limit = "max_completion_tokens"
            return True
        name = complaints.unknown_setting(body, self._settings)
        return self._settings.pop(name, None) is not None

    def _explained(self, refused: Refused, model: str) -> CannotAsk:
        """A refusal in words, with what to do."""
        status, said = refused.status, self._key.hide(complaints.said(refused.body))
        because = f": {said}" if said else ""
        if long := complaints.too_long(refused.body):
            return PromptTooLong(f"{self.address.url}: the prompt is too long{because}", long.limit, long.tokens)
        if what := complaints.refuses_media(refused.body):
            return CannotPerceive(model or self.address.url, what, f"{self.address.url} says: {said}")
        if status in (401, 403) and not self._key.value:
            unseen = " (OPENAI_API_KEY goes over https or to this machine only)" if _has_openai_key() else ""
            return self._to.failed(f"wants a key: set CATALEJO_API_KEY{unseen}", status)
        if status == 401:
            return self._to.failed(f"does not accept the key in {self._key.name}", status)
        if status == 404 and complaints.names_model(refused.body, model):
            return self._to.failed(f"has no model called {model!r}{self._nearest(model)}", status)
        if status == 404:
            return self._to.failed("has no chat completions (404): an address usually ends in /v1", status)
        if 300 <= status < 400:
            to = complaints.said(refused.headers.get("location", "")) or "another address"
            return self._to.failed(f"leads to {to}; nothing was sent there; if you trust it, name it", status)
        if status == 429 and "insufficient_quota" in str(refused.body):
            return self._to.failed(f"the account has no credit left{because}", status)
        wait = _asked_to_wait(refused)
        later = f"; it asks to wait {wait:,.0f} s" if wait > _MOST_WAIT_S else ""
        return self._to.failed(f"answers {status}{because}{later}", status, status in (408, 409, 429) or status >= 500)

    def _nearest(self, model: str) -> str:
        try:
            names = [one["id"] for one in self.models()]
        except CannotAsk:
            return ""
        near = difflib.get_close_matches(model, names, n=1)
        known = f". It has: {', '.join(sorted(names)[:10])}" if names else ""
        return (f". Did you mean {near[0]!r}?" if near else "") + (known if len(names) <= 10 or not near else "")


def _has_openai_key() -> bool:
    import os

    return bool(os.environ.get("OPENAI_API_KEY", "").strip())


def _asked_to_wait(refused: Refused) -> float:
    """Seconds of a ``Retry-After``, RFC 9110 section 10.2.3; 0 where there is none."""
    text = refused.headers.get("retry-after", "").strip()
    try:
        return max(0.0, float(text))
    except ValueError:
        pass
    from email.utils import parsedate_to_datetime

    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - time.time())
    except (TypeError, ValueError):
        return 0.0
