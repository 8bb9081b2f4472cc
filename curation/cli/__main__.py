"""`python -m curation.cli`."""

from curation.cli import main

if __name__ == "__main__":  # a process that the check starts loads this module, too
    main()
