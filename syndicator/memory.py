"""What glibc's allocator is told of this process: it lives for months, has idle threads, and now and then holds a large picture.

Left alone, glibc gives every thread a heap of its own, and after the first large block that is freed it keeps blocks of up to 32 MB
for later: a daemon that had made ten posters smaller stayed at 229 MiB; told this, it went back to 63. (Pictures have a process of their
own since; what else is large, such as a page of a listing, still comes and goes.)
"""

from __future__ import annotations

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD, M_ARENA_MAX = -1, -3, -8
"""Numbers of glibc's malloc.h (mallopt(3))."""
SETTINGS = ((M_ARENA_MAX, 1), (M_MMAP_THRESHOLD, 256 * 1024), (M_TRIM_THRESHOLD, 128 * 1024))


def settle() -> bool:
    """One heap for all threads, and what is large or left over goes back to the system; False where the C library is another."""
    try:
        import ctypes

        mallopt = ctypes.CDLL(None).mallopt
    except (ImportError, OSError, AttributeError):  # no ctypes; a static program; musl or macOS
        return False
    return all(mallopt(parameter, value) == 1 for parameter, value in SETTINGS)


def give_back(*, settled: bool = False) -> bool:
    """What is needed no more goes back to the system; False where the C library is another.

    ``settled``: what is there now is there for good, as after a start; later collections, which stop everything, need not look at it again.
    """
    import gc

    gc.collect()
    if settled:
        gc.freeze()
    return trim()


def trim() -> bool:
    """What has been freed already goes back to the system, at little cost; False where the C library is another."""
    try:
        import ctypes

        malloc_trim = ctypes.CDLL(None).malloc_trim
    except (ImportError, OSError, AttributeError):
        return False
    return bool(malloc_trim(0) in (0, 1))
