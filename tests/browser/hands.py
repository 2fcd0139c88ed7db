"""What a person's hands do on any page: choose, type, download; and again where a page was busy."""

from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page
from playwright.sync_api import TimeoutError as PlaywrightTimeout

ATTEMPTS = 20


def choose(page: Page, label: str, value: str, *, exact: bool = False) -> None:
    """Choose from a list; a page that is still running may close it."""
    box = page.get_by_test_id("stSelectbox").filter(has_text=label).locator("input")
    option = page.get_by_role("option", name=value, exact=exact).first
    for _ in range(ATTEMPTS):
        box.click()
        if exact:
            box.fill(value)
        try:
            option.click(timeout=3_000)
        except PlaywrightTimeout:
            box.press("Escape")
        else:
            return
    pytest.fail(f"{label} offers no {value}")


def number(page: Page, label: str, value: int) -> None:
    """Type a number."""
    box = page.get_by_role("spinbutton", name=label)
    box.fill(str(value))
    box.press("Tab")


def fetch(page: Page, button: Locator) -> bytes:
    """Download; a click on a button that a running page is about to replace does nothing."""
    for _ in range(ATTEMPTS):
        try:
            with page.expect_download(timeout=15_000) as caught:
                button.click()
        except PlaywrightTimeout:
            continue
        return Path(caught.value.path()).read_bytes()
    pytest.fail("The button gives no file")
