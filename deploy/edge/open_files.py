"""Tell whether a process is still writing a file.

Linux refuses a read lease on a file that any process has open for writing (fcntl(2), F_SETLEASE). Other systems and
network folders tell nothing; there a file counts as complete when it has not changed for a while.
"""

import errno
import fcntl
import signal
from pathlib import Path
from typing import Final

_SET_SIGNAL: Final = 10
"""F_SETSIG of Linux: with SIGURG, which is ignored, a writer that comes meanwhile does not end this process."""


def is_being_written(file: Path) -> bool:
    """Return True if a process has the file open for writing, as far as the file system tells."""
    lease = getattr(fcntl, "F_SETLEASE", None)
    if lease is None:
        return False
    with file.open("rb") as opened:
        try:
            fcntl.fcntl(opened, _SET_SIGNAL, signal.SIGURG)
            fcntl.fcntl(opened, lease, fcntl.F_RDLCK)
        except OSError as error:
            return error.errno == errno.EAGAIN
        fcntl.fcntl(opened, lease, fcntl.F_UNLCK)
    return False
