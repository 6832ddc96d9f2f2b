"""The documentation: whole, and true to the code."""

from __future__ import annotations

import ast
import importlib
import inspect
import re
import textwrap
import tomllib
from collections.abc import Iterator
from dataclasses import MISSING, dataclass, field, fields
from pathlib import Path
from types import ModuleType
from typing import Any, get_type_hints

import pytest

from syndicator import errors, registry
from syndicator.cli import COMMANDS
from syndicator.config import load
from syndicator.config.accounts import DestinationKeys, PublisherKeys, SourceKeys
from syndicator.config.credentials import Vault
from syndicator.config.decode import Decoder, keys
from syndicator.config.load import SECTIONS
from syndicator.config.report import Report
from syndicator.config.routes import ROUTE_KEYS
from syndicator.config.sections import AlertKeys, Folders, NetworkKeys, WebKeys
from syndicator.contract import Association, CanListen, CanRead, CanRecognise
from syndicator.route import Filter, Route, Style
from syndicator.serving import Serving
from syndicator.testing import NOW
from tests.feature_table import can, row, written

ROOT = Path(__file__).parent.parent
EXAMPLE = (ROOT / "config.example.toml").read_text(encoding="utf-8")
DOCS = {path: path.read_text(encoding="utf-8") for path in [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]}
GROUPS: tuple[registry.Group, ...] = ("sources", "destinations")

_HEADER = re.compile(r"(?:# )?\[([a-z0-9_.-]+)\]")
_OPTION = re.compile(r"(# )?([a-z][a-z0-9_]*) = (.+)")
_COMMON = re.compile(r"#   ([a-z_]+) = (\"[^\"]*\"|[0-9.]+)")


@dataclass(frozen=True)
class Option:
    """One option as the example shows it."""

    key: str
    toml: str
    active: bool
    explained: bool
    """Whether a comment stands above it."""


@dataclass
class Block:
    """One section of the example."""

    name: str
    options: dict[str, Option] = field(default_factory=dict)

    @property
    def kind(self) -> str | None:
        """The value of ``type``."""
        option = self.options.get("type")
        return tomllib.loads(f"x = {option.toml}")["x"] if option else None


def blocks(text: str) -> dict[str, Block]:
    """The sections of a configuration, with the options that are written out and those that are commented out."""
    found: dict[str, Block] = {}
    block, before = None, ""
    for line in text.splitlines():
        header, option = _HEADER.fullmatch(line), _OPTION.fullmatch(line)
        if header:
            block = found.setdefault(header[1], Block(header[1]))
        elif option and block:
            explained = before.startswith("# ") and not _OPTION.fullmatch(before)
            block.options[option[2]] = Option(key=option[2], toml=option[3], active=not option[1], explained=explained)
        before = line
    return found


BLOCKS = blocks(EXAMPLE)


def ours() -> Iterator[tuple[registry.Group, str]]:
    """The connectors that this project registers."""
    entry_points = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["entry-points"]
    for group in GROUPS:
        for name in entry_points[f"syndicator.{group}"]:
            yield group, name


OURS = list(ours())


def block_of(group: str, kind: str) -> Block:
    """The example's section for a connector."""
    found = [block for name, block in BLOCKS.items() if name.startswith(f"{group}.") and block.kind == kind]
    assert len(found) == 1, f"{group} {kind}: {len(found)} sections in the example"
    return found[0]


def untrue(cls: type[Any], block: Block, folder: Path, *, owner: type[Any] | None = None) -> list[str]:
    """What the example says wrongly of ``cls``: missing and unknown options, wrong defaults, values that do not decode, no explanation."""
    report = Report(path="example", language="en")
    decoder = Decoder(report=report, vault=Vault(environ={"CREDENTIALS_DIRECTORY": str(folder)}, folder=folder, exposed=False))
    hints = get_type_hints(cls, localns=dict(vars(owner)) if owner else None)
    complaints = [f"{key}: missing" for key in sorted(keys(cls) - block.options.keys() - {"type"})]
    for each in fields(cls):
        option = block.options.get(str(each.metadata.get("key", each.name)))
        if option is None or option.key == "type":
            continue
        raw = tomllib.loads(f"x = {option.toml}")["x"]
        _make_secrets(raw, folder)
        value = decoder.value(hints[each.name], raw, (option.key,), owner=owner)
        required = each.default is MISSING and each.default_factory is MISSING
        default = each.default_factory() if each.default_factory is not MISSING else each.default
        if not option.active and not required and default not in (None, (), "") and value != default:
            complaints.append(f"{option.key}: commented out at {option.toml}, the default is {default!r}")
        if not option.explained:
            complaints.append(f"{option.key}: no comment above it")
    return complaints + [str(problem) for problem in report.problems]


def _make_secrets(value: Any, folder: Path) -> None:
    """Let every credential that an example names exist."""
    if isinstance(value, dict):
        if "credential" in value:
            (folder / str(value["credential"])).write_text("smtps://user:password@mail.example:465")
        for inner in value.values():
            _make_secrets(inner, folder)
    if isinstance(value, list):
        for inner in value:
            _make_secrets(inner, folder)


@pytest.mark.parametrize(("group", "name"), OURS)
def test_every_option_of_every_connector_is_in_the_example(tmp_path: Path, group: registry.Group, name: str) -> None:
    """Each with a comment above it, and commented out at its default."""
    connector = registry.find(group, name)
    block = block_of(group, name)
    core = keys(SourceKeys if group == "sources" else PublisherKeys)

    assert untrue(connector.Options, block, tmp_path, owner=connector) == []
    assert block.options.keys() - keys(connector.Options) - core == set()


@pytest.mark.parametrize(("section", "classes"), [
    ("association", (Association, Folders)), ("web", (WebKeys,)), ("network", (NetworkKeys,)), ("alerts", (AlertKeys,)),
    ("routes.tout", (Filter, Style)),
])  # fmt: skip
def test_every_option_of_the_core_is_in_the_example(tmp_path: Path, section: str, classes: tuple[type[Any], ...]) -> None:
    """Each with a comment above it, and commented out at its default."""
    assert [complaint for cls in classes for complaint in untrue(cls, BLOCKS[section], tmp_path)] == []


def test_every_option_of_routes_is_in_the_example() -> None:
    """Their own as well as those of filter and style, commented out at their defaults."""
    options = BLOCKS["routes.tout"].options
    defaults = {each.name: each.default for each in fields(Route)}

    assert options.keys() == ROUTE_KEYS
    assert {key: options[key].toml for key in ("delay", "max_age", "backfill", "edit", "deletions")} == {
        "delay": '"2m"', "max_age": '"3d"', "backfill": '"0s"', "edit": '"update"', "deletions": "true",
    }  # fmt: skip
    assert [int(defaults[key].total_seconds()) for key in ("delay", "max_age", "backfill")] == [120, 3 * 86_400, 0]
    assert (defaults["edit"], defaults["deletions"]) == ("update", True)


def test_what_all_accounts_share_is_explained_once() -> None:
    """The core's keys of sources, destinations and publishers stand above the sections they belong to."""
    sources, destinations = EXAMPLE.split("# --- Les sources")[1].split("# --- Les destinations")

    assert {key for key, _ in _COMMON.findall(sources)} == keys(SourceKeys) - {"type"}
    assert {key for key, _ in _COMMON.findall(destinations)} == (keys(DestinationKeys) | keys(PublisherKeys)) - {"type"}
    assert dict(_COMMON.findall(sources))["poll"] == '"5m"'
    assert {key: value for key, value in _COMMON.findall(destinations) if key in ("spacing", "on_unknown")} == {
        "spacing": '"0s"', "on_unknown": '"park"',
    }  # fmt: skip


def test_the_example_is_a_configuration(tmp_path: Path) -> None:
    """As it stands, with its secrets in place, it is read without a problem and names every connector."""
    path = tmp_path / "example.toml"
    path.write_text(EXAMPLE, encoding="utf-8")
    _make_secrets(tomllib.loads(EXAMPLE), tmp_path)
    config = load(path, environ={"CREDENTIALS_DIRECTORY": str(tmp_path), "STATE_DIRECTORY": str(tmp_path)})

    used = [("sources", source.type) for source in config.sources.values()]
    used += [("destinations", destination.type) for destination in config.destinations.values()]
    assert sorted(used) == sorted(OURS)
    assert set(SECTIONS) == {name.split(".")[0] for name in BLOCKS}


def test_an_untrue_example_would_be_seen(tmp_path: Path) -> None:
    """The comparison above can fail, in each of its ways."""
    said = blocks('[web]\n# Ceci.\n# listen = "0.0.0.0:80"\n# public_url = 3\n# Cela.\n# public_status = false\n')["web"]

    assert untrue(WebKeys, said, tmp_path) == [
        "path: missing",
        "listen: commented out at \"0.0.0.0:80\", the default is '127.0.0.1:8710'",
        "public_url: no comment above it",
        "example: public_url: expected a text in quotes, not 3.",
    ]


def undocumented(cls: type[Any]) -> list[str]:
    """The fields of a dataclass without a docstring under them."""
    body = ast.parse(textwrap.dedent(inspect.getsource(cls))).body[0]
    assert isinstance(body, ast.ClassDef)
    missing = []
    for index, node in enumerate(body.body):
        if not isinstance(node, ast.AnnAssign):
            continue
        after = body.body[index + 1] if index + 1 < len(body.body) else None
        told = isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant) and isinstance(after.value.value, str)
        if not told:
            missing.append(ast.unparse(node.target))
    return missing


def manual_of(connector: type[Any]) -> ModuleType | None:
    """The module whose docstring is a connector's manual: its package, or its own where a family shares one."""
    path = connector.__module__.split(".")
    modules = (importlib.import_module(".".join(path[:depth])) for depth in range(2, len(path) + 1))
    return next((module for module in modules if len((module.__doc__ or "").splitlines()) >= 5), None)


@pytest.mark.parametrize(("group", "name"), OURS)
def test_every_connector_has_its_manual(group: registry.Group, name: str) -> None:
    """The package's docstring is a page of at least a few lines; every option has its sentence."""
    connector = registry.find(group, name)

    assert manual_of(connector) is not None
    assert undocumented(connector.Options) == []


def test_a_missing_sentence_would_be_seen() -> None:
    """The check above can fail."""

    @dataclass
    class Options:
        told: int
        """Told."""
        untold: int

    assert undocumented(Options) == ["untold"]


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_every_command_is_documented(command: str) -> None:
    """In the table of docs/configuration.md."""
    assert re.search(rf"^\| `syndicator {command}[ `]", DOCS[ROOT / "docs" / "configuration.md"], re.MULTILINE)


def kinds(root: type[Exception]) -> Iterator[type[Exception]]:
    """The errors below ``root`` that the core tells apart."""
    for cls in root.__subclasses__():
        if cls.__module__ == "syndicator.errors":
            yield cls
            yield from kinds(cls)


@pytest.mark.parametrize("error", sorted(cls.__name__ for cls in kinds(errors.SyndicatorError) if cls is not errors.ConnectorError))
def test_every_error_is_documented(error: str) -> None:
    """What happens, what the service does, what a person does."""
    assert f"| `{error}` |" in DOCS[ROOT / "docs" / "configuration.md"]


@pytest.mark.parametrize("name", sorted({name for _, name in OURS}))
def test_every_connector_is_documented(name: str) -> None:
    """By the name that goes into ``type``, somewhere in the docs."""
    assert any(f"`{name}`" in text or f'"{name}"' in text for text in DOCS.values())


def anchors(text: str) -> set[str]:
    """What a page's headings are called in links: lower case, hyphens for spaces, no punctuation."""
    headings = re.findall(r"^#+ (.+)$", re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("path", sorted(DOCS), ids=lambda path: str(path.relative_to(ROOT)))
def test_links_between_documents_lead_somewhere(path: Path) -> None:
    """A relative link names a file that exists, and a heading that it has."""
    lost = []
    for target, anchor in re.findall(r"\]\((?!https?:|mailto:)([^)#\s]*)#?([^)\s]*)\)", DOCS[path]):
        file = (path.parent / target).resolve() if target else path
        if not file.exists() or (anchor and anchor not in anchors(DOCS[file])):
            lost.append((target, anchor))

    assert lost == []


@pytest.mark.parametrize("path", sorted(DOCS), ids=lambda path: str(path.relative_to(ROOT)))
def test_configurations_in_the_docs_are_right(tmp_path: Path, path: Path) -> None:
    """Every whole configuration shown (one that opens with [association]) is read without a problem; every other piece is TOML."""
    for number, text in enumerate(re.findall(r"^```toml\n(.*?)^```", DOCS[path], re.MULTILINE | re.DOTALL)):
        raw = tomllib.loads(text)
        if not text.startswith("[association]"):
            continue
        example = tmp_path / f"example-{number}.toml"
        example.write_text(text, encoding="utf-8")
        _make_secrets(raw, tmp_path)

        assert load(example, environ={"CREDENTIALS_DIRECTORY": str(tmp_path), "STATE_DIRECTORY": str(tmp_path)}).routes


def sections(path: str) -> dict[str, str]:
    """The text below each ``##`` of a page, by its heading."""
    parts = re.split(r"^## (.+)$", DOCS[ROOT / "docs" / path], flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


@pytest.mark.parametrize(("group", "name"), OURS)
def test_every_connector_has_its_section(group: registry.Group, name: str) -> None:
    """It names exactly the options there are, and leads to the manual."""
    connector = registry.find(group, name)
    section = sections(f"{group}.md")[name]
    listed = re.search(r"^Options : (.+)\.$", section, re.MULTILINE)

    assert listed
    assert re.findall(r"`(\w+)`", listed[1]) == [each.name for each in fields(connector.Options)]
    manual = manual_of(connector)
    assert manual is not None
    assert f"(../{Path(str(manual.__file__)).relative_to(ROOT)})" in section


def test_the_table_of_sources_is_true() -> None:
    """What each can do, from its class."""
    rows = []
    for name in (name for group, name in OURS if group == "sources"):
        source = registry.find("sources", name)
        rows.append(row(f"`{name}`", can(source, CanRead), can(source, CanListen), can(source, CanRecognise)))

    assert "\n".join(rows) in DOCS[ROOT / "docs" / "sources.md"]


def test_the_tables_of_destinations_are_true() -> None:
    """Written from each class and its Limits, by the command that the page names."""
    page = DOCS[ROOT / "docs" / "destinations.md"]

    assert written(page, tuple(name for group, name in OURS if group == "destinations")) == page


def problem_rows(language: str, name: str) -> list[str]:
    """How the table of problems opens each line, from the message catalogue."""
    catalogue = tomllib.loads((ROOT / "syndicator" / "locales" / f"{language}.toml").read_text(encoding="utf-8"))
    texts = [kind["what"] for kind in catalogue["problem"].values()]
    return ["| " + re.sub(r"(n°|no\.) \{name\}", r"\1 12", text).replace("{name}", name) + " |" for text in texts]


@pytest.mark.parametrize(("page", "language", "name"), [("operating.md", "fr", "NOM"), ("en/operating.md", "en", "NAME")])
def test_every_problem_has_its_line(page: str, language: str, name: str) -> None:
    """What a person reads in a mail or in ``status`` is found in the page, word for word, with what to do."""
    lines = DOCS[ROOT / "docs" / page].splitlines()

    assert [opening for opening in problem_rows(language, name) if not any(line.startswith(opening) for line in lines)] == []


@pytest.mark.parametrize("page", ["operating.md", "en/operating.md"])
def test_every_metric_is_named(page: str) -> None:
    """Exactly those that /metrics has."""
    metrics = re.findall(r"^# TYPE (\w+) ", Serving({}, lambda: NOW).metrics(), re.MULTILINE)

    assert len(metrics) >= 7
    assert re.findall(r"^\| `(syndicator_\w+)` \|", DOCS[ROOT / "docs" / page], re.MULTILINE) == [*dict.fromkeys(metrics)]


def logged() -> set[str]:
    """The names of the events that the daemon logs, from its source."""
    named = set()
    for path in (ROOT / "syndicator").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "event":
                either = [part for arg in node.args for part in ((arg.body, arg.orelse) if isinstance(arg, ast.IfExp) else (arg,))]
                named |= {part.value for part in either if isinstance(part, ast.Constant) and isinstance(part.value, str)}
    return named


def test_every_logged_event_is_explained() -> None:
    """And none that is not logged."""
    table = sections("operating.md")["Le journal"]
    told = {name for line in table.splitlines() if line.startswith("| `") for name in re.findall(r"`([a-z.-]+)`", line.split("|")[1])}
    changes = {"item.new", "item.changed", "item.gone", "item.returned"}

    assert told == logged() | changes


@pytest.mark.parametrize(
    ("page", "heading"), [("README.md", "Ce qu'il ne sait pas encore faire"), ("README.en.md", "What it cannot do yet")]
)
def test_the_readme_denies_nothing_that_exists(page: str, heading: str) -> None:
    """No network that has a connector stands in the list of those that cannot be posted to."""
    told = DOCS[ROOT / page].split(f"## {heading}")[1].split("\n## ")[0]

    assert set(re.findall(r"\w+", told.lower())) & {name for _, name in OURS} == set()
