"""``python -m interop [radicale] [wordpress] [matrix] [bluesky]``: play the scenes; 0 when every promise was kept."""

# ruff: noqa: T201
from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from interop import bluesky, calendar_scene, matrix, site_scene
from interop.install import CannotInstall
from interop.report import Report

SCENE_S = 2_400
"""The first time, npm compiles for a quarter of an hour."""
SCENES: dict[str, Callable[[Report, Path], Awaitable[None]]] = {
    "radicale": calendar_scene.play,
    "wordpress": site_scene.play,
    "matrix": matrix.play,
    "bluesky": bluesky.play,
}


async def main(names: list[str]) -> int:
    """Play them one after the other, each in a folder that is gone afterwards."""
    report, begun = Report(), time.monotonic()
    for name in names or SCENES:
        with tempfile.TemporaryDirectory(prefix="syndicator-interop-") as folder:
            try:
                async with asyncio.timeout(SCENE_S):
                    await SCENES[name](report, Path(folder))
            except (CannotInstall, RuntimeError, TimeoutError) as error:
                report.check(f"{name} could be played", False, f"{type(error).__name__}: {error}")
    print(f"\n{report.kept} promises kept, {len(report.failed)} broken, {time.monotonic() - begun:.0f} s")
    return 1 if report.failed else 0


if __name__ == "__main__":
    if not set(sys.argv[1:]) <= set(SCENES):
        print(f"usage: python -m interop [{'] ['.join(SCENES)}]", file=sys.stderr)
        sys.exit(2)
    sys.exit(asyncio.run(main(sys.argv[1:])))
