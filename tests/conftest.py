"""What every test shares: how hypothesis runs. Fixtures of one house live beside that house's tests."""

from hypothesis import settings

# No deadline: a time limit a single example fails on busy machines without saying anything about the code.
settings.register_profile("creditline", deadline=None, print_blob=True)
settings.load_profile("creditline")
