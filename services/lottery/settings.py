"""Settings of the lottery."""

from pydantic import Field

from shared.settings import ServiceSettings


class LotterySettings(ServiceSettings):
    mongo_database: str = Field("kuji_lottery", description="the lottery's own database")
    tick_s: float = Field(0.5, gt=0, description="how often the schedule is looked at, seconds")
