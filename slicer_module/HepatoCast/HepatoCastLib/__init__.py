"""The HepatoCast panel: widget (Qt), presenter (no Qt), scene exchange (MRML), background run."""
