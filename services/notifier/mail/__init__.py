"""Notices by mail: claims on notices, texts as mails, the SMTP session to the vault's mail relay, the dispatcher."""
