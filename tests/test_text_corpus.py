"""The shaping corpus is whole: each of its sixty cases is in a table of ``tests/data/text``, or has its own test, named here."""

from __future__ import annotations

import ast
import tomllib
from datetime import timedelta
from pathlib import Path

import pytest

from syndicator.contract import Association
from syndicator.plan import Change, Facts, Target, plan
from syndicator.render import render
from syndicator.route import Route, Style
from syndicator.testing import NOW, make_post
from tests.text_networks import X

TESTS = Path(__file__).parent
TABLES = ("html.toml", "render.toml")
ELSEWHERE = {
    39: ("test_a_lost_part_is_resumed_under_its_true_parent",),
    53: (
        "test_the_same_text_twice_is_two_posts",
        "test_a_duplicate_at_a_first_attempt_is_somebody_elses",
        "test_a_duplicate_after_an_unknown_outcome_is_ours",
    ),
    55: (
        "test_refused_boosts_of_others_and_of_what_is_carried_already",
        "test_boosts_of_our_own_other_accounts_are_carried_those_of_strangers_are_not",
    ),
    56: (
        "test_refused_replies_to_others",
        "test_refused_not_public",
        "test_an_answer_stands_alone_when_its_parent_was_refused",
    ),
    57: (
        "test_an_edit_inside_the_grace_window_replaces",
        "test_an_edit_after_publication_follows_and_so_does_a_deletion",
        "test_an_edit_that_shows_nowhere_asks_for_nothing",
        "test_an_edit_of_the_alt_text_only_changes_the_picture",
    ),
    58: ("test_delete_and_redraft_is_one_post",),
    59: (
        "test_refused_older_than_the_route",
        "test_refused_too_old_to_be_news",
        "test_an_undated_item_of_the_first_look_is_old",
    ),
    60: ("test_hostile_input_is_only_text",),
}
"""What the plan, the engine or a connector answers for."""


def test_every_number_of_the_corpus_is_covered() -> None:
    """One to sixty."""
    assert set(range(1, 61)) - _in_tables() - ELSEWHERE.keys() == set()


def test_the_tables_are_run() -> None:
    """Every table is read by a test that runs each of its cases."""
    for table, name in (("html.toml", "test_text_html"), ("render.toml", "test_render")):
        source = (TESTS / f"{name}.py").read_text(encoding="utf-8")
        assert f'"{table}"' in source
        assert "test_corpus" in _functions(name)
    assert {path.name for path in (TESTS / "data" / "text").glob("*.toml")} == set(TABLES)


@pytest.mark.parametrize("number", sorted(ELSEWHERE))
def test_the_tests_that_are_named_exist(number: int) -> None:
    """By their names, as functions of some module of tests."""
    for name in ELSEWHERE[number]:
        homes = [path.stem for path in TESTS.glob("test_*.py") if name in path.read_text(encoding="utf-8")]
        assert [home for home in homes if name in _functions(home)] != []


def test_the_same_text_twice_is_two_posts() -> None:
    """Corpus 53: nothing is taken for a double because of its words; whoever refuses them says so, and that is told."""
    posts = [make_post(uid=f"https://social.example/{number}", html="<p>Atelier ce soir</p>") for number in (1, 2)]

    changes = [Change(kind="new", item=post, incarnation=0, revision=1, first_seen_at=NOW) for post in posts]
    route = Route(name="r", sources=(posts[0].source,), destinations=("x",))
    targets = {"x": Target(name="x", type="x", kinds=frozenset({"note"}))}
    planned = plan(changes, (route,), targets, Facts(since={("r", posts[0].source, "x"): NOW - timedelta(days=9)}), NOW).planned
    assert [(one.uid, one.purpose) for one in planned] == [(post.uid, "create") for post in posts]
    one, two = (render(post, X, Style(), association=Association(name="Asso")) for post in posts)
    assert [part.text for part in (*one, *two)] == ["Atelier ce soir"] * 2


def _in_tables() -> set[int]:
    cases = [case for table in TABLES for case in tomllib.loads((TESTS / "data" / "text" / table).read_text(encoding="utf-8"))["case"]]
    return {case["number"] for case in cases} - {0}


def _functions(module: str) -> set[str]:
    tree = ast.parse((TESTS / f"{module}.py").read_text(encoding="utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
