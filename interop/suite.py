"""A contract suite of ``syndicator.testing`` played against a real server: each of its tests is a promise."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from xml.etree import ElementTree

from interop.processes import start
from interop.report import Report

SUITE_S = 900.0


async def contract(report: Report, file: str, folder: Path, env: Mapping[str, str], *, without: Sequence[str] = ()) -> None:
    """Run the tests of ``file`` by pytest and tell each of them, but those ``without`` meaning here: with these words in their names."""
    report.title("The contract suite")
    results = folder / "suite.xml"
    only = " and ".join(f"not {words}" for words in without)
    command = (sys.executable, "-m", "pytest", "--no-header", f"--junitxml={results}", "-k", only, file)
    running = await start(*command, log=folder / "suite.log", env=env)
    try:
        async with asyncio.timeout(SUITE_S):
            code = await running.process.wait()
    except TimeoutError:
        code = -1
    finally:
        await running.end()
    # 0: all passed; 1: some failed; anything else is no result.
    if code not in (0, 1):
        report.check("the contract suite comes to its end", False, "\n".join(running.lines()[-30:]))
    elif results.exists():
        _tell(report, results)


def _tell(report: Report, results: Path) -> None:
    for case in ElementTree.parse(results).iter("testcase"):  # noqa: S314 - pytest's own
        name = str(case.get("name")).removeprefix("test_").replace("_", " ")
        if case.find("skipped") is not None:
            report.note(f"skipped: {name}")
            continue
        trouble = [part.text or "" for part in case if part.tag in ("failure", "error")]
        report.check(name, not trouble, "\n".join(trouble))
