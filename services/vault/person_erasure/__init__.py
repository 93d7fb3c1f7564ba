"""Erase one person on the person's demand, after the ward's decision (消去; R-C11, R-C12)."""
