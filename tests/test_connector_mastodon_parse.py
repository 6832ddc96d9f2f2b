"""A status becomes a post, an address an account: no network."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from mastodon.return_types import Status as TypedStatus
from mastodon.types_base import try_cast_recurse

from connectors.mastodon.address import address_of
from connectors.mastodon.capabilities import Capabilities, capabilities_of
from connectors.mastodon.parse import Reading, Unreadable, is_shown, is_unfinished, post_from_status
from connectors.mastodon.source import MastodonSource
from syndicator.codec import decode
from syndicator.contract import Page
from syndicator.model import Post

DATA = Path(__file__).parent / "data" / "mastodon"


# What a status says


def pairs() -> list[Any]:
    return [pytest.param(path, id=path.stem) for path in sorted(DATA.glob("*.json"))]


@pytest.mark.parametrize("typed", [False, True], ids=["json", "mastodon.py"])
@pytest.mark.parametrize("path", pairs())
def test_a_status_is_the_expected_post(path: Path, typed: bool) -> None:
    """Every known shape of a status becomes exactly this post, from raw JSON and from Mastodon.py's types alike."""
    pair = json.loads(path.read_text())
    status = try_cast_recurse(TypedStatus, pair["status"]) if typed else pair["status"]
    reading = Reading(account_id=pair["account_id"], domain="asso.example", capabilities=capabilities_of(*pair["server"]))

    assert post_from_status(status, reading) == decode(Post, pair["post"])


@pytest.mark.parametrize("name", ["uri"])
def test_a_status_without_what_identifies_it_is_named(name: str) -> None:
    """What cannot be read says which field is missing, and of which status."""
    with pytest.raises(Unreadable, match=f"status 7 has no {name}"):
        post_from_status({"id": "7", "visibility": "public"}, Reading(account_id="1", domain="x", capabilities=Capabilities()))


@pytest.mark.parametrize(("status", "unlisted", "shown"), [
    ({"visibility": "public"}, False, True),
    ({"visibility": "unlisted"}, False, False),
    ({"visibility": "unlisted"}, True, True),
    ({"visibility": "private"}, True, False),
    ({"visibility": "direct"}, True, False),
    ({"visibility": "local"}, True, False),
    ({"visibility": "list:3"}, True, False),
    ({}, True, False),
    ({"visibility": "public", "local_only": True}, True, False),
    ({"visibility": "public", "local_only": False}, False, True),
    ({"visibility": "public", "reblog": {"visibility": "private"}}, True, False),
    ({"visibility": "public", "reblog": {"visibility": "public"}}, False, True),
])  # fmt: skip
def test_only_what_is_public_is_shown(status: dict[str, Any], unlisted: bool, shown: bool) -> None:
    """Visibility is read in code, and whatever is not known to be public is not."""
    assert is_shown(status, unlisted=unlisted) is shown


def test_media_without_an_address_are_unfinished() -> None:
    """A video that the server still converts is left out for now, and known to come."""
    status = {"id": "1", "uri": "https://a.example/1", "media_attachments": [{"id": "2", "type": "video", "url": None, "meta": None}]}

    assert is_unfinished(status)
    assert post_from_status(status, Reading(account_id="1", domain="x", capabilities=Capabilities())).attachments == ()


# Which account


@pytest.mark.parametrize(("account", "expected"), [
    ("@asso@social.example", ("asso", "https://social.example")),
    ("asso@Social.Example", ("asso", "https://social.example")),
    ("https://social.example/@asso", ("asso", "https://social.example")),
    ("https://social.example/@asso/112233", ("asso", "https://social.example")),
    ("https://social.example/@asso.rss", ("asso", "https://social.example")),
    ("https://social.example/users/asso", ("asso", "https://social.example")),
    ("https://pixels.example/asso", ("asso", "https://pixels.example")),
    ("https://pixels.example/users/asso.atom", ("asso", "https://pixels.example")),
    ("https://friends.example/profile/asso", ("asso", "https://friends.example")),
    ("https://social.example/@asso@home.example", ("asso", "https://home.example")),
])  # fmt: skip
def test_an_account_is_written_in_many_ways(account: str, expected: tuple[str, str]) -> None:
    """Handle, profile page, post, feed: all name the same account."""
    address = address_of(account)
    assert (address.user, address.base_url) == expected


@pytest.mark.parametrize("account", ["asso", "https://social.example/", "https://social.example/about", "mailto:asso@x.example", "@a b@c"])
def test_what_is_no_account_is_refused_in_words(account: str) -> None:
    """A mistyped account is refused when the configuration is read, in both languages."""
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the words are the argument
        MastodonSource.Options(account=account)
    assert set(caught.value.args[0]) == {"fr", "en"}


def page(url: str, software: str | None) -> Page:
    return Page(url=url, asked_url=url, content_type="text/html", body=b"", software=software)


@pytest.mark.parametrize(("url", "software", "expected"), [
    ("https://social.example/@asso", "mastodon", {"account": "https://social.example/@asso"}),
    ("https://social.example/@asso/1122", "gotosocial", {"account": "https://social.example/@asso"}),
    ("https://pixels.example/asso", "pixelfed", {"account": "https://pixels.example/asso"}),
    ("https://friends.example/profile/asso", "friendica", {"account": "https://friends.example/profile/asso"}),
    ("https://social.example/about", "mastodon", None),
    ("https://social.example/", "mastodon", None),
    ("https://events.example/@asso", "mobilizon", None),
    ("https://blog.example/@asso", None, None),
])  # fmt: skip
def test_recognises_its_own_pages(url: str, software: str | None, expected: dict[str, str] | None) -> None:
    """A public page of a server of the family names its account; pages of other software and of nobody do not."""
    assert MastodonSource.recognise(page(url, software)) == expected
