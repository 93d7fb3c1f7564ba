"""Tools at the fax server and beside the scanner, where paper is sealed. They know no service and no database.

They need only a few modules of `shared`, so that they can be copied to a fax host (docs/operations.md).
"""
