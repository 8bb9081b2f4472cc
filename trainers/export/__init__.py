"""Export: a trained model as the one file that a phone or a laptop runs (GGUF), or as plain weights for a server."""
