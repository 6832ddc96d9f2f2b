"""``syndicator accept SOURCE``: a person confirms that a source really lost most of its items."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace
from difflib import get_close_matches

from syndicator.cli import COMMANDS, FAILED, OK
from syndicator.cli.configuration import is_there, load_one
from syndicator.words import say

HELP = COMMANDS["accept"]


def add_arguments(parser: ArgumentParser, language: str) -> None:
    """The source's name."""
    parser.add_argument("source", help=say(language, "accept.name"))


def run(args: Namespace) -> int:
    """Let the next poll verify what is missing, however much it is."""
    from syndicator.store import Ledger

    config = load_one(args)
    if not is_there(config.state_dir / "syndicator.db"):
        print(say(args.language, "status.never"), file=sys.stderr)
        return FAILED
    ledger = Ledger(config.state_dir / "syndicator.db")
    try:
        polled = args.source in config.sources and ledger.transact_now(lambda store: not store.items.cursor(args.source)[1])
        if not polled:
            close = get_close_matches(args.source, config.sources, n=1)
            meant = say(args.language, "config.did-you-mean", name=close[0]) if close else ""
            print(say(args.language, "accept.no-source", name=args.source, meant=meant))
            return FAILED
        ledger.transact_now(lambda store: store.items.accept_emptied(args.source, accept=True))
    finally:
        ledger.close()
    print(say(args.language, "accept.accepted", name=args.source))
    return OK
