"""A registry that cannot be imported: what a broken installation looks like."""

raise RuntimeError("this registry never loads")
