"""Answers to questions about pictures, judged. F1 and its parts: scikit-learn; see ``fixtures/vqa/reference.py``."""

from __future__ import annotations

from dataclasses import replace

import pytest
from vqa_reference import EXPECTED

from catalejo.answerers import Answer
from catalejo.errors import CannotRead, EndpointFailed
from catalejo.records import Skipped, to_json
from catalejo.visual_evaluation import Judged, judge, report, run
from catalejo.visual_questions import VisualQuestion

CAT = VisualQuestion("line 2", "cat.png", "Which animal is it?", ("cat",))
NAME = VisualQuestion("line 3", "cat.png", "What is its name?", (), unanswerable=True)
DOG = VisualQuestion("line 4", "dog.png", "Is there a dog?", ("yes",), kind="yes/no")
MANY = VisualQuestion("line 5", "dog.png", "How many?", ("2",) * 8 + ("3",) * 2, kind="number")


def said(text: str, sure: float | None = None) -> Answer:
    return Answer(text, (), "endpoint", "tiny", confidence=sure)


def declined(sure: float | None = None) -> Answer:
    return Answer("I cannot tell from this.", (), "endpoint", declined=True, reason="no", confidence=sure)


@pytest.mark.parametrize(
    ("question", "answer", "accuracy", "right"),
    [
        (CAT, said("cat"), 1.0, 1.0),
        (CAT, said("It is a cat."), 0.0, 1.0),
        (CAT, said("dog"), 0.0, 0.0),
        (CAT, declined(), 0.0, 0.0),
        (NAME, said("Felix"), 0.0, 0.0),
        (NAME, declined(), 1.0, 1.0),
        (MANY, said("two"), 1.0, 1.0),
        (MANY, said("3"), 0.6, 0.6),
        (DOG, said("There is one, yes."), 0.0, 1.0),
    ],
)
def test_an_answer_is_judged(question: VisualQuestion, answer: Answer, accuracy: float, right: float) -> None:
    found = judge(question, answer)
    assert (found.accuracy, found.right) == (pytest.approx(accuracy), pytest.approx(right))


def test_the_figures_of_a_handful_by_hand() -> None:
    judged = [
        judge(CAT, said("a cat", 0.9)),
        judge(NAME, said("Felix", 0.2)),
        judge(NAME, declined(0.4)),
        judge(DOG, declined(0.3)),
        judge(MANY, said("There are 3", 0.5)),
    ]
    found = report(judged, "endpoint", resamples=200)
    assert {figure.name: (round(figure.value, 4), figure.n) for figure in found.figures} == {
        "VQA accuracy": (round(1 / 3, 4), 3),
        "right": (round(1.6 / 3, 4), 3),
        "right of the answered": (round(1.6 / 3, 4), 3),
        "declined": (0.4, 5),
        "declined, answerable": (round(1 / 3, 4), 3),
        "declined, unanswerable": (0.5, 2),
    }
    assert all(figure.low <= figure.value <= figure.high for figure in found.figures)
    assert [kind for kind, _ in found.by_kind] == ["yes/no", "number", "other"]
    assert found.curve.coverage == pytest.approx((0.2, 0.4, 0.6))
    assert found.curve.risk == pytest.approx((0, 0.4 / 2, 1.4 / 3))
    assert found["declined"].n == 5
    assert to_json(found)["judged"][0]["question"]["path"] == "cat.png"


def test_one_picture_with_many_questions_is_one_draw() -> None:
    same = [judge(CAT, said("cat" if n % 2 else "dog")) for n in range(40)]
    apart = [
        Judged(replace(one.question, path=f"{n}.png"), one.answer, one.accuracy, one.right)
        for n, one in enumerate(same)
    ]
    wide, narrow = (report(each, resamples=300)["right"] for each in (apart, same))
    assert (narrow.low, narrow.high) == (0.5, 0.5)  # the only picture there is, drawn again and again
    assert wide.low < 0.45 and wide.high > 0.55


def test_all_right_is_no_certainty() -> None:
    found = report([judge(CAT, said("cat"))] * 5)["right"]
    assert found.value == found.high == 1.0
    assert 0.4 < found.low < 0.7  # Wilson: 0.566


def test_yes_or_no_is_judged_as_pope_does() -> None:
    wanted, given = EXPECTED["yes_no"]["wanted"], EXPECTED["yes_no"]["said"]
    judged = [
        judge(
            VisualQuestion("", f"{n}.png", "Is there?", ("yes" if want else "no",), kind="yes/no"),
            said("Yes, there is." if say else "There is not."),
        )
        for n, (want, say) in enumerate(zip(wanted, given, strict=True))
    ]
    found = report(judged, resamples=10).yes_no
    assert found is not None
    for name in ("precision", "recall", "f1"):
        assert getattr(found, name) == pytest.approx(EXPECTED["yes_no"][name])
    assert found.yes_rate == sum(given) / 60 and found.true_yes_rate == sum(wanted) / 60
    assert found.accuracy == sum(a == b for a, b in zip(wanted, given, strict=True)) / 60
    assert found.declined == 0.0


def test_yes_or_no_where_nobody_says_yes() -> None:
    found = report([judge(DOG, said("no")), judge(DOG, declined())], resamples=10).yes_no
    assert found is not None
    assert (found.precision, found.recall, found.f1, found.yes_rate, found.declined) == (0, 0, 0, 0, 0.5)
    assert report([judge(CAT, said("cat"))], resamples=10).yes_no is None


# -- a run ------------------------------------------------------------------------------------


def test_a_run_asks_every_question_and_says_how_far_it_is() -> None:
    asked: list[tuple[str, str]] = []
    steps: list[tuple[int, int]] = []

    def ask(question: str, path: str) -> Answer:
        asked.append((question, path))
        return said("cat", 0.5)

    missing = [Skipped("gone.png", "not there (line 9)")]
    done = run([CAT, NAME, DOG], ask, "mine", missing=missing, resamples=10, progress=lambda *at: steps.append(at))
    assert asked == [(one.question, one.path) for one in (CAT, NAME, DOG)]
    assert steps == [(1, 3), (2, 3), (3, 3)]
    assert (done.answerer, done.skipped) == ("mine", tuple(missing))


def test_a_picture_that_cannot_be_read_is_left_out_and_told() -> None:
    def ask(question: str, path: str) -> Answer:
        if path == "dog.png":
            raise CannotRead(path, "broken JPEG")
        return said("cat")

    done = run([CAT, DOG, MANY, DOG, CAT], ask, resamples=10)
    assert len(done.judged) == 2
    assert [one.reason for one in done.skipped] == [f"line {n}: broken JPEG" for n in (4, 5, 4)]


def test_an_answerer_that_is_down_ends_the_run() -> None:
    asked = []

    def ask(question: str, path: str) -> Answer:
        asked.append(question)
        if len(asked) == 1:
            return said("cat")
        raise EndpointFailed("http://127.0.0.1:1/v1", "nobody listens there")

    with pytest.raises(EndpointFailed, match="nobody listens"):
        run([CAT] * 9, ask)
    assert len(asked) == 4


def test_a_passing_failure_costs_one_question() -> None:
    asked = []

    def ask(question: str, path: str) -> Answer:
        asked.append(question)
        if len(asked) % 2:
            raise EndpointFailed("http://127.0.0.1:1/v1", "answers 500")
        return said("cat")

    done = run([CAT] * 10, ask, resamples=10)
    assert (len(done.judged), len(done.skipped)) == (5, 5)


def test_where_no_question_gets_an_answer_the_reason_is_raised() -> None:
    def ask(question: str, path: str) -> Answer:
        raise CannotRead(path, "broken")

    with pytest.raises(CannotRead, match="broken"):
        run([CAT, DOG], ask)
    with pytest.raises(ValueError, match="no questions"):
        run([], ask)
