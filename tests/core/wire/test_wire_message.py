"""What the encoder refuses: a value that does not fit is the caller's error, on both runtimes, never cut silently."""

import pytest
from crs_core.errors import LocalError, RemoteError
from crs_core.wire import hello, message


@pytest.mark.parametrize(
    "bad",
    [
        message.ReadFrom(-1, 1, 1),
        message.ReadFrom(1 << 32, 1, 1),
        message.ReadFrom(1, 65536, 1),
        message.Time(1 << 64, 0),
        message.Live(1 << 48, None, None, None, None, 0, 0, None, None, []),
        message.Live(0, 65535, None, None, None, 0, 0, None, None, []),
        message.Live(0, -2, None, None, None, 0, 0, None, None, []),
        message.Live(0, None, None, None, None, 0, 0, 255, None, []),
        message.Alarm(1, 1, [(256, 1)]),
        message.Alarm(1, 1, [(1, 1)] * 256),
        message.Bind(1, b"short", 0, 1, b""),
        message.AlarmAccept(1, 1, "é" * 17),
        message.KeysIs([message.KeyInfo(1, 1, "x" * 256)]),
        message.StatusIs(0, 0, 0, 0, 0, 0, 0, 0, bytes(8), [(1, 1 << 32)]),
        (1, 2, 3),
    ],
)
def test_encoder_refuses(bad):
    with pytest.raises(LocalError):
        message.encode(bad)


def test_type_numbers_are_what_result_names():
    assert message.type_of(message.Bind(1, bytes(8), 0, 1, b"")) == 0x15
    assert message.type_of(message.Unknown(0x77, b"")) == 0x77


def test_hello_refuses_wrong_sizes():
    good = hello.Hello(1, 1, 0, 111, 1, bytes(8), bytes(8), 5, bytes(16))
    assert hello.decode_hello(hello.encode_hello(good)) == good
    for field, value in (("device_id", b""), ("journal_id", bytes(9)), ("nonce", bytes(15))):
        with pytest.raises(LocalError):
            hello.encode_hello(good._replace(**{field: value}))
    for bad in (b"", bytes(48), hello.encode_hello(good)[:-1], hello.encode_hello(good) + b"\x00"):
        with pytest.raises(RemoteError):
            hello.decode_hello(bad)
    with pytest.raises(RemoteError, match="role 3"):
        hello.decode_hello(hello.encode_hello(good._replace(role=3)))


@pytest.mark.parametrize(
    ("low", "high", "common"),
    [(1, 1, 1), (0, 1, 1), (1, 9, 1), (2, 9, 0), (0, 0, 0), (255, 255, 0), (3, 2, 0), (2, 1, 0), (255, 0, 0)],
)
def test_common_version(low, high, common):
    assert hello.common_version(low, high) == common
