"""What the pictures of costs and curves say, in English and Spanish, and numbers as each language writes them."""

from __future__ import annotations

import math

from catalejo.context.rules import LONG, MAP_REDUCE, RETRIEVAL

_ENGLISH = {
    "title": "Long context or retrieval: the cost of {questions}",
    "one": "one question",
    "many": "{n} questions",
    "given": "{tokens} tokens retrieved a question. What both pay alike is left out: questions, instructions, answers.",
    "by questions": "{model}: {tokens} tokens, more and more questions",
    "by tokens": "{model}: {questions}, longer and longer documents",
    "questions": "questions within the life of the cache",
    "tokens": "tokens of the documents",
    "usd": "US dollars, documents or passages of all questions",
    LONG: "long context",
    "cached": "long context, cached",
    RETRIEVAL: "retrieval",
    MAP_REDUCE: "map-reduce",
    "cross": "from {n} questions on",
    "cross tokens": "below {n} tokens",
    "yours": "yours",
    "effective": "effective window",
    "limit": "input limit",
    "never": "The lines never cross: each further question costs less with retrieval.",
    "far": "They cross at {n} questions, beyond this picture.",
    "crossing": "From {n} questions on, long context costs less.",
    "recommended": "Recommended: {route}. {why}.",
    "curve title": "How much must be sent?",
    "curve told": "{questions} over {documents} documents. Bands: 95% intervals, from {resamples} draws.",
    "curve of": "Questions whose evidence is in the prompt ({model})",
    "passages": "passages of {n} characters",
    "whole": "whole documents",
    "all of it": "all: {n} tokens",
    "sent": "tokens sent a question",
    "share": "share of the questions",
    "knee": "knee: {point}",
    "enough": "as good as the best: {point}",
    "point": "{k} of {size}, {tokens} tokens, {share}",
    "knee told": "Knee: farthest above the straight line from the cheapest point to the best (Kneedle).",
    "enough told": "As good as the best: the cheapest whose difference from the best may be 0 (95%).",
    "free": "{model}: it costs nothing, or its price is not known; there is nothing to draw.",
    "decimal": ".",
    "thresholds title": "Which threshold costs least?",
    "thresholds told": "A miss costs {miss}, a false alarm {false}. What scores at least the threshold is flagged.",
    "category": "{what}: {positives} to be flagged, {negatives} not",
    "cost": "cost, of the dearest threshold's",
    "missed": "missed, of those to be flagged",
    "false alarms": "false alarms, of the others",
    "threshold": "threshold",
    "cost and shares": "share",
    "chosen": "chosen: {value}",
    "if probabilities": "if scores were probabilities: {value}",
    "threshold note": "There: {misses} missed, {false} false alarms. 95%: {low} to {high}. Area under the ROC: {auc}.",
}
_SPANISH = {
    "title": "Contexto largo o recuperación: el coste de {questions}",
    "one": "una pregunta",
    "many": "{n} preguntas",
    "given": "{tokens} tokens recuperados por pregunta. Sin lo que cuesta igual: preguntas, instrucciones, respuestas.",
    "by questions": "{model}: {tokens} tokens, cada vez más preguntas",
    "by tokens": "{model}: {questions}, documentos cada vez más largos",
    "questions": "preguntas mientras dura la caché",
    "tokens": "tokens de los documentos",
    "usd": "dólares, documentos o pasajes de todas las preguntas",
    LONG: "contexto largo",
    "cached": "contexto largo, con caché",
    RETRIEVAL: "recuperación",
    MAP_REDUCE: "por partes (map-reduce)",
    "cross": "desde {n} preguntas",
    "cross tokens": "por debajo de {n} tokens",
    "yours": "los tuyos",
    "effective": "ventana efectiva",
    "limit": "límite de entrada",
    "never": "Las líneas no se cruzan: cada pregunta más cuesta menos con recuperación.",
    "far": "Se cruzan en {n} preguntas, fuera de esta imagen.",
    "crossing": "Desde {n} preguntas, el contexto largo cuesta menos.",
    "recommended": "Se recomienda: {route}.",
    "curve title": "¿Cuánto hay que enviar?",
    "curve told": "{questions} sobre {documents} documentos. Bandas: intervalos del 95 %, de {resamples} remuestreos.",
    "curve of": "Preguntas cuya evidencia está en el prompt ({model})",
    "passages": "pasajes de {n} caracteres",
    "whole": "documentos enteros",
    "all of it": "todo: {n} tokens",
    "sent": "tokens enviados por pregunta",
    "share": "proporción de las preguntas",
    "knee": "codo: {point}",
    "enough": "tan bueno como el mejor: {point}",
    "point": "{k} de {size}, {tokens} tokens, {share}",
    "knee told": "Codo: el más alejado de la recta entre el punto más barato y el mejor (Kneedle).",
    "enough told": "Tan bueno como el mejor: el más barato cuya diferencia con el mejor puede ser 0 (95 %).",
    "free": "{model}: no cuesta nada, o no se conoce su precio; no hay nada que dibujar.",
    "decimal": ",",
    "thresholds title": "¿Qué umbral cuesta menos?",
    "thresholds told": "Un fallo cuesta {miss}, una falsa alarma {false}. Se marca lo que alcanza el umbral.",
    "category": "{what}: {positives} que marcar, {negatives} que no",
    "cost": "coste, respecto del umbral más caro",
    "missed": "sin marcar, de las que habría que marcar",
    "false alarms": "falsas alarmas, del resto",
    "threshold": "umbral",
    "cost and shares": "proporción",
    "chosen": "elegido: {value}",
    "if probabilities": "si fueran probabilidades: {value}",
    "threshold note": "Ahí: {misses} sin marcar, {false} falsas alarmas. 95 %: {low} a {high}. Área ROC: {auc}.",
}
LANGUAGES = {"en": _ENGLISH, "es": _SPANISH}


class Words:
    """Words and numbers of one language."""

    def __init__(self, language: str) -> None:
        self._words, self._comma = LANGUAGES[language], language == "es"

    def __call__(self, name: str, **parts: str) -> str:
        return self._words.get(name, name).format(**parts)

    def number(self, value: float) -> str:
        text = f"{value:,.0f}" if value >= 10 or value == int(value) else f"{value:,.2g}"
        return text.translate(str.maketrans(",.", ".,")) if self._comma else text

    def tokens(self, value: float) -> str:
        """On an axis: 2k, 500k, 1M."""
        if value < 1_000:
            return self.number(value)
        return f"{self.number(value / 1_000)}k" if value < 1_000_000 else f"{self.number(value / 1_000_000)}M"

    def money(self, value: float) -> str:
        if value == 0:
            return "0"
        if value >= 1e6:
            return f"{self.number(value / 1e6)}M"
        digits = max(0, 1 - math.floor(math.log10(abs(value)))) if value < 10 else 0
        text = f"{value:,.{digits}f}"
        text = text.rstrip("0").rstrip(".") if "." in text else text
        return text.translate(str.maketrans(",.", ".,")) if self._comma else text

    def share(self, value: float) -> str:
        """As a percentage."""
        text = f"{100 * value:.1f}".removesuffix(".0")
        return text.replace(".", ",") + " %" if self._comma else text + "%"

    def questions(self, n: int) -> str:
        return self("one") if n == 1 else self("many", n=self.number(n))
