"""Files of questions about pictures."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from catalejo.errors import BadQuestions
from catalejo.visual_questions import VisualQuestion, read_rows, read_visual_questions

CSV = """path,question,answer,unanswerable
cat.png,Which animal is it?,cat|kitten,
cat.png,"¿Cuántos, exactamente?",2,
dog.png,Is there a cat?,no,
dog.png,What is its name?,,yes
"""


def rows(text: str, path: str = "q.csv") -> list[VisualQuestion]:
    return read_rows(path, text)


def test_a_table() -> None:
    first, second, third, last = rows(CSV)
    assert (first.where, first.path, first.question) == ("line 2", "cat.png", "Which animal is it?")
    assert (first.answers, first.kind, first.language) == (("cat", "kitten"), "other", "en")
    assert (second.question, second.kind, second.language) == ("¿Cuántos, exactamente?", "number", "es")
    assert (third.kind, third.unanswerable) == ("yes/no", False)
    assert (last.answers, last.unanswerable) == ((), True)


@pytest.mark.parametrize("mark", [";", "\t"])
def test_other_delimiters_and_spanish_names(mark: str) -> None:
    text = f"Imagen{mark}Pregunta{mark}Respuesta\ngato.png{mark}¿Hay un gato?{mark}sí\n\n"
    (one,) = rows(text)
    assert (one.path, one.question, one.answers, one.kind) == ("gato.png", "¿Hay un gato?", ("sí",), "yes/no")


def test_pope() -> None:
    text = (
        '{"question_id": 1, "image": "COCO_val2014_000000310196.jpg", "text": "Is there a dog?", "label": "yes"}\n'
        '{"question_id": 2, "image": "COCO_val2014_000000310196.jpg", "text": "Is there a car?", "label": "no"}\n'
    )
    found = rows(text, "coco_pope_random.json")
    assert [(one.answers, one.kind, one.where) for one in found] == [
        (("yes",), "yes/no", "line 1"),
        (("no",), "yes/no", "line 2"),
    ]


def test_vizwiz() -> None:
    entry = {"image": "VizWiz_val_00000000.jpg", "question": "Ok. There is another picture I hope it is a better one."}
    answers = [{"answer": "unanswerable", "answer_confidence": "yes"}] * 9 + [{"answer": "no"}]
    found = rows(
        json.dumps([entry | {"answers": answers, "answerable": 0}, entry | {"answers": answers, "answerable": 1}])
    )
    assert [one.unanswerable for one in found] == [True, False]
    assert len(found[0].answers) == 10 and found[0].where == "entry 1"


def test_vqa_v2() -> None:
    tree: dict[str, Any] = {
        "data_subtype": "val2014",
        "questions": [{"image_id": 42, "question": "What color are the gym shoes?", "question_id": 42000}],
        "annotations": [{"question_id": 42000, "answers": [{"answer": "white", "answer_id": n} for n in range(10)]}],
    }
    (one,) = rows(json.dumps(tree))
    assert (one.path, one.answers, one.where) == ("COCO_val2014_000000000042.jpg", ("white",) * 10, "question 42000")
    del tree["annotations"]
    with pytest.raises(BadQuestions, match='put "annotations" of the other file beside "questions"'):
        rows(json.dumps(tree))


def test_json_objects_with_lists_and_truths() -> None:
    found = rows(
        '[{"path": "a.png", "question": "Two?", "answers": ["2", "two"]},'
        ' {"path": "b", "question": "x", "answer": true}]'
    )
    assert [one.answers for one in found] == [("2", "two"), ("yes",)]
    (one,) = rows('{"picture": "a.png", "question": "Which?", "answers": [], "unanswerable": true}')
    assert one.unanswerable


def test_pictures_are_looked_for_beside_the_file_and_where_it_is_said(tmp_path: Path) -> None:
    (tmp_path / "here").mkdir()
    (tmp_path / "there").mkdir()
    (tmp_path / "here" / "dog.png").touch()
    (tmp_path / "there" / "cat.png").touch()
    file = tmp_path / "here" / "q.csv"
    file.write_bytes(b"\xef\xbb\xbf" + CSV.encode())
    found = read_visual_questions(str(file))
    assert {Path(one.path).name for one in found.asked} == {"dog.png"} and all(
        Path(o.path).is_file() for o in found.asked
    )
    assert [(one.path, one.reason) for one in found.missing] == [("cat.png", "not there (line 3)")]
    whole = read_visual_questions(str(file), str(tmp_path / "there"))
    assert len(whole.asked) == 4 and not whole.missing
    (tmp_path / "here" / "dog.png").unlink()
    with pytest.raises(BadQuestions, match="none of its 2 pictures is there; name their folder with --images"):
        read_visual_questions(str(file))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("  \n", "it is empty"),
        ("path,question,answer\n", "no question in it"),
        ("path,question\na.png,What?\n", "line 2 has no answer"),
        ("question,answer\nWhat?,x\n", "line 2 has no path of a picture"),
        ("path,answer\na.png,x\n", "line 2 has no question"),
        ("path,question,answer\na.png,What, then?,x\n", 'line 2 has too many fields: put those with a ","'),
        ('path,question,answer\n"a.png,What?,x\n', "broken CSV in line"),
        ('{"path": "a.png", "question": "x", "answer": "y"}\n{"path": \n', "broken JSON in line 2"),
        ('[{"path": "a.png"', "broken JSON in line 1"),
        ("[1, 2]", "entry 1 is no object"),
        ('{"path": "a", "question": "x", "answer": "y"}\n[3]\n', "line 2 is no object"),
        ('[{"path": 3, "question": "x", "answer": "y"}]', "entry 1 has no path"),
        ('[{"path": "a", "question": "x", "answer": ""}]', "entry 1 has no answer"),
        ('{"questions": [{"question": "x"}], "annotations": []}', "has no image_id"),
        ("[" * 100_000, "nested too deep"),
    ],
)
def test_what_is_no_file_of_questions(text: str, said: str) -> None:
    with pytest.raises(BadQuestions, match=f"cannot use the questions in q.csv: .*{said}") as caught:
        rows(text)
    assert "\n" not in str(caught.value)


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(BadQuestions, match="no such file"):
        read_visual_questions(str(tmp_path / "none.csv"))
    (tmp_path / "bytes.csv").write_bytes(b"path,question,answer\na.png,\xff,x")
    with pytest.raises(BadQuestions, match="no UTF-8: byte 27"):
        read_visual_questions(str(tmp_path / "bytes.csv"))


def test_a_name_no_file_can_have_is_missing(tmp_path: Path) -> None:
    (tmp_path / "a.png").touch()
    file = tmp_path / "q.jsonl"
    entries = [{"path": name, "question": "x", "answer": "y"} for name in ("a.png", "b\0.png", "x" * 300)]
    file.write_text("\n".join(map(json.dumps, entries)))
    assert len(read_visual_questions(str(file)).missing) == 2
