"""How results are rounded: floats of 16 bits, sums in order, functions and products to the last bit."""
