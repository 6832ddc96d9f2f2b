"""``syndicator run`` that SIGKILLs itself at a moment of an issue's life, in a process of its own."""

from __future__ import annotations

import os
from collections.abc import Callable
from multiprocessing import get_context
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

from syndicator.cli import main
from syndicator.store import Ledger, Store
from tests.kill_child import die

CONTEXT = get_context("forkserver")
LATE_IMPORTS = (
    "connectors.feed",
    "connectors.mail",
    "mjml",
    "nh3",
    "jinja2",
    "selectolax.lexbor",
    "syndicator.cli.run",
    "syndicator.service",
    "syndicator.daemon",
)
REACHED = {
    "begun": "select 1 from issue where state = 'review'",
    "mailed": "select 1 from review where mailed_at is not null",
    "pressed": "select 1 from review where presses > 0",
    "made": "select 1 from issue where state = 'made'",
    "sending": "select 1 from delivery where state = 'sending'",
}
"""Moment → what the ledger holds from then on."""


def started(command: str, config: Path, moment: str = "") -> ForkServerProcess:
    """``syndicator run`` or ``once``, which ends at ``moment``: ``made:inside`` is before the commit that makes an issue.

    What it logs goes to ``log`` beside the configuration.
    """
    CONTEXT.set_forkserver_preload([__name__, *LATE_IMPORTS])
    process = CONTEXT.Process(target=_work, args=(command, str(config), str(config.parent / "log"), moment), daemon=True)
    process.start()
    return process


def _work(command: str, config: str, log: str, moment: str) -> None:
    os.dup2(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), 2)
    what, _, stage = moment.partition(":")
    if what in REACHED:
        _arm(REACHED[what], stage)
    raise SystemExit(main([command, "--config", config], {"LANG": "C.UTF-8", "SYNDICATOR_LANGUAGE": "fr"}))


def _arm(sql: str, stage: str) -> None:
    real = Ledger.transact_now

    def transact_now(ledger: Ledger, work: Callable[[Store], Any]) -> Any:
        reached = False

        def inside(store: Store) -> Any:
            nonlocal reached
            result = work(store)
            reached = store.issues._db.conn.execute(sql).fetchone() is not None
            if reached and stage == "inside":
                die()
            return result

        result = real(ledger, inside)
        if reached:
            die()
        return result

    setattr(Ledger, "transact_now", transact_now)  # noqa: B010 - a method is replaced, on purpose
