"""``syndicator run``: the daemon, in the foreground, as systemd wants it."""

from __future__ import annotations

import asyncio
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from datetime import UTC, datetime

from syndicator.cli import COMMANDS, OK
from syndicator.cli.configuration import load_all
from syndicator.config import Config
from syndicator.errors import ConfigError

HELP = COMMANDS["run"]


def add_arguments(parser: ArgumentParser, language: str) -> None:
    """None of its own."""


def run(args: Namespace) -> int:
    """Serve until SIGTERM or Ctrl-C."""
    from syndicator import logs, memory
    from syndicator.service import Service

    logs.set_up(args.environ, verbose=args.verbose)
    memory.settle()

    def load() -> tuple[Sequence[Config], Sequence[ConfigError]]:
        return load_all(args)

    many = args.config_dir is not None or (args.config is None and bool(args.environ.get("SYNDICATOR_CONFIG_DIR")))
    service = Service(load=load, environ=args.environ, now=lambda: datetime.now(UTC), language=args.language, many=many)
    asyncio.run(service.run())
    return OK
