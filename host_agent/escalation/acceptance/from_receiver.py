"""What people send back over a receiver accepts the alarm, and everyone is told."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from host_agent.clock import Clock
from host_agent.escalation.acceptance.replies import REPLY_REFUSED, accept_by_token
from host_agent.forward.delivery import OnReply, Reply, ReplyAnswer
from host_agent.store.acceptances import Acceptance
from host_agent.store.counters import count
from host_agent.store.db import Store, Tx

NOT_UNDERSTOOD = "not_understood"


def taker(
    store: Store,
    clock: Clock,
    tell: Callable[[Tx, Acceptance], None],
    wake: Callable[[], None],
    people: Mapping[str, str] = MappingProxyType({}),
) -> OnReply:
    """Accepts by each reply and calls `tell` in the same transaction; `wake` sends it to the wearable afterwards.

    `people`: receiver → the person whom it reaches, for a reply without a name.
    """

    async def take(reply: Reply | None) -> ReplyAnswer:
        def keep(tx: Tx) -> ReplyAnswer:
            if reply is None:
                count(tx, None, REPLY_REFUSED + NOT_UNDERSTOOD)
                return ReplyAnswer(False, "")
            taken = accept_by_token(
                tx, reply.token, reply.by, reply.how, clock.utc_ms(), event_key=reply.event_key, people=people
            )
            if taken.made is not None:
                tell(tx, taken.made)
            return ReplyAnswer(taken.made is not None, taken.text, taken.why)

        answer = await store.write(keep)
        if answer.accepted:
            wake()
        return answer

    return take
