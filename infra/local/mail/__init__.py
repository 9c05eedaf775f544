"""Mail on one machine: an SMTP server that delivers nothing and keeps everything in one file."""
