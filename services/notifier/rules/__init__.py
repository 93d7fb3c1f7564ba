"""Rules of notices: record, states, pace, answers to SMTP replies, texts. Pure."""
