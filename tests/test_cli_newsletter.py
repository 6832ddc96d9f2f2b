"""``syndicator newsletter`` as a person types it: on a sandbox town, with a real SMTP server on loopback."""

from __future__ import annotations

import asyncio
import fcntl
import re
from collections import deque
from collections.abc import AsyncIterator, Iterator
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from selectolax.lexbor import LexborHTMLParser

from syndicator.cli import main
from syndicator.issuing import send_now
from syndicator.sandbox.town import Town
from tests.engine_scene import Scene, post
from tests.mail_scene import Office, office
from tests.shell_scene import ROOT, SIGNS_OF_A_BUG, Home, Said
from tests.test_issuing import DUE, FETE, issues, monday, newsroom

READERS = ("anna@velo.example", "bert@velo.example")
LETTER = """
[destinations.poste]
type = "mail"
host = "127.0.0.1"
port = {port}
security = "none"
sender = "Les Amis du Vélo <lettre@velo.example>"
readers = "{readers}"
per_minute = 6000
[newsletters.lettre]
when = "le premier du mois à 9h"
title = "La lettre du vélo"
destinations = ["poste"]
"""


@pytest_asyncio.fixture
async def town() -> AsyncIterator[Town]:
    town = await Town().start()
    yield town
    await town.stop()


@pytest.fixture
def server() -> Iterator[Office]:
    with office() as opened:
        yield opened


@dataclass(frozen=True, kw_only=True)
class Desk(Home):
    """Commands run in this process, in a thread of their own."""

    async def run(self, *arguments: str | Path, **options: Any) -> Said:
        """A command on this configuration; the one that sets up the log of its process has one of its own."""
        if arguments[0] == "once":
            return await super().run(*arguments, **options)
        environ = {"SYNDICATOR_LANGUAGE": options.get("language", "fr"), "HOME": str(self.folder)}
        out, err = StringIO(), StringIO()
        with redirect_stdout(out), redirect_stderr(err):
            code = await asyncio.to_thread(main, [*map(str, arguments), "--config", str(self.config)], environ)
        return Said(code=code, out=out.getvalue(), err=err.getvalue())


@pytest.fixture
def home(town: Town, server: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    monkeypatch.setattr("sys.stdin", StringIO())
    readers = tmp_path / "readers.txt"
    readers.write_text("\n".join(READERS))
    routes = '[routes.tout]\ndelay = "0s"\ndestinations = ["calendrier", "site", "ailleurs"]\n'
    return Desk(town=town, folder=tmp_path).write(LETTER.format(port=server.port, readers=readers), routes=routes)


def well(said: Said, code: int = 0) -> Said:
    """It ended as it must, and nothing of ours broke."""
    assert [sign for sign in SIGNS_OF_A_BUG if sign in said.out + said.err] == []
    assert said.code == code, said.out + said.err
    return said


async def test_a_preview_without_a_state_folder_asks_the_sources(home: Home) -> None:
    """Nothing is left behind but the page, which shows what the next issue would say."""
    page = home.folder / "apercu.html"
    said = well(await home.run("newsletter", "preview", "--html", page, "--no-open"))
    shown = LexborHTMLParser(page.read_text())
    frames = shown.css("iframe")

    assert not home.state.exists()
    assert re.search(r"Objet : .+\nÀ côté", said.out)
    assert f"Page écrite : {page}" in said.out
    assert [frame.attributes["width"] for frame in frames] == ["360", "700"]
    assert "La lettre du vélo" in LexborHTMLParser(str(frames[0].attributes["srcdoc"])).css_first("h1").text()
    assert "Les Amis du Vélo\nLa lettre du vélo – " in shown.css_first("pre").text()


async def test_a_preview_for_a_script(home: Home) -> None:
    """The same, as JSON; what the ledger knows is enough, and it is left as it was."""
    well(await home.run("once"))
    before = well(await home.run("newsletter", "list", "--json")).json
    shown = well(await home.run("newsletter", "preview", "lettre", "--json")).json

    assert (shown["newsletter"], shown["state"], shown["page"], shown["empty"]) == ("lettre", "due", None, False)
    assert datetime.fromisoformat(shown["until_at"]) == datetime.fromisoformat(before[0]["next_at"])
    assert 0 < shown["bytes"] < 102_000
    assert any(section["shown"] for section in shown["sections"])
    assert well(await home.run("newsletter", "--json")).json == before


async def test_a_test_goes_to_one_address(home: Home, server: Office) -> None:
    """Marked as such, to nobody else, and no issue was made."""
    well(await home.run("once"))
    said = well(await home.run("newsletter", "send-test", "moi@velo.example"))

    assert said.out.startswith("Essai envoyé à moi@velo.example, par « poste ».")
    assert server.readers == ["moi@velo.example"]
    assert server.read()["subject"].startswith("[test] ")
    assert well(await home.run("newsletter", "list", "--json")).json[0]["issues"] == []
    assert not (home.state / "destinations.poste").exists() or not list((home.state / "destinations.poste").glob("*.db"))


async def test_a_test_that_the_server_refuses_is_said(home: Home, server: Office) -> None:
    """In words, without a traceback."""
    server.answers["non@velo.example"] = deque(["550 no such person"])
    said = well(await home.run("newsletter", "send-test", "non@velo.example"), 1)

    assert said.err.startswith("Le serveur de courriel n")


async def test_an_issue_is_sent_now_and_once(home: Home, server: Office) -> None:
    """To every reader; a second one has nothing new of posts, and the next keeps its hour."""
    well(await home.run("once"))
    home.town.toot("Un atelier samedi")
    due = well(await home.run("newsletter", "--json")).json[0]["next_at"]
    assert well(await home.run("newsletter", "send"), 1).err == "Rien n'a été envoyé.\n"
    assert server.readers == []

    said = well(await home.run("newsletter", "send", "--yes"))
    assert said.out == "Voici où en est l'envoi :\nposte : fait, 2 abonnés servis\n"
    assert server.readers == list(READERS)
    assert "Un atelier samedi" in str(server.read().get_body(("plain",)))

    well(await home.run("once"))
    assert server.readers == list(READERS)
    (letter,) = well(await home.run("newsletter", "--json")).json
    assert letter["next_at"] == due
    assert [(one["state"], one["ways"]["poste"]) for one in letter["issues"]] == [("made", {"state": "done", "reason": "", "sent": 2})]
    listed = well(await home.run("newsletter", "list", "lettre")).out
    assert listed.startswith("La lettre du vélo (lettre)\n  prochain numéro : ")
    assert "    poste : fait, 2 abonnés servis\n" in listed

    well(await home.run("newsletter", "send", "--yes"))
    second = str(server.read(2).get_body(("plain",)))
    assert "Un atelier samedi" not in second


async def test_the_running_service_sends_it(home: Home, server: Office) -> None:
    """It holds the folder: the command only writes down that a person wants it."""
    well(await home.run("once"))
    with (home.state / "lock").open("rb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        said = well(await home.run("newsletter", "send", "--yes"))
        assert said.out == "C'est noté : le service qui tourne l'envoie dans la minute.\n"
        assert server.readers == []
    well(await home.run("once"))
    assert server.readers == list(READERS)


async def test_status_and_check_say_what_comes_next(home: Home, server: Office) -> None:
    """The hour in words; the last issue; nothing is unused that a newsletter uses."""
    checked = well(await home.run("check")).out
    assert re.search(r"✓ newsletters\.lettre : prochain numéro : \w+ 1er \w+ \d{4} à 9h, vers poste", checked)
    assert "· newsletters.lettre : sans public_url dans [web]" in checked
    assert "poste n'est dans aucune route" not in checked
    well(await home.run("once"))
    assert re.search(r"Lettres\n    · lettre +prochain numéro : \w+ 1er \w+ \d{4} à 9h\n", well(await home.run("status")).out)

    well(await home.run("newsletter", "send", "--yes"))
    status = well(await home.run("status")).out
    assert re.search(r"· lettre +prochain numéro : .+ 9h ; \w+ \d+\w* \w+ \d{4} à .+ : \d choses?\n", status)
    letter = well(await home.run("status", "--json")).json[0]["newsletters"]["lettre"]
    (last,) = letter["last"]
    assert (last["state"], last["ways"], letter["review"]) == ("made", {"poste": {"state": "done", "reason": "", "sent": 2}}, False)


@pytest.mark.parametrize(("template", "said"), [
    ("<mjml><mj-body>{{ nowhere }}</mj-body></mjml>", "Le modèle de la lettre est inutilisable"),
    ("<mjml><mj-body><mj-section>", "Le modèle de la lettre est inutilisable"),
    ("<p>pas du MJML</p>", "Le modèle de la lettre est inutilisable"),
    ("<mjml><mj-body><mj-section><mj-column><mj-text>Bonjour</mj-text></mj-column></mj-section></mj-body></mjml>", "ne laisse pas d'issue"),
    ("{% if %}", "Le modèle de la lettre est inutilisable"),
    ("\xff", "Le modèle de la lettre est illisible"),
])  # fmt: skip
async def test_a_template_of_ones_own_is_tried_by_check(home: Home, template: str, said: str) -> None:
    """Before a letter fails by it; so is the editorial's file."""
    (home.folder / "lettre.mjml").write_bytes(template.encode("latin-1"))
    more = 'destinations = ["poste"]\ntemplate = "lettre.mjml"\neditorial_file = "edito.txt"'
    home.config.write_text(home.config.read_text().replace('destinations = ["poste"]', more))
    checked = well(await home.run("check"), 78).out
    assert re.search(rf"✗ newsletters\.lettre : .*{said}", checked)
    assert "✗ newsletters.lettre : editorial_file :" in checked


async def test_the_manuals_template_is_right(home: Home) -> None:
    """What docs/newsletter.md shows can be used as it stands."""
    (example,) = re.findall(r"^```jinja\n(.*?)^```", (ROOT / "docs" / "newsletter.md").read_text(), re.MULTILINE | re.DOTALL)
    (home.folder / "lettre.mjml").write_text(example)
    home.config.write_text(
        home.config.read_text().replace('destinations = ["poste"]', 'destinations = ["poste"]\ntemplate = "lettre.mjml"')
    )
    well(await home.run("check"))


async def test_what_is_typed_wrong_is_said_plainly(home: Home) -> None:
    """Names, addresses, actions; in English too."""
    assert "Il n'y a pas de lettre « letre ». Vouliez-vous dire « lettre »" in well(await home.run("newsletter", "preview", "letre"), 1).err
    assert "il manque l'adresse" in well(await home.run("newsletter", "send-test"), 2).err
    assert "une seule lettre" in well(await home.run("newsletter", "send", "lettre", "autre"), 2).err
    assert well(await home.run("newsletter", "efface"), 2).err
    assert "jamais lancé" in well(await home.run("newsletter", "send", "--yes"), 1).err
    home.write()
    assert "Aucune lettre dans la configuration" in well(await home.run("newsletter"), 1).err


REVIEWED = {"review": "claire@velo.example"}


@pytest.mark.parametrize("stopped", [False, True])
async def test_an_issue_that_somebody_reads_is_approved_by_it(tmp_path: Path, stopped: bool) -> None:
    """Even one that was stopped before its hour: it leaves at its hour, once, and nothing is told twice."""
    async with newsroom(tmp_path, unanswered="wait", **REVIEWED) as made:
        made.world.show(FETE, post(1, "Un atelier samedi"))
        await monday(made, DUE - timedelta(hours=3))
        (row,) = await issues(made)
        assert row.state == "review"
        if stopped:
            await made.tenant.ledger.transact(lambda store: store.issues.put(replace(row, state="stopped"), made.clock()))
        approved = await asked(made)
        assert (approved.until_at, made.wall.texts) == (DUE, [])
        for hours in (0, 1, 2):
            await monday(made, DUE + timedelta(hours=hours))

        (text,) = made.wall.texts
        assert "Un atelier samedi" in text


async def test_one_sent_by_hand_on_the_day_of_another(tmp_path: Path) -> None:
    """Both leave, each with what came before it: nothing twice, nothing forgotten; with nothing at all, none."""
    async with newsroom(tmp_path) as made:
        assert await asked(made) is None
        made.world.show(post(1, "Un atelier samedi"))
        made.clock.at = DUE - timedelta(hours=2)
        await made.poll()
        assert (await asked(made)).until_at > made.clock()
        await monday(made, DUE - timedelta(hours=1))
        made.world.show(post(2, "Merci à vous", published_at=made.clock()))
        await monday(made)
        await monday(made, DUE + timedelta(hours=1))

        assert [["atelier" in text, "Merci" in text] for text in made.wall.texts] == [[True, False], [False, True]]


async def asked(made: Scene) -> Any:
    """What ``send`` writes down."""
    letter = made.tenant.config.newsletters["lettre"]
    return await made.tenant.ledger.transact(lambda store: send_now(made.tenant, store, letter, made.clock()))
