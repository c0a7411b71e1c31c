"""Files on their way into a language model: a row a way, a box a stage, each with its shape."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PIL import Image, ImageDraw

from catalejo.context.prices import dollars
from catalejo.plots.canvas import FAINT, INK, PAPER, RULE, fit, font
from catalejo.plots.lines import HUES

if TYPE_CHECKING:
    from catalejo.context.bridges import Stage
    from catalejo.route import Route, Routed, Way

_MARGIN, _LABEL, _BOX, _GAP = 24, 132, 196, 26
_HIGH, _ROW, _HEAD, _FILE, _FOOT = 58, 74, 64, 34, 34
_COLOURS = {"input": FAINT, "encoder": HUES[0], "bridge": HUES[1], "model": HUES[2]}
_COLUMNS = ("input", "encoder", "bridge", "model")

_SPANISH = {
    "Every file on its way to {model}": "Cada fichero de camino a {model}",
    "the facts": "los hechos",
    "it is": "es",
    "encoder": "codificador",
    "bridge": "puente",
    "the model gets": "el modelo recibe",
    "picture": "imagen",
    "key frames": "fotogramas clave",
    "speech": "voz",
    "sounds": "sonidos",
    "sound": "sonido",
    "text": "texto",
    "scans": "páginas escaneadas",
    "facts": "hechos",
    "pixels": "píxeles",
    "frames": "fotogramas",
    "samples": "muestras",
    "mel spectrogram": "espectrograma mel",
    "pages without text": "páginas sin texto",
    "linear": "lineal",
    "projector": "proyector",
    "decoder": "decodificador",
    "names of classes": "nombres de clases",
    "table of tokens": "tabla de tokens",
    "one vector a token": "un vector por token",
    "its own encoder": "el suyo",
    "its own bridge": "el suyo",
    "its own tokenizer": "su tokenizador",
    "not published": "no publicado",
    "no language model": "sin modelo de lenguaje",
    "labels, colours, text read": "etiquetas, colores, texto leído",
    "text read": "texto leído",
    "sound tokens": "tokens de sonido",
    "no way: {reason}": "sin camino: {reason}",
    "Estimates are marked with ~. Shapes come from the code that runs, or from what the makers publish.": (
        "Con ~, lo estimado. Las formas salen del código que se ejecuta o de lo que publican los autores."
    ),
}


def route_chart(found: Routed, language: str = "en") -> Image.Image:
    """All ways of all files, in the order the model gets them.

    Args:
        found: the routes.
        language: ``en`` or ``es``, of what is written.

    Returns:
        an RGB picture.
    """
    say = _Words(language)
    bridges = max((len(way.by("bridge")) for one in found.routes for way in one.ways), default=1) or 1
    widths = dict.fromkeys(_COLUMNS, _BOX) | {"bridge": bridges * _BOX + (bridges - 1) * _GAP}
    wide = 2 * _MARGIN + _LABEL + sum(widths.values()) + len(_COLUMNS) * _GAP + 84
    rows = sum(_FILE + _ROW * max(len(one.ways), 1 if one.reason else 0) for one in found.routes)
    sheet = Image.new("RGB", (wide, _HEAD + 26 + rows + _FOOT), PAPER)
    draw, face, small = ImageDraw.Draw(sheet), font("SemiBold", 22), font("Regular", 14)
    model = found.model.name if found.model else say("the facts")
    draw.text((_MARGIN, 14), say("Every file on its way to {model}").format(model=model), INK, face)
    places, left = {}, _MARGIN + _LABEL
    for role, name in zip(_COLUMNS, ("it is", "encoder", "bridge", "the model gets"), strict=True):
        places[role] = left
        draw.text((left, _HEAD - 6), say(name), _COLOURS[role], small)
        left += widths[role] + _GAP
    draw.text((left, _HEAD - 6), say("tokens"), FAINT, small)
    top = _HEAD + 20
    for one in found.routes:
        top = _file(draw, one, top, places, left, say)
    note = "Estimates are marked with ~. Shapes come from the code that runs, or from what the makers publish."
    draw.text((_MARGIN, sheet.height - _FOOT + 4), say(note), FAINT, small)
    return sheet


class _Words:
    """What is written, in a language."""

    def __init__(self, language: str) -> None:
        self._spanish = language == "es"

    def __call__(self, text: str) -> str:
        if not self._spanish:
            return text
        if text.startswith("the tokenizer "):
            return f"tokenizador {text.removeprefix('the tokenizer ')}"
        if text.endswith(" picture tokens"):
            return f"{text.removesuffix(' picture tokens')} tokens de imagen"
        for end, spanish in ((" characters", "caracteres"), (" pages", "páginas")):
            if text.endswith(end):
                return f"{text.removesuffix(end)} {spanish}"
        return _SPANISH.get(text, text)


def _file(draw: ImageDraw.ImageDraw, one: Route, top: int, places: dict[str, int], tokens: int, say: _Words) -> int:
    """One file's ways; returns where the next begins."""
    draw.line((_MARGIN, top + 4, tokens + 84, top + 4), RULE)
    face, small = font("SemiBold", 15), font("Regular", 14)
    title = fit(draw, one.path, face, tokens // 2)
    draw.text((_MARGIN, top + 10), title, INK, face)
    after = _MARGIN + draw.textlength(title, face) + 14
    what = ", ".join(say(part) for part in one.what.split(", "))
    draw.text((after, top + 11), fit(draw, what, small, tokens // 2), FAINT, small)
    top += _FILE
    if one.reason:
        told = say("no way: {reason}").format(reason=one.reason)
        draw.text((places["input"], top + 12), fit(draw, told, small, tokens - places["input"]), INK, small)
        return top + _ROW
    for way in one.ways:
        _way(draw, way, top, places, tokens, say)
        top += _ROW
    return top


def _way(draw: ImageDraw.ImageDraw, way: Way, top: int, places: dict[str, int], tokens: int, say: _Words) -> None:
    middle, face = top + _HIGH // 2, font("SemiBold", 14)
    draw.text((_MARGIN, middle - 10), fit(draw, say(way.what), face, _LABEL - 8), INK, face)
    boxes: list[tuple[int, Stage]] = []
    for role in _COLUMNS:
        boxes += [(places[role] + number * (_BOX + _GAP), stage) for number, stage in enumerate(way.by(role))]
    for number, (left, stage) in enumerate(boxes):
        _box(draw, left, top, stage, say)
        if number + 1 < len(boxes):
            _arrow(draw, left + _BOX, boxes[number + 1][0], middle)
    if way.tokens is not None:
        about = "" if way.tokens.exact else "~"
        draw.text((tokens, middle - 18), f"{about}{way.tokens.tokens:,}", INK, face)
        usd = "" if not way.usd else f"${dollars(way.usd)}"
        draw.text((tokens, middle), usd, FAINT, font("Regular", 13))


def _box(draw: ImageDraw.ImageDraw, left: int, top: int, stage: Stage, say: _Words) -> None:
    draw.rounded_rectangle((left, top, left + _BOX, top + _HIGH), 8, PAPER, _COLOURS[stage.role], 2)
    name, shape = font("SemiBold", 14), font("Regular", 14)
    draw.text((left + 10, top + 9), fit(draw, say(stage.name), name, _BOX - 20), INK, name)
    told = " × ".join(map(str, stage.shape)) or say(stage.what)
    if len(stage.shape) == 1 and stage.what:
        told = f"{stage.shape[0]:,} {say(stage.what)}"
    draw.text((left + 10, top + 31), fit(draw, told, shape, _BOX - 20), _COLOURS[stage.role], shape)


def _arrow(draw: ImageDraw.ImageDraw, start: int, end: int, middle: int) -> None:
    draw.line((start + 3, middle, end - 8, middle), FAINT, 2)
    draw.polygon(((end - 3, middle), (end - 11, middle - 5), (end - 11, middle + 5)), FAINT)
