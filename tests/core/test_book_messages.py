"""Credit and accounts are encoded as ROS reads them."""

from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip('loom_msgs')

from loom_msgs.msg import Accounts as RosAccounts
from loom_msgs.msg import Credit as RosCredit
from rclpy.serialization import deserialize_message, serialize_message

from loom.core.book_messages import (
    Credit,
    ReaderAccount,
    WriterAccount,
    decode_credit,
    decode_writers,
    encode_accounts,
    encode_credit,
)
from loom.core.errors import EventError

TOPICS = ['', '/a', '/ab', '/abc', '/abcd', '/ä', '/long/' + 'x' * 50]
BIG = (1 << 64) - 1


def fields(message: Any) -> dict[str, Any]:
    return {name: getattr(message, name) for name in message.get_fields_and_field_types()}


@pytest.mark.parametrize('topic', TOPICS)
def test_credit(topic: str) -> None:
    credit = Credit(topic, 5, BIG, 7, True)
    message = deserialize_message(encode_credit(credit), RosCredit)
    assert Credit(**fields(message)) == credit
    assert decode_credit(bytes(serialize_message(message))) == credit


@pytest.mark.parametrize('topic', TOPICS)
def test_accounts(topic: str) -> None:
    writers = [WriterAccount(topic, 'REALTIME', BIG, 3, 4, 5), WriterAccount('/other', 'STATE', 1, 0, 0, 0)]
    readers = [ReaderAccount(topic, 'BATCHED', 1, 2, 3, 4, (('lost', 5), ('expired', BIG)), 6, 0.5, 0.25),
               ReaderAccount('/o', 'STATE', 1, 2, 3, 4, (), 6, 0.5, 0.25)]
    message = deserialize_message(encode_accounts(1_500_000_000, 'me', writers, readers), RosAccounts)
    assert (message.stamp.sec, message.stamp.nanosec, message.node) == (1, 500_000_000, 'me')
    assert [WriterAccount(**fields(one)) for one in message.writers] == writers
    for one, told in zip(readers, message.readers, strict=True):
        known = fields(told)
        known['dropped'] = tuple(zip(known.pop('reasons'), known['dropped'], strict=True))
        assert ReaderAccount(**known) == one
    assert decode_writers(bytes(serialize_message(message))) == writers


def test_what_is_cut_or_no_text_is_refused() -> None:
    credit = encode_credit(Credit('/topic', 1))
    accounts = encode_accounts(0, 'me', [WriterAccount('/topic', 'STATE', 1, 2, 3, 4)], [])
    for length in range(len(credit) - 8):
        with pytest.raises(EventError):
            decode_credit(credit[:length])
    for length in range(len(accounts) - 4):
        with pytest.raises(EventError):
            decode_writers(accounts[:length])
    with pytest.raises(EventError, match='must be whole'):
        decode_credit(credit.replace(b'/topic', b'/top\xff\xff'))
