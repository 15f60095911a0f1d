"""What a person waits for, in Chromium: the first paint, and a transfer from the click to its toast."""

import asyncio
import gzip
import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from playwright.async_api import Browser, BrowserContext, Page, Response, async_playwright

from bench.load import Samples

_ROWS = 8
PAGES = ("/login", "/", "/inventory", "/suppliers/approvals", "/admin/users", "/audit", "/imports", "/apply")
_PAINT = """() => new Promise(resolve => {
  const found = () => performance.getEntriesByName('first-contentful-paint')[0];
  if (found()) return resolve(found().startTime);
  const look = () => { if (found()) resolve(found().startTime); };
  new PerformanceObserver(look).observe({type: 'paint', buffered: true});
})"""
# Measured inside the page: the clicks of a test driver come over a wire of their own.
_STOPWATCH = """() => {
  window.benchToasts = [];
  let began = 0;
  document.addEventListener('click', event => {
    if (event.target.closest('form [type=submit]')) began = performance.now();
  }, true);
  new MutationObserver(changes => {
    const added = changes.flatMap(change => [...change.addedNodes]).filter(node => node.nodeType === 1);
    const toast = '[data-sonner-toast]';
    if (began && added.some(node => node.matches(toast) || node.querySelector(toast))) {
      window.benchToasts.push(performance.now() - began);
      began = 0;
    }
  }).observe(document.body, {childList: true, subtree: true});
}"""


@dataclass
class Weights:
    """Bytes of the JavaScript a first visit of each page loads: compressed as `gzip -6`, and as it was sent."""

    gzipped: dict[str, int] = field(default_factory=dict)
    sent: dict[str, int] = field(default_factory=dict)


def chromium() -> str | None:
    """Return a Chromium, if this machine has one."""
    return os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")


@asynccontextmanager
async def _browser(path: str) -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        try:
            yield browser
        finally:
            await browser.close()


async def _signed_in(browser: Browser, base: str, token: str | None) -> BrowserContext:
    context = await browser.new_context(viewport={"width": 1440, "height": 900})
    if token:
        host = urlsplit(base).hostname or ""
        cookie = {"name": "session", "value": token, "domain": host, "path": "/", "httpOnly": True, "sameSite": "Lax"}
        await context.add_cookies([cookie])  # pyright: ignore[reportArgumentType]  # the keys it wants
    return context


async def weights(path: str, base: str, token: str) -> Weights:
    """Visit every page with an empty cache and weigh the scripts."""
    found = Weights()
    async with _browser(path) as browser:
        for page in PAGES:
            context = await _signed_in(browser, base, None if page in ("/login", "/apply") else token)
            scripts: dict[str, Response] = {}
            view = await context.new_page()
            view.on("response", lambda got, scripts=scripts: _keep_script(got, scripts))
            await view.goto(base + page, wait_until="networkidle")
            bodies = [await response.body() for response in scripts.values()]
            sizes = [await response.request.sizes() for response in scripts.values()]
            found.gzipped[page] = sum(len(gzip.compress(body, 6)) for body in bodies)
            found.sent[page] = sum(size["responseBodySize"] for size in sizes)
            await context.close()
    return found


def _keep_script(response: Response, scripts: dict[str, Response]) -> None:
    if response.request.resource_type == "script" or response.url.split("?")[0].endswith(".js"):
        scripts[response.url] = response


async def first_paints(path: str, base: str, token: str, times: int) -> dict[str, Samples]:
    """Measure the first contentful paint of two pages, with an empty cache each time."""
    found = {"/login": Samples(), "/inventory": Samples()}
    async with _browser(path) as browser:
        for _ in range(times):
            for page, samples in found.items():
                context = await _signed_in(browser, base, None if page == "/login" else token)
                view = await context.new_page()
                await view.goto(base + page)
                samples.seconds.append(await view.evaluate(_PAINT) / 1e3)
                await context.close()
    return found


async def click_to_toast(path: str, base: str, token: str, times: int) -> Samples:
    """Transfer a piece again and again, from the click on the button to the toast on the screen."""
    samples = Samples()
    async with _browser(path) as browser:
        context = await _signed_in(browser, base, token)
        view = await context.new_page()
        await view.goto(f"{base}/inventory")
        await view.locator("tbody tr").nth(_ROWS).wait_for()
        await view.evaluate(_STOPWATCH)
        for number in range(times):
            await _transfer(view, number)
        samples.seconds = [ms / 1e3 for ms in await view.evaluate("() => window.benchToasts")]
        if len(samples.seconds) != times:
            samples.faults.append(f"{times} transfers gave {len(samples.seconds)} toasts")
        await context.close()
    return samples


async def _transfer(view: Page, number: int) -> None:
    row = view.locator("tbody tr").nth(number % _ROWS)
    await row.hover()  # its buttons are shown to whoever points at it
    await row.get_by_role("button", name="Transfer", exact=True).click()
    form = view.get_by_role("dialog")
    await form.locator("[name=to_location_id]").select_option(index=1)
    await form.locator("[name=reason_code]").select_option(index=1)
    await form.locator("[name=quantity]").fill("1")
    await asyncio.sleep(0.5)  # the preview has been answered; people, too, take a moment
    seen = await view.evaluate("() => window.benchToasts.length")
    await form.locator("[type=submit]").click()
    await view.wait_for_function("seen => window.benchToasts.length > seen", arg=seen)
    await form.wait_for(state="hidden")
