"""Keila: a draft, then the order to send it, which is carried out once; templates of others stay text."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import replace
from html import escape, unescape
from pathlib import Path
from typing import Any, ClassVar

import pytest

from connectors.keila import KeilaPublisher
from connectors.keila.options import KeilaOptions
from connectors.keila.publisher import ORDERS_MAX
from connectors.keila.writing import html_of, subject_of
from syndicator.contract import Context, Secret
from syndicator.errors import AuthExpired, OutcomeUnknown, RateLimited, Rejected, Transient
from syndicator.http import Sessions
from syndicator.model import Receipt, Rendition
from syndicator.sandbox.keila import KEY as API_KEY
from syndicator.sandbox.keila import Campaign, KeilaSimulator, refused
from syndicator.sandbox.server import Fault
from syndicator.testing import PublisherContract
from syndicator.testing.makers import make_context, make_rendition
from syndicator.text.way_out import UNSUBSCRIBE
from tests.mail_scene import KEY, RENDITION

HOSTILE = "{{ contact.email }} {{{{ {% for x in y %} {%- raw -%} {{'{{'}} <script> <!-- {{ unsubscribe_link }} \"\\ {% endraw %}"


class Lettered(KeilaPublisher):
    """Gives each text of the suite a page, as every letter has one."""

    async def publish(self, rendition: Rendition, key: str, *, parent: Receipt | None = None, prepared: str | None = None) -> Receipt:
        page = replace(rendition, html=f"<html><body><p>{escape(rendition.text)}</p></body></html>")
        return await super().publish(page, key, parent=parent, prepared=prepared)


class TestContract(PublisherContract):
    connector = Lettered
    path = "/actions/send"
    dialect: ClassVar = [
        ("a key that was taken back", Fault(action="answer", status=403, body=refused(403, "Not authorized"), path="/send"), AuthExpired),
        ("a field it does not know", Fault(action="answer", status=400, body=refused(400, "Unexpected field"), method="POST"), Rejected),
        ("a campaign that is gone", Fault(action="answer", status=404, body=refused(404, "Not found"), path="/send"), Rejected),
        ("a crash, before", Fault(action="answer", status=500, body=b"{}", method="POST"), Transient),
        ("a crash, at the order", Fault(action="answer", status=500, body=b"{}", path="/send"), OutcomeUnknown),
        ("a proxy's wall", Fault(action="answer", status=429, headers={"Retry-After": "9"}, method="POST"), RateLimited),
        ("another program's page", Fault(action="answer", status=200, body=b"<html>", path="/campaigns"), Rejected),
    ]

    async def start(self) -> KeilaSimulator:
        return await KeilaSimulator().start()

    def options(self, simulator: Any) -> KeilaOptions:
        return KeilaOptions(url=simulator.url, key=Secret(API_KEY), sender="La lettre du vélo")

    def texts(self, simulator: Any) -> list[str]:
        return [letter.text for letter in simulator.shown if letter.to == "ana@exemple.fr"]

    def kill_credential(self, simulator: Any) -> None:
        simulator.key = "another"


@pytest.fixture
async def simulator() -> AsyncIterator[KeilaSimulator]:
    async with KeilaSimulator() as simulator:
        yield simulator


@pytest.fixture
async def context(tmp_path: Path) -> AsyncIterator[Context]:
    sessions = Sessions()
    yield make_context(tmp_path, sessions)
    await sessions.close()


def one(simulator: KeilaSimulator, context: Context, **changes: Any) -> KeilaPublisher:
    options = KeilaOptions(**{"url": simulator.url, "key": Secret(API_KEY), "sender": "La lettre du vélo", **changes})
    return KeilaPublisher(options, context)


def only(simulator: KeilaSimulator) -> Campaign:
    (campaign,) = simulator.campaigns.values()
    return campaign


async def test_a_letter_goes_to_each_contact_once(simulator: KeilaSimulator, context: Context) -> None:
    """Nothing leaves before the order; nobody is followed; each has a way out."""
    publisher = one(simulator, context)
    await publisher.open()
    prepared = await publisher.prepare(RENDITION, KEY)
    assert simulator.shown == []
    receipt = await publisher.publish(RENDITION, KEY, prepared=prepared)
    letter = simulator.shown[0]

    assert Counter(letter.to for letter in simulator.shown) == {"ana@exemple.fr": 1, "bob@exemple.fr": 1}
    assert receipt == Receipt(remote_id=only(simulator).id)
    assert (letter.subject, letter.tracked, letter.executed) == (RENDITION.title, False, ())
    assert only(simulator).fields["sender_id"] == "ms_2"
    way_out = f"{simulator.url}/unsubscribe/p_1/ana/hmac"
    assert letter.html.replace("&#123;", "{").replace("{ {", "{{") == RENDITION.html.replace(UNSUBSCRIBE, way_out)
    assert f'href="{way_out}"' in letter.html


async def test_a_segment(simulator: KeilaSimulator, context: Context) -> None:
    await one(simulator, context, segment="Bénévoles", sender="ms_1").publish(RENDITION, KEY)

    assert [letter.to for letter in simulator.shown] == ["bob@exemple.fr"]
    assert only(simulator).fields["sender_id"] == "ms_1"


@pytest.mark.parametrize("hostile", [HOSTILE, "{", "{{", "{%", "}}", "{{{%", "{{ unsubscribe_link }}", "{{ campaign.data.syndicator }}"])
async def test_templates_of_others_stay_text(simulator: KeilaSimulator, context: Context, hostile: str) -> None:
    """Subject and body say what was written, and Keila executes nothing of it."""
    head = "<style>a{b:c}@media x{a{b:c}}</style><!--[if mso]>{{ x }}<![endif]-->"
    html = f'<html><head>{head}</head><body title="{escape(hostile)}">{escape(hostile)}</body></html>'
    await one(simulator, context).publish(make_rendition(title=f"Titre {hostile}", html=html), KEY)
    letter = simulator.shown[0]

    assert letter.executed == ()
    assert letter.subject == f"Titre {hostile}"
    assert unescape(letter.html.partition("<body")[2]) == f' title="{hostile}">{hostile}</body></html>'
    assert "<style>a{b:c}@media x{a{b:c}}</style><!--[if mso]>{ { x }}<![endif]-->" in letter.html


def test_plain_letters_stay_plain() -> None:
    assert subject_of("Juin {en fête}") == ("Juin {en fête}", {})
    assert html_of("<p>À bientôt</p>") == "<p>À bientôt</p>"


async def test_the_simulator_executes_what_is_not_escaped(simulator: KeilaSimulator) -> None:
    """Else the test above could not fail."""
    fields = {"subject": "x", "html_body": "{{ contact.email }}", "sender_id": "ms_1", "settings": {"type": "html"}}
    simulator.deliver(Campaign(id="mc_1", fields=fields, inserted_at=simulator.now(), updated_at=simulator.now()))

    assert simulator.letters[0].executed == ("{{ contact.email }}",)
    assert simulator.letters[0].tracked


@pytest.mark.parametrize("field", ["sent_at", "scheduled_for"])
async def test_a_draft_that_a_person_sent_is_done(simulator: KeilaSimulator, context: Context, field: str) -> None:
    publisher = one(simulator, context)
    prepared = await publisher.prepare(RENDITION, KEY)
    setattr(only(simulator), field, simulator.now())
    receipt = await publisher.publish(RENDITION, KEY, prepared=prepared)

    assert receipt.remote_id == only(simulator).id
    assert await publisher.find(KEY, RENDITION, prepared=prepared) == receipt
    assert await publisher.find(KEY, RENDITION) == receipt
    assert await publisher.prepare(RENDITION, KEY) == prepared
    assert simulator.shown == []


@pytest.mark.parametrize("field", ["subject", "html_body", "sender_id", "segment_id"])
async def test_a_draft_that_a_person_changed_is_not_sent(simulator: KeilaSimulator, context: Context, field: str) -> None:
    """They are told; when they send it from here again, it goes out as we wrote it."""
    publisher = one(simulator, context, segment="Bénévoles")
    prepared = await publisher.prepare(RENDITION, KEY)
    only(simulator).fields[field] = {"sender_id": "ms_1", "segment_id": None}.get(field, "Autre chose")
    with pytest.raises(Rejected) as raised:
        await publisher.publish(RENDITION, KEY, prepared=prepared)

    assert "modifié" in (raised.value.hint or {})["fr"]
    assert simulator.shown == []
    await publisher.publish(RENDITION, KEY, prepared=await publisher.prepare(RENDITION, KEY))
    assert [(letter.to, letter.subject) for letter in simulator.shown] == [("bob@exemple.fr", RENDITION.title)]


async def test_a_draft_that_is_gone_is_not_made_anew(simulator: KeilaSimulator, context: Context) -> None:
    """Perhaps it was sent, then deleted: neither asking nor sending takes that for a letter that never left."""
    publisher = one(simulator, context)
    prepared = await publisher.prepare(RENDITION, KEY)
    simulator.campaigns.clear()
    for asked in (publisher.publish(RENDITION, KEY, prepared=prepared), publisher.find(KEY, RENDITION, prepared=prepared)):
        with pytest.raises(Rejected) as raised:
            await asked
        assert "plus dans Keila" in (raised.value.hint or {})["fr"]


async def test_a_draft_is_found_again_and_brought_up_to_date(simulator: KeilaSimulator, context: Context) -> None:
    """The answer to its making was lost; meanwhile the issue changed."""
    publisher = one(simulator, context)
    simulator.fault(Fault(action="lose", method="POST", path="/campaigns"))
    with pytest.raises(Transient):
        await publisher.prepare(RENDITION, KEY)
    newer = replace(RENDITION, title="Un {{ autre }} sujet")
    await publisher.publish(newer, KEY, prepared=await publisher.prepare(newer, KEY))

    assert {letter.subject for letter in simulator.shown} == {"Un {{ autre }} sujet"}
    assert len(simulator.campaigns) == 1


async def test_an_order_that_takes_its_time(simulator: KeilaSimulator, context: Context) -> None:
    """It is asked for, and told again: Keila sends once."""
    publisher = one(simulator, context)
    simulator.slow = 50
    prepared = await publisher.prepare(RENDITION, KEY)
    for _ in range(2):
        with pytest.raises(OutcomeUnknown, match="not sent"):
            await publisher.publish(RENDITION, KEY, prepared=prepared)
        assert await publisher.find(KEY, RENDITION, prepared=prepared) is None
    assert len(simulator.shown) == 2
    receipt = await publisher.publish(RENDITION, KEY, prepared=prepared)

    assert receipt.remote_id == only(simulator).id
    assert Counter(letter.to for letter in simulator.shown) == {"ana@exemple.fr": 1, "bob@exemple.fr": 1}


async def test_an_order_that_comes_to_nothing(simulator: KeilaSimulator, context: Context) -> None:
    """No credits: Keila says 202 all the same. A person is told, puts that right, and sends it again."""
    publisher = one(simulator, context)
    simulator.credits = 1
    prepared = await publisher.prepare(RENDITION, KEY)
    for _ in range(ORDERS_MAX):
        with pytest.raises(OutcomeUnknown):
            await publisher.publish(RENDITION, KEY, prepared=prepared)
    with pytest.raises(Rejected) as raised:
        await publisher.publish(RENDITION, KEY, prepared=prepared)
    assert "crédits" in (raised.value.hint or {})["fr"]

    simulator.credits = 100
    await publisher.publish(RENDITION, KEY, prepared=await publisher.prepare(RENDITION, KEY))
    assert len(simulator.shown) == 2


async def test_the_answer_after_the_order_is_lost(simulator: KeilaSimulator, context: Context) -> None:
    """It may have left."""
    publisher = one(simulator, context)
    prepared = await publisher.prepare(RENDITION, KEY)
    simulator.fault(Fault(action="answer", status=500, method="GET", path="/campaigns/mc_", skip=1))
    with pytest.raises(OutcomeUnknown):
        await publisher.publish(RENDITION, KEY, prepared=prepared)
    assert await publisher.find(KEY, RENDITION, prepared=prepared) is not None


async def test_what_open_sees(simulator: KeilaSimulator, context: Context) -> None:
    for changes, told in (({"sender": "Personne"}, "sender"), ({"segment": "Personne"}, "segment")):
        with pytest.raises(AuthExpired) as raised:
            await one(simulator, context, **changes).open()
        assert told in (raised.value.hint or {})["fr"]
    assert simulator.campaigns == {}


def test_options_that_cannot_be() -> None:
    with pytest.raises(ValueError, match="Keila"):
        KeilaOptions(url="keila.asso.example", key=Secret("k"), sender="s")
