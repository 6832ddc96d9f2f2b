"""``python -m interop`` and, where not all are meant, the names of scenes: play them; 0 when every promise was kept."""

# ruff: noqa: T201
from __future__ import annotations

import asyncio
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from interop import bluesky, caldav_scene, matrix, site_scene, static_scene, validators_scene, wordpress_scene
from interop.calendar_server import Radicale, Xandikos
from interop.install import CannotInstall
from interop.report import Report

SCENE_S = 2_700
"""The first time, npm compiles for a quarter of an hour."""
SCENES: dict[str, Callable[[Report, Path], Awaitable[None]]] = {
    "radicale": partial(caldav_scene.read_and_write, Radicale),
    "xandikos": partial(caldav_scene.read_and_write, Xandikos),
    "wordpress": site_scene.play,
    "wordpress-publisher": wordpress_scene.play,
    "matrix": matrix.play,
    "bluesky": bluesky.play,
    "jekyll": partial(static_scene.play, "jekyll"),
    "hugo": partial(static_scene.play, "hugo"),
    "eleventy": partial(static_scene.play, "eleventy"),
    "validators": validators_scene.play,
}


@dataclass(frozen=True)
class Played:
    """One scene and how it went."""

    name: str
    report: Report
    took_s: float


async def main(names: Sequence[str]) -> int:
    """Play them one after the other, whatever becomes of each."""
    me = asyncio.current_task()
    assert me is not None
    # Also then the servers are ended.
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, me.cancel)
    played = [await _play(name) for name in names or SCENES]
    print("\n" + "\n".join(_table(played)))
    broken = [(one.name, promise) for one in played for promise in one.report.failed]
    for name, promise in broken:
        print(f"✗ {name}: {promise.splitlines()[0]}")
    kept, took = sum(one.report.kept for one in played), sum(one.took_s for one in played)
    print(f"\n{kept} promises kept, {len(broken)} broken, {took:.0f} s")
    return 1 if broken else 0


async def _play(name: str) -> Played:
    """One scene, in a folder that is gone afterwards."""
    report, begun = Report(), time.monotonic()
    with tempfile.TemporaryDirectory(prefix="syndicator-interop-") as folder:
        try:
            async with asyncio.timeout(SCENE_S):
                await SCENES[name](report, Path(folder))
        except CannotInstall as error:
            report.check(f"{name} could be installed", False, f"\n    fr : {error.fr}\n    en : {error.en}")
            for line in error.said.splitlines()[-16:]:
                report.note(f"| {line}")
        except Exception:  # noqa: BLE001 - the other scenes are played all the same
            report.check(f"{name} could be played to its end", False, traceback.format_exc())
    return Played(name, report, time.monotonic() - begun)


def _table(played: Sequence[Played]) -> list[str]:
    rows = [
        (one.name, one.report.server or "—", str(one.report.kept), str(len(one.report.failed)), f"{one.took_s:.0f} s") for one in played
    ]
    titles = ("scene", "server", "kept", "broken", "took")
    wide = [max(map(len, column)) for column in zip(titles, *rows, strict=True)]

    def line(cells: Sequence[str]) -> str:
        return "| " + " | ".join(f"{cell:{width}}" for cell, width in zip(cells, wide, strict=True)) + " |"

    return [line(titles), line(["-" * width for width in wide]), *map(line, rows)]


if __name__ == "__main__":
    if not set(sys.argv[1:]) <= set(SCENES):
        print(f"usage: python -m interop [{'] ['.join(SCENES)}]", file=sys.stderr)
        sys.exit(2)
    try:
        sys.exit(asyncio.run(main(sys.argv[1:])))
    except (KeyboardInterrupt, asyncio.CancelledError):
        sys.exit(130)
