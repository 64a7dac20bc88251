"""Model packages: manifest, checksums, loading, listing, import."""
