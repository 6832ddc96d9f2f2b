"""What the tests of edits share: how an edit arrived on the wall."""

from __future__ import annotations

from tests.engine_scene import Wall

IN_PLACE, ANEW, NOTE, NOTHING = "in place", "anew", "note", "nothing"


def arrived(wall: Wall) -> str:
    """What became of "Un" when it was edited to "Deux"."""
    (first, *others) = wall.signs.values()
    if others:
        assert (first.text, first.edits, [sign.answers for sign in others]) == ("Un", [], ["w1"])
        assert "Deux" in others[0].text
        assert "social.example/1" in others[0].text
        return NOTE
    return {("w1", "Deux"): IN_PLACE, ("w2", "Deux"): ANEW, ("w1", "Un"): NOTHING}[first.id, wall.texts[0]]
