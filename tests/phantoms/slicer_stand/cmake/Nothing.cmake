# Generating and packing an extension is the real Slicer's work.
