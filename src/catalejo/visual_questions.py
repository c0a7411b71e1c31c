"""Files of questions about pictures, with the answers people gave. What a file is, its content says.

===========  ==========================================================================================================
CSV          a header, then a question a row: ``path``, ``question``, ``answer`` (several with ``|`` between), and
             ``unanswerable`` if one likes; delimited by comma, semicolon or tab; Spanish names too
JSONL, JSON  objects with the same keys, one a line or in one list; ``answers`` may be a list
POPE         JSONL with ``image``, ``text`` and ``label`` (yes or no); Li et al., arXiv 2305.10355
VizWiz       a list with ``image``, ``question``, ``answers[].answer``, ``answerable``; Gurari et al., arXiv 1802.08218
VQAv2        one object with ``questions`` and ``annotations``, the two official files put together; arXiv 1612.00837
===========  ==========================================================================================================
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from catalejo.caption_formats import PICTURE
from catalejo.errors import BadQuestions
from catalejo.language import language_of
from catalejo.records import Skipped
from catalejo.visual_answers import is_yes_no

_QUESTION = ("question", "text", "pregunta", "query")
_ANSWER = ("answers", "answer", "label", "respuestas", "respuesta", "multiple_choice_answer")
_UNANSWERABLE = ("unanswerable", "sin_respuesta", "irrespondible")
_TRUE = ("1", "true", "yes", "si", "sí", "x", "verdadero")
_WANTED = "name them path, question and answer; unanswerable if you like"
YES_NO, NUMBER, OTHER = KINDS = ("yes/no", "number", "other")


@dataclass(frozen=True)
class VisualQuestion:
    """A question about one picture.

    Attributes:
        where: it stands in its file, for messages: ``line 3``.
        path: of the picture; as in the file until it was looked for.
        question: as one would ask it.
        answers: of people; empty where there is none.
        unanswerable: the picture cannot tell, and declining is right.
        kind: ``yes/no``, ``number`` or ``other``, by its answers.
        language: of the question, ``en`` or ``es``.
    """

    where: str
    path: str
    question: str
    answers: tuple[str, ...]
    unanswerable: bool = False
    kind: str = OTHER
    language: str = "en"


@dataclass(frozen=True)
class VisualQuestions:
    """What a file holds: the questions whose picture is there, and the pictures that are missing."""

    asked: tuple[VisualQuestion, ...]
    missing: tuple[Skipped, ...] = ()


def read_visual_questions(path: str, images: str | None = None) -> VisualQuestions:
    """The questions of a file, with their pictures found.

    Args:
        path: of the file.
        images: the folder that its paths start from; None: the file's own.

    Raises:
        BadQuestions: it cannot be read, is empty or broken, lacks what is needed, or none of its pictures is there.
    """
    try:
        text = Path(path).read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise BadQuestions(path, (error.strerror or str(error)).lower()) from error
    except UnicodeDecodeError as error:
        raise BadQuestions(path, f"it is no UTF-8: byte {error.start:,}") from error
    found = read_rows(path, text)
    folders = [Path(images)] if images else []
    folders.append(Path(path).absolute().parent)
    asked: list[VisualQuestion] = []
    missing: dict[str, Skipped] = {}
    for one in found:
        there = next((folder / one.path for folder in folders if _is_file(folder / one.path)), None)
        if there is None:
            missing[one.path] = Skipped(one.path, f"not there ({one.where})")
        else:
            asked.append(replace(one, path=str(there)))
    if not asked:
        raise BadQuestions(path, f"none of its {len(missing):,} pictures is there; name their folder with --images")
    return VisualQuestions(tuple(asked), tuple(missing.values()))


def read_rows(path: str, text: str) -> list[VisualQuestion]:
    """The questions as they stand in a file; pictures are not looked for.

    Args:
        path: for messages.
        text: the whole file.

    Raises:
        BadQuestions: see ``read_visual_questions``.
    """
    if not text.strip():
        raise BadQuestions(path, "it is empty")
    rows = _objects(path, text) if text.lstrip()[0] in "{[" else _csv(path, text)
    made = [_question(path, where, row) for where, row in rows]
    if not made:
        raise BadQuestions(path, f"there is no question in it; {_WANTED}")
    return made


def _csv(path: str, text: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    first = text.lstrip().splitlines()[0]
    delimiter = max(",;\t", key=first.count)
    rows = csv.DictReader(io.StringIO(text.lstrip(), newline=""), delimiter=delimiter, strict=True)
    try:
        names = [name.strip().casefold() for name in rows.fieldnames or ()]
        rows.fieldnames = names
        for row in rows:
            if None in row:
                raise BadQuestions(
                    path, f'line {rows.line_num} has too many fields: put those with a "{delimiter}" in quotes'
                )
            if any((value or "").strip() for value in row.values()):
                yield f"line {rows.line_num}", row
    except csv.Error as error:
        raise BadQuestions(path, f"broken CSV in line {rows.line_num}: {error}") from error


def _objects(path: str, text: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    try:
        tree = json.loads(text)
    except json.JSONDecodeError as error:
        yield from _lines(path, text, error)
        return
    except RecursionError as error:
        raise BadQuestions(path, "its JSON is nested too deep for a list of questions") from error
    if isinstance(tree, dict) and isinstance(tree.get("questions"), list):
        yield from _vqa(path, tree)
        return
    for number, row in enumerate(tree if isinstance(tree, list) else [tree], 1):
        if not isinstance(row, dict):
            raise BadQuestions(path, f"entry {number} is no object; {_WANTED}")
        yield f"entry {number}", row


def _lines(path: str, text: str, broken: json.JSONDecodeError) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (json.JSONDecodeError, RecursionError):
            line_number = number if number > 1 else broken.lineno
            raise BadQuestions(path, f"broken JSON in line {line_number}") from broken
        if not isinstance(row, dict):
            raise BadQuestions(path, f"line {number} is no object; {_WANTED}")
        yield f"line {number}", row


def _vqa(path: str, tree: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """VQAv2: pictures are told by number, ``COCO_val2014_000000000042.jpg``."""
    annotations = tree.get("annotations")
    if not isinstance(annotations, list):
        raise BadQuestions(
            path, 'it has questions and no answers: put "annotations" of the other file beside "questions"'
        )
    given = {one.get("question_id"): one for one in annotations if isinstance(one, dict)}
    part = str(tree.get("data_subtype") or "val2014")
    for one in tree["questions"]:
        if not isinstance(one, dict) or not isinstance(one.get("image_id"), int):
            raise BadQuestions(path, "one of its questions has no image_id")
        answer = given.get(one.get("question_id"), {})
        name = f"COCO_{part}_{one['image_id']:012d}.jpg"
        yield f"question {one.get('question_id')}", {**answer, "question": one.get("question"), "path": name}


def _question(path: str, where: str, row: Mapping[str, Any]) -> VisualQuestion:
    row = {str(name).strip().casefold(): value for name, value in row.items()}
    picture, question = _first(row, PICTURE), _first(row, _QUESTION)
    for value, name in ((picture, "path of a picture"), (question, "question")):
        if not isinstance(value, str) or not value.strip():
            raise BadQuestions(path, f"{where} has no {name}; {_WANTED}")
    answers = tuple(_answers(_first(row, _ANSWER)))
    told = _first(row, _UNANSWERABLE)
    unanswerable = str(told).strip().casefold() in _TRUE if told is not None else False
    if "answerable" in row:  # VizWiz: 0 or 1
        unanswerable = str(row["answerable"]).strip().casefold() in ("0", "false", "no")
    if not answers and not unanswerable:
        raise BadQuestions(path, f"{where} has no answer; {_WANTED}")
    language = language_of(question) or "en"
    return VisualQuestion(where, picture.strip(), question.strip(), answers, unanswerable, _kind(answers), language)


def _first(row: Mapping[str, Any], names: tuple[str, ...]) -> Any:
    return next((row[name] for name in names if row.get(name) not in (None, "")), None)


def _answers(value: Any) -> Iterator[str]:
    if isinstance(value, bool):
        value = "yes" if value else "no"
    for one in value if isinstance(value, list) else str("" if value is None else value).split("|"):
        text = one.get("answer") if isinstance(one, dict) else one
        if text is not None and str(text).strip():
            yield str(text).strip()


def _kind(answers: tuple[str, ...]) -> str:
    if answers and all(map(is_yes_no, answers)):
        return YES_NO
    return NUMBER if answers and all(one.replace(".", "").replace(",", "").isdigit() for one in answers) else OTHER


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):  # a name no file can have
        return False
