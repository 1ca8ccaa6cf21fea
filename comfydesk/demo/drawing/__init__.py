"""The demo pod's brush: a scene from the words of a prompt, painted stroke by stroke. Pillow only, and no AI.

`words` reads the prompt, `scene` lays it out in layers (`scenery`, `things`, `animals`), `brush` paints.
"""
