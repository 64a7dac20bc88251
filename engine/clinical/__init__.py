"""What the hospital already knows: values, units, selection in time, published scores."""
