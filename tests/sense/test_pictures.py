"""Pictures from raw bytes and files."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loom.core.errors import EventError
from loom.sense.pictures import decode, depth_from, encode_jpeg, lens_for, picture_from, regions

RED = np.array([255, 0, 0], np.uint8)


def test_every_order_of_colours_becomes_rgb() -> None:
    for encoding, pixel in (('rgb8', [255, 0, 0]), ('bgr8', [0, 0, 255]), ('rgba8', [255, 0, 0, 9]),
                            ('bgra8', [0, 0, 255, 9])):
        data = bytes(pixel * 6)
        picture = picture_from(data, encoding, 2, 3, 3 * len(pixel), stamp_ns=7, frame='lens')
        assert picture.pixels.shape == (2, 3, 3) and (picture.pixels == RED).all() and picture.stamp_ns == 7
    assert (picture_from(bytes([9] * 6), 'mono8', 2, 3, 3).pixels == 9).all()


def test_padding_at_the_end_of_rows_is_left_out() -> None:
    row = bytes([255, 0, 0] * 3) + b'xx'
    assert (picture_from(row * 2, 'rgb8', 2, 3, 11).pixels == RED).all()


@given(st.binary(max_size=64), st.integers(-2, 5), st.integers(-2, 5), st.integers(-2, 20))
def test_what_does_not_fit_is_refused(data: bytes, height: int, width: int, step: int) -> None:
    try:
        assert picture_from(data, 'rgb8', height, width, step).pixels.shape == (height, width, 3)
    except EventError as error:
        assert 'must have step' in str(error)


def test_unknown_encodings_are_named() -> None:
    with pytest.raises(EventError, match="got 'yuv422'"):
        picture_from(b'', 'yuv422', 1, 1, 2)
    with pytest.raises(EventError, match="32FC1 or 16UC1, got 'rgb8'"):
        depth_from(b'', 'rgb8', 1, 1, 3)


def test_depth_is_in_metres() -> None:
    metres = np.array([[1.0, np.inf], [np.nan, 0.5]], np.float32)
    np.testing.assert_array_equal(depth_from(metres.tobytes(), '32FC1', 2, 2, 8), metres)
    millimetres = np.array([[1500, 0]], np.uint16)
    np.testing.assert_array_equal(depth_from(millimetres.tobytes(), '16UC1', 1, 2, 4), [[1.5, np.nan]])


def test_jpeg_there_and_back() -> None:
    pixels = np.full((32, 48, 3), (200, 30, 60), np.uint8)
    back = decode(encode_jpeg(pixels, 95))
    assert back.shape == pixels.shape and np.abs(back.astype(int) - pixels).max() < 12


@pytest.mark.parametrize('data', [b'', b'no picture', b'\xff\xd8\xff\xe0'])
def test_broken_files_are_refused(data: bytes) -> None:
    with pytest.raises(EventError, match='JPEG or PNG'):
        decode(data)


def test_patches_are_found_and_specks_are_not() -> None:
    mask = np.zeros((60, 80), np.bool_)
    mask[10:30, 10:40] = True
    mask[50:56, 60:66] = True
    mask[2, 70] = True
    large, small = regions(mask, 10)
    assert (large.left, large.top, large.width, large.height) == (10, 10, 30, 20)
    assert large.area == 600 and large.u == pytest.approx(24.5) and large.solidity > 0.9
    assert small.area < 40
    assert regions(mask, 10_000) == []


def test_a_lens_of_an_angle() -> None:
    lens = lens_for(320, 240, 2 * np.arctan(1.0))
    assert lens.fx == pytest.approx(160) and (lens.cx, lens.cy) == (160, 120)
