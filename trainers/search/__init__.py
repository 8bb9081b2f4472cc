"""Looking for better settings of a preset, one trial after the other, without fooling oneself."""
