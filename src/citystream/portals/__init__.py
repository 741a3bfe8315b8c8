"""Where published rows come from when we go and get them: portals over HTTP, and files that are here already."""
