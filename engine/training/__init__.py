"""Training and judging of risk models (extra [train]); serving never imports this room."""
