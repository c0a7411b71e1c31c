"""Every error meant for a user; one root, so that one ``except`` is enough.

    CatalejoError
    ├── UnknownName          a model, encoder or reader nobody registered (lists the nearest)
    ├── MissingExtra         the part is there, its optional packages are not (prints the pip line)
    ├── NotForSearch         a model for something else was named as an encoder
    ├── NotForPictures       an encoder of texts alone was named for pictures
    ├── BadQuery             a search that cannot be asked: empty, a bad date, a bad number
    ├── DoesNotFit           a size, a patch, a layer or a head that a picture or a model does not have
    ├── BadLabels            labels, or a file of them, that nothing can be sorted into
    ├── BadCaptions          a caption file that cannot be used: no captions column, broken, no picture there
    ├── BadQuestions         a file of questions and answers that cannot be used
    ├── CannotRead           one file could not be read (kept with its reason; the run goes on)
    │   └── OverLimit        ... because it passes a limit the user can raise
    ├── CannotSave           a drawing or a table asked for could not be written
    ├── BadModel             a folder or file that holds no model we can read
    ├── BadModelData         a file of language models and prices has a line that cannot be right
    ├── NoPrice              no price of a language model is known
    ├── CannotQuantize       a model or one of its graphs cannot become int8, or it cannot be judged
    ├── CannotAsk            a question that got no answer
    │   ├── NoEndpoint       ... because no language model's endpoint is named
    │   ├── EndpointFailed   ... because the endpoint is down, refuses, or sends what cannot be read
    │   ├── CannotPerceive   ... because the model takes no pictures, or no sound
    │   ├── PromptTooLong    ... because what must be sent does not fit into the model's context
    │   └── TooCostly        ... because it would cost more than the user allows
    ├── WeightsError
    │   ├── MissingWeights   a model's files are not on this machine
    │   ├── DamagedWeights   they are, but are not what the model card says
    │   └── CannotFetch      a model hub does not give them (says what to do instead)
    └── CatalogError
        ├── NoCatalog        nothing was added there yet
        ├── CatalogBusy      another process is writing to it
        ├── CatalogDamaged   its files do not fit together; `catalejo doctor` repairs
        ├── WrongFormat      another version of catalejo made it
        ├── WrongEncoder     its vectors come from another encoder, or another version of it
        ├── NotEncoded       it has no vectors of that encoder yet
        └── CannotWrite      the disk is full, read-only, or not ours

Messages say what happened, with which value, and what to do next.
"""

from __future__ import annotations

import difflib
import shlex
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from catalejo.records import ModelCard


def brief(error: Exception) -> str:
    """What somebody else's exception says, in one line of at most 200 characters."""
    return " ".join(str(error).split())[:200] or type(error).__name__


class CatalejoError(Exception):
    """Root of every error meant for a user; ``str(error)`` is one line."""

    @property
    def code(self) -> str:
        """The name used in JSON output: the class name."""
        return type(self).__name__


class UnknownName(CatalejoError):
    """A name nobody registered; the message lists the known ones, nearest first."""

    def __init__(self, what: str, name: str, known: Iterable[str], listing: str = "") -> None:
        """``listing``: the command that lists them, where they are too many for a message; it has the nearest then."""
        names = sorted(set(known))
        near = difflib.get_close_matches(name, names, n=5 if listing else 1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        if listing:
            others = f" Near it too: {', '.join(near[1:])}." if near[1:] else ""
            super().__init__(f"no {what} is called {name!r}.{hint}{others} To see them: {listing}")
        else:
            super().__init__(f"no {what} is called {name!r}.{hint} Known: {', '.join(names) or 'none'}.")


class MissingExtra(CatalejoError):
    """The optional packages of a part are not installed."""

    def __init__(self, what: str, package: str, extra: str) -> None:
        super().__init__(f'{what} needs the package {package}: pip install "catalejo[{extra}]"')


class NotForSearch(CatalejoError):
    """A model was named as an encoder that is none.

    Args:
        name: of its card.
        purpose: the command it is for.
    """

    def __init__(self, name: str, purpose: str) -> None:
        super().__init__(
            f"{name} is no encoder, so nothing can be searched with it: it is for `catalejo {purpose}`. "
            "The models for search: catalejo models"
        )


class NotForPictures(CatalejoError):
    """An encoder of texts alone was named as one of pictures."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"{name} encodes texts only, no pictures; documents are encoded with it anyway, without naming it. "
            "The models for pictures: catalejo models"
        )


class BadQuery(CatalejoError):
    """A search that cannot be asked."""


class DoesNotFit(CatalejoError):
    """A size, a patch, a layer or a head that a picture or a model does not have."""


class BadCaptions(CatalejoError):
    """A caption file cannot be used."""

    def __init__(self, path: str | Path, reason: str) -> None:
        super().__init__(f"cannot use the captions in {path}: {reason}")


class BadQuestions(CatalejoError):
    """A file of questions and answers cannot be used."""

    def __init__(self, path: str | Path, reason: str) -> None:
        super().__init__(f"cannot use the questions in {path}: {reason}")


class BadLabels(CatalejoError):
    """Labels that pictures cannot be sorted into; ``path`` is the file they came from, if they did."""

    def __init__(self, reason: str, path: str | Path | None = None) -> None:
        super().__init__(f"cannot use the labels in {path}: {reason}" if path else reason)


class CannotRead(CatalejoError):
    """One file could not be read."""

    def __init__(self, path: str | Path, reason: str) -> None:
        self.path, self.reason = str(path), reason
        super().__init__(f"{path}: {reason}")


class OverLimit(CannotRead):
    """One file passes a limit; the message names the value, the limit and its flag."""

    def __init__(self, path: str | Path, value: str, limit: str, flag: str) -> None:
        super().__init__(path, f"{value}, over the limit of {limit} (raise it with {flag})")


class CannotSave(CatalejoError):
    """A result could not be written where it was asked for."""

    def __init__(self, path: str | Path, reason: str) -> None:
        super().__init__(f"cannot save {path}: {reason}")


class BadModel(CatalejoError):
    """What is at a path is no model we can read."""

    def __init__(self, path: str | Path, reason: str) -> None:
        super().__init__(
            f"{path} is no model: {reason}. What can be read: docs/models.md; to fetch one: catalejo models"
        )


class BadModelData(CatalejoError):
    """A file of language models and their prices cannot be used."""

    def __init__(self, path: str | Path, reason: str) -> None:
        super().__init__(f"cannot use the models in {path}: {reason}. How such a file is written: docs/tokens.md")


class NoPrice(CatalejoError):
    """No price of a language model is known."""

    def __init__(self, model: str) -> None:
        super().__init__(
            f"no price of {model} is known. Say it in a file of your own: catalejo llms --refresh FILE (docs/tokens.md)"
        )


class CannotQuantize(CatalejoError):
    """A model or one of its graphs cannot become int8, or there is nothing to judge the result by."""

    def __init__(self, what: str | Path, reason: str) -> None:
        self.reason = reason
        super().__init__(f"cannot make an int8 of {what}: {reason}")


class CannotAsk(CatalejoError):
    """A question got no answer."""


class NoEndpoint(CannotAsk):
    """No language model's endpoint is named."""

    def __init__(self) -> None:
        super().__init__(
            "no endpoint is named: --endpoint http://127.0.0.1:8080/v1 or CATALEJO_ENDPOINT (docs/ask.md); "
            "without a language model: --route extract, or --with facts about pictures"
        )


class EndpointFailed(CannotAsk):
    """An endpoint is down, refuses, or sends what cannot be read.

    Args:
        where: its address.
        reason: what happened and what to do.
        status: of HTTP, if it said one.
        passing: the same may well work in a moment.
    """

    def __init__(self, where: str, reason: str, status: int | None = None, passing: bool = False) -> None:
        self.where, self.reason, self.status, self.passing = where, reason, status, passing
        super().__init__(f"{where}: {reason}")


class CannotPerceive(CannotAsk):
    """A model does not take what it is to be shown.

    Args:
        model: its name.
        what: ``pictures`` or ``sound``.
        because: who says so.
    """

    def __init__(self, model: str, what: str, because: str) -> None:
        self.what = what
        super().__init__(
            f"{model} takes no {what}: {because}. Name a model that does, or start the server with the model's "
            "projector (llama-server --mmproj); without such a model: --with facts"
        )


class PromptTooLong(CannotAsk):
    """What must be sent does not fit into the model's context.

    Args:
        message: for people, with the figures.
        limit: tokens the model takes, answer included, if known.
        tokens: of the prompt, as the endpoint counted, if it told.
    """

    def __init__(self, message: str, limit: int | None = None, tokens: int | None = None) -> None:
        self.limit, self.tokens = limit, tokens
        super().__init__(message)


class TooCostly(CannotAsk):
    """An answer may cost more than the user allows."""


class WeightsError(CatalejoError):
    """A model's files cannot be used."""


class MissingWeights(WeightsError):
    """A model's files are not on this machine.

    Args:
        message: what is missing, and what brings it.
        model: the name to fetch it by; empty for what is no model of ours to fetch.
    """

    def __init__(self, message: str, model: str = "") -> None:
        super().__init__(message)
        self.model = model


class DamagedWeights(WeightsError):
    """A model's file is not what the model card says.

    Args:
        path: of the file.
        reason: what is wrong with it.
        remedy: a whole sentence; by default for a file that came in a Python package.
    """

    def __init__(self, path: str | Path, reason: str, remedy: str | None = None) -> None:
        remedy = remedy or "Reinstall the package that brings them."
        super().__init__(f"the weights in {path} cannot be used: {reason}. {remedy}")


class CannotFetch(WeightsError):
    """A model hub does not give a model's files."""

    def __init__(self, name: str, reason: str, remedy: str) -> None:
        super().__init__(f"cannot fetch {name}: {reason}. {remedy}")


class CatalogError(CatalejoError):
    """A catalog cannot be used as asked."""


class NoCatalog(CatalogError):
    """There is no catalog at this place."""

    def __init__(self, path: str | Path) -> None:
        super().__init__(f"there is no catalog in {path} yet. Make one: catalejo -c {path} add FOLDER")


class CatalogBusy(CatalogError):
    """Another process holds the writer's lock."""

    def __init__(self, path: str | Path, holder: str) -> None:
        super().__init__(
            f"another process{holder} is writing to the catalog in {path}. "
            "Wait until it ends, or choose another catalog with -c; searching works meanwhile."
        )


class CatalogDamaged(CatalogError):
    """The files of the catalog do not fit together."""

    def __init__(self, path: str | Path, reason: str) -> None:
        super().__init__(f"the catalog in {path} is damaged: {reason}. Try: catalejo -c {path} doctor --repair")


class WrongFormat(CatalogError):
    """The catalog's files are laid out as another version of catalejo does."""

    def __init__(self, path: str | Path, found: object, known: int) -> None:
        super().__init__(
            f"the catalog in {path} has format {found!r}; this version of catalejo knows format {known}. "
            "Upgrade catalejo, or start a new catalog with -c."
        )


class WrongEncoder(CatalogError):
    """The vectors were made by another version of an encoder, or by another of the same name.

    Args:
        path: of the catalog.
        stored, asked: the cards of the encoder that made the vectors, and of the one that is asked for.
        spec: what opens the latter.
        first: whether it is the one the catalog was made with.
    """

    def __init__(self, path: str | Path, stored: ModelCard, asked: ModelCard, spec: str, first: bool) -> None:
        made, this = (
            f"{card.name} version {card.version}" + (f" ({card.folder})" if card.folder else "")
            for card in (stored, asked)
        )
        again = ["-c", "NEW", "add", "--encoder", spec, "FOLDER"] if first else ["encode", "--encoder", spec, "--anew"]
        rename = ", rename one of the folders" if stored.folder != asked.folder else ""
        super().__init__(
            f"the vectors in {path} were made by {made}; this is {this}, and their scores cannot be compared. "
            f"Use that version{rename}, or make them anew{' in a new catalog' if first else ''}: "
            + (shlex.join(["catalejo", *again]) if first else command(path, *again))
        )


class NotEncoded(CatalogError):
    """Nothing in the catalog was encoded with this encoder.

    Args:
        path: of the catalog.
        encoder: its name.
        spec: what opens it.
        there: names of those whose vectors it has.
    """

    def __init__(self, path: str | Path, encoder: str, spec: str, there: Iterable[str]) -> None:
        super().__init__(
            f"the catalog in {path} has no vectors of {encoder} (it has: {', '.join(there) or 'none'}). "
            f"Make them: {command(path, 'encode', '--encoder', spec)}"
        )


class CannotWrite(CatalogError):
    """The catalog's folder cannot be written to."""

    def __init__(self, path: str | Path, reason: str) -> None:
        super().__init__(
            f"cannot write to {path}: {reason}. What was saved before is safe; make room or choose another "
            "folder (-c for the catalog, XDG_DATA_HOME for models), then run the same command again."
        )


def command(catalog: str | Path, *words: str) -> str:
    """A command line to type next, for a catalog."""
    return shlex.join(["catalejo", "-c", str(catalog), *words])
