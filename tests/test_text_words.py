"""Language tags, the few words we add, and plain text in each markup."""

from __future__ import annotations

import pytest

from syndicator.model import Offer, Place
from syndicator.text.language import our_language, valid_language
from syndicator.text.markup import to_markup
from syndicator.text.phrases import price, where


@pytest.mark.parametrize(
    ("tag", "valid"),
    [
        ("fr", "fr"), ("FR", "fr"), ("zh-TW", "zh-TW"), ("zh_hant_tw", "zh-Hant-TW"), ("pt-br", "pt-BR"), ("es-419", "es-419"),
        ("de-CH-1996", "de-CH-1996"), ("", None), (None, None), ("french", None), ("und", None), ("zxx", None), ("f", None),
        ("fr FR", None), ("en-", None), ("br", "br"),
    ],
)  # fmt: skip
def test_a_language_is_valid_or_none(tag: str | None, valid: str | None) -> None:
    """Corpus 52: never a guess."""
    assert valid_language(tag) == valid


@pytest.mark.parametrize(
    ("item", "association", "ours"),
    [("fr-CA", "en", "fr"), ("en", "fr", "en"), ("de", "fr", "fr"), (None, "en-GB", "en"), (None, "br", "en"), ("xx!", "fr", "fr")],
)
def test_our_words_are_in_a_language_that_readers_know(item: str | None, association: str, ours: str) -> None:
    """The item's if we speak it, else the association's."""
    assert our_language(item, association) == ours


@pytest.mark.parametrize(
    ("place", "line"),
    [
        (Place(name="La Maison", street="3 rue du Port", postal_code="29200", locality="Brest"), "La Maison, 3 rue du Port, 29200 Brest"),
        (Place(name="3 rue du Port", street="3 rue du Port", locality="Brest"), "3 rue du Port, Brest"),
        (Place(name="Brest", locality="Brest"), "Brest"),
        (Place(name="Brest", postal_code="29200", locality="Brest"), "29200 Brest"),
        (Place(name="  Salle\nA "), "Salle A"),
        (Place(), ""),
    ],
)
def test_a_place_is_said_once(place: Place, line: str) -> None:
    """In one line, nothing twice."""
    assert where(place) == line


@pytest.mark.parametrize(
    ("offers", "french", "english"),
    [
        ((), "", ""),
        ((Offer(price="0"),), "Gratuit", "Free"),
        ((Offer(price="5"),), "Tarif\u00a0: 5\u00a0€", "Price: €5"),
        ((Offer(price="7.50"), Offer(price="5.00")), "Tarif\u00a0: de 5\u00a0€ à 7,50\u00a0€", "Price: €5 to €7.50"),
        ((Offer(price="12", currency="CHF"),), "Tarif\u00a0: 12\u00a0CHF", "Price: 12 CHF"),
        ((Offer(price="5"), Offer(price="5", currency="USD")), "", ""),
        ((Offer(price="libre"),), "", ""),
        ((Offer(price="NaN"), Offer(price="-1")), "", ""),
    ],
)
def test_what_it_costs(offers: tuple[Offer, ...], french: str, english: str) -> None:
    """In the reader's own notation; silence where nobody said a number."""
    assert (price(offers, "fr"), price(offers, "en")) == (french, english)


def test_every_sign_stays_what_it_is() -> None:
    """Corpus 48: literal everywhere, and addresses stay live."""
    text = "*a* _b_ [x](y) <3 & `c`\n# 1\n1. un\n- deux\nhttps://ex.org/a_b*c"
    assert to_markup(text, "plain") == text
    assert to_markup(text, "html") == "*a* _b_ [x](y) &lt;3 &amp; `c`\n# 1\n1. un\n- deux\nhttps://ex.org/a_b*c"
    assert to_markup(text, "markdown") == "\\*a\\* \\_b\\_ \\[x\\](y) \\<3 & \\`c\\`\n\\# 1\n1\\. un\n\\- deux\nhttps://ex.org/a_b*c"
