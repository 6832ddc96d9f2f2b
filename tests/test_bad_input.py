"""What a clumsy person writes and what hostile servers answer: one clear message each, in their language, and the rest goes on."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from syndicator.sandbox.town import Town, at_clock
from tests.hostile_scene import Closed, Hostile, start_tls
from tests.shell_scene import SIGNS_OF_A_BUG, Said, syndicator

pytestmark = pytest.mark.asyncio(loop_scope="module")

WAYS = ("html", "endless", "private", "nonsense", "loop", "404", "500", "401")
ACCOUNTS = {
    "sources.mobilizon": 'type = "mobilizon"\nurl = "{url}"\ngroups = ["velo"]',
    "sources.mastodon": 'type = "mastodon"\naccount = "{url}/@velo"',
    "sources.peertube": 'type = "peertube"\nchannel = "{url}/c/velo"',
    "sources.feed": 'type = "feed"\nurl = "{url}/feed/"',
    "sources.ical": 'type = "ical"\nurl = "{url}/agenda.ics"',
    "destinations.mastodon": 'type = "mastodon"\nurl = "{url}"\ntoken = {{ file = "{token}" }}',
}
MISTAKES = {
    "sources.no-group": 'type = "mobilizon"\nurl = "{town.mobilizon.url}"\ngroups = ["nada"]',
    "sources.not-mobilizon": 'type = "mobilizon"\nurl = "{town.mastodon.url}"\ngroups = ["velo"]',
    "sources.no-account": 'type = "mastodon"\naccount = "{town.mastodon.url}/@nobody"',
    "sources.no-channel": 'type = "peertube"\nchannel = "{town.peertube.url}/c/nada"',
    "sources.page-as-feed": 'type = "feed"\nurl = "{town.blog.url}/"',
    "sources.page-as-calendar": 'type = "ical"\nurl = "{town.blog.url}/"',
    "sources.feed-as-calendar": 'type = "ical"\nurl = "{town.blog.url}/feed/"',
    "destinations.wrong-token": 'type = "mastodon"\nurl = "{town.elsewhere.url}"\ntoken = {{ file = "{token}" }}',
    "destinations.token-without-right": 'type = "mastodon"\nurl = "{town.elsewhere.url}"\ntoken = {{ file = "{reader}" }}',
    "destinations.not-mastodon": 'type = "mastodon"\nurl = "{town.mobilizon.url}"\ntoken = {{ file = "{token}" }}',
}
WHAT_TO_DO = {
    "sources.mobilizon-html": ("celle d'une instance Mobilizon", "that of a Mobilizon instance"),
    "sources.feed-html": ("ne mène pas à un flux", "does not lead to an RSS"),
    "sources.ical-html": ("ne donne pas un calendrier", "does not give a calendar"),
    "sources.peertube-html": ("une chaîne ou à un compte PeerTube", "a PeerTube channel or account"),
    "sources.feed-endless": ("anormalement grosse", "abnormally large"),
    "sources.ical-private": ("renvoie vers une adresse privée (192.168.1.1)", "leads to a private address (192.168.1.1)"),
    "sources.feed-private": ("renvoie vers une adresse privée (192.168.1.1)", "leads to a private address (192.168.1.1)"),
    "sources.mobilizon-closed": ("Vérifiez l'adresse", "Check the address"),
    "sources.mobilizon-tls": ("certificat de ce serveur n'est pas valable", "certificate is not valid"),
    "sources.mastodon-tls": ("certificat de ce serveur n'est pas valable", "certificate is not valid"),
    "sources.peertube-tls": ("certificat de ce serveur n'est pas valable", "certificate is not valid"),
    "sources.feed-tls": ("certificat de ce serveur n'est pas valable", "certificate is not valid"),
    "sources.ical-tls": ("certificat de ce serveur n'est pas valable", "certificate is not valid"),
    "destinations.mastodon-tls": ("certificat de ce serveur n'est pas valable", "certificate is not valid"),
    "sources.mobilizon-unnamed": ("« nulle-part.invalid » est introuvable", '"nulle-part.invalid" cannot be found'),
    "sources.feed-unnamed": ("« nulle-part.invalid » est introuvable", '"nulle-part.invalid" cannot be found'),
    "sources.ical-401": ("ou le lien public du calendrier", "or the calendar's public link"),
    "sources.no-group": ("ne connaît pas @nada", "does not know @nada"),
    "sources.not-mobilizon": ("celle d'une instance Mobilizon", "that of a Mobilizon instance"),
    "sources.no-account": ("Ce compte n'existe pas", "That account does not exist"),
    "sources.no-channel": ("une chaîne ou à un compte PeerTube", "a PeerTube channel or account"),
    "sources.page-as-feed": ("ne mène pas à un flux", "does not lead to an RSS"),
    "sources.page-as-calendar": ("ne donne pas un calendrier", "does not give a calendar"),
    "sources.feed-as-calendar": ("ne donne pas un calendrier", "does not give a calendar"),
    "destinations.wrong-token": ("créez-en un nouveau", "make a new one"),
    "destinations.token-without-right": ("Créez un jeton avec les droits", "Make a token with the scopes"),
    "destinations.not-mastodon": ("n'est pas celle d'un serveur Mastodon", "that speaks Mastodon's API"),
}
UNSEEN_BY_CHECK = {"sources.feed-nonsense"}
"""What has no page's marks and is no feed either shows when it is parsed, at the first reading."""


@dataclass(frozen=True, kw_only=True)
class World:
    """A good town, and every bad server there is."""

    town: Town
    folder: Path
    bad: dict[str, str]
    token: Path
    reader: Path

    def config(self, language: str) -> Path:
        """One good source and one good destination among everything that can be wrong."""
        accounts = {
            f"{key}-{way}": text.format(url=url, token=self.token) for way, url in self.bad.items() for key, text in ACCOUNTS.items()
        } | {key: text.format(town=self.town, token=self.token, reader=self.reader) for key, text in MISTAKES.items()}
        sections = "\n".join(f"[{key}]\n{text}" for key, text in accounts.items())
        path = self.folder / f"{language}.toml"
        path.write_text(f"""
[association]
name = "Les Amis du Vélo"
language = "{language}"
state = "{self.folder}/{language}"
[network]
allow_private = ["127.0.0.1"]
[sources.agenda]
type = "mobilizon"
url = "{self.town.mobilizon.url}"
groups = ["velo"]
[destinations.calendrier]
type = "ical"
{sections}
[routes.tout]
""")
        return path

    @property
    def keys(self) -> set[str]:
        """Every account that cannot work."""
        return {f"{key}-{way}" for way in self.bad for key in ACCOUNTS} | MISTAKES.keys()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    folder = tmp_path_factory.mktemp("bad")
    town = await Town().start()
    town.mobilizon.add_event("velo", "Bal à vélo", at_clock(7, 20), at_clock(7, 22))
    hostile = {way: Hostile(way) for way in WAYS}
    for one in hostile.values():
        await one.start()
    closed = await Closed().start()
    tls, tls_url = await start_tls()
    token, reader = folder / "token", folder / "reader"
    for path, value in ((token, "wrong-token-123456"), (reader, town.elsewhere.world.add_token(town.mirror, "read:accounts"))):
        path.touch(mode=0o600)
        path.write_text(value)
    bad = {way: one.url for way, one in hostile.items()}
    bad |= {"closed": closed.url, "tls": tls_url, "unnamed": "https://nulle-part.invalid"}
    yield World(town=town, folder=folder, bad=bad, token=token, reader=reader)
    for one in hostile.values():
        await one.stop()
    await tls.cleanup()
    await town.stop()


def tidy(said: Said) -> None:
    """Nothing of ours broke, nothing secret or dangerous for a terminal was shown."""
    everything = said.out + said.err
    assert [sign for sign in (*SIGNS_OF_A_BUG, "\x1b", "wrong-token-123456") if sign in everything] == []


async def test_check_has_one_finding_for_each_in_both_languages(world: World) -> None:
    """Every bad account has its own finding that says what to do in the association's language; the good ones are good."""
    told: dict[str, dict[str, dict[str, Any]]] = {}
    for language in ("fr", "en"):
        said = await syndicator("check", "--json", "--config", world.config(language))
        tidy(said)
        assert said.code == 1
        findings = said.json["associations"][0]["findings"]
        told[language] = {finding["subject"]: finding for finding in findings}
        assert len(told[language]) == len(findings)
        assert {finding["subject"] for finding in findings if not finding["ok"]} == world.keys - UNSEEN_BY_CHECK
        assert {key for key, finding in told[language].items() if finding["kind"] == "bug"} == set()

    bad = world.keys - UNSEEN_BY_CHECK
    assert {key for key in bad if told["fr"][key]["text"] == told["en"][key]["text"]} == set()
    assert {key for key in bad if "\n" in told["fr"][key]["text"] or not told["fr"][key]["text"]} == set()
    for number, language in enumerate(("fr", "en")):
        found = {key: texts[number] for key, texts in WHAT_TO_DO.items() if texts[number] in told[language][key]["text"]}
        assert found == {key: texts[number] for key, texts in WHAT_TO_DO.items()}


async def test_check_gives_a_person_one_line_each(world: World) -> None:
    """``✗ key : what to do``, once, and what the server said below."""
    said = await syndicator("check", "--config", world.config("fr"))
    tidy(said)

    lines = said.out.splitlines()
    for key in world.keys - UNSEEN_BY_CHECK:
        place = [number for number, line in enumerate(lines) if line.startswith(f"  ✗ {key} : ")]
        assert (key, len(place)) == (key, 1)
        assert lines[place[0] + 1].startswith("      (")
    assert "  ✓ sources.agenda : mobilizon" in lines
    assert "  ✓ destinations.calendrier : ical" in lines


@pytest.mark.parametrize("language", ["fr", "en"])
async def test_once_and_status_go_on_with_the_rest(world: World, language: str) -> None:
    """The good source reaches the good destination; each bad one is told once, by its key, and status says the same afterwards."""
    config = world.config(language)
    once = await syndicator("once", "--config", config)
    status = await syndicator("status", "--json", "--config", config)
    again = await syndicator("status", "--config", config)
    for said in (once, status, again):
        tidy(said)
        assert said.code == 1

    assert "Bal à vélo" in (world.folder / language / "public" / "agenda.ics").read_text()
    state = status.json[0]
    assert {problem["key"] for problem in state["problems"]} == world.keys
    assert {name for name, source in state["sources"].items() if source["ok"]} == {"agenda"}
    assert {name for name, destination in state["destinations"].items() if destination["ok"]} == {"calendrier"}
    assert {problem["kind"] for problem in state["problems"]} == {"unreachable", "refused", "auth"}
    for said, indent in ((once, ""), (again, "    ")):
        words = [line.removeprefix(indent).split(" ") for line in said.out.splitlines() if line.startswith(f"{indent}✗ ")]
        heads = [word[1].rstrip(":") for word in words]
        assert sorted(head for head in heads if head in world.keys) == sorted(world.keys)
