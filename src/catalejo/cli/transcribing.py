"""``catalejo transcribe``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from catalejo.cli.adding import recording_limit_options
from catalejo.cli.bringing import brought
from catalejo.cli.output import json_option, note, note_skipped, print_json, printable
from catalejo.cli.progress import progress_bar
from catalejo.records import Limits, Skipped, to_json

if TYPE_CHECKING:
    from catalejo.transcripts import Transcript

_FORMATS = ("text", "srt", "vtt", "json")
_SUFFIXES = {"text": ".txt", "srt": ".srt", "vtt": ".vtt", "json": ".json"}


@click.command()
@click.argument("paths", nargs=-1, required=True, metavar="FILE...")
@click.option("--format", "format_", type=click.Choice(_FORMATS), default="text", show_default=True,
              help="Lines of text, subtitles, or all there is: words, times, probabilities.")  # fmt: skip
@click.option("--lang", metavar="CODE", help="The language spoken, as es or en. Default: found out.")
@click.option("--out", metavar="DIR", type=click.Path(file_okay=False, path_type=Path),
              help="Write one file for each recording here, named after it.")  # fmt: skip
@recording_limit_options
@json_option
def transcribe(
    paths: tuple[str, ...], format_: str, lang: str | None, out: Path | None, as_json: bool, **limits: Any
) -> int:
    """Write down what is said in recordings and films, with times.

    Needs the extras media and speech, and a model that comes by itself once, or by: catalejo fetch whisper-base
    (148 MB). Silence, noise and music give no text. Short phrases are taken for Spanish or English; say --lang
    where they are not.

    \b
    catalejo transcribe nota.mp3
    catalejo transcribe entrevista.mp4 --format srt --lang es > entrevista.srt
    catalejo transcribe *.ogg --format vtt --out subtitles
    catalejo transcribe jfk.flac --json | jq -r '.files[].utterances[].words[] | [.start_s, .text] | @tsv'
    """
    from catalejo.errors import CannotRead
    from catalejo.perceivers.speech import SpeechPerceiver
    from catalejo.transcribing import transcribe as heard

    if as_json:
        format_ = "json"
    if format_ in ("srt", "vtt") and len(paths) > 1 and out is None:
        raise click.UsageError(f"subtitles of several recordings need a folder: --format {format_} --out DIR")
    perceiver, refused, skipped, found = brought(SpeechPerceiver), Limits(**limits), [], []
    with progress_bar() as show:
        for path in paths:

            def told(seconds: float, of: float | None, path: str = path) -> None:
                if show:
                    show(printable(Path(path).name), int(seconds), int(of) if of else None)

            try:
                found.append((path, heard(path, language=lang, limits=refused, perceiver=perceiver, progress=told)))
            except CannotRead as error:
                skipped.append(Skipped(path, error.reason))
    if out is not None:
        _write(out, found, format_)
    elif format_ == "json":
        files = [_as_json(path, one) for path, one in found]
        print_json({"files": files, "skipped": [to_json(one) for one in skipped]})
    else:
        for path, one in found:
            _print(path, one, format_, len(paths) > 1)
    note_skipped(skipped, most=len(skipped))
    return 1 if skipped else 0


def _print(path: str, one: Transcript, format_: str, named: bool) -> None:
    if named:
        click.echo(f"== {printable(path)}")
    if one.utterances or format_ == "vtt":
        click.echo(_text(path, one, format_), nl=format_ == "text")
    if not one.utterances:
        note(f"nobody speaks in {printable(path)} ({one.duration_s:.0f} s)")


def _write(out: Path, found: list[tuple[str, Transcript]], format_: str) -> None:
    from catalejo.errors import CannotSave

    for path, one in found:
        target = out / (Path(path).name + _SUFFIXES[format_])
        try:
            out.mkdir(parents=True, exist_ok=True)
            target.write_text(_text(path, one, format_).rstrip("\n") + "\n", encoding="utf-8")
        except OSError as error:
            raise CannotSave(target, error.strerror or str(error)) from error
        click.echo(printable(str(target)))


def _text(path: str, one: Transcript, format_: str) -> str:
    from catalejo.transcripts import srt, vtt

    if format_ == "json":
        return json.dumps(_as_json(path, one), ensure_ascii=False, indent=1)
    written = {"srt": srt, "vtt": vtt}.get(format_)
    return written(one.utterances) if written else one.text


def _as_json(path: str, one: Transcript) -> dict[str, Any]:
    return {"path": path, "text": one.text} | to_json(one)
