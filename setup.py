"""What pyproject.toml cannot say: an installed daemon has `sounds/`, `dialplan/` and `systemd/` in its own folder."""

from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

ROOT = Path(__file__).parent


FILES = (*sorted((ROOT / "sounds").glob("*.wav")), *sorted((ROOT / "systemd").glob("callwarden.*")))


class BuildWithFiles(build_py):
    """Not when installed to be edited: then the daemon is the checkout and finds them there."""

    def run(self) -> None:
        super().run()
        if not self.editable_mode:
            for path in FILES:
                target = Path(self.build_lib) / "daemon" / path.parent.name
                target.mkdir(parents=True, exist_ok=True)
                self.copy_file(str(path), str(target / path.name))
            for path in sorted((ROOT / "dialplan").glob("*/*.conf")):
                target = Path(self.build_lib) / "daemon" / "dialplan" / path.parent.name
                target.mkdir(parents=True, exist_ok=True)
                self.copy_file(str(path), str(target / path.name))


setup(cmdclass={"build_py": BuildWithFiles})
