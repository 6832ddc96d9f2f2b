"""``python -m benchmarks [NAME…]``: all benches, or those named."""

from __future__ import annotations

import importlib
import os
import platform
import sys
import time

BENCHES = {
    "idle": "what a look without news costs, with little and with much history",
    "weight": "memory of a running daemon",
    "start": "CPU of syndicator --help",
    "web": "requests a second of the web server",
    "website": "the website of 10,000 events: everything made, and one event changed",
    "publish": "from a new toot to five networks, and our own share of it",
    "agenda": "10,000 events of twenty calendars: a view of them, and one after one change",
    "mail": "an issue to 5,000 readers by SMTP",
    "many": "an association more in a host's process: memory and idle CPU",
}


def main(names: list[str]) -> int:
    """Run them one after the other; 2 when one is unknown."""
    unknown = [name for name in names if name not in BENCHES]
    if unknown:
        print(f"no bench is named {', '.join(unknown)}; there are: {', '.join(BENCHES)}", file=sys.stderr)
        return 2
    print(f"Python {platform.python_version()}, {os.cpu_count()} CPUs, {platform.system()} {platform.machine()}")
    for name in names or BENCHES:
        began = time.monotonic()
        print(f"\n{name}: {BENCHES[name]}", flush=True)
        importlib.import_module(f"benchmarks.{name}").run()
        print(f"  ({time.monotonic() - began:.0f} s)", flush=True)
    return 0


raise SystemExit(main(sys.argv[1:]))
