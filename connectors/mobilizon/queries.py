"""The questions put to Mobilizon, as GraphQL text: portable ones, valid against the published schema, with extras by version.

Mobilizon counts one point of complexity per field and refuses an operation above 300 (250 before 4.1); ``limit`` does not count. An
unknown field or argument fails a whole operation, and the published schema lags behind the code, so what it lacks is asked for only
after the version is known. ``metadata { type }`` is never asked for: one stored value is missing from its enum.
"""

from __future__ import annotations

from dataclasses import dataclass

GROUPS_PER_PROBE = 20
ITEMS_PER_READ = 3
PROBE_EVENTS = 1000
PROBE_POSTS = 50

_PICTURE = "picture { url contentType size metadata { width height blurhash } }"
_GROUP = "attributedTo { name preferredUsername domain url }"
_EVENT = f"""
  url local title description beginsOn endsOn status visibility draft language publishAt insertedAt updatedAt
  joinOptions externalParticipationUrl onlineAddress
  {_PICTURE}
  physicalAddress {{ description street postalCode locality region country geom timezone }}
  {_GROUP}
  tags {{ title slug }}
  participantStats {{ participant }}
  metadata {{ key value }}
  options {{
    timezone isOnline showStartTime showEndTime maximumAttendeeCapacity showParticipationPrice
    offers {{ price priceCurrency url }}
  }}
"""
POST_FIELDS = f"""
  url title body visibility draft language publishAt insertedAt updatedAt
  {_PICTURE}
  {_GROUP}
  tags {{ title slug }}
"""


@dataclass(frozen=True, kw_only=True)
class Dialect:
    """What one server understands beyond the published schema, and what it chokes on."""

    ordered: bool = False
    """``organizedEvents(order, orderDirection)``, since 3.1."""
    long_events: bool = False
    """``Event.longEvent``, since 5.1."""
    category: bool = True
    """False once ``category`` made the server fail: a category that its instance no longer defines."""

    @property
    def event_fields(self) -> str:
        """The selection of a whole event."""
        return _EVENT + ("  longEvent\n" if self.long_events else "") + ("  category\n" if self.category else "")


def dialect_of(version: str | None) -> Dialect:
    """What a server of this version understands; the published schema alone when the version is unknown."""
    numbers = (version or "").split("-")[0].split(".")
    if len(numbers) < 2 or not (numbers[0].isdigit() and numbers[1].isdigit()):
        return Dialect()
    release = (int(numbers[0]), int(numbers[1]))
    return Dialect(ordered=release >= (3, 1), long_events=release >= (5, 1))


def probe_groups(count: int, events: bool, posts: bool, dialect: Dialect) -> str:
    """The cheap question for ``count`` groups ``$g0`` … at once: how many there are, and when one was last touched."""
    newest = "limit: 1, order: UPDATED_AT, orderDirection: DESC" if dialect.ordered else f"limit: {PROBE_EVENTS}"
    events_part = f"organizedEvents(afterDatetime: $after, page: 1, {newest}) {{ total elements {{ updatedAt }} }}"
    posts_part = f"posts(page: 1, limit: {PROBE_POSTS}) {{ total elements {{ updatedAt }} }}"
    inner = " ".join(part for part, wanted in (("url", True), (events_part, events), (posts_part, posts)) if wanted)
    names = ", ".join(f"$g{index}: String!" for index in range(count))
    after = ", $after: DateTime" if events else ""
    groups = "\n".join(f"  g{index}: group(preferredUsername: $g{index}) {{ {inner} }}" for index in range(count))
    return f"query Probe({names}{after}) {{\n  config {{ version }}\n{groups}\n}}"


PROBE_TAGS = f"""
query ProbeTags($tags: String, $after: DateTime) {{
  config {{ version }}
  events: searchEvents(tags: $tags, beginsOn: $after, page: 1, limit: {PROBE_EVENTS}) {{
    total elements {{ ... on Event {{ updatedAt }} }}
  }}
}}
"""

PROBE_INSTANCE = """
query ProbeInstance {
  config { version }
  events(page: 1, limit: 1, orderBy: UPDATED_AT, direction: DESC) { total elements { updatedAt } }
}
"""


def group_events(dialect: Dialect) -> str:
    """One page of a group's events, by beginning."""
    return f"""
query GroupEvents($name: String!, $after: DateTime, $page: Int, $limit: Int) {{
  group(preferredUsername: $name) {{
    list: organizedEvents(afterDatetime: $after, page: $page, limit: $limit) {{ total elements {{ {dialect.event_fields} }} }}
  }}
}}
"""


GROUP_POSTS = f"""
query GroupPosts($name: String!, $page: Int, $limit: Int) {{
  group(preferredUsername: $name) {{
    list: posts(page: $page, limit: $limit) {{ total elements {{ {POST_FIELDS} }} }}
  }}
}}
"""


def tagged_events(dialect: Dialect) -> str:
    """One page of the instance's events with one of some tags."""
    return f"""
query TaggedEvents($tags: String, $after: DateTime, $page: Int, $limit: Int) {{
  list: searchEvents(tags: $tags, beginsOn: $after, page: $page, limit: $limit) {{
    total elements {{ ... on Event {{ {dialect.event_fields} }} }}
  }}
}}
"""


def instance_events(dialect: Dialect) -> str:
    """One page of the instance's events to come."""
    return f"""
query InstanceEvents($page: Int, $limit: Int) {{
  list: events(page: $page, limit: $limit, orderBy: BEGINS_ON, direction: ASC) {{ total elements {{ {dialect.event_fields} }} }}
}}
"""


def read_events(count: int, dialect: Dialect) -> str:
    """``count`` events by uuid ``$k0`` …, aliased ``i0`` …"""
    keys = ", ".join(f"$k{index}: UUID!" for index in range(count))
    items = "\n".join(f"  i{index}: event(uuid: $k{index}) {{ {dialect.event_fields} }}" for index in range(count))
    return f"query ReadEvents({keys}) {{\n{items}\n}}"


def read_posts(count: int) -> str:
    """``count`` posts by slug ``$k0`` …, aliased ``i0`` …"""
    keys = ", ".join(f"$k{index}: String!" for index in range(count))
    items = "\n".join(f"  i{index}: post(slug: $k{index}) {{ {POST_FIELDS} }}" for index in range(count))
    return f"query ReadPosts({keys}) {{\n{items}\n}}"
