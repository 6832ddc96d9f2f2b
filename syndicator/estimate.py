"""What shown posts would cost in all, network by network, and whether the month's budget is enough for them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from syndicator.showing import Shown
from syndicator.text.cost import cost_of, in_words
from syndicator.words import say


@dataclass(frozen=True, kw_only=True)
class Account:
    """What a destination may spend this month and what it has spent, in thousandths."""

    spent: int = 0
    budget: int | None = None


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """What is shown of one destination that charges, in thousandths of its currency."""

    destination: str
    posts: int
    mills: int
    currency: str
    account: Account

    @property
    def fits(self) -> bool:
        """Whether all of it can leave this month."""
        return self.account.budget is None or self.account.spent + self.mills <= self.account.budget

    def says(self, language: str) -> str:
        """One line for a person."""

        def amount(mills: int) -> str:
            return in_words(mills, self.currency, language)

        told = say(language, "preview.cost", name=self.destination, count=self.posts, cost=amount(self.mills))
        if self.account.budget is None:
            return told
        key = "preview.budget" if self.fits else "preview.budget-short"
        return f"{told} {say(language, key, budget=amount(self.account.budget), spent=amount(self.account.spent))}"


def estimates(shown: Sequence[Shown], accounts: Mapping[str, Account]) -> list[Estimate]:
    """One for each destination that charges, in the order in which they are shown."""
    of: dict[str, list[Shown]] = {}
    for one in shown:
        if one.limits.prices is not None and one.renditions:
            of.setdefault(one.destination, []).append(one)
    return [
        Estimate(
            destination=name,
            posts=len(found),
            mills=sum(cost_of(part, one.limits, one.purpose) for one in found for part in one.renditions),
            currency=found[0].limits.prices.currency if found[0].limits.prices else "",
            account=accounts.get(name, Account()),
        )
        for name, found in of.items()
    ]
