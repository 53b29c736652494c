"""Tools for those who work on Allswell; nothing here is installed."""
