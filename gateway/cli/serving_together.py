"""`paywall run` with several workers: what the process does that serves nothing itself."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys

from gateway.cli.crew import Crew
from gateway.cli.relay import Relay
from gateway.cli.serving import Prepared, Reloader
from gateway.cli.worker_process import Logs
from gateway.settings.live import LiveSettings
from gateway.settings.load import Loaded
from gateway.web.admin import AdminActions, make_admin
from gateway.wire.serve import serve_beside


async def serve_together(loaded: Loaded, opened: Prepared, live: LiveSettings | None) -> None:
    """Have workers serve until told to stop; a second signal ends at once. SIGHUP and a changed file reach all, and
    SIGUSR1 has other workers take their places, one after the other."""
    crew = Crew(loaded, opened, Logs(Relay(sys.stdout.fileno()), Relay(sys.stderr.fileno(), told_once=True)))
    reloader = Reloader(crew.reload, live)
    loop = asyncio.get_running_loop()

    def stop() -> None:
        crew.stop()
        opened.listener.close()  # so that new connections are turned away once the workers have closed theirs

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)
    loop.add_signal_handler(signal.SIGHUP, reloader.hang_up)
    loop.add_signal_handler(signal.SIGUSR1, lambda: reloader.run_beside(crew.replace()))
    async with contextlib.AsyncExitStack() as stack:
        stack.push_async_callback(crew.end)
        stack.push_async_callback(reloader.stop)
        await crew.start()
        if crew.stopping.is_set():
            return
        if opened.admin is not None:
            admin = make_admin(AdminActions(crew.page, crew.health, crew.status, reloader.report))
            await stack.enter_async_context(serve_beside(admin, opened.admin))
        await reloader.ready()
        await crew.run()
