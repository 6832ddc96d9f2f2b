"""Which channel, and how its videos are marked."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from syndicator.contract import Secret
from syndicator.errors import words


@dataclass(frozen=True, kw_only=True)
class YoutubeOptions:
    """Which channel, and how its videos are marked."""

    client_id: str
    """The OAuth client's id, ``….apps.googleusercontent.com``."""
    client_secret: Secret
    """The OAuth client's secret."""
    refresh_token: Secret
    """What the channel's owner accepted, once."""
    privacy: Literal["public", "unlisted", "private"] = "public"
    """Who may see the videos."""
    made_for_kids: bool = False
    """Whether the channel's videos are made for children: a declaration that YouTube demands by law."""
    category: str = "29"
    """YouTube's category: 29 is "Nonprofits & Activism", 22 "People & Blogs", 27 "Education"."""
    license: Literal["youtube", "creativeCommon"] = "youtube"
    """Under which terms: YouTube's own, or Creative Commons (CC BY), which only the author may choose."""
    notify_subscribers: bool = True
    """Whether the channel's subscribers are told of each video."""
    api: str = "https://www.googleapis.com"
    """Where the API is; only tests put something else."""
    oauth: str = "https://oauth2.googleapis.com"
    """Where access is renewed; only tests put something else."""

    def __post_init__(self) -> None:
        if not re.fullmatch(r"\d{1,3}", self.category):
            raise ValueError(
                words(fr="category est un numéro, entre guillemets, comme « 29 ».", en="category is a number, in quotes, like “29”.")
            )
        if not self.client_id.strip():
            raise ValueError(words(fr="client_id est vide.", en="client_id is empty."))
