"""Claude is asked here, whatever for: one client, one pool, one journal and one budget serve every errand."""
