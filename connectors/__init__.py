"""The services: one module each, the only place that may import that service's SDK."""
