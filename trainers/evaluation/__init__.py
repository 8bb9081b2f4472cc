"""How good a model's plans are: metrics, their error bars, and the tables, files and pictures that show them."""
