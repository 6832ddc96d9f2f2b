"""What happens on a day of ``once_scene``, what the network can show of it, and how it is judged."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from syndicator import registry
from syndicator.contract import CanDelete, CanFind, CanUpdate, Limits
from syndicator.model import Delivery
from syndicator.route import Route, Style
from tests.once_networks import Shown
from tests.once_scene import THERE, Play, Stage, Strike

Case = Literal["create", "picture", "album", "video", "thread", "parts", "update", "replace", "note", "delete"]
NEWS: frozenset[Case] = frozenset({"create", "picture", "album", "video", "thread", "parts"})
"""Nothing was mirrored before."""
WITH_PICTURE: frozenset[Case] = frozenset({"picture", "update", "replace", "delete"})
SEVERAL = frozenset({"matrix", "rocketchat"})
"""Networks on which a picture is a message of its own."""
PARTS_MAX = 1000
"""Where more than this fits into one post, long texts take too long to cut so often."""
FIRST = "Bonjour à toutes et à tous, l'atelier vélo rouvre samedi."
SECOND = "Et n'oubliez pas vos gants : il fera froid."
CHANGED = "Bonjour à toutes et à tous, l'atelier vélo rouvre dimanche, finalement."


@dataclass(frozen=True, kw_only=True)
class Abilities:
    """What a network's connector can do, as its class says."""

    name: str
    kinds: frozenset[str]
    limits: Limits
    updates: bool
    deletes: bool
    tells: bool
    """Whether anybody can tell whether a post went out: its key, or a question."""

    @property
    def cases(self) -> tuple[Case, ...]:
        """What is played there."""
        media, notes = self.limits.media, "note" in self.kinds
        found: Mapping[Case, bool] = {
            "create": notes and not media.image_required,
            "picture": notes and bool(media.images_max),
            "video": not notes,
            "album": notes and media.images_max > 1 and self.name in SEVERAL,
            "thread": self.limits.threads,
            "parts": self.limits.threads and (self.limits.text_max or 0) <= PARTS_MAX,
            "update": self.updates,
            "replace": self.deletes and notes,
            "note": notes,
            "delete": self.deletes,
        }
        return tuple(case for case, played in found.items() if played)


def abilities(name: str) -> Abilities:
    """Of one network."""
    connector = registry.find("destinations", name)
    limits: Limits = connector.limits
    return Abilities(
        name=name,
        kinds=limits.kinds,
        limits=limits,
        updates=issubclass(connector, CanUpdate),
        deletes=issubclass(connector, CanDelete),
        tells=issubclass(connector, CanFind) or bool(limits.key_window_s),
    )


def route_of(case: Case) -> Route:
    """How the association wants it."""
    edit = case if case in ("replace", "note") else "update"
    style = Style(long_text="thread", link="never") if case == "parts" else Style()
    return Route(name="all", sources=("toots",), destinations=(THERE,), style=style, edit=edit)


@dataclass(frozen=True, kw_only=True)
class Reference:
    """What a day comes to when nothing goes wrong."""

    requests: list[str]
    shown: list[Shown]
    receipts: int


@dataclass(kw_only=True)
class Outcome:
    """How a day ended."""

    lost: int = 0
    doubled: int = 0
    parked: bool = False
    """Whether a person had to decide."""
    wrong: list[str] = field(default_factory=list)
    """All that was not as it must be."""


async def judge(play: Play, expected: list[Shown], *, tells: bool) -> Outcome:
    """What is not as it must be at the end of a day."""
    found = Outcome()
    expected = await decided(play, found, expected, tells=tells)
    shown, receipts = play.shown(), await play.receipts()
    there, wanted = Counter(shown), Counter(expected)
    found.lost, found.doubled = sum((wanted - there).values()), sum((there - wanted).values())
    if shown != expected:
        found.wrong.append(f"{shown} instead of {expected}")
    open_rows = [(row.purpose, row.state, row.reason) for row in await play.rows() if row.state not in ("done", "dropped")]
    if open_rows:
        found.wrong.append(f"unfinished {open_rows}")
    if not set(receipts) <= play.ids() or (not found.parked and len(receipts) < play.receipted):
        found.wrong.append(f"receipts {receipts} of {play.ids()}")
    return found


async def decided(play: Play, found: Outcome, expected: list[Shown], *, tells: bool) -> list[Shown]:
    """Have a person decide where one must; what must be seen then."""
    while parked := [row for row in await play.rows() if row.state == "parked"]:
        found.parked = True
        blind = [row for row in parked if row.reason == "unknown" and row.purpose in ("create", "announce-change")]
        if tells or blind != parked:
            found.wrong.append(f"parked {[(row.purpose, row.reason) for row in parked]}")
            break
        expected = await decide(play, parked[0], expected)
    return expected


async def decide(play: Play, row: Delivery, expected: list[Shown]) -> list[Shown]:
    """Look whether it is there, say so or have it sent again. What must be seen then: nobody told us the id of what was there."""
    before = play.shown()
    assert row.rendition is not None
    there = [one for one in before if one.text == row.rendition.text]
    await play.restart()
    now = play.clock()
    if there:
        await play.ask(lambda store: store.outbox.settle_by_hand(row.id, now))
    else:
        await play.ask(lambda store: store.outbox.retry(row.id, now))
    await play.settle()
    return [replace(one, answers="") if there and one.answers == row.rendition.text else one for one in expected]


async def undisturbed(stage: Stage, name: str, case: Case) -> Reference:
    """A day on which nothing goes wrong: what every other must come to."""
    async with Play(stage, name, route_of(case)) as play:
        await prepare(play, case)
        play.striker.arm()
        await play.settle()
        requests, shown, receipts = [*play.striker.seen], play.shown(), await play.receipts()
        found = await judge(play, shown, tells=True)
        assert found.wrong == []
        return Reference(requests=requests, shown=shown, receipts=len(receipts))


async def day(stage: Stage, name: str, case: Case, reference: Reference, *strikes: Strike) -> Outcome:
    """A day on which these things go wrong."""
    async with Play(stage, name, route_of(case)) as play:
        play.receipted = reference.receipts
        await prepare(play, case)
        play.striker.arm(*strikes)
        await play.settle()
        found = await judge(play, reference.shown, tells=abilities(name).tells)
        if len(play.striker.strikes) == len(strikes):
            found.wrong.append("nothing went wrong")
        return found


def _long(limits: Limits) -> str:
    """Two parts."""
    line = "Nous avons roulé longtemps, sous la pluie puis au soleil. "
    most = limits.text_max or 0
    return line * (most * 3 // 2 // len(line))


async def prepare(play: Play, case: Case) -> None:
    """Bring everything to the moment when the origin has news and nobody has looked yet."""
    of, found = play.world, abilities(play.name)
    if case == "parts":
        of.show(play.post(1, _long(found.limits)))
        return
    first = play.post(1, FIRST, **_media(play, case, found))
    of.show(first)
    if case == "thread":
        of.show(play.post(2, SECOND, in_reply_to=first.uid))
    if case in NEWS:
        return
    await play.settle()
    play.clock.go(hours=1)
    await play.restart()
    if case == "delete":
        of.hide(first.uid)
    else:
        of.show(replace(first, html=f"<p>{CHANGED}</p>"))


def _media(play: Play, case: Case, found: Abilities) -> dict[str, Any]:
    """What is not text."""
    if "note" not in found.kinds:
        return {"kind": "video", "title": "La balade", "attachments": (play.film,)}
    if not found.limits.media.images_max:
        return {}
    if case == "album":
        return {"attachments": (play.picture, replace(play.picture, url=play.picture.url.replace("velo", "pont"), description="Un pont"))}
    return {"attachments": (play.picture,)} if case in WITH_PICTURE or found.limits.media.image_required else {}
