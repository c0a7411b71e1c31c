"""Texts put into an XMP document, whose other content stays as it is.

Each text is an item of a language alternative with its ``xml:lang``, and an ``x-default`` item stands in front, as XMP
wants it (ISO 16684-1, 8.2.2.4). A text that somebody else wrote, or changed, is kept unless it is to be replaced:
which texts are ours is known by their SHA-256 in the property ``catalejo:wrote``.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from xml.dom import minidom
from xml.etree import ElementTree
from xml.parsers.expat import ExpatError

from catalejo.errors import CannotSave

_X = "adobe:ns:meta/"
_RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_XML = "http://www.w3.org/XML/1998/namespace"
_NAMES = {
    "dc": "http://purl.org/dc/elements/1.1/",
    "Iptc4xmpCore": "http://iptc.org/std/Iptc4xmpCore/1.0/xmlns/",
    "catalejo": "urn:catalejo:xmp:1.0#",
}
DESCRIPTION, ALT_TEXT, LONG = (
    "dc:description",
    "Iptc4xmpCore:AltTextAccessibility",
    "Iptc4xmpCore:ExtDescrAccessibility",
)
_WROTE = "catalejo:wrote"
_EMPTY = f'<x:xmpmeta xmlns:x="{_X}"><rdf:RDF xmlns:rdf="{_RDF}"><rdf:Description rdf:about=""/></rdf:RDF></x:xmpmeta>'
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True)
class Text:
    """A text for a property, in a language: ``DESCRIPTION``, ``ALT_TEXT`` or ``LONG``; ``en`` or ``es``."""

    name: str
    language: str
    text: str


def merged(
    before: str | None, texts: Sequence[Text], replace: bool = False, path: str = "XMP"
) -> tuple[str, tuple[str, ...]]:
    """An XMP document with these texts in it, and the names of those that were kept instead.

    Args:
        before: what there is; None: nothing.
        texts, replace: see ``write``.
        path: for messages.

    Raises:
        CannotSave: it is no XMP.
    """
    document = _parsed(before, path)
    root = _description(document, path)
    wrote = _Wrote(document, root)
    kept = []
    for one in texts:
        clean = " ".join(_NOT_XML.sub(" ", one.text).split())
        if not _put(document, root, one.name, one.language, clean, wrote, replace):
            kept.append(f"{one.name} ({one.language})")
    wrote.save()
    text = "\n".join(child.toxml() for child in document.childNodes)
    if before is None:
        text = "\n".join(child.toprettyxml(indent=" ").rstrip() for child in document.childNodes)
    elif before.lstrip("\ufeff").startswith("<?xml"):
        text = '<?xml version="1.0" encoding="UTF-8"?>\n' + text
    text += "\n"
    return (before if before is not None and _same(before, text) else text), tuple(kept)


def _same(before: str, after: str) -> bool:
    """Whether two documents say the same: nothing is rewritten for the sake of its spaces."""
    with suppress(ElementTree.ParseError):
        return _canonical(before) == _canonical(after)
    return False


def _canonical(text: str) -> str:
    return ElementTree.canonicalize(text, strip_text=True, with_comments=True)


# -- one property -----------------------------------------------------------------------


class _Wrote:
    """The digests of our texts, as the sidecar keeps them."""

    def __init__(self, document: minidom.Document, root: minidom.Element) -> None:
        self._document, self._root = document, root
        node = _property(root, _WROTE)
        self._before = {_content(item) for item in _items(node)} if node else set()
        self._now: set[str] = set()

    def has(self, text: str) -> bool:
        return _digest(text) in self._before

    def add(self, text: str) -> None:
        self._now.add(_digest(text))

    def save(self) -> None:
        """Those that still stand somewhere, and the new ones."""
        there = {
            _digest(_content(item))
            for name in (DESCRIPTION, ALT_TEXT, LONG)
            if (node := _property(self._root, name)) is not None
            for item in _items(node)
        }
        digests = sorted(self._now | (self._before & there))
        if self._now <= self._before:  # nothing of ours is new
            return
        node = _property(self._root, _WROTE) or _new(self._document, self._root, _WROTE)
        while node.firstChild:
            node.removeChild(node.firstChild)
        bag = node.appendChild(self._document.createElementNS(_RDF, _prefixed(node, _RDF, "rdf", "Bag")))
        for digest in digests:
            item = self._document.createElementNS(_RDF, _prefixed(node, _RDF, "rdf", "li"))
            item.appendChild(self._document.createTextNode(digest))
            bag.appendChild(item)


def _put(
    document: minidom.Document,
    root: minidom.Element,
    name: str,
    language: str,
    text: str,
    wrote: _Wrote,
    replace: bool,
) -> bool:
    """Write a text as one item of a property; False where somebody else's is kept."""
    if _attribute(root, name):
        return False
    node = _property(root, name) or _new(document, root, name)
    items = {item.getAttributeNS(_XML, "lang").lower(): item for item in _items(node)}
    there, default = items.get(language), items.get("x-default")
    standing = there if there is not None else default if set(items) == {"x-default"} else None
    if (
        standing is not None
        and not replace
        and _content(standing) not in ("", text)
        and not wrote.has(_content(standing))
    ):
        return False  # an x-default alone is somebody's text too, in a language they did not say
    if default is None:
        _fill(document, _item(document, node, "x-default", first=True), text)
    elif standing is default or (there is not None and _content(default) == _content(there)):
        _fill(document, default, text)
    _fill(document, there if there is not None else _item(document, node, language), text)
    wrote.add(text)
    return True


def _item(document: minidom.Document, node: minidom.Element, language: str, first: bool = False) -> minidom.Element:
    alt = next((child for child in _children(node) if child.localName == "Alt"), None)
    if alt is None:
        for child in list(node.childNodes):  # a text without Alt, as no program should write it
            node.removeChild(child)
        alt = node.appendChild(document.createElementNS(_RDF, _prefixed(node, _RDF, "rdf", "Alt")))
    item = document.createElementNS(_RDF, _prefixed(node, _RDF, "rdf", "li"))
    item.setAttributeNS(_XML, "xml:lang", language)
    alt.insertBefore(item, alt.firstChild if first else None)
    return item


def _fill(document: minidom.Document, item: minidom.Element, text: str) -> None:
    while item.firstChild:
        item.removeChild(item.firstChild)
    item.appendChild(document.createTextNode(text))


def _property(root: minidom.Element, name: str) -> minidom.Element | None:
    """A property, in whichever ``rdf:Description`` it stands."""
    space, local = _space(name)
    for description in _descriptions(root.parentNode):
        for child in _children(description):
            if child.namespaceURI == space and child.localName == local:
                return child
    return None


def _attribute(root: minidom.Element, name: str) -> bool:
    space, local = _space(name)
    return any(one.hasAttributeNS(space, local) for one in _descriptions(root.parentNode))


def _new(document: minidom.Document, root: minidom.Element, name: str) -> minidom.Element:
    space, local = _space(name)
    prefix = name.partition(":")[0]
    made = document.createElementNS(space, _prefixed(root, space, prefix, local))
    root.appendChild(made)
    return made


def _items(node: minidom.Element) -> list[minidom.Element]:
    return [item for group in _children(node) for item in _children(group) if item.localName == "li"]


def _space(name: str) -> tuple[str, str]:
    prefix, _, local = name.partition(":")
    return _NAMES[prefix], local


def _prefixed(node: minidom.Element, space: str, prefix: str, local: str) -> str:
    """A name with the prefix that its namespace has here; declared on the node where it has none."""
    above: minidom.Node | None = node
    hidden: set[str] = set()
    while isinstance(above, minidom.Element):
        for key, value in above.attributes.items():
            declared = key.removeprefix("xmlns:") if key.startswith("xmlns:") else ""
            if declared and value == space and declared not in hidden:
                return f"{declared}:{local}"
            hidden.add(declared)
        above = above.parentNode
    while prefix in hidden:
        prefix += "_"
    node.setAttribute(f"xmlns:{prefix}", space)
    return f"{prefix}:{local}"


# -- the document -----------------------------------------------------------------------


def _parsed(text: str | None, path: str) -> minidom.Document:
    source = _EMPTY if text is None or not text.strip() else text
    if "<!DOCTYPE" in source or "<!ENTITY" in source:
        raise CannotSave(path, "what is there declares entities, which XMP has none of; it was left as it is")
    try:
        return minidom.parseString(source.encode())
    except (ExpatError, ValueError) as error:
        raise CannotSave(path, f"what is there is no XMP ({error}), and was left as it is") from error


def _description(document: minidom.Document, path: str) -> minidom.Element:
    """The ``rdf:Description`` that new properties go into."""
    found = document.getElementsByTagNameNS(_RDF, "RDF")
    if not found:
        raise CannotSave(path, "what is there is no XMP (there is no rdf:RDF in it), and was left as it is")
    first = next(iter(_descriptions(found[0])), None)
    if first is None:
        first = document.createElementNS(_RDF, _prefixed(found[0], _RDF, "rdf", "Description"))
        first.setAttributeNS(_RDF, _prefixed(found[0], _RDF, "rdf", "about"), "")
        found[0].appendChild(first)
    return first


def _descriptions(node: minidom.Node | None) -> list[minidom.Element]:
    return [child for child in _children(node) if child.namespaceURI == _RDF and child.localName == "Description"]


def _children(node: minidom.Node | None) -> Iterator[minidom.Element]:
    for child in node.childNodes if node else ():
        if isinstance(child, minidom.Element):
            yield child


def _content(node: minidom.Element) -> str:
    return " ".join("".join(child.data for child in node.childNodes if isinstance(child, minidom.Text)).split())


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
