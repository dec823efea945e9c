"""Once: which requests were done already, so that one that comes again changes nothing."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping

from loom.memory.store import Store

# As many as a mailbox keeps: a server that starts anew gets all of those again.
MOST = 1000
# No other key begins with it, and it sorts before them.
MARK = '\x1f'


class Once:
    """The newest requests on one space and their results, written together with what they changed."""

    def __init__(self, store: Store, space: str) -> None:
        self._store, self._space = store, space
        self._done: OrderedDict[str, tuple[str, str]] = OrderedDict()
        self._number = 0
        for key in store.keys(space):
            if is_mark(key):
                _, number, result, request = key.split(MARK, 3)
                self._done[request] = key, result
                self._number = int(number, 16)

    def result(self, request: str) -> str | None:
        """What came of a request; None where it was not done, or too long ago."""
        return self._done[request][1] if request in self._done else None

    def put(self, records: Mapping[str, bytes | None], request: str, result: str = '') -> None:
        """Keeps the records of a request and that it was done; of one without an id (empty) only the records."""
        if not request:
            self._store.put(self._space, records)
            return
        mark = MARK.join(('', f'{self._number + 1:016x}', result, request))
        oldest = next(iter(self._done)) if len(self._done) >= MOST else None
        self._store.put(self._space, {**records, mark: b'', **({self._done[oldest][0]: None} if oldest else {})})
        self._number += 1
        self._done[request] = mark, result
        if oldest:
            del self._done[oldest]


def is_mark(key: str) -> bool:
    """Whether a key stands for a request that was done."""
    return key.startswith(MARK)
