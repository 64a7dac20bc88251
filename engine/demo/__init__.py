"""A synthetic but anatomical liver CT study, and the check of an analysis against its truth."""
