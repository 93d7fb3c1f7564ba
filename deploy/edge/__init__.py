"""What runs where paper is born: at the fax server and beside the scanner. Knows no service and no database.

Of the house it needs only a few modules of `shared`, so that it can be copied to a fax host (docs/operations.md).
"""
