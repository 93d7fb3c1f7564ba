"""HylaFAX's hook for received faxes (`FaxRcvdCmd`), in the shape of faxrcvd(8):

`faxrcvd qfile devid commid error-msg [callid-1 [callid-2 …]]`, run in the spooling area; `qfile` is relative to it. The
call ids (caller's number, name) are neither read nor passed on: who sends stands on the sheet (R-C3).
"""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from deploy.edge.command import USAGE, run_tool
from deploy.edge.settings import EdgeSettings, NotSetUpError

_ARGUMENTS: Final = 4


def main(arguments: Sequence[str] | None = None) -> int:
    """Seal and send the fax; its serial number is `F-` and HylaFAX's communication id, which its own log has too.

    A fax that broke off is sent all the same, with the pages that came: a handler sees what is missing and calls back.
    Exit status as of `kuji-seal-paper`; after 75 a timer runs `kuji-seal-paper --channel fax`, which empties the spool.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    if len(given) < _ARGUMENTS:
        sys.stderr.write("usage: faxrcvd-kuji qfile devid commid error-msg [callid …]\n")
        return USAGE
    qfile, _, commid, _ = given[:_ARGUMENTS]
    try:
        settings = EdgeSettings.read()
    except NotSetUpError as error:
        sys.stderr.write(f"kuji: {error}\n")
        return USAGE
    return run_tool(settings, [Path(qfile)], "fax", f"F-{commid}", None)
