"""``catalejo chat``."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import click

from catalejo.catalog import Catalog
from catalejo.cli.bringing import ears_for
from catalejo.cli.output import check_samples, json_option, note, print_json, printable, samples_option, with_catalog
from catalejo.cli.progress import quiet_decoders
from catalejo.errors import BadQuery, CannotAsk
from catalejo.records import to_json


@click.command()
@click.argument("paths", nargs=-1, required=True, metavar="FILE...")
@click.option(
    "--with",
    "by",
    type=click.Choice(("facts", "endpoint", "blip2")),
    default="facts",
    show_default=True,
    help="Who answers: what is known of the files, a model at an endpoint, or BLIP-2 on this machine.",
)
@click.option("--endpoint", metavar="URL", help="An OpenAI-compatible endpoint. Default: CATALEJO_ENDPOINT.")
@click.option("--model", metavar="NAME", help="The model there; for blip2, its folder or name.")
@samples_option
@json_option
@with_catalog
def chat(
    catalog: Catalog,
    paths: tuple[str, ...],
    by: str,
    endpoint: str | None,
    model: str | None,
    samples: int,
    as_json: bool,
) -> None:
    """Ask about pictures, recordings or films, one question after another.

    Questions are read line by line until an empty one, and what was asked before is remembered: after "Is there a
    dog?", "and a cat?" asks whether there is one. With --json each answer is an object on a line of its own.

    \b
    catalejo chat gato.jpg
    printf '¿Hay un perro?\\n¿Y un gato?\\n' | catalejo chat gato.jpg
    catalejo chat clip.mp4 --with endpoint --endpoint http://127.0.0.1:8080/v1
    """
    from catalejo.cli.asking import how

    check_samples(samples, by)
    ears_for(paths)
    says = how(by, model, samples, endpoint=endpoint, say=lambda line: note(printable(line)))
    talk = catalog.chat(*paths, by=by, how=says)
    for question in _questions():
        try:
            with quiet_decoders():
                found = talk.ask(question)
        except (BadQuery, CannotAsk) as error:  # the next question may do
            note(f"catalejo: {printable(str(error))}")
            continue
        if as_json:
            print_json({"question": question} | to_json(found))
            continue
        click.echo("\n".join(printable(line) for line in found.text.split("\n")))
        if found.reason:
            note(f"  {printable(found.reason)}")
        if found.confidence is not None and sys.stdout.isatty():
            note(f"  confidence: {found.confidence:.0%}")


def _questions() -> Iterator[str]:
    """Lines, with a prompt for people; until the end, or an empty one from a person."""
    people = sys.stdin.isatty()
    while True:
        if people:
            click.echo("> ", nl=False, err=True)
        line = sys.stdin.readline()
        if not line or (people and not line.strip()):
            return
        if line.strip():
            yield line.strip()
