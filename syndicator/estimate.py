"""What shown posts would cost in all, network by network, and whether the month's budget is enough for them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from syndicator.showing import Shown
from syndicator.text.cost import cost_of, in_words
from syndicator.words import say


@dataclass(frozen=True, kw_only=True)
class Account:
    """What a destination may spend this month and what it has spent, in thousandths."""

    spent: int = 0
    budget: int | None = None
    until: datetime | None = None
    """The end of the month: what leaves later is not its affair; None when that is not known."""


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """What is shown of one destination that charges, in thousandths of its currency."""

    destination: str
    posts: int
    mills: int
    currency: str
    account: Account
    later: int = 0
    """What of it leaves in another month."""

    @property
    def fits(self) -> bool:
        """Whether all that leaves this month can."""
        return self.account.budget is None or self.account.spent + self.mills - self.later <= self.account.budget

    def says(self, language: str) -> str:
        """One line for a person."""

        def amount(mills: int) -> str:
            return in_words(mills, self.currency, language)

        told = say(language, "preview.cost", name=self.destination, count=self.posts, cost=amount(self.mills))
        if self.account.budget is None:
            return told
        key = "preview.budget" if self.fits else "preview.budget-short"
        return f"{told} {say(language, key, budget=amount(self.account.budget), spent=amount(self.account.spent))}"


@dataclass(frozen=True, kw_only=True)
class Outlay:
    """What one event costs at one destination that tells of it more than once, in thousandths of its currency."""

    destination: str
    title: str
    announcement: int
    reminders: tuple[int, ...]
    if_changed: int
    """What a change or a cancellation would cost beside, the dearest of them; 0 where neither makes a post of its own."""
    currency: str

    def says(self, language: str) -> str:
        """One line for a person."""

        def amount(mills: int) -> str:
            return in_words(mills, self.currency, language)

        told = say(
            language,
            "preview.event-cost" if self.reminders else "preview.event-cost-alone",
            name=self.destination,
            title=self.title,
            count=len(self.reminders),
            whole=amount(self.announcement + sum(self.reminders)),
            announcement=amount(self.announcement),
            reminders=amount(sum(self.reminders)),
        )
        return f"{told} {say(language, 'preview.event-changed', cost=amount(self.if_changed))}" if self.if_changed else told


def estimates(shown: Sequence[Shown], accounts: Mapping[str, Account]) -> list[Estimate]:
    """One for each destination that charges, in the order in which they are shown; of all that leaves unless something changes."""
    return [
        Estimate(
            destination=name,
            posts=len(found),
            mills=sum(map(_cost, found)),
            currency=_currency(found),
            account=(account := accounts.get(name, Account())),
            later=sum(_cost(one) for one in found if one.at is not None and account.until is not None and one.at >= account.until),
        )
        for name, found in _by_destination(one for one in shown if one.sure).items()
    ]


def outlays(shown: Sequence[Shown]) -> list[Outlay]:
    """One for each event and destination that charges, where its announcement is not all that may be said of it."""
    found = []
    for name, there in _by_destination(shown).items():
        by_event: dict[str, list[Shown]] = {}
        for one in there:
            by_event.setdefault(one.uid, []).append(one)
        found += [_outlay(name, told) for told in by_event.values() if len(told) > 1 and _stages(told, "create")]
    return found


def _outlay(name: str, told: Sequence[Shown]) -> Outlay:
    return Outlay(
        destination=name,
        title=told[0].title,
        announcement=sum(_stages(told, "create")),
        reminders=tuple(_stages(told, "remind")),
        if_changed=max(_stages(told, "announce-change", "cancel"), default=0),
        currency=_currency(told),
    )


def _stages(told: Sequence[Shown], *purposes: str) -> list[int]:
    return [_cost(one) for one in told if one.purpose in purposes]


def _by_destination(shown: Iterable[Shown]) -> dict[str, list[Shown]]:
    of: dict[str, list[Shown]] = {}
    for one in shown:
        if one.limits.prices is not None and one.renditions:
            of.setdefault(one.destination, []).append(one)
    return of


def _cost(one: Shown) -> int:
    return sum(cost_of(part, one.limits, one.purpose) for part in one.renditions)


def _currency(shown: Sequence[Shown]) -> str:
    return shown[0].limits.prices.currency if shown[0].limits.prices else ""
