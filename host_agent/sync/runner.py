"""Runs sessions on an open transport for the link supervisor: HELLO, then the engine, and after a BYE once more.

    runner = SyncRunner(store, keys, derive=..., listener=..., board_clock=...)
    supervisor = LinkSupervisor(port, partial(open_serial, port), runner.run_session, on_report=...)

`runner.client` is the open session, for requests of other parts (bind, settings); None without one.
"""

from collections.abc import Callable, Mapping

from host_agent.clock import Clock, RealClock
from host_agent.errors import SessionClosed
from host_agent.keys.keyfile import DeviceKey
from host_agent.link.supervisor import OpenReporter
from host_agent.link.transport import Transport
from host_agent.store.db import Store
from host_agent.store.rows import Derivation
from host_agent.sync.client import DeviceClient
from host_agent.sync.engine import HEARTBEAT_S, SyncEngine
from host_agent.sync.listener import SyncListener
from host_agent.sync.verify import Verifier

_AGAIN_PAUSE_S = 0.1
_SHORT_S = 2.0
_SHORT_MAX = 5  # after so many short sessions in a row the link counts as lost, with a back-off


class SyncRunner:
    """Syncs the enrolled wearable that answers on one port."""

    def __init__(
        self,
        store: Store,
        keys: Callable[[], Mapping[bytes, DeviceKey]],
        *,
        board_clock: Clock,
        derive: Derivation | None = None,
        listener: SyncListener | None = None,
        verifier: Verifier | None = None,
        link_clock: Clock | None = None,
        heartbeat_s: float = HEARTBEAT_S,
        only_device: bytes | None = None,
        on_text: Callable[[str], None] = lambda line: None,
    ) -> None:
        """`keys` is called at each session, so that an enrolment counts at once."""
        self._engine: SyncEngine | None = None
        self.link_counters: dict[str, int] = {}
        self._store = store
        self._keys = keys
        self._board = board_clock
        self._derive: Derivation = derive or Derivation()
        self._listener: SyncListener = listener or SyncListener()
        self._verifier = verifier or Verifier()
        self._link: Clock = link_clock or RealClock()
        self._heartbeat_s = heartbeat_s
        self._only_device = only_device
        self._on_text = on_text

    @property
    def engine(self) -> SyncEngine | None:
        """The engine in session; None without one, until it knows journal and status, and once its session is over."""
        engine = self._engine
        is_usable = engine is not None and engine.is_started and not engine.client.over.is_set()
        return engine if is_usable else None

    async def wait_engine(self, deadline_s: float = 5.0) -> SyncEngine | None:
        """The engine in session; waits for a new HELLO after a BYE. None at the deadline, in real seconds."""
        until_s = self._link.monotonic() + deadline_s
        while (engine := self.engine) is None and self._link.monotonic() < until_s:
            await self._link.sleep(_AGAIN_PAUSE_S / 2)
        return engine

    @property
    def client(self) -> DeviceClient | None:
        """The open session, for requests; None without one."""
        return self.engine.client if self.engine is not None else None

    async def run_session(self, transport: Transport, opened: OpenReporter) -> None:
        """Run until the link fails. After a BYE (a new journal, a restart) a new session begins on the same port."""
        short_sessions = 0
        while True:
            started_s = self._link.monotonic()
            client = DeviceClient(transport, self._candidates(), clock=self._link, on_text=self._on_text)
            try:
                peer = await client.open()
                self._engine = SyncEngine(
                    self._store,
                    client,
                    derive=self._derive,
                    listener=self._listener,
                    verifier=self._verifier,
                    board_clock=self._board,
                    link_clock=self._link,
                    heartbeat_s=self._heartbeat_s,
                )
                opened(peer.device_id)
                await self._engine.run()
            except SessionClosed:
                lasted_s = self._link.monotonic() - started_s
                short_sessions = 0 if lasted_s > _SHORT_S else short_sessions + 1
                if short_sessions >= _SHORT_MAX:
                    raise
                await self._link.sleep(_AGAIN_PAUSE_S)
            finally:
                self._add_counters(client)
                self._engine = None

    def _candidates(self) -> list[DeviceKey]:
        keys = self._keys()
        if self._only_device is not None:
            return [keys[self._only_device]] if self._only_device in keys else []
        return list(keys.values())

    def _add_counters(self, client: DeviceClient) -> None:
        engine = self._engine.counters if self._engine is not None else {}
        for counters in (client.counters(), engine):
            for name, value in counters.items():
                self.link_counters[name] = self.link_counters.get(name, 0) + value
