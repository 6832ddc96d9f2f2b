"""What a post on X holds, and what it costs."""

from __future__ import annotations

from syndicator.contract import Limits, MediaLimits, Prices

TEXT_MAX = 280
IMAGE_MAX_BYTES = 5_000_000
GIF_MAX_BYTES = 15_000_000
GIF_MAX_PIXELS = 1280 * 1080
STILLS = ("image/jpeg", "image/png", "image/webp")

# https://docs.x.com/x-api/getting-started/pricing, as of 2026-08-28: Content: Create 0.015; Content: Create (with URL) 0.200;
# Media Metadata 0.005; Interaction: Delete 0.010 (the dearer of the two lines that may be meant).
PRICES = Prices(currency="USD", create=15, create_with_link=200, description=5, delete=10)

LIMITS = Limits(
    text_max=TEXT_MAX,
    text_unit="weighted",
    url_length=23,
    sensitive_media=True,
    # https://docs.x.com/x-api/media/quickstart/best-practices
    media=MediaLimits(
        images_max=4,
        videos_max=1,
        image_types=(*STILLS, "image/gif"),
        image_max_bytes=IMAGE_MAX_BYTES,
        # H.264 and AAC: what WebM holds is not on X's list.
        video_types=("video/mp4", "video/quicktime"),
        video_max_bytes=512_000_000,
        video_max_s=140,
        alt_max=1000,
    ),
    prices=PRICES,
)
