"""The X publisher: the contract, what it costs, its words, what went out already, and four strings that never show."""

from __future__ import annotations

import json
import logging
import sys
import traceback
from datetime import UTC, datetime, timedelta
from pathlib import Path
from subprocess import run
from typing import Any, ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.x import XPublisher
from connectors.x.limits import LIMITS
from connectors.x.wording import posted
from syndicator.contract import CanDelete, CanFind, CanPrepare, CanUpdate, Prices, Secret
from syndicator.errors import AuthExpired, ConnectorError, Gone, OutcomeUnknown, RateLimited, Rejected, Transient, Unprepared
from syndicator.http import Sessions
from syndicator.model import Receipt
from syndicator.sandbox.server import Fault, Simulator
from syndicator.sandbox.x import XSimulator
from syndicator.sandbox.x_answers import BLANK, CLIENT_FORBIDDEN, CREDITS, INVALID, READ_ONLY, USAGE_CAPPED, duplicate, problem
from syndicator.sandbox.x_text import cashtags, weight
from syndicator.testing import HTML_ERROR, NOW, PublisherContract, make_context, make_rendition
from syndicator.text.count import length
from syndicator.text.links import addresses
from tests.clock import Clock
from tests.x_scene import SECRETS, asked, bodies, opened, options_for, publisher, server

__all__ = ["publisher", "server"]

JSON = {"Content-Type": "application/problem+json"}


def says(status: int, title: str, detail: str, kind: str = BLANK, headers: dict[str, str] | None = None, **more: Any) -> Fault:
    body = problem(status, title, detail, kind, **more)
    return Fault(action="answer", method="POST", path="/2/tweets", status=status, body=body, headers=JSON | (headers or {}))


def forbids(detail: str, kind: str = BLANK) -> Fault:
    return says(403, "Forbidden", detail, kind)


class TestX(PublisherContract):
    """On the account of an association."""

    connector = XPublisher
    path = "/2/tweets"
    dialect: ClassVar[Any] = (
        (
            "a window that is full",
            says(429, "Too Many Requests", "Too Many Requests", headers={"x-rate-limit-remaining": "0"}),
            RateLimited,
        ),
        ("a month that is used up", says(429, "UsageCapExceeded", "Usage cap exceeded: Monthly product cap", USAGE_CAPPED), RateLimited),
        ("no credit", says(402, "CreditsDepleted", "Your enrolled account [1] does not have any credits", CREDITS), AuthExpired),
        ("a limit of spending", says(403, "SpendCapReached", "billing cycle spend cap", CREDITS), RateLimited),
        ("a duplicate", forbids("You are not allowed to create a Tweet with duplicate content."), Rejected),
        ("a suspended account", forbids("Your account is suspended and is not permitted to access this feature."), AuthExpired),
        ("an app without access", forbids("When authenticating requests ...", CLIENT_FORBIDDEN), AuthExpired),
        ("an app that reads", forbids("Your client app is not configured ...", READ_ONLY), AuthExpired),
        ("another feature", forbids("You are not permitted to access this feature"), AuthExpired),
        ("a rule", forbids("You are not permitted to perform this action."), Rejected),
        ("a bad request", says(400, "Invalid Request", "One or more parameters", INVALID), Rejected),
        ("dead strings", says(401, "Unauthorized", "Unauthorized"), AuthExpired),
        ("an error of its own", says(500, "Internal Server Error", "Internal Server Error"), OutcomeUnknown),
        ("a proxy's refusal", Fault(action="answer", path="/2/tweets", status=403, body=HTML_ERROR), Transient),
        (
            "a yes that is a no",
            Fault(action="answer", path="/2/tweets", status=200, body=b'{"errors": [%s]}' % problem(403, "Forbidden", "Not allowed")),
            Rejected,
        ),
        (
            "a yes without a post",
            Fault(action="answer", path="/2/tweets", status=201, body=b'{"errors": [{"title": "?", "type": "about:blank"}]}'),
            OutcomeUnknown,
        ),
        ("a yes in HTML", Fault(action="answer", path="/2/tweets", status=200, body=HTML_ERROR), OutcomeUnknown),
    )

    async def start(self) -> Simulator:
        return await XSimulator(now=lambda: NOW).start()

    def options(self, simulator: Simulator) -> Any:
        assert isinstance(simulator, XSimulator)
        return options_for(simulator)

    def texts(self, simulator: Simulator) -> list[str]:
        assert isinstance(simulator, XSimulator)
        return [post.text for post in simulator.posts]

    def kill_credential(self, simulator: Simulator) -> None:
        assert isinstance(simulator, XSimulator)
        simulator.keys = type(simulator.keys)(consumer_key="a", consumer_secret="b", token="c", token_secret="d")

    def text_of_length(self, limits: Any, length: int) -> str:
        """Weights: 2 for an emoji, 23 for an address, whatever it looks like."""
        return "🚲 exemple.fr/un/chemin " + "é" * (length - 27)


async def test_what_it_can_do() -> None:
    """As the manual page says."""
    abilities = (CanPrepare, CanDelete, CanFind, CanUpdate)
    assert [issubclass(XPublisher, ability) for ability in abilities] == [True, True, True, False]
    assert LIMITS.prices == Prices(currency="USD", create=15, create_with_link=200, description=5, delete=10)
    assert (LIMITS.threads, LIMITS.sensitive_media, LIMITS.key_window_s) == (False, True, 0)


def test_tweepy_is_loaded_where_x_is_opened() -> None:
    """Not by naming the class."""
    program = "import sys, connectors.x; print('tweepy' in sys.modules, 'oauthlib' in sys.modules)"
    done = run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert done.stdout.split() == ["False", "False"]


async def test_open_asks_once_a_day(publisher: XPublisher, server: XSimulator, sessions: Sessions, tmp_path: Path, clock: Clock) -> None:
    """X charges a cent to say who we are: started five times a day, we pay it once; other strings are asked about anew."""
    assert (publisher.account, server.charges) == ("https://x.com/amisduvelo", [("user", 10)])
    for _ in range(3):
        assert (await opened(server, sessions, tmp_path, clock)).account == publisher.account
    assert len(server.requests) == 1

    clock.forward(days=1)
    await opened(server, sessions, tmp_path, clock)
    assert asked(server) == ["GET /2/users/me"] * 2
    with pytest.raises(AuthExpired):
        await opened(server, sessions, tmp_path, clock, access_token=Secret("another"))


async def test_what_x_refuses_is_asked_again(
    publisher: XPublisher, server: XSimulator, sessions: Sessions, tmp_path: Path, clock: Clock
) -> None:
    """A pause ends only when X itself says yes, also on the same day."""
    server.balance = 0
    with pytest.raises(AuthExpired) as caught:
        await publisher.publish(make_rendition(), "key")
    assert "Billing" in (caught.value.hint or {})["fr"]
    with pytest.raises(AuthExpired):
        await opened(server, sessions, tmp_path, clock)
    server.balance = 5000
    await (await opened(server, sessions, tmp_path, clock)).publish(make_rendition(), "key")
    assert len(server.posts) == 1


async def test_an_app_that_may_only_read_is_told_at_once(server: XSimulator, sessions: Sessions, tmp_path: Path, clock: Clock) -> None:
    """The usual mistake: seen by ``check``, before anything is to be posted."""
    server.access = "read"
    with pytest.raises(AuthExpired) as caught:
        await opened(server, sessions, tmp_path, clock)

    assert "Read and write" in (caught.value.hint or {})["fr"]


async def test_a_receipt_leads_to_the_post(publisher: XPublisher, server: XSimulator) -> None:
    """Its page."""
    receipt = await publisher.publish(make_rendition(text="Bonjour"), "key")

    (post,) = server.posts
    assert receipt == Receipt(remote_id=post.id, url=f"https://x.com/amisduvelo/status/{post.id}")
    assert bodies(server, "/2/tweets") == [{"text": "Bonjour"}]


@pytest.mark.parametrize(("text", "price"), [
    ("Rendez-vous à 20 h 30.", 15),
    ("Voir https://asso.bzh/agenda", 200),
    ("Voir asso.bzh", 200),
    ("https://mobilizon.example/events/1", 200),
])  # fmt: skip
async def test_what_a_post_costs(publisher: XPublisher, server: XSimulator, text: str, price: int) -> None:
    """A link costs thirteen times as much; a bare domain is one."""
    await publisher.publish(make_rendition(text=text), "key")

    assert server.charges == [("user", 10), ("create with URL" if price == 200 else "create", price)]
    assert LIMITS.prices is not None
    assert price == (LIMITS.prices.create_with_link if addresses(text) else LIMITS.prices.create)


async def test_a_deletion_is_paid_for_and_once_is_enough(publisher: XPublisher, server: XSimulator) -> None:
    """Gone is gone."""
    receipt = await publisher.publish(make_rendition(), "key")
    await publisher.delete(receipt)
    assert (server.posts, server.charges[-1]) == ([], ("delete", 10))
    with pytest.raises(Gone):
        await publisher.delete(Receipt(remote_id="1"))


@pytest.mark.parametrize(("text", "sent"), [
    ("Achetez $ABC", "Achetez $ABC"),
    ("$ABC $XYZ $DE", "$ABC $\u200bXYZ $\u200bDE"),
    ("5 $, $5, 10$ et US$ 20", "5 $, $5, 10$ et US$ 20"),
    ("e\u0301te\u0301", "été"),
])  # fmt: skip
async def test_one_cashtag_only(publisher: XPublisher, server: XSimulator, text: str, sent: str) -> None:
    """X refuses two; amounts are none; and what is sent is composed (NFC)."""
    await publisher.publish(make_rendition(text=text), "key")

    assert [post.text for post in server.posts] == [sent]
    assert len(cashtags(sent)) <= 1


async def test_the_simulator_refuses_two(server: XSimulator, publisher: XPublisher) -> None:
    """The test above can fail."""
    with pytest.raises(Rejected, match="more than one cashtag"):
        await publisher._opened().create("$ABC $XYZ", [])


@given(st.text(alphabet="$ABé 🚲\u200b.\n", max_size=300))
def test_taming_cashtags_never_makes_a_text_too_long(text: str) -> None:
    """A full text stays within 280, and at most one symbol stays live."""
    whole = text if length(text, LIMITS) <= 280 else text[:100]
    sent = posted(whole)

    assert length(sent, LIMITS) <= 280
    assert weight(sent) <= 280
    assert len(cashtags(sent)) <= 1


@pytest.mark.parametrize("text", [
    "Réponse perdue",
    "Atelier & bricolage <3 : https://asso.bzh/agenda et exemple.fr, à 5 $",
    "Deux\n\nlignes  espacées ☕ https://asso.bzh",
    "$ABC et $XYZ",
])  # fmt: skip
@pytest.mark.parametrize("restarted", [False, True])
async def test_what_went_out_is_found(
    publisher: XPublisher, server: XSimulator, sessions: Sessions, tmp_path: Path, clock: Clock, text: str, restarted: bool
) -> None:
    """X gives texts back with its own addresses and escapes: they are compared without. Paid for by the post that is read."""
    rendition = make_rendition(text=text, published_at=NOW - timedelta(days=2))
    server.write("Du matin")
    clock.forward(hours=2)
    server.fault(Fault(action="lose", method="POST", path="/2/tweets"))
    with pytest.raises(OutcomeUnknown):
        await publisher.publish(rendition, "key")
    clock.forward(seconds=30)
    later = await opened(server, sessions, tmp_path, clock) if restarted else publisher
    assert await later.find("key", rendition) == Receipt(
        remote_id=server.posts[1].id, url=f"https://x.com/amisduvelo/status/{server.posts[1].id}"
    )
    assert [one for one in server.charges if one[0] == "own post"] == [("own post", 1)]
    before = len(server.requests)
    assert await later.find("key", rendition) is not None
    assert len(server.requests) == before


async def test_nothing_is_read_before_anything_is_unknown(publisher: XPublisher, server: XSimulator) -> None:
    """One-way: the account's posts are asked for only to know whether ours is among them."""
    for number in range(3):
        await publisher.publish(make_rendition(text=f"Un {number}"), f"key-{number}")

    assert asked(server) == ["GET /2/users/me", *["POST /2/tweets"] * 3]


async def test_the_same_words_of_another_delivery_are_not_taken_for_ours(publisher: XPublisher, server: XSimulator, clock: Clock) -> None:
    """Each month the same reminder: the one that is known belongs to its own delivery."""
    rendition = make_rendition(text="Réunion ce soir")
    await publisher.publish(rendition, "january")
    clock.forward(days=31)
    server.fault(Fault(action="drop", method="POST", path="/2/tweets"))
    with pytest.raises(OutcomeUnknown):
        await publisher.publish(rendition, "february")

    assert await publisher.find("february", rendition) is None
    assert (await publisher.publish(rendition, "february")).remote_id == server.posts[1].id


async def test_an_old_post_with_the_same_words_is_not_ours(publisher: XPublisher, server: XSimulator, clock: Clock) -> None:
    """Only what was made since the first attempt counts."""
    server.write("Réunion ce soir")
    clock.forward(days=31)
    server.fault(Fault(action="drop", method="POST", path="/2/tweets"))
    with pytest.raises(OutcomeUnknown):
        await publisher.publish(make_rendition(text="Réunion ce soir"), "key")

    assert await publisher.find("key", make_rendition(text="Réunion ce soir")) is None


async def test_a_timeline_without_end_is_no_answer(publisher: XPublisher, server: XSimulator, clock: Clock) -> None:
    """Read to a limit; "not there" is only said when everything was seen."""
    rendition = make_rendition(text="Perdu", published_at=NOW)
    for number in range(150):
        server.write(f"Autre {number}")
    assert await publisher.find("key", rendition) is None
    for number in range(400):
        server.write(f"Encore {number}")
    with pytest.raises(Transient, match="cannot tell"):
        await publisher.find("key", rendition)


async def test_a_duplicate_at_a_first_attempt_is_somebody_elses(publisher: XPublisher, server: XSimulator) -> None:
    """Reported, not counted as success; and nothing is paid for looking."""
    server.write("Bonne année !")
    for _ in range(2):
        with pytest.raises(Rejected) as caught:
            await publisher.publish(make_rendition(text="Bonne année !"), "key")
        assert type(caught.value) is Rejected
        assert "changez un mot" in (caught.value.hint or {})["fr"]
    assert (len(server.posts), server.charges) == (1, [("user", 10)])


async def test_a_duplicate_after_an_unknown_outcome_is_ours(publisher: XPublisher, server: XSimulator, clock: Clock) -> None:
    """The timeline was late, the question was answered with no, and X knows better: never two, never lost."""
    rendition = make_rendition(text="Bonne année !")
    server.fault(Fault(action="lose", method="POST", path="/2/tweets"))
    with pytest.raises(OutcomeUnknown):
        await publisher.publish(rendition, "key")
    server.hidden = {server.posts[0].id}
    clock.forward(minutes=1)
    assert await publisher.find("key", rendition) is None
    with pytest.raises(OutcomeUnknown, match="does not show it yet"):
        await publisher.publish(rendition, "key")
    server.hidden = set()
    assert (await publisher.publish(rendition, "key")).remote_id == server.posts[0].id
    assert len(server.posts) == 1


async def test_a_duplicate_that_is_never_shown_ends_with_a_person(publisher: XPublisher, server: XSimulator, clock: Clock) -> None:
    """No circle without end."""
    server.fault(Fault(action="drop", method="POST", path="/2/tweets"))
    with pytest.raises(OutcomeUnknown):
        await publisher.publish(make_rendition(text="Bonne année !"), "key")
    server.fault(Fault(action="answer", method="POST", path="/2/tweets", status=403, body=duplicate().body, headers=JSON))
    clock.forward(hours=2)
    with pytest.raises(Rejected):
        await publisher.publish(make_rendition(text="Bonne année !"), "key")


async def test_what_surely_failed_leaves_no_trace(publisher: XPublisher, server: XSimulator) -> None:
    """Refused for want of room, then posted by hand: that is a duplicate of somebody's, not ours."""
    server.fault(says(429, "Too Many Requests", "Too Many Requests"))
    with pytest.raises(RateLimited):
        await publisher.publish(make_rendition(text="Bonjour"), "key")
    server.write("Bonjour")
    with pytest.raises(Rejected):
        await publisher.publish(make_rendition(text="Bonjour"), "key")


@pytest.mark.parametrize("damage", [b"", b"{", b"[]", b'{"account": 5, "keys": {"a": 1}}'])
async def test_a_damaged_memory_costs_a_cent(
    publisher: XPublisher, server: XSimulator, sessions: Sessions, tmp_path: Path, clock: Clock, damage: bytes
) -> None:
    """The outbox is the truth."""
    (tmp_path / "state" / "under-test" / "x.json").write_bytes(damage)
    again = await opened(server, sessions, tmp_path, clock)
    await again.publish(make_rendition(), "key")

    assert (again.account, len(server.posts)) == (publisher.account, 1)


EPOCH = int(NOW.timestamp())


@pytest.mark.parametrize(("headers", "at"), [
    ({"x-rate-limit-remaining": "0", "x-rate-limit-reset": f"{EPOCH + 600}"}, NOW + timedelta(minutes=10)),
    ({"x-rate-limit-remaining": "5", "x-rate-limit-reset": f"{EPOCH + 600}", "x-app-limit-24hour-remaining": "0",
      "x-app-limit-24hour-reset": f"{EPOCH + 36000}"}, NOW + timedelta(hours=10)),
    ({"x-rate-limit-reset": f"{EPOCH + 60}"}, NOW + timedelta(minutes=1)),
    ({"x-rate-limit-remaining": "0", "x-rate-limit-reset": "99999999999"}, NOW + timedelta(days=35)),
    ({"x-rate-limit-remaining": "0", "x-rate-limit-reset": "1"}, None),
    ({"x-rate-limit-reset": "soon", "Retry-After": "30"}, NOW + timedelta(seconds=30)),
    ({}, None),
])  # fmt: skip
async def test_when_there_is_room_again(publisher: XPublisher, server: XSimulator, headers: dict[str, str], at: datetime | None) -> None:
    """The last of the windows that are full; nothing absurd is believed."""
    server.fault(says(429, "Too Many Requests", "Too Many Requests", headers=headers))
    with pytest.raises(RateLimited) as caught:
        await publisher.publish(make_rendition(), "key")

    assert caught.value.at == at


@pytest.mark.parametrize(("fault", "at"), [
    (says(429, "UsageCapExceeded", "Monthly product cap", USAGE_CAPPED), datetime(2026, 12, 1, tzinfo=UTC)),
    (says(403, "SpendCapReached", "spend cap", CREDITS, reset_date="2026-12-12"), datetime(2026, 12, 12, tzinfo=UTC)),
    (says(402, "SpendCapReached", "spend cap", CREDITS, reset_date="bientôt"), datetime(2026, 12, 1, tzinfo=UTC)),
])  # fmt: skip
async def test_what_is_used_up_waits_for_its_period(publisher: XPublisher, server: XSimulator, fault: Fault, at: datetime) -> None:
    """Not asked again every hour."""
    server.fault(fault)
    with pytest.raises(RateLimited) as caught:
        await publisher.publish(make_rendition(), "key")

    assert caught.value.at == at


async def test_the_hundredth_and_first_waits(publisher: XPublisher, server: XSimulator, clock: Clock) -> None:
    """100 posts in 15 minutes; X says itself when the window opens."""
    for number in range(100):
        await publisher.publish(make_rendition(text=f"Un {number}"), f"key-{number}")
    clock.forward(minutes=5)
    with pytest.raises(RateLimited) as caught:
        await publisher.publish(make_rendition(text="Trop"), "key")
    assert caught.value.at == NOW + timedelta(minutes=15)
    clock.forward(minutes=10)
    await publisher.publish(make_rendition(text="Trop"), "key")


async def test_what_is_not_public_is_never_sent(publisher: XPublisher, server: XSimulator) -> None:
    """Whatever the core thinks."""
    for visibility in ("private", "direct"):
        with pytest.raises(Rejected):
            await publisher.publish(make_rendition(visibility=visibility), "key")
        with pytest.raises(Rejected):
            await publisher.prepare(make_rendition(visibility=visibility), "key")
    assert len(server.requests) == 1


async def test_a_request_signed_by_others_is_refused(server: XSimulator, publisher: XPublisher, sessions: Sessions, tmp_path: Path) -> None:
    """The simulator computes the signature anew: another secret, another address, the same request twice are 401."""
    await publisher.publish(make_rendition(), "key")
    seen = server.requests[-1]
    http = make_context(tmp_path, sessions).http
    header = {"Authorization": seen.headers["Authorization"]}
    for method, path in (("POST", "/2/tweets"), ("GET", "/2/users/me")):
        response = await http.request(method, server.url + path, headers=header, json=json.loads(seen.body) if method == "POST" else None)
        assert response.status == 401
    for name in ("api_key_secret", "access_token_secret"):
        wrong = XPublisher(options_for(server, **{name: Secret("wrong")}), make_context(tmp_path, sessions, name=name))
        with pytest.raises(AuthExpired) as caught:
            await wrong.open()
        assert "quatre" in (caught.value.hint or {})["fr"]


@pytest.mark.parametrize("fault", [
    Fault(action="answer", status=401, body=problem(401, "Unauthorized", f"bad token {SECRETS[2]}")),
    Fault(action="answer", status=500, body=f"echo {' '.join(SECRETS)}".encode()),
    Fault(action="drop"), Fault(action="truncate"), Fault(action="answer", status=302, headers={"Location": "https://elsewhere.example/"}),
], ids=["401", "echo", "cut", "truncated", "redirect"])  # fmt: skip
async def test_the_strings_never_show(publisher: XPublisher, server: XSimulator, fault: Fault, caplog: pytest.LogCaptureFixture) -> None:
    """Not in errors, their causes or the log, whatever the service echoes and however much is logged."""
    caplog.set_level(logging.DEBUG)
    server.fault(fault)
    with pytest.raises(ConnectorError) as caught:
        await publisher.publish(make_rendition(), "key")

    told = "".join(traceback.format_exception(caught.value)) + caplog.text + repr(publisher._options) + str(caught.value.args)
    assert not [secret for secret in SECRETS if secret in told]


@pytest.mark.parametrize(("status", "body", "kind"), [
    (404, b"", Rejected), (404, HTML_ERROR, Rejected), (200, b"[]", Transient), (200, b"hello", Transient), (503, HTML_ERROR, Transient),
    (200, b'{"data": {}}', Rejected), (302, b"", Rejected), (402, b"", AuthExpired), (401, b"", AuthExpired), (403, HTML_ERROR, Transient),
])  # fmt: skip
async def test_an_address_that_is_not_x(
    server: XSimulator, sessions: Sessions, tmp_path: Path, clock: Clock, status: int, body: bytes, kind: type[ConnectorError]
) -> None:
    """Opening says what is wrong, or waits; it never takes a stranger for X."""
    server.fault(Fault(action="answer", status=status, body=body))
    with pytest.raises(kind):
        await opened(server, sessions, tmp_path, clock)


def test_options_say_what_is_wrong() -> None:
    """An address that is none."""
    with pytest.raises(ValueError, match="api"):
        XPublisher.Options(
            api_key=Secret("a"), api_key_secret=Secret("b"), access_token=Secret("c"), access_token_secret=Secret("d"), api="x"
        )


async def test_before_opening_nothing_is_sent(server: XSimulator, sessions: Sessions, tmp_path: Path) -> None:
    """A publisher that is closed waits."""
    closed = XPublisher(options_for(server), make_context(tmp_path, sessions))
    await closed.close()
    with pytest.raises(Transient):
        await closed.publish(make_rendition(), "key")
    with pytest.raises(Transient):
        await closed.find("key", make_rendition())
    assert server.requests == []


async def test_unknown_media_ids_are_made_anew(publisher: XPublisher, server: XSimulator) -> None:
    """What X says of them is told by the parameter it names."""
    errors = [{"parameters": {"media.media_ids": ["[1]"]}, "message": "Your media IDs are invalid."}]
    server.fault(says(400, "Invalid Request", "One or more parameters to your request was invalid.", INVALID, errors=errors))
    with pytest.raises(Unprepared):
        await publisher.publish(make_rendition(), "key")
