"""The pictures on floors and signs of the worlds: `python -m loom.sim.textures sim/textures` draws them anew."""

from __future__ import annotations

import struct
import sys
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt

from loom.sim.lettering import ink

Picture = npt.NDArray[np.uint8]
SIGNS = ('KITCHEN', 'BEDROOM', 'LIVING ROOM', 'DOCK', 'AISLE A', 'AISLE B')
INK = np.array([24, 32, 48], np.float32)
PAPER = np.array([250, 248, 240], np.float32)


def png(picture: Picture) -> bytes:
    """The picture (H, W, 3) as a PNG file."""
    height, width, _ = picture.shape
    rows = b''.join(b'\0' + row.tobytes() for row in picture)

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack('>I', len(data)) + kind + data + struct.pack('>I', zlib.crc32(kind + data))

    header = struct.pack('>IIBBBBB', width, height, 8, 2, 0, 0, 0)
    return (b'\x89PNG\r\n\x1a\n' + chunk(b'IHDR', header) + chunk(b'IDAT', zlib.compress(rows, 9))
            + chunk(b'IEND', b''))


def planks(size: int = 512, across: int = 16, seed: int = 1) -> Picture:
    """Wooden floorboards along x, each of its own tone."""
    rng = np.random.default_rng(seed)
    picture = np.zeros((size, size, 3), np.uint8)
    height, tone = size // across, np.array([176, 148, 118], np.float32)
    for i in range(across):
        ends = sorted(int(e) for e in rng.integers(40, size, 2))
        for left, right in zip([0, *ends], [*ends, size]):
            board = picture[i * height:(i + 1) * height, left:right]
            board[:] = tone * rng.uniform(0.9, 1.06)
            board[:1] = board[:, :1] = tone * 0.72
    return picture


def tiles(size: int = 512, across: int = 10, light: int = 222, dark: int = 205, joint: int = 168) -> Picture:
    """Square tiles in two tones with joints between."""
    step = size / across
    line = (np.arange(size) % step) < 2
    cell = (np.arange(size) // step).astype(int)
    tone = np.where((cell[:, None] + cell[None, :]) % 2, light, dark)
    grey = np.where(line[:, None] | line[None, :], joint, tone)
    return np.stack([grey, grey, grey * 0.97], axis=-1).astype(np.uint8)


def carpet(size: int = 256, seed: int = 2) -> Picture:
    """A soft grey-blue pile with a fine mottle."""
    mottle = np.random.default_rng(seed).integers(-2, 3, (size // 4, size // 4, 1)).repeat(4, 0).repeat(4, 1) * 3
    return (np.array([158, 162, 172]) + mottle).astype(np.uint8)


def concrete(size: int = 256, seed: int = 3) -> Picture:
    """Poured floor with joints at its edges."""
    mottle = np.random.default_rng(seed).integers(-2, 3, (size // 8, size // 8, 1)).repeat(8, 0).repeat(8, 1) * 2
    picture = (np.array([172, 172, 168]) + mottle).astype(np.uint8)
    picture[:1] = picture[:, :1] = 150
    return picture


def rug(size: int = 256) -> Picture:
    """A bordered rug."""
    edge = np.minimum(np.arange(size), np.arange(size)[::-1])
    ring = np.minimum(edge[:, None], edge[None, :])
    tone = np.array([[112, 104, 100], [196, 186, 172], [140, 128, 120], [206, 198, 184]], np.uint8)
    return tone[np.digitize(ring, [8, 20, 26])]


def sign(text: str, height: int = 160) -> Picture:
    """Dark capital letters on a light board with a frame."""
    covered = ink(text, height)[..., None]
    picture = PAPER * (1 - covered) + INK * covered
    edge = max(2, height // 40)
    picture[:edge] = picture[-edge:] = picture[:, :edge] = picture[:, -edge:] = INK
    return picture.astype(np.uint8)


SURFACES: dict[str, Callable[[], Picture]] = {
    'wood': planks, 'tiles': tiles, 'carpet': carpet, 'concrete': concrete, 'rug': rug,
}


def draw_all(folder: Path) -> list[Path]:
    """Writes every texture into the folder and gives the files."""
    pictures = {name: draw() for name, draw in SURFACES.items()}
    pictures.update({'sign_' + text.lower().replace(' ', '_'): sign(text) for text in SIGNS})
    files = []
    for name, picture in sorted(pictures.items()):
        files.append(folder / f'{name}.png')
        files[-1].write_bytes(png(picture))
    return files


if __name__ == '__main__':
    draw_all(Path(sys.argv[1]))
