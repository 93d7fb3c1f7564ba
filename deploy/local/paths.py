"""Where this checkout is, and where it keeps its state."""

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
STATE = ROOT / ".kuji"
"""Virtual environment, mongod, running installations. Never committed."""
RUNS = STATE / "run"
"""One folder for each installation that runs (`deploy.local.runs`)."""
