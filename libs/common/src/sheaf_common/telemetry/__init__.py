"""What operators see: metrics in Prometheus form."""
