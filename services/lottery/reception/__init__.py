"""Reception on the day: passes are scanned, also without a network, and what the devices saw is put together."""
