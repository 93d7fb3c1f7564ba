"""Commands for notices: their states, their texts, and announcements, as one group."""

from deploy.cli.announcements import list_announcements
from deploy.cli.notice_templates import list_templates, preview, release
from deploy.cli.staff import notices

__all__ = ["notices"]

notices.command("templates")(list_templates)
notices.command("preview")(preview)
notices.command("release")(release)
notices.command("announcements")(list_announcements)
