"""The notifier (通知): sends every applicant one notice per occasion, by mail or post. It knows no person's name."""
