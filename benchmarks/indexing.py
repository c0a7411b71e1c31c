"""What `add` costs on top of decoding and encoding, and how much memory it takes.

Two sets are made from real photographs: 500 of web size, and 100 of 12 megapixels with
sensor-like noise. Each is read three times, in new processes that have done one picture already
(imports and the loading of the model are outside): by a bare loop that opens, decodes at reduced
scale, preprocesses and runs the graph, one picture a run, as ``add`` does; by ``Catalog.add``; and
by the bare loop on as many threads as ``add`` uses, since two threads on one physical core cost
more CPU each. CPU seconds are of the whole process, all threads.

usage: python benchmarks/indexing.py --pictures DIR [--rounds 3] [--memory]
Last line: JSON. Targets: cpu_ratio (add / bare) <= 1.15; wall_over_cpu (wall x cores / CPU of add) <= 1.1;
peak < 700 MB and flat.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from _report import machine, report
from PIL import Image

from catalejo import Catalog
from catalejo.encoders.batching import cores
from catalejo.encoders.conse import SIDE_PX, ConseEncoder


def originals(folder: Path) -> list[Path]:
    found = sorted(p for p in folder.rglob("*") if p.suffix.lower() in (".jpg", ".jpeg"))
    if not found:
        sys.exit(f"no JPEGs in {folder}")
    return found


def make(sources: list[Path], folder: Path, count: int, size: tuple[int, int] | None) -> None:
    """Different pictures from few: crops of real ones, saved again; enlarged with noise when a size is given."""
    folder.mkdir(parents=True)
    rng = np.random.default_rng(0)
    for number in range(count):
        with Image.open(sources[number % len(sources)]) as opened:
            picture = opened.convert("RGB")
        dx, dy = (int(rng.integers(0, side // 8)) for side in picture.size)
        picture = picture.crop((dx, dy, picture.width - dx // 2, picture.height - dy // 2))
        if size:
            small = np.asarray(picture.resize(size, Image.Resampling.BICUBIC), np.int16)
            noise = rng.integers(-6, 7, (size[1] // 4, size[0] // 4, 3), np.int16)
            noisy = small + np.tile(noise, (4, 4, 1))[: size[1], : size[0]]
            picture = Image.fromarray(np.clip(noisy, 0, 255).astype(np.uint8))
        picture.save(folder / f"{number:05}.jpg", quality=90)


def bare(folder: Path, threads: int = 1) -> None:
    """The least work that gives the same vectors."""
    encoder = ConseEncoder()

    def read(path: Path) -> None:
        with Image.open(path) as picture:
            picture.draft("RGB", (SIDE_PX, SIDE_PX))
            encoder.encode_images([picture.convert("RGB")])

    paths = sorted(folder.iterdir())
    read(paths[0])
    cpu, wall = time.process_time(), time.perf_counter()
    with ThreadPoolExecutor(threads) as pool:
        for _ in pool.map(read, paths):
            pass
    finish(cpu, wall)


def add(folder: Path) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        warm = Catalog(Path(scratch) / "warm")
        warm.add(min(folder.iterdir()), perceive="none")
        catalog = Catalog(Path(scratch) / "c")
        catalog.__dict__["encoders"] = (warm.encoder,)  # loaded once, as in the bare loop
        cpu, wall = time.process_time(), time.perf_counter()
        result = catalog.add(folder, perceive="none")
        finish(cpu, wall)
        assert result.added == len(list(folder.iterdir())), result


def finish(cpu: float, wall: float) -> None:
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    print(json.dumps({"cpu_s": cpu, "wall_s": wall, "peak_mb": peak_mb()}))


def peak_mb() -> float:
    """Most resident memory of this process, in 10^6 bytes (``ru_maxrss`` would count the parent's before exec)."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")) * 1024 / 1e6


def phase(name: str, folder: Path) -> dict[str, float]:
    command = [sys.executable, __file__, "--phase", name, "--pictures", str(folder)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def compare(folder: Path, rounds: int) -> dict[str, float]:
    """Medians over rounds of the paired ratios, bare and add by turns."""
    pairs = []
    for _ in range(rounds):
        pairs.append((phase("bare", folder), phase("add", folder), phase("bare-threads", folder)))
        print(f"  {pairs[-1]}", file=sys.stderr)
    count = len(list(folder.iterdir()))
    return {
        "pictures": count,
        "bare_cpu_ms": round(1e3 * statistics.median(b["cpu_s"] for b, _, _ in pairs) / count, 2),
        "bare_threads_cpu_ms": round(1e3 * statistics.median(t["cpu_s"] for _, _, t in pairs) / count, 2),
        "add_cpu_ms": round(1e3 * statistics.median(a["cpu_s"] for _, a, _ in pairs) / count, 2),
        "cpu_ratio": round(statistics.median(a["cpu_s"] / b["cpu_s"] for b, a, _ in pairs), 3),
        "cpu_ratio_threads": round(statistics.median(a["cpu_s"] / t["cpu_s"] for _, a, t in pairs), 3),
        "wall_over_cpu": round(statistics.median(a["wall_s"] * cores() / a["cpu_s"] for _, a, _ in pairs), 3),
        "wall_over_bare": round(statistics.median(a["wall_s"] * cores() / b["cpu_s"] for b, a, _ in pairs), 3),
        "pictures_per_s": round(count / statistics.median(a["wall_s"] for _, a, _ in pairs), 1),
        "peak_mb": round(max(a["peak_mb"] for _, a, _ in pairs)),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pictures", type=Path, required=True, help="a folder with real photographs (JPEG)")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--memory", action="store_true", help="also the peak memory at 1,000 and 10,000 pictures")
    parser.add_argument("--phase", choices=("bare", "bare-threads", "add"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.phase:
        if options.phase == "add":
            add(options.pictures)
        else:
            bare(options.pictures, cores() if options.phase == "bare-threads" else 1)
        return
    sources = originals(options.pictures)
    results: dict[str, object] = {}
    with tempfile.TemporaryDirectory() as scratch:
        for name, count, size in (("web", 500, None), ("12mp", 100, (4000, 3000))):
            make(sources, Path(scratch, name), count, size)
            results[name] = compare(Path(scratch, name), options.rounds)
            print(name, results[name])
        for count in (1_000, 10_000) if options.memory else ():
            make(sources, Path(scratch, str(count)), count, None)
            results[f"peak_mb_{count}"] = round(phase("add", Path(scratch, str(count)))["peak_mb"])
            print(count, results[f"peak_mb_{count}"])
    report("indexing", results, machine())


if __name__ == "__main__":
    main()
