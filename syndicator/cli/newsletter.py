"""``syndicator newsletter``: look at the next issue, try it on one address, send it now, list what was sent."""

from __future__ import annotations

import asyncio
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from difflib import get_close_matches
from pathlib import Path
from tempfile import NamedTemporaryFile, TemporaryDirectory
from typing import TYPE_CHECKING, Any, TypeVar

from syndicator.cli import COMMANDS, FAILED, OK, show_json
from syndicator.cli.configuration import is_there, load_one
from syndicator.config import Config
from syndicator.errors import StateError, words
from syndicator.letter.newsletter import Newsletter
from syndicator.text.dates import describe_instant
from syndicator.words import say

if TYPE_CHECKING:
    from syndicator.forthcoming import Forthcoming
    from syndicator.http import Sessions

T = TypeVar("T")
HELP = COMMANDS["newsletter"]
ACTIONS = ("list", "preview", "send-test", "send")
YES = frozenset({"o", "oui", "y", "yes"})


def add_arguments(parser: ArgumentParser, language: str) -> None:
    """``list [NAME]``, ``preview [NAME]``, ``send-test ADDRESS [NAME]``, ``send [NAME]``."""
    parser.add_argument("action", choices=ACTIONS, nargs="?", default="list", help=say(language, "newsletter.action"))
    parser.add_argument("what", nargs="*", metavar="NAME", help=say(language, "newsletter.what"))
    parser.add_argument("--html", type=Path, metavar="FILE", help=say(language, "newsletter.html"))
    parser.add_argument("--no-open", action="store_true", help=say(language, "newsletter.no-open"))
    parser.add_argument("--yes", action="store_true", help=say(language, "newsletter.yes"))
    parser.add_argument("--json", action="store_true", help=say(language, "cli.json"))
    parser.set_defaults(refuse=parser.error)


def run(args: Namespace) -> int:
    """Show, try or send; 1 when it could not be done."""
    config = load_one(args)
    address = args.what.pop(0) if args.action == "send-test" and args.what else None
    if args.action == "send-test" and (address is None or "@" not in address):
        args.refuse(say(args.language, "newsletter.which-address"))
    if len(args.what) > 1:
        args.refuse(say(args.language, "newsletter.one-name"))
    name = args.what[0] if args.what else None
    if not config.newsletters:
        print(say(args.language, "newsletter.none"), file=sys.stderr)
        return FAILED
    if args.action == "list":
        return _list(config, args, name)
    letter = _chosen(config, args, name)
    if letter is None:
        return FAILED
    if args.action == "preview":
        return _preview(config, letter, args)
    if args.action == "send-test":
        return _send_test(config, letter, args, str(address))
    return _send(config, letter, args)


def _chosen(config: Config, args: Namespace, name: str | None) -> Newsletter | None:
    """The one that is named; without a name the only one."""
    if name is None and len(config.newsletters) == 1:
        return next(iter(config.newsletters.values()))
    names = ", ".join(config.newsletters)
    if name is None:
        print(say(args.language, "newsletter.which", names=names), file=sys.stderr)
        return None
    if name in config.newsletters:
        return config.newsletters[name]
    close = get_close_matches(name, config.newsletters, n=1)
    meant = say(args.language, "config.did-you-mean", name=close[0]) if close else say(args.language, "config.choices", names=names)
    print(say(args.language, "newsletter.no-such", name=name, meant=meant), file=sys.stderr)
    return None


def _look(config: Config, letter: Newsletter, *, drawn: bool) -> Forthcoming:
    """The next issue; by the ledger, or by the sources themselves when there is none yet."""
    if is_there(config.state_dir / "syndicator.db"):
        return _with_sessions(lambda sessions: _compose(config, letter, sessions, fresh=False, drawn=drawn))
    with TemporaryDirectory() as folder:
        aside = replace(config, state_dir=Path(folder) / "state", public_dir=Path(folder) / "public")
        return _with_sessions(lambda sessions: _compose(aside, letter, sessions, fresh=True, drawn=drawn))


def _compose(config: Config, letter: Newsletter, sessions: Sessions, *, fresh: bool, drawn: bool) -> Coroutine[Any, Any, Forthcoming]:
    from syndicator.forthcoming import forthcoming

    return forthcoming(config, letter, sessions, now, fresh=fresh, drawn=drawn)


def now() -> datetime:
    """The clock on the wall."""
    return datetime.now(UTC)


def _with_sessions(work: Callable[[Sessions], Coroutine[Any, Any, T]]) -> T:
    from syndicator.http import Sessions

    async def whole() -> T:
        sessions = Sessions()
        try:
            return await work(sessions)
        finally:
            await sessions.close()

    return asyncio.run(whole())


# preview


def _preview(config: Config, letter: Newsletter, args: Namespace) -> int:
    from syndicator.letter_page import data, facts, page

    one = _look(config, letter, drawn=True)
    path = None if args.json and args.html is None else _written(args.html, letter, page(one, config.association, args.language))
    if args.json:
        show_json(data(one) | {"page": path})
        return OK
    if not one.issue.sections:
        print(say(args.language, "newsletter.page.empty"))
    for heading, told in facts(one, config.association, args.language):
        print(say(args.language, "check.line", subject=heading, text=told))
    print(say(args.language, "preview.written", path=path))
    if path is not None and not args.no_open and _has_display(args.environ):
        import webbrowser

        webbrowser.open(path.absolute().as_uri())
    return OK


def _written(path: Path | None, letter: Newsletter, text: str) -> Path:
    """The page on the disk: where a person says, else among temporary files."""
    try:
        if path is None:
            with NamedTemporaryFile("w", prefix=f"syndicator-{letter.name}-", suffix=".html", encoding="utf-8", delete=False) as file:
                file.write(text)
                return Path(file.name)
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise StateError(
            f"{path}: {error.strerror}",
            hint=words(
                fr="On ne peut pas écrire ce fichier : donnez un autre nom à --html.",
                en="That file cannot be written: give --html another name.",
            ),
        ) from error
    return path


def _has_display(environ: Mapping[str, str]) -> bool:
    return sys.platform in ("darwin", "win32") or any(environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER"))


# send-test


def _send_test(config: Config, letter: Newsletter, args: Namespace, address: str) -> int:
    from syndicator.trial import send_test, way_for

    way = way_for(config, letter)
    if way is None:
        print(say(args.language, "newsletter.no-way", name=letter.name), file=sys.stderr)
        return FAILED
    one = _look(config, letter, drawn=True)
    left_out = _with_sessions(lambda sessions: send_test(config, one, way, address, sessions, now))
    if args.json:
        show_json({"newsletter": letter.name, "to": address, "by": way, "subject": one.rendition.title, "pictures_left_out": left_out})
        return OK
    print(say(args.language, "newsletter.tried", address=address, way=way))
    if left_out:
        print(say(args.language, "newsletter.pictures-later", count=left_out))
    return OK


# send


def _send(config: Config, letter: Newsletter, args: Namespace) -> int:
    from syndicator.letter_page import facts

    if not is_there(config.state_dir / "syndicator.db"):
        print(say(args.language, "status.never"), file=sys.stderr)
        return FAILED
    if not args.yes:
        one = _look(config, letter, drawn=False)
        for heading, told in facts(one, config.association, args.language):
            print(say(args.language, "check.line", subject=heading, text=told))
        if not _agreed(say(args.language, "newsletter.sure")):
            print(say(args.language, "newsletter.not-sent"), file=sys.stderr)
            return FAILED
    from syndicator.sending_now import send

    sent = _with_sessions(lambda sessions: send(config, letter, sessions, now))
    if args.json:
        show_json({"newsletter": letter.name, **sent.data()})
        return OK if sent.result != "nothing" else FAILED
    at = describe_instant(sent.until_at, config.association.timezone, args.language) if sent.until_at else ""
    print(say(args.language, f"newsletter.sent-{sent.result}", at=at))
    for name, state in sent.ways.items():
        print(say(args.language, "newsletter.way", name=name, state=state_words(state, args.language)))
    return OK if sent.result != "nothing" else FAILED


def _agreed(question: str) -> bool:
    """Whether a person said yes; nobody there is no."""
    try:
        return input(f"{question} ").strip().lower() in YES
    except EOFError:
        print()
        return False


# list


def _list(config: Config, args: Namespace, name: str | None) -> int:
    from syndicator.issue_list import listed, next_key

    chosen = config.newsletters if name is None else {name: _chosen(config, args, name)}
    letters = [letter for letter in chosen.values() if letter is not None]
    if len(letters) < len(chosen):
        return FAILED
    shown = listed(config, letters, now())
    if args.json:
        show_json([one.data() for one in shown])
        return OK
    zone, language = config.association.timezone, args.language
    for one in shown:
        print(f"{one.title} ({one.name})")
        print("  " + say(language, next_key(review=one.review, approved=one.approved), at=describe_instant(one.next_at, zone, language)))
        for issue in one.issues:
            at = describe_instant(issue.until_at, zone, language)
            print("  " + say(language, f"newsletter.row-{issue.state}", at=at, count=issue.things))
            for way, state in issue.ways.items():
                print("    " + say(language, "newsletter.way", name=way, state=state_words(state, language)))
    return OK


def state_words(state: Mapping[str, Any], language: str) -> str:
    """What became of an issue at one destination."""
    if state.get("progress"):
        return say(language, "status.letter", progress=state["progress"])
    told = [say(language, f"newsletter.way-{state['state']}")]
    told += [say(language, f"newsletter.readers-{key}", count=state[key]) for key in ("sent", "refused", "unknown") if state.get(key)]
    return ", ".join([*told, *([state["reason"]] if state.get("reason") else [])])
