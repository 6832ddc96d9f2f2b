"""``syndicator version``: what to quote when asking for help."""

from __future__ import annotations

import platform
import sqlite3
from argparse import ArgumentParser, Namespace

import syndicator
from syndicator import registry
from syndicator.cli import COMMANDS, OK, show_json
from syndicator.words import say

HELP = COMMANDS["version"]


def add_arguments(parser: ArgumentParser, language: str) -> None:
    """``--json``."""
    parser.add_argument("--json", action="store_true", help=say(language, "cli.json"))


def run(args: Namespace) -> int:
    """Print versions and connector names; nothing is imported for it."""
    found = {
        "syndicator": syndicator.__version__,
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        "sources": list(registry.names("sources")),
        "destinations": list(registry.names("destinations")),
    }
    if args.json:
        show_json(found)
        return OK
    print(f"syndicator {found['syndicator']} (Python {found['python']}, SQLite {found['sqlite']})")
    print(say(args.language, "version.sources", names=", ".join(found["sources"])))
    print(say(args.language, "version.destinations", names=", ".join(found["destinations"])))
    return OK
