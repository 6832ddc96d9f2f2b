"""``syndicator status``: what is well, what waits, what needs a person; reads the ledger, asks nobody else."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from syndicator.cli import COMMANDS, FAILED, OK, code_for, show_json, told
from syndicator.cli.configuration import is_there, load_all
from syndicator.cli.once import problem_lines
from syndicator.config import Config
from syndicator.contract import Prices
from syndicator.errors import NotReady, StateError
from syndicator.expiring import day
from syndicator.words import say

if TYPE_CHECKING:
    from syndicator.store import Store

HELP = COMMANDS["status"]


def add_arguments(parser: ArgumentParser, language: str) -> None:
    """``--json``."""
    parser.add_argument("--json", action="store_true", help=say(language, "cli.json"))


def run(args: Namespace) -> int:
    """Print every association's state; 1 when one needs a person or cannot be read."""
    import sys

    configs, errors = load_all(args)
    for error in errors:
        print(told(error, args.language), file=sys.stderr)
    states, unreadable = [], False
    for config in configs:
        try:
            state = state_of(config)
        except StateError as error:
            language = config.association.language
            print(say(language, "check.line", subject=config.slug, text=told(error, language)), file=sys.stderr)
            unreadable = True
            continue
        states.append(state)
        if not args.json:
            _print(config, state)
    if args.json:
        show_json(states)
    if errors:
        return code_for(errors[0])
    return FAILED if unreadable or any(state["problems"] for state in states) else OK


def state_of(config: Config) -> dict[str, Any]:
    """The association's state as data; raises StateError when its ledger cannot be read."""
    from syndicator.alerts import as_data
    from syndicator.store import Ledger

    path = config.state_dir / "syndicator.db"
    state: dict[str, Any] = {"association": config.slug, "run": is_there(path), "sources": {}, "destinations": {}, "problems": []}
    if not state["run"]:
        return state
    ledger = Ledger(path)
    try:
        items, counts, problems, expiries, accounts = ledger.transact_now(
            lambda store: (
                store.items.counts(),
                store.outbox.counts(),
                store.problems.open(),
                store.accounts.expiries(),
                {name: _account(config, store, name) for name in config.destinations},
            )
        )
    finally:
        ledger.close()
    if config.newsletters:
        state["newsletters"] = _newsletters(config)
    zone = ZoneInfo(config.association.timezone)
    expiries = {account: at.astimezone(zone) for account, at in expiries.items()}
    state["problems"] = [as_data(problem, config.association.language) for problem in problems]
    troubled = {problem["key"] for problem in state["problems"]}
    state["sources"] = {
        name: {"ok": f"sources.{name}" not in troubled, "items": items.get(name, 0), "expires_at": expiries.get(f"sources.{name}")}
        for name in config.sources
    }
    for name, destination in config.destinations.items():
        state["destinations"][name] = {
            "ok": f"destinations.{name}" not in troubled,
            "role": destination.role,
            **accounts[name],
            "expires_at": expiries.get(f"destinations.{name}"),
        } | {kind: counts.get((name, kind), 0) for kind in ("done", "pending", "sending", "parked", "dropped")}
    return state


def _newsletters(config: Config) -> dict[str, Any]:
    """When each leaves next, whether that waits for a person, and what became of the last."""
    from syndicator.issue_list import listed  # the rules of letters: memory for those who have one

    found = listed(config, config.newsletters.values(), datetime.now(UTC))
    return {
        one.name: {"next_at": one.next_at, "review": one.review, "approved": one.approved, "last": one.data()["issues"][:1]}
        for one in found
    }


def _account(config: Config, store: Store, name: str) -> dict[str, Any]:
    """What the ledger says of a destination as a whole; ``spent`` and ``budget`` in the network's currency, for this month."""
    from syndicator.spending import month_of

    destination, now, zone = config.destinations[name], datetime.now(UTC), ZoneInfo(config.association.timezone)
    departed_at = store.accounts.departed().get(name)
    account: dict[str, Any] = {
        "paused_until": store.accounts.paused(name)[0],
        "departed_at": departed_at and departed_at.astimezone(zone),
        "standing": store.departing.left(name) if departed_at is not None else None,
    }
    if destination.role == "publisher" and destination.connector.limits.letter:
        account["letter"] = _under_way(store, name)
    prices: Prices | None = getattr(getattr(destination.connector, "limits", None), "prices", None)
    if prices is not None:
        spent = store.spending.spent(name, month_of(now, zone))
        account |= {"currency": prices.currency, "spent": spent / 1000, "budget": destination.pace.budget}
        account |= {"held": store.spending.held(name, now)}
    return account


def _under_way(store: Store, name: str) -> str | None:
    """How far the issue is that is being sent, as its connector says it: ``1200/5000``."""
    found = (row.reason.partition(": ") for row in store.outbox.waiting(name) if row.reason)
    return next((detail for kind, _, detail in found if kind == NotReady.__name__), None)


def _print(config: Config, state: dict[str, Any]) -> None:
    language = config.association.language
    print(say(language, "status.title", association=config.association.name, slug=config.slug))
    if not state["run"]:
        print("  " + say(language, "status.never"))
        return
    print(f"  {say(language, 'status.sources')}")
    for name, source in state["sources"].items():
        said = [say(language, "status.items", count=source["items"]), *_expiry(source, language)]
        print(f"    {_mark(source)} {name:<20} {', '.join(said)}")
    print(f"  {say(language, 'status.destinations')}")
    for name, destination in state["destinations"].items():
        print(f"    {_mark(destination)} {name:<20} {_destination(destination, language)}")
    if state.get("newsletters"):
        print(f"  {say(language, 'status.newsletters')}")
    for name, letter in state.get("newsletters", {}).items():
        print(f"    {'?' if letter['review'] and not letter['approved'] else '·'} {name:<20} {_newsletter(letter, config)}")
    if not state["problems"]:
        print(f"  {say(language, 'status.no-problem')}")
        return
    print(f"  {say(language, 'status.problems')}")
    for problem in state["problems"]:
        since = say(language, "status.since", at=f"{problem['since']:%Y-%m-%d %H:%M} UTC")
        what, *rest = problem_lines(problem, language)
        print("\n".join(f"    {row}" for row in (f"{what} ({since})", *rest)))


def _newsletter(letter: dict[str, Any], config: Config) -> str:
    """The next issue, and the one before."""
    from syndicator.issue_list import next_key
    from syndicator.text.dates import describe_instant

    language, timezone = config.association.language, config.association.timezone
    at = describe_instant(letter["next_at"], timezone, language)
    parts = [say(language, next_key(review=letter["review"], approved=letter["approved"]), at=at)]
    for last in letter["last"]:
        at = describe_instant(last["until_at"], timezone, language)
        parts.append(say(language, f"newsletter.row-{last['state']}", at=at, count=last["things"]))
    return " ; ".join(parts) if language.split("-")[0].lower() == "fr" else "; ".join(parts)


def _mark(part: dict[str, Any]) -> str:
    return "✓" if part["ok"] and not part.get("parked") else "✗"


def _destination(destination: dict[str, Any], language: str) -> str:
    if destination["role"] == "projection":
        return say(language, "status.fine" if destination["ok"] else "status.failing")
    parts = [say(language, "status.sent", count=destination["done"])]
    waiting = destination["pending"] + destination["sending"]
    for key, count in (("waiting", waiting), ("parked", destination["parked"]), ("dropped", destination["dropped"])):
        if count:
            parts.append(say(language, f"status.{key}", count=count))
    if destination.get("letter"):
        parts.append(say(language, "status.letter", progress=destination["letter"]))
    if destination["departed_at"] is not None:
        parts.append(say(language, "status.departed", date=day(destination["departed_at"].date(), language)))
        if destination["standing"]:
            parts.append(say(language, "status.standing", count=destination["standing"]))
    parts += [*_spent(destination, language), *_expiry(destination, language)]
    if destination["paused_until"] is not None:
        parts.append(say(language, "status.paused", until=f"{destination['paused_until']:%H:%M} UTC"))
    return ", ".join(parts)


def _spent(destination: dict[str, Any], language: str) -> Iterator[str]:
    """``1,23 $ sur 5,00 $ ce mois-ci``, where the network charges."""
    if "spent" not in destination or not (destination["spent"] or destination["budget"]):
        return
    from syndicator.text.cost import in_words

    spent, budget = (in_words(round((destination[key] or 0) * 1000), destination["currency"], language) for key in ("spent", "budget"))
    yield say(language, "status.spent" if destination["budget"] is None else "status.spent-of", spent=spent, budget=budget)
    if destination["held"]:
        yield say(language, "status.held", count=destination["held"])


def _expiry(account: dict[str, Any], language: str) -> Iterator[str]:
    if account["expires_at"] is not None:
        yield say(language, "status.expires", date=day(account["expires_at"].date(), language))
