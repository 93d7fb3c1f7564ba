"""Hold the campaigns that intake serves: stage, window, public facts, sealing keys."""
