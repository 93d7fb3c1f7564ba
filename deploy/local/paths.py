"""Where this checkout is, and where it keeps its state."""

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
HOUSE = ROOT / ".kuji"
"""Virtual environment, mongod, running installations. Never committed."""
RUNS = HOUSE / "run"
"""One folder for each installation that runs (`deploy.local.runs`)."""
