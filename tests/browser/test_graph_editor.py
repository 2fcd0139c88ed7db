"""The graph editor with a real mouse and a real keyboard."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

APP = "tests/browser/apps/graph_page.py"
BUNDLE = Path("ui/graph_editor/build/graph_editor.js")


class Editor:
    """What a person sees and does: nodes and edges are found by their names."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.root: Locator = page.locator(".graph-editor")
        expect(self.root.locator("canvas").first).to_be_visible()
        page.wait_for_function("() => document.querySelector('[data-testid=stCode]')")

    def at(self, expression: str, *names: str) -> tuple[float, float]:
        """Page coordinates of a place in the drawing, given as JavaScript over `cy` and `names`."""
        x, y = self.root.evaluate(
            f"""(root, names) => {{
                const cy = root.cy;
                const node = (name) => cy.nodes('.variable').filter((n) => n.data('name') === name);
                const edge = () => node(names[0]).edgesWith(node(names[1]));
                const point = {expression};
                const box = root.querySelector('.canvas').getBoundingClientRect();
                return [box.x + point.x, box.y + point.y];
            }}""",
            list(names),
        )
        return x, y

    def node(self, name: str) -> tuple[float, float]:
        return self.at("node(names[0]).renderedPosition()", name)

    def end(self, at: str, other: str) -> tuple[float, float]:
        """A place on the edge a sixth of its length away from the node `at`."""
        return self.at(
            """(() => {
                const e = edge();
                const ends = [e.renderedSourceEndpoint(), e.renderedTargetEndpoint()];
                if (e.source().data('name') !== names[0]) ends.reverse();
                const [p, q] = ends;
                return { x: p.x + (q.x - p.x) / 6, y: p.y + (q.y - p.y) / 6 };
            })()""",
            at,
            other,
        )

    def middle(self, a: str, b: str) -> tuple[float, float]:
        return self.at("edge().renderedMidpoint()", a, b)

    def handle_of(self, name: str) -> tuple[float, float]:
        self.page.mouse.move(*self.node(name))
        self.page.wait_for_function(
            """() => [...document.querySelectorAll('*')].some((e) =>
                e.shadowRoot?.querySelector('.graph-editor')?.cy.getElementById('handle').nonempty())"""
        )
        return self.at("cy.getElementById('handle').renderedPosition()")

    def drag(self, start: tuple[float, float], stop: tuple[float, float]) -> None:
        self.page.mouse.move(*start)
        self.page.mouse.down()
        for step in range(1, 9):
            x, y = (a + (b - a) * step / 8 for a, b in zip(start, stop, strict=True))
            self.page.mouse.move(x, y)
        self.page.mouse.up()

    def press(self, name: str) -> None:
        self.root.get_by_role("button", name=name, exact=True).click()

    @property
    def status(self) -> Locator:
        return self.root.locator(".status")

    def drawn(self) -> list[str]:
        """The edges that the browser shows."""
        edges: list[str] = self.root.evaluate(
            """(root) => root.cy.edges('.link').map((e) => {
                const { from, to, sourceMark, targetMark } = e.data();
                return from < to ? `${from} ${sourceMark}-${targetMark} ${to}`
                                 : `${to} ${targetMark}-${sourceMark} ${from}`;
            })"""
        )
        return sorted(edges)

    def known(self) -> dict[str, Any]:
        """What Python holds, as the page prints it."""
        state: dict[str, Any] = json.loads(self.page.get_by_test_id("stCode").inner_text())
        return state

    def wait(self, what: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """Wait until Python's state is as wished."""
        for _ in range(300):
            if what(self.known()):
                return self.known()
            self.page.wait_for_timeout(100)
        pytest.fail(f"Python still holds {self.known()}")

    def wait_for_edge(self, edge: str) -> dict[str, Any]:
        return self.wait(lambda state: edge in state["edges"])

    def wait_without(self, edge: str) -> dict[str, Any]:
        return self.wait(lambda state: edge not in state["edges"])


@pytest.fixture(scope="module")
def address(app_server: Callable[..., str]) -> str:
    return app_server(APP)


@pytest.fixture
def editor(page: Page, address: str) -> Iterator[Editor]:
    page.goto(address)
    editor = Editor(page)
    yield editor
    assert editor.drawn() == editor.known()["edges"]


def test_a_drag_from_the_handle_draws_an_edge_that_undo_takes_back(
    editor: Editor, screenshots: Path
) -> None:
    before = editor.known()
    editor.drag(editor.handle_of("age"), editor.node("purpose"))
    after = editor.wait_for_edge("age tail-arrow purpose")
    assert after["edits"] == 1
    assert after["selected"] == ["age", "purpose"] or editor.wait(
        lambda state: state["selected"] == ["age", "purpose"]
    )
    expect(editor.status).to_contain_text("age → purpose: age causes purpose (drawn by you)")
    editor.page.screenshot(path=screenshots / "graph-edge-drawn.png")
    editor.press("Undo")
    editor.wait_without("age tail-arrow purpose")
    assert editor.known()["edges"] == before["edges"]
    editor.page.wait_for_timeout(300)
    editor.press("Redo")
    editor.wait_for_edge("age tail-arrow purpose")


def test_draw_mode_draws_from_anywhere_on_a_node(editor: Editor) -> None:
    editor.press("Draw edge")
    editor.drag(editor.node("duration"), editor.node("job"))
    editor.wait_for_edge("duration tail-arrow job")
    # A second edge between the same two is refused in words.
    editor.drag(editor.node("job"), editor.node("duration"))
    expect(editor.status).to_contain_text("joined already")
    # Dropped on nothing, nothing is drawn, and the drawing can be panned again.
    editor.drag(editor.node("job"), (editor.node("job")[0], editor.node("job")[1] - 70))
    assert editor.known()["edits"] == 1
    # A new drawing, as after an undo, still draws: no node is moved.
    editor.press("Undo")
    editor.wait_without("duration tail-arrow job")
    editor.page.wait_for_timeout(300)
    place = editor.node("duration")
    editor.drag(place, editor.node("purpose"))
    editor.wait_for_edge("duration tail-arrow purpose")
    assert editor.node("duration") == pytest.approx(place)
    assert editor.known()["layout"] == {}


def test_a_click_selects_and_a_click_near_an_end_of_the_selected_edge_turns_its_mark(
    editor: Editor, screenshots: Path
) -> None:
    for place in (editor.middle("age", "job"), editor.end("credit_amount", "job")):
        editor.page.mouse.click(*place)
    editor.wait(lambda state: state["selected"] == ["credit_amount", "job"])
    editor.page.mouse.click(*editor.middle("job", "credit_amount"))
    editor.page.wait_for_timeout(300)
    assert editor.known()["edits"] == 0
    for mark in ("circle", "tail", "arrow"):
        editor.page.mouse.click(*editor.end("credit_amount", "job"))
        editor.wait_for_edge(f"credit_amount {mark}-tail job")
    editor.page.mouse.click(*editor.end("job", "credit_amount"))
    editor.wait_for_edge("credit_amount arrow-arrow job")
    expect(editor.status).to_contain_text("share a hidden cause")
    editor.page.screenshot(path=screenshots / "graph-mark-changed.png")


def test_delete_removes_the_selected_edge_and_it_can_be_restored(
    editor: Editor, screenshots: Path
) -> None:
    editor.page.mouse.click(*editor.middle("age", "job"))
    editor.page.keyboard.press("Delete")
    editor.wait_without("age circle-arrow job")
    editor.page.wait_for_timeout(200)
    editor.page.screenshot(path=screenshots / "graph-edge-removed.png")
    editor.page.mouse.click(*editor.middle("age", "job"))
    expect(editor.status).to_contain_text("removed since")
    editor.press("Restore")
    editor.wait_for_edge("age circle-arrow job")
    editor.press("Delete")
    editor.wait_without("age circle-arrow job")


def test_a_moved_node_stays_where_it_was_put(editor: Editor) -> None:
    x, y = editor.node("age")
    editor.drag((x, y), (x + 60, y + 40))
    state = editor.wait(lambda state: state["edits"] == 1)
    place = editor.node("age")
    assert place == pytest.approx((x + 60, y + 40), abs=6)
    editor.page.get_by_role("button", name="Run again").click()
    editor.wait(lambda later: later["runs"] > state["runs"])
    assert editor.node("age") == place
    # An edit elsewhere on the page (here: undo) puts it back and keeps the others in place.
    job = editor.node("job")
    editor.page.get_by_role("button", name="Undo on the page").click()
    editor.wait(lambda state: state["done"] == 0)
    expect_place(editor, "age", (x, y))
    assert editor.node("job") == pytest.approx(job, abs=1)


def test_edits_made_faster_than_the_page_runs_are_all_kept(editor: Editor) -> None:
    editor.page.mouse.click(*editor.middle("age", "job"))
    expect(editor.status).to_contain_text("job")
    for key in ("r", "s", "t", "r", "s", "t", "Delete"):
        editor.page.keyboard.press(key)
    editor.wait(lambda state: state["edits"] == 7)
    for _ in range(3):
        editor.page.keyboard.press("Control+z")
        editor.page.wait_for_timeout(500)
    editor.wait(lambda state: state["done"] == 4)


def test_a_message_taken_back_leaves_the_editor_standing(page: Page) -> None:
    """Streamlit takes the first of two quick messages back after the second has arrived."""
    page.set_content("<div></div>")
    there = page.evaluate(
        """async (bundle) => {
            const url = URL.createObjectURL(new Blob([bundle], { type: "text/javascript" }));
            const { default: render } = await import(url);
            const host = document.querySelector("div");
            const parentElement = host.attachShadow({ mode: "open" });
            const data = { rev: "1", size: [900, 400], nodes: [{ name: "a", x: 0.5, y: 0.5 }],
                           edges: [], found: [], sentences: {} };
            const there = () => parentElement.querySelectorAll(".graph-editor").length;
            const message = () => render({ data, key: "k", parentElement, setStateValue() {} });
            const [first, second] = [message(), message()];
            const seen = [there()];
            first();
            seen.push(there());
            message();
            seen.push(there());
            host.remove();
            second();
            seen.push(there());
            return seen;
        }""",
        BUNDLE.read_text(encoding="utf-8"),
    )
    assert there == [1, 1, 1, 0]


def test_an_edit_against_the_knowledge_is_refused_with_the_reason(editor: Editor) -> None:
    editor.drag(editor.handle_of("class"), editor.node("duration"))
    expect(editor.status).to_contain_text("class → duration is forbidden")
    assert editor.drawn() == editor.known()["edges"]
    assert editor.known()["edits"] == 0


def test_everything_works_from_the_keyboard(editor: Editor) -> None:
    editor.root.focus()
    editor.page.keyboard.press("ArrowRight")
    expect(editor.status).to_contain_text("age o→ job")
    editor.page.keyboard.press("r")
    editor.wait_for_edge("age arrow-circle job")
    editor.page.keyboard.press("s")
    editor.wait_for_edge("age circle-circle job")
    editor.page.keyboard.press("Delete")
    editor.wait_without("age circle-circle job")
    editor.page.keyboard.press("d")
    editor.page.keyboard.press("ArrowDown")  # age
    editor.page.keyboard.press("Enter")
    for _ in range(4):  # job, savings_status, credit_amount, duration
        editor.page.keyboard.press("ArrowDown")
    editor.page.keyboard.press("Enter")
    editor.wait_for_edge("age tail-arrow duration")
    editor.page.keyboard.press("Escape")
    editor.page.keyboard.press("ArrowDown")
    editor.page.keyboard.press("Shift+ArrowRight")
    editor.wait(lambda state: state["edits"] == 5)
    editor.page.keyboard.press("Control+z")
    editor.wait(lambda state: state["done"] == 4)


def test_the_drawing_can_be_saved_as_a_picture(editor: Editor) -> None:
    with editor.page.expect_download() as download:
        editor.press("Picture")
    assert download.value.suggested_filename == "causal-graph.png"
    assert download.value.path().read_bytes().startswith(b"\x89PNG")


def test_the_drawing_can_fill_the_screen_and_come_back(editor: Editor) -> None:
    small = editor.root.locator(".canvas").bounding_box()
    editor.press("Full screen")
    whole = "() => Boolean(document.fullscreenElement)"
    editor.page.wait_for_function(whole)
    for _ in range(300):
        large = editor.root.locator(".canvas").bounding_box()
        if large != small:
            break
        editor.page.wait_for_timeout(100)
    assert small
    assert large
    assert large["width"] > small["width"]
    editor.press("Full screen")
    editor.page.wait_for_function(f"() => !({whole})()")


def test_found_changed_and_removed_edges_are_readable_in_light_and_dark(
    editor: Editor, screenshots: Path
) -> None:
    page = editor.page
    editor.drag(editor.handle_of("age"), editor.node("purpose"))
    editor.wait_for_edge("age tail-arrow purpose")
    page.mouse.click(*editor.middle("job", "age"))
    page.mouse.click(*editor.end("job", "age"))
    editor.wait_for_edge("age circle-circle job")
    page.mouse.click(*editor.middle("credit_amount", "class"))
    page.keyboard.press("Delete")
    editor.wait_without("class arrow-tail credit_amount")
    page.mouse.click(*editor.middle("job", "credit_amount"))
    grounds: set[str] = set()
    for scheme in ("light", "dark"):
        # Streamlit follows the system; the drawing must follow Streamlit while it stands.
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        for _ in range(300):
            text, ground = editor.root.evaluate(
                "(root) => [root.cy.nodes('.variable')[0].style('color'),"
                " getComputedStyle(root).backgroundColor]"
            )
            if ground not in grounds and contrast(text, ground) > 7:
                break
            page.wait_for_timeout(100)
        else:
            pytest.fail(f"{text} on {ground} is not readable, or {scheme} looks like the other")
        grounds.add(ground)
        page.screenshot(path=screenshots / f"graph-edited-{scheme}.png")


def expect_place(editor: Editor, name: str, place: tuple[float, float]) -> None:
    for _ in range(300):
        if editor.node(name) == pytest.approx(place, abs=6):
            return
        editor.page.wait_for_timeout(100)
    pytest.fail(f"{name} is at {editor.node(name)}, not at {place}")


def contrast(one: str, other: str) -> float:
    """The contrast ratio of two CSS rgb() colours (WCAG 2)."""

    def luminance(colour: str) -> float:
        channels = [int(part) / 255 for part in colour[colour.index("(") + 1 : -1].split(",")[:3]]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)
