"""The n8n REST and webhook clients: the only code of the platform that speaks HTTP outwards."""
