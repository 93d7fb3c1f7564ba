"""Records for auditors: documents about staff and approvals, and the check of the audit log (R-S1, R-S5, R-S6)."""
