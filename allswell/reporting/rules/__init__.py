"""Pure rules of reports: how numbers are counted, and where tickets were."""
