"""The arrows of the design, read from the imports: who may know whom, what is pure, and that everything flows one way.

Every rule is a function from a module's name and source to the complaints it has, so that each is also shown a module it must refuse.
"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from syndicator import registry

ROOT = Path(__file__).parent.parent

FOR_CONNECTORS = frozenset({"model", "contract", "errors", "http", "text", "media", "folder"})
"""All that a connector may know of the daemon."""
PURE = frozenset({"model", "route", "plan", "render", "policy", "text", "likeness", "stragglers"})
"""Rooms without input or output: they decide, others act."""
PURE_MAY_KNOW = PURE | {"contract", "errors"}
SDKS = frozenset(
    {
        "mastodon",
        "feedparser",
        "gql",
        "icalendar",
        "recurring_ical_events",
        "x_wr_timezone",
        "tweepy",
        "atproto",
        "caldav",
        "aiosmtplib",
        "apprise",
    }
)
"""Libraries that speak for one service or format: only connectors import them."""
EFFECTS = frozenset({
    "aiohttp", "asyncio", "concurrent", "ftplib", "http", "logging", "multiprocessing", "os", "pathlib", "requests", "secrets",
    "shutil", "smtplib", "socket", "sqlite3", "sqlite_utils", "ssl", "subprocess", "sys", "tempfile", "threading", "time",
})  # fmt: skip
CLOCKS = frozenset(
    {"datetime.now", "datetime.utcnow", "datetime.today", "date.today", "time.time", "datetime.datetime.now", "datetime.date.today"}
)
MEANINGLESS = frozenset({"utils", "util", "helpers", "helper", "manager", "base", "common", "misc"})

Rule = Callable[[str, str], list[str]]


def imports(name: str, source: str) -> Iterator[str]:
    """Every module that ``source`` imports, anywhere in it, by its full name; ``from a import b`` gives ``a`` and ``a.b``."""
    package = name.split(".")
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level] if node.level else []
            module = ".".join([*above, *([node.module] if node.module else [])])
            yield module
            yield from (f"{module}.{alias.name}" for alias in node.names)


def calls(source: str) -> Iterator[str]:
    """The dotted names that ``source`` calls."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name | ast.Attribute):
            yield ast.unparse(node.func)


def room(module: str) -> str:
    """``plan`` of ``syndicator.plan``, ``text`` of ``syndicator.text.html``; empty for the package itself."""
    return module.partition(".")[2].partition(".")[0]


def connectors_know_little(name: str, source: str) -> list[str]:
    """A connector knows the contract, never the daemon or another connector."""
    if not name.startswith("connectors."):
        return []
    found = set()
    for module in imports(name, source):
        top = module.split(".")[0]
        own = ".".join(name.split(".")[:2])
        if top == "connectors" and module != "connectors" and not f"{module}.".startswith(f"{own}."):
            found.add(module)
        if top == "syndicator" and room(module) not in FOR_CONNECTORS and module != "syndicator":
            found.add(module)
    return [f"{name} imports {module}" for module in sorted(found)]


def connectors_only_translate(name: str, source: str) -> list[str]:
    """A connector neither sleeps nor reads the environment; and it is given the time."""
    if not name.startswith("connectors."):
        return []
    refused = {"asyncio.sleep", "time.sleep", "sleep", "os.getenv", "os.environ.get"} | CLOCKS
    return [f"{name} calls {call}" for call in sorted(set(calls(source)) & refused)]


def core_knows_no_connector(name: str, source: str) -> list[str]:
    """The daemon knows no service by name, and none of their libraries."""
    if not name.startswith("syndicator"):
        return []
    refused = SDKS | {"connectors"}
    return [f"{name} imports {module}" for module in sorted(set(imports(name, source))) if module.split(".")[0] in refused]


def sandbox_is_apart(name: str, source: str) -> list[str]:
    """The simulators speak protocols: were they to use our code, they would share its mistakes."""
    if not name.startswith("syndicator.sandbox"):
        return []
    ours = (module for module in imports(name, source) if module.startswith("syndicator."))
    return [f"{name} imports {module}" for module in sorted(set(ours)) if room(module) != "sandbox"]


def only_shows_use_the_sandbox(name: str, source: str) -> list[str]:
    """What runs in production never loads a simulator."""
    if not name.startswith("syndicator") or room(name) in ("sandbox", "testing") or name.startswith("syndicator.cli.demo"):
        return []
    return [f"{name} imports {module}" for module in sorted(set(imports(name, source))) if module.startswith("syndicator.sandbox")]


def pure_rooms_stay_pure(name: str, source: str) -> list[str]:
    """No file, socket, database, clock or chance: same input, same answer."""
    if not name.startswith("syndicator.") or room(name) not in PURE:
        return []
    seen = set(imports(name, source))
    found = {module for module in seen if module.split(".")[0] in EFFECTS and module.split(".")[0] != "syndicator"}
    found |= {module for module in seen if module.startswith("syndicator.") and room(module) not in PURE_MAY_KNOW}
    done = {call for call in calls(source) if call in CLOCKS | {"open", "print", "input"} or re.match(r"random\.[a-z]", call)}
    return [f"{name} imports {module}" for module in sorted(found)] + [f"{name} calls {call}" for call in sorted(done)]


def time_is_given(name: str, source: str) -> list[str]:
    """``now`` is an argument everywhere but at the edges: the command line and the simulators."""
    if name.startswith(("syndicator.cli", "syndicator.sandbox")):
        return []
    return [f"{name} calls {call}" for call in sorted(set(calls(source)) & CLOCKS)]


def names_mean_something(name: str, source: str) -> list[str]:
    """Modules are nouns of the domain or verbs of a step."""
    return [f"{name} says nothing" for part in name.split(".") if part in MEANINGLESS]


RULES: tuple[Rule, ...] = (
    connectors_know_little,
    connectors_only_translate,
    core_knows_no_connector,
    sandbox_is_apart,
    only_shows_use_the_sandbox,
    pure_rooms_stay_pure,
    time_is_given,
    names_mean_something,
)


def modules() -> Iterator[tuple[str, str]]:
    """Every module of ours, by name, with its source."""
    for package in ("syndicator", "connectors"):
        for path in sorted((ROOT / package).rglob("*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
            # As a package's own name, so that relative imports inside __init__.py are resolved as Python does.
            yield (f"{name}.__init__" if parts[-1] == "__init__" else name), path.read_text(encoding="utf-8")


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_house_keeps_its_rules(rule: Rule) -> None:
    """No module has an arrow it must not have."""
    assert [complaint for name, source in modules() for complaint in rule(name, source)] == []


@pytest.mark.parametrize(("rule", "name", "source"), [
    (connectors_know_little, "connectors.a", "from syndicator.store import Ledger"),
    (connectors_know_little, "connectors.a", "def f():\n    from syndicator import plan"),
    (connectors_know_little, "connectors.a.x", "from connectors.b import thing"),
    (connectors_know_little, "connectors.a.x", "from connectors import b"),
    (connectors_know_little, "connectors.a.x", "from ..b import thing"),
    (connectors_know_little, "connectors.a", "import connectors.ab"),
    (connectors_only_translate, "connectors.a", "import asyncio\nasync def f():\n    await asyncio.sleep(1)"),
    (connectors_only_translate, "connectors.a", "import os\nTOKEN = os.environ.get('TOKEN')"),
    (core_knows_no_connector, "syndicator.steps", "from connectors.ical import IcalSource"),
    (core_knows_no_connector, "syndicator.steps", "def f():\n    import mastodon"),
    (sandbox_is_apart, "syndicator.sandbox.feed", "from syndicator.http import Http"),
    (sandbox_is_apart, "syndicator.sandbox.feed", "from syndicator import model"),
    (sandbox_is_apart, "syndicator.sandbox.feed", "from ..text.html import plain"),
    (only_shows_use_the_sandbox, "syndicator.daemon", "from syndicator.sandbox.server import Fault"),
    (pure_rooms_stay_pure, "syndicator.plan", "import asyncio"),
    (pure_rooms_stay_pure, "syndicator.text.html", "from pathlib import Path"),
    (pure_rooms_stay_pure, "syndicator.policy", "from syndicator.store import Store"),
    (pure_rooms_stay_pure, "syndicator.plan", "from datetime import datetime\nNOW = datetime.now()"),
    (pure_rooms_stay_pure, "syndicator.policy", "import random\nrandom.uniform(0, 1)"),
    (pure_rooms_stay_pure, "syndicator.render", "def f():\n    open('x')"),
    (time_is_given, "syndicator.steps", "from datetime import datetime\ndef f():\n    return datetime.now()"),
    (names_mean_something, "syndicator.text.utils", ""),
])  # fmt: skip
def test_each_rule_can_refuse(rule: Rule, name: str, source: str) -> None:
    """A rule that accepts everything protects nothing."""
    assert rule(name, source) != []


@pytest.mark.parametrize(("name", "source"), [
    ("connectors.a.x", "from syndicator.contract import Context\nfrom syndicator.text.html import plain\nfrom .y import z"),
    ("connectors.a.__init__", "from .y import z\nfrom connectors.a.y import z\nimport mastodon"),
    ("syndicator.policy", "import random\ndef f(rng: random.Random):\n    return rng.random()"),
    ("syndicator.plan", "from datetime import datetime, timedelta\nfrom syndicator.model import Post"),
    ("syndicator.sandbox.feed", "from syndicator.sandbox.server import Simulator\nimport aiohttp"),
    ("syndicator.cli.demo", "from syndicator.sandbox.server import Simulator"),
])  # fmt: skip
def test_what_is_allowed_passes(name: str, source: str) -> None:
    """The rules leave room to work."""
    assert [complaint for rule in RULES for complaint in rule(name, source)] == []


WRITES = frozenset({"publish", "update", "delete", "prepare", "find", "project"})
READS = frozenset({"fetch", "read", "wait", "recognise"})


def one_way(group: registry.Group, connector: type) -> set[str]:
    """The abilities that a connector of this group must not have."""
    return set(dir(connector)) & (WRITES if group == "sources" else READS)


def ours() -> list[tuple[registry.Group, str]]:
    """The connectors of this project, as its ``pyproject.toml`` registers them."""
    entry_points = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["entry-points"]
    groups: tuple[registry.Group, ...] = ("sources", "destinations")
    return [(group, name) for group in groups for name in entry_points[f"syndicator.{group}"]]


@pytest.mark.parametrize(("group", "name"), ours())
def test_everything_flows_one_way(group: registry.Group, name: str) -> None:
    """A source cannot write; a destination cannot read, except to answer whether one delivery went out."""
    connector = registry.find(group, name)

    assert one_way(group, connector) == set()
    if group == "sources":
        assert hasattr(connector, "fetch")
    else:
        assert hasattr(connector, "publish") != hasattr(connector, "project")


def test_a_connector_that_does_both_would_be_seen() -> None:
    """The check above can fail."""
    both = type("Both", (), {"fetch": None, "publish": None})

    assert (one_way("sources", both), one_way("destinations", both)) == ({"publish"}, {"fetch"})


def test_a_connector_is_imported_alone() -> None:
    """Asking for one loads no other: an association pays for what it configured."""
    program = (
        "import sys; from syndicator import registry; registry.find('sources', 'feed');"
        "print(sorted(m for m in sys.modules if m.startswith('connectors.')))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert {module.split(".")[1] for module in ast.literal_eval(done.stdout)} == {"feed"}


def test_nothing_of_ours_is_mocked() -> None:
    """Tests run against simulators and real sockets."""
    own = Path(__file__)
    users = [
        path.name for path in (ROOT / "tests").glob("*.py") if path != own and "mock" in " ".join(imports("tests.x", path.read_text()))
    ]

    assert users == []
