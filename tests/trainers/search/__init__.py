"""A search for better settings, with real tiny models and a service that speaks Claude's protocol."""
