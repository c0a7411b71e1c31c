"""How fast films and recordings are read, how much memory that takes, and whether shots begin where they should.

The film is made here: 1920 x 1080, 30 frames a second, H.264, photographs that pan, with something moving in front and
a tone; twenty seconds of it are encoded, and their packets repeated. It is read in new processes: shots with key
frames, then stretches of the sound, as ``add`` does; nothing is encoded. The second part judges where shots begin, on
small films without a codec: scenes that rest, pan, zoom, shake or flicker, joined by cuts, dissolves and fades, with
flashes.

usage: python benchmarks/video.py --pictures DIR [--minutes 1 4] [--films 20]
Last line: JSON. Targets: at least 4 times real time; memory flat in the length.
"""

from __future__ import annotations

import argparse
import io
import json
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt
from _report import machine, report
from PIL import Image

from catalejo.readers.shots import SMALL_PX, Cutter, sketch
from catalejo.readers.video import VideoReader
from catalejo.records import Limits

WIDE, HIGH, RATE, LOOP_S = 1920, 1080, 30, 20
CUTS_S = (0.0, 3.0, 5.5, 9.0, 11.0, 16.0)  # in each loop
Frame = npt.NDArray[np.float32]


def photographs(folder: Path) -> list[Path]:
    found = sorted(path for path in folder.rglob("*") if path.suffix.lower() in (".jpg", ".jpeg"))
    if len(found) < 2 * len(CUTS_S):
        sys.exit(f"fewer than {2 * len(CUTS_S)} JPEGs in {folder}")
    return found


# -- speed and memory -----------------------------------------------------------------


def loop(sources: list[Path]) -> bytes:
    """Twenty seconds, encoded."""
    made = io.BytesIO()
    with av.open(made, "w", "mp4") as container:
        video = container.add_stream("libx264", RATE, options={"preset": "veryfast", "crf": "23", "bf": "0"})
        video.width, video.height, video.pix_fmt = WIDE, HIGH, "yuv420p"
        heard = container.add_stream("aac", 48_000, layout="stereo")
        picture = np.zeros((HIGH, WIDE, 3), np.uint8)
        for number in range(LOOP_S * RATE):
            if number / RATE in CUTS_S:
                with Image.open(sources[CUTS_S.index(number / RATE)]) as opened:
                    picture = np.asarray(opened.convert("RGB").resize((WIDE * 5 // 4, HIGH * 5 // 4)))
            across = abs((2 * number) % (WIDE // 4) - WIDE // 8)  # to and fro
            shown = picture[HIGH // 8 :][:HIGH, across : across + WIDE].copy()
            at = (12 * number) % (WIDE - 200)
            shown[400:600, at : at + 200] = 255, 200, 0
            frame = av.VideoFrame.from_ndarray(shown, "rgb24")
            frame.pts, frame.time_base = number, Fraction(1, RATE)
            container.mux(video.encode(frame))
        container.mux(video.encode(None))
        for second in range(LOOP_S):
            tone = 0.3 * np.sin(2 * np.pi * (220 + 20 * second) * np.arange(48_000) / 48_000)
            sound = av.AudioFrame.from_ndarray(np.stack([tone, tone]).astype(np.float32), "fltp", "stereo")
            sound.sample_rate, sound.pts, sound.time_base = 48_000, second * 48_000, Fraction(1, 48_000)
            container.mux(heard.encode(sound))
        container.mux(heard.encode(None))
    return made.getvalue()


def repeated(data: bytes, times: int, path: Path) -> None:
    """The loop again and again, without encoding it again."""
    with av.open(str(path), "w") as out:
        streams, last = {}, dict.fromkeys((0, 1), -1)
        for turn in range(times):
            with av.open(io.BytesIO(data)) as source:
                if not streams:
                    streams = {one.index: out.add_stream_from_template(one) for one in source.streams}
                for packet in source.demux():
                    if packet.dts is None:
                        continue
                    shift = int(turn * LOOP_S / packet.time_base)
                    index, packet.pts, packet.dts = packet.stream.index, packet.pts + shift, packet.dts + shift
                    if packet.dts <= last[index]:  # the sound is a little longer than the pictures
                        continue
                    packet.stream, last[index] = streams[index], packet.dts
                    out.mux(packet)


def once(path: Path) -> None:
    """Read it once, in this process, and print what that took."""
    with path.open("rb") as file:
        list(VideoReader().read(io.BytesIO(path.with_name("loop.mp4").read_bytes()), "loop", Limits(), 260))  # imports
        wall, cpu = time.perf_counter(), time.process_time()
        found = [(page.kind, page.start_s, page.end_s) for page in VideoReader().read(file, str(path), Limits(), 260)]
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    status = Path("/proc/self/status").read_text(encoding="ascii")
    peak = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")) * 1024 / 1e6
    begins = [start for kind, start, _ in found if kind == "video"]
    print(json.dumps({"wall_s": wall, "cpu_s": cpu, "peak_mb": peak, "begins": begins, "pages": len(found)}))


def speed(sources: list[Path], minutes: list[float], folder: Path) -> dict[str, object]:
    data = loop(sources)
    (folder / "loop.mp4").write_bytes(data)
    results: dict[str, object] = {}
    for minute in minutes:
        times = max(1, round(minute * 60 / LOOP_S))
        path = folder / f"{minute:g}.mp4"
        repeated(data, times, path)
        command = [sys.executable, __file__, "--once", str(path)]
        run = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()[-1])
        wanted = [turn * LOOP_S + cut for turn in range(times) for cut in CUTS_S]
        hits = sum(any(abs(begin - cut) < 0.05 for begin in run["begins"]) for cut in wanted)
        results[f"{minute:g}_min"] = {
            "times_real_time": round(times * LOOP_S / run["wall_s"], 1),
            "cpu_s_a_minute": round(run["cpu_s"] * 60 / (times * LOOP_S), 2),
            "peak_mb": round(run["peak_mb"]),
            "shots": f"{hits} of {len(wanted)} found, {len(run['begins']) - hits} more",
        }
        print(f"{minute:g} min", results[f"{minute:g}_min"])
    return results


# -- where shots begin ------------------------------------------------------------------

MOTIONS = ("still", "slow pan", "pan", "zoom", "shake", "flicker", "grain")


def scene(chance: random.Random, photo: Frame, count: int) -> Iterator[Frame]:
    """Frames of 192 x 108 of a photograph of 256 x 144, in one of the motions."""
    motion, wide, high = chance.choice(MOTIONS), 192, 108
    speed = chance.choice((-1, 1)) * {"slow pan": chance.uniform(0.1, 0.4), "pan": chance.uniform(0.5, 1.5)}.get(
        motion, 0
    )
    x, y, phase = 0.0 if speed >= 0 else 64.0, chance.uniform(0, 36), chance.uniform(0, 6)
    for number in range(count):
        x += speed
        if not 0 <= x <= 64:
            speed, x = -speed, min(max(x, 0.0), 64.0)
        if motion == "shake":
            x = min(max(32 + 10 * np.sin(0.7 * number + phase) + chance.gauss(0, 2), 0.0), 64.0)
            y = min(max(18 + 6 * np.sin(0.9 * number) + chance.gauss(0, 2), 0.0), 36.0)
        shown = photo[int(y) : int(y) + high, int(x) : int(x) + wide]
        if motion == "zoom":
            part = 1 - 0.5 * number / count
            across, down = int(256 * part), int(144 * part)
            left, top = (256 - across) // 2, (144 - down) // 2
            cropped = Image.fromarray(photo[top : top + down, left : left + across].astype(np.uint8))
            shown = np.asarray(cropped.resize((wide, high)), np.float32)
        elif motion == "flicker":
            shown = shown * (1 + 0.25 * np.sin(0.15 * number + phase))
        elif motion == "grain":
            shown = shown + np.random.default_rng(number).normal(0, 18, shown.shape)
        yield np.clip(shown, 0, 255).astype(np.float32)


def small_film(seed: int, photos: list[Frame], rate: int) -> tuple[list[Frame], list[tuple[float, float, str]]]:
    """Ten scenes, and from when to when and how each but the first comes."""
    chance = random.Random(seed)
    frames: list[Frame] = []
    joints: list[tuple[float, float, str]] = []
    for number in range(10):
        new = list(scene(chance, chance.choice(photos), int(chance.uniform(1.5, 6) * rate)))
        how = chance.choice(("cut", "cut", "cut", "dissolve", "fade")) if number else ""
        start = len(frames)
        if how == "cut":
            joints.append((start / rate, start / rate, how))
        elif how == "dissolve":
            count = min(int(chance.uniform(0.4, 1.2) * rate), len(new) - 5)
            new[:count] = [
                frames[-1] * (1 - (i + 1) / (count + 1)) + new[i] * (i + 1) / (count + 1) for i in range(count)
            ]
            joints.append((start / rate, (start + count) / rate, how))
        elif how == "fade":
            count = min(int(chance.uniform(0.3, 0.8) * rate), len(new) // 2, start // 2)
            for i in range(count):
                frames[-1 - i], new[i] = frames[-1 - i] * (i / count), new[i] * (i / count)
            joints.append(((start - count) / rate, (start + count) / rate, how))
        if chance.random() < 0.25:  # a flash
            middle = len(new) // 2
            new[middle : middle + 2] = [frame * 0.15 + 255 * 0.85 for frame in new[middle : middle + 2]]
        frames += new
    return frames, joints


def begins(frames: list[Frame], rate: int) -> list[float]:
    cutter = Cutter()
    found: list[float | None] = []
    for number, frame in enumerate(frames):
        small = np.asarray(Image.fromarray(frame.astype(np.uint8)).resize(SMALL_PX, Image.Resampling.BILINEAR))
        found.append(cutter.see(sketch(number / rate, small)))
    return [second for second in found if second is not None]


def judged(sources: list[Path], films: int) -> dict[str, object]:
    """Recall by kind of joint, and the share of found beginnings that are one."""
    photos = []
    for path in sources:
        with Image.open(path) as opened:
            photos.append(np.asarray(opened.convert("RGB").resize((256, 144)), np.float32))
    hits: dict[str, list[int]] = {"cut": [0, 0], "dissolve": [0, 0], "fade": [0, 0]}
    found_in_all = 0
    for seed in range(films):
        rate = (30, 25, 15, 10)[seed % 4]
        frames, joints = small_film(seed, photos, rate)
        found = begins(frames, rate)
        found_in_all += len(found)
        for first, last, how in joints:
            near = [second for second in found if first - 0.25 <= second <= last + 0.25]
            hits[how][1] += 1
            if near:
                hits[how][0] += 1
                found.remove(near[0])
    right = sum(hit for hit, _ in hits.values())
    recall = {how: f"{hit} of {count}" for how, (hit, count) in hits.items()}
    return {**recall, "found_that_are_one": f"{right} of {found_in_all}"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pictures", type=Path, help="a folder with real photographs (JPEG)")
    parser.add_argument("--minutes", type=float, nargs="+", default=[1.0, 4.0])
    parser.add_argument("--films", type=int, default=20, help="small films to judge where shots begin")
    parser.add_argument("--once", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.once:
        once(options.once)
        return
    if options.pictures is None:
        parser.error("--pictures is needed")
    sources = photographs(options.pictures)
    with tempfile.TemporaryDirectory() as scratch:
        results = speed(sources, options.minutes, Path(scratch))
    results["shots"] = judged(sources[len(sources) // 2 :], options.films)  # the first half chose the thresholds
    print("shots", results["shots"])
    report("video", results, machine())


if __name__ == "__main__":
    main()
