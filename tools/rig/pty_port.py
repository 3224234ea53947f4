"""A pseudo-terminal whose device end a FakeDevice serves and whose host end is a real serial port for the agent."""

import asyncio
import os
import tty


def _finish(ready: asyncio.Future) -> None:
    if not ready.done():
        ready.set_result(None)


class PtyPort:
    """`path` is what the agent opens; `device_read` and `device_write` are the wearable's end."""

    def __init__(self) -> None:
        self.master, self._slave = os.openpty()
        tty.setraw(self.master)
        tty.setraw(self._slave)
        os.set_blocking(self.master, False)
        self.path = os.ttyname(self._slave)

    async def device_read(self) -> bytes:
        """The next bytes of the host."""
        loop = asyncio.get_running_loop()
        while True:
            try:
                return os.read(self.master, 4096)
            except BlockingIOError:
                ready = loop.create_future()
                loop.add_reader(self.master, _finish, ready)
                try:
                    await ready
                finally:
                    loop.remove_reader(self.master)

    async def device_write(self, data: bytes) -> None:
        """Put bytes on the line; a host that does not read loses them after a while, as on a chip."""
        for _ in range(200):
            if not data:
                return
            try:
                data = data[os.write(self.master, data) :]
            except BlockingIOError:
                await asyncio.sleep(0.01)

    def close(self) -> None:
        """Close both ends: the other side sees the cable pulled out."""
        os.close(self.master)
        os.close(self._slave)
