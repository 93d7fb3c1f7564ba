"""The paper inbox: sealed faxes and scans on their way to the vault (R-B3). Nobody here can see one."""
