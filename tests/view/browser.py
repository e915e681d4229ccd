"""A headless browser as tests drive it: the WebDriver protocol, spoken to chromedriver."""

import base64
import contextlib
import json
import shutil
import socket
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), ""
)
DRIVER = shutil.which("chromedriver") or ""
MISSING = "needs Chromium and chromedriver: apt install chromium chromium-driver"
"""Why what a browser shows is not checked."""

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
)


THEMES = {
    "light": ("--blink-settings=preferredColorScheme=1",),
    "dark": ("--blink-settings=preferredColorScheme=0",),
}
"""Flags with which a page sees a reader who prefers light or dark."""


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def listens(port: int) -> bool:
    """Whether somebody listens on a port of this machine."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def waited(what: Callable[[], Any], seconds: float = 60.0, pause: float = 0.02) -> Any:
    """What something becomes once it is true."""
    end = time.monotonic() + seconds
    while not (found := what()):
        assert time.monotonic() < end, "it did not come about in time"
        time.sleep(pause)
    return found


class Browser:
    """One window."""

    def __init__(self, address: str):
        self._address = address

    def ask(self, path: str, given: dict[str, Any] | None = None, method: str = "") -> Any:
        data = None if given is None else json.dumps(given).encode()
        request = urllib.request.Request(
            f"{self._address}{path}",
            data,
            {"Content-Type": "application/json"},
            method=method or ("GET" if given is None else "POST"),
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)["value"]

    def open(self, url: str) -> None:
        self.ask("/url", {"url": url})
        # On a busy machine chromedriver answers before a page from disk is read to its end.
        waited(lambda: self.run("return document.readyState === 'complete'"))

    def run(self, script: str, *given: Any) -> Any:
        return self.ask("/execute/sync", {"script": script, "args": list(given)})

    def press(self, *keys: str) -> None:
        """Press and let go of keys where the focus is."""
        actions = [{"type": kind, "value": it} for it in keys for kind in ("keyDown", "keyUp")]
        self.ask("/actions", {"actions": [{"type": "key", "id": "keys", "actions": actions}]})

    def drag(self, begin: tuple[float, float], end: tuple[float, float]) -> None:
        """Press the mouse at one place of the window, and let go at another."""
        (x1, y1), (x2, y2) = ((round(x), round(y)) for x, y in (begin, end))
        middle = {"x": (x1 + x2) // 2, "y": (y1 + y2) // 2}
        move = {"type": "pointerMove", "duration": 100, "origin": "viewport"}
        steps = [
            {**move, "x": x1, "y": y1},
            {"type": "pointerDown", "button": 0},
            {**move, **middle},
            {**move, "x": x2, "y": y2},
            {"type": "pointerUp", "button": 0},
        ]
        self.ask("/actions", {"actions": [{"type": "pointer", "id": "mouse", "actions": steps}]})

    def picture(self, path: Path) -> None:
        path.write_bytes(base64.b64decode(self.ask("/screenshot")))

    def log(self, kind: str) -> list[dict[str, Any]]:
        """What the console (`browser`) or the network (`performance`) has seen since last asked."""
        return self.ask("/se/log", {"type": kind})

    def requested(self) -> list[str]:
        """Addresses that were asked for since last asked."""
        events = [json.loads(it["message"])["message"] for it in self.log("performance")]
        return [
            it["params"]["request"]["url"]
            for it in events
            if it["method"] == "Network.requestWillBeSent"
        ]


@contextlib.contextmanager
def browser(
    folder: Path, width: int = 1440, height: int = 1000, more: tuple[str, ...] = ()
) -> Iterator[Browser]:
    """A window of a fresh profile, closed in the end."""
    port = free_port()
    with (folder / "chromedriver.log").open("wb") as log:
        driver = subprocess.Popen([DRIVER, f"--port={port}"], stdout=log, stderr=log)
    try:
        waited(lambda: listens(port))
        root = Browser(f"http://127.0.0.1:{port}")
        flags = [
            *FLAGS,
            *more,
            f"--window-size={width},{height}",
            f"--user-data-dir={folder / 'profile'}",
        ]
        wanted = {
            "goog:chromeOptions": {"binary": CHROMIUM, "args": flags},
            "goog:loggingPrefs": {"browser": "ALL", "performance": "ALL"},
        }
        session = root.ask("/session", {"capabilities": {"alwaysMatch": wanted}})["sessionId"]
        window = Browser(f"http://127.0.0.1:{port}/session/{session}")
        # A window is never narrower than 500 pixels; what a page is told of it can be.
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        window.ask(
            "/goog/cdp/execute", {"cmd": "Emulation.setDeviceMetricsOverride", "params": size}
        )
        try:
            yield window
        finally:
            window.ask("", method="DELETE")
    finally:
        driver.terminate()
        driver.wait(30)
