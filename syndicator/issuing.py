"""Issues of newsletters: made when their hour has come, kept true until they leave, carried like any other post.

An issue is a post of a source that nobody polls, one for each newsletter, with a route of its own. What it tells is composed anew with
every change until the first of it leaves; then it stands. Looked at before each claim, in its transaction.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from logging import INFO
from typing import TYPE_CHECKING

from syndicator.issues import Review, Row
from syndicator.items import Stored
from syndicator.letter.announce import announced
from syndicator.letter.compose import compose, is_editorial
from syndicator.letter.editorial import typed, without_tag
from syndicator.letter.newsletter import Newsletter
from syndicator.letter.schedule import next_after
from syndicator.logs import event
from syndicator.model import Issue, Post
from syndicator.newsletters import ARCHIVE, source_of
from syndicator.plan import Facts, plan, refusal
from syndicator.route import Route
from syndicator.text.naming import handle

if TYPE_CHECKING:
    from syndicator.store import Store
    from syndicator.tenant import Tenant

LOOK_AGAIN = timedelta(minutes=10)
TIME_TO_READ = timedelta(hours=1)
POSTS_MAX = 1_000
EDITORIAL_MAX_BYTES = 100_000


REVIEW = "review:"
"""What a problem is about that keeps the person who reviews from being written to; then the newsletter's name."""


@dataclass(frozen=True, kw_only=True)
class Looked:
    """What was known when a newsletter was last looked at."""

    seq: int
    until: datetime
    last: Row | None = None
    """The newest issue: a person may decide on it, in this process or in another."""


def look(tenant: Tenant, store: Store, now: datetime) -> datetime | None:
    """Have every newsletter's issues be those that must be; when time alone next changes something, None without a newsletter."""
    return min((_look(tenant, store, letter, now) for letter in tenant.config.newsletters.values()), default=None)


def _look(tenant: Tenant, store: Store, letter: Newsletter, now: datetime) -> datetime:
    looked, seq = tenant.issuing.get(letter.name), store.items.seq()
    last = store.issues.last(letter.name)
    if looked is not None and (looked.seq, looked.last) == (seq, last) and now < looked.until:
        return looked.until
    if last is not None and last.state == "made":
        _refresh(tenant, store, letter, last, now)
    if last is not None and last.state == "review":
        last = _reviewed(tenant, store, letter, last, now)
    opened = _opened(store, letter, now)
    due = _due(tenant, letter, _settled(store, last, opened), now)
    begins_at = due - letter.review_before if letter.review else due
    if begins_at <= now and (last is None or last.state != "review"):
        since_at = store.issues.told_until(letter.name) or _before(tenant, letter, opened)
        _begin(tenant, store, letter, Row(newsletter=letter.name, until_at=due, since_at=since_at, state="made"), now)
    last = store.issues.last(letter.name)
    leaves = (
        leaves_at(letter, last, store.issues.review(letter.name, last.until_at)) if last is not None and last.state == "review" else due
    )
    waits = [at for at in (begins_at, due, leaves, now + LOOK_AGAIN) if at > now]
    tenant.issuing[letter.name] = Looked(seq=store.items.seq(), until=min(waits), last=last)
    return min(waits)


def coming(tenant: Tenant, store: Store, letter: Newsletter, now: datetime) -> Row:
    """The issue that a person is looking at, else the next that will be due, as far as it is known now."""
    last = store.issues.last(letter.name)
    if last is not None and last.state == "review":
        return last
    opened = _opened(store, letter, now)
    due = _due(tenant, letter, _settled(store, last, opened), now)
    since_at = store.issues.told_until(letter.name) or _before(tenant, letter, opened)
    row = Row(newsletter=letter.name, until_at=due, since_at=since_at, state="made")
    return replace(row, editorial=editorial_of(tenant, store, letter, row))


def send_now(tenant: Tenant, store: Store, letter: Newsletter, now: datetime) -> Row | None:
    """Have what there is to tell leave at the next look; None when there is nothing. The issue after it keeps its hour.

    An issue that a person is looking at, or stopped before its hour, is approved by this, and leaves at its hour.
    """
    last = store.issues.last(letter.name)
    if last is not None and (last.state == "review" or (last.state == "stopped" and last.until_at > now)):
        row = replace(last, state="review", verdict="send")
    else:
        at = max(now, last.until_at) if last else now
        at += timedelta(microseconds=not at.second and not at.microsecond)  # no hour of a rhythm: it has a name of its own
        row = replace(coming(tenant, store, letter, now), until_at=at, state="review", verdict="send")
        row = replace(row, editorial=editorial_of(tenant, store, letter, row))
    if not issue_of(tenant, store, letter, row).sections:
        return None
    store.issues.put(row, now)
    return row


def _opened(store: Store, letter: Newsletter, now: datetime) -> datetime:
    """When this newsletter was first in the configuration: no issue was due before."""
    way = (source_of(letter.name), source_of(letter.name), "")
    since, _ = store.items.since([way], now)
    return since[way]


def _settled(store: Store, last: Row | None, opened: datetime) -> datetime:
    """The hour after which the next issue is due: one that a person stopped late takes those with it that passed while they thought."""
    if last is None:
        return opened
    decided_at = store.issues.review(last.newsletter, last.until_at).decided_at if last.state == "stopped" else None
    return max(last.until_at, opened, decided_at or opened)


def leaves_at(letter: Newsletter, row: Row, review: Review) -> datetime:
    """When an issue leaves that a person does not stop: at its hour; when they were asked late, not before they had time to read it."""
    shown_at = review.mailed_at or row.begun_at
    if row.verdict == "send" or shown_at is None:
        return row.until_at
    return max(row.until_at, shown_at + min(letter.review_before, TIME_TO_READ))


def _is_unasked(tenant: Tenant, store: Store, letter: Newsletter, review: Review) -> bool:
    """Whether the person was not written to yet, though nothing is known to be in the way: the machine stopped before it came to it."""
    if review.mailed_at is not None or tenant.config.alerts is None:
        return False
    return all(problem.subject != f"{REVIEW}{letter.name}" for problem in store.problems.open())


def _due(tenant: Tenant, letter: Newsletter, after: datetime, now: datetime) -> datetime:
    """The hour that comes after ``after``; of several that have passed, the last: one issue tells of all that time."""
    due = next_after(letter.schedule, after, tenant.zone, letter.starts)
    while (following := next_after(letter.schedule, due, tenant.zone, letter.starts)) <= now:
        due = following
    return due


def _before(tenant: Tenant, letter: Newsletter, opened: datetime) -> datetime:
    """The hour before the newsletter began: its first issue tells of one period like any other."""
    at = opened - timedelta(days=70)
    while (following := next_after(letter.schedule, at, tenant.zone, letter.starts)) <= opened:
        at = following
    return at


def _begin(tenant: Tenant, store: Store, letter: Newsletter, row: Row, now: datetime) -> None:
    """Make the issue, or show it to a person first; with too little to tell, say so when its hour has come."""
    editorial = editorial_of(tenant, store, letter, row)
    issue = issue_of(tenant, store, letter, replace(row, editorial=editorial))
    if not issue.sections or issue.news < letter.at_least:
        if row.until_at <= now:
            store.issues.put(replace(row, state="skipped"), now)
            event(tenant.log, INFO, "issue.skipped", newsletter=letter.name, news=issue.news)
        return
    if letter.review:
        store.issues.put(replace(row, state="review", editorial=editorial), now)
        event(tenant.log, INFO, "issue.review", newsletter=letter.name, due=row.until_at)
    else:
        _make(tenant, store, letter, replace(row, editorial=editorial), issue, now)


def _reviewed(tenant: Tenant, store: Store, letter: Newsletter, row: Row, now: datetime) -> Row:
    """What becomes of an issue that a person is looking at."""
    review = store.issues.review(letter.name, row.until_at)
    if not review.edited:
        editorial = editorial_of(tenant, store, letter, row)
        if editorial != row.editorial:
            row = replace(row, editorial=editorial)
            store.issues.put(row, now)
    if leaves_at(letter, row, review) > now or (letter.unanswered == "wait" and row.verdict != "send"):
        return row
    if row.verdict != "send" and _is_unasked(tenant, store, letter, review):
        return row
    issue = issue_of(tenant, store, letter, row)
    if not issue.sections:  # what it was to tell was taken back meanwhile
        skipped = replace(row, state="skipped")
        store.issues.put(skipped, now)
        event(tenant.log, INFO, "issue.skipped", newsletter=letter.name, news=issue.news)
        return skipped
    _make(tenant, store, letter, row, issue, now)
    return replace(row, state="made")


def _make(tenant: Tenant, store: Store, letter: Newsletter, row: Row, issue: Issue, now: datetime) -> None:
    store.issues.put(replace(row, state="made"), now)
    _carry(tenant, store, letter, row, issue, now)
    event(tenant.log, INFO, "issue.made", newsletter=letter.name, news=issue.news)


def _refresh(tenant: Tenant, store: Store, letter: Newsletter, row: Row, now: datetime) -> None:
    """Until the first of it leaves, an issue says what is true now."""
    uid = uid_of(tenant, letter, row.until_at)
    known = [known for there in store.outbox.known([uid]).values() for known in there]
    if known and all(one.unsent for one in known) and any(one.state != "dropped" for one in known):
        _carry(tenant, store, letter, row, issue_of(tenant, store, letter, row), now)


def _carry(tenant: Tenant, store: Store, letter: Newsletter, row: Row, issue: Issue, now: datetime) -> None:
    """Write it down as a post of ours, with its deliveries."""
    source = source_of(letter.name)
    changes = store.items.diff(source, [post_of(tenant, letter, row, issue)], now, first=False)
    if not changes:
        return
    (route,) = (route for route in tenant.routes if route.sources == (source,))
    targets = {name: target for name, target in tenant.targets().items() if name in letter.destinations}
    facts = Facts(
        known=store.outbox.known([change.item.uid for change in changes]),
        since={(route.name, source, name): row.until_at for name in letter.destinations},
    )
    store.outbox.write(plan(changes, [route], targets, facts, now), now)
    store.issues.tell(letter.name, row.until_at, issue.uids)


def uid_of(tenant: Tenant, letter: Newsletter, until_at: datetime) -> str:
    """One issue of the rhythm a day at most: its day names it. One that a person sent has seconds, and is named by them too."""
    local = until_at.astimezone(tenant.zone)
    sent_by_hand = local.second or local.microsecond
    name = f"{local:%Y-%m-%dT%H%M%S}.{local.microsecond:06}" if sent_by_hand else local.date().isoformat()
    return f"urn:syndicator:{tenant.config.slug}:{source_of(letter.name)}:{name}"


def post_of(tenant: Tenant, letter: Newsletter, row: Row, issue: Issue) -> Post:
    """The issue as a post: what networks without letters tell of it, and what leads to it."""
    uid, config = uid_of(tenant, letter, row.until_at), tenant.config
    ways = (config.destinations[name].options for name in letter.destinations if name in config.destinations)
    archived = config.public_url and any(f"{ARCHIVE}/index.html" in getattr(way, "files", ()) for way in ways)
    return Post(
        uid=uid,
        url=f"{config.public_url}{ARCHIVE}/{handle(uid)}.html" if archived else config.association.url or "",
        kind="digest",
        source=source_of(letter.name),
        title=f"{issue.title} : {issue.subject}" if issue.title not in issue.subject else issue.subject,
        html=announced(issue),
        language=letter.language,
        published_at=row.until_at,
        issue=issue,
    )


def issue_of(tenant: Tenant, store: Store, letter: Newsletter, row: Row) -> Issue:
    """What an issue tells, as of now."""
    carried = _carried(tenant, store, letter, row.until_at)
    return compose(
        letter,
        [stored.item for stored in carried],
        {stored.item.uid: arrived_at(stored) for stored in carried},
        store.issues.told(letter.name, row.until_at),
        row.since_at,
        row.until_at,
        tenant.config.association,
        editorial=row.editorial,
    )


def arrived_at(stored: Stored) -> datetime:
    """When an item was published, or reached us if that was later; what was there at our very first look is as old as it says."""
    published_at = stored.item.published_at or stored.first_seen_at
    return published_at if stored.first else max(published_at, stored.first_seen_at)


def _carried(tenant: Tenant, store: Store, letter: Newsletter, until_at: datetime) -> list[Stored]:
    """Everything of its sources that may be shown to everybody."""
    route = Route(name="", sources=letter.sources, destinations=letter.destinations)
    window = store.items.window(letter.sources, until_at - timedelta(days=1), POSTS_MAX)
    boosts = (stored.item.boost_of for stored in window if isinstance(stored.item, Post) and stored.item.boost_of)
    facts = Facts(
        ours=store.outbox.ours((stored.item.uid, stored.item.url) for stored in window),
        stored=store.items.stored(boosts),
        own_accounts=tenant.own_accounts(),
    )
    found: dict[str, Stored] = {}
    for stored in window:
        if refusal(stored.item, route, letter.name, "newsletter", facts) is None:
            found.setdefault(stored.item.uid, stored)
    return list(found.values())


def editorial_of(tenant: Tenant, store: Store, letter: Newsletter, row: Row) -> str:
    """The newest post that was written to be it, else the file when it changed since the last issue; HTML, empty without one."""
    found: Mapping[datetime, str] = {}
    if letter.editorial_tag:
        carried = _carried(tenant, store, letter, row.until_at)
        found = {
            arrived_at(stored): without_tag(stored.item.html, letter.editorial_tag)
            for stored in carried
            if is_editorial(stored.item, letter)
            and row.since_at < arrived_at(stored)
            and (stored.item.published_at or row.until_at) <= row.until_at
        }
    if found:
        return found[max(found)]
    text = _file_of(letter)
    before = next((one.editorial for one in store.issues.all(letter.name) if one.state == "made" and one.editorial), "")
    return "" if _digest(text) == _digest(before) else text


def _file_of(letter: Newsletter) -> str:
    if letter.editorial_file is None:
        return ""
    with suppress(OSError):
        return typed(letter.editorial_file.read_bytes()[:EDITORIAL_MAX_BYTES].decode("utf-8-sig", "replace"))
    return ""


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
