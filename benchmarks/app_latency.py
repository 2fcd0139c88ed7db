"""How soon the app paints and answers, measured in a real browser.

    python benchmarks/app_latency.py [--clicks 10] [--out benchmarks/results/app_latency.md]

Starts the app on a fresh data folder, makes a project of the simulated example with its graph and
measures (medians over several loads and clicks; nothing is cached by the browser between loads):

- first paint: from asking for the address until the page's heading is visible;
- clicks, idle and while a fine-tuning run is training: from pressing a tab, an expander or a link
  to another page until what it opens is visible.

Needs Debian's chromium and the packages of requirements-dev.txt.
"""

import argparse
import os
import platform
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from datetime import date
from pathlib import Path

from playwright.sync_api import Locator, Page, sync_playwright

from causalmix_core.experiment.plan import Plan, Source
from causalmix_core.experiment.runs import launch
from causalmix_core.experiment.store import Store
from causalmix_core.experiment.workspace import Choices, Workspace
from causalmix_core.finetune import Settings
from causalmix_core.graph import Edge, MixedGraph
from causalmix_core.graph.edits import History
from causalmix_core.table import examples

ROOT = Path(__file__).resolve().parents[1]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--clicks", type=int, default=10)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as home:
        os.environ["CAUSALMIX_HOME"] = home
        space = make_project(Store(home))
        port = free_port()
        server = start(port)
        try:
            lines = measure(f"http://127.0.0.1:{port}", space, options.clicks)
        finally:
            server.terminate()
            server.wait()
            stop_workers(home)
    report = "\n".join(lines)
    print(report)
    if options.out:
        options.out.parent.mkdir(parents=True, exist_ok=True)
        options.out.write_text(report + "\n", encoding="utf-8")


def make_project(store: Store) -> Workspace:
    """A project of the simulated example with its true graph."""
    space = Workspace(store, store.create("latency").id)
    space.put_raw(examples.load_raw("health"), Choices(target="disease"))
    edges = tuple(Edge(cause, effect) for cause, effect in examples.true_edges("health"))
    nodes = tuple(space.table().columns)
    space.put_history(History(MixedGraph(nodes=nodes, edges=edges, graph_type="dag")))
    return space


def measure(address: str, space: Workspace, clicks: int) -> list[str]:
    """Return the report, line by line."""
    rows = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        browser.new_page().goto("about:blank")  # the browser's own start is not the app's
        first_start = load(browser.new_context().new_page(), f"{address}/", "CausalMix")
        loads = [
            load(browser.new_context().new_page(), f"{address}/", "CausalMix")
            for _ in range(clicks)
        ]
        rows.append(("first paint, first visit after the start", [first_start]))
        rows.append(("first paint, later visits", loads))
        page = browser.new_page()
        load(page, f"{address}/data?project={space.project}", "Data")
        rows += [(f"{what}, idle", times) for what, times in click_through(page, clicks)]
        train(space)
        rows += [(f"{what}, while training", times) for what, times in click_through(page, clicks)]
        browser.close()
    machine = f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}"
    head = [
        f"# How soon the app answers ({date.today():%Y-%m-%d}, {machine})",
        "",
        "Milliseconds; `python benchmarks/app_latency.py`.",
        "",
        "| what | median | slowest | n |",
        "|---|---|---|---|",
    ]
    return head + [
        f"| {what} | {statistics.median(times):.0f} | {max(times):.0f} | {len(times)} |"
        for what, times in rows
    ]


def load(page: Page, address: str, heading: str) -> float:
    """Milliseconds from asking for an address until its heading is visible."""
    begun = time.perf_counter()
    page.goto(address, wait_until="commit")
    page.get_by_role("heading", name=heading, exact=True).first.wait_for(timeout=120_000)
    return (time.perf_counter() - begun) * 1000


def click_through(page: Page, clicks: int) -> list[tuple[str, list[float]]]:
    """Press what people press on the pages."""
    nav = page.get_by_test_id("stSidebarNav")
    steps: list[tuple[str, Callable[[], float]]] = [
        ("open the Graph page", lambda: press(page, nav.get_by_text("2 · Graph"), "Graph")),
        (
            "open the Synthetic rows page",
            lambda: press(page, nav.get_by_text("3 · Synthetic rows"), "Synthetic rows"),
        ),
        (
            "open the Fine-tune page",
            lambda: press(page, nav.get_by_text("4 · Fine-tune"), "Fine-tune"),
        ),
        ("open the Predict page", lambda: press(page, nav.get_by_text("5 · Predict"), "Predict")),
        ("open the Data page", lambda: press(page, nav.get_by_text("1 · Data"), "Data")),
    ]
    times: dict[str, list[float]] = {what: [] for what, _ in steps}
    for _ in range(clicks):
        for what, step in steps:
            times[what].append(step())
            page.wait_for_timeout(700)
    return list(times.items())


def press(page: Page, target: Locator, heading: str) -> float:
    """Milliseconds from a click until the heading it leads to is visible."""
    begun = time.perf_counter()
    target.click()
    page.get_by_role("heading", name=heading, exact=True).first.wait_for(timeout=120_000)
    return (time.perf_counter() - begun) * 1000


def train(space: Workspace) -> None:
    """Start one long run and wait until it trains."""
    development, test = space.parts()
    plan = Plan(
        sources=(Source(development, test=test, graph=space.graph()),),
        methods=("default",),
        seeds=(0,),
        train_rows=(300,),
        settings=Settings(steps=2000, evaluate_every=20),
    )
    [job] = launch(space.store, space.project, plan)
    from causalmix_core.experiment import jobs

    while not jobs.job(space.store, job).sentence.startswith("Step"):
        time.sleep(0.3)


def stop_workers(home: str) -> None:
    """Cancel what still trains and wait until it has stopped."""
    from causalmix_core.experiment import jobs

    store = Store(home)
    for project in store.list():
        jobs.cancel_all(store, project.id)
        running = [job.id for job in jobs.jobs(store, project.id) if not job.state.is_over]
        jobs.wait(store, running, seconds=60)


def start(port: int) -> "subprocess.Popen[bytes]":
    """Start the app and wait until it is up."""
    server = subprocess.Popen(
        [
            *(sys.executable, "-m", "ui.serve"),
            *("--server.port", str(port), "--server.address", "127.0.0.1"),
        ],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    while True:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/_stcore/health", timeout=2):
                return server
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.1)


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


if __name__ == "__main__":
    main()
