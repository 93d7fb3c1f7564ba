"""Harnesses, builders and samples that several tests use."""
