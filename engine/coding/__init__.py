"""Every coded concept HepatoCast writes, in one place (SCT, DCM, IBSI, LN, UCUM, own)."""
