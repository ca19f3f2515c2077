"""The command tree, and how every failure ends: one line on stderr and an exit code.

Exit codes: 0 done · 1 refused or failed · 2 called the wrong way · 3 no gateway answers ·
130 stopped by ^C.
"""

import os
import sys

import click

from doorward import __version__
from doorward.cli.audit import audit
from doorward.cli.backup import backup
from doorward.cli.board import board
from doorward.cli.broker import broker
from doorward.cli.card import card
from doorward.cli.code import code
from doorward.cli.device import device
from doorward.cli.doctor import doctor
from doorward.cli.door import door
from doorward.cli.failure import INTERRUPTED, Failure
from doorward.cli.firmware import firmware
from doorward.cli.holiday import holiday
from doorward.cli.lab import lab
from doorward.cli.light import light, motion
from doorward.cli.people import people
from doorward.cli.pub import pub
from doorward.cli.serve import demo, up
from doorward.cli.signer import signer
from doorward.cli.sub import sub
from doorward.cli.token import token
from doorward.cli.user import user
from doorward.cli.vault import vault
from doorward.cli.why import why

_USAGE = 2
_AFTER_THE_COMMAND = ("--json", "--data")


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="doorward", message="%(prog)s %(version)s")
def root() -> None:
    """Doors, vaults and lights, kept by a gateway of your own.

    Start with `doorward demo` (a virtual site, no hardware) or `doorward up`.
    Every command takes --json, and --data to name another installation.
    """


for command in (
    up,
    demo,
    why,
    doctor,
    people,
    card,
    code,
    holiday,
    door,
    vault,
    light,
    motion,
    device,
    board,
    firmware,
    audit,
    user,
    token,
    broker,
    pub,
    sub,
    backup,
    lab,
    signer,
):
    root.add_command(command)


def main(args: list[str] | None = None) -> None:
    """Run one command and exit with its code."""
    sys.exit(run(args))


def run(args: list[str] | None = None) -> int:
    """Run one command; returns the exit code and never raises."""
    try:
        status = root.main(args, prog_name="doorward", standalone_mode=False)
    except Failure as failure:
        click.echo(failure.line(), err=True)
        return failure.exit_code
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        return _USAGE
    except click.UsageError as error:
        path = error.ctx.command_path if error.ctx else "doorward"
        message = error.format_message().rstrip(".").replace("\n", " ")
        if isinstance(error, click.NoSuchOption) and error.option_name in _AFTER_THE_COMMAND:
            message = f"put {error.option_name} after the command"
        click.echo(f"{path}: {message}; see {path} --help", err=True)
        return _USAGE
    except (click.Abort, KeyboardInterrupt):
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has seen enough. Python flushes stdout once more at exit: give it a place to go.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return status if isinstance(status, int) else 0
