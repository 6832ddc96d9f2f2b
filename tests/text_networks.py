"""What the networks take, as data for the tests of text shaping (destinations' reference table; connectors have the real ones)."""

from __future__ import annotations

from syndicator.contract import Limits, MediaLimits

X = Limits(text_max=280, text_unit="weighted", url_length=23, media=MediaLimits(images_max=4, videos_max=1, alt_max=1000))
BLUESKY = Limits(
    text_max=300,
    text_unit="graphemes",
    bytes_max=3000,
    threads=True,
    spans=True,
    card=True,
    sensitive_media=True,
    media=MediaLimits(images_max=4, videos_max=1, alt_max=2000),
)
MASTODON = Limits(
    text_max=500,
    url_length=23,
    content_warning=True,
    threads=True,
    media=MediaLimits(images_max=4, videos_max=1, alt_max=1500),
)
FACEBOOK = Limits(text_max=63_206, media=MediaLimits(images_max=10, videos_max=1))
INSTAGRAM = Limits(text_max=2200, hashtags_max=30, media=MediaLimits(images_max=10, mixed=True, alt_max=1000, image_required=True))
THREADS = Limits(
    text_max=500,
    text_unit="threads",
    hashtags_max=1,
    threads=True,
    media=MediaLimits(images_max=20, videos_max=20, mixed=True, alt_max=1000),
)
LINKEDIN = Limits(
    text_max=3000,
    markup="little",
    markup_counts=True,
    card=True,
    media=MediaLimits(images_max=20, videos_max=1, alt_max=4086),
)
TELEGRAM = Limits(
    text_max=4096,
    text_unit="utf16",
    caption_max=1024,
    sensitive_media=True,
    threads=True,
    spans=True,
    media=MediaLimits(images_max=10, videos_max=10, mixed=True, alt_max=0),
)
TELEGRAM_HTML = Limits(text_max=4096, text_unit="utf16", markup="html", spans=True, media=MediaLimits(images_max=10, alt_max=0))
DISCORD = Limits(
    text_max=2000,
    text_unit="utf16",
    markup="markdown",
    markup_counts=True,
    spans=True,
    media=MediaLimits(images_max=10, videos_max=10, mixed=True, alt_max=1024),
)
DISCOURSE = Limits(text_max=32_000, title_max=255, link_apart=True, markup="markdown", media=MediaLimits(images_max=10))

NETWORKS = {
    "x": X,
    "bluesky": BLUESKY,
    "mastodon": MASTODON,
    "facebook": FACEBOOK,
    "instagram": INSTAGRAM,
    "threads": THREADS,
    "linkedin": LINKEDIN,
    "telegram": TELEGRAM,
    "telegram-html": TELEGRAM_HTML,
    "discord": DISCORD,
    "discourse": DISCOURSE,
    "plain": Limits(),
    "bytes": Limits(text_max=200, text_unit="bytes"),
}
