"""Writes notes and versions until it is killed, and says each when it is confirmed."""

import json
import sys

from ntkcore.library import Content, Library, Saved
from ntkcore.library.notes import Notes
from ntkcore.library.people import local
from ntkcore.settings import Settings

ANN = local("Ann")
library = Library(Settings.model_validate(json.loads(sys.argv[1])))
saved, notes = Saved(library), Notes(library)
version = saved.save(Content("map", {}, {}, "written", keys=(("map", "k", 1),)), ANN)
while True:
    version = saved.again(version.analysis, version.content, ANN, seen=version.number)
    print("version", version.analysis, version.number, flush=True)
    print("note", version.analysis, notes.write(f"of version {version.number}", ANN, analysis=version.analysis), flush=True)
