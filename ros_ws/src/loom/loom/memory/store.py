"""Store: what a backend of the memory must be able to do; everything above it is the same for all of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Protocol

NEWER, DAMAGED, IN_USE, UNWRITABLE, UNKNOWN, MALFORMED, BUSY = 401, 402, 403, 404, 405, 406, 407


class Store(Protocol):
    """Records of bytes by key, in named spaces; usable from any thread.

    What `put` returned from survives the death of this process. StateError 404 says why nothing was kept.
    `notice` is what the user should know of this store, like a damage that was healed; empty: all is well.
    """

    notice: str

    def put(self, space: str, records: Mapping[str, bytes | None]) -> None:
        """Keeps all the records or none, in place of those with the same key; None forgets what is there."""
        ...

    def get(self, space: str, keys: Iterable[str]) -> dict[str, bytes]:
        """The records that are there, by key."""
        ...

    def keys(self, space: str) -> list[str]:
        """Every key of a space, sorted."""
        ...

    def scan(self, space: str) -> Iterator[tuple[str, bytes]]:
        """Every record of a space, sorted by key; each is as it was at some time since the scan began."""
        ...

    def snapshot(self) -> None:
        """Makes a copy to fall back to, where this store keeps its own files and something changed."""
        ...

    def close(self) -> None:
        """Ends it."""
        ...
