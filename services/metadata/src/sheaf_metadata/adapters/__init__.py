"""The ports over MySQL, Redis and Prometheus."""
