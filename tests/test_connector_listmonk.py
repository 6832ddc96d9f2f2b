"""listmonk: a draft, then its start, each once; templates of others stay text."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import replace
from html import escape, unescape
from pathlib import Path
from typing import Any, ClassVar

import pytest

from connectors.listmonk import ListmonkPublisher
from connectors.listmonk.options import ListmonkOptions
from connectors.listmonk.writing import html_of, subject_of, text_of
from syndicator.contract import Context, Secret
from syndicator.errors import AuthExpired, OutcomeUnknown, RateLimited, Rejected, Transient
from syndicator.http import Sessions
from syndicator.sandbox.listmonk import EMPTY, TOKEN, USERNAME, Campaign, ListmonkSimulator, refused
from syndicator.sandbox.listmonk_template import TemplateError, render
from syndicator.sandbox.server import Fault
from syndicator.testing import PublisherContract
from syndicator.testing.makers import make_context, make_rendition
from syndicator.text.naming import handle
from syndicator.text.way_out import BEGIN, END, UNSUBSCRIBE
from tests.mail_scene import KEY, RENDITION

HOSTILE = (
    '{{ .Subscriber.Email }} {{{{ {{"{{"}} }} {% x %} https://a.example/"@TrackLink <script> <a href="x <!-- {{ UnsubscribeURL }} `"\\'
)


def options(simulator: ListmonkSimulator, **changes: Any) -> ListmonkOptions:
    return ListmonkOptions(
        **{"url": simulator.url, "username": USERNAME, "token": Secret(simulator.token), "lists": ("La lettre du vélo",), **changes}
    )


class TestContract(PublisherContract):
    connector = ListmonkPublisher
    path = "/status"
    method = "PUT"
    dialect: ClassVar = [
        ("a role that may not start campaigns", Fault(action="answer", status=403, body=refused("denied"), path="/status"), AuthExpired),
        ("lists that were deleted", Fault(action="answer", status=400, body=refused("no list"), path="/status"), Rejected),
        ("a database that is away, before", Fault(action="answer", status=500, body=refused("pq: x"), method="POST"), Transient),
        ("a database that is away, at the start", Fault(action="answer", status=500, body=refused("x"), path="/status"), OutcomeUnknown),
        ("a proxy's wall", Fault(action="answer", status=429, headers={"Retry-After": "9"}, method="POST"), RateLimited),
        ("another program's page", Fault(action="answer", status=200, body=b"<html>", path="/campaigns"), Rejected),
    ]

    async def start(self) -> ListmonkSimulator:
        return await ListmonkSimulator().start()

    def options(self, simulator: Any) -> ListmonkOptions:
        return ListmonkOptions(url=simulator.url, username=USERNAME, token=Secret(TOKEN), lists=("La lettre du vélo",))

    def texts(self, simulator: Any) -> list[str]:
        return [letter.text for letter in simulator.letters if letter.to == "ana@exemple.fr"]

    def kill_credential(self, simulator: Any) -> None:
        simulator.token = "another"


@pytest.fixture
async def simulator() -> AsyncIterator[ListmonkSimulator]:
    async with ListmonkSimulator() as simulator:
        yield simulator


@pytest.fixture
async def context(tmp_path: Path) -> AsyncIterator[Context]:
    sessions = Sessions()
    yield make_context(tmp_path, sessions)
    await sessions.close()


def one(simulator: ListmonkSimulator, context: Context, **changes: Any) -> ListmonkPublisher:
    return ListmonkPublisher(options(simulator, **changes), context)


def only(simulator: ListmonkSimulator) -> Campaign:
    (campaign,) = simulator.campaigns.values()
    return campaign


async def test_a_letter_goes_to_each_reader_once(simulator: ListmonkSimulator, context: Context) -> None:
    """Of two lists, one by name, one by number; a reader of both has one. Nothing in it is followed."""
    publisher = one(simulator, context, lists=("La lettre du vélo", "4"), sender="Le vélo <velo@asso.example>")
    await publisher.open()
    prepared = await publisher.prepare(RENDITION, KEY)
    assert simulator.letters == []
    receipt = await publisher.publish(RENDITION, KEY, prepared=prepared)
    campaign, letter = only(simulator), simulator.letters[0]

    assert Counter(letter.to for letter in simulator.letters) == {"ana@exemple.fr": 1, "bob@exemple.fr": 1, "eve@exemple.fr": 1}
    assert receipt.remote_id == str(campaign.id)
    assert (campaign.fields["content_type"], campaign.fields["template_id"]) == ("html", 5)
    assert campaign.fields["from_email"] == "Le vélo <velo@asso.example>"
    assert campaign.fields["name"] == f"{RENDITION.title} [{handle(KEY)}]"
    assert letter.subject == RENDITION.title
    way_out = f"{simulator.url}/subscription/campaign-{campaign.id}/ana"
    assert letter.text == RENDITION.text.replace(UNSUBSCRIBE, way_out)
    assert f'href="{way_out}"' in letter.html
    assert UNSUBSCRIBE not in letter.html
    assert letter.executed == ()


async def test_what_outlook_reads_stays(simulator: ListmonkSimulator, context: Context) -> None:
    """Go drops comments; those that hold Outlook's columns are handed through it, and the rest of the page is the same."""
    await one(simulator, context).publish(RENDITION, KEY)
    html = simulator.letters[0].html

    assert html.count("<!--[if mso") == RENDITION.html.count("<!--[if mso") > 0
    assert html.count("<![endif]-->") == RENDITION.html.count("<![endif]-->")
    expected = (
        RENDITION.html.replace(BEGIN, "").replace(END, "").replace(UNSUBSCRIBE, html.partition("/subscription/")[2].partition('"')[0])
    )
    assert html.replace(f"{simulator.url}/subscription/", "").replace("&#123;", "{") == expected


@pytest.mark.parametrize(
    "hostile", [HOSTILE, "{", "{{", "}}", "{{{", "{{ UnsubscribeURL }}", "https://a.example@TrackLink", "{{/*", "<!--", "a < b"]
)
async def test_templates_of_others_stay_text(simulator: ListmonkSimulator, context: Context, hostile: str) -> None:
    """Subject, body and text part say what was written, and listmonk executes nothing of it."""
    head = "<style>a{b:c}@media x{a{b:c}}</style><!--[if mso]>{{ x }}<![endif]-->"
    html = f'<html><head>{head}</head><body title="{escape(hostile)}">{escape(hostile)}</body></html>'
    await one(simulator, context).publish(make_rendition(title=f"Titre {hostile}", text=f"Texte {hostile}\n", html=html), KEY)
    letter = simulator.letters[0]

    assert letter.executed == ()
    assert letter.subject == f"Titre {hostile}"
    assert letter.text == f"Texte {hostile}\n"
    assert unescape(letter.html.partition("<body")[2]) == f' title="{hostile}">{hostile}</body></html>'
    assert "<style>a{b:c}@media x{a{b:c}}</style>" in letter.html
    assert "<!--[if mso]>{ { x }}<![endif]-->" in letter.html


@pytest.mark.parametrize("text", [HOSTILE, "{{ x", "{{ .Subscriber.Email }}"])
def test_the_simulator_executes_what_is_not_escaped(text: str) -> None:
    """Else the test above could not fail."""
    try:
        assert render(text, "", html=True).executed
    except TemplateError:
        return


def test_plain_letters_stay_plain() -> None:
    assert subject_of("Juin {en fête}") == "Juin {en fête}"
    assert text_of("À bientôt") == "À bientôt"
    assert html_of("<p>À bientôt</p><!-- note -->") == "<p>À bientôt</p>"


@pytest.mark.parametrize("status", ["scheduled", "running", "paused", "cancelled", "finished"])
async def test_a_draft_that_a_person_started_is_done(simulator: ListmonkSimulator, context: Context, status: str) -> None:
    """Whatever became of it since: it is not started again."""
    publisher = one(simulator, context)
    prepared = await publisher.prepare(RENDITION, KEY)
    only(simulator).status = status
    receipt = await publisher.publish(RENDITION, KEY, prepared=prepared)
    found = await publisher.find(KEY, RENDITION, prepared=prepared)

    assert found == receipt
    assert only(simulator).status == status
    assert simulator.letters == []
    assert json.loads(await publisher.prepare(RENDITION, KEY))["id"] == only(simulator).id


@pytest.mark.parametrize("field", ["subject", "body", "altbody", "lists"])
async def test_a_draft_that_a_person_changed_is_not_started(simulator: ListmonkSimulator, context: Context, field: str) -> None:
    """They are told; when they send it from here again, it goes out as we wrote it."""
    publisher = one(simulator, context)
    prepared = await publisher.prepare(RENDITION, KEY)
    only(simulator).fields[field] = [1] if field == "lists" else "Autre chose"
    with pytest.raises(Rejected) as raised:
        await publisher.publish(RENDITION, KEY, prepared=prepared)

    assert "modifié" in (raised.value.hint or {})["fr"]
    assert simulator.letters == []
    await publisher.publish(RENDITION, KEY, prepared=await publisher.prepare(RENDITION, KEY))
    assert [letter.subject for letter in simulator.letters] == [RENDITION.title] * 2


@pytest.mark.parametrize("gone", ["deleted", "renamed"])
async def test_a_draft_that_is_gone_is_not_made_anew(simulator: ListmonkSimulator, context: Context, gone: str) -> None:
    """Perhaps it was sent, then deleted: neither asking nor sending takes that for a letter that never left."""
    publisher = one(simulator, context)
    prepared = await publisher.prepare(RENDITION, KEY)
    if gone == "deleted":
        simulator.campaigns.clear()
    else:
        only(simulator).fields["name"] = "Pour l'an prochain"
    for asked in (publisher.publish(RENDITION, KEY, prepared=prepared), publisher.find(KEY, RENDITION, prepared=prepared)):
        with pytest.raises(Rejected) as raised:
            await asked
        assert "plus dans listmonk" in (raised.value.hint or {})["fr"]
    assert simulator.letters == []


async def test_a_draft_is_found_again_and_brought_up_to_date(simulator: ListmonkSimulator, context: Context) -> None:
    """The answer to its making was lost; meanwhile the issue changed."""
    publisher = one(simulator, context)
    simulator.fault(Fault(action="lose", method="POST", path="/campaigns"))
    with pytest.raises(Transient):
        await publisher.prepare(RENDITION, KEY)
    newer = replace(RENDITION, title="Un autre sujet")
    await publisher.publish(newer, KEY, prepared=await publisher.prepare(newer, KEY))

    assert only(simulator).fields["subject"] == "Un autre sujet"
    assert only(simulator).fields["lists"] == [3]


async def test_a_draft_made_late_is_not_sent_too(simulator: ListmonkSimulator, context: Context) -> None:
    """A request that was thought lost arrives after the next one: two drafts, one letter."""
    publisher = one(simulator, context)
    prepared = await publisher.prepare(RENDITION, KEY)
    first = only(simulator)
    simulator.campaigns[7] = Campaign(id=7, fields=dict(first.fields), created_at=first.created_at, updated_at=first.updated_at)
    await publisher.publish(RENDITION, KEY, prepared=prepared)
    again = await publisher.publish(RENDITION, KEY, prepared=await publisher.prepare(RENDITION, KEY))

    assert again.remote_id == str(first.id)
    assert Counter(letter.to for letter in simulator.letters) == {"ana@exemple.fr": 1, "bob@exemple.fr": 1}


async def test_somebody_is_faster(simulator: ListmonkSimulator, context: Context) -> None:
    """Started by hand between our look and our word: listmonk refuses ours, and it is done."""
    publisher = one(simulator, context)
    prepared = await publisher.prepare(RENDITION, KEY)

    def start(stage: str, request: Any) -> None:
        if stage == "before" and request.path.endswith("/status"):
            simulator.set_status(only(simulator), "running")

    simulator.hooks.append(start)
    await publisher.publish(RENDITION, KEY, prepared=prepared)

    assert Counter(letter.to for letter in simulator.letters) == {"ana@exemple.fr": 1, "bob@exemple.fr": 1}


async def test_what_open_sees(simulator: ListmonkSimulator, context: Context) -> None:
    """A list that is not there, no empty template, a template that is none, a role that may too little."""
    cases: list[tuple[dict[str, Any], str]] = [
        ({"lists": ("Vélo",)}, "lists"),
        ({"template": 1}, "template"),
        ({"template": 9}, "template"),
    ]
    for changes, told in cases:
        with pytest.raises(AuthExpired) as raised:
            await one(simulator, context, **changes).open()
        assert told in (raised.value.hint or {})["fr"]
    simulator.permissions.discard("templates:get")
    with pytest.raises(AuthExpired, match="permission denied"):
        await one(simulator, context).open()
    simulator.permissions.add("templates:get")
    del simulator.templates[5]
    with pytest.raises(AuthExpired) as raised:
        await one(simulator, context).open()
    assert EMPTY in (raised.value.hint or {})["fr"]
    assert simulator.campaigns == {}


@pytest.mark.parametrize("wrong", [{"url": "lettre.asso.example"}, {"lists": ()}, {"lists": (" ",)}])
def test_options_that_cannot_be(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"listmonk|liste"):
        ListmonkOptions(**{"url": "https://l.example", "username": "a", "token": Secret("b"), "lists": ("c",), **wrong})
