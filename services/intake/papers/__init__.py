"""Accept sealed faxes and scans and publish them to the vault (R-B3). Intake cannot open them."""
