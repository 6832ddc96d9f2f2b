"""What a font file says of its letters: which there are, and how much nearer to each other certain pairs stand.

Pillow's own layout finds the letters but applies a sixty-fourth of their kerning, so that it is done here. Read: ``cmap`` format 4 and
``kern`` format 0, which are all that our fonts have. https://learn.microsoft.com/typography/opentype/spec/
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Typeface:
    """One of our fonts."""

    glyphs: Mapping[str, int]
    """Character → glyph."""
    kerning: Mapping[tuple[int, int], float]
    """Glyph and the next → how much is added between them, of the size."""

    def kern(self, one: str, other: str) -> float:
        """How much is added between two letters, of the size."""
        return self.kerning.get((self.glyphs.get(one, 0), self.glyphs.get(other, 0)), 0.0)


@cache
def typeface(path: Path) -> Typeface:
    """The font in ``path``, one of ours."""
    data = path.read_bytes()
    count = int.from_bytes(data[4:6], "big")
    tables = {data[at : at + 4]: struct.unpack_from(">I", data, at + 8)[0] for at in range(12, 12 + 16 * count, 16)}
    (units,) = struct.unpack_from(">H", data, tables[b"head"] + 18)
    pairs = _kern(data, tables[b"kern"])
    return Typeface(glyphs=dict(_cmap(data, tables[b"cmap"])), kerning={pair: value / units for pair, value in pairs})


def _cmap(data: bytes, start: int) -> Iterator[tuple[str, int]]:
    records = (struct.unpack_from(">HHI", data, start + 4 + 8 * n) for n in range(int.from_bytes(data[start + 2 : start + 4], "big")))
    at = next(start + offset for platform, encoding, offset in records if (platform, encoding) == (3, 1))
    count = int.from_bytes(data[at + 6 : at + 8], "big") // 2
    ends, starts, deltas, offsets = (
        struct.unpack_from(f">{count}H", data, at + 14 + 2 * count * column + (2 if column else 0)) for column in range(4)
    )
    first_offset = at + 16 + 6 * count
    for n in range(count):
        for code in range(starts[n], ends[n] + 1):
            glyph = code
            if offsets[n]:
                (glyph,) = struct.unpack_from(">H", data, first_offset + 2 * n + offsets[n] + 2 * (code - starts[n]))
            glyph = (glyph + deltas[n]) & 0xFFFF if glyph else 0
            if glyph and code < 0xFFFF:
                yield chr(code), glyph


def _kern(data: bytes, start: int) -> Iterator[tuple[tuple[int, int], int]]:
    (pairs,) = struct.unpack_from(">H", data, start + 10)
    for at in range(start + 18, start + 18 + 6 * pairs, 6):
        one, other, value = struct.unpack_from(">HHh", data, at)
        yield (one, other), value
