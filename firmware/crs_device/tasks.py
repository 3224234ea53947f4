"""The endless tasks of the application. Each is restarted alone when it fails; the watchdog is fed only while both
sampling and stepping go on.
"""

import asyncio
import gc
import sys

from crs_core.journal import record_layout, record_writer
from crs_core.compat import const
from crs_core.codes import FAULT_EXCEPTION, SUBSYSTEM_APP
from crs_device import health as counts
from crs_device.alarm.button import SHORT, Button
from crs_device.heap import unload_modules

_SAMPLE_EVERY_MS = const(360)  # nine samples a burst; the FIFO holds 1280
_OUTPUT_EVERY_MS = const(25)
_OUTPUT_FAST_MS = const(5)  # for a board whose time is sped up: there a press is shorter, too
_LINK_EVERY_MS = const(4)
_SLOW_EVERY_MS = const(10_000)
_STATE_EVERY_MS = const(3_600_000)
_FEED_EVERY_MS = const(1000)
_STALLED_MS = const(3000)  # without progress of sampling or stepping the watchdog is no longer fed
_HEALTHY_MS = const(60_000)
_RESTART_MS = const(250)
_RETRY_JOURNAL_MS = const(60_000)
_WDT_MS = const(8000)


async def run_all(app) -> None:  # type: ignore[no-untyped-def]
    """Run every task; never returns."""
    for task in (_sample, _step, _outputs, _link, _slow):
        asyncio.create_task(_keep(app, task))  # noqa: RUF006 the loop holds them
    await _keep(app, _feed)


async def _keep(app, task) -> None:  # type: ignore[no-untyped-def]
    """Run a task again after an unexpected error. If it always fails, the watchdog resets the board."""
    while True:
        try:
            await task(app)
        except Exception as error:
            sys.print_exception(error)
            app.health.count(counts.TASK_CRASH)
            app.health.fault(SUBSYSTEM_APP, FAULT_EXCEPTION, repr(error))
        await asyncio.sleep_ms(_RESTART_MS)


async def _sample(app) -> None:  # type: ignore[no-untyped-def]
    while True:
        app.drain()
        await app.clock.sleep_ms(_SAMPLE_EVERY_MS)


async def _step(app) -> None:  # type: ignore[no-untyped-def]
    while True:
        now_ms = app.clock.ms()
        app.end_maintenance_if_due(now_ms)
        if app.monitor.step(now_ms):
            app.log.tick(app.clock.ms())
        await app.clock.sleep_ms(1000 - app.clock.ms() % 1000)


async def _outputs(app) -> None:  # type: ignore[no-untyped-def]
    button = Button(app.health, counts.BUTTON_BOUNCE)
    every_ms = _OUTPUT_EVERY_MS if app.clock.speed == 1 else _OUTPUT_FAST_MS
    while True:
        app.output.tick(app.clock.real_ms())
        press = button.poll(not app.board.button.value(), app.clock.ms())
        if press:
            _pressed(app, press)
        await asyncio.sleep_ms(every_ms)


def _pressed(app, press: int) -> None:  # type: ignore[no-untyped-def]
    now_ms = app.clock.ms()
    if press == SHORT:
        app.attention.pause(now_ms)
    app.monitor.press(press)
    app.monitor.show(now_ms)
    app.log.append(now_ms, record_layout.BUTTON, record_writer.write(record_layout.BUTTON, press))


async def _link(app) -> None:  # type: ignore[no-untyped-def]
    while True:
        more = False
        for server in list(app.servers):
            more = server.turn() or more
        if app.ble is not None:
            app.ble.turn()
        await asyncio.sleep_ms(1 if more else _LINK_EVERY_MS)


async def _slow(app) -> None:  # type: ignore[no-untyped-def]
    next_state_ms = app.clock.ms() + _STATE_EVERY_MS
    next_retry_ms = _RETRY_JOURNAL_MS
    is_marked_healthy = app.guard is None
    while True:
        await app.clock.sleep_ms(_SLOW_EVERY_MS)
        now_ms = app.clock.ms()
        if app.log.journal is None and now_ms >= next_retry_ms:
            next_retry_ms = now_ms + _RETRY_JOURNAL_MS
            _retry_journal(app)
        app.power.read()
        app.pause_on_charger()
        if app.binding is not None:
            app.binding.tick()
        if now_ms >= next_state_ms:
            next_state_ms = now_ms + _STATE_EVERY_MS
            _hourly(app, now_ms)
        if not is_marked_healthy and app.clock.real_ms() >= _HEALTHY_MS:
            is_marked_healthy = True
            app.drain()
            app.guard.healthy()
        gc.collect()
        if gc.mem_free() * 10 < gc.mem_free() + gc.mem_alloc():
            app.health.count(counts.HEAP_LOW)


def _retry_journal(app) -> None:  # type: ignore[no-untyped-def]
    # loaded for one call and unloaded again, to save heap
    from crs_device.start import retry_journal

    retry_journal(app)
    del retry_journal
    unload_modules("crs_device.start")


def _hourly(app, now_ms: int) -> None:  # type: ignore[no-untyped-def]
    for server in app.servers:
        server.take_counts()
    app.monitor.journal_states(1, now_ms)
    app.log.append(
        now_ms, record_layout.HEALTH, record_writer.write(record_layout.HEALTH, app.health.pairs())
    )


async def _feed(app) -> None:  # type: ignore[no-untyped-def]
    if app.guard is not None:
        app.guard.release()
        wdt = app.guard.wdt
    else:
        wdt = app.board.wdt(_WDT_MS)
    polls = steps = 0
    progress_ms = app.clock.real_ms()
    while True:
        now = app.clock.real_ms()
        sampled = app.sampling is None or app.sampling.polls > polls
        if sampled and app.monitor.steps > steps:
            polls = app.sampling.polls if app.sampling is not None else 0
            steps = app.monitor.steps
            progress_ms = now
        if now - progress_ms < _STALLED_MS:
            wdt.feed()
        else:
            app.health.count(counts.WATCHDOG_HELD)
        await asyncio.sleep_ms(_FEED_EVERY_MS)
