"""A second pair of eyes: the mail that a person gets, what they decide, and what leaves because of it."""

from __future__ import annotations

import asyncio
import random
import re
import stat
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from logging import INFO
from pathlib import Path
from typing import Any

import pytest

from syndicator import steps
from syndicator.daemon import Attendant
from syndicator.issue_list import listed
from syndicator.issues import Row
from syndicator.letter.review import KEY_FILE, VALID, WAY, Link, fits, key_of, path_to, read, token_of
from syndicator.logs import LineFormatter, event
from syndicator.review_page import Reviews
from syndicator.reviewing import ask, press, standing
from syndicator.tenant import Tenant
from syndicator.web import Asked
from tests.engine_scene import Scene, post
from tests.test_alerts import Post, address, post_office
from tests.test_issuing import DUE, FETE, monday, newsroom

DAY_BEFORE = DUE - timedelta(days=1)
PUBLIC = "https://velo.example/"
LINK = Link(newsletter="lettre", until_at=DUE)
KEY = b"k" * 32


@asynccontextmanager
async def reviewed(folder: Path, **changes: Any) -> AsyncIterator[tuple[Scene, Post]]:
    """The newsroom, whose letters Anna reads first; her mail server is on loopback."""
    async with post_office() as office, newsroom(folder, review="anna@asso.example", **changes) as made:
        await made.restart(replace(made.config, alerts=address(office), public_url=PUBLIC))
        yield made, office


async def at(made: Scene, when: datetime) -> list[str]:
    """Time passes; the subjects of what has left by then."""
    await monday(made, when)
    return [text.splitlines()[1] for text in made.wall.texts]


async def decide(made: Scene, what: str, text: str | None = None, link: Link = LINK, seen: str | None = None) -> bool:
    """Press a button of the form as it is shown now, or as it was when ``seen``."""
    key, filled = key_of(made.config.state_dir), await form(made, what, link, seen)
    filled |= {"editorial": text} if text is not None else {}
    return await made.ask(lambda store: press(made.tenant, store, key, link, filled))


async def form(made: Scene, what: str, link: Link = LINK, seen: str | None = None) -> dict[str, str]:
    """Its hidden fields and the button."""
    found = await made.ask(lambda store: standing(made.tenant, store, link))
    assert found is not None
    return {"press": what, "token": token_of(key_of(made.config.state_dir), link, found.seen if seen is None else seen)}


async def state(made: Scene, until_at: datetime = DUE) -> Row:
    row = await made.ask(lambda store: store.issues.one("lettre", until_at))
    assert row is not None
    return row


async def test_a_mail_the_day_before(tmp_path: Path) -> None:
    """To that person alone, once, with the letter in both forms, when it leaves, and one link."""
    async with reviewed(tmp_path) as (made, office):
        made.world.show(FETE, post(1, "Un atelier <samedi>"))
        await at(made, DAY_BEFORE - timedelta(minutes=1))
        assert office.letters == []
        await at(made, DAY_BEFORE)
        await at(made, DAY_BEFORE + timedelta(minutes=30))

        (mail,) = office.letters
        assert (mail["To"], office.recipients) == ("anna@asso.example", ["<anna@asso.example>"])
        assert mail["Subject"].startswith("À relire : ")
        text, html = (part.get_content() for part in mail.iter_parts())
        assert "Sans réponse de votre part, il part lundi 23 novembre 2026 à 9h." in text
        assert "Fête de l’hiver" in text
        assert "Fête de l’hiver" in html
        shown = html[html.index("<body") :]
        assert shown.index("Sans réponse de votre part") < shown.index("Fête de l’hiver")
        assert "unsubscribe.invalid" not in text + html
        (link,) = re.findall(rf"{PUBLIC}{WAY}(\S+)", text)
        assert f'href="{PUBLIC}{WAY}{link}"' in html
        assert read(key_of(made.config.state_dir), link, made.clock()) == LINK
        assert made.wall.texts == []


@pytest.mark.parametrize(("unanswered", "left"), [("send", 1), ("wait", 0)])
async def test_without_an_answer(tmp_path: Path, unanswered: str, left: int) -> None:
    """It leaves at its hour, or waits; the mail said which."""
    async with reviewed(tmp_path, unanswered=unanswered) as (made, office):
        made.world.show(FETE)
        assert await at(made, DAY_BEFORE) == []
        assert await at(made, DUE - timedelta(seconds=1)) == []
        assert len(await at(made, DUE)) == left
        body = office.letters[0].get_body(("plain",))
        assert body is not None
        assert ("sans réponse, il ne part pas" in body.get_content()) == (unanswered == "wait")


async def test_what_is_approved_leaves_at_its_hour_and_not_before(tmp_path: Path) -> None:
    """Also where it would have waited."""
    async with reviewed(tmp_path, unanswered="wait") as (made, _):
        made.world.show(FETE)
        await at(made, DAY_BEFORE)
        for approved in (False, True):
            (letter,) = listed(made.tenant.config, made.tenant.config.newsletters.values(), made.clock())
            assert (letter.review, letter.approved, letter.next_at) == (True, approved, DUE)
            assert approved or await decide(made, "send")
        assert await at(made, DUE - timedelta(seconds=1)) == []
        assert len(await at(made, DUE)) == 1
        assert len(await at(made, DUE + timedelta(hours=3))) == 1


async def test_what_is_approved_late_leaves_at_once(tmp_path: Path) -> None:
    """Three weeks late: one letter, and the rhythm goes on."""
    async with reviewed(tmp_path, unanswered="wait") as (made, office):
        made.world.show(FETE)
        await at(made, DAY_BEFORE)
        late = DUE + timedelta(days=2)
        assert await at(made, late) == []
        assert await decide(made, "send")
        assert len(await at(made, late)) == 1
        assert len(office.letters) == 1


async def test_what_is_stopped_does_not_leave_and_the_next_tells_it(tmp_path: Path) -> None:
    """Neither at its hour nor after a restart."""
    async with reviewed(tmp_path) as (made, office):
        made.world.show(post(1, "Un atelier samedi"))
        await at(made, DAY_BEFORE)
        assert await decide(made, "stop")
        assert await at(made, DUE) == []
        await made.restart()
        assert await at(made, DUE + timedelta(days=6)) == []
        assert len(await at(made, DUE + timedelta(days=7))) == 1
        assert "Un atelier samedi" in made.wall.texts[0]
        assert len(office.letters) == 2


async def test_stopped_late_the_next_is_not_due_at_once(tmp_path: Path) -> None:
    """The hours that passed while a person thought are over with it: no second mail the same minute."""
    async with reviewed(tmp_path, unanswered="wait") as (made, office):
        made.world.show(post(1, "Un atelier samedi"))
        await at(made, DAY_BEFORE)
        late = DUE + timedelta(days=9)
        await at(made, late)
        assert await decide(made, "stop")
        await at(made, late + timedelta(minutes=1))
        assert len(office.letters) == 1
        await at(made, DUE + timedelta(days=13))
        assert len(office.letters) == 2


async def test_a_change_of_mind(tmp_path: Path) -> None:
    """Until its hour, what was stopped can be sent; after it, no more."""
    async with reviewed(tmp_path) as (made, _):
        made.world.show(FETE)
        await at(made, DAY_BEFORE)
        assert await decide(made, "stop")
        assert await decide(made, "send")
        assert await decide(made, "stop")
        assert await at(made, DUE + timedelta(minutes=1)) == []
        assert not await decide(made, "send")
        assert await at(made, DUE + timedelta(minutes=20)) == []


async def test_a_person_writes_the_editorial(tmp_path: Path) -> None:
    """Plain text: what looks like markup is text; sending keeps what was typed."""
    async with reviewed(tmp_path) as (made, _):
        made.world.show(FETE)
        await at(made, DAY_BEFORE)
        assert await decide(made, "write", "Chers <b>amis</b>,\r\n\r\nà bientôt")
        assert (await state(made)).editorial == "<p>Chers &lt;b&gt;amis&lt;/b&gt;,</p><p>à bientôt</p>"
        assert await decide(made, "send", "Vive le vélo & vous")
        await at(made, DUE)
        assert "Vive le vélo & vous" in made.wall.texts[0]


async def test_an_editorial_that_is_not_changed_keeps_its_links(tmp_path: Path) -> None:
    """A post's words come back as text with every press; only other words replace them."""
    async with reviewed(tmp_path, editorial_tag="edito") as (made, _):
        written = post(3, "").html.replace("<p></p>", '<p>Lisez <a href="https://velo.example/plan">le plan</a></p>')
        made.world.show(FETE, post(3, html=written, tags=("edito",)))
        await at(made, DAY_BEFORE)
        before = (await state(made)).editorial
        assert "href" in before
        assert await decide(made, "write", "Lisez le plan (https://velo.example/plan)")
        assert (await state(made)).editorial == before


async def test_an_editorial_that_is_posted_while_a_person_reads(tmp_path: Path) -> None:
    """It is the editorial; unless one was written on the page."""
    async with reviewed(tmp_path, editorial_tag="edito") as (made, _):
        made.world.show(FETE)
        await at(made, DAY_BEFORE)
        made.world.show(FETE, post(3, "Écrit le soir", tags=("edito",), published_at=DAY_BEFORE + timedelta(hours=2)))
        await at(made, DAY_BEFORE + timedelta(hours=3))
        assert "Écrit le soir" in (await state(made)).editorial
        assert await decide(made, "write", "Écrit ici")
        await at(made, DUE)
        assert "Écrit ici" in made.wall.texts[0]
        assert "Écrit le soir" not in made.wall.texts[0]


async def test_a_form_counts_once(tmp_path: Path) -> None:
    """The second press of one form does nothing, whichever button it is; so does a form of another issue or without a token."""
    async with reviewed(tmp_path) as (made, _):
        made.world.show(FETE)
        await at(made, DAY_BEFORE)
        found = await made.ask(lambda store: standing(made.tenant, store, LINK))
        assert found is not None
        assert await decide(made, "write", "Un", seen=found.seen)
        assert not await decide(made, "write", "Deux", seen=found.seen)
        assert not await decide(made, "stop", seen=found.seen)
        assert not await decide(made, "burn")
        key = key_of(made.config.state_dir)
        for token in ("", "é", token_of(key, replace(LINK, newsletter="autre"), found.seen)):
            wrong = {"press": "stop", "token": token}
            assert not await made.ask(lambda store, wrong=wrong: press(made.tenant, store, key, LINK, wrong))
        assert (await state(made)).state == "review"
        assert "Un" in (await state(made)).editorial


async def test_two_at_once(tmp_path: Path) -> None:
    """Of two persons who press in the same moment one decides, and the other hears of it."""
    async with reviewed(tmp_path) as (made, _):
        made.world.show(FETE)
        await at(made, DAY_BEFORE)
        found = await made.ask(lambda store: standing(made.tenant, store, LINK))
        assert found is not None
        told = await asyncio.gather(*(decide(made, what, seen=found.seen) for what in ("stop", "send", "stop", "send")))
        assert sorted(told) == [False, False, False, True]


async def test_once_made_it_cannot_be_stopped(tmp_path: Path) -> None:
    """A form that was shown a second before its hour comes too late, and nothing it says is kept."""
    async with reviewed(tmp_path) as (made, _):
        made.world.show(FETE)
        await at(made, DAY_BEFORE)
        found = await made.ask(lambda store: standing(made.tenant, store, LINK))
        assert found is not None
        made.clock.at = DUE
        await steps.issue(made.tenant)
        assert not await decide(made, "stop", seen=found.seen)
        assert (await state(made)).state == "made"
        await made.deliver("poste")
        assert len(made.wall.texts) == 1


async def test_stopped_in_the_last_moment(tmp_path: Path) -> None:
    """Its hour has come, the loop has not looked yet: stopped is stopped."""
    async with reviewed(tmp_path) as (made, _):
        made.world.show(FETE)
        await at(made, DAY_BEFORE)
        made.clock.at = DUE
        assert await decide(made, "stop")
        assert await at(made, DUE + timedelta(hours=1)) == []


async def test_begun_late_there_is_time_to_read(tmp_path: Path) -> None:
    """The machine was off over the hour: the person still has an hour, and the mail says until when."""
    async with reviewed(tmp_path) as (made, office):
        made.world.show(FETE)
        assert await at(made, DUE + timedelta(minutes=10)) == []
        body = office.letters[0].get_body(("plain",))
        assert body is not None
        assert "lundi 23 novembre 2026 à 10h10" in body.get_content()
        assert await at(made, DUE + timedelta(minutes=69)) == []
        assert len(await at(made, DUE + timedelta(minutes=70))) == 1


async def test_a_mail_server_that_is_down(tmp_path: Path) -> None:
    """The mail is sent when it is back, and its silence stops no loop."""
    async with reviewed(tmp_path) as (made, office):
        office.refuse = "RCPT"
        made.world.show(FETE)
        await at(made, DAY_BEFORE)
        assert office.letters == []
        assert [(one.subject, one.kind) for one in await made.problems()] == [("review:lettre", "review")]
        office.refuse = ""
        await at(made, DAY_BEFORE + timedelta(minutes=30))
        await at(made, DAY_BEFORE + timedelta(minutes=60))
        assert len(office.letters) == 1
        assert await made.problems() == []


async def test_a_mail_server_that_stays_down(tmp_path: Path) -> None:
    """The issue does as ``unanswered`` says, at its hour; the problem is over with it."""
    async with reviewed(tmp_path) as (made, office):
        office.refuse = "RCPT"
        made.world.show(FETE)
        assert await at(made, DAY_BEFORE) == []
        assert await at(made, DUE - timedelta(minutes=1)) == []
        assert len(await at(made, DUE)) == 1
        await at(made, DUE + timedelta(hours=7))
        assert await made.problems() == []


class Killed(BaseException):
    """The machine has stopped."""


def dies(*_: object) -> None:
    """Instead of what came next."""
    raise Killed


async def test_killed_between_the_mail_and_its_record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is sent again with the same Message-ID: who was never asked could stop nothing."""
    async with reviewed(tmp_path) as (made, office):
        made.world.show(FETE)

        with monkeypatch.context() as patch:
            patch.setattr("syndicator.issues.Issues.mailed", dies)
            with pytest.raises(Killed):
                await at(made, DAY_BEFORE)
        await made.restart()
        await at(made, DAY_BEFORE + timedelta(minutes=5))
        await made.restart()
        await at(made, DAY_BEFORE + timedelta(minutes=10))
        assert len(office.letters) == 2
        assert len({mail["Message-ID"] for mail in office.letters}) == 1


async def test_killed_before_the_mail_and_back_after_the_hour(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The person is asked first, and has time to read: who was never asked could stop nothing."""
    async with reviewed(tmp_path) as (made, office):
        made.world.show(FETE)

        with monkeypatch.context() as patch:
            patch.setattr("syndicator.alerts.send", dies)
            with pytest.raises(Killed):
                await at(made, DAY_BEFORE)
        await made.restart()
        assert await at(made, DUE + timedelta(hours=3)) == []
        (mail,) = office.letters
        body = mail.get_body(("plain",))
        assert body is not None
        assert "lundi 23 novembre 2026 à 13h" in body.get_content()
        assert await at(made, DUE + timedelta(hours=3, minutes=59)) == []
        assert len(await at(made, DUE + timedelta(hours=4))) == 1


async def test_nothing_is_left_to_tell(tmp_path: Path) -> None:
    """All that it told was taken back while it waited: no empty letter."""
    async with reviewed(tmp_path) as (made, _):
        made.world.show(post(1, "Un atelier samedi"))
        await at(made, DAY_BEFORE)
        made.world.hide(post(1).uid)
        assert await at(made, DUE) == []
        assert (await state(made)).state == "skipped"


async def test_no_link_in_the_log(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Not even where something else logs it."""
    caplog.set_level("DEBUG")
    async with reviewed(tmp_path) as (made, office):
        made.world.show(FETE)
        await at(made, DAY_BEFORE)
        await decide(made, "send")
        body = office.letters[0].get_body(("plain",))
        assert body is not None
        (link,) = re.findall(rf"{PUBLIC}{WAY}(\S+)", body.get_content())
        event(made.tenant.log, INFO, "elsewhere", url=PUBLIC + WAY + link)
        lines = [LineFormatter(journal=True).format(record) for record in caplog.records]
        assert {"review.asked", "review.pressed", "elsewhere"} <= set(caplog.messages)
        assert link.rpartition("/")[2] not in "".join(lines)


async def test_without_alerts_nobody_is_asked(tmp_path: Path) -> None:
    """The configuration refuses it; a tenant without them sends nothing."""
    async with newsroom(tmp_path, review="anna@asso.example") as made:
        made.world.show(FETE)
        await at(made, DAY_BEFORE)
        assert await ask(made.tenant) == 0


async def test_the_daemon_sends_what_is_approved_at_once(tmp_path: Path) -> None:
    """Its own loops, an issue whose hour is over: a press wakes them, and the letter is there before they would have looked."""
    async with reviewed(tmp_path, unanswered="wait") as (made, _):
        made.world.show(FETE)
        await at(made, DAY_BEFORE)
        await at(made, DUE + timedelta(hours=1))
        await made.tenant.close()
        attendant = Attendant(tenant=Tenant.make(made.config, made.sessions, made.clock, random.Random(7)))
        await attendant.start()
        try:
            made.tenant = attendant.tenant
            for _ in range(3):  # the loops have come to rest
                await made.ask(lambda store: store.issues.last("lettre"))
            assert made.wall.texts == []
            asked = Asked(rest=path_to(key_of(made.config.state_dir), "lettre", DUE), form=await form(made, "send"))
            assert (await Reviews(lambda: attendant)(asked)).status == 303
            async with asyncio.timeout(5):
                while not made.wall.texts:
                    await made.ask(lambda store: store.issues.last("lettre"))
        finally:
            await attendant.stop()
        assert "Fête de l’hiver" in made.wall.texts[0]
        await made.tenant.start()


def test_a_link_is_for_one_issue_and_for_a_time() -> None:
    """Changed by one character, of another association or too old, it is nothing."""
    link = path_to(KEY, "lettre", DUE)
    assert read(KEY, link, DUE + VALID) == LINK
    assert read(KEY, link, DUE + VALID + timedelta(seconds=1)) is None
    assert read(b"other" * 7, link, DUE) is None
    for place in range(len(link)):
        other = link[:place] + ("1" if link[place] != "1" else "2") + link[place + 1 :]
        assert read(KEY, other, DUE) is None
    for wrong in ("", "/", link + "/", link.upper(), f"lettre/{'9' * 8}T{'9' * 6}.{'9' * 6}Z/{'a' * 40}", "é" * 90):
        assert read(KEY, wrong, DUE) is None


def test_a_link_keeps_the_moment_and_the_name() -> None:
    """Whatever clock it was made by; a token is for what was seen."""
    when = datetime(2026, 11, 23, 8, 0, 1, 2345, tzinfo=UTC)
    found = read(KEY, path_to(KEY, "jeunes-2_x", when), when)
    assert found == Link(newsletter="jeunes-2_x", until_at=when)
    assert fits(KEY, found, "0", token_of(KEY, found, "0"))
    assert not fits(KEY, found, "1", token_of(KEY, found, "0"))


def test_the_key_is_made_once_and_for_us_alone(tmp_path: Path) -> None:
    """No draft of it stays."""
    key = key_of(tmp_path)
    assert (len(key), key_of(tmp_path)) == (32, key)
    assert [path.name for path in tmp_path.iterdir()] == [KEY_FILE]
    assert stat.S_IMODE((tmp_path / KEY_FILE).stat().st_mode) == 0o600
