"""The same model behind other web frameworks and model servers, each as its own documentation says."""
