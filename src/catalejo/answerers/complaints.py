"""What endpoints say when they refuse: which limit, how many tokens, which setting they do not know.

The wordings are those of the runtimes themselves, as they stood in 2026: OpenAI, llama.cpp (pull request 15780), vLLM,
llama-cpp-python, LM Studio, Text Generation Inference, Mistral, Anthropic's and Gemini's compatible routes.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

_LIMITS = (
    r"maximum context length (?:is|of) ([\d,_]+)",
    r"available context size \(([\d,_]+)",
    r"model with ([\d,_]+) maximum context length",
    r"> ([\d,_]+) maximum\b",
    r"exceed context limit: [\d,_]+ \+ [\d,_]+ > ([\d,_]+)",
    r"maximum number of tokens allowed \(([\d,_]+)",
    r"context window of ([\d,_]+)",
    r"context length of only ([\d,_]+)",
    r"must be <= ([\d,_]+)",
    r"context (?:length|window|size) (?:is|of|limit is|limit:)\s*([\d,_]+)",
)
_TOKENS = (
    r"\(([\d,_]+) in the (?:messages|prompt)",
    r"\(([\d,_]+) in your prompt",
    r"resulted in ([\d,_]+) tokens",
    r"request has ([\d,_]+) input tokens",
    r"(?:request|prompt) \(([\d,_]+) tokens",
    r"prompt is too long: ([\d,_]+)",
    r"context limit: ([\d,_]+) \+",
    r"prompt contains (?:at least )?([\d,_]+)",
    r"input token count \(([\d,_]+)",
    r"requested tokens \(([\d,_]+)",
    r"keep the first ([\d,_]+) tokens",
    r"given: ([\d,_]+) `inputs`",
    r"you requested ([\d,_]+) tokens",
)
_TOO_LONG = re.compile(
    r"context[_ ](?:length|size|window|limit)\w*[_ ].{0,40}exceed"
    r"|exceed\w*.{0,60}context[_ ](?:length|size|window|limit)"
    r"|maximum context length|prompt is too long|exceed_context_size|context the overflows"
    r"|maximum number of tokens allowed|`max_new_tokens` must be",
    re.I | re.S,
)
# llama.cpp and llamafile, llama-cpp-python, vLLM, OpenAI, Ollama, Groq, DeepSeek, OpenRouter.
_NO_PICTURES = re.compile(
    r"image input is not supported|images? (?:input )?(?:is|are) not supported|not support(?:ed)? (?:image|vision)"
    r"|missing data required for image input|not a multimodal model|at most 0 image|0 image\(s\)"
    r"|image_url\S* is only supported by|unsupported content part type|unknown variant .image_url"
    r"|content must be a string|not compiled for multimodal|not configured with a mmproj"
    r"|no endpoints found that support image|support image input|input should be 'text'",
    re.I,
)
_NO_SOUND = re.compile(
    r"audio input is not supported|not support(?:ed)? audio|at most 0 audio|support audio input", re.I
)
_OPTIONAL = ("stream_options", "temperature", "max_tokens")


@dataclass(frozen=True)
class TooLong:
    """A refusal because of length: the tokens the model takes, and those of the prompt, where it told them."""

    limit: int | None
    tokens: int | None


def said(body: Any) -> str:
    """What a refusal says, in one line of at most 300 characters; empty where it says nothing readable."""
    if isinstance(body, (bytes, str)):
        text = body.decode("utf-8", "replace") if isinstance(body, bytes) else body
        try:
            body = json.loads(text)
        except (ValueError, RecursionError):
            return "" if re.match(r"\s*<", text) else _line(text)
    while isinstance(body, dict):
        inner = next((body[name] for name in ("error", "message", "detail", "msg") if body.get(name)), None)
        if inner is None:
            break
        body = inner
    if isinstance(body, list) and body:
        return said(body[0])
    return _line(body) if isinstance(body, str) else _line(json.dumps(body)) if body else ""


def _line(text: str) -> str:
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())[:300].rstrip(". ")


def too_long(body: Any) -> TooLong | None:
    """Whether a refusal is about length, and its figures.

    Args:
        body: of the answer, as JSON or text.
    """
    error = body.get("error", body) if isinstance(body, dict) else {}
    fields = error if isinstance(error, dict) else {}
    text = f"{fields.get('code', '')} {fields.get('type', '')} {said(body)}"
    if not _TOO_LONG.search(text) or re.search(r"tokens per (?:minute|day)|rate limit", text, re.I):
        return None
    return TooLong(
        _number(fields.get("n_ctx")) or _first(_LIMITS, text),
        _number(fields.get("n_prompt_tokens")) or _first(_TOKENS, text),
    )


def unknown_setting(body: Any, sent: dict[str, Any]) -> str:
    """The optional setting of a request that a refusal names; empty where it names none."""
    text = said(body)
    return next((name for name in _OPTIONAL if name in sent and re.search(rf"\b{name}\b", text)), "")


def refuses_media(body: Any) -> str:
    """What a refusal says that the model does not take: ``pictures``, ``sound``; empty where it is about neither."""
    text = said(body)
    return "sound" if _NO_SOUND.search(text) else "pictures" if _NO_PICTURES.search(text) else ""


def wants_completion_tokens(body: Any) -> bool:
    """Whether a refusal asks for ``max_completion_tokens`` in place of ``max_tokens``, as OpenAI's newer models do."""
    return "max_completion_tokens" in said(body)


def names_model(body: Any, model: str) -> bool:
    """Whether a refusal is about the model asked for."""
    text = said(body)
    named = bool(model) and model in text
    return named or bool(re.search(r"\bmodel\b.{0,80}\b(?:not|exist|unknown|invalid)", text, re.I))


def _number(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else None


def _first(patterns: tuple[str, ...], text: str) -> int | None:
    for pattern in patterns:
        if match := re.search(pattern, text, re.I):
            digits = re.sub(r"\D", "", match[1])
            if digits and int(digits) > 0:
                return int(digits)
    return None
