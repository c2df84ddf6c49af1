"""What every Sheaf service shares: settings, lifecycle, pools, gRPC, telemetry, errors."""
