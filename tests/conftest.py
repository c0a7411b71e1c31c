"""What all tests share: no sockets, a data folder of their own, real sample pictures."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hub import Hub, serve

from catalejo import Catalog, weights
from catalejo.demo import pictures

# A shell starts what it runs in the background with Ctrl-C ignored, and children inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)

Run = Callable[..., subprocess.CompletedProcess[str]]

# The sample pictures most tests use: small, different, and public domain or CC0.
SAMPLES = ("chelsea.png", "coffee.png", "rocket.jpg", "motorcycle_left.png", "camera.png", "coins.png")


@pytest.fixture(scope="session", autouse=True)
def data_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """An empty user data folder for the whole run, in this process and in those it starts."""
    folder = tmp_path_factory.mktemp("data")
    ours = ("CATALEJO_PERCEIVE", "CATALEJO_OFFLINE")
    saved = {name: os.environ.pop(name, None) for name in ("XDG_DATA_HOME", "CATALEJO_CATALOG", *ours)}
    os.environ["XDG_DATA_HOME"] = str(folder)
    os.environ["CATALEJO_PERCEIVE"] = "none"  # tests of perceivers name them
    os.environ["CATALEJO_OFFLINE"] = "1"  # nor does pip go anywhere
    yield folder
    for name in ("XDG_DATA_HOME", *ours):
        del os.environ[name]
    os.environ.update({name: value for name, value in saved.items() if value is not None})


@pytest.fixture(autouse=True)
def no_sockets(monkeypatch: pytest.MonkeyPatch) -> None:
    """Any attempt to open a connection fails the test, and says where it wanted to go."""

    def refuse(self: socket.socket, address: Any, *rest: Any) -> None:
        raise AssertionError(f"a test tried to connect to {address!r}")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket.socket, "connect_ex", refuse)


@pytest.fixture
def loopback(no_sockets: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Connections to 127.0.0.1 are allowed in this test; all others still fail it."""
    refuse = socket.socket.connect

    def connect(self: socket.socket, address: Any) -> None:
        if not (isinstance(address, tuple) and address[0] == "127.0.0.1"):
            refuse(self, address)
        super(socket.socket, self).connect(address)

    monkeypatch.setattr(socket.socket, "connect", connect)
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
def tiny(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user data folder of the test's own; the folder of the fetched model ``tiny`` in it."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.delenv("HF_TOKEN", raising=False)
    return tmp_path / "data" / "catalejo" / "models" / "tiny"


@pytest.fixture
def hub(tiny: Path, loopback: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """A model hub and its CDN on this machine, running; no waiting between tries."""
    running = Hub()
    servers = serve(running)
    monkeypatch.setenv("HF_ENDPOINT", running.url)
    monkeypatch.setattr(weights, "_WAITS_S", (0.0, 0.0))
    yield running
    running.release.set()
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture(scope="session")
def samples(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with six real photographs."""
    folder = tmp_path_factory.mktemp("samples")
    for name in SAMPLES:
        shutil.copy(pictures() / name, folder / name)
    return folder


@pytest.fixture(scope="session")
def sample_catalog(samples: Path, tmp_path_factory: pytest.TempPathFactory) -> Catalog:
    """A catalog of the six photographs. Read it; to change one, make your own."""
    catalog = Catalog(tmp_path_factory.mktemp("catalog") / "c")
    catalog.add(samples)
    return catalog


@pytest.fixture
def run() -> Run:
    """Runs the command line in a new process: ``run("search", "gato", cwd=...)``."""

    def go(*arguments: str | Path, **options: Any) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "catalejo", *map(os.fspath, arguments)]
        return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, **options)

    return go
