"""Which updates of a document count: the same on every node (spec: kinds/document-update).

`update_form` reads bytes, `rules` judges what they say by the update's past, and `facts` keeps what
that takes for one document. Nothing here knows the text library, and nothing asks it.
"""
