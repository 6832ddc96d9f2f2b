"""What the tests of planning share: one route, two places, and what is known of them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from syndicator.model import Item
from syndicator.plan import Cancelled, Change, Facts, Known, Plan, Planned, Refused, Target, plan
from syndicator.route import Route

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
PARIS = ZoneInfo("Europe/Paris")
EVERYTHING = frozenset({"note", "article", "video", "live", "image", "audio", "event"})
OPENED = {("r", source, target): NOW - timedelta(days=30) for source in ("toots", "agenda") for target in ("wall", "x")}
ROUTE = Route(name="r", sources=("toots", "agenda"), destinations=("wall",))
EDITS = ("update", "replace", "announce-change", "cancel")
"""What an edit may still be waiting as."""
TARGETS = {"wall": Target(name="wall", type="mastodon", kinds=EVERYTHING), "x": Target(name="x", type="x", kinds=EVERYTHING)}


def change(item: Item, kind: Any = "new", **changes: Any) -> Change:
    return replace(Change(kind=kind, item=item, incarnation=0, revision=1 if kind == "new" else 2, first_seen_at=NOW), **changes)


def known(item: Item, state: str = "done", target: str = "wall", **changes: Any) -> dict[tuple[str, str], tuple[Known, ...]]:
    one = Known(id=1, route="r", part=0, incarnation=0, state=state, outcome_unknown=False)
    return {(item.uid, target): (replace(one, **changes),)}


def facts(**changes: Any) -> Facts:
    return replace(Facts(since=OPENED), **changes)


def outcome(*changes: Change, routes: tuple[Route, ...] = (ROUTE,), given: Facts | None = None, now: datetime = NOW) -> Plan:
    return plan(changes, routes, TARGETS, given or facts(), now)


def created(item: Item, **changes: Any) -> Planned:
    base = Planned(
        route="r", source=item.source, uid=item.uid, destination="wall", purpose="create", revision=0, due_at=NOW - timedelta(minutes=3)
    )
    return replace(base, **changes)


def refused(item: Item, reason: str, *, route: str = "r", target: str = "wall") -> Plan:
    return Plan(refused=(Refused(route=route, destination=target, uid=item.uid, reason=reason),))


def cancelled(item: Item, reason: str, *purposes: Any) -> Cancelled:
    return Cancelled(uid=item.uid, destination="wall", purposes=purposes or ("create", *EDITS, "remind", "retire"), reason=reason)


def followed(item: Item, purpose: Any, revision: int, **changes: Any) -> Planned:
    return created(item, purpose=purpose, revision=revision, due_at=NOW, parent_uid=item.uid, **changes)
