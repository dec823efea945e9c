"""Text as vectors by a small local network, so that what means the same lies close (the door of tokenizers)."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

import loom
from loom.core.errors import ConfigError
from loom.core.onnx_session import OnnxSession

if TYPE_CHECKING:
    from tokenizers import Tokenizer

Vector = NDArray[np.float32]
NETWORK, TOKENIZER = 'sentence_encoder.onnx', 'sentence_encoder_tokenizer.json'
DIMENSIONS = 384
MAX_WORDS = 256
CACHED = 1024


class Embedder:
    """Sentences to vectors of length 1; the network is loaded, and its sha256 checked, with the first sentence."""

    def __init__(self, folder: Path | None = None) -> None:
        # Beside the package in a checkout; installed it is in share/loom/models.
        self._folder = folder or Path(str(loom.__file__)).resolve().parents[1] / 'models'
        self._loaded: tuple[OnnxSession, Tokenizer] | None = None
        self._mutex = threading.Lock()
        self.embed = lru_cache(CACHED)(self._embed)

    def embed_many(self, texts: Sequence[str]) -> Vector:
        """The vectors of several sentences, (n, 384)."""
        return np.stack([self.embed(text) for text in texts]) if texts else np.zeros((0, DIMENSIONS), np.float32)

    def _embed(self, text: str) -> Vector:
        """The vector of a sentence, (384,), of its first 256 words; ConfigError where the network is missing."""
        with self._mutex:
            session, tokenizer = self._loaded = self._loaded or self._load()
            words = np.array([tokenizer.encode(text).ids], np.int64)
            vector: Vector = session.run({'ids': words, 'mask': np.ones_like(words)})[0][0].astype(np.float32)
        vector.flags.writeable = False
        return vector

    def _load(self) -> tuple[OnnxSession, Tokenizer]:
        try:
            from tokenizers import Tokenizer
        except ImportError:
            raise ConfigError('text in memory needs the package tokenizers; type: pip install tokenizers') from None
        network, tokenizer_file = (verified(self._folder, name) for name in (NETWORK, TOKENIZER))
        tokenizer = Tokenizer.from_file(str(tokenizer_file))
        tokenizer.no_padding()
        tokenizer.enable_truncation(MAX_WORDS)
        return OnnxSession(network), tokenizer


def verified(folder: Path, name: str) -> Path:
    """A file that the manifest of its folder lists with this content; ConfigError for any other."""
    path = folder / name
    try:
        wanted = json.loads((folder / 'manifest.json').read_text())[name]['sha256']
        got = hashlib.sha256(path.read_bytes()).hexdigest()
    except (OSError, ValueError, KeyError) as error:
        raise ConfigError(f'{path} must be there and in the manifest: {error!r}; type: make models') from None
    if got != wanted:
        raise ConfigError(f'{path} must have the sha256 {wanted}, got {got}; type: make models')
    return path
