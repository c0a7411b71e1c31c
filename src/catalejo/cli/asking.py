"""``catalejo ask``."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from catalejo.answerers import NOT_TEXT
from catalejo.catalog import Catalog
from catalejo.cli.bringing import ears_for
from catalejo.cli.output import (
    check_samples,
    command,
    count,
    json_option,
    note,
    note_skipped,
    print_json,
    printable,
    samples_option,
    with_catalog,
)
from catalejo.records import to_json

if TYPE_CHECKING:
    from catalejo.answerers import Answer, Citation, Usage
    from catalejo.records import Skipped
    from catalejo.routes import Library
    from catalejo.visual_answering import How

_INTERRUPTED = 130
_PROBLEMS = {
    "altered": "not in the document like this; there it says",
    "invented": "not in the document",
    "no quote": "no quote was given, so it could not be checked",
    "no such passage": "the model was sent no passage of this number",
    "nothing to quote": "what the model says of it could not be looked up: it is no text",
}
_ROUTES = ("auto", "long-context", "retrieval", "map-reduce", "extract")


@click.command()
@click.argument("question")
@click.argument("paths", nargs=-1, metavar="[PATH]...")
@click.option(
    "--route",
    type=click.Choice(_ROUTES),
    default="auto",
    show_default=True,
    help="What is sent to the model: passages, whole documents, or nothing at all (extract).",
)
@click.option(
    "--with",
    "by",
    type=click.Choice(("facts", "endpoint", "blip2")),
    help="Who answers about pictures, recordings and films. Default: the endpoint if there is one, else facts.",
)
@click.option("--endpoint", metavar="URL", help="An OpenAI-compatible endpoint. Default: CATALEJO_ENDPOINT.")
@click.option("--model", metavar="NAME", help="The model there. Default: CATALEJO_MODEL, else the only one it has.")
@click.option("-k", default=8, show_default=True, type=click.IntRange(1), metavar="N", help="Passages to retrieve.")
@click.option(
    "--max-output",
    default=2048,
    show_default=True,
    type=click.IntRange(1),
    metavar="N",
    help="Most tokens of an answer.",
)
@click.option("--max-cost", type=click.FloatRange(0), metavar="USD", help="Send nothing that may cost more in all.")
@click.option(
    "--timeout",
    default=600.0,
    show_default=True,
    type=click.FloatRange(0, min_open=True),
    metavar="S",
    help="Seconds to wait for the first word; between words a minute at most.",
)
@click.option(
    "--frames",
    default=8,
    show_default=True,
    type=click.IntRange(1, 100),
    metavar="N",
    help="Pictures of one file for a model, at most: key frames of a film, pages of a scan.",
)
@click.option(
    "--detail",
    type=click.Choice(["low", "medium", "high", "ultra"]),
    default="high",
    show_default=True,
    help="Of pictures, where the provider lets you choose.",
)
@samples_option
@click.option("-q", "--quiet", is_flag=True, help="Print the answer and its citations only.")
@json_option
@with_catalog
def ask(
    catalog: Catalog,
    question: str,
    paths: tuple[str, ...],
    route: str,
    by: str | None,
    endpoint: str | None,
    model: str | None,
    k: int,
    max_output: int,
    max_cost: float | None,
    timeout: float,
    frames: int,
    detail: str,
    samples: int,
    quiet: bool,
    as_json: bool,
) -> int:
    """Answer a question from documents, pictures, recordings or films.

    PATHs are files, folders or patterns; without any, the documents of the catalog are asked, and each citation is
    looked up in them. Pictures, recordings and films are asked for what is recognised, said and read in them
    (--with facts): the answer comes with its confidence, or is declined with the reason; nothing is guessed. With
    an endpoint they go to the model, as it takes them (catalejo route shows how). A key for an endpoint is taken
    from CATALEJO_API_KEY, else OPENAI_API_KEY. How to run a model on your own machine: docs/ask.md.

    \b
    catalejo ask "¿Cuándo abrió el museo?" informe.pdf
    catalejo ask "¿Qué animal es?" gato.jpg
    catalejo ask "When did the museum open?" docs/ --endpoint http://127.0.0.1:8080/v1
    catalejo ask "Compare both contracts" a.docx b.docx --route long-context --model gpt-4o-mini --max-cost 0.05
    catalejo ask "What do they have in common?" photo.jpg note.mp3 clip.mp4 report.pdf --model gpt-4o
    """
    from catalejo.answerers.address import is_configured
    from catalejo.answerers.connection import Timeouts
    from catalejo.answering import ask as answer_from

    def say(line: str) -> None:
        if not quiet:
            note(printable(line))

    check_samples(samples, by)
    ears_for(paths)
    printer = _Printer(as_json)
    answered: Callable[..., Answer]
    if by or _is_one_picture(paths, route, endpoint):
        answered = partial(_shown, catalog, question, paths, by or "facts", samples)
    elif route in ("auto", "extract") and _more_than_documents(paths):
        if route == "auto" and is_configured(endpoint):
            from catalejo.multimodal import ask as answer_files

            answered = partial(answer_files, question, paths, frames=frames, detail=detail)
        else:
            answered = partial(_without_a_model, catalog, question, paths)
    else:
        answered = partial(answer_from, question, _library(catalog, paths, quiet), route=route, k=k)
    found = answered(
        endpoint=endpoint,
        model=model,
        max_output=max_output,
        max_cost=max_cost,
        timeouts=Timeouts(first_token_s=timeout, between_s=min(timeout, 60.0)),
        shown=printer.show,
        say=say,
    )
    if as_json:
        print_json(_as_json(found))
    else:
        printer.finish(found)
        _citations(found)
        if not quiet:
            _closing(found)
            if found.declined and found.route == "extract" and not paths and found.sources:
                note(f"what comes nearest: {command(catalog, 'search', question, '--kind', 'text')}")
    if found.cut:
        note(f"the answer ends early: {printable(found.cut)}")
    return _INTERRUPTED if found.cut == "interrupted" else 1 if found.cut else 0


def _more_than_documents(paths: tuple[str, ...]) -> bool:
    """Whether a file named is a picture, a recording or a film."""
    from catalejo.recordings import kind_of

    return any(kind_of(path) != "text" for path in paths)


def _is_one_picture(paths: tuple[str, ...], route: str, endpoint: str | None) -> bool:
    """Whether there is one picture to ask about, and no model to send it to."""
    from catalejo.answerers.address import is_configured
    from catalejo.recordings import kind_of

    alone = len(paths) == 1 and kind_of(paths[0]) == "image" and route in ("auto", "extract")
    return alone and (route == "extract" or not is_configured(endpoint))


def _shown(
    catalog: Catalog, question: str, paths: tuple[str, ...], by: str, samples: int, *, model: str | None, **options: Any
) -> Answer:
    """Each file asked by a visual answerer."""
    return catalog.chat(*paths, by=by, how=how(by, model, samples, **options)).ask(question)


def how(by: str, model: str | None, samples: int = 1, **options: Any) -> How:
    """How a visual answerer is to answer, by the options of the command."""
    from catalejo.answerers.vision import Asking
    from catalejo.visual_answering import How

    shown, say = options.pop("shown", None), options.pop("say", None)
    asking = Asking(**options, model=None if by == "blip2" else model)
    return How(samples, model=model if by == "blip2" else None, asking=asking, shown=shown, say=say)


def _without_a_model(
    catalog: Catalog, question: str, paths: tuple[str, ...], say: Callable[[str], None], **_: Any
) -> Answer:
    return catalog.answer(question, *paths, say=say)


def _library(catalog: Catalog, paths: tuple[str, ...], quiet: bool) -> Library:
    from catalejo.answering import Documents
    from catalejo.errors import CannotAsk
    from catalejo.gathering import gather

    if not paths:
        return catalog.documents()
    gathered = gather(paths)
    if gathered.skipped and not (quiet and gathered.documents):
        _left_out(gathered.skipped)
    if not gathered.documents:
        raise CannotAsk("none of the files named can be read as a document")
    return Documents((document.path, document.pages) for document in gathered.documents)


def _left_out(skipped: tuple[Skipped, ...]) -> None:
    note(f"left out: {count(len(skipped), 'thing', 'things')} that cannot be read")
    note_skipped(skipped)


class _Printer:
    """Prints an answer as it comes; whole where nothing came before, as from ``extract``."""

    def __init__(self, silent: bool) -> None:
        self._silent, self._begun, self._blank = silent, False, ""

    def show(self, text: str) -> None:
        if self._silent:
            return
        text = self._blank + text if self._begun else text.lstrip()
        end = len(text.rstrip())
        text, self._blank = text[:end], text[end:]  # blank lines at the end are not for people
        if text:
            self._begun = True
            click.echo(_safe(text), nl=False)
            sys.stdout.flush()

    def finish(self, answer: Answer) -> None:
        if self._begun:
            click.echo()
        if not self._begun or answer.declined:
            click.echo(_safe(_numbered(answer)))


def _numbered(answer: Answer) -> str:
    """Its sentences with the numbers of their citations, as a model writes them."""
    lines = answer.text.split("\n")
    if answer.route != "extract" or len(lines) != len(answer.citations):
        return answer.text
    return "\n".join(f"{line} [{one.number}]" for line, one in zip(lines, answer.citations, strict=True))


def _safe(text: str) -> str:
    """A model's text without what would command a terminal."""
    return "\n".join(printable(line) for line in text.replace("\r\n", "\n").replace("\t", "    ").split("\n"))


def _citations(answer: Answer) -> None:
    """One line a citation: its mark, where it stands, the quote; tabs between them in a pipe."""
    if not answer.citations:
        return
    if sys.stdout.isatty():
        click.echo()
    for one in answer.citations:
        quote = printable(" ".join(one.quote.split()))
        if sys.stdout.isatty():
            unseen = "--" if one.problem == NOT_TEXT else click.style("??", fg="red")
            mark = click.style("ok", fg="green") if one.verified else unseen
            shown = f'\n      "{quote}"' if quote and answer.route != "extract" else ""  # there it is the answer
            click.echo(f"{mark} [{one.number}] {_where(one)}{shown}")
            if one.problem:
                nearest = f': "{printable(" ".join(one.nearest.split()))}"' if one.nearest else ""
                click.echo(f"      {_PROBLEMS[one.problem]}{nearest}")
        else:
            span = (one.span.page, one.span.start, one.span.end) if one.span else ("", "", "")
            state = "verified" if one.verified else one.problem
            click.echo("\t".join((str(one.number), state, printable(one.path), *map(str, span), quote)))


def _where(one: Citation) -> str:
    if one.span is None:
        return "nowhere"
    seconds = f", from {one.span.start_s:.0f} s" if one.span.start_s is not None else ""
    if one.problem == NOT_TEXT:
        return f"{printable(one.path)}{seconds}"
    return f"{printable(one.path)}, page {one.span.page}, characters {one.span.start:,} to {one.span.end:,}{seconds}"


def _closing(answer: Answer) -> None:
    """What else one should know, on standard error."""
    wrong = sum(not one.verified and one.problem != NOT_TEXT for one in answer.citations)
    if wrong:
        note(f"{wrong} of {count(len(answer.citations), 'citation', 'citations')} could not be found in the documents")
    if answer.reason:
        note(printable(answer.reason))
    if answer.confidence is not None:
        note(f"confidence: {answer.confidence:.0%}")
    for line in answer.notes:
        note(printable(line))
    if answer.left_out:
        note(f"not sent: {count(len(answer.left_out), 'thing', 'things')}")
        for line in answer.left_out[:10]:
            note(f"  {printable(line)}")
        if len(answer.left_out) > 10:
            note(f"  and {len(answer.left_out) - 10:,} more; all of them: --json")
    if answer.foreseen:
        note(f"{answer.route}, {answer.model}: {_usage(answer.foreseen, answer.used)}")


def _usage(foreseen: Usage, used: Usage | None) -> str:
    """Foreseen and used, and how far apart."""
    if used is None:
        return f"about {foreseen.input_tokens:,} tokens sent; the endpoint did not count them"
    off = used.input_tokens / foreseen.input_tokens - 1 if foreseen.input_tokens else 0.0
    parts = [f"{used.input_tokens:,} tokens in ({foreseen.input_tokens:,} foreseen, {off:+.0%})"]
    parts.append(f"{used.output_tokens:,} out" + (f" in {used.requests} requests" if used.requests > 1 else ""))
    parts.append("price not known" if used.cost is None else f"${used.cost:.4f}" if used.cost else "on this machine")
    return ", ".join(parts)


def _as_json(answer: Answer) -> dict[str, Any]:
    return to_json(answer) | {"verified": answer.verified}
