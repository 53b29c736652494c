"""Pure rules of triage: what is known when a ticket opens, what was learned of it, how well that works."""
