"""What is known of files: from the catalog where it has them, and by perceiving now what it has not."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence

from catalejo import plugins
from catalejo.errors import MissingExtra, MissingWeights
from catalejo.factbook import Factbook, Perception
from catalejo.facts import Fact
from catalejo.perceiving import as_read
from catalejo.records import Item, Limits
from catalejo.reports import PerceiverStatus
from catalejo.senses import STATED, Heard, Known, Missing, Perceiving, Senses, asked, facts_of, senses, wants
from catalejo.stating import stated
from catalejo.store import Store
from catalejo.texts import Cue, TextPage

_READ = ("text", "speech")  # kinds of facts that are lines of a text


def known_of(
    store: Store,
    path: str,
    names: str | Sequence[str] | None = None,
    limits: Limits | None = None,
    ready: Senses | None = None,
) -> Known:
    """What is known of one file; what the catalog has not yet is perceived now, and not kept.

    Args:
        store: of a catalog that may not be there.
        path: of the file.
        names: see ``senses.asked``.
        limits: what to refuse.
        ready: the perceivers of these names, made before.

    Raises:
        CannotRead, OverLimit, MissingExtra, MissingWeights: see ``senses.facts_of``.
    """
    path, limits = os.path.abspath(os.path.expanduser(path)), limits or Limits()
    row = store.known([path]).get(path) if store.exists else None
    if row is None or row.hash is None or not as_read(row):
        return facts_of(path, names, limits, ready)
    chosen = ready or senses(asked(names))
    items = [item for item, _ in store.items_of([row.hash]).get(row.hash, [])]
    found = {one.by: one for one in Factbook(store).of(row.hash)}
    versions = {sense.name: sense.version for sense in (STATED, *chosen.able)}
    kept = [one for name, one in found.items() if versions.get(name, one.version) == one.version]
    kept = [one for one in kept if one.by in versions or asked(names) == ("auto",)]
    have = {one.by for one in kept}
    able = [sense for sense in (STATED, *chosen.able) if sense.name not in have and sense.takes(items)]
    heard = Perceiving(limits).perceive(path, items, able) if able else []
    return _joined(path, items, kept, heard, chosen)


def _joined(path: str, items: list[Item], kept: Sequence[Perception], heard: Sequence[Heard], chosen: Senses) -> Known:
    facts = [fact for one in kept for fact in one.facts]
    failed = [Missing(one.by, one.reason) for one in kept if one.reason]
    failed += [Missing(one.sense.name, one.reason) for one in heard if one.reason]
    names = [one.by for one in kept if not one.reason] + [one.sense.name for one in heard if not one.reason]
    have = {one.by for one in kept}
    return Known(
        path,
        (*stated(items), *facts, *(fact for one in heard for fact in one.found.facts)),
        (*pages_of(facts), *(page for one in heard for page in one.found.pages)),
        tuple(name for name in names if name != STATED.name),
        tuple(one for one in chosen.missing if one.name not in have and wants(one.name, items)),
        tuple(failed),
        tuple(items),
    )


def pages_of(facts: Iterable[Fact]) -> list[TextPage]:
    """The lines among facts as pages of text, one a perceiver and page, with cues that say where each stands."""
    lines: dict[tuple[str, int], list[Fact]] = {}
    for fact in facts:
        if fact.kind in _READ:
            lines.setdefault((fact.by, fact.page), []).append(fact)
    pages = []
    for (_, page), said in lines.items():
        text, cues = "", []
        for fact in said:
            text += "\n" * bool(text)
            cues.append(Cue(len(text), len(text) + len(fact.value), fact.start_s, fact.end_s, fact.box))
            text += fact.value
        pages.append(TextPage(text, page + 1, cues=tuple(cues)))
    return pages


def perceivers_of(store: Store) -> tuple[PerceiverStatus, ...]:
    """Which perceivers have looked at what is in a catalog; those with nothing to look at are left out."""
    facts = Factbook(store)
    found = []
    for name in plugins.table("perceivers"):
        why = ""
        try:
            sense = senses([name]).able[0]
            kinds, version = sense.items, sense.version
        except (MissingExtra, MissingWeights) as error:
            kinds, version, why = plugins.table("perceivers")[name].kinds, None, str(error)
        there = set(store.hashes_of(kinds)) if kinds else store.hashes()
        if there:
            done = facts.done(name, version) & there
            failed = facts.done(name, version, failed=True) & there
            found.append(PerceiverStatus(name, len(done) - len(failed), len(there) - len(done), len(failed), why))
    return tuple(found)
