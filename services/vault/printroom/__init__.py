"""Print postcards by token. Only this part renders them, so that no other part learns an address."""
