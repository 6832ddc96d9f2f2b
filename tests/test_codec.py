"""What the store keeps comes back as it was, whatever it is, and a change is seen when, and only when, there is one."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syndicator.codec import NOT_CONTENT, content_hash, decode, delivery_key, dump, dump_item, encode, load, load_item
from syndicator.model import (
    Actor,
    Attachment,
    Card,
    Entry,
    Event,
    Issue,
    Item,
    Mention,
    Offer,
    Place,
    Poll,
    Post,
    Quote,
    Receipt,
    Rendition,
    Section,
    Span,
)
from syndicator.testing import make_event, make_post

PARIS = ZoneInfo("Europe/Paris")
AT = datetime(2026, 10, 25, 1, 30, tzinfo=UTC)
"""In Paris, an hour that this day has twice."""
ACTOR = Actor(name="Élodie", url="https://a.example/@e", handle="e@a.example", avatar_url="https://a.example/e.png")
PICTURE = Attachment(
    url="https://a.example/1.jpg",
    type="image",
    description="Deux vélos",
    media_type="image/jpeg",
    width=10,
    height=20,
    size_bytes=1234,
    duration_s=1.5,
    preview_url="https://a.example/1s.jpg",
    focus=(0.25, -1.0),
    blurhash="LKO2",
)
ENTRY = Entry(
    uid="e",
    kind="event",
    title="Bal",
    url="https://a.example/e",
    text="Danses",
    when="samedi",
    place="Brest",
    state="Complet",
    image=PICTURE,
    new=False,
)
FULL_POST = Post(
    uid="u",
    url="https://a.example/1",
    kind="live",
    source="toots",
    title="Titre",
    html="<p>Texte</p>",
    summary="Résumé",
    content_warning="cw",
    sensitive=True,
    visibility="unlisted",
    draft=True,
    published_at=AT,
    updated_at=AT,
    language="fr",
    author=ACTOR,
    tags=("vélo", "été"),
    attachments=(PICTURE, replace(PICTURE, type="video")),
    poll=Poll(options=("oui", "non"), multiple=True, closes_at=AT),
    quote=Quote(url="https://b.example/2", author=ACTOR, text="dit", accepted=True),
    mentions=(Mention(handle="x@y.example", url="https://y.example/@x"),),
    emojis=("blobcat",),
    in_reply_to="p",
    reply_to_other=True,
    boost_of="b",
    boost_of_other=True,
    application="Tusky",
    live="scheduled",
    starts_at=AT,
    duration_s=12.5,
    embed_url="https://a.example/embed",
    issue=Issue(
        newsletter="lettre",
        title="La lettre",
        subject="Bal",
        language="fr",
        since_at=AT,
        until_at=AT,
        editorial="<p>Bonjour</p>",
        sections=(Section(title="À venir", entries=(ENTRY,), brief=(ENTRY,)),),
    ),
    listing=(make_event(),),
)
FULL_EVENT = Event(
    uid="e",
    url="https://m.example/e",
    source="agenda",
    title="Fête",
    html="<p>Venez</p>",
    status="tentative",
    visibility="unlisted",
    draft=True,
    starts_at=AT,
    ends_at=AT + timedelta(hours=2),
    timezone="Europe/Paris",
    start_is_date=True,
    end_is_date=True,
    place=Place(
        name="Salle",
        street="1 rue",
        postal_code="29",
        locality="Brest",
        region="Bretagne",
        country="France",
        latitude=48.39,
        longitude=-4.48,
        url="https://osm.example",
    ),
    online_url="https://visio.example",
    organizer=ACTOR,
    tags=("fête",),
    category="PARTY",
    language="br",
    image=PICTURE,
    offers=(Offer(price="7.50", currency="CHF", url="https://billets.example"), Offer(price="0")),
    ticket_url="https://billets.example",
    accessibility=(("wheelchair", "yes"), ("lsf", "no")),
    capacity=40,
    full=True,
    published_at=AT,
    updated_at=AT,
    long_event=False,
    recurrence_id="2026-10-25T02:30",
    sequence=3,
)
FULL_RENDITION = Rendition(
    uid="u",
    html="<html>Lettre</html>",
    text="Texte",
    title="Titre",
    link="https://a.example/1",
    spans=(Span(start=0, end=5, url="https://a.example/2"),),
    card=Card(url="https://a.example/1", title="Titre", description="Plus", image=PICTURE),
    language="fr",
    content_warning="cw",
    sensitive=True,
    visibility="unlisted",
    attachments=(PICTURE,),
    tags=("vélo",),
    event=FULL_EVENT,
    published_at=AT,
    part=1,
    parts=3,
    notes=("shortened",),
)
SMALL_POST, SMALL_EVENT = Post(uid="u", url="v"), Event(uid="u", url="v", title="t", starts_at=AT, timezone="UTC")


@pytest.mark.parametrize("item", [FULL_POST, FULL_EVENT, SMALL_POST, SMALL_EVENT, make_post(), make_event()])
def test_items_come_back_as_they_were(item: Item) -> None:
    """Every field of every part, and the class."""
    back = load_item(dump_item(item))
    assert (type(back), back) == (type(item), item)


@pytest.mark.parametrize("full", [FULL_POST, FULL_EVENT, FULL_RENDITION])
def test_the_examples_leave_no_field_at_its_default(full: Any) -> None:
    """Else the test above would not see a field that gets lost; a new field has to be added there."""
    fields = dataclasses.fields(full)
    assert [field.name for field in fields if getattr(full, field.name) == field.default] == []


@pytest.mark.parametrize(
    "value", [FULL_RENDITION, Rendition(uid="u", text=""), Receipt(remote_id="1"), Receipt(remote_id="", data=(("cid", "b"),))]
)
def test_renditions_and_receipts_come_back_as_they_were(value: Any) -> None:
    """So that what is sent again is exactly what was sent."""
    assert load(type(value), dump(value)) == value


TEXTS = st.text(alphabet=st.characters(exclude_categories=("Cs",)), max_size=20)
ZONES = st.sampled_from([UTC, PARIS, timezone(timedelta(hours=-9, minutes=-30))])
INSTANTS = st.builds(lambda seconds, zone: datetime.fromtimestamp(seconds, zone), st.integers(86400, 2**32), ZONES)


@given(
    text=TEXTS,
    tags=st.lists(TEXTS, max_size=3),
    at=st.none() | INSTANTS,
    flag=st.booleans(),
    number=st.none() | st.floats(allow_nan=False, allow_infinity=False),
)
def test_any_text_any_instant_any_number_comes_back(
    text: str, tags: list[str], at: datetime | None, flag: bool, number: float | None
) -> None:
    """Instants as the same instant, in whatever zone they came, even in the hour that a day has twice."""
    item = Post(uid="u", url="v", title=text, html=text, tags=tuple(tags), published_at=at, sensitive=flag, duration_s=number)
    at_utc = None if at is None else at.astimezone(UTC)
    assert load_item(dump_item(item)) == replace(item, published_at=at_utc)


def test_what_is_not_text_does_not_stop_the_store() -> None:
    """Half a surrogate pair, as broken servers send, becomes a question mark; the hash can be told and is told again."""
    broken = make_post(html="<p>\ud83d</p>")
    back = load_item(dump_item(broken))
    assert back == replace(broken, html="<p>?</p>")
    assert content_hash(broken) == content_hash(make_post(html="<p>\ud83d</p>"))


def test_a_database_survives_an_upgrade_and_the_way_back() -> None:
    """Fields of a newer version are ignored, fields that an older one did not know have their default."""
    data = json.loads(dump(make_post())) | {"from_the_future": {"a": 1}}
    assert decode(Post, data) == make_post()
    assert decode(Post, {"uid": "u", "url": "v"}) == Post(uid="u", url="v")


def test_fields_at_their_default_are_left_out() -> None:
    """A database of a hundred thousand posts is mostly what they say."""
    assert encode(Post(uid="u", url="v")) == {"uid": "u", "url": "v"}


def test_the_text_of_an_object_does_not_depend_on_chance() -> None:
    """Two dumps are equal, byte for byte."""
    assert dump(FULL_POST) == dump(replace(FULL_POST)) == dump(load(Post, dump(FULL_POST)))


def _other(value: Any) -> Any:
    """Another value of the same kind."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, datetime):
        return value + timedelta(microseconds=1)
    if isinstance(value, tuple):
        return value[1:]
    if isinstance(value, int | float):
        return value + 1
    if isinstance(value, str):
        return f"{value}!"
    first = dataclasses.fields(value)[0]
    return replace(value, **{first.name: _other(getattr(value, first.name))})


FIELDS = [(item, field.name) for item in (FULL_POST, FULL_EVENT) for field in dataclasses.fields(item)]


@pytest.mark.parametrize(("item", "name"), FIELDS, ids=[f"{type(item).__name__}.{name}" for item, name in FIELDS])
def test_a_change_of_any_content_is_seen_and_of_nothing_else(item: Item, name: str) -> None:
    """Our own fields, and the date of change that origins move for reasons of their own, are no content."""
    changed = replace(item, **{name: _other(getattr(item, name))})
    assert (content_hash(changed) == content_hash(item)) is (name in NOT_CONTENT)


def test_a_time_zone_is_no_change() -> None:
    """The same instant said in another zone is the same instant."""
    assert content_hash(replace(FULL_EVENT, starts_at=AT.astimezone(PARIS))) == content_hash(FULL_EVENT)


def test_a_post_and_an_event_are_never_the_same() -> None:
    """Even when they have the same few fields."""
    assert content_hash(SMALL_POST) != content_hash(replace(SMALL_POST, title="t"))
    assert content_hash(SMALL_EVENT) != content_hash(Post(uid="u", url="v", title="t", starts_at=AT))


def test_a_delivery_has_one_key_for_ever() -> None:
    """Known by value: a new version that made other keys would double what an old one sent an hour ago."""
    assert delivery_key("https://social.example/1", "wall", "create", 0, 0) == "31ee5282-aaa3-9e57-e4c3-3f4c2a45ad1d"


def test_keys_differ_where_deliveries_do() -> None:
    """By item, destination, purpose, revision and part; and each is a UUID in form."""
    ways = [("u", "wall", "create", 0, 0), ("v", "wall", "create", 0, 0), ("u", "x", "create", 0, 0)]
    ways += [("u", "wall", "update", 0, 0), ("u", "wall", "create", 1, 0), ("u", "wall", "create", 0, 1), ("u", "wall", "create", 10, 1)]
    keys = [delivery_key(*way) for way in ways]
    assert len(set(keys)) == len(ways)
    assert [str(UUID(key)) for key in keys] == keys
