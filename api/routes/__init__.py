"""The faces of the service: one file each, thin handlers over api.flow."""
