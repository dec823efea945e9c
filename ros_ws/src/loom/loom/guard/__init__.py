"""Who may do what, and how fast: identity, policy, limits, audit."""
