"""A real browser for tests of pages: Debian's Chromium, driven by Playwright, with nothing of it going to the network.

The rule: where there is no Chromium the test says so and is skipped; CREDITLINE_REQUIRE_BROWSER=1 makes that an error.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip
PATIENCE_MS = 10_000  # generous: a wait that is not met by then has failed
WIDE, PHONE = (1440, 900), (390, 844)


@contextmanager
def chromium() -> Iterator[Browser]:
    """The browser, ended with the block; the test is skipped where it is not installed."""
    program = shutil.which("chromium")
    if program is None:
        if os.environ.get("CREDITLINE_REQUIRE_BROWSER") == "1":
            raise AssertionError("chromium is required and not on the PATH")
        pytest.skip("chromium is not on the PATH (apt-get install chromium)")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=list(FLAGS), chromium_sandbox=False)
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def visit(
    browser: Browser, address: str, size: tuple[int, int] = WIDE, *, scripts: bool = True, dark: bool = False
) -> Iterator[tuple[Page, list[str]]]:
    """A page in a window of its own, and what its console complained of so far (blocked by policy, script errors)."""
    context = browser.new_context(
        viewport={"width": size[0], "height": size[1]},
        java_script_enabled=scripts,
        color_scheme="dark" if dark else "light",
        service_workers="block",
    )
    try:
        page = context.new_page()
        page.set_default_timeout(PATIENCE_MS)
        complaints: list[str] = []
        page.on("console", lambda said: complaints.append(said.text) if said.type in {"error", "warning"} else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(address)
        yield page, complaints
    finally:
        context.close()
