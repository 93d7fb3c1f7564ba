"""Announcements: one text to everybody of a campaign, or to all who hold a class, by mail and by card."""
