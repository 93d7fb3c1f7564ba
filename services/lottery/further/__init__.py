"""Open, freeze and publish further rounds (追加抽選): draws over the seats that stayed free (ADR 37)."""
