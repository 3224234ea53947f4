"""Each side moves exactly as its table says: every event in every state."""

import pytest
from crs_core.errors import LocalError
from crs_core.wire import frame, message, session, session_device, session_host
from crs_core.wire.session_device import HANDSHAKE, RENEWING
from crs_core.wire.session_host import HELLO_SENT, PROOF_SENT, HostSession

from tests.core.wire.pair import DEVICE_ID, KEY, Pair, numbers, payload_of


def spoiled(line, to_device):
    payload = payload_of(line)
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


FRAMES = (session.HELLO_ACCEPTED, session.PROOF_RIGHT, session.PROOF_WRONG)


@pytest.mark.parametrize("make,module", SIDES)
def test_every_event_leads_where_the_table_says_and_a_frame_out_of_place_is_counted(make, module):
    table = module.TRANSITIONS
    for state in table:
        assert set(table[state]) <= set(make(state).causes)
        for event in make(state).causes:
            bench = make(state)
            side, place = bench.side, (state, event)
            assert side._state == state
            happened = bench.causes[event]()
            assert side._state == table[state].get(event, state), place
            if event in FRAMES and event not in table[state]:
                assert happened == [] and side.counters()["unexpected"] == 1, place
            is_open = session.ENDED in table[side._state]
            assert (side._sealer is not None) == is_open == side.is_open == (side.state == "open"), place
            assert (side._half is not None) == side.half_open, place
            if not is_open:
                assert side.close(message.BYE_DONE) == [], place
                with pytest.raises(LocalError, match="no session"):
                    side.seal(message.Ping(1))


@pytest.mark.parametrize("make,module", SIDES)
def test_a_lost_link_leads_to_idle_from_everywhere_and_ends_what_was_open(make, module):
    for state, steps in module.TRANSITIONS.items():
        bench = make(state)
        ended = [session.Closed(session.CLOSED_LINK_LOST)] if session.ENDED in steps else []
        assert bench.side.link_lost() == ended, state
        assert bench.side._state == session.IDLE and bench.side.key is None and bench.side.peer is None, state
        assert bench.causes[session.PROOF_RIGHT]() == [] and bench.side.state == "idle", state
