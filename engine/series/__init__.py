"""From a pile of files to one volume: reading, grouping, phase, selection, assembly."""
