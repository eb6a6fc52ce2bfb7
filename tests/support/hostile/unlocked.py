"""The same under limits alone, as work that starts other processes runs: `python -m tests.support.hostile.unlocked`."""

from api.documents.confinement import serve
from tests.support.hostile.children import work

if __name__ == "__main__":
    serve(work)
