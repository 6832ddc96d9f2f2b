"""The writing half of the Mastodon-like simulator: how it counts and shows a text, and what it refuses."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from syndicator.errors import AuthExpired, Gone, Rejected
from syndicator.http import Sessions
from syndicator.sandbox import mastodon_text
from tests.mastodon_scene import Server, client_of
from tests.media_scene import photo


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    async with Server() as server:
        yield server


@pytest.mark.parametrize(("text", "length"), [
    ("", 0),
    ("abc", 3),
    ("é", 1),
    ("e\u0301", 1),
    ("👩‍👩‍👧‍👦", 1),
    ("https://a.example/" + "x" * 300, 23),
    ("(https://a.example/b).", 26),
    ("https://a.example/b_(c)", 23),
    ("@asso@social.example bonjour", 13),
    ("asso@social.example", 19),
])  # fmt: skip
def test_how_mastodon_counts(text: str, length: int) -> None:
    """URLs 23, mentions without their host, characters as people see them."""
    assert mastodon_text.length(text) == length


def test_how_mastodon_shows_a_text() -> None:
    """Long links in three spans, tags with their case, known people as links, strangers and markup as text."""
    html = mastodon_text.to_html(
        "Voir https://www.asso.example/un/chemin/tellement/long #Fête\n@asso @personne <b>\n\nFin",
        "https://social.example",
        lambda name, host: "https://social.example/@asso" if (name, host) == ("asso", "") else None,
    )
    assert html == (
        '<p>Voir <a href="https://www.asso.example/un/chemin/tellement/long" target="_blank" rel="nofollow noopener" translate="no">'
        '<span class="invisible">https://www.</span><span class="ellipsis">asso.example/un/chemin/telleme</span>'
        '<span class="invisible">nt/long</span></a> '
        '<a href="https://social.example/tags/Fête" class="mention hashtag" rel="tag">#<span>Fête</span></a><br />'
        '<span class="h-card" translate="no"><a href="https://social.example/@asso" class="u-url mention">@<span>asso</span></a></span>'
        " @personne &lt;b&gt;</p><p>Fin</p>"
    )


async def test_the_sandbox_refuses_what_mastodon_refuses(server: Server, sessions: Sessions) -> None:
    """Without a word or a picture, too long an alt text, no file, somebody else's status, a token without the scope."""
    client = client_of(server, sessions, token=server.token)
    other = server.world.add_account("voisine")
    theirs = server.world.post(other, "<p>x</p>")
    cases: list[tuple[str, tuple[Any, ...], dict[str, Any], type[Exception]]] = [
        ("status_post", ("",), {}, Rejected),
        ("status_post", ("x",), {"media_ids": ["1"]}, Rejected),
        ("status_post", ("x",), {"in_reply_to_id": "1"}, Gone),
        ("media_post", (photo(),), {"mime_type": "image/jpeg", "description": "a" * 1501}, Rejected),
        ("media_post", (b"%PDF-1.7",), {"mime_type": "image/jpeg"}, Rejected),
        ("status_update", (theirs.id, "y"), {}, Gone),
        ("status_delete", (theirs.id,), {}, Gone),
    ]
    for name, args, kwargs, error in cases:
        with pytest.raises(error):
            await client.call(name, *args, write=True, **kwargs)
    await client.close()
    reader = client_of(server, sessions, token=server.world.add_token(server.asso, "read"))
    with pytest.raises(AuthExpired):
        await reader.call("status_post", "x", write=True)
    await reader.close()
    assert list(server.world.statuses.values()) == [theirs]
