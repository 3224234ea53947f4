"""Each side moves exactly as its table says: every event in every state."""

import pytest
from crs_core.wire import frame, message, session, session_device, session_host
from crs_core.wire.session_device import HANDSHAKE, RENEWING
from crs_core.wire.session_host import HELLO_SENT, PROOF_SENT, HostSession

from tests.core.wire.pair import DEVICE_ID, KEY, Pair, numbers


def spoiled(line, to_device):
    payload = frame.Decoder(300).feed(line)[0][1]
    return frame.encode(payload[:-1] + bytes([payload[-1] ^ 1]), to_device)


class DeviceBench:
    """A device in a state, and what a host could send it there; in `idle` and `open` a proof of another handshake."""

    def __init__(self, state):
        pair = Pair()
        self.side = pair.device
        if state in (session.OPEN, RENEWING):
            pair.open()
        host = HostSession(KEY, numbers(9), DEVICE_ID)
        asked = self.side if state in (HANDSHAKE, RENEWING) else Pair().device
        self.proof = host.receive(asked.receive(host.start())[0].data)[0].data
        self.causes = {
            session.HELLO_ACCEPTED: lambda: self.side.receive(HostSession(KEY, numbers(10)).start()),
            session.PROOF_RIGHT: lambda: self.side.receive(self.proof),
            session.PROOF_WRONG: lambda: self.side.receive(spoiled(self.proof, True)),
            session.HANDSHAKE_DROPPED: lambda: self.side.drop_half_open(),
            session.ENDED: lambda: self.side.close(message.BYE_DONE),
        }


class HostBench:
    """A host in a state, and what a device could send it there; too early or too late, those of another handshake."""

    def __init__(self, state):
        other = Pair(seed=5).open()
        hello, proof = [payload for to_device, payload in other.seen if not to_device]
        self.hello, self.proof = frame.encode(hello, False), frame.encode(proof, False)
        pair = Pair()
        self.side = pair.host
        if state == session.OPEN:
            pair.open()
        if state in (HELLO_SENT, PROOF_SENT):
            self.hello = pair.device.receive(self.side.start())[0].data
        if state == PROOF_SENT:
            self.proof = pair.device.receive(self.side.receive(self.hello)[0].data)[0].data
        self.causes = {
            session.STARTED: lambda: self.side.start(),
            session.HELLO_ACCEPTED: lambda: self.side.receive(self.hello),
            session.PROOF_RIGHT: lambda: self.side.receive(self.proof),
            session.PROOF_WRONG: lambda: self.side.receive(spoiled(self.proof, False)),
            session.HANDSHAKE_DROPPED: lambda: self.side.drop_half_open(),
            session.ENDED: lambda: self.side.close(message.BYE_DONE),
        }


SIDES = ((DeviceBench, session_device), (HostBench, session_host))


@pytest.mark.parametrize(
    "make,table,state",
    [(make, module.TRANSITIONS, state) for make, module in SIDES for state in module.TRANSITIONS],
)
def test_every_event_leads_where_the_table_says_and_nowhere_else(make, table, state):
    causes = make(state).causes
    for event in causes:
        bench = make(state)
        assert bench.side._state == state
        bench.causes[event]()
        assert bench.side._state == table[state].get(event, state), event
        is_open = session.ENDED in table[bench.side._state]
        assert (bench.side._sealer is not None) == is_open == (bench.side.state == "open"), event
        assert (bench.side._half is not None) == bench.side.half_open, event
    assert set(table[state]) <= set(causes)


@pytest.mark.parametrize("make,module", SIDES)
def test_a_lost_link_leads_to_idle_from_everywhere(make, module):
    for state in module.TRANSITIONS:
        bench = make(state)
        bench.side.link_lost()
        assert bench.side._state == session.IDLE, state
