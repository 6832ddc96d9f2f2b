"""``syndicator status``: what is well, what waits, what needs a person; reads the ledger, asks nobody else."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from typing import Any

from syndicator.cli import COMMANDS, FAILED, OK, show_json, told
from syndicator.cli.configuration import load_all
from syndicator.config import Config
from syndicator.errors import StateError
from syndicator.words import say

HELP = COMMANDS["status"]


def add_arguments(parser: ArgumentParser, language: str) -> None:
    """``--json``."""
    parser.add_argument("--json", action="store_true", help=say(language, "cli.json"))


def run(args: Namespace) -> int:
    """Print every association's state; 1 when one needs a person."""
    import sys

    configs, errors = load_all(args)
    for error in errors:
        print(told(error, args.language), file=sys.stderr)
    states = []
    for config in configs:
        try:
            states.append(state_of(config))
        except StateError as error:
            print(told(error, config.association.language), file=sys.stderr)
            errors = [*errors, error]  # type: ignore[list-item]
    if args.json:
        show_json(states)
    else:
        for config, state in zip(configs, states, strict=False):
            _print(config, state)
    return FAILED if errors or any(state["problems"] for state in states) else OK


def state_of(config: Config) -> dict[str, Any]:
    """The association's state as data; raises StateError when its ledger cannot be read."""
    from syndicator.alerts import describe
    from syndicator.store import Ledger

    language = config.association.language
    path = config.state_dir / "syndicator.db"
    state: dict[str, Any] = {"association": config.slug, "run": path.exists(), "sources": {}, "destinations": {}, "problems": []}
    if not path.exists():
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
    state["sources"] = {name: {"items": items.get(name, 0)} for name in config.sources}
    for name, destination in config.destinations.items():
        state["destinations"][name] = {"role": destination.role, "paused_until": paused[name][0]} | {
            kind: counts.get((name, kind), 0) for kind in ("done", "pending", "sending", "parked", "dropped")
        }
    for problem in problems:
        what, todo = describe(problem, language)
        state["problems"].append({"subject": problem.subject, "since": problem.since, "what": what, "todo": todo, "detail": problem.detail})
    return state


def _print(config: Config, state: dict[str, Any]) -> None:
    language = config.association.language
    print(say(language, "status.title", association=config.association.name, slug=config.slug))
    if not state["run"]:
        print("  " + say(language, "status.never"))
        return
    print(f"  {say(language, 'status.sources')}")
    for name, source in state["sources"].items():
        print(f"    {name:<20} {say(language, 'status.items', count=source['items'])}")
    print(f"  {say(language, 'status.destinations')}")
    for name, destination in state["destinations"].items():
        print(f"    {name:<20} {_destination(destination, language)}")
    if not state["problems"]:
        print(f"  {say(language, 'status.no-problem')}")
        return
    print(f"  {say(language, 'status.problems')}")
    for problem in state["problems"]:
        since = say(language, "status.since", at=f"{problem['since']:%Y-%m-%d %H:%M} UTC")
        print(f"    ✗ {problem['what']} ({since})\n      → {problem['todo']}\n        {problem['detail']}")


def _destination(destination: dict[str, Any], language: str) -> str:
    if destination["role"] == "projection":
        return say(language, "status.fine")
    parts = [say(language, "status.sent", count=destination["done"])]
    waiting = destination["pending"] + destination["sending"]
    for key, count in (("waiting", waiting), ("parked", destination["parked"]), ("dropped", destination["dropped"])):
        if count:
            parts.append(say(language, f"status.{key}", count=count))
    if destination["paused_until"] is not None:
        parts.append(say(language, "status.paused", until=f"{destination['paused_until']:%H:%M} UTC"))
    return ", ".join(parts)
