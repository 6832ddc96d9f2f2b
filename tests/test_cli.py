"""The command line: fast, plain, in the person's language, with exit codes that a script can trust."""

from __future__ import annotations

import getpass
import importlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from syndicator import cli, registry
from syndicator.cli import COMMANDS, main
from syndicator.cli.configuration import config_path
from syndicator.errors import AuthExpired, ConfigError, Problem, SyndicatorError, Transient, words
from syndicator.logs import hide
from tests.shell_scene import give_up_privilege

TOYS = """
from __future__ import annotations
from dataclasses import dataclass
from syndicator.errors import AuthExpired, Rejected, Transient, words

OPENED = []

class Toy:
    @dataclass(frozen=True, kw_only=True)
    class Options:
        fault: str = ""
        account: str | None = None

    def __init__(self, options, context):
        self.options, self.context, self.account = options, context, options.account

    async def open(self):
        OPENED.append(str(self.context.state_dir))
        faults = {
            "transient": Transient("toy answered 503 ?token=abcdef"),
            "auth": AuthExpired("toy answered 401", hint=words(fr="Refaites le jeton.", en="Make the token again.")),
            "rejected": Rejected("no such group"),
            "bug": ZeroDivisionError("oops"),
        }
        if self.options.fault:
            raise faults[self.options.fault]

    async def close(self):
        OPENED.append("closed")

class ToySource(Toy):
    async def fetch(self, cursor): ...

class ToyPublisher(Toy):
    async def publish(self, *args): raise AssertionError("check never posts")
"""

GOOD = """
[association]
name = "Les Amis du Vélo"
state = "{state}"
[sources.agenda]
type = "toy"
account = "velo@mobilizon.example"
[destinations.compte]
type = "toy"
account = "velo@social.example"
[routes.tout]
"""

ELSEWHERE = """
[association]
name = "Les Amis du Vélo"
state = "{state}"
[sources.agenda]
type = "ical"
url = "https://nulle-part.invalid/agenda.ics"
[destinations.agenda]
type = "ical"
[routes.tout]
"""


@pytest.fixture(autouse=True)
def toys(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A connector of a stranger's package, which opens as it is told."""
    folder = tmp_path_factory.mktemp("toys")
    (folder / "cli_toys.py").write_text(TOYS)
    info = folder / "toys-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: toys\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[syndicator.sources]\ntoy = cli_toys:ToySource\n[syndicator.destinations]\ntoy = cli_toys:ToyPublisher\n"
    )
    monkeypatch.syspath_prepend(folder)
    monkeypatch.delitem(sys.modules, "cli_toys", raising=False)
    registry._claims.cache_clear()
    yield
    registry._claims.cache_clear()


def write(tmp_path: Path, text: str = GOOD, name: str = "velo.toml") -> Path:
    path = tmp_path / name
    path.write_text(text.replace("{state}", str(tmp_path / "state" / name)))
    path.chmod(0o600)
    return path


def run_apart(
    *arguments: str, code: str = "from syndicator.cli import main; sys.exit(main())", preexec_fn: Callable[[], None] | None = None
) -> subprocess.CompletedProcess[str]:
    """A process of its own, as a shell would start it."""
    return subprocess.run(
        [sys.executable, "-c", f"import sys; sys.argv[0] = 'syndicator'; {code}", *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "LANG": "C"},
        preexec_fn=preexec_fn,
    )


def test_help_lists_every_command_without_the_daemon() -> None:
    """It costs no HTTP library, no connector, not even the configuration's code."""
    done = run_apart("--help")
    heavy = run_apart(
        "--help", "aiohttp", "syndicator.http", "syndicator.config", "syndicator.contract", "importlib.metadata", "asyncio", "sqlite3",
        code="from syndicator.cli import main; main(sys.argv[1:2]); print([m for m in sys.modules if m in sys.argv[2:]])",
    )  # fmt: skip

    assert done.returncode == 0
    assert all(name in done.stdout for name in COMMANDS)
    assert "utilisation : syndicator" in done.stdout
    assert heavy.stdout.splitlines()[-1] == "[]"


def test_every_command_is_told_in_every_language(capsys: pytest.CaptureFixture[str]) -> None:
    """The table that --help shows is whole."""
    for language in ("fr", "en"):
        assert main(["--help"], {"SYNDICATOR_LANGUAGE": language}) == 0
        shown = capsys.readouterr().out
        assert all(text[language] in shown for text in COMMANDS.values())


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_has_its_module(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """HELP, add_arguments and run; its --help works in French and in English."""
    module = importlib.import_module(f"syndicator.cli.{cli.module_of(name)}")

    assert COMMANDS[name] == module.HELP
    for language, usage in (("fr", "utilisation : "), ("en", "usage: ")):
        assert main([name, "--help"], {"SYNDICATOR_LANGUAGE": language}) == 0
        shown = capsys.readouterr().out
        assert shown.startswith(f"{usage}syndicator {name}")
        assert module.HELP[language] in " ".join(shown.split())


@pytest.mark.parametrize(("argv", "said"), [
    ([], "commandes"),
    (["chek"], "« check »"),
    (["zzzzzz"], "demo"),
    (["version", "--jso"], "arguments inconnus"),
    (["version", "extra"], "arguments inconnus"),
    (["--config"], "il manque sa valeur"),
    (["--config", "a", "version", "--config-dir", "b"], "une seule de ces options"),
])  # fmt: skip
def test_a_wrong_command_line_is_2(argv: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The answer says what was meant, on stderr, and nothing on stdout."""
    assert main(argv, {}) == 2

    told = capsys.readouterr()
    assert (said in told.err, told.out) == (True, "")


def test_version_names_connectors(capsys: pytest.CaptureFixture[str]) -> None:
    """What to quote when asking for help; --json for scripts; --version the short form."""
    assert main(["version", "--json"], {}) == 0
    found = json.loads(capsys.readouterr().out)
    assert "mobilizon" in found["sources"]
    assert "toy" in found["destinations"]

    assert main(["version"], {}) == 0
    assert "mobilizon" in capsys.readouterr().out
    assert main(["--version"], {}) == 0
    assert capsys.readouterr().out == f"syndicator {found['syndicator']}\n"


class Stub(ModuleType):
    """A command that does as the test says."""

    def __init__(self, action: Any) -> None:
        super().__init__("syndicator.cli.once")
        self.HELP = COMMANDS["once"]
        self.action = action

    def add_arguments(self, parser: Any, language: str) -> None:
        """None of its own."""

    def run(self, args: Any) -> int:
        """The action's result."""
        if isinstance(self.action, BaseException):
            raise self.action
        return int(self.action(args))


@dataclass(frozen=True)
class Case:
    error: BaseException
    code: int
    said: str


@pytest.mark.parametrize("case", [
    Case(ConfigError([Problem(path="a.toml", line=3, key="web.listen", text="faux.")]), 78, "a.toml:3: web.listen: faux.\nUn point"),
    Case(Transient("down"), 75, "down"),
    Case(AuthExpired("401 Bearer hidden-by-value", hint=words(fr="À refaire.", en="Again.")), 1, "À refaire. (401 Bearer …)"),
    Case(SyndicatorError("odd"), 1, "odd"),
    Case(KeyboardInterrupt(), 130, ""),
    Case(SystemExit(3), 3, ""),
], ids=lambda case: type(case.error).__name__)  # fmt: skip
def test_an_error_ends_plainly(case: Case, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """No traceback, no secret, the person's language, and the documented code."""
    hide("hidden-by-value")
    monkeypatch.setitem(sys.modules, "syndicator.cli.once", Stub(case.error))

    assert main(["once"], {}) == case.code
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.startswith(case.said)
    assert "Traceback" not in told.err
    assert "hidden-by-value" not in told.err


def test_common_options_stand_before_or_after_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    """Both are natural; the later one wins."""
    seen: list[tuple[Path | None, bool]] = []

    def note(args: Any) -> int:
        seen.append((args.config, args.verbose))
        return 0

    monkeypatch.setitem(sys.modules, "syndicator.cli.once", Stub(note))
    for argv in (
        ["--config", "a.toml", "-v", "once"],
        ["once", "--config", "a.toml", "-v"],
        ["--config", "b.toml", "once", "--config", "a.toml"],
    ):
        assert main(argv, {}) == 0

    assert seen == [(Path("a.toml"), True), (Path("a.toml"), True), (Path("a.toml"), False)]


def test_the_configuration_has_usual_places(tmp_path: Path) -> None:
    """As given, else the environment's, else the person's, else the system's."""
    environ = {"HOME": str(tmp_path)}
    assert config_path(Path("x.toml"), {**environ, "SYNDICATOR_CONFIG": "y.toml"}) == Path("x.toml")
    assert config_path(None, {**environ, "SYNDICATOR_CONFIG": "y.toml"}) == Path("y.toml")
    assert config_path(None, environ) == Path("/etc/syndicator/syndicator.toml")
    own = tmp_path / ".config" / "syndicator" / "syndicator.toml"
    own.parent.mkdir(parents=True)
    own.touch()
    assert config_path(None, environ) == own
    given = tmp_path / "unit" / "syndicator.toml"
    given.parent.mkdir()
    given.touch()
    assert config_path(None, {**environ, "CONFIGURATION_DIRECTORY": str(given.parent)}) == given


def test_check_opens_everything_and_posts_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Every account once, opened and closed, in folders that are gone afterwards; the state folder is left unmade."""
    path = write(tmp_path)
    assert main(["check", "--config", str(path)], {"SYNDICATOR_LANGUAGE": "en"}) == 0
    shown = capsys.readouterr().out

    toys = importlib.import_module("cli_toys")
    assert [entry == "closed" for entry in toys.OPENED].count(True) == 2
    assert not any(Path(entry).exists() for entry in toys.OPENED)
    assert not (tmp_path / "state").exists()
    assert "✓ sources.agenda : toy, velo@mobilizon.example" in shown
    assert "✓ destinations.compte : toy, velo@social.example" in shown
    assert shown.rstrip().endswith("5 points vérifiés, rien n'a été publié.")


@pytest.mark.parametrize(("fault", "code", "said"), [
    ("transient", 75, "toy answered 503 ?token=…"),
    ("auth", 1, "Refaites le jeton."),
    ("rejected", 1, "vérifiez l'adresse"),
    ("bug", 1, "ZeroDivisionError: oops"),
])  # fmt: skip
def test_check_says_what_to_do(tmp_path: Path, capsys: pytest.CaptureFixture[str], fault: str, code: int, said: str) -> None:
    """What fails is told with its hint, and does not stop the others."""
    path = write(tmp_path, GOOD.replace('account = "velo@mob', f'fault = "{fault}"\naccount = "velo@mob'))
    assert main(["check", "--config", str(path)], {}) == code
    shown = capsys.readouterr().out

    assert "✗ sources.agenda" in shown
    assert said in shown
    assert "✓ destinations.compte" in shown
    assert shown.rstrip().endswith("1 point à corriger ; rien n'a été publié.")


def test_check_finds_a_loop_and_what_is_unused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An account mirrored onto itself is wrong; an account without a route is only mentioned."""
    text = GOOD.replace("velo@social.example", "velo@mobilizon.example").replace(
        "[routes.tout]", '[sources.autre]\ntype = "toy"\n[routes.tout]\nsources = ["agenda"]'
    )
    assert main(["check", "--config", str(write(tmp_path, text))], {}) == 1
    shown = capsys.readouterr().out

    assert "✗ routes : les routes tournent en rond" in shown
    assert "· sources.autre" in shown


def test_check_sees_a_folder_it_could_not_write(tmp_path: Path) -> None:
    """The account that runs check is named; whoever runs the tests, root included."""
    path = tmp_path / "velo.toml"
    path.write_text(ELSEWHERE.format(state=tmp_path / "closed" / "state"))
    (tmp_path / "closed").mkdir(mode=0o500)
    done = run_apart("check", "--config", str(path), preexec_fn=give_up_privilege)

    user = getpass.getuser()
    assert (done.returncode, "Traceback" in done.stderr) == (1, False)
    assert f"✗ state : dossier {tmp_path}/closed/state : ce compte ({user}) ne peut pas y écrire" in done.stdout


def test_check_sees_a_file_where_the_folder_should_be(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing can be kept in a file."""
    path = write(tmp_path)
    (tmp_path / "state").write_text("")
    assert main(["check", "--config", str(path)], {}) == 1

    assert "✗ state" in capsys.readouterr().out


def test_check_of_a_wrong_configuration_is_78(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """In its language, with all problems, and the other associations checked all the same."""
    write(tmp_path, GOOD.replace("[routes.tout]", "[roots]").replace("name =", 'language = "en"\nname ='), "a.toml")
    write(tmp_path, name="b.toml")
    assert main(["check", "--config-dir", str(tmp_path), "--json"], {}) == 78
    found = json.loads(capsys.readouterr().out)

    assert found["ok"] is False
    assert [(Path(entry["config"]).name, entry["ok"]) for entry in found["associations"]] == [("a.toml", False), ("b.toml", True)]
    assert "no route" in str(found["associations"][0]["findings"])
    assert main(["check", "b", "--config-dir", str(tmp_path)], {}) == 0


def test_a_reader_that_leaves_is_no_error(tmp_path: Path) -> None:
    """``syndicator check | head -1`` shows no traceback."""
    program = tmp_path / "loud.py"
    program.write_text(
        "import sys, types\n"
        "from syndicator import cli\n"
        "def run(args):\n    print('x' * 1_000_000)\n    return 0\n"
        "sys.modules['syndicator.cli.once'] = types.SimpleNamespace(HELP=cli.COMMANDS['once'], add_arguments=lambda *_: None, run=run)\n"
        "raise SystemExit(cli.main(['once']))\n"
    )
    done = subprocess.run(f"{sys.executable} {program} | true", shell=True, capture_output=True, text=True, check=False)

    assert done.stderr == ""
