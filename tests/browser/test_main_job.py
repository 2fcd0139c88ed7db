"""The whole job in a real browser: from a file to predictions, with clicks and a real mouse."""

import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from playwright.sync_api import Locator, Page, expect

from causalmix_core.cli import main
from causalmix_core.table import examples
from tests.browser.hands import choose, fetch, number

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data" / "classification"
LONG = 300_000  # milliseconds; a search or a run on a busy machine


@pytest.fixture(scope="module")
def address(app_server: Callable[..., str]) -> str:
    return app_server("app.py")


@pytest.fixture(params=["credit", "census"])
def upload(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Path, str]:
    """A file and its target: real tables where they are at hand, else a simulated one."""
    file = tmp_path / f"{request.param}.csv"
    if request.param == "credit" and (SHARED / "credit-g.csv").is_file():
        file.write_bytes((SHARED / "credit-g.csv").read_bytes())
        return file, "class"
    if request.param == "census" and (SHARED / "adult.csv").is_file():
        adult = pd.read_csv(SHARED / "adult.csv", dtype=str, keep_default_na=False)
        adult.sample(500, random_state=0).to_csv(file, index=False)
        return file, adult.columns[-1]
    rows = examples.make_health(500, seed=len(request.param))
    rows.to_csv(file, index=False)
    return file, "disease"


def test_from_a_file_to_predictions(
    page: Page, address: str, upload: tuple[Path, str], screenshots: Path, tmp_path: Path
) -> None:
    file, target = upload
    name = file.stem

    def snap(step: str) -> None:
        height = page.evaluate("document.querySelector('[data-testid=stMain]').scrollHeight")
        page.set_viewport_size({"width": 1280, "height": min(int(height) + 20, 4000)})
        page.wait_for_timeout(700)
        page.screenshot(path=screenshots / f"{name}-{step}.png")
        page.set_viewport_size({"width": 1280, "height": 900})

    # Data
    page.goto(address)
    page.get_by_test_id("stFileUploader").first.locator("input").set_input_files(file)
    expect(page.get_by_role("heading", name="What should be predicted?")).to_be_visible()
    choose(page, "Target column", target, exact=True)
    expect(page.get_by_text("Test rows, put away")).to_be_visible()
    snap("1-data")

    # Graph
    follow(page, "2 · Graph")
    number(page, "Resamples", 4)
    press(page, "Find the graph")
    expect(page.get_by_role("tab", name="Edges as a table")).to_be_visible(timeout=LONG)
    editor = page.locator(".graph-editor")
    expect(editor.locator("canvas").first).to_be_visible()
    before = drawn(editor)
    assert before, "the search found no edge"
    first, second = unjoined(editor)
    drag(page, handle_of(page, editor, first), node(editor, second))
    wait_drawn(editor, len(before) + 1)
    snap("2-graph-drawn")
    page.mouse.click(*middle(editor, first, second))
    page.keyboard.press("Delete")
    wait_drawn(editor, len(before))
    # The next edit comes before the page has come to its end: none may get lost.
    for _ in range(4):
        editor.get_by_role("button", name="Undo", exact=True).click()
        wait_drawn(editor, len(before) + 1)
        editor.get_by_role("button", name="Redo", exact=True).click()
        wait_drawn(editor, len(before))
    editor.get_by_role("button", name="Undo", exact=True).click()
    wait_drawn(editor, len(before) + 1)
    page.get_by_role("tab", name="What was changed").click()
    expect(page.get_by_text("added", exact=False).first).to_be_visible()
    finish = page.get_by_role("button", name="Complete to a DAG")
    if finish.is_enabled():
        finish.click()
    expect(page.get_by_text("a causal model can be fitted")).to_be_visible()
    snap("3-graph-dag")

    # Synthetic rows
    follow(page, "3 · Synthetic rows")
    number(page, "Synthetic rows per generator", 150)
    press(page, "Make synthetic rows")
    expect(page.get_by_role("tab", name="Column by column")).to_be_visible(timeout=LONG)
    expect(page.locator(".js-plotly-plot").first).to_be_visible()
    snap("4-synthetic")
    page.get_by_role("tab", name="Figures").click()
    snap("5-figures")
    page.get_by_role("tab", name="Rows and downloads").click()
    downloads = page.get_by_role("button", name="Download 150 rows as CSV")
    expect(downloads).to_have_count(3)
    from_browser = fetch(page, downloads.first)
    page.get_by_role("tab", name="Repeat it").click()
    repeat_by_command_line(
        fetch(page, page.get_by_role("button", name="Download training rows, graph")),
        target,
        from_browser,
        tmp_path,
    )

    # Fine-tune
    follow(page, "4 · Fine-tune")
    number(page, "Seeds", 1)
    number(page, "Labelled rows", 90)
    number(page, "Training steps at most", 4)
    press(page, "Launch")
    expect(page.locator(".js-plotly-plot").first).to_be_visible(timeout=LONG)
    snap("6-running")
    page.reload()
    expect(page.get_by_role("heading", name="What came out")).to_be_visible(timeout=LONG)
    expect(page.get_by_role("button", name="Cancel all")).to_have_count(0, timeout=LONG)
    expect(page.locator(".js-plotly-plot").first).to_be_visible()
    snap("7-done")

    # Predict
    follow(page, "5 · Predict")
    rows = tmp_path / "new rows.csv"
    pd.read_csv(file, dtype=str, keep_default_na=False).drop(columns=target).head(20).to_csv(
        rows, index=False
    )
    uploader = page.get_by_test_id("stFileUploader").filter(has_text="New rows")
    uploader.locator("input").set_input_files(rows)
    expect(page.get_by_role("heading", name="20 rows predicted")).to_be_visible(timeout=LONG)
    snap("8-predicted")
    predictions = fetch(page, page.get_by_role("button", name="Download the predictions"))
    assert len(pd.read_csv(io.BytesIO(predictions))) == 20


def repeat_by_command_line(bundle: bytes, target: str, wanted: bytes, folder: Path) -> None:
    """The same rows, graph, settings and seed give the same bytes without the browser."""
    with zipfile.ZipFile(io.BytesIO(bundle)) as archive:
        archive.extractall(folder)
    out = folder / "repeated.csv"
    status = main(
        [
            *("synthesize", str(folder / "training.csv"), "--target", target, "--quiet"),
            *("--kinds", str(folder / "kinds.json"), "--graph", str(folder / "graph.json")),
            *("--method", "causal", "--rows", "150", "--seed", "0", "--out", str(out)),
        ]
    )
    assert status == 0
    assert out.read_bytes() == wanted


# What a person does on a page


def press(page: Page, label: str) -> None:
    page.get_by_role("button", name=label).first.click()


def follow(page: Page, label: str) -> None:
    page.get_by_test_id("stSidebarNav").get_by_text(label).click()
    title = label.split("· ")[1]
    expect(page.get_by_role("heading", name=title, exact=True).first).to_be_visible()


# The drawing, whose parts are found by their names


def drawn(editor: Locator) -> list[list[str]]:
    edges: list[list[str]] = editor.evaluate(
        "(root) => root.cy.edges('.link').map((e) => [e.data('from'), e.data('to')])"
    )
    return edges


def wait_drawn(editor: Locator, count: int) -> None:
    """Wait until the drawing has so many edges."""
    for _ in range(300):
        if len(drawn(editor)) == count:
            return
        editor.page.wait_for_timeout(100)
    pytest.fail(f"{len(drawn(editor))} edges are drawn, not {count}")


def unjoined(editor: Locator) -> tuple[str, str]:
    """Two nodes without an edge between them that lie far apart."""
    names: list[str] = editor.evaluate(
        """(root) => {
            const nodes = root.cy.nodes('.variable').toArray();
            const pairs = [];
            for (const a of nodes) for (const b of nodes) {
                if (a === b || a.edgesWith(b).nonempty()) continue;
                const p = a.renderedPosition(), q = b.renderedPosition();
                pairs.push([Math.hypot(p.x - q.x, p.y - q.y), a.data('name'), b.data('name')]);
            }
            pairs.sort((x, y) => y[0] - x[0] || (x[1] < y[1] ? -1 : 1));
            return pairs[0].slice(1);
        }"""
    )
    return names[0], names[1]


def place(editor: Locator, expression: str, *names: str) -> tuple[float, float]:
    """Page coordinates of a place in the drawing."""
    editor.scroll_into_view_if_needed()
    x, y = editor.evaluate(
        f"""(root, names) => {{
            const cy = root.cy;
            const node = (name) => cy.nodes('.variable').filter((n) => n.data('name') === name);
            const point = {expression};
            const box = root.querySelector('.canvas').getBoundingClientRect();
            return [box.x + point.x, box.y + point.y];
        }}""",
        list(names),
    )
    return x, y


def node(editor: Locator, name: str) -> tuple[float, float]:
    return place(editor, "node(names[0]).renderedPosition()", name)


def middle(editor: Locator, a: str, b: str) -> tuple[float, float]:
    return place(editor, "node(names[0]).edgesWith(node(names[1])).renderedMidpoint()", a, b)


def handle_of(page: Page, editor: Locator, name: str) -> tuple[float, float]:
    """Hover over a node until its handle, from which edges are drawn, appears."""
    for _ in range(50):
        x, y = node(editor, name)
        page.mouse.move(x + 2, y + 2)
        page.mouse.move(x, y)
        page.wait_for_timeout(200)
        found = editor.evaluate(
            """(root) => {
                const handle = root.cy.getElementById('handle');
                if (handle.empty()) return null;
                const point = handle.renderedPosition();
                const box = root.querySelector('.canvas').getBoundingClientRect();
                return [box.x + point.x, box.y + point.y];
            }"""
        )
        if found:
            return found[0], found[1]
    pytest.fail(f"No handle appeared on {name}")


def drag(page: Page, start: tuple[float, float], stop: tuple[float, float]) -> None:
    page.mouse.move(*start)
    page.mouse.down()
    for step in range(1, 11):
        x, y = (a + (b - a) * step / 10 for a, b in zip(start, stop, strict=True))
        page.mouse.move(x, y)
    page.mouse.up()
