"""`python -m services.lottery`"""

from services.lottery.app import build
from services.lottery.settings import LotterySettings
from shared.service import main

if __name__ == "__main__":
    main("lottery", LotterySettings, build)
