"""Frozen nouns of the engine: values are right from birth and never change."""
