"""A real server and a real browser for the tests of this folder."""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

ROOT = Path(__file__).resolve().parents[2]
SCREENSHOTS = ROOT / "var" / "screenshots"

StartApp = Callable[..., str]

PATIENCE_MS = 60_000  # a busy machine is slow to start; nothing is ever asserted to be fast
expect.set_options(timeout=PATIENCE_MS)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every test of this folder as a browser test."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def app_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StartApp]:
    """Start ``streamlit run SCRIPT`` on a free local port: call with a script, get its address.

    Every server has a data folder (CAUSALMIX_HOME) of its own and is stopped at the end.
    """
    servers: list[subprocess.Popen[bytes]] = []

    def start(script: str | Path, **environment: str) -> str:
        folder = tmp_path_factory.mktemp("server")
        port = _free_port()
        log = folder / "server.log"
        with log.open("wb") as output:
            server = subprocess.Popen(
                [
                    *(sys.executable, "-m", "streamlit", "run", str(ROOT / script)),
                    *("--server.port", str(port), "--server.address", "127.0.0.1"),
                    *("--server.headless", "true", "--server.fileWatcherType", "none"),
                    *("--browser.gatherUsageStats", "false"),
                ],
                cwd=ROOT,
                env={
                    **os.environ,
                    "PYTHONPATH": str(ROOT),
                    "CAUSALMIX_HOME": str(folder / "home"),
                    **environment,
                },
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        servers.append(server)
        _wait_until_healthy(server, port, log)
        return f"http://127.0.0.1:{port}"

    yield start
    for server in servers:
        server.terminate()
    for server in servers:
        try:
            server.wait(timeout=20)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Debian's chromium. Without it the test is skipped, or fails where CI is set."""
    executable = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chrome")
    if executable is None:
        message = "No chromium found: install it with 'apt-get install chromium'."
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=executable, args=["--no-sandbox"])
        yield chromium
        chromium.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A fresh page; the test fails if it asked another machine for anything or a script broke."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    strangers: list[str] = []
    errors: list[str] = []
    page.on("request", lambda request: strangers.append(request.url))
    page.on("pageerror", lambda error: errors.append(str(error)))
    yield page
    context.close()
    away = [url for url in strangers if not url.startswith(("http://127.0.0.1", "data:", "blob:"))]
    assert away == []
    assert errors == []


@pytest.fixture(scope="session")
def screenshots() -> Path:
    """Where screenshots go; people look at them, git does not."""
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    return SCREENSHOTS


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait_until_healthy(server: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if server.poll() is not None:
            pytest.fail(f"The server stopped at once:\n{log.read_text()}")
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/_stcore/health", timeout=2):
                return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.2)
    pytest.fail(f"The server did not answer within a minute:\n{log.read_text()}")
