"""`paywall`: its commands, and how it ends."""

from __future__ import annotations

import sys

from cyclopts import App, CycloptsError, Parameter

from gateway import __version__
from gateway.cli.output import CommandFailed, say
from gateway.cli.usage import wrong_usage

_HELP = ("--help", "-h")

app = App(
    name="paywall",
    help="A reverse-proxy paywall: browsing stays open, results are withheld until they are paid for.",
    version=__version__,
    version_flags=["--version"],
    help_flags=_HELP,
    help_format="markdown",
    default_parameter=Parameter(show_default=lambda value: value or None),
)
app.command("gateway.cli.run:run", name="run", sort_key=1)
app.command("gateway.cli.demo:demo", name="demo", sort_key=2)
app.command("gateway.cli.config:init", name="init", sort_key=3)
app.command("gateway.cli.config:check", name="check", sort_key=4)
app.command("gateway.cli.doctor:doctor", name="doctor", sort_key=5)
app.command("gateway.cli.explain:explain", name="explain", sort_key=6)
app.command("gateway.cli.subject:app", name="subject", sort_key=7)
app.command("gateway.cli.holds:app", name="holds", sort_key=8)
app.command("gateway.cli.payments:app", name="payments", sort_key=9)
app.command("gateway.cli.wallet:app", name="wallet", sort_key=9)
app.command("gateway.cli.ledger:app", name="ledger", sort_key=9)
app.command("gateway.cli.events:events", name="events", sort_key=10)
app.command("gateway.cli.health:health", name="health", sort_key=11)
app.command("gateway.cli.plugins:plugins", name="plugins", sort_key=12)
app.command("gateway.cli.config:schema", name="schema", sort_key=13)


def main() -> None:
    """Run one command and exit."""
    if not sys.argv[1:] or sys.argv[1] in _HELP:
        # What a command does is told in its own module, which is imported for this list and for the command alone.
        for name in app:
            app[name]
    try:
        app(exit_on_error=False, print_error=False)
    except CycloptsError as error:
        for line in wrong_usage(error):
            say(line)
        sys.exit(2)
    except CommandFailed as failed:
        for line in failed.lines:
            say(line)
        sys.exit(failed.code)
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:
        # Whoever read our output has seen enough (`paywall events | head`).
        sys.stderr.close()
        sys.exit(0)


if __name__ == "__main__":
    main()
