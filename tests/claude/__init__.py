"""The pool, its journal, prices and budget, tested against a service that speaks the real protocol."""
