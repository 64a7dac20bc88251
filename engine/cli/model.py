"""`hepatocast model`: list, show, verify and import model packages."""
