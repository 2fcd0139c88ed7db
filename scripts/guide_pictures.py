"""Do the whole job on the example `health` in a real browser and take the guide's pictures.

    python scripts/guide_pictures.py docs/images

Needs what the browser tests need (`make test` installs it) and a chromium; takes a few minutes.
"""

import argparse
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

from playwright.sync_api import Page, expect, sync_playwright

ROOT = Path(__file__).resolve().parents[1]
WIDTH, HEIGHT = 1280, 900
LONG = 900_000  # milliseconds; runs on a busy machine


def picture(page: Page, file: Path, most: int = 2400) -> None:
    """Take the whole page, down to `most` pixels."""
    main = "document.querySelector('[data-testid=stMain]')"
    height = int(page.evaluate(f"{main}.scrollHeight"))
    page.set_viewport_size({"width": WIDTH, "height": min(height + 20, most)})
    page.evaluate(f"{main}.scrollTo(0, 0)")
    page.mouse.move(2, 2)
    page.wait_for_timeout(2_500)
    page.screenshot(path=file)
    page.set_viewport_size({"width": WIDTH, "height": HEIGHT})


def follow(page: Page, label: str) -> None:
    """Go to a page by the sidebar."""
    page.get_by_test_id("stSidebarNav").get_by_text(label).click()
    title = label.split("· ")[-1]
    expect(page.get_by_role("heading", name=title, exact=True).first).to_be_visible()
    page.wait_for_timeout(1_500)


def press(page: Page, label: str) -> None:
    """Click a button."""
    page.get_by_role("button", name=label).first.click()


def whole_job(page: Page, address: str, out: Path, seeds: int) -> None:
    """From the example to predictions, with a picture of every page."""
    from causalmix_core.table import examples

    page.goto(address)
    page.wait_for_timeout(3_000)
    picture(page, out / "home.png")
    press(page, examples.find("health").title.partition(":")[0])
    expect(page.get_by_text("Test rows, put away")).to_be_visible()
    page.wait_for_timeout(3_000)
    picture(page, out / "data.png")

    follow(page, "2 · Graph")
    press(page, "Find the graph")
    expect(page.get_by_role("tab", name="Edges as a table")).to_be_visible(timeout=LONG)
    page.wait_for_timeout(3_000)
    picture(page, out / "graph.png")
    press(page, "Complete to a DAG")
    expect(page.get_by_text("a causal model can be fitted")).to_be_visible()

    follow(page, "3 · Synthetic rows")
    press(page, "Make synthetic rows")
    expect(page.get_by_role("tab", name="Column by column")).to_be_visible(timeout=LONG)
    page.wait_for_timeout(4_000)
    picture(page, out / "synthesize.png")

    follow(page, "4 · Fine-tune")
    box = page.get_by_role("spinbutton", name="Seeds")
    box.fill(str(seeds))
    box.press("Tab")
    press(page, "Launch")
    expect(page.get_by_role("heading", name="What came out")).to_be_visible(timeout=LONG)
    expect(page.get_by_role("button", name="Cancel all")).to_have_count(0, timeout=LONG)
    page.wait_for_timeout(4_000)
    picture(page, out / "finetune.png")

    follow(page, "5 · Predict")
    rows = out / "new rows.csv"
    examples.load("health").frame.drop(columns="disease").head(200).to_csv(rows, index=False)
    uploader = page.get_by_test_id("stFileUploader").filter(has_text="New rows")
    uploader.locator("input").set_input_files(rows)
    expect(page.get_by_role("heading", name="200 rows predicted")).to_be_visible(timeout=LONG)
    page.wait_for_timeout(2_000)
    picture(page, out / "predict.png")
    rows.unlink()


def main() -> None:
    """Start the app on a data folder of its own, do the job, stop it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path, help="folder for the pictures")
    parser.add_argument("--seeds", type=int, default=6, help="of the fine-tuning page")
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    with tempfile.TemporaryDirectory() as home:
        server = subprocess.Popen(
            [sys.executable, "-m", "ui.serve", "--server.port", str(port)],
            cwd=ROOT,
            env={**os.environ, "CAUSALMIX_HOME": home, "PYTHONPATH": str(ROOT)},
        )
        try:
            for _ in range(240):
                try:
                    urllib.request.urlopen(f"{address}/_stcore/health", timeout=2).close()
                    break
                except OSError:
                    time.sleep(0.5)
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(
                    executable_path=shutil.which("chromium"), args=["--no-sandbox"]
                )
                page = browser.new_page(
                    viewport={"width": WIDTH, "height": HEIGHT}, color_scheme="light"
                )
                page.set_default_timeout(120_000)
                whole_job(page, address, given.out, given.seeds)
                browser.close()
        finally:
            server.terminate()
            server.wait()


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    main()
