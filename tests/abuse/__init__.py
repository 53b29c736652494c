"""What people with bad intent try, by the numbers of the threat model's abuse tests."""
