"""What pyproject.toml cannot say: an installed daemon has the files of `sounds/` and `dialplan/` in its own folder."""

from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

ROOT = Path(__file__).parent


class BuildWithSounds(build_py):
    """Not when installed to be edited: then the daemon is the checkout and finds them there."""

    def run(self) -> None:
        super().run()
        if not self.editable_mode:
            target = Path(self.build_lib) / "daemon" / "sounds"
            target.mkdir(parents=True, exist_ok=True)
            for path in sorted((ROOT / "sounds").glob("*.wav")):
                self.copy_file(str(path), str(target / path.name))
            for path in sorted((ROOT / "dialplan").glob("*/*.conf")):
                target = Path(self.build_lib) / "daemon" / "dialplan" / path.parent.name
                target.mkdir(parents=True, exist_ok=True)
                self.copy_file(str(path), str(target / path.name))


setup(cmdclass={"build_py": BuildWithSounds})
