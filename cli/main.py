"""The command `ops` from arguments to exit code, which nothing else knows. Imports typer only when there is work."""

from __future__ import annotations

import errno
import os
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress

from cli import __version__
from infra import errors

DONE, BUG, USAGE, INTERRUPTED = 0, 1, 2, 130
NOT_OURS = frozenset({errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOSPC, errno.EDQUOT})
"""What the system says of files that no code of ours can make right."""

EXIT_CODES: dict[type[errors.OpsError], int] = {
    errors.InvalidInput: USAGE,
    errors.GateFailed: 3,
    errors.Refused: 4,
    errors.Inconclusive: 5,
    errors.Unavailable: 6,
    errors.Locked: 7,
    errors.Pending: 8,
    errors.DeadlinePassed: 124,
    errors.Interrupted: INTERRUPTED,
}


def main() -> int:
    """Run `ops` with the arguments of this process and return its exit code."""
    arguments = sys.argv[1:]
    if arguments == ["--version"]:
        print(f"ops {__version__}")
        return DONE
    with suppress(AttributeError, OSError):  # a terminal that cannot show a character must not stop a rollout
        sys.stdout.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
        sys.stderr.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is signal.SIG_DFL:  # under nohup a hang-up stays ignored
            signal.signal(number, signal.default_int_handler)  # as Ctrl-C: what was started is put away
    return _flushed(run(arguments))


def run(arguments: Sequence[str]) -> int:
    """Run one command line; every error becomes its message on stderr and its exit code."""
    from typer import Abort, Exit, TyperException

    from cli.groups import invoke

    try:
        invoke(list(arguments))
    except Exit as stop:
        return stop.exit_code
    except errors.OpsError as error:
        return _failed(error, arguments)
    except TyperException as error:
        return _misused(error, arguments)
    except (KeyboardInterrupt, Abort, EOFError):
        return _failed(errors.Interrupted("interrupted"))
    except BrokenPipeError:
        return DONE  # the reader of our output has seen enough
    except OSError as error:
        return _failed(_denied(error), arguments) if error.errno in NOT_OURS else _bug(error)
    except Exception as error:  # noqa: BLE001 - whatever it is, nobody else will tell the person
        return _bug(error)
    return DONE


def exit_code(error: errors.OpsError) -> int:
    """The exit code of an error: that of its nearest category."""
    return next((EXIT_CODES[kind] for kind in type(error).__mro__ if kind in EXIT_CODES), BUG)


def _failed(error: errors.OpsError, arguments: Sequence[str] = ()) -> int:
    from cli.hint import aimed, given

    lines = [f"ops: {error.what}", *(f"  {note}" for note in getattr(error, "__notes__", ()))]
    lines += [f"  not done: {error.not_done}"] if error.not_done else []
    lines += [f"  next: {aimed(error.next, *given(arguments, os.environ))}"] if error.next else []
    _tell("\n".join(lines))
    return exit_code(error)


def _denied(error: OSError) -> errors.Unavailable:
    """A file that the system keeps from us, wherever we met it."""
    said = os.strerror(error.errno or 0)
    what = f"{error.filename} cannot be used: {said}" if error.filename else f"the system refused us: {said}"
    advice = "see whose it is and whether the disk is full; OPS_STATE may name a directory of yours for state"
    return errors.Unavailable(what, next=advice)


def _misused(error: Exception, arguments: Sequence[str]) -> int:
    from cli.groups import path

    context = getattr(error, "ctx", None)
    if type(error).__name__ == "NoArgsIsHelpError":
        _tell(context.get_help() if context else "ops: a command is missing")
        return USAGE
    command = context.command_path if context else path(arguments)  # an option without its value comes without context
    message = error.format_message() if hasattr(error, "format_message") else str(error)
    return _failed(errors.InvalidInput(message.replace(": Value error, ", ": "), next=f"{command} --help"))


def _bug(error: Exception) -> int:
    import traceback

    _tell("".join(traceback.format_exception(error)).rstrip())
    _tell(f"ops: this is a bug in ops {__version__}: {type(error).__name__}: {error}")
    return BUG


def _tell(text: str) -> None:
    with suppress(BrokenPipeError):
        print(text, file=sys.stderr, flush=True)


def _flushed(code: int) -> int:
    """Flush what is left for stdout; where its reader has gone, keep the interpreter from complaining of it."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return code


if __name__ == "__main__":
    sys.exit(main())
