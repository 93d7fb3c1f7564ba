"""Accept sealed applications, give receipts and publish them to the vault; intake cannot read them."""
