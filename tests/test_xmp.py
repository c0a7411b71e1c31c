"""Texts in XMP: ours are found again by an XML parser, somebody else's survive."""

from __future__ import annotations

from xml.etree import ElementTree

from catalejo.xmp import ALT_TEXT, DESCRIPTION, LONG, Text, merged

RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"
NAMES = {
    DESCRIPTION: "{http://purl.org/dc/elements/1.1/}description",
    ALT_TEXT: "{http://iptc.org/std/Iptc4xmpCore/1.0/xmlns/}AltTextAccessibility",
    LONG: "{http://iptc.org/std/Iptc4xmpCore/1.0/xmlns/}ExtDescrAccessibility",
}
# As Lightroom writes one, in short: a packet, other properties, a description in x-default alone.
LIGHTROOM = """<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/" x:xmptk="Adobe XMP Core 7.0">
 <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
  <rdf:Description rdf:about="" xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:dc="http://purl.org/dc/elements/1.1/"
    xmp:Rating="4">
   <dc:description><rdf:Alt><rdf:li xml:lang="x-default">Laika en la playa</rdf:li></rdf:Alt></dc:description>
   <dc:subject><rdf:Bag><rdf:li>perro</rdf:li></rdf:Bag></dc:subject>
   <!-- a note -->
  </rdf:Description>
 </rdf:RDF>
</x:xmpmeta>
<?xpacket end="w"?>
"""
# As darktable does, in short: other prefixes for the same names.
OTHER_PREFIXES = """<?xml version="1.0" encoding="UTF-8"?>
<m:xmpmeta xmlns:m="adobe:ns:meta/"><r:RDF xmlns:r="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<r:Description r:about="" xmlns:d="http://purl.org/dc/elements/1.1/"><d:title><r:Alt>
<r:li xml:lang="x-default">Título</r:li></r:Alt></d:title></r:Description></r:RDF></m:xmpmeta>
"""


def langs(text: str, name: str) -> dict[str, str]:
    """Language -> text of a property, read by another parser than ours."""
    root = ElementTree.fromstring(text.encode())
    items = root.iterfind(f".//{NAMES[name]}/{RDF}Alt/{RDF}li")
    return {item.attrib["{http://www.w3.org/XML/1998/namespace}lang"]: item.text or "" for item in items}


ES = Text(DESCRIPTION, "es", "Un gato")
EN = Text(DESCRIPTION, "en", "A cat")


def test_a_new_one_has_every_text_and_a_default_in_front() -> None:
    text, kept = merged(None, [ES, EN, Text(ALT_TEXT, "es", "Un gato, «Pepe» & <ella>.")])
    assert langs(text, DESCRIPTION) == {"x-default": "Un gato", "es": "Un gato", "en": "A cat"}
    assert next(iter(langs(text, DESCRIPTION))) == "x-default"
    assert langs(text, ALT_TEXT)["es"] == "Un gato, «Pepe» & <ella>."
    assert kept == ()


def test_the_same_again_changes_nothing() -> None:
    once, _ = merged(None, [ES, EN])
    assert merged(once, [ES, EN]) == (once, ())
    assert merged(once, [EN, ES])[0] == once


def test_our_own_texts_give_way_to_new_ones() -> None:
    once, _ = merged(None, [ES, EN])
    again, kept = merged(once, [Text(DESCRIPTION, "es", "Un gato egipcio")])
    assert langs(again, DESCRIPTION) == {"x-default": "Un gato egipcio", "es": "Un gato egipcio", "en": "A cat"}
    assert kept == ()


def test_a_text_that_a_person_changed_stays() -> None:
    once, _ = merged(None, [ES])
    edited = once.replace('"es">Un gato<', '"es">Pepe<')
    again, kept = merged(edited, [Text(DESCRIPTION, "es", "Un felino")])
    assert langs(again, DESCRIPTION)["es"] == "Pepe"
    assert kept == ("dc:description (es)",)
    forced, kept = merged(edited, [Text(DESCRIPTION, "es", "Un felino")], replace=True)
    assert langs(forced, DESCRIPTION)["es"] == "Un felino"
    assert kept == ()


def test_somebody_elses_sidecar_keeps_all_it_has() -> None:
    text, kept = merged(LIGHTROOM, [ES, Text(ALT_TEXT, "es", "Un gato.")])
    assert kept == ("dc:description (es)",)  # written in x-default alone, in a language nobody said
    assert langs(text, DESCRIPTION) == {"x-default": "Laika en la playa"}
    assert langs(text, ALT_TEXT) == {"x-default": "Un gato.", "es": "Un gato."}
    for part in ('xmp:Rating="4"', "<!-- a note -->", 'id="W5M0MpCehiHzreSzNTczkc9d"', '<?xpacket end="w"?>', "perro"):
        assert part in text


def test_what_is_kept_as_it_was_is_not_even_written_anew() -> None:
    assert merged(LIGHTROOM, [ES]) == (LIGHTROOM, ("dc:description (es)",))


def test_prefixes_of_others_are_used() -> None:
    text, kept = merged(OTHER_PREFIXES, [ES])
    assert "<d:description>" in text
    assert text.startswith("<?xml ")
    assert langs(text, DESCRIPTION)["es"] == "Un gato"
    assert "Título" in text
    assert kept == ()


def test_a_prefix_that_means_something_else_is_not_taken() -> None:
    taken = OTHER_PREFIXES.replace('xmlns:d="http://purl.org/dc/elements/1.1/"', 'xmlns:dc="urn:else"')
    taken = taken.replace("d:title", "dc:title")
    text, _ = merged(taken, [ES])
    assert langs(text, DESCRIPTION)["es"] == "Un gato"
    assert "<dc:title>" in text


def test_a_description_written_as_an_attribute_stays() -> None:
    attribute = OTHER_PREFIXES.replace('r:about=""', 'r:about="" d:description="Laika"')
    attribute = attribute.replace("<r:Description r:about", "<r:Description r:about", 1)
    assert merged(attribute, [ES]) == (attribute, ("dc:description (es)",))


def test_characters_that_xml_has_not_are_left_out() -> None:
    text, _ = merged(None, [Text(DESCRIPTION, "es", "uno\x0c\x00dos\ud800")])
    assert langs(text, DESCRIPTION)["es"] == "uno dos"
