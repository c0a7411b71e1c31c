"""The command line: each command parses, makes one call of the library (mostly of ``Catalog``), and prints."""

from __future__ import annotations

import errno
import importlib
import json
import os
import signal
import sys
import warnings
from collections.abc import Callable
from typing import Any, NoReturn

import click

from catalejo import __version__
from catalejo.errors import CatalejoError

# command -> (module, what `--help` says); the module is imported when the command is used
COMMANDS = {
    "add": ("adding", "Look at files and folders, and remember what is new or changed."),
    "search": ("searching", "Find pictures and documents with words, or with another picture."),
    "ask": ("asking", "Answer a question from documents, pictures, recordings or films."),
    "chat": ("chatting", "Ask about pictures, recordings or films, one question after another."),
    "ocr": ("seeing", "Read the text in pictures, scans and PDFs."),
    "transcribe": ("transcribing", "Write down what is said in recordings and films, with times."),
    "encode": ("encoding", "Give the pictures another encoder's vectors, beside those they have."),
    "facts": ("knowing", "Say what is known of files: what they state, and what perceivers find in them."),
    "classify": ("classifying", "Sort pictures into classes that you name, without training anything."),
    "describe": ("describing", "Write captions and alternative texts, for people who cannot see the pictures."),
    "moderate": ("moderating", "List the pictures somebody should look at, by thresholds that errors' costs choose."),
    "matrix": ("evaluating", "Show the cosine of every picture with every caption."),
    "evaluate": ("evaluating", "Measure how well pictures are found by their captions, and captions by pictures."),
    "compare": ("evaluating", "Choose an encoder: quality, speed, memory and size of each on your pictures."),
    "duplicates": ("searching", "List files that show the same picture."),
    "status": ("keeping", "Say what is in the catalog."),
    "skipped": ("keeping", "List the files that could not be read, and why."),
    "remove": ("keeping", "Forget files; the files themselves are left alone."),
    "doctor": ("keeping", "Check that the catalog holds together, and repair it."),
    "tokens": ("counting", "Count the tokens of texts, documents, pictures and recordings."),
    "llms": ("language_models", "List language models: windows, limits, prices."),
    "cost": ("counting", "Compare what a whole document costs with what its passages cost."),
    "plan": ("planning", "Long context or retrieval? Cost, time and fit of each, and which to choose."),
    "curve": ("planning", "Measure how much must be sent: answers in the prompt against tokens."),
    "route": ("routing", "Show each file's way into a language model: encoder, shapes, bridge, tokens, cost."),
    "patches": ("inside", "Show a picture as the patches a vision transformer reads."),
    "attention": ("inside", "Show where a vision transformer looks."),
    "models": ("modelling", "List the models one can use, and which are on this machine."),
    "fetch": ("modelling", "Bring a model to this machine, from a hub or a folder."),
    "quantize": ("quantizing", "Make an int8 of a model you have: smaller and faster, nearly the same vectors."),
    "demo": ("demonstrating", "Try it on sample pictures: five searches in two languages."),
}

# the disk that standard output goes to is full, over its quota or broken; or its reader went away
_NOT_WRITTEN = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EPIPE}


class _Lazy(click.Group):
    """Imports a command's module when the command is used; its one-line help is in ``COMMANDS``."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"catalejo.cli.{COMMANDS[cmd_name][0]}")
        command: click.Command = getattr(module, cmd_name)
        return command

    def invoke(self, ctx: click.Context) -> Any:
        try:
            result = super().invoke(ctx)
            sys.stdout.flush()
        except BrokenPipeError:  # the reader went away, as `head` does; nothing to say
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return 0
        return result

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError:
            from catalejo.errors import UnknownName

            ctx.fail(str(UnknownName("command", args[0], COMMANDS)))


@click.command(cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option("-c", "--catalog", metavar="DIR", help="The catalog's folder. Default: CATALEJO_CATALOG, else yours.")
@click.version_option(__version__, prog_name="catalejo")
@click.pass_context
def cli(ctx: click.Context, catalog: str | None) -> None:
    """Search your own pictures and documents by meaning, in Spanish or English, offline.

    \b
    catalejo add ~/Pictures ~/Documents
    catalejo search "un perro en la nieve" --sheet found.png
    catalejo ask "When did the museum open?"
    """
    ctx.obj = catalog


def main(arguments: list[str] | None = None) -> None:
    """Entry point: 0 done, 1 an error one can act on, 2 a wrong command line, 130 interrupted."""
    asked = sys.argv[1:] if arguments is None else arguments
    interrupted: list[int] = []

    def stop(number: int, frame: object) -> NoReturn:
        interrupted.append(number)
        raise KeyboardInterrupt

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    warnings.filterwarnings("ignore", module=r"PIL\.")  # damaged files; `skipped` says what matters
    try:
        _run(asked)
    except (click.Abort, KeyboardInterrupt):
        sys.exit(130)
    except Exception as error:
        if interrupted:  # some modules written in C make another error of it while they are imported
            sys.exit(130)
        if not isinstance(error, OSError) or error.errno not in _NOT_WRITTEN or error.filename is not None:
            raise
        _lost(error)


def _run(asked: list[str]) -> NoReturn:
    try:
        code = cli.main(asked, prog_name="catalejo", standalone_mode=False)
        sys.exit(code if isinstance(code, int) else 0)
    except click.ClickException as error:
        _fail(asked, "Usage", error.format_message(), error.exit_code, error.show)
    except CatalejoError as error:
        _fail(asked, error.code, str(error), 1)


def _fail(asked: list[str], code: str, message: str, status: int, show: Callable[[], None] | None = None) -> NoReturn:
    if "--json" in asked:
        click.echo(json.dumps({"error": {"code": code, "message": message}}))
    elif show:
        show()
    else:
        click.echo(f"catalejo: {message}", err=True)
    sys.exit(status)


def _lost(error: OSError) -> NoReturn:
    """What was printed has not arrived: one line on the way that may still be open, exit 1."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)  # what waits in the buffer is written when Python ends
    if error.errno != errno.EPIPE:
        try:
            click.echo(f"catalejo: the output cannot be written: {error.strerror}", err=True)
        except OSError:
            os.dup2(nowhere, 2)
    sys.exit(1)
