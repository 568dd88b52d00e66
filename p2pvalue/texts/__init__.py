"""The texts room: what documents say, held by a library that is kept in a process of its own.

The library (Yjs, in Python pycrdt) believes every byte and may panic, hang or take all memory. So
the texts of all documents are in one worker process, and here alone it is imported:

    shared.py   one replica of a document's text, each call of the library contained
    calls.py    the table of what can be asked of such a replica
    worker.py   the process, which answers one question at a time
    workers.py  its keeper on the side of the node: starts it, waits, ends it
    remote.py   a replica in the process, with an async method for each row of the table
    schema.py   what rich documents are made of; `rich_*` read and write them as shared trees,
                `markdown_*` as Markdown, both by way of the values in blocks.py

If the process dies, what was open is void (`WorkerLost`) and is opened anew; the node goes on. The
room knows nothing of operations, stores or networks. To ask something new of a text, write a
function of a `SharedDocument` in a module of this room, give it a row in `calls.py` and a method in
`remote.py`.
"""
