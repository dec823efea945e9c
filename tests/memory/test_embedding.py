"""Embedding: what means the same lies close; a network that is not the one of the manifest is refused."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from loom.core.clock import ManualClock
from loom.core.errors import ConfigError
from loom.memory.embedding import DIMENSIONS, NETWORK, TOKENIZER, Embedder
from loom.memory.memory import Memory
from loom.memory.sqlite_store import SqliteStore

MODELS = Path(__file__).resolve().parents[2] / 'models'


@pytest.fixture(scope='module')
def embedder() -> Embedder:
    pytest.importorskip('tokenizers')
    return Embedder(MODELS)


def test_meaning_is_nearness(embedder: Embedder) -> None:
    pairs = [('somebody stands in the hallway', 'a person is in the corridor', 'the battery is low'),
             ('please recharge soon', 'the battery is nearly empty', 'a red ball lies on the floor'),
             ('the mug is on the table', 'a cup stands on the desk', 'the door of the garage is open')]
    for sought, near, far in pairs:
        a, b, c = embedder.embed_many([sought, near, far])
        assert a @ b > a @ c + 0.15, (sought, a @ b, a @ c)


def test_every_text_has_a_vector_of_length_one(embedder: Embedder) -> None:
    for text in ('', 'x', 'ÄÖ 日本語 🤖', 'word ' * 1000, '\x00\n'):
        vector = embedder.embed(text)
        assert vector.shape == (DIMENSIONS,) and np.linalg.norm(vector) == pytest.approx(1.0, abs=1e-4)
    assert embedder.embed_many([]).shape == (0, DIMENSIONS)


def test_it_is_the_network_that_the_rounding_was_checked_for(embedder: Embedder) -> None:
    # Cosines of the network before its weights were rounded to 8 bits.
    a, b, c = embedder.embed_many(['a red ball near the kitchen', 'the crimson sphere lies beside the stove',
                                   'battery is low'])
    assert (a @ b, a @ c, b @ c) == pytest.approx((0.42, 0.10, 0.07), abs=0.04)


def test_a_changed_or_missing_network_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match='must be there and in the manifest'):
        Embedder(tmp_path).embed('x')
    for name in ('manifest.json', NETWORK, TOKENIZER):
        shutil.copy(MODELS / name, tmp_path / name)
    (tmp_path / TOKENIZER).write_text('{}')
    with pytest.raises(ConfigError, match='must have the sha256'):
        Embedder(tmp_path).embed('x')


def test_notes_are_found_by_what_they_mean(embedder: Embedder) -> None:
    memory = Memory(SqliteStore(), ManualClock(), embedder=embedder)
    assert memory.vectors.ready.wait(10.0)
    for text, place in (('the coffee machine leaks water', 'kitchen'), ('Ann likes her tea without sugar', 'office'),
                        ('the charger hums at night', 'hallway')):
        memory.note(text, {'place': place})
    assert memory.search('what does Ann drink?', 1)[0].text.startswith('Ann')
    assert memory.search('which appliance is broken?', 1, {'place': 'kitchen'})[0].text.startswith('the coffee')
    memory.save()
    memory.close()
