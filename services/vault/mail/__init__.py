"""Send mail to people for services that only know tokens, and read delivery reports."""
