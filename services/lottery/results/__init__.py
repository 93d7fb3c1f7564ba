"""Publish one outcome for each entry and class."""
