"""The web dashboard, the STOW-RS door and the endpoints of monitoring."""
