"""Commands as a person types them, against the sandbox: try, preview, once, status, outbox, accept; each of them is started once, the
rest are forks of what has its libraries already.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from syndicator.sandbox.server import Fault
from syndicator.sandbox.town import Town, at_clock
from tests.hostile_scene import Hostile
from tests.shell_scene import SIGNS_OF_A_BUG, Home, Said, syndicator

REFUSED = b'{"error": "Validation failed: Text character limit exceeded"}'
ALLOW = ("--allow-private", "127.0.0.1")


@pytest_asyncio.fixture
async def town() -> AsyncIterator[Town]:
    town = await Town().start()
    yield town
    await town.stop()


@pytest.fixture
def home(town: Town, tmp_path: Path) -> Home:
    return Home(town=town, folder=tmp_path).write()


def well(said: Said, code: int = 0) -> Said:
    """It ended as it must, and nothing of ours broke."""
    assert [sign for sign in SIGNS_OF_A_BUG if sign in said.out + said.err] == []
    assert said.code == code, said.out + said.err
    return said


def boxes(text: str) -> dict[str, str]:
    """What was shown: the heading of each box → all of it."""
    found = re.findall(r"^┌─ (.*)\n((?:[│├].*\n)*)└─", text, re.MULTILINE)
    return dict(found)


# once, status


async def test_once_mirrors_what_is_new_and_only_that(home: Home) -> None:
    """The first round says what it leaves alone; the next sends what came since, once; another sends nothing."""
    first = well(await home.run("once", "--json", fresh=True)).json[0]
    assert first["sources"] == {
        "agenda": {"ok": True, "new": 1, "changed": 0, "gone": 0, "skipped": 1},
        "toots": {"ok": True, "new": 1, "changed": 0, "gone": 0, "skipped": 1},
    }
    assert first["destinations"]["ailleurs"] == {"attempts": 0, "waiting": 0}

    home.town.toot("Ça commence")
    second = well(await home.run("once"))
    assert "toots : nouveaux 1, modifiés 0, disparus 0" in second.out
    assert "ailleurs : envois 1, en attente 0" in second.out
    third = well(await home.run("once", "--json")).json[0]
    assert third["destinations"]["ailleurs"] == {"attempts": 0, "waiting": 0}
    assert home.town.mirrored_texts() == ["Ça commence"]

    status = well(await home.run("status", fresh=True)).out
    assert re.search(r"✓ ailleurs +1 fait\n", status)
    assert "Rien ne demande une personne." in status


async def test_once_tells_cron_what_may_pass_by_itself(home: Home) -> None:
    """75 while only the network is to blame, 1 as soon as a person is needed, 0 again when it is over."""
    broken = Fault(action="answer", status=503, path="/api", times=50)
    home.town.mobilizon.fault(broken)
    said = well(await home.run("once"), 75)
    assert "agenda : échec, voir plus bas" in said.out
    assert "✗ sources.agenda : « agenda » ne répond pas." in said.out
    home.town.mobilizon.faults.clear()
    home.town.elsewhere.world.tokens.clear()
    assert "✗ destinations.ailleurs : « ailleurs » refuse notre accès" in well(await home.run("once"), 1).out
    assert "sources.agenda" not in well(await home.run("status"), 1).out


async def test_a_folder_of_associations(town: Town, tmp_path: Path) -> None:
    """once and status go through all of them; one whose file is wrong is named, makes the exit code 78, and stops no other."""
    for name in ("une", "deux", "fausse"):
        Home(town=town, folder=tmp_path, name=name).write()
    (tmp_path / "fausse.toml").write_text("[association\n")
    once = well(await syndicator("once", "--json", "--config-dir", tmp_path), 78)
    assert sorted(one["association"] for one in once.json) == ["deux", "une"]
    assert "fausse.toml:1" in once.err
    status = well(await syndicator("status", "--json", "--config-dir", tmp_path), 78)
    assert [(state["association"], state["run"]) for state in status.json] == [("deux", True), ("une", True)]


# outbox


async def parked(home: Home, text: str) -> int:
    """A toot that the account elsewhere refuses for good: its delivery's number."""
    home.town.elsewhere.fault(Fault(action="answer", status=422, method="POST", path="/api/v1/statuses", body=REFUSED))
    home.town.toot(text)
    well(await home.run("once"), 1)
    waiting = [row for row in well(await home.run("outbox", "--json")).json if row["title"].startswith(text)]
    assert [(row["state"], row["purpose"]) for row in waiting] == [("parked", "create")]
    return int(waiting[0]["id"])


async def test_a_person_decides_on_what_was_refused(home: Home) -> None:
    """The list says what, why and what can be done; retry sends it again, drop gives it up, done believes the person."""
    well(await home.run("once"))
    again = await parked(home, "À renvoyer")
    listed = well(await home.run("outbox", "list")).out
    assert f"n° {again}  à voir  publier → ailleurs  À renvoyer" in listed
    assert "Text character limit exceeded" in listed
    assert f"syndicator outbox retry {again}" in listed
    status = well(await home.run("status"), 1).out
    assert f"L'envoi n° {again} a été refusé pour de bon." in status
    assert re.search(r"✗ ailleurs +0 fait, 1 pour une personne", status)

    assert well(await home.run("outbox", "retry", str(again), fresh=True)).out == f"L'envoi n° {again} repart.\n"
    well(await home.run("once"))
    assert home.town.mirrored_texts() == ["À renvoyer"]

    dropped, settled = await parked(home, "À laisser"), await parked(home, "Déjà là")
    well(await home.run("outbox", "drop", str(dropped)))
    well(await home.run("outbox", "done", str(settled)))
    well(await home.run("once"))
    assert home.town.mirrored_texts() == ["À renvoyer"]
    states = {row["id"]: (row["state"], row["reason"]) for row in well(await home.run("outbox", "--all", "--json")).json}
    assert states == {again: ("done", ""), dropped: ("dropped", "by-hand"), settled: ("done", "settled-by-hand")}
    assert "réglé par une personne" in well(await home.run("outbox", "--all")).out
    assert well(await home.run("outbox")).out == "La file est vide.\n"
    well(await home.run("status"))


async def test_what_is_not_there_cannot_be_decided(home: Home) -> None:
    """A number that means nothing is 1; a command line that means nothing is 2, and says how to write it."""
    well(await home.run("once"))
    commands = {("retry", "99"): 1, ("done", "99"): 1, ("drop",): 2, ("retry", "douze"): 2, ("list", "3"): 2, ("efface", "3"): 2}
    said = await asyncio.gather(*(home.run("outbox", *command) for command in commands))
    for code, one in zip(commands.values(), said, strict=True):
        well(one, code)
    assert "Il n'y a pas d'envoi n° 99" in said[0].out
    assert "syndicator outbox drop 12" in said[2].err
    assert "'douze' n'est pas une valeur possible" in said[3].err


# accept


async def test_a_source_that_emptied_itself_waits_for_a_person(home: Home) -> None:
    """Losing almost everything at once deletes nothing; accept believes it, and names the source that was meant."""
    events = [home.town.mobilizon.add_event("velo", f"Sortie {number}", at_clock(7, 9), at_clock(7, 18)) for number in range(8)]
    well(await home.run("once"))
    for event in events:
        home.town.mobilizon.delete_event(event)
    emptied = well(await home.run("once"), 1).out
    assert "✗ sources.agenda : « agenda » s'est presque vidée d'un coup" in emptied
    assert "syndicator accept agenda" in emptied
    assert "Sortie 3" in (home.public / "agenda.ics").read_text()

    assert "Vouliez-vous dire « agenda » ?" in well(await home.run("accept", "agendas"), 1).out
    well(await home.run("accept", "agenda", fresh=True))
    well(await home.run("once"))
    assert "STATUS:CONFIRMED\r\nSUMMARY:Sortie" not in (home.public / "agenda.ics").read_text()
    assert "Réunion mensuelle" in (home.public / "agenda.ics").read_text()


# preview


async def test_preview_shows_what_would_leave_and_sends_nothing(town: Town, tmp_path: Path) -> None:
    """Before the first round: how the newest would look, with the account's own limits; then what really waits."""
    home = Home(town=town, folder=tmp_path).write(routes='[routes.tout]\ndelay = "1h"\n')
    asked = len(town.elsewhere.requests)
    before = well(await home.run("preview", fresh=True)).out
    assert before.startswith("Rien n'attend. Voici comment")
    # How much of it depends on the day and the port of the day.
    assert re.search(r"├─ 1[1-3]\d/500$", boxes(before)["ailleurs · Réunion mensuelle"], re.MULTILINE)
    assert {request.method for request in town.elsewhere.requests[asked:]} == {"GET"}
    assert not home.state.exists()

    well(await home.run("once"))
    town.toot("Long " * 90 + "fin", image_alt="Un vélo \x1b[31mrouge")
    well(await home.run("once"))
    waiting = well(await home.run("preview")).out
    assert waiting.startswith("Ce qui part ensuite :")
    (box,) = boxes(waiting).values()
    assert "🖼 Un vélo" in box
    assert "\x1b" not in waiting
    told = well(await home.run("preview", "--json")).json
    assert [(one["destination"], one["limits"], one["parts"][0]["length"]) for one in told] == [("ailleurs", "own", 453)]

    town.elsewhere.world.tokens.clear()
    unreached = well(await home.run("preview")).out
    assert "· ailleurs : avec les limites habituelles de ce réseau" in unreached
    assert town.mirrored() == []


# try


async def test_try_reads_everything_public_and_writes_a_beginning(town: Town, tmp_path: Path) -> None:
    """Addresses and handles; each account once; a calendar, a page, and a configuration that check accepts as it is."""
    town.toot("Bonjour tout le monde")
    town.photo("Une photo", "Un guidon")
    town.peertube.publish("velo", "Réparer une crevaison", description="En cinq minutes.", duration=300)
    addresses = [
        f"{town.mobilizon.url}/@velo",
        f"{town.mastodon.url}/@velo",
        f"@velo@{town.mastodon.host}",
        f"{town.peertube.url}/c/velo",
        f"{town.pixelfed.url}/velo",
        f"{town.blog.url}/",
        town.calendar.share_url,
    ]
    folder = tmp_path / "essai"
    said = well(await syndicator("try", *addresses, *ALLOW, "-o", folder, fresh=True))
    progress = said.out.splitlines()
    for address in addresses:
        assert progress.index(f"… {address}") < next(n for n, line in enumerate(progress) if line.startswith(f"✓ {address} : "))
    assert [line.split(" : ")[1] for line in progress if re.match(r"✓ [a-z]+-127-0-0-1\S* : ", line)] == [
        "1 élément",
        "2 éléments",
        *["1 élément"] * 4,
    ]
    shown = boxes(said.out)
    assert any("mastodon" in heading and heading.endswith("· Permanence") for heading in shown)
    assert "extrait, la suite est derrière le lien" in next(text for heading, text in shown.items() if heading.endswith("· Bienvenue"))
    assert "Permanence" in (folder / "agenda.ics").read_text()
    assert "Réunion mensuelle" in (folder / "index.html").read_text()
    assert town.elsewhere.requests == []

    checked = well(await syndicator("check", "--config", folder / "syndicator.toml", env={"XDG_STATE_HOME": str(tmp_path / "state")}))
    assert checked.out.rstrip().endswith("rien n'a été publié.")


async def test_try_never_writes_over_what_was_completed(town: Town, tmp_path: Path) -> None:
    """The same again changes nothing; a configuration that a person completed stays, and the new one has a name of its own."""
    address = f"{town.mobilizon.url}/@velo"
    config = tmp_path / "syndicator.toml"
    for _ in range(2):
        well(await syndicator("try", address, *ALLOW, "-o", tmp_path))
        assert [path.name for path in tmp_path.glob("*.toml")] == ["syndicator.toml"]
    mine = config.read_text() + '\n[destinations.compte]\ntype = "mastodon"\n'
    config.write_text(mine)
    said = well(await syndicator("try", address, *ALLOW, "-o", tmp_path))
    assert config.read_text() == mine
    assert str(tmp_path / "syndicator-2.toml") in said.out


async def test_try_says_what_to_give_instead(town: Town, tmp_path: Path) -> None:
    """A server's front page, a wrong name, a private host, a typing error, a page without anything: each has its own words."""
    hostile = await Hostile("html").start()
    given = {
        town.mastodon.url: f"donnez l'adresse d'un compte, comme https://{town.mastodon.host}/@nom, ou @nom@{town.mastodon.host}.",
        f"@nobody@{town.mastodon.host}": f"il n'y a rien à cette adresse. Le serveur est un Mastodon : donnez l'adresse d'un compte, comme https://{town.mastodon.host}/@nom",
        town.mobilizon.url: f"donnez l'adresse d'un groupe, comme https://{town.mobilizon.host}/@groupe.",
        f"{town.mobilizon.url}/@nada": "il n'y a rien à cette adresse. Le serveur est un Mobilizon",
        town.peertube.url: f"une chaîne, comme https://{town.peertube.host}/c/nom",
        hostile.url: "Rien ici qu'on sache lire : donnez l'adresse du groupe, du compte",
        "mailto:bonjour@asso.example": "Donnez une adresse complète (https://…) ou un compte du fediverse (@nom@serveur).",
        "nulle-part.invalid": "Le nom de serveur « nulle-part.invalid » est introuvable",
        "http://localhost:9/": "c'est une adresse privée. Si elle est sur votre réseau, ajoutez : --allow-private localhost",
    }
    try:
        said = well(await syndicator("try", *given, *ALLOW, "-o", tmp_path / "essai"), 1)
        script = well(await syndicator("try", hostile.url, f"{town.mobilizon.url}/@velo", *ALLOW, "--json", "-o", tmp_path / "essai"), 1)
    finally:
        await hostile.stop()
    lines = {line.split(" : ")[0].removeprefix("✗ "): line for line in said.out.splitlines() if line.startswith("✗ ")}
    assert [address for address, words in given.items() if words not in lines[address]] == []
    told = json.loads(script.out)
    assert ([one["address"] for one in told["unknown"]], [one["type"] for one in told["found"]]) == ([hostile.url], ["mobilizon"])

    in_the_way = tmp_path / "fichier"
    in_the_way.write_text("")
    assert "donnez-en un autre avec -o" in well(await syndicator("try", f"{town.mobilizon.url}/@velo", *ALLOW, "-o", in_the_way), 1).err
