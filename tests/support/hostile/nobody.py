"""The same as a user without rights, as a service runs in use: `python -m tests.support.hostile.nobody`."""

import os

from api.documents.confinement import serve
from tests.support.hostile.children import work

NOBODY = 65_534

if __name__ == "__main__":
    if os.geteuid() == 0:
        os.setgid(NOBODY)
        os.setuid(NOBODY)
    serve(work)
