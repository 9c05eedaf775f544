"""All functions behind one address, routed by the same table as the hosting rewrites."""
