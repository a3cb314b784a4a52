#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Opens the admin page in a headless Chromium and says what a reader would see, as JSON.

    read_page.py URL [--token TOKEN] [--seconds N] [--pictures FOLDER]

The page is looked at wide and on a phone's width, in light and in dark: for each of them its text, its width beside that
of the window, and what the browser complained about. The browser is driven through a pair of pipes, so no port is open.
"""

import argparse
import base64
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

LOOKS = [("light", 1280, 1180), ("dark", 1280, 1180), ("light", 390, 844), ("dark", 390, 844)]
FLAGS = [
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--hide-scrollbars", "--remote-debugging-pipe",
]
PATIENCE = 120


class Browser:
    """Commands go in as JSON with a NUL behind it, answers and events come out the same way."""

    def __init__(self, program, folder):
        (to_browser, self.commands), (self.answers, from_browser) = os.pipe(), os.pipe()

        def place_pipes():
            # What is moved away first is not overwritten by the other one.
            into, out = os.dup(to_browser), os.dup(from_browser)
            os.dup2(into, 3)
            os.dup2(out, 4)

        self.process = subprocess.Popen(
            [program, *FLAGS, f"--user-data-dir={folder}", "about:blank"], preexec_fn=place_pipes, close_fds=False,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(to_browser)
        os.close(from_browser)
        self.rest, self.number, self.complaints = b"", 0, []

    def message(self):
        while b"\0" not in self.rest:
            more = os.read(self.answers, 1 << 16)
            if not more:
                sys.exit("the browser has ended")
            self.rest += more
        text, self.rest = self.rest.split(b"\0", 1)
        return json.loads(text)

    def ask(self, method, session=None, **parameters):
        self.number += 1
        command = {"id": self.number, "method": method, "params": parameters}
        if session:
            command["sessionId"] = session
        os.write(self.commands, json.dumps(command).encode() + b"\0")
        while True:
            message = self.message()
            self.note(message)
            if message.get("id") == self.number:
                if "error" in message:
                    sys.exit(f"{method}: {message['error']}")
                return message["result"]

    def note(self, message):
        method, parameters = message.get("method"), message.get("params", {})
        if method == "Runtime.exceptionThrown":
            details = parameters["exceptionDetails"]
            self.complaints.append(details.get("exception", {}).get("description", details["text"]))
        elif method == "Log.entryAdded" and parameters["entry"]["level"] == "error":
            self.complaints.append(parameters["entry"]["text"])
        elif method == "Runtime.consoleAPICalled" and parameters["type"] in ("error", "warning"):
            self.complaints.append(json.dumps(parameters["args"]))


class Page:
    def __init__(self, browser, url):
        self.browser = browser
        target = browser.ask("Target.createTarget", url="about:blank")["targetId"]
        self.session = browser.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log"):
            self.ask(f"{domain}.enable")
        self.look("light", 1280, 1180)
        self.ask("Page.navigate", url=url)

    def ask(self, method, **parameters):
        return self.browser.ask(method, self.session, **parameters)

    def value(self, expression):
        return self.ask("Runtime.evaluate", expression=expression, returnByValue=True)["result"].get("value")

    def wait_until(self, expression):
        end = time.monotonic() + PATIENCE
        while not self.value(expression):
            if time.monotonic() > end:
                sys.exit(f"never true: {expression}\n{self.value('document.body.innerText')}\n{self.browser.complaints}")
            time.sleep(0.1)

    def look(self, scheme, width, height):
        self.ask("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
        self.ask("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)

    def picture(self, path, width, height):
        clip = {"x": 0, "y": 0, "width": width, "height": height, "scale": 1}
        data = self.ask("Page.captureScreenshot", format="png", clip=clip)["data"]
        with open(path, "wb") as file:
            file.write(base64.b64decode(data))


LIVE = "document.getElementById('link').textContent === 'live' && document.querySelectorAll('#totals dd').length > 0"


def read(page, arguments):
    page.wait_until("document.readyState === 'complete'")
    if arguments.token:
        page.wait_until("!document.getElementById('login').hidden")
        page.value(f"document.getElementById('token').value = {json.dumps(arguments.token)}")
        page.value("document.querySelector('#login button').click()")
    page.wait_until(LIVE)
    if arguments.seconds:
        page.wait_until(f"snapshots.length > 1 && snapshots.at(-1).uptime - snapshots[0].uptime >= {arguments.seconds}")
    policies = read_policies(page)
    looks = []
    for scheme, width, height in LOOKS:
        page.look(scheme, width, height)
        page.wait_until(f"innerWidth === {width} && matchMedia('(prefers-color-scheme: {scheme})').matches")
        looks.append({
            "scheme": scheme, "width": width, "text": page.value("document.body.innerText"),
            "content_width": page.value("document.documentElement.scrollWidth"),
            "ground": page.value("getComputedStyle(document.body).backgroundColor"),
        })
        if arguments.pictures:
            page.picture(os.path.join(arguments.pictures, f"{scheme}-{width}.png"), width, height)
    return looks, policies


def read_policies(page):
    """What the policies' section says: closed at first, opened with the keyboard, and left open."""
    if page.value("document.getElementById('policies').open || document.getElementById('policy-list').children.length"):
        sys.exit("the policies are open without having been asked for")
    page.value("document.querySelector('#policies summary').focus()")
    for kind in ("keyDown", "keyUp"):
        page.ask("Input.dispatchKeyEvent", type=kind, key="Enter", code="Enter", text="\r", windowsVirtualKeyCode=13)
    page.wait_until("document.getElementById('policies').open && document.querySelector('#policy-list table') !== null")
    return page.value("document.getElementById('policy-list').innerText")


def give_up(*_):
    sys.exit("the browser does not answer")


def main():
    signal.signal(signal.SIGALRM, give_up)
    signal.alarm(300)
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("url")
    parser.add_argument("--token")
    parser.add_argument("--seconds", type=float, default=0, help="first watch for so long")
    parser.add_argument("--pictures", help="a folder for PNGs")
    arguments = parser.parse_args()
    program = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if program is None:
        sys.exit("no Chromium: .ci/setup --peers installs it")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        browser = Browser(program, folder)
        try:
            looks, policies = read(Page(browser, arguments.url), arguments)
        finally:
            browser.process.kill()
            browser.process.wait()
    json.dump({"looks": looks, "policies": policies, "complaints": browser.complaints}, sys.stdout)


main()
