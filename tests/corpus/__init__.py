"""The attack corpus: good plans with one fault planted in each, and good plans made to look suspicious."""
