"""Nights of a service that is killed and let down, beside the same nights left in peace."""
