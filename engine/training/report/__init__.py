"""Reports of a recipe's run: figures, TRIPOD+AI checklist, HTML and PDF."""
