"""The gRPC contracts of Sheaf and the code generated from them."""
