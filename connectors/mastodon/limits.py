"""What Mastodon and its likes take, as data: Mastodon's own defaults, corrected by what a server says of itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from syndicator.contract import Limits, MediaLimits

KEY_WINDOW_S = 3600
"""https://docs.joinmastodon.org/methods/statuses/#form-data: Idempotency-Key is kept for an hour."""

MASTODON_FAMILY = frozenset({"mastodon", "glitchsoc", "hometown", "ecko", "fedibird"})
"""Software made from Mastodon's code: keeps keys, counts as Mastodon does, takes several pictures or one video."""

VIDEO_MAX_BYTES = 40_000_000
"""Mastodon itself takes 99 MiB; ours travel through memory."""

LIMITS = Limits(
    text_max=500,
    # app/validators/status_length_validator.rb counts grapheme clusters, and 23 for any URL.
    text_unit="graphemes",
    url_length=23,
    content_warning=True,
    sensitive_media=True,
    threads=True,
    media=MediaLimits(
        images_max=4,
        videos_max=1,
        image_max_bytes=16 * 1024**2,
        image_max_pixels=33_177_600,
        video_max_bytes=VIDEO_MAX_BYTES,
        alt_max=1500,
    ),
    key_window_s=KEY_WINDOW_S,
)


def limits_of(instance: Mapping[str, Any], software: str) -> Limits:
    """The limits of a server by ``/api/v2/instance`` (or v1) and the name of its software."""
    configuration = _table(instance.get("configuration"))
    statuses, media = _table(configuration.get("statuses")), _table(configuration.get("media_attachments"))
    family = software in MASTODON_FAMILY
    attachments = _number(statuses.get("max_media_attachments")) or 4
    return replace(
        LIMITS,
        text_max=_number(statuses.get("max_characters")) or _number(instance.get("max_toot_chars")) or LIMITS.text_max,
        # Others count code points, and URLs as long as they are.
        text_unit="graphemes" if family else "characters",
        url_length=(_number(statuses.get("characters_reserved_per_url")) or LIMITS.url_length) if family else None,
        media=replace(
            LIMITS.media,
            images_max=attachments,
            videos_max=1 if family else attachments,
            mixed=not family,
            image_types=_known(media, LIMITS.media.image_types),
            video_types=_known(media, LIMITS.media.video_types),
            image_max_bytes=_number(media.get("image_size_limit")) or LIMITS.media.image_max_bytes,
            image_max_pixels=_number(media.get("image_matrix_limit")) or LIMITS.media.image_max_pixels,
            video_max_bytes=min(_number(media.get("video_size_limit")) or VIDEO_MAX_BYTES, VIDEO_MAX_BYTES),
            alt_max=_number(media.get("description_limit")) or LIMITS.media.alt_max,
            image_required=software == "pixelfed",
        ),
        key_window_s=KEY_WINDOW_S if family else 0,
    )


def _known(media: Mapping[str, Any], types: tuple[str, ...]) -> tuple[str, ...]:
    offered = media.get("supported_mime_types")
    return tuple(name for name in types if name in offered) if isinstance(offered, list) else types


def _table(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _number(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else None
