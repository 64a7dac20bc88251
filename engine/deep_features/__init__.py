"""Features from inside of neural networks, pooled over regions."""
