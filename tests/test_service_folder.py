"""A service runs where its users stand: the folder of the warehouse there must not stand in the way of the package of that name."""

import os
import subprocess
import sys
from pathlib import Path

# What `curation serve` does first in an editable install, and then what Prefect does to import a flow.
CODE = """
import subprocess, sys
from pathlib import Path
from curation.process import prepare_service
sys.path = [path for path in sys.path if path not in ("", sys.argv[1])]
prepare_service(Path("state"), "127.0.0.1", 4200)
code = "import os, sys; sys.path.insert(0, os.getcwd()); import warehouse; print(warehouse.Store.__name__)"
raise SystemExit(subprocess.run([sys.executable, "-c", code]).returncode)
"""


def test_a_folder_named_as_one_of_our_packages_does_not_hide_it(tmp_path: Path) -> None:
    (tmp_path / "warehouse").mkdir()
    (tmp_path / "flows").mkdir()
    root = str(Path(__file__).parents[1])
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    done = subprocess.run(
        [sys.executable, "-c", CODE, root], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, "Store\n"), done.stderr
