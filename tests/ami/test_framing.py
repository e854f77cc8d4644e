"""The stream is cut at blank lines, in linear time, within bounds."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.ami.framing import MAX_HEADERS, MAX_MESSAGE_BYTES, Framer, ProtocolError


def cut(data: bytes, size: int) -> list[bytes]:
    framer = Framer()
    return [message for at in range(0, len(data), size) for message in framer.feed(data[at : at + size])]


@given(st.lists(st.sampled_from([b"\r", b"\n", b"\r\n", b"\r\n\r\n", b"a", b"Event: X"])), st.integers(1, 7))
def test_the_same_messages_come_out_whatever_the_chunks(parts: list[bytes], size: int) -> None:
    data = b"".join(parts)
    assert cut(data, size) == cut(data, max(1, len(data)))


def test_a_bare_line_feed_ends_no_line() -> None:
    assert Framer().feed(b"Event: X\nName: a\n\nEvent: Hangup\r\n\r\n") == [b"Event: X\nName: a\n\nEvent: Hangup"]


def test_an_unterminated_megabyte_is_refused() -> None:
    framer = Framer()
    framer.feed(b"x" * MAX_MESSAGE_BYTES)
    with pytest.raises(ProtocolError):
        framer.feed(b"x")


def test_a_message_over_a_megabyte_is_refused_though_it_ends() -> None:
    with pytest.raises(ProtocolError):
        Framer().feed(b"x" * (MAX_MESSAGE_BYTES + 1) + b"\r\n\r\n")


def test_ten_thousand_headers_pass_and_one_more_does_not() -> None:
    assert Framer().feed(b"\r\n".join([b"a:"] * MAX_HEADERS) + b"\r\n\r\n")
    with pytest.raises(ProtocolError):
        Framer().feed(b"\r\n".join([b"a:"] * (MAX_HEADERS + 1)) + b"\r\n\r\n")


class CountingTail(bytearray):
    """Counts the bytes that are read out of it."""

    read = 0

    def __getitem__(self, key):  # type: ignore[no-untyped-def]
        found = super().__getitem__(key)
        CountingTail.read += len(found) if isinstance(found, bytearray) else 1
        return found

    def __bytes__(self) -> bytes:
        CountingTail.read += len(self)
        return bytes(memoryview(self))


def test_a_large_message_in_small_pieces_is_read_once() -> None:
    framer = Framer()
    framer._tail = CountingTail()
    CountingTail.read = 0
    data = b"Event: VarSet\r\nValue: " + b"x" * 1_000_000 + b"\r\n\r\n"
    pieces = [data[at : at + 100] for at in range(0, len(data), 100)]
    assert [message for piece in pieces for message in framer.feed(piece)] == [data[:-4]]
    assert CountingTail.read < 1.1 * len(data)
