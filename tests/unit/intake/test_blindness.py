"""Intake is blind: its process does not even load what could open an application (who may know what)."""

import subprocess
import sys

FORBIDDEN = ("cryptography", "services.vault", "services.lottery", "services.notifier", "deploy")


def test_the_process_of_intake_loads_nothing_that_can_decrypt():
    program = (
        "import sys, services.intake.__main__; "
        f"print([name for name in sys.modules if name.split('.')[0] in {FORBIDDEN!r} or name in {FORBIDDEN!r}])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "[]"
