# SPDX-License-Identifier: Apache-2.0
"""The results as one picture, in SVG that is readable on light and dark pages."""

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import List, Tuple
from xml.sax.saxutils import escape

from .programs import WORKLOADS
from .tables import number

WIDTH, COLUMNS, ROW, HEAD, GAP = 960, 2, 22, 34, 24
LABEL = 96  # pixels of a bar's name
VALUE = 52  # pixels of its number

STYLE = """
  .page { fill: #ffffff } text { font: 12px system-ui, sans-serif; fill: #24292f } .title { font-weight: 600 }
  .bar { fill: #8c959f } .own { fill: #d1481f } .floor { fill: #2da44e }
  @media (prefers-color-scheme: dark) {
    .page { fill: #0d1117 } text { fill: #e6edf3 }
    .bar { fill: #6e7681 } .own { fill: #ff7b54 } .floor { fill: #3fb950 }
  }
"""


@dataclass
class Panel:
    """A title over bars with names and values."""

    title: str
    bars: List[Tuple[str, float]]

    @property
    def height(self) -> int:
        return HEAD + ROW * len(self.bars) + GAP

    def svg(self, left: float, top: float, width: float) -> str:
        longest = max(value for _, value in self.bars) or 1
        room = width - LABEL - VALUE
        lines = [f'<text class="title" x="{left:.0f}" y="{top + 18:.0f}">{escape(self.title)}</text>']
        for index, (name, value) in enumerate(self.bars):
            y = top + HEAD + ROW * index
            kind = "own" if name.startswith("apus") else "floor" if name == "limit" else "bar"
            length = max(1.0, room * value / longest)
            lines += [
                f'<text x="{left + LABEL - 8:.0f}" y="{y + 12:.0f}" text-anchor="end">{escape(name)}</text>',
                f'<rect class="{kind}" x="{left + LABEL:.0f}" y="{y:.0f}" width="{length:.1f}" height="16" rx="2"/>',
                f'<text x="{left + LABEL + length + 6:.1f}" y="{y + 12:.0f}">{number(value)}</text>',
            ]
        return "\n".join(lines)


def panels(results: dict) -> List[Panel]:
    """Processor time of servers, then of clients, then latency and memory: shorter is better in all of them."""
    shown = []
    for by, figure in [("server", "server_cpu_us_per_op"), ("client", "client_cpu_us_per_op")]:
        for name in ["unary", "chat", "download", "unary-64k"]:
            bars = _bars([c for c in results.get(by + "s", []) if c["workload"] == name], by, figure)
            shown.append(Panel(f"{by.capitalize()}: µs of CPU, {WORKLOADS[name].title}", bars))
    both = [cell for cell in results.get("both", []) if cell["workload"] == "single"]
    shown.append(Panel("Same library on both sides: median latency of one call, µs", _bars(both, "server", "p50_us")))
    rows = results.get("footprints", [])
    shown.append(Panel("Server: KiB an idle connection", _bars(rows, "server", "kib_per_connection")))
    return [panel for panel in shown if panel.bars]


def _bars(rows: List[dict], by: str, figure: str) -> List[Tuple[str, float]]:
    return [(row[by], row[figure]) for row in rows if row.get(figure) is not None]


def picture(results: dict) -> str:
    """The whole picture."""
    shown = panels(results)
    width = (WIDTH - GAP * (COLUMNS + 1)) / COLUMNS
    top, body = float(GAP), []
    for index in range(0, len(shown), COLUMNS):
        row = shown[index : index + COLUMNS]
        body += [panel.svg(GAP + (width + GAP) * column, top, width) for column, panel in enumerate(row)]
        top += max(panel.height for panel in row)
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {top:.0f}" width="{WIDTH}" '
            f'height="{top:.0f}" role="img" aria-label="Benchmark: shorter bars are better">',
            f"<style>{STYLE}</style>",
            f'<rect class="page" width="{WIDTH}" height="{top:.0f}" rx="6"/>',
            *body,
            "</svg>\n",
        ]
    )


def write(results: dict, folder: Path) -> None:
    """chart.svg, and chart.png where rsvg-convert is installed."""
    svg = folder / "chart.svg"
    svg.write_text(picture(results))
    if shutil.which("rsvg-convert"):
        subprocess.run(["rsvg-convert", "--zoom", "2", "-o", str(folder / "chart.png"), str(svg)], check=True)
