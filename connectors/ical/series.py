"""Pure: the VEVENTs that share a UID → dates: rules, added and excluded dates, changed occurrences, "this and all that follow"."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta

from icalendar import vDDDTypes

from connectors.ical.recurrence import Budget, Refused, Rule, expand, parse_rule, parse_until
from connectors.ical.scan import Block, is_private
from connectors.ical.zones import Zone, Zones, is_utc

OCCURRENCES_MAX = 500
DATES_MAX = 5_000
RULES_MAX = 5
YEARS = range(1900, 2200)
_LENGTH_MAX = timedelta(days=3660)
_DAY = timedelta(days=1)


class Broken(ValueError):
    """The VEVENT cannot be shown: no start, an impossible date."""


@dataclass(frozen=True, kw_only=True)
class Moment:
    """A DATE or DATE-TIME with its zone: one side of a VEVENT."""

    wall: datetime
    """Naive."""
    zone: Zone
    is_date: bool = False

    @property
    def at(self) -> datetime:
        """The instant, UTC."""
        return self.zone.instant(self.wall)

    @property
    def day(self) -> str:
        """Its date on its own clock."""
        return f"{self.wall:%Y%m%d}"

    @property
    def key(self) -> str:
        """The value of a RECURRENCE-ID, normalised: a day, or an instant in UTC."""
        return self.day if self.is_date else f"{self.at:%Y%m%dT%H%M%SZ}"

    def moved(self, by: timedelta) -> Moment:
        """The same, later on the wall clock."""
        return replace(self, wall=self.wall + by)


@dataclass(frozen=True, kw_only=True)
class Member:
    """One VEVENT, its dates read."""

    block: Block
    start: Moment
    end: Moment | None
    """As written: exclusive when it is a DATE."""
    original: Moment | None = None
    """RECURRENCE-ID."""
    future: bool = False
    """RANGE=THISANDFUTURE."""

    @property
    def length(self) -> timedelta | None:
        """Start to end on the wall clock."""
        return None if self.end is None else self.end.wall - self.start.wall

    @property
    def sequence(self) -> int:
        """SEQUENCE."""
        text = self.block.value("SEQUENCE") or ""
        return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0


@dataclass(frozen=True, kw_only=True)
class Occurrence:
    """One date to show."""

    member: Member
    """Whose words it carries."""
    start: Moment
    end: Moment | None
    original: Moment | None = None
    """Its original start; None for an event that does not recur."""

    @property
    def key(self) -> str:
        """What tells it from the others of its UID."""
        return self.original.key if self.original else ""

    def within(self, since: datetime, until: datetime) -> bool:
        """Whether any of it lies between two instants."""
        end = self.end.at if self.end is not None else self.start.at
        return self.start.at <= until and max(end, self.start.at) >= since


def occurrences(blocks: Sequence[Block], zones: Zones, since: datetime, until: datetime, budget: Budget) -> list[Occurrence]:
    """The dates of one UID of which anything lies between two instants: at most ``OCCURRENCES_MAX``, the earliest first.

    Raises Refused for rules that are out of bounds, Broken for a VEVENT that cannot be read.
    """
    found = [occurrence for occurrence in dates(blocks, zones, since, until, budget) if occurrence.within(since, until)]
    return sorted(found, key=lambda occurrence: (occurrence.start.at, occurrence.key))[:OCCURRENCES_MAX]


def dates(blocks: Sequence[Block], zones: Zones, since: datetime, until: datetime, budget: Budget) -> list[Occurrence]:
    """The same without the last sieve: every changed occurrence, and all whose original start lies between the two instants."""
    hidden = [block for block in blocks if is_private(block)]
    if any(not block.has("RECURRENCE-ID") for block in hidden):
        return []
    excluded = [moment for block in hidden for moment in _moments(block, "RECURRENCE-ID", zones.default, zones)]
    hidden_from = [moment.at for block in hidden if _is_future(block) for moment in _moments(block, "RECURRENCE-ID", zones.default, zones)]
    members = [read_member(block, zones) for block in blocks if not is_private(block)]
    changed: dict[str, Member] = {}
    for member in members:
        if member.original is not None:
            changed[member.original.key] = _newer(changed.get(member.original.key), member)
    master: Member | None = None
    for member in members:
        master = _newer(master, member) if member.original is None else master
    found = [Occurrence(member=member, start=member.start, end=member.end, original=member.original) for member in changed.values()]
    if master is not None:
        found += _of_master(master, changed, excluded, since, until, zones, budget)
    end = min(hidden_from, default=None)
    return [occurrence for occurrence in found if end is None or occurrence.original is None or occurrence.original.at < end]


def _newer(known: Member | None, member: Member) -> Member:
    return member if known is None or member.sequence >= known.sequence else known


def read_member(block: Block, zones: Zones) -> Member:
    """The dates of one VEVENT. Raises Broken."""
    start = next(iter(_moments(block, "DTSTART", zones.default, zones)), None)
    if start is None:
        raise Broken("no usable DTSTART")
    end = next(iter(_moments(block, "DTEND", start.zone, zones)), None) or _by_duration(block, start)
    if start.is_date:
        # RFC 5545 3.6.1: a DATE without an end lasts a day. An end on the same day is a common mistake for the same.
        end = start.moved(_DAY) if end is None or (end.is_date and end.wall <= start.wall) else end
    if end is not None and (end.at < start.at or end.at - start.at > _LENGTH_MAX):
        end = None
    original = next(iter(_moments(block, "RECURRENCE-ID", start.zone, zones)), None)
    return Member(block=block, start=start, end=end, original=original, future=_is_future(block))


def _by_duration(block: Block, start: Moment) -> Moment | None:
    text = block.value("DURATION")
    if not text:
        return None
    try:
        length = vDDDTypes.from_ical(text)  # type: ignore[no-untyped-call]
    except (ValueError, OverflowError):
        return None
    if not isinstance(length, timedelta):
        return None
    return start.moved(length) if timedelta(0) <= length <= _LENGTH_MAX else None


def _is_future(block: Block) -> bool:
    return any(name == "RECURRENCE-ID" and ";RANGE=THISANDFUTURE" in line for name, line in block.lines)


def _moments(block: Block, name: str, floating: Zone, zones: Zones) -> list[Moment]:
    """The dates of every such property, in order; those that cannot be read are left out."""
    found: list[Moment] = []
    for head, values in (line.rsplit(":", 1) for known, line in block.lines if known == name):
        tzid = head.partition(';X-TZID="')[2].partition('"')[0]
        zone = zones.of(tzid) if tzid else floating
        found += [moment for value in values.split(",") if (moment := _moment(value.partition("/")[0].strip(), zone))]
    return found


def _moment(text: str, zone: Zone) -> Moment | None:
    try:
        value = parse_until(text)
    except Refused:
        return None
    if value.year not in YEARS:
        return None
    if not isinstance(value, datetime):
        return Moment(wall=datetime.combine(value, time()), zone=zone, is_date=True)
    if value.tzinfo is not None:
        return Moment(wall=value.replace(tzinfo=None), zone=Zone(name="UTC"))
    return Moment(wall=value, zone=zone)


def _of_master(
    master: Member,
    changed: dict[str, Member],
    excluded: list[Moment],
    since: datetime,
    until: datetime,
    zones: Zones,
    budget: Budget,
) -> list[Occurrence]:
    if not master.block.has("RRULE", "RDATE"):
        return [Occurrence(member=master, start=master.start, end=master.end)]
    followers = sorted((member for member in changed.values() if member.future and member.original), key=_original_at)
    reach = max([member.length or timedelta(0) for member in (master, *followers)]) + _DAY
    zone = master.start.zone
    walls = _walls(master, zone.wall(since) - reach, zone.wall(until) + _DAY, zones, budget)
    skipped = {name for moment in excluded for name in _names(moment, master)} | {
        name for member in changed.values() if member.original for name in _names(member.original, master)
    }
    found = []
    for wall in walls:
        original = replace(master.start, wall=wall)
        if original.key in skipped or original.day in skipped:
            continue
        found.append(_occurrence(original, master, followers))
    return found


def _original_at(member: Member) -> datetime:
    return member.original.at if member.original else member.start.at


def _names(moment: Moment, master: Member) -> set[str]:
    """What an excluded or changed date is recognised by: an instant, or a whole day where one side has no time."""
    return {moment.key, moment.day} if master.start.is_date else {moment.key}


def _occurrence(original: Moment, master: Member, followers: list[Member]) -> Occurrence:
    """The date that began as ``original``, after what was changed for it and all that follow."""
    member = next((follower for follower in reversed(followers) if _original_at(follower) <= original.at), master)
    start = original
    if member.original is not None:
        # Moved as much on the wall clock as the first of them was.
        start = replace(
            member.start, wall=member.start.zone.wall(original.at) + (member.start.wall - member.start.zone.wall(member.original.at))
        )
    end = None if member.end is None or member.length is None else replace(member.end, wall=start.wall + member.length)
    return Occurrence(member=member, start=start, end=end, original=original)


def _walls(master: Member, since: datetime, last: datetime, zones: Zones, budget: Budget) -> list[datetime]:
    """The starts of a series on its own clock, in order, without those excluded."""
    start, zone = master.start, master.start.zone
    added = _moments(master.block, "RDATE", zone, zones)
    removed = _moments(master.block, "EXDATE", zone, zones)
    if len(added) + len(removed) > DATES_MAX:
        raise Refused(f"{len(added) + len(removed)} single dates")
    walls = {start.wall} | {_on_clock(moment, start) for moment in added}
    walls |= _by_rules(master.block, "RRULE", start, since, last, budget)
    gone = _by_rules(master.block, "EXRULE", start, since, last, budget) if master.block.has("EXRULE") else set()
    skipped = {name for moment in removed for name in _names(moment, master)}
    kept = (wall for wall in walls - gone if since <= wall <= last)
    return sorted(wall for wall in kept if not {f"{wall:%Y%m%d}", replace(start, wall=wall).key} & skipped)


def _on_clock(moment: Moment, start: Moment) -> datetime:
    """An added date on the series' own clock; a bare date takes the series' time."""
    if start.is_date:
        return datetime.combine(moment.wall.date(), time())
    if moment.is_date:
        return datetime.combine(moment.wall.date(), start.wall.time())
    return moment.wall if moment.zone == start.zone else start.zone.wall(moment.at)


def _by_rules(block: Block, name: str, start: Moment, since: datetime, last: datetime, budget: Budget) -> set[datetime]:
    rules = [line.partition(":")[2] for known, line in block.lines if known == name]
    if len(rules) > RULES_MAX:
        raise Refused(f"{len(rules)} rules")
    found: set[datetime] = set()
    for rule in map(parse_rule, rules):
        if start.is_date:
            rule = replace(rule, by_hour=(), by_minute=(), by_second=())
        found.update(expand(rule, start.wall, since, min([last, *_until(rule, start)]), budget))
    return found


def _until(rule: Rule, start: Moment) -> Iterable[datetime]:
    """The last wall clock time that UNTIL allows; a bare date includes that day, as whoever wrote it meant."""
    if rule.until is None:
        return
    if not isinstance(rule.until, datetime):
        yield datetime.combine(rule.until, time.max)
    elif start.is_date:
        yield datetime.combine(rule.until.date(), time.max)
    elif rule.until.tzinfo is not None:
        yield start.zone.wall(rule.until.astimezone(UTC))
    else:
        yield rule.until


def shown_zone(occurrence: Occurrence, fallback: str) -> str:
    """The IANA name of the clock on which people read it: UTC is what machines write, not where anybody meets."""
    name = occurrence.start.zone.name
    return fallback if is_utc(name) else name
