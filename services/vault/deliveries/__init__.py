"""Check notice documents and store each delivery once; mail room and print room share it (`docs/protocols.md` §3)."""
