"""The print room: postcards by token, rendered here and nowhere else, so that no other part learns an address."""
