"""`paywall`: its commands, and how it ends."""

from __future__ import annotations

import sys

from cyclopts import App, CycloptsError

from gateway import __version__
from gateway.cli.output import CommandFailed, say

app = App(
    name="paywall",
    help="A reverse-proxy paywall: browsing stays open, results are withheld until they are paid for.",
    version=__version__,
    version_flags=["--version"],
    help_format="plaintext",
)
app.command("gateway.cli.run:run", name="run")
app.command("gateway.cli.demo:demo", name="demo")
app.command("gateway.cli.config:init", name="init")
app.command("gateway.cli.config:check", name="check")
app.command("gateway.cli.explain:explain", name="explain")
app.command("gateway.cli.config:schema", name="schema")
app.command("gateway.cli.subject:app", name="subject")
app.command("gateway.cli.events:events", name="events")
app.command("gateway.cli.health:health", name="health")
app.command("gateway.cli.plugins:plugins", name="plugins")


def main() -> None:
    """Run one command and exit."""
    try:
        app(exit_on_error=False, print_error=False)
    except CycloptsError as error:
        say(str(error).strip() or "this can't be understood")
        say("`paywall --help` lists the commands, `paywall COMMAND --help` what each takes")
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
