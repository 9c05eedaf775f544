"""HTTP to addresses that tenants name: checked, and connected to exactly as checked."""
