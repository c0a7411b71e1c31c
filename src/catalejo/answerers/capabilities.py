"""Whether a model takes pictures and recordings as it runs now, asked of the server where it tells.

The same weights see with a projector and are blind without one (llama.cpp's ``--mmproj``), so what runs is asked before
what is known of the model's name. Where nobody tells, the refusal itself does: see ``complaints.refuses_media``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from catalejo.answerers.runtime import Asked
from catalejo.errors import CannotAsk

if TYPE_CHECKING:
    from catalejo.context.language_model import LanguageModel


@dataclass(frozen=True)
class Takes:
    """What a model at an endpoint takes besides text.

    Attributes:
        image, audio: None where nobody says.
        source: who said so.
        certain: whether it is what runs, and not what is known of a name.
    """

    image: bool | None = None
    audio: bool | None = None
    source: str = ""
    certain: bool = False


def takes(endpoint: Asked, model: str, record: LanguageModel | None = None, hosted: bool = False) -> Takes:
    """What a model takes as it runs.

    Args:
        endpoint: to ask.
        model: its name there.
        record: what is known of that name.
        hosted: a service that has nothing but the routes of OpenAI; its runtime is not asked.
    """
    try:
        listed = next((one for one in endpoint.models() if one["id"] == model), {})
    except CannotAsk:
        listed = {}  # asking will say what is wrong
    found = _listed(listed)
    if not found and not hosted:
        found = _llama(endpoint) or _ollama(endpoint, model) or _studio(endpoint, model)
    if found:
        return found
    if record:
        kinds = record.modalities
        return Takes("image" in kinds, "audio" in kinds, f"what is known of {record.name}")
    return Takes()


def _listed(listed: dict[str, Any]) -> Takes | None:
    """OpenRouter's ``architecture.input_modalities``, Mistral's ``capabilities.vision``."""
    source, built = "the endpoint's list of models", listed.get("architecture")
    kinds = built.get("input_modalities") if isinstance(built, dict) else None
    if isinstance(kinds, list):
        return Takes("image" in kinds, "audio" in kinds, source, True)
    able = listed.get("capabilities")
    if isinstance(able, dict) and isinstance(able.get("vision"), bool):
        audio = able.get("audio")
        return Takes(able["vision"], audio if isinstance(audio, bool) else None, source, True)
    return None


def _llama(endpoint: Asked) -> Takes | None:
    """llama.cpp: ``GET /props``."""
    props = endpoint.told("GET", "/props")
    kinds = props.get("modalities") if isinstance(props, dict) else None
    if not isinstance(kinds, dict) or not isinstance(kinds.get("vision"), bool):
        return None
    return Takes(kinds["vision"], kinds.get("audio") is True, "llama.cpp (/props)", True)


def _ollama(endpoint: Asked, model: str) -> Takes | None:
    """Ollama: ``POST /api/show``."""
    shown = endpoint.told("POST", "/api/show", {"model": model})
    able = shown.get("capabilities") if isinstance(shown, dict) else None
    if not isinstance(able, list):
        return None
    return Takes("vision" in able, "audio" in able, "Ollama (/api/show)", True)


def _studio(endpoint: Asked, model: str) -> Takes | None:
    """LM Studio: ``GET /api/v0/models``."""
    found = endpoint.told("GET", "/api/v0/models")
    listed = found.get("data") if isinstance(found, dict) else None
    for one in listed if isinstance(listed, list) else []:
        if isinstance(one, dict) and one.get("id") == model and one.get("type") in ("vlm", "llm"):
            return Takes(one["type"] == "vlm", None, "LM Studio (/api/v0/models)", True)
    return None
