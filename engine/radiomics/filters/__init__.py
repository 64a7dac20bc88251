"""Image filters of IBSI 2 (doi:10.1148/radiol.231319)."""
