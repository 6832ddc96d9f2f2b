"""``syndicator outbox``: list what waits or needs a person; settle, retry or drop it."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from syndicator.cli import COMMANDS, FAILED, OK, show_json
from syndicator.cli.configuration import is_there, load_one
from syndicator.logs import clean, visible
from syndicator.model import Delivery
from syndicator.words import say

if TYPE_CHECKING:
    from syndicator.store import Store

HELP = COMMANDS["outbox"]


def add_arguments(parser: ArgumentParser, language: str) -> None:
    """``list [--all] [--json]``, ``done ID…``, ``retry ID…``, ``drop ID…``."""
    parser.add_argument("action", choices=("list", "done", "retry", "drop"), nargs="?", default="list", help=say(language, "outbox.action"))
    parser.add_argument("ids", type=int, nargs="*", metavar="ID", help=say(language, "outbox.ids"))
    parser.add_argument("--all", action="store_true", help=say(language, "outbox.all"))
    parser.add_argument("--json", action="store_true", help=say(language, "cli.json"))
    parser.set_defaults(refuse=parser.error)


def run(args: Namespace) -> int:
    """Show or change the outbox; 1 when a number means nothing."""
    from syndicator.store import Ledger

    config = load_one(args)
    if bool(args.ids) == (args.action == "list"):
        args.refuse(say(args.language, "outbox.no-ids" if args.action == "list" else "outbox.which", action=args.action))
    if not is_there(config.state_dir / "syndicator.db"):
        print(say(args.language, "status.never"), file=sys.stderr)
        return FAILED
    ledger = Ledger(config.state_dir / "syndicator.db")
    try:
        if args.action == "list":
            return _list(ledger, args)
        return max((_decide(ledger, args, delivery_id) for delivery_id in args.ids), default=FAILED)
    finally:
        ledger.close()


def _list(ledger: Any, args: Namespace) -> int:
    states = ("pending", "sending", "parked", "done", "dropped") if args.all else ("pending", "sending", "parked")
    rows: list[tuple[Delivery, str, str]] = ledger.transact_now(
        lambda store: [
            (delivery, _title(store, delivery), _todo(store, delivery, args.language)) for delivery in store.outbox.deliveries(*states)
        ]
    )
    if args.json:
        show_json([_data(delivery, title, todo) for delivery, title, todo in rows])
        return OK
    if not rows:
        print(say(args.language, "outbox.empty"))
    for delivery, title, todo in rows:
        print(_row(delivery, title, args.language))
        for line in (reason(delivery.reason, args.language) if delivery.reason else "", todo):
            if line:
                print(say(args.language, "outbox.reason", reason=line))
    return OK


def _decide(ledger: Any, args: Namespace, delivery_id: int) -> int:
    now = datetime.now(UTC)

    def decide(store: Store) -> bool:
        deciding = {"done": store.outbox.settle_by_hand, "retry": store.outbox.retry, "drop": store.outbox.abandon}
        changed = deciding[args.action](delivery_id, now)
        if changed:
            store.problems.clear(f"delivery:{delivery_id}")
        return changed

    if not ledger.transact_now(decide):
        print(say(args.language, "outbox.not-there", id=delivery_id))
        return FAILED
    print(say(args.language, f"outbox.after-{args.action}", id=delivery_id))
    return OK


def _title(store: Any, delivery: Delivery) -> str:
    from syndicator.text.html import to_text

    stored = store.items.item(delivery.source, delivery.uid)
    if stored is None:
        return delivery.uid
    text = stored.item.title or to_text(stored.item.html)
    return visible(" ".join(text.split())[:60]) or delivery.uid


def _todo(store: Any, delivery: Delivery, language: str) -> str:
    """What a person can do about a parked delivery."""
    from syndicator.alerts import describe

    if delivery.state != "parked":
        return ""
    problem = next((one for one in store.problems.open() if one.subject == f"delivery:{delivery.id}"), None)
    return "" if problem is None else describe(problem, language)[1]


def _row(delivery: Delivery, title: str, language: str) -> str:
    return say(
        language,
        "outbox.row",
        id=delivery.id,
        state=say(language, f"outbox.state.{delivery.state}"),
        purpose=say(language, f"outbox.purpose.{delivery.purpose}"),
        destination=delivery.destination,
        title=title,
    )


def reason(code: str, language: str) -> str:
    """A reason kept in the ledger, as words: ours from the catalogue, a service's as it stands."""
    try:
        return say(language, f"reason.{code}")
    except KeyError:
        return clean(code)


def _data(delivery: Delivery, title: str, todo: str) -> dict[str, Any]:
    names = ("id", "state", "purpose", "route", "source", "uid", "destination", "part", "attempts", "due_at", "outcome_unknown", "reason")
    return {name: getattr(delivery, name) for name in names} | {"title": title, "todo": todo}
