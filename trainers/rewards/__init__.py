"""What a completion earns: plain functions of what was written and what was wanted."""
