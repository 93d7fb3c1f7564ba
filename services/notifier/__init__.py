"""The notifier (通知): one notice to every applicant, by mail or post, followed to its end; it knows no name."""
