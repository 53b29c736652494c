"""Allswell: production support, whole, in one program."""

__version__ = "0.4.0"
