"""What an import decides: the mapping, the cells of a row, the neutral record, the history it makes. Pure."""
