"""Its first version."""
