# SPDX-License-Identifier: Apache-2.0
"""What it takes to build the smallest server from nothing."""

import json
import resource
import subprocess
import tempfile
import time
from pathlib import Path
from typing import List, Set

from .matrix import say
from .memory import stripped_mib
from .processes import Failure
from .programs import ROOT

PACKAGE = ROOT / "Benchmarks" / "Hello"


def build() -> List[dict]:
    """A clean release build: its time, its processor time, the packages behind it, the stripped program."""
    say("a clean release build of hello-world")
    with tempfile.TemporaryDirectory() as folder:
        command = ["swift", "build", "-c", "release", "--package-path", str(PACKAGE), "--scratch-path", folder]
        before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode != 0:
            raise Failure(f"hello-world cannot be built: {done.stdout[-400:]}")
        seconds, after = time.monotonic() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
        processor = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        program = Path(folder) / "release" / "hello-server"
        return [
            {"what": "hello-world, clean release build", "value": round(seconds), "unit": "s"},
            {"what": "hello-world, clean release build", "value": round(processor), "unit": "s of CPU"},
            {"what": "hello-world, packages fetched", "value": fetched(folder), "unit": ""},
            {"what": "hello-world, stripped", "value": stripped_mib(program), "unit": "MiB"},
        ]


def fetched(scratch: str) -> int:
    """Packages besides Apus itself."""
    command = ["swift", "package", "--package-path", str(PACKAGE), "--scratch-path", scratch]
    shown = subprocess.run(command + ["show-dependencies", "--format", "json"], check=True, capture_output=True)
    names: Set[str] = set()

    def visit(package: dict) -> None:
        for dependency in package["dependencies"]:
            if "://" in dependency["url"]:
                names.add(dependency["identity"])
            visit(dependency)

    visit(json.loads(shown.stdout))
    return len(names)
