"""Settings of the lottery."""

from pydantic import Field

from shared.settings import ServiceSettings


class LotterySettings(ServiceSettings):
    """Settings of the lottery besides those of every service."""

    mongo_database: str = Field("kuji_lottery", description="the lottery's own database")
    tick_s: float = Field(0.5, gt=0, description="seconds between two runs of the scheduler")
