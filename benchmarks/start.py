"""CPU of ``syndicator --help``, against a Python that does nothing."""

from __future__ import annotations

import resource
import subprocess
import sys

RUNS = 15


def run() -> None:
    """Print the medians and their ratio."""
    commands = {
        "python -c pass": ["-c", "pass"],
        "syndicator --help": ["-m", "syndicator", "--help"],
        "syndicator version": ["-m", "syndicator", "version"],
    }
    used: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(RUNS):
        for name, arguments in commands.items():
            used[name].append(_cpu_s([sys.executable, *arguments]))
    base = sorted(used["python -c pass"])[RUNS // 2]
    for name, seconds in used.items():
        median = sorted(seconds)[RUNS // 2]
        print(f"  {name:<24} {median * 1000:5.0f} ms of CPU  ×{median / base:.1f}")
    print("  promised: syndicator --help under 150 ms")


def _cpu_s(command: list[str]) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
