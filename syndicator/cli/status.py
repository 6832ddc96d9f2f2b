"""``syndicator status``: what is well, what waits, what needs a person; reads the ledger, asks nobody else."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from typing import Any

from syndicator.cli import COMMANDS, FAILED, OK, code_for, show_json, told
from syndicator.cli.configuration import is_there, load_all
from syndicator.cli.once import problem_lines
from syndicator.config import Config
from syndicator.errors import StateError
from syndicator.words import say

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
        items, counts, problems, paused = ledger.transact_now(
            lambda store: (
                store.items.counts(),
                store.outbox.counts(),
                store.problems.open(),
                {name: store.accounts.paused(name) for name in config.destinations},
            )
        )
    finally:
        ledger.close()
    state["problems"] = [as_data(problem, config.association.language) for problem in problems]
    troubled = {problem["key"] for problem in state["problems"]}
    state["sources"] = {name: {"ok": f"sources.{name}" not in troubled, "items": items.get(name, 0)} for name in config.sources}
    for name, destination in config.destinations.items():
        state["destinations"][name] = {
            "ok": f"destinations.{name}" not in troubled,
            "role": destination.role,
            "paused_until": paused[name][0],
        } | {kind: counts.get((name, kind), 0) for kind in ("done", "pending", "sending", "parked", "dropped")}
    return state


def _print(config: Config, state: dict[str, Any]) -> None:
    language = config.association.language
    print(say(language, "status.title", association=config.association.name, slug=config.slug))
    if not state["run"]:
        print("  " + say(language, "status.never"))
        return
    print(f"  {say(language, 'status.sources')}")
    for name, source in state["sources"].items():
        print(f"    {_mark(source)} {name:<20} {say(language, 'status.items', count=source['items'])}")
    print(f"  {say(language, 'status.destinations')}")
    for name, destination in state["destinations"].items():
        print(f"    {_mark(destination)} {name:<20} {_destination(destination, language)}")
    if not state["problems"]:
        print(f"  {say(language, 'status.no-problem')}")
        return
    print(f"  {say(language, 'status.problems')}")
    for problem in state["problems"]:
        since = say(language, "status.since", at=f"{problem['since']:%Y-%m-%d %H:%M} UTC")
        what, *rest = problem_lines(problem, language)
        print("\n".join(f"    {row}" for row in (f"{what} ({since})", *rest)))


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
    if destination["paused_until"] is not None:
        parts.append(say(language, "status.paused", until=f"{destination['paused_until']:%H:%M} UTC"))
    return ", ".join(parts)
