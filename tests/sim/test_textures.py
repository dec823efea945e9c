"""The pictures of the worlds are what the project draws, and signs can be read."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest

from loom.sim.lettering import GLYPHS, ink
from loom.sim.textures import SIGNS, draw_all, png, sign


def test_the_files_are_those_the_project_draws(sim_folder: Path, tmp_path: Path) -> None:
    drawn = draw_all(tmp_path)
    kept = sim_folder / 'textures'
    assert {file.name for file in drawn} == {file.name for file in kept.glob('*.png')}
    for file in drawn:
        assert file.read_bytes()[:24] == (kept / file.name).read_bytes()[:24], f'{file.name} has another size'


def test_a_png_has_its_size() -> None:
    data = png(np.zeros((3, 5, 3), np.uint8))
    assert data.startswith(b'\x89PNG') and struct.unpack('>II', data[16:24]) == (5, 3)


@pytest.mark.parametrize('letter', sorted(set(GLYPHS) - {' '}))
def test_every_letter_leaves_ink_and_paper(letter: str) -> None:
    covered = ink(letter, 60)
    assert 0.03 < covered.mean() < 0.5
    assert covered[0].max() == 0, 'the margin stays clean'


def test_letters_differ() -> None:
    pictures = {ink(letter, 40).tobytes() for letter in GLYPHS}
    assert len(pictures) == len(GLYPHS)


@pytest.mark.parametrize('text', SIGNS)
def test_a_longer_text_makes_a_wider_sign(text: str) -> None:
    assert sign(text).shape[1] > sign(text[:-1].strip()).shape[1]
