# SPDX-License-Identifier: Apache-2.0
"""What a reader must know of the machine to believe the figures."""

import os
import platform
import re
import subprocess
from typing import List


def output(command: List[str]) -> str:
    """The first line that a command prints, or nothing."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
        return (done.stdout or done.stderr).strip().splitlines()[0] if done.returncode == 0 else ""
    except (OSError, IndexError, subprocess.TimeoutExpired):
        return ""


def _line(path: str, key: str) -> str:
    try:
        with open(path) as lines:
            found = next((line for line in lines if line.startswith(key)), "")
            return re.split("[:=]", found, maxsplit=1)[-1].strip().strip('"')
    except OSError:
        return ""


def describe() -> dict:
    """The processor, the system and the versions of what is compared."""
    memory = _line("/proc/meminfo", "MemTotal").split()
    versions = {
        library: output(["pkg-config", "--modversion", library])
        for library in ["libnghttp2", "libprotobuf-c", "libuv", "openssl", "grpc++", "protobuf"]
    }
    return {
        "processor": _line("/proc/cpuinfo", "model name") or platform.processor(),
        "processors": os.cpu_count(),
        "memory_gib": round(int(memory[0]) / (1 << 20), 1) if memory else None,
        "system": _line("/etc/os-release", "PRETTY_NAME") or platform.platform(),
        "kernel": platform.release(),
        "swift": output(["swift", "--version"]),
        "versions": {name: version for name, version in versions.items() if version},
        "load_average": round(os.getloadavg()[0], 2),
        "commit": output(["git", "rev-parse", "--short", "HEAD"]),
    }
