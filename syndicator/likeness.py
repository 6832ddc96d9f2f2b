"""Which events are the same one, told by several sources: a concert on its own instance, in the town's calendar, in a partner's. Pure.

Two copies are one event when they have

- the same uid;
- or a name in common (the page of the one, the UUID in the uid of the other), and the title or the beginning as well; of a page that is
  the uid of neither, a title that says as much. A page that one source gives to several of its events names one only with its beginning;
- or, from two different sources, the same title, the same beginning (instant, or days) and no other place.

Hiding an event is worse than showing it twice, so what is uncertain stays apart: what one source lists twice is two, a copy joins others
only if it agrees with all of them about the place, and a copy without a place that could be either of two events is neither.
"""

from __future__ import annotations

import functools
import math
import re
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, tzinfo
from urllib.parse import parse_qsl, urlencode, urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from syndicator.model import Event, Place

NEAR_M = 200
"""Two positions no farther apart are one place, in metres."""
FAR_M = 5_000
"""Beyond this, two places are two, whatever they are called: every town has its Salle des fêtes."""
ALIKE_MAX = 40
"""A title and a beginning that more copies share tell nothing of any of them."""

_UUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", re.IGNORECASE)
_OCCURRENCE = re.compile(r"#[0-9]{8}(?:T[0-9]{6}Z?)?$")
_CANCELLED = re.compile(r"^(?:annulee?|cancell?ed) ")
"""What feeds write before a title, ours too, because many calendar programs show no status."""
_TRACKING = ("utm_", "mtm_", "pk_", "fbclid", "gclid")
_BETWEEN = re.compile(r"[\W_]+")
_EARTH_M = 6_371_000
_Start = tuple[str, int]


@dataclass(frozen=True, kw_only=True, slots=True)
class Traits:
    """What one copy of an event is looked up by, as numbers that are equal where it may be the same; made once for each copy."""

    uid: int
    names: tuple[int, ...]
    start: int
    likeness: int | None
    """Title and beginning; None without a title."""


Copy = tuple[Event, Traits]


def same(one: Event, other: Event) -> bool:
    """Whether two copies are one event, as far as the two alone can tell; ``together`` knows the others as well."""
    if one.uid == other.uid:
        return True
    return one.source != other.source and (_named_alike(one, other) or (_alike(one, other) and near(one.place, other.place)))


def traits_of(event: Event) -> Traits:
    """What this copy's others are found by."""
    start, title = _start(event), folded_title(event.title)
    return Traits(
        uid=hash(event.uid),
        names=tuple(hash(("name", name)) for name in sorted(names_of(event))),
        start=hash(start),
        likeness=hash((title, start)) if title else None,
    )


def together(copies: Sequence[Copy]) -> list[tuple[int, ...]]:
    """The positions of the copies of each event that has several, whatever the order of ``copies``; about linear in their number."""
    groups = _Groups(copies)
    for bucket in groups.ordered(_uids(copies)):
        groups.join(bucket, _always)
    for bucket in groups.ordered(_named(copies)):
        groups.join(bucket, _named_alike)
    likenesses = (((traits.likeness,) if traits.likeness is not None else ()) for _, traits in copies)
    for bucket in groups.ordered(_shared(copies, likenesses)):
        if len(bucket) <= ALIKE_MAX:
            groups.settle(bucket)
    return groups.several()


def preferred(copies: Iterable[Event], hosts: Mapping[str, frozenset[str]], order: Mapping[str, int]) -> list[Event]:
    """The copies of one event, the best first: read at the event's own host, then the richest, then as the configuration names the sources.

    ``hosts``: source → the hosts that it reads; ``order``: source → its place in the configuration.
    """

    def rank(event: Event) -> tuple[int, int, int, str, str]:
        reads = hosts.get(event.source, frozenset())
        # A uid that is an address is a home by itself; a page may be that of a calendar which gathers what others do.
        home = 2 * (_host(event.uid) in reads) or (not _host(event.uid) and _host(event.url) in reads)
        riches = bool(event.html.strip()) + (event.image is not None) + _is_told(event.place)
        return (-home, -riches, order.get(event.source, len(order)), event.source, event.uid)

    return sorted(copies, key=rank)


def _host(url: str) -> str:
    try:
        parts = urlsplit(url)
        return (parts.hostname or "").removeprefix("www.") if parts.scheme in ("http", "https") else ""
    except ValueError:
        return ""


def names_of(event: Event) -> frozenset[str]:
    """What other programs may call it: its pages, however written, and the UUID that it was given."""
    return _own_names(event) | {name for name in (_page(event.url), _uuid(event.url)) if name}


def _own_names(event: Event) -> frozenset[str]:
    """Those that its uid gives it, and nothing else."""
    uid = _OCCURRENCE.sub("", event.uid)
    return frozenset(name for name in (_page(uid), _uuid(uid), _uuid(uid.partition("@")[0])) if name)


def _uuid(text: str) -> str:
    last = text.rstrip("/").rpartition("/")[2].lower()
    return last if _UUID.fullmatch(last) else ""


def _page(url: str) -> str:
    """One spelling of an address that names something; empty for a site's front page, and for what is no address."""
    if not url.startswith(("http://", "https://")):
        return ""
    try:
        parts = urlsplit(_OCCURRENCE.sub("", url))
        host = f"{(parts.hostname or '').removeprefix('www.')}:{parts.port or ''}"
    except ValueError:
        return ""
    query = parts.query
    if "=" in query:
        query = urlencode([(key, value) for key, value in parse_qsl(query) if not key.startswith(_TRACKING)])
    path = parts.path.rstrip("/")
    return f"{host}{path}?{query}#{parts.fragment}" if path or query or parts.fragment else ""


@functools.lru_cache(maxsize=1_024)
def folded(text: str) -> str:
    """Words without case, accents or punctuation."""
    if not text.isascii():
        decomposed = unicodedata.normalize("NFKD", text)
        text = "".join(letter for letter in decomposed if not unicodedata.combining(letter))
    return _BETWEEN.sub(" ", text.casefold()).strip()


def folded_title(title: str) -> str:
    """A title without case, accents, punctuation, or the word for "cancelled" before it."""
    plain = folded(title)
    return _CANCELLED.sub("", plain)


def _start(event: Event) -> _Start:
    """When it begins: the day, or the minute."""
    if event.start_is_date:
        return ("day", event.starts_at.astimezone(_clock(event)).toordinal())
    return ("minute", int(event.starts_at.timestamp()) // 60)


def _last_day(event: Event) -> date | None:
    return None if event.ends_at is None else event.ends_at.astimezone(_clock(event)).date()


def _clock(event: Event) -> tzinfo:
    try:
        return ZoneInfo(event.timezone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return event.starts_at.tzinfo or UTC


def _always(one: Event, other: Event) -> bool:
    return one.uid == other.uid


def _named_alike(one: Event, other: Event) -> bool:
    shared = names_of(one) & names_of(other)
    if not shared:
        return False
    title, other_title = folded_title(one.title), folded_title(other.title)
    if _start(one) == _start(other):
        # A page that is the uid of neither may be that of a whole programme.
        return not shared.isdisjoint(_own_names(one) | _own_names(other)) or _within(title, other_title) or _within(other_title, title)
    return not (one.recurrence_id or other.recurrence_id) and bool(title) and title == other_title


def _alike(one: Event, other: Event) -> bool:
    title = folded_title(one.title)
    if not title or title != folded_title(other.title) or _start(one) != _start(other):
        return False
    last = (_last_day(one), _last_day(other)) if one.start_is_date else (None, None)
    return None in last or last[0] == last[1]


def near(one: Place | None, other: Place | None) -> bool:
    """Whether two places may be one: near each other, or named alike in one town; a place that nothing is said of may be any."""
    if not _is_told(one) or not _is_told(other) or one is None or other is None:
        return True
    metres = _metres(one, other)
    if metres is not None and (metres <= NEAR_M or metres > FAR_M):
        return metres <= NEAR_M
    town, other_town = folded(one.locality), folded(other.locality)
    if town and other_town and not (_within(town, other_town) or _within(other_town, town)):
        return False
    name, other_name = folded(one.name), folded(other.name)
    if name and other_name:
        return _within(name, _whole(other)) or _within(other_name, _whole(one))
    said, other_said = (text for text in (name or folded(one.street) or town, other_name or folded(other.street) or other_town))
    if not said or not other_said:  # one of them is only a point on the map
        return True
    return _within(said, _whole(other)) or _within(other_said, _whole(one)) or bool(town and town == other_town)


def _is_told(place: Place | None) -> bool:
    return place is not None and bool(place.name or place.street or place.locality or place.latitude is not None)


def _whole(place: Place) -> str:
    return folded(f"{place.name} {place.street} {place.postal_code} {place.locality}")


def _within(words: str, text: str) -> bool:
    return f" {words} " in f" {text} "


def _metres(one: Place, other: Place) -> float | None:
    """The distance on the sphere (haversine)."""
    degrees = (one.latitude, one.longitude, other.latitude, other.longitude)
    if None in degrees:
        return None
    lat, lon, other_lat, other_lon = (math.radians(value) for value in degrees if value is not None)
    chord = math.sin((other_lat - lat) / 2) ** 2 + math.cos(lat) * math.cos(other_lat) * math.sin((other_lon - lon) / 2) ** 2
    return 2 * _EARTH_M * math.asin(math.sqrt(min(1.0, chord)))


def _shared(copies: Sequence[Copy], keys: Iterable[tuple[int, ...]]) -> Iterator[list[int]]:
    """The positions that have a key in common, in more than one source."""
    first: dict[int, int] = {}
    found: dict[int, list[int]] = {}
    for position, mine in enumerate(keys):
        for key in mine:
            if key not in first:
                first[key] = position
            else:
                found.setdefault(key, [first[key]]).append(position)
    return (bucket for bucket in found.values() if len({copies[position][0].source for position in bucket}) > 1)


def _uids(copies: Sequence[Copy]) -> Iterator[list[int]]:
    return _shared(copies, ((traits.uid,) for _, traits in copies))


def _named(copies: Sequence[Copy]) -> Iterator[list[int]]:
    """The positions that share a name which says which of a source's events it means: alone, or with the beginning."""
    for bucket in _shared(copies, (traits.names for _, traits in copies)):
        if _is_telling(copies, bucket):
            yield bucket
            continue
        dates: dict[int, list[int]] = defaultdict(list)
        for position in bucket:
            dates[copies[position][1].start].append(position)
        yield from (date for date in dates.values() if len(date) > 1 and _is_telling(copies, date))


def _is_telling(copies: Sequence[Copy], bucket: Sequence[int]) -> bool:
    return len({copies[position][0].source for position in bucket}) == len(bucket)


class _Groups:
    """The copies of each event, found so far: a position that is in none stands alone."""

    def __init__(self, copies: Sequence[Copy]) -> None:
        self._copies = copies
        self._groups: dict[int, list[int]] = {}

    def several(self) -> list[tuple[int, ...]]:
        """Those of more than one copy."""
        found = {id(group): group for group in self._groups.values() if len(group) > 1}
        return [tuple(self._sorted(group)) for group in found.values()]

    def ordered(self, buckets: Iterable[list[int]]) -> list[list[int]]:
        """Buckets and what is in them, in an order that does not depend on that of the copies."""
        within = [self._sorted(bucket) for bucket in buckets]
        return sorted(within, key=lambda bucket: [self._name(position) for position in bucket])

    def _sorted(self, positions: Iterable[int]) -> list[int]:
        return sorted(positions, key=self._name)

    def _name(self, position: int) -> tuple[str, str]:
        event = self._copies[position][0]
        return (event.source, event.uid)

    def _of(self, position: int) -> list[int]:
        return self._groups.setdefault(position, [position])

    def _merge(self, one: list[int], other: list[int]) -> None:
        one.extend(other)
        for position in other:
            self._groups[position] = one

    def _sources(self, group: Iterable[int]) -> set[str]:
        return {self._copies[position][0].source for position in group}

    def join(self, bucket: Sequence[int], agree: Callable[[Event, Event], bool]) -> None:
        """Put those together that agree with one another."""
        for index, position in enumerate(bucket):
            for earlier in bucket[:index]:
                one, other = self._of(earlier), self._of(position)
                if one is other or not agree(self._copies[earlier][0], self._copies[position][0]):
                    continue
                if self._sources(one).isdisjoint(self._sources(other)):
                    self._merge(one, other)

    def settle(self, bucket: Sequence[int]) -> None:
        """Put those together that have a title and a beginning in common, each with what it agrees with about the place."""
        groups = {id(group): group for group in map(self._of, bucket)}
        here = set(bucket)
        settled: list[list[int]] = []
        for group in sorted(groups.values(), key=lambda group: self._rank(group, here)):
            fits = [other for other in settled if self._agree(other, group, here)]
            certain = all(self._agree(one, other, here) for index, one in enumerate(fits) for other in fits[:index])
            free = [other for other in fits if self._sources(other).isdisjoint(self._sources(group))]
            if certain and free:
                self._merge(free[0], group)
            else:
                settled.append(group)

    def _agree(self, one: Iterable[int], other: Iterable[int], here: set[int]) -> bool:
        """Whether each copy of the one may be each copy of the other, as far as they have this title and beginning."""
        return all(
            _alike(self._copies[mine][0], self._copies[theirs][0]) and near(self._copies[mine][0].place, self._copies[theirs][0].place)
            for mine in one
            if mine in here
            for theirs in other
            if theirs in here
        )

    def _definite(self, group: Iterable[int], here: set[int]) -> int:
        """How much the place says: nothing, a town, more."""
        places = [self._copies[position][0].place for position in group if position in here]
        return max(_definiteness(place) for place in places)

    def _rank(self, group: list[int], here: set[int]) -> tuple[int, list[tuple[str, str]]]:
        return (-self._definite(group, here), [self._name(position) for position in self._sorted(group)])


def _definiteness(place: Place | None) -> int:
    if place is None or not _is_told(place):
        return 0
    return 2 if place.name or place.street or place.latitude is not None else 1
