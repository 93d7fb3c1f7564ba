"""An applicant's own program seals with what any outside program may use."""

from deploy.edge.sealing import SUITE_NAME, KeyRefusedError, SealingKey, sealing_info

__all__ = ["SUITE_NAME", "KeyRefusedError", "SealingKey", "sealing_info"]
