"""The real gateway, started as `paywall` is, whose rules can be taken out while it runs: what the battery must notice.

Nothing of this is in the gateway itself. A rule is taken out by giving one of its functions another code, made of its
own source with a few words changed. `python -m tests.hostile.crippled PORT LENIENT run --config ...` listens on the UDP
port: each datagram is the number of a rule of `rules.RULES`, or -1 for none, and is answered when it is done. The same
gateway is served on the port LENIENT too, by a server that refuses nothing (`lenient.py`).
"""

from __future__ import annotations

import asyncio
import gc
import importlib
import inspect
import socket
import sys
import textwrap
import threading
from collections.abc import Callable
from types import CodeType, FunctionType
from typing import Any

from .lenient import LenientServer
from .rules import RULES
from .rules.rule import Rule


def take_out(rule: Rule) -> Callable[[], None]:
    """Take the rule out, and what it stands besides; what is returned puts it back. Raises `ValueError` where the
    source no longer says it."""
    put_back = _take_out(rule)
    if rule.besides is None:
        return put_back
    put_other_back = take_out(rule.besides)

    def put_both_back() -> None:
        put_other_back()
        put_back()

    return put_both_back


def _take_out(rule: Rule) -> Callable[[], None]:
    function = _function(rule.where)
    source = textwrap.dedent(inspect.getsource(function))
    if source.count(rule.old) != 1:
        raise ValueError(f"{rule.name}: {rule.where} has {rule.old!r} {source.count(rule.old)} times, not once")
    made: dict[str, Any] = {}
    changed = "from __future__ import annotations\n" + source.replace(rule.old, rule.new)
    exec(compile(changed, f"<without {rule.name}>", "exec"), function.__globals__, made)
    whole: CodeType = function.__code__
    function.__code__ = _plain(made[function.__name__]).__code__
    _forget()

    def put_back() -> None:
        function.__code__ = whole
        _forget()

    return put_back


def _function(where: str) -> FunctionType:
    module, _, path = where.partition(":")
    found: Any = importlib.import_module(module)
    for name in path.split("."):
        found = getattr(found, name)
    return _plain(found)


def _plain(found: Any) -> FunctionType:
    """The function of a property, a class method, or itself."""
    found = found.fget if isinstance(found, property) else getattr(found, "__func__", found)
    assert isinstance(found, FunctionType), found
    return found


def _forget() -> None:
    """What was judged by the rules as they were must not be remembered."""
    from gateway.access.match import RouteTable
    from gateway.core import target
    from gateway.web import message

    target._read_and_remember.cache_clear()
    message.is_host.cache_clear()
    for kept in gc.get_objects():
        if isinstance(kept, message.Guard):
            kept._sections.clear()
        elif isinstance(kept, RouteTable):
            kept._remembered.clear()


def _obey(port: int) -> None:
    put_back: Callable[[], None] | None = None
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as heard:
        heard.bind(("127.0.0.1", port))
        while True:
            data, sender = heard.recvfrom(64)
            if put_back is not None:
                put_back()
                put_back = None
            try:
                number = int(data)
                put_back = take_out(RULES[number]) if number >= 0 else None
                heard.sendto(b"", sender)
            except Exception as error:
                heard.sendto(str(error).encode()[:1000], sender)


def tell(port: int, rule: Rule | None) -> None:
    """Have this rule taken out, and every other put back. Raises `ValueError` where that is not possible."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        asking.settimeout(10)
        asking.sendto(str(-1 if rule is None else RULES.index(rule)).encode(), ("127.0.0.1", port))
        if said := asking.recv(2048):
            raise ValueError(said.decode())


def _serve_leniently(port: int) -> None:
    """Have whatever the gateway's own server serves to clients served on this port, too."""
    from gateway.wire import serve

    configured = serve._config

    def with_another_server(application: Any, lane: Any = None) -> Any:
        if lane is not None:  # else it is the operators' application
            starting.append(asyncio.get_running_loop().create_task(LenientServer(application).listen(port)))
        return configured(application, lane)

    starting: list[asyncio.Task[None]] = []
    serve._config = with_another_server


def main() -> None:
    """Start the gateway with the arguments behind the ports."""
    port, lenient_port = int(sys.argv.pop(1)), int(sys.argv.pop(1))
    threading.Thread(target=_obey, args=(port,), daemon=True).start()
    _serve_leniently(lenient_port)
    from gateway.cli.main import main as paywall

    paywall()


if __name__ == "__main__":
    main()
